// Ways around a limit, at somebody else's cost, or to keep for good what is only lent: each by what somebody would try.
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { makeServiceToken } from '../../src/authn/service/service-token.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { type Config, env } from '../../src/config/settings.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, startHouse, startUpstream, type TestHouse } from '../support/house.ts'

type Fields = Readonly<Record<string, string>>
type Route = NonNullable<Config['routes']>[number]

interface AttackedHouse extends TestHouse {
  readonly clock: TestClock
  /** Asks from an address, and answers once all of the answer is there. */
  ask(path: string, fields?: Fields, from?: string, more?: RequestInit): Promise<Response>
}

async function attackedHouse(
  context: TestContext,
  config: Omit<Config, 'upstreams' | 'routes'> & { readonly routes: readonly Omit<Route, 'to'>[] },
  api: string | Parameters<typeof startUpstream>[1] = mirror,
  environment: Fields = {},
): Promise<AttackedHouse> {
  const url = typeof api === 'string' ? api : (await startUpstream(context, api)).url
  const clock = testClock(Date.now())
  const house = await startHouse(
    context,
    {
      listen: { trustedProxies: ['127.0.0.1'] },
      ...config,
      upstreams: { api: url },
      routes: config.routes.map((route) => ({ ...route, to: 'api' })),
    } as Config,
    { clock, environment },
  )
  const ask: AttackedHouse['ask'] = async (path, fields = {}, from = '203.0.113.1', more = {}) => {
    const answer = await fetch(`${house.url}${path}`, { ...more, headers: { ...fields, 'x-forwarded-for': from } })
    await answer.arrayBuffer()
    return answer
  }
  return { ...house, clock, ask }
}

async function statuses(count: number, ask: (nth: number) => Promise<Response>): Promise<string> {
  const seen: number[] = []
  for (let nth = 0; nth < count; nth++) seen.push((await ask(nth)).status)
  return seen.join(' ')
}

const bearer = (token: string): Fields => ({ authorization: `Bearer ${token}` })
/** Another text each time, of which none was ever signed by anybody. */
const forged = (token: string, nth: number): string => `${token.slice(0, -6)}${String(nth).padStart(6, 'A')}`

const open: Pick<Route, 'access' | 'methods'> = { access: 'public', methods: ['GET'] }
const few = { algorithm: 'log', limit: 2, window: '1h' } as const
const patient = { algorithm: 'log', limit: 3, window: '1m', by: 'ip' } as const

test('TR2: who switches off what is counted of strangers has switched off nothing else', async (context) => {
  const house = await attackedHouse(context, {
    limits: { strangers: false, few: { ...few, by: 'ip' }, each: { ...few, by: 'principal' } },
    routes: [
      { ...open, path: '/a', limit: 'few' },
      { path: '/b', access: 'authenticated', limit: 'each' },
    ],
  })
  assert.equal(await statuses(3, () => house.ask('/a')), '200 200 429')
  const token = await house.signIn()
  assert.equal(await statuses(3, () => house.ask('/b', bearer(token))), '200 200 429')
  assert.equal(await statuses(4, (nth) => house.ask('/b', bearer(forged(token, nth)))), '401 401 401 401')
  const key = await keyOf(house, token, { limit: 1, window: 3600 })
  assert.equal(await statuses(2, () => house.ask('/a', { 'x-api-key': key }, '203.0.113.2')), '200 429')
})

async function keyOf(house: AttackedHouse, token: string, limit?: object): Promise<string> {
  const body = JSON.stringify({ name: 'job', ...(limit && { limit }) })
  const fields = { ...bearer(token), 'content-type': 'application/json' }
  const answer = await fetch(`${house.url}/api/keys`, { method: 'POST', headers: fields, body })
  const said = (await answer.json()) as { readonly key: string }
  assert.equal(answer.status, 201, JSON.stringify(said))
  return said.key
}

test('TR3: what a key brings and what a limit of the configuration counts are two budgets, whatever they are called', async (context) => {
  const house = await attackedHouse(context, {
    limits: { own: { algorithm: 'sliding', limit: 5, window: '1h', burst: 5, by: 'key' } },
    routes: [{ path: '/a', access: 'authenticated', limit: 'own' }],
  })
  const key = await keyOf(house, await house.signIn(), { limit: 5, window: 3600 })
  assert.equal(await statuses(6, () => house.ask('/a', { 'x-api-key': key })), '200 200 200 200 200 429')
})

test('A52 C: whoever is at work is not kept out by a neighbour who never stops sending forged tokens', async (context) => {
  const house = await attackedHouse(context, {
    limits: { strangers: patient },
    routes: [{ path: '/a', access: 'authenticated', methods: ['GET'] }],
  })
  const token = await house.signIn()
  assert.equal((await house.ask('/a', bearer(token))).status, 200)
  let nth = 0
  const flood = (): Promise<string> => statuses(4, () => house.ask('/a', bearer(forged(token, nth++))))
  // For ten minutes, in which what is remembered of a token has to be looked at again and again.
  for (let passed = 0; passed < 600; passed += 20) {
    await flood()
    assert.equal((await house.ask('/a', bearer(token))).status, 200, `after ${passed} s`)
    house.clock.advance(20_000)
  }
})

test('C: a token that was good once and is over costs no signature check in a flood', async (context) => {
  const house = await attackedHouse(context, {
    limits: { strangers: patient },
    tokens: { accessTtl: '1m' },
    routes: [{ path: '/a', access: 'authenticated', methods: ['GET'] }],
  })
  const token = await house.signIn()
  assert.equal((await house.ask('/a', bearer(token))).status, 200)
  house.clock.advance(180_000)
  assert.equal(await statuses(5, () => house.ask('/a', bearer(token))), '401 401 401 429 429')
})

test('C: the token of a service that was never seen waits while its address sends forged ones, and one at work goes on', async (context) => {
  const secret = 'the secret of the reports, more than 32'
  const house = await attackedHouse(
    context,
    {
      limits: { strangers: patient },
      services: { reports: { secrets: [env('REPORTS')] } },
      routes: [{ path: '/a', access: 'authenticated', methods: ['GET'] }],
    },
    mirror,
    { REPORTS: secret },
  )
  const made = (): string =>
    makeServiceToken({
      service: 'reports',
      target: 'api',
      secret: createSecretKey(Buffer.from(secret)),
      clock: house.clock,
      random: systemRandom,
    })
  const known = made()
  assert.equal((await house.ask('/a', bearer(known))).status, 200)
  assert.equal(await statuses(5, (nth) => house.ask('/a', bearer(forged(known, nth)))), '401 401 401 429 429')
  assert.equal((await house.ask('/a', bearer(known))).status, 200)
  assert.equal((await house.ask('/a', bearer(made()))).status, 429, 'its signature was checked in a flood')
  assert.equal((await house.ask('/a', bearer(made()), '203.0.113.9')).status, 200)
})

test('C TR9: preflights of a page are no waste: they keep nobody out, and are answered in a flood', async (context) => {
  const house = await attackedHouse(context, {
    cors: { origins: ['https://app.example.com'] },
    limits: { strangers: patient },
    routes: [{ path: '/a/*', access: 'authenticated', methods: ['PUT'] }],
  })
  const token = await house.signIn()
  const asking = { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' }
  const preflight = (nth: number): Promise<Response> =>
    house.ask(`/a/${nth}`, asking, '203.0.113.1', { method: 'OPTIONS' })
  assert.equal(await statuses(5, preflight), '200 200 200 200 200')
  const put = { ...bearer(token), origin: 'https://app.example.com' }
  assert.equal((await house.ask('/a/1', put, '203.0.113.1', { method: 'PUT' })).status, 200)
})

test('TR6: what nobody can look up at the moment is no waste of whoever showed it', async (context) => {
  const house = await attackedHouse(context, {
    limits: { strangers: patient },
    routes: [
      { ...open, path: '/open' },
      { path: '/closed', access: 'authenticated' },
    ],
  })
  const key = await keyOf(house, await house.signIn())
  await house.house.store.db.schema.alterTable('api_keys').renameTo('nowhere').execute()
  assert.equal(await statuses(5, () => house.ask('/open', { 'x-api-key': key })), '200 200 200 200 200')
  assert.equal(await statuses(2, () => house.ask('/closed', { 'x-api-key': key })), '503 503')
  assert.equal(await statuses(2, (nth) => house.ask('/closed', bearer(`a.b.${nth}`))), '401 401')
})

test('A52: a fact that nobody has is not one that all share', async (context) => {
  const house = await attackedHouse(context, {
    limits: {
      made: { ...few, by: 'attribute:constructor' },
      proto: { ...few, by: ['attribute:__proto__+ip', 'ip'] },
      header: { ...few, by: 'header:constructor' },
    },
    routes: [
      { ...open, path: '/made', limit: 'made' },
      { ...open, path: '/proto', limit: 'proto' },
      { ...open, path: '/header', limit: 'header' },
    ],
  })
  for (const path of ['/made', '/proto', '/header']) {
    assert.equal(await statuses(3, () => house.ask(path, {}, '203.0.113.1')), '200 200 429')
    assert.equal((await house.ask(path, {}, '203.0.113.2')).status, 200, path)
    // A field that says nothing is none.
    assert.equal((await house.ask(path, { constructor: '' }, '203.0.113.1')).status, 429, path)
  }
})

test('TR3: one route is one budget, by whatever method, spelling or address form it is asked for', async (context) => {
  const house = await attackedHouse(context, {
    limits: { few: { ...few, limit: 4, by: 'ip+route' } },
    routes: [{ path: '/a/:id', access: 'public', methods: ['GET', 'POST'], limit: 'few' }],
  })
  const said = [
    (await house.ask('/a/1')).status,
    (await house.ask('/a/1', {}, '203.0.113.1', { method: 'HEAD' })).status,
    (await house.ask('/%61/2', {}, '203.0.113.1', { method: 'POST', body: 'x' })).status,
  ]
  assert.deepEqual(said, [200, 200, 200])
  const raw = (line: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(house.port, '127.0.0.1')
      let text = ''
      socket.on('data', (chunk) => (text += chunk))
      socket.on('close', () => resolve(text.slice(9, 12)))
      socket.on('error', reject)
      socket.write(`${line} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 203.0.113.1\r\nconnection: close\r\n\r\n`)
    })
  assert.equal(await raw('GET http://x/a/3?y'), '200')
  assert.equal(await raw('GET http://x/a/4'), '429')
  assert.equal(await raw('HEAD /a/5'), '429')
})

test('TR5: what an upstream says of limits of its own is not taken for ours', async (context) => {
  const house = await attackedHouse(
    context,
    {
      limits: { few: { ...few, by: 'ip' } },
      routes: [
        { ...open, path: '/counted', limit: 'few' },
        { ...open, path: '/uncounted' },
      ],
    },
    (_request, response) => {
      const said = Object.fromEntries(
        ['limit', 'remaining', 'reset', 'window', 'type', 'used', 'limit-requests', 'remaining-tokens'].map((name) => [
          `X-RateLimit-${name}`,
          'their own',
        ]),
      )
      response.writeHead(200, {
        ...said,
        RateLimit: '"theirs";r=1;t=1;their own',
        'RateLimit-Policy': '"theirs";q=1;w=1;their own',
        'RateLimit-Limit': 'their own',
        'RateLimit-Remaining': 'their own',
        'RateLimit-Reset': 'their own',
      })
      response.end('x')
    },
  )
  for (const path of ['/counted', '/uncounted']) {
    const theirs = [...(await house.ask(path)).headers].filter(([, value]) => value.includes('their own'))
    assert.deepEqual(
      theirs.filter(([name]) => name.includes('ratelimit')),
      [],
      path,
    )
  }
})

test('TR5: an answer that failed says how the limit stands as one that did not', async (context) => {
  const house = await attackedHouse(
    context,
    {
      roles: { user: { permissions: [] } },
      limits: { many: { algorithm: 'log', limit: 50, window: '1h', by: 'ip' } },
      routes: [
        { path: '/closed', access: 'authenticated', limit: 'many' },
        { path: '/mine', require: 'a:b', limit: 'many' },
        { ...open, path: '/broken', limit: 'many' },
        { access: 'public', methods: ['POST'], path: '/shaped', limit: 'many', body: { type: 'object' } },
      ],
    },
    (request, response) =>
      request.url === '/broken' ? request.socket.destroy() : response.end(JSON.stringify({ url: request.url })),
  )
  const token = await house.signIn()
  const answers = [
    await house.ask('/closed'),
    await house.ask('/closed', bearer(forged(token, 1))),
    await house.ask('/mine', bearer(token)),
    await house.ask('/broken'),
    await house.ask('/shaped', { 'content-type': 'application/json' }, undefined, { method: 'POST', body: '[' }),
    await house.ask('/shaped', { 'content-type': 'application/json' }, undefined, { method: 'POST', body: '[]' }),
  ]
  assert.deepEqual(
    answers.map(({ status, headers }) => [
      status,
      headers.get('x-ratelimit-type'),
      headers.get('x-ratelimit-remaining'),
    ]),
    [
      [401, 'strangers', '99'], // of 300
      [401, 'strangers', '98'],
      [403, 'many', '47'],
      [502, 'many', '46'],
      [400, 'many', '45'],
      [422, 'many', '44'],
    ],
  )
})

test('TR5: the moment when a budget is whole again is counted from when it was drawn on, however long a body took', async (context) => {
  const house = await attackedHouse(
    context,
    {
      limits: { strangers: patient },
      services: { billing: { secrets: [env('BILLING')] } },
      signatures: { plain: { form: 'method-uri-body', service: 'billing' } },
      routes: [{ path: '/pay', access: 'public', methods: ['POST'], signature: 'plain' }],
    },
    mirror,
    { BILLING: 'a secret of billing that is long enough' },
  )
  const sending = request(`${house.url}/pay`, {
    method: 'POST',
    headers: {
      'content-length': 4,
      'x-forwarded-for': '203.0.113.1',
      'x-signature': Buffer.alloc(32, 1).toString('base64'),
      'x-timestamp': String(Math.floor(house.clock.now() / 1000)),
    },
  })
  sending.write('ab')
  await eventually(() => (house.house.gate.inFlight === 1 ? true : undefined))
  house.clock.advance(90_000)
  sending.end('cd')
  const [answer] = (await once(sending, 'response')) as [IncomingMessage]
  answer.resume()
  assert.equal(answer.statusCode, 401)
  assert.equal(answer.headers['x-ratelimit-reset'], String(Math.ceil((house.clock.now() + 60_000) / 1000)))
})

test('TR: what is only lent comes back once, at whatever moment its caller leaves, and whatever breaks', async (context) => {
  const server = createServer((asked, response) => {
    const path = asked.url ?? ''
    if (path.startsWith('/broken')) asked.socket.destroy()
    else if (path.startsWith('/stream')) {
      response.write('x')
    } else if (path.startsWith('/now')) response.end('x')
    // else it thinks for ever
  })
  const far = new WebSocketServer({ server })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    far.close()
    server.closeAllConnections()
    server.close()
  })
  const one = { access: 'public', limit: 'one' } as const
  const house = await attackedHouse(
    context,
    {
      limits: {
        one: { algorithm: 'concurrency', limit: 1, by: 'ip' },
        other: { algorithm: 'concurrency', limit: 3, by: 'global' },
      },
      routes: [
        { ...one, path: '/now' },
        { ...one, path: '/thinks', limit: ['one', 'other'] },
        { ...one, path: '/stream' },
        { ...one, path: '/broken' },
        { ...one, path: '/talk', websocket: true },
        { ...one, path: '/shaped', methods: ['POST'], body: { type: 'object' } },
        { path: '/closed', access: 'authenticated', limit: 'one' },
      ],
    },
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  )
  const { gate } = house.house
  const quiet = (): Promise<unknown> => eventually(() => (gate.inFlight === 0 ? true : undefined))
  const busy = (): Promise<unknown> => eventually(() => (gate.inFlight === 1 ? true : undefined))
  const isFree = async (after: string): Promise<void> => {
    const free = await eventually(async () => ((await house.ask('/now')).status === 200 ? true : undefined))
    assert.ok(free, `nothing is free after ${after}`)
    await quiet()
    // Nor was anything given back twice: while one is under way there is no room for another.
    const socket = connect(house.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write('GET /thinks HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 203.0.113.1\r\n\r\n')
    await busy()
    assert.equal((await house.ask('/now')).status, 429, `more than one is free after ${after}`)
    socket.destroy()
    await quiet()
  }
  const send = async (text: string, leave: (socket: ReturnType<typeof connect>) => Promise<unknown>): Promise<void> => {
    const socket = connect(house.port, '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(text.replace('\r\n', '\r\nhost: x\r\nx-forwarded-for: 203.0.113.1\r\n'))
    await leave(socket)
    socket.resetAndDestroy()
    await once(socket, 'close')
  }
  await isFree('nothing')
  await send('GET /thinks HTTP/1.1\r\n\r\n', async () => undefined)
  await isFree('leaving at once')
  await send('GET /thinks HTTP/1.1\r\n\r\n', busy)
  await isFree('leaving while the upstream thinks')
  await send('GET /stream HTTP/1.1\r\n\r\n', (socket) => once(socket, 'data'))
  await isFree('leaving in mid-stream')
  await send('POST /shaped HTTP/1.1\r\ncontent-length: 10\r\ncontent-type: application/json\r\n\r\n{', busy)
  await isFree('leaving while the body is read')
  await send('GET /now HTTP/1.1\r\n\r\nGET /thinks HTTP/1.1\r\n\r\n', (socket) => once(socket, 'data'))
  await isFree('leaving with two requests on their way')
  assert.equal((await house.ask('/broken')).status, 502)
  await isFree('an upstream that breaks off')
  assert.equal((await house.ask('/closed')).status, 401)
  await isFree('being turned away')

  const socket = new WebSocket(`${house.url.replace('http', 'ws')}/talk`, {
    headers: { 'x-forwarded-for': '203.0.113.1' },
  })
  await once(socket, 'open')
  assert.equal((await house.ask('/now')).status, 429, 'a WebSocket is under way for as long as it is open')
  socket.terminate()
  await isFree('a WebSocket')
})

test('C: a limit of strangers that one of them could use up for all, or never uses up, is a mistake', () => {
  for (const by of ['global', 'route', 'none', 'header:X-Tenant', ['header:X-Tenant', 'ip']]) {
    const outcome = parseConfig({ limits: { strangers: { limit: 5, window: '1h', by } } } as Config, {})
    assert.ok('mistakes' in outcome, String(by))
    assert.deepEqual(
      outcome.mistakes.map(({ path }) => path),
      ['limits.strangers'],
    )
  }
  for (const by of ['ip', 'ip+route']) {
    const outcome = parseConfig({ limits: { strangers: { limit: 5, window: '1h', by } } } as Config, {})
    assert.ok(!('mistakes' in outcome), String(by))
  }
})
