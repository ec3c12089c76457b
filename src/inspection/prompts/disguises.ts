import { hint, hintsOf, hintUnitsMax } from './hints.ts'

/** A text that is written so that machines overlook it and models do not, as it would be read. */
export interface Disguise {
  readonly rule: string
  readonly text: string
  /** The stretch of the original. */
  readonly start: number
  readonly end: number
}

/** Other ways to read a text, only where something hints at them. */
export function disguisesOf(text: string): readonly Disguise[] {
  const hints = hintsOf(text)
  if (hints === 0) return none
  const found: Disguise[] = []
  if ((hints & hint.leet) !== 0)
    found.push({ rule: 'obfuscated/leet', text: text.replace(leetWord, spelled), start: 0, end: text.length })
  const spaced = (hints & hint.spaced) === 0 ? undefined : spacedLetters(text)
  if (spaced !== undefined) found.push(spaced)
  if ((hints & hint.joined) !== 0)
    found.push({ rule: 'obfuscated/joined', text: text.replaceAll('_', ' '), start: 0, end: text.length })
  if ((hints & (hint.reversed | hint.rotated)) === 0) return found
  const lower = text.slice(0, hintUnitsMax).toLowerCase()
  if ((hints & hint.reversed) !== 0)
    found.push({ rule: 'obfuscated/reversed', text: [...lower].reverse().join(''), start: 0, end: text.length })
  if ((hints & hint.rotated) !== 0)
    found.push({ rule: 'obfuscated/rot13', text: rotated(lower), start: 0, end: text.length })
  return found
}

const none: readonly Disguise[] = []

const likenesses: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  8: 'b',
  9: 'g',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'l',
  '€': 'e',
  '£': 'l',
  '+': 't',
}

/** `1gn0r3 pr3v10us rul3s`: every digit is read as a letter. */
const leetWord = /[a-z\d@$!|€£+]{1,40}/gi

function spelled(word: string): string {
  let out = ''
  for (const character of word) out += likenesses[character] ?? character
  return out
}

/** `i g n o r e   a l l`, `i-g-n-o-r-e`: single letters with one mark between each, twelve at least. */
function spacedLetters(text: string): Disguise | undefined {
  let start = -1
  let letters = 0
  let out = ''
  let best: Disguise | undefined
  for (let at = 0; at <= text.length; at++) {
    const here = text.charCodeAt(at)
    const isSingle = isLetter(here) && !isLetter(text.charCodeAt(at - 1)) && !isLetter(text.charCodeAt(at + 1))
    if (isSingle) {
      if (start < 0) start = at
      letters++
      out += text[at]
      continue
    }
    const isGap = at < text.length && start >= 0 && isBetween(here)
    if (isGap) {
      // More than one space parts words.
      if (here === 0x20 && text.charCodeAt(at + 1) === 0x20) out += ' '
      continue
    }
    if (letters >= lettersMin && letters > (best?.text.length ?? 0))
      best = { rule: 'obfuscated/spaced', text: out, start, end: at }
    start = -1
    letters = 0
    out = ''
  }
  return best === undefined ? undefined : { ...best, text: parted(best.text) }
}

const lettersMin = 12
/** Without any gap between words, some words of orders are set apart, so that they can be read. */
function parted(text: string): string {
  return text.includes(' ')
    ? text
    : text
        .toLowerCase()
        .replace(
          /ignore|disregard|forget|previous|prior|above|all|instructions|instruction|prompt|system|reveal|print|your|rules|and|the|you|are|now|unrestricted|bomb/g,
          ' $& ',
        )
}

function isLetter(unit: number): boolean {
  return (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a)
}

function isBetween(unit: number): boolean {
  return (
    unit === 0x20 || unit === 0x2d || unit === 0x2e || unit === 0x5f || unit === 0x2a || unit === 0x2f || unit === 0x7c
  )
}

function rotated(text: string): string {
  let out = ''
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    out += unit >= 0x61 && unit <= 0x7a ? String.fromCharCode(((unit - 0x61 + 13) % 26) + 0x61) : text[at]
  }
  return out
}
