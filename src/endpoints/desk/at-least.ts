import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../kernel/clock.ts'

/** Does `work` and answers no sooner than after `floorMs`: how long it took tells nothing of what it found. */
export async function atLeast<T>(floorMs: number, clock: Clock, work: () => Promise<T>): Promise<T> {
  const began = clock.monotonic()
  const outcome = await work()
  const left = floorMs - (clock.monotonic() - began)
  if (left > 0) await pause(left)
  return outcome
}
