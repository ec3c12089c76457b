import { CodedText } from './coded-text.ts'
import { formText } from './form-codec.ts'
import type { Redactions } from './redactions.ts'
import type { Redactor } from './redactor.ts'
import type { TextTransform } from './transform.ts'

/** Rewrites `application/x-www-form-urlencoded`: names and values are read, redacted, and written anew where they changed. */
export class FormStream implements TextTransform {
  readonly held = undefined
  readonly #redactor: Redactor
  readonly #redactions: Redactions
  #name = ''
  #isName = true
  #token: CodedText

  constructor(redactor: Redactor, redactions: Redactions) {
    this.#redactor = redactor
    this.#redactions = redactions
    this.#token = this.#open()
  }

  feed(text: string): string {
    let out = ''
    let from = 0
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (unit !== ampersand && (unit !== equals || !this.#isName)) continue
      const piece = text.slice(from, at)
      if (this.#isName) this.#remember(piece)
      out += this.#token.feed(piece) + this.#token.end() + text[at]
      this.#isName = unit === ampersand
      if (this.#isName) this.#name = ''
      this.#token = this.#open()
      from = at + 1
    }
    const rest = text.slice(from)
    if (this.#isName) this.#remember(rest)
    return out + this.#token.feed(rest)
  }

  end(): string {
    return this.#token.end()
  }

  stall(): string {
    return ''
  }

  #remember(piece: string): void {
    if (this.#name.length < nameMax) this.#name += piece.slice(0, nameMax - this.#name.length)
  }

  #open(): CodedText {
    const name = this.#isName ? undefined : formText.read(this.#name, true).text
    return new CodedText({
      redactor: this.#redactor,
      codec: formText,
      name,
      pace: 'block',
      found: ({ kind, rule }) => this.#redactions.add(kind, rule, this.#redactor.redact(name ?? '').text),
    })
  }
}

const ampersand = 0x26
const equals = 0x3d
/** Of a longer name the beginning is enough to tell what its value may be. */
const nameMax = 128
