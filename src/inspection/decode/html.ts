import { Rewrite } from './rewrite.ts'
import { hexDigit } from './url.ts'

/**
 * A text without its character references (HTML §13.2.5.72), as tolerantly as a browser reads them and a little beyond: numbers
 * with any leading zeros, with and without the semicolon, and of the names those that hide something, the letters and signs of
 * ASCII and what is not seen. An `é` may stay as it is: nothing runs because of it. Undefined where nothing is encoded.
 */
export function decodeHtml(text: string): string | undefined {
  let at = text.indexOf('&')
  if (at < 0) return undefined
  const rewrite = new Rewrite(text)
  while (at >= 0) {
    const end = text.charCodeAt(at + 1) === numberSign ? readNumber(text, at + 2) : readName(text, at + 1)
    if (end > 0) {
      rewrite.replace(at, end, meaning)
      at = end - 1
    }
    at = text.indexOf('&', at + 1)
  }
  return rewrite.result()
}

/** The same, of a text that stays as it is where nothing is encoded. */
export function withoutReferences(text: string): string {
  return decodeHtml(text) ?? text
}

const numberSign = 0x23
const semicolon = 0x3b
const letterX = 0x78

/** What the reference that was read last means. */
let meaning = ''

/** Where the number ends, with its semicolon; 0 where it is none. */
function readNumber(text: string, start: number): number {
  const hexadecimal = (text.charCodeAt(start) | 0x20) === letterX
  const base = hexadecimal ? 16 : 10
  const first = hexadecimal ? start + 1 : start
  let point = 0
  let at = first
  for (; ; at++) {
    const digit = hexDigit(text.charCodeAt(at))
    if (digit < 0 || digit >= base) break
    if (point <= 0x10ffff) point = point * base + digit
  }
  if (at === first) return 0
  meaning = point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? '\ufffd' : String.fromCodePoint(point)
  return text.charCodeAt(at) === semicolon ? at + 1 : at
}

/** Where the name ends, with its semicolon; 0 where nothing is meant by it. */
function readName(text: string, start: number): number {
  let at = start
  while (at < start + nameMax && isAlphanumeric(text.charCodeAt(at))) at++
  if (at === start) return 0
  const name = text.slice(start, at)
  if (text.charCodeAt(at) === semicolon) {
    const named = references.get(name)
    if (named !== undefined) {
      meaning = named
      return at + 1
    }
  }
  const legacy = withoutSemicolon.exec(name)
  if (legacy === null) return 0
  meaning = references.get(legacy[0]) as string
  return start + legacy[0].length
}

function isAlphanumeric(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a)
}

/** HTML §13.5, of those that are read without their semicolon. */
const withoutSemicolon = /^(?:lt|gt|amp|quot|nbsp|shy|LT|GT|AMP|QUOT)/

/** HTML §13.5, of those that mean ASCII or nothing visible. */
// biome-ignore format: a table
const references: ReadonlyMap<string, string> = new Map([
  ['Tab', '\t'], ['NewLine', '\n'], ['excl', '!'], ['quot', '"'], ['QUOT', '"'], ['num', '#'], ['dollar', '$'], ['percnt', '%'],
  ['amp', '&'], ['AMP', '&'], ['apos', "'"], ['lpar', '('], ['rpar', ')'], ['ast', '*'], ['midast', '*'], ['plus', '+'],
  ['comma', ','], ['period', '.'], ['sol', '/'], ['colon', ':'], ['semi', ';'], ['lt', '<'], ['LT', '<'], ['equals', '='],
  ['gt', '>'], ['GT', '>'], ['quest', '?'], ['commat', '@'], ['lsqb', '['], ['lbrack', '['], ['bsol', '\\'], ['rsqb', ']'],
  ['rbrack', ']'], ['Hat', '^'], ['lowbar', '_'], ['UnderBar', '_'], ['grave', '`'], ['DiacriticalGrave', '`'], ['lbrace', '{'],
  ['lcub', '{'], ['verbar', '|'], ['vert', '|'], ['VerticalLine', '|'], ['rbrace', '}'], ['rcub', '}'], ['fjlig', 'fj'],
  ['bne', '=\u20e5'], ['nvlt', '<\u20d2'], ['nvgt', '>\u20d2'],
  ['nbsp', '\u00a0'], ['NonBreakingSpace', '\u00a0'], ['shy', '\u00ad'], ['ensp', '\u2002'], ['emsp', '\u2003'],
  ['thinsp', '\u2009'], ['ThinSpace', '\u2009'], ['hairsp', '\u200a'], ['VeryThinSpace', '\u200a'], ['hellip', '\u2026'],
  ['mldr', '\u2026'], ['nldr', '\u2025'], ['prime', '\u2032'], ['Prime', '\u2033'],
  ['ZeroWidthSpace', '\u200b'], ['NegativeThinSpace', '\u200b'], ['NegativeMediumSpace', '\u200b'], ['NegativeThickSpace', '\u200b'],
  ['NegativeVeryThinSpace', '\u200b'], ['zwnj', '\u200c'], ['zwj', '\u200d'], ['lrm', '\u200e'], ['rlm', '\u200f'],
  ['NoBreak', '\u2060'], ['ApplyFunction', '\u2061'], ['af', '\u2061'], ['InvisibleTimes', '\u2062'], ['it', '\u2062'],
  ['InvisibleComma', '\u2063'], ['ic', '\u2063'],
])

const nameMax = Math.max(...[...references.keys()].map((name) => name.length))
