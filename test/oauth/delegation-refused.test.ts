// Exchanges that come to nothing: a token that somebody merely saw, more than there is, and clients that may not ask.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as client from 'openid-client'
import { parseConfig } from '../../src/config/parse.ts'
import { policed } from '../../src/oauth/registration-policy.ts'
import { backendSecret, redirectUri } from '../support/oauth.ts'
import { basic, callApi, codeOf, payloadOf, post, redeem, tokensFor } from '../support/oauth-clients.ts'
import { bearer } from '../support/people.ts'
import {
  accessTokenType,
  clients,
  exchangeGrant,
  exchanges,
  oauth,
  refusalIn,
  type Scene,
  startScene,
} from './delegation-scene.ts'

const portal = basic('portal', backendSecret)
const named = { client_id: undefined }

/** An access token of somebody who acts as Ada for a while. */
async function impersonation(scene: Scene): Promise<string> {
  const own = await scene.signIn()
  const reason = { reason: 'ticket 4711: an errand', minutes: 5 }
  const { body } = await scene.administer('POST', `/api/admin/users/${own.user.id}/impersonate`, reason)
  return String(body['access_token'])
}

test('A57 RFC 8693 §2.2.2: a token that is not this client’s to exchange and one that is dead have one answer', async (context) => {
  const scene = await startScene(context)
  const { house, walker, clock } = scene
  const old = await scene.tokenAt('/mcp', 'mcp:tools widgets:read')
  clock.advance(901_000)
  const good = await scene.tokenAt('/mcp', 'mcp:tools widgets:read')
  const revoked = await scene.tokenAt('/mcp', 'mcp:tools widgets:read')
  await post(house, '/oauth/revoke', { token: revoked, client_id: 'web-app' })
  const ofPortal = await tokensFor(house, walker, { client_id: 'portal' }, named, portal)
  const code = await codeOf(house, walker, { client_id: 'portal', scope: 'openid' })
  const idToken = String((await redeem(house, code, named, portal)).body['id_token'])
  const alone = await post(house, '/oauth/token', { grant_type: 'client_credentials' }, basic('tools', backendSecret))
  const own = await scene.signIn()
  const [head, , signature] = good.split('.')
  const seen: Readonly<Record<string, string>> = {
    'another client’s, for the house': ofPortal.access,
    'another client’s, for a resource that another serves': await scene.tokenAt('/planner', 'widgets:read'),
    'a person’s own, who has not allowed the client': own.access_token,
    'an administrator’s, who acts as the person': await impersonation(scene),
    'a refresh token of a client': ofPortal.refresh,
    'a refresh token of our own': own.refresh_token,
    'an ID token': idToken,
    'the client’s own, for itself': String(alone.body['access_token']),
    'one that has run out': old,
    'one that was taken back': revoked,
    'one with another audience written into it': `${head}.${ofPortal.access.split('.')[1]}.${signature}`,
    'one that nobody signed': `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${good.split('.')[1]}.`,
    nonsense: 'x',
    'three parts': 'a.b.c',
    'a long one': 'x'.repeat(20_000),
  }
  const answers = new Set<string>()
  for (const [what, token] of Object.entries(seen)) {
    const answer = refusalIn(await scene.exchange('tools', token, { scope: 'widgets:read' }))
    assert.deepEqual(answer.slice(0, 2), [400, 'invalid_request'], what)
    answers.add(JSON.stringify(answer))
  }
  assert.equal(answers.size, 1, [...answers].join('\n'))
  assert.equal((await scene.exchange('tools', good, { scope: 'widgets:read' })).status, 200)
  const told = await exchanges(scene)
  assert.deepEqual(
    told.slice(0, -1).map(({ result, because }) => [result, because]),
    [
      ['failure', 'not-handed-to-it'],
      ['failure', 'not-handed-to-it'],
      ['failure', 'not-allowed'],
      ['failure', 'impersonation'],
      ['failure', 'token-wrong-type'],
      ['failure', 'token-wrong-type'],
      ['failure', 'token-wrong-type'],
      ['failure', 'not-a-person'],
      ['failure', 'token-expired'],
      ['failure', 'token-revoked'],
      ...Array.from({ length: 5 }, () => ['failure', 'token-invalid']),
    ],
  )
  const written = JSON.stringify(await house.events())
  for (const token of [...Object.values(seen), good]) assert.ok(token === 'x' || !written.includes(token))
})

test('A57: to be allowed is to be allowed by this person, here, and now', async (context) => {
  const scene = await startScene(context)
  const { house } = scene
  const ofClient = await scene.allowAgent('widgets:read')
  await house.newcomer('bob@people.example')
  const bobs = await scene.signIn('bob@people.example')
  assert.equal((await scene.exchange('agent', bobs.access_token)).body['error'], 'invalid_request')
  const own = await scene.signIn()
  for (const token of [own.access_token, ofClient]) {
    const elsewhere = await scene.exchange('agent', token, { resource: `${house.issuer}/planner` })
    assert.equal(elsewhere.body['error'], 'invalid_scope', 'the person allowed nothing there')
    assert.equal((await scene.exchange('agent', token)).status, 200)
  }
  const me = bearer(own)
  const { body } = await house.api('GET', '/api/auth/grants', undefined, me)
  const [grant] = body['grants'] as { id: string }[]
  assert.equal((await house.api('DELETE', `/api/auth/grants/${grant?.id}`, undefined, me)).status, 200)
  assert.equal((await scene.exchange('agent', own.access_token)).body['error'], 'invalid_request')
})

test('A57: what another node has ended, or locked, a moment ago is not handed on here', async (context) => {
  const scene = await startScene(context)
  const { db } = scene.house.house.store
  await scene.allowAgent()
  const [ended, own] = [await scene.signIn(), await scene.signIn()]
  await scene.house.house.sessions.end(db, String(payloadOf(ended.access_token)['sid']), 'elsewhere')
  assert.equal((await scene.exchange('agent', ended.access_token)).body['error'], 'invalid_request')
  await db.updateTable('users').set({ status: 'locked' }).where('id', '=', own.user.id).execute()
  assert.equal((await scene.exchange('agent', own.access_token)).body['error'], 'invalid_request')
  assert.equal((await exchanges(scene)).at(-1)?.['because'], 'account')
})

test('A57: no scope is wider than what client, subject token, person and resource have in common', async (context) => {
  const scene = await startScene(context)
  const subject = await scene.tokenAt('/mcp', 'mcp:tools widgets:write')
  for (const scope of [
    'widgets:read', // the client’s, and not the token’s
    'widgets:write', // the token’s, and not the client’s
    'mcp:tools widgets:read',
    'openid',
    'offline_access',
    'nothing:there',
  ])
    assert.equal((await scene.exchange('tools', subject, { scope })).body['error'], 'invalid_scope', scope)
  const more = { scope: 'mcp:tools', resource: `${scene.house.issuer}/planner` }
  assert.equal((await scene.exchange('tools', subject, more)).body['error'], 'invalid_scope', 'not the resource’s')
  const nothing = await scene.exchange('tools', subject, { resource: more.resource })
  assert.equal(nothing.body['error'], 'invalid_scope', 'nothing in common')
  const wide = await scene.tokenAt('/planner', 'widgets:read widgets:write')
  const narrow = await scene.given('planner', wide, { scope: 'widgets:read', resource: more.resource })
  const widened = await scene.exchange('planner', narrow, { scope: 'widgets:read widgets:write' })
  assert.notEqual(widened.status, 200)
  assert.equal((await scene.exchange('planner', subject, { scope: 'widgets:admin' })).status, 400)
})

test('RFC 8693 §2.1: a request that is not whole, or asks for another kind of token, says what is wrong', async (context) => {
  const scene = await startScene(context)
  const { house } = scene
  const subject = await scene.tokenAt('/mcp', 'mcp:tools widgets:read')
  const alone = async (id: string): Promise<string> =>
    String(
      (await post(house, '/oauth/token', { grant_type: 'client_credentials' }, basic(id, backendSecret))).body[
        'access_token'
      ],
    )
  const [itself, another] = [await alone('tools'), await alone('agent')]
  const type = (kind: string): string => `urn:ietf:params:oauth:token-type:${kind}`
  for (const [more, said] of [
    [{ subject_token: undefined }, /subject_token/],
    [{ subject_token_type: undefined }, /subject_token_type/],
    [{ subject_token_type: type('saml2') }, /subject_token_type/],
    [{ subject_token_type: type('refresh_token') }, /subject_token_type/],
    [{ requested_token_type: type('refresh_token') }, /requested_token_type/],
    [{ requested_token_type: type('jwt') }, /requested_token_type/],
    [{ actor_token: itself }, /actor_token_type/],
    [{ actor_token_type: accessTokenType }, /actor_token_type/],
    [{ actor_token: itself, actor_token_type: type('jwt') }, /actor_token_type/],
    [{ actor_token: another, actor_token_type: accessTokenType }, /actor_token/],
    [{ actor_token: subject, actor_token_type: accessTokenType }, /actor_token/],
    [{ actor_token: 'x', actor_token_type: accessTokenType }, /actor_token/],
  ] as const) {
    const { status, body } = await scene.exchange('tools', subject, more)
    assert.deepEqual([status, body['error']], [400, 'invalid_request'], JSON.stringify(more))
    assert.match(String(body['error_description']), said)
  }
  const actor = { actor_token: itself, actor_token_type: accessTokenType, scope: 'widgets:read' }
  const token = await scene.given('tools', subject, actor)
  assert.deepEqual(payloadOf(token)['act'], { sub: 'tools', act: { sub: 'web-app' } }, 'it says what is known anyway')
  assert.equal(await callApi(house, token), 200)
})

test('A57: six in a row are too many, and the chain is not cut', async (context) => {
  const agents = ['one', 'two', 'three', 'four', 'five'].map((id) => ({
    id,
    name: id,
    grants: ['token_exchange' as const],
    scopes: ['widgets:read'],
    secrets: [{ env: 'BACKEND_SECRET' }],
  }))
  const resources = agents.map(({ id }) => ({ path: `/${id}`, name: id, scopes: ['widgets:read'], server: id }))
  const scene = await startScene(context, { oauth: { clients: [...clients, ...agents], resources } })
  const at = (id: string): string => `${scene.house.issuer}/${id}`
  let token = await scene.tokenAt('/one', 'widgets:read')
  for (const [id, next] of [
    ['one', 'two'],
    ['two', 'three'],
    ['three', 'four'],
    ['four', 'five'],
  ] as const)
    token = await scene.given(id, token, { resource: at(next) })
  const { status, body } = await scene.exchange('five', token)
  assert.deepEqual([status, body['error']], [400, 'invalid_request'])
  assert.match(String(body['error_description']), /5 times/)
  assert.equal((await exchanges(scene)).at(-1)?.['because'], 'chain')
})

test('A24 A25: a bound token is exchanged by whoever proves its key, and what comes of it is bound', async (context) => {
  const scene = await startScene(context)
  const { house, walker } = scene
  const config = await house.discover('agent', backendSecret)
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const code = await codeOf(house, walker, { client_id: 'agent' })
  const back = new URL(`${redirectUri}?${new URLSearchParams({ code, iss: house.issuer })}`)
  const bound = await client.authorizationCodeGrant(
    config,
    back,
    { pkceCodeVerifier: 'a-verifier-of-more-than-forty-three-characters-0', expectedState: client.skipStateCheck },
    undefined,
    { DPoP },
  )
  const asked = { subject_token: bound.access_token, subject_token_type: accessTokenType, scope: 'widgets:read' }
  const bare = await scene.exchange('agent', bound.access_token)
  assert.deepEqual([bare.status, bare.body['error']], [400, 'invalid_request'])
  const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  await assert.rejects(client.genericGrantRequest(config, exchangeGrant, asked, { DPoP: other }), /response body/)
  const given = await client.genericGrantRequest(config, exchangeGrant, asked, { DPoP })
  assert.equal(given.token_type, 'dpop')
  assert.deepEqual(payloadOf(given.access_token)['cnf'], { jkt: await DPoP.calculateThumbprint() })
  assert.equal(await callApi(house, given.access_token), 401, 'as a bearer')
})

test('A24: an agent binds what it is given to its own key', async (context) => {
  const scene = await startScene(context)
  const config = await scene.house.discover('tools', backendSecret)
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const subject_token = await scene.tokenAt('/mcp', 'mcp:tools widgets:read')
  const asked = { subject_token, subject_token_type: accessTokenType, scope: 'widgets:read' }
  const { access_token: token } = await client.genericGrantRequest(config, exchangeGrant, asked, { DPoP })
  const widgets = new URL('/widgets', scene.house.issuer)
  const answer = await client.fetchProtectedResource(config, token, widgets, 'GET', undefined, undefined, { DPoP })
  assert.equal(answer.status, 200)
  await answer.body?.cancel()
  assert.equal(await callApi(scene.house, token), 401)
})

test('A57: only a client that an operator gave the grant exchanges, and it shows who it is', async (context) => {
  const scene = await startScene(context)
  const { house } = scene
  const subject = await scene.tokenAt('/mcp', 'mcp:tools widgets:read')
  const asked = { grant_type: exchangeGrant, subject_token: subject, subject_token_type: accessTokenType }
  for (const [what, more, headers, error] of [
    ['a client without the grant', {}, portal, 'unauthorized_client'],
    ['a public client', { client_id: 'web-app' }, {}, 'unauthorized_client'],
    ['a name alone', { client_id: 'tools' }, {}, 'invalid_client'],
    ['a wrong secret', {}, basic('tools', 'wrong'), 'invalid_client'],
    ['nobody', {}, {}, 'invalid_client'],
  ] as const) {
    const { body } = await post(house, '/oauth/token', { ...asked, ...more }, headers)
    assert.deepEqual([body['error'], body['access_token']], [error, undefined], what)
  }
  assert.equal((await scene.exchange('tools', `${subject}&subject_token=x`)).status, 400)
  const twice = `grant_type=${exchangeGrant}&subject_token=${subject}&subject_token=${subject}&subject_token_type=${accessTokenType}`
  const { body } = await post(house, '/oauth/token', twice, basic('tools', backendSecret))
  assert.equal(body['error'], 'invalid_request')
})

test('A30 A57: nobody gives themself the grant: not by registration, not by a document, not without a secret', async () => {
  const known = { has: () => true, isPrivileged: () => false, certificates: 'verified' } as const
  const said = { redirect_uris: [redirectUri], grant_types: ['authorization_code', exchangeGrant] }
  for (const invited of [false, true]) {
    const judged = policed(said, known, invited)
    assert.ok('error' in judged && /grant_types/.test(judged.description))
  }
  const mistakesOf = (changes: object): string =>
    JSON.stringify(
      parseConfig({ publicUrl: 'https://gate.example.com', oauth: { ...oauth, ...changes } } as never, {
        BACKEND_SECRET: backendSecret,
      }),
    )
  const open = { id: 'open', name: 'Open', grants: ['token_exchange'], scopes: ['widgets:read'] }
  assert.match(mistakesOf({ clients: [...clients, open] }), /token exchange is for clients that can show who they are/)
  for (const server of ['nobody', 'portal'])
    assert.match(
      mistakesOf({ resources: [{ path: '/x', name: 'X', scopes: ['widgets:read'], server }] }),
      new RegExp(`oauth.resources\\[0\\].server[^}]*\`${server}\``),
    )
})

test('OA1 A57: an administrator makes a client that acts for those who allow it, and takes that back', async (context) => {
  const scene = await startScene(context)
  const { house, walker } = scene
  const described = {
    client_name: 'Helper',
    client_id: 'helper',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', exchangeGrant],
    scope: 'widgets:read',
  }
  const { body } = await scene.administer('POST', '/api/admin/clients', described)
  const proof = basic('helper', String(body['client_secret']))
  scene.clock.advance(1) // whatever had this name before was cut off when it was made
  await tokensFor(house, walker, { client_id: 'helper' }, named, proof)
  const own = await scene.signIn()
  const given = await scene.exchange('helper', own.access_token, {}, proof)
  assert.equal(given.status, 200, given.text)
  const token = String(given.body['access_token'])
  assert.equal(await callApi(house, token), 200)
  const { client_id: _id, ...changed } = { ...described, grant_types: ['authorization_code'] }
  await scene.administer('PUT', '/api/admin/clients/helper', changed)
  assert.equal(await callApi(house, token), 401)
  const refused = await scene.exchange('helper', own.access_token, {}, proof)
  assert.equal(refused.body['error'], 'unauthorized_client')
})
