import type { Surroundings } from './context.ts'
import type { PersonalKind } from './kinds.ts'

/** Something found, before the best of what overlaps is taken. */
export interface Sighting {
  readonly kind: PersonalKind
  readonly rule: string
  readonly start: number
  readonly end: number
  readonly confidence: number
}

/** A run of ASCII letters and digits with a digit in it. */
export interface Run {
  readonly start: number
  readonly end: number
  /** Where its first digit is. */
  readonly digitAt: number
  readonly isNumber: boolean
}

/** Looks at one place of a text; asked wherever its first character stands. Reads a bounded stretch around it. */
export interface RunFinder {
  readonly kinds: readonly PersonalKind[]
  find(around: Surroundings, run: Run): Sighting | undefined
}

/**
 * An identifier of fixed length. In a form `d` is a digit, `a` a letter, `x` either; a capital is itself; `~` is a space, a hyphen,
 * a dot or nothing, the same all through; everything else is itself.
 */
export interface IdRule {
  readonly kind: PersonalKind
  readonly rule: string
  /** Forms that few other texts have by chance. */
  readonly sure?: readonly string[]
  /** Forms that need a word nearby, the member's name, or nothing else in the text. */
  readonly alone?: readonly string[]
  /** Forms that need a word nearby or the member's name. */
  readonly told?: readonly string[]
  /** Words that tell of it. */
  readonly words: readonly string[]
  /** Of the letters and digits alone, in capitals: check digits, dates, prefixes. */
  readonly check?: (compact: string) => boolean
}

/** Whether what stands before a value ends there: `no` where it goes on to the left. */
export function endsBefore(text: string, start: number): boolean {
  if (start === 0) return true
  const code = text.charCodeAt(start - 1)
  if (isEmphasis(code)) return opensEmphasis(text, start)
  if (isWord(code)) return isEscape(text, start)
  switch (code) {
    case 0x24: // $
    case 0x25: // %
    case 0x2f: // /
    case 0x40: // @
    case 0x5c: // \
    case 0x5e: // ^
    case 0xa3: // £
    case 0x20ac: // €
      return false
    case 0x2b: // +
    case 0x2d: // -
    case 0x2e: // .
      return start < 2 ? code === 0x2d : !isWord(text.charCodeAt(start - 2)) && code === 0x2d
    default:
      return true
  }
}

/** Whether a value ends there: `no` where it goes on to the right. */
export function endsAfter(text: string, end: number): boolean {
  if (end >= text.length) return true
  const code = text.charCodeAt(end)
  if (isEmphasis(code)) return closesEmphasis(text, end)
  if (isWord(code)) return false
  switch (code) {
    case 0x25: // %
    case 0x40: // @
      return false
    case 0x2d: // -
    case 0x2e: // .
    case 0x2f: // /
    case 0x3a: // :
    case 0x5c: // \
      return end + 1 >= text.length || !isDigit(text.charCodeAt(end + 1))
    default:
      return true
  }
}

/** Whether `\n` or its kin ends there, as in JSON that stands in a text: the letter belongs to no word. */
export function isEscape(text: string, end: number): boolean {
  return end > 1 && text.charCodeAt(end - 2) === 0x5c && escapes.has(text.charCodeAt(end - 1))
}

const escapes = new Set([...'bfnrt'].map((letter) => letter.charCodeAt(0)))

/** Markdown's marks: models like to answer `**4111 1111 1111 1111**`. */
function isEmphasis(code: number): boolean {
  return code === 0x2a || code === 0x5f
}

/** Whether the marks before a place stand where a word may begin; more than three are stars in the place of digits. */
export function opensEmphasis(text: string, start: number): boolean {
  let at = start - 1
  while (at >= 0 && start - at <= 4 && isEmphasis(text.charCodeAt(at))) at--
  return start - at <= 4 && (at < 0 || beside.has(text.charCodeAt(at)))
}

function closesEmphasis(text: string, end: number): boolean {
  let at = end
  while (at < text.length && at - end <= 3 && isEmphasis(text.charCodeAt(at))) at++
  return at - end <= 3 && (at >= text.length || beside.has(text.charCodeAt(at)))
}

const beside = new Set([...' \u00a0\t\n\r()[]{}"\'`“”„‘’«»|:;,.!?<>–—'].map((mark) => mark.charCodeAt(0)))

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

export function isLetter(code: number): boolean {
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x7a
}

/** A letter, a digit or an underscore, and letters of other alphabets that are written with spaces. */
export function isWord(code: number): boolean {
  return isDigit(code) || isLetter(code) || code === 0x5f || (code >= 0xc0 && code <= 0x1fff)
}

export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0xa0 || code === 0x202f
}
