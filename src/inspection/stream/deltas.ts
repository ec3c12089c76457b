/** A step of a JSON Pointer, as it was sent. */
export type Step = string | number

/** Places by their steps; `*` stands for any. */
export type Pattern = readonly string[]

/** Reads a JSON Pointer (RFC 6901) in which `*` stands for one step. */
export function patternOf(pointer: string): Pattern {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/**
 * The text that a string of an event is a piece of, by a name that is the same in each of its events; undefined for a string that
 * stands for itself. Streams of models send one text in many pieces, and everything else whole.
 * `own`: further places.
 */
export function channelOf(
  steps: readonly Step[],
  payload: unknown,
  event: string,
  own: readonly Pattern[],
): string | undefined {
  const isPiece =
    own.some((pattern) => isAt(steps, pattern)) ||
    isOfDelta(steps) ||
    (steps.length === 1 &&
      pieceNames.has(String(steps[0])) &&
      (saysPiece(event) || saysPiece(memberOf(payload, 'type')))) ||
    shapes.some(
      ({ at, beside }) => isAt(steps, at) && (beside === undefined || memberOf(payload, beside) !== undefined),
    )
  return isPiece ? nameOf(steps, payload, event) : undefined
}

/** Whether an event says that its text ends with it. */
export function finishes(payload: unknown): boolean {
  if (saysEnd(payload) || saysEnd(memberOf(payload, 'delta'))) return true
  return ['choices', 'candidates'].some((name) => {
    const list = memberOf(payload, name)
    return Array.isArray(list) && list.some(saysEnd)
  })
}

/** Whether an event only says that the stream is alive. */
export function isHeartbeat(payload: unknown, event: string): boolean {
  const type = memberOf(payload, 'type')
  return heartbeats.has(event) || (typeof type === 'string' && heartbeats.has(type))
}

/** Pieces of text in events that do not call them `delta`; `beside`: a member that tells the shape from others. */
// biome-ignore format: a table
const pointers: readonly { readonly at: string; readonly beside?: string }[] = [
  { at: '/choices/*/text' },                        // OpenAI, completions
  { at: '/candidates/*/content/parts/*/text' },     // Gemini
  { at: '/completion' },                            // Anthropic, text completions
  { at: '/token/text' },                            // Text Generation Inference
  { at: '/message/content',  beside: 'done' },      // Ollama, chat
  { at: '/message/thinking', beside: 'done' },
  { at: '/response',         beside: 'done' },      // Ollama, generate
  { at: '/thinking',         beside: 'done' },
  { at: '/content',          beside: 'stop' },      // llama.cpp
]

const shapes = pointers.map(({ at, beside }) => ({ at: patternOf(at), beside }))

/** Members of a `delta` that are whole in the event that has them. */
const whole = new Set(
  'id type role name object status index model signature stop_reason stop_sequence finish_reason call_id item_id tool_call_id'.split(
    ' ',
  ),
)

/** Where events whose type says that they are a piece have their text. */
const pieceNames = new Set(
  'content text token chunk value data output answer message response completion args arguments reasoning thinking'.split(
    ' ',
  ),
)

const heartbeats = new Set(['ping', 'heartbeat', 'keepalive', 'keep-alive', 'keep_alive'])

/** What tells one text of a stream from another beside its place: members that stay the same from its first event to its last. */
const identities = [
  'type',
  'index',
  'item_id',
  'output_index',
  'content_index',
  'summary_index',
  'messageId',
  'message_id',
]

const ends = ['finish_reason', 'finishReason', 'stop_reason', 'done', 'done_reason', 'stop', 'is_finished']

function isOfDelta(steps: readonly Step[]): boolean {
  const last = steps.at(-1)
  if (typeof last === 'string' && /delta$/i.test(last)) return true
  return steps.includes('delta') && !whole.has(String(last))
}

function saysPiece(type: unknown): boolean {
  return typeof type === 'string' && type.length <= typeMax && /(?:delta|chunk|token|partial)s?$/i.test(type)
}

const typeMax = 64

function isAt(steps: readonly Step[], pattern: Pattern): boolean {
  return pattern.length === steps.length && pattern.every((step, at) => step === '*' || step === String(steps[at]))
}

/** Lists say in `index` which of several texts an item belongs to; where it stands in this event says nothing. */
function nameOf(steps: readonly Step[], payload: unknown, event: string): string {
  const places: Step[] = []
  let value = payload
  for (const step of steps) {
    value = typeof step === 'number' ? (value as readonly unknown[] | undefined)?.[step] : memberOf(value, step)
    const index = typeof step === 'number' ? memberOf(value, 'index') : undefined
    places.push(typeof index === 'number' ? index : step)
  }
  const identity = identities.map((name) => memberOf(payload, name)).map((said) => (isShort(said) ? said : undefined))
  return JSON.stringify([event, places, identity])
}

function isShort(said: unknown): boolean {
  return typeof said === 'number' || (typeof said === 'string' && said.length <= 256)
}

function saysEnd(value: unknown): boolean {
  return ends.some((name) => {
    const said = memberOf(value, name)
    return said !== undefined && said !== null && said !== false && said !== ''
  })
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}
