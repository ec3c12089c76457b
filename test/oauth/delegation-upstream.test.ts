// An API behind the gate that acts for those who ask it: it has no token of theirs, but what the gate told it of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import type { Config } from '../../src/config/settings.ts'
import { mirror, startUpstream } from '../support/house.ts'
import { bearer } from '../support/people.ts'
import { exchanges, oauth, reached, type Scene, startScene } from './delegation-scene.ts'

const jwt = { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', scope: 'widgets:read' }

/** The API at `/known` is the client `planner`; that at `/widgets` is no client. */
async function openScene(context: Parameters<typeof startScene>[0], config: Config = {}): Promise<Scene> {
  const { url } = await startUpstream(context, mirror)
  return startScene(context, {
    ...config,
    upstreams: { api: url, planner: { url, client: 'planner' } },
    routes: [
      { path: '/widgets', methods: ['GET'], require: 'widgets:read', to: 'api' },
      { path: '/widgets', methods: ['POST'], require: 'widgets:write', to: 'api' },
      { path: '/planner', access: 'authenticated', to: 'planner' },
      { path: '/elsewhere', access: 'authenticated', to: 'api' },
      { path: '/open', access: 'public', to: 'planner' },
      { path: '/mcp', access: 'authenticated', to: 'api' },
    ],
  })
}

async function told(scene: Scene, token: string, path = '/planner'): Promise<string> {
  return String((await reached(scene, token, path))['x-gatehouse-assertion'])
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}

test('A57: an API behind the gate acts for whoever asks it, by what the gate told it, and may what both may', async (context) => {
  const scene = await openScene(context)
  const own = await scene.signIn()
  assert.equal(
    claimsOf(await told(scene, own.access_token, '/elsewhere'))['sign_in'],
    undefined,
    'others need not know',
  )
  const given = await scene.given('planner', await told(scene, own.access_token), jwt)
  const { act, client_id, sub, scope } = claimsOf(given)
  assert.deepEqual([act, client_id, sub, scope], [{ sub: 'planner' }, 'planner', own.user.id, 'widgets:read'])
  const headers = await reached(scene, given)
  assert.deepEqual(
    [headers['x-gatehouse-user'], headers['x-gatehouse-actor'], headers['x-gatehouse-permissions']],
    [own.user.id, 'planner', 'widgets:read'],
  )
  const beyond = await scene.house.api('POST', '/widgets', {}, { authorization: `Bearer ${given}` })
  assert.equal(beyond.status, 403, 'the person might, and the agent was not given it')

  // Of somebody whom a client brought, no more than that client was granted.
  const brought = await told(scene, await scene.tokenAt('/planner', 'widgets:read'))
  const wider = await scene.exchange('planner', brought, { ...jwt, scope: 'widgets:write' })
  assert.deepEqual([wider.status, wider.body['error']], [400, 'invalid_scope'])
  const chained = await scene.given('planner', brought, jwt)
  assert.deepEqual(claimsOf(chained)['act'], { sub: 'planner', act: { sub: 'web-app' } })
  assert.equal((await reached(scene, chained))['x-gatehouse-actor'], 'planner web-app')
  const record = await exchanges(scene)
  assert.deepEqual(
    record.map(({ result, acting }) => [result, acting]),
    [
      ['success', 'planner'],
      ['failure', undefined],
      ['success', 'planner web-app'],
    ],
  )
})

test('A57: what the gate told one upstream is nothing to another client, nor another kind of token', async (context) => {
  const scene = await openScene(context)
  const { house } = scene
  const own = await scene.signIn()
  const good = await told(scene, own.access_token)
  const key = await house.api('POST', '/api/keys', { name: 'a script', permissions: ['widgets:read'] }, bearer(own))
  const byKey = await fetch(`${house.issuer}/planner`, { headers: { 'x-api-key': String(key.body['key']) } })
  const { headers } = (await byKey.json()) as { headers: Record<string, string> }
  const strangers = await fetch(`${house.issuer}/open`)
  const { headers: ofNobody } = (await strangers.json()) as { headers: Record<string, string> }
  const why = { reason: 'ticket 4711: an errand', minutes: 5 }
  const acting = await scene.administer('POST', `/api/admin/users/${own.user.id}/impersonate`, why)
  const [head = '', body = '', signature = ''] = good.split('.')
  const forged = Buffer.from(JSON.stringify({ ...claimsOf(good), sub: 'root' })).toString('base64url')
  for (const [what, client, token] of [
    ['another client', 'tools', good],
    ['an upstream that is no client', 'planner', await told(scene, own.access_token, '/elsewhere')],
    ['an access token', 'planner', own.access_token],
    ['the caller came by a key, which lends less than they hold', 'planner', headers['x-gatehouse-assertion']],
    ['an administrator came as the person', 'planner', await told(scene, String(acting.body['access_token']))],
    ['nobody came', 'planner', ofNobody['x-gatehouse-assertion']],
    ['somebody else was written into it', 'planner', `${head}.${forged}.${signature}`],
    ['another signature', 'planner', `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`],
    ['nonsense', 'planner', 'a.b.c'],
  ] as const) {
    const { status, body: answer } = await scene.exchange(client, String(token), jwt)
    assert.deepEqual(
      [status, answer['error'], answer['error_description']],
      [400, 'invalid_request', 'the subject token does not hold, or is not for this client to exchange'],
      what,
    )
  }
  const asToken = await scene.exchange('planner', good, { scope: 'widgets:read' })
  assert.equal(asToken.status, 400, 'an assertion is no access token')
  const opens = await fetch(`${house.issuer}/widgets`, { headers: { authorization: `Bearer ${good}` } })
  assert.equal(opens.status, 401, 'and opens nothing')
  scene.clock.advance(61_000)
  assert.equal((await scene.exchange('planner', good, jwt)).status, 400, 'a minute later it is over')
})

test('A57: what came of it ends with the sign-in, and so does the way to it', async (context) => {
  const scene = await openScene(context)
  const own = await scene.signIn()
  const assertion = await told(scene, own.access_token)
  const given = await scene.given('planner', assertion, jwt)
  await reached(scene, given)
  assert.equal((await scene.house.api('POST', '/api/auth/logout', '', bearer(own))).status, 200)
  const after = await fetch(`${scene.house.issuer}/widgets`, { headers: { authorization: `Bearer ${given}` } })
  assert.equal(after.status, 401)
  assert.equal((await scene.exchange('planner', assertion, jwt)).status, 400, 'not even within its minute')
})

test('A57: an assertion is worth nothing from the moment that its caller would not be let in, within its minute too', async (context) => {
  const scene = await openScene(context)
  const { house } = scene
  const afterwards = async (
    end: (userId: string) => Promise<unknown>,
    client?: string,
  ): Promise<readonly unknown[]> => {
    const own = await scene.signIn()
    const token = client === undefined ? own.access_token : await scene.tokenAt('/planner', 'widgets:read')
    const assertion = await told(scene, token)
    const before = await scene.given('planner', assertion, jwt)
    await reached(scene, before)
    await end(own.user.id)
    const later = await fetch(`${house.issuer}/widgets`, { headers: { authorization: `Bearer ${before}` } })
    return [(await scene.exchange('planner', assertion, jwt)).status, later.status]
  }
  const why = { reason: 'ticket 4711: an errand' }
  const cut = (body: object): Promise<unknown> => scene.administer('POST', '/api/admin/revocations', body)
  const over = [400, 401]
  assert.deepEqual(await afterwards(() => cut({ client: 'web-app' }), 'web-app'), over)
  assert.deepEqual(await afterwards((user) => cut({ user })), over)
  scene.clock.advance(1_000)
  const given = (roles: readonly string[]) => (id: string) =>
    scene.administer('PUT', `/api/admin/users/${id}/roles`, { roles })
  assert.deepEqual(await afterwards(given(['admin'])), over)
  assert.deepEqual(await afterwards(given(['user'])), over)
  assert.deepEqual(await afterwards((id) => scene.administer('POST', `/api/admin/users/${id}/lock`, why)), over)
})

test('A57: whose upstream a client is, is what the configuration says now', async (context) => {
  const scene = await openScene(context)
  const { house } = scene.house
  const assertion = await told(scene, (await scene.signIn()).access_token)
  const { planner } = house.settings.upstreams
  assert.ok(planner !== undefined)
  const upstreams = (client: string | undefined) => ({ ...house.settings.upstreams, planner: { ...planner, client } })
  await house.reload({ ...house.settings, upstreams: upstreams('tools') })
  assert.equal((await scene.exchange('planner', assertion, jwt)).status, 400)
  assert.equal((await scene.exchange('tools', assertion, jwt)).status, 200)
  await house.reload({ ...house.settings, upstreams: upstreams(undefined) })
  assert.equal((await scene.exchange('tools', assertion, jwt)).status, 400)
})

test('A57: a house whose tokens nobody else can verify asserts all the same, by the key that others verify', async (context) => {
  const scene = await openScene(context, { tokens: { algorithm: 'HS256', secret: { env: 'BACKEND_SECRET' } } })
  const own = await scene.signIn()
  const assertion = await told(scene, own.access_token)
  await reached(scene, await scene.given('planner', assertion, jwt))
  const opens = await fetch(`${scene.house.issuer}/widgets`, { headers: { authorization: `Bearer ${assertion}` } })
  assert.equal(opens.status, 401)
})

test('A57: an upstream is a client of the configuration that may exchange, or it is a mistake', () => {
  const base = { publicUrl: 'https://gate.example.com', listen: { port: 0 }, store: 'sqlite::memory:' }
  const url = 'http://127.0.0.1:1'
  const mistakesOf = (config: object): readonly string[] => {
    const outcome = parseConfig(
      { ...base, ...config },
      { BACKEND_SECRET: 'a secret that is long enough for everybody' },
    )
    return 'mistakes' in outcome ? outcome.mistakes.map(({ path }) => path) : []
  }
  assert.deepEqual(mistakesOf({ oauth, upstreams: { api: { url, client: 'planner' } } }), [])
  assert.deepEqual(mistakesOf({ oauth, upstreams: { api: { url, client: 'portal' } } }), ['upstreams.api.client'])
  assert.deepEqual(mistakesOf({ upstreams: { api: { url, client: 'planner' } } }), ['upstreams.api.client'])
  assert.deepEqual(mistakesOf({ oauth, upstreams: { api: { url, client: 'planner', assertion: false } } }), [
    'upstreams.api.assertion',
  ])
})
