import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import { LoopLoad, LoopWatch } from './loop.ts'
import type { LoadOptions, Priority } from './options.ts'
import { UpstreamLoad } from './upstream.ts'

/** That requests are refused because there are too many: told when it begins, once a minute, and when it has ended. */
export interface LoadShift {
  /** Where they queue: at an upstream, by its name; undefined: in our own thread. */
  readonly upstream: string | undefined
  readonly state: 'began' | 'goes-on' | 'over'
  /** Requests that were refused since it began. */
  readonly refused: number
  /** How long it has gone on. */
  readonly forMs: number
}

/** Refuses what is too much, so that what is taken is answered in its time. One for each thread. */
export class Shedder {
  #options: LoadOptions
  readonly #clock: Clock
  readonly #tell: (shift: LoadShift) => void
  readonly #loop: LoopLoad
  readonly #watch: LoopWatch
  readonly #upstreams = new Map<string, UpstreamLoad>()
  readonly #shifts = new Map<string | undefined, Shift>()
  #refused = 0
  #turn = 0

  constructor(options: LoadOptions, clock: Clock, tell: (shift: LoadShift) => void) {
    this.#options = options
    this.#clock = clock
    this.#tell = tell
    this.#loop = new LoopLoad(options.lag)
    this.#watch = new LoopWatch(this.#loop, clock, (now) => this.#review(now))
  }

  /** Requests refused since the start. */
  get refused(): number {
    return this.#refused
  }

  /** How late the thread lately came to its work, in milliseconds. */
  get lagMs(): number {
    return this.#loop.recentMs
  }

  /** By the names of the configuration. */
  get upstreams(): ReadonlyMap<string, UpstreamLoad> {
    return this.#upstreams
  }

  /** Takes other numbers over. Upstreams that are not among `names` are forgotten. */
  follow(options: LoadOptions, names: ReadonlySet<string>): void {
    this.#options = options
    this.#loop.targetMs = options.lag
    for (const [name, load] of this.#upstreams) {
      if (names.has(name)) load.follow(options.upstreams)
      else this.#upstreams.delete(name)
    }
  }

  /** How loaded an upstream is: kept for as long as the name is configured. */
  upstream(name: string): UpstreamLoad {
    let load = this.#upstreams.get(name)
    if (load === undefined) {
      load = new UpstreamLoad(
        this.#options.upstreams,
        () => this.#clock.monotonic(),
        () => this.#loop.recentMs,
      )
      this.#upstreams.set(name, load)
    }
    return load
  }

  /** Whether a request is too much for our own thread. `now` is the monotonic time at which its turn came. */
  refuses(priority: Priority, now: number): boolean {
    this.#watch.wake(now)
    return this.#loop.refuses(priority, now)
  }

  /** The refusal of a request that is too much for an upstream, or for our own thread. */
  refusal(upstream: string | undefined, now: number): Refusal {
    this.#refused++
    const shift = this.#shifts.get(upstream)
    if (shift === undefined) {
      this.#shifts.set(upstream, { beganAt: now, toldAt: now, lastAt: now, refused: 1 })
      this.#tell({ upstream, state: 'began', refused: 1, forMs: 0 })
    } else {
      shift.refused++
      shift.lastAt = now
    }
    this.#turn = (this.#turn + evenly) % 1
    return refusals[Math.floor(this.#turn * refusals.length)] as Refusal
  }

  close(): void {
    this.#watch.stop()
    for (const [upstream, shift] of this.#shifts) this.#end(upstream, shift)
  }

  #review(now: number): void {
    for (const [upstream, shift] of this.#shifts) {
      if (now - shift.lastAt > overAfterMs) this.#end(upstream, shift)
      else if (now - shift.toldAt > tellEveryMs) {
        shift.toldAt = now
        this.#tell({ upstream, state: 'goes-on', refused: shift.refused, forMs: now - shift.beganAt })
      }
    }
  }

  #end(upstream: string | undefined, { beganAt, lastAt, refused }: Shift): void {
    this.#shifts.delete(upstream)
    this.#tell({ upstream, state: 'over', refused, forMs: lastAt - beganAt })
  }
}

interface Shift {
  readonly beganAt: number
  toldAt: number
  lastAt: number
  refused: number
}

/** One to five seconds: those who are refused together do not come back together. They are made once, since a refusal has to cost little. */
const refusals: readonly Refusal[] = [1, 2, 3, 4, 5].map((seconds) =>
  refuse('overloaded', { retryAfterMs: seconds * 1_000 }),
)
/** Steps of the golden section spread over a circle evenly, however many there are. */
const evenly = (Math.sqrt(5) - 1) / 2
const overAfterMs = 5_000
const tellEveryMs = 60_000
