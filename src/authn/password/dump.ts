import { isUtf8 } from 'node:buffer'
import { breachKey } from './breach-list.ts'

/** What a dump was, or the line at which it stopped to be that. */
export type DumpRead =
  | { readonly kind: 'hashes' | 'passwords'; readonly lines: number; readonly skipped: number }
  | { readonly line: number; readonly mistake: string }

export interface DumpReading {
  /** Hashes that were counted less often are passed over. */
  readonly countMin: number
  /** Takes the key of a line. */
  readonly take: (key: number) => void
  /** Is told now and then how many lines were read. */
  readonly onProgress: (lines: number) => void
}

/**
 * Reads a dump line by line: hashes as Have I Been Pwned gives them (`SHA1` in hexadecimal, a colon, how often it was seen),
 * or passwords. The first line says which; one that fits the other kind ends it, for half of such a list would be wrong.
 */
export async function readDump(dump: AsyncIterable<Uint8Array>, reading: DumpReading): Promise<DumpRead> {
  const reader = new DumpReader(reading)
  for await (const chunk of dump) {
    if (!reader.read(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) break
    reading.onProgress(reader.lines)
  }
  return reader.finish()
}

/** No password that is accepted takes more: 256 characters, decomposed, of four bytes each. */
const lineBytesMax = 4096
const [newline, carriageReturn, colon, zero] = [0x0a, 0x0d, 0x3a, 0x30]
const byteOrderMark = Buffer.from('\ufeff')
const hashDigits = 40

class DumpReader {
  lines = 0
  readonly #reading: DumpReading
  #kind: 'hashes' | 'passwords' | undefined
  #skipped = 0
  #mistake: string | undefined
  /** What the chunk before left without an end. */
  #rest: Buffer = Buffer.alloc(0)
  #isTooLong = false

  constructor(reading: DumpReading) {
    this.#reading = reading
  }

  /** False when there is no use in reading on. */
  read(chunk: Buffer): boolean {
    let from = 0
    for (;;) {
      const end = chunk.indexOf(newline, from)
      if (end < 0) break
      if (this.#rest.length > 0 || this.#isTooLong) {
        this.#keep(chunk.subarray(from, end))
        this.#endRest()
      } else this.#line(chunk, from, end)
      if (this.#mistake !== undefined) return false
      from = end + 1
    }
    this.#keep(chunk.subarray(from))
    return true
  }

  finish(): DumpRead {
    if (this.#mistake === undefined && (this.#rest.length > 0 || this.#isTooLong)) this.#endRest()
    if (this.#mistake !== undefined) return { line: this.lines, mistake: this.#mistake }
    return { kind: this.#kind ?? 'passwords', lines: this.lines, skipped: this.#skipped }
  }

  #keep(bytes: Buffer): void {
    if (this.#isTooLong || bytes.length === 0) return
    if (this.#rest.length + bytes.length > lineBytesMax) {
      this.#isTooLong = true
      this.#rest = Buffer.alloc(0)
    } else this.#rest = Buffer.concat([this.#rest, bytes])
  }

  #endRest(): void {
    const rest = this.#rest
    this.#rest = Buffer.alloc(0)
    if (this.#isTooLong) this.#tooLong()
    else this.#line(rest, 0, rest.length)
    this.#isTooLong = false
  }

  #line(bytes: Buffer, begin: number, lineEnd: number): void {
    if (lineEnd - begin > lineBytesMax) return this.#tooLong()
    const from =
      this.lines++ === 0 && bytes.indexOf(byteOrderMark, begin) === begin ? begin + byteOrderMark.length : begin
    const end = lineEnd > from && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd
    if (from === end) return
    const count = countOfHash(bytes, from, end)
    this.#kind ??= count === undefined ? 'passwords' : 'hashes'
    if (this.#kind === 'hashes') {
      if (count === undefined)
        this.#mistake = 'expected a SHA-1 in hexadecimal, a colon and a count, like the lines before'
      else if (count >= this.#reading.countMin) this.#reading.take(keyOfHash(bytes, from))
    } else if (count !== undefined)
      this.#mistake = 'expected a password like the lines before, got a hash and its count'
    else this.#reading.take(breachKey(textOf(bytes.subarray(from, end))))
  }

  #tooLong(): void {
    this.lines++
    if (this.#kind === 'hashes')
      this.#mistake = 'expected a SHA-1 in hexadecimal, a colon and a count, got thousands of characters'
    else this.#skipped++
  }
}

/** How often the password of a hash was seen; undefined when the line is none. */
function countOfHash(bytes: Buffer, from: number, end: number): number | undefined {
  if (end - from < hashDigits + 2 || bytes[from + hashDigits] !== colon) return undefined
  for (let at = from; at < from + hashDigits; at++) if (digitOf(bytes[at] as number) < 0) return undefined
  let count = 0
  for (let at = from + hashDigits + 1; at < end; at++) {
    const digit = (bytes[at] as number) - zero
    if (digit < 0 || digit > 9) return undefined
    count = count * 10 + digit
  }
  return count
}

function keyOfHash(bytes: Buffer, from: number): number {
  let key = 0
  for (let at = from; at < from + 12; at++) key = key * 16 + digitOf(bytes[at] as number)
  return key
}

function digitOf(byte: number): number {
  return digits[byte] as number
}

const digits = Int8Array.from({ length: 256 }, (_, byte) => {
  const text = String.fromCharCode(byte)
  return /[0-9a-f]/i.test(text) ? Number.parseInt(text, 16) : -1
})

/** Old dumps come from before UTF-8. */
function textOf(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1')
}
