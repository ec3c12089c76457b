import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import * as client from 'openid-client'
import { testClock } from '../support/clock.ts'
import { allow, answered, backendSecret, type OauthHouse, redirectUri, startOauth } from '../support/oauth.ts'
import {
  authorizeUrl,
  basic,
  clients,
  codeChallenge,
  codeOf,
  post,
  redeem,
  requested,
  type Said,
  scopes,
} from '../support/oauth-clients.ts'
import type { Stop, Walker } from '../support/walker.ts'

const start = (context: TestContext, oauth: object = {}, options: Parameters<typeof startOauth>[2] = {}) =>
  startOauth(context, { oauth: { scopes, clients, ...oauth } }, options)

const push = (house: OauthHouse, more = {}, headers = {}): Promise<Said> =>
  post(house, '/oauth/par', requested(more), headers)

/** The authorization request that is left of a pushed one. */
function short(house: OauthHouse, pushed: Said, clientId = 'web-app'): URL {
  assert.equal(pushed.status, 201, pushed.text)
  const url = new URL('/oauth/authorize', house.issuer)
  url.searchParams.set('client_id', clientId)
  url.searchParams.set('request_uri', String(pushed.body['request_uri']))
  return url
}

async function asked(walker: Walker, request: URL): Promise<Stop> {
  walker.site = 'cross-site'
  return walker.go(request)
}

/** What a refused request came to: the error, wherever it was told, and that no code went along. */
function refusedWith({ url, status, text }: Stop): string {
  assert.equal(url.searchParams.get('code'), null, url.href)
  return (
    url.searchParams.get('error') ?? (status >= 400 ? `a page of ${status}` : assert.fail(`${url} ${status} ${text}`))
  )
}

test('A26: openid-client pushes its request, and nothing of it stands in the browser’s address', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  for (const [id, secret] of [
    ['web-app', undefined],
    ['portal', backendSecret],
  ] as const) {
    const config = await house.discover(id, secret)
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const expectedState = client.randomState()
    const request = await client.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: redirectUri,
      scope: 'widgets:read',
      state: expectedState,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    })
    assert.deepEqual([...request.searchParams.keys()].toSorted(), ['client_id', 'request_uri'])
    const back = await allow(walker, request)
    const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState })
    assert.equal(tokens.scope, 'widgets:read')
  }
})

test('A26: a pushed request is answered 201, for a minute, with what nobody can guess, and is kept by no cache', async (context) => {
  const house = await start(context)
  const pushed = await push(house)
  assert.equal(pushed.status, 201)
  assert.equal(pushed.body['expires_in'], 60)
  assert.match(String(pushed.body['request_uri']), /^urn:ietf:params:oauth:request_uri:[\w-]{21,}$/)
  assert.match(pushed.headers.get('cache-control') ?? '', /no-store/)
  assert.notEqual((await push(house)).body['request_uri'], pushed.body['request_uri'])
})

test('A26: a pushed request is good once', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  const request = short(house, await push(house))
  await codeOf(house, walker, request)
  assert.notEqual(refusedWith(await asked(walker, request)), 'access_denied')
  const other = await house.person('eve@people.example')
  refusedWith(await asked(other, request))
})

test('A26: of two browsers that carry one pushed request, one is given a code, one after the other or at one moment', async (context) => {
  const house = await start(context)
  const people = [await house.person(), await house.person('eve@people.example')]
  for (const together of [false, true]) {
    const request = short(house, await push(house))
    const stops = await Promise.all(people.map((walker) => asked(walker, request)))
    const decide = async (at: number): Promise<Stop> => {
      const [walker, stop] = [people[at], stops[at]]
      assert.ok(walker !== undefined && stop !== undefined)
      return stop.status === 0 ? stop : answered(walker, stop, 'allow')
    }
    const ends = together ? await Promise.all([decide(0), decide(1)]) : [await decide(0), await decide(1)]
    assert.equal(ends.filter(({ url }) => url.searchParams.has('code')).length, 1, `together: ${together}`)
  }
})

test('A26: a pushed request is good once also for those who took their time at the question', async (context) => {
  const clock = testClock(Date.now())
  const house = await start(context, {}, { clock })
  const people = [await house.person(), await house.person('eve@people.example')]
  const request = short(house, await push(house))
  const stops = await Promise.all(people.map((walker) => asked(walker, request)))
  clock.advance(90_000)
  const ends: Stop[] = []
  for (const [at, walker] of people.entries()) ends.push(await answered(walker, stops[at] as Stop, 'allow'))
  assert.deepEqual(
    ends.map(({ url }) => url.searchParams.has('code')),
    [true, false],
    'the first has the code, though a minute has passed since it was pushed',
  )
})

test('A26: a pushed request runs out after a minute', async (context) => {
  const clock = testClock(Date.now())
  const house = await start(context, {}, { clock })
  const walker = await house.person()
  const late = short(house, await push(house))
  clock.advance(61_000)
  refusedWith(await asked(walker, late))
  const inTime = short(house, await push(house))
  clock.advance(58_000)
  await codeOf(house, walker, inTime)
})

test('A26: a pushed request is its client’s: another one that has its address is refused, and spends nothing', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  const pushed = await push(house)
  const stolen = await asked(walker, short(house, pushed, 'other-app'))
  refusedWith(stolen)
  assert.ok(!stolen.url.href.startsWith(redirectUri), 'nobody is told by redirect (A13)')
  const code = await codeOf(house, walker, short(house, pushed))
  const other = await redeem(house, code, { client_id: 'other-app' })
  assert.deepEqual([other.status, other.body['error']], [400, 'invalid_grant'])
})

test('A26: what was pushed counts, and not what stands beside it in the browser', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  const pushed = await push(house, { state: 'as it was pushed' })
  const request = authorizeUrl(house, {
    request_uri: String(pushed.body['request_uri']),
    scope: 'widgets:read widgets:write',
    state: 'as somebody changed it',
    code_challenge: 'A'.repeat(43),
    redirect_uri: redirectUri,
  })
  const stop = await asked(walker, request)
  assert.ok(!stop.text.includes('Change your widgets'))
  const { url } = await answered(walker, stop, 'allow')
  assert.equal(url.searchParams.get('state'), 'as it was pushed')
  const answer = await redeem(house, url.searchParams.get('code') ?? '')
  assert.deepEqual([answer.status, answer.body['scope']], [200, 'widgets:read'], answer.text)
})

test('A21 A26: a client with a secret shows it to push a request, and nobody pushes one in its name', async (context) => {
  const house = await start(context)
  const mine = { client_id: 'portal' }
  for (const [what, more, headers, status, error] of [
    ['no secret', {}, {}, 401, 'invalid_client'],
    ['a wrong secret', {}, basic('portal', 'wrong'), 401, 'invalid_client'],
    ['a wrong secret in the form', { client_secret: 'wrong' }, {}, 401, 'invalid_client'],
    ['another client’s proof', {}, basic('backend', backendSecret), 400, 'invalid_request'],
    ['a client that nobody knows', { client_id: 'nobody' }, {}, 401, 'invalid_client'],
  ] as const) {
    const pushed = await push(house, { ...mine, ...more }, headers)
    assert.deepEqual([pushed.status, pushed.body['error']], [status, error], what)
    assert.equal(pushed.body['request_uri'], undefined, what)
  }
  assert.equal((await push(house, mine, basic('portal', backendSecret))).status, 201)
})

test('A26: a push is judged as the request would be: wrong addresses, scopes and challenges come back as errors', async (context) => {
  const house = await start(context)
  const uri = String((await push(house)).body['request_uri'])
  for (const [more, error] of [
    [{ redirect_uri: `${redirectUri}/` }, 'invalid_request'],
    [{ scope: 'widgets:read nosuch' }, 'invalid_scope'],
    [{ code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ resource: 'https://elsewhere.example' }, 'invalid_target'],
    [{ request_uri: uri }, 'request_uri_not_supported'],
    [{ request: 'a.b.c' }, 'request_not_supported'],
    [{ code_challenge: codeChallenge.slice(1) }, 'invalid_request'],
  ] as const) {
    const pushed = await push(house, more)
    assert.deepEqual([pushed.status, pushed.body['error']], [400, error], `${JSON.stringify(more)} ${pushed.text}`)
  }
})

test('A26: addresses of requests that were not pushed here are not fetched, and not followed', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  for (const request_uri of [
    'urn:ietf:params:oauth:request_uri:of-nobody',
    'urn:ietf:params:oauth:request_uri:',
    `${house.issuer}/widgets`,
    'http://127.0.0.1:1/request.jwt',
    'javascript:alert(1)',
    '\0',
  ]) {
    const error = refusedWith(await asked(walker, authorizeUrl(house, { request_uri })))
    assert.ok(['invalid_request_uri', 'request_uri_not_supported'].includes(error), `${request_uri}: ${error}`)
  }
})

test('A26: where pushing is demanded, a plain request is refused, and a pushed one is not', async (context) => {
  const house = await start(context, { pushedRequests: 'required' })
  const walker = await house.person()
  assert.equal(refusedWith(await asked(walker, authorizeUrl(house))), 'invalid_request')
  const config = await house.discover('web-app')
  assert.equal(config.serverMetadata().require_pushed_authorization_requests, true)
  await codeOf(house, walker, short(house, await push(house)))
})

test('A26: pushing can be demanded of one client', async (context) => {
  const strict = clients.map((one) => ({ ...one, pushedRequests: one.id === 'web-app' }))
  const house = await start(context, { clients: strict })
  const walker = await house.person()
  assert.equal(refusedWith(await asked(walker, authorizeUrl(house))), 'invalid_request')
  await codeOf(house, walker, short(house, await push(house)))
  await codeOf(house, walker, { client_id: 'other-app' })
})
