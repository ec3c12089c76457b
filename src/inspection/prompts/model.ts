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
  /** By slot the window that it last counted in: kept between texts, so that nothing has to be cleared. */
  readonly #seen: Int32Array
  #window = 0

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
    let at = slotOf(key) & this.#mask
    while (this.#weights[at] !== 0 && this.#keys[at] !== key) at = (at + 1) & this.#mask
    this.#keys[at] = key
    this.#weights[at] = weight
  }

  /** Where the weight of a feature lies; -1 for one that weighs nothing. */
  #find(key: number): number {
    for (let at = slotOf(key) & this.#mask; ; at = (at + 1) & this.#mask) {
      if (this.#weights[at] === 0) return -1
      if (this.#keys[at] === key) return at
    }
  }

  /** Weighs a text window by window; in each a feature counts once. Undefined for a text without words. */
  weigh(words: Words): Weighed | undefined {
    const { count, starts, ends } = words
    if (count === 0) return undefined
    const slots = this.#slotsOf(words)
    let best = Number.NEGATIVE_INFINITY
    let bestAt = 0
    for (let from = 0; ; from += windowStep) {
      const to = Math.min(count, from + windowWords)
      const window = this.#nextWindow()
      let sum = this.#bias
      for (let at = from * featuresMax; at < to * featuresMax; at++) {
        const slot = slots[at] as number
        if (slot < 0 || this.#seen[slot] === window) continue
        this.#seen[slot] = window
        sum += this.#weights[slot] as number
      }
      if (sum > best) {
        best = sum
        bestAt = from
      }
      if (to >= count) break
    }
    const to = Math.min(count, bestAt + windowWords)
    return {
      score: 1 / (1 + Math.exp(-best / 100)),
      start: starts[bestAt] as number,
      end: ends[to - 1] as number,
    }
  }

  #nextWindow(): number {
    if (this.#window === 0x7fffffff) {
      this.#seen.fill(0)
      this.#window = 0
    }
    return ++this.#window
  }

  #slotsOf(words: Words): Int32Array {
    const units = unitsOf(words)
    const slots = new Int32Array(words.count * featuresMax).fill(-1)
    const here = new Int32Array(featuresMax)
    for (let at = 0; at < words.count; at++) {
      const n = featuresAt(words, units, at, here)
      for (let i = 0; i < n; i++) slots[at * featuresMax + i] = this.#find(here[i] as number)
    }
    return slots
  }
}

export const models: Readonly<Record<Channel, Model>> = {
  ask: new Model(shipped.ask),
  'tool-result': new Model(shipped['tool-result']),
}

function slotOf(key: number): number {
  return Math.imul(key ^ (key >>> 16), 0x45d9f3b) >>> 3
}
