/** The two clocks of a child: it is a program of its own, and has none of the house’s files. */
export interface ChildClock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds that never run backwards. */
  monotonic(): number
}

export const childClock: ChildClock = { now: () => Date.now(), monotonic: () => performance.now() }
