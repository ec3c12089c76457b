/** Time as an argument: nothing below the composition root asks the machine what time it is. */
export interface Clock {
  /** Wall time in milliseconds since the epoch: for what is stored, signed or shown. */
  now(): number
  /** Milliseconds that never run backwards: for how long something took, and for limits. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
