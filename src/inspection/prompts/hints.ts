/** What hints at another reading of a text. */
export const hint = { leet: 1, spaced: 2, reversed: 4, rotated: 8, joined: 16 } as const

/** Of longer texts the beginning is read backwards: beyond it a reader would have to unriddle a book. */
export const hintUnitsMax = 65_536

/** Everything that hints at a disguise, in one pass: most texts hold none of it, and are done with. */
export function hintsOf(text: string): number {
  let found = 0
  let before = 0
  let pair = 0
  /** Digits and marks since a letter, that may stand for letters; -1 where something else came. */
  let likenesses = -1
  let spelled = 0
  /** Letters alone in a row, whether the last letter may be the next of them, and marks since the one before. */
  let alone = 0
  let isAlone = false
  let gaps = 0
  /** Underscores between letters since the last that is neither. */
  let joints = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const sort = unit < 128 ? (sorts[unit] as number) : 0
    if ((sort & letter) !== 0) {
      pair = ((pair & letterNumber) << 5) | (sort & letterNumber)
      if (pairs[pair] === 1) found |= wordAt(text, at, pair)
      if (likenesses > 0 && likenesses <= likenessesMax && ++spelled === spelledMin) found |= hint.leet
      likenesses = 0
      isAlone = (before & gap) !== 0
      if (!isAlone || gaps > gapsMax) alone = 0
    } else {
      pair = 0
      if ((sort & likeness) === 0) likenesses = -1
      else if (likenesses >= 0) likenesses++
      if (unit === underscore && (before & letter) !== 0) {
        if (++joints === jointsMin) found |= hint.joined
      } else joints = 0
      if ((sort & gap) === 0) alone = 0
      else if ((before & letter) === 0) gaps++
      else {
        gaps = 1
        if (isAlone && ++alone === aloneMin) found |= hint.spaced
      }
    }
    before = sort
  }
  return found
}

/** `1gn0r3 pr3v10us rul3s`: up to so many of them between letters, so often. */
const likenessesMax = 3
const spelledMin = 3
/** `i g n o r e`: so many, with up to so many marks between one and the next. */
const aloneMin = 3
const gapsMax = 3

/** `ignore_all_previous_instructions`: so many between words. */
const jointsMin = 3
const underscore = 0x5f

const letterNumber = 31
const letter = 32
const likeness = 64
const gap = 128

const sorts = new Uint8Array(128)
for (let at = 0; at < 26; at++) sorts[0x41 + at] = sorts[0x61 + at] = letter | (at + 1)
for (const mark of '0134578@$!|') sorts[mark.charCodeAt(0)] = likeness
for (const mark of ' ._*/|-') sorts[mark.charCodeAt(0)] = (sorts[mark.charCodeAt(0)] as number) | gap

/** Words of orders backwards, and by ROT13; each with two letters of it that seldom stand together. */
// biome-ignore format: a table
const wordTable: readonly (readonly [pair: string, word: string, says: number])[] = [
  ['gi', 'erongi', hint.reversed],       ['sn', 'snoitcurtsni', hint.reversed], ['rp', 'suoiverp', hint.reversed],
  ['pm', 'tpmorp', hint.reversed],       ['wk', 'drawkcab', hint.reversed],     ['gr', 'tegrof', hint.reversed],
  ['dr', 'drager', hint.reversed],       ['tc', 'detcirtsernu', hint.reversed], ['ae', 'laever', hint.reversed],
  ['ws', 'drowssap', hint.reversed],     ['bm', 'bmob', hint.reversed],
  ['vt', 'vtaber', hint.rotated],        ['fg', 'vafgehpgvba', hint.rotated],   ['vb', 'cerivbhf', hint.rotated],
  ['bz', 'cebzcg', hint.rotated],        ['sb', 'sbetrg', hint.rotated],        ['qv', 'qvfertneq', hint.rotated],
  ['fj', 'cnffjbeq', hint.rotated],      ['ny', 'erirny', hint.rotated],        ['fg', 'haerfgevpgrq', hint.rotated],
  ['bj', 'abj lbh', hint.rotated],
]

interface Hidden {
  readonly word: string
  /** Where the second letter of its pair stands in it. */
  readonly at: number
  readonly says: number
}

const pairs = new Uint8Array(1024)
const words: Hidden[][] = Array.from({ length: 1024 }, () => [])
for (const [pair, word, says] of wordTable) {
  const number = ((pair.charCodeAt(0) & letterNumber) << 5) | (pair.charCodeAt(1) & letterNumber)
  pairs[number] = 1
  words[number]?.push({ word, at: word.indexOf(pair) + 1, says })
}

function wordAt(text: string, at: number, pair: number): number {
  for (const { word, at: within, says } of words[pair] as Hidden[]) {
    const end = at - within + word.length
    if (end > hintUnitsMax) continue
    let same = 0
    // Of the signs in these words, letters and a space, the bit of capitals makes no other one.
    while (same < word.length && (text.charCodeAt(at - within + same) | 0x20) === word.charCodeAt(same)) same++
    if (same === word.length) return says
  }
  return 0
}
