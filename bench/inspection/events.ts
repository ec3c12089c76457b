/** Characters of one event of a model: about a word. */
const perEvent = 5

/** A text as a model streams it: chat completions, a word in each event. */
export function eventsOf(text: string): readonly Uint8Array[] {
  const events: Uint8Array[] = []
  for (let at = 0; at < text.length; at += perEvent) events.push(Buffer.from(eventOf(text.slice(at, at + perEvent))))
  events.push(Buffer.from('data: [DONE]\n\n'))
  return events
}

function eventOf(content: string): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }]
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'gpt-oss-120b', choices })}\n\n`
}

/** What the text has become on its way. */
export function textOfEvents(stream: string): string {
  return stream
    .split('\n')
    .flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)).choices[0]?.delta.content ?? ''] : []))
    .join('')
}
