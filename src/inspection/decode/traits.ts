/** What a text holds that could be another spelling of something; none of it, and there is one way to read it. */
export const trait = {
  percent: 1,
  ampersand: 2,
  backslash: 4,
  /** `+A`, as the UTF-7 of ASCII begins. */
  plus: 8,
  /** Beyond printable ASCII and white space. */
  unusual: 16,
  /** So many letters and digits in a row that they may be base64 or hexadecimal. */
  run: 32,
  comment: 64,
} as const

/** The traits of a text in one look at it, without allocation. */
export function traitsOf(text: string): number {
  let found = 0
  let length = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const kind = unit < 128 ? (kinds[unit] as number) : trait.unusual
    if (kind === ofRun) {
      length++
      continue
    }
    if ((kind & ofRun) === 0) {
      if (length >= runMin) found |= trait.run
      length = 0
      if ((kind & lookAhead) === 0) found |= kind
      else if (text.charCodeAt(at + 1) === exclamation) found |= trait.comment
    } else {
      length++
      const next = text.charCodeAt(at + 1)
      if (next === asterisk && unit === slash) found |= trait.comment
      else if (next === letterA && unit === plus) found |= trait.plus
    }
  }
  const isRun = length >= runMin || (text.length >= wholeMin && text.length <= wholeMax)
  return isRun ? found | trait.run : found
}

/** A run within a text begins to count here; a text that is nothing but a short one too. */
const runMin = 10
const wholeMin = 8
const wholeMax = 24

const slash = 0x2f
const plus = 0x2b
const asterisk = 0x2a
const exclamation = 0x21
const letterA = 0x41

/** Marks of the table, no traits: may stand in a run; the next character decides. */
const ofRun = 256
const lookAhead = 512

const kinds = new Uint16Array(128)
for (let unit = 0; unit < 128; unit++) {
  const isSpace = unit >= 0x09 && unit <= 0x0d
  if ((unit < 0x20 && !isSpace) || unit === 0x7f) kinds[unit] = trait.unusual
}
for (const letter of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
  kinds[letter.charCodeAt(0)] = ofRun
for (const [sign, kind] of [
  ['%', trait.percent],
  ['&', trait.ampersand],
  ['\\', trait.backslash],
  ['<', lookAhead],
  ['+', ofRun | lookAhead],
  ['/', ofRun | lookAhead],
] as const) {
  kinds[sign.charCodeAt(0)] = kind
}
