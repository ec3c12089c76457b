import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import * as client from 'openid-client'
import { testClock } from '../support/clock.ts'
import { allow, answered, backendSecret, type OauthHouse, redirectUri, startOauth, tokensOf } from '../support/oauth.ts'
import { bearer, goodPassword } from '../support/people.ts'
import type { Walker } from '../support/walker.ts'

const verifier = 'a-verifier-of-more-than-forty-three-characters-0'
const challenge = createHash('sha256').update(verifier).digest('base64url')

/** A request as a client that knows what it does would make it. */
function request(house: OauthHouse, parameters: Readonly<Record<string, string | undefined>> = {}): URL {
  const url = new URL('/oauth/authorize', house.issuer)
  const all = {
    client_id: 'web-app',
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'widgets:read',
    state: 'a state of the client',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...parameters,
  }
  for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value)
  return url
}

interface TokenResponse {
  readonly status: number
  readonly body: Readonly<Record<string, string>>
  readonly headers: Headers
}

async function post(
  house: OauthHouse,
  path: string,
  form: Readonly<Record<string, string>>,
  headers = {},
): Promise<TokenResponse> {
  const answer = await fetch(`${house.issuer}/oauth${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text), headers: answer.headers }
}

async function code(house: OauthHouse, walker: Walker, parameters = {}): Promise<string> {
  const back = await allow(walker, request(house, parameters))
  return back.searchParams.get('code') ?? assert.fail(back.href)
}

const redeem = (house: OauthHouse, given: string, more = {}): Promise<TokenResponse> =>
  post(house, '/token', {
    grant_type: 'authorization_code',
    client_id: 'web-app',
    code: given,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...more,
  })

const refresh = (house: OauthHouse, token: string, more = {}): Promise<TokenResponse> =>
  post(house, '/token', { grant_type: 'refresh_token', client_id: 'web-app', refresh_token: token, ...more })

const callApi = async (house: OauthHouse, token: string, method = 'GET', path = '/widgets'): Promise<number> =>
  (await fetch(`${house.issuer}${path}`, { method, headers: { authorization: `Bearer ${token}` } })).status

test('OA1: openid-client signs a person in by code and PKCE, calls the API, asks who it is, refreshes and signs out', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  const config = await house.discover('web-app')
  const tokens = await tokensOf(walker, config, { scope: 'openid profile email widgets:read' })
  assert.equal(tokens.token_type, 'bearer')
  assert.equal(tokens.scope, 'openid profile email widgets:read')
  const claims = tokens.claims()
  assert.equal(claims?.['email'], 'ada@people.example')
  assert.equal(claims?.['name'], 'New Comer')
  assert.deepEqual(claims?.['amr'], ['pwd'])
  assert.equal(await callApi(house, tokens.access_token), 200)
  const who = await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')
  assert.equal(who.email, 'ada@people.example')
  const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
  assert.equal(await callApi(house, next.access_token), 200)
  await client.tokenRevocation(config, next.refresh_token ?? '')
  assert.equal(await callApi(house, next.access_token), 401, 'its access tokens end with the family')
  await assert.rejects(client.refreshTokenGrant(config, next.refresh_token ?? ''), { error: 'invalid_grant' })
})

test('A12: a redirect address counts as it is written, and a wrong one is never followed (A13)', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  for (const wrong of [
    `${redirectUri}/`,
    `${redirectUri}?x=1`,
    `${redirectUri}#x`,
    redirectUri.toUpperCase(),
    redirectUri.replace('https', 'http'),
    redirectUri.replace('app.', 'app.evil.'),
    'https://app.example.com@evil.example/callback',
    'javascript:alert(1)',
    'data:text/html,x',
    '//evil.example/callback',
    '',
  ]) {
    const stop = await walker.go(request(house, { redirect_uri: wrong }))
    assert.equal(stop.url.origin, house.issuer, wrong)
    assert.equal(stop.status, 400, wrong)
    assert.match(stop.headers.get('content-type') ?? '', /^text\/html/)
    assert.ok(!stop.text.includes('href="https://app.evil'), wrong)
  }
  const stranger = await walker.go(request(house, { client_id: 'nobody' }))
  assert.deepEqual([stranger.url.origin, stranger.status], [house.issuer, 400])
})

test('A14: no request without PKCE, none with `plain`, and no verifier without its challenge', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  for (const parameters of [
    { code_challenge: undefined, code_challenge_method: undefined },
    { code_challenge_method: 'plain', code_challenge: verifier },
    { code_challenge_method: undefined },
    { code_challenge: 'short' },
  ]) {
    const stop = await walker.go(request(house, parameters))
    assert.equal(stop.url.searchParams.get('error'), 'invalid_request', JSON.stringify(parameters))
    assert.equal(stop.url.searchParams.get('state'), 'a state of the client')
  }
  const metadata = (await (await fetch(`${house.issuer}/.well-known/oauth-authorization-server`)).json()) as Record<
    string,
    unknown
  >
  assert.deepEqual(metadata['code_challenge_methods_supported'], ['S256'])
})

test('A16: implicit, password and other response modes are not there', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  for (const parameters of [
    { response_type: 'token' },
    { response_type: 'id_token' },
    { response_type: 'code token' },
  ]) {
    const stop = await walker.go(request(house, parameters))
    // What would have come in the fragment is refused there (OAuth 2.0 Multiple Response Types §5).
    const told = new URLSearchParams(stop.url.hash.slice(1) || stop.url.search)
    assert.match(told.get('error') ?? '', /^(?:unsupported_response_type|invalid_request)$/, stop.url.href)
    assert.equal(told.get('access_token') ?? told.get('id_token'), null)
  }
  for (const response_mode of ['fragment', 'form_post', 'web_message']) {
    const stop = await walker.go(request(house, { response_mode }))
    const told = new URLSearchParams(stop.url.hash.slice(1) || stop.url.search)
    assert.ok(
      /error=/.test(`${stop.url.search}${stop.url.hash}`) || stop.status === 400,
      `${response_mode} ${stop.url}`,
    )
    assert.equal(told.get('code'), null)
  }
  const password = await post(house, '/token', {
    grant_type: 'password',
    client_id: 'web-app',
    username: 'x',
    password: 'y',
  })
  assert.deepEqual([password.status, password.body['error']], [400, 'unsupported_grant_type'])
})

test('A15: a code is good once: its second redemption ends the tokens of the first, and leaves an incident', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  const given = await code(house, walker)
  const first = await redeem(house, given)
  assert.equal(first.status, 200, JSON.stringify(first.body))
  assert.equal(await callApi(house, first.body['access_token'] ?? ''), 200)
  const second = await redeem(house, given)
  assert.deepEqual([second.status, second.body['error']], [400, 'invalid_grant'])
  assert.equal(await callApi(house, first.body['access_token'] ?? ''), 401)
  assert.equal((await refresh(house, first.body['refresh_token'] ?? '')).body['error'], 'invalid_grant')
  const events = await house.events()
  assert.ok(events.some(({ type, action }) => type === 'security_incident' && action === 'token-reuse'))
})

test('A15: of many redemptions at one moment one is answered, and no token of it lives', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  const given = await code(house, walker)
  const answers = await Promise.all(Array.from({ length: 16 }, () => redeem(house, given)))
  const good = answers.filter(({ status }) => status === 200)
  assert.equal(good.length, 1)
  assert.equal(await callApi(house, good[0]?.body['access_token'] ?? ''), 401)
})

test('A15: a code is bound to its client, its address and its verifier; a try with a wrong one spends nothing', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  const given = await code(house, walker)
  const basic = `Basic ${Buffer.from(`backend:${backendSecret}`).toString('base64')}`
  for (const [more, headers] of [
    [{ redirect_uri: `${redirectUri}/` }, {}],
    [{ code_verifier: `${verifier}1` }, {}],
    [{ code_verifier: challenge }, {}],
  ] as const) {
    const wrong = await post(
      house,
      '/token',
      {
        grant_type: 'authorization_code',
        client_id: 'web-app',
        code: given,
        redirect_uri: redirectUri,
        code_verifier: verifier,
        ...more,
      },
      headers,
    )
    assert.deepEqual([wrong.status, wrong.body['error']], [400, 'invalid_grant'], JSON.stringify(more))
  }
  const other = await post(
    house,
    '/token',
    { grant_type: 'authorization_code', code: given, redirect_uri: redirectUri, code_verifier: verifier },
    { authorization: basic },
  )
  assert.equal(other.status, 400)
  assert.equal((await redeem(house, given)).status, 200)
})

test('A15: a code is good for a minute', async (context) => {
  const clock = testClock(Date.now())
  const house = await startOauth(context, {}, { clock })
  const walker = await house.person()
  const given = await code(house, walker)
  clock.advance(61_000)
  assert.equal((await redeem(house, given)).body['error'], 'invalid_grant')
})

test('A22: every answer of the authorization endpoint says who gave it, refusals too', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  const denied = await allow(walker, request(house), 'deny')
  assert.deepEqual([denied.searchParams.get('error'), denied.searchParams.get('iss')], ['access_denied', house.issuer])
  const allowed = await allow(walker, request(house))
  assert.equal(allowed.searchParams.get('iss'), house.issuer)
  const metadata = (await (await fetch(`${house.issuer}/.well-known/openid-configuration`)).json()) as Record<
    string,
    unknown
  >
  assert.equal(metadata['issuer'], house.issuer)
  assert.equal(metadata['authorization_response_iss_parameter_supported'], true)
})

test('OA2: a token carries what was asked, and several narrower ones live side by side', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  const reads = (await redeem(house, await code(house, walker, { scope: 'widgets:read' }))).body
  const both = (await redeem(house, await code(house, walker, { scope: 'widgets:read widgets:write' }))).body
  assert.deepEqual([reads['scope'], both['scope']], ['widgets:read', 'widgets:read widgets:write'])
  assert.equal(await callApi(house, reads['access_token'] ?? '', 'POST'), 403)
  assert.equal(await callApi(house, both['access_token'] ?? '', 'POST'), 200)
  const refused = await fetch(`${house.issuer}/widgets`, {
    method: 'POST',
    headers: bearer({ access_token: reads['access_token'] ?? '' }),
  })
  assert.match(refused.headers.get('www-authenticate') ?? '', /error="insufficient_scope".*scope="widgets:write"/)
  await refused.body?.cancel()
})

test('OA2: what nobody knows, or the client may not ask for, is refused and not left out', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  for (const scope of ['widgets:read nosuch', 'widgets:admin']) {
    const stop = await walker.go(request(house, { scope }))
    assert.equal(stop.url.searchParams.get('error'), 'invalid_scope', scope)
  }
})

test('A20: a refresh can ask for less, and never for more', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  const first = (await redeem(house, await code(house, walker, { scope: 'widgets:read widgets:write' }))).body
  const wider = await refresh(house, first['refresh_token'] ?? '', { scope: 'widgets:read widgets:admin' })
  assert.equal(wider.body['error'], 'invalid_scope')
  const narrow = await refresh(house, first['refresh_token'] ?? '', { scope: 'widgets:read' })
  assert.equal(narrow.body['scope'], 'widgets:read')
  assert.equal(await callApi(house, narrow.body['access_token'] ?? '', 'POST'), 403)
  const whole = await refresh(house, narrow.body['refresh_token'] ?? '')
  assert.equal(whole.body['scope'], 'widgets:read widgets:write', 'the grant itself did not shrink (RFC 6749 §6)')
})

test('A17: a spent refresh token ends its family and its access tokens, and only that family', async (context) => {
  const clock = testClock(Date.now())
  const house = await startOauth(context, {}, { clock })
  const walker = await house.person()
  const one = (await redeem(house, await code(house, walker))).body
  const other = (await redeem(house, await code(house, walker))).body
  const next = (await refresh(house, one['refresh_token'] ?? '')).body
  const after = (await refresh(house, next['refresh_token'] ?? '')).body
  clock.advance(11_000)
  const reused = await refresh(house, one['refresh_token'] ?? '')
  assert.deepEqual([reused.status, reused.body['error']], [400, 'invalid_grant'])
  assert.equal((await refresh(house, after['refresh_token'] ?? '')).body['error'], 'invalid_grant')
  assert.equal(await callApi(house, after['access_token'] ?? ''), 401)
  assert.equal(await callApi(house, other['access_token'] ?? ''), 200)
  assert.equal((await refresh(house, other['refresh_token'] ?? '')).status, 200)
})

test('A18: 64 refreshes at one moment come to one successor, and the client goes on', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  const first = (await redeem(house, await code(house, walker))).body
  const answers = await Promise.all(Array.from({ length: 64 }, () => refresh(house, first['refresh_token'] ?? '')))
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  const successors = new Set(answers.map(({ body }) => body['refresh_token']))
  assert.equal(successors.size, 1)
  assert.equal((await refresh(house, [...successors][0] ?? '')).status, 200)
})

test('A21: a refresh token of another client is nobody’s, and loses nothing by it', async (context) => {
  const house = await startOauth(context, {
    oauth: {
      scopes: { 'widgets:read': { description: 'See your widgets' } },
      clients: ['web-app', 'other-app'].map((id) => ({
        id,
        name: id,
        redirectUris: [redirectUri],
        scopes: ['widgets:read'],
      })),
    },
  })
  const walker = await house.person()
  const first = (await redeem(house, await code(house, walker))).body
  const stolen = await refresh(house, first['refresh_token'] ?? '', { client_id: 'other-app' })
  assert.equal(stolen.body['error'], 'invalid_grant')
  const own = await fetch(`${house.issuer}/api/auth/token/refresh`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refresh_token: first['refresh_token'] }),
  })
  assert.equal(own.status, 401, 'our own refresh does not take a client’s token')
  await own.body?.cancel()
  assert.equal((await refresh(house, first['refresh_token'] ?? '')).status, 200)
})

test('A20: without offline access a client’s tokens end with the browser session; with it they stay', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  const bound = (await redeem(house, await code(house, walker))).body
  const free = (
    await redeem(house, await code(house, walker, { scope: 'widgets:read offline_access', prompt: 'consent' }))
  ).body
  const leaving = await walker.go('/auth/sign-out')
  await walker.send(leaving, {}, '/auth/sign-out')
  assert.equal(await callApi(house, bound['access_token'] ?? ''), 401)
  assert.equal((await refresh(house, bound['refresh_token'] ?? '')).body['error'], 'invalid_grant')
  assert.equal(await callApi(house, free['access_token'] ?? ''), 200)
  const kept = await refresh(house, free['refresh_token'] ?? '')
  assert.equal(kept.status, 200)
  const signedIn = await house.api('POST', '/api/auth/login', { email: 'ada@people.example', password: goodPassword })
  await house.api('DELETE', '/api/auth/sessions', undefined, bearer(signedIn.body as { access_token: string }))
  assert.equal(
    (await refresh(house, kept.body['refresh_token'] ?? '')).body['error'],
    'invalid_grant',
    'signed out everywhere',
  )
})

test('A29: consent is remembered for a client that an operator made, and asked for anew when more is wanted', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  await code(house, walker)
  walker.site = 'cross-site'
  const again = await walker.go(request(house))
  assert.ok(again.url.href.startsWith(redirectUri), again.text)
  const more = await walker.go(request(house, { scope: 'widgets:read widgets:write' }))
  assert.match(more.url.pathname, /^\/auth\/consent\//)
  assert.match(more.text, /Change your widgets/)
  const asked = await walker.go(request(house, { prompt: 'consent' }))
  assert.match(asked.url.pathname, /^\/auth\/consent\//)
})

test('a request waits for one browser: another that knows its address is not let in', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  walker.site = 'cross-site'
  const asked = await walker.go(request(house))
  const other = await house.person('eve@people.example')
  const stop = await other.go(asked.url)
  assert.equal(stop.status, 400)
  const posted = await fetch(asked.url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example' },
    body: 'decision=allow',
  })
  assert.equal(posted.status, 403)
  await posted.body?.cancel()
  assert.ok((await answered(walker, asked, 'allow')).url.searchParams.has('code'))
})

test('somebody who has to sign in first comes back to the request', async (context) => {
  const house = await startOauth(context)
  await house.newcomer('ada@people.example')
  const { Walker } = await import('../support/walker.ts')
  const walker = new Walker(house.issuer)
  walker.site = 'cross-site'
  const door = await walker.go(request(house))
  assert.equal(door.url.pathname, '/auth/sign-in')
  const asked = await walker.send(door, { identifier: 'ada@people.example', password: goodPassword }, '/auth/sign-in')
  assert.ok((await answered(walker, asked, 'allow')).url.searchParams.has('code'))
})

test('A34: a client for itself is never a person, and a public client is nobody for itself', async (context) => {
  const house = await startOauth(context)
  const config = await house.discover('backend', backendSecret)
  const tokens = await client.clientCredentialsGrant(config, { scope: 'widgets:read' })
  const [, payload = ''] = tokens.access_token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  assert.deepEqual([claims.sub, claims.client_id, claims.scope], ['backend', 'backend', 'widgets:read'])
  assert.equal(await callApi(house, tokens.access_token), 200)
  assert.equal(await callApi(house, tokens.access_token, 'GET', '/api/auth/me'), 403)
  await assert.rejects(client.clientCredentialsGrant(config, { scope: 'widgets:write' }), { error: 'invalid_scope' })
  const wrong = await post(
    house,
    '/token',
    { grant_type: 'client_credentials' },
    { authorization: `Basic ${Buffer.from('backend:wrong').toString('base64')}` },
  )
  assert.deepEqual([wrong.status, wrong.body['error']], [401, 'invalid_client'])
  const nobody = await post(house, '/token', { grant_type: 'client_credentials', client_id: 'web-app' })
  assert.equal(nobody.status, 400)
})

test('A33: no page of another origin reads the authorization endpoint, and every one the token endpoint', async (context) => {
  const house = await startOauth(context)
  const authorize = await fetch(request(house), { headers: { origin: 'https://spa.example' }, redirect: 'manual' })
  assert.equal(authorize.headers.get('access-control-allow-origin'), null)
  await authorize.body?.cancel()
  const preflight = await fetch(`${house.issuer}/oauth/token`, {
    method: 'OPTIONS',
    headers: {
      origin: 'https://spa.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'dpop',
    },
  })
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
  assert.equal(preflight.headers.get('access-control-allow-credentials'), null)
  const token = await post(
    house,
    '/token',
    { grant_type: 'nonsense', client_id: 'web-app' },
    { origin: 'https://spa.example' },
  )
  assert.equal(token.headers.get('access-control-allow-origin'), '*')
  assert.equal(token.headers.get('cache-control'), 'no-store')
})
