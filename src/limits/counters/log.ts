import { headWords, type Kind } from './cells.ts'
import type { Draft, Plan } from './table.ts'

/** A log's cell holds as many units as the smallest of these that its limit fits into. */
export const logSizes = [16, 64, 256, 1024] as const

const countWord = headWords
const oldestWord = headWords + 1
const entriesWord = headWords + 2

export function logBytes(size: number): number {
  return (entriesWord + size) * 8
}

/**
 * A log of every unit that was admitted, as a ring of moments: no window of `windowMs` ever admits more than `limit`,
 * and nobody is held back a moment longer than that takes.
 */
export class RequestLog implements Kind {
  readonly #f64: Float64Array
  /** Sizes are powers of two: a place is found by its lowest bits. */
  readonly #mask: number

  constructor(memory: SharedArrayBuffer, size: number) {
    this.#f64 = new Float64Array(memory)
    this.#mask = size - 1
  }

  ask(cell: number, draft: Draft, now: number): void {
    const { plan, cost } = draft
    const count = this.#f64[cell + countWord] as number
    const gone = this.#gone(cell, count, plan.windowMs, now)
    const over = count - gone + cost - plan.limit.limit
    draft.waitMs = over <= 0 ? 0 : this.#entry(cell, gone + over - 1) + plan.windowMs - now
    draft.remaining = Math.max(0, plan.limit.limit - (count - gone))
    draft.resetMs =
      over > 0 ? Math.max(0, (this.#f64[cell] as number) - now) : this.#moment(cell, now) + plan.windowMs - now
  }

  add(cell: number, plan: Plan, cost: number, now: number): void {
    const moment = this.#moment(cell, now)
    for (let unit = 0; unit < cost; unit++) {
      const count = this.#f64[cell + countWord] as number
      const oldest = this.#f64[cell + oldestWord] as number
      // Where the log is full its oldest has left the window, or is one of more than `limit`, of which the newest
      // count longest.
      if (count === plan.limit.limit) this.#f64[cell + oldestWord] = (oldest + 1) & this.#mask
      else this.#f64[cell + countWord] = count + 1
      this.#f64[cell + entriesWord + ((oldest + count) & this.#mask)] = moment
    }
    this.#f64[cell] = moment + plan.windowMs
  }

  /**
   * Of the newest of both the newer, of the next ones the newer, and so on: of either, no more are within any window.
   */
  merge(from: number, into: number): void {
    const count = this.#f64[from + countWord] as number
    const lack = count - (this.#f64[into + countWord] as number)
    const all = Math.max(count, this.#f64[into + countWord] as number)
    if (lack > 0) {
      // Older than any, where there is none.
      this.#f64[into + oldestWord] = ((this.#f64[into + oldestWord] as number) - lack) & this.#mask
      for (let index = 0; index < lack; index++) this.#f64[this.#place(into, index)] = Number.NEGATIVE_INFINITY
      this.#f64[into + countWord] = count
    }
    for (let age = 1; age <= count; age++) {
      const place = this.#place(into, all - age)
      const moment = this.#entry(from, count - age)
      if (moment > (this.#f64[place] as number)) this.#f64[place] = moment
    }
  }

  used(cell: number): number {
    return this.#f64[cell + countWord] as number
  }

  /** Now, or when the newest was admitted, if another thread's clock is a hair ahead: a log is in order. */
  #moment(cell: number, now: number): number {
    const count = this.#f64[cell + countWord] as number
    return count === 0 ? now : Math.max(now, this.#entry(cell, count - 1))
  }

  /** How many of the oldest have left the window. */
  #gone(cell: number, count: number, windowMs: number, now: number): number {
    let [least, most] = [0, count]
    while (least < most) {
      const middle = (least + most) >>> 1
      if (this.#entry(cell, middle) + windowMs <= now) least = middle + 1
      else most = middle
    }
    return least
  }

  #entry(cell: number, index: number): number {
    return this.#f64[this.#place(cell, index)] as number
  }

  #place(cell: number, index: number): number {
    return cell + entriesWord + (((this.#f64[cell + oldestWord] as number) + index) & this.#mask)
  }
}
