/**
 * Structured field values (RFC 9651, and so RFC 8941): read strictly, written in the one canonical spelling. Stricter than
 * §4.2 in two places, both where two readers could see two values: a key that comes twice is a mistake instead of
 * overwriting, and base64 has to be spelled canonically.
 */

/** A bare item (§3.3). Bytes keep their base64 text: whoever wants the bytes has a decoder of the platform. */
export type BareItem =
  | { readonly type: 'integer' | 'decimal' | 'date'; readonly value: number }
  | { readonly type: 'string' | 'token' | 'display'; readonly value: string }
  | { readonly type: 'bytes'; readonly base64: string }
  | { readonly type: 'boolean'; readonly value: boolean }

/** Parameters in their order (§3.1.2). */
export type Parameters = ReadonlyMap<string, BareItem>

export interface Item {
  readonly item: BareItem
  readonly parameters: Parameters
}

export interface InnerList {
  readonly items: readonly Item[]
  readonly parameters: Parameters
}

export type Member = Item | InnerList

/** Members in their order (§3.2). */
export type Dictionary = ReadonlyMap<string, Member>

/** What is wrong with a text, and where. */
export interface Malformed {
  readonly problem: string
}

/** Reads a dictionary (§4.2.2): the lines of the field joined by `, `. An empty text is an empty dictionary. */
export function parseDictionary(text: string): Dictionary | Malformed {
  return parse(text, (reader) => reader.dictionary())
}

/** Reads a list (§4.2.1). */
export function parseList(text: string): readonly Member[] | Malformed {
  return parse(text, (reader) => reader.list())
}

/** Reads an item (§4.2.3). */
export function parseItem(text: string): Item | Malformed {
  return parse(text, (reader) => reader.item())
}

export function isMalformed(parsed: object): parsed is Malformed {
  return 'problem' in parsed
}

/** Writes a dictionary (§4.1.2). */
export function serializeDictionary(dictionary: Dictionary): string {
  return [...dictionary].map(([key, member]) => serializeEntry(key, member)).join(', ')
}

/** Writes a list (§4.1.1). */
export function serializeList(members: readonly Member[]): string {
  return members.map(serializeMember).join(', ')
}

/** Writes an item or an inner list with its parameters (§4.1.1.1, §4.1.3). */
export function serializeMember(member: Member): string {
  const text = 'items' in member ? `(${member.items.map(serializeMember).join(' ')})` : serializeBareItem(member.item)
  return text + serializeParameters(member.parameters)
}

/** Writes parameters (§4.1.1.2), each with its semicolon. */
export function serializeParameters(parameters: Parameters): string {
  let text = ''
  for (const [key, value] of parameters) text += isTrue(value) ? `;${key}` : `;${key}=${serializeBareItem(value)}`
  return text
}

/**
 * Writes a bare item (§4.1.3.1). Throws a `TypeError` for what has no spelling: a number out of range, a string with
 * other characters than visible ASCII and spaces.
 */
export function serializeBareItem(bare: BareItem): string {
  switch (bare.type) {
    case 'integer':
      return integerText(bare.value)
    case 'date':
      return `@${integerText(bare.value)}`
    case 'decimal':
      return decimalText(bare.value)
    case 'boolean':
      return bare.value ? '?1' : '?0'
    case 'bytes':
      return `:${bare.base64}:`
    case 'token':
      return bare.value
    case 'string':
      if (!printable.test(bare.value)) throw new TypeError('a string of a structured field holds visible ASCII only')
      return /["\\]/.test(bare.value) ? `"${bare.value.replace(/["\\]/g, '\\$&')}"` : `"${bare.value}"`
    case 'display':
      return `%"${displayText(bare.value)}"`
  }
}

export const noParameters: Parameters = new Map()

function serializeEntry(key: string, member: Member): string {
  const flag = 'item' in member && isTrue(member.item)
  return flag ? `${key}${serializeParameters(member.parameters)}` : `${key}=${serializeMember(member)}`
}

function isTrue(bare: BareItem): boolean {
  return bare.type === 'boolean' && bare.value
}

const printable = /^[\x20-\x7e]*$/
const integerMax = 999_999_999_999_999

function integerText(value: number): string {
  if (!Number.isInteger(value) || Math.abs(value) > integerMax)
    throw new TypeError('an integer of a structured field has 15 digits at most')
  return String(value === 0 ? 0 : value)
}

function decimalText(value: number): string {
  const rounded = Math.round(value * 1000) / 1000
  if (!(Math.abs(rounded) < 1_000_000_000_000))
    throw new TypeError('a decimal of a structured field has 12 digits before its point at most')
  const text = String(rounded === 0 ? 0 : rounded)
  return text.includes('.') ? text : `${text}.0`
}

function displayText(value: string): string {
  const bytes = new TextEncoder().encode(value)
  return Array.from(bytes, (byte) =>
    byte === 0x25 || byte === 0x22 || byte <= 0x1f || byte >= 0x7f
      ? `%${byte.toString(16).padStart(2, '0')}`
      : String.fromCharCode(byte),
  ).join('')
}

function parse<T extends object>(text: string, read: (reader: Reader) => T): T | Malformed {
  const reader = new Reader(text)
  try {
    return reader.whole(read)
  } catch (error) {
    if (error instanceof Unreadable) return { problem: `${error.message} at ${reader.at + 1}` }
    throw error
  }
}

class Unreadable extends Error {}

// Each matches where the reader stands.
const spaces = /[ ]*/y
const optionalWhitespace = /[ \t]*/y
const keyPattern = /[a-z*][a-z0-9_\-.*]*/y
const numberPattern = /(-?)(?:(\d{1,15})(?![\d.])|(\d{1,12}\.\d{1,3})(?!\d))/y
const stringPattern = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y
const tokenPattern = /[A-Za-z*][!#$%&'*+\-.^_`|~\w:/]*/y
const bytesPattern = /:((?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/][AQgw]==|[A-Za-z\d+/]{2}[AEIMQUYcgkosw048]=)?):/y
const booleanPattern = /\?([01])/y
const displayPattern = /%"((?:[\x20\x21\x23\x24\x26-\x7e]|%[\da-f]{2})*)"/y

class Reader {
  readonly #text: string
  at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole<T>(read: (reader: Reader) => T): T {
    this.#skip(spaces)
    const value = read(this)
    this.#skip(spaces)
    if (this.at < this.#text.length) throw new Unreadable('unexpected text')
    return value
  }

  dictionary(): Dictionary {
    const members = new Map<string, Member>()
    this.#separated(() => {
      const key = this.#key()
      if (members.has(key)) throw new Unreadable(`\`${key}\` came twice`)
      members.set(key, this.#eat('=') ? this.#member() : { item: yes, parameters: this.#parameters() })
    })
    return members
  }

  list(): readonly Member[] {
    const members: Member[] = []
    this.#separated(() => members.push(this.#member()))
    return members
  }

  item(): Item {
    return { item: this.#bareItem(), parameters: this.#parameters() }
  }

  #separated(read: () => void): void {
    if (this.at === this.#text.length) return
    for (;;) {
      read()
      this.#skip(optionalWhitespace)
      if (this.at === this.#text.length) return
      if (!this.#eat(',')) throw new Unreadable('expected a comma')
      this.#skip(optionalWhitespace)
    }
  }

  #member(): Member {
    return this.#text[this.at] === '(' ? this.#innerList() : this.item()
  }

  #innerList(): InnerList {
    this.at++
    const items: Item[] = []
    for (;;) {
      this.#skip(spaces)
      if (this.#eat(')')) return { items, parameters: this.#parameters() }
      items.push(this.item())
      const next = this.#text[this.at]
      if (next !== ' ' && next !== ')') throw new Unreadable('expected a space or the end of the list')
    }
  }

  #parameters(): Parameters {
    if (this.#text[this.at] !== ';') return noParameters
    const parameters = new Map<string, BareItem>()
    while (this.#eat(';')) {
      this.#skip(spaces)
      const key = this.#key()
      if (parameters.has(key)) throw new Unreadable(`\`${key}\` came twice`)
      parameters.set(key, this.#eat('=') ? this.#bareItem() : yes)
    }
    return parameters
  }

  #key(): string {
    return this.#match(keyPattern, 'a key')[0]
  }

  #bareItem(): BareItem {
    const first = this.#text[this.at] ?? ''
    if (first === '"')
      return { type: 'string', value: this.#match(stringPattern, 'a string')[1]?.replace(/\\(.)/g, '$1') ?? '' }
    if (first === ':') return { type: 'bytes', base64: this.#match(bytesPattern, 'bytes in base64')[1] ?? '' }
    if (first === '?') return { type: 'boolean', value: this.#match(booleanPattern, 'a boolean')[1] === '1' }
    if (first === '%') return this.#display()
    if (first === '@') {
      this.at++
      const { type, value } = this.#number()
      if (type !== 'integer') throw new Unreadable('expected a date in whole seconds')
      return { type: 'date', value }
    }
    if (/[-\d]/.test(first)) return this.#number()
    return { type: 'token', value: this.#match(tokenPattern, 'an item')[0] }
  }

  #number(): { type: 'integer' | 'decimal'; value: number } {
    const [, sign, integer, decimal] = this.#match(numberPattern, 'a number')
    const value = Number(integer ?? decimal)
    return { type: integer === undefined ? 'decimal' : 'integer', value: sign === '-' && value !== 0 ? -value : value }
  }

  #display(): BareItem {
    const escaped = this.#match(displayPattern, 'a display string')[1] ?? ''
    try {
      return { type: 'display', value: decodeURIComponent(escaped) }
    } catch {
      throw new Unreadable('expected a display string in UTF-8')
    }
  }

  #match(pattern: RegExp, expected: string): RegExpExecArray {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.#text)
    if (match === null) throw new Unreadable(`expected ${expected}`)
    this.at = pattern.lastIndex
    return match
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.at
    pattern.exec(this.#text)
    this.at = pattern.lastIndex
  }

  #eat(character: string): boolean {
    if (this.#text[this.at] !== character) return false
    this.at++
    return true
  }
}

const yes: BareItem = { type: 'boolean', value: true }
