import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { testClock } from '../support/clock.ts'
import { bearer, goodPassword, type PeopleHouse, startPeople, totpCode } from '../support/people.ts'
import { crookedIssuer, type RealIssuer, realIssuer, visit } from '../support/providers.ts'

const publicUrl = 'http://localhost:8080'

/** A house whose people may come in through one provider. */
async function withProvider(
  context: Parameters<typeof startPeople>[0],
  { issuer, clientId, clientSecret }: RealIssuer,
  identity: NonNullable<Config['identity']> = {},
  options: Parameters<typeof startPeople>[2] = {},
): Promise<PeopleHouse> {
  const acme = { issuer, clientId, clientSecret: { env: 'ACME_SECRET' } }
  return startPeople(
    context,
    { publicUrl, identity: { providers: { acme }, ...identity } },
    { ...options, environment: { ACME_SECRET: clientSecret } },
  )
}

interface Left {
  readonly url: string
  readonly flow: string
}

async function leave(house: PeopleHouse, cookie = ''): Promise<Left> {
  const sent = await fetch(`${house.url}/auth/login/acme?return_to=/notes`, { redirect: 'manual', headers: { cookie } })
  assert.equal(sent.status, 303, await sent.text())
  const flow = sent.headers.getSetCookie().find((each) => each.startsWith('__Host-gatehouse-flow=')) ?? ''
  assert.match(flow, /Max-Age=600.*SameSite=Lax/)
  return { url: sent.headers.get('location') ?? '', flow: flow.split(';')[0] ?? '' }
}

function comeBack(house: PeopleHouse, back: URL, cookie: string): Promise<Response> {
  return fetch(`${house.url}${back.pathname}${back.search}`, { redirect: 'manual', headers: { cookie } })
}

async function through(house: PeopleHouse): Promise<Response> {
  const { url, flow } = await leave(house)
  return comeBack(house, await visit(url), flow)
}

function sessionOf(response: Response): string {
  return (
    (response.headers.getSetCookie().find((each) => each.startsWith('__Host-gatehouse=')) ?? '').split(';')[0] ?? ''
  )
}

async function me(house: PeopleHouse, cookie: string): Promise<Record<string, unknown>> {
  return (await house.api('GET', '/api/auth/me', undefined, { cookie })).body
}

test('ID4: a provider signs somebody in, who is new and then is known by issuer and subject', async (context) => {
  const claims = { email: 'Ada@People.example', email_verified: true, name: 'Ada Lovelace' }
  const house = await withProvider(context, await realIssuer(context, { claims }))
  const first = await through(house)
  assert.equal(first.status, 200)
  assert.match(await first.text(), /http-equiv="refresh" content="0;url=\/notes"/)
  const person = await me(house, sessionOf(first))
  assert.deepEqual(
    [person['email'], person['email_verified'], person['name']],
    ['ada@people.example', true, 'Ada Lovelace'],
  )
  const again = await through(house)
  assert.equal((await me(house, sessionOf(again)))['id'], person['id'])
  assert.equal((await house.house.store.db.selectFrom('identities').selectAll().execute()).length, 1)
})

test('ID4: state is random, single use, bound to provider and browser, and runs out; the caller reads one sentence', async (context) => {
  const clock = testClock(Date.now())
  const house = await withProvider(context, await realIssuer(context), {}, { clock })
  const refusals: string[] = []
  const refused = async (response: Response): Promise<void> => {
    const text = await response.text()
    assert.equal(response.status, 401, text)
    assert.equal(sessionOf(response), '')
    refusals.push(text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, ''))
  }
  const first = await leave(house)
  assert.ok((new URL(first.url).searchParams.get('state') ?? '').length >= 43, '256 bits')
  const back = await visit(first.url)
  await refused(await comeBack(house, back, ''))
  const other = await leave(house)
  await refused(await comeBack(house, back, other.flow))
  assert.equal((await comeBack(house, back, first.flow)).status, 200)
  await refused(await comeBack(house, back, first.flow))
  const late = await leave(house)
  const lateBack = await visit(late.url)
  clock.advance(600_000)
  await refused(await comeBack(house, lateBack, late.flow))
  assert.equal(new Set(refusals).size, 1)
  const told = (await house.events()).filter(({ action, result }) => action === 'sign-in' && result === 'failure')
  assert.deepEqual(
    told.map(({ details }) => details['because']),
    ['state-unknown', 'state-mismatch', 'state-taken', 'state-expired'],
  )
})

test('A47: an address links only where both sides have proven it', async (context) => {
  const claims = { email: 'ada@people.example', email_verified: true, name: 'Ada' }
  const house = await withProvider(context, await realIssuer(context, { claims }))
  const ada = await house.newcomer('ada@people.example')
  const both = await through(house)
  assert.equal((await me(house, sessionOf(both)))['id'], ada.user.id)

  const unproven = await withProvider(
    context,
    await realIssuer(context, { claims: { ...claims, email_verified: false } }),
  )
  await unproven.newcomer('ada@people.example')
  const refused = await through(unproven)
  assert.deepEqual([refused.status, sessionOf(refused)], [401, ''])

  const planted = await withProvider(context, await realIssuer(context, { claims }), { verification: 'none' })
  await planted.api('POST', '/api/auth/register', { email: claims.email, name: 'Eve', password: goodPassword })
  const kept = await through(planted)
  assert.deepEqual(
    [kept.status, sessionOf(kept)],
    [401, ''],
    'an account that somebody registered without proof is not handed over',
  )
})

test('A45: a provider does not go round the second factor', async (context) => {
  const claims = { email: 'ada@people.example', email_verified: true, name: 'Ada' }
  const house = await withProvider(context, await realIssuer(context, { claims }))
  const ada = await house.newcomer('ada@people.example')
  const begun = await house.api('POST', '/api/auth/mfa/totp', undefined, bearer(ada))
  const code = totpCode(String(begun.body['secret']), Date.now())
  await house.api('POST', '/api/auth/mfa/totp/confirm', { code }, bearer(ada))
  const half = await through(house)
  assert.deepEqual([half.status, sessionOf(half)], [200, ''])
  assert.match(await half.text(), /name="challenge"/)
})

test('A35: a disabled provider is refused on every path, also for those who had left already', async (context) => {
  const issuer = await realIssuer(context)
  const house = await withProvider(context, issuer)
  assert.deepEqual((await house.api('GET', '/api/auth/providers')).body, {
    providers: [{ name: 'acme', label: 'acme', sign_in: '/auth/login/acme' }],
  })
  const acme = {
    issuer: issuer.issuer,
    clientId: issuer.clientId,
    clientSecret: { env: 'ACME_SECRET' },
    enabled: false,
  }
  const off = await startPeople(
    context,
    { publicUrl, identity: { providers: { acme } } },
    { environment: { ACME_SECRET: issuer.clientSecret } },
  )
  assert.equal((await fetch(`${off.url}/auth/login/acme`, { redirect: 'manual' })).status, 404)
  assert.deepEqual((await off.api('GET', '/api/auth/providers')).body, { providers: [] })
})

test('a closed house makes no account for whoever a provider vouches for; an invitation opens it', async (context) => {
  const claims = { email: 'ada@people.example', email_verified: true, name: 'Ada' }
  const house = await withProvider(context, await realIssuer(context, { claims }), { registration: 'invited' })
  const closed = await through(house)
  assert.deepEqual([closed.status, sessionOf(closed)], [403, ''])
  const admin = await house.house.accounts.create(house.house.store.db, {
    email: 'root@people.example',
    name: 'Root',
    password: goodPassword,
    roles: ['admin'],
  })
  assert.ok('account' in admin)
  const tokens = (await house.api('POST', '/api/auth/login', { email: 'root@people.example', password: goodPassword }))
    .body as { access_token: string }
  await house.api('POST', '/api/admin/users', { email: claims.email, roles: ['admin'] }, bearer(tokens))
  const opened = await through(house)
  assert.deepEqual((await me(house, sessionOf(opened)))['roles'], ['admin'])
})

test('A35: an id_token without a nonce lets nobody in', async (context) => {
  const crooked = await crookedIssuer(context, { claims: { nonce: undefined } })
  const house = await withProvider(context, {
    issuer: crooked.origin,
    clientId: 'gatehouse',
    clientSecret: 'a secret of the client',
  })
  const { url, flow } = await leave(house)
  const refused = await comeBack(house, crooked.authorize(url), flow)
  assert.deepEqual([refused.status, sessionOf(refused)], [401, ''])
})

test('CVE-2025-27143: nobody is sent elsewhere from the door', async (context) => {
  const house = await withProvider(context, await realIssuer(context))
  for (const to of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
  ]) {
    const sent = await fetch(`${house.url}/auth/login/acme?return_to=${encodeURIComponent(to)}`, { redirect: 'manual' })
    const flow = (sent.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
    const back = await comeBack(house, await visit(sent.headers.get('location') ?? ''), flow)
    assert.match(await back.text(), /content="0;url=\/auth\/account"/, to)
  }
})
