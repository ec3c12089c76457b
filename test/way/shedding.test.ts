// When more is asked for than can be answered: a house and an upstream on real sockets.
import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { type TestClock, testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { startHouse } from '../support/house.ts'

/** An API that answers `/held` when it is told to, `/stream` with a head and nothing after it, and all else at once. */
async function startApi(context: TestContext) {
  const held: ServerResponse[] = []
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    if (request.url === '/held') return held.push(response)
    if (request.url === '/stream')
      return response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    request.resume().on('end', () => setTimeout(() => response.end('done'), 5))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held,
    asked: () => asked,
    release: () => {
      for (const response of held.splice(0)) response.end('at last')
    },
  }
}

async function startBoth(
  context: TestContext,
  load: NonNullable<NonNullable<Parameters<typeof startHouse>[1]['shield']>['load']>,
  clock?: TestClock,
) {
  const api = await startApi(context)
  const gate = await startHouse(
    context,
    {
      upstreams: { api: api.url },
      shield: { load, exempt: { paths: ['/exempt'] } },
      limits: false,
      routes: [
        { path: '/mine', access: 'authenticated', to: 'api' },
        { path: '/late', access: 'public', to: 'api', priority: 'low' },
        { path: '/urgent', access: 'public', to: 'api', priority: 'high' },
        { path: '/*', access: 'public', to: 'api' },
      ],
    },
    clock === undefined ? {} : { clock },
  )
  return { api, gate, ask: (path: string, init?: RequestInit) => fetch(gate.url + path, init) }
}

test('a burst of two hundred requests on an upstream that answers soon is answered whole', async (context) => {
  const { ask } = await startBoth(context, {})
  const answers = await Promise.all(Array.from({ length: 200 }, () => ask('/quick')))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
})

test('a request too many is refused before anybody is asked who they are, and told when to come again', async (context) => {
  const { api, ask } = await startBoth(context, { upstreams: { least: 1, most: 2 } })
  const waiting = [ask('/held'), ask('/held')]
  await eventually(() => (api.held.length === 2 ? true : undefined))
  for (const path of ['/mine', '/quick', '/late']) {
    const refused = await ask(path)
    assert.equal(refused.status, 503)
    assert.equal(((await refused.json()) as { code: string }).code, 'overloaded')
    assert.match(refused.headers.get('retry-after') ?? '', /^[1-5]$/)
  }
  assert.equal(api.asked(), 2)
  api.release()
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 200)
  assert.equal((await ask('/quick')).status, 200)
  assert.equal((await ask('/mine')).status, 401)
})

test('AU1: what is shed is in the record, each request and that it began', async (context) => {
  const { api, gate, ask } = await startBoth(context, { upstreams: { least: 1, most: 1 } })
  const waiting = ask('/held')
  await eventually(() => api.held[0])
  assert.equal((await ask('/quick')).status, 503)
  api.release()
  await waiting
  const bodies = await eventually(async () => {
    await gate.house.audit.flush()
    const rows = await gate.house.store.db.selectFrom('audit_events').select('body').execute()
    const found = rows.map(({ body }) => body).filter((body) => /"overloaded"|"load-shed"/.test(body))
    return found.length === 2 ? found : undefined
  })
  assert.ok(
    bodies.some((body) => /"action":"load-shed".*"state":"began".*"upstream":"api"/.test(body)),
    bodies.join('\n'),
  )
  assert.ok(bodies.some((body) => /"because":"overloaded"/.test(body) && /"status":503/.test(body)))
})

test('the body of a request that is refused is not read', async (context) => {
  const { api, gate, ask } = await startBoth(context, { upstreams: { least: 1, most: 1 } })
  const waiting = ask('/held')
  await eventually(() => api.held[0])
  const socket = connect(gate.port, '127.0.0.1')
  socket.write('POST /quick HTTP/1.1\r\nHost: gate\r\nContent-Length: 1000000\r\n\r\nthe first of many')
  const [answer] = (await new Promise<[Buffer]>((resolve) => socket.once('data', (chunk) => resolve([chunk])))) as [
    Buffer,
  ]
  assert.match(answer.toString(), /^HTTP\/1\.1 503 /)
  socket.destroy()
  api.release()
  assert.equal((await waiting).status, 200)
})

test('a caller who leaves gives the place back', async (context) => {
  const { api, ask } = await startBoth(context, { upstreams: { least: 1, most: 1 } })
  const leaving = new AbortController()
  const left = ask('/held', { signal: leaving.signal }).catch(() => undefined)
  await eventually(() => api.held[0])
  assert.equal((await ask('/quick')).status, 503)
  leaving.abort()
  await left
  await eventually(async () => ((await ask('/quick')).status === 200 ? true : undefined))
})

test('a stream whose head is there holds no place', async (context) => {
  const { ask } = await startBoth(context, { upstreams: { least: 1, most: 1 } })
  const leaving = new AbortController()
  const streams = [await ask('/stream', { signal: leaving.signal }), await ask('/stream', { signal: leaving.signal })]
  for (const { status } of streams) assert.equal(status, 200)
  assert.equal((await ask('/quick')).status, 200)
  leaving.abort()
})

test('an upload that trickles in holds its place for no longer than a second', async (context) => {
  const clock = testClock()
  const { api, gate, ask } = await startBoth(context, { upstreams: { least: 1, most: 1 } }, clock)
  const socket = connect(gate.port, '127.0.0.1')
  socket.write('POST /quick HTTP/1.1\r\nHost: gate\r\nContent-Length: 10\r\n\r\nabc')
  await eventually(() => (api.asked() === 1 ? true : undefined))
  assert.equal((await ask('/quick')).status, 503)
  clock.advance(1_000)
  assert.equal((await ask('/quick')).status, 200)
  const answered = new Promise<Buffer>((resolve) => socket.once('data', resolve))
  socket.write('defghij')
  assert.match((await answered).toString(), /^HTTP\/1\.1 200 /)
  socket.destroy()
})

test('what is more important may go beyond, and what is exempt is never refused', async (context) => {
  const { api, ask } = await startBoth(context, { upstreams: { least: 4, most: 4 } })
  const waiting = Array.from({ length: 3 }, () => ask('/held'))
  await eventually(() => (api.held.length === 3 ? true : undefined))
  assert.equal((await ask('/late')).status, 503)
  waiting.push(ask('/held'))
  await eventually(() => (api.held.length === 4 ? true : undefined))
  assert.equal((await ask('/quick')).status, 503)
  assert.equal((await ask('/urgent')).status, 200)
  assert.equal((await ask('/exempt')).status, 200)
  api.release()
  await Promise.all(waiting)
})

/** Lets the thread be late by so much, again and again, until `done`. */
async function beLate(clock: TestClock, ms: number, done: Promise<unknown>): Promise<void> {
  let over = false
  void done.finally(() => (over = true))
  while (!over) {
    clock.advance(ms)
    await pause(2)
  }
}

test('a thread that is late refuses what is less important, and never what says how it is', async (context) => {
  const clock = testClock()
  const { ask } = await startBoth(context, {}, clock)
  const statuses = new Map<string, number[]>()
  const asking = (async () => {
    for (let round = 0; round < 50 && !statuses.get('/quick')?.includes(503); round++) {
      for (const path of ['/nowhere', '/quick', '/health/live', '/metrics']) {
        // Ten of each interval are taken whatever happens.
        const answers = await Promise.all(Array.from({ length: 15 }, () => ask(path)))
        statuses.set(path, [...(statuses.get(path) ?? []), ...answers.map(({ status }) => status)])
      }
      await turn()
    }
  })()
  await beLate(clock, 60, asking)
  await asking
  assert.ok(statuses.get('/quick')?.includes(503))
  assert.ok(statuses.get('/quick')?.includes(200), 'some are taken always')
  assert.ok(!statuses.get('/metrics')?.includes(503))
  assert.ok(!statuses.get('/health/live')?.includes(503))
  const text = await (await ask('/metrics')).text()
  assert.match(text, /gatehouse_refusals_total\{code="overloaded"\} [1-9]/)
})

test('`load: false` refuses nobody', async (context) => {
  const clock = testClock()
  const { ask } = await startBoth(context, false, clock)
  const asking = (async () => {
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(Array.from({ length: 30 }, () => ask('/quick')))
      for (const { status } of answers) assert.equal(status, 200)
    }
  })()
  await beLate(clock, 60, asking)
  await asking
})

test('a mistake in the options is told by its place', async (context) => {
  await assert.rejects(
    startHouse(context, { shield: { load: { upstreams: { least: 9, most: 3 } } } }),
    /shield\.load\.upstreams\.least.*expected no more than `most`/s,
  )
})
