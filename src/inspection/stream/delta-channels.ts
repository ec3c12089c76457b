import { plain } from './codec.ts'
import { CodedText } from './coded-text.ts'
import { channelOf, endedBy, isBoundary, type Pattern, patternOf } from './deltas.ts'
import { jsonText } from './json-codec.ts'
import type { JsonPath } from './json-path.ts'
import { JsonStream } from './json-stream.ts'
import { Redactions } from './redactions.ts'
import type { Match, Redactor } from './redactor.ts'

/** What an event carries: JSON, or a text. */
export interface Payload {
  readonly text: string
  /** The name of the event; empty where it has none. */
  readonly event: string
}

export interface DeltaOptions {
  readonly redactor: Redactor
  readonly redactions: Redactions
  /**
   * Further places of pieces, as JSON Pointers in which `*` stands for one step; the empty one for events that are no JSON, and
   * each a piece of one text.
   */
  readonly deltas: readonly string[]
}

/**
 * Redacts the payloads of a stream of events. A text that comes in pieces over many of them is read as one: the end of a piece
 * that may be the beginning of something waits, and stands before the next piece of the same text.
 */
export class DeltaChannels {
  readonly #options: DeltaOptions
  readonly #own: readonly Pattern[]
  readonly #channels = new Map<string, Channel>()
  #turn = 0

  constructor(options: DeltaOptions) {
    this.#options = options
    this.#own = options.deltas.filter((pointer) => pointer !== '').map(patternOf)
  }

  /** The payload as it may go on, and what has to go before it. `last`: nothing comes after it. */
  rewrite({ text, event }: Payload, last = false): { readonly before: readonly Payload[]; readonly text: string } {
    if (!looksLikeJson(text)) return this.#rewriteText({ text, event }, last)
    const payload = parsed(text)
    const before: Payload[] = []
    const ends = last ? () => true : endedBy(payload, event)
    const rewritten = this.#json(text, this.#options.redactions, (written, path) => {
      const key = payload === undefined ? undefined : channelOf(path.steps, payload, event, this.#own)
      if (key === undefined) return undefined
      const channel = this.#channel(key, path, before)
      const out = channel.text.feed(written)
      // What is held has to fit into an event of the same shape, and one of many texts is kept once for each.
      if (ends?.(key) === true) return out + channel.text.end()
      if (text.length > templateMax) return out + channel.text.stall()
      channel.last = { text, event }
      this.#age(channel)
      return out
    })
    if (ends !== undefined) before.push(...this.#endOf(ends))
    return { before, text: rewritten }
  }

  /** What waits, in events of its own, as far as it is clean: it has waited long enough. */
  stall(): readonly Payload[] {
    return [...this.#channels.values()].flatMap((channel) => this.#rest(channel, channel.text.stall()))
  }

  end(): readonly Payload[] {
    return this.#endOf(() => true)
  }

  get held(): number | undefined {
    let oldest: number | undefined
    for (const { text, since } of this.#channels.values())
      if (text.held !== undefined && (oldest === undefined || since < oldest)) oldest = since
    return oldest
  }

  #rewriteText(
    { text, event }: Payload,
    last: boolean,
  ): { readonly before: readonly Payload[]; readonly text: string } {
    const isPieces = this.#options.deltas.includes('')
    if (text === done || !isPieces) {
      const before = text === done || isBoundary(event) || isBoundary(text) ? this.end() : []
      return { before, text: this.#json(text, this.#options.redactions, () => undefined) }
    }
    const channel = this.#channels.get('') ?? this.#open('', plain, '')
    const out = channel.text.feed(text)
    this.#age(channel)
    return { before: [], text: last ? out + channel.text.end() : out }
  }

  /** Of texts that end: what is left of them. */
  #endOf(ends: (channel: string) => boolean): Payload[] {
    const ended = [...this.#channels.values()].filter(({ key }) => ends(key))
    for (const { key } of ended) this.#channels.delete(key)
    return ended.flatMap((channel) => this.#rest(channel, channel.text.end()))
  }

  #channel(key: string, path: JsonPath, before: Payload[]): Channel {
    const known = this.#channels.get(key)
    if (known !== undefined) return known
    const [oldest] = this.#channels.values()
    if (oldest !== undefined && this.#channels.size >= channelsMax) {
      before.push(...this.#rest(oldest, oldest.text.end()))
      this.#channels.delete(oldest.key)
    }
    return this.#open(key, jsonText, path.pointer)
  }

  /** What its member is called says nothing of a text that comes in pieces: it is `content`, `text`, `delta`. */
  #open(key: string, codec: typeof plain, at: string): Channel {
    const { redactor } = this.#options
    const text = new CodedText({ redactor, codec, pace: 'prompt', found: (match) => this.#found(match, at) })
    const channel = { key, text, last: undefined, since: 0, turn: undefined }
    this.#channels.set(key, channel)
    return channel
  }

  #age(channel: Channel): void {
    if (channel.text.held !== channel.turn) channel.since = ++this.#turn
    channel.turn = channel.text.held
  }

  /** An event of the shape of the last one that holds what was left of its text, and nothing of other texts. */
  #rest({ key, last }: Channel, rest: string): Payload[] {
    if (rest === '') return []
    if (last === undefined) return [{ text: rest, event: '' }]
    const payload = parsed(last.text)
    let left = rest
    const text = this.#json(last.text, new Redactions(), (_, { steps }) => {
      const its = channelOf(steps, payload, last.event, this.#own)
      if (its === undefined) return undefined
      const out = its === key ? left : ''
      if (its === key) left = ''
      return out
    })
    return [{ text, event: last.event }]
  }

  #json(
    text: string,
    redactions: Redactions,
    rewrite: (written: string, path: JsonPath) => string | undefined,
  ): string {
    const { redactor } = this.#options
    const stream = new JsonStream({ redactor, redactions, wholeMax: Number.POSITIVE_INFINITY, rewrite })
    return stream.feed(text) + stream.end()
  }

  #found({ kind, rule }: Match, at: string): void {
    this.#options.redactions.add(kind, rule, at)
  }
}

interface Channel {
  readonly key: string
  readonly text: CodedText
  /** The last event that had a piece of it. */
  last: Payload | undefined
  /** Since which turn of the stream what it holds waits. */
  since: number
  turn: number | undefined
}

/** Of more texts at once the oldest is let go. */
const channelsMax = 64
const templateMax = 65_536

/** How streams of OpenAI's kind say that they are over. */
const done = '[DONE]'

function looksLikeJson(text: string): boolean {
  const first = text.trimStart()[0]
  return text !== done && (first === '{' || first === '[' || first === '"')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
