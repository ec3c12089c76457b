// What an attack on the authorization server found, so that it stays mended.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import { testClock } from '../support/clock.ts'
import { allow, answered, type OauthHouse, redirectUri, scopes, startOauth } from '../support/oauth.ts'
import { authorizeUrl, codeOf, post, redeem, refresh } from '../support/oauth-clients.ts'
import { bearer, goodPassword } from '../support/people.ts'
import type { Walker } from '../support/walker.ts'

const web = {
  id: 'web-app',
  name: 'Web App',
  redirectUris: [redirectUri],
  scopes: ['widgets:read', 'widgets:write'],
}
const calls = async (house: OauthHouse, token: unknown): Promise<number> => {
  const answer = await fetch(`${house.issuer}/widgets`, { headers: bearer({ access_token: String(token) }) })
  await answer.body?.cancel()
  return answer.status
}

async function signOut(walker: Walker): Promise<void> {
  await walker.send(await walker.go('/auth/sign-out'), {}, '/auth/sign-out')
}

test('A15: a code that comes again ends what came of it, though its person has signed out meanwhile', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  const code = await codeOf(house, walker, { scope: 'widgets:read offline_access', prompt: 'consent' })
  const stolen = await redeem(house, code)
  assert.equal(stolen.status, 200, stolen.text)
  await signOut(walker)
  assert.equal(await calls(house, stolen.body['access_token']), 200, 'offline access outlives the browser')
  assert.equal((await redeem(house, code)).body['error'], 'invalid_grant')
  assert.equal(await calls(house, stolen.body['access_token']), 401)
  assert.equal((await refresh(house, String(stolen.body['refresh_token']))).body['error'], 'invalid_grant')
  assert.ok((await house.events()).some(({ action }) => action === 'token-reuse'))
})

test('A20: a scope that a client may not ask for any more is in no new token of it, by code or by refresh', async (context) => {
  const house = await startOauth(context, { oauth: { scopes, clients: [] } }, { roles: ['admin'] })
  const token = await house.signIn()
  const made = await house.api(
    'POST',
    '/api/admin/clients',
    {
      client_id: 'web-app',
      client_name: 'Web App',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      scope: 'widgets:read widgets:write',
    },
    bearer({ access_token: token }),
  )
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const walker = await house.person()
  const wanted = { scope: 'widgets:read widgets:write' }
  const first = await redeem(house, await codeOf(house, walker, wanted))
  const waiting = await codeOf(house, walker, wanted)
  const { client_name, redirect_uris, token_endpoint_auth_method } = made.body as Record<string, unknown>
  const less = await house.api(
    'PUT',
    '/api/admin/clients/web-app',
    { client_name, redirect_uris, token_endpoint_auth_method, scope: 'widgets:read' },
    bearer({ access_token: token }),
  )
  assert.equal(less.status, 200, JSON.stringify(less.body))
  assert.equal(await calls(house, first.body['access_token']), 401, 'what it held ended')
  assert.equal((await redeem(house, waiting)).body['error'], 'invalid_grant')
})

test('A29: one page’s answer is for the account that it showed', async (context) => {
  const house = await startOauth(context)
  await house.newcomer('bob@people.example')
  const walker = await house.person()
  const asked = await walker.go(authorizeUrl(house))
  await signOut(walker)
  const door = await walker.go('/auth/sign-in')
  await walker.send(door, { identifier: 'bob@people.example', password: goodPassword }, '/auth/sign-in')
  const stale = await walker.send(asked, { decision: 'allow' }, '/auth/consent/')
  assert.notEqual(stale.status, 0, 'it leads to no client')
  assert.ok(!(await house.events()).some(({ action }) => action === 'client-allow'))
})

test('A28: the page of a device tells from where it asked, as the gate knows it', async (context) => {
  const house = await startOauth(context, {
    listen: { trustedProxies: ['127.0.0.0/8', '::1'] },
    oauth: {
      scopes,
      clients: [{ id: 'television', name: 'Television', grants: ['device_code'], scopes: ['widgets:read'] }],
    },
  })
  const begun = await fetch(`${house.issuer}/oauth/device`, {
    method: 'POST',
    headers: { 'x-forwarded-for': '198.51.100.77' },
    body: new URLSearchParams({ client_id: 'television' }),
  })
  const { user_code } = (await begun.json()) as { user_code: string }
  const walker = await house.person()
  const page = await walker.send(await walker.go('/auth/device'), { user_code }, '/auth/device')
  assert.match(page.text, /198\.51\.100\.77/)
})

test('A28: an answer that could not be recorded is no answer: the device gets nothing', async (context) => {
  const clock = testClock(Date.now())
  const house = await startOauth(
    context,
    { oauth: { scopes, clients: [{ ...web, grants: ['device_code', 'authorization_code'] }] } },
    { clock },
  )
  const walker = await house.person()
  const spellings = Array.from({ length: 5 }, (_, at) =>
    house.issuer.replace('localhost', 'LOCALHOST'.slice(0, at + 1) + 'localhost'.slice(at + 1)),
  )
  const form = new URLSearchParams({ client_id: 'web-app', scope: 'widgets:read widgets:write' })
  for (const one of spellings) form.append('resource', one)
  const begun = await fetch(`${house.issuer}/oauth/device`, { method: 'POST', body: form })
  const { user_code, device_code } = (await begun.json()) as { user_code: string; device_code: string }
  const asked = await walker.send(await walker.go('/auth/device'), { user_code }, '/auth/device')
  await house.house.store.db.deleteFrom('oauth_grants').execute()
  const { id } = (await house.house.accounts.byEmail(house.house.store.db, 'ada@people.example')) ?? assert.fail()
  const rows = Array.from({ length: 200 }, (_, at) => ({
    user_id: id,
    client_id: `client-${at}`,
    client_name: 'x',
    allowed: '{}',
    created_at: 1,
    updated_at: 1,
  }))
  await house.house.store.db.insertInto('oauth_grants').values(rows).execute()
  const refused = await walker.send(asked, { decision: 'allow' }, '/auth/device')
  assert.equal(refused.status, 409)
  const polled = await post(house, '/oauth/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: 'web-app',
    device_code,
  })
  assert.equal(polled.body['error'], 'authorization_pending')
})

test('a resource is one, however often and in whatever letters it is named', async (context) => {
  const house = await startOauth(context)
  const walker = await house.person()
  const url = authorizeUrl(house)
  url.searchParams.append('resource', house.issuer)
  url.searchParams.append('resource', house.issuer.replace('localhost', 'LocalHost'))
  url.searchParams.append('resource', `${house.issuer}/`)
  const back = await allow(walker, url)
  assert.ok(back.searchParams.has('code'), back.href)
  walker.site = 'cross-site'
  assert.ok((await walker.go(url)).url.href.startsWith(redirectUri), 'and is remembered as one')
  void answered
})

test('A27: a client that cannot show who it is leaves a trace wherever it tries', async (context) => {
  const house = await startOauth(context)
  const basic = { authorization: `Basic ${Buffer.from('backend:wrong').toString('base64')}` }
  for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke', '/oauth/par', '/oauth/device']) {
    const answer = await post(house, path, { token: 'x', grant_type: 'client_credentials' }, basic)
    assert.equal(answer.status, 401, path)
  }
  const tried = (await house.events()).filter(({ action, result }) => action === 'client-token' && result === 'failure')
  assert.equal(tried.length, 5)
  assert.equal(tried[0]?.resource.id, 'backend')
})

test('what is pushed without being known is short', async (context) => {
  const house = await startOauth(context)
  const long = await post(house, '/oauth/par', { client_id: 'web-app', state: 'x'.repeat(20_000) })
  assert.equal(long.status, 413)
})

test('A2: secrets of clients are long, and no audience is that of a part of the house', () => {
  const oauth = { scopes, resources: [{ path: '/mcp', name: 'Tools', scopes: ['widgets:read'] }] }
  const outcome = parseConfig(
    {
      publicUrl: 'https://gate.example.com',
      tokens: {
        audience: 'https://gate.example.com/mcp',
        algorithm: 'HS256',
        secret: { env: 'NOW' },
        previousSecrets: [{ env: 'SHORT' }],
      },
      oauth: {
        ...oauth,
        clients: [{ id: 'backend', name: 'B', grants: ['client_credentials'], secrets: [{ env: 'SHORT' }] }],
      },
    },
    { SHORT: 'ab', NOW: 'x'.repeat(32) },
  )
  const paths = 'mistakes' in outcome ? outcome.mistakes.map(({ path }) => path) : []
  assert.deepEqual(paths, ['oauth.clients[0].secrets[0]', 'tokens.audience', 'tokens.previousSecrets[0]'])
})
