import { Rewrite } from './rewrite.ts'

/**
 * A text as a reader sees it that takes every character for the one of ASCII that it stands for or looks like: compatibility
 * forms by NFKC (UAX #15), `ｓｅｌｅｃｔ`, `𝓼`, `…`; signs by their looks, `ʼ`, `∕`, `‹`; letters of Cyrillic and Greek in words that
 * mix them with Latin, or where nothing of their own script stands beside them (UTS #39 §4). Undefined where nothing changes.
 */
export function foldUnicode(text: string): string | undefined {
  const lettersToo = hasDisguise(text)
  const rewrite = new Rewrite(text)
  for (let at = firstBeyondAscii(text); at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) continue
    const length = unit >= 0xd800 && unit <= 0xdbff && at + 1 < text.length ? 2 : 1
    const point = length === 2 ? (text.codePointAt(at) as number) : unit
    const ascii = compatible.get(point) ?? (lettersToo ? lookalikes.get(point) : undefined)
    if (ascii !== undefined) rewrite.replace(at, at + length, ascii)
    at += length - 1
  }
  return rewrite.result()
}

function firstBeyondAscii(text: string): number {
  const at = text.search(beyondAscii)
  return at < 0 ? text.length : at
}

const beyondAscii = /[^\0-\x7f]/

/**
 * Whether letters of other scripts may stand for Latin ones here: one word mixes the two, or every letter of the other script
 * has a Latin twin. People who write Russian or Greek do neither.
 */
function hasDisguise(text: string): boolean {
  let count = 0
  let own = false
  let word = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) {
      const isLatin = (unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a
      word = isLatin ? word | latin : 0
    } else if (lookalikes.has(unit)) {
      count++
      word |= twin
    } else if (unit >= 0x370 && unit <= 0x52f) {
      own = true
      word |= genuine
    } else if (unit < 0xc0 || (unit >= 0x2000 && unit <= 0x2e7f)) {
      word = 0
    }
    if ((word & mixed) === mixed) return true
  }
  return count >= 3 && !own
}

const latin = 1
const twin = 2
const genuine = 4
const mixed = latin | twin

/** Letters by their looks: those of Cyrillic, Greek, Armenian and of phonetics that could be taken for the Latin one. */
// biome-ignore format: a table
const twins: Readonly<Record<string, string>> = {
  a: 'аɑα', b: 'Ьʙ', c: 'сϲᴄ', d: 'ԁᴅ', e: 'еᴇҽ', f: 'ꜰ', g: 'ɡɢց', h: 'һհʜ', i: 'іıɩɪι', j: 'јϳᴊ', k: 'ᴋκ', l: 'ӏʟⵏ', m: 'ᴍ', n: 'ոɴ',
  o: 'оοօᴏ', p: 'рρᴘ', q: 'ԛգզ', r: 'ᴦʀг', s: 'ѕꜱտ', t: 'ᴛτ', u: 'սυᴜ', v: 'ѵνᴠ', w: 'ԝᴡա', x: 'хχ', y: 'уүʏγ', z: 'ᴢ',
  A: 'АΑ', B: 'ВΒ', C: 'СϹ', D: 'Ꭰ', E: 'ЕΕ', F: 'Ϝ', G: 'Ԍ', H: 'НΗ', I: 'ІΙӀ', J: 'ЈͿ', K: 'КΚ', L: 'Լ', M: 'МΜ', N: 'Ν', O: 'ОΟՕ',
  P: 'РΡ', Q: 'Ԛ', S: 'ЅՏ', T: 'ТΤ', U: 'Ս', V: 'Ѵ', W: 'Ԝ', X: 'ХΧ', Y: 'ҮΥ', Z: 'Ζ',
}
const lookalikes = pointsOf(twins)

/** Signs by their looks. Typographic quotation marks and dashes are what people write, and stay. */
// biome-ignore format: a table
const signs: Readonly<Record<string, string>> = {
  "'": 'ʹʻʼʽˈ′‵ꞌ՚´', '"': 'ʺˮ״″‶〃˝', '`': 'ˋ‛', '<': '‹˂〈⟨ᐸ❮❬⧼≮', '>': '›˃〉⟩ᐳ❯❭⧽≯', '/': '⁄∕⧸〳⟋╱', '\\': '∖⧵⧹⟍╲', '|': 'ǀ∣❘',
  '-': '‐‑−⁃', '.': '。ꓸ', ':': '∶꞉ː׃', '=': '꓿≠', '*': '∗⁎✱٭', '!': 'ǃ', '(': '❨⟮', ')': '❩⟯', '{': '❴', '}': '❵', '[': '❲〔', ']': '❳〕',
  '~': '∼˜', '^': '˄', ',': '‚٫', '%': '٪', '#': '♯', '\n': '\u0085\u2028\u2029',
}

/** Where characters stand whose NFKC is nothing but ASCII. */
const compatibleRanges: readonly (readonly [first: number, last: number])[] = [
  [0xa0, 0x37e],
  [0x1d2c, 0x1dbb],
  [0x1fef, 0x217f],
  [0x2460, 0x24ea],
  [0x2a74, 0x2a76],
  [0x2c7c, 0x2c7d],
  [0x3000, 0x3000],
  [0x3250, 0x33ff],
  [0xfb00, 0xfb29],
  [0xfe10, 0xff5e],
  [0x1d400, 0x1d6a3],
  [0x1d7ce, 0x1d7ff],
  [0x1f100, 0x1f190],
  [0x1fbf0, 0x1fbf9],
]

/** Marks that are drawn over the letter before them. */
const marks: readonly (readonly [first: number, last: number])[] = [
  [0x300, 0x36f],
  [0x20d0, 0x20f0],
]

/**
 * One table for characters by themselves. Normalising whole texts would also put marks into their order, which takes time that
 * grows with the square of their number (UAX #15 §13), and would make texts longer.
 */
const compatible: ReadonlyMap<number, string> = new Map([
  ...compatibleRanges.flatMap(([first, last]) => [...pointsFrom(first, last)].flatMap(nfkcOf)),
  ...marks.flatMap(([first, last]) => [...pointsFrom(first, last)].map((point): [number, string] => [point, ''])),
  ...pointsOf(signs),
])

function nfkcOf(point: number): [number, string][] {
  const form = String.fromCodePoint(point).normalize('NFKC')
  return beyondAscii.test(form) ? [] : [[point, form]]
}

function* pointsFrom(first: number, last: number): Iterable<number> {
  for (let point = first; point <= last; point++) yield point
}

function pointsOf(table: Readonly<Record<string, string>>): Map<number, string> {
  return new Map(
    Object.entries(table).flatMap(([ascii, others]) =>
      Array.from(others, (other): [number, string] => [other.codePointAt(0) as number, ascii]),
    ),
  )
}
