import { Rewrite } from './rewrite.ts'

/**
 * A text without its percent-encoding (RFC 3986 §2.1), read as tolerantly as the laxest reader does: a broken escape stays as it
 * is, UTF-8 that is longer than it need be (RFC 3629 §3 forbids it) still means its character, `%u0027` is one too, and a byte
 * that is no UTF-8 is the character of Latin-1. Undefined where nothing is encoded.
 */
export function decodeUrl(text: string): string | undefined {
  let at = text.indexOf('%')
  if (at < 0) return undefined
  const rewrite = new Rewrite(text)
  while (at >= 0) {
    const end = readEscapes(text, at)
    if (end > at) {
      rewrite.replace(at, end, characters())
      at = end - 1
    }
    at = text.indexOf('%', at + 1)
  }
  return rewrite.result()
}

/** The value of a hexadecimal digit, or -1; NaN, the end of a text, is none. */
export function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30
  const lower = unit | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** What one run of escapes stands for: bytes, and at or above `wide` a UTF-16 unit. Emptied by each reading. */
const run: number[] = []
const wide = 0x10000

/** Reads escapes that follow one another into `run`; where they end. */
function readEscapes(text: string, start: number): number {
  run.length = 0
  let at = start
  while (text.charCodeAt(at) === percent) {
    const high = hexDigit(text.charCodeAt(at + 1))
    const low = high < 0 ? -1 : hexDigit(text.charCodeAt(at + 2))
    if (low >= 0) {
      run.push(high * 16 + low)
      at += 3
      continue
    }
    if ((text.charCodeAt(at + 1) | 0x20) !== letterU) break
    const unit = fourDigits(text, at + 2)
    if (unit < 0) break
    run.push(wide + unit)
    at += 6
  }
  return at
}

const percent = 0x25
const letterU = 0x75

function fourDigits(text: string, start: number): number {
  let value = 0
  for (let at = start; at < start + 4; at++) {
    const digit = hexDigit(text.charCodeAt(at))
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

function characters(): string {
  const units: string[] = []
  for (let at = 0; at < run.length; ) {
    const byte = run[at] as number
    const length = byte >= 0xc0 && byte < wide ? lengthOf(byte) : 1
    const point = length > 1 ? codePoint(at, length) : -1
    if (point >= 0) {
      units.push(String.fromCodePoint(point))
      at += length
    } else {
      units.push(String.fromCharCode(byte & 0xffff))
      at++
    }
  }
  return units.join('')
}

/** By the lead byte, as UTF-8 was before it ended at four (RFC 2279). */
function lengthOf(byte: number): number {
  if (byte < 0xe0) return 2
  if (byte < 0xf0) return 3
  if (byte < 0xf8) return 4
  return byte < 0xfc ? 5 : byte < 0xfe ? 6 : 1
}

/** Of a lead byte and what follows it, however much longer than need be; -1 where that is no UTF-8. */
function codePoint(start: number, length: number): number {
  let point = (run[start] as number) & (0x7f >> length)
  for (let at = start + 1; at < start + length; at++) {
    const byte = run[at]
    if (byte === undefined || (byte & 0x1ff_c0) !== 0x80) return -1
    point = point * 64 + (byte & 0x3f)
  }
  return point <= 0x10ffff && (point < 0xd800 || point > 0xdfff) ? point : -1
}
