import type { Clock } from '../../src/kernel/clock.ts'

/** Time that stands still until a test moves it. */
export interface TestClock extends Clock {
  advance(ms: number): void
}

export function testClock(startMs: number = Date.UTC(2026, 0, 1)): TestClock {
  let passedMs = 0
  return {
    now: () => startMs + passedMs,
    monotonic: () => passedMs,
    advance(ms) {
      passedMs += ms
    },
  }
}
