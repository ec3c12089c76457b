/** A tag as a browser reads it from its `<` on (WHATWG HTML §13.2.5.6 to §13.2.5.40), wherever in a text that stands. */
export interface Tag {
  /** In lower case. */
  readonly name: string
  readonly closing: boolean
  readonly attributes: readonly Attribute[]
  readonly start: number
  readonly end: number
}

export interface Attribute {
  /** In lower case. */
  readonly name: string
  /** As it is written: a reader of HTML would yet decode character references. */
  readonly value: string
  readonly start: number
  readonly end: number
  /** A quote that is opened and never closed takes in what follows on the page. */
  readonly dangling: boolean
  /** Its name as it is written. */
  readonly written: string
}

/**
 * Reads tags at every `<` of a text, whatever stands around it: a value may be put into any context, and what is quoted in one
 * is a tag in another. A tag ends at an unquoted `<` at the latest. Quoted stretches may be read several times, up to a bound
 * on the work.
 */
export class TagReader {
  readonly #text: string
  /** What may yet be read, in UTF-16 units. */
  #work: number
  /** From where on each quote is known to be missing. */
  readonly #missing = new Map<string, number>()

  constructor(text: string) {
    this.#text = text
    this.#work = 16_384 + text.length * readingsMax
  }

  /** Quotes within quotes have used up the work: what stands behind was not read. */
  get exhausted(): boolean {
    return this.#work <= 0
  }

  /** The tag at a `<`, or nothing where none begins there. */
  tagAt(start: number): Tag | undefined {
    const text = this.#text
    let at = start + 1
    const closing = text[at] === '/'
    if (closing) at++
    if (!isLetter(text.charCodeAt(at))) return undefined
    const nameStart = at
    while (at < text.length && !endsName(text.charCodeAt(at))) at++
    const name = text.slice(nameStart, at).replaceAll('\0', '').toLowerCase()
    const attributes: Attribute[] = []
    while (at < text.length) {
      while (at < text.length && isSeparator(text.charCodeAt(at))) at++
      const code = text.charCodeAt(at)
      if (at >= text.length || code === less) break
      if (code === greater) {
        at++
        break
      }
      const attribute = this.#attributeAt(at)
      attributes.push(attribute)
      at = attribute.end
    }
    this.#work -= at - start
    return { name, closing, attributes, start, end: at }
  }

  /** §13.2.5.33: an `=` that comes first belongs to the name. */
  #attributeAt(start: number): Attribute {
    const text = this.#text
    let at = start + 1
    while (at < text.length && !endsAttributeName(text.charCodeAt(at))) at++
    const written = text.slice(start, at)
    const name = written.toLowerCase()
    let next = at
    while (next < text.length && isSeparator(text.charCodeAt(next)) && text.charCodeAt(next) !== slash) next++
    if (text.charCodeAt(next) !== equals) return { name, written, value: '', start, end: at, dangling: false }
    next++
    while (next < text.length && isSpace(text.charCodeAt(next))) next++
    const quote = text.charCodeAt(next)
    if (quote === doubleQuote || quote === singleQuote) {
      const close = this.#next(text.charAt(next), next + 1)
      const valueEnd = close === -1 ? text.length : close
      const value = text.slice(next + 1, valueEnd)
      return { name, written, value, start, end: close === -1 ? text.length : close + 1, dangling: close === -1 }
    }
    at = next
    while (at < text.length && !endsValue(text.charCodeAt(at))) at++
    return { name, written, value: text.slice(next, at), start, end: at, dangling: false }
  }

  #next(quote: string, from: number): number {
    const missing = this.#missing.get(quote)
    if (missing !== undefined && from >= missing) return -1
    const at = this.#text.indexOf(quote, from)
    if (at === -1) this.#missing.set(quote, from)
    return at
  }
}

/** How often a text may be read over, on average. Documents are read once, and quotes within quotes a second time. */
const readingsMax = 6

const less = 0x3c
const greater = 0x3e
const equals = 0x3d
const slash = 0x2f
const doubleQuote = 0x22
const singleQuote = 0x27

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
}

/** Those of the standard, and NUL and vertical tab, which some readers drop. */
function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0
}

function isSeparator(code: number): boolean {
  return code === slash || isSpace(code)
}

function endsName(code: number): boolean {
  return code === greater || code === less || code === slash || (isSpace(code) && code !== 0)
}

function endsAttributeName(code: number): boolean {
  return code === equals || code === greater || code === less || isSeparator(code)
}

function endsValue(code: number): boolean {
  return code === greater || isSpace(code)
}
