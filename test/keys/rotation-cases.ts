// How signing keys take turns, on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemRandom } from '../../src/kernel/id.ts'
import type { KeyTable } from '../../src/keys/key-table.ts'
import { type Keyring, openKeyring } from '../../src/keys/keyring.ts'
import { rotationOptions } from '../../src/keys/options.ts'
import { rootKey } from '../../src/keys/root.ts'
import type { SigningAlgorithm } from '../../src/keys/signing-key.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import type { FreshStore } from './cases.ts'

interface Node {
  readonly store: Store
  readonly clock: TestClock
  readonly ring: Keyring
  readonly table: KeyTable
  hear(): Promise<void>
  rotate(when?: 'after-lead' | 'soon'): ReturnType<KeyTable['rotate']>
  remove(kid: string): ReturnType<KeyTable['remove']>
  states(): Promise<readonly string[]>
}

const day = 86_400_000
const minute = 60_000
const lead = 10 * minute
const tokenTtlMs = 15 * minute
/** How long a key verifies after its successor has begun to sign. */
const afterlife = tokenTtlMs + minute
const root = rootKey('a root secret for the tests, long enough')

export function rotationCases(fresh: FreshStore): void {
  /** Nodes of one house, each with its own connection, and clocks that go alike. */
  async function nodes(
    context: TestContext,
    count: number,
    { algorithm = 'EdDSA', every = '90d' }: { algorithm?: SigningAlgorithm; every?: string } = {},
  ): Promise<[Node, ...Node[]]> {
    const url = await fresh(context)
    const clock = testClock()
    const made: Node[] = []
    for (let index = 0; index < count; index++) {
      const store = await openStore(url)
      context.after(() => store.close())
      const ring = await openKeyring({
        db: store.db,
        root,
        clock,
        random: systemRandom,
        algorithm,
        secret: undefined,
        rotation: rotationOptions.parse({ every }),
        tokenTtlMs,
      })
      const { table } = ring
      assert.ok(table !== undefined)
      made.push({
        store,
        clock,
        ring,
        table,
        hear: () => ring.hear(store.db),
        rotate: (when = 'after-lead') => store.transaction((trx) => table.rotate(trx, when)),
        remove: (kid) => store.transaction((trx) => table.remove(trx, kid)),
        states: async () => (await table.list(store.db)).map(({ kid, state }) => `${kid.slice(0, 6)} ${state}`),
      })
    }
    return made as [Node, ...Node[]]
  }

  const kidsOf = ({ ring }: Node): string[] => ring.jwks().keys.map(({ kid }) => kid ?? '')

  test('A8: a new key is published before it signs, and the old one verifies until its last token has run out', async (context) => {
    const [node] = await nodes(context, 1)
    const { clock, ring } = node
    const first = ring.signing().kid
    const { kid: second, activeFrom, isNew } = await node.rotate()
    assert.deepEqual([activeFrom, isNew], [clock.now() + lead, true])
    await node.hear()
    assert.deepEqual(kidsOf(node), [first, second])
    assert.ok(ring.jwksMaxAgeSeconds * 1000 * 2 <= lead, 'whoever keeps the set for as long as they may knows the key')

    clock.advance(lead - 1)
    assert.equal(ring.signing().kid, first)
    assert.ok(ring.verifying(second) !== undefined, 'a node whose clock goes before ours may sign with it')
    clock.advance(1)
    assert.equal(ring.signing().kid, second)
    clock.advance(afterlife - 1)
    assert.equal(ring.verifying(first)?.kid, first)
    assert.deepEqual(kidsOf(node), [first, second])
    clock.advance(1)
    assert.equal(ring.verifying(first), undefined, 'to the millisecond, also before the store is heard again')
    assert.deepEqual(kidsOf(node), [second])
  })

  test('TK2: of rotations at the same moment on several nodes, one makes the successor and the others find it', async (context) => {
    const all = await nodes(context, 4)
    for (const when of ['after-lead', 'soon'] as const) {
      const rotations = await Promise.all([...all, ...all].map((node) => node.rotate(when)))
      assert.equal(new Set(rotations.map(({ kid }) => kid)).size, 1)
      assert.equal(rotations.filter(({ isNew }) => isNew).length, 1)
      all[0].clock.advance(lead)
    }
    for (const node of all) await node.hear()
    assert.equal(kidsOf(all[0]).length, 3)
    assert.equal(new Set(all.map(({ ring }) => ring.signing().kid)).size, 1)
  })

  test('TK2: by schedule a key signs for as long as it should, and one of many nodes makes the next', async (context) => {
    const all = await nodes(context, 4)
    const [node] = all
    const { clock, table } = node
    const due = (): Promise<boolean> => table.isDue(node.store.db)
    const turn = (): Promise<unknown[]> =>
      Promise.all(all.map(({ store, table }) => store.transaction((trx) => table.rotateWhenDue(trx))))
    clock.advance(90 * day - lead - 1)
    assert.equal(await due(), false)
    assert.deepEqual(await turn(), [undefined, undefined, undefined, undefined])
    clock.advance(1)
    assert.equal(await due(), true)
    assert.equal((await turn()).filter((made) => made !== undefined).length, 1)
    assert.equal(await due(), false)
    await node.hear()
    const first = node.ring.signing().kid
    clock.advance(lead)
    assert.notEqual(node.ring.signing().kid, first)
    clock.advance(90 * day - lead)
    assert.equal(await due(), true)
  })

  test('TK2: a house that never rotates by schedule rotates by command', async (context) => {
    const [node] = await nodes(context, 1, { every: 'never' })
    node.clock.advance(3_650 * day)
    assert.equal(await node.table.isDue(node.store.db), false)
    assert.equal(await node.store.transaction((trx) => node.table.rotateWhenDue(trx)), undefined)
    assert.equal((await node.rotate()).isNew, true)
  })

  test('TK2: in a hurry the successor signs as soon as every node knows it, be it new or waiting already', async (context) => {
    const [node] = await nodes(context, 1)
    const { clock, ring } = node
    const first = ring.signing().kid
    const waiting = await node.rotate()
    const hurried = await node.rotate('soon')
    assert.deepEqual(hurried, { kid: waiting.kid, activeFrom: clock.now() + 2_000, isNew: false })
    assert.deepEqual(await node.rotate(), hurried, 'nobody delays it again')
    await node.hear()
    clock.advance(1_999)
    assert.equal(ring.signing().kid, first)
    clock.advance(1)
    assert.equal(ring.signing().kid, waiting.kid)
    clock.advance(afterlife - 1)
    assert.ok(ring.verifying(first) !== undefined)
    clock.advance(1)
    assert.equal(ring.verifying(first), undefined, 'counted from when it stopped signing')
    const next = await node.rotate('soon')
    assert.equal(next.isNew, true)
  })

  test('A8: a key that is removed is gone at once, its private part too, and another signs', async (context) => {
    const [node, other] = await nodes(context, 2)
    assert.ok(other !== undefined)
    const { ring, store, clock } = node
    const first = ring.signing().kid
    const epoch = other.ring.epoch
    const removed = await node.remove(first)
    assert.ok(removed?.successor !== undefined)
    for (const { ring, hear } of [node, other]) {
      await hear()
      assert.equal(ring.verifying(first), undefined)
      assert.equal(ring.signing().kid, removed.successor)
    }
    assert.ok(other.ring.epoch > epoch, 'what was verified by it has to be asked about again')
    const row = await store.db.selectFrom('signing_keys').selectAll().where('kid', '=', first).executeTakeFirstOrThrow()
    assert.deepEqual([row.removed_at, row.sealed], [clock.now(), ''])
    assert.equal(await node.remove(first), undefined, 'twice')
    assert.equal(await node.remove('../root.key'), undefined)
    assert.equal(await node.remove(''), undefined)
    await store.db.updateTable('signing_keys').set({ removed_at: null }).where('kid', '=', first).execute()
    await assert.rejects(node.hear(), /does not open/, 'whoever can write the table cannot bring it back')
    assert.equal(ring.verifying(first), undefined)
    assert.equal(ring.signing().kid, removed.successor)
  })

  test('A8: where a successor waits, it takes the place of the key that is removed', async (context) => {
    const [node] = await nodes(context, 1)
    const first = node.ring.signing().kid
    const { kid: second } = await node.rotate()
    assert.deepEqual(await node.remove(first), { successor: second })
    await node.hear()
    assert.deepEqual(kidsOf(node), [second])
    assert.equal(node.ring.signing().kid, second)
  })

  test('A8: where the waiting one is removed, the key before it goes on', async (context) => {
    const [node] = await nodes(context, 1)
    const { clock, ring } = node
    const first = ring.signing().kid
    const { kid: second } = await node.rotate()
    assert.deepEqual(await node.remove(second), { successor: undefined })
    clock.advance(lead + afterlife)
    await node.hear()
    assert.equal(ring.signing().kid, first)
    assert.deepEqual(kidsOf(node), [first])
  })

  test('A8: a key that only verifies is removed without a stir, and no older one comes back to sign', async (context) => {
    const [node] = await nodes(context, 1)
    const { clock, ring } = node
    const first = ring.signing().kid
    const { kid: second } = await node.rotate()
    clock.advance(lead)
    assert.deepEqual(await node.remove(first), { successor: undefined })
    await node.hear()
    assert.equal(ring.signing().kid, second)

    const { kid: third } = await node.rotate('soon')
    clock.advance(2_000)
    const removed = await node.remove(third)
    assert.ok(removed?.successor !== undefined)
    await node.hear()
    assert.equal(ring.signing().kid, removed.successor, 'not the one before, whose time was over')
    assert.ok(ring.verifying(second) !== undefined, 'which still verifies')
  })

  test('A8: of two removals of one key at the same moment, one makes the successor', async (context) => {
    const all = await nodes(context, 4)
    const { kid } = all[0].ring.signing()
    const outcomes = await Promise.all(all.map((node) => node.remove(kid)))
    assert.equal(outcomes.filter((outcome) => outcome !== undefined).length, 1)
    await all[0].hear()
    assert.equal(kidsOf(all[0]).length, 1)
  })

  test('TK2: an operator sees what each key is doing, and keys of other algorithms beside them', async (context) => {
    const [node] = await nodes(context, 1)
    const { clock, ring, states } = node
    const short = (kid: string): string => kid.slice(0, 6)
    const first = short(ring.signing().kid)
    const second = short((await node.rotate()).kid)
    assert.deepEqual(await states(), [`${second} published`, `${first} active`])
    clock.advance(lead)
    assert.deepEqual(await states(), [`${second} active`, `${first} verifying`])
    clock.advance(afterlife)
    assert.deepEqual(await states(), [`${second} active`, `${first} removed`])
    const { successor } = (await node.remove((await node.table.list(node.store.db))[0]?.kid ?? '')) ?? {}
    const third = short(successor ?? '')
    assert.deepEqual(
      (await states()).toSorted(),
      [`${first} removed`, `${second} removed`, `${third} active`].toSorted(),
    )
  })

  test('A8: the private part of a key goes when its last token has run out', async (context) => {
    const [node] = await nodes(context, 1)
    const { clock, ring, store, table } = node
    const first = ring.signing().kid
    await node.rotate()
    const sealed = async (): Promise<string> =>
      (await store.db.selectFrom('signing_keys').select('sealed').where('kid', '=', first).executeTakeFirstOrThrow())
        .sealed
    clock.advance(lead + afterlife - 1)
    await table.sweep(store.db)
    assert.notEqual(await sealed(), '')
    clock.advance(1)
    await table.sweep(store.db)
    assert.equal(await sealed(), '')
    await node.hear()
    assert.equal(kidsOf(node).length, 1)
  })

  test('A8: where one key cannot be read, the others are, and what was removed is gone', async (context) => {
    const [node] = await nodes(context, 1)
    const { ring, store } = node
    const first = ring.signing().kid
    const { kid: second } = await node.rotate()
    const { kid: third } = await node.rotate('soon')
    assert.equal(third, second)
    await store.db.updateTable('signing_keys').set({ removed_at: 1 }).where('kid', '=', first).execute()
    await store.db.updateTable('signing_keys').set({ sealed: 'v1.AAAA' }).where('kid', '=', second).execute()
    await assert.rejects(node.hear(), /does not open/)
    assert.equal(ring.verifying(first), undefined)
    assert.throws(() => ring.signing(), /no signing key for EdDSA/)
  })

  test('TK1 TK2: a stored secret takes turns as well, and is not published', async (context) => {
    const [node] = await nodes(context, 1, { algorithm: 'HS256' })
    const { clock, ring } = node
    const first = ring.signing().kid
    const { kid } = await node.rotate()
    await node.hear()
    clock.advance(lead)
    assert.equal(ring.signing().kid, kid)
    assert.ok(ring.verifying(first) !== undefined)
    assert.deepEqual(ring.jwks(), { keys: [] })
  })
}
