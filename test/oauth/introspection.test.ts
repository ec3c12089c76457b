import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import * as client from 'openid-client'
import { type TestClock, testClock } from '../support/clock.ts'
import { backendSecret, type OauthHouse, startOauth } from '../support/oauth.ts'
import {
  basic,
  callApi,
  clients,
  codeOf,
  type Parameters,
  payloadOf,
  post,
  redeem,
  refresh,
  type Said,
  scopes,
  tokensFor,
} from '../support/oauth-clients.ts'
import type { Walker } from '../support/walker.ts'

/** One that acts for people and can show who it is, and may ask what its tokens are. */
const portal = basic('portal', backendSecret)
const named = { client_id: undefined }

async function start(context: TestContext): Promise<{ house: OauthHouse; walker: Walker; clock: TestClock }> {
  const clock = testClock(Date.now())
  const more = { ...clients[2], id: 'portal-b', name: 'Another' } as (typeof clients)[number]
  const house = await startOauth(context, { oauth: { scopes, clients: [...clients, more] } }, { clock })
  return { house, walker: await house.person(), clock }
}

const introspect = (house: OauthHouse, token: string, more: Parameters = {}, headers = portal): Promise<Said> =>
  post(house, '/oauth/introspect', { token, ...more }, headers)

const revoke = (house: OauthHouse, token: string, more: Parameters = {}, headers = {}): Promise<Said> =>
  post(house, '/oauth/revoke', { token, ...more }, headers)

const ofPortal = (house: OauthHouse, walker: Walker, scope = 'widgets:read') =>
  tokensFor(house, walker, { client_id: 'portal', scope }, named, portal)

/** All of an answer that somebody could tell two apart by. */
function told({ status, headers, text }: Said): unknown {
  const passing = ['date', 'x-request-id']
  return { status, text, headers: [...headers].filter(([name]) => !passing.includes(name)) }
}

test('OA1 A32: openid-client learns what its tokens are, and that they are dead', async (context) => {
  const { house, walker } = await start(context)
  const config = await house.discover('portal', backendSecret)
  const { access, refresh: again } = await ofPortal(house, walker, 'openid widgets:read')
  const claims = payloadOf(access)
  const known = await client.tokenIntrospection(config, access)
  assert.deepEqual(
    { ...known },
    {
      active: true,
      iss: house.issuer,
      sub: claims['sub'],
      aud: claims['aud'],
      client_id: 'portal',
      scope: 'openid widgets:read',
      jti: claims['jti'],
      iat: claims['iat'],
      exp: claims['exp'],
      token_type: 'Bearer',
    },
  )
  const family = await client.tokenIntrospection(config, again, { token_type_hint: 'refresh_token' })
  assert.deepEqual([family.active, family.client_id, family.sub], [true, 'portal', claims['sub']])
  assert.equal(family.token_type, undefined, 'it is no access token')
  await client.tokenRevocation(config, again)
  assert.deepEqual({ ...(await client.tokenIntrospection(config, access)) }, { active: false })
  assert.deepEqual({ ...(await client.tokenIntrospection(config, again)) }, { active: false })
})

test('A32: a token of a client by itself, and one that is bound to a key, say so', async (context) => {
  const { house } = await start(context)
  const backend = basic('backend', backendSecret)
  const own = await post(house, '/oauth/token', { grant_type: 'client_credentials' }, backend)
  const known = await introspect(house, String(own.body['access_token']), {}, backend)
  assert.deepEqual(
    [known.body['active'], known.body['sub'], known.body['client_id'], known.body['scope']],
    [true, 'backend', 'backend', 'widgets:read'],
  )
  const config = await house.discover('backend', backendSecret)
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const bound = await client.clientCredentialsGrant(config, undefined, { DPoP })
  const answer = await client.tokenIntrospection(config, bound.access_token)
  assert.deepEqual([answer.token_type, answer.cnf], ['DPoP', { jkt: await DPoP.calculateThumbprint() }])
})

test('A32: what is unknown, spent, run out, taken back or another’s is `{"active":false}`, and nothing tells them apart', async (context) => {
  const { house, walker, clock } = await start(context)
  const first = await ofPortal(house, walker)
  const ended = await ofPortal(house, walker)
  await revoke(house, ended.access, {}, portal)
  const spent = await ofPortal(house, walker)
  const next = await refresh(house, spent.refresh, named, portal)
  await refresh(house, String(next.body['refresh_token']), named, portal)
  const old = await ofPortal(house, walker)
  const foreign = await tokensFor(house, walker)
  const rival = await tokensFor(house, walker, { client_id: 'portal-b' }, named, basic('portal-b', backendSecret))
  const alone = await post(house, '/oauth/token', { grant_type: 'client_credentials' }, basic('backend', backendSecret))
  const person = await house.newcomer('eve@people.example')
  const idToken = await redeem(
    house,
    await codeOf(house, walker, { client_id: 'portal', scope: 'openid' }),
    named,
    portal,
  )
  const unknown = await introspect(house, 'gh_rt_of-nobody')
  assert.deepEqual([unknown.status, unknown.text], [200, '{"active":false}'])
  const [head, , signature] = first.access.split('.')
  const dead: Readonly<Record<string, string>> = {
    'taken back': ended.access,
    'a spent refresh token': spent.refresh,
    'a public client’s access token': foreign.access,
    'a public client’s refresh token': foreign.refresh,
    'another client’s access token': rival.access,
    'another client’s refresh token': rival.refresh,
    'a client’s own': String(alone.body['access_token']),
    'our own access token': person.access_token,
    'our own refresh token': person.refresh_token,
    'an ID token': String(idToken.body['id_token']),
    'a changed one': `${head}.${foreign.access.split('.')[1]}.${signature}`,
    'a JWT of nobody': 'eyJhbGciOiJub25lIn0.e30.',
    'three parts': 'a.b.c',
    'veiled by the caller': `jwt~${Buffer.from(foreign.access).toString('base64url')}`,
    'no text': '\0',
    'a long one': 'x'.repeat(20_000),
  }
  for (const [what, token] of Object.entries(dead)) {
    for (const hint of [undefined, 'access_token', 'refresh_token', 'nonsense'])
      assert.deepEqual(
        told(await introspect(house, token, { token_type_hint: hint })),
        told(unknown),
        `${what}, ${hint}`,
      )
  }
  for (const hint of ['refresh_token', 'access_token', 'nonsense']) {
    assert.equal((await introspect(house, first.access, { token_type_hint: hint })).body['active'], true, hint)
    assert.equal((await introspect(house, old.refresh, { token_type_hint: hint })).body['active'], true, hint)
  }
  clock.advance(3_600_000)
  assert.deepEqual(told(await introspect(house, old.access)), told(unknown), 'run out')
  clock.advance(31 * 86_400_000)
  assert.deepEqual(told(await introspect(house, old.refresh)), told(unknown), 'a family that has run out')
})

test('A32: a family that is alive is dead from the moment on in which its person signs out', async (context) => {
  const { house, walker } = await start(context)
  const { access, refresh: family } = await ofPortal(house, walker)
  assert.equal((await introspect(house, family)).body['active'], true)
  const leaving = await walker.go('/auth/sign-out')
  await walker.send(leaving, {}, '/auth/sign-out')
  assert.equal((await introspect(house, access)).text, '{"active":false}')
  assert.equal((await introspect(house, family)).text, '{"active":false}')
})

test('A32: who does not show who it is learns nothing: 401, and a public client sees every token dead', async (context) => {
  const { house, walker } = await start(context)
  const { access } = await ofPortal(house, walker)
  const own = await tokensFor(house, walker)
  for (const [what, more, headers] of [
    ['nobody', {}, {}],
    ['a name alone', { client_id: 'portal' }, {}],
    ['a wrong secret', {}, basic('portal', 'wrong')],
    ['a client that is not there', {}, basic('nobody', backendSecret)],
    ['the token itself', {}, { authorization: `Bearer ${access}` }],
  ] as const) {
    const answer = await introspect(house, access, more, headers as typeof portal)
    assert.deepEqual([answer.status, answer.body['error']], [401, 'invalid_client'], what)
    assert.equal(answer.body['active'], undefined, what)
  }
  for (const token of [own.access, own.refresh, access]) {
    const answer = await introspect(house, token, { client_id: 'web-app' }, {} as typeof portal)
    assert.deepEqual([answer.status, answer.text], [200, '{"active":false}'])
  }
  const missing = await post(house, '/oauth/introspect', {}, portal)
  assert.deepEqual([missing.status, missing.body['error']], [400, 'invalid_request'])
  const twice = await post(house, '/oauth/introspect', `token=${access}&token=x`, portal)
  assert.deepEqual([twice.status, twice.body['error']], [400, 'invalid_request'])
})

test('TK5 RFC 7009: an access token that is taken back is dead, and its family goes on', async (context) => {
  const { house, walker } = await start(context)
  const { access, refresh: family } = await tokensFor(house, walker)
  const answer = await revoke(house, access, { client_id: 'web-app' })
  assert.deepEqual([answer.status, answer.text], [200, ''])
  assert.equal(await callApi(house, access), 401)
  const next = await refresh(house, family)
  assert.equal(next.status, 200, next.text)
  assert.equal(await callApi(house, String(next.body['access_token'])), 200)
})

test('TK5 RFC 7009: a refresh token that is taken back takes its family along, and no other', async (context) => {
  const { house, walker } = await start(context)
  const one = await tokensFor(house, walker)
  const other = await tokensFor(house, walker)
  const next = await refresh(house, one.refresh)
  assert.equal((await revoke(house, String(next.body['refresh_token']), { client_id: 'web-app' })).status, 200)
  for (const token of [one.access, String(next.body['access_token'])]) assert.equal(await callApi(house, token), 401)
  assert.equal((await refresh(house, String(next.body['refresh_token']))).body['error'], 'invalid_grant')
  assert.equal(await callApi(house, other.access), 200)
  assert.equal((await refresh(house, other.refresh)).status, 200)
})

test('TK5 RFC 7009 §2.1: a wrong hint leads nobody astray', async (context) => {
  const { house, walker } = await start(context)
  for (const hint of ['access_token', 'refresh_token', 'nonsense', '']) {
    const { access, refresh: family } = await tokensFor(house, walker)
    const more = { client_id: 'web-app', token_type_hint: hint }
    assert.equal((await revoke(house, access, more)).status, 200, hint)
    assert.equal(await callApi(house, access), 401, hint)
    assert.equal((await revoke(house, family, more)).status, 200, hint)
    assert.equal((await refresh(house, family)).body['error'], 'invalid_grant', hint)
  }
})

test('TK5 A21 A32: what is unknown, dead or another’s is taken back with the same answer, and nothing happens to it', async (context) => {
  const { house, walker } = await start(context)
  const mine = { client_id: 'other-app' }
  const theirs = await tokensFor(house, walker)
  const secret = await ofPortal(house, walker)
  const person = await house.newcomer('eve@people.example')
  const unknown = await revoke(house, 'gh_rt_of-nobody', mine)
  assert.deepEqual([unknown.status, unknown.text], [200, ''])
  const others: Readonly<Record<string, string>> = {
    'another client’s access token': theirs.access,
    'another client’s refresh token': theirs.refresh,
    'a confidential client’s access token': secret.access,
    'a confidential client’s refresh token': secret.refresh,
    'our own access token': person.access_token,
    'our own refresh token': person.refresh_token,
    nonsense: 'a.b.c',
    'no text': '\0',
  }
  for (const [what, token] of Object.entries(others)) {
    for (const hint of [undefined, 'access_token', 'refresh_token'])
      assert.deepEqual(told(await revoke(house, token, { ...mine, token_type_hint: hint })), told(unknown), what)
  }
  for (const token of [theirs.access, secret.access, person.access_token])
    assert.equal(await callApi(house, token), 200)
  assert.equal((await refresh(house, theirs.refresh)).status, 200)
  assert.equal((await refresh(house, secret.refresh, named, portal)).status, 200)
  const own = await house.api('POST', '/api/auth/token/refresh', { refresh_token: person.refresh_token })
  assert.equal(own.status, 200, JSON.stringify(own.body))
})

test('TK5: to take something back twice is to take it back, also at one moment', async (context) => {
  const { house, walker } = await start(context)
  const { access, refresh: family } = await tokensFor(house, walker)
  const more = { client_id: 'web-app' }
  for (const token of [access, family]) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => revoke(house, token, more)))
    assert.deepEqual([...new Set(answers.map(({ status, text }) => `${status}${text}`))], ['200'])
    assert.equal((await revoke(house, token, more)).status, 200)
  }
  assert.equal(await callApi(house, access), 401)
  assert.equal((await refresh(house, family)).body['error'], 'invalid_grant')
})

test('TK5 A21: a confidential client shows who it is to take its tokens back', async (context) => {
  const { house, walker } = await start(context)
  const { access, refresh: family } = await ofPortal(house, walker)
  for (const [more, headers] of [
    [{ client_id: 'portal' }, {}],
    [{}, basic('portal', 'wrong')],
  ] as const) {
    const answer = await revoke(house, family, more, headers)
    assert.deepEqual([answer.status, answer.body['error']], [401, 'invalid_client'])
  }
  const anonymous = await revoke(house, family)
  assert.deepEqual([anonymous.status, anonymous.text], [200, ''], 'as for a token that nobody knows')
  assert.equal(await callApi(house, access), 200)
  assert.equal((await refresh(house, family, named, portal)).status, 200)
})

test('TK5: whoever holds a token of our own sign-in takes it back without a client, by form or JSON', async (context) => {
  const { house, walker } = await start(context)
  const ofClient = await tokensFor(house, walker)
  for (const [at, send] of [
    (token: string, hint?: string) => revoke(house, token, { token_type_hint: hint }),
    (token: string, hint?: string) =>
      post(house, '/oauth/revoke', { json: { token, ...(hint === undefined ? {} : { token_type_hint: hint }) } }),
  ].entries()) {
    const email = `person-${at}@people.example`
    const person = await house.newcomer(email)
    const kept = await house.api('POST', '/api/auth/login', { email, password: 'seven violet rivers run' })
    assert.equal(await callApi(house, person.access_token), 200)
    const access = await send(person.access_token, 'access_token')
    assert.deepEqual([access.status, access.text], [200, ''])
    assert.equal(await callApi(house, person.access_token), 401)
    const refreshed = await house.api('POST', '/api/auth/token/refresh', { refresh_token: person.refresh_token })
    assert.equal(refreshed.status, 200, 'an access token ends alone')
    const family = await send(String(refreshed.body['refresh_token']))
    assert.deepEqual([family.status, family.text], [200, ''])
    assert.equal(await callApi(house, String(refreshed.body['access_token'])), 401)
    const gone = await house.api('POST', '/api/auth/token/refresh', { refresh_token: refreshed.body['refresh_token'] })
    assert.equal(gone.status, 401)
    assert.equal(await callApi(house, String(kept.body['access_token'])), 200, 'another sign-in goes on')
    for (const token of [person.access_token, person.refresh_token, 'nonsense', ofClient.access, ofClient.refresh]) {
      const answer = await send(token)
      assert.deepEqual([answer.status, answer.text], [200, ''], 'what is dead, unknown or a client’s')
    }
  }
  assert.equal(await callApi(house, ofClient.access), 200, 'a client’s token is its client’s to take back')
  assert.equal((await refresh(house, ofClient.refresh)).status, 200)
  for (const sent of ['', 'token=a&token=b', 'token_type_hint=access_token']) {
    const answer = await post(house, '/oauth/revoke', sent)
    assert.deepEqual([answer.status, answer.body['error']], [400, 'invalid_request'], sent)
  }
})

test('OA3 RFC 7009: what was taken back is in the record, and its text is not', async (context) => {
  const { house, walker } = await start(context)
  const { access, refresh: family } = await tokensFor(house, walker)
  const person = await house.newcomer('eve@people.example')
  await revoke(house, access, { client_id: 'web-app' })
  await revoke(house, family, { client_id: 'web-app' })
  await revoke(house, person.access_token)
  const events = (await house.events()).filter(({ action }) => action === 'token-revoke')
  assert.deepEqual(
    events.map(({ details }) => details['kind']),
    ['access', 'refresh', 'access'],
  )
  const written = JSON.stringify(await house.events())
  for (const token of [access, family, person.access_token]) assert.ok(!written.includes(token))
})

test('TK5 A17: at /oauth/token/refresh JSON renews tokens of our own sign-in without a client, and those of a client with it', async (context) => {
  const { house, walker } = await start(context)
  const json = (sent: object, headers = {}) => post(house, '/oauth/token/refresh', { json: sent }, headers)
  const person = await house.newcomer('eve@people.example')
  const own = await json({ refresh_token: person.refresh_token })
  assert.equal(own.status, 200, own.text)
  assert.equal(await callApi(house, String(own.body['access_token'])), 200)
  assert.equal(payloadOf(String(own.body['access_token']))['client_id'], undefined)

  const ofPublic = await tokensFor(house, walker)
  for (const sent of [
    { refresh_token: ofPublic.refresh },
    { refresh_token: person.refresh_token, client_id: 'web-app' },
    { refresh_token: ofPublic.refresh, client_id: 'other-app' },
    { refresh_token: 'nonsense' },
    { refresh_token: ofPublic.access, client_id: 'web-app' },
  ]) {
    const answer = await json(sent)
    assert.ok(answer.status === 400 || answer.status === 401, answer.text)
    assert.ok(['invalid_grant', 'invalid_token'].includes(String(answer.body['error'])), answer.text)
    assert.equal(answer.body['access_token'], undefined)
  }
  const next = await json({ refresh_token: ofPublic.refresh, client_id: 'web-app' })
  assert.deepEqual([next.status, next.body['scope']], [200, 'widgets:read'], next.text)
  assert.equal(next.headers.get('cache-control'), 'no-store')
  const secret = await ofPortal(house, walker)
  assert.equal((await json({ refresh_token: secret.refresh, client_id: 'portal' })).status, 401)
  assert.equal((await json({ refresh_token: secret.refresh }, portal)).status, 200)
  const posted = await json({ refresh_token: next.body['refresh_token'], client_id: 'web-app', grant_type: 'password' })
  assert.equal(posted.status, 200, 'it is a refresh, whatever the body calls itself')
  const missing = await json({})
  assert.deepEqual([missing.status, missing.body['error']], [400, 'invalid_request'])
})
