import type { Codec } from './codec.ts'
import type { Match, Redactor } from './redactor.ts'
import type { TextTransform } from './transform.ts'

export interface CodedTextOptions {
  readonly redactor: Redactor
  readonly codec: Codec
  /** The member that the text is the value of. */
  readonly name?: string | undefined
  /**
   * `prompt` lets go whatever is settled, for readers that read along; `block` waits for more, for readers that can do nothing
   * with a part.
   */
  readonly pace: 'prompt' | 'block'
  /** Told of each stretch that is struck out. */
  found(match: Match): void
}

/**
 * One text that arrives in pieces, and leaves redacted just as if it had been there whole. Only the end that may yet
 * become a match waits; of what has gone, as much is remembered as a later match may depend on.
 */
export class CodedText implements TextTransform {
  readonly #options: CodedTextOptions
  /** The end of what has gone, read. */
  #context = ''
  /** What waits, as it is written. */
  #written = ''
  /** With fewer characters waiting nothing is looked at: else a long match would be read again with each of its characters. */
  #due = 0
  /** How many characters of what has gone went before they were settled. */
  #unsettled = 0
  #turn = 0

  constructor(options: CodedTextOptions) {
    this.#options = options
  }

  feed(written: string): string {
    if (written === '') return ''
    this.#written = this.#written === '' ? written : this.#written + written
    return this.#written.length < this.#due ? '' : this.#release('settled')
  }

  end(): string {
    return this.#written === '' ? '' : this.#release('all')
  }

  stall(): string {
    return this.#written === '' ? '' : this.#release('stalled')
  }

  get held(): number | undefined {
    return this.#written === '' ? undefined : this.#turn
  }

  /** Characters that wait. */
  get waiting(): number {
    return this.#written.length
  }

  #release(what: 'settled' | 'all' | 'stalled'): string {
    const { redactor, codec, name, pace } = this.#options
    const { text: read, at } = codec.read(this.#written, what === 'all')
    const base = this.#context.length
    const text = this.#context + read
    const settled = pace === 'prompt' ? redactor.settled(text, name) : text.length - redactor.reach
    let limit = what === 'settled' ? settled : text.length
    if (what !== 'all' && isHighSurrogate(text.charCodeAt(limit - 1))) limit--
    if (limit <= base && what !== 'all') return this.#wait()
    const matches = redactor.matches(text, name)
    if (what === 'settled') {
      const open = matches.find(({ start, end }) => start < limit && end > limit)
      if (open !== undefined) limit = Math.max(base, open.start)
    }
    const out = this.#rewritten(text, base, limit, at, matches)
    this.#written = this.#written.slice(writtenAt(limit - base, at))
    this.#unsettled = Math.min(Math.max(0, limit - settled), redactor.reach)
    this.#context = text.slice(Math.max(0, limit - this.#unsettled - redactor.context), limit)
    if (limit > base) this.#turn++
    this.#wait()
    return out
  }

  #wait(): '' {
    const { redactor, pace } = this.#options
    const held = this.#written.length
    if (pace === 'block') this.#due = held + Math.max(redactor.reach, blockMin)
    else this.#due = held < promptMax ? 0 : held + (held >> 3)
    return ''
  }

  #rewritten(
    text: string,
    base: number,
    limit: number,
    at: Uint32Array | undefined,
    matches: readonly Match[],
  ): string {
    const { redactor, codec, found } = this.#options
    let out = ''
    let from = base
    for (const match of matches) {
      if (match.end <= base) continue
      if (match.start >= limit) break
      // Of a match that began in what has gone, what is left of it goes too.
      const struck = match.start < base ? { ...match, start: base } : match
      out += this.#written.slice(writtenAt(from - base, at), writtenAt(struck.start - base, at))
      out += codec.write(redactor.replacement(text, struck))
      from = match.end
      found(match)
    }
    return out + this.#written.slice(writtenAt(from - base, at), writtenAt(limit - base, at))
  }
}

/** With so many characters waiting each further one is looked at as it comes. */
const promptMax = 256
const blockMin = 4096

function writtenAt(unit: number, at: Uint32Array | undefined): number {
  return at === undefined ? unit : (at[unit] as number)
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}
