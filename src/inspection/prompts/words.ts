import { digit, folded, ideograph, kindOf, letter, nothing, other } from './folding.ts'
import { lexicon, type WordClass, wordClasses } from './lexicon.ts'
import { Trie } from './trie.ts'

/** A text as words and marks, in columns: what each does in an order, what it is, and where it stands. */
export interface Words {
  readonly count: number
  /** The class in the lexicon from 1 on; 0 for a word without one; a mark from `markFrom` on. */
  readonly classes: Uint8Array
  /** Of the folded word; of a mark its own. */
  readonly hashes: Int32Array
  readonly starts: Int32Array
  readonly ends: Int32Array
}

/** Whether two texts have the same words and marks; where they stand may differ. */
export function alike(one: Words, other: Words): boolean {
  if (one.count !== other.count) return false
  for (let at = 0; at < one.count; at++)
    if (one.hashes[at] !== other.hashes[at] || one.classes[at] !== other.classes[at]) return false
  return true
}

/** Marks count as words of their own: an order often begins behind one. */
export const marks = {
  stop: 200,
  line: 201,
  colon: 202,
  quote: 203,
  comma: 204,
  bracket: 205,
  bar: 206,
  code: 207,
} as const

export const markFrom = 200

/** The number of a class. */
export function classNumber(name: WordClass): number {
  return wordClasses.indexOf(name) + 1
}

/** Reads a text once. Phrases of several words that are known are one: those of the lexicon, or others by number. */
export function wordsOf(text: string, known: Trie = trie): Words {
  const columns = new Columns(text.length)
  const { length } = text
  let at = 0
  while (at < length) {
    const unit = text.charCodeAt(at)
    const kind = kindOf(unit)
    if (kind === letter || kind === digit) {
      at = readWord(text, at, known, columns)
    } else if (kind === ideograph) {
      at = readIdeographs(text, at, known, columns)
    } else {
      const mark = kind === nothing ? 0 : markOf(unit)
      // Of several marks alike the first counts.
      if (mark !== 0 && columns.lastClass !== mark) columns.add(mark, mark, at, at + 1)
      at++
    }
  }
  return columns.done()
}

const trie = new Trie(
  wordClasses.flatMap((name, at) =>
    lexicon[name].split('|').map((phrase): [string, number] => [phrase.trim(), at + 1]),
  ),
)

/** FNV-1a over folded units. */
const offsetBasis = 0x811c9dc5 | 0
const prime = 0x01000193
const digitsUnit = 0x23

/** The hash of one word as `wordsOf` gives it. */
export function wordHash(word: string): number {
  let hash = offsetBasis
  let before = 0
  for (let at = 0; at < word.length; at++) {
    const raw = word.charCodeAt(at)
    const unit = kindOf(raw) === digit || raw === digitsUnit ? digitsUnit : folded(raw)
    if (unit === digitsUnit && before === digitsUnit) continue
    hash = Math.imul(hash ^ unit, prime)
    before = unit
  }
  return hash
}

/** A phrase of the lexicon is no longer than so many words; a walk looks no further. */
const phraseUnitsMax = 48

function readWord(text: string, from: number, trie: Trie, columns: Columns): number {
  let node = 0
  let walking = true
  let stem = 0
  let hash = offsetBasis
  let before = 0
  let at = from
  let end = from
  for (; at < text.length; at++) {
    const raw = text.charCodeAt(at)
    const kind = kindOf(raw)
    if (kind === nothing) continue
    if (kind === other || kind === ideograph) {
      // An apostrophe or a hyphen inside a word belongs to it.
      if (!(raw === 0x27 || raw === 0x2019 || raw === 0x2d) || !isLetter(text, at + 1)) break
      if (walking) {
        const next = trie.next(node, raw === 0x2019 ? 0x27 : raw)
        // Words that the lexicon does not know with it end here: `run-time`, but `don't`.
        if (next === 0) {
          if (raw === 0x2d) break
          walking = false
        } else node = next
      } else if (raw === 0x2d) break
      continue
    }
    const unit = kind === digit ? digitsUnit : folded(raw)
    if (unit !== digitsUnit || before !== digitsUnit) hash = Math.imul(hash ^ unit, prime)
    before = unit
    end = at + 1
    if (walking) {
      node = trie.next(node, kind === digit ? raw : unit)
      if (node === 0) walking = false
      else stem = trie.stem(node) || stem
    }
  }
  let found = (walking ? trie.whole(node) : 0) || stem
  if (walking) {
    const more = phraseFrom(text, node, at, from, trie)
    if (more !== 0) {
      found = more & 0xff
      end = from + (more >>> 8)
      at = end
    }
  }
  columns.add(found, hash, from, Math.max(end, from + 1))
  return Math.max(at, from + 1)
}

/** Whether more words make a longer phrase: its class, and its length shifted by eight bits. */
function phraseFrom(text: string, from: number, at: number, began: number, trie: Trie): number {
  let node = from
  let best = 0
  const last = Math.min(text.length, began + phraseUnitsMax)
  let i = at
  while (i < last) {
    const raw = text.charCodeAt(i)
    const kind = kindOf(raw)
    if (kind === nothing) {
      i++
      continue
    }
    const isSpace = raw === 0x20 || raw === 0x0a || raw === 0xa0 || raw === 0x09
    if (isSpace) {
      const before = kindOf(text.charCodeAt(i - 1)) !== other
      if (before) {
        const next = trie.next(node, 0x20)
        if (next === 0) return best
        node = next
      }
      i++
      continue
    }
    const next = trie.next(node, raw === 0x2019 ? 0x27 : folded(raw))
    if (next === 0) return best
    node = next
    i++
    const stem = trie.stem(node)
    const ends = i >= text.length || !isWordUnit(text.charCodeAt(i))
    const whole = ends ? trie.whole(node) : 0
    if (whole !== 0) best = ((i - began) << 8) | whole
    else if (stem !== 0) {
      while (i < last && isWordUnit(text.charCodeAt(i))) i++
      return ((i - began) << 8) | stem
    }
  }
  return best
}

function isWordUnit(unit: number): boolean {
  const kind = kindOf(unit)
  return kind === letter || kind === digit || kind === ideograph
}

function isLetter(text: string, at: number): boolean {
  return at < text.length && kindOf(text.charCodeAt(at)) === letter
}

/** Han and Kana have no spaces: at each place the longest phrase, or else the character itself. */
function readIdeographs(text: string, from: number, trie: Trie, columns: Columns): number {
  let node = 0
  let found = 0
  let end = from + 1
  const last = Math.min(text.length, from + phraseUnitsMax)
  for (let at = from; at < last; at++) {
    const raw = text.charCodeAt(at)
    if (kindOf(raw) === nothing) continue
    node = trie.next(node, folded(raw))
    if (node === 0) break
    const here = trie.whole(node) || trie.stem(node)
    if (here !== 0) {
      found = here
      end = at + 1
    }
  }
  let hash = offsetBasis
  for (let at = from; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), prime)
  columns.add(found, hash, from, end)
  return end
}

function markOf(unit: number): number {
  switch (unit) {
    case 0x2e: // .
    case 0x21: // !
    case 0x3f: // ?
    case 0x3b: // ;
    case 0x3002:
    case 0xff01:
    case 0xff1f:
    case 0x61f:
    case 0x964:
      return marks.stop
    case 0x0a:
      return marks.line
    case 0x3a:
    case 0xff1a:
      return marks.colon
    case 0x22:
    case 0x27:
    case 0x201c:
    case 0x201d:
    case 0x2018:
    case 0x300c:
    case 0xab:
    case 0xbb:
      return marks.quote
    case 0x2c:
    case 0xff0c:
    case 0x3001:
      return marks.comma
    case 0x5b:
    case 0x5d:
    case 0x7b:
    case 0x7d:
    case 0x3c:
    case 0x3e:
    case 0x28:
    case 0x29:
      return marks.bracket
    case 0x7c:
      return marks.bar
    case 0x60:
    case 0x3d:
      return marks.code
    default:
      return 0
  }
}

/** Grows to what is needed: most texts have a word to six units, and Chinese has one to each. */
class Columns {
  #classes: Uint8Array
  #hashes: Int32Array
  #starts: Int32Array
  #ends: Int32Array
  #count = 0
  lastClass = 0

  constructor(length: number) {
    const room = (length >>> 2) + 16
    this.#classes = new Uint8Array(room)
    this.#hashes = new Int32Array(room)
    this.#starts = new Int32Array(room)
    this.#ends = new Int32Array(room)
  }

  add(wordClass: number, hash: number, start: number, end: number): void {
    const at = this.#count++
    if (at >= this.#classes.length) this.#grow()
    this.#classes[at] = wordClass
    this.#hashes[at] = hash
    this.#starts[at] = start
    this.#ends[at] = end
    this.lastClass = wordClass
  }

  #grow(): void {
    const room = this.#classes.length * 2
    this.#classes = copied(new Uint8Array(room), this.#classes)
    this.#hashes = copied(new Int32Array(room), this.#hashes)
    this.#starts = copied(new Int32Array(room), this.#starts)
    this.#ends = copied(new Int32Array(room), this.#ends)
  }

  done(): Words {
    return {
      count: this.#count,
      classes: this.#classes,
      hashes: this.#hashes,
      starts: this.#starts,
      ends: this.#ends,
    }
  }
}

function copied<T extends Uint8Array | Int32Array>(target: T, source: T): T {
  target.set(source)
  return target
}
