// What revocations have to do alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { RevocationList } from '../../src/authn/session/revocation-list.ts'
import { Revocations } from '../../src/authn/session/revocations.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'

interface Scene {
  readonly store: Store
  readonly clock: TestClock
  readonly list: RevocationList
  /** What a node that begins now knows. */
  started(sinceMs?: number): Promise<Revocations>
}

const ttlMs = 900_000

export function revocationCases(fresh: (context: TestContext) => Promise<string>): void {
  async function scene(context: TestContext): Promise<Scene> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    const clock = testClock()
    const list = new RevocationList({ clock, ttlMs })
    return {
      store,
      clock,
      list,
      async started(sinceMs = 0) {
        const revocations = new Revocations({ clock, ttlMs })
        await list.tell(store.db, sinceMs, revocations)
        return revocations
      },
    }
  }

  const token = (tokenId: string, issuedAtMs: number, client?: string) => ({
    session: `s of ${tokenId}`,
    tokenId,
    subject: 'u1',
    client,
    issuedAt: issuedAtMs / 1000,
  })

  test('A10: what was revoked before a process began is taken over, and runs out in its own time', async (context) => {
    const { store, clock, list, started } = await scene(context)
    const now = clock.now()
    await list.revoke(store.db, 'token', 't1', { at: now, expiresAt: now + 10_000 })
    await list.cut(store.db, { kind: 'client', subject: 'app', at: now })
    await list.cut(store.db, { kind: 'user', subject: 'u9', at: now })
    clock.advance(9_999)
    const revocations = await started()
    assert.equal(revocations.isRevoked(token('t1', now + 1_000)), true)
    assert.equal(revocations.isRevoked(token('t2', now, 'app')), true)
    assert.equal(revocations.isRevoked(token('t2', now)), false)
    assert.equal(revocations.isRevoked({ ...token('t2', now), subject: 'u9' }), true)
    clock.advance(1)
    assert.equal(revocations.isRevoked(token('t1', now + 1_000)), false)
    assert.equal((await started()).isRevoked(token('t1', now + 1_000)), false)
    clock.advance(ttlMs + 60_000)
    assert.equal((await started()).size, 0)
  })

  test('TK4: of two cut-offs the one that reaches further stays, in either order', async (context) => {
    const { store, clock, list, started } = await scene(context)
    const now = clock.now()
    const orders = [
      [now, now + 5_000],
      [now + 5_000, now],
    ]
    for (const [index, order] of orders.entries()) {
      for (const at of order) await list.cut(store.db, { kind: 'client', subject: `c${index}`, at })
      assert.equal((await started()).isRevoked(token('t1', now + 5_000, `c${index}`)), true)
    }
    const rows = await store.db.selectFrom('revocations').select(['at', 'expires_at']).execute()
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      orders.map(() => ({ at: now + 5_000, expires_at: now + 5_000 + ttlMs + 60_000 })),
    )
  })

  test('TK4: a node hears of single tokens by when they were revoked, and of cut-offs however long they took', async (context) => {
    const { store, clock, list, started } = await scene(context)
    const now = clock.now()
    await list.revoke(store.db, 'token', 'early', { at: now, expiresAt: now + ttlMs })
    await list.revoke(store.db, 'token', 'late', { at: now + 1_000, expiresAt: now + ttlMs })
    await list.cut(store.db, { kind: 'everything', subject: '', at: now - 60_000 })
    const heard = await started(now)
    assert.equal(heard.isRevoked(token('early', now)), false)
    assert.equal(heard.isRevoked(token('late', now)), true)
    assert.equal(heard.isRevoked(token('any', now - 60_000)), true)
  })

  test('TK4: what stands against nothing any more is forgotten', async (context) => {
    const { store, clock, list } = await scene(context)
    const now = clock.now()
    await list.revoke(store.db, 'token', 't1', { at: now, expiresAt: now + 1_000 })
    await list.cut(store.db, { kind: 'everything', subject: '', at: now })
    clock.advance(1_000)
    await list.sweep(store.db)
    const left = await store.db.selectFrom('revocations').select('kind').execute()
    assert.deepEqual(
      left.map(({ kind }) => kind),
      ['everything'],
    )
  })

  test('TK4: of many who revoke one thing at once, each is told that it is done', async (context) => {
    const { store, clock, list, started } = await scene(context)
    const now = clock.now()
    await Promise.all(
      Array.from({ length: 32 }, (_, index) =>
        store.transaction((trx) => list.cut(trx, { kind: 'user', subject: 'u1', at: now + index })),
      ),
    )
    assert.equal((await started()).isRevoked(token('t1', now)), true)
    const { at } = await store.db.selectFrom('revocations').select('at').executeTakeFirstOrThrow()
    assert.equal(at, now + 31)
  })
}
