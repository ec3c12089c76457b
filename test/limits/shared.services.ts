import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import type { Algorithm, Claim, Limiter } from '../../src/limits/limiter.ts'
import { holdMs } from '../../src/limits/shared/redis-counts.ts'
import { Holds } from '../../src/limits/shared/redis-holds.ts'
import type { SharedLimiter } from '../../src/limits/shared/shared.ts'
import { openRedis } from '../../src/store/redis.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { keysOf, sharedServer, throwAwayPrefix } from './redis-server.ts'
import { limiterCases } from './shared-cases.ts'
import { counted, limitOf, sharedNode } from './shared-house.ts'

const algorithms = ['sliding', 'token-bucket', 'log', 'fixed', 'concurrency'] as const satisfies Algorithm[]

suite('Redis, one node', () => {
  limiterCases(async (context, clock) => (await nodesOf(context, 1, { clock }))[0] as Limiter)
})

suite('Redis, two nodes by turns', () => {
  limiterCases(async (context, clock) => {
    const nodes = await nodesOf(context, 2, { clock })
    let turn = 0
    return {
      take: (claims) => (nodes[turn++ % 2] as Limiter).take(claims),
      spent: (claims) => nodes[0]?.spent(claims),
    }
  })
})

suite('Redis', () => {
  for (const leases of [false, true])
    test(`TR6: nodes that race for one budget admit its units and not one more${leases ? ', with leases' : ''}`, async (context) => {
      const nodes = await nodesOf(context, 3, { leases })
      const claims = algorithms.map((algorithm): Claim => {
        const limit = limitOf({
          name: algorithm,
          algorithm,
          limit: algorithm === 'log' ? 300 : 2_000,
          windowMs: hourMs,
        })
        return { limit, key: 'everybody', cost: 1 }
      })
      for (const claim of claims) {
        if (claim.limit.windowMs === 0) continue
        const admitted = await race(nodes, [claim])
        // A bucket is refilled while it is emptied, and a lease may lapse.
        const refilled = claim.limit.algorithm === 'token-bucket' ? 10 : 0
        assert.ok(admitted <= claim.limit.limit + refilled, `${claim.limit.name}: ${admitted}`)
        if (!leases) assert.ok(admitted >= claim.limit.limit, `${claim.limit.name}: ${admitted}`)
      }
    })

  test('TR6: nodes that race for several budgets at once, in any order, keep to the smallest', async (context) => {
    const nodes = await nodesOf(context, 2)
    const claims = [40, 30, 50].map(
      (limit): Claim => ({
        limit: limitOf({ name: `l${limit}`, algorithm: 'log', limit, windowMs: hourMs }),
        key: 'k',
        cost: 1,
      }),
    )
    assert.equal(
      (await Promise.all([race(nodes.slice(0, 1), claims), race(nodes.slice(1), claims.toReversed())])).reduce(
        (a, b) => a + b,
      ),
      30,
    )
    const left = await Promise.all(
      claims.map(async (claim) => (await counted(nodes[0]?.take([claim]) ?? 'uncounted')).remaining),
    )
    assert.deepEqual(left, [9, 0, 19])
  })

  test('TR6: what was refused is refused again without a round trip, until it could pass', async (context) => {
    const clock = testClock()
    const [limiter] = (await nodesOf(context, 1, { clock })) as [SharedLimiter]
    const claim = { limit: limitOf({ algorithm: 'log', limit: 3 }), key: 'k', cost: 1 }
    assert.equal(limiter.spent([claim]), undefined)
    for (let take = 0; take < 4; take++) await limiter.take([claim])
    const asked = limiter.figures.roundTrips
    clock.advance(20_000)
    const refusal = limiter.take([claim])
    assert.deepEqual(refusal, {
      allowed: false,
      limit: claim.limit,
      remaining: 0,
      resetMs: 40_000,
      retryAfterMs: 40_000,
      release: undefined,
    })
    assert.deepEqual(limiter.spent([claim]), refusal)
    assert.equal(limiter.spent([{ ...claim, key: 'another' }]), undefined)
    assert.equal(limiter.spent([{ ...claim, limit: limitOf({ algorithm: 'log', limit: 4 }) }]), undefined)
    assert.equal(limiter.figures.roundTrips, asked)
    assert.equal(limiter.figures.deniedHere, 1)
    clock.advance(40_000)
    assert.equal(limiter.spent([claim]), undefined)
    assert.equal((await counted(limiter.take([claim]))).allowed, true)
  })

  test('TR6: with leases a hot key needs few round trips, and no window ever admits more than the limit', async (context) => {
    for (const algorithm of ['sliding', 'token-bucket', 'fixed'] as const) {
      const clock = testClock()
      const nodes = await nodesOf(context, 2, { clock, leases: true })
      let run = 0
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 600, max: 1_200 }),
          fc.array(
            fc.record({
              pause: fc.constantFrom(0, 1, 1, 2, 3, 40, 40, 100, 200, 30_000, 61_000),
              takes: fc.integer({ min: 20, max: 80 }),
              node: fc.constantFrom(0, 0, 1),
            }),
            { minLength: 35, maxLength: 35 },
          ),
          async (max, bursts) => {
            const limit = limitOf({ algorithm, limit: max, windowMs: 60_000 })
            const claims = [{ limit, key: `k${run++}`, cost: 1 }]
            const admitted: number[] = []
            for (const { pause, takes, node } of bursts) {
              clock.advance(pause)
              for (let take = 0; take < takes; take++)
                if ((await counted(nodes[node]?.take(claims) ?? 'uncounted')).allowed) admitted.push(clock.now())
            }
            let level = 0
            for (const [index, at] of admitted.entries()) {
              const from = algorithm === 'fixed' ? Math.floor(at / 60_000) * 60_000 - 1 : at - 60_000
              const before = algorithm === 'token-bucket' ? undefined : admitted[index - max]
              assert.ok(before === undefined || before <= from, `${algorithm}: more than ${max} by ${at}`)
              level = Math.max(0, level - (at - (admitted[index - 1] ?? at)) * max) + 60_000
              assert.ok(algorithm === 'fixed' || level <= max * 60_000, `${algorithm}: more than its burst by ${at}`)
            }
          },
        ),
        // the first run is one that leases for certain, what chance makes of the others' pauses
        { numRuns: 3, endOnFailure: true, examples: [[1_200, Array(35).fill({ pause: 20, takes: 40, node: 0 })]] },
      )
      const leased = nodes.reduce((sum, { figures }) => sum + figures.leased, 0)
      assert.ok(leased > 50, `${algorithm}: only ${leased} came from leases`)
    }
  })

  test('TR6: what is leased counts in every window that it may have been spent in', async (context) => {
    const clock = testClock(Math.ceil(Date.UTC(2026, 0, 1) / slotMs) * slotMs)
    const [one, two] = (await nodesOf(context, 2, { clock, leases: true })) as [SharedLimiter, SharedLimiter]
    const claims = [{ limit: limitOf({ limit: 3_200, windowMs: slotMs * 32 }), key: 'k', cost: 1 }]
    clock.advance(slotMs - 150)
    for (let take = 0; take < 320; take++) await one.take(claims)
    clock.advance(149) // the last moment of a slot
    const admitted: number[] = []
    const take = async (limiter: SharedLimiter) => {
      const { allowed } = await counted(limiter.take(claims))
      if (allowed) admitted.push(clock.now())
      return allowed
    }
    await take(one)
    clock.advance(50)
    for (let leased = 0; leased < 20; leased++) assert.equal(await take(one), true)
    assert.ok(one.figures.leased === 20, 'they were leased in one slot and spent in the next')
    clock.advance(slotMs)
    while (await take(two));
    clock.advance(31 * slotMs - 49) // the slot that the lease was taken in has gone, and a window from now still holds its units
    while (await take(two));
    const inWindow = admitted.filter((at) => at > clock.now() - slotMs * 32).length
    assert.ok(inWindow <= 3_200, `${inWindow} in one window`)
  })

  test('TR6: what is leased of a bucket and spent at its end does not come back before', async (context) => {
    const clock = testClock()
    const [limiter] = (await nodesOf(context, 1, { clock, leases: true })) as [SharedLimiter]
    const limit = limitOf({ algorithm: 'token-bucket', limit: 6_000 })
    for (const [key, spentAfterMs] of [
      ['spent', 97],
      ['lapsed', 100],
    ] as const) {
      const claim = { limit, key, cost: 1 }
      for (let take = 0; take < 16; take++) await limiter.take([claim])
      clock.advance(199) // the bucket is full again
      const { remaining } = await counted(limiter.take([claim]))
      assert.equal(remaining, 5_990, 'a lease costs what could have come in before its end')
      clock.advance(spentAfterMs)
      const next = limiter.take([claim])
      assert.equal(next instanceof Promise, key === 'lapsed')
      await next
      const { allowed } = await counted(limiter.take([{ ...claim, cost: 6_000 }]))
      assert.equal(allowed, false, 'more than its burst at once')
    }
  })

  test('TR6: near the edge nothing is leased: whoever asks gets the last unit on any node', async (context) => {
    const clock = testClock()
    const nodes = (await nodesOf(context, 2, { clock, leases: true })) as [SharedLimiter, SharedLimiter]
    const claims = [{ limit: limitOf({ limit: 60 }), key: 'k', cost: 1 }]
    let admitted = 0
    for (let take = 0; take < 70; take++) {
      if (take === 30 || take === 50) clock.advance(101)
      if ((await counted(nodes[take < 55 ? 0 : 1].take(claims))).allowed) admitted++
    }
    assert.equal(admitted, 60)
    for (const { figures } of nodes) assert.equal(figures.leased, 0)
  })

  test('TR6: of a lease nothing is spent when the rest of a request is refused', async (context) => {
    const clock = testClock()
    const [limiter] = (await nodesOf(context, 1, { clock, leases: true })) as [SharedLimiter]
    const hot = { limit: limitOf({ name: 'hot', limit: 10_000 }), key: 'k', cost: 1 }
    let remaining = 0
    for (let span = 0; span < 2; span++) {
      for (let take = 0; take < 200; take++) await limiter.take([hot])
      clock.advance(101)
    }
    const { leased } = limiter.figures
    while (limiter.figures.leased === leased) remaining = (await counted(limiter.take([hot]))).remaining
    const cold = { limit: limitOf({ name: 'cold', algorithm: 'log', limit: 1 }), key: 'k', cost: 1 }
    assert.equal((await counted(limiter.take([hot, cold]))).allowed, true)
    for (let take = 0; take < 5; take++)
      assert.equal((await counted(limiter.take([{ ...cold, key: 'k' }, hot]))).allowed, false)
    const trips = limiter.figures.roundTrips
    const next = limiter.take([hot])
    assert.ok(!(next instanceof Promise), 'there is still something in the lease')
    assert.equal((await counted(next)).remaining, remaining - 2)
    assert.equal(limiter.figures.roundTrips, trips)
  })

  test('TR6: a node that dies gives back what it held, and one that lives goes on holding it', async (context) => {
    const clock = testClock()
    const [dying, living, other] = (await nodesOf(context, 3, { clock })) as [
      SharedLimiter,
      SharedLimiter,
      SharedLimiter,
    ]
    const claim = { limit: limitOf({ algorithm: 'concurrency', limit: 2 }), key: 'k', cost: 1 }
    for (const limiter of [dying, living]) assert.equal((await counted(limiter.take([claim]))).allowed, true)
    dying.close()
    assert.equal((await counted(other.take([claim]))).allowed, false)
    clock.advance(holdMs + 1)
    assert.equal((await counted(other.take([{ ...claim, cost: 2 }]))).allowed, true)
  })

  test('TR6: what is held longer than Redis believes it is told again, and no more once it is given back', async (context) => {
    const prefix = throwAwayPrefix(context)
    const admin = new Redis(sharedServer)
    context.after(() => admin.disconnect())
    const ready = Promise.withResolvers<void>()
    const redis = await openRedis(
      { url: sharedServer, password: undefined, ca: undefined, cluster: false },
      { clock: systemClock, timeoutMs: 5_000, name: 'test', onReady: ready.resolve },
    )
    context.after(() => redis.close())
    await ready.promise
    const holds = new Holds(redis, systemRandom)
    const key = `{${prefix}}:c:some`
    const releases = Array.from({ length: 450 }, () => holds.keep(holds.newId(), key, 2))
    await holds.refresh()
    assert.equal(await admin.zcard(key), 900)
    for (const release of releases.slice(1)) release()
    await holds.refresh()
    assert.equal(await eventually(async () => ((await admin.zcard(key)) === 2 ? 2 : undefined)), 2)
    const until = Number((await admin.zrange(key, '0', '0', 'WITHSCORES'))[1]) / 1_000
    assert.ok(until > Date.now() + holdMs / 2 && until <= Date.now() + holdMs + 1_000)
  })

  test('TR6: where the clock of Redis is set back, nothing comes back early, and all of it within a window', async (context) => {
    for (const algorithm of ['sliding', 'token-bucket', 'log', 'fixed'] as const) {
      const clock = testClock()
      const [one, two] = (await nodesOf(context, 2, { clock })) as [SharedLimiter, SharedLimiter]
      const claims = [{ limit: limitOf({ algorithm, limit: 6 }), key: 'k', cost: 1 }]
      const takes = async (limiter: SharedLimiter, most: number) => {
        let admitted = 0
        while (admitted < most && (await counted(limiter.take(claims))).allowed) admitted++
        return admitted
      }
      assert.equal(await takes(one, 2), 2)
      clock.advance(1_000)
      assert.equal(await takes(one, 2), 2)
      clock.advance(-hourMs)
      assert.equal(await takes(one, 9), 2, algorithm)
      clock.advance(-hourMs)
      assert.equal(await takes(two, 9), 0, algorithm)
      clock.advance(62_000)
      assert.equal(await takes(two, 9), 6, algorithm)
    }
  })

  test('TR6: every key of a house ends by itself, and none tells whom it is about', async (context) => {
    const prefix = throwAwayPrefix(context)
    const { limiter } = await sharedNode(context, { url: sharedServer, prefix })
    const admin = new Redis(sharedServer)
    context.after(() => admin.disconnect())
    for (const key of ['192.0.2.77', 'ada@example.com', 'x'.repeat(10_000)])
      for (const algorithm of algorithms)
        assert.equal((await counted(limiter.take([{ limit: limitOf({ algorithm }), key, cost: 1 }]))).allowed, true)
    const keys = await keysOf(admin, prefix)
    assert.equal(keys.length, 3 * algorithms.length + 1)
    for (const key of keys) {
      assert.match(key, /^\{gatehouse-test-\w+\}:(?:nodes|[sblfc]:[\w-]{22})$/)
      const ms = await admin.pttl(key)
      assert.ok(ms > 0 && ms <= 70_000, `${key}: ${ms}`)
    }
  })
})

const hourMs = 3_600_000
/** Of a window of 64 s. */
const slotMs = 2_000

/** Nodes of one house. At the end each of them has counted where it should have. */
async function nodesOf(
  context: TestContext,
  count: number,
  { clock, leases = false }: { readonly clock?: TestClock; readonly leases?: boolean } = {},
): Promise<SharedLimiter[]> {
  const prefix = throwAwayPrefix(context)
  const options = { url: sharedServer, prefix, leases, timeout: '5s' }
  const nodes = await Promise.all(
    Array.from({ length: count }, () => sharedNode(context, options, clock === undefined ? {} : { clock })),
  )
  context.after(() => {
    for (const { limiter } of nodes) assert.equal(limiter.figures.fallbacks, 0, 'something was counted elsewhere')
  })
  return nodes.map(({ limiter }) => limiter)
}

/** Twenty callers at each node take until they are refused. Answers how many were admitted. */
async function race(nodes: readonly SharedLimiter[], claims: readonly Claim[]): Promise<number> {
  const callers = nodes.flatMap((node) => Array.from({ length: 20 }, () => node))
  const admitted = await Promise.all(
    callers.map(async (node) => {
      let mine = 0
      while ((await counted(node.take(claims))).allowed) mine++
      return mine
    }),
  )
  return admitted.reduce((sum, mine) => sum + mine, 0)
}
