import type { Clock } from '../../kernel/clock.ts'

export interface BreakerOptions {
  /** Failures in a row after which nobody is asked any more. */
  readonly failuresMax: number
  /** How long then; each time that the one who tries fails again, twice as long, up to the most. */
  readonly pauseMs: number
  readonly pauseMsMax: number
}

export const usualBreaker: BreakerOptions = { failuresMax: 5, pauseMs: 1_000, pauseMsMax: 60_000 }

/** Spares one that fails, and us the waiting: after several failures in a row nobody asks for a while, and then one tries. */
export class Breaker {
  readonly #clock: Clock
  readonly #options: BreakerOptions
  #failures = 0
  #pauseMs = 0
  #closedUntil = 0
  #isTrying = false

  constructor(clock: Clock, options: BreakerOptions = usualBreaker) {
    this.#clock = clock
    this.#options = options
  }

  /** Whether it may be asked now. Whoever asks says afterwards how it went. */
  mayAsk(): boolean {
    if (this.#clock.monotonic() < this.#closedUntil) return false
    if (this.#failures < this.#options.failuresMax) return true
    if (this.#isTrying) return false
    this.#isTrying = true
    return true
  }

  succeeded(): void {
    this.#failures = 0
    this.#pauseMs = 0
    this.#isTrying = false
  }

  /** With `retryAfterMs` nobody asks before then, however few failures there were. */
  failed(retryAfterMs = 0): void {
    const now = this.#clock.monotonic()
    const { failuresMax, pauseMs, pauseMsMax } = this.#options
    // Others were asked when it was still asked: that they fail as well says nothing new of it.
    const isSpared = this.#failures >= failuresMax && now < this.#closedUntil
    this.#failures++
    if (!isSpared) {
      this.#isTrying = false
      if (this.#failures >= failuresMax)
        this.#pauseMs = Math.min(pauseMsMax, this.#pauseMs === 0 ? pauseMs : this.#pauseMs * 2)
    }
    const rest = Math.max(isSpared ? 0 : this.#pauseMs, Math.min(retryAfterMs, pauseMsMax))
    if (rest > 0) this.#closedUntil = Math.max(this.#closedUntil, now + rest)
  }

  /** It was asked, and given up by us: that says nothing of it. */
  gaveUp(): void {
    this.#isTrying = false
  }
}
