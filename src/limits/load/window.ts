/** How crowded it was when answers were asked for, and how many times the usual time they took: both on average. */
export interface Crowding {
  readonly crowd: number
  readonly times: number
}

/** 1: the wait is shorter by as much as fewer wait, as in a queue; 0: it is as long as before; NaN: too alike to tell. */
export function elasticity(before: Crowding, after: Crowding): number {
  const fewer = before.crowd / after.crowd
  return fewer < 1.5 ? Number.NaN : Math.log(before.times / after.times) / Math.log(fewer)
}

/** The answers of a tenth of a second, or of as long as it takes until there are ten, and until slow ones can be among them. */
export class LoadWindow {
  readonly begunAt: number
  /** How long the one before took. */
  readonly lengthBeforeMs: number
  #answers = 0
  #late = 0
  /** How few, and how many, waited at any time of it. */
  #least: number
  #most: number
  #crowd = 0
  #times = 0
  #usualMs = 0
  #allowed = 0

  constructor(begunAt: number, waiting: number, lengthBeforeMs: number) {
    this.begunAt = begunAt
    this.lengthBeforeMs = lengthBeforeMs
    this.#least = waiting
    this.#most = waiting
  }

  noteLeast(waiting: number): void {
    if (waiting < this.#least) this.#least = waiting
  }

  noteMost(waiting: number): void {
    if (waiting > this.#most) this.#most = waiting
  }

  /** An answer was there after `waited`, when it should have been after `allowed`. */
  add(crowd: number, waited: number, usualMs: number, allowed: number): void {
    this.#answers++
    this.#crowd += crowd
    this.#times += waited / usualMs
    this.#usualMs += usualMs
    if (waited <= allowed) return
    this.#late++
    this.#allowed += allowed / waited
  }

  isWhole(now: number): boolean {
    return this.#answers >= answersMin && now - this.begunAt >= Math.max(lengthMs, (2 * this.#usualMs) / this.#answers)
  }

  /** Most answers were late, and at no time fewer than `least` were waited for: one leaves before the next can come. */
  isQueued(least: number): boolean {
    return this.#late * 2 > this.#answers && this.#least + 1 >= least
  }

  /** Hardly an answer was late. */
  get isAtEase(): boolean {
    return this.#late * 4 < this.#answers
  }

  get most(): number {
    return this.#most
  }

  get crowding(): Crowding {
    return { crowd: this.#crowd / this.#answers, times: this.#times / this.#answers }
  }

  /** The share of their time that answers should have taken; 1 where none was late. */
  get gradient(): number {
    return (this.#answers - this.#late + this.#allowed) / this.#answers
  }
}

const lengthMs = 100
const answersMin = 10
