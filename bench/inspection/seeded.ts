/** Draws the same numbers in every run, and in every process of one. */
export class Seeded {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** From 0 to `below`, that one excluded. Mulberry32. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }

  from<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** So many characters of an alphabet. */
  letters(count: number, alphabet: string): string {
    return Array.from({ length: count }, () => alphabet[this.below(alphabet.length)]).join('')
  }
}
