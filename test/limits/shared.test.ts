// Without any Redis.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { sharedOptions } from '../../src/limits/shared/options.ts'
import { shareOf } from '../../src/limits/shared/share.ts'
import { counted, limitOf, sharedNode } from './shared-house.ts'

test('TR6: a house begins without its Redis, says so once, and counts for itself', async (context) => {
  const { limiter, told } = await sharedNode(context, 'redis://somebody:hunter2@127.0.0.1:1')
  const claim = { limit: limitOf({ algorithm: 'log', limit: 2 }), key: 'k', cost: 1 }
  const closed = { limit: limitOf({ name: 'closed', whenDown: 'closed' }), key: 'k', cost: 1 }
  assert.equal(limiter.take([claim, closed]), 'uncounted')
  for (const allowed of [true, true, false]) assert.equal((await counted(limiter.take([claim]))).allowed, allowed)
  assert.deepEqual(
    told.map(({ reachable, reason }) => ({ reachable, reason })),
    [{ reachable: false, reason: 'ECONNREFUSED' }],
  )
  assert.deepEqual(limiter.figures, {
    takes: 4,
    deniedHere: 0,
    leased: 0,
    roundTrips: 0,
    faults: 0,
    fallbacks: 4,
    reachable: false,
    nodes: 1,
  })
})

for (const [what, said] of [
  ['says nothing', ''],
  ['is no Redis', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
] as const)
  test(`TR6: a server that ${what} is no Redis to wait for`, async (context) => {
    const url = await strangeServer(context, said)
    const { limiter, told } = await sharedNode(context, { url })
    const { allowed } = await counted(limiter.take([{ limit: limitOf({}), key: 'k', cost: 1 }]))
    assert.equal(allowed, true)
    assert.equal(limiter.figures.fallbacks, 1)
    assert.deepEqual(
      told.map(({ reachable }) => reachable),
      [false],
    )
  })

test('TR6: the shares of all nodes are no more than the limit, where there is a unit for each', () => {
  for (const algorithm of ['sliding', 'token-bucket', 'log', 'fixed', 'concurrency'] as const) {
    const limit = limitOf({ algorithm, limit: 100, burst: 10 })
    assert.deepEqual(shareOf(limit, 1), limit)
    assert.deepEqual(shareOf(limit, 3), { ...limit, limit: 33, burst: 3 })
    assert.deepEqual(shareOf(limit, 1_000), { ...limit, limit: 1, burst: 1 })
  }
})

test('TR6: what is wrong with a shared count is named, and its password is not', () => {
  const mistakes = (value: unknown) => {
    const outcome = sharedOptions.safeParse(value)
    if (outcome.success) return []
    assert.doesNotMatch(JSON.stringify(outcome.error.issues), /hunter2/)
    return outcome.error.issues.flatMap((issue) =>
      issue.code === 'invalid_union'
        ? issue.errors.flat().map(({ path, code }) => `${path.join('.')} ${code}`)
        : [`${issue.path.join('.')} ${issue.code}`],
    )
  }
  for (const url of ['redis://h', 'redis://h:1/3', 'rediss://u:p%2F@[::1]:6379', 'redis://:p@h/'])
    assert.deepEqual(mistakes(url), [], url)
  for (const url of ['', 'h:6379', 'http://h', 'redis://', 'redis://h/x', 'redis://h?p=hunter2', 'redis://:%hunter2@h'])
    assert.notDeepEqual(mistakes(url), [], url)
  const url = 'redis://h'
  for (const [mistake, at] of [
    [{ url: 'redis://:hunter2@h', password: { env: 'P' } }, 'password'],
    [{ url, ca: 'ca.pem' }, 'ca'],
    [{ url: 'redis://h/2', cluster: true }, 'url'],
    [{ url, prefix: 'a{b}' }, 'prefix'],
    [{ url, timeout: '1ms' }, 'timeout'],
    [{ url, nodes: 0 }, 'nodes'],
    [{ url, whenDown: 'never' }, 'whenDown'],
    [{ url, password: 'hunter2' }, 'password'],
    [{ url, what: 1 }, ''],
    [{}, 'url'],
  ] as const)
    assert.ok(
      mistakes(mistake).some((found) => found.startsWith(`${at} `)),
      `${JSON.stringify(mistake)}: ${mistakes(mistake)}`,
    )
  assert.deepEqual(sharedOptions.parse(url), {
    url,
    cluster: false,
    prefix: 'gatehouse',
    timeout: 50,
    whenDown: 'local',
    leases: false,
  })
})

/** Something at whose port a Redis was expected. */
async function strangeServer(context: TestContext, said: string): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.write(said)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`
}
