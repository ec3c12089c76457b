import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import * as client from 'openid-client'
import { prover, thumbprintOf } from '../authn/dpop-prover.ts'
import { testClock } from '../support/clock.ts'
import { allow, backendSecret, type OauthHouse, redirectUri, startOauth } from '../support/oauth.ts'
import {
  authorizeUrl,
  basic,
  callApi,
  clients,
  codeOf,
  payloadOf,
  post,
  redeem,
  refresh,
  requested,
  scopes,
  tokensFor,
} from '../support/oauth-clients.ts'
import type { Walker } from '../support/walker.ts'

/** The whole way by openid-client, each request with a proof. */
async function bound(house: OauthHouse, walker: Walker, config: client.Configuration, DPoP: client.DPoPHandle) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const request = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid widgets:read',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    dpop_jkt: await DPoP.calculateThumbprint(),
  })
  assert.equal(request.origin, house.issuer)
  return client.authorizationCodeGrant(config, await allow(walker, request), { pkceCodeVerifier }, undefined, { DPoP })
}

/** A client with a key, and what it proves with it. */
function holder(house: OauthHouse, alg = 'ES256', at = () => Date.now()) {
  const key = prover(alg)
  const request = (path: string, method: string, accessToken?: string) => ({
    method,
    url: house.issuer + path,
    at: at(),
    ...(accessToken === undefined ? {} : { accessToken }),
  })
  return {
    ...key,
    jkt: thumbprintOf(key.jwk),
    /** A proof for the token endpoint. */
    at: (path: string, over: Parameters<typeof key.prove>[1] = {}) => ({
      dpop: key.prove(request(path, 'POST'), over),
    }),
    /** A proof for the API. */
    with: (token: string, over: Parameters<typeof key.prove>[1] = {}) => ({
      dpop: key.prove(request('/widgets', 'GET', token), over),
    }),
  }
}

const start = (context: TestContext, oauth: object = {}, options: Parameters<typeof startOauth>[2] = {}) =>
  startOauth(context, { oauth: { scopes, clients, ...oauth } }, options)

const use = (house: OauthHouse, token: string, headers: Readonly<Record<string, string>>, scheme = 'DPoP') =>
  callApi(house, token, { scheme, headers })

test('A24: openid-client binds its tokens to a key, calls the API, refreshes and asks who it is with proofs', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  const config = await house.discover('web-app')
  assert.ok(config.serverMetadata().dpop_signing_alg_values_supported?.includes('ES256'))
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const tokens = await bound(house, walker, config, DPoP)
  assert.equal(tokens.token_type, 'dpop')
  assert.deepEqual(payloadOf(tokens.access_token)['cnf'], { jkt: await DPoP.calculateThumbprint() })
  const widgets = new URL('/widgets', house.issuer)
  const call = async (token: string): Promise<number> => {
    const answer = await client.fetchProtectedResource(config, token, widgets, 'GET', undefined, undefined, { DPoP })
    await answer.body?.cancel()
    return answer.status
  }
  assert.equal(await call(tokens.access_token), 200)
  const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP })
  assert.equal(next.token_type, 'dpop')
  assert.equal(await call(next.access_token), 200)
  const { sub } = tokens.claims() ?? assert.fail('no ID token came')
  assert.equal((await client.fetchUserInfo(config, next.access_token, sub, { DPoP })).sub, sub)
  await assert.rejects(client.fetchUserInfo(config, next.access_token, sub), client.WWWAuthenticateChallengeError)
  await assert.rejects(
    client.fetchProtectedResource(config, next.access_token, widgets, 'GET'),
    client.WWWAuthenticateChallengeError,
  )
})

test('A24: a stolen bound token is nothing without its key: alone, under Bearer, or with another key', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  const own = holder(house)
  const thief = holder(house)
  const { access } = await tokensFor(house, walker, {}, {}, own.at('/oauth/token'))
  assert.equal(await use(house, access, own.with(access)), 200)
  assert.equal(await use(house, access, {}), 401, 'no proof')
  assert.equal(await use(house, access, {}, 'Bearer'), 401, 'no proof, and as a bearer')
  assert.equal(await use(house, access, own.with(access), 'Bearer'), 401, 'with a good proof, and as a bearer')
  assert.equal(await use(house, access, thief.with(access)), 401, 'another key')
  assert.equal(await use(house, access, thief.with(access, { header: { jwk: own.jwk } })), 401, 'another’s key shown')
  const bearer = await tokensFor(house, walker)
  assert.equal(await use(house, bearer.access, own.with(bearer.access)), 401, 'a bearer is bound by no proof')
  assert.equal(await use(house, access, own.with(access)), 200, 'and the token has lost nothing')
})

test('A24: at the API a proof is good once, for its method, its address, its token and its minute', async (context) => {
  const clock = testClock(Date.now())
  const house = await start(context, {}, { clock })
  const walker = await house.person()
  const own = holder(house, 'ES256', () => clock.now())
  const { access } = await tokensFor(house, walker, {}, {}, own.at('/oauth/token'))
  const other = await tokensFor(house, walker, {}, {}, own.at('/oauth/token'))
  const claims = (over: object) => own.with(access, { claims: over })
  const old = own.with(access)
  for (const [what, proof] of [
    ['another method', claims({ htm: 'POST' })],
    ['a method in lower case', claims({ htm: 'get' })],
    ['another path', claims({ htu: `${house.issuer}/known` })],
    ['another host', claims({ htu: 'https://evil.example/widgets' })],
    ['no address', claims({ htu: undefined })],
    ['the hash of another token', own.with(other.access)],
    ['no hash of a token', claims({ ath: undefined })],
    ['no name', claims({ jti: undefined })],
    ['no time', claims({ iat: undefined })],
    ['a time to come', claims({ iat: Math.floor(clock.now() / 1000) + 120 })],
    ['no signature', { dpop: `${old.dpop.split('.').slice(0, 2).join('.')}.` }],
    ['another type', own.with(access, { header: { typ: 'JWT' } })],
    ['two proofs in one field', { dpop: `${own.with(access).dpop}, ${own.with(access).dpop}` }],
    ['nothing', { dpop: '' }],
  ] as const)
    assert.equal(await use(house, access, proof), 401, what)
  const once = own.with(access)
  assert.equal(await use(house, access, once), 200)
  assert.equal(await use(house, access, once), 401, 'a second time')
  const raced = own.with(access)
  const answers = await Promise.all(Array.from({ length: 16 }, () => use(house, access, raced)))
  assert.equal(answers.filter((status) => status === 200).length, 1, 'of many at one moment one is good')
  clock.advance(62_000)
  assert.equal(await use(house, access, old), 401, 'too old')
  const asked = { scheme: 'DPoP', path: '/widgets?page=2', headers: own.with(access) }
  assert.equal(await callApi(house, access, asked), 200, 'a query does not count (RFC 9449 §4.3)')
})

test('A24: at the token endpoint a proof is good once, for that endpoint, and a refused one spends nothing', async (context) => {
  const clock = testClock(Date.now())
  const house = await start(context, {}, { clock })
  const walker = await house.person()
  const own = holder(house, 'ES256', () => clock.now())
  const old = own.at('/oauth/token')
  clock.advance(62_000)
  const code = await codeOf(house, walker)
  const claims = (over: object) => own.at('/oauth/token', { claims: over })
  for (const [what, proof] of [
    ['another method', claims({ htm: 'GET' })],
    ['another endpoint', own.at('/oauth/par')],
    ['the endpoint below it', own.at('/oauth/token/refresh')],
    ['another host', claims({ htu: 'https://evil.example/oauth/token' })],
    ['too old', old],
    ['a private key in it', own.at('/oauth/token', { header: { jwk: own.privateKey.export({ format: 'jwk' }) } })],
    ['a shared secret', own.at('/oauth/token', { header: { alg: 'HS256' } })],
    ['no algorithm', own.at('/oauth/token', { header: { alg: 'none' } })],
    ['another key', own.at('/oauth/token', { header: { jwk: prover().jwk } })],
    ['two in one field', { dpop: `${own.at('/oauth/token').dpop}, ${own.at('/oauth/token').dpop}` }],
  ] as const) {
    const answer = await redeem(house, code, {}, proof)
    assert.deepEqual([answer.status, answer.body['error']], [400, 'invalid_dpop_proof'], what)
  }
  const once = own.at('/oauth/token')
  const first = await redeem(house, code, {}, once)
  assert.deepEqual([first.status, first.body['token_type']], [200, 'DPoP'], first.text)
  const replayed = await refresh(house, String(first.body['refresh_token']), {}, once)
  assert.deepEqual([replayed.status, replayed.body['error']], [400, 'invalid_dpop_proof'], 'replayed')
  const next = await refresh(house, String(first.body['refresh_token']), {}, own.at('/oauth/token'))
  assert.equal(next.status, 200, 'the replay has spent nothing')
})

test('A24: discovery and challenge name the same algorithms, and a proof of each binds a token', async (context) => {
  const house = await start(context)
  const config = await house.discover('backend', backendSecret)
  const named = config.serverMetadata().dpop_signing_alg_values_supported ?? []
  const stranger = await fetch(`${house.issuer}/widgets`, { headers: { authorization: 'DPoP nonsense' } })
  const algs = /algs="([^"]*)"/.exec(stranger.headers.get('www-authenticate') ?? '')?.[1]
  await stranger.body?.cancel()
  assert.deepEqual(named.toSorted(), algs?.split(' ').toSorted())
  for (const alg of named) {
    const own = holder(house, alg)
    const answer = await post(
      house,
      '/oauth/token',
      { grant_type: 'client_credentials' },
      { ...basic('backend', backendSecret), ...own.at('/oauth/token') },
    )
    assert.equal(answer.body['token_type'], 'DPoP', `${alg}: ${answer.text}`)
    const token = String(answer.body['access_token'])
    assert.equal(await use(house, token, own.with(token)), 200, alg)
    assert.equal(await use(house, token, {}, 'Bearer'), 401, alg)
  }
})

test('A15 A24: a code bound by `dpop_jkt` is nobody’s without that key, and a wrong try spends nothing', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  const own = holder(house)
  const thief = holder(house)
  const code = await codeOf(house, walker, { dpop_jkt: own.jkt })
  for (const [what, headers] of [
    ['no proof', {}],
    ['another key', thief.at('/oauth/token')],
  ] as const) {
    const answer = await redeem(house, code, {}, headers)
    assert.deepEqual([answer.status, answer.body['error']], [400, 'invalid_grant'], what)
  }
  const answer = await redeem(house, code, {}, own.at('/oauth/token'))
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual(payloadOf(String(answer.body['access_token']))['cnf'], { jkt: own.jkt })
})

test('A15 A24: a proof at the pushed request binds the code as the parameter does (RFC 9449 §10.1)', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  const own = holder(house)
  const thief = holder(house)
  const pushed = await post(house, '/oauth/par', requested(), own.at('/oauth/par'))
  assert.equal(pushed.status, 201, pushed.text)
  const request = new URL('/oauth/authorize', house.issuer)
  request.searchParams.set('client_id', 'web-app')
  request.searchParams.set('request_uri', String(pushed.body['request_uri']))
  const code = await codeOf(house, walker, request)
  for (const headers of [{}, thief.at('/oauth/token')])
    assert.equal((await redeem(house, code, {}, headers)).body['error'], 'invalid_grant')
  assert.equal((await redeem(house, code, {}, own.at('/oauth/token'))).status, 200)

  const contradiction = await post(house, '/oauth/par', requested({ dpop_jkt: thief.jkt }), own.at('/oauth/par'))
  assert.deepEqual([contradiction.status, contradiction.body['error']], [400, 'invalid_dpop_proof'])
  const elsewhere = await post(house, '/oauth/par', requested(), own.at('/oauth/token'))
  assert.deepEqual([elsewhere.status, elsewhere.body['error']], [400, 'invalid_dpop_proof'])
  const agreed = await post(house, '/oauth/par', requested({ dpop_jkt: own.jkt }), own.at('/oauth/par'))
  assert.equal(agreed.status, 201, agreed.text)
})

test('A24: a front-channel request cannot change the key that its pushed request is bound to', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  const own = holder(house)
  const thief = holder(house)
  const pushed = await post(house, '/oauth/par', requested(), own.at('/oauth/par'))
  const request = authorizeUrl(house, { dpop_jkt: thief.jkt, request_uri: String(pushed.body['request_uri']) })
  const code = await codeOf(house, walker, request)
  assert.equal((await redeem(house, code, {}, thief.at('/oauth/token'))).body['error'], 'invalid_grant')
  assert.equal((await redeem(house, code, {}, own.at('/oauth/token'))).status, 200)
})

test('A24: a public client’s refresh token is bound to its key: another one, or none, spends nothing', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  const own = holder(house)
  const thief = holder(house)
  const first = await tokensFor(house, walker, {}, {}, own.at('/oauth/token'))
  for (let round = 0; round < 2; round++) {
    for (const [what, headers] of [
      ['no proof', {}],
      ['another key', thief.at('/oauth/token')],
    ] as const) {
      const answer = await refresh(house, first.refresh, {}, headers)
      assert.deepEqual([answer.status, answer.body['error']], [400, 'invalid_grant'], what)
      assert.equal(answer.body['access_token'], undefined)
    }
  }
  const next = await refresh(house, first.refresh, {}, own.at('/oauth/token'))
  assert.equal(next.status, 200, next.text)
  assert.deepEqual(payloadOf(String(next.body['access_token']))['cnf'], { jkt: own.jkt })
  const grace = await refresh(house, first.refresh, {}, thief.at('/oauth/token'))
  assert.equal(grace.body['error'], 'invalid_grant', 'nor within the grace of an honest repetition')
  const repeated = await refresh(house, first.refresh, {}, own.at('/oauth/token'))
  assert.equal(repeated.body['refresh_token'], next.body['refresh_token'])
  const access = String(next.body['access_token'])
  assert.equal(await use(house, access, own.with(access)), 200, 'and no family has ended')
})

test('A24: a spent refresh token in the hands of somebody without its key ends nothing', async (context) => {
  const clock = testClock(Date.now())
  const house = await start(context, {}, { clock })
  const walker = await house.person()
  const own = holder(house, 'ES256', () => clock.now())
  const thief = holder(house, 'ES256', () => clock.now())
  const first = await tokensFor(house, walker, {}, {}, own.at('/oauth/token'))
  const next = await refresh(house, first.refresh, {}, own.at('/oauth/token'))
  const last = await refresh(house, String(next.body['refresh_token']), {}, own.at('/oauth/token'))
  clock.advance(30_000)
  for (const headers of [{}, thief.at('/oauth/token')])
    assert.equal((await refresh(house, first.refresh, {}, headers)).body['error'], 'invalid_grant')
  const access = String(last.body['access_token'])
  assert.equal(await use(house, access, own.with(access)), 200)
  const own2 = await refresh(house, String(last.body['refresh_token']), {}, own.at('/oauth/token'))
  assert.equal(own2.status, 200, own2.text)
})

test('A24: a client that shows who it is may change its key with a refresh, and each token names the key of its day', async (context) => {
  const house = await start(context)
  const walker = await house.person()
  const before = holder(house)
  const after = holder(house)
  const named = { client_id: undefined }
  const code = await codeOf(house, walker, { client_id: 'portal' })
  const shown = basic('portal', backendSecret)
  const first = await redeem(house, code, named, { ...shown, ...before.at('/oauth/token') })
  assert.equal(first.status, 200, first.text)
  const next = await refresh(house, String(first.body['refresh_token']), named, {
    ...shown,
    ...after.at('/oauth/token'),
  })
  assert.equal(next.status, 200, next.text)
  const access = String(next.body['access_token'])
  assert.equal(await use(house, access, after.with(access)), 200)
  assert.equal(await use(house, access, before.with(access)), 401)
})

test('A24: where nonces are demanded, openid-client fetches one at the token endpoint and one at the API', async (context) => {
  const house = await start(context, { dpopNonce: 'required' })
  const walker = await house.person()
  const config = await house.discover('web-app')
  const asked: string[] = []
  config[client.customFetch] = async (url, options) => {
    const answer = await fetch(url, options as RequestInit)
    asked.push(`${new URL(url).pathname} ${answer.status}`)
    return answer
  }
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const tokens = await bound(house, walker, config, DPoP)
  assert.deepEqual(asked, ['/oauth/token 400', '/oauth/token 200'])
  const widgets = new URL('/widgets', house.issuer)
  const strange = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  await assert.rejects(
    client.fetchProtectedResource(config, tokens.access_token, widgets, 'GET', undefined, undefined, { DPoP: strange }),
    client.WWWAuthenticateChallengeError,
  )
  const answer = await client.fetchProtectedResource(
    config,
    tokens.access_token,
    widgets,
    'GET',
    undefined,
    undefined,
    { DPoP },
  )
  assert.equal(answer.status, 200)
  await answer.body?.cancel()
  const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP })
  assert.equal(next.token_type, 'dpop')
})

test('A24: a nonce that is not ours, or none, is answered by one of ours, at every place that reads proofs', async (context) => {
  const house = await start(context, { dpopNonce: 'required' })
  const walker = await house.person()
  const own = holder(house)
  const code = await codeOf(house, walker)
  for (const claims of [{}, { nonce: 'of-somebody-else' }, { nonce: '' }]) {
    const answer = await redeem(house, code, {}, own.at('/oauth/token', { claims }))
    assert.deepEqual([answer.status, answer.body['error']], [400, 'use_dpop_nonce'], JSON.stringify(claims))
    assert.match(answer.headers.get('dpop-nonce') ?? '', /^[\x21\x23-\x5b\x5d-\x7e]{8,}$/)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
  }
  const pushed = await post(house, '/oauth/par', requested(), own.at('/oauth/par'))
  assert.deepEqual([pushed.status, pushed.body['error']], [400, 'use_dpop_nonce'])
  const nonce = pushed.headers.get('dpop-nonce') ?? ''
  const again = await post(house, '/oauth/par', requested(), own.at('/oauth/par', { claims: { nonce } }))
  assert.equal(again.status, 201, again.text)
  const given = await redeem(house, code, {}, own.at('/oauth/token', { claims: { nonce } }))
  assert.equal(given.status, 200, given.text)
  const access = String(given.body['access_token'])
  const refused = await fetch(`${house.issuer}/widgets`, {
    headers: { authorization: `DPoP ${access}`, ...own.with(access) },
  })
  assert.equal(refused.status, 401)
  assert.match(refused.headers.get('www-authenticate') ?? '', /^DPoP .*error="use_dpop_nonce"/)
  await refused.body?.cancel()
  const fresh = refused.headers.get('dpop-nonce') ?? ''
  assert.equal(await use(house, access, own.with(access, { claims: { nonce: fresh } })), 200)
  const bearer = await tokensFor(house, walker)
  assert.equal(await callApi(house, bearer.access), 200, 'who proves no key needs no nonce')
})

test('A24: a client whose tokens have to be bound is given none without a proof', async (context) => {
  const house = await start(context, { clients: clients.map((one) => ({ ...one, boundTokens: true })) })
  const walker = await house.person()
  const own = holder(house)
  const code = await codeOf(house, walker)
  const refused = await redeem(house, code)
  assert.deepEqual([refused.status, refused.body['error']], [400, 'invalid_dpop_proof'])
  const given = await redeem(house, code, {}, own.at('/oauth/token'))
  assert.deepEqual([given.status, given.body['token_type']], [200, 'DPoP'], given.text)
  assert.equal((await refresh(house, String(given.body['refresh_token']))).body['error'], 'invalid_dpop_proof')
  const alone = await post(house, '/oauth/token', { grant_type: 'client_credentials' }, basic('backend', backendSecret))
  assert.deepEqual([alone.status, alone.body['error']], [400, 'invalid_dpop_proof'])
})
