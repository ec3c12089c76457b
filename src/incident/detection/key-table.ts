/**
 * What a rule holds of each key, of two generations as in `GenerationCache`: when the young one is full, the old one is
 * forgotten. Those of it that weigh most, a quarter of the capacity at most, are taken over: a flood of fresh keys drives
 * out what was seen once, and not who is near a threshold.
 */
export class KeyTable<State> {
  readonly #capacity: number
  readonly #isHeavy: (state: State) => boolean
  #young = new Map<string, State>()
  #old = new Map<string, State>()

  constructor(capacity: number, isHeavy: (state: State) => boolean) {
    this.#capacity = capacity
    this.#isHeavy = isHeavy
  }

  get(key: string): State | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, state: State): void {
    if (this.#young.size >= this.#capacity && !this.#young.has(key)) this.#turn()
    this.#young.set(key, state)
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  #turn(): void {
    const forgotten = this.#old
    this.#old = this.#young
    this.#young = new Map()
    for (const [key, state] of forgotten) {
      if (this.#young.size >= this.#capacity / 4) break
      if (!this.#old.has(key) && this.#isHeavy(state)) this.#young.set(key, state)
    }
  }
}
