// The session that an agent is handed a person's sign-in by, alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { hold } from '../../src/authn/account/hold.ts'
import { delegatedSession } from '../../src/authn/session/delegated.ts'
import { RevocationList } from '../../src/authn/session/revocation-list.ts'
import { Sessions } from '../../src/authn/session/sessions.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { rootKey } from '../../src/keys/root.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import type { FreshStore } from '../authn/account-cases.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { addPerson } from './grants-cases.ts'

const hour = 3_600_000
const device = { address: '192.0.2.1', userAgent: 'a test' }
const proof = { methods: ['password'], at: 5_000 } as const

interface Scene {
  readonly store: Store
  readonly clock: TestClock
  readonly sessions: Sessions
  signIn(userId?: string): Promise<string>
  /** Hands a sign-in to a client as the desk does it; undefined where the sign-in is over. */
  handOver(parentId: string, clientId?: string, userId?: string): Promise<string | undefined>
}

export function delegatedCases(fresh: FreshStore): void {
  async function scene(context: TestContext): Promise<Scene> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    const clock = testClock()
    const sessions = new Sessions({
      clock,
      random: systemRandom,
      root: rootKey('a root secret for tests, long enough'),
      revocationList: new RevocationList({ clock, ttlMs: hour }),
      refreshTtlMs: 24 * hour,
      refreshIdleMs: 24 * hour,
      clientIdleMs: 24 * hour,
      browserIdleMs: hour,
      graceMs: 10_000,
    })
    for (const id of ['ada', 'bob']) await addPerson(store, id)
    return {
      store,
      clock,
      sessions,
      signIn: async (userId = 'ada') => (await sessions.open(store.db, userId, device, proof)).session.id,
      handOver: (parentId, clientId = 'agent', userId = 'ada') =>
        store.transaction(async (trx) => {
          await hold(trx, userId)
          if (!(await sessions.isAlive(trx, parentId))) return undefined
          return delegatedSession(trx, { sessions, clock }, { userId, parentId, clientId, proof, device })
        }),
    }
  }

  test('A57: a client has one session of a sign-in, however often and at whatever moment it asks', async (context) => {
    const { store, clock, signIn, handOver } = await scene(context)
    const own = await signIn()
    const given = await Promise.all(Array.from({ length: 8 }, () => handOver(own)))
    assert.equal(new Set(given).size, 1)
    clock.advance(hour)
    assert.equal(await handOver(own), given[0])
    const others = [
      await handOver(own, 'planner'),
      await handOver(await signIn()),
      await handOver(await signIn('bob'), 'agent', 'bob'),
    ]
    assert.equal(new Set([...others, given[0]]).size, 4)
    const rows = await store.db.selectFrom('sessions').selectAll().where('client_id', '=', 'agent').execute()
    const parent = await store.db.selectFrom('sessions').selectAll().where('id', '=', own).executeTakeFirstOrThrow()
    assert.equal(rows.length, 3)
    const row = rows.find(({ id }) => id === given[0])
    assert.deepEqual(
      [row?.user_id, row?.kind, row?.parent_id, row?.scope, row?.expires_at, row?.seen_at],
      ['ada', 'client', own, '', parent.expires_at, clock.now()],
    )
  })

  test('A57 TK4: it ends with the sign-in, with the grant and with the client, and another takes its place', async (context) => {
    const { store, clock, sessions, signIn, handOver } = await scene(context)
    const own = await signIn()
    const [agents, planners] = [await handOver(own), await handOver(own, 'planner')]
    assert.deepEqual(await sessions.endGrant(store.db, 'ada', 'agent', 'withdrawn'), [agents])
    const next = await handOver(own)
    assert.notEqual(next, agents)
    await store.transaction((trx) => sessions.endAllOfClient(trx, 'agent', 'disabled'))
    clock.advance(1)
    const last = await handOver(own)
    assert.notEqual(last, next)
    assert.deepEqual((await sessions.end(store.db, own, 'signed out')).toSorted(), [last, own, planners].toSorted())
    assert.equal(await handOver(own), undefined)
  })
}
