/**
 * A text without what nobody sees: zero-width characters, bidirectional controls, variation selectors, soft hyphens, fillers,
 * tags, and control characters. Undefined where there is nothing of that kind.
 */
export function withoutInvisible(text: string): string | undefined {
  if (!mayHoldInvisible(text) || !invisible.test(text)) return undefined
  return text.replace(everyInvisible, '')
}

/**
 * What is written in characters that nobody sees: in the tags block of Unicode, which has a tag for each character of ASCII, and
 * in variation selectors, of which there are as many as bytes have values. Each with its stretch of the text.
 */
export function smuggledIn(text: string): readonly Smuggled[] {
  if (!carrier.test(text)) return none
  const found: Smuggled[] = []
  for (const { 0: tags, index } of text.matchAll(tagRun)) {
    if (isFlag(text, index, tags)) continue
    const hidden = Array.from(tags, (tag) => tagText(tag.codePointAt(0) as number)).join('')
    if (hidden !== '') found.push({ text: hidden, start: index, end: index + tags.length })
  }
  for (const { 0: selectors, index } of text.matchAll(selectorRun)) {
    const bytes = Uint8Array.from(selectors, (selector) => selectorByte(selector.codePointAt(0) as number))
    const hidden = new TextDecoder().decode(bytes)
    if (!unreadable.test(hidden)) found.push({ text: hidden, start: index, end: index + selectors.length })
  }
  return found
}

export interface Smuggled {
  readonly text: string
  readonly start: number
  readonly end: number
}

const none: readonly Smuggled[] = []

/**
 * Unicode's default ignorable code points (UAX #44), and the controls of C0 and C1 that are no white space. Text that is written
 * in the selectors of emoji, or joins letters of Persian, loses nothing that a detector looks for.
 */
const ignorable = String.raw`\p{Default_Ignorable_Code_Point}\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u2800\ufff9-\ufffb`
/** Emoji are joined, and drawn in colour, by two of them: a text with nothing else is left in peace. */
const emojiGlue = String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])[\ufe0f\u200d]`
const invisible = new RegExp(`(?!${emojiGlue})[${ignorable}]`, 'u')
const everyInvisible = new RegExp(`[${ignorable}]`, 'gu')

/** The high surrogate of tags and of the selectors beyond sixteen, and the sixteen. */
const carrier = /\udb40|[\ufe00-\ufe0f]/
const tagRun = /[\u{e0000}-\u{e007f}]+/gu
/** A few after one another: one alone says how an emoji looks. */
const selectorRun = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{4,}/gu
const unreadable = /(?!\s)\p{Cc}|\ufffd/u

/** One look at every unit, since the expressions above take longer: those of the basic plane, and the surrogates of the others. */
const suspects = new Uint8Array(65_536)
const basicPlane = Array.from({ length: 65_536 }, (_, unit) => String.fromCharCode(unit)).join(' ')
for (const { index } of basicPlane.matchAll(everyInvisible)) suspects[basicPlane.charCodeAt(index)] = 1
for (const surrogate of [0xd82f, 0xd834, 0xdb40, 0xdb41, 0xdb42, 0xdb43]) suspects[surrogate] = 1

function mayHoldInvisible(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (suspects[text.charCodeAt(at)] === 1) return true
  }
  return false
}

/** The flags of England and its kin are a black flag and tags (UTS #51, ED-14a). */
function isFlag(text: string, start: number, tags: string): boolean {
  return tags.length <= 16 && text.slice(start - 2, start) === '\u{1f3f4}' && tags.endsWith('\u{e007f}')
}

function tagText(point: number): string {
  const unit = point - 0xe0000
  return unit >= 0x20 && unit < 0x7f ? String.fromCharCode(unit) : ''
}

function selectorByte(point: number): number {
  return point < 0xe0000 ? point - 0xfe00 : point - 0xe0100 + 16
}
