import { headWords, type Kind } from './cells.ts'
import type { Draft, Plan } from './table.ts'

const countWord = headWords

export const fixedBytes = (countWord + 1) * 8

/**
 * So many per window. Windows begin on the wall clock, as people expect of a minute or an hour, but on the wall clock
 * as it stood when the process began to count, carried on by time that never runs backwards: who sets the clock
 * neither renews budgets nor keeps them spent. A cell counts until its window ends.
 */
export class FixedWindow implements Kind {
  readonly #f64: Float64Array
  /** Wall time when monotonic time was 0, in whole milliseconds. */
  readonly #wallMs: number

  constructor(memory: SharedArrayBuffer, wallMs: number) {
    this.#f64 = new Float64Array(memory)
    this.#wallMs = wallMs
  }

  ask(cell: number, draft: Draft, now: number): void {
    const { plan, cost } = draft
    const end = this.#endOf(plan, now)
    const until = this.#f64[cell] as number
    const count = until < end ? 0 : (this.#f64[cell + countWord] as number)
    const left = Math.max(end, until) - now
    draft.waitMs = count + cost <= plan.limit.limit ? 0 : left
    draft.remaining = Math.max(0, plan.limit.limit - count)
    draft.resetMs = left
  }

  add(cell: number, plan: Plan, cost: number, now: number): void {
    const end = this.#endOf(plan, now)
    if ((this.#f64[cell] as number) < end) {
      this.#f64[cell] = end
      this.#f64[cell + countWord] = 0
    }
    this.#f64[cell + countWord] = (this.#f64[cell + countWord] as number) + cost
  }

  merge(from: number, into: number): void {
    const [ends, others] = [this.#f64[from] as number, this.#f64[into] as number]
    const [count, other] = [this.#f64[from + countWord] as number, this.#f64[into + countWord] as number]
    this.#f64[into + countWord] = ends === others ? Math.max(count, other) : ends > others ? count : other
  }

  used(cell: number): number {
    return this.#f64[cell + countWord] as number
  }

  #endOf({ windowMs }: Plan, now: number): number {
    return (Math.floor((now + this.#wallMs) / windowMs) + 1) * windowMs - this.#wallMs
  }
}
