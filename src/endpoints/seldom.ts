import type { Clock } from '../kernel/clock.ts'

/** Tells of what strangers do at every open port: each reason at once, and then once in ten seconds with how many they were. */
export class Seldom {
  readonly #clock: Clock
  readonly #told = new Map<string, { times: number; readonly atMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  tell(reason: string, write: (times: number) => void): void {
    const before = this.#told.get(reason)
    const times = (before?.times ?? 0) + 1
    const nowMs = this.#clock.monotonic()
    if (before !== undefined && nowMs - before.atMs < everyMs) {
      before.times = times
      return
    }
    if (this.#told.size >= reasonsMax) this.#told.clear()
    this.#told.set(reason, { times: 0, atMs: nowMs })
    write(times)
  }
}

const everyMs = 10_000

/** OpenSSL alone has some dozens of reasons. */
const reasonsMax = 100
