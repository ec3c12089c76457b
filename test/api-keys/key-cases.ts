// API keys and who they stand for, alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FreshStore } from '../authn/account-cases.ts'
import { held, isMade, type KeyScene, keyScene, organisation, refused } from './key-scene.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

export function keyCases(fresh: FreshStore): void {
  const scene = (context: TestContext, options?: object): Promise<KeyScene> => keyScene(context, fresh, options)

  test('A53 AK1: of a key the store has a keyed hash, and nothing that could be used', async (context) => {
    const { store, keys, book, make } = await scene(context)
    const { text, view } = await make()
    const [row] = await store.db.selectFrom('api_keys').selectAll().execute()
    assert.ok(row)
    assert.ok(!JSON.stringify(row).includes(text.slice(-49)))
    assert.equal(row.hash, keys.texts.hashOf(text).toString('hex'))
    assert.ok(!Object.values(view).some((value) => String(value).includes(text.slice(-49))))
    const holder = await held(book.verify(text))
    assert.deepEqual(
      [holder.type, holder.id, holder.credential, holder.permissions, holder.lent, holder.organisation, holder.roles],
      ['service', 'acme', { kind: 'api-key', id: view.id }, ['task:read'], ['task:read'], 'acme', []],
    )
  })

  test('A53: what is not the key is refused: another secret, another id, a row under another hash', async (context) => {
    const { store, keys, book, make } = await scene(context)
    const [{ text, view }, other] = [await make(), await make()]
    for (const wrong of [keys.texts.write(view.id), keys.texts.write(keys.texts.newId()), `${text.slice(0, -1)}!`, ''])
      assert.equal(await refused(book.verify(wrong)), 'api-key-invalid')
    await held(book.verify(text))
    assert.equal(await refused(book.verify(keys.texts.write(view.id))), 'api-key-invalid')
    // Whoever can write the store, and has a key, cannot make it another's.
    const hash = keys.texts.hashOf(text).toString('hex')
    await store.db.updateTable('api_keys').set({ hash }).where('id', '=', other.view.id).execute()
    assert.equal(await refused(book.verify(other.text)), 'api-key-invalid')
    assert.equal(await refused(book.verify(keys.texts.write(other.view.id))), 'api-key-invalid')
  })

  test('AK1: a warm key waits for nothing, asks the store nothing, and is the same holder', async (context) => {
    const { book, make, asked, clock, store } = await scene(context)
    const { text } = await make()
    const first = await held(book.verify(text))
    const before = asked.count
    for (let n = 0; n < 100; n++) assert.equal(book.verify(text), first)
    assert.equal(asked.count, before)
    for (let n = 0; n < 6; n++) {
      clock.advance(500)
      await book.hear(store.db)
      assert.equal(book.verify(text), first)
    }
  })

  test('AK1: many who come with a cold key at one moment cost one query', async (context) => {
    const { book, make, asked } = await scene(context)
    const { text } = await make()
    const holders = await Promise.all(Array.from({ length: 50 }, () => held(book.verify(text))))
    assert.equal(asked.count, 1)
    assert.equal(new Set(holders).size, 1)
  })

  test('AK1: wrong keys by the thousand cost hardly a query, and push no good one out', async (context) => {
    const { book, make, revoke, asked, keys, clock } = await scene(context)
    const { text, view } = await make()
    const good = await held(book.verify(text))
    const before = asked.count
    for (let n = 0; n < 30_000; n++) {
      // Well-formed, with ids of the flood's own invention.
      const id = n.toString(36).padStart(15, 'x')
      if (n % 100 === 0) assert.equal(await refused(book.verify(keys.texts.write(id))), 'api-key-invalid')
    }
    for (let n = 0; n < 1_000; n++) await refused(book.verify(keys.texts.write(view.id)))
    assert.equal(asked.count, before)
    assert.equal(book.verify(text), good)
    // A key that was revoked, over and over; and a secret that was guessed for a cold one.
    const [gone, cold] = [await make(), await make()]
    await revoke(gone.view.id)
    for (let n = 0; n < 500; n++) await refused(book.verify(gone.text))
    for (let n = 0; n < 500; n++) await refused(book.verify(keys.texts.write(cold.view.id)))
    assert.equal(asked.count, before + 2)
    clock.advance(501)
    await held(book.verify(cold.text))
  })

  test('AK1 TK4: a revocation holds here with the next request, and on another node within a second', async (context) => {
    const { store, book, another, make, revoke, clock } = await scene(context)
    const { text, view } = await make()
    const elsewhere = another()
    await held(book.verify(text))
    await held(elsewhere.verify(text))
    assert.deepEqual(await revoke(view.id), [view.id])
    book.forget(view.id)
    assert.equal(await refused(book.verify(text)), 'api-key-invalid')
    clock.advance(500)
    await elsewhere.hear(store.db)
    assert.equal(await refused(elsewhere.verify(text)), 'api-key-invalid')
    assert.deepEqual(await revoke(view.id), [])
  })

  test('TK4: a key that nobody used for a while is not believed from memory', async (context) => {
    const { store, book, make, revoke, clock } = await scene(context)
    const { text, view } = await make()
    await held(book.verify(text))
    for (let n = 0; n < 30; n++) {
      clock.advance(500)
      await book.hear(store.db)
    }
    await revoke(view.id)
    clock.advance(501)
    await book.hear(store.db)
    assert.equal(await refused(book.verify(text)), 'api-key-invalid')
  })

  test('A53: a revocation while the key is being read is not forgotten over it', async (context) => {
    const { book, make, revoke } = await scene(context)
    const { text, view } = await make()
    const early = book.verify(text)
    await revoke(view.id)
    book.forget(view.id)
    await early
    assert.equal(await refused(book.verify(text)), 'api-key-invalid')
  })

  test('INV: a store that is down is 503 for a cold key, and for a warm one after five seconds', async (context) => {
    const { book, make, asked, clock } = await scene(context)
    const [{ text }, cold] = [await make(), await make()]
    const holder = await held(book.verify(text))
    asked.failing = true
    assert.equal(await refused(book.verify(cold.text)), 'unavailable')
    clock.advance(4_900)
    assert.equal(book.verify(text), holder)
    clock.advance(200)
    assert.equal(await refused(book.verify(text)), 'unavailable')
    asked.failing = false
    assert.equal(await held(book.verify(text)), holder)
  })

  test('AK1: a key ends when it says, to the millisecond, warm or cold', async (context) => {
    const { store, book, another, make, clock } = await scene(context)
    const { text, view } = await make({ lifetimeMs: dayMs })
    await held(book.verify(text))
    clock.advance(dayMs - 1)
    await held(book.verify(text))
    await book.hear(store.db)
    clock.advance(1)
    assert.equal(await refused(book.verify(text)), 'api-key-invalid')
    assert.equal(await refused(another().verify(text)), 'api-key-invalid')
    assert.equal(view.expiresAt, view.createdAt + dayMs)
  })

  test('A55: a person’s key has the person’s roles as they are now; locked or gone, it is refused', async (context) => {
    const { store, book, make, person, clock } = await scene(context)
    const id = await person(['user', 'editor'])
    const { text } = await make({ owner: { type: 'user', id } })
    const first = await held(book.verify(text))
    assert.deepEqual([first.type, first.id, first.roles, first.permissions], ['user', id, ['editor', 'user'], []])
    await store.db.deleteFrom('user_roles').where('role', '=', 'editor').execute()
    clock.advance(1)
    await book.hear(store.db)
    const second = await held(book.verify(text))
    assert.notEqual(second, first)
    assert.deepEqual(second.roles, ['user'])
    await store.db.updateTable('users').set({ status: 'locked' }).where('id', '=', id).execute()
    book.distrust()
    assert.equal(await refused(book.verify(text)), 'api-key-invalid')
    await store.db.updateTable('users').set({ status: 'active' }).where('id', '=', id).execute()
    book.distrust()
    await held(book.verify(text))
    await store.db.deleteFrom('users').where('id', '=', id).execute()
    clock.advance(1)
    await book.hear(store.db)
    assert.equal(await refused(book.verify(text)), 'api-key-invalid')
  })

  test('A55: a service’s key holds what the service holds, and nothing where it is turned away', async (context) => {
    const { book, make, services } = await scene(context)
    services.set('billing', { roles: ['clerk'], permissions: ['invoice:read'] })
    const { text } = await make({ owner: { type: 'service', id: 'billing' } })
    const first = await held(book.verify(text))
    assert.deepEqual(
      [first.type, first.roles, first.permissions, first.lent],
      ['service', ['clerk'], ['invoice:read'], ['task:read']],
    )
    assert.equal(book.verify(text), first)
    services.set('billing', { roles: [], permissions: [] })
    assert.deepEqual((await held(book.verify(text))).roles, [])
    services.delete('billing')
    assert.equal(await refused(book.verify(text)), 'api-key-invalid')
  })

  test('AK1: an organisation’s key with scopes is measured by them, and addresses and limit go along', async (context) => {
    const { book, make } = await scene(context)
    const { text, view } = await make({
      policy: {
        permissions: [],
        scopes: ['widgets:read'],
        addresses: ['10.0.0.0/8', '2001:db8::/32'],
        limit: { limit: 10, windowMs: 1_000 },
      },
    })
    const holder = await held(book.verify(text))
    assert.deepEqual(
      [holder.scopes, holder.permissions, holder.lent, holder.limit],
      [['widgets:read'], ['*'], [], { limit: 10, windowMs: 1_000, by: view.id }],
    )
    assert.deepEqual(
      ['10.1.2.3', '192.0.2.1', '2001:db8::1', 'x'].map((one) => holder.from?.(one)),
      [true, false, true, false],
    )
  })

  test('A54: uses are written off the way, a key at most once a minute, and nothing is lost where that fails', async (context) => {
    const { store, book, another, keys, make, clock } = await scene(context)
    const { text, view } = await make()
    await held(book.verify(text, '192.0.2.1'))
    for (let n = 0; n < 9; n++) await held(book.verify(text, '192.0.2.2'))
    assert.equal((await keys.show(store.db, view.id))?.useCount, 0)
    await book.flush(store.db)
    const first = await keys.show(store.db, view.id)
    assert.deepEqual([first?.useCount, first?.lastUsedAt, first?.lastUsedAddress], [10, clock.now(), '192.0.2.2'])
    clock.advance(30_000)
    await held(book.verify(text, '192.0.2.3'))
    await book.flush(store.db)
    assert.equal((await keys.show(store.db, view.id))?.useCount, 10)
    clock.advance(30_001)
    await assert.rejects(
      book.flush(
        new Proxy(store.db, {
          get: () => () => {
            throw new Error('down')
          },
        }),
      ),
    )
    const elsewhere = another()
    await held(elsewhere.verify(text, '192.0.2.9'))
    await Promise.all([book.flush(store.db), elsewhere.flush(store.db, true)])
    const last = await keys.show(store.db, view.id)
    assert.deepEqual([last?.useCount, last?.lastUsedAt, last?.lastUsedAddress], [12, clock.now(), '192.0.2.9'])
  })

  test('A54: a use from where the key may not come from is none', async (context) => {
    const { store, book, keys, make } = await scene(context)
    const { text, view } = await make({
      policy: { permissions: [], scopes: undefined, addresses: ['10.0.0.0/8'], limit: undefined },
    })
    await held(book.verify(text, '192.0.2.1'))
    await book.flush(store.db, true)
    assert.equal((await keys.show(store.db, view.id))?.useCount, 0)
  })

  test('AK1: an owner has so many living keys and no more; those of one family are one', async (context) => {
    const { store, keys, make, rotate, revoke } = await scene(context, { perOwner: 2 })
    const first = await make()
    await make()
    isMade(await rotate(first.view.id))
    const beyond = await store.transaction((trx) =>
      keys.make(trx, { name: 'x', owner: organisation, policy: first.view, lifetimeMs: undefined, createdBy: 'x' }),
    )
    assert.ok('code' in beyond)
    assert.equal(beyond.code, 'conflict')
    await make({ owner: { type: 'organisation', id: 'another' } })
    assert.equal((await revoke(first.view.id)).length, 2)
    await make()
  })

  test('AK1: pages go through all keys once, and stay with the owner who is asked for', async (context) => {
    const { store, keys, make, clock } = await scene(context)
    const made: string[] = []
    for (let n = 0; n < 7; n++) {
      if (n % 3 === 0) clock.advance(1)
      made.push((await make()).view.id)
      await make({ owner: { type: 'organisation', id: 'another' } })
    }
    const seen: string[] = []
    let after: Parameters<typeof keys.page>[1]['after']
    do {
      const page = await keys.page(store.db, { owner: organisation, limit: 3, after })
      seen.push(...page.keys.map(({ id }) => id))
      after = page.next
    } while (after !== undefined)
    assert.deepEqual(seen.toSorted(), made.toSorted())
    assert.equal((await keys.page(store.db, { owner: undefined, limit: 100, after: undefined })).keys.length, 14)
  })

  test('AK1: families that have been over for long are forgotten whole, and no other', async (context) => {
    const { store, keys, make, rotate, revoke, clock } = await scene(context)
    const [kept, over, lately] = [await make(), await make(), await make({ lifetimeMs: minuteMs })]
    isMade(await rotate(over.view.id))
    await revoke(over.view.id)
    clock.advance(dayMs)
    await keys.sweep(store.db, clock.now() - dayMs + 1)
    const left = await keys.page(store.db, { owner: undefined, limit: 100, after: undefined })
    assert.deepEqual(left.keys.map(({ id }) => id).toSorted(), [kept.view.id, lately.view.id].toSorted())
  })
}
