import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { mirror, person, startHouse, startUpstream } from '../support/house.ts'
import { post } from '../support/process.ts'

/** One API with a door of each kind. */
function configOf(url: string, more: Partial<Config> = {}): Config {
  return {
    upstreams: { api: url },
    roles: { user: { permissions: ['thing:read'] } },
    routes: [
      { path: '/open', access: 'public', to: 'api' },
      { path: '/mine', access: 'authenticated', to: 'api' },
      { path: '/things', methods: ['GET'], require: 'thing:read', to: 'api' },
      { path: '/things', methods: ['POST'], require: 'thing:write', to: 'api' },
      {
        path: '/json',
        methods: ['POST'],
        access: 'public',
        bodyMax: '1kb',
        to: 'api',
        body: {
          type: 'object',
          properties: { name: { type: 'string', minLength: 2 } },
          required: ['name'],
          additionalProperties: false,
        },
      },
    ],
    ...more,
  }
}

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  assert.equal(response.headers.get('content-type'), 'application/problem+json')
  assert.equal(response.headers.get('cache-control'), 'no-store')
  assert.ok(response.headers.get('content-security-policy'), 'refusals carry the security headers too')
  const problem = (await response.json()) as Record<string, unknown>
  assert.equal(problem['status'], response.status)
  assert.equal(problem['error'], problem['detail'])
  assert.equal(problem['request_id'], response.headers.get('x-request-id'))
  assert.equal(problem['type'], `/.well-known/gatehouse/problems/${problem['code']}`)
  return problem
}

test('AZ5: what is not listed is closed, to strangers and to friends alike', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url, signIn } = await startHouse(context, configOf(upstream.url), { roles: ['admin'] })
  const authorization = `Bearer ${await signIn()}`
  for (const headers of [{}, { authorization }]) {
    const response = await fetch(`${url}/elsewhere`, { headers })
    assert.equal(response.status, 404)
    assert.equal((await problemOf(response))['code'], 'not-found')
  }
})

test('AZ2 A36: 401 when nobody is known, 403 when somebody is and may not, 200 when they may', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url, signIn } = await startHouse(context, configOf(upstream.url))
  const stranger = await fetch(`${url}/things`)
  assert.equal(stranger.status, 401)
  assert.equal((await problemOf(stranger))['code'], 'credentials-required')
  assert.equal(stranger.headers.get('www-authenticate'), 'Bearer realm="gatehouse"')

  const authorization = `Bearer ${await signIn()}`
  const through = await fetch(`${url}/things`, { headers: { authorization } })
  assert.equal(through.status, 200)
  const seen = (await through.json()) as { headers: Record<string, string> }
  assert.equal(seen.headers['x-gatehouse-roles'], 'user')
  assert.equal(seen.headers['x-gatehouse-permissions'], 'thing:read')
  assert.equal(seen.headers['authorization'], undefined, 'our token never reaches an upstream')

  const forbidden = await post(`${url}/things`, {}, { authorization })
  assert.equal(forbidden.status, 403)
  const problem = await problemOf(forbidden)
  assert.equal(problem['code'], 'permission-required')
  assert.equal(problem['error'], "Permission 'thing:write' required")
})

test('TK6: verification errors are told apart, and a refresh token is no access token', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url } = await startHouse(context, configOf(upstream.url))
  const signedIn = await post(`${url}/api/auth/login`, { email: person.email, password: person.password })
  const { access_token, refresh_token } = (await signedIn.json()) as { access_token: string; refresh_token: string }
  const cases: readonly (readonly [token: string, error: string])[] = [
    [`${access_token.slice(0, -4)}AAAA`, 'Invalid token'],
    ['nonsense', 'Invalid token'],
    [refresh_token, 'Invalid token type: expected access'],
  ]
  for (const [token, error] of cases) {
    const response = await fetch(`${url}/mine`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(response.status, 401)
    assert.equal(
      response.headers.get('www-authenticate'),
      `Bearer realm="gatehouse", error="invalid_token", error_description="${error}"`,
    )
    assert.equal((await problemOf(response))['error'], error)
  }
  const basic = await fetch(`${url}/mine`, { headers: { authorization: 'Basic YTpi' } })
  assert.equal((await problemOf(basic))['code'], 'credentials-required')
})

test('TK4: signing out ends the access token with the session, on the next request', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url } = await startHouse(context, configOf(upstream.url))
  const signedIn = await post(`${url}/api/auth/login`, { email: person.email, password: person.password })
  const { access_token, refresh_token } = (await signedIn.json()) as { access_token: string; refresh_token: string }
  const authorization = `Bearer ${access_token}`
  assert.equal((await fetch(`${url}/mine`, { headers: { authorization } })).status, 200)
  assert.equal((await post(`${url}/api/auth/logout`, '', { authorization })).status, 200)
  const after = await fetch(`${url}/mine`, { headers: { authorization } })
  assert.equal(after.status, 401)
  assert.equal((await problemOf(after))['error'], 'Token has been revoked')
  const refreshed = await post(`${url}/api/auth/token/refresh`, { refresh_token })
  assert.equal(refreshed.status, 401)
})

test('TK3 A17: refreshing rotates; a spent refresh token ends its family, access tokens included', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url } = await startHouse(context, configOf(upstream.url, { tokens: { refreshGrace: '0ms' } }))
  const first = (await (
    await post(`${url}/api/auth/login`, { email: person.email, password: person.password })
  ).json()) as { refresh_token: string }
  const answer = await post(`${url}/api/auth/token/refresh`, { refresh_token: first.refresh_token })
  assert.equal(answer.status, 200)
  const second = (await answer.json()) as {
    access_token: string
    refresh_token: string
    expires_in: number
    token_type: string
  }
  assert.equal(second.token_type, 'Bearer')
  assert.ok(second.expires_in > 0)
  assert.notEqual(second.refresh_token, first.refresh_token)
  const third = (await (
    await post(`${url}/api/auth/token/refresh`, { refresh_token: second.refresh_token })
  ).json()) as { access_token: string; refresh_token: string }
  assert.equal((await fetch(`${url}/mine`, { headers: { authorization: `Bearer ${third.access_token}` } })).status, 200)
  const reused = await post(`${url}/api/auth/token/refresh`, { refresh_token: first.refresh_token })
  assert.equal(reused.status, 401)
  assert.equal((await fetch(`${url}/mine`, { headers: { authorization: `Bearer ${third.access_token}` } })).status, 401)
  assert.equal((await post(`${url}/api/auth/token/refresh`, { refresh_token: third.refresh_token })).status, 401)
})

test('ID2 A40: an unknown account and a wrong password are answered alike', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url } = await startHouse(context, configOf(upstream.url))
  const bodies: unknown[] = []
  for (const email of [person.email, 'nobody@example.com']) {
    const response = await post(`${url}/api/auth/login`, { email, password: 'not the passphrase at all' })
    assert.equal(response.status, 401)
    const { request_id, ...rest } = await problemOf(response)
    bodies.push(rest)
  }
  assert.deepEqual(bodies[0], bodies[1])
  assert.equal((bodies[0] as { error: string }).error, 'Invalid email or password')
})

test('a body that is wrong is answered with the field and the right status, and never reaches the upstream', async (context) => {
  let reached = 0
  const upstream = await startUpstream(context, (request, response) => {
    reached++
    mirror(request, response)
  })
  const { url } = await startHouse(context, configOf(upstream.url))
  const cases: readonly (readonly [name: string, body: string, type: string, status: number, code: string])[] = [
    ['no JSON', '{', 'application/json', 400, 'invalid-json'],
    ['a member twice', '{"name":"ab","name":"cd"}', 'application/json', 400, 'invalid-json'],
    ['nothing', '', 'application/json', 400, 'invalid-json'],
    ['another type', 'name=ab', 'application/x-www-form-urlencoded', 415, 'media-type-unsupported'],
    ['a field too short', '{"name":"a"}', 'application/json', 422, 'body-invalid'],
    ['too large', JSON.stringify({ name: 'a'.repeat(2000) }), 'application/json', 413, 'content-too-large'],
    ['too deep', `${'{"name":'.repeat(80)}1${'}'.repeat(80)}`, 'application/json', 400, 'invalid-json'],
  ]
  for (const [name, body, type, status, code] of cases) {
    await context.test(name, async () => {
      const response = await fetch(`${url}/json`, { method: 'POST', headers: { 'content-type': type }, body })
      const problem = await problemOf(response)
      assert.deepEqual([response.status, problem['code']], [status, code], String(problem['detail']))
    })
  }
  const short = await problemOf(await post(`${url}/json`, { name: 'a', color: 1 }))
  assert.deepEqual(short['errors'], {
    name: ['must have at least 2 characters, got 1'],
    color: ['is not a known field'],
  })
  assert.equal(reached, 0)
  assert.equal((await post(`${url}/json`, { name: 'ab' })).status, 200)
})

test('CT1: a field of our own bodies that is missing and one of another type are told apart', async (context) => {
  const { url } = await startHouse(context, { routes: [] })
  const answer = await post(`${url}/api/auth/login`, { email: 5, device_token: null })
  assert.equal(answer.status, 422)
  const { errors } = await problemOf(answer)
  assert.deepEqual(errors, {
    email: ['expected string, received number'],
    password: ['is required'],
    device_token: ['expected string, received null'],
  })
})

test('A55: fields that only the server sets are refused in our own bodies, never ignored', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url } = await startHouse(context, configOf(upstream.url))
  const response = await post(`${url}/api/auth/login`, {
    email: person.email,
    password: person.password,
    roles: ['admin'],
    id: '1',
  })
  assert.equal(response.status, 422)
  assert.deepEqual((await problemOf(response))['errors'], {
    roles: ['is not a known field'],
    id: ['is not a known field'],
  })
})

test('TR5: a spent limit is 429 with a promise that holds, and the fields of the limit', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url } = await startHouse(
    context,
    configOf(upstream.url, {
      limits: { short: { limit: 2, window: '1s', by: ['ip'] } },
      routes: [{ path: '/open', access: 'public', limit: 'short', to: 'api' }],
    }),
  )
  assert.equal((await fetch(`${url}/open`)).headers.get('x-ratelimit-remaining'), '1')
  assert.equal((await fetch(`${url}/open`)).headers.get('x-ratelimit-remaining'), '0')
  const refused = await fetch(`${url}/open`)
  assert.equal(refused.status, 429)
  assert.equal((await problemOf(refused))['code'], 'rate-limited')
  const seconds = Number(refused.headers.get('retry-after'))
  assert.ok(Number.isInteger(seconds) && seconds >= 1)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  assert.equal((await fetch(`${url}/open`)).status, 200)
})

test('A52: wrong credentials are counted against their address before they cost anything more', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url } = await startHouse(
    context,
    configOf(upstream.url, { limits: { strangers: { limit: 5, window: '1m', by: ['ip'] } } }),
  )
  const statuses: number[] = []
  for (let sent = 0; sent < 7; sent++)
    statuses.push((await fetch(`${url}/mine`, { headers: { authorization: `Bearer wrong${sent}` } })).status)
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429])
})

test('a problem leads to a page that says what it means', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url } = await startHouse(context, configOf(upstream.url))
  const { type } = (await (await fetch(`${url}/mine`)).json()) as { type: string }
  const page = await fetch(new URL(type, url))
  assert.equal(page.status, 200)
  assert.match(await page.text(), /What to do:/)
  assert.equal((await fetch(`${url}/.well-known/gatehouse/problems/constructor`)).status, 404)
})

test('metrics answer on loopback, and not to a request that was forwarded', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url } = await startHouse(context, configOf(upstream.url))
  await fetch(`${url}/open`)
  const metrics = await fetch(`${url}/metrics`)
  assert.equal(metrics.status, 200)
  assert.match(await metrics.text(), /gatehouse_requests_total\{route="\* \/open",status="200"\} 1/)
  assert.equal((await fetch(`${url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.9' } })).status, 404)
})
