import { Rewrite } from './rewrite.ts'
import { hexDigit } from './url.ts'

/**
 * A text without its backslashes, as the string literals of JavaScript, C and shells have them: `\x3c`, `\u003c`, `\u{3c}`,
 * `\U0000003c`, `\074`, `\n`, and `s\e\lect`, where they say nothing. However many backslashes stand in a row, they are read as
 * one: each further reader takes half of them away. Undefined where nothing is escaped.
 */
export function decodeEscapes(text: string): string | undefined {
  return unescaped(text, readEscape, true)
}

/** The same as CSS has them: `\3c `, up to six digits and a space (CSS Syntax §4.3.7). Undefined where nothing is escaped so. */
export function decodeCssEscapes(text: string): string | undefined {
  return unescaped(text, readCssEscape, false)
}

/** Where the escape that follows a backslash ends, its meaning in `meaning`; 0 where it is none. */
type Reader = (text: string, at: number) => number

let meaning = ''

function unescaped(text: string, read: Reader, halves: boolean): string | undefined {
  let at = text.indexOf('\\')
  if (at < 0) return undefined
  const rewrite = new Rewrite(text)
  while (at >= 0) {
    let after = at + 1
    while (text.charCodeAt(after) === backslash) after++
    const end = read(text, after)
    if (end > 0) {
      rewrite.replace(at, end, meaning)
    } else if (halves && after > at + 1) {
      rewrite.replace(at, after, '\\')
    }
    at = text.indexOf('\\', Math.max(after, end))
  }
  return rewrite.result()
}

const backslash = 0x5c

function readEscape(text: string, at: number): number {
  const unit = text.charCodeAt(at)
  if (unit === letter.x) return readHex(text, at + 1, 2)
  if (unit === letter.u)
    return text.charCodeAt(at + 1) === letter['{'] ? readBraced(text, at + 2) : readHex(text, at + 1, 4)
  if (unit === letter.U) return readHex(text, at + 1, 8)
  if (unit >= letter['0'] && unit <= letter['7']) return readOctal(text, at)
  const named = controls.get(unit)
  if (named !== undefined) {
    meaning = named
    return at + 1
  }
  if (!(unit > 0x20 && unit < 0x7f) || (unit >= 0x38 && unit <= 0x39)) return 0
  meaning = text.charAt(at)
  return at + 1
}

const letter = { '0': 0x30, '7': 0x37, U: 0x55, u: 0x75, x: 0x78, '{': 0x7b, '}': 0x7d } as const

/** ECMAScript §12.9.4.1, and `\e` and `\a` of shells. */
const controls: ReadonlyMap<number, string> = new Map(
  Object.entries({ n: '\n', r: '\r', t: '\t', v: '\v', f: '\f' }).map(([name, control]) => [
    name.charCodeAt(0),
    control,
  ]),
)

function readHex(text: string, start: number, digits: number): number {
  let point = 0
  for (let at = start; at < start + digits; at++) {
    const digit = hexDigit(text.charCodeAt(at))
    if (digit < 0) return 0
    point = point * 16 + digit
  }
  if (point > 0x10ffff) return 0
  meaning = String.fromCodePoint(point)
  return start + digits
}

function readBraced(text: string, start: number): number {
  let point = 0
  let at = start
  for (; ; at++) {
    const digit = hexDigit(text.charCodeAt(at))
    if (digit < 0) break
    if (point <= 0x10ffff) point = point * 16 + digit
  }
  if (at === start || text.charCodeAt(at) !== letter['}'] || point > 0x10ffff) return 0
  meaning = String.fromCodePoint(point)
  return at + 1
}

/** Up to three digits that stay below 256, at least two: a `\1` is a back reference. */
function readOctal(text: string, start: number): number {
  let point = 0
  let at = start
  for (; at < start + 3; at++) {
    const digit = text.charCodeAt(at) - letter['0']
    if (!(digit >= 0 && digit <= 7) || point * 8 + digit > 0xff) break
    point = point * 8 + digit
  }
  if (at < start + 2) return 0
  meaning = String.fromCharCode(point)
  return at
}

function readCssEscape(text: string, start: number): number {
  let point = 0
  let at = start
  for (; at < start + 6; at++) {
    const digit = hexDigit(text.charCodeAt(at))
    if (digit < 0) break
    point = point * 16 + digit
  }
  // What it hides is ASCII: other readings of a backslash and a few digits are as good as this one.
  if (at < start + 2 || point < 0x20 || point > 0x7e) return 0
  meaning = String.fromCharCode(point)
  const space = text.charCodeAt(at)
  return space === 0x20 || (space >= 0x09 && space <= 0x0d && space !== 0x0b) ? at + 1 : at
}
