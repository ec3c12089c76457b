import { type WordClass, wordClasses } from './lexicon.ts'
import { markFrom, marks, type Words, wordHash } from './words.ts'

/** Words that are weighed together: an order takes a sentence or two. */
export const windowWords = 40
export const windowStep = 20

/** How far two classes may stand apart and still count as a pair. */
const pairReach = 8

/**
 * The features of one place: the word, its class, the two with what follows, and the pair with the class before. They are
 * hashes; `featureHash` makes the same of a feature's name. Writes up to five into `into`, and says how many.
 */
export function featuresAt(words: Words, units: Int32Array, at: number, into: Int32Array): number {
  const { classes, hashes, count } = words
  let n = 0
  const unit = units[at] as number
  into[n++] = unit
  const kind = classes[at] as number
  if (kind > 0 && kind < markFrom) into[n++] = hashes[at] as number
  if (at + 1 < count) into[n++] = joined(unit, units[at + 1] as number, nextTo)
  if (at + 2 < count) into[n++] = joined(unit, units[at + 2] as number, nearTo)
  if (kind > 0 && kind < markFrom) {
    for (let before = at - 1; before >= 0 && before >= at - pairReach; before--) {
      const earlier = classes[before] as number
      if (earlier === 0 || earlier >= markFrom) continue
      into[n++] = joined(units[before] as number, unit, pairedWith)
      break
    }
  }
  return n
}

export const featuresMax = 5

/** Of each word its class, or where it has none the word. */
export function unitsOf({ classes, hashes, count }: Words): Int32Array {
  const units = new Int32Array(count)
  for (let at = 0; at < count; at++) {
    const kind = classes[at] as number
    units[at] = kind === 0 ? (hashes[at] as number) : (unitOfClass[kind] as number)
  }
  return units
}

/** `ignore` a word, `<ignore>` a class; `a+b` one after the other, `a/b` with one between, `a~b` two classes near each other. */
export function featureHash(name: string): number {
  for (const [sign, salt] of joints) {
    const at = name.indexOf(sign)
    if (at > 0) return joined(unitHash(name.slice(0, at)), unitHash(name.slice(at + 1)), salt)
  }
  return unitHash(name)
}

/** How a unit is called in a feature's name. */
export function className(number: number): string {
  const mark = Object.entries(marks).find(([, value]) => value === number)?.[0]
  return `<${mark ?? (wordClasses[number - 1] as WordClass)}>`
}

const nextTo = 0x5bd1e995
const nearTo = 0x1b873593
const pairedWith = 0x27d4eb2f
const joints = [
  ['+', nextTo],
  ['/', nearTo],
  ['~', pairedWith],
] as const

function joined(one: number, other: number, salt: number): number {
  let hash = Math.imul(one ^ salt, 0x85ebca6b)
  hash = Math.imul((hash ^ (hash >>> 15) ^ other) | 0, 0xc2b2ae35)
  return hash ^ (hash >>> 13)
}

/** By class: its name's hash. No word has an angle bracket. */
const unitOfClass = Int32Array.from({ length: 256 }, (_, number) =>
  number > 0 && (number <= wordClasses.length || Object.values(marks).includes(number as never))
    ? wordHash(className(number))
    : 0,
)

function unitHash(name: string): number {
  return wordHash(name)
}
