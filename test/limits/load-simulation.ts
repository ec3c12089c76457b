import { type LoadOptions, loadOptions, type Priority } from '../../src/limits/load/options.ts'
import { UpstreamLoad } from '../../src/limits/load/upstream.ts'
import { type TestClock, testClock } from '../support/clock.ts'

/** Events in the order of their time: the world of a test that takes no time. */
export class World {
  readonly clock: TestClock = testClock()
  readonly #events: Event[] = []
  #order = 0

  get now(): number {
    return this.clock.monotonic()
  }

  in(ms: number, run: () => void): void {
    const event = { at: this.now + ms, order: this.#order++, run }
    let at = this.#events.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, this.#events[parent] as Event)) break
      this.#events[at] = this.#events[parent] as Event
      at = parent
    }
    this.#events[at] = event
  }

  until(ms: number): void {
    for (let next = this.#events[0]; next !== undefined && next.at <= ms; next = this.#events[0]) {
      this.#take()
      this.clock.advance(next.at - this.now)
      next.run()
    }
    this.clock.advance(ms - this.now)
  }

  #take(): void {
    const last = this.#events.pop() as Event
    if (this.#events.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#events.length) break
      const right = this.#events[child + 1]
      if (right !== undefined && isBefore(right, this.#events[child] as Event)) child++
      const lesser = this.#events[child] as Event
      if (!isBefore(lesser, last)) break
      this.#events[at] = lesser
      at = child
    }
    this.#events[at] = last
  }
}

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** An API with so many workers, each at one request at a time, and a queue without an end. */
export class Workers {
  readonly #world: World
  readonly #queue: (() => void)[] = []
  #head = 0
  #busy = 0
  count: number

  constructor(world: World, count: number) {
    this.#world = world
    this.count = count
  }

  ask(serviceMs: number, done: () => void): void {
    const work = (): void => {
      this.#busy++
      this.#world.in(serviceMs, () => {
        this.#busy--
        done()
        this.#next()
      })
    }
    this.#queue.push(work)
    this.#next()
  }

  #next(): void {
    while (this.#busy < this.count && this.#head < this.#queue.length) (this.#queue[this.#head++] as () => void)()
  }
}

/** The same numbers every time (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN
}

export const constant = (ms: number) => (): number => ms

/** Times without a memory, as those of many small things together are. */
export const exponential = (ms: number, random: () => number) => (): number => -Math.log(1 - random()) * ms

/** A route of an upstream, and how long its work takes. */
export interface SimulatedRoute {
  /** Of all requests. */
  readonly share: number
  readonly serviceMs: () => number
  readonly priority?: Priority
}

export interface Scenario {
  readonly workers: number
  readonly routes: readonly SimulatedRoute[]
  /** Requests a second that are offered at a moment, in milliseconds, whether answers come or not. */
  readonly offered: (at: number) => number
  readonly seconds: number
  /** Everything is let through. */
  readonly unlimited?: true
  readonly options?: Partial<LoadOptions['upstreams']>
  /** How late our own thread is: it adds to every answer. */
  readonly lagMs?: (at: number) => number
  /** Whose request one is; the same caller's where it is left out. */
  readonly caller?: () => string
  /** Changes the world on the way. */
  readonly events?: (world: World, workers: Workers) => void
}

/** What came of a request. */
export interface Fate {
  readonly at: number
  readonly route: number
  /** Undefined: it was refused. */
  readonly waitedMs: number | undefined
}

/** Offers requests to an upstream behind an `UpstreamLoad`. */
export function simulate(scenario: Scenario): { readonly fates: readonly Fate[]; readonly load: UpstreamLoad } {
  const { workers: count, routes, offered, seconds, unlimited, options, lagMs = constant(0), events } = scenario
  const { caller = () => 'somebody' } = scenario
  const random = numbers(11)
  const world = new World()
  const workers = new Workers(world, count)
  const load = new UpstreamLoad(
    { ...loadOptions.parse({}).upstreams, ...options },
    () => world.now,
    () => lagMs(world.now),
  )
  const fates: Fate[] = []
  events?.(world, workers)
  world.in(0, arrive)
  world.until(seconds * 1_000)
  return { fates, load }

  function arrive(): void {
    const at = world.now
    const route = draw()
    const { serviceMs, priority = 'normal' } = routes[route] as SimulatedRoute
    const place = unlimited ? undefined : load.admit(load.usual(`route ${route}`), priority, caller(), at)
    if (place === undefined && !unlimited) fates.push({ at, route, waitedMs: undefined })
    else {
      place?.begin()
      workers.ask(serviceMs(), () =>
        world.in(lagMs(world.now), () => {
          place?.answered(200)
          fates.push({ at, route, waitedMs: world.now - at })
        }),
      )
    }
    world.in(-Math.log(1 - random()) * (1_000 / offered(at)), arrive)
  }

  function draw(): number {
    let left = random()
    for (const [index, { share }] of routes.entries()) {
      if (left < share) return index
      left -= share
    }
    return 0
  }
}

/** Of the requests that were offered between two moments, in seconds. */
export function between(fates: readonly Fate[], from: number, to: number) {
  const those = fates.filter(({ at }) => at >= from * 1_000 && at < to * 1_000)
  const waits = those.flatMap(({ waitedMs }) => waitedMs ?? [])
  return {
    offered: those.length,
    refused: those.length - waits.length,
    perSecond: waits.length / (to - from),
    p50Ms: quantile(waits, 0.5),
    p99Ms: quantile(waits, 0.99),
  }
}
