// What ends a token that was handed on: everything that it came of, with the next request.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { unbound } from '../../src/authn/token/binding.ts'
import type { Config } from '../../src/config/settings.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { mirror, startHouse, startUpstream } from '../support/house.ts'
import { backendSecret } from '../support/oauth.ts'
import { basic, callApi, payloadOf, refresh, tokensFor } from '../support/oauth-clients.ts'
import { bearer, goodPassword, publicUrl } from '../support/people.ts'
import { clients, email, oauth, type Scene, startScene } from './delegation-scene.ts'

/** Ada’s own sign-in in the agent’s hands, and what the planner was given by way of the tools. */
interface Errands {
  readonly own: Awaited<ReturnType<Scene['signIn']>>
  readonly ofAgent: string
  readonly subject: string
  readonly ofPlanner: string
}

async function errands(scene: Scene): Promise<Errands> {
  const { issuer } = scene.house
  await scene.allowAgent()
  const own = await scene.signIn()
  const subject = await scene.tokenAt('/mcp', 'mcp:tools widgets:read')
  const resource = `${issuer}/planner`
  const handed = await scene.given('tools', subject, { scope: 'widgets:read', resource })
  const all = {
    own,
    ofAgent: await scene.given('agent', own.access_token),
    subject,
    ofPlanner: await scene.given('planner', handed),
  }
  assert.deepEqual([await callApi(scene.house, all.ofAgent), await callApi(scene.house, all.ofPlanner)], [200, 200])
  return all
}

const statuses = async ({ house }: Scene, { ofAgent, ofPlanner }: Errands): Promise<readonly number[]> => [
  await callApi(house, ofAgent),
  await callApi(house, ofPlanner),
]

/** Each end, by whoever brings it about, and what is left of the agent’s token and of the planner’s. */
// biome-ignore format: a table
const ends: readonly (readonly [what: string, act: (scene: Scene, all: Errands) => Promise<unknown>, left: readonly number[]])[] = [
  ['the person signs out where they had signed in', ({ house }, { own }) => house.api('POST', '/api/auth/logout', { refresh_token: own.refresh_token }, bearer(own)), [401, 200]],
  ['the person signs out of the browser in which they allowed the client', async ({ walker }) => { walker.site = 'none'; await walker.send(await walker.go('/auth/sign-out'), {}, '/auth/sign-out') }, [200, 401]],
  ['the person takes back what the agent may', withdraw('agent'), [401, 200]],
  ['the person takes back what the client may that handed it on', withdraw('web-app'), [200, 401]],
  ['an administrator ends all sessions of the person', (scene, { own }) => scene.administer('DELETE', `/api/admin/users/${own.user.id}/sessions`), [401, 401]],
  ['an administrator locks the account', (scene, { own }) => scene.administer('POST', `/api/admin/users/${own.user.id}/lock`, { reason: 'a test' }), [401, 401]],
  ['everything of the person is taken back', revoke((all) => ({ user: all.own.user.id })), [401, 401]],
  ['everything of the agent is taken back', revoke(() => ({ client: 'agent' })), [401, 200]],
  ['everything of the last agent is taken back', revoke(() => ({ client: 'planner' })), [200, 401]],
  ['everything of the agent between is taken back', revoke(() => ({ client: 'tools' })), [200, 401]],
  ['everything of the client that handed it on is taken back', revoke(() => ({ client: 'web-app' })), [200, 401]],
  ['the session of the sign-in is taken back', revoke(({ own }) => ({ session: String(payloadOf(own.access_token)['sid']) })), [401, 200]],
  ['everything that there is is taken back', revoke(() => ({ everything: true })), [401, 401]],
]

for (const [what, act, left] of ends)
  test(`TK4 A57: an agent’s token ends where it should, when ${what}`, async (context) => {
    const scene = await startScene(context)
    const all = await errands(scene)
    await act(scene, all)
    assert.deepEqual(await statuses(scene, all), left)
    if (left[0] === 401 && what !== 'everything of the agent is taken back')
      assert.notEqual((await scene.exchange('agent', all.own.access_token)).status, 200)
    if (left[1] === 401 && !/last agent|agent between/.test(what))
      assert.notEqual((await scene.exchange('tools', all.subject, { scope: 'widgets:read' })).status, 200)
  })

function withdraw(clientId: string): (scene: Scene, all: Errands) => Promise<unknown> {
  return async ({ house }, { own }) => {
    const { body } = await house.api('GET', '/api/auth/grants', undefined, bearer(own))
    const grant = (body['grants'] as { id: string; client: { id: string } }[]).find((one) => one.client.id === clientId)
    const { status } = await house.api('DELETE', `/api/auth/grants/${grant?.id}`, undefined, bearer(own))
    assert.equal(status, 200)
  }
}

function revoke(whatOf: (all: Errands) => object): (scene: Scene, all: Errands) => Promise<unknown> {
  return async (scene, all) => {
    await scene.administer('POST', '/api/admin/revocations', whatOf(all))
  }
}

test('TK4 A57: an agent that was cut off goes on with what it is handed afterwards', async (context) => {
  const scene = await startScene(context)
  const all = await errands(scene)
  for (const client of ['agent', 'planner']) await revoke(() => ({ client }))(scene, all)
  assert.deepEqual(await statuses(scene, all), [401, 401])
  scene.clock.advance(2_000)
  const handed = await scene.given('tools', all.subject, {
    scope: 'widgets:read',
    resource: `${scene.house.issuer}/planner`,
  })
  const again = {
    ...all,
    ofAgent: await scene.given('agent', all.own.access_token),
    ofPlanner: await scene.given('planner', handed),
  }
  assert.deepEqual(await statuses(scene, again), [200, 200], 'the person’s session is older than the cut')
})

test('A57: an agent’s token lives no longer than the one that was handed on', async (context) => {
  const scene = await startScene(context)
  await scene.allowAgent()
  const own = await scene.signIn()
  scene.clock.advance(890_000)
  const { body } = await scene.exchange('agent', own.access_token)
  assert.ok(Number(body['expires_in']) <= 10, String(body['expires_in']))
  const token = String(body['access_token'])
  assert.equal(payloadOf(token)['exp'], payloadOf(own.access_token)['exp'])
  assert.equal(await callApi(scene.house, token), 200)
  scene.clock.advance(11_000)
  assert.equal(await callApi(scene.house, token), 401)
})

test('A17 A57: where a spent refresh token of the sign-in comes back, the agent’s tokens end with its family', async (context) => {
  const scene = await startScene(context)
  const { house } = scene
  await scene.allowAgent()
  const own = await scene.signIn()
  const token = await scene.given('agent', own.access_token)
  const renew = (refresh_token: string) => house.api('POST', '/api/auth/token/refresh', { refresh_token })
  const next = await renew(own.refresh_token)
  await renew(String(next.body['refresh_token']))
  assert.equal((await renew(own.refresh_token)).status, 401)
  await new Promise((resolve) => setTimeout(resolve, 1_000)) // TK4: it is heard within a second
  assert.equal(await callApi(house, token), 401)
})

test('A57: roles that are taken away from the person are gone from every agent with the next request', async (context) => {
  const scene = await startScene(context)
  const all = await errands(scene)
  await scene.administer('PUT', `/api/admin/users/${all.own.user.id}/roles`, { roles: [] })
  assert.deepEqual(await statuses(scene, all), [401, 401])
})

test('A57: a session that an agent was handed has no refresh token, and no place among the person’s own', async (context) => {
  const scene = await startScene(context)
  const { house, walker } = scene
  const all = await errands(scene)
  const { body } = await house.api('GET', '/api/auth/sessions', undefined, bearer(all.own))
  const listed = (body['sessions'] as { id: string }[]).map(({ id }) => id)
  assert.ok(!listed.includes(String(payloadOf(all.ofAgent)['sid'])), JSON.stringify(listed))
  const tokens = await tokensFor(
    house,
    walker,
    { client_id: 'agent' },
    { client_id: undefined },
    basic('agent', backendSecret),
  )
  const renewed = await refresh(house, tokens.refresh, { client_id: undefined }, basic('agent', backendSecret))
  assert.equal(payloadOf(String(renewed.body['access_token']))['act'], undefined, 'its own family is another')
})

test('A57: what the configuration takes from an agent it has no more after the restart', async (context) => {
  const store = `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`
  const dataDir = throwAwayFolder(context)
  const upstream = await startUpstream(context, mirror)
  const start = (agent: object) => {
    const config: Config = {
      store,
      publicUrl,
      limits: false,
      roles: { user: { permissions: ['widgets:read', 'widgets:write'] } },
      upstreams: { api: upstream.url },
      routes: [{ path: '/widgets', methods: ['GET'], require: 'widgets:read', to: 'api' }],
      oauth: { ...oauth, clients: clients.map((one) => (one.id === 'agent' ? { ...one, ...agent } : one)) },
    }
    return startHouse(context, config, { dataDir, environment: { BACKEND_SECRET: backendSecret } })
  }
  const first = await start({})
  const own = first.house.tokens.verify(await first.signIn())
  if ('code' in own) assert.fail(own.code)
  const { token } = first.house.tokens.issue({
    subject: own.subject,
    session: own.session,
    roles: own.roles,
    permissions: [],
    email,
    name: goodPassword,
    proof: own.proof,
    client: { id: 'agent', scopes: ['widgets:read'], audience: 'gatehouse', ...unbound },
    delegation: { actor: { id: 'agent' }, untilMs: own.expiresAt * 1000 },
  })
  const ask = async ({ url }: { readonly url: string }): Promise<number> => {
    const answer = await fetch(`${url}/widgets`, { headers: { authorization: `Bearer ${token}` } })
    await answer.body?.cancel()
    return answer.status
  }
  assert.equal(await ask(first), 200)
  await first.close()
  for (const [what, agent, status] of [
    ['nothing', {}, 200],
    ['another scope', { scopes: ['widgets:read'] }, 200],
    ['the scope', { scopes: ['widgets:write'] }, 401],
    ['the grant', { grants: ['authorization_code'] }, 401],
  ] as const) {
    const house = await start(agent)
    assert.equal(await ask(house), status, what)
    await house.close()
  }
})
