import { GenerationCache } from '../../kernel/cache.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Allowance, Claim } from '../limiter.ts'

/** Refusals remembered. Beyond twice as many, those not asked for longest are forgotten: Redis will say it again. */
const denialsMax = 50_000

/**
 * What was refused for good reason, until it could pass: nothing comes back to a budget but by time, so nobody has to be
 * asked before. Only `concurrency` is given back, and is never remembered.
 */
export class Denials {
  readonly #clock: Clock
  readonly #denials = new GenerationCache<string, Denial>(denialsMax)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `name` is of the limit and the key. A claim of another cost is another matter: it waits for another moment. */
  of(name: string, { limit, cost }: Claim): Allowance | undefined {
    if (this.#denials.size === 0) return undefined
    const entry = `${cost} ${name}`
    const denial = this.#denials.get(entry)
    if (denial === undefined) return undefined
    const now = this.#clock.monotonic()
    if (now >= denial.untilMs) {
      this.#denials.delete(entry)
      return undefined
    }
    return {
      allowed: false,
      limit,
      remaining: denial.remaining,
      resetMs: Math.max(0, denial.wholeAtMs - now),
      retryAfterMs: denial.untilMs - now,
      release: undefined,
    }
  }

  /** Its wait is reckoned from now, when it has arrived: a little late, so that whoever keeps to it gets through. */
  remember(name: string, { cost }: Claim, { limit, remaining, resetMs, retryAfterMs }: Allowance): void {
    if (limit.algorithm === 'concurrency') return
    const now = this.#clock.monotonic()
    this.#denials.set(`${cost} ${name}`, { untilMs: now + retryAfterMs, wholeAtMs: now + resetMs, remaining })
  }
}

interface Denial {
  readonly untilMs: number
  readonly wholeAtMs: number
  readonly remaining: number
}
