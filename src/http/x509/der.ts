/** One element of a DER text: what it is, what it holds, and how it was written. */
export interface Element {
  readonly tag: number
  readonly content: Uint8Array
  /** Tag, length and content. */
  readonly whole: Uint8Array
}

/** The tags that certificates and revocation lists are made of (X.680 §8.4, RFC 5280 §4.1). */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  /** `[n]`, with elements in it. */
  context: (number: number): number => 0xa0 | number,
} as const

/** The text is no DER, or holds something else than was expected there. */
export class DerError extends Error {
  override readonly name = 'DerError'
}

/** Reads element after element. Lengths are definite and in the fewest bytes (X.690 §10.1): one value has one spelling. */
export class DerReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at === this.#bytes.byteLength
  }

  /** The tag of the element that is next; undefined where there is none. */
  get next(): number | undefined {
    return this.#bytes[this.#at]
  }

  /** The next element, which has to be of this kind. */
  take(tag?: number): Element {
    const start = this.#at
    const found = this.#byte()
    if ((found & 0x1f) === 0x1f) throw new DerError('a tag of many bytes')
    if (tag !== undefined && found !== tag)
      throw new DerError(`expected the tag 0x${tag.toString(16)}, got 0x${found.toString(16)}`)
    const length = this.#length()
    if (length > this.#bytes.byteLength - this.#at) throw new DerError('an element that is longer than its text')
    const content = this.#bytes.subarray(this.#at, (this.#at += length))
    return { tag: found, content, whole: this.#bytes.subarray(start, this.#at) }
  }

  /** The inside of the next element. */
  enter(tag: number): DerReader {
    return new DerReader(this.take(tag).content)
  }

  /** The next element, where it is of this kind. */
  optional(tag: number): Element | undefined {
    return this.next === tag ? this.take(tag) : undefined
  }

  #length(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    const count = first & 0x7f
    if (count === 0 || count > 4) throw new DerError('a length without end, or beyond all measure')
    let length = 0
    for (let read = 0; read < count; read++) length = length * 256 + this.#byte()
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError('a length in more bytes than it needs')
    return length
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new DerError('it ends too soon')
    this.#at++
    return byte
  }
}

/** `1.2.840.10045.4.3.2` (X.690 §8.19). */
export function objectIdentifier(content: Uint8Array): string {
  const arcs: number[] = []
  let arc = 0
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DerError('an object identifier beyond all measure')
    if ((byte & 0x80) !== 0) continue
    if (arcs.length === 0) arcs.push(Math.min(Math.floor(arc / 40), 2), arc - 40 * Math.min(Math.floor(arc / 40), 2))
    else arcs.push(arc)
    arc = 0
  }
  if (arcs.length === 0 || ((content.at(-1) ?? 0) & 0x80) !== 0) throw new DerError('an object identifier without end')
  return arcs.join('.')
}

/** A time in the two spellings of RFC 5280 §4.1.2.5, in milliseconds since 1970. */
export function timeMs({ tag, content }: Element): number {
  const text = Buffer.from(content).toString('latin1')
  const parts =
    tag === tags.utcTime
      ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
      : tag === tags.generalizedTime
        ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
        : null
  if (parts === null) throw new DerError('a time that RFC 5280 does not know')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number)
  const whole = tag === tags.utcTime ? (year < 50 ? 2000 + year : 1900 + year) : year
  return Date.UTC(whole, month - 1, day, hour, minute, second)
}

/** `TRUE` is one spelling and no other (X.690 §11.1): what two readers could take for two things is none. */
export function boolean(content: Uint8Array): boolean {
  const [byte] = content
  if (content.byteLength !== 1 || (byte !== 0 && byte !== 0xff)) throw new DerError('a truth value that is none')
  return byte === 0xff
}

/**
 * An integer in lower-case hex without leading zeros, `-` before one below zero: how serial numbers are compared. They should
 * be positive (RFC 5280 §4.1.2.2), and some are not: an authority forgot the zero before a high bit.
 */
export function integerText(content: Uint8Array): string {
  if (content.byteLength === 0) throw new DerError('an integer without a byte')
  const unsigned = BigInt(`0x${Buffer.from(content).toString('hex')}`)
  return BigInt.asIntN(content.byteLength * 8, unsigned).toString(16)
}
