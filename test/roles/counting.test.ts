// What roles come to, by requests: several of them, wildcards, inheritance, areas, and the one that holds everything.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstAdministrator } from '../../src/cli/first-administrator.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { startHouse } from '../support/house.ts'
import { bearer } from '../support/people.ts'
import { type RoleScene, roleScene, type Somebody } from './scene.ts'

const paths = ['/widgets', '/notes', '/write', '/request', '/reports', '/analytics', '/system']

async function opened(at: RoleScene, who: Somebody): Promise<string> {
  const answers = await Promise.all(paths.map(async (path) => [path, await at.at(path, who)] as const))
  assert.ok(answers.every(([, status]) => status === 200 || status === 403))
  return answers.flatMap(([path, status]) => (status === 200 ? [path] : [])).join(' ')
}

test('AZ1: several roles add up, with wildcards and inheritance, and an unknown one grants nothing', async (context) => {
  const at = await roleScene(context)
  await at.role('reader', { permissions: ['notes:read'] })
  await at.role('writer', { permissions: ['notes:write'], inherits: ['reader'] })
  await at.role('chief', { permissions: ['*'] })
  for (const [roles, expected] of [
    [[], ''],
    [['nobody', '*', 'Reader'], ''],
    [['reader'], '/notes'],
    [['writer'], '/notes /write'],
    [['manager'], '/notes /write'],
    [['reader', 'user', 'requester', 'nobody'], '/widgets /notes /request'],
    [['chief'], paths.join(' ')],
    [['admin'], paths.join(' ')],
  ] as const)
    assert.equal(await opened(at, await at.somebody(...roles)), expected, roles.join(' '))
})

test('AZ1: a role of an area counts on its routes and on no other, by whatever it was inherited', async (context) => {
  const at = await roleScene(context)
  await at.role('lead', { permissions: ['widgets:read'], inherits: ['analyst'] })
  await at.role('narrow', { inherits: ['user'], scope: 'analytics' })
  await at.role('elsewhere', { inherits: ['analyst'], scope: 'sales' })
  await at.role('all', { permissions: ['*'], scope: 'analytics' })
  for (const [roles, expected] of [
    [['analyst'], '/analytics'],
    [['lead'], '/widgets /analytics'],
    [['narrow'], ''],
    [['narrow', 'analyst'], '/analytics'],
    [['elsewhere'], ''],
    [['all'], '/analytics'],
  ] as const)
    assert.equal(await opened(at, await at.somebody(...roles)), expected, roles.join(' '))

  const ada = await at.somebody('all', 'user')
  const me = await at.people.api('GET', '/api/auth/me', undefined, bearer(ada))
  assert.deepEqual(
    [me.body['roles'], me.body['permissions'], me.body['areas']],
    [['all', 'user'], ['widgets:read'], { analytics: ['*'] }],
  )
  const bob = await at.somebody('user')
  const his = await at.people.api('GET', '/api/auth/me', undefined, bearer(bob))
  assert.deepEqual([his.body['permissions'], 'areas' in his.body], [['widgets:read'], false])
})

test('A55: what somebody holds in an area alone is not theirs to give, nor to act by on our own endpoints', async (context) => {
  const at = await roleScene(context)
  await at.role('area-chief', { permissions: ['*'], scope: 'analytics' })
  await at.role('clerk', { permissions: ['users:manage', 'roles:manage'] })
  const [chief, clerk] = [await at.somebody('area-chief', 'clerk'), await at.somebody('clerk')]
  assert.equal((await at.people.api('GET', '/api/admin/services', undefined, bearer(chief))).status, 403)
  const bob = await at.somebody()
  for (const who of [chief, clerk]) assert.equal((await at.give(bob, ['analyst'], who)).status, 403)
  assert.equal((await at.ask('POST', '', { name: 'mine', permissions: ['reports:read'] }, chief)).status, 403)
  const analyst = await at.somebody('analyst')
  const lock = { reason: 'because' }
  for (const who of [chief, clerk])
    assert.equal((await at.people.api('POST', `/api/admin/users/${analyst.id}/lock`, lock, bearer(who))).status, 403)
})

test('AZ1: tokens tell what holds everywhere, and never decide by it', async (context) => {
  const at = await roleScene(context, { tokens: { claims: ['permissions'] } })
  await at.role('lead', { permissions: ['notes:read'], inherits: ['analyst'] })
  const { accounts, store } = at.people.house
  await accounts.create(store.db, {
    email: 'lead@people.example',
    name: 'Lead',
    password: 'seven violet rivers run',
    roles: ['lead'],
  })
  const said = { email: 'lead@people.example', password: 'seven violet rivers run' }
  const { body } = await at.people.api('POST', '/api/auth/login', said)
  const token = String(body['access_token'])
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
  assert.deepEqual(claims['permissions'], ['notes:read'])
  await at.ask('PUT', '/lead', { permissions: [] })
  assert.equal(await at.at('/notes', { id: '', email: '', access_token: token }), 403)
})

test('AZ1: the administrator’s role has the name that the configuration gives it, and `admin` is one like others', async (context) => {
  const at = await roleScene(context, {
    administrator: 'system_admin',
    roles: { admin: { permissions: ['widgets:read'] }, manager: { permissions: ['roles:manage'] } },
  })
  assert.equal(await opened(at, await at.somebody('admin')), '/widgets')
  assert.equal(await opened(at, at.root), paths.join(' '))
  assert.equal((await at.ask('POST', '', { name: 'system_admin' })).status, 409)
  assert.equal((await at.give(await at.somebody(), ['system_admin'], at.manager)).status, 403)
  assert.equal((await at.give(await at.somebody(), ['admin'])).status, 200)
  assert.deepEqual((await at.ask('GET', '/system_admin')).body['held'], ['*'])

  const { accounts, store } = at.people.house
  await store.db.deleteFrom('users').execute()
  const terminal = { out() {}, err() {}, isTerminal: false, environment: {}, clock: systemClock, random: systemRandom }
  const first = await firstAdministrator(at.people.house, terminal)
  assert.deepEqual((await accounts.byEmail(store.db, first?.email ?? ''))?.roles, ['system_admin'])
})

test('A56: a reload takes roles over, those of the store stay, and those that it names win', async (context) => {
  const at = await roleScene(context)
  await at.role('editor', { permissions: ['notes:read'], inherits: ['user'] })
  const ada = await at.somebody('editor')
  assert.equal(await opened(at, ada), '/widgets /notes')
  await at.reload({ roles: { user: { permissions: [] } } })
  assert.equal(await opened(at, ada), '/notes')
  await at.reload({ roles: {} })
  assert.equal(await opened(at, ada), '/notes', 'a parent that is gone takes nothing else along')
  await at.reload({ roles: { editor: { permissions: ['notes:write'] } } })
  assert.equal(await opened(at, ada), '/write')
  assert.equal((await at.ask('PUT', '/editor', { permissions: ['*'] })).status, 409)
  await at.reload({})
  assert.equal(await opened(at, ada), '/widgets /notes')
})

test('AZ5: with no roles described at all, there is the administrator’s and nobody else', async (context) => {
  const { house } = await startHouse(context, {})
  assert.deepEqual([...house.roleBook.table.names], ['admin'])
})

test('AZ1: a role and a route whose areas do not meet are told at the start, since neither is of any use', async (context) => {
  const roles = {
    analyst: { permissions: ['read'], scope: 'analytics' },
    clerk: { permissions: ['read'], scope: 'global' },
  }
  const warningsOf = async (area: string): Promise<readonly string[]> => {
    const { house } = await startHouse(context, { roles, routes: [{ path: '/a', require: 'read', area }] })
    return house.warnings.filter((warning) => warning.includes('area'))
  }
  assert.deepEqual(await warningsOf('analytics'), [])
  assert.deepEqual(await warningsOf('analitics'), [
    'the role `analyst` counts in `analytics`, and no route is in that area',
    'routes are in the area `analitics`, and no role of the configuration counts there alone',
  ])
})
