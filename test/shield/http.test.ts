// The shield through the front door: from addresses that a trusted proxy passes on.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { mirror, rawExchange, startHouse, startUpstream, type TestHouse } from '../support/house.ts'

interface Asked {
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Scene {
  readonly house: TestHouse
  from(address: string, asked?: Asked): Promise<Response>
  /** The codes of so many requests, one after the other; `200` for what came through. */
  codes(address: string, count: number, asked?: Asked): Promise<readonly (string | number)[]>
}

async function scene(
  context: TestContext,
  config: Config,
  options: { readonly clock?: Clock; readonly dataDir?: string } = {},
): Promise<Scene> {
  const upstream = await startUpstream(context, mirror)
  const house = await startHouse(
    context,
    {
      listen: { trustedProxies: ['127.0.0.1'] },
      upstreams: { api: upstream.url },
      routes: [{ path: '/open', access: 'public', to: 'api' }],
      ...config,
    },
    options,
  )
  const from: Scene['from'] = (address, { path = '/open', headers = {} } = {}) =>
    fetch(`${house.url}${path}`, { headers: { 'user-agent': 'a test', 'x-forwarded-for': address, ...headers } })
  return {
    house,
    from,
    async codes(address, count, asked) {
      const codes: (string | number)[] = []
      for (let n = 0; n < count; n++) {
        const response = await from(address, asked)
        const body = await response.text()
        codes.push(response.ok ? response.status : String((JSON.parse(body) as { code: string }).code))
      }
      return codes
    },
  }
}

const ten: readonly number[] = new Array<number>(10).fill(200)

test('TR7: the eleventh request of a second is 429 with its reason, and so is every other for an hour, the house’s own included', async (context) => {
  const clock = testClock()
  const { from, codes, house } = await scene(context, { shield: { rate: {} } }, { clock })
  assert.deepEqual(await codes('203.0.113.9', 11), [...ten, 'address-blocked'])
  const response = await from('203.0.113.9')
  assert.equal(response.status, 429)
  assert.equal(response.headers.get('retry-after'), '3600')
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
  assert.ok(response.headers.get('x-request-id'))
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  const body = (await response.json()) as Record<string, unknown>
  assert.equal(body['code'], 'address-blocked')
  assert.equal(body['detail'], 'this address is blocked until 2026-01-01T01:00:00.000Z: too many requests')
  const token = { headers: { authorization: `Bearer ${await house.signIn()}` } }
  for (const path of ['/health', '/api/auth/me', '/nowhere', '/.well-known/jwks.json'])
    assert.equal((await from('203.0.113.9', { path, ...token })).status, 429, path)
  assert.equal((await from('203.0.113.10')).status, 200)
  clock.advance(3_599_000)
  assert.equal((await from('203.0.113.9')).headers.get('retry-after'), '1')
  clock.advance(1_000)
  assert.deepEqual(await codes('203.0.113.9', 11), [...ten, 'address-blocked'])
})

test('TR7: requests that are refused elsewhere count too', async (context) => {
  const { codes } = await scene(context, { shield: { rate: {} } }, { clock: testClock() })
  const asked = await codes('203.0.113.9', 11, { path: '/nowhere' })
  assert.deepEqual(asked, [...new Array<string>(10).fill('not-found'), 'address-blocked'])
})

test('TR7: a block is an event, survives a restart, and another node hears of it within a second', async (context) => {
  const dataDir = throwAwayFolder(context)
  const config = { store: `sqlite:${join(dataDir, 'gatehouse.db')}`, shield: { rate: {} } }
  const here = await scene(context, config, { dataDir })
  const there = await scene(context, config, { dataDir })
  await Promise.all(Array.from({ length: 30 }, () => here.from('2001:db8::1')))
  assert.equal((await here.from('2001:db8::ffff')).status, 429, 'from all of its /64')
  assert.equal(
    await eventually(async () => ((await there.from('2001:db8::2')).status === 429 ? true : undefined)),
    true,
  )
  await here.house.close()
  const again = await scene(context, config, { dataDir })
  const response = await again.from('2001:db8::3')
  assert.equal(response.status, 429)
  const seconds = Number(response.headers.get('retry-after'))
  assert.ok(seconds > 3_500 && seconds <= 3_601, `${seconds}`) // ends are whole seconds, rounded up
  await again.house.house.audit.flush()
  const rows = await again.house.house.store.db.selectFrom('audit_events').select('body').execute()
  const events = rows.map(({ body }) => JSON.parse(body)).filter(({ action }) => action === 'address-block')
  assert.equal(events.length, 1, 'one block, one event')
  assert.deepEqual(
    [events[0].type, events[0].actor.id, events[0].resource],
    ['security_incident', 'gatehouse', { id: '2001:db8::/64', type: 'address' }],
  )
  assert.match(events[0].details.reason, /^over 10 requests in 1 s$/)
})

test('TR7: nobody escapes, or has somebody else blocked, by headers that a stranger writes', async (context) => {
  const { house, from } = await scene(context, { listen: {}, shield: { rate: {} } }, { clock: testClock() })
  for (let n = 0; n < 11; n++) await from(`203.0.113.${n}`, { headers: { forwarded: `for=198.51.100.${n}` } })
  assert.equal((await from('192.0.2.1')).status, 429, 'it is the peer that is counted')
  const { rows } = { rows: await house.house.store.db.selectFrom('address_blocks').select('network').execute() }
  assert.ok(rows.every(({ network }) => network === '127.0.0.1/32'))
})

test('TR7: suspicious user agents are 429 by any spelling; health checks are not asked', async (context) => {
  const { from, house } = await scene(context, {
    shield: {
      userAgents: { refuse: 'suspicious', allow: ['Googlebot'], refuseEmpty: true },
      exempt: { paths: ['/health'] },
    },
  })
  const as = async (userAgent: string, path?: string): Promise<number> => {
    const response = await from('203.0.113.9', { headers: { 'user-agent': userAgent }, ...(path && { path }) })
    await response.text()
    return response.status
  }
  for (const userAgent of ['curl/8.5.0', 'CuRL', 'python-requests/2', `${'a'.repeat(8_000)}bot`, ''])
    assert.equal(await as(userAgent), 429, userAgent.slice(-20))
  for (const userAgent of ['Mozilla/5.0', 'Googlebot/2.1']) assert.equal(await as(userAgent), 200, userAgent)
  assert.equal(await as('curl/8.5.0', '/health'), 200)
  const refused = await from('203.0.113.9', { headers: { 'user-agent': 'curl' } })
  assert.equal(((await refused.json()) as { code: string }).code, 'user-agent-refused')
  assert.equal(refused.headers.get('retry-after'), null, 'no wait helps')
  const bytes = (userAgent: string): string => `GET /open HTTP/1.1\r\nHost: a\r\n${userAgent}Connection: close\r\n\r\n`
  assert.match(await rawExchange(house.port, bytes('')), /^HTTP\/1\.1 429 /, 'one who says nothing')
  assert.match(await rawExchange(house.port, bytes('User-Agent: cu\0rl\r\n')), /^HTTP\/1\.1 400 /)
})

test('TR7: who is on a list of known bad actors comes nowhere, also one that was written while the house stands', async (context) => {
  const file = join(throwAwayFolder(context), 'bad.txt')
  writeFileSync(file, '203.0.113.0/24 # bad\n')
  const { from } = await scene(context, { shield: { addresses: { denyFiles: [file] } } })
  const response = await from('203.0.113.9')
  assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [403, 'address-not-allowed'])
  assert.equal((await from('198.51.100.9')).status, 200)
  writeFileSync(file, '198.51.100.0/24\n')
  const became = async (address: string, status: number): Promise<void> => {
    await eventually(async () => ((await from(address)).status === status ? true : undefined))
  }
  await became('198.51.100.9', 403)
  await became('203.0.113.9', 200)
  writeFileSync(file, 'nonsense\n')
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  assert.equal((await from('198.51.100.9')).status, 403, 'the old list stays')
})

test('TR7: what is exempt is not counted; a monitor may ask as often as it likes', async (context) => {
  const { codes } = await scene(
    context,
    {
      limits: false,
      shield: {
        rate: { thresholds: [{ limit: 2, window: '1s' }] },
        exempt: { paths: ['/health/*'], addresses: ['10.0.0.0/8'] },
      },
    },
    { clock: testClock() },
  )
  assert.deepEqual(await codes('10.1.2.3', 10), ten)
  assert.deepEqual(await codes('203.0.113.9', 10, { path: '/health/live' }), ten)
  assert.deepEqual(await codes('203.0.113.9', 3), [200, 200, 'address-blocked'])
  assert.deepEqual(await codes('203.0.113.9', 10, { path: '/health/live' }), ten)
})
