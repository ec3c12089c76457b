import { type Holding, Holdings } from './callers.ts'
import type { LoadOptions, Priority } from './options.ts'
import { UsualTime } from './usual-time.ts'
import { type Crowding, elasticity, LoadWindow } from './window.ts'

/** A request on its way to an upstream: the one small object that is kept of it. */
export class Place {
  readonly #load: UpstreamLoad
  readonly usual: UsualTime
  /** Which reservations it is among. */
  readonly round: number
  /** What it counts towards. */
  readonly holding: Holding
  /** When the upstream had all of it. */
  begunAt = 0
  /** How many waited then, itself included; 0 before. */
  crowd = 0
  /** Whether it is one of those by which the usual time is found at all. */
  early = false
  #over = false

  constructor(load: UpstreamLoad, usual: UsualTime, round: number, holding: Holding) {
    this.#load = load
    this.usual = usual
    this.round = round
    this.holding = holding
  }

  /** The upstream has all of it: from now on the upstream is what it waits for. */
  begin(): void {
    if (this.crowd === 0 && !this.#over) this.#load.begin(this)
  }

  /** The head of its answer is there. What follows, an event stream for one, may take as long as it likes. */
  answered(status: number): void {
    this.#end(status)
  }

  /** It is over. Where no answer came, all that is known is how long none did. */
  end(): void {
    this.#end(undefined)
  }

  #end(status: number | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#load.end(this, status)
  }
}

/**
 * How many requests may wait for one upstream: as many as it answers without a queue.
 *
 * A queue stands where most answers take longer than is usual for their routes while all the time some are waited for. A burst that
 * drains is none (CoDel, RFC 8289 §4.2). Then the limit falls by as much as the answers were late, as in the gradient of
 * Netflix' concurrency-limits, and rises again step by step when they no longer are. As long as it holds and somebody is refused, now and
 * then half as many are let through for a moment: where that is much quicker, a queue had been taken for usual; where it is
 * no quicker, there is no queue, the upstream has become slow, and refusing does not mend that.
 */
export class UpstreamLoad {
  #options: LoadOptions['upstreams']
  readonly #now: () => number
  /** How late our own thread comes to its work: that much of a wait is not the upstream's. */
  readonly #lagMs: () => number
  readonly #usual = new Map<string, UsualTime>()
  readonly #holdings = new Holdings()
  /** What the usual times are multiplied with: found out for all routes together while the limit holds. */
  #pace = 1
  #limit: number
  #waiting = 0
  /** Admitted and not begun: they have a place, for a while. */
  #coming = 0
  #round = 1
  #roundAt = 0
  #window = new LoadWindow(0, 0, 0)
  /** What began before says nothing of what holds since. */
  #changedAt = 0
  /** Somebody was refused in this window. */
  #pressed = false
  /** By how much answers were late in the last windows, in whole waits. */
  #late = 0
  /** When a queue was last found; never, where all is let through. */
  #queuedAt = Number.NEGATIVE_INFINITY
  /** The most crowded window since then, to hold others against. */
  #worst: Crowding | undefined
  /** How often in a row fewer were answered no sooner. */
  #doubts = 0
  /** When half as many are tried next, and what the limit was before, while they are. */
  #probeAt = 0
  #held = 0
  /** From when on it is asked whether even the most are too many. */
  #pressAt = 0

  constructor(options: LoadOptions['upstreams'], now: () => number, lagMs: () => number) {
    this.#options = options
    this.#now = now
    this.#lagMs = lagMs
    this.#limit = options.most
  }

  /** Requests that may wait at once. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** Requests that wait for the head of their answer. */
  get waiting(): number {
    return this.#waiting
  }

  /** Other numbers hold from now on; what was learned stays. */
  follow(options: LoadOptions['upstreams']): void {
    this.#options = options
    this.#limit = this.#isLimited ? Math.max(options.least, Math.min(this.#limit, options.most)) : options.most
  }

  /** The usual time of a route, which outlives its configuration. */
  usual(route: string): UsualTime {
    let usual = this.#usual.get(route)
    if (usual === undefined) {
      if (this.#usual.size >= routesMax) this.#usual.clear() // so many names come of reloads alone
      usual = new UsualTime()
      this.#usual.set(route, usual)
    }
    return usual
  }

  /**
   * A place for one more, or none. Of several priorities the lower ones are refused sooner, and of several callers the one who holds
   * more than is left for the others: by address, as limits count them. `now` is when it came.
   */
  admit(usual: UsualTime, priority: Priority, caller: string, now: number): Place | undefined {
    const holding = this.#holdings.of(caller, now)
    const places = this.#limit * shares[priority] + this.#holdings.beyondHalf(holding, this.#limit)
    if (
      (this.#waiting + this.#coming >= places && !(this.#lapse() && this.#waiting < places)) ||
      this.#holdings.isGreedy(holding, places - this.#waiting - this.#coming, now)
    ) {
      this.#pressed = true
      return undefined
    }
    return this.#place(usual, holding)
  }

  /** A place for one who is never refused. */
  admitAnyway(usual: UsualTime, caller: string, now: number): Place {
    return this.#place(usual, this.#holdings.of(caller, now))
  }

  #place(usual: UsualTime, holding: Holding): Place {
    this.#coming++
    this.#holdings.take(holding)
    return new Place(this, usual, this.#round, holding)
  }

  /** For `Place`. */
  begin(place: Place): void {
    if (place.round === this.#round) this.#coming--
    const now = this.#now()
    // Nobody waits: whatever comes now is no more of what was too much.
    if (this.#waiting === 0 && this.#isLimited && now - this.#queuedAt > this.#holdMs) this.#open()
    place.begunAt = now
    place.crowd = ++this.#waiting
    place.early = place.usual.isEarly()
    this.#window.noteMost(this.#waiting)
  }

  /** For `Place`. */
  end(place: Place, status: number | undefined): void {
    this.#holdings.giveBack(place.holding)
    if (place.crowd === 0) {
      if (place.round === this.#round) this.#coming--
      return
    }
    const now = this.#now()
    const { usual, early, begunAt, crowd } = place
    const waited = now - begunAt
    this.#window.noteLeast(--this.#waiting)
    // An error that is quick is no sign of health, and anybody can ask for what is not there. That it was slow is as telling as an answer.
    const telling = status !== undefined && status < 400
    if (telling && !(this.#isLimited && usual.known)) usual.learn(waited / this.#pace, early, now)
    if (early && !telling) usual.missed()
    if (begunAt < this.#changedAt || !(usual.known || this.#pressed)) return
    const usualMs = usual.ms * this.#pace
    const allowed = usualMs * this.#options.tolerance + this.#options.slack + 2 * this.#lagMs()
    if (telling || waited > allowed) this.#window.add(crowd, waited, usualMs, allowed)
    if (this.#window.isWhole(now)) this.#turn(now)
  }

  get #isLimited(): boolean {
    return this.#queuedAt !== Number.NEGATIVE_INFINITY
  }

  /** How long a limit holds without a queue: long enough to look a few times, however slow the upstream is. */
  get #holdMs(): number {
    return Math.max(5_000, 8 * this.#window.lengthBeforeMs)
  }

  get #probeEveryMs(): number {
    return Math.max(5_000, 32 * this.#window.lengthBeforeMs)
  }

  /** Judges a window, and begins the next one. */
  #turn(now: number): void {
    const window = this.#window
    const limit = this.#limit
    if (this.#held > 0) this.#endProbe(window.crowding, now)
    else if (this.#pressed && !this.#isLimited && now >= this.#pressAt) this.#press(window.crowding, now)
    else if (window.isQueued(Math.min(this.#options.least, limit))) this.#queue(window, now)
    else this.#ease(window, now)
    if (this.#limit < limit || this.#held > 0) this.#changedAt = now
    this.#pressed = false
    this.#window = new LoadWindow(now, this.#waiting, now - window.begunAt)
  }

  /** Answers are late: by little for half a second, or by much for two windows, before anybody is refused. */
  #queue(window: LoadWindow, now: number): void {
    this.#late += 1 / window.gradient - 1
    if (!this.#isLimited && this.#late < 1) return
    if (!this.#isLimited) this.#probeAt = now + this.#probeEveryMs
    this.#queuedAt = now
    const { crowding } = window
    if (this.#isSlow(crowding)) return this.#slow(crowding.times, now)
    const { least } = this.#options
    const base = Math.min(this.#limit, window.most)
    this.#limit = Math.max(least, base * Math.max(0.5, window.gradient))
    if (this.#worst === undefined || crowding.crowd > this.#worst.crowd || crowding.crowd * 1.5 <= this.#worst.crowd)
      this.#worst = crowding
    if (this.#pressed && (now >= this.#probeAt || (this.#doubts > 0 && this.#limit === least))) this.#probe(crowding)
  }

  /** Answers are not late: one more, and more after a while. */
  #ease(window: LoadWindow, now: number): void {
    this.#late = 0
    if (!this.#isLimited) return
    if (now - this.#queuedAt > this.#holdMs) return this.#open()
    if (this.#pressed && now >= this.#probeAt) return this.#probe(window.crowding)
    this.#limit = Math.min(this.#options.most, this.#limit + Math.sqrt(this.#limit) * (window.isAtEase ? 1 : 0.5))
  }

  /** Even the most are waiting, and nobody has found them late: were they all as late from the beginning? */
  #press(crowding: Crowding, now: number): void {
    this.#queuedAt = now
    this.#probe(crowding)
  }

  /** Lets half as many through for a window. `before` is what to hold it against. */
  #probe(before: Crowding, held = this.#limit): void {
    this.#worst = before
    this.#held = held
    this.#limit = Math.max(1, this.#limit / 2)
  }

  #endProbe(crowding: Crowding, now: number): void {
    const held = this.#held
    this.#held = 0
    const sooner = this.#worst === undefined ? Number.NaN : elasticity(this.#worst, crowding)
    if (Number.isNaN(sooner) && this.#limit > 1) return this.#probe(this.#worst ?? crowding, held)
    this.#probeAt = now + this.#probeEveryMs
    if (this.#isSlow(crowding)) return this.#slow(crowding.times, now)
    // Quicker than usual: a queue has been taken for usual.
    if (crowding.times < 0.9) this.#pace *= Math.max(0.1, crowding.times)
    if (sooner > 0.5 && this.#limit >= this.#options.least) this.#probe({ ...crowding, times: 1 }, this.#limit)
    else this.#limit = held
  }

  /** Whether it was three times in a row no quicker with fewer. */
  #isSlow(crowding: Crowding): boolean {
    const sooner = this.#worst === undefined ? Number.NaN : elasticity(this.#worst, crowding)
    if (!Number.isNaN(sooner)) this.#doubts = sooner < 0.25 ? this.#doubts + 1 : 0
    return this.#doubts >= 3
  }

  /** It has become slow. That is usual from now on, and no reason to refuse anybody. */
  #slow(times: number, now: number): void {
    this.#pace *= Math.min(100, Math.max(1, times))
    this.#pressAt = now + 60_000
    this.#open()
  }

  #open(): void {
    this.#limit = this.#options.most
    this.#queuedAt = Number.NEGATIVE_INFINITY
    this.#worst = undefined
    this.#held = 0
    this.#doubts = 0
    this.#late = 0
  }

  /** A place is kept for a second for somebody on the way here: a body that trickles in holds none for longer. */
  #lapse(): boolean {
    const now = this.#now()
    if (now - this.#roundAt < 1_000) return false
    this.#round++
    this.#roundAt = now
    this.#coming = 0
    return true
  }
}

/** Of its limit; what is less important leaves some of it to others, and what is more important may go beyond. */
const shares: Readonly<Record<Priority, number>> = { low: 0.75, normal: 1, high: 1.25 }
const routesMax = 10_000
