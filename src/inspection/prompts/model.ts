import { featureHash, featuresAt, featuresMax, unitsOf, windowStep, windowWords } from './features.ts'
import type { Channel } from './sign.ts'
import { weights as shipped } from './weights.ts'
import type { Words } from './words.ts'

/** How the surest stretch of a text was weighed. */
export interface Weighed {
  /** From 0 to 1. */
  readonly score: number
  /** The stretch, and what in it weighed most. */
  readonly start: number
  readonly end: number
}

/** What a word or a pair of words adds to the logarithm of the odds, in hundredths, for each channel. */
export class Model {
  readonly #keys: Int32Array
  readonly #weights: Int16Array
  readonly #mask: number
  readonly #bias: number
  /** By slot the block that it last counted in: kept between texts, so that nothing has to be cleared. */
  readonly #seen: Int32Array
  #block = 0
  /** A bit for each key, by its end: most features weigh nothing, and are done with here. */
  readonly #known = new Int32Array(knownBits / 32)

  /** Weights as `name=weight` with commas between them, `bias` among them. */
  constructor(text: string) {
    const entries = text.split(',').filter((entry) => entry !== '')
    let size = 1024
    while (size < entries.length * 2) size *= 2
    this.#mask = size - 1
    this.#keys = new Int32Array(size)
    this.#weights = new Int16Array(size)
    this.#seen = new Int32Array(size)
    let bias = 0
    for (const entry of entries) {
      const at = entry.lastIndexOf('=')
      const name = entry.slice(0, at)
      const weight = Number(entry.slice(at + 1))
      if (at < 1 || !Number.isInteger(weight) || Math.abs(weight) > 32_767) throw new Error(`no weight: \`${entry}\``)
      if (name === 'bias') bias = weight
      else this.#put(featureHash(name), weight)
    }
    this.#bias = bias
  }

  #put(key: number, weight: number): void {
    if (weight === 0) return
    const bit = key & (knownBits - 1)
    this.#known[bit >>> 5] = (this.#known[bit >>> 5] as number) | (1 << (bit & 31))
    let at = slotOf(key) & this.#mask
    while (this.#weights[at] !== 0 && this.#keys[at] !== key) at = (at + 1) & this.#mask
    this.#keys[at] = key
    this.#weights[at] = weight
  }

  /** Where the weight of a feature lies; -1 for one that weighs nothing. */
  #find(key: number): number {
    const bit = key & (knownBits - 1)
    if (((this.#known[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return -1
    for (let at = slotOf(key) & this.#mask; ; at = (at + 1) & this.#mask) {
      if (this.#weights[at] === 0) return -1
      if (this.#keys[at] === key) return at
    }
  }

  /**
   * Weighs a text window by window; in each a feature counts once. A window is two blocks of words, so that each block is gone
   * through once: what it weighs, and how much of that the block before weighed already. Undefined for a text without words.
   */
  weigh(words: Words): Weighed | undefined {
    const { count, starts, ends } = words
    if (count === 0) return undefined
    const units = unitsOf(words)
    const [weights, seen] = [this.#weights, this.#seen]
    let before = this.#bias
    let best = Number.NEGATIVE_INFINITY
    let bestAt = 0
    this.#startText(count)
    for (let from = 0; from < count; from += blockWords) {
      const block = ++this.#block
      let sum = 0
      let twice = 0
      for (let at = from, to = Math.min(count, from + blockWords); at < to; at++) {
        for (let left = featuresAt(words, units, at, here) - 1; left >= 0; left--) {
          const slot = this.#find(here[left] as number)
          if (slot < 0) continue
          const last = seen[slot]
          if (last === block) continue
          seen[slot] = block
          const weight = weights[slot] as number
          sum += weight
          if (last === block - 1) twice += weight
        }
      }
      const window = before + sum - twice
      // A first block is a window by itself only where nothing follows it.
      if (from > 0 ? window > best : count <= blockWords) {
        best = window
        bestAt = Math.max(0, from - blockWords)
      }
      before = this.#bias + sum
    }
    const to = Math.min(count, bestAt + windowWords)
    return {
      score: 1 / (1 + Math.exp(-best / 100)),
      start: starts[bestAt] as number,
      end: ends[to - 1] as number,
    }
  }

  /** The last block of one text is not the one before the first of the next. */
  #startText(count: number): void {
    if (this.#block > 0x7fff_ff00 - count) {
      this.#seen.fill(0)
      this.#block = 0
    }
    this.#block++
  }
}

const blockWords = windowStep
if (windowWords !== 2 * blockWords) throw new Error('a window is two blocks')
const here = new Int32Array(featuresMax)
const knownBits = 1 << 17

export const models: Readonly<Record<Channel, Model>> = {
  ask: new Model(shipped.ask),
  'tool-result': new Model(shipped['tool-result']),
}

function slotOf(key: number): number {
  return Math.imul(key ^ (key >>> 16), 0x45d9f3b) >>> 3
}
