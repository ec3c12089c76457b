import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemRandom } from '../../src/kernel/id.ts'
import { callersCounted, counterMemory } from '../../src/limits/counters/counter-memory.ts'
import type { Algorithm, Limit } from '../../src/limits/limiter.ts'
import { testClock } from '../support/clock.ts'
import { claim, countersOf, Exact, limitOf, timed, tiny } from './counting.ts'

const hour = 3_600_000
const windowMs = 320

const requests = fc.array(
  fc.record({
    pause: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 90 })),
    callers: fc.uniqueArray(fc.nat(24), { minLength: 1, maxLength: 3 }),
    limit: fc.nat(99),
    cost: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 50, maxLength: 400 },
)

/**
 * Sends requests at counters with a single set for each kind of limit, and holds every admission against the
 * definition.
 */
function neverTooMany(limits: readonly Limit[]): void {
  fc.assert(
    fc.property(requests, (requests) => {
      const clock = testClock()
      const counters = countersOf(clock, tiny())
      const exact = new Map<string, Exact>()
      for (const { pause, callers, limit: nth, cost } of requests) {
        clock.advance(pause)
        const claims = callers.map((caller, index) => {
          const limit = limits[(nth + index * 7) % limits.length] as Limit
          return claim(limit, `caller ${caller}`, Math.min(cost, limit.limit))
        })
        const { allowed, retryAfterMs } = counters.take(claims)
        if (!allowed) {
          assert.ok(retryAfterMs > 0 && retryAfterMs <= 3 * windowMs, `wait for ${retryAfterMs} ms`)
          continue
        }
        for (const { limit, key, cost } of claims) {
          const name = JSON.stringify([limit, key])
          const count = exact.get(name) ?? new Exact(limit)
          exact.set(name, count)
          assert.ok(count.fits(clock, cost), `${limit.algorithm} let ${key} through too often at ${clock.monotonic()}`)
          count.admit(clock.monotonic(), cost)
        }
      }
    }),
    { numRuns: 60 },
  )
}

for (const algorithm of timed) {
  test(`TR3: a table with more callers than cells never admits too many: ${algorithm}`, () => {
    neverTooMany([limitOf(algorithm, 5, windowMs)])
  })

  test(`TR3: nor does one with more limits than cells, each with its own numbers: ${algorithm}`, () => {
    neverTooMany(Array.from({ length: 30 }, (_, nth) => limitOf(algorithm, 1 + ((nth * 7) % 10), windowMs - nth)))
  })

  test(`TR7: an offender is held for as long as ever, however many strangers come: ${algorithm}`, () => {
    const clock = testClock()
    const counters = countersOf(clock, tiny())
    const limit = limitOf(algorithm, 10, windowMs)
    for (let taken = 0; taken < 10; taken++) counters.take([claim(limit, 'offender')])
    const until = clock.monotonic() + (counters.spent([claim(limit, 'offender', 10)])?.retryAfterMs ?? 0)
    for (let stranger = 0; clock.monotonic() + 1 < until; stranger++) {
      for (let round = 0; round < 50; round++) counters.take([claim(limit, `stranger ${stranger} ${round}`)])
      assert.ok(
        !counters.take([claim(limit, 'offender', 10)]).allowed,
        `free ${until - clock.monotonic()} ms too early`,
      )
      clock.advance(1)
    }
  })

  test(`TR7: strangers who come once leave newcomers nearly all of their budget, and all of another limit's: ${algorithm}`, () => {
    const memory = counterMemory(512 * 1024, systemRandom)
    const counters = countersOf(testClock(), memory)
    const limit = limitOf(algorithm, 1000, hour)
    const table = algorithm === 'log' ? 'log-1024' : algorithm
    const cells = callersCounted(512 * 1024)[table]
    for (let stranger = 0; stranger < 10 * cells; stranger++) counters.take([claim(limit, `stranger ${stranger}`)])
    // A set that is hit more often than most, and the cell of a rest among few, give more than the ten of an even
    // spread.
    const left = Array.from({ length: 50 }, (_, nth) => counters.take([claim(limit, `newcomer ${nth}`)]).remaining)
    assert.ok(Math.min(...left) >= 960, `${Math.min(...left)} of 1000 left`)
    const other = limitOf(algorithm, 999, hour, 999, 'other')
    assert.equal(counters.take([claim(other, 'newcomer')]).remaining, 998)
  })
}

for (const algorithm of timed) {
  test(`TR3: callers of more limits than a set keeps rests of are not forgotten: ${algorithm}`, () => {
    const clock = testClock()
    clock.advance(10 * windowMs)
    const counters = countersOf(clock, tiny())
    const all = Array.from({ length: 120 }, (_, nth) =>
      claim(
        limitOf(algorithm, 10, windowMs, algorithm === 'token-bucket' ? 10 : 5, `limit ${nth % 40}`),
        `caller ${nth}`,
      ),
    )
    const admitted = all.map(() => 0)
    for (const pause of [0, windowMs / 2, windowMs / 8]) {
      clock.advance(pause)
      for (const [nth, one] of all.entries()) {
        for (let time = 0; time < 10; time++)
          if (counters.take([one]).allowed) admitted[nth] = (admitted[nth] as number) + 1
      }
      if (algorithm === 'token-bucket') break // half of a bucket comes back meanwhile
    }
    const most = Math.max(...admitted)
    assert.ok(most >= 5 && most <= 10, `${most} of 10`)
  })

  test(`TR7: strangers who come once, on more limits than a set keeps rests of, leave newcomers of each nearly all: ${algorithm}`, () => {
    const counters = countersOf(testClock(), counterMemory(512 * 1024, systemRandom))
    const all = Array.from({ length: 30 }, (_, nth) => limitOf(algorithm, 1000 - nth, hour, 1000 - nth, `limit ${nth}`))
    const table = algorithm === 'log' ? 'log-1024' : algorithm
    const strangers = 10 * callersCounted(512 * 1024)[table]
    for (let nth = 0; nth < strangers; nth++) counters.take([claim(all[nth % 30] as Limit, `stranger ${nth}`)])
    const left = all.map((limit) => counters.take([claim(limit, 'newcomer')]).remaining)
    assert.ok(Math.min(...left) >= 900, `${Math.min(...left)} of 1000 left`)
  })
}

test('TR7: heavy callers are kept, and the light ones put aside', () => {
  const counters = countersOf(testClock(), tiny())
  const limit = limitOf('sliding', 100, hour)
  for (let heavy = 0; heavy < 8; heavy++) counters.take([claim(limit, `heavy ${heavy}`, 60 + heavy)])
  for (let stranger = 0; stranger < 20; stranger++) counters.take([claim(limit, `stranger ${stranger}`)])
  for (let heavy = 0; heavy < 8; heavy++) {
    assert.equal(counters.take([claim(limit, `heavy ${heavy}`)]).remaining, 100 - 61 - heavy)
  }
})

test('what is in flight is held to the limit in a table with more callers than cells, and all of it comes back', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          caller: fc.nat(40),
          ends: fc.nat(9).map((chance) => chance < 4),
          cost: fc.integer({ min: 1, max: 2 }),
        }),
        {
          maxLength: 400,
        },
      ),
      (steps) => {
        const counters = countersOf(testClock(), tiny())
        const limit = limitOf('concurrency', 4, 0)
        const held = new Map<string, { readonly cost: number; readonly release: (() => void) | undefined }[]>()
        for (const { caller, ends, cost } of steps) {
          const key = `caller ${caller}`
          const mine = held.get(key) ?? []
          held.set(key, mine)
          if (ends) {
            mine.shift()?.release?.()
            continue
          }
          const { allowed, release } = counters.take([claim(limit, key, cost)])
          if (allowed) mine.push({ cost, release })
          assert.ok(mine.reduce((sum, { cost }) => sum + cost, 0) <= 4, `${key} has too much in flight`)
        }
        for (const mine of held.values()) for (const { release } of mine) release?.()
        for (let caller = 0; caller <= 40; caller++) {
          const { remaining, release } = counters.take([claim(limit, `caller ${caller}`)])
          assert.equal(remaining, 3)
          release?.()
        }
      },
    ),
    { numRuns: 100 },
  )
})

test('C: the claims of one request may put each other aside, and are counted all the same', () => {
  const algorithms: readonly Algorithm[] = timed
  for (const algorithm of algorithms) {
    const counters = countersOf(testClock(), tiny())
    for (const limits of [1, 40]) {
      const all = Array.from({ length: 40 }, (_, nth) =>
        claim(limitOf(algorithm, 2, hour, 2, `${limits} ${nth % limits}`), `caller ${nth}`),
      )
      assert.ok(counters.take(all).allowed)
      counters.take(all)
      assert.ok(!counters.take(all).allowed)
      for (const one of all) counters.take([one])
      for (const one of all) assert.ok(!counters.take([one]).allowed, `${algorithm}: ${one.key} was forgotten`)
    }
  }
})

test('what is in flight among those who share a count is not forgotten when a cell is free again', () => {
  const counters = countersOf(testClock(), tiny())
  const limit = limitOf('concurrency', 4, 0)
  const owners = Array.from({ length: 16 }, (_, owner) => counters.take([claim(limit, `owner ${owner}`)]))
  const shared = counters.take([claim(limit, 'late', 3)])
  assert.equal(shared.remaining, 1)
  for (const { release } of owners) release?.()
  const last = counters.take([claim(limit, 'late')])
  assert.deepEqual([last.allowed, last.remaining], [true, 0])
  assert.ok(!counters.take([claim(limit, 'late')]).allowed)
  for (const { release } of [shared, last]) release?.()
  assert.equal(counters.take([claim(limit, 'late')]).remaining, 3)
})
