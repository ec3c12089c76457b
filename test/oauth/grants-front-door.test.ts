// What people see of what they have allowed, and how they take it back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { type OauthHouse, redirectUri, scopes, startOauth } from '../support/oauth.ts'
import { authorizeUrl, basic, callApi, codeOf, redeem, refresh, tokensFor } from '../support/oauth-clients.ts'
import { type Answer, bearer, goodPassword } from '../support/people.ts'
import type { Walker } from '../support/walker.ts'

const email = 'ada@people.example'

const config: Config = {
  roles: {
    user: { permissions: ['widgets:read', 'widgets:write'] },
    support: { permissions: ['users:manage', 'widgets:*'] },
  },
  oauth: {
    scopes,
    clients: [
      { id: 'web-app', name: 'Web App', redirectUris: [redirectUri], scopes: ['widgets:read', 'widgets:write'] },
      { id: 'other-app', name: 'Other App', redirectUris: [redirectUri], scopes: ['widgets:read'] },
      {
        id: 'backend',
        name: 'Back End',
        grants: ['client_credentials'],
        scopes: ['widgets:read'],
        secrets: [{ env: 'BACKEND_SECRET' }],
      },
    ],
  },
}

interface GrantJson {
  readonly id: string
  readonly client: { readonly id: string; readonly name: string; readonly status: string; readonly hosts: string[] }
  readonly allowed: readonly { readonly resource?: string; readonly scopes: readonly object[] }[]
  readonly sessions: number
  readonly created_at: string
  readonly last_used_at?: string
}

async function signIn(house: OauthHouse, who = email): Promise<Readonly<Record<string, string>>> {
  const answer = await house.api('POST', '/api/auth/login', { email: who, password: goodPassword })
  return bearer(answer.body as { access_token: string })
}

async function grantsOf(house: OauthHouse, who: Readonly<Record<string, string>>): Promise<readonly GrantJson[]> {
  const answer = await house.api('GET', '/api/auth/grants', undefined, who)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body['grants'] as GrantJson[]
}

const withdraw = (house: OauthHouse, id: string | undefined, who: Readonly<Record<string, string>>): Promise<Answer> =>
  house.api('DELETE', `/api/auth/grants/${id}`, undefined, who)

/** What the log tells of what people decided about clients. */
async function decisions(house: OauthHouse): Promise<readonly string[]> {
  return (await house.events())
    .filter(({ type }) => type === 'consent')
    .map(({ action, result, resource }) => `${action} ${result} ${resource.id}`)
}

test('A29: a person sees what they have allowed, whom, where and since when; others do not', async (context) => {
  const house = await startOauth(context, config)
  const walker = await house.person(email)
  const me = await signIn(house)
  assert.deepEqual(await grantsOf(house, me), [])
  await tokensFor(house, walker, { scope: 'openid email widgets:read' })
  await tokensFor(house, walker, { scope: 'widgets:read' })
  const [grant, ...more] = await grantsOf(house, me)
  assert.deepEqual(more, [])
  assert.deepEqual(grant?.client, { id: 'web-app', name: 'Web App', status: 'verified', hosts: ['app.example.com'] })
  assert.deepEqual(grant?.allowed, [
    { resource: house.issuer, scopes: [{ name: 'widgets:read', description: 'See your widgets' }] },
    { scopes: [{ name: 'openid' }, { name: 'email' }] },
  ])
  assert.equal(grant?.sessions, 2)
  assert.ok(Math.abs(Date.parse(grant?.last_used_at ?? '') - Date.now()) < 60_000)
  await house.newcomer('bob@people.example')
  assert.deepEqual(await grantsOf(house, await signIn(house, 'bob@people.example')), [])
})

test('A29: a withdrawal ends the client’s tokens with the next request, and nobody else’s', async (context) => {
  const house = await startOauth(context, config)
  const [ada, bob] = [await house.person(email), await house.person('bob@people.example')]
  const [one, two] = [
    await tokensFor(house, ada),
    await tokensFor(house, ada, { scope: 'widgets:read offline_access', prompt: 'consent' }),
  ]
  const other = await tokensFor(house, ada, {}, { client_id: 'other-app' })
  const bobs = await tokensFor(house, bob)
  const me = await signIn(house)
  const grant = (await grantsOf(house, me)).find(({ client }) => client.id === 'web-app')
  assert.equal((await withdraw(house, grant?.id, me)).status, 200)
  for (const { access, refresh: token } of [one, two]) {
    assert.equal(await callApi(house, access), 401)
    assert.equal((await refresh(house, token)).body['error'], 'invalid_grant')
  }
  assert.deepEqual([await callApi(house, other.access), await callApi(house, bobs.access)], [200, 200])
  assert.equal((await refresh(house, bobs.refresh)).status, 200)
  assert.deepEqual(
    (await grantsOf(house, me)).map(({ client }) => client.id),
    ['other-app'],
  )
  assert.equal((await house.api('GET', '/api/auth/me', undefined, me)).status, 200, 'the person stays signed in')
  assert.deepEqual((await decisions(house)).at(-1), 'client-withdraw success web-app')
})

test('A29: what was withdrawn is asked for anew', async (context) => {
  const house = await startOauth(context, config)
  const walker = await house.person(email)
  await tokensFor(house, walker)
  walker.site = 'cross-site'
  assert.equal((await walker.go(authorizeUrl(house))).status, 0, 'remembered')
  const me = await signIn(house)
  await withdraw(house, (await grantsOf(house, me))[0]?.id, me)
  walker.site = 'cross-site'
  assert.match((await walker.go(authorizeUrl(house))).url.pathname, /^\/auth\/consent\//)
})

test('A29: nobody withdraws what is not theirs, what is not there, or what is gone: one answer for all', async (context) => {
  const house = await startOauth(context, config)
  await tokensFor(house, await house.person(email))
  await tokensFor(house, await house.person('bob@people.example'), {}, { client_id: 'other-app' })
  const [ada, bob] = [await signIn(house), await signIn(house, 'bob@people.example')]
  const [mine, his] = [(await grantsOf(house, ada))[0], (await grantsOf(house, bob))[0]]
  const answers = [
    await withdraw(house, his?.id, ada),
    await withdraw(house, 'nothing', ada),
    await withdraw(house, 'web-app', ada),
  ]
  await withdraw(house, mine?.id, ada)
  answers.push(await withdraw(house, mine?.id, ada))
  for (const { status, body } of answers)
    assert.deepEqual([status, body['code'], body['detail']], [404, 'not-found', answers[0]?.body['detail']])
  assert.equal((await grantsOf(house, bob)).length, 1)
})

test('A29: of two withdrawals at one moment one finds it, and one event tells of it', async (context) => {
  const house = await startOauth(context, config)
  const walker = await house.person(email)
  const { access } = await tokensFor(house, walker)
  const me = await signIn(house)
  const [grant] = await grantsOf(house, me)
  const answers = await Promise.all(Array.from({ length: 6 }, () => withdraw(house, grant?.id, me)))
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 404, 404, 404, 404, 404])
  assert.equal((await decisions(house)).filter((one) => one.startsWith('client-withdraw')).length, 1)
  assert.equal(await callApi(house, access), 401)
})

test('A29: a client that is an address can be withdrawn too, and to list it reaches out to nobody', async (context) => {
  const house = await startOauth(context, config)
  await house.newcomer(email)
  const me = await signIn(house)
  const { grants, accounts } = house.house.people
  const { store } = house.house
  const person = await accounts.byEmail(store.db, email)
  // Nobody answers there: whoever asked would wait.
  const clientId = 'https://192.0.2.1/a/client.json?x=%2F'
  const allowed = { [house.issuer]: ['widgets:read', 'lost:scope'] }
  await store.transaction((trx) =>
    grants.allow(trx, { userId: person?.id ?? '', clientId, clientName: 'Desk', allowed }),
  )
  const [grant] = await grantsOf(house, me)
  assert.deepEqual(grant?.client, { id: clientId, name: 'Desk', status: 'unverified', hosts: ['192.0.2.1'] })
  assert.deepEqual(grant?.allowed[0]?.scopes, [
    { name: 'widgets:read', description: 'See your widgets' },
    { name: 'lost:scope' },
  ])
  assert.equal((await withdraw(house, grant?.id, me)).status, 200)
  assert.deepEqual(await grantsOf(house, me), [])
})

test('A29: a client neither sees what its person allowed others, nor withdraws it', async (context) => {
  const house = await startOauth(context, config)
  const walker = await house.person(email)
  const { access } = await tokensFor(house, walker, { scope: 'openid profile email widgets:read widgets:write' })
  const [grant] = await grantsOf(house, await signIn(house))
  const alone = await house.api(
    'POST',
    '/oauth/token',
    { grant_type: 'client_credentials' },
    basic('backend', 'a secret of the back end, long enough'),
  )
  for (const token of [access, String(alone.body['access_token'])]) {
    const theirs = bearer({ access_token: token })
    assert.equal((await house.api('GET', '/api/auth/grants', undefined, theirs)).status, 403)
    assert.equal((await withdraw(house, grant?.id, theirs)).status, 403)
  }
  assert.equal((await grantsOf(house, await signIn(house))).length, 1)
})

test('A58: whoever acts as somebody sees what they allowed, and takes nothing of it back', async (context) => {
  const house = await startOauth(context, config)
  await tokensFor(house, await house.person(email))
  const sue = await house.newcomer('sue@people.example')
  const { accounts } = house.house.people
  await accounts.setRoles(house.house.store.db, sue.user.id, ['support'])
  const { body } = await house.api('GET', '/api/auth/me', undefined, await signIn(house))
  const reason = { reason: 'ticket 4711: an application', minutes: 5 }
  const acting = await house.api(
    'POST',
    `/api/admin/users/${body['id']}/impersonate`,
    reason,
    await signIn(house, 'sue@people.example'),
  )
  assert.equal(acting.status, 200, JSON.stringify(acting.body))
  const held = bearer(acting.body as { access_token: string })
  const [grant] = await grantsOf(house, held)
  const refused = await withdraw(house, grant?.id, held)
  assert.deepEqual([refused.status, refused.body['code']], [403, 'in-person-only'])
  assert.equal((await grantsOf(house, await signIn(house))).length, 1)
})

test('OA1: the account page lists applications, and withdraws one by its button', async (context) => {
  const house = await startOauth(context, config)
  const walker = await house.person(email)
  const account = async (): Promise<string> => {
    walker.site = 'none'
    return (await walker.go('/auth/account')).text
  }
  assert.match(await account(), /Connected applications[\s\S]*You have allowed nothing so far\./)
  const { access } = await tokensFor(house, walker, { scope: 'openid widgets:read' })
  const text = await account()
  for (const said of ['Web App', 'app.example.com', 'See your widgets', 'Know that it is you', 'open sessions: 1'])
    assert.ok(text.includes(said), said)
  walker.site = 'none'
  const left = await walker.send(await walker.go('/auth/account'), {}, '/applications/withdraw')
  assert.deepEqual([left.status, left.url.pathname], [200, '/auth/account'])
  assert.match(left.text, /You have allowed nothing so far\./)
  assert.equal(await callApi(house, access), 401)
})

test('A51: no page of another site withdraws anything', async (context) => {
  const house = await startOauth(context, config)
  const walker = await house.person(email)
  const { access } = await tokensFor(house, walker)
  const [grant] = await grantsOf(house, await signIn(house))
  const cookie = `__Host-gatehouse=${walker.cookie('__Host-gatehouse') ?? assert.fail('no cookie')}`
  for (const [method, path] of [
    ['POST', '/auth/account/applications/withdraw'],
    ['DELETE', `/api/auth/grants/${grant?.id}`],
  ] as const) {
    const answer = await fetch(`${house.issuer}${path}`, {
      method,
      headers: { cookie, origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
      ...(method === 'POST' ? { body: `application=${grant?.id}` } : {}),
    })
    assert.equal(answer.status, 403, path)
    await answer.body?.cancel()
  }
  assert.equal(await callApi(house, access), 200)
})

test('A29: what a person decides is in the log with what it was about, a no as well', async (context) => {
  const house = await startOauth(context, config)
  const walker = await house.person(email)
  walker.site = 'cross-site'
  const asked = await walker.go(authorizeUrl(house, { scope: 'openid widgets:read' }))
  await walker.send(asked, { decision: 'deny' }, '/auth/consent/')
  assert.deepEqual(await grantsOf(house, await signIn(house)), [])
  await tokensFor(house, walker, { scope: 'openid widgets:read' })
  assert.deepEqual(await decisions(house), ['client-deny denied web-app', 'client-allow success web-app'])
  for (const { actor, details } of (await house.events()).filter(({ type }) => type === 'consent')) {
    assert.match(actor.id, /^[0-9a-f-]{36}$/)
    assert.deepEqual(details, { name: 'Web App', resource: house.issuer, scope: 'widgets:read openid' })
  }
})

/** A client that registered itself, and the code that its person agreed to. */
async function selfMade(house: OauthHouse, walker: Walker, name: string, scope: string): Promise<string> {
  const registered = await house.api('POST', '/oauth/register', {
    client_name: name,
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
  })
  assert.equal(registered.status, 201, JSON.stringify(registered.body))
  const id = String(registered.body['client_id'])
  await codeOf(house, walker, { client_id: id, scope })
  return id
}

test('A29: a person is written to when a client nobody checked is allowed, or one may go on while they are away', async (context) => {
  const house = await startOauth(context, { ...config, oauth: { ...config.oauth, registration: { access: 'open' } } })
  const walker = await house.person(email)
  const letters = async (): Promise<readonly string[]> =>
    (await house.letters(email)).filter((letter) => letter.includes('An application may now use your account'))
  await tokensFor(house, walker, { scope: 'widgets:read' })
  assert.equal((await letters()).length, 0, 'one that an operator made, for as long as they are here')
  await tokensFor(house, walker, { scope: 'widgets:read offline_access', prompt: 'consent' })
  assert.equal((await letters()).length, 1)
  const id = await selfMade(house, walker, 'Visit evil.example now', 'widgets:read')
  const [, newest = ''] = await letters()
  assert.match(newest, /"Visit … now"/)
  assert.ok(!newest.includes('evil.example'))
  assert.ok(newest.includes(`${house.issuer}/auth/account`))
  await codeOf(house, walker, { client_id: id })
  assert.equal((await letters()).length, 3, 'each time: whoever holds it may be another')
})

test('A29: a client that is not there any more is still listed, and can be withdrawn', async (context) => {
  const house = await startOauth(context, { ...config, oauth: { ...config.oauth, registration: { access: 'open' } } })
  const walker = await house.person(email)
  const id = await selfMade(house, walker, 'Desk', 'widgets:read')
  const me = await signIn(house)
  assert.deepEqual((await grantsOf(house, me))[0]?.client, {
    id,
    name: 'Desk',
    status: 'unverified',
    hosts: ['app.example.com'],
  })
  const { store } = house.house
  await store.db.deleteFrom('oauth_clients').where('id', '=', id).execute()
  const other = await startedAgain(house, me)
  assert.deepEqual(other?.client, { id, name: 'Desk', status: 'gone', hosts: [] })
  assert.equal((await withdraw(house, other?.id, me)).status, 200)
})

/** The first grant, once what a node remembers of clients for a second is forgotten. */
async function startedAgain(house: OauthHouse, me: Readonly<Record<string, string>>): Promise<GrantJson | undefined> {
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  return (await grantsOf(house, me))[0]
}

test('A29: a code from before a withdrawal is worth nothing after it', async (context) => {
  const house = await startOauth(context, config)
  const walker = await house.person(email)
  const code = await codeOf(house, walker)
  const me = await signIn(house)
  assert.equal((await withdraw(house, (await grantsOf(house, me))[0]?.id, me)).status, 200)
  assert.equal((await redeem(house, code)).body['error'], 'invalid_grant')
  assert.equal((await redeem(house, await codeOf(house, walker))).status, 200, 'allowed anew')
})
