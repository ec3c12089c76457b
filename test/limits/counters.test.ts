import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemRandom } from '../../src/kernel/id.ts'
import { counterBytesMin, counterMemory } from '../../src/limits/counters/counter-memory.ts'
import { openCounters } from '../../src/limits/counters/counters.ts'
import type { Limit } from '../../src/limits/limiter.ts'
import { testClock } from '../support/clock.ts'
import { claim, countersOf, Exact, limitOf, roomy, timed } from './counting.ts'

const hour = 3_600_000
const second = 1000

/** Of a window of 320 ms, whose slots are whole milliseconds long. */
const windowMs = 320
const slotMs = windowMs / 32

const limits = fc
  .record({
    algorithm: fc.constantFrom(...timed),
    limit: fc.integer({ min: 1, max: 20 }),
    burst: fc.integer({ min: 1, max: 20 }),
  })
  .map(({ algorithm, limit, burst }) =>
    limitOf(
      algorithm,
      limit,
      windowMs,
      algorithm === 'sliding' || algorithm === 'token-bucket' ? Math.min(limit, burst) : limit,
    ),
  )
const steps = fc.array(
  fc.record({
    pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 400 })),
    cost: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 20 })),
  }),
  { minLength: 1, maxLength: 120 },
)

test('TR3: nobody is admitted whom the definition refuses, and nobody refused whom it admits, but by the stated error', () => {
  fc.assert(
    fc.property(limits, steps, (limit, steps) => {
      const clock = testClock()
      const counters = countersOf(clock)
      const exact = new Exact(limit)
      for (const { pause, cost: wanted } of steps) {
        clock.advance(pause)
        const cost = Math.min(wanted, limit.limit, limit.burst)
        const { allowed } = counters.take([claim(limit, 'k', cost)])
        if (allowed) assert.ok(exact.fits(clock, cost), `${limit.algorithm} admitted too much at ${clock.monotonic()}`)
        else if (limit.algorithm === 'sliding') {
          assert.ok(!exact.fits(clock, cost, slotMs), `held back longer than a slot at ${clock.monotonic()}`)
        } else assert.ok(!exact.fits(clock, cost), `${limit.algorithm} refused at ${clock.monotonic()}`)
        if (allowed) exact.admit(clock.monotonic(), cost)
      }
    }),
    { numRuns: 400 },
  )
})

test('TR5: whoever waits as long as it says gets through, and what remains is what is admitted back to back', () => {
  fc.assert(
    fc.property(limits, steps, (limit, steps) => {
      const clock = testClock()
      const counters = countersOf(clock)
      for (const { pause, cost: wanted } of steps) {
        clock.advance(pause + 0.123_456)
        const cost = Math.min(wanted, limit.limit, limit.burst)
        const { allowed, retryAfterMs, resetMs } = counters.take([claim(limit, 'k', cost)])
        assert.ok(resetMs >= retryAfterMs - 0.001 && resetMs <= 2 * windowMs, `whole again in ${resetMs} ms`)
        if (allowed) {
          assert.equal(retryAfterMs, 0)
          continue
        }
        assert.ok(retryAfterMs > 0 && retryAfterMs <= windowMs + slotMs, String(retryAfterMs))
        assert.equal(counters.spent([claim(limit, 'k', cost)])?.retryAfterMs, retryAfterMs)
        clock.advance(retryAfterMs)
        assert.ok(counters.take([claim(limit, 'k', cost)]).allowed, `refused again after ${retryAfterMs} ms`)
      }
      const left = counters.take([claim(limit)]).remaining
      for (let count = 0; count < left; count++) assert.ok(counters.take([claim(limit)]).allowed, `${count} of ${left}`)
      const { allowed, remaining, resetMs } = counters.take([claim(limit)])
      assert.deepEqual({ allowed, remaining }, { allowed: false, remaining: 0 })
      clock.advance(resetMs)
      assert.equal(counters.take([claim(limit)]).remaining, Math.min(limit.limit, limit.burst) - 1, 'whole again')
    }),
    { numRuns: 300 },
  )
})

test('TR1: a burst is admitted at once, then the pace of the limit holds', () => {
  const clock = testClock()
  clock.advance(10_000_000)
  const counters = countersOf(clock)
  for (const algorithm of ['sliding', 'token-bucket'] as const) {
    const limit = limitOf(algorithm, 10, hour, 3, 'authentication')
    const results = Array.from({ length: 4 }, () => counters.take([claim(limit)]))
    assert.deepEqual(
      results.map(({ allowed, remaining }) => ({ allowed, remaining })),
      [
        { allowed: true, remaining: 2 },
        { allowed: true, remaining: 1 },
        { allowed: true, remaining: 0 },
        { allowed: false, remaining: 0 },
      ],
    )
    assert.equal(results[3]?.retryAfterMs, hour / 10)
    clock.advance(hour / 10)
    assert.ok(counters.take([claim(limit)]).allowed)
    assert.ok(!counters.take([claim(limit)]).allowed)
  }
})

test('TR3: a sliding window admits again when it has passed, at most a thirty-second part later', () => {
  const clock = testClock()
  clock.advance(7_777_777)
  const counters = countersOf(clock)
  const limit = limitOf('sliding', 5, 3200)
  for (let taken = 0; taken < 5; taken++) counters.take([claim(limit)])
  assert.ok(!counters.take([claim(limit)]).allowed)
  clock.advance(3200 + 100)
  assert.equal(counters.take([claim(limit)]).remaining, 4)
})

test('TR2: fixed windows begin on the clock', () => {
  const clock = testClock(Date.UTC(2026, 0, 1, 12, 59, 59, 990))
  const counters = countersOf(clock)
  const limit = limitOf('fixed', 2, hour)
  for (let taken = 0; taken < 2; taken++) assert.equal(counters.take([claim(limit)]).resetMs, 10)
  assert.equal(counters.take([claim(limit)]).retryAfterMs, 10)
  clock.advance(10)
  assert.equal(counters.take([claim(limit)]).resetMs, hour)
})

test('TR2: setting the clock neither renews a fixed window nor keeps it spent', () => {
  let [wallMs, passedMs] = [Date.UTC(2026, 0, 1, 12), 0]
  const counters = openCounters(roomy(), { now: () => wallMs + passedMs, monotonic: () => passedMs })
  const limit = limitOf('fixed', 1, hour)
  assert.ok(counters.take([claim(limit)]).allowed)
  wallMs += 24 * hour
  assert.ok(!counters.take([claim(limit)]).allowed)
  wallMs -= 48 * hour
  passedMs += hour
  assert.ok(counters.take([claim(limit)]).allowed)
})

test('what is in flight is counted while it lasts: each is given back once, however often it is said', () => {
  const counters = countersOf(testClock())
  const limit = limitOf('concurrency', 3, 0)
  const [one, other] = [counters.take([claim(limit)]), counters.take([claim(limit, 'k', 2)])]
  assert.deepEqual([one.remaining, other.remaining], [2, 0])
  const { release: _, ...refused } = counters.take([claim(limit)])
  assert.deepEqual(refused, { allowed: false, limit, remaining: 0, resetMs: 0, retryAfterMs: 1000 })
  one.release?.()
  one.release?.()
  assert.equal(counters.take([claim(limit)]).remaining, 0)
  assert.ok(!counters.take([claim(limit)]).allowed)
})

test('callers, and limits of other names, have budgets of their own', () => {
  for (const algorithm of [...timed, 'concurrency'] as const) {
    const counters = countersOf(testClock())
    const limit = limitOf(algorithm, 1, hour)
    assert.ok(counters.take([claim(limit, 'a')]).allowed)
    assert.ok(counters.take([claim(limit, 'b')]).allowed)
    assert.ok(counters.take([claim(limit, '')]).allowed)
    assert.ok(counters.take([claim({ ...limit, name: 'other' }, 'a')]).allowed)
    assert.ok(!counters.take([claim({ ...limit }, 'a')]).allowed, 'the same numbers are the same limit')
  }
})

test('TR4: callers with limits of their own under one name do not make each other count anew', () => {
  const counters = countersOf(testClock())
  const admitted = { thrifty: 0, generous: 0 }
  for (let count = 0; count < 10; count++) {
    if (counters.take([claim(limitOf('sliding', 2, hour), 'thrifty')]).allowed) admitted.thrifty++
    if (counters.take([claim(limitOf('sliding', 5, hour / 2), 'generous')]).allowed) admitted.generous++
  }
  assert.deepEqual(admitted, { thrifty: 2, generous: 5 })
  assert.ok(
    counters.take([claim(limitOf('sliding', 3, hour), 'thrifty')]).allowed,
    'a limit that was changed begins anew',
  )
})

test('TR3: several limits are taken together, or none of them', () => {
  const several = fc.uniqueArray(limits, { minLength: 1, maxLength: 5, selector: (limit) => JSON.stringify(limit) })
  fc.assert(
    fc.property(several, steps, (several, steps) => {
      const clock = testClock()
      const counters = countersOf(clock)
      // The sliding ones as the counters themselves keep them, one by one: their error is the business of another test.
      const alone = several.map((limit) => ({ counters: countersOf(clock), claims: [claim(limit)], limit }))
      for (const { pause } of steps) {
        clock.advance(pause)
        const refusals = alone.flatMap(({ counters, claims }) => counters.spent(claims) ?? [])
        const allowance = counters.take(several.map((limit) => claim(limit)))
        assert.equal(allowance.allowed, refusals.length === 0)
        if (!allowance.allowed) {
          assert.equal(allowance.retryAfterMs, Math.max(...refusals.map(({ retryAfterMs }) => retryAfterMs)))
          continue
        }
        const taken = alone.map(({ counters, claims }) => counters.take(claims))
        const shares = taken.map(({ remaining, limit }) => remaining / limit.limit)
        assert.equal(allowance.remaining / allowance.limit.limit, Math.min(...shares))
      }
    }),
    { numRuns: 200 },
  )
})

test('what is in flight is not held by a request that another limit refuses', () => {
  const counters = countersOf(testClock())
  const [inFlight, hourly] = [limitOf('concurrency', 2, 0, 2, 'in flight'), limitOf('log', 1, hour)]
  const { allowed, limit, release } = counters.take([claim(inFlight), claim(hourly)])
  assert.deepEqual({ allowed, limit }, { allowed: true, limit: hourly })
  assert.ok(!counters.take([claim(inFlight), claim(hourly)]).allowed)
  assert.equal(counters.take([claim(inFlight)]).remaining, 0)
  release?.()
  assert.equal(counters.take([claim(inFlight)]).remaining, 0)
})

test('asking what is spent takes nothing', () => {
  for (const algorithm of [...timed, 'concurrency'] as const) {
    const counters = countersOf(testClock())
    const claims = [claim(limitOf(algorithm, 2, hour))]
    for (let count = 0; count < 5; count++) assert.equal(counters.spent(claims), undefined)
    assert.equal(counters.take(claims).remaining, 1)
    assert.equal(counters.spent(claims), undefined)
    assert.equal(counters.take(claims).remaining, 0)
    assert.equal(counters.spent(claims)?.allowed, false)
  }
})

test('a limit of a milliard is counted to the last unit', () => {
  const counters = countersOf(testClock())
  for (const algorithm of ['sliding', 'fixed', 'concurrency', 'token-bucket'] as const) {
    const limit = limitOf(algorithm, 1_000_000_000, hour)
    assert.equal(counters.take([claim(limit, 'k', 999_999_999)]).remaining, 1)
    assert.ok(counters.take([claim(limit)]).allowed)
    assert.ok(!counters.take([claim(limit)]).allowed)
  }
  const widest = limitOf('sliding', 65_535, hour)
  assert.equal(counters.take([claim(widest, 'k', 65_535)]).remaining, 0)
  assert.ok(!counters.take([claim(widest)]).allowed)
})

test('a claim or a limit that nobody could count is a mistake, and is told', () => {
  const counters = countersOf(testClock())
  const limit = limitOf('sliding', 10, hour, 5)
  for (const cost of [0, -1, 1.5, 6, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => counters.take([claim(limit, 'k', cost)]), /limit `l`: expected a cost of 1 to 5 units, got/)
  }
  assert.equal(counters.take([claim(limit)]).remaining, 4, 'nothing of it was taken')
  assert.throws(() => counters.take([]), /no claim/)
  const wrong: readonly [Limit, RegExp][] = [
    [limitOf('log', 1025, hour), /expected 1 to 1024 units, got `1025`/],
    [limitOf('fixed', 0, hour), /expected 1 to 1000000000 units, got `0`/],
    [limitOf('sliding', Number.NaN, hour), /got `NaN`/],
    [limitOf('sliding', 1, hour, 0), /expected a burst of 1 to 1000000000 units, got `0`/],
    [limitOf('sliding', 1, 0), /expected a window of some milliseconds, got `0`/],
    [limitOf('fixed', 1, Number.POSITIVE_INFINITY), /got `Infinity`/],
  ]
  for (const [limit, message] of wrong) assert.throws(() => counters.take([claim(limit)]), message)
})

test('memory that holds not even one set of each table is refused, and so is more than can be counted in', () => {
  for (const bytes of [0, counterBytesMin - 1, 2 ** 31 + 1, Number.NaN, counterBytesMin + 0.5]) {
    assert.throws(() => counterMemory(bytes, systemRandom), /counters take \d+ to \d+ bytes, got/)
  }
  const memory = counterMemory(counterBytesMin + 7, systemRandom)
  assert.ok(countersOf(testClock(), memory).take([claim(limitOf('log', 1024, second))]).allowed)
})
