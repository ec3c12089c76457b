import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import * as oauth from 'oauth4webapi'
import { allow, backendSecret, type OauthHouse, redirectUri, startOauth } from '../support/oauth.ts'
import {
  authorizeUrl,
  basic,
  clients,
  codeOf,
  codeVerifier,
  type Parameters,
  post,
  requested,
  type Said,
  said,
  scopes,
} from '../support/oauth-clients.ts'

const insecure = { [oauth.allowInsecureRequests]: true }
const webApp: oauth.Client = { client_id: 'web-app' }

const start = (context: TestContext, more: object = {}) => startOauth(context, { oauth: { scopes, clients }, ...more })

async function discovered(house: OauthHouse, algorithm: 'oauth2' | 'oidc' = 'oauth2') {
  const issuer = new URL(house.issuer)
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }))
}

/** RFC 6749 §5.2, to the letter. */
function assertError({ status, headers, body, text }: Said, expected: readonly [number, string], what: string): void {
  assert.deepEqual([status, body['error']], expected, `${what}: ${text.slice(0, 500)}`)
  assert.match(headers.get('content-type') ?? '', /^application\/json(;|$)/, what)
  assert.match(headers.get('cache-control') ?? '', /no-store/, what)
  assert.deepEqual(
    Object.keys(body).filter((name) => !['error', 'error_description', 'scope'].includes(name)),
    [],
  )
  assert.match(String(body['error_description']), /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, what)
}

const without = (parameters: Parameters, name: string): Parameters =>
  Object.fromEntries(Object.entries(parameters).filter(([one]) => one !== name))

const codeGrant = {
  grant_type: 'authorization_code',
  client_id: 'web-app',
  code: 'of-nobody',
  redirect_uri: redirectUri,
  code_verifier: codeVerifier,
}
const backend = basic('backend', backendSecret)

/** What somebody writes who looks for a hole. */
const nasty: Readonly<Record<string, string>> = {
  'two lines': 'a\r\nX-Injected: yes\r\n\r\n<script>alert(1)</script>',
  'a line feed': 'a\nX-Injected: yes',
  NUL: 'a\0b',
  'nothing but NUL': '\0',
  'an escape': '\x1b[2J\x7f',
  'other letters': 'ключ 鍵 🔑 \u202e\u2028',
  'not well-formed': '\ud800',
  markup: '"><script>alert(1)</script>',
  'a path': '../../../etc/passwd',
  'a long one': 'x'.repeat(6_000),
  'a name of JavaScript’s': '__proto__',
  nothing: '',
  blanks: '   ',
}

test('OA1 OA4: both discovery documents stand before the strict judge, and say the same of what both know', async (context) => {
  const house = await start(context)
  const [one, other] = [await discovered(house, 'oauth2'), await discovered(house, 'oidc')]
  assert.deepEqual(one, other)
  assert.equal(one.issuer, house.issuer)
  for (const [name, path] of Object.entries({
    authorization_endpoint: '/oauth/authorize',
    token_endpoint: '/oauth/token',
    pushed_authorization_request_endpoint: '/oauth/par',
    device_authorization_endpoint: '/oauth/device',
    revocation_endpoint: '/oauth/revoke',
    introspection_endpoint: '/oauth/introspect',
    userinfo_endpoint: '/oauth/userinfo',
    jwks_uri: '/.well-known/jwks.json',
  }))
    assert.equal(one[name], house.issuer + path, name)
  assert.deepEqual(one.response_types_supported, ['code'])
  assert.deepEqual(one.response_modes_supported, ['query'])
  assert.deepEqual(one.code_challenge_methods_supported, ['S256'])
  assert.equal(one.authorization_response_iss_parameter_supported, true)
  assert.equal(one.registration_endpoint, undefined, 'registration is closed')
  const granted = ['authorization_code', 'refresh_token', 'client_credentials']
  const extended = ['device_code', 'token-exchange'].map((name) => `urn:ietf:params:oauth:grant-type:${name}`)
  assert.deepEqual(one.grant_types_supported?.toSorted(), [...granted, ...extended].toSorted())
  for (const method of ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'])
    assert.ok(one.token_endpoint_auth_methods_supported?.includes(method), method)
  assert.ok(!JSON.stringify(one).includes('HS256'), 'no secret is shared for signatures')
})

test('OA1: oauth4webapi takes the tokens of the whole way, and the errors, as they come', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  const as = await discovered(house)
  const state = 'a state of the client'
  const redeemed = async (parameters: URLSearchParams, verifier: string) =>
    oauth.processAuthorizationCodeResponse(
      as,
      webApp,
      await oauth.authorizationCodeGrantRequest(as, webApp, oauth.None(), parameters, redirectUri, verifier, insecure),
    )
  const back = oauth.validateAuthResponse(as, webApp, await allow(walker, authorizeUrl(house)), state)
  const isNoGrant = { error: 'invalid_grant', status: 400 }
  await assert.rejects(redeemed(back, 'another-verifier-of-more-than-forty-three-characters'), isNoGrant)
  const tokens = await redeemed(back, codeVerifier)
  assert.equal(tokens.scope, 'widgets:read')
  await assert.rejects(redeemed(back, codeVerifier), isNoGrant)
  const denied = await allow(walker, authorizeUrl(house, { scope: 'widgets:write' }), 'deny')
  assert.throws(() => oauth.validateAuthResponse(as, webApp, denied, state), { error: 'access_denied' })
})

test('OA1 RFC 6749 §5.2: each parameter that is missing is asked for', async (context) => {
  const house = await start(context)
  for (const name of ['code', 'redirect_uri', 'code_verifier', 'grant_type'])
    assertError(await post(house, '/oauth/token', without(codeGrant, name)), [400, 'invalid_request'], `no ${name}`)
  assertError(await post(house, '/oauth/token', without(codeGrant, 'client_id')), [401, 'invalid_client'], 'no client')
  assertError(await post(house, '/oauth/token', codeGrant), [400, 'invalid_grant'], 'a code of nobody')
  const refreshing = { grant_type: 'refresh_token', client_id: 'web-app' }
  assertError(await post(house, '/oauth/token', refreshing), [400, 'invalid_request'], 'no refresh token')
  assertError(
    await post(house, '/oauth/token', { ...refreshing, refresh_token: '' }),
    [400, 'invalid_request'],
    'empty',
  )
  const unknown = { ...refreshing, refresh_token: 'gh_rt_of-nobody' }
  assertError(await post(house, '/oauth/token', unknown), [400, 'invalid_grant'], 'a refresh token of nobody')
  for (const path of ['/oauth/introspect', '/oauth/revoke'])
    assertError(await post(house, path, { token_type_hint: 'access_token' }, backend), [400, 'invalid_request'], path)
  assertError(await post(house, '/oauth/token', ''), [401, 'invalid_client'], 'nothing at all')
})

test('OA1 RFC 6749 §3.2: a parameter that comes twice is refused, whichever it is', async (context) => {
  const house = await start(context)
  for (const name of Object.keys(codeGrant)) {
    const sent = new URLSearchParams(codeGrant)
    sent.append(name, 'another')
    assertError(await post(house, '/oauth/token', sent), [400, 'invalid_request'], name)
  }
  const assertions = `${new URLSearchParams(codeGrant)}&client_assertion=a.b.c&client_assertion=a.b.c`
  assertError(await post(house, '/oauth/token', assertions), [400, 'invalid_request'], 'client_assertion')
  for (const path of ['/oauth/introspect', '/oauth/revoke'])
    assertError(await post(house, path, 'token=a&token=b', backend), [400, 'invalid_request'], path)
  const refreshing = 'client_id=web-app&refresh_token=a&refresh_token=b'
  assertError(await post(house, '/oauth/token/refresh', refreshing), [400, 'invalid_request'], 'refresh')
  assertError(
    await post(house, '/oauth/token/refresh', 'refresh_token=a&refresh_token=b'),
    [400, 'invalid_request'],
    'own',
  )
})

test('A16 RFC 6749 §5.2: a grant that is not there, and one that is not the client’s, have each a word', async (context) => {
  const house = await start(context)
  const mine = { client_id: 'web-app' }
  for (const grant_type of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'constructor', 'x'])
    assertError(await post(house, '/oauth/token', { ...mine, grant_type }), [400, 'unsupported_grant_type'], grant_type)
  for (const grant_type of ['client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'])
    assertError(await post(house, '/oauth/token', { ...mine, grant_type }), [400, 'unauthorized_client'], grant_type)
  const code = { ...codeGrant, client_id: undefined }
  assertError(await post(house, '/oauth/token', code, backend), [400, 'unauthorized_client'], 'a code for the back end')
})

test('OA1: what is neither a form nor one JSON object of texts is refused in the words of OAuth', async (context) => {
  const house = await start(context)
  const good = new URLSearchParams({ grant_type: 'client_credentials' }).toString()
  const send = (type: string | undefined, body: string): Promise<Said> =>
    fetch(`${house.issuer}/oauth/token`, {
      method: 'POST',
      headers: { ...backend, ...(type === undefined ? {} : { 'content-type': type }) },
      body: Buffer.from(body),
    }).then(said)
  for (const type of [
    undefined,
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jwt',
    ',',
  ])
    assertError(await send(type, good), [400, 'invalid_request'], String(type))
  for (const type of ['application/x-www-form-urlencoded; charset=UTF-8', 'Application/X-WWW-Form-Urlencoded'])
    assert.equal((await send(type, good)).status, 200, type)
  for (const body of [
    '{',
    '',
    'null',
    '[]',
    '"grant_type"',
    '{"grant_type":1}',
    '{"grant_type":null}',
    '{"grant_type":["client_credentials"]}',
    '{"grant_type":{"a":"b"}}',
    '{"grant_type":"client_credentials","grant_type":"client_credentials"}',
    '{"grant_type":"client_credentials"}{}',
    '[['.repeat(10_000),
    '{"a":'.repeat(2_000),
    good,
  ])
    assertError(await send('application/json', body), [400, 'invalid_request'], body.slice(0, 60))
  assert.equal((await send('application/json', '{"grant_type":"client_credentials","__proto__":"x"}')).status, 200)
})

test('OA1: a body that is too large, a method that is not there, and a path that leads nowhere', async (context) => {
  const house = await start(context)
  const large = `${new URLSearchParams(codeGrant)}&more=`
  for (const path of ['/oauth/token', '/oauth/par', '/oauth/introspect', '/oauth/revoke', '/oauth/token/refresh']) {
    assertError(await post(house, path, large + 'x'.repeat(70_000)), [413, 'invalid_request'], path)
    const least = await post(house, path, large + 'x'.repeat(60_000))
    assert.ok(least.status < 500, `${path} ${least.text}`)
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await said(await fetch(house.issuer + path, { method }))
      assert.equal(answer.status, 405, `${method} ${path}`)
      assert.match(answer.headers.get('allow') ?? '', /POST/)
    }
  }
  assert.equal((await fetch(authorizeUrl(house), { method: 'POST', redirect: 'manual' })).status, 405)
  for (const path of ['/oauth', '/oauth/', '/oauth/nothing', '/oauth/token/', '/oauth/token/nothing', '/oauth/Token']) {
    const answer = await post(house, path, codeGrant)
    assert.equal(answer.status, 404, path)
    assert.match(answer.headers.get('content-type') ?? '', /json/, path)
  }
  for (const path of ['/oauth/../oauth/token', '/oauth/%2e%2e/token', '/oauth//token']) {
    const answer = await post(house, path, codeGrant)
    assert.ok(answer.status >= 400 && answer.status < 500, path)
  }
})

test('OA1 A27: a client that cannot show who it is, or shows it twice, is refused, and by a challenge where it used a field', async (context) => {
  const house = await start(context)
  const grant = { grant_type: 'client_credentials' }
  const raw = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  const field = (authorization: string) => ({ authorization })
  const inForm = { client_id: 'backend', client_secret: backendSecret }
  const invalid = [401, 'invalid_client'] as const
  const malformed = [400, 'invalid_request'] as const
  for (const [what, more, headers, expected] of [
    ['nothing', {}, {}, invalid],
    ['a wrong secret', {}, basic('backend', `${backendSecret}x`), invalid],
    ['half a secret', {}, basic('backend', backendSecret.slice(0, -1)), invalid],
    ['a secret in other letters', {}, basic('backend', backendSecret.toUpperCase()), invalid],
    ['a client of nobody', {}, basic('nobody', backendSecret), invalid],
    ['an id in other letters', {}, basic('BACKEND', backendSecret), invalid],
    ['a public client with a secret', {}, basic('web-app', backendSecret), invalid],
    ['a name alone', { client_id: 'backend' }, {}, invalid],
    ['a wrong secret in the form', { ...inForm, client_secret: 'wrong' }, {}, invalid],
    ['an empty secret in the form', { ...inForm, client_secret: '' }, {}, invalid],
    ['a secret without a name', { client_secret: backendSecret }, {}, invalid],
    ['a bearer', {}, field('Bearer a.b.c'), invalid],
    ['digest', {}, field('Digest username="backend"'), invalid],
    ['a bearer beside a good secret', inForm, field('Bearer a.b.c'), invalid],
    ['a scheme of nobody', {}, field('Basically YmFja2VuZDp4'), invalid],
    ['field and form', inForm, backend, malformed],
    ['field and assertion', { client_assertion: 'a.b.c' }, backend, malformed],
    ['form and assertion', { ...inForm, client_assertion: 'a.b.c' }, {}, malformed],
    ['two names', { client_id: 'web-app' }, backend, malformed],
    ['an empty secret', {}, raw('backend:'), malformed],
    ['no colon', {}, raw('backend'), malformed],
    ['no base64', {}, field('Basic %%%'), malformed],
    ['nothing behind the scheme', {}, field('Basic'), malformed],
    ['two words behind the scheme', {}, field('Basic YmFja2VuZDp4 YmFja2VuZDp4'), malformed],
    ['broken percent signs', {}, raw('backend:%zz'), malformed],
    ['a control character', {}, raw('back\0end:secret'), malformed],
    ['nothing at all', {}, raw(':'), malformed],
  ] as const) {
    const answer = await post(house, '/oauth/token', { ...grant, ...more }, headers)
    assertError(answer, expected, what)
    assert.equal(answer.body['access_token'], undefined, what)
    const byField = 'authorization' in headers && answer.status === 401
    assert.equal(/^Basic realm="/.test(answer.headers.get('www-authenticate') ?? ''), byField, `${what}: the challenge`)
  }
  assert.equal((await post(house, '/oauth/token', grant, backend)).status, 200)
  assert.equal((await post(house, '/oauth/token', { ...grant, ...inForm })).status, 200, 'RFC 6749 §2.3.1')
  assert.equal((await post(house, '/oauth/token', { ...grant, client_id: 'backend' }, backend)).status, 200)
})

test('A21: a client that is not there and one with a wrong secret are told the same', async (context) => {
  const house = await start(context)
  const grant = { grant_type: 'client_credentials' }
  const told = await Promise.all(
    [basic('nobody', 'wrong'), basic('backend', 'wrong'), basic('portal', 'wrong')].map((headers) =>
      post(house, '/oauth/token', grant, headers),
    ),
  )
  assert.equal(
    new Set(told.map(({ status, text, headers }) => `${status} ${text} ${headers.get('www-authenticate')}`)).size,
    1,
  )
})

test('OA1: who asks too often is told so in the words of OAuth, and when to come back', async (context) => {
  const few = { limit: 3, window: '1m', by: ['ip'] }
  const house = await start(context, { limits: { oauth: few, requests: few } })
  for (let at = 0; at < 3; at++) {
    assert.equal((await post(house, '/oauth/token', codeGrant)).status, 400)
    assert.equal((await post(house, '/oauth/par', codeGrant)).status, 400)
  }
  for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke', '/oauth/par', '/oauth/device']) {
    const answer = await post(house, path, codeGrant, backend)
    assertError(answer, [429, 'temporarily_unavailable'], path)
    assert.match(answer.headers.get('retry-after') ?? '', /^[1-9][0-9]*$/)
  }
})

test('A13 A22: a refused request comes back with `state` and `iss`, and with nothing else that somebody wrote', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  walker.site = 'cross-site'
  for (const [parameters, error] of [
    [{ scope: 'nosuch' }, 'invalid_scope'],
    [{ response_type: undefined }, 'invalid_request'],
    [{ response_type: 'nonsense' }, 'unsupported_response_type'],
    [{ code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    [{ code_challenge_method: 'S512' }, 'invalid_request'],
    [{ resource: 'https://elsewhere.example' }, 'invalid_target'],
    [{ prompt: 'nonsense' }, 'invalid_request'],
    [{ prompt: 'none' }, 'login_required'], // a Strict cookie stays behind where the way begins elsewhere
    [{ prompt: 'none login' }, 'invalid_request'],
    [{ max_age: '-1' }, 'invalid_request'],
    [{ max_age: 'soon' }, 'invalid_request'],
    [{ request: 'a.b.c' }, 'request_not_supported'],
    [{ request_uri: 'https://evil.example/request' }, 'request_uri_not_supported'],
    [{ registration: '{}' }, 'registration_not_supported'],
  ] as const) {
    const { url } = await walker.go(authorizeUrl(house, { scope: 'openid widgets:read', ...parameters }))
    const what = JSON.stringify(parameters)
    assert.equal(url.origin + url.pathname, redirectUri, `${what} ${url}`)
    assert.equal(url.searchParams.get('error'), error, `${what} ${url}`)
    assert.equal(url.searchParams.get('state'), 'a state of the client', what)
    assert.equal(url.searchParams.get('iss'), house.issuer, what)
    assert.equal(url.searchParams.get('code'), null, what)
    const known = ['error', 'error_description', 'state', 'iss', 'scope']
    assert.deepEqual(
      [...url.searchParams.keys()].filter((name) => !known.includes(name)),
      [],
      what,
    )
    assert.equal(url.hash, '', what)
  }
  walker.site = 'none'
  const unasked = await walker.go(authorizeUrl(house, { prompt: 'none' }))
  assert.equal(unasked.url.searchParams.get('error'), 'consent_required')
  const stateless = await walker.go(authorizeUrl(house, { scope: 'nosuch', state: undefined }))
  assert.equal(stateless.url.searchParams.has('state'), false)
})

test('A13: an authorization parameter that comes twice is refused; where it names client or address, to nobody’s address', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  walker.site = 'cross-site'
  for (const name of requested().keys()) {
    const twice = requested()
    twice.append(name, name === 'redirect_uri' ? 'https://evil.example/callback' : 'another')
    const stop = await walker.go(`/oauth/authorize?${twice}`)
    assert.equal(stop.url.searchParams.get('code'), null, name)
    if (name === 'client_id' || name === 'redirect_uri') {
      assert.deepEqual([stop.url.origin, stop.status], [house.issuer, 400], `${name} ${stop.url}`)
      assert.ok(!stop.text.includes('evil.example'), name)
    } else assert.equal(stop.url.searchParams.get('error'), 'invalid_request', `${name} ${stop.url}`)
  }
})

test('A13: whatever stands in a parameter of the authorization endpoint, nothing fails and nothing of it reaches a field raw', async (context) => {
  const house = await start(context)
  const names = [...requested().keys(), 'nonce', 'prompt', 'max_age', 'resource', 'request_uri', 'acr_values']
  for (const name of [...names, 'dpop_jkt', 'login_hint', 'ui_locales', 'id_token_hint', 'response_mode', 'claims']) {
    for (const [what, value] of Object.entries(nasty)) {
      const answer = await fetch(authorizeUrl(house, { scope: 'openid widgets:read', [name]: value }), {
        redirect: 'manual',
      })
      const text = await answer.text()
      assert.ok(answer.status < 500, `${name}, ${what}: ${answer.status}`)
      assert.equal(answer.headers.get('x-injected'), null, `${name}, ${what}`)
      for (const [field, content] of answer.headers)
        assert.match(content, /^[\x20-\x7e]*$/, `${name}, ${what}: ${field}`)
      const location = answer.headers.get('location')
      if (location !== null) {
        const to = new URL(location, house.issuer)
        assert.ok([house.issuer, new URL(redirectUri).origin].includes(to.origin), `${name}, ${what}: ${location}`)
        assert.ok(!/[<>"\s]/.test(location), `${name}, ${what}: ${location}`)
      }
      assert.ok(!text.includes('<script>alert'), `${name}, ${what}`)
    }
  }
  for (const query of ['%', '%zz', '%ff%fe', 'state=%ed%a0%80', '&&&===', `client_id[]=web-app`, '__proto__[x]=y']) {
    const answer = await fetch(`${authorizeUrl(house)}&${query}`, { redirect: 'manual' })
    await answer.body?.cancel()
    assert.ok(answer.status < 500, query)
  }
})

test('A22: a state comes back as it went, whatever is written in it', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  for (const state of ['a b+c%20&d=e#f', 'ключ 鍵 🔑', 'a\r\nb', '"><script>', '\0', 'x'.repeat(4_000)]) {
    const back = await allow(walker, authorizeUrl(house, { state }))
    assert.equal(back.searchParams.get('state'), state)
    assert.equal(back.searchParams.getAll('code').length, 1)
  }
})

test('OA1: whatever stands in a parameter of a machine’s endpoint, it is refused in the words of OAuth', async (context) => {
  const device = ['authorization_code', 'refresh_token', 'device_code'] as const
  const able = clients.map((one) => (one.id === 'web-app' ? { ...one, grants: [...device] } : one))
  const house = await start(context, { oauth: { scopes, clients: able } })
  const walker = await house.person()
  const token = { token: 'of-nobody', token_type_hint: 'access_token' }
  const pushed = Object.fromEntries(
    requested({ scope: 'openid widgets:read', nonce: 'x', resource: house.issuer, dpop_jkt: 'x'.repeat(43) }),
  )
  const shown = ['client_secret', 'client_assertion', 'client_assertion_type']
  for (const [path, usual, more, status] of [
    ['/oauth/par', pushed, ['prompt', 'max_age', 'acr_values', 'login_hint', ...shown], 201],
    ['/oauth/device', { client_id: 'web-app', scope: 'widgets:read' }, ['resource', ...shown], 200],
    ['/oauth/introspect', { client_id: 'portal', client_secret: backendSecret, ...token }, shown, 200],
    ['/oauth/revoke', { client_id: 'web-app', ...token }, shown, 200],
    ['/oauth/token/refresh', { client_id: 'web-app', refresh_token: 'of-nobody' }, ['scope', ...shown], 400],
    ['/oauth/token', { ...codeGrant, code: await codeOf(house, walker) }, [...shown, 'resource'], 200],
  ] as const) {
    for (const name of [...Object.keys(usual), ...more]) {
      for (const [what, value] of Object.entries(nasty)) {
        const answer = await post(house, path, { ...usual, [name]: value })
        const where = `${path} ${name}, ${what}`
        assert.ok(answer.status < 500, `${where}: ${answer.status} ${answer.text}`)
        if (answer.status >= 400) assertError(answer, [answer.status, String(answer.body['error'])], where)
        assert.equal(answer.headers.get('x-injected'), null, where)
        for (const [field, content] of answer.headers) assert.match(content, /^[\x20-\x7e]*$/, `${where}: ${field}`)
      }
    }
    const usually = path === '/oauth/token' ? { ...usual, code: await codeOf(house, walker) } : usual
    const good = await post(house, path, usually)
    assert.equal(good.status, status, `${path} as it should be: ${good.text}`)
  }
})
