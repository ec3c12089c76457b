// What the tests of the counters share: limits in a word, and counts so slow that they can be seen to be right.
import { systemRandom } from '../../src/kernel/id.ts'
import { type CounterMemory, counterBytesMin, counterMemory } from '../../src/limits/counters/counter-memory.ts'
import { type Counters, openCounters } from '../../src/limits/counters/counters.ts'
import type { Algorithm, Claim, Limit } from '../../src/limits/limiter.ts'
import type { TestClock } from '../support/clock.ts'

export const timed = ['sliding', 'token-bucket', 'log', 'fixed'] as const satisfies readonly Algorithm[]

export function limitOf(algorithm: Algorithm, limit: number, windowMs: number, burst = limit, name = 'l'): Limit {
  return { name, algorithm, limit, windowMs: algorithm === 'concurrency' ? 0 : windowMs, burst, whenDown: 'local' }
}

export function claim(limit: Limit, key = 'k', cost = 1): Claim {
  return { limit, key, cost }
}

export function roomy(): CounterMemory {
  return counterMemory(4 * 1024 * 1024, systemRandom)
}

/** One set for each kind of limit: sixteen callers fill it, and of logs eight. */
export function tiny(): CounterMemory {
  return counterMemory(counterBytesMin, systemRandom)
}

export function countersOf(clock: TestClock, memory = roomy()): Counters {
  return openCounters(memory, clock, { alone: true })
}

interface Admission {
  readonly at: number
  readonly cost: number
}

/**
 * Every admission that a caller was given, and what the definition of an algorithm says to the next. Times are whole
 * milliseconds, and so is all arithmetic.
 */
export class Exact {
  readonly limit: Limit
  readonly admitted: Admission[] = []

  constructor(limit: Limit) {
    this.limit = limit
  }

  admit(at: number, cost: number): void {
    this.admitted.push({ at, cost })
  }

  /**
   * Whether the definition lets the cost through; `heldMs` longer in the window than it says, where an error is
   * allowed for.
   */
  fits(clock: TestClock, cost: number, heldMs = 0): boolean {
    const now = clock.monotonic()
    const { algorithm, limit, windowMs } = this.limit
    switch (algorithm) {
      case 'log':
        return this.#since(now - windowMs - heldMs) + cost <= limit
      case 'sliding':
        return this.#since(now - windowMs - heldMs) + cost <= limit && this.#burstFits(now, cost)
      case 'token-bucket':
        return this.#burstFits(now, cost)
      case 'fixed': {
        const wall = clock.now() - now
        const begin = Math.floor((now + wall) / windowMs) * windowMs - wall
        return this.#since(begin - 1) + cost <= limit
      }
      case 'concurrency':
        return this.#since(-1) + cost <= limit
      default:
        return algorithm satisfies never
    }
  }

  #since(begin: number): number {
    return this.admitted.reduce((sum, { at, cost }) => (at > begin ? sum + cost : sum), 0)
  }

  /** A bucket that leaks: its level in units times the window's milliseconds. */
  #burstFits(now: number, cost: number): boolean {
    const { limit, windowMs, burst } = this.limit
    let level = 0
    let last = 0
    for (const { at, cost } of this.admitted) {
      level = Math.max(0, level - (at - last) * limit) + cost * windowMs
      last = at
    }
    return Math.max(0, level - (now - last) * limit) + cost * windowMs <= burst * windowMs
  }
}
