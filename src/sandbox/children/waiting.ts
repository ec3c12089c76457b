import { type Language, languages } from '../run.ts'

/** Who waits for a child. */
export interface Waiter {
  readonly tenant: string
  readonly language: Language
}

/** Those who wait, one tenant after the other: whoever asks a thousand times waits behind nobody but themself. */
export class FairQueue<One extends Waiter> {
  /** By tenant, in the order of their turns. None is empty. */
  readonly #queues = new Map<string, One[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /**
   * Lets one wait, among `most` at once. Answers who does not fit: the newcomer, or, where somebody else has more places than
   * the newcomer's tenant would have, the last of those.
   */
  add(one: One, most: number): One | undefined {
    const own = this.#queues.get(one.tenant)
    if (this.#size >= most) {
      const longest = [...this.#queues.values()].reduce((a, b) => (b.length > a.length ? b : a), [])
      const last = longest.at(-1)
      if (last === undefined || longest.length <= (own?.length ?? 0) + 1) return one
      this.remove(last)
      this.#append(one)
      return last
    }
    this.#append(one)
    return undefined
  }

  remove(one: One): boolean {
    const queue = this.#queues.get(one.tenant)
    const at = queue?.indexOf(one) ?? -1
    if (queue === undefined || at === -1) return false
    queue.splice(at, 1)
    if (queue.length === 0) this.#queues.delete(one.tenant)
    this.#size--
    return true
  }

  /** Takes out the first, in turn, for whom there is something; its tenant's next turn comes after everybody else's. */
  next<Found>(find: (tenant: string, language: Language) => Found | undefined): { one: One; found: Found } | undefined {
    for (const [tenant, queue] of this.#queues)
      for (const language of languages) {
        const one = queue.find((waiter) => waiter.language === language)
        const found = one === undefined ? undefined : find(tenant, language)
        if (one === undefined || found === undefined) continue
        this.remove(one)
        if (queue.length > 0) {
          this.#queues.delete(tenant)
          this.#queues.set(tenant, queue)
        }
        return { one, found }
      }
    return undefined
  }

  /** How many wait for a language, of each tenant no more than `most` says. */
  demand(language: Language, most: (tenant: string) => number): number {
    let sum = 0
    for (const [tenant, queue] of this.#queues)
      sum += Math.min(queue.filter((one) => one.language === language).length, Math.max(0, most(tenant)))
    return sum
  }

  /** Takes out everybody, or everybody who waits for a language. */
  drain(language?: Language): One[] {
    const all = [...this.#queues.values()].flat().filter((one) => language === undefined || one.language === language)
    for (const one of all) this.remove(one)
    return all
  }

  #append(one: One): void {
    const queue = this.#queues.get(one.tenant)
    if (queue === undefined) this.#queues.set(one.tenant, [one])
    else queue.push(one)
    this.#size++
  }
}
