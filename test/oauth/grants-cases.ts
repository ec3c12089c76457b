// What people allow the programs of others, alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { hold } from '../../src/authn/account/hold.ts'
import { RevocationList } from '../../src/authn/session/revocation-list.ts'
import { Sessions } from '../../src/authn/session/sessions.ts'
import { unbound } from '../../src/authn/token/binding.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { rootKey } from '../../src/keys/root.ts'
import { Grants, grantScopesMax, grantsMax, type NewGrant } from '../../src/oauth/grants.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import type { FreshStore } from '../authn/account-cases.ts'
import { type TestClock, testClock } from '../support/clock.ts'

const house = 'https://gate.example.com'
const mcp = `${house}/mcp`
const hour = 3_600_000

interface Scene {
  readonly store: Store
  readonly clock: TestClock
  readonly grants: Grants
  /** Allows as the desk does it: the account is held first. Ada allows `web-app`, where nobody else is named. */
  allow(allowed: NewGrant['allowed'], who?: Partial<NewGrant>): ReturnType<Grants['allow']>
  allowed(clientId?: string, userId?: string): Promise<NewGrant['allowed'] | undefined>
}

export function grantCases(fresh: FreshStore): void {
  async function scene(context: TestContext): Promise<Scene> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    const clock = testClock()
    const grants = new Grants({ clock })
    for (const id of ['ada', 'bob']) await addPerson(store, id)
    return {
      store,
      clock,
      grants,
      allow(allowed, who) {
        const grant = { userId: 'ada', clientId: 'web-app', clientName: 'Web App', ...who, allowed }
        return store.transaction(async (trx) => {
          await hold(trx, grant.userId)
          return grants.allow(trx, grant)
        })
      },
      async allowed(clientId = 'web-app', userId = 'ada') {
        return (await grants.find(store.db, userId, clientId))?.allowed
      },
    }
  }

  test('A29: what is allowed is added to what was, resource by resource, and says whether it is more', async (context) => {
    const { store, clock, grants, allow } = await scene(context)
    const begun = clock.now()
    assert.deepEqual(await allow({ [house]: ['widgets:read'], openid: ['openid'] }), { isNew: true })
    clock.advance(hour)
    assert.deepEqual(await allow({ [house]: ['widgets:read'] }, { clientName: 'Web App 2' }), { isNew: false })
    assert.deepEqual(await allow({ [house]: ['widgets:write'] }), { isNew: true })
    assert.deepEqual(await allow({ [mcp]: ['widgets:read'], openid: [], [`${house}/none`]: [] }), { isNew: true })
    const [grant, ...others] = await grants.of(store.db, 'ada')
    assert.deepEqual(others, [])
    assert.deepEqual(grant, {
      handle: grant?.handle,
      clientId: 'web-app',
      clientName: 'Web App',
      allowed: { [house]: ['widgets:read', 'widgets:write'], openid: ['openid'], [mcp]: ['widgets:read'] },
      createdAt: begun,
      updatedAt: begun + hour,
    })
    assert.match(grant?.handle ?? '', /^[\w-]{22}$/)
  })

  test('A29: a grant is of one person and one client, and withdrawn by that person alone', async (context) => {
    const { store, grants, allow, allowed } = await scene(context)
    await allow({ [house]: ['widgets:read'] })
    await allow({ [house]: ['widgets:write'] }, { userId: 'bob' })
    await allow({ [mcp]: ['mcp:tools'] }, { clientId: 'https://app.example.com/client.json' })
    assert.equal(
      await store.transaction((trx) => grants.withdraw(trx, 'bob', 'https://app.example.com/client.json')),
      false,
    )
    assert.equal(await store.transaction((trx) => grants.withdraw(trx, 'ada', 'web-app')), true)
    assert.equal(await allowed(), undefined)
    assert.deepEqual(await allowed('web-app', 'bob'), { [house]: ['widgets:write'] })
    assert.deepEqual(
      (await grants.of(store.db, 'ada')).map(({ clientId }) => clientId),
      ['https://app.example.com/client.json'],
    )
  })

  test('A29: of many withdrawals at one moment one finds something', async (context) => {
    const { store, grants, allow } = await scene(context)
    await allow({ [house]: ['widgets:read'] })
    const found = await Promise.all(
      Array.from({ length: 8 }, () => store.transaction((trx) => grants.withdraw(trx, 'ada', 'web-app'))),
    )
    assert.equal(found.filter(Boolean).length, 1)
  })

  test('A29: what is allowed at one moment in many places is allowed together, and new once for each', async (context) => {
    const { allow, allowed } = await scene(context)
    const scopes = Array.from({ length: 8 }, (_, index) => `scope:${index}`)
    const answers = await Promise.all([...scopes, ...scopes].map((scope) => allow({ [house]: [scope] })))
    assert.deepEqual([...((await allowed())?.[house] ?? [])].sort(), scopes)
    assert.equal(answers.filter((answer) => 'isNew' in answer && answer.isNew).length, scopes.length)
  })

  test('A29: a person has a bounded number of applications, and one that is full can still be changed and made room in', async (context) => {
    const { store, grants, allow } = await scene(context)
    for (let index = 0; index < grantsMax - 1; index++)
      await allow({ [house]: ['widgets:read'] }, { clientId: `client-${index}` })
    const answers = await Promise.all(
      ['one', 'two', 'three'].map((clientId) => allow({ [house]: ['widgets:read'] }, { clientId })),
    )
    const refused = answers.filter((answer) => 'code' in answer)
    assert.deepEqual(
      refused.map((answer) => 'code' in answer && answer.code),
      ['conflict', 'conflict'],
    )
    assert.equal((await grants.of(store.db, 'ada')).length, grantsMax)
    assert.deepEqual(await allow({ [house]: ['widgets:write'] }, { clientId: 'client-0' }), { isNew: true })
    assert.deepEqual(await allow({ [house]: ['widgets:read'] }, { userId: 'bob' }), { isNew: true })
    await grants.withdraw(store.db, 'ada', 'client-0')
    assert.deepEqual(await allow({ [house]: ['widgets:read'] }, { clientId: 'client-0' }), { isNew: true })
  })

  test('A29: an application has a bounded number of scopes; beyond it nothing is changed', async (context) => {
    const { allow, allowed } = await scene(context)
    const many = Array.from({ length: grantScopesMax - 1 }, (_, index) => `scope:${index}`)
    assert.deepEqual(await allow({ [house]: many }), { isNew: true })
    const refused = await allow({ [house]: ['one'], [mcp]: ['two'] })
    assert.equal('code' in refused && refused.code, 'conflict')
    assert.match('detail' in refused ? refused.detail : '', new RegExp(String(grantScopesMax)))
    assert.deepEqual(await allowed(), { [house]: many })
    assert.deepEqual(await allow({ [mcp]: ['two'] }), { isNew: true })
  })

  test('a client that is no more is forgotten for everybody, and nobody else with it', async (context) => {
    const { store, grants, allow, allowed } = await scene(context)
    await allow({ [house]: ['widgets:read'] })
    await allow({ [house]: ['widgets:read'] }, { userId: 'bob' })
    await allow({ [house]: ['widgets:read'] }, { clientId: 'other-app' })
    assert.equal(await store.transaction((trx) => grants.removeClient(trx, 'web-app')), 2)
    assert.equal(await store.transaction((trx) => grants.removeClient(trx, 'web-app')), 0)
    assert.deepEqual([await allowed(), await allowed('web-app', 'bob')], [undefined, undefined])
    assert.deepEqual(await allowed('other-app'), { [house]: ['widgets:read'] })
  })

  test('a client was last used when it last gave a sign of life for this person, be its tokens alive or not', async (context) => {
    const { store, clock, grants } = await scene(context)
    const revocationList = new RevocationList({ clock, ttlMs: hour })
    const lives = { refreshTtlMs: 24 * hour, refreshIdleMs: 24 * hour, clientIdleMs: 24 * hour, browserIdleMs: hour }
    const root = rootKey('a root secret for the tests, long enough')
    const sessions = new Sessions({ clock, random: systemRandom, root, revocationList, graceMs: 0, ...lives })
    const device = { address: '203.0.113.7', userAgent: 'test' }
    const open = async (userId: string, id: string): Promise<string> => {
      const family = { id, scopes: [], resources: [], ...unbound, parentId: undefined, ttlMs: hour }
      const proof = { methods: ['password'], at: clock.now() } as const
      return (await sessions.openForClient(store.db, userId, device, proof, family)).session.id
    }
    await sessions.open(store.db, 'ada', device, { methods: ['password'], at: clock.now() })
    await open('ada', 'web-app')
    clock.advance(hour / 2)
    const latest = clock.now()
    const ended = await open('ada', 'web-app')
    await sessions.end(store.db, ended, 'over')
    clock.advance(1000)
    await open('bob', 'web-app')
    assert.deepEqual([...(await grants.lastUses(store.db, 'ada'))], [['web-app', latest]])
    assert.deepEqual([...(await grants.lastUses(store.db, 'nobody'))], [])
  })
}

export async function addPerson(store: Store, id: string): Promise<void> {
  await store.db
    .insertInto('users')
    .values({
      id,
      email: `${id}@example.com`,
      name: id,
      password_hash: null,
      status: 'active',
      created_at: 0,
      updated_at: 0,
    })
    .execute()
}
