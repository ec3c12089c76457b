import { type Draft, setWords, type Table, type TablePlace } from './table.ts'

/** Of a cell: how much is in flight. */
export const countBytes = 8

/** Nobody can promise when another request ends. */
const retryMs = 1000

/**
 * How much each caller has in flight. A cell that counts something is never put aside, and is free when it counts
 * nothing. In a set without a free cell further callers share one count, and until that is 0 again nobody new gets a
 * cell of their own: so no caller is ever counted in two places, and where callers are counted together they are held
 * to the limit together.
 */
export class InFlight implements Table {
  readonly #f64: Float64Array
  readonly #i32: Int32Array
  readonly #begin: number
  readonly #sets: number
  readonly #ways: number
  readonly #tags: number
  readonly #together: number
  readonly #cells: number

  constructor(memory: SharedArrayBuffer, { begin, sets, ways }: TablePlace) {
    this.#f64 = new Float64Array(memory)
    this.#i32 = new Int32Array(memory)
    this.#begin = begin
    this.#sets = sets
    this.#ways = ways
    this.#tags = begin * 2
    this.#together = begin + sets * ways
    this.#cells = this.#together + sets * setWords
  }

  find(draft: Draft, keyHigh: number, keyLow: number): void {
    const { plan } = draft
    draft.high = plan.high ^ keyHigh
    draft.low = plan.low ^ keyLow || 1
    draft.set = Math.floor(((draft.low >>> 0) / 0x1_0000_0000) * this.#sets)
    draft.place = this.#begin + draft.set
  }

  ask(draft: Draft): void {
    const { plan, cost, set } = draft
    draft.way = this.#wayOf(set, draft.high, draft.low)
    const count = this.#f64[this.#countAt(set, draft.way)] as number
    draft.waitMs = count + cost <= plan.limit.limit ? 0 : retryMs
    draft.remaining = Math.max(0, plan.limit.limit - count)
    draft.resetMs = 0
  }

  take(draft: Draft): void {
    const { set, cost } = draft
    if (draft.way < 0 && this.#f64[this.#countAt(set, -1)] === 0) {
      draft.way = this.#wayOf(set, 0, 0)
      if (draft.way >= 0) this.#tag(set, draft.way, draft.high, draft.low)
    }
    const count = this.#countAt(set, draft.way)
    this.#f64[count] = (this.#f64[count] as number) + cost
  }

  /** Ends what `take` began in a cell. Wants the lock of the set. */
  giveBack(set: number, way: number, cost: number): void {
    const count = this.#countAt(set, way)
    const left = (this.#f64[count] as number) - cost
    this.#f64[count] = left
    if (left === 0 && way >= 0) this.#tag(set, way, 0, 0)
  }

  #wayOf(set: number, high: number, low: number): number {
    const tags = this.#tags + set * this.#ways * 2
    for (let way = 0; way < this.#ways; way++) {
      if (this.#i32[tags + way] === low && this.#i32[tags + this.#ways + way] === high) return way
    }
    return -1
  }

  #tag(set: number, way: number, high: number, low: number): void {
    const tag = this.#tags + set * this.#ways * 2 + way
    this.#i32[tag] = low
    this.#i32[tag + this.#ways] = high
  }

  /** The count of a cell, or that of all who have none. */
  #countAt(set: number, way: number): number {
    return way < 0 ? this.#together + set * setWords : this.#cells + set * this.#ways + way
  }
}
