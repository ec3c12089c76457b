// Separation of duty: nobody is given roles together that are kept apart, and who has them already has none of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearer } from '../support/people.ts'
import { errorsOf, mistakesOf, roleScene, roles, separationOfDuty } from './scene.ts'

const apart = /`requester` and `approver` are kept apart: nobody has more than 1 of them/

test('AZ1: roles that are kept apart are given to nobody together, wherever roles are given', async (context) => {
  const at = await roleScene(context, { separationOfDuty })
  const { api } = at.people
  const refused = async (path: string, body: object, method = 'POST'): Promise<void> => {
    const answer = await api(method, path, body, bearer(at.root))
    assert.equal(answer.status, 409, `${method} ${path} ${JSON.stringify(answer.body)}`)
    assert.match(String(answer.body['error']), apart)
    assert.match(Object.values(errorsOf(answer)).join(), apart)
  }
  const both = ['requester', 'approver']
  const ada = await at.somebody('requester')
  await refused(`/api/admin/users/${ada.id}/roles`, { roles: both }, 'PUT')
  assert.equal(await at.at('/request', ada), 200, 'she has what she had')
  await refused('/api/admin/users', { email: 'new@people.example', roles: both })
  await refused('/api/admin/services', { name: 'billing', roles: both })
  await refused('/api/admin/roles', { name: 'both', inherits: both })

  // By way of roles that inherit.
  await at.role('clerk', { inherits: ['requester'] })
  await at.role('head-clerk', { inherits: ['clerk'] })
  await refused(`/api/admin/users/${ada.id}/roles`, { roles: ['head-clerk', 'approver'] }, 'PUT')
  await refused('/api/admin/roles/head-clerk', { inherits: ['clerk', 'approver'] }, 'PUT')
  await refused('/api/admin/roles/clerk', { inherits: ['requester', 'approver'] }, 'PUT')
  assert.equal(
    (await api('POST', '/api/admin/services', { name: 'desk', roles: ['requester'] }, bearer(at.root))).status,
    201,
  )
  await refused('/api/admin/services/desk', { roles: ['head-clerk', 'approver'] }, 'PUT')
  assert.equal((await at.give(ada, ['approver', 'user'])).status, 200)
})

test('AZ1: a role is not changed so that those who have it would have duties together', async (context) => {
  const at = await roleScene(context, {
    separationOfDuty,
    services: { robot: { permissions: [], roles: ['approver'] } },
    identity: { defaultRoles: ['requester', 'newcomer'] },
  })
  await at.role('shared')
  await at.role('heir', { inherits: ['shared'] })
  await at.somebody('heir', 'approver')
  await at.somebody('shared', 'approver', 'user')
  await at.somebody('shared')
  const service = { name: 'desk', roles: ['shared', 'approver'] }
  assert.equal((await at.people.api('POST', '/api/admin/services', service, bearer(at.root))).status, 201)
  const answer = await at.ask('PUT', '/shared', { inherits: ['requester'] })
  assert.equal(answer.status, 409)
  assert.match(
    errorsOf(answer)['inherits']?.join() ?? '',
    /`requester` and `approver` are kept apart.*; 3 who have `shared` would/,
  )
  assert.equal((await at.ask('PUT', '/shared', { inherits: ['approver'] })).status, 200, 'what they have already')
  await at.role('newcomer')
  assert.equal((await at.ask('PUT', '/newcomer', { inherits: ['approver'] })).status, 409, 'whoever registers')
  assert.equal((await at.ask('GET')).body['conflicts'], undefined)
})

test('AZ1: who has roles together from before has none of them, and is listed until that is mended', async (context) => {
  const at = await roleScene(context)
  await at.role('clerk', { inherits: ['requester'], permissions: ['notes:read'] })
  await at.role('everything', { inherits: ['requester', 'approver', 'user'] })
  const service = { name: 'desk', roles: ['requester', 'approver'] }
  assert.equal((await at.people.api('POST', '/api/admin/services', service, bearer(at.root))).status, 201)
  const [ada, bob, eve, mixed] = [
    await at.somebody('requester', 'approver', 'user'),
    await at.somebody('clerk', 'approver'),
    await at.somebody('requester', 'user'),
    await at.somebody('everything'),
  ]
  const what = async (who: typeof ada): Promise<readonly number[]> =>
    Promise.all(['/widgets', '/notes', '/request', '/approve'].map((path) => at.at(path, who)))
  assert.deepEqual(await what(ada), [200, 403, 200, 200])
  assert.deepEqual(await what(bob), [403, 200, 200, 200])
  await at.reload({ separationOfDuty })
  assert.deepEqual(await what(ada), [200, 403, 403, 403], 'neither, and what has nothing to do with them')
  assert.deepEqual(await what(bob), [403, 403, 403, 403])
  assert.deepEqual(await what(eve), [200, 403, 200, 403])
  assert.deepEqual(await what(mixed), [403, 403, 403, 403])

  const listed = async (): Promise<readonly unknown[]> => ((await at.ask('GET')).body['conflicts'] ?? []) as unknown[]
  const conflict = { roles: ['requester', 'approver'], at_most: 1 }
  const found = await listed()
  assert.deepEqual(found.slice(0, 2), [
    { role: 'everything', ...conflict },
    { service: 'desk', ...conflict },
  ])
  assert.deepEqual(
    found
      .slice(2)
      .map((one) => (one as { account: string }).account)
      .toSorted(),
    [ada.id, bob.id].toSorted(),
  )
  // Whoever may do something with them holds all that they would: the rule may be lifted again.
  assert.equal(
    (await at.people.api('POST', `/api/admin/users/${bob.id}/lock`, { reason: 'a' }, bearer(at.manager))).status,
    403,
  )
  assert.equal((await at.give(ada, ['approver', 'user'])).status, 200)
  assert.equal((await at.give(bob, ['clerk', 'approver'])).status, 409)
  assert.equal((await at.give(bob, ['clerk'])).status, 200)
  assert.equal((await at.give(mixed, [])).status, 200)
  assert.equal((await at.ask('PUT', '/everything', { inherits: ['user'] })).status, 200)
  assert.equal(
    (await at.people.api('PUT', '/api/admin/services/desk', { roles: ['requester'] }, bearer(at.root))).status,
    200,
  )
  assert.deepEqual(await listed(), [])
})

test('AZ1: of three that are kept apart two may be had where two are allowed', async (context) => {
  const three = { ...roles, payer: { permissions: ['orders:pay'] } }
  const rule = [{ roles: ['requester', 'approver', 'payer'], atMost: 2 }]
  const at = await roleScene(context, { roles: three, separationOfDuty: rule })
  const ada = await at.somebody()
  assert.equal((await at.give(ada, ['requester', 'payer'])).status, 200)
  const all = await at.give(ada, ['requester', 'payer', 'approver'])
  assert.match(
    String(all.body['error']),
    /`requester` and `approver` and `payer` are kept apart: nobody has more than 2/,
  )
})

test('AZ1: a configuration that brings together what it keeps apart is refused, and so is a name of no role', () => {
  const wrong = (config: object, mistake: RegExp): void => {
    const mistakes = mistakesOf({ roles, separationOfDuty, ...config })
    assert.equal(mistakes.length, 1, mistakes.join('\n'))
    assert.match(mistakes[0] ?? '', mistake)
  }
  assert.deepEqual(mistakesOf({ roles, separationOfDuty }), [])
  const inherits = ['requester', 'approver']
  wrong(
    { roles: { ...roles, both: { permissions: [], inherits } } },
    /^roles\.both\.inherits: .*keeps `requester` and `approver` apart/,
  )
  wrong({ services: { billing: { permissions: [], roles: inherits } } }, /^services\.billing\.roles: .*keeps/)
  wrong(
    { services: { billing: { permissions: [], roles: ['nobody'] } } },
    /^services\.billing\.roles: no role is called `nobody`/,
  )
  wrong({ identity: { defaultRoles: inherits } }, /^identity\.defaultRoles: .*keeps/)
  wrong(
    { separationOfDuty: [{ roles: ['user', 'nobody'] }] },
    /^separationOfDuty\[0\]\.roles: no role is called `nobody`/,
  )
  wrong(
    { separationOfDuty: [{ roles: ['user', 'user'] }] },
    /^separationOfDuty\[0\]\.roles: expected two roles at least/,
  )
  wrong(
    { separationOfDuty: [{ roles: ['user', 'analyst'], atMost: 2 }] },
    /^separationOfDuty\[0\]\.atMost: expected less/,
  )
  wrong({ administrator: 'no role' }, /^administrator: expected 1 to 64 letters/)
  wrong({ administrator: 'analyst' }, /^roles\.analyst\.scope: expected `global`/)
  wrong(
    { roles: { ...roles, a: { permissions: [], inherits: ['admin'] } }, administrator: 'chief' },
    /^roles\.a\.inherits: no role is called `admin`/,
  )
})
