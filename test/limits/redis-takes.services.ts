// Requests that come at the same moment, and go to Redis together.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claim } from '../../src/limits/limiter.ts'
import { keysOf, ownServer } from './redis-server.ts'
import { counted, limitOf, sharedNode } from './shared-house.ts'

const algorithms = ['sliding', 'token-bucket', 'log', 'fixed'] as const
const timeout = '5s'

test('TR6: requests of one moment share round trips, and each is admitted or refused by itself', async (context) => {
  const server = await ownServer(context)
  const { limiter } = await sharedNode(context, { url: server.url, prefix: 'h', timeout })
  const claims = algorithms.map(
    (algorithm): Claim => ({ limit: limitOf({ name: algorithm, algorithm, windowMs: 3_600_000 }), key: 'k', cost: 1 }),
  )
  const hour = { algorithm: 'log', windowMs: 3_600_000 } as const
  const both: Claim = { limit: limitOf({ ...hour, name: 'both', limit: 25 }), key: 'k', cost: 1 }
  const once: Claim = { limit: limitOf({ ...hour, name: 'once', limit: 1 }), key: 'k', cost: 1 }
  await server.admin.config('RESETSTAT')
  const takes = Array.from({ length: 400 }, (_, take) => [claims[take % claims.length] as Claim, both])
  const answers = await Promise.all(
    takes.flatMap((asked) => [counted(limiter.take([once, ...asked])), counted(limiter.take(asked))]),
  )
  const admitted = takes.flatMap((asked) => [asked, asked]).filter((_, take) => answers[take]?.allowed)
  // The first has taken the only unit of \`once\`: refused beside it, the others are not held up.
  assert.deepEqual(
    answers.slice(0, 25).map(({ allowed }) => allowed),
    Array.from({ length: 25 }, (_, take) => take === 0 || take % 2 === 1),
  )
  assert.equal(admitted.length, 25)
  for (const claim of claims) {
    const units = admitted.filter(([first]) => first === claim).length
    assert.ok(units <= 10)
    assert.equal((await counted(limiter.take([claim]))).remaining, 10 - units - 1, claim.limit.name)
  }
  const [, trips = ''] = /cmdstat_evalsha:calls=(\d+)/.exec(await server.admin.info('commandstats')) ?? []
  assert.ok(Number(trips) <= 120, `${trips} round trips for ${answers.length + claims.length} requests`)
})

test('TR6 C: where something else lies in the place of a count, whoever asks for that one is not counted, and everybody else is', async (context) => {
  const server = await ownServer(context)
  const { limiter } = await sharedNode(context, { url: server.url, prefix: 'h', timeout })
  for (const algorithm of algorithms) {
    const limit = limitOf({ name: algorithm, algorithm, windowMs: 3_600_000, whenDown: 'closed' })
    const [spoilt, sound] = ['spoilt', 'sound'].map((key): Claim => ({ limit, key, cost: 1 })) as [Claim, Claim]
    const before = await keysOf(server.admin, 'h')
    await limiter.take([spoilt])
    const key = (await keysOf(server.admin, 'h')).find((one) => !before.includes(one)) as string
    await server.admin.multi().del(key).hset(key, 'field', 'value').exec()
    const answers = await Promise.all([[sound], [spoilt], [sound, spoilt], [sound]].map((asked) => limiter.take(asked)))
    assert.equal(answers[1], 'uncounted', algorithm)
    assert.equal(answers[2], 'uncounted', algorithm)
    for (const [place, remaining] of [
      [0, 9],
      [3, 8],
    ] as const) {
      const answer = answers[place]
      assert.ok(answer !== undefined && answer !== 'uncounted')
      assert.deepEqual([answer.allowed, answer.remaining], [true, remaining], algorithm)
    }
  }
  assert.equal(limiter.figures.reachable, true)
})
