import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { bearer, goodPassword, type PeopleHouse, startPeople, type Tokens } from '../support/people.ts'

const roles: NonNullable<Config['roles']> = {
  user: { permissions: ['notes:read'] },
  support: { permissions: ['users:manage', 'notes:read'] },
  manager: { permissions: ['users:manage', 'roles:manage', 'notes:*'] },
}
const email = 'ada@people.example'

/** Somebody with a role, signed in. */
async function somebody(house: PeopleHouse, address: string, ...held: string[]): Promise<Tokens> {
  const { user } = await house.newcomer(address)
  const { accounts, store } = house.house
  await accounts.setRoles(store.db, user.id, held)
  const signedIn = await house.api('POST', '/api/auth/login', { email: address, password: goodPassword })
  return signedIn.body as unknown as Tokens
}

test('administration is for those who hold its permission, and for nobody else', async (context) => {
  const house = await startPeople(context, { roles })
  const ada = await house.newcomer(email)
  const { id } = ada.user
  for (const [method, path, body] of [
    ['GET', '/api/admin/users', undefined],
    ['POST', '/api/admin/users', { email: 'x@people.example' }],
    ['GET', `/api/admin/users/${id}`, undefined],
    ['POST', `/api/admin/users/${id}/lock`, { reason: 'none' }],
    ['POST', `/api/admin/users/${id}/unlock`, undefined],
    ['PUT', `/api/admin/users/${id}/roles`, { roles: ['admin'] }],
    ['POST', `/api/admin/users/${id}/reset`, undefined],
    ['DELETE', `/api/admin/users/${id}/sessions`, undefined],
    ['DELETE', `/api/admin/users/${id}/mfa`, undefined],
    ['POST', `/api/admin/users/${id}/impersonate`, { reason: 'because I can', minutes: 5 }],
  ] as const) {
    assert.equal((await house.api(method, path, body)).status, 401, path)
    assert.equal((await house.api(method, path, body, bearer(ada))).status, 403, path)
  }
  assert.equal((await house.api('GET', '/api/auth/me', undefined, bearer(ada))).status, 200)
})

test('accounts are listed by pages, and found by a part of the address or the name', async (context) => {
  const house = await startPeople(context, { roles })
  const admin = await somebody(house, 'root@people.example', 'admin')
  for (const name of ['ann', 'ben', 'b%n']) await house.newcomer(`${name}@people.example`)
  const seen: string[] = []
  let after = ''
  for (let page = 0; page < 9; page++) {
    const { body } = await house.api('GET', `/api/admin/users?limit=2${after}`, undefined, bearer(admin))
    seen.push(...(body['users'] as { email: string }[]).map((user) => user.email))
    if (body['next'] === undefined) break
    after = `&after=${body['next']}`
  }
  assert.deepEqual(seen.toSorted(), [
    'ada@example.com',
    'ann@people.example',
    'b%n@people.example',
    'ben@people.example',
    'root@people.example',
  ])
  const found = await house.api('GET', '/api/admin/users?match=B%25N', undefined, bearer(admin))
  assert.deepEqual(
    (found.body['users'] as { email: string }[]).map((user) => user.email),
    ['b%n@people.example'],
  )
  for (const query of ['limit=0', 'limit=201', 'limit=x', 'after=x', 'order=name'])
    assert.equal((await house.api('GET', `/api/admin/users?${query}`, undefined, bearer(admin))).status, 422, query)
})

test('A59: an invitation lets its reader choose the password, once, and gives the stated roles', async (context) => {
  const house = await startPeople(context, { roles, identity: { registration: 'closed' } })
  const { house: inner } = house
  const created = await inner.accounts.create(inner.store.db, {
    email: 'root@people.example',
    name: 'Root',
    password: goodPassword,
    roles: ['admin'],
  })
  assert.ok('account' in created)
  const admin = (await house.api('POST', '/api/auth/login', { email: 'root@people.example', password: goodPassword }))
    .body as unknown as Tokens
  const chosen = await house.api(
    'POST',
    '/api/admin/users',
    { email, roles: ['support'], password: goodPassword },
    bearer(admin),
  )
  assert.deepEqual([chosen.status, chosen.body['errors']], [422, { password: ['is not a known field'] }])
  const invited = await house.api('POST', '/api/admin/users', { email, name: 'Ada', roles: ['support'] }, bearer(admin))
  assert.equal(invited.status, 202)
  const token = await house.token(email)
  assert.equal((await house.api('POST', '/api/auth/invitation', { token, password: 'short' })).status, 422)
  const both = await Promise.all(
    [1, 2].map(() => house.api('POST', '/api/auth/invitation', { token, password: goodPassword })),
  )
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [201, 400])
  const signedIn = await house.api('POST', '/api/auth/login', { email, password: goodPassword })
  assert.deepEqual((signedIn.body['user'] as { roles: string[] }).roles, ['support'])
})

test('nobody gives what they do not hold, nobody reaches upwards, and nobody changes their own roles', async (context) => {
  const house = await startPeople(context, { roles })
  const admin = await somebody(house, 'root@people.example', 'admin')
  const manager = await somebody(house, 'may@people.example', 'manager')
  const ada = await house.newcomer(email)
  const give = async (by: Tokens, id: string, ...given: string[]): Promise<number> =>
    (await house.api('PUT', `/api/admin/users/${id}/roles`, { roles: given }, bearer(by))).status
  assert.equal(await give(manager, ada.user.id, 'admin'), 403)
  assert.equal(await give(manager, ada.user.id, 'support', 'user'), 200)
  assert.equal(await give(manager, ada.user.id, 'nonsense'), 422)
  assert.equal(await give(manager, admin.user.id, 'user'), 403)
  assert.equal(await give(manager, manager.user.id, 'manager', 'support'), 409)
  assert.equal(
    (await house.api('POST', `/api/admin/users/${admin.user.id}/lock`, { reason: 'mutiny' }, bearer(manager))).status,
    403,
  )
  assert.equal(
    (await house.api('POST', '/api/admin/users', { email: 'x@people.example', roles: ['admin'] }, bearer(manager)))
      .status,
    403,
  )
  assert.equal(
    (await house.api('GET', '/api/auth/me', undefined, bearer(ada))).status,
    401,
    'what was let in with other roles is out',
  )
})

test('locking ends sessions at once, and unlocking lets in again; both are in the record', async (context) => {
  const house = await startPeople(context, { roles })
  const admin = await somebody(house, 'root@people.example', 'admin')
  const ada = await house.newcomer(email)
  const path = `/api/admin/users/${ada.user.id}`
  assert.equal((await house.api('POST', `${path}/lock`, {}, bearer(admin))).status, 422)
  assert.equal((await house.api('POST', `${path}/lock`, { reason: 'left the company' }, bearer(admin))).status, 200)
  assert.equal((await house.api('GET', '/api/auth/me', undefined, bearer(ada))).status, 401)
  assert.equal((await house.api('POST', '/api/auth/login', { email, password: goodPassword })).status, 401)
  assert.equal((await house.api('POST', `${path}/unlock`, undefined, bearer(admin))).status, 200)
  assert.equal((await house.api('POST', '/api/auth/login', { email, password: goodPassword })).status, 200)
  const told = (await house.events()).filter(({ type }) => type === 'admin_action')
  assert.deepEqual(
    told.map(({ action, actor, resource }) => [action, actor.id, resource.id]),
    [
      ['user.lock', admin.user.id, ada.user.id],
      ['user.unlock', admin.user.id, ada.user.id],
    ],
  )
})

test('ID3: an administrator unlocks an account that failures have locked', async (context) => {
  const lockout = [{ per: 'account' as const, failures: 3, within: '5m', for: '30m' }]
  const house = await startPeople(context, { roles, identity: { lockout } })
  const admin = await somebody(house, 'root@people.example', 'admin')
  const ada = await house.newcomer(email)
  for (let time = 0; time < 3; time++) await house.api('POST', '/api/auth/login', { email, password: 'wrong' })
  assert.equal((await house.api('POST', '/api/auth/login', { email, password: goodPassword })).status, 401)
  const path = `/api/admin/users/${ada.user.id}`
  assert.equal((await house.api('GET', path, undefined, bearer(admin))).body['locked_by_failures'], true)
  await house.api('POST', `${path}/unlock`, undefined, bearer(admin))
  assert.equal((await house.api('POST', '/api/auth/login', { email, password: goodPassword })).status, 200)
})

test('A58: whoever acts as somebody has a reason and an end, may nothing that proves a person, and is named beside them', async (context) => {
  const house = await startPeople(context, { roles })
  const support = await somebody(house, 'sue@people.example', 'support')
  const admin = await somebody(house, 'root@people.example', 'admin')
  const ada = await house.newcomer(email)
  const act = (id: string, body: object): ReturnType<PeopleHouse['api']> =>
    house.api('POST', `/api/admin/users/${id}/impersonate`, body, bearer(support))
  assert.deepEqual(Object.keys((await act(ada.user.id, { minutes: 500 })).body['errors'] as object).toSorted(), [
    'minutes',
    'reason',
  ])
  assert.equal((await act(admin.user.id, { reason: 'to see what they see' })).status, 403, 'upward')
  assert.equal((await act(support.user.id, { reason: 'to see what I see' })).status, 403, 'oneself')
  const acting = await act(ada.user.id, { reason: 'ticket 4711: cannot see her notes', minutes: 5 })
  assert.equal(acting.status, 200)
  assert.deepEqual([acting.body['refresh_token'], acting.body['act']], [undefined, { sub: support.user.id }])
  assert.ok([299, 300].includes(Number(acting.body['expires_in'])), 'five minutes, in whole seconds')
  const held = bearer(acting.body as { access_token: string })
  const seen = await house.api('GET', '/api/auth/validate', undefined, held)
  assert.deepEqual(
    [(seen.body['user'] as { id: string }).id, seen.body['act']],
    [ada.user.id, { sub: support.user.id }],
  )
  for (const [method, path, body] of [
    ['POST', '/api/auth/password', { current_password: goodPassword, password: goodPassword }],
    ['POST', '/api/auth/email', { email: 'sue@people.example' }],
    ['POST', '/api/auth/mfa/totp', undefined],
    ['POST', '/api/auth/passkeys/options', undefined],
    ['POST', '/api/auth/step-up', { password: goodPassword }],
    ['DELETE', '/api/auth/sessions', undefined],
  ] as const) {
    const refused = await house.api(method, path, body, held)
    assert.deepEqual([refused.status, refused.body['code']], [403, 'in-person-only'], path)
  }
  const told = (await house.events()).find(({ action }) => action === 'user.impersonate')
  const success = (await house.events()).findLast(
    ({ action, result }) => action === 'user.impersonate' && result === 'success',
  )
  assert.equal(told?.result, 'denied')
  assert.deepEqual(
    [success?.actor.id, success?.resource.id, success?.private?.['reason']],
    [support.user.id, ada.user.id, 'ticket 4711: cannot see her notes'],
  )
  // When the administrator goes, so does their time as somebody else.
  await house.api('DELETE', '/api/auth/sessions', undefined, bearer(support))
  assert.equal((await house.api('GET', '/api/auth/me', undefined, held)).status, 401)
})

test('A49: an administrator ends every session of an account, and removes factors of somebody who lost them', async (context) => {
  const house = await startPeople(context, { roles })
  const admin = await somebody(house, 'root@people.example', 'admin')
  const ada = await house.newcomer(email)
  const path = `/api/admin/users/${ada.user.id}`
  assert.equal((await house.api('DELETE', `${path}/sessions`, undefined, bearer(admin))).status, 200)
  assert.equal((await house.api('GET', '/api/auth/me', undefined, bearer(ada))).status, 401)
  assert.equal((await house.api('DELETE', `${path}/mfa`, undefined, bearer(admin))).status, 200)
  for (const odd of ['nobody', '%00', '..%2fx', '0'.repeat(36)])
    assert.ok(
      [400, 404].includes((await house.api('GET', `/api/admin/users/${odd}`, undefined, bearer(admin))).status),
      odd,
    )
})
