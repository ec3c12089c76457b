import { CodedText } from './coded-text.ts'
import { jsonText } from './json-codec.ts'
import { JsonPath } from './json-path.ts'
import type { Redactions } from './redactions.ts'
import type { Match, Redactor } from './redactor.ts'
import { type TextTransform, Unscreenable } from './transform.ts'

export interface JsonOptions {
  readonly redactor: Redactor
  readonly redactions: Redactions
  /** One JSON text a line: whatever is wrong in a line ends with it. */
  readonly lines?: boolean
  /** Names and strings of more characters are read in pieces. */
  readonly wholeMax?: number
  /** Rewrites the inside of a string instead of striking out what is found there; undefined leaves it to that. */
  rewrite?(written: string, path: JsonPath): string | undefined
}

/**
 * Rewrites JSON (RFC 8259) while it flows: of one text, of several one after another, of one a line. Names and strings are
 * redacted inside, a number that is something to strike out becomes a string, and every other character stays as it is.
 * From where the text is no JSON on, the rest (of the line) is redacted as one text.
 */
export class JsonStream implements TextTransform {
  readonly #options: JsonOptions
  readonly #path: JsonPath
  readonly #wholeMax: number
  #expected: Expected = 'value'
  #mode: 'structure' | 'string' | 'scalar' | 'astray' = 'structure'
  /** A string or a scalar of which the end has not come. */
  #written = ''
  #isName = false
  #escape = false
  /** A string that is too long to wait for, or what is no JSON. */
  #long: CodedText | undefined
  readonly #cleanNames = new Set<string>()

  constructor(options: JsonOptions) {
    this.#options = options
    this.#path = new JsonPath(options.redactor)
    this.#wholeMax = options.wholeMax ?? Math.max(wholeMin, 2 * options.redactor.reach)
  }

  get held(): number | undefined {
    return this.#mode === 'astray' ? this.#long?.held : undefined
  }

  feed(text: string): string {
    let out = ''
    let at = 0
    while (at < text.length) {
      const start = at
      switch (this.#mode) {
        case 'structure':
          at = this.#structure(text, at)
          out += text.slice(start, at)
          break
        case 'string':
          at = this.#endOfString(text, at)
          out += this.#stringPiece(text.slice(start, at), at < text.length)
          if (text.charCodeAt(at) === code['"']) out += text[at++]
          else if (at < text.length) this.#reset()
          break
        case 'scalar':
          at = this.#endOfScalar(text, at)
          this.#written += text.slice(start, at)
          if (at < text.length || this.#written.length > scalarMax) out += this.#scalar()
          break
        case 'astray':
          at = this.#endOfLine(text, at)
          out += this.#astray(text.slice(start, at), at < text.length)
      }
    }
    return out
  }

  end(): string {
    let out = ''
    if (this.#mode === 'scalar') out = this.#scalar()
    if (this.#mode === 'string') out = this.#closeString()
    out += this.#long?.end() ?? ''
    this.#long = undefined
    return out
  }

  stall(): string {
    return this.#mode === 'astray' ? (this.#long?.stall() ?? '') : ''
  }

  /** Passes over what stands between names, strings and scalars; answers where it ends. */
  #structure(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) continue
      const expected = this.#expected
      const opensValue = expected === 'value' || expected === 'value or end'
      if (unit === code['"'] && (opensValue || expected === 'name' || expected === 'name or end')) {
        this.#mode = 'string'
        this.#isName = !opensValue
        return at + 1
      }
      if (unit === code[','] && expected === 'comma or end') {
        this.#path.next()
        this.#expected = this.#path.inObject ? 'name' : 'value'
      } else if (unit === code[':'] && expected === 'colon') this.#expected = 'value'
      else if (unit === code['{'] && opensValue) this.#open(true)
      else if (unit === code['['] && opensValue) this.#open(false)
      else if (unit === code['}'] && this.#path.inObject && (expected === 'name or end' || expected === 'comma or end'))
        this.#close()
      else if (
        unit === code[']'] &&
        !this.#path.inObject &&
        this.#path.depth > 0 &&
        (expected === 'value or end' || expected === 'comma or end')
      )
        this.#close()
      else if (this.#path.depth === 0 && (unit === recordSeparator || unit === byteOrderMark)) continue
      else {
        this.#mode = opensValue && isScalar(unit) ? 'scalar' : 'astray'
        return at
      }
    }
    return text.length
  }

  #open(isObject: boolean): void {
    if (this.#path.depth === depthMax)
      throw new Unscreenable(`expected JSON of at most ${depthMax} levels, got one more`)
    this.#path.open(isObject)
    this.#expected = isObject ? 'name or end' : 'value or end'
  }

  #close(): void {
    this.#path.close()
    this.#valueEnds()
  }

  #valueEnds(): void {
    this.#expected = this.#path.depth === 0 ? 'value' : 'comma or end'
  }

  /** Where the inside of a string ends, as far as it is there: at its quote, or with the line where lines are apart. */
  #endOfString(text: string, from: number): number {
    const lines = this.#options.lines === true
    let at = from
    if (this.#escape) {
      this.#escape = false
      if (!lines || text.charCodeAt(at) !== lineFeed) at++
    }
    for (; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (unit === code['"'] || (unit === lineFeed && lines)) return at
      if (unit !== code['\\']) continue
      if (at + 1 === text.length) this.#escape = true
      else if (!lines || text.charCodeAt(at + 1) !== lineFeed) at++
    }
    return text.length
  }

  #stringPiece(piece: string, ends: boolean): string {
    this.#written = this.#written === '' ? piece : this.#written + piece
    if (ends) return this.#closeString()
    if (this.#long === undefined) {
      if (this.#written.length <= this.#wholeMax) return ''
      this.#long = this.#text('block', this.#isName ? undefined : this.#path.name)
    }
    const long = this.#written
    this.#written = ''
    return this.#long.feed(long)
  }

  #closeString(): string {
    const [written, long] = [this.#written, this.#long]
    this.#written = ''
    this.#long = undefined
    this.#escape = false
    const out = long === undefined ? this.#string(written) : long.feed(written) + long.end()
    this.#mode = 'structure'
    if (this.#isName) {
      this.#path.member(long === undefined ? jsonText.read(written, true).text : '')
      this.#expected = 'colon'
    } else this.#valueEnds()
    return out
  }

  #string(written: string): string {
    if (written === '') return this.#isName ? '' : (this.#options.rewrite?.('', this.#path) ?? '')
    if (this.#isName) {
      if (this.#cleanNames.has(written)) return written
      const out = this.#struckOut(written, undefined)
      if (out === written && out.length <= cleanNameMax && this.#cleanNames.size < cleanNamesMax)
        this.#cleanNames.add(out)
      return out
    }
    return this.#options.rewrite?.(written, this.#path) ?? this.#struckOut(written, this.#path.name)
  }

  #struckOut(written: string, name: string | undefined): string {
    const { redactor } = this.#options
    const { text, at } = jsonText.read(written, true)
    const matches = redactor.matches(text, name)
    let out = ''
    let from = 0
    for (const match of matches) {
      out += written.slice(from, at?.[match.start] ?? match.start) + jsonText.write(redactor.replacement(text, match))
      from = at?.[match.end] ?? match.end
      this.#found(match)
    }
    return matches.length === 0 ? written : out + written.slice(from)
  }

  /** Spaces behind a number are looked at with it: `4111 1111` is no JSON, and one text. */
  #endOfScalar(text: string, from: number): number {
    let at = from
    for (; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (!isScalar(unit) && unit !== 0x20 && unit !== 0x09) break
    }
    return at
  }

  #scalar(): string {
    const written = this.#written
    const bare = written.trimEnd()
    this.#written = ''
    if (written.length > scalarMax || !scalars.test(bare)) {
      this.#mode = 'astray'
      return this.#astray(written, false)
    }
    this.#mode = 'structure'
    this.#valueEnds()
    const struckOut = this.#struckOut(bare, this.#path.name)
    return struckOut === bare ? written : `"${struckOut}"${written.slice(bare.length)}`
  }

  /** Up to the end of the line, where lines are apart. */
  #endOfLine(text: string, from: number): number {
    const end = this.#options.lines === true ? text.indexOf('\n', from) : -1
    return end < 0 ? text.length : end
  }

  #astray(text: string, ends: boolean): string {
    this.#long ??= this.#text('prompt', undefined)
    const out = this.#long.feed(text)
    if (!ends) return out
    const rest = this.#long.end()
    this.#reset()
    return out + rest
  }

  /** As before a first value. */
  #reset(): void {
    this.#long = undefined
    this.#path.clear()
    this.#expected = 'value'
    this.#mode = 'structure'
  }

  #text(pace: 'prompt' | 'block', name: string | undefined): CodedText {
    const { redactor } = this.#options
    return new CodedText({ redactor, codec: jsonText, name, pace, found: (match) => this.#found(match) })
  }

  #found({ kind, rule }: Match): void {
    this.#options.redactions.add(kind, rule, this.#path.pointer)
  }
}

type Expected = 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end'

/** As everywhere in this house: deeper JSON is refused. */
const depthMax = 64
const wholeMin = 8192
/** Of a number, or of a word. */
const scalarMax = 4096
/** Names in which nothing was found are found clean again: one answer has the same few names over and over. */
const cleanNamesMax = 256
const cleanNameMax = 64

const code = { '"': 34, ',': 44, ':': 58, '{': 123, '}': 125, '[': 91, ']': 93, '\\': 92 } as const
const lineFeed = 0x0a
/** Stands before each text of a JSON text sequence (RFC 7464). */
const recordSeparator = 0x1e
const byteOrderMark = 0xfeff

/** What JSON has, and the three numbers that it has not and some write all the same. */
const scalars = /^(?:true|false|null|NaN|-?Infinity|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$/

function isScalar(unit: number): boolean {
  const lower = unit | 0x20
  return (
    (unit >= 0x30 && unit <= 0x39) ||
    (lower >= 0x61 && lower <= 0x7a) ||
    unit === 0x2d ||
    unit === 0x2b ||
    unit === 0x2e
  )
}
