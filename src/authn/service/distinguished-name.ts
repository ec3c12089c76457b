import { strictUtf8 } from '../../kernel/bytes.ts'
/**
 * One key for every way to write a distinguished name (RFC 4514 §3), so that two of them can be compared: attribute types
 * in one case and by one name, values without their escapes, the parts of a multi-valued name in one order. Values keep
 * their case: a certificate authority may tell `CN=Billing` from `CN=billing`. Undefined for a text that is no name.
 */
export function nameKey(text: string): string | undefined {
  if (text.length > lengthMax || !text.isWellFormed()) return undefined
  const reader = new Reader(text)
  const names: (readonly (readonly [type: string, value: string])[])[] = []
  do {
    const parts: (readonly [type: string, value: string])[] = []
    do {
      const part = reader.part()
      if (part === undefined) return undefined
      parts.push(part)
    } while (reader.takes('+'))
    names.push(parts.toSorted(([a, x], [b, y]) => (`${a}=${x}` < `${b}=${y}` ? -1 : 1)))
  } while (reader.takes(','))
  return reader.atEnd ? JSON.stringify(names) : undefined
}

const lengthMax = 1_000

/** Reads `CN=billing\, inc,O=Example` part by part. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length
  }

  takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  /** `type=value`, with spaces around either, as older writers leave them (RFC 2253 §4). */
  part(): readonly [type: string, value: string] | undefined {
    types.lastIndex = this.#at
    const type = types.exec(this.#text)?.[1]
    if (type === undefined) return undefined
    this.#at = types.lastIndex
    const value = this.#hex() ?? this.#string()
    return value === undefined ? undefined : [typeName(type), value]
  }

  /** `#` and the BER encoding in hexadecimal. It is compared as it is, and never equal to a string. */
  #hex(): string | undefined {
    hexes.lastIndex = this.#at
    const hex = hexes.exec(this.#text)?.[1]
    if (hex === undefined) return undefined
    this.#at = hexes.lastIndex
    return `#${hex.toLowerCase()}`
  }

  #string(): string | undefined {
    const bytes: number[] = []
    // Spaces at the end belong to the value only where they are escaped.
    let keep = 0
    for (; !this.atEnd; ) {
      const character = String.fromCodePoint(this.#text.codePointAt(this.#at) as number)
      if (character === ',' || character === '+') break
      if (character === '\\') {
        escapes.lastIndex = this.#at
        const [whole, special, hex] = escapes.exec(this.#text) ?? []
        if (whole === undefined) return undefined
        bytes.push(special === undefined ? Number.parseInt(hex as string, 16) : special.charCodeAt(0))
        this.#at += whole.length
        keep = bytes.length
        continue
      }
      if (mustBeEscaped.has(character)) return undefined
      bytes.push(...encoder.encode(character))
      this.#at += character.length
      if (character !== ' ') keep = bytes.length
    }
    if (keep === 0) return undefined
    try {
      // The `=` tells a string from what stands in hexadecimal.
      return `=${strictUtf8.decode(new Uint8Array(bytes.slice(0, keep)))}`
    } catch {
      return undefined
    }
  }
}

const types = / *([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+) *= */y
const hexes = /#((?:[0-9A-Fa-f]{2})+) *(?=[,+]|$)/y
const escapes = /\\(?:([ "#+,;<=>\\])|([0-9A-Fa-f]{2}))/y
const mustBeEscaped: ReadonlySet<string> = new Set(['"', ';', '<', '>', '\0'])
const encoder = new TextEncoder()

function typeName(type: string): string {
  const upper = type.toUpperCase()
  return otherNames[upper] ?? upper
}

/** Types by number, and by the other names that libraries write (RFC 4514 §3, RFC 4519 §2, RFC 2985 §5.2.1). */
const otherNames: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  '2.5.4.3': 'CN',
  COMMONNAME: 'CN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  S: 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'EMAILADDRESS',
  E: 'EMAILADDRESS',
  EMAIL: 'EMAILADDRESS',
})
