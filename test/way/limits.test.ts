import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { parseConfig } from '../../src/config/parse.ts'
import type { Config } from '../../src/config/settings.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { mirror, startHouse, startUpstream, type TestHouse } from '../support/house.ts'

const proxied = { listen: { trustedProxies: ['127.0.0.1'] } }

/** A house with these limits, before an API that repeats what reached it. Callers say by `X-Forwarded-For` who they are. */
async function limitedHouse(
  context: TestContext,
  config: Omit<Config, 'upstreams' | 'routes'> & { readonly routes: readonly Omit<Route, 'to'>[] },
  listener = mirror,
): Promise<TestHouse & { readonly clock: TestClock; get(path: string, from?: string): Promise<Response> }> {
  const { url } = await startUpstream(context, listener)
  const clock = testClock()
  const house = await startHouse(
    context,
    {
      ...proxied,
      ...config,
      upstreams: { api: url },
      routes: config.routes.map((route) => ({ ...route, to: 'api' })),
    } as Config,
    { clock },
  )
  const get = async (path: string, from = '203.0.113.1'): Promise<Response> => {
    const response = await fetch(`${house.url}${path}`, { headers: { 'x-forwarded-for': from } })
    await response.arrayBuffer()
    return response
  }
  return { ...house, clock, get }
}

type Route = NonNullable<Config['routes']>[number]

async function statuses(count: number, ask: () => Promise<Response>): Promise<string> {
  const seen: number[] = []
  for (let n = 0; n < count; n++) seen.push((await ask()).status)
  return seen.join(' ')
}

const open: Pick<Route, 'access' | 'methods'> = { access: 'public', methods: ['GET'] }

test('TR5: every answer says how the limit stands, in the words of five systems and in those of the IETF', async (context) => {
  const house = await limitedHouse(context, {
    limits: { few: { algorithm: 'log', limit: 2, window: '1m', by: 'ip' } },
    routes: [{ ...open, path: '/a', limit: 'few' }],
  })
  const epoch = Math.ceil((house.clock.now() + 60_000) / 1000)
  const first = await house.get('/a')
  const said = (response: Response): unknown =>
    ['limit', 'remaining', 'reset', 'window', 'type'].map((name) => response.headers.get(`x-ratelimit-${name}`))
  assert.equal(first.status, 200)
  assert.deepEqual(said(first), ['2', '1', String(epoch), '60', 'few'])
  assert.equal(first.headers.get('ratelimit-policy'), '"few";q=2;w=60')
  assert.equal(first.headers.get('ratelimit'), '"few";r=1;t=60')
  assert.equal(first.headers.get('retry-after'), null)
  house.clock.advance(10_000)
  await house.get('/a')
  const refused = await fetch(`${house.url}/a`, { headers: { 'x-forwarded-for': '203.0.113.1' } })
  assert.equal(refused.status, 429)
  assert.deepEqual(said(refused), ['2', '0', String(epoch + 10), '60', 'few'])
  assert.equal(refused.headers.get('retry-after'), '50')
  assert.equal(refused.headers.get('ratelimit'), '"few";r=0;t=60')
  const problem = (await refused.json()) as Record<string, unknown>
  assert.equal(problem['code'], 'rate-limited')
  assert.match(String(problem['error']), /limit `few` is used up; try again in 50 seconds/)
})

for (const algorithm of ['sliding', 'token-bucket', 'log', 'fixed'] as const) {
  test(`TR5: Retry-After is a promise, by \`${algorithm}\`: whoever waits that long gets through, and a second sooner does not`, async (context) => {
    const house = await limitedHouse(context, {
      limits: { few: { algorithm, limit: 3, window: '1m', by: 'ip' } },
      routes: [{ ...open, path: '/a', limit: 'few' }],
    })
    house.clock.advance(7_300)
    for (let round = 0; round < 3; round++) {
      let answer = await house.get('/a')
      for (let asked = 0; answer.status === 200 && asked < 10; asked++) {
        house.clock.advance(1_700)
        answer = await house.get('/a')
      }
      assert.equal(answer.status, 429)
      const wait = Number(answer.headers.get('retry-after'))
      assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60, String(wait))
      house.clock.advance((wait - 1) * 1000)
      assert.equal((await house.get('/a')).status, 429, `after ${wait - 1} s`)
      house.clock.advance(1000)
      assert.equal((await house.get('/a')).status, 200, `after ${wait} s`)
    }
  })
}

test('TR3: several limits on one request are taken together or not at all', async (context) => {
  const house = await limitedHouse(context, {
    limits: {
      all: { algorithm: 'log', limit: 5, window: '1h', by: 'global', everywhere: true },
      each: { algorithm: 'log', limit: 2, window: '1h', by: 'ip' },
    },
    routes: [
      { ...open, path: '/a', limit: 'each' },
      { ...open, path: '/b' },
    ],
  })
  assert.equal(await statuses(6, () => house.get('/a', '203.0.113.1')), '200 200 429 429 429 429')
  // What one address was refused is no use of what all may: three are left.
  assert.equal(await statuses(4, () => house.get('/b', '203.0.113.2')), '200 200 200 429')
  const refused = await house.get('/b', '203.0.113.3')
  assert.equal(refused.headers.get('x-ratelimit-type'), 'all')
})

test('TR5: of several limits the one with the smallest share left is told, and of refusals the one that takes longest', async (context) => {
  const house = await limitedHouse(context, {
    limits: {
      wide: { algorithm: 'log', limit: 10, window: '1h', by: 'ip' },
      tight: { algorithm: 'log', limit: 4, window: '1m', by: 'ip' },
    },
    routes: [
      { ...open, path: '/a', limit: ['wide', 'tight'] },
      { ...open, path: '/b', limit: 'wide' },
    ],
  })
  const types: (string | null)[] = []
  for (let n = 0; n < 3; n++) types.push((await house.get('/a')).headers.get('x-ratelimit-type'))
  assert.deepEqual(types, ['tight', 'tight', 'tight'])
  assert.equal(await statuses(7, () => house.get('/b')), '200 200 200 200 200 200 200')
  await house.get('/a') // 3 of the tight one, and none of the wide one
  const refused = await house.get('/a')
  assert.equal(refused.status, 429)
  assert.equal(refused.headers.get('x-ratelimit-type'), 'wide')
  assert.equal(refused.headers.get('retry-after'), '3600')
})

test('TR: a request costs what its route says', async (context) => {
  const house = await limitedHouse(context, {
    limits: { units: { algorithm: 'token-bucket', limit: 10, window: '1h', by: 'ip' } },
    routes: [
      { ...open, path: '/dear', limit: { name: 'units', cost: 4 } },
      { ...open, path: '/cheap', limit: 'units' },
    ],
  })
  assert.equal(await statuses(3, () => house.get('/dear')), '200 200 429')
  assert.equal(await statuses(3, () => house.get('/cheap')), '200 200 429')
})

test('TR6 A52: callers are told apart by principal, address, route, header and any of them together', async (context) => {
  const one = { algorithm: 'log', limit: 1, window: '1h' } as const
  const house = await limitedHouse(context, {
    limits: {
      address: { ...one, by: 'ip' },
      'address-and-route': { ...one, by: 'ip+route' },
      tenant: { ...one, by: 'header:X-Tenant' },
      person: { ...one, by: ['principal', 'none'] },
    },
    routes: [
      { ...open, path: '/address', limit: 'address' },
      { ...open, path: '/r1', limit: 'address-and-route' },
      { ...open, path: '/r2', limit: 'address-and-route' },
      { ...open, path: '/tenant', limit: 'tenant' },
      { ...open, path: '/person', limit: 'person' },
    ],
  })
  assert.equal(await statuses(2, () => house.get('/address', '203.0.113.1')), '200 429')
  assert.equal((await house.get('/address', '203.0.113.2')).status, 200)
  // One host owns a whole /64 of IPv6, and is one caller however it turns.
  assert.equal((await house.get('/address', '2001:db8:1:2::1')).status, 200)
  assert.equal((await house.get('/address', '2001:db8:1:2:ffff::9')).status, 429)
  assert.equal((await house.get('/address', '2001:db8:1:3::1')).status, 200)
  // Whose address cannot be read does not use up what others in the same case may.
  assert.equal((await house.get('/address', 'nonsense')).status, 200)
  assert.equal((await house.get('/address', 'other-nonsense')).status, 200)
  assert.equal((await house.get('/address', 'nonsense')).status, 429)
  assert.equal(await statuses(2, () => house.get('/r1')), '200 429')
  assert.equal((await house.get('/r2')).status, 200)
  const asTenant = (name: string | undefined, from = '203.0.113.1'): Promise<Response> =>
    fetch(`${house.url}/tenant`, { headers: { 'x-forwarded-for': from, ...(name && { 'X-Tenant': name }) } })
  assert.deepEqual(
    [(await asTenant('a')).status, (await asTenant('a', '203.0.113.2')).status, (await asTenant('b')).status],
    [200, 429, 200],
  )
  // Who says no tenant is counted by address, and is no way around the limit.
  assert.deepEqual([(await asTenant(undefined)).status, (await asTenant(undefined)).status], [200, 429])
  const token = await house.signIn()
  const asPerson = (headers: Readonly<Record<string, string>>): Promise<Response> =>
    fetch(`${house.url}/person`, { headers })
  assert.equal((await asPerson({ authorization: `Bearer ${token}` })).status, 200)
  assert.equal((await asPerson({ authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.9' })).status, 429)
  assert.equal(await statuses(3, () => asPerson({})), '200 200 200')
})

test('TR: so many at the same time, and whoever ends or leaves makes room', async (context) => {
  const waiting: (() => void)[] = []
  const house = await limitedHouse(
    context,
    {
      limits: { uploads: { algorithm: 'concurrency', limit: 2, by: 'ip' } },
      routes: [{ ...open, path: '/a', limit: 'uploads' }],
    },
    (_request, response) => waiting.push(() => response.end('done')),
  )
  const arrived = async (count: number): Promise<void> => {
    while (waiting.length < count) await pause(5)
  }
  const leaver = new AbortController()
  const first = house.get('/a')
  const second = fetch(`${house.url}/a`, { headers: { 'x-forwarded-for': '203.0.113.1' }, signal: leaver.signal })
  second.catch(() => undefined)
  await arrived(2)
  const third = await house.get('/a')
  assert.equal(third.status, 429)
  assert.equal(third.headers.get('retry-after'), '1')
  assert.equal(third.headers.get('ratelimit-policy'), '"uploads";q=2;qu="concurrent-requests"')
  assert.equal(third.headers.get('x-ratelimit-remaining'), '0')
  waiting[0]?.()
  assert.equal((await first).status, 200)
  const fourth = house.get('/a')
  await arrived(3)
  leaver.abort()
  while (house.house.gate.inFlight > 1) await pause(5)
  const fifth = house.get('/a')
  await arrived(4)
  for (const end of waiting.slice(2)) end()
  assert.deepEqual([(await fourth).status, (await fifth).status], [200, 200])
})

test('C: whoever is turned away is counted by address, and then not listened to any more', async (context) => {
  const house = await limitedHouse(context, {
    limits: { strangers: { algorithm: 'log', limit: 3, window: '1m', by: 'ip' } },
    routes: [
      { path: '/closed', access: 'authenticated', methods: ['GET'] },
      { path: '/open', access: 'public', methods: ['GET'] },
    ],
  })
  const token = await house.signIn()
  const withToken = (text: string, path = '/closed', from = '203.0.113.5'): Promise<Response> =>
    fetch(`${house.url}${path}`, { headers: { authorization: `Bearer ${text}`, 'x-forwarded-for': from } })
  assert.equal((await withToken(token)).status, 200)
  const forged = `${token.slice(0, -2)}xx`
  assert.equal(await statuses(5, () => withToken(forged)), '401 401 401 429 429')
  assert.equal(await statuses(2, () => house.get('/nowhere', '203.0.113.5')), '429 429')
  // One that was found good lately costs nothing to check, and its holder is not kept out by their neighbour.
  assert.equal((await withToken(token)).status, 200)
  assert.equal((await withToken(forged, '/closed', '203.0.113.6')).status, 401)
  // Where everybody may come, wrong tokens count no less.
  assert.equal(await statuses(3, () => withToken(forged, '/open', '203.0.113.7')), '200 200 200')
  assert.equal((await withToken(forged, '/closed', '203.0.113.7')).status, 429)
  house.clock.advance(60_000)
  assert.equal((await withToken(forged)).status, 401)
})

test('TR2: a limit is switched off by name; those that count everywhere leave health and metrics alone', async (context) => {
  const house = await limitedHouse(context, {
    limits: { health: false, all: { algorithm: 'log', limit: 1, window: '1h', by: 'ip', everywhere: true } },
    routes: [{ ...open, path: '/a' }],
  })
  const health = await house.get('/health')
  assert.equal(health.headers.get('x-ratelimit-limit'), null)
  for (const path of ['/health', '/health/live', '/health/ready'])
    assert.equal(await statuses(3, () => house.get(path)), '200 200 200')
  assert.equal(await statuses(2, () => house.get('/a')), '200 429')
  assert.equal((await house.get('/.well-known/jwks.json')).status, 429)
  const metrics = (): Promise<Response> => fetch(`${house.url}/metrics`)
  assert.equal(await statuses(3, metrics), '200 200 200')
})

test('a mistake in a limit is told with its path, all of them at once', () => {
  const outcome = parseConfig(
    {
      upstreams: { api: 'http://127.0.0.1:9' },
      limits: {
        'has space': { limit: 1, window: '1m' },
        a: { limit: 5 },
        b: { algorithm: 'concurrency', limit: 5, window: '1m' },
        c: { algorithm: 'log', limit: 5_000, window: '1h' },
        d: { algorithm: 'fixed', limit: 5, window: '1h', burst: 2 },
        e: { limit: 5, window: '1h', by: 'ip+ip' },
        f: { limit: 5, window: '1h', by: ['nobody'] },
        g: { limit: 5, window: '1h', burst: 9 },
        h: { algorithm: 'leaky', limit: 5, window: '1h' },
        i: { limit: 5, window: '1h', by: 'ip+none' },
      },
      routes: [
        { path: '/x', access: 'public', to: 'api', limit: ['general', 'general'] },
        { path: '/y', access: 'public', to: 'api', limit: { name: 'none' } },
        { path: '/z', access: 'public', to: 'api', limit: { name: 'health', cost: 101 } },
        { path: '/w', access: 'public', to: 'api', limit: { name: 'health', cost: 0 } },
      ],
    } as unknown as Config,
    {},
  )
  assert.ok('mistakes' in outcome)
  const told = outcome.mistakes.map(({ path, message }) => `${path}: ${message}`).sort()
  const expected = [
    /^limits\.a\.window: expected a duration/,
    /^limits\.b\.window: `concurrency` counts what is under way at once/,
    /^limits\.c\.limit: expected no more than 1024 of `log`/,
    /^limits\.d\.burst: `fixed` has no burst/,
    /^limits\.e\.by.*got `ip`/,
    /^limits\.f\.by.*got `nobody`/,
    /^limits\.g\.burst: expected no more than `limit`/,
    /^limits\.h\.algorithm: expected `sliding`/,
    /^limits\.i\.by.*got `none`/,
    /^limits.*has space.*expected a name/,
    /^routes\[0\]\.limit: `general` is named twice/,
    /^routes\[1\]\.limit: no limit is called `none`/,
    /^routes\[2\]\.limit: `health` admits 100 at once, and a request costs 101/,
    /^routes\[3\]\.limit/,
  ]
  for (const pattern of expected)
    assert.ok(
      told.some((line) => pattern.test(line)),
      `${pattern}\n${told.join('\n')}`,
    )
})

test('a limit of strangers that cannot tell them apart is a mistake', () => {
  for (const strangers of [
    { limit: 5, window: '1h' },
    { algorithm: 'concurrency', limit: 5, by: 'ip' },
  ]) {
    const outcome = parseConfig({ limits: { strangers } } as Config, {})
    assert.ok('mistakes' in outcome)
    assert.deepEqual(outcome.mistakes, [
      { path: 'limits.strangers', message: 'counts whoever nobody knows: expected a window, and `by` address' },
    ])
  }
})
