import { parseStrict } from '../../kernel/json.ts'
import { channelOf, type Step } from '../stream/deltas.ts'
import { type FieldList, step } from './field-list.ts'
import { addText } from './json.ts'

/**
 * Adds what the events of a stream say (WHATWG HTML §9.2): strings of JSON at their pointers, below the number of the event, and
 * texts. What comes in pieces over many events is one text, as whoever reads the stream puts it together.
 */
export function addEvents(list: FieldList, text: string): void {
  const pieces = new Map<string, { readonly at: string; readonly name: string; readonly texts: string[] }>()
  const said: string[] = []
  let index = -1
  for (const { event, data } of eventsOf(text)) {
    index++
    if (list.problem !== undefined) return
    const parsed = data.startsWith('{') || data.startsWith('[') ? parseStrict(data) : undefined
    if (parsed === undefined || 'error' in parsed) {
      said.push(data)
      continue
    }
    for (const { steps, text: value } of stringsIn(parsed.value, [])) {
      const at = `/${index}${steps.reduce<string>((pointer, one) => step(pointer, String(one)), '')}`
      const name = String(steps.findLast((one) => typeof one === 'string') ?? '')
      const channel = channelOf(steps, parsed.value, event, [])
      if (channel === undefined) {
        addText(list, 'answer', at, name, value)
        continue
      }
      const known = pieces.get(channel)
      if (known === undefined) pieces.set(channel, { at, name, texts: [value] })
      else known.texts.push(value)
    }
  }
  for (const { at, name, texts } of pieces.values()) addText(list, 'answer', at, name, texts.join(''))
  if (said.length > 0) addText(list, 'answer', '', '', said.join('\n'))
}

interface StreamEvent {
  readonly event: string
  readonly data: string
}

function* eventsOf(text: string): Generator<StreamEvent> {
  let event = ''
  let data: string[] = []
  for (const line of `${text.replace(/^\uFEFF/, '')}\n\n`.split(/\r\n|\n|\r/)) {
    if (line === '') {
      if (data.length > 0) yield { event, data: data.join('\n') }
      event = ''
      data = []
      continue
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
  }
}

/** The recursion ends where that of the parser did. */
function* stringsIn(
  value: unknown,
  steps: readonly Step[],
): Generator<{ readonly steps: readonly Step[]; readonly text: string }> {
  if (typeof value === 'string') yield { steps, text: value }
  else if (Array.isArray(value)) for (const [at, one] of value.entries()) yield* stringsIn(one, [...steps, at])
  else if (typeof value === 'object' && value !== null)
    for (const [name, one] of Object.entries(value)) yield* stringsIn(one, [...steps, name])
}
