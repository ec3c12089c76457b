import { type Codec, ReadingDraft } from './codec.ts'
import { hexDigit } from './json-codec.ts'

/** Text of XML and HTML with its character references: `john&#64;example.com` is read as a reader would. */
export const markupText: Codec = {
  read(written, last) {
    let reference = written.indexOf('&')
    if (reference < 0) return { text: written, at: undefined }
    const draft = new ReadingDraft(written.length)
    let from = 0
    for (; reference >= 0; reference = written.indexOf('&', from)) {
      draft.same(written, from, reference)
      const end = endOfReference(written, reference)
      if (end === written.length && !last && end - reference < referenceMax) return draft.close(reference)
      const stands = characterOf(written.slice(reference + 1, end))
      if (stands === undefined) {
        draft.same(written, reference, reference + 1)
        from = reference + 1
      } else {
        draft.escape(stands, reference)
        from = written[end] === ';' ? end + 1 : end
      }
    }
    draft.same(written, from, written.length)
    return draft.close(written.length)
  },
  write: (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
}

/** `#x10FFFF`, with zeros before it. */
const referenceMax = 16

/** Those that a value is likely to be written with. */
const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  commat: '@',
  period: '.',
  nbsp: '\u{a0}',
  hyphen: '\u{2010}',
  dash: '\u{2010}',
  lowbar: '_',
  plus: '+',
  sol: '/',
  colon: ':',
  lpar: '(',
  rpar: ')',
  num: '#',
  equals: '=',
}

/** HTML reads a number to its last digit, with or without a semicolon (WHATWG HTML §13.2.5.80). */
function endOfReference(text: string, start: number): number {
  const isNumber = text.charCodeAt(start + 1) === 0x23
  const isHex = isNumber && (text.charCodeAt(start + 2) | 0x20) === 0x78
  let at = start + (isHex ? 3 : isNumber ? 2 : 1)
  const max = Math.min(text.length, start + referenceMax)
  for (; at < max; at++) {
    const value = hexDigit(text.charCodeAt(at))
    if (isNumber ? value < 0 || (!isHex && value > 9) : !isWord(text.charCodeAt(at))) break
  }
  return Math.min(at, text.length)
}

function isWord(unit: number): boolean {
  const lower = unit | 0x20
  return (unit >= 0x30 && unit <= 0x39) || (lower >= 0x61 && lower <= 0x7a)
}

function characterOf(reference: string): string | undefined {
  if (!reference.startsWith('#')) return Object.hasOwn(named, reference) ? named[reference] : undefined
  const hex = reference[1] === 'x' || reference[1] === 'X'
  const digits = reference.slice(hex ? 2 : 1)
  let point = 0
  for (let at = 0; at < digits.length; at++) {
    const value = hexDigit(digits.charCodeAt(at))
    if (value < 0 || (!hex && value > 9)) return undefined
    point = point * (hex ? 16 : 10) + value
  }
  return digits === '' || point === 0 || point > 0x10ffff ? undefined : String.fromCodePoint(point)
}
