import { type Draft, type Plan, setWords, type Table, type TablePlace } from './table.ts'

/**
 * A way to count in a cell. A cell is a run of words of 8 bytes, called by the place of the first; all zeros is a
 * caller who has spent nothing. Its head is what every kind has: until when it counts (milliseconds), whose limit it
 * is, and of how many units.
 */
export interface Kind {
  /** Says in the draft whether its cost fits. Writes nothing. */
  ask(cell: number, draft: Draft, now: number): void
  /** Adds to what is spent, fit or not, and says until when that counts. A count only ever errs upwards. */
  add(cell: number, plan: Plan, cost: number, now: number): void
  /**
   * Makes of `into` what is at least as much as either was, now and later. Both are of one limit. The head is the
   * table's business.
   */
  merge(from: number, into: number): void
  /** Units that are spent, or more. */
  used(cell: number, now: number): number
}

/** Words of a cell that the table keeps. */
export const headWords = 3
const untilWord = 0
const limitWord = 1
const unitsWord = 2

/** Cells of a set that are callers' at least, however many rests there are. */
const callersMin = 4

/**
 * Cells in sets of a fixed size. A caller's hash says the set, and the caller is in one cell of it. Cells in which
 * nothing is left are taken first. Where there is none, the caller who has spent the smallest share is put aside, and
 * not forgotten: for each limit of which somebody was put aside the set keeps a *rest*, a cell like the others that is
 * at least as much as each of them had spent. Who is not in the set begins from the rest of their limit. So whoever
 * comes back finds at least what they had spent, and a full table never lets anybody go free (Metwally, Agrawal and El
 * Abbadi, “Efficient computation of frequent and top-k elements in data streams”, 2005: the estimate is never below
 * the truth).
 *
 * Newcomers pay for it, and only while a table is too small: a stranger inherits about as many units as, within the
 * window, strangers came to a set for each of its cells. Rests are kept by limit, since by time or by share the
 * callers of one would pay for those of another. Where a set has more limits than it can keep rests of, what is put
 * aside of the others is kept in units, whatever limit they were of: no share of one limit says anything of another,
 * but a stranger's one unit is one unit.
 */
export class Cells implements Table {
  readonly #kind: Kind
  readonly #f64: Float64Array
  readonly #i32: Int32Array
  readonly #begin: number
  readonly #sets: number
  readonly #ways: number
  readonly #words: number
  /** Tags: of each set first the low halves of all its cells, then the high ones. */
  readonly #tags: number
  /**
   * Of each set: until when those count who were put aside without a rest, when the last of them was, and how many
   * units any had spent.
   */
  readonly #lost: number
  readonly #cells: number
  /** A cell that nobody writes. */
  readonly #blank: number

  constructor(memory: SharedArrayBuffer, { begin, sets, ways, cellWords }: TablePlace, kind: Kind) {
    this.#kind = kind
    this.#f64 = new Float64Array(memory)
    this.#i32 = new Int32Array(memory)
    this.#begin = begin
    this.#sets = sets
    this.#ways = ways
    this.#words = cellWords
    this.#tags = begin * 2
    this.#lost = begin + sets * ways
    this.#cells = this.#lost + sets * setWords
    this.#blank = this.#cells + sets * ways * cellWords
  }

  find(draft: Draft, keyHigh: number, keyLow: number): void {
    const { plan } = draft
    draft.high = (plan.high ^ keyHigh) & ~1
    draft.low = plan.low ^ keyLow || 1
    draft.set = Math.floor(((draft.low >>> 0) / 0x1_0000_0000) * this.#sets)
    draft.place = this.#begin + draft.set
  }

  ask(draft: Draft, now: number): void {
    const { set, plan } = draft
    draft.way = this.#wayOf(set, draft.high, draft.low)
    if (draft.way >= 0) return this.#kind.ask(this.#cellAt(set, draft.way), draft, now)
    const rest = this.#wayOf(set, plan.high | 1, plan.low || 1)
    if (rest >= 0) return this.#kind.ask(this.#cellAt(set, rest), draft, now)
    const lostMs = this.#lostMs(set, plan, now)
    if (lostMs <= 0) return this.#kind.ask(this.#blank, draft, now)
    draft.remaining = Math.max(0, plan.most - this.#lostUnits(set, plan))
    draft.waitMs = draft.cost <= draft.remaining ? 0 : lostMs
    draft.resetMs = Math.max(lostMs, plan.keepMs)
  }

  take(draft: Draft, now: number): void {
    const { set, plan, cost } = draft
    // Another claim of the same request may have put this caller aside since it was asked.
    if (draft.way < 0 || !this.#isTagged(set, draft.way, draft.high, draft.low)) {
      draft.way = this.#settle(set, draft, now)
    }
    this.#kind.add(this.#cellAt(set, draft.way), plan, cost, now)
  }

  /** Gives a cell to a caller who has none, with all that they may have spent. */
  #settle(set: number, { plan, high, low }: Draft, now: number): number {
    const way = this.#makeRoom(set, now)
    const cell = this.#cellAt(set, way)
    const rest = this.#wayOf(set, plan.high | 1, plan.low || 1)
    const from = rest < 0 ? this.#blank : this.#cellAt(set, rest)
    for (let word = 0; word < this.#words; word++) this.#f64[cell + word] = this.#f64[from + word] as number
    this.#i32[(cell + limitWord) * 2] = plan.low
    this.#i32[(cell + limitWord) * 2 + 1] = plan.high
    this.#f64[cell + unitsWord] = plan.units
    this.#tag(set, way, high, low)
    if (rest < 0 && this.#lostMs(set, plan, now) > 0) this.#kind.add(cell, plan, this.#lostUnits(set, plan), now)
    return way
  }

  /** A cell that is free, or is made so. */
  #makeRoom(set: number, now: number): number {
    for (let way = 0; way < this.#ways; way++) {
      if ((this.#f64[this.#cellAt(set, way) + untilWord] as number) <= now) {
        this.#tag(set, way, 0, 0) // the rest that it may have been is none
        return way
      }
    }
    // Each turn frees a cell or makes a rest of a caller: there are fewer turns than cells.
    for (;;) {
      const isFull = this.#rests(set) >= this.#ways - callersMin
      const way = this.#leastSpent(set, now, isFull)
      if (way < 0) return this.#lose(set, now)
      const cell = this.#cellAt(set, way)
      const rest = this.#restOf(set, cell)
      if (rest >= 0) {
        this.#merge(cell, this.#cellAt(set, rest))
        return way
      }
      this.#tag(set, way, this.#limitHigh(cell) | 1, this.#limitLow(cell) || 1)
    }
  }

  #merge(from: number, into: number): void {
    this.#kind.merge(from, into)
    const until = this.#f64[from + untilWord] as number
    if (until > (this.#f64[into + untilWord] as number)) this.#f64[into + untilWord] = until
  }

  #rests(set: number): number {
    let rests = 0
    for (let way = 0; way < this.#ways; way++) if (this.#isRest(set, way)) rests++
    return rests
  }

  /**
   * The caller with the largest share left, of those only whose limit has a rest if that is wanted; -1 where there is
   * none.
   */
  #leastSpent(set: number, now: number, rested: boolean): number {
    let found = -1
    let least = Number.POSITIVE_INFINITY
    for (let way = 0; way < this.#ways; way++) {
      if (this.#isRest(set, way)) continue
      const cell = this.#cellAt(set, way)
      const spent = this.#kind.used(cell, now) / (this.#f64[cell + unitsWord] as number)
      if (spent >= least || (rested && this.#restOf(set, cell) < 0)) continue
      least = spent
      found = way
    }
    return found
  }

  /** Puts a caller aside for whose limit no rest is to be had. */
  #lose(set: number, now: number): number {
    const way = this.#leastSpent(set, now, false)
    const cell = this.#cellAt(set, way)
    const lost = this.#lost + set * setWords
    const isOver = (this.#f64[lost] as number) <= now
    this.#f64[lost] = Math.max(this.#f64[lost] as number, this.#f64[cell + untilWord] as number)
    this.#f64[lost + 1] = now
    this.#f64[lost + 2] = Math.max(isOver ? 0 : (this.#f64[lost + 2] as number), Math.ceil(this.#kind.used(cell, now)))
    return way
  }

  /**
   * How long yet a caller of this limit counts who was put aside without a rest: no longer than one could have spent
   * ahead.
   */
  #lostMs(set: number, plan: Plan, now: number): number {
    const lost = this.#lost + set * setWords
    return Math.min(this.#f64[lost] as number, (this.#f64[lost + 1] as number) + plan.keepMs) - now
  }

  /** What such a caller may have spent. */
  #lostUnits(set: number, plan: Plan): number {
    return Math.min(plan.units, this.#f64[this.#lost + set * setWords + 2] as number)
  }

  #restOf(set: number, cell: number): number {
    return this.#wayOf(set, this.#limitHigh(cell) | 1, this.#limitLow(cell) || 1)
  }

  #limitLow(cell: number): number {
    return this.#i32[(cell + limitWord) * 2] as number
  }

  #limitHigh(cell: number): number {
    return this.#i32[(cell + limitWord) * 2 + 1] as number
  }

  #isRest(set: number, way: number): boolean {
    return ((this.#i32[this.#tagAt(set, way) + this.#ways] as number) & 1) === 1
  }

  /**
   * A hash's cell in its set. The lowest bit of `high` tells a rest, which is found by the hash of its limit, from a
   * caller.
   */
  #wayOf(set: number, high: number, low: number): number {
    const tags = this.#tagAt(set, 0)
    for (let way = 0; way < this.#ways; way++) {
      if (this.#i32[tags + way] === low && this.#i32[tags + this.#ways + way] === high) return way
    }
    return -1
  }

  #isTagged(set: number, way: number, high: number, low: number): boolean {
    const tag = this.#tagAt(set, way)
    return this.#i32[tag] === low && this.#i32[tag + this.#ways] === high
  }

  #tag(set: number, way: number, high: number, low: number): void {
    const tag = this.#tagAt(set, way)
    this.#i32[tag] = low
    this.#i32[tag + this.#ways] = high
  }

  #tagAt(set: number, way: number): number {
    return this.#tags + set * this.#ways * 2 + way
  }

  #cellAt(set: number, way: number): number {
    return this.#cells + (set * this.#ways + way) * this.#words
  }
}
