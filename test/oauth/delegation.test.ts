// An agent acts for a person: what it is given, and what it may (RFC 8693).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as client from 'openid-client'
import { backendSecret, redirectUri } from '../support/oauth.ts'
import { basic, callApi, payloadOf, post } from '../support/oauth-clients.ts'
import {
  accessTokenType,
  email,
  exchangeGrant,
  exchanges,
  oauth,
  reached,
  refusalIn,
  startScene,
} from './delegation-scene.ts'

test('A57: two agents in a row, by openid-client: each may what all of them may, and everybody is named', async (context) => {
  const scene = await startScene(context)
  const { house } = scene
  const subject = await scene.tokenAt('/mcp', 'mcp:tools widgets:read')
  const tools = await house.discover('tools', backendSecret)
  assert.ok(tools.serverMetadata().grant_types_supported?.includes(exchangeGrant))
  const first = await client.genericGrantRequest(tools, exchangeGrant, {
    subject_token: subject,
    subject_token_type: accessTokenType,
    resource: `${house.issuer}/planner`,
  })
  assert.deepEqual(
    [first['issued_token_type'], first.token_type, first.scope, first.refresh_token, first.id_token],
    [accessTokenType, 'bearer', 'widgets:read', undefined, undefined],
  )
  const planner = await house.discover('planner', backendSecret)
  const second = await client.genericGrantRequest(planner, exchangeGrant, {
    subject_token: first.access_token,
    subject_token_type: accessTokenType,
    requested_token_type: accessTokenType,
    scope: 'widgets:read',
  })
  const [person, given] = [payloadOf(subject), payloadOf(second.access_token)]
  assert.deepEqual(
    ['sub', 'sid', 'exp', 'auth_time', 'acr', 'amr'].map((claim) => given[claim]),
    ['sub', 'sid', 'exp', 'auth_time', 'acr', 'amr'].map((claim) => person[claim]),
  )
  const act = { sub: 'planner', act: { sub: 'tools', act: { sub: 'web-app' } } }
  assert.deepEqual([given['client_id'], given['act'], given['aud']], ['planner', act, 'gatehouse'])

  const headers = await reached(scene, second.access_token)
  assert.deepEqual(
    [headers['x-gatehouse-user'], headers['x-gatehouse-client'], headers['x-gatehouse-roles']],
    [person['sub'], 'planner', ''],
  )
  assert.equal(headers['x-gatehouse-permissions'], 'widgets:read')
  assert.equal(headers['x-gatehouse-actor'], 'planner tools web-app')
  const asserted = payloadOf(headers['x-gatehouse-assertion'] ?? '')
  assert.deepEqual([asserted['sub'], asserted['act']], [person['sub'], act])
  assert.equal(await callApi(house, second.access_token, { method: 'POST' }), 403, 'nobody lent the agents that')
  assert.equal(await callApi(house, second.access_token, { path: '/planner' }), 401, 'another resource')
})

test('A57: a person’s own sign-in is handed to an agent that they have allowed, for what they have allowed', async (context) => {
  const scene = await startScene(context)
  const { house } = scene
  const own = await scene.signIn()
  assert.equal((await scene.exchange('agent', own.access_token)).status, 400, 'not asked yet')
  await scene.allowAgent('widgets:read')
  const { body } = await scene.exchange('agent', own.access_token)
  const token = String(body['access_token'])
  assert.deepEqual(
    [body['token_type'], body['scope'], body['issued_token_type']],
    ['Bearer', 'widgets:read', accessTokenType],
  )
  const claims = payloadOf(token)
  assert.deepEqual([claims['sub'], claims['act'], claims['roles']], [own.user.id, { sub: 'agent' }, ['user']])
  assert.equal((await reached(scene, token))['x-gatehouse-actor'], 'agent')
  assert.deepEqual(
    refusalIn(await scene.exchange('agent', own.access_token, { scope: 'widgets:read widgets:write' })).slice(0, 2),
    [400, 'invalid_scope'],
  )
  await scene.allowAgent('widgets:write')
  const more = await scene.given('agent', own.access_token, { scope: 'widgets:read widgets:write' })
  assert.equal(await callApi(house, more, { method: 'POST' }), 200)
  assert.equal(await callApi(house, token, { method: 'POST' }), 403, 'it was not asked for there')
})

test('A57: of scopes that the person’s roles do not reach nothing comes', async (context) => {
  const scene = await startScene(context)
  const { house } = scene
  await scene.allowAgent('widgets:read widgets:admin')
  const own = await scene.signIn()
  const token = await scene.given('agent', own.access_token, { scope: 'widgets:read widgets:admin' })
  assert.equal((await reached(scene, token))['x-gatehouse-permissions'], 'widgets:read')
  const named = await scene.exchange('agent', own.access_token)
  assert.equal(named.body['scope'], 'widgets:read', 'a privileged scope is named, or not given')
  // More roles than the token had that was handed on are not handed on either.
  const { accounts, store } = house.house
  await accounts.setRoles(store.db, own.user.id, ['user', 'keeper'])
  const later = await scene.given('agent', own.access_token, { scope: 'widgets:admin' })
  assert.deepEqual(payloadOf(later)['roles'], ['user'])
  await accounts.setRoles(store.db, own.user.id, [])
  const least = await scene.given('agent', own.access_token, { scope: 'widgets:read' })
  assert.deepEqual(payloadOf(least)['roles'], [])
  assert.equal(await callApi(house, least), 403)
})

test('A58: who acts is in the record, by introspection and in every event, and nobody acts where the person is wanted', async (context) => {
  const scene = await startScene(context)
  const { house } = scene
  await scene.allowAgent()
  const own = await scene.signIn()
  const token = await scene.given('agent', own.access_token)
  await reached(scene, token)
  const agent = await house.discover('agent', backendSecret)
  const known = await client.tokenIntrospection(agent, token)
  assert.deepEqual([known.active, known.sub, known['act']], [true, own.user.id, { sub: 'agent' }])
  const others = await house.discover('tools', backendSecret)
  assert.deepEqual({ ...(await client.tokenIntrospection(others, token)) }, { active: false })

  const [made] = await exchanges(scene)
  const { sid } = payloadOf(token)
  assert.deepEqual(made, {
    result: 'success',
    about: own.user.id,
    acting: 'agent',
    client: 'agent',
    grant: 'token_exchange',
    resource: house.issuer,
    scope: 'widgets:read',
    session: sid,
    subject_token: payloadOf(own.access_token)['jti'],
  })
  const used = (await house.events()).filter(
    ({ action, details }) => action === 'request' && details['path'] === '/widgets',
  )
  assert.deepEqual(
    used.map(({ actor, details }) => [actor.id, details['acting'], details['client']]),
    [[own.user.id, 'agent', 'agent']],
  )
  assert.doesNotMatch(JSON.stringify(await house.events()), new RegExp(token))
})

test('A58: what is done in person is not done by an agent, whatever the person may', async (context) => {
  const scene = await startScene(context, {
    roles: { user: { permissions: ['*'] } },
    oauth: {
      scopes: { ...oauth.scopes, 'clients:manage': { description: 'Manage clients' } },
      clients: (oauth.clients ?? []).map((one) => (one.id === 'agent' ? { ...one, scopes: ['clients:manage'] } : one)),
    },
  })
  await scene.allowAgent('clients:manage')
  const token = await scene.given('agent', (await scene.signIn()).access_token)
  const headers = { authorization: `Bearer ${token}` }
  assert.equal((await scene.house.api('GET', '/api/admin/clients', undefined, headers)).status, 200)
  const made = { client_name: 'Mine', redirect_uris: [redirectUri] }
  const refused = await scene.house.api('POST', '/api/admin/clients', made, headers)
  assert.deepEqual([refused.status, refused.body['code']], [403, 'in-person-only'])
  assert.equal((await scene.house.api('GET', '/api/auth/sessions', undefined, headers)).status, 403)
})

test('A57: a policy sees who acts, and everybody who handed the errand on', async (context) => {
  const scene = await startScene(context, {
    policies: [
      {
        name: 'not-by-way-of-tools',
        version: '1.0',
        combining: 'deny-overrides',
        rules: [
          {
            description: 'nothing that the tools handed on',
            condition: { operator: 'contains', attribute: 'subject.actors', value: 'tools' },
            effect: 'deny',
          },
          {
            description: 'the planner may',
            condition: { operator: 'equals', attribute: 'subject.actor', value: 'planner' },
            effect: 'allow',
          },
        ],
      },
    ],
    routes: [{ path: '/widgets', methods: ['GET'], require: 'widgets:read', policy: 'not-by-way-of-tools', to: 'api' }],
  })
  const direct = await scene.given('planner', await scene.tokenAt('/planner', 'widgets:read'))
  assert.equal(await callApi(scene.house, direct), 200)
  const resource = `${scene.house.issuer}/planner`
  const handed = await scene.given('tools', await scene.tokenAt('/mcp', 'widgets:read mcp:tools'), {
    scope: 'widgets:read',
    resource,
  })
  assert.equal(await callApi(scene.house, await scene.given('planner', handed)), 403)
})

test('A57: an agent names where its token is for by address or audience, one place at a time', async (context) => {
  const scene = await startScene(context)
  const { issuer } = scene.house
  const subject = await scene.tokenAt('/mcp', 'mcp:tools widgets:read')
  const planner = `${issuer}/planner`
  const audienceOf = async (more: Readonly<Record<string, string>>): Promise<unknown> =>
    payloadOf(await scene.given('tools', subject, { scope: 'widgets:read', ...more }))['aud']
  assert.equal(await audienceOf({}), 'gatehouse')
  assert.equal(await audienceOf({ audience: 'gatehouse' }), 'gatehouse')
  assert.equal(await audienceOf({ audience: planner }), planner)
  assert.equal(await audienceOf({ resource: planner, audience: planner }), planner)
  for (const more of [
    { resource: 'https://elsewhere.example/' },
    { audience: 'elsewhere' },
    { audience: 'gatehouse', resource: planner },
  ])
    assert.equal((await scene.exchange('tools', subject, more)).body['error'], 'invalid_target', JSON.stringify(more))
  const twice = new URLSearchParams({ grant_type: exchangeGrant, subject_token: subject })
  twice.append('subject_token_type', accessTokenType)
  for (const one of [planner, issuer]) twice.append('resource', one)
  const several = await post(scene.house, '/oauth/token', twice, basic('tools', backendSecret))
  assert.equal(several.body['error'], 'invalid_target')
})

test('A57: an agent that asks again for what it has does not act for itself twice', async (context) => {
  const scene = await startScene(context)
  await scene.allowAgent('widgets:read widgets:write')
  const own = await scene.signIn()
  const first = await scene.given('agent', own.access_token, { scope: 'widgets:read widgets:write' })
  const again = await scene.given('agent', first, { scope: 'widgets:read' })
  assert.deepEqual(payloadOf(again)['act'], { sub: 'agent' })
  assert.equal(payloadOf(again)['sid'], payloadOf(first)['sid'])
  assert.equal((await scene.exchange('agent', again, { scope: 'widgets:write' })).body['error'], 'invalid_scope')
})

test('A57: of exchanges at one moment each has its token, and they belong to one session', async (context) => {
  const scene = await startScene(context)
  await scene.allowAgent()
  const own = await scene.signIn()
  const given = await Promise.all(Array.from({ length: 8 }, () => scene.given('agent', own.access_token)))
  assert.equal(new Set(given.map((token) => payloadOf(token)['jti'])).size, 8)
  assert.equal(new Set(given.map((token) => payloadOf(token)['sid'])).size, 1)
  const { db } = scene.house.house.store
  const rows = await db
    .selectFrom('sessions')
    .select('id')
    .where('client_id', '=', 'agent')
    .where('parent_id', '=', String(payloadOf(own.access_token)['sid']))
    .execute()
  assert.equal(rows.length, 1)
  assert.equal((await scene.house.letters(email)).filter((one) => one.includes('application')).length, 0)
})
