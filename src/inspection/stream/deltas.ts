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
    (steps.length === 1 && pieceNames.has(String(steps[0])) && (saysPiece(event) || saysPiece(typeOf(payload)))) ||
    shapes.some(
      ({ at, beside }) => isAt(steps, at) && (beside === undefined || memberOf(payload, beside) !== undefined),
    )
  return isPiece ? nameOf(steps, payload, event) : undefined
}

/**
 * Which texts end with an event, by their names; undefined where none does. A text goes on over events that are about something else:
 * progress, usage, the pieces of another text, or the end of one.
 */
export function endedBy(payload: unknown, event: string): ((channel: string) => boolean) | undefined {
  if (saysEnd(payload) || saysEnd(memberOf(payload, 'delta')) || isBoundary(event) || isBoundary(typeOf(payload)))
    return (channel) => mayBeAbout(payload, channel)
  const lists = ['choices', 'candidates'].flatMap((name) => {
    const list = memberOf(payload, name)
    return Array.isArray(list)
      ? [{ name, ended: list.flatMap((item, at) => (saysEnd(item) ? [placeOf(item, at)] : [])) }]
      : []
  })
  if (lists.every(({ ended }) => ended.length === 0)) return undefined
  return (channel) => {
    const { places } = identityOf(channel)
    return lists.some(({ name, ended }) => places[0] === name && ended.includes(places[1] as Step))
  }
}

/** Whether the name of an event, or a word in its place, says that something begins, ends or fails. */
export function isBoundary(name: unknown): boolean {
  if (typeof name !== 'string' || name.length > typeMax) return false
  return name
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .some((word) => boundaries.has(word))
}

/** Words in the names of events before which a text has to be whole: what comes after is said to readers who have it. */
const boundaries = new Set(
  'start begin stop done complete completed end ended finish finished final result error failed abort aborted cancelled incomplete close closed'.split(
    ' ',
  ),
)

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
  'toolCallId',
  'tool_call_id',
  'call_id',
]

const ends = [
  'finish_reason',
  'finishReason',
  'stop_reason',
  'done',
  'done_reason',
  'stop',
  'is_finished',
  'generated_text',
]

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
    places.push(typeof step === 'number' ? placeOf(value, step) : step)
  }
  return JSON.stringify([event, places, identities.map((name) => identityIn(payload, name))])
}

/** Reads such a name again. */
function identityOf(channel: string): { readonly places: readonly Step[]; readonly identity: readonly unknown[] } {
  const [, places, identity] = channel === '' ? ['', [], []] : (JSON.parse(channel) as [string, Step[], unknown[]])
  return { places, identity }
}

/** Whether nothing that an event says of itself speaks of another text. */
function mayBeAbout(payload: unknown, channel: string): boolean {
  const { identity } = identityOf(channel)
  return identities.every((name, at) => {
    const said = name === 'type' ? null : identityIn(payload, name)
    return said === null || (identity[at] ?? null) === null || said === identity[at]
  })
}

function identityIn(payload: unknown, name: string): string | number | null {
  const said = memberOf(payload, name)
  return typeof said === 'number' || (typeof said === 'string' && said.length <= 256) ? said : null
}

function placeOf(item: unknown, at: number): Step {
  const index = memberOf(item, 'index')
  return typeof index === 'number' ? index : at
}

function saysEnd(value: unknown): boolean {
  return ends.some((name) => {
    const said = memberOf(value, name)
    return said !== undefined && said !== null && said !== false && said !== ''
  })
}

function typeOf(payload: unknown): unknown {
  return memberOf(payload, 'type')
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}
