/** Time as an argument: nothing below the composition root asks the machine what time it is. */
export interface Clock {
  /** Wall time in milliseconds since the epoch: for what is stored, signed or shown. */
  now(): number
  /**
   * Milliseconds that never run backwards: for how long something took, and for limits. All threads of a process count
   * from one moment.
   */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() + origin,
}

/**
 * What a thread's own count lacks to the process's, in milliseconds: nothing says that all threads' `performance`
 * begins at once.
 */
const origin = originOf()

function originOf(): number {
  let [found, uncertainty] = [0, Number.POSITIVE_INFINITY]
  // The thread may be held up between the two clocks: of several readings the one that took least time.
  for (let reading = 0; reading < 16; reading++) {
    const before = process.uptime() * 1000
    const own = performance.now()
    const after = process.uptime() * 1000
    if (after - before >= uncertainty) continue
    found = (before + after) / 2 - own
    uncertainty = after - before
  }
  return found
}
