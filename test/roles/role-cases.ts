// Roles that administrators make, alike on every store.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { RoleBook, type RoleConfiguration } from '../../src/authz/role/book.ts'
import { RoleStore } from '../../src/authz/role/store.ts'
import { command as user } from '../../src/cli/user.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import type { Log, LogFields } from '../../src/kernel/log.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { bearer } from '../support/people.ts'
import { type FreshStore, roleScene, roles, separationOfDuty } from './scene.ts'

const rules: RoleConfiguration = {
  roles: { user: { permissions: ['widgets:read'] } },
  scopes: {},
  administrator: 'admin',
  separations: [],
}
const plain = { inherits: [], scope: 'global' }

export function roleCases(fresh: FreshStore): void {
  test('A56: a node hears of each change, and reads no role while there is none', async (context) => {
    const url = await fresh(context)
    const store = await opened(context, url)
    const [here, there] = [book(), book()]
    const { table } = there
    await there.hear(store.db)
    await change(store, here, (trx) => roleStore.insert(trx, 'editor', { permissions: ['notes:*'], ...plain }))
    await there.hear(store.db)
    assert.equal(there.table, table, 'the same for as long as the house stands')
    for (const one of [here, there]) assert.deepEqual([...one.table.permissionsOf(['editor'])], ['notes:*'])
    const before = there.stored
    await there.hear(store.db)
    assert.equal(there.stored, before)
    await change(store, here, (trx) => roleStore.change(trx, 'editor', { permissions: ['notes:read'], ...plain }))
    await there.hear(store.db)
    assert.deepEqual([...table.permissionsOf(['editor'])], ['notes:read'])
    await change(store, here, (trx) => roleStore.remove(trx, 'editor'))
    await there.hear(store.db)
    assert.deepEqual([[...table.permissionsOf(['editor'])], table.names.has('editor')], [[], false])
  })

  test('AZ1: a role of the configuration wins over one of the store, and the log says so once', async (context) => {
    const store = await opened(context, await fresh(context))
    const lines: string[] = []
    const one = book(lines)
    await change(store, one, (trx) => roleStore.insert(trx, 'user', { permissions: ['*'], ...plain }))
    await change(store, one, (trx) => roleStore.insert(trx, 'admin', { permissions: [], ...plain }))
    await change(store, one, (trx) => roleStore.insert(trx, 'chief', { permissions: ['notes:*'], ...plain }))
    assert.deepEqual([...one.table.permissionsOf(['user'])], ['widgets:read'])
    assert.deepEqual([...one.table.permissionsOf(['admin'])], ['*'])
    one.follow({ ...rules, administrator: 'chief' })
    assert.deepEqual([...one.table.permissionsOf(['chief'])], ['*'], 'nor does one take the administrator’s name')
    assert.deepEqual([...one.table.permissionsOf(['admin'])], [], 'another administrator, another name')
    one.follow({ ...rules, roles: {} })
    assert.deepEqual([...one.table.permissionsOf(['user'])], ['*'], 'when the configuration has it no more')
    one.follow(rules)
    assert.equal(lines.filter((line) => line.startsWith('user')).length, 1, lines.join('\n'))
  })

  test('AZ1: a role whose parent is gone grants the rest, and one that cannot be read grants nothing', async (context) => {
    const store = await opened(context, await fresh(context))
    const one = book()
    const inherits = ['user', 'gone']
    await change(store, one, (trx) => roleStore.insert(trx, 'a', { permissions: ['a:a'], inherits, scope: 'global' }))
    assert.deepEqual([...one.table.permissionsOf(['a'])], ['a:a', 'widgets:read'])
    one.follow({ ...rules, roles: {} })
    assert.deepEqual([...one.table.permissionsOf(['a'])], ['a:a'])
    for (const definition of ['{', '[]', '{"permissions":["*",1]}', '{"permissions":["*"],"more":1}'])
      await change(store, one, async (trx) => {
        await roleStore.change(trx, 'a', { permissions: [], ...plain })
        await trx.updateTable('roles').set({ definition }).where('name', '=', 'a').execute()
      }).then(() => assert.deepEqual([...one.table.permissionsOf(['a'])], [], definition))
  })

  test('A54: whoever gives a role has it as it is in the store, and whoever changes one waits for them', async (context) => {
    const url = await fresh(context)
    const stores = await Promise.all([opened(context, url), opened(context, url)])
    const [here, there] = [book(), book()]
    await change(stores[0], here, (trx) => roleStore.insert(trx, 'editor', { permissions: ['notes:read'], ...plain }))
    // The other node has not heard yet.
    assert.equal(there.table.names.has('editor'), false)
    const read = await stores[1].transaction((trx) => there.hold(trx))
    assert.deepEqual([...read.table.permissionsOf(['editor'])], ['notes:read'])
    for (let turn = 0; turn < 5; turn++) {
      const order: string[] = []
      const permissions = [`notes:${turn}`]
      await Promise.all([
        stores[0].transaction(async (trx) => {
          await here.hold(trx)
          await roleStore.change(trx, 'editor', { permissions, ...plain })
          await pause(10)
          order.push('changed')
        }),
        stores[1].transaction(async (trx) => {
          const { table } = await there.hold(trx)
          const seen = [...table.permissionsOf(['editor'])]
          await pause(10)
          const again = await there.hold(trx)
          assert.deepEqual([...again.table.permissionsOf(['editor'])], seen, 'it stays so until the end')
          order.push(seen[0] === permissions[0] ? 'saw the new' : 'saw the old')
        }),
      ])
      assert.ok(
        ['changed,saw the new', 'saw the old,changed'].includes(order.join()),
        `the order of what was seen is that of what was done: ${order}`,
      )
    }
  })

  test('A56: what one node changes holds on its next request, and on another node within a second', async (context) => {
    const store = await fresh(context)
    const [here, there] = [await roleScene(context, { store }), await roleScene(context, { store })]
    await here.role('editor', { permissions: ['notes:read'] })
    const ada = await here.somebody('editor')
    assert.deepEqual([await here.at('/notes', ada), await here.at('/write', ada)], [200, 403])
    await becomes(200, () => there.at('/notes', ada))
    // What the other node has not heard yet is given all the same, and not more easily.
    await here.role('late', { permissions: ['system:config'] })
    const bob = await there.somebody()
    assert.equal((await there.give(bob, ['late'], there.manager)).status, 403)
    assert.equal((await there.give(bob, ['late'])).status, 200)

    assert.equal((await here.ask('PUT', '/editor', { permissions: ['notes:write'] })).status, 200)
    const changed = performance.now()
    assert.deepEqual([await here.at('/notes', ada), await here.at('/write', ada)], [403, 200])
    await becomes(403, () => there.at('/notes', ada))
    assert.ok(performance.now() - changed < 1_500, `${performance.now() - changed} ms`)
    assert.equal(await there.at('/write', ada), 200)
    assert.equal((await there.give(ada, [], there.root)).status, 200)
    assert.equal((await there.ask('DELETE', '/editor')).status, 200)
    assert.equal((await here.ask('GET', '/editor')).status, 404)
  })

  test('A54: of two who make one role at one moment one makes it, and of changes none is lost', async (context) => {
    const store = await fresh(context)
    const [here, there] = [await roleScene(context, { store }), await roleScene(context, { store })]
    const nodes = [here, there, here, there]
    const made = await Promise.all(nodes.map((at) => at.ask('POST', '', { name: 'racing' })))
    assert.deepEqual(made.map(({ status }) => status).toSorted(), [201, 409, 409, 409])
    const permissions = ['a', 'b', 'c', 'd']
    const changed = await Promise.all(
      nodes.map((at, index) => at.ask('PUT', '/racing', { permissions: [permissions[index]] })),
    )
    assert.deepEqual(
      changed.map(({ status }) => status),
      [200, 200, 200, 200],
    )
    await here.people.house.audit.flush()
    await there.people.house.audit.flush()
    const events = (await here.people.events()).filter(({ action }) => action === 'role.change')
    assert.deepEqual(events.map(({ details }) => details['permissions']).toSorted(), permissions)
    let last = ''
    for (const { details } of events) {
      assert.equal(details['before_permissions'], last, 'each begins where the one before it ended')
      last = String(details['permissions'])
    }
    assert.deepEqual((await there.ask('GET', '/racing')).body['permissions'], [last])
  })

  test('A56: a role is not widened while somebody gives it who may not give the wider one', async (context) => {
    const store = await fresh(context)
    const [here, there] = [await roleScene(context, { store }), await roleScene(context, { store })]
    for (let turn = 0; turn < 6; turn++) {
      const name = `widening-${turn}`
      await here.role(name, { permissions: ['notes:read'] })
      const ada = await there.somebody()
      const [widened, given] = await Promise.all([
        here.ask('PUT', `/${name}`, { permissions: ['system:config'] }),
        there.give(ada, [name], there.manager),
      ])
      assert.equal(widened.status, 200)
      await Promise.all([here.people.house.audit.flush(), there.people.house.audit.flush()])
      const order = (await here.people.events())
        .filter(({ action, resource }) => resource.id === (action === 'role.change' ? name : ada.id))
        .map(({ action }) => action)
      assert.deepEqual(
        order.filter((action) => action === 'role.change' || action === 'user.roles'),
        given.status === 200 ? ['user.roles', 'role.change'] : ['role.change'],
        `${given.status}`,
      )
    }
  })

  test('A54: a role is not removed while somebody is given it', async (context) => {
    const store = await fresh(context)
    const [here, there] = [await roleScene(context, { store }), await roleScene(context, { store })]
    for (let turn = 0; turn < 6; turn++) {
      const name = `going-${turn}`
      await here.role(name)
      const ada = await there.somebody()
      const [removed, given] = await Promise.all([here.ask('DELETE', `/${name}`), there.give(ada, [name])])
      const outcome = `${removed.status} ${given.status}`
      assert.ok(outcome === '200 422' || outcome === '409 200', outcome)
      if (removed.status === 409) assert.equal(removed.body['accounts'], 1)
    }
  })

  test('A58: nobody acts as somebody who is given more at the same moment', async (context) => {
    const store = await fresh(context)
    const [here, there] = [await roleScene(context, { store }), await roleScene(context, { store })]
    const said = { reason: 'to see what they see', minutes: 5 }
    for (let turn = 0; turn < 8; turn++) {
      const ada = await here.somebody('user')
      await here.give(ada, [])
      const [given, acting] = await Promise.all([
        here.give(ada, ['approver']),
        there.people.api('POST', `/api/admin/users/${ada.id}/impersonate`, said, bearer(there.manager)),
      ])
      assert.equal(given.status, 200)
      if (acting.status === 200)
        await becomes(401, () => there.at('/widgets', { ...ada, access_token: String(acting.body['access_token']) }))
      else assert.equal(acting.status, 403)
    }
  })

  test('A56: of two commands at one moment none gives what is kept apart from what the other gave', async (context) => {
    const dir = throwAwayFolder(context)
    const config = join(dir, 'gatehouse.config.json')
    writeFileSync(config, JSON.stringify({ roles, separationOfDuty, store: await fresh(context) }))
    const call = (...args: readonly string[]): Promise<Outcome> =>
      run(user, [...args, '--config', config, '--data', dir])
    for (let turn = 0; turn < 6; turn++) {
      const ada = `ada-${turn}@example.com`
      assert.equal((await call('create', ada)).code, 0)
      const granted = await Promise.all(['requester', 'approver'].map((name) => call('grant', ada, name)))
      assert.deepEqual(granted.map(({ code }) => code).toSorted(), [0, 2], JSON.stringify(granted))
    }
  })

  test('A56: roles that are kept apart do not come together by two changes at one moment', async (context) => {
    const store = await fresh(context)
    const nodes = [
      await roleScene(context, { store, separationOfDuty }),
      await roleScene(context, { store, separationOfDuty }),
    ] as const
    const [here, there] = nodes
    for (let turn = 0; turn < 4; turn++) {
      const name = `duty-${turn}`
      await here.role(name)
      const ada = await there.somebody()
      const [inherited, given] = await Promise.all([
        here.ask('PUT', `/${name}`, { inherits: ['approver'] }),
        there.give(ada, ['requester', name]),
      ])
      assert.deepEqual([inherited.status, given.status].toSorted(), [200, 409])
    }
    const { body } = await here.ask('GET')
    assert.equal(body['conflicts'], undefined)
    const cut = await here.people.api('GET', '/api/admin/roles?limit=2', undefined, bearer(here.root))
    assert.equal((cut.body['roles'] as unknown[]).length, 6 + 2, 'those of the configuration, and a page')
  })
}

const roleStore = new RoleStore({ clock: testClock(), random: systemRandom })

function book(lines: string[] = []): RoleBook {
  const at = ({ role }: LogFields): void => void lines.push(`${role}`)
  const log: Log = { debug: at, info: at, warn: at, error: at }
  return new RoleBook({ store: roleStore, log, rules })
}

async function opened(context: { after(close: () => Promise<void>): void }, url: string): Promise<Store> {
  const store = await openStore(url)
  context.after(() => store.close())
  return store
}

async function change(store: Store, one: RoleBook, work: (trx: Store['db']) => Promise<void>): Promise<void> {
  await store.transaction(async (trx) => {
    await one.hold(trx)
    await work(trx)
  })
  await one.hear(store.db)
}

async function becomes(status: number, ask: () => Promise<number>): Promise<void> {
  await eventually(async () => ((await ask()) === status ? true : undefined))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
