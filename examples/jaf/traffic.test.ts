import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testClock } from '../../test/support/clock.ts'
import { toTheEdge } from '../../test/support/edge.ts'
import { startHouse } from '../../test/support/house.ts'
import { fetchElsewhere, post } from '../../test/support/process.ts'
import { assertSecurityHeaders } from '../../test/support/security-headers.ts'
import config from './gatehouse.config.ts'

test('TR2 J: each category is a bucket: the last request let through, the first refused, the one after the wait', async (context) => {
  const clock = testClock()
  const { rate: _, ...shield } = config.shield ?? {} // which would block an address long before a thousand
  const quick = { ...config, audit: {}, shield, store: 'sqlite::memory:' }
  const house = await startHouse(context, quick, { clock, roles: ['system_admin'] })
  const authorization = { authorization: `Bearer ${await house.signIn()}` }
  const chat = (): Promise<Response> => post(`${house.url}/api/chat`, { content: 'hello' }, authorization)
  const upload = (): Promise<Response> => post(`${house.url}/api/upload`, {}, authorization)
  const sessions = (): Promise<Response> => fetch(`${house.url}/api/auth/sessions`, { headers: authorization })

  await toTheEdge(clock, { type: 'chat', limit: 20, admits: 20 }, chat)
  await toTheEdge(clock, { type: 'upload', limit: 5, admits: 5 }, upload)
  await toTheEdge(clock, { type: 'general', limit: 100, admits: 100 }, sessions)
  const analytics = (): Promise<Response> => fetch(`${house.url}/api/analytics`, { headers: authorization })
  await toTheEdge(clock, { type: 'api', limit: 1000, admits: 1000 }, analytics)
  // A bucket is refilled drop by drop: of chat, one in three seconds.
  clock.advance(60_000)
  for (let asked = 0; asked < 20; asked++) assert.notEqual((await chat()).status, 429)
  for (let second = 0; second < 9; second++) {
    assert.equal((await chat()).status === 429, second % 3 !== 0 || second === 0, `after ${second} s`)
    clock.advance(1000)
  }
})

test('TR2 J: health and metrics are not counted', async (context) => {
  const clock = testClock()
  const house = await startHouse(context, { ...config, audit: {}, store: 'sqlite::memory:' }, { clock })
  for (const path of ['/health', '/metrics']) {
    for (let asked = 0; asked < 150; asked++) {
      const answer = await fetch(house.url + path)
      await answer.arrayBuffer()
      assert.deepEqual([answer.status, answer.headers.get('x-ratelimit-limit')], [200, null], path)
    }
  }
})

test('TR8 J: the security headers, on answers and on refusals', async (context) => {
  const house = await startHouse(
    context,
    { ...config, audit: {}, store: 'sqlite::memory:' },
    { roles: ['system_admin'] },
  )
  assertSecurityHeaders(await fetch(`${house.url}/api/analytics`))
  const headers = { authorization: `Bearer ${await house.signIn()}` }
  const answer = await fetch(`${house.url}/api/analytics`, { headers })
  assert.equal(answer.status, 200)
  assertSecurityHeaders(answer)
})

test('TR7 J: over ten in a second, or a hundred in a minute, an address is blocked for an hour, and then let in again', async (context) => {
  const clock = testClock()
  const house = await startHouse(context, { ...config, audit: {}, store: 'sqlite::memory:' }, { clock })
  const from = (address: string): Promise<Response> => fetchElsewhere(`${house.url}/.well-known/jwks.json`, {}, address)
  for (let asked = 1; asked <= 10; asked++) assert.equal((await from('127.2.0.1')).status, 200, `request ${asked}`)
  const blocked = await from('127.2.0.1')
  assert.deepEqual([blocked.status, blocked.headers.get('retry-after')], [429, '3600'])
  const { code, error } = (await blocked.json()) as { code: string; error: string }
  assert.equal(code, 'address-blocked')
  assert.match(error, /blocked until 2026-01-01T01:00:00.*too many requests/)
  assert.equal((await from('127.2.0.2')).status, 200)
  for (let asked = 1; asked <= 100; asked++) {
    assert.equal((await from('127.2.0.3')).status, 200, `request ${asked}`)
    clock.advance(500)
  }
  assert.equal((await from('127.2.0.3')).status, 429)
  clock.advance(3_599_000)
  assert.equal((await from('127.2.0.3')).status, 429)
  clock.advance(1_000)
  assert.equal((await from('127.2.0.3')).status, 200)
})

test('TR7 J: a program that gives itself away is refused with the reason; whoever watches over health is not', async (context) => {
  const house = await startHouse(context, { ...config, audit: {}, store: 'sqlite::memory:' })
  const as = (agent: string, path = '/.well-known/jwks.json'): Promise<Response> =>
    fetchElsewhere(house.url + path, { headers: { 'user-agent': agent } })
  for (const agent of [
    'curl/8.5.0',
    'Wget/1.21',
    'python-requests/2.31',
    'Googlebot/2.1',
    'a CRAWLER',
    'SpiderX',
    'scraper',
    'NetScanner',
  ]) {
    const refused = await as(agent)
    assert.equal(refused.status, 429, agent)
    assert.equal(((await refused.json()) as { code: string }).code, 'user-agent-refused')
  }
  assert.equal((await as('Mozilla/5.0 (X11; Linux x86_64)')).status, 200)
  assert.equal((await as('curl/8.5.0', '/health')).status, 200)
})
