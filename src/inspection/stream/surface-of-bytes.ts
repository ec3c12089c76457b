import { isUtf8 } from 'node:buffer'
import type { ReadableSurface } from './media-type.ts'

/** How an answer is screened of which nobody says what it is, by how it begins: as its readers would guess. */
export function surfaceOfBytes(bytes: Uint8Array): Extract<ReadableSurface, 'json' | 'text'> | 'none' {
  const sample = bytes.subarray(0, sampleMax)
  const [first, second] = sample
  if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)) return 'text'
  const begins = sample.find((byte) => byte !== 0x20 && (byte < 0x09 || byte > 0x0d) && !mark.has(byte))
  const opens = begins === 0x7b || begins === 0x5b || begins === 0x22 // `{`, `[`, `"`
  if (opens && second === 0) return 'json' // in UTF-16
  if (sample.some(isNoText) || !isWellEncoded(sample)) return 'none'
  return opens ? 'json' : 'text'
}

const sampleMax = 4096
/** Of UTF-8. */
const mark: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf])

/** Control characters that stand in no text; escape is one of terminals. */
function isNoText(byte: number): boolean {
  return byte < 0x20 && (byte < 0x09 || byte > 0x0d) && byte !== 0x1b
}

/** A character at the end may go on. */
function isWellEncoded(bytes: Uint8Array): boolean {
  return [0, 1, 2, 3].some((cut) => cut <= bytes.byteLength && isUtf8(bytes.subarray(0, bytes.byteLength - cut)))
}
