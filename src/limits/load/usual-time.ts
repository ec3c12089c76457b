/** What a route's answers usually take. Routes of one upstream differ by far, and only against itself is one slow. */
export class UsualTime {
  /** Milliseconds to the head of an answer. */
  ms = leastMs
  /** Whether it has seen enough to judge by. */
  known = false
  #early = 0
  #seen = 0
  #learnedAt = 0

  /**
   * Whether a request is among the first, by whose answers the time is found at all. By the first answers it would be too short,
   * since the quick ones come first; by those of a longer time too long, where a queue is growing already.
   */
  isEarly(): boolean {
    if (this.known || this.#early === earlyMax) return false
    this.#early++
    return true
  }

  /** One of the first has no answer: another takes its turn. */
  missed(): void {
    this.#early--
  }

  /** Moves to what was measured, over half a minute. One wild answer moves it little. */
  learn(ms: number, early: boolean, now: number): void {
    if (this.known) {
      const pace = Math.min(0.25, (now - this.#learnedAt) / learnMs)
      this.ms += (Math.min(ms, 2 * this.ms) - this.ms) * pace
    } else if (early) {
      this.#seen++
      this.ms += (ms - this.ms) / this.#seen
      this.known = this.#seen >= earlyMin
    } else return
    this.ms = Math.max(this.ms, leastMs)
    this.#learnedAt = now
  }
}

/** So many of the first requests are waited for, all but one: that one may never be answered. */
const earlyMax = 16
const earlyMin = 15
const learnMs = 30_000
/** What takes no time has no multiples. */
const leastMs = 0.05
