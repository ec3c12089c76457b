import type { CommonList } from './common-list.ts'

/**
 * Whether a password is among those that are guessed first: on the list, or made of it in one of the ways that every
 * guesser knows. Said over and over, counted through (`abcdefgh`, `87654321`), two of them in a row
 * (`password123456789`), or with marks around it (`Password2024!!!!`). Three of them may be a good phrase.
 */
export function isGuessable(password: string, list: CommonList): boolean {
  const lower = password.toLowerCase()
  const plain = lower.replace(adornment, '')
  return isMadeOf([...lower], list) || (plain !== lower && isMadeOf([...plain], list))
}

/** One mark at either end, as often as it stands there: the `!!!` that make a password strong in nobody's eyes but a rule's. */
const adornment = /^([^\p{L}\p{N}])\1*|([^\p{L}\p{N}])\2*$/gu

function isMadeOf(letters: readonly string[], list: CommonList): boolean {
  const unit = repeated(letters)
  if (isKnown(letters, list) || (unit !== undefined && isKnown(unit, list))) return true
  if (letters.length > 2 * pieceMax) return false
  const first = Math.max(pieceMin, letters.length - pieceMax)
  const last = Math.min(pieceMax, letters.length - pieceMin)
  for (let cut = first; cut <= last; cut++) {
    if (isKnown(letters.slice(0, cut), list) && isKnown(letters.slice(cut), list)) return true
  }
  return false
}

/** Shorter than that it is no password of anybody; longer ones that are common can be counted on two hands. */
const [pieceMin, pieceMax] = [4, 32]

function isKnown(letters: readonly string[], list: CommonList): boolean {
  return isCounted(letters) || list.has(letters.join(''))
}

/** Whether each character is the one after the one before, or each the one before it, or all are the same; 0 follows 9. */
function isCounted(letters: readonly string[]): boolean {
  const codes = letters.map((letter) => letter.codePointAt(0) as number)
  return [-1, 0, 1].some((step) => codes.every((code, at) => at === 0 || code === next(codes[at - 1] as number, step)))
}

const [zero, nine] = [0x30, 0x39]

function next(code: number, step: number): number {
  if (code === nine && step === 1) return zero
  return code === zero && step === -1 ? nine : code + step
}

/** What a password says twice or more, the last time perhaps not to its end; undefined where it does not. */
function repeated(letters: readonly string[]): readonly string[] | undefined {
  for (let period = 1; period <= letters.length / 2; period++) {
    if (letters.every((letter, at) => at < period || letter === letters[at - period])) return letters.slice(0, period)
  }
  return undefined
}
