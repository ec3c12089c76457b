// A thing is said once, alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Replays } from '../../src/authn/replays.ts'
import { openProofs } from '../../src/authn/token/dpop.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import { prover } from './dpop-prover.ts'

const startMs = Date.UTC(2026, 0, 1)
const demand = { method: 'GET', url: 'https://gate.example.com/widgets' }

export function dpopReplayCases(fresh: (context: TestContext) => Promise<string>): void {
  async function freshStore(context: TestContext): Promise<Store> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    return store
  }

  test('A24: of 64 who show one proof at the same moment, on two nodes, one is let in', async (context) => {
    const { db } = await freshStore(context)
    const clock = testClock(startMs)
    const nodes = [1, 2].map(() => openProofs({ clock, replays: new Replays({ clock }), db, nonces: undefined }))
    const proof = prover().prove({ ...demand, at: startMs })
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, (_, index) => nodes[index % 2]?.verify(proof, demand)),
    )
    assert.equal(outcomes.filter((outcome) => outcome !== undefined && !('error' in outcome)).length, 1)
    for (const node of nodes) {
      const again = await node.verify(proof, demand)
      assert.match('error' in again ? again.reason : '', /used before/)
    }
  })

  test('A24: a proof is remembered for as long as any node could take it, and not much longer', async (context) => {
    const { db } = await freshStore(context)
    const clock = testClock(startMs)
    const proof = prover().prove({ ...demand, at: startMs + 60_000 })
    const openNode = (): ReturnType<typeof openProofs> =>
      openProofs({ clock, replays: new Replays({ clock }), db, nonces: undefined })
    assert.ok(!('error' in (await openNode().verify(proof, demand))))
    clock.advance(120_000) // as old as it may be
    await new Replays({ clock }).sweep(db)
    const late = await openNode().verify(proof, demand)
    assert.match('error' in late ? late.reason : '', /used before/)
    clock.advance(60_001)
    await new Replays({ clock }).sweep(db)
    assert.deepEqual(await db.selectFrom('replays').selectAll().execute(), [])
  })

  test('A24: two keys may use one name, and one key may not, wherever it goes', async (context) => {
    const { db } = await freshStore(context)
    const clock = testClock(startMs)
    const proofs = openProofs({ clock, replays: new Replays({ clock }), db, nonces: undefined })
    const [one, other] = [prover(), prover()]
    const named = { claims: { jti: 'the same name' } }
    const elsewhere = { method: 'POST', url: 'https://gate.example.com/token' }
    const named1 = one.prove({ ...demand, at: startMs }, { claims: { jti: 'the-same-name' } })
    assert.ok(!('error' in (await proofs.verify(named1, demand))))
    const named2 = other.prove({ ...demand, at: startMs }, { claims: { jti: 'the-same-name' } })
    assert.ok(!('error' in (await proofs.verify(named2, demand))))
    const again = one.prove({ ...elsewhere, at: startMs }, { claims: { jti: 'the-same-name' } })
    assert.ok('error' in (await proofs.verify(again, elsewhere)))
    assert.ok(
      'error' in (await proofs.verify(one.prove({ ...demand, at: startMs }, named), demand)),
      'a name has no spaces',
    )
  })

  test('A27: what was said is fresh once, also within a transaction, and is kept as a hash', async (context) => {
    const store = await freshStore(context)
    const clock = testClock(startMs)
    const replays = new Replays({ clock })
    const said = 'oauth a-client an-assertion'
    assert.equal(await store.transaction((trx) => replays.isFresh(trx, said, startMs + 1_000)), true)
    assert.equal(await replays.isFresh(store.db, said, startMs + 1_000), false)
    assert.equal(await new Replays({ clock }).isFresh(store.db, said, startMs + 1_000), false, 'on another node too')
    const [row] = await store.db.selectFrom('replays').selectAll().execute()
    assert.match(row?.hash ?? '', /^[0-9a-f]{64}$/)
  })
}
