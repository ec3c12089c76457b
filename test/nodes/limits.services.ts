// Two nodes of one house, each with its own port, and one Redis: what callers see of it.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { ownServer, sharedServer, throwAwayPrefix } from '../limits/redis-server.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, startHouse, startUpstream, type TestHouse } from '../support/house.ts'

const hour = '1h'
const limits = {
  few: { algorithm: 'log', limit: 10, window: hour, by: 'ip' },
  strict: { limit: 5, window: hour, by: 'ip', whenDown: 'closed' },
  lenient: { limit: 1, window: hour, by: 'ip', whenDown: 'open' },
  uploads: { algorithm: 'concurrency', limit: 2, by: 'ip', whenDown: 'open' },
} satisfies Config['limits']

async function nodes(context: TestContext, shared: NonNullable<Config['shared']>, count = 2): Promise<TestHouse[]> {
  const { url } = await startUpstream(context, mirror)
  const environment = { GATEHOUSE_SECRET: 'one secret for all the nodes of this house' }
  const started: TestHouse[] = []
  for (let node = 0; node < count; node++) {
    started.push(
      await startHouse(
        context,
        {
          shared,
          limits,
          upstreams: { api: url },
          listen: { trustedProxies: ['127.0.0.1'] },
          routes: Object.keys(limits).map((limit) => ({ path: `/${limit}`, access: 'public', limit, to: 'api' })),
        },
        { environment },
      ),
    )
  }
  return started
}

async function ask(node: TestHouse | undefined, path: string, from = '203.0.113.1'): Promise<Response> {
  const answer = await fetch(`${node?.url}${path}`, { headers: { 'x-forwarded-for': from } })
  await answer.clone().arrayBuffer()
  return answer
}

async function recorded(node: TestHouse | undefined, action: string): Promise<number> {
  await node?.house.audit.flush()
  const rows = await node?.house.store.db.selectFrom('audit_events').select('body').execute()
  return (rows ?? []).filter(({ body }) => body.includes(`"${action}"`)).length
}

test('TR6: over nodes the count is one: of two that are asked at once, ten get through and not one more', async (context) => {
  const both = await nodes(context, { url: sharedServer, prefix: throwAwayPrefix(context), timeout: '2s' })
  const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => ask(both[n % 2], '/few')))
  assert.deepEqual(
    [answers.filter(({ status }) => status === 200).length, answers.filter(({ status }) => status === 429).length],
    [10, 30],
  )
  // Each node tells how it stands for all.
  const refused = await ask(both[0], '/few')
  assert.equal(refused.headers.get('x-ratelimit-remaining'), '0')
  assert.ok(Number(refused.headers.get('retry-after')) > 3_500)
  // What is under way at one node is counted at the other.
  assert.equal((await ask(both[0], '/few', '203.0.113.2')).headers.get('x-ratelimit-remaining'), '9')
  assert.equal((await ask(both[1], '/few', '203.0.113.2')).headers.get('x-ratelimit-remaining'), '8')
})

test('TR6 C: where Redis is gone each limit does what it says, it is told once, and no fault is a 429', async (context) => {
  const redis = await ownServer(context)
  const [node, other] = await nodes(context, { url: redis.url, prefix: 'house', timeout: '500ms', nodes: 2 })
  assert.equal((await ask(node, '/strict')).status, 200)
  assert.equal((await ask(node, '/lenient')).status, 200)
  assert.equal((await ask(node, '/lenient')).status, 429)
  await redis.kill()
  // A limit of ten is five for each of two nodes.
  const seen: number[] = []
  for (let n = 0; n < 7; n++) seen.push((await ask(node, '/few', '203.0.113.3')).status)
  assert.deepEqual(seen, [200, 200, 200, 200, 200, 429, 429])
  const closed = await ask(node, '/strict')
  assert.equal(closed.status, 503)
  assert.equal(closed.headers.get('retry-after'), '1')
  assert.match(((await closed.json()) as { detail: string }).detail, /cannot be counted at the moment/)
  assert.equal((await ask(node, '/lenient', '203.0.113.4')).status, 200)
  assert.equal((await ask(node, '/lenient', '203.0.113.4')).status, 200)
  assert.equal((await ask(node, '/uploads')).status, 200)
  await eventually(async () => ((await recorded(node, 'shared-count-lost')) === 1 ? true : undefined))
  await redis.restart()
  await eventually(async () => ((await ask(node, '/strict', '203.0.113.5')).status === 200 ? true : undefined))
  assert.equal(await recorded(node, 'shared-count-lost'), 1)
  await eventually(async () => ((await recorded(node, 'shared-count-found')) === 1 ? true : undefined))
  assert.equal((await ask(other, '/few', '203.0.113.6')).status, 200)
})

test('TR6: a house opens without Redis, and goes over to it when it is there', async (context) => {
  const redis = await ownServer(context)
  await redis.kill()
  const [node] = await nodes(context, { url: redis.url, prefix: 'house', nodes: 2 }, 1)
  assert.equal((await ask(node, '/strict')).status, 503)
  const first = await ask(node, '/few')
  assert.deepEqual([first.status, first.headers.get('x-ratelimit-remaining')], [200, '4'])
  await redis.restart()
  await eventually(async () => ((await ask(node, '/strict')).status === 200 ? true : undefined))
  assert.equal((await ask(node, '/few', '203.0.113.9')).headers.get('x-ratelimit-remaining'), '9')
})
