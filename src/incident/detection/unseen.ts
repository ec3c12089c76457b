import { GenerationCache } from '../../kernel/cache.ts'
import type { Grounds } from './watch.ts'

/** Something to be remembered for longer than a process lives, as a row of `detection_memory`. */
export interface Memory {
  readonly rule: string
  /** Keyed hash. */
  readonly key: string
  /** Keyed hash; '' where it says when the rule found something last. */
  readonly value: string
  /** Undefined: it is to be forgotten. */
  readonly at: number | undefined
}

/** What was seen of a key, by keyed hash, and when it was seen last. */
export type Seen = ReadonlyMap<string, number>

/** Values of one key that are remembered: of more, the one that was not seen for longest is forgotten. */
export const valuesMax = 100

/** Values that were not seen here before, where others were, and not so many that another one is nothing new. What it knows is told to it, key by key, before it is asked. */
export class UnseenWatch {
  readonly #rule: string
  readonly #memoryMs: number
  readonly #most: number
  readonly #keys = new GenerationCache<string, Map<string, number>>(20_000)

  constructor(rule: string, { memory, most }: { readonly memory: number; readonly most: number }) {
    this.#rule = rule
    this.#memoryMs = memory
    this.#most = most
  }

  knows(key: string): boolean {
    return this.#keys.get(key) !== undefined
  }

  recall(key: string, seen: Seen): void {
    this.#keys.set(key, new Map(seen))
  }

  see(key: string, value: string, at: number, seq: number, memories: Memory[]): Grounds | undefined {
    let seen = this.#keys.get(key)
    if (seen === undefined) {
      seen = new Map()
      this.#keys.set(key, seen)
    }
    const isLive = (seenAt: number): boolean => at - seenAt < this.#memoryMs
    const before = seen.get(value)
    const isNew = before === undefined || !isLive(before)
    const others = isNew ? [...seen.values()].filter(isLive).length : 0
    // Not every time: once in a thirtieth of how long it is remembered is enough to keep it.
    if (isNew || Math.abs(at - before) >= this.#memoryMs / 30) {
      seen.set(value, at)
      memories.push({ rule: this.#rule, key, value, at })
      if (seen.size > valuesMax) this.#forgetOldest(key, seen, memories)
    }
    return others > 0 && others <= this.#most
      ? { sightings: [{ seq, at }], count: 1, text: 'not seen here before' }
      : undefined
  }

  clear(): void {
    this.#keys.clear()
  }

  #forgetOldest(key: string, seen: Map<string, number>, memories: Memory[]): void {
    let oldest = ''
    let oldestAt = Number.POSITIVE_INFINITY
    for (const [value, at] of seen) if (at < oldestAt) [oldest, oldestAt] = [value, at]
    seen.delete(oldest)
    memories.push({ rule: this.#rule, key, value: oldest, at: undefined })
  }
}
