// What every count has to do alike, wherever it stands.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { Algorithm, Limit, Limiter } from '../../src/limits/limiter.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { counted, limitOf } from './shared-house.ts'

/** A limiter that goes by a clock. */
export type FreshLimiter = (context: TestContext, clock: TestClock) => Promise<Limiter>

const windowMs = 60_000
const runs = { numRuns: 12 }

/** Pauses of all sizes, and what each take costs. */
const steps = fc.array(
  fc.record({
    pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4_000 }), fc.integer({ min: 0, max: 70_000 })),
    cost: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 10, maxLength: 60 },
)

interface Admission {
  readonly at: number
  readonly cost: number
}

/** Whether each algorithm would admit, by a list of all that it has admitted. Times are whole milliseconds. */
const would: Readonly<
  Record<Exclude<Algorithm, 'concurrency'>, (before: readonly Admission[], limit: Limit, now: Admission) => boolean>
> = {
  log: (before, limit, now) => within(before, now.at - windowMs) + now.cost <= limit.limit,
  fixed: (before, limit, now) => within(before, Math.floor(now.at / windowMs) * windowMs - 1) + now.cost <= limit.limit,
  'token-bucket': pours,
  // Held back for a thirty-second part of the window longer, at most: what is older does not count.
  sliding: (before, limit, now) =>
    within(before, now.at - (windowMs * 33) / 32) + now.cost <= limit.limit && pours(before, limit, now),
}

function within(admissions: readonly Admission[], after: number): number {
  return admissions.reduce((sum, { at, cost }) => (at > after ? sum + cost : sum), 0)
}

function pours(before: readonly Admission[], { limit, burst }: Limit, now: Admission): boolean {
  let level = 0
  let last = 0
  for (const { at, cost } of [...before, now]) {
    level = Math.max(0, level - (at - last) * limit) + cost * windowMs
    last = at
  }
  return level <= burst * windowMs
}

export function limiterCases(fresh: FreshLimiter): void {
  for (const algorithm of ['sliding', 'token-bucket', 'log', 'fixed'] as const) {
    test(`TR3: \`${algorithm}\` admits what its rule admits, and nothing else`, async (context) => {
      const clock = testClock()
      const limiter = await fresh(context, clock)
      let run = 0
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 3, max: 12 }),
          fc.integer({ min: 3, max: 12 }),
          steps,
          async (max, some, steps) => {
            const burst = algorithm === 'sliding' || algorithm === 'token-bucket' ? Math.min(max, some) : max
            const limit = limitOf({ algorithm, limit: max, burst, windowMs })
            const key = `k${run++}`
            const admitted: Admission[] = []
            for (const { pause, cost } of steps) {
              clock.advance(pause)
              const now = { at: clock.now(), cost }
              const { allowed } = await counted(limiter.take([{ limit, key, cost }]))
              const should = would[algorithm](admitted, limit, now)
              if (algorithm === 'sliding') assert.ok(allowed || !should, 'held back for longer than it says')
              else assert.equal(allowed, should)
              if (!allowed) continue
              admitted.push(now)
              if (algorithm === 'fixed') continue
              assert.ok(pours(admitted.slice(0, -1), limit, now) || algorithm === 'log', 'more than the burst')
              assert.ok(
                within(admitted, now.at - windowMs) <= max || algorithm === 'token-bucket',
                'more than the limit',
              )
            }
          },
        ),
        runs,
      )
    })

    test(`TR5: \`${algorithm}\` lets through whoever waits as long as it says, and nobody a moment sooner`, async (context) => {
      const clock = testClock()
      const limiter = await fresh(context, clock)
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 3, max: 8 }), steps, async (max, steps) => {
          const limit = limitOf({ algorithm, limit: max, windowMs })
          const key = `k${run++}`
          for (const { pause, cost } of steps) {
            clock.advance(pause)
            const claims = [{ limit, key, cost }]
            const { allowed, retryAfterMs, remaining } = await counted(limiter.take(claims))
            if (allowed) {
              assert.equal(retryAfterMs, 0)
              continue
            }
            assert.ok(remaining < cost)
            assert.ok(retryAfterMs > 0 && retryAfterMs <= windowMs * 1.04, String(retryAfterMs))
            if (retryAfterMs > 1) {
              clock.advance(retryAfterMs - 1)
              assert.equal((await counted(limiter.take(claims))).allowed, false, 'sooner than it said')
              clock.advance(1)
            } else clock.advance(retryAfterMs)
            assert.equal((await counted(limiter.take(claims))).allowed, true, `refused again after ${retryAfterMs} ms`)
          }
        }),
        runs,
      )
    })
  }

  test('TR3: limits that are taken together are taken all or none', async (context) => {
    const limiter = await fresh(context, testClock())
    const wide = (['sliding', 'token-bucket', 'log', 'fixed', 'concurrency'] as const).map((algorithm) => ({
      limit: limitOf({ name: `wide ${algorithm}`, algorithm, limit: 20 }),
      key: 'k',
      cost: 2,
    }))
    const narrow = { limit: limitOf({ name: 'narrow', algorithm: 'log', limit: 3 }), key: 'k', cost: 1 }
    for (let turn = 0; turn < 8; turn++) {
      const { allowed, limit } = await counted(limiter.take([...wide.slice(0, 2), narrow, ...wide.slice(2)]))
      assert.equal(allowed, turn < 3)
      if (!allowed) assert.equal(limit.name, 'narrow')
    }
    for (const claim of wide) {
      const { remaining } = await counted(limiter.take([claim]))
      assert.equal(remaining, 20 - 3 * 2 - 2, claim.limit.name)
    }
  })

  test('TR3: of refusals the one that takes longest to pass is told, of all else the smallest share', async (context) => {
    const limiter = await fresh(context, testClock())
    const short = { limit: limitOf({ name: 'short', algorithm: 'log', limit: 2, windowMs: 1_000 }), key: 'k', cost: 1 }
    const long = { limit: limitOf({ name: 'long', algorithm: 'log', limit: 2, windowMs: 60_000 }), key: 'k', cost: 1 }
    const wide = { limit: limitOf({ name: 'wide', algorithm: 'log', limit: 100 }), key: 'k', cost: 1 }
    assert.equal((await counted(limiter.take([wide, short]))).limit.name, 'short')
    for (const claims of [[short, long], [long], [short, long, wide], [wide, long, short]]) await limiter.take(claims)
    const refusal = await counted(limiter.take([short, wide, long]))
    assert.equal(refusal.allowed, false)
    assert.equal(refusal.limit.name, 'long')
    assert.equal(refusal.retryAfterMs, 60_000)
  })

  test('TR3: limits of one name and other numbers, and keys of one beginning, are counted apart', async (context) => {
    const limiter = await fresh(context, testClock())
    const take = async (limit: Limit, key: string) => (await counted(limiter.take([{ limit, key, cost: 1 }]))).allowed
    const one = limitOf({ algorithm: 'log', limit: 1 })
    const others = [limitOf({ algorithm: 'log', limit: 1, windowMs: 1_000 }), limitOf({ algorithm: 'fixed', limit: 1 })]
    const long = 'x'.repeat(5_000)
    for (const key of ['', 'a', 'a ', 'a\u0000', 'ä', '=a', '#a', '{a}', '\r\nFLUSHALL\r\n', long, `${long}y`]) {
      assert.equal(await take(one, key), true, key)
      assert.equal(await take(one, key), false, key)
    }
    for (const limit of others) assert.equal(await take(limit, 'a'), true)
  })

  test('TR3: of `concurrency` so many are inside at once, and each gives back once', async (context) => {
    const limiter = await fresh(context, testClock())
    const claim = { limit: limitOf({ algorithm: 'concurrency', limit: 3 }), key: 'k', cost: 1 }
    const inside = [await counted(limiter.take([claim])), await counted(limiter.take([{ ...claim, cost: 2 }]))]
    assert.ok(inside.every(({ allowed, release }) => allowed && release !== undefined))
    const refusal = await counted(limiter.take([claim]))
    assert.equal(refusal.allowed, false)
    assert.equal(refusal.release, undefined)
    assert.equal(limiter.spent([claim]), undefined, 'what may be given back at any moment is not known to be spent')
    inside[0]?.release?.()
    inside[0]?.release?.()
    assert.equal((await counted(limiter.take([claim]))).allowed, true)
    assert.equal((await counted(limiter.take([claim]))).allowed, false)
    inside[1]?.release?.()
    assert.equal((await counted(limiter.take([{ ...claim, cost: 2 }]))).allowed, true)
  })

  test('TR3: a claim that can never be met is our own mistake', async (context) => {
    const limiter = await fresh(context, testClock())
    for (const cost of [0, -1, 1.5, Number.NaN, 11])
      assert.throws(() => limiter.take([{ limit: limitOf({ limit: 10 }), key: 'k', cost }]), `${cost}`)
  })
}
