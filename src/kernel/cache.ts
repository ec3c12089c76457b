/**
 * A bounded map of two generations. New entries go to the young one; when it is full, the old one is forgotten and the
 * young one takes its place. The last `capacity` entries that were set or asked for are there, never more than twice as
 * many are held, and no entry is ever searched for to be evicted.
 */
export class GenerationCache<K, V> {
  readonly #capacity: number
  #young = new Map<K, V>()
  #old = new Map<K, V>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#capacity && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  delete(key: K): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }

  /** Entries held, in both generations: one that was asked for again may count twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}
