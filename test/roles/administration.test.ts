// Roles through the front door: who may make them, what they come to, and when that holds.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { bearer } from '../support/people.ts'
import { errorsOf, type RoleScene, roleScene, type Somebody } from './scene.ts'

let at: RoleScene
const closing: (() => unknown)[] = []

before(async () => {
  at = await roleScene({ after: (close: () => unknown) => void closing.push(close) } as never, {
    identity: { defaultRoles: ['newcomer'] },
    services: { reports: { roles: ['analyst'], permissions: [] } },
  })
})
after(async () => {
  for (const close of closing.reverse()) await close()
})

test('AZ1: a role is made, shown with what it comes to, changed and removed', async () => {
  const definition = { permissions: ['drafts:*', 'drafts:*'], inherits: ['user', 'analyst'] }
  const made = await at.ask('POST', '', { name: 'writer', ...definition })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const { created_at, updated_at, ...rest } = made.body
  assert.ok(Date.parse(String(created_at)) > 0 && created_at === updated_at)
  const described = {
    name: 'writer',
    origin: 'operator',
    permissions: ['drafts:*'],
    inherits: ['user', 'analyst'],
    scope: 'global',
    held: ['drafts:*', 'widgets:read'],
    areas: { analytics: ['reports:read'] },
    accounts: 0,
  }
  assert.deepEqual(rest, described)
  await at.somebody('writer')
  await at.somebody('writer', 'user')
  const shown = await at.ask('GET', '/writer')
  assert.deepEqual(shown.body, { ...made.body, accounts: 2 })
  const changed = await at.ask('PUT', '/writer', { permissions: ['a'], scope: 'analytics' })
  assert.deepEqual(
    [changed.status, changed.body['held'], changed.body['areas'], changed.body['inherits']],
    [200, [], { analytics: ['a'] }, []],
  )
  const administrator = await at.ask('GET', '/admin')
  assert.deepEqual(administrator.body['held'], ['*'])
  assert.equal(administrator.body['origin'], 'configuration')
})

test('AZ1: roles are listed by pages, those of the configuration first', async () => {
  for (const name of ['list-b', 'list-a', 'list-c']) await at.role(name)
  const names: string[] = []
  let query = '?limit=2'
  for (let page = 0; page < 20 && query !== ''; page++) {
    const { status, body } = await at.ask('GET', query)
    assert.equal(status, 200)
    names.push(...(body['roles'] as { name: string }[]).map(({ name }) => name))
    query = body['next'] === undefined ? '' : `?limit=2&after=${body['next']}`
  }
  assert.deepEqual(names.slice(0, 6), ['admin', 'analyst', 'approver', 'manager', 'requester', 'user'])
  assert.deepEqual(names.slice(6), names.slice(6).toSorted())
  assert.equal(new Set(names).size, names.length)
  assert.ok(['list-a', 'list-b', 'list-c'].every((name) => names.includes(name)))
  for (const wrong of ['?limit=0', '?limit=201', '?after=%00', '?after=a%20b', '?page=2'])
    assert.equal((await at.ask('GET', wrong)).status, 422, wrong)
})

test('AZ1: what is wrong with a role is told field by field', async () => {
  await at.role('parent')
  await at.role('child', { inherits: ['parent'] })
  await at.role('grandchild', { inherits: ['child'] })
  const wrong = async (body: object, field: string, message: RegExp, path = ''): Promise<void> => {
    const answer = await at.ask(path === '' ? 'POST' : 'PUT', path, body)
    assert.equal(answer.status, 422, JSON.stringify(answer.body))
    assert.match(errorsOf(answer)[field]?.join() ?? JSON.stringify(answer.body), message)
  }
  const name = 'wrong'
  await wrong({}, 'name', /./)
  await wrong({ name: 'a b' }, 'name', /expected 1 to 64 letters/)
  await wrong({ name: 'a'.repeat(65) }, 'name', /expected 1 to 64 letters/)
  await wrong({ name: 'a\0' }, 'name', /expected 1 to 64 letters/)
  await wrong({ name, permissions: ['a b'] }, 'permissions.0', /expected a permission/)
  await wrong({ name, permissions: ['task:*:own'] }, 'permissions.0', /expected a permission/)
  await wrong({ name, permissions: Array.from({ length: 201 }, (_, index) => `p:${index}`) }, 'permissions', /200/)
  await wrong({ name, scope: '' }, 'scope', /`global`, or an area/)
  await wrong({ name, origin: 'configuration' }, 'origin', /not a known field/)
  await wrong({ name, inherits: ['user', 'nobody'] }, 'inherits.1', /no role is called `nobody`/)
  await wrong({ name, inherits: ['wrong'] }, 'inherits.0', /a circle/)
  await wrong({ inherits: ['grandchild'] }, 'inherits.0', /`grandchild` inherits from `parent`: a circle/, '/parent')
  assert.equal((await at.ask('GET', '/wrong')).status, 404)
})

test('AZ1: a role of the configuration is changed there alone, and no other takes its name', async () => {
  for (const [method, path, body] of [
    ['POST', '', { name: 'user' }],
    ['POST', '', { name: 'admin', permissions: [] }],
    ['PUT', '/user', {}],
    ['PUT', '/admin', {}],
    ['DELETE', '/analyst', undefined],
  ] as const) {
    const answer = await at.ask(method, path, body)
    assert.equal(answer.status, 409, `${method} ${path}`)
    assert.match(String(answer.body['error']), /stands in the configuration/)
  }
  await at.role('taken')
  const again = await at.ask('POST', '', { name: 'taken' })
  assert.deepEqual([again.status, errorsOf(again)['name']], [409, ['is taken']])
  for (const [method, path, body] of [
    ['GET', '/nobody'],
    ['PUT', '/nobody', {}],
    ['DELETE', '/nobody'],
    ['GET', '/a%20b'],
    ['DELETE', '/constructor'],
    ['PUT', '/__proto__', {}],
  ] as const)
    assert.equal((await at.ask(method, path, body)).status, 404, `${method} ${path}`)
})

test('A55: nobody makes, changes or removes a role that comes to more than they hold', async () => {
  const refused = async (method: string, path: string, body?: object): Promise<void> => {
    const answer = await at.ask(method, path, body, at.manager)
    assert.equal(answer.status, 403, `${method} ${path} ${JSON.stringify(answer.body)}`)
    assert.match(String(answer.body['error']), /^Permission '.+' required$/)
  }
  for (const said of [
    { permissions: ['*'] },
    { permissions: ['system:config'] },
    { permissions: ['notes:read', 'users:*'] },
    { permissions: ['system:config'], scope: 'analytics' },
    { inherits: ['admin'] },
    { inherits: ['analyst'] },
    { permissions: ['reports:read'], scope: 'analytics' },
  ])
    await refused('POST', '', { name: 'rising', ...said })
  assert.equal((await at.ask('POST', '', { name: 'level', permissions: ['notes:*'] }, at.manager)).status, 201)
  await refused('PUT', '/level', { permissions: ['notes:*', 'system:config'] })
  assert.equal((await at.ask('PUT', '/level', { permissions: ['notes:read'] }, at.manager)).status, 200)

  await at.role('higher', { permissions: ['system:config'] })
  await refused('PUT', '/higher', { permissions: [] })
  await refused('DELETE', '/higher')
  await refused('PUT', '/level', { inherits: ['higher'] })
  assert.equal((await at.ask('DELETE', '/level', undefined, at.manager)).status, 200)
  assert.equal((await at.ask('GET', '/rising')).status, 404)

  const ada = await at.somebody('user')
  for (const [method, path, body] of [
    ['GET', ''],
    ['GET', '/user'],
    ['POST', '', { name: 'mine' }],
    ['PUT', '/higher', {}],
    ['DELETE', '/higher'],
  ] as const)
    assert.equal((await at.ask(method, path, body, ada)).status, 403, `${method} ${path}`)
  assert.equal((await at.people.api('GET', '/api/admin/roles')).status, 401)
})

test('A50: a role is changed by a person who signed in lately, and by no key', async () => {
  const made = await at.people.api('POST', '/api/keys', { name: 'a job', permissions: ['*'] }, bearer(at.root))
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const headers = { 'x-api-key': String(made.body['key']) }
  assert.equal((await at.people.api('GET', '/api/admin/roles', undefined, headers)).status, 200)
  const answer = await at.people.api('POST', '/api/admin/roles', { name: 'made-by-a-key' }, headers)
  assert.ok(answer.status === 401 || answer.status === 403, `${answer.status}`)
})

test('AZ1: a role that somebody still has, or that others rest on, is not removed', async () => {
  const refused = async (name: string, message: RegExp): Promise<void> => {
    const answer = await at.ask('DELETE', `/${name}`)
    assert.equal(answer.status, 409, JSON.stringify(answer.body))
    assert.match(String(answer.body['error']), message)
  }
  await at.role('held')
  const ada = await at.somebody('held', 'user')
  await at.somebody('held')
  const create = { name: 'worker', roles: ['held'] }
  assert.equal((await at.people.api('POST', '/api/admin/services', create, bearer(at.root))).status, 201)
  await refused('held', /^2 accounts and 1 services have the role/)
  await at.role('heir', { inherits: ['held'] })
  await refused('held', /1 roles inherit from it: heir/)
  assert.equal((await at.ask('DELETE', '/heir')).status, 200)
  assert.equal((await at.people.api('DELETE', '/api/admin/services/worker', undefined, bearer(at.root))).status, 200)
  await refused('held', /^2 accounts and 0 services/)
  await at.role('newcomer')
  await refused('newcomer', /defaultRoles/)
  assert.equal((await at.give(ada, ['user'])).status, 200)
})

test('A56: a change holds on the next request, for a token from before, for a key and for a browser', async () => {
  const lent = ['notes:*', 'widgets:*']
  await at.role('changing', { permissions: lent })
  const ada = await at.somebody('changing')
  const made = await at.people.api('POST', '/api/keys', { name: 'hers', permissions: lent }, bearer(ada))
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const { house } = at.people
  const proof = { methods: ['password' as const], at: Date.now() }
  const device = { address: '', userAgent: '' }
  const { cookie } = await house.people.browsers.open(house.store.db, ada.id, device, proof)
  const callers = [bearer(ada), { 'x-api-key': String(made.body['key']) }, { cookie: `__Host-gatehouse=${cookie}` }]
  const each = async (path: string): Promise<readonly number[]> =>
    Promise.all(callers.map(async (headers) => (await at.people.api('GET', path, undefined, headers)).status))
  assert.deepEqual(await each('/notes'), [200, 200, 200])
  for (let turn = 0; turn < 3; turn++) {
    await at.ask('PUT', '/changing', { permissions: ['widgets:*'] })
    assert.deepEqual(
      [await each('/notes'), await each('/widgets')],
      [
        [403, 403, 403],
        [200, 200, 200],
      ],
    )
    await at.ask('PUT', '/changing', { inherits: ['user'], permissions: ['notes:*'] })
    assert.deepEqual(
      [await each('/notes'), await each('/widgets')],
      [
        [200, 200, 200],
        [200, 200, 200],
      ],
    )
  }
  assert.equal((await at.give(ada, [])).status, 200)
  assert.equal((await at.ask('DELETE', '/changing')).status, 200)
  assert.deepEqual(await each('/notes'), [401, 403, 401])
})

test('A58: who acts as somebody whose role is changed acts no more, for they might hold less', async () => {
  await at.role('acted', { permissions: ['notes:read'] })
  await at.role('under', { inherits: ['acted'] })
  const ada = await at.somebody('under')
  const other = await at.somebody('user')
  const actAs = async (whom: Somebody): Promise<Somebody> => {
    const said = { reason: 'to see what they see', minutes: 5 }
    const path = `/api/admin/users/${whom.id}/impersonate`
    const answer = await at.people.api('POST', path, said, bearer(at.manager))
    return { ...whom, access_token: String(answer.body['access_token']) }
  }
  const acting = await actAs(ada)
  assert.equal(await at.at('/notes', acting), 200)
  assert.equal((await actAs(other)).access_token, 'undefined', 'who holds what the manager does not')
  assert.equal((await at.ask('PUT', '/acted', { permissions: ['notes:read', 'system:config'] })).status, 200)
  assert.deepEqual([await at.at('/system', acting), await at.at('/system', ada)], [401, 200])
  assert.equal((await actAs(ada)).access_token, 'undefined', 'nor again')
})

test('A58: who acts as somebody acts no more when a role of their own is changed, for they might hold no more than that', async () => {
  await at.role('support', { permissions: ['users:manage', 'notes:*'] })
  await at.role('helped', { permissions: ['notes:read'] })
  const [support, ada] = [await at.somebody('support'), await at.somebody('helped')]
  const said = { reason: 'to see what they see', minutes: 60 }
  const path = `/api/admin/users/${ada.id}/impersonate`
  const { body } = await at.people.api('POST', path, said, bearer(support))
  const acting = { ...ada, access_token: String(body['access_token']) }
  assert.equal(await at.at('/notes', acting), 200)
  assert.equal((await at.ask('PUT', '/support', {})).status, 200)
  assert.deepEqual([await at.at('/notes', acting), await at.at('/notes', support)], [401, 403])
  assert.equal(await at.at('/notes', ada), 200, 'whom they acted as goes on')
})

test('AZ1: no role reads like another, and names that every object has are names like others', async () => {
  for (const name of ['Admin', 'ADMIN', 'Approver', 'USER']) {
    const { status, body } = await at.ask('POST', '', { name })
    assert.equal(status, 409, name)
    assert.match(String(body['error']), new RegExp(`\`${name.toLowerCase()}\` is there already`))
  }
  for (const name of ['admin.', ' admin', 'admin ', 'аdmin', 'ａdmin', 'adm\u0131n', 'admin\u0301', 'admin\0', '*', ''])
    assert.equal((await at.ask('POST', '', { name })).status, 422, JSON.stringify(name))
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const before = await at.somebody(name)
    assert.equal(await at.at('/notes', before), 403, name)
    assert.equal((await at.ask('GET', `/${name}`)).status, 404, name)
    await at.role(name, { permissions: ['notes:read'] })
    assert.deepEqual([await at.at('/notes', before), await at.at('/write', before)], [200, 403], name)
    assert.equal((await at.give(before, [])).status, 200)
    assert.equal((await at.ask('DELETE', `/${name}`)).status, 200)
  }
})

test('A55: an invitation gives roles as they are when it is taken up', async () => {
  await at.role('invited', { permissions: ['notes:read'] })
  const invite = (email: string, by: Somebody): Promise<{ readonly status: number }> =>
    at.people.api('POST', '/api/admin/users', { email, roles: ['invited'] }, bearer(by))
  const accept = async (email: string): Promise<number> => {
    const token = await at.people.token(email)
    const body = { token, password: 'seven violet rivers run' }
    return (await at.people.api('POST', '/api/auth/invitation', body)).status
  }
  for (const email of ['first@people.example', 'second@people.example', 'third@people.example'])
    assert.equal((await invite(email, at.manager)).status, 202)
  assert.equal(await accept('first@people.example'), 201)
  await at.ask('PUT', '/invited', { permissions: ['system:config'] })
  assert.equal(await accept('second@people.example'), 400, 'the manager could not give it now')
  await at.ask('PUT', '/invited', { permissions: ['notes:read'] })
  const { accounts, store } = at.people.house
  const first = await accounts.byEmail(store.db, 'first@people.example')
  await accounts.setRoles(store.db, first?.id ?? '', [])
  assert.equal((await at.ask('DELETE', '/invited')).status, 200)
  assert.equal(await accept('third@people.example'), 400, 'what is gone is not given')
  assert.equal((await invite('fourth@people.example', at.root)).status, 422)
})

test('A55: what inherits without end is refused, and so is one role too many', async () => {
  let parent = 'deep-0'
  await at.role(parent)
  for (let depth = 1; depth <= 100; depth++) {
    const name = `deep-${depth}`
    await at.role(name, { inherits: [parent] })
    parent = name
  }
  const deeper = await at.ask('POST', '', { name: 'deeper', inherits: [parent] })
  assert.equal(deeper.status, 422)
  assert.match(errorsOf(deeper)['inherits']?.join() ?? '', /`deeper` would inherit from more than 100 roles/)
  const below = await at.ask('PUT', '/deep-0', { inherits: ['user'] })
  assert.equal(below.status, 422)
  assert.match(errorsOf(below)['inherits']?.join() ?? '', /`deep-100` would inherit/)

  const { store, roleStore } = at.people.house
  const { stored } = at.people.house.roleBook
  await store.transaction(async (trx) => {
    for (let made = stored.size; made < 1_000; made++)
      await roleStore.insert(trx, `many-${made}`, { permissions: [], inherits: [], scope: 'global' })
  })
  const [one, other] = await Promise.all(['one', 'other'].map((name) => at.ask('POST', '', { name })))
  for (const answer of [one, other]) {
    assert.equal(answer?.status, 409)
    assert.match(String(answer?.body['error']), /There are 1000 roles/)
  }
  await store.transaction((trx) => roleStore.remove(trx, 'many-999'))
  const last = await Promise.all(['one', 'other'].map((name) => at.ask('POST', '', { name })))
  assert.deepEqual(last.map(({ status }) => status).toSorted(), [201, 409])
})

test('A60: each change is in the record, with who made it and what was before', async () => {
  await store()
  const by = at.root.id
  await at.ask('DELETE', '/one')
  await at.ask('DELETE', '/other')
  await at.role('recorded', { permissions: ['a', 'b'], inherits: ['user'] })
  await at.ask('PUT', '/recorded', { permissions: ['b', 'c'], scope: 'analytics' })
  await at.ask('PUT', '/recorded', { permissions: ['*'] }, at.manager)
  await at.ask('DELETE', '/recorded')
  const events = (await at.people.events()).filter(
    ({ resource, action }) => resource.id === 'recorded' && action !== 'refused',
  )
  assert.deepEqual(
    events.map(({ action, actor, details }) => [action, actor.id === by, details]),
    [
      ['role.create', true, { inherits: 'user', permissions: 'a b', scope: 'global' }],
      [
        'role.change',
        true,
        {
          added: 'c',
          before_inherits: 'user',
          before_permissions: 'a b',
          before_scope: 'global',
          inherits: '',
          permissions: 'b c',
          removed: 'a role:user',
          scope: 'analytics',
        },
      ],
      ['role.remove', true, { inherits: '', permissions: 'b c', scope: 'analytics' }],
    ],
  )

  /** Makes room. */
  async function store(): Promise<void> {
    const { store: rooms, roleStore } = at.people.house
    await rooms.transaction((trx) => roleStore.remove(trx, 'many-998'))
  }
})
