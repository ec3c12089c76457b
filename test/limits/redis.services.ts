// Redis as it is on bad days: gone, slow, new, forgetful, closed to us, and in pieces.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Redis } from 'ioredis'
import { Secret } from '../../src/kernel/secret.ts'
import type { Claim } from '../../src/limits/limiter.ts'
import type { SharedLimiter } from '../../src/limits/shared/shared.ts'
import { eventually } from '../support/eventually.ts'
import { keysOf, ownServer } from './redis-server.ts'
import { counted, limitOf, sharedNode } from './shared-house.ts'

const hour = { algorithm: 'log', windowMs: 3_600_000 } as const
const reachable = (limiter: SharedLimiter, expected: boolean) =>
  eventually(() => (limiter.figures.reachable === expected ? true : undefined))

/** Long enough for a machine that is busy. Where it is to be too short, a test says how long. */
const timeout = '1s'

test('TR6: a Redis that is killed is told once; then each node counts its share, and none waits', async (context) => {
  const server = await ownServer(context)
  const options = { url: server.url, prefix: 'h', timeout }
  const [one, two] = [await sharedNode(context, options), await sharedNode(context, options)] as const
  await eventually(async () => ((await server.admin.zcard('{h}:nodes')) === 2 ? true : undefined))
  const local: Claim = { limit: limitOf({ ...hour, name: 'local', limit: 21 }), key: 'k', cost: 1 }
  const closed: Claim = {
    limit: limitOf({ ...hour, name: 'closed', limit: 21, whenDown: 'closed' }),
    key: 'k',
    cost: 1,
  }
  const open: Claim = { limit: limitOf({ ...hour, name: 'open', limit: 1, whenDown: 'open' }), key: 'k', cost: 1 }
  for (const claim of [local, closed]) assert.equal((await counted(one.limiter.take([claim]))).allowed, true)
  // The one that was there first has seen one node in its last beat, and will see two in its next.
  await eventually(() => (one.limiter.figures.nodes === 2 ? true : undefined))

  await server.kill()
  for (const { limiter } of [one, two]) await reachable(limiter, false)
  const trips = one.limiter.figures.roundTrips
  for (let take = 0; take < 5; take++) {
    assert.equal(one.limiter.take([closed]), 'uncounted')
    assert.equal(one.limiter.take([local, closed, open]), 'uncounted')
    assert.equal((await counted(one.limiter.take([open]))).allowed, true)
  }
  for (const { limiter } of [one, two]) {
    const takes = []
    for (let take = 0; take < 12; take++) takes.push(await counted(limiter.take([open, local])))
    assert.deepEqual(
      takes.map(({ allowed }) => allowed),
      Array.from({ length: 12 }, (_, take) => take < 10), // half of 21, of which nothing was taken by those that were closed
    )
    assert.equal(takes[0]?.limit, local.limit)
    assert.equal(takes[0]?.remaining, 9)
    assert.equal(limiter.spent([local])?.limit, local.limit)
    assert.equal(limiter.spent([open]), undefined)
  }
  // It would fit no share, and the caller has done nothing wrong.
  assert.equal(two.limiter.take([{ ...local, key: 'another', cost: 11 }]), 'uncounted')
  assert.equal(one.limiter.figures.roundTrips, trips, 'somebody was sent to a Redis that is away')
  assert.deepEqual(
    one.told.map(({ reachable }) => reachable),
    [false],
  )

  await server.restart()
  for (const { limiter } of [one, two]) await reachable(limiter, true)
  assert.deepEqual(
    one.told.map(({ reachable }) => reachable),
    [false, true],
  )
  assert.ok((one.told[1]?.sinceMs ?? 0) >= (one.told[0]?.sinceMs ?? 0))
  // Its counts are gone with it, and those of the meantime are not added.
  let admitted = 0
  for (let take = 0; take < 30; take++)
    if ((await counted((take % 2 === 0 ? one : two).limiter.take([local]))).allowed) admitted++
  assert.equal(admitted, 21)
})

test('TR6: a Redis that is too slow fails three round trips, however many are on them, and nobody waits for a fourth', async (context) => {
  const server = await ownServer(context)
  const { limiter, told } = await sharedNode(context, { url: server.url, prefix: 'h', nodes: 2, timeout: '200ms' })
  const claim: Claim = { limit: limitOf({ ...hour, limit: 100 }), key: 'k', cost: 1 }
  await limiter.take([claim])
  await server.admin.client('PAUSE', 900)
  const elsewhere = (key: string): Claim => ({ ...claim, key })
  for (const taking of ['a', 'b', 'c', 'd'].map((key) => limiter.take([elsewhere(key)])))
    assert.equal((await counted(taking)).allowed, true)
  assert.equal(limiter.figures.reachable, true, 'one was late, and four were on it')
  for (let trip = 0; trip < 3 && limiter.figures.reachable; trip++)
    assert.equal((await counted(limiter.take([claim]))).allowed, true)
  assert.equal(limiter.figures.reachable, false)
  const trips = limiter.figures.roundTrips
  const late = limiter.figures.faults - 4
  for (let take = late; take < 60; take++) {
    const answer = limiter.take([claim])
    assert.ok(!(answer instanceof Promise) && answer !== 'uncounted')
    assert.equal(answer.allowed, take < 50)
  }
  assert.equal(limiter.figures.roundTrips, trips)
  assert.equal(told[0]?.reason, 'no answer within 200 ms')
  await reachable(limiter, true)
  // What came too late was taken all the same: on the strict side.
  assert.equal((await counted(limiter.take([claim]))).remaining, 98 - late)
  assert.deepEqual(
    told.map(({ reachable }) => reachable),
    [false, true],
  )
})

test('TR6: what is held by an answer that came too late is given back', async (context) => {
  const server = await ownServer(context)
  const { limiter } = await sharedNode(context, { url: server.url, prefix: 'h', timeout: '100ms' })
  const claim: Claim = { limit: limitOf({ algorithm: 'concurrency', limit: 1, whenDown: 'open' }), key: 'k', cost: 1 }
  const isHeld = async () => (await keysOf(server.admin, 'h')).some((key) => key.startsWith('{h}:c:'))
  ;(await counted(limiter.take([claim]))).release?.()
  await eventually(async () => ((await isHeld()) ? undefined : true))
  await server.admin.script('FLUSH') // it must not be taught anew for somebody who has left
  await server.admin.client('PAUSE', 400)
  const answer = await counted(limiter.take([claim]))
  assert.equal(answer.allowed, true)
  assert.equal(answer.release, undefined)
  assert.equal(limiter.figures.fallbacks, 1)
  await server.admin.ping()
  // By the second answer it is through with all that it was sent before the first.
  for (let take = 0; take < 2; take++) await limiter.take([{ ...claim, limit: limitOf({ name: 'other' }) }])
  assert.equal(await isHeld(), false)
})

test('TR6: a Redis that forgets its programs is taught them again', async (context) => {
  const server = await ownServer(context)
  const { limiter } = await sharedNode(context, { url: server.url, prefix: 'h', timeout })
  const claim: Claim = { limit: limitOf({ ...hour, limit: 100 }), key: 'k', cost: 1 }
  for (let take = 0; take < 3; take++) {
    await server.admin.script('FLUSH')
    await Promise.all([1, 2, 3].map(() => limiter.take([claim])))
  }
  assert.equal((await counted(limiter.take([claim]))).remaining, 90)
  assert.equal(limiter.figures.faults, 0)
})

test('TR6: a Redis that refuses to write is as good as none, and its refusal is no fault of the caller', async (context) => {
  const server = await ownServer(context)
  const { limiter, told } = await sharedNode(context, { url: server.url, prefix: 'h', timeout })
  const claim: Claim = { limit: limitOf({ ...hour, limit: 3, whenDown: 'closed' }), key: 'k', cost: 1 }
  await server.admin.replicaof('127.0.0.1', 1)
  for (let take = 0; take < 5; take++) assert.equal(await limiter.take([claim]), 'uncounted')
  assert.match(told[0]?.reason ?? '', /^READONLY$|^MASTERDOWN$/)
  assert.ok(limiter.figures.roundTrips <= 3)
  await server.admin.replicaof('NO', 'ONE')
  await reachable(limiter, true)
  assert.equal((await counted(limiter.take([claim]))).allowed, true)
})

test('TR6: a password is sent and never told', async (context) => {
  const server = await ownServer(context, '--requirepass', 'hunter2 %/:@')
  const claim: Claim = { limit: limitOf({ ...hour, limit: 3 }), key: 'k', cost: 1 }
  const right = await sharedNode(
    context,
    { url: server.url, prefix: 'h', timeout },
    { password: new Secret('hunter2 %/:@') },
  )
  const inUrl = await sharedNode(context, {
    url: `redis://:${encodeURIComponent('hunter2 %/:@')}@127.0.0.1:${server.port}/0`,
    prefix: 'h',
    timeout,
  })
  for (const { limiter } of [right, inUrl]) assert.equal((await counted(limiter.take([claim]))).allowed, true)
  assert.equal((await counted(right.limiter.take([claim]))).remaining, 0)

  const printed: unknown[] = []
  for (const way of ['log', 'warn', 'error'] as const)
    context.mock.method(console, way, (...texts: unknown[]) => printed.push(...texts))
  const wrong = await sharedNode(
    context,
    { url: server.url, prefix: 'h', timeout },
    { password: new Secret('hunter3') },
  )
  const none = await sharedNode(context, { url: server.url, prefix: 'h', timeout })
  assert.deepEqual(
    [wrong, none].map(({ told }) => told.map(({ reachable, reason }) => ({ reachable, reason }))),
    [[{ reachable: false, reason: 'WRONGPASS' }], [{ reachable: false, reason: 'NOAUTH' }]],
  )
  assert.doesNotMatch(JSON.stringify([wrong.told, none.told, printed]), /hunter/)
})

test('TR6: all that a request draws on lies in one slot of a cluster, whichever of its nodes is asked', async (context) => {
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
  const [first, second] = [await ownServer(context, ...cluster), await ownServer(context, ...cluster)] as const
  await first.admin.cluster('ADDSLOTSRANGE', 0, 8_191)
  await second.admin.cluster('ADDSLOTSRANGE', 8_192, 16_383)
  await first.admin.cluster('MEET', '127.0.0.1', second.port)
  for (const { admin } of [first, second])
    await eventually(async () => (/cluster_state:ok/.test(String(await admin.cluster('INFO'))) ? true : undefined))
  const claims = (['sliding', 'token-bucket', 'log', 'fixed', 'concurrency'] as const).map(
    (algorithm): Claim => ({ limit: limitOf({ algorithm, limit: 4 }), key: `192.0.2.${algorithm.length}`, cost: 1 }),
  )
  const prefixes = ['house', 'other'] // slots 5,460 and 9,437, one on each
  const nodes: SharedLimiter[] = []
  for (const prefix of prefixes)
    for (const { url } of [first, second])
      nodes.push((await sharedNode(context, { url, prefix, cluster: true, timeout })).limiter)
  for (const [one, two] of [nodes.slice(0, 2), nodes.slice(2)] as unknown as [SharedLimiter, SharedLimiter][]) {
    for (let take = 0; take < 6; take++)
      assert.equal((await counted((take % 2 === 0 ? one : two).take(claims))).allowed, take < 4)
    assert.equal(one.figures.fallbacks + two.figures.fallbacks, 0)
  }
  const admins: Redis[] = [first.admin, second.admin]
  for (const prefix of prefixes) {
    const kept = await Promise.all(admins.map((admin) => keysOf(admin, prefix)))
    assert.deepEqual(kept.map(({ length }) => length).toSorted(), [0, claims.length + 1])
    const slots = await Promise.all(kept.flat().map((key) => first.admin.cluster('KEYSLOT', key)))
    assert.equal(new Set(slots).size, 1)
  }
})
