// How one key takes over from another, alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { MadeKey } from '../../src/authn/key/key-record.ts'
import type { FreshStore } from '../authn/account-cases.ts'
import { held, isMade, type KeyScene, keyScene, refused } from './key-scene.ts'

const dayMs = 86_400_000

export function rotationCases(fresh: FreshStore): void {
  const scene = (context: TestContext, options?: object): Promise<KeyScene> => keyScene(context, fresh, options)

  /** Rotates, and has the holder use the successor. */
  async function takeOver({ rotate, book, store }: KeyScene, from: MadeKey): Promise<MadeKey> {
    const successor = await rotate(from.view.id)
    isMade(successor)
    await held(book.verify(successor.text))
    await book.hear(store.db)
    return successor
  }

  test('A54 AK2: a successor inherits everything, and its predecessor’s clock starts with its first use', async (context) => {
    const at = await scene(context)
    const { store, keys, book, make, rotate, clock } = at
    const before = await make({
      lifetimeMs: 30 * dayMs,
      policy: {
        permissions: ['a', 'b:*'],
        scopes: ['s'],
        addresses: ['10.0.0.0/8'],
        limit: { limit: 5, windowMs: 60_000 },
      },
    })
    clock.advance(5 * dayMs)
    const after = await rotate(before.view.id)
    isMade(after)
    for (const part of ['name', 'owner', 'permissions', 'scopes', 'addresses', 'limit', 'family', 'prefix'] as const)
      assert.deepEqual(after.view[part], before.view[part], part)
    assert.equal(after.view.expiresAt, clock.now() + 30 * dayMs)
    assert.equal(after.view.state, 'on-trial')
    clock.advance(2 * dayMs)
    await book.hear(store.db)
    await held(book.verify(before.text)) // nobody has used the successor yet
    assert.equal((await keys.show(store.db, before.view.id))?.retiresAt, undefined)
    await book.test(store.db, after.text) // a test is no use
    await book.hear(store.db)
    assert.equal((await keys.show(store.db, after.view.id))?.state, 'on-trial')

    await held(book.verify(after.text, '10.0.0.1'))
    await book.hear(store.db)
    const [old, taken] = [await keys.show(store.db, before.view.id), await keys.show(store.db, after.view.id)]
    assert.deepEqual([old?.state, old?.retiresAt, taken?.state], ['retiring', clock.now() + dayMs, 'active'])
    clock.advance(dayMs - 1)
    await held(book.verify(before.text))
    clock.advance(1)
    assert.equal(await refused(book.verify(before.text)), 'api-key-invalid')
    await held(book.verify(after.text))
  })

  test('A54: a thief elsewhere does not start the clock: the first use counts from where the key may come from', async (context) => {
    const { store, keys, book, make, rotate } = await scene(context)
    const before = await make({
      policy: { permissions: [], scopes: undefined, addresses: ['10.0.0.0/8'], limit: undefined },
    })
    const after = await rotate(before.view.id)
    isMade(after)
    await held(book.verify(after.text, '192.0.2.1'))
    await book.hear(store.db)
    assert.equal((await keys.show(store.db, after.view.id))?.state, 'on-trial')
  })

  test('A54: two rotations at the same moment yield one successor, and the other is told which', async (context) => {
    const { make, rotate, store } = await scene(context)
    const { view } = await make()
    const outcomes = await Promise.all([rotate(view.id), rotate(view.id), rotate(view.id), rotate(view.id)])
    const made = outcomes.filter((one) => 'text' in one)
    assert.equal(made.length, 1)
    for (const one of outcomes)
      if ('code' in one) assert.deepEqual([one.code, one.extensions], ['conflict', { successor: made[0]?.view.id }])
    assert.equal((await store.db.selectFrom('api_keys').select('id').execute()).length, 2)
  })

  test('A54: a successor that got lost is replaced by its name, once, and only while nobody used it', async (context) => {
    const at = await scene(context)
    const { make, rotate, book, store } = at
    const first = await make()
    const lost = await rotate(first.view.id)
    isMade(lost)
    assert.ok('code' in (await rotate(first.view.id, first.view.id)))
    const outcomes = await Promise.all([rotate(first.view.id, lost.view.id), rotate(first.view.id, lost.view.id)])
    const found = outcomes.filter((one) => 'text' in one)
    assert.equal(found.length, 1)
    const second = found[0] as MadeKey
    assert.equal(await refused(book.verify(lost.text)), 'api-key-invalid')
    await held(book.verify(first.text))
    await held(book.verify(second.text))
    await book.hear(store.db)
    const tooLate = await rotate(first.view.id, second.view.id)
    assert.ok('code' in tooLate)
    assert.match(tooLate.detail, /has taken over/)
    await held(book.verify(second.text))
  })

  test('A54: neither a key that was rotated away renews itself, nor one that nobody used, nor one that is over', async (context) => {
    const at = await scene(context)
    const { make, rotate, revoke, keys } = at
    const first = await make()
    const second = await takeOver(at, first)
    const old = await rotate(first.view.id)
    assert.deepEqual('code' in old && [old.code, old.extensions], ['conflict', { successor: second.view.id }])
    const third = await rotate(second.view.id)
    isMade(third)
    const trial = await rotate(third.view.id)
    assert.ok('code' in trial && trial.code === 'conflict')
    await revoke(second.view.id)
    for (const id of [first.view.id, second.view.id, third.view.id, keys.texts.newId(), 'x', '\0'.repeat(15)]) {
      const outcome = await rotate(id)
      assert.equal('code' in outcome ? outcome.code : 'made', 'not-found', id)
    }
  })

  test('AK2: the last three before the newest stay good, each for its overlap, and a fourth ends at once', async (context) => {
    const at = await scene(context)
    const { make, book, clock, store } = at
    const family = [await make()]
    for (let n = 0; n < 4; n++) {
      clock.advance(3_600_000)
      family.push(await takeOver(at, family.at(-1) as MadeKey))
    }
    clock.advance(1)
    await book.hear(store.db)
    const states = await Promise.all(family.map(async ({ text }) => 'code' in (await book.verify(text))))
    assert.deepEqual(states, [true, false, false, false, false])
    clock.advance(dayMs - 2 * 3_600_000) // the second was taken over three hours before the last
    const later = await Promise.all(family.map(async ({ text }) => 'code' in (await book.verify(text))))
    assert.deepEqual(later, [true, true, false, false, false])
  })

  test('A54: revoking a key ends what it was rotated from and to; `only` ends it alone, and frees its place', async (context) => {
    const at = await scene(context)
    const { make, rotate, revoke, book } = at
    const first = await make()
    const second = await takeOver(at, first)
    const trial = await rotate(second.view.id)
    isMade(trial)
    assert.deepEqual(await revoke(trial.view.id, true), [trial.view.id])
    book.forget(trial.view.id)
    assert.equal(await refused(book.verify(trial.text)), 'api-key-invalid')
    const another = await rotate(second.view.id)
    isMade(another)
    assert.deepEqual(await revoke(first.view.id, true), [first.view.id])
    book.forget(first.view.id)
    assert.equal(await refused(book.verify(first.text)), 'api-key-invalid')
    await held(book.verify(second.text))
    assert.deepEqual((await revoke(second.view.id)).toSorted(), [second.view.id, another.view.id].toSorted())
  })

  test('A54: what was used on two nodes at once takes over once', async (context) => {
    const at = await scene(context)
    const { make, rotate, another, store, keys, clock, book } = at
    const first = await make()
    const second = await rotate(first.view.id)
    isMade(second)
    const nodes = [book, another(), another()]
    for (const node of nodes) await held(node.verify(second.text))
    const began = clock.now()
    await Promise.all(nodes.map((node) => node.hear(store.db)))
    clock.advance(1_000)
    for (const node of nodes) {
      await held(node.verify(second.text))
      await node.hear(store.db)
    }
    assert.equal((await keys.show(store.db, first.view.id))?.retiresAt, began + dayMs)
  })

  test('A54: rotating, using, replacing and revoking all at once leave a family that is in order', async (context) => {
    const at = await scene(context)
    const { make, rotate, revoke, book, store, keys } = at
    const first = await make()
    const second = await rotate(first.view.id)
    isMade(second)
    await Promise.all([
      held(book.verify(second.text)).then(() => book.hear(store.db)),
      rotate(first.view.id, second.view.id),
      rotate(first.view.id),
      store.transaction((trx) => keys.rotation.prove(trx, second.view.id)),
      revoke(second.view.id, true),
    ])
    const family = await keys.page(store.db, { owner: undefined, limit: 100, after: undefined })
    assert.ok(family.keys.filter(({ state }) => state === 'on-trial').length <= 1)
    assert.ok(family.keys.filter(({ state }) => state === 'active').length <= 1)
    assert.ok(family.keys.some(({ state }) => state === 'active' || state === 'retiring'))
  })
}
