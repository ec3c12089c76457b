import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { rawExchange } from '../support/house.ts'
import { startGuarded } from './clients.ts'

const described = '/.well-known/oauth-protected-resource'
const page = 'https://any.example'
const trusted = 'https://app.example.com'
const cors: NonNullable<Config['cors']> = { origins: [trusted], credentials: true }

function corsOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')))
}

const preflight = (url: string, method: string, origin = page): Promise<Response> =>
  fetch(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': method } })

test('OA4: pages of every origin may read what every program may ask, and no cookie comes along', async (context) => {
  for (const config of [{}, { cors }]) {
    const { url } = await startGuarded(context, config)
    for (const path of [described, '/.well-known/jwks.json']) {
      for (const headers of [{}, { origin: page }, { origin: trusted }, { origin: 'null' }]) {
        assert.deepEqual(corsOf(await fetch(url + path, { headers })), {
          'access-control-allow-origin': '*',
          'access-control-expose-headers': 'WWW-Authenticate, DPoP-Nonce',
        })
      }
      const asked = await preflight(url + path, 'GET')
      assert.equal(asked.status, 200)
      assert.deepEqual(corsOf(asked), {
        'access-control-allow-origin': '*',
        'access-control-expose-headers': 'WWW-Authenticate, DPoP-Nonce',
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': 'Authorization, Content-Type, DPoP, MCP-Protocol-Version',
        'access-control-max-age': '600',
      })
    }
  }
})

test('A33: a page where a person is led is read by no other origin, whatever the configuration trusts', async (context) => {
  const { url } = await startGuarded(context, { cors })
  const signIn = await fetch(`${url}/auth/sign-in`, { headers: { origin: trusted } })
  assert.equal(signIn.status, 200)
  assert.deepEqual(corsOf(signIn), {})
  assert.equal((await preflight(`${url}/auth/sign-in`, 'POST', trusted)).status, 405)
})

test('CORS of all other routes is that of the configuration, as before', async (context) => {
  const { url } = await startGuarded(context, { cors })
  const own = await fetch(`${url}/open`, { headers: { origin: trusted } })
  assert.equal(own.headers.get('access-control-allow-origin'), trusted)
  assert.equal(own.headers.get('access-control-allow-credentials'), 'true')
  assert.deepEqual(corsOf(await fetch(`${url}/open`, { headers: { origin: page } })), {})
  assert.equal((await preflight(`${url}/widgets`, 'GET', trusted)).headers.get('access-control-allow-origin'), trusted)
  const bare = await startGuarded(context)
  assert.deepEqual(corsOf(await fetch(`${bare.url}/open`, { headers: { origin: page } })), {})
  assert.equal((await preflight(`${bare.url}/api/auth/login`, 'POST')).status, 405)
})

test('OA4: where programs speak OAuth, the gate’s own refusals are RFC 6749 JSON, for pages of other origins too', async (context) => {
  const limits: Config['limits'] = { health: { limit: 2, window: '1h', by: ['ip'] } }
  const { url, port } = await startGuarded(context, { limits })
  const twice = await rawExchange(port, `GET ${described} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`)
  assert.match(twice, /^HTTP\/1\.1 400 /)
  assert.match(twice, /\{"error":"invalid_request","error_description":"Host was sent twice"\}/)
  for (let asked = 0; asked < 2; asked++) assert.equal((await fetch(url + described)).status, 200)
  const flood = await fetch(url + described, { headers: { origin: page } })
  assert.equal(flood.status, 429)
  assert.equal(flood.headers.get('content-type'), 'application/json')
  assert.equal(flood.headers.get('cache-control'), 'no-store')
  assert.equal(flood.headers.get('access-control-allow-origin'), '*')
  assert.equal(flood.headers.get('referrer-policy'), 'no-referrer')
  assert.ok(Number(flood.headers.get('retry-after')) > 0)
  const said = (await flood.json()) as Record<string, string>
  assert.deepEqual(Object.keys(said), ['error', 'error_description'])
  assert.equal(said['error'], 'temporarily_unavailable')
  assert.match(
    said['error_description'] ?? '',
    /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/,
    'what RFC 6749 §5.2 lets a description hold',
  )
})
