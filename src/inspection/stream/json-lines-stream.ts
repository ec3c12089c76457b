import { DeltaChannels, type DeltaOptions } from './delta-channels.ts'
import { JsonStream } from './json-stream.ts'
import type { TextTransform } from './transform.ts'

/** Rewrites JSON that comes one text a line, as models of some makers stream it: a short line is an event, a long one is read in pieces. */
export class JsonLinesStream implements TextTransform {
  readonly #options: DeltaOptions
  readonly #deltas: DeltaChannels
  #line = ''
  #long: JsonStream | undefined

  constructor(options: DeltaOptions) {
    this.#options = options
    this.#deltas = new DeltaChannels(options)
  }

  get held(): number | undefined {
    return this.#deltas.held
  }

  feed(text: string): string {
    let out = ''
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      out += `${this.#endLine(text.slice(from, end))}\n`
      from = end + 1
    }
    return out + this.#piece(text.slice(from))
  }

  end(): string {
    const out = this.#endLine('', true)
    return out + this.stall()
  }

  stall(): string {
    return this.#written(this.#deltas.stall())
  }

  #piece(piece: string): string {
    if (this.#long !== undefined) return this.#long.feed(piece)
    this.#line += piece
    if (this.#line.length <= lineMax) return ''
    this.#long = new JsonStream({ ...this.#options, lines: true })
    const out = this.#written(this.#deltas.end()) + this.#long.feed(this.#line)
    this.#line = ''
    return out
  }

  #endLine(piece: string, last = false): string {
    const long = this.#long
    if (long !== undefined) {
      this.#long = undefined
      return long.feed(piece) + long.end()
    }
    const line = this.#line + piece
    this.#line = ''
    if (line.trim() === '') return line
    const { before, text } = this.#deltas.rewrite({ text: line, event: '' }, last)
    return this.#written(before) + text
  }

  #written(payloads: readonly { readonly text: string }[]): string {
    return payloads.map(({ text }) => `${text.trimEnd()}\n`).join('')
  }
}

const lineMax = 65_536
