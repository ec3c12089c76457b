import type { Hint } from '../detector.ts'

/**
 * What kind of text a sign stands in. A `value` is what a program hands to another; `prose` are sentences, a `document` has lines
 * of them, or of code: people write about attacks there, and quote them.
 */
export type Setting = 'value' | 'prose' | 'document'

/**
 * Judges a text by where it stands, by its lines, and by how many of its words are plain ones. A
 * parameter of a query is no document: else whoever pads it would buy the patience that documents are read with.
 */
export function settingOf(text: string, hint: Hint): Setting {
  if (text.length < rememberedMin) return judged(text, hint)
  const last = lasts.get(hint)
  if (last?.text === text) return last.setting
  const setting = judged(text, hint)
  lasts.set(hint, { text, setting })
  return setting
}

/** Of the text that was judged last for a field: each family asks again. */
const lasts = new WeakMap<Hint, { readonly text: string; readonly setting: Setting }>()
const rememberedMin = 128

function judged(text: string, hint: Hint): Setting {
  const { role, in: part } = hint
  if (isCommandLine(hint)) return 'document'
  if (role === 'identifier' || role === 'name') return 'value'
  if (part === 'path' || part === 'header' || part === 'cookie') return 'value'
  const { lines, words, plain } = wordsOf(text)
  const isLong = words > valueWordsMax
  if (part === 'query') return isLong || role === 'prose' || isMostlyPlain(plain, words) ? 'prose' : 'value'
  if (isLong || (lines > 2 && text.length > shortMax)) return 'document'
  if (role === 'prose') return 'prose'
  return isMostlyPlain(plain, words) ? 'prose' : 'value'
}

function isMostlyPlain(plain: number, words: number): boolean {
  return plain >= proseWordsMin && plain >= words * proseShare
}

/** Whether a member of a body is there to hold what builders run: what is broken out of elsewhere, is meant there. */
export function isCommandLine({ in: part, name, at }: Hint): boolean {
  return part === 'body' && (scriptPlace.test(at) || containerCommand.test(name))
}

const scriptPlace = /(?:^|[/#])(?:(?:scripts|g?hooks)\/[^/]{1,200}|(?:command|entrypoint)\/\d{1,4})$/
const containerCommand = /^(?:on|post|update|initialize)\w{0,16}command$|^entrypoint$/

/** A text of three lines that is no longer than this is still a value: line ends are what some attacks are made of. */
const shortMax = 40
const valueWordsMax = 80
const proseWordsMin = 6
const proseShare = 0.7
/** So many characters tell what a text is like. */
const looked = 4096

/** Lines, and words with those among them that are letters only, but for an apostrophe, a hyphen, and punctuation at an end. */
function wordsOf(text: string): { lines: number; words: number; plain: number } {
  let lines = 1
  let words = 0
  let plain = 0
  let start = -1
  const end = Math.min(text.length, looked)
  for (let at = 0; at <= end; at++) {
    const code = at < end ? text.charCodeAt(at) : space
    if (code === lineFeed) lines++
    if (code > space && code !== 0xa0) {
      if (start < 0) start = at
    } else if (start >= 0) {
      words++
      if (isPlain(text, start, at)) plain++
      start = -1
    }
  }
  return { lines, words, plain }
}

function isPlain(text: string, from: number, to: number): boolean {
  let start = from
  let end = to
  while (start < end && isOpening(text.charCodeAt(start))) start++
  while (end > start && isClosing(text.charCodeAt(end - 1))) end--
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    const letter = code | 0x20
    if (letter >= 0x61 && letter <= 0x7a) continue
    if (code >= 0xc0) continue
    if (at > start && (code === apostrophe || code === hyphen)) continue
    return false
  }
  return end > start
}

function isOpening(code: number): boolean {
  return code === 0x28 || code === 0x22 || code === apostrophe
}

function isClosing(code: number): boolean {
  // . , ; : ! ? ) " '
  return (
    code === 0x2e ||
    code === 0x2c ||
    code === 0x3b ||
    code === 0x3a ||
    code === 0x21 ||
    code === 0x3f ||
    code === 0x29 ||
    code === 0x22 ||
    code === apostrophe
  )
}

const space = 0x20
const lineFeed = 0x0a
const apostrophe = 0x27
const hyphen = 0x2d
