// Load shedding in a world of its own: queues, workers and a clock that nobody waits for. The same thing happens every time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LoopLoad } from '../../src/limits/load/loop.ts'
import { loadOptions } from '../../src/limits/load/options.ts'
import { Shedder } from '../../src/limits/load/shedder.ts'
import { type Place, UpstreamLoad } from '../../src/limits/load/upstream.ts'
import { testClock } from '../support/clock.ts'
import { between, constant, exponential, numbers, quantile, type Scenario, simulate } from './load-simulation.ts'

/** 8 workers and 20 ms of work: 400 requests a second. */
const smallApi = { workers: 8, routes: [{ share: 1, serviceMs: constant(20) }] } as const
const random = numbers(3)

test('offered three times what an upstream can do, what is admitted takes little longer than ever, and nearly as much is done', () => {
  const offered = (at: number): number => (at < 5_000 ? 200 : 1_200)
  const { fates } = simulate({ ...smallApi, offered, seconds: 30 })
  const [calm, flood] = [between(fates, 1, 5), between(fates, 6, 29)]
  assert.equal(calm.refused, 0)
  assert.ok(flood.p99Ms < 3 * calm.p99Ms, `p99 ${flood.p99Ms} ms, was ${calm.p99Ms} ms`)
  assert.ok(flood.perSecond > 0.9 * 400, `${flood.perSecond} a second`)
})

test('without it the wait grows for as long as the flood lasts', () => {
  const offered = (at: number): number => (at < 5_000 ? 200 : 1_200)
  const { fates } = simulate({ ...smallApi, offered, seconds: 30, unlimited: true })
  assert.ok(between(fates, 8, 9).p50Ms > 5_000)
})

test('the same holds where work takes very different times, of one worker and of many', () => {
  for (const workers of [1, 8, 64]) {
    const capacity = workers * 50
    const scenario: Scenario = {
      workers,
      routes: [{ share: 1, serviceMs: exponential(20, random) }],
      offered: (at) => (at < 10_000 ? 0.5 : 3) * capacity,
      seconds: 40,
    }
    const { fates } = simulate(scenario)
    const [calm, flood] = [between(fates, 1, 9), between(fates, 12, 39)]
    assert.ok(flood.p99Ms < 3 * calm.p99Ms, `${workers} workers: p99 ${flood.p99Ms} ms, was ${calm.p99Ms} ms`)
    assert.ok(flood.perSecond > 0.8 * capacity, `${workers} workers: ${flood.perSecond} a second`)
  }
})

test('a house that starts in the middle of a flood finds out as well what is usual', () => {
  const { fates } = simulate({ ...smallApi, offered: () => 1_200, seconds: 20 })
  const flood = between(fates, 5, 19)
  assert.ok(flood.p99Ms < 80, `p99 ${flood.p99Ms} ms`)
  assert.ok(flood.perSecond > 0.9 * 400)
})

test('ten minutes of flood do not make it usual', () => {
  const { fates } = simulate({
    workers: 8,
    routes: [{ share: 1, serviceMs: exponential(20, random) }],
    offered: () => 800,
    seconds: 600,
  })
  const [early, late] = [between(fates, 10, 60), between(fates, 540, 599)]
  assert.ok(late.p99Ms < 1.3 * early.p99Ms, `p99 ${late.p99Ms} ms after ten minutes, ${early.p99Ms} ms in the first`)
  assert.ok(late.perSecond > 0.85 * 400)
})

/** Where nobody may be refused. */
const healthy: Readonly<Record<string, Scenario>> = {
  'two hundred at once every second, answered one after the other': {
    workers: 8,
    routes: [{ share: 1, serviceMs: constant(5) }],
    offered: (at) => (at % 1_000 < 20 ? 10_000 : 20),
    seconds: 30,
  },
  'quick and slow routes together': {
    workers: 100,
    routes: [
      { share: 0.8, serviceMs: exponential(5, random) },
      { share: 0.2, serviceMs: exponential(300, random) },
    ],
    offered: () => 1_000,
    seconds: 60,
  },
  'slow routes that come in waves': {
    workers: 200,
    routes: [
      { share: 0.5, serviceMs: exponential(5, random) },
      { share: 0.5, serviceMs: constant(400) },
    ],
    offered: (at) => (at % 10_000 < 5_000 ? 500 : 50),
    seconds: 60,
  },
  'many workers, nine in ten busy': {
    workers: 64,
    routes: [{ share: 1, serviceMs: exponential(20, random) }],
    offered: () => 0.9 * 64 * 50,
    seconds: 60,
  },
  'few workers, six in ten busy': {
    workers: 8,
    routes: [{ share: 1, serviceMs: exponential(20, random) }],
    offered: () => 0.6 * 400,
    seconds: 120,
  },
  'three hundred long polls that are answered when something happens': {
    workers: 10_000,
    routes: [{ share: 1, serviceMs: () => random() * 30_000 }],
    offered: () => 20,
    seconds: 180,
  },
  'an upstream that is quick, and a thread of ours that is late': {
    workers: 1_000,
    routes: [{ share: 1, serviceMs: constant(1) }],
    offered: () => 2_000,
    seconds: 30,
    lagMs: (at) => (at < 5_000 ? 0 : 40),
  },
}

for (const [name, scenario] of Object.entries(healthy))
  test(`nobody is refused by a house that is merely busy: ${name}`, () => {
    const { fates, load } = simulate(scenario)
    assert.equal(fates.filter(({ waitedMs }) => waitedMs === undefined).length, 0)
    assert.equal(load.limit, 512)
  })

test('an upstream that becomes slow and has no queue is given as much as before: refusing would not mend it', () => {
  let slow = 1
  const { fates } = simulate({
    workers: 1_000,
    routes: [{ share: 1, serviceMs: () => 40 * slow * (0.8 + 0.4 * random()) }],
    offered: () => 2_000,
    seconds: 60,
    events: (world) => world.in(20_000, () => (slow = 2)),
  })
  assert.ok(between(fates, 20, 60).refused < 0.06 * 80_000)
  assert.equal(between(fates, 40, 60).refused, 0)
})

test('an upstream that loses half of its workers is given half as much', () => {
  const { fates } = simulate({
    workers: 8,
    routes: [{ share: 1, serviceMs: constant(20) }],
    offered: () => 280,
    seconds: 60,
    events: (world, workers) => world.in(20_000, () => (workers.count = 4)),
  })
  const after = between(fates, 25, 59)
  assert.equal(between(fates, 0, 20).refused, 0)
  assert.ok(after.p99Ms < 80, `p99 ${after.p99Ms} ms`)
  assert.ok(after.perSecond > 0.85 * 200)
})

test('when the flood is over, everybody is let through again', () => {
  const offered = (at: number): number => (at > 5_000 && at < 15_000 ? 1_200 : 200)
  const { fates, load } = simulate({ ...smallApi, offered, seconds: 40 })
  assert.equal(between(fates, 16, 40).refused, 0)
  assert.equal(load.limit, 512)
})

test('what is less important goes first', () => {
  const { fates } = simulate({
    workers: 8,
    routes: [
      { share: 0.7, serviceMs: constant(20), priority: 'low' },
      { share: 0.2, serviceMs: constant(20), priority: 'normal' },
      { share: 0.1, serviceMs: constant(20), priority: 'high' },
    ],
    offered: () => 1_200,
    seconds: 30,
  })
  const [low, normal, high] = [0, 1, 2].map((route) => {
    const { refused, offered } = between(
      fates.filter((fate) => fate.route === route),
      5,
      29,
    )
    return refused / offered
  }) as [number, number, number]
  assert.ok(low > 0.8, `of low ${low}`)
  assert.ok(normal < 0.2, `of normal ${normal}`)
  assert.ok(high < 0.03, `of high ${high}`)
})

/** An upstream's load by itself, with a clock to move. */
function upstreamLoad(options: Partial<(typeof defaults)['upstreams']> = {}) {
  const clock = testClock()
  const load = new UpstreamLoad({ ...defaults.upstreams, ...options }, clock.monotonic, () => 0)
  return { clock, load, usual: load.usual('a route') }
}
const defaults = loadOptions.parse({})

test('an upstream that does not answer at all is asked by as many as may wait, and by nobody else', () => {
  const { load, usual, clock } = upstreamLoad({ most: 3 })
  for (let waiting = 0; waiting < 3; waiting++) load.admit(usual, 'normal', 'somebody', 0)?.begin()
  clock.advance(60_000)
  assert.equal(load.admit(usual, 'normal', 'somebody', 0), undefined)
  assert.equal(load.waiting, 3)
})

test('a place is given back once, whether the answer came, broke off, or never began', () => {
  const { load, usual } = upstreamLoad({ most: 1, least: 1 })
  const ends: ((place: Place) => void)[] = [
    (place) => place.end(),
    (place) => {
      place.begin()
      place.end()
    },
    (place) => {
      place.begin()
      place.answered(200)
      place.end()
      place.begin()
    },
  ]
  for (const end of [...ends, ...ends]) {
    const place = load.admit(usual, 'normal', 'somebody', 0)
    assert.ok(place)
    assert.equal(load.admit(usual, 'normal', 'somebody', 0), undefined)
    end(place)
    assert.equal(load.waiting, 0)
  }
  assert.ok(load.admit(usual, 'normal', 'somebody', 0))
})

test('a body that trickles in holds its place for a second, and then waits without one', () => {
  const { load, usual, clock } = upstreamLoad({ most: 1, least: 1 })
  const trickling = load.admit(usual, 'normal', 'somebody', 0)
  assert.equal(load.admit(usual, 'normal', 'somebody', 0), undefined)
  clock.advance(1_000)
  const other = load.admit(usual, 'normal', 'somebody', 0)
  assert.ok(other)
  trickling?.begin()
  trickling?.answered(200)
  assert.equal(load.admit(usual, 'normal', 'somebody', 0), undefined)
  other.end()
  assert.ok(load.admit(usual, 'normal', 'somebody', 0))
})

test('errors that come quickly are not taken for health', () => {
  const { load, usual, clock } = upstreamLoad()
  for (let asked = 0; asked < 200; asked++) {
    const place = load.admit(usual, 'normal', 'somebody', 0)
    place?.begin()
    // Neither at first, while nothing is known, nor later.
    const isFine = asked >= 20 && asked < 40
    clock.advance(isFine ? 40 : 1)
    place?.answered(isFine ? 200 : 503)
    clock.advance(1_000)
  }
  assert.ok(usual.known)
  assert.ok(Math.abs(usual.ms - 40) < 1, `${usual.ms} ms are usual`)
})

test('a reload changes the numbers and forgets nothing that was learned', () => {
  const shedder = new Shedder(defaults, testClock(), () => undefined)
  const load = shedder.upstream('api')
  shedder.upstream('gone')
  const usual = load.usual('a route')
  shedder.follow(loadOptions.parse({ upstreams: { most: 40 } }), new Set(['api']))
  assert.equal(shedder.upstream('api'), load)
  assert.equal(load.usual('a route'), usual)
  assert.equal(load.limit, 40)
  assert.deepEqual([...shedder.upstreams.keys()], ['api'])
})

/**
 * An event loop: what came during one turn is done in the next. Answers how long requests of a priority waited, and the share of
 * them that was refused, second by second.
 */
function simulateLoop(
  perSecond: (at: number) => number,
  { low = 0, seconds = 20, refusalMs = 0.02, shed = true } = {},
) {
  const load = new LoopLoad(defaults.lag)
  const waits: { readonly at: number; readonly low: boolean; readonly ms: number | undefined }[] = []
  let [now, before, timerAt, left] = [0, 0, 0, 0]
  while (now < seconds * 1_000) {
    const start = now
    if (now - timerAt >= 10) {
      load.sample(now - timerAt - 10, now)
      load.expect(now + 10)
      timerAt = now
    }
    left += (perSecond(start) * (start - before)) / 1_000
    const count = Math.floor(left)
    left -= count
    for (let index = 0; index < count; index++) {
      const at = before + ((start - before) * index) / count
      const isLow = index % 10 < low * 10
      if (shed && load.refuses(isLow ? 'low' : 'normal', now)) {
        now += refusalMs
        waits.push({ at, low: isLow, ms: undefined })
      } else {
        now += workMs
        waits.push({ at, low: isLow, ms: now - at })
      }
    }
    before = start
    now = Math.max(now, start + 0.1)
  }
  return {
    of(from: number, to: number, isLow = false) {
      const those = waits.filter((one) => one.low === isLow && one.at >= from * 1_000 && one.at < to * 1_000)
      const taken = those.flatMap(({ ms }) => ms ?? [])
      return {
        refusedShare: 1 - taken.length / those.length,
        perSecond: taken.length / (to - from),
        p99Ms: quantile(taken, 0.99),
      }
    },
  }
}
/** About 8,700 a second. */
const workMs = 0.115

test('offered three times what our own thread can do, what is taken waits for tenths of a second at most, and the thread is kept busy', () => {
  const flood = simulateLoop((at) => (at < 2_000 ? 4_000 : 27_000)).of(4, 20)
  assert.ok(flood.p99Ms < 200, `p99 ${flood.p99Ms} ms`)
  // Saying no to 23,000 a second takes half of the time.
  assert.ok(flood.perSecond > 0.8 * 4_200, `${flood.perSecond} a second`)
  assert.ok(simulateLoop((at) => (at < 2_000 ? 4_000 : 27_000), { shed: false, seconds: 6 }).of(2, 4).p99Ms > 1_000)
})

test('a thread that is nearly always busy refuses nobody, and neither does one that is late once', () => {
  assert.equal(simulateLoop(() => 8_200).of(0, 20).refusedShare, 0)
  // Two hundred at once, and the machine is cold: a millisecond for each.
  const load = new LoopLoad(defaults.lag)
  load.expect(10)
  for (let now = 0; now < 200; now++) assert.equal(load.refuses('normal', now), false)
  load.sample(190, 200)
  load.sample(0, 310)
  for (let now = 310; now < 330; now++) assert.equal(load.refuses('normal', now), false)
})

test('a burst on a machine that is busy with something else is taken, as long as that does not last', () => {
  const load = new LoopLoad(defaults.lag)
  for (let now = 0; now < 3_000; now += 300) load.sample(300, now)
  assert.ok(load.refusedShare('normal') > 0)
  for (let request = 0; request < 200; request++) assert.equal(load.refuses('normal', 4_000), false)
})

test('of our own thread, too, what is less important goes first', () => {
  const loop = simulateLoop((at) => (at < 2_000 ? 4_000 : 14_000), { low: 0.6 })
  assert.ok(loop.of(4, 20, true).refusedShare > 0.6)
  assert.ok(loop.of(4, 20).refusedShare < 0.05, `${loop.of(4, 20).refusedShare}`)
})

test('a few requests are taken however late the thread is: where they are too much already, refusing does not help', () => {
  const load = new LoopLoad(defaults.lag)
  for (let now = 0; now < 10_000; now += 500) load.sample(400, now)
  const taken = Array.from({ length: 100 }, () => load.refuses('normal', 10_000)).filter((refused) => !refused)
  assert.ok(taken.length >= 10)
})

test('those who are refused together do not come back together', () => {
  const shedder = new Shedder(defaults, testClock(), () => undefined)
  const waits = Array.from({ length: 1_000 }, () => shedder.refusal(undefined, 0).retryAfterMs)
  for (const seconds of [1, 2, 3, 4, 5]) {
    const together = waits.filter((ms) => ms === seconds * 1_000).length
    assert.ok(together > 190 && together < 210, `${together} of a thousand come back after ${seconds} s`)
  }
})
