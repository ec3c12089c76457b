import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testClock } from '../../test/support/clock.ts'
import { toTheEdge } from '../../test/support/edge.ts'
import { throwAwayFolder } from '../../test/support/folder.ts'
import { startHouse } from '../../test/support/house.ts'
import { assertSecurityHeaders } from '../../test/support/security-headers.ts'
import config from './gatehouse.config.ts'

test('TR4 TR6 E: a thousand an hour, and a hundred of analytics, by address and endpoint', async (context) => {
  const clock = testClock()
  const mail = { from: 'x@analytics.example', folder: throwAwayFolder(context) }
  const house = await startHouse(context, { ...config, mail, store: 'sqlite::memory:' }, { clock, roles: ['admin'] })
  let token = await house.signIn()
  const from = (address: string, path: string) => (): Promise<Response> =>
    fetch(house.url + path, { headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': address } })

  const sales = from('198.51.100.1', '/api/analytics/sales')
  await toTheEdge(clock, { type: 'analytics', limit: 100, admits: 100 }, sales)
  token = await house.signIn() // the first has run out
  // Another address has a count of its own; so has another endpoint.
  assert.equal((await from('203.0.113.2', '/api/analytics/sales')()).status, 200)
  await toTheEdge(clock, { type: 'general', limit: 1000, admits: 1000 }, from('198.51.100.1', '/api/catalogue/shoes'))
  token = await house.signIn()
  assert.equal((await from('203.0.113.2', '/api/catalogue/shoes')()).status, 200)
})

test('TR8 E: the security headers, on answers and on refusals', async (context) => {
  const mail = { from: 'x@analytics.example', folder: throwAwayFolder(context) }
  const house = await startHouse(context, { ...config, mail, store: 'sqlite::memory:' }, { roles: ['admin'] })
  assertSecurityHeaders(await fetch(`${house.url}/api/catalogue/shoes`))
  const headers = { authorization: `Bearer ${await house.signIn()}` }
  const answer = await fetch(`${house.url}/api/catalogue/shoes`, { headers })
  assert.equal(answer.status, 200)
  assertSecurityHeaders(answer)
})

test('TR7 E: known bad actors never come, and whoever floods is blocked for an hour, as the proxy names them', async (context) => {
  const clock = testClock()
  const mail = { from: 'x@analytics.example', folder: throwAwayFolder(context) }
  const house = await startHouse(context, { ...config, mail, store: 'sqlite::memory:' }, { clock })
  const from = (address: string): Promise<Response> =>
    fetch(`${house.url}/.well-known/jwks.json`, { headers: { 'x-forwarded-for': address } })
  for (const bad of ['192.0.2.7', '2001:db8:bad:1::1']) assert.equal((await from(bad)).status, 403, bad)
  const seen: number[] = []
  for (let asked = 0; asked < 12; asked++) seen.push((await from('203.0.113.9')).status)
  assert.deepEqual(seen, [...Array(10).fill(200), 429, 429])
  assert.equal((await from('203.0.113.8')).status, 200)
  clock.advance(3_600_000)
  assert.equal((await from('203.0.113.9')).status, 200)
})

test('TR11 E: whoever came to the proxy without TLS is sent to it', async (context) => {
  process.env['ANALYTICS_URL'] = 'https://analytics.example'
  context.after(() => delete process.env['ANALYTICS_URL'])
  const secure = (await import(`${'./gatehouse.config.ts'}?by=tls`)) as { readonly default: typeof config }
  const mail = { from: 'x@analytics.example', folder: throwAwayFolder(context) }
  const house = await startHouse(context, { ...secure.default, mail, store: 'sqlite::memory:' })
  const headers = { 'x-forwarded-proto': 'http', 'x-forwarded-for': '203.0.113.7' }
  const sent = await fetch(`${house.url}/api/analytics/sales`, { redirect: 'manual', headers })
  assert.deepEqual([sent.status, sent.headers.get('location')], [301, 'https://analytics.example/api/analytics/sales'])
  const answered = await fetch(`${house.url}/api/analytics/sales`, {
    headers: { ...headers, 'x-forwarded-proto': 'https' },
  })
  assert.equal(answered.status, 401)
})
