import type { Clock } from '../../kernel/clock.ts'
import { type Priority, priorities } from './options.ts'

/**
 * How much of what comes the thread takes, by how late it comes to its work.
 *
 * All requests of a thread stand in one queue, that of its event loop, and a timer stands in it with them: it is as late as they are. Where
 * even the least late of a tenth of a second was too late, the queue stands (CoDel, RFC 8289 §4.2), and more is refused, by as much
 * as it was too late; where it was not, less. What is less important goes first.
 *
 * That takes turns of the loop, and in a flood each turn is longer than the one before. So within a turn too what has waited for
 * too long is refused: little longer than it should while the queue stands, and twenty times as long otherwise, so that a burst is none.
 */
export class LoopLoad {
  targetMs: number
  /** 0: all is taken. Each whole number above it is a priority of which nothing is taken any more. */
  #level = 0
  /** Of each priority: how many asked in this interval, and how much of a refusal is due. */
  readonly #asked = [0, 0, 0]
  readonly #due = [0, 0, 0]
  /** Admitted in this turn, and how many are whatever happens. */
  #admitted = 0
  #taken = takenSoon
  /** When it was last found in time. */
  #lateSince = 0
  #samples = 0
  #leastMs = Number.POSITIVE_INFINITY
  #until = 0
  /** When the timer should come next. */
  #dueAt = Number.POSITIVE_INFINITY
  readonly #recent = new Float64Array(recentMax)
  #at = 0
  /** How late the thread was at most in the last samples: what an answer may have waited for us. */
  recentMs = 0

  constructor(targetMs: number) {
    this.targetMs = targetMs
  }

  /** The share of requests of a priority that is refused. */
  refusedShare(priority: Priority): number {
    const rank = ranks[priority]
    return Math.max(0, Math.min(1, this.#level - rank, shareMax))
  }

  /** The timer is set: it should come at that moment. */
  expect(dueAt: number): void {
    this.#dueAt = dueAt
  }

  /** Whether a request is one too many. `now` is when its turn came. */
  refuses(priority: Priority, now: number): boolean {
    const rank = ranks[priority]
    ;(this.#asked[rank] as number)++
    if (this.#admitted < (rank === 0 ? this.#taken / 4 : this.#taken)) {
      this.#admitted++
      return false
    }
    if (now - this.#dueAt > this.targetMs * (this.#level > 0 ? 1 : burstTimes) * (rank + 1)) return true
    if (this.#level <= rank) {
      this.#admitted++
      return false
    }
    // In even steps rather than by chance: of three in four, every fourth is taken.
    const due = (this.#due[rank] as number) + this.refusedShare(priority)
    this.#due[rank] = due >= 1 ? due - 1 : due
    if (due < 1) this.#admitted++
    return due >= 1
  }

  /** A timer came so late. */
  sample(lateMs: number, now: number): void {
    this.#recent[this.#at] = lateMs
    this.#at = (this.#at + 1) % recentMax
    this.recentMs = Math.max(...this.#recent)
    if (lateMs < this.#leastMs) this.#leastMs = lateMs
    this.#admitted = 0
    if (++this.#samples < samplesMin || now < this.#until) return
    const times = this.#leastMs / this.targetMs
    if (times <= 1) this.#lateSince = now
    this.#taken = now - this.#lateSince > longMs ? takenLong : takenSoon
    if (times > 1) this.#level = Math.min(priorities.length, this.#passed(this.#level) + stepUp * Math.min(2, times))
    else if (times < 0.5) this.#level = this.#fallen(this.#level - stepDown)
    this.#samples = 0
    this.#leastMs = Number.POSITIVE_INFINITY
    this.#asked.fill(0)
    this.#until = now + intervalMs
  }

  /** On the way up: a priority of which nobody asks is no help, and is passed at once. */
  #passed(level: number): number {
    for (let rank = Math.floor(level); rank < priorities.length - 1 && this.#asked[rank] === 0; rank++) level = rank + 1
    return level
  }

  /** And on the way down. */
  #fallen(level: number): number {
    while (level > 0 && this.#asked[Math.floor(level)] === 0) level = Math.ceil(level) - 1
    return Math.max(0, level)
  }
}

/** Measures how late the thread is, for as long as somebody asks it for something: an idle house does not wake for it. */
export class LoopWatch {
  readonly #clock: Clock
  readonly #load: LoopLoad
  readonly #beat: (now: number) => void
  #timer: NodeJS.Timeout | undefined
  #dueAt = 0
  /** Beats since there was work, and whether there was some in this one. */
  #idle = 0
  #busy = false

  constructor(load: LoopLoad, clock: Clock, beat: (now: number) => void) {
    this.#load = load
    this.#clock = clock
    this.#beat = beat
  }

  /** To be called with every request: there is work. */
  wake(now: number): void {
    this.#busy = true
    if (this.#timer !== undefined) return
    this.#dueAt = now + everyMs
    this.#load.expect(this.#dueAt)
    this.#timer = setInterval(() => this.#tick(), everyMs).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = this.#clock.monotonic()
    this.#load.sample(Math.max(0, now - this.#dueAt), now)
    this.#dueAt = now + everyMs
    this.#load.expect(this.#dueAt)
    this.#beat(now)
    this.#idle = this.#busy ? 0 : this.#idle + 1
    this.#busy = false
    if (this.#idle > idleMax) this.stop()
  }
}

const ranks: Readonly<Record<Priority, number>> = { low: 0, normal: 1, high: 2 }
const stepUp = 0.1
const stepDown = 0.02
/** While no queue stands, a request may wait for so many times the target. */
const burstTimes = 20
/** One in twenty is taken whatever happens, or nobody would ever see that it is better. */
const shareMax = 0.95
/**
 * And so many in every turn: a burst at first, however cold the machine is or whoever else keeps it busy. Where few are too much for
 * long already, refusing does not help.
 */
const takenSoon = 256
const takenLong = 10
const longMs = 5_000
const intervalMs = 100
const samplesMin = 2
const recentMax = 16
const everyMs = 10
/** Ten seconds without work, and long enough for what was refused to be told of. */
const idleMax = 1_000
