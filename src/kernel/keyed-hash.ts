/** Bytes of the key. */
export const hashKeyBytes = 8

/**
 * A keyed hash of texts: who does not know the key can choose no texts that collide. HalfSipHash-2-4 with 64 bits out
 * (Aumasson and Bernstein, “SipHash: a fast short-input PRF”, and their reference code): its words are the 32 bits that
 * a JavaScript number is quick with. Its key is short for a code that strangers get to see, and long enough for tables,
 * of which nobody outside sees a hash. A hash is good for one process, and never stored.
 */
export class KeyedHash {
  /** The hash of the last text, as 32 bits with a sign each. */
  high = 0
  low = 0
  readonly #k0: number
  readonly #k1: number

  constructor(key: Uint8Array) {
    if (key.byteLength !== hashKeyBytes) {
      throw new Error(`a hash key has ${hashKeyBytes} bytes, got ${key.byteLength}`)
    }
    const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
    this.#k0 = view.getInt32(0, true)
    this.#k1 = view.getInt32(4, true)
  }

  /** Hashes a text. What comes out stands in `high` and `low` until the next call. Of ASCII, nothing is allocated. */
  of(text: string): void {
    if (!this.#ofBytes(text, 0x7f)) this.#ofBytes(asBytes(text), 0xff)
  }

  /** Hashes a text whose characters are bytes; of any above `most` it says so. */
  #ofBytes(bytes: string, most: number): boolean {
    const { length } = bytes
    const whole = length & ~3
    let v0 = this.#k0
    let v1 = this.#k1 ^ 0xee
    let v2 = 0x6c796765 ^ this.#k0
    let v3 = 0x74656462 ^ this.#k1
    // One loop for everything, so that the rounds stand here once: the words, the last of which has what is left over
    // below the length; then what comes out, each half after two turns in which nothing is mixed in.
    for (let at = 0; at <= whole + 16; at += 4) {
      let word = 0
      if (at < whole) {
        const first = bytes.charCodeAt(at)
        const second = bytes.charCodeAt(at + 1)
        const third = bytes.charCodeAt(at + 2)
        const fourth = bytes.charCodeAt(at + 3)
        if ((first | second | third | fourth) > most) return false
        word = first | (second << 8) | (third << 16) | (fourth << 24)
      } else if (at === whole) {
        word = length << 24
        for (let left = at; left < length; left++) {
          const byte = bytes.charCodeAt(left)
          if (byte > most) return false
          word |= byte << ((left - at) << 3)
        }
      }
      v3 ^= word
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      // The second round: as a loop of two it takes twice the time.
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= word
      if (at === whole) v2 ^= 0xee
      if (at === whole + 8) {
        this.low = v1 ^ v3
        v1 ^= 0xdd
      }
    }
    this.high = v1 ^ v3
    return true
  }
}

/**
 * A text as bytes: each 16-bit unit as UTF-8 has that code point, halves of a pair too. No unit's bytes begin
 * another's, and so no two texts have the same bytes, lone halves or not.
 */
function asBytes(text: string): string {
  let bytes = ''
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) bytes += String.fromCharCode(unit)
    else if (unit < 0x800) bytes += String.fromCharCode(0xc0 | (unit >>> 6), 0x80 | (unit & 0x3f))
    else bytes += String.fromCharCode(0xe0 | (unit >>> 12), 0x80 | ((unit >>> 6) & 0x3f), 0x80 | (unit & 0x3f))
  }
  return bytes
}
