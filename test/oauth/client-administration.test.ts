// Clients, made and unmade over the API: who may, and what becomes of tokens.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { unbound } from '../../src/authn/token/binding.ts'
import type { Config } from '../../src/config/settings.ts'
import { type OauthHouse, redirectUri, startOauth } from '../support/oauth.ts'
import { basic, callApi, post, refresh, tokensFor } from '../support/oauth-clients.ts'
import { type Answer, bearer, goodPassword, startPeople, type Tokens } from '../support/people.ts'

const roles: NonNullable<Config['roles']> = {
  user: { permissions: ['widgets:read', 'widgets:write'] },
  registrar: { permissions: ['clients:manage', 'widgets:read'] },
}

interface Scene {
  readonly house: OauthHouse
  readonly admin: Tokens
  /** As somebody who may do everything. */
  ask(method: string, path?: string, body?: unknown): Promise<Answer>
  create(said?: Readonly<Record<string, unknown>>): Promise<{ readonly id: string; readonly secret: string }>
}

async function scene(context: TestContext, oauth: object = {}): Promise<Scene> {
  const house = await startOauth(context, { roles, oauth })
  const admin = await somebody(house, 'root@people.example', 'admin')
  const ask: Scene['ask'] = (method, path = '', body) =>
    house.api(method, `/api/admin/clients${path}`, body, bearer(admin))
  return {
    house,
    admin,
    ask,
    async create(said = {}) {
      const { status, body } = await ask('POST', '', { ...machine, ...said })
      assert.equal(status, 201, JSON.stringify(body))
      return { id: String(body['client_id']), secret: String(body['client_secret']) }
    },
  }
}

async function somebody(house: OauthHouse, email: string, ...held: string[]): Promise<Tokens> {
  const { user } = await house.newcomer(email)
  const { accounts, store } = house.house
  await accounts.setRoles(store.db, user.id, held)
  const signedIn = await house.api('POST', '/api/auth/login', { email, password: goodPassword })
  assert.equal(signedIn.status, 200)
  return signedIn.body as unknown as Tokens
}

/** A client that acts for itself. */
const machine = { client_name: 'Reports', grant_types: ['client_credentials'], scope: 'widgets:read' }
/** One that acts for people, and shows who it is. */
const portal = { client_name: 'Portal', redirect_uris: [redirectUri], scope: 'widgets:read widgets:write' }

async function tokenFor(house: OauthHouse, id: string, secret: string): Promise<string | undefined> {
  const { body } = await post(house, '/oauth/token', { grant_type: 'client_credentials' }, basic(id, secret))
  return body['access_token'] as string | undefined
}

test('OA1: an operator makes a client, whose secret is shown once and gives tokens at once', async (context) => {
  const { house, ask } = await scene(context)
  const { status, body } = await ask('POST', '', machine)
  assert.equal(status, 201)
  const { client_id: id, client_secret: secret, secret_id, ...rest } = body as Record<string, string>
  assert.match(id ?? '', /^gh_cl_/)
  assert.match(secret ?? '', /^gh_cs_/)
  assert.match(secret_id ?? '', /^[0-9a-f-]{36}$/)
  assert.deepEqual(
    { ...rest, created_at: 'now' },
    {
      client_name: 'Reports',
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
      scope: 'widgets:read',
      token_endpoint_auth_method: 'client_secret_basic',
      application_type: 'web',
      require_pushed_authorization_requests: false,
      dpop_bound_access_tokens: false,
      client_secret_expires_at: 0,
      origin: 'operator',
      status: 'active',
      created_at: 'now',
    },
  )
  const token = await tokenFor(house, id ?? '', secret ?? '')
  assert.equal(await callApi(house, token ?? ''), 200)
  const shown = await ask('GET', `/${id}`)
  assert.equal(shown.status, 200)
  assert.deepEqual(
    (shown.body['secrets'] as { id: string }[]).map((one) => one.id),
    [secret_id],
  )
  assert.doesNotMatch(JSON.stringify(shown.body), /gh_cs_/)
  assert.doesNotMatch(JSON.stringify(await house.events()), /gh_cs_/)
})

test('OA1: a client can be given a name of its own, and is told field by field what it cannot be', async (context) => {
  const { ask } = await scene(context)
  assert.equal((await ask('POST', '', { ...portal, client_id: 'portal' })).body['client_id'], 'portal')
  for (const [said, status, field] of [
    [{ ...portal, client_id: 'portal' }, 409, 'client_id'],
    [{ ...portal, client_id: 'web-app' }, 409, 'client_id'],
    [{ ...portal, client_id: '0190f3a1-7b2c-7def-8123-456789abcdef' }, 422, 'client_id'],
    [{ ...portal, client_id: 'https://app.example.com/client' }, 422, 'client_id'],
    [{ ...portal, redirect_uris: ['javascript:alert(1)'] }, 422, 'redirect_uris.0'],
    [{ ...portal, scope: 'widgets:fly' }, 422, 'scope'],
    [{ ...portal, grant_types: ['password'] }, 422, 'grant_types.0'],
    [{ ...portal, skip_consent: true }, 422, 'skip_consent'],
    [{ redirect_uris: [redirectUri] }, 422, 'client_name'],
  ] as const) {
    const { status: got, body } = await ask('POST', '', said)
    assert.equal(got, status, JSON.stringify(body))
    assert.deepEqual(Object.keys(body['errors'] as object), [field])
  }
})

test('A27: a secret is rotated without a gap: the second serves before the first is gone', async (context) => {
  const { house, ask, create } = await scene(context)
  const { id, secret: first } = await create()
  const added = await ask('POST', `/${id}/secrets`, { expires_in: 3600 })
  assert.equal(added.status, 201)
  const second = String(added.body['client_secret'])
  assert.ok(Number(added.body['client_secret_expires_at']) > 0)
  for (const secret of [first, second]) assert.ok(await tokenFor(house, id, secret))
  assert.equal((await ask('POST', `/${id}/secrets`, {})).status, 409)
  const [oldest] = (await ask('GET', `/${id}`)).body['secrets'] as { readonly id: string }[]
  assert.equal((await ask('DELETE', `/${id}/secrets/${oldest?.id}`)).status, 200)
  assert.equal((await ask('DELETE', `/${id}/secrets/${oldest?.id}`)).status, 404)
  assert.equal(await tokenFor(house, id, first), undefined)
  assert.ok(await tokenFor(house, id, second))
})

test('A27: a secret that was lost to somebody goes with all that was issued', async (context) => {
  const { house, ask, create } = await scene(context)
  const { id, secret } = await create()
  const before = (await tokenFor(house, id, secret)) ?? ''
  const second = String((await ask('POST', `/${id}/secrets`, {})).body['client_secret'])
  const [oldest] = (await ask('GET', `/${id}`)).body['secrets'] as { readonly id: string }[]
  assert.equal((await ask('DELETE', `/${id}/secrets/${oldest?.id}?end_tokens=maybe`)).status, 422)
  assert.equal(await callApi(house, before), 200)
  assert.equal((await ask('DELETE', `/${id}/secrets/${oldest?.id}?end_tokens=true`)).status, 200)
  assert.equal(await callApi(house, before), 401)
  await new Promise((resolve) => setTimeout(resolve, 1_100)) // what other nodes issue within a second is void as well
  assert.equal(await callApi(house, (await tokenFor(house, id, second)) ?? ''), 200)
})

for (const [verb, method, path] of [
  ['removed', 'DELETE', ''],
  ['disabled', 'POST', '/disable'],
] as const)
  test(`OA1: a client that is ${verb} loses its tokens with the next request, those of people included`, async (context) => {
    const { house, ask, create } = await scene(context)
    const own = await create()
    const made = await ask('POST', '', { ...portal, client_id: 'portal' })
    const proof = basic('portal', String(made.body['client_secret']))
    const walker = await house.person()
    const tokens = await tokensFor(house, walker, { client_id: 'portal' }, { client_id: undefined }, proof)
    const machines = (await tokenFor(house, own.id, own.secret)) ?? ''
    for (const token of [tokens.access, machines]) assert.equal(await callApi(house, token), 200)
    for (const id of ['portal', own.id]) assert.equal((await ask(method, `/${id}${path}`)).status, 200)
    for (const token of [tokens.access, machines]) assert.equal(await callApi(house, token), 401)
    // Another node may not have heard yet: what it issues now is void as well.
    const late = house.house.tokens.issueForClient({
      id: 'portal',
      scopes: ['widgets:read'],
      audience: house.house.settings.tokens.audience,
      keyThumbprint: undefined,
      certificateThumbprint: undefined,
    })
    assert.equal(await callApi(house, late.token), 401)
    const again = await refresh(house, tokens.refresh, { client_id: undefined }, proof)
    assert.equal(again.body['error'], 'invalid_client')
    assert.equal(await tokenFor(house, own.id, own.secret), undefined)
    // Nor do they come back with a client that is let in again, or has its name.
    if (verb === 'disabled') assert.equal((await ask('POST', '/portal/enable')).status, 200)
    const renewed =
      verb === 'disabled'
        ? proof
        : basic('portal', String((await ask('POST', '', { ...portal, client_id: 'portal' })).body['client_secret']))
    assert.equal(
      (await refresh(house, tokens.refresh, { client_id: undefined }, renewed)).body['error'],
      'invalid_grant',
    )
    assert.equal(await callApi(house, tokens.access), 401)
    const { db } = house.house.store
    const grants = await db.selectFrom('oauth_grants').select('client_id').execute()
    assert.equal(grants.length, verb === 'removed' ? 0 : 1)
  })

test('OA1: a change that takes something away ends what was issued before; one that adds does not', async (context) => {
  const { house, ask, create } = await scene(context)
  const { id, secret } = await create({ scope: 'widgets:read widgets:write' })
  const token = (await tokenFor(house, id, secret)) ?? ''
  const more = await ask('PUT', `/${id}`, {
    ...machine,
    client_name: 'All Reports',
    scope: 'widgets:read widgets:write',
  })
  assert.equal(more.body['client_name'], 'All Reports')
  assert.equal(await callApi(house, token), 200)
  assert.equal((await ask('PUT', `/${id}`, machine)).status, 200)
  assert.equal(await callApi(house, token), 401)
  const asked = { grant_type: 'client_credentials', scope: 'widgets:write' }
  assert.equal((await post(house, '/oauth/token', asked, basic(id, secret))).body['error'], 'invalid_scope')
})

test('A27: a client of another name in its certificate is another one: what was issued to the first ends', async (context) => {
  const { house, ask } = await scene(context, { clientCertificates: 'verified' })
  const named = { ...machine, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'a.internal' }
  const made = await ask('POST', '', { ...named, client_id: 'named' })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  assert.equal(made.body['client_secret'], undefined)
  assert.equal(made.body['tls_client_auth_san_dns'], 'a.internal')
  const given = (): string =>
    house.house.tokens.issueForClient({ id: 'named', scopes: ['widgets:read'], audience: 'gatehouse', ...unbound })
      .token
  const token = given()
  assert.equal(await callApi(house, token), 200)
  assert.equal((await ask('PUT', '/named', { ...named, client_name: 'Another name' })).status, 200)
  assert.equal(await callApi(house, token), 200, 'what it is called is no matter')
  assert.equal((await ask('PUT', '/named', { ...named, tls_client_auth_san_dns: 'b.internal' })).status, 200)
  assert.equal(await callApi(house, token), 401)
  const other = await ask('PUT', '/named', { ...named, tls_client_auth_san_ip: '192.0.2.1' })
  assert.equal(other.status, 422)
  assert.match(JSON.stringify(other.body['errors']), /exactly one of/)
  assert.equal((await ask('POST', '/named/secrets', {})).status, 409, 'it uses none')
})

test('A27: a client that shows who it is in another way has no secret left', async (context) => {
  const { house, ask } = await scene(context)
  const made = await ask('POST', '', { ...portal, client_id: 'portal' })
  const secret = String(made.body['client_secret'])
  assert.equal((await ask('PUT', '/portal', { ...portal, token_endpoint_auth_method: 'none' })).status, 200)
  assert.deepEqual((await ask('GET', '/portal')).body['secrets'], [])
  assert.equal((await ask('POST', '/portal/secrets', {})).status, 409)
  assert.equal((await ask('PUT', '/portal', portal)).status, 200)
  const { body } = await post(
    house,
    '/oauth/token',
    { grant_type: 'refresh_token', refresh_token: 'x' },
    basic('portal', secret),
  )
  assert.equal(body['error'], 'invalid_client')
})

test('OA1: the configuration’s clients are shown, and changed nowhere but there', async (context) => {
  const { ask } = await scene(context)
  const listed = (await ask('GET')).body['clients'] as { readonly client_id: string; readonly origin: string }[]
  assert.deepEqual(
    listed.map(({ client_id, origin }) => [client_id, origin]),
    [
      ['web-app', 'configuration'],
      ['backend', 'configuration'],
    ],
  )
  assert.equal((await ask('GET', '/backend')).body['client_name'], 'Back End')
  for (const [method, path, body] of [
    ['PUT', '/backend', machine],
    ['DELETE', '/backend', undefined],
    ['POST', '/backend/secrets', {}],
    ['DELETE', '/backend/secrets/0190f3a1-7b2c-7def-8123-456789abcdef', undefined],
    ['POST', '/backend/disable', undefined],
    ['POST', '/backend/enable', undefined],
  ] as const) {
    const refused = await ask(method, path, body)
    assert.equal(refused.status, 409, `${method} ${path}`)
    assert.match(String(refused.body['detail']), /configuration/)
  }
})

test('OA1: clients are listed by pages', async (context) => {
  const { ask, create } = await scene(context)
  const ids = new Set(['web-app', 'backend'])
  for (let count = 0; count < 5; count++) ids.add((await create()).id)
  const seen: string[] = []
  let after = ''
  for (let page = 0; page < 9; page++) {
    const { body } = await ask('GET', `?limit=2${after}`)
    seen.push(...(body['clients'] as { client_id: string }[]).map(({ client_id }) => client_id))
    if (body['next'] === undefined) break
    after = `&after=${encodeURIComponent(String(body['next']))}`
  }
  assert.equal(seen.length, ids.size)
  assert.deepEqual(new Set(seen), ids)
  for (const query of ['?limit=0', '?limit=201', '?limit=x', '?after=x', '?after=1.a%00b', '?match=x'])
    assert.equal((await ask('GET', query)).status, 422, query)
})

test('OA1: clients are for those who hold `clients:manage`, and what is not there is not there for anybody', async (context) => {
  const { house, ask, create } = await scene(context)
  const { id, secret } = await create()
  const user = await somebody(house, 'eve@people.example', 'user')
  const token = (await tokenFor(house, id, secret)) ?? ''
  for (const [method, path, body] of [
    ['GET', '/api/admin/clients', undefined],
    ['POST', '/api/admin/clients', machine],
    ['GET', `/api/admin/clients/${id}`, undefined],
    ['PUT', `/api/admin/clients/${id}`, machine],
    ['DELETE', `/api/admin/clients/${id}`, undefined],
    ['POST', `/api/admin/clients/${id}/secrets`, {}],
    ['DELETE', `/api/admin/clients/${id}/secrets/0190f3a1-7b2c-7def-8123-456789abcdef`, undefined],
    ['POST', `/api/admin/clients/${id}/disable`, undefined],
    ['POST', `/api/admin/clients/${id}/enable`, undefined],
    ['POST', '/api/admin/client-registration-tokens', {}],
  ] as const) {
    assert.equal((await house.api(method, path, body)).status, 401, path)
    assert.equal((await house.api(method, path, body, bearer(user))).status, 403, path)
    assert.equal((await house.api(method, path, body, { authorization: `Bearer ${token}` })).status, 403, path)
  }
  assert.ok(await tokenFor(house, id, secret), 'none of it had an effect')
  for (const nobody of ['gh_cl_AAAAAAAAAAAAAAAAAAAAAA', 'x', 'a'.repeat(200)])
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PUT', '', machine],
      ['DELETE', '', undefined],
      ['POST', '/secrets', {}],
      ['DELETE', '/secrets/0190f3a1-7b2c-7def-8123-456789abcdef', undefined],
      ['DELETE', '/secrets/x', undefined],
      ['POST', '/disable', undefined],
    ] as const)
      assert.equal((await ask(method, `/${nobody}${path}`, body)).status, 404, `${method} ${nobody}${path}`)
})

test('OA1: nobody makes, takes over or lets in a client that may by itself what they may not', async (context) => {
  const { house, create } = await scene(context)
  const registrar = await somebody(house, 'reg@people.example', 'registrar')
  const strong = await create({ scope: 'widgets:read widgets:admin' })
  const as = (method: string, path: string, body?: unknown): Promise<Answer> =>
    house.api(method, `/api/admin/clients${path}`, body, bearer(registrar))
  for (const [method, path, body] of [
    ['POST', '', { ...machine, scope: 'widgets:admin' }],
    ['POST', `/${strong.id}/secrets`, {}],
    ['PUT', `/${strong.id}`, machine],
  ] as const) {
    const refused = await as(method, path, body)
    assert.equal(refused.status, 403, `${method} ${path}`)
    assert.match(String(refused.body['detail']), /widgets:admin/)
  }
  const weak = await as('POST', '', machine)
  assert.equal(weak.status, 201)
  assert.equal((await as('PUT', `/${weak.body['client_id']}`, { ...machine, scope: 'widgets:admin' })).status, 403)
  // What a client may for people is theirs to lend.
  assert.equal((await as('POST', '', { ...portal, scope: 'widgets:admin' })).status, 201)
  // To stop one takes no more than the permission.
  assert.equal((await as('POST', `/${strong.id}/disable`)).status, 200)
  assert.equal((await as('POST', `/${strong.id}/enable`)).status, 403)
  assert.equal((await as('DELETE', `/${strong.id}`)).status, 200)
})

test('OA1: where a client’s codes go is changed by those who hold all that people lend it', async (context) => {
  const { house, ask } = await scene(context)
  const registrar = await somebody(house, 'reg@people.example', 'registrar')
  const as = (body: unknown): Promise<Answer> => house.api('PUT', '/api/admin/clients/portal', body, bearer(registrar))
  await ask('POST', '', { ...portal, client_id: 'portal' })
  const mine = 'https://mine.example.com/callback'
  for (const said of [
    { ...portal, redirect_uris: [redirectUri, mine] },
    { ...portal, redirect_uris: [mine] },
    { ...portal, token_endpoint_auth_method: 'none' },
    { ...portal, scope: 'widgets:read', redirect_uris: [mine] },
  ]) {
    const refused = await as(said)
    assert.equal(refused.status, 403)
    assert.match(String(refused.body['detail']), /widgets:write/)
  }
  assert.equal((await as({ ...portal, client_name: 'The Portal' })).status, 200)
  assert.equal((await as({ ...portal, scope: 'widgets:read' })).status, 200)
  assert.equal((await as({ ...portal, scope: 'widgets:read', redirect_uris: [redirectUri, mine] })).status, 200)
  // Nor in three steps: what people allowed before would be there again, and its codes elsewhere.
  assert.equal((await as({ ...portal, redirect_uris: [redirectUri, mine] })).status, 403)
})

test('A60: what was done to a client is in the record, with who did it', async (context) => {
  const { house, admin, ask, create } = await scene(context, { registration: { access: 'token' } })
  const { id } = await create()
  await ask('PUT', `/${id}`, { ...machine, client_name: 'All Reports' })
  const added = await ask('POST', `/${id}/secrets`, {})
  const [first] = (await ask('GET', `/${id}`)).body['secrets'] as { readonly id: string }[]
  await ask('DELETE', `/${id}/secrets/${first?.id}`)
  await ask('POST', `/${id}/disable`)
  await ask('POST', `/${id}/disable`)
  await ask('POST', `/${id}/enable`)
  await ask('DELETE', `/${id}`)
  const token = await house.api('POST', '/api/admin/client-registration-tokens', {}, bearer(admin))
  assert.equal(token.status, 201, JSON.stringify(token.body))
  const events = (await house.events()).filter(({ action }) => action.startsWith('client.'))
  assert.deepEqual(
    events.map(({ action, resource, actor, details }) => [
      action,
      resource.id,
      actor.id,
      details['changed'] ?? details['disabled'] ?? details['secret_id'] ?? details['what'],
    ]),
    [
      ['client.create', id, admin.user.id, undefined],
      ['client.change', id, admin.user.id, 'client_name'],
      ['client.secret-add', id, admin.user.id, added.body['secret_id']],
      ['client.secret-remove', id, admin.user.id, first?.id],
      ['client.change', id, admin.user.id, true],
      ['client.change', id, admin.user.id, false],
      ['client.remove', id, admin.user.id, undefined],
      ['client.invite', '', admin.user.id, undefined],
    ],
  )
  assert.doesNotMatch(JSON.stringify(events), new RegExp(String(token.body['token'])))
})

test('OA4 A30: a token of an operator’s lets one client register, and it asks people each time', async (context) => {
  const { house, admin } = await scene(context, { registration: { access: 'token' } })
  const app = { json: { client_name: 'An App', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' } }
  assert.equal((await post(house, '/oauth/register', app)).status, 401)
  const { body } = await house.api('POST', '/api/admin/client-registration-tokens', { expires_in: 600 }, bearer(admin))
  const held = { authorization: `Bearer ${body['token']}` }
  const registered = await post(house, '/oauth/register', app, held)
  assert.equal(registered.status, 201, registered.text)
  assert.equal((await post(house, '/oauth/register', app, held)).status, 401)
  const id = String(registered.body['client_id'])
  const shown = await house.api('GET', `/api/admin/clients/${id}`, undefined, bearer(admin))
  assert.equal(shown.body['origin'], 'registered')
  const tokens = await tokensFor(house, await house.person(), { client_id: id }, { client_id: id })
  assert.equal(await callApi(house, tokens.access), 200)
  const removed = await house.api('DELETE', `/api/admin/clients/${id}`, undefined, bearer(admin))
  assert.equal(removed.status, 200)
  assert.equal(await callApi(house, tokens.access), 401)
})

test('OA1: a house without an authorization server has no clients', async (context) => {
  const house = await startPeople(context, { roles }, { roles: ['admin'] })
  const token = await house.signIn()
  const headers = { authorization: `Bearer ${token}` }
  assert.equal((await house.api('GET', '/api/admin/clients', undefined, headers)).status, 404)
  assert.equal((await house.api('POST', '/api/admin/clients', machine, headers)).status, 404)
})
