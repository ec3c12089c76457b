import { headWords, type Kind } from './cells.ts'
import type { Draft, Plan } from './table.ts'

/**
 * What numbers with a fraction leave of a wait is no wait: a unit is admitted when all but this part of it has come
 * back. It never adds up, since what was spent is kept as it is.
 */
const grace = 0.001

const intervalWord = headWords

export const bucketBytes = (intervalWord + 1) * 8

/**
 * A bucket of tokens, kept as one moment (GCRA, ITU-T I.371 annex A): the theoretical arrival time, when the burst is
 * whole again. That moment is the cell's own, until which it counts.
 */
export class TokenBucket implements Kind {
  readonly #f64: Float64Array

  constructor(memory: SharedArrayBuffer) {
    this.#f64 = new Float64Array(memory)
  }

  ask(cell: number, draft: Draft, now: number): void {
    const { plan, cost } = draft
    const wholeAt = this.#f64[cell] as number
    draft.waitMs = burstWait(wholeAt, plan, cost, now)
    draft.remaining = burstLeft(wholeAt, plan, now)
    draft.resetMs = Math.max(0, wholeAt - now) + (draft.waitMs > 0 ? 0 : plan.intervalMs * cost)
  }

  add(cell: number, plan: Plan, cost: number, now: number): void {
    this.#f64[cell + intervalWord] = plan.intervalMs
    this.#f64[cell] = burstSpent(this.#f64[cell] as number, plan, cost, now)
  }

  /** The later moment is the one until which the cell counts: the table keeps it. */
  merge(): void {}

  used(cell: number, now: number): number {
    return Math.max(0, (this.#f64[cell] as number) - now) / (this.#f64[cell + intervalWord] as number)
  }
}

/** How long until so many units of a burst are there, which is whole at a moment. */
export function burstWait(wholeAt: number, plan: Plan, cost: number, now: number): number {
  const waitMs = Math.max(0, wholeAt - now) + plan.intervalMs * cost - plan.burstMs
  return waitMs > plan.intervalMs * grace ? waitMs : 0
}

/**
 * When the burst is whole again, so much of it being spent. Nobody can have spent more than all of it: what goes
 * beyond was inherited.
 */
export function burstSpent(wholeAt: number, plan: Plan, cost: number, now: number): number {
  return Math.min(Math.max(wholeAt, now) + plan.intervalMs * cost, now + plan.burstMs + plan.intervalMs * grace)
}

/** Whole units that are there. */
export function burstLeft(wholeAt: number, plan: Plan, now: number): number {
  return Math.max(0, Math.floor((plan.burstMs - Math.max(0, wholeAt - now)) / plan.intervalMs + grace))
}
