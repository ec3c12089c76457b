import type { Limit } from '../limiter.ts'

/**
 * Where claims of one kind of limit are counted, in memory that all threads share. All but `find` want the lock of the
 * place.
 */
export interface Table {
  /** Writes into the draft where its caller is, by the hash of the caller's key. */
  find(draft: Draft, keyHigh: number, keyLow: number): void
  /** Says in the draft whether its cost fits. */
  ask(draft: Draft, now: number): void
  /** Spends the cost of a draft that fits. */
  take(draft: Draft, now: number): void
}

/** Words of 8 bytes that a set has beside its cells. */
export const setWords = 3

/** Where a table lies, in words of 8 bytes. */
export interface TablePlace {
  readonly begin: number
  readonly sets: number
  /** Cells of a set: a caller is in any of them. */
  readonly ways: number
  readonly cellWords: number
}

/** A limit as the counters know it: all that can be worked out before a request comes. */
export interface Plan {
  readonly limit: Limit
  readonly table: Table
  /**
   * Its own hash: a caller's cell is found by this and by the caller's. Numbers are part of it: under others a caller
   * begins anew.
   */
  readonly high: number
  readonly low: number
  /** Units that a caller may have spent at most. */
  readonly units: number
  /** Units that one request may cost at most: as many as may come at once. */
  readonly most: number
  /** In which one unit of the burst comes back. */
  readonly intervalMs: number
  /** In which the whole burst comes back. */
  readonly burstMs: number
  readonly windowMs: number
  readonly slotMs: number
  /** After this long nothing is left of what was spent. */
  readonly keepMs: number
}

/** One claim while it is asked about: made once and used for request after request, so that nothing is allocated. */
export class Draft {
  plan: Plan
  cost = 1
  /** The hash of caller and limit. */
  high = 0
  low = 0
  /** Where the caller is: a number that no other set of any table has, the set, and which of its cells; -1 for none. */
  place = 0
  set = 0
  way = -1
  /** What came out: 0 if the cost fits, else how long until it would. */
  waitMs = 0
  /** Units that would be admitted now, one after the other, before any of this cost. */
  remaining = 0
  /** Until nothing is spent: after this cost, if it fits. */
  resetMs = 0

  constructor(plan: Plan) {
    this.plan = plan
  }
}
