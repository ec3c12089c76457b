import { headWords, type Kind } from './cells.ts'
import type { Draft, Plan } from './table.ts'
import { burstLeft, burstSpent, burstWait } from './token-bucket.ts'

/** A window is counted in this many slots. */
export const slots = 32
/** The slots of a window, and the one that is leaving it. */
const ring = slots + 1

const wholeAtWord = headWords
const slotWord = headWords + 1
const totalWord = headWords + 2
const newestWord = headWords + 3
const countsWord = headWords + 4

export function slidingBytes(countBytes: 2 | 4): number {
  return Math.ceil((countsWord * 8 + ring * countBytes) / 8) * 8
}

/**
 * A sliding window and a burst, both exact towards the strict side: no window of `windowMs` ever admits more than
 * `limit`. The slot that is leaving the window counts whole until it is gone, so a caller who keeps to the brim may be
 * held back for a thirty-second part of the window longer than a log of every request would.
 */
export class SlidingWindow implements Kind {
  readonly #f64: Float64Array
  readonly #counts: Uint16Array | Uint32Array
  readonly #perWord: number
  readonly #countMax: number

  constructor(memory: SharedArrayBuffer, countBytes: 2 | 4) {
    this.#f64 = new Float64Array(memory)
    this.#counts = countBytes === 2 ? new Uint16Array(memory) : new Uint32Array(memory)
    this.#perWord = 8 / countBytes
    this.#countMax = 2 ** (8 * countBytes) - 1
  }

  ask(cell: number, draft: Draft, now: number): void {
    const { plan, cost } = draft
    const { limit } = plan.limit
    const newest = this.#f64[cell + slotWord] as number
    const slot = Math.max(newest, Math.floor(now / plan.slotMs))
    const gone = Math.min(slot - newest, ring)
    let total = this.#f64[cell + totalWord] as number
    for (let oldest = 1; oldest <= gone && total > 0; oldest++) total -= this.#countAt(cell, oldest)
    let waitMs = 0
    let left = total
    for (let oldest = gone + 1; left + cost > limit && oldest <= ring; oldest++) {
      left -= this.#countAt(cell, oldest)
      waitMs = (newest + oldest) * plan.slotMs - now
    }
    const wholeAt = this.#f64[cell + wholeAtWord] as number
    draft.waitMs = Math.max(waitMs, burstWait(wholeAt, plan, cost, now))
    draft.remaining = Math.max(0, Math.min(limit - total, burstLeft(wholeAt, plan, now)))
    draft.resetMs = draft.waitMs > 0 ? Math.max(0, (this.#f64[cell] as number) - now) : this.#until(slot, plan) - now
  }

  add(cell: number, plan: Plan, cost: number, now: number): void {
    const slot = Math.max(this.#f64[cell + slotWord] as number, Math.floor(now / plan.slotMs))
    this.#leaveBehind(cell, slot)
    const at = this.#placeOf(cell, 0)
    const before = this.#counts[at] as number
    const after = Math.min(this.#countMax, before + cost) // what is inherited may be as much as a slot holds
    this.#counts[at] = after
    this.#f64[cell + totalWord] = (this.#f64[cell + totalWord] as number) + after - before
    const wholeAt = burstSpent(this.#f64[cell + wholeAtWord] as number, plan, cost, now)
    this.#f64[cell + wholeAtWord] = wholeAt
    this.#f64[cell] = Math.max(this.#until(slot, plan), wholeAt)
  }

  merge(from: number, into: number): void {
    const newest = this.#f64[from + slotWord] as number
    this.#leaveBehind(into, Math.max(newest, this.#f64[into + slotWord] as number))
    const behind = (this.#f64[into + slotWord] as number) - newest
    let total = this.#f64[into + totalWord] as number
    for (let age = behind; age < ring; age++) {
      // By age: 0 is the newest, which is also where a whole turn of the ring leads to.
      const at = this.#placeOf(into, ring - age)
      const [count, other] = [
        this.#counts[this.#placeOf(from, ring - age + behind)] as number,
        this.#counts[at] as number,
      ]
      if (count <= other) continue
      this.#counts[at] = count
      total += count - other
    }
    this.#f64[into + totalWord] = total
    if ((this.#f64[from + wholeAtWord] as number) > (this.#f64[into + wholeAtWord] as number)) {
      this.#f64[into + wholeAtWord] = this.#f64[from + wholeAtWord] as number
    }
  }

  /** Of the burst no more units are spent than of the window: what is spent before the window has come back by now. */
  used(cell: number): number {
    return this.#f64[cell + totalWord] as number
  }

  /** When the slot has left the window. */
  #until(slot: number, { slotMs }: Plan): number {
    return (slot + ring) * slotMs
  }

  /** Forgets the slots that have left the window when this one is the newest. */
  #leaveBehind(cell: number, slot: number): void {
    const gone = slot - (this.#f64[cell + slotWord] as number)
    if (gone <= 0) return
    let total = this.#f64[cell + totalWord] as number
    for (let oldest = 1; oldest <= gone && oldest <= ring; oldest++) {
      const at = this.#placeOf(cell, oldest)
      total -= this.#counts[at] as number
      this.#counts[at] = 0
    }
    this.#f64[cell + totalWord] = total
    this.#f64[cell + newestWord] = ((this.#f64[cell + newestWord] as number) + gone) % ring
    this.#f64[cell + slotWord] = slot
  }

  #countAt(cell: number, oldest: number): number {
    return this.#counts[this.#placeOf(cell, oldest)] as number
  }

  /** Where a slot is counted: 1 is the oldest that a cell speaks of, and 0 and `ring` the newest. */
  #placeOf(cell: number, oldest: number): number {
    let place = (this.#f64[cell + newestWord] as number) + oldest
    while (place >= ring) place -= ring
    return (cell + countsWord) * this.#perWord + place
  }
}
