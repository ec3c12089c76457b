// What lies sealed in the record, on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { appendBatch } from '../../src/audit/chain.ts'
import type { AuditEvent } from '../../src/audit/event.ts'
import { type AuditLog, openAuditLog } from '../../src/audit/log.ts'
import {
  auditPurpose,
  type EventSealer,
  keylessReader,
  openEventSealer,
  type StoredEvent,
} from '../../src/audit/sealer.ts'
import { verifyChain } from '../../src/audit/verify/verify.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { DataKeys } from '../../src/keys/data-keys.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import { numbers, sampleEvent, wrappingKey } from './sample.ts'

export function sealerCases(fresh: (context: TestContext) => Promise<string>): void {
  async function freshStore(context: TestContext): Promise<Store> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    return store
  }

  test('AU2: what says something of a person is stored under that person’s own key, and read back as it happened', async (context) => {
    const store = await freshStore(context)
    const sealer = freshSealer()
    const event: AuditEvent = {
      ...lockedBy('admin', 'ada'),
      address: '203.0.113.9',
      details: { until: 'tomorrow' },
      private: { reason: 'her laptop was stolen' },
      user_agent: 'Firefox on her laptop',
    }
    await chain(store, sealer, [event])
    const row = await store.db.selectFrom('audit_events').selectAll().executeTakeFirstOrThrow()
    for (const own of ['203.0.113.9', 'stolen', 'Firefox']) assert.ok(!row.body.includes(own), `${own} in ${row.body}`)
    assert.deepEqual(Object.keys((JSON.parse(row.body) as StoredEvent).sealed ?? {}), ['ada', 'admin'])
    assert.equal(row.address, '203.0.113.9', 'by which it is searched')
    assert.deepEqual(await sealer.read(store.db, [row.body]), [event])
    assert.deepEqual(await freshSealer().read(store.db, [row.body]), [event], 'in another process too')
    const { private: _, ...open } = event
    assert.deepEqual(await keylessReader.read(store.db, [row.body]), [{ ...open, address: '', user_agent: '' }])
    for (const options of [{}, { sealer }]) assert.equal((await verifyChain(store.db, options)).ok, true)
  })

  test('AU2: who the one is that private details belong to', async (context) => {
    const store = await freshStore(context)
    const sealer = freshSealer()
    const cases: readonly (readonly [AuditEvent, readonly string[]])[] = [
      [{ ...lockedBy('admin', 'ada'), private: { a: 1 } }, ['ada', 'admin']],
      [{ ...lockedBy('ada', 'ada'), private: { a: 1 } }, ['ada']],
      [{ ...lockedBy('admin', ''), private: { a: 1 } }, ['admin']],
      [{ ...lockedBy('admin', 'ada') }, ['admin']],
      [{ ...sampleEvent(5), actor: { id: 'operator', type: 'system' }, private: { a: 1 } }, ['']],
      [{ ...lockedBy('admin', 'ada'), actor: { id: 'operator', type: 'system' }, private: { a: 1 } }, ['ada']],
      // Whoever failed to sign in is nobody that is known: there is no key of theirs.
      [{ ...lockedBy('', 'ada'), actor: { id: 'anonymous', type: 'anonymous' } }, []],
      [{ ...sampleEvent(7), actor: { id: 'billing', type: 'service' } }, []],
      // What no account is called gets no key.
      [{ ...sampleEvent(8), actor: { id: 'a\0b', type: 'user' }, private: { a: 1 } }, ['']],
      [{ ...sampleEvent(9), actor: { id: 'x'.repeat(200), type: 'user' } }, []],
      // Two that objects would put in another order than RFC 8785.
      [{ ...lockedBy('9', '10'), private: { a: 1 } }, ['10', '9']],
    ]
    const bodies = await sealer.store(
      store.db,
      cases.map(([event]) => event),
    )
    for (const [index, [, subjects]] of cases.entries()) {
      const { sealed = {} } = JSON.parse(bodies[index] as string) as StoredEvent
      assert.deepEqual(Object.keys(sealed).toSorted(), subjects, bodies[index])
    }
    assert.deepEqual(
      await sealer.read(store.db, bodies),
      cases.map(([event]) => event),
    )
    const keys = await store.db.selectFrom('data_keys').select('subject').orderBy('subject').execute()
    assert.deepEqual(
      keys.map(({ subject }) => subject),
      ['', '10', '9', 'ada', 'admin'],
    )
  })

  test('AU2: with the key it is gone, and the chain is whole all the same', async (context) => {
    const store = await freshStore(context)
    const sealer = freshSealer()
    await chain(store, sealer, [
      { ...lockedBy('admin', 'ada'), private: { reason: 'spam' } },
      { ...sampleEvent(2), actor: { id: 'ada', type: 'user' } },
      { ...sampleEvent(3), actor: { id: 'bob', type: 'user' } },
    ])
    await store.transaction(async (trx) => {
      assert.equal(await freshKeys().destroy(trx, 'ada'), 1)
      await trx.updateTable('audit_events').set({ address: '' }).where('actor', '=', 'ada').execute()
    })
    const bodies = (await store.db.selectFrom('audit_events').select('body').orderBy('seq').execute()).map(
      ({ body }) => body,
    )
    const after = freshSealer()
    const [first, second, third] = await after.read(store.db, bodies)
    assert.deepEqual([first?.private, first?.address], [undefined, '203.0.113.1'])
    assert.deepEqual([second?.address, second?.user_agent, second?.actor.id], ['', '', 'ada'])
    assert.equal(third?.address, '203.0.113.3')
    assert.equal((await verifyChain(store.db, { sealer: after })).ok, true)

    await chain(store, after, [{ ...sampleEvent(4), actor: { id: 'ada', type: 'user' } }])
    const last = await store.db.selectFrom('audit_events').selectAll().where('seq', '=', 4).executeTakeFirstOrThrow()
    assert.deepEqual(
      [(JSON.parse(last.body) as StoredEvent).sealed, last.address],
      [undefined, ''],
      'nothing more is stored',
    )
    assert.equal((await verifyChain(store.db, { sealer: after })).ok, true)
    const row = await store.db
      .selectFrom('data_keys')
      .selectAll()
      .where('subject', '=', 'ada')
      .executeTakeFirstOrThrow()
    assert.deepEqual([row.wrapped, row.destroyed_at === null], [null, false])
  })

  test('a key that another node destroyed is forgotten within a minute', async (context) => {
    const store = await freshStore(context)
    const clock = testClock()
    const sealer = openEventSealer({ wrappingKey, clock, random: systemRandom })
    const [body] = (await sealer.store(store.db, [sampleEvent(1)])) as [string]
    await freshKeys().destroy(store.db, 'user-1')
    clock.advance(60_000)
    assert.equal((await sealer.read(store.db, [body]))[0]?.address, '')
  })

  test('who never had a key can be barred from ever having one', async (context) => {
    const store = await freshStore(context)
    await freshKeys().destroy(store.db, 'ada', [auditPurpose])
    assert.deepEqual([...(await freshKeys().ofMany(store.db, ['ada'], auditPurpose)).values()], ['destroyed'])
  })

  test('the same event is stored in the same form by everybody, and no two events are', async (context) => {
    const store = await freshStore(context)
    const once = await freshSealer().store(store.db, numbers(30).map(sampleEvent))
    assert.deepEqual(await freshSealer().store(store.db, numbers(30).map(sampleEvent)), once)
    const same = numbers(30).map((number) => ({ ...sampleEvent(1), id: sampleEvent(number).id }))
    const sealed = (await freshSealer().store(store.db, same)).map(
      (body) => (JSON.parse(body) as StoredEvent).sealed?.['user-1'],
    )
    assert.equal(new Set(sealed).size, 30)
  })

  test('A63: what was sealed for another event or person, or was changed, does not open', async (context) => {
    const store = await freshStore(context)
    const sealer = freshSealer()
    const [one, other] = (await sealer.store(store.db, [sampleEvent(1), sampleEvent(8), sampleEvent(2)])).map(
      (body) => JSON.parse(body) as StoredEvent,
    ) as [StoredEvent, StoredEvent]
    const text = one.sealed?.['user-1'] ?? ''
    assert.equal(other.actor.id, 'user-1')
    const forged: readonly object[] = [
      { ...other, sealed: one.sealed },
      { ...one, sealed: { 'user-2': text } },
      { ...one, sealed: { 'user-1': `${text.slice(0, -4)}AAAA` } },
      { ...one, sealed: { 'user-1': text.slice(0, 20) } },
      { ...one, sealed: { 'user-1': '' } },
    ]
    for (const event of forged) {
      const [read] = await sealer.read(store.db, [JSON.stringify(event)])
      assert.equal(read?.address, '', JSON.stringify(event))
    }
  })

  test('a key that was made in a transaction that came to nothing seals nothing', async (context) => {
    const store = await freshStore(context)
    const sealer = freshSealer()
    const undone = store.transaction(async (trx) => {
      await sealer.store(trx, [sampleEvent(1)])
      await sealer.store(trx, [sampleEvent(8)]) // the same person again
      throw new Error('undone')
    })
    await assert.rejects(undone, /undone/)
    const [body] = (await store.transaction((trx) => sealer.store(trx, [sampleEvent(1)]))) as [string]
    assert.deepEqual(await freshSealer().read(store.db, [body]), [sampleEvent(1)])
    const destroying = store.transaction(async (trx) => {
      await freshKeys().destroy(trx, 'user-1')
      assert.equal((await freshSealer().read(trx, [body]))[0]?.address, '')
      throw new Error('undone')
    })
    await assert.rejects(destroying, /undone/)
    assert.deepEqual(await sealer.read(store.db, [body]), [sampleEvent(1)])
  })

  test('of several who make a key at once, one makes it', async (context) => {
    const url = await fresh(context)
    const stores = [await openStore(url)]
    if (url !== 'sqlite::memory:') for (let node = 1; node < 4; node++) stores.push(await openStore(url))
    context.after(() => Promise.all(stores.map((store) => store.close())))
    const bodies = await Promise.all(
      stores.map((store, node) =>
        node % 2 === 0
          ? freshSealer().store(store.db, numbers(20).map(sampleEvent))
          : store.transaction((trx) => freshSealer().store(trx, numbers(20).toReversed().map(sampleEvent))),
      ),
    )
    const [first] = stores as [Store]
    assert.equal((await first.db.selectFrom('data_keys').selectAll().execute()).length, 7)
    for (const some of bodies) {
      const numbered = (await freshSealer().read(first.db, some)).map(({ address }) => address)
      assert.ok(!numbered.includes(''), numbered.join())
    }
  })

  test('a batch that is handed over again after a key was destroyed is there once', async (context) => {
    const store = await freshStore(context)
    await chain(store, freshSealer(), numbers(5).map(sampleEvent))
    await store.transaction((trx) => freshKeys().destroy(trx, 'user-3'))
    await chain(store, freshSealer(), numbers(7).map(sampleEvent))
    const rows = await store.db.selectFrom('audit_events').select('id').orderBy('seq').execute()
    assert.deepEqual(
      rows.map(({ id }) => id),
      numbers(7).map((number) => sampleEvent(number).id),
    )
  })

  test('a key that does not open costs its person’s part of what comes, is told, and stops nobody', async (context) => {
    const store = await freshStore(context)
    const { audit, told } = await freshLog(store)
    for (const number of numbers(8)) audit.note(sampleEvent(number))
    await audit.flush()
    const { wrapped } = await store.db
      .selectFrom('data_keys')
      .select('wrapped')
      .where('subject', '=', 'user-1')
      .executeTakeFirstOrThrow()
    // Moved to another row, a key is none.
    await store.db.updateTable('data_keys').set({ wrapped }).where('subject', '=', 'user-2').execute()
    await audit.close()
    const { audit: later, told: toldLater } = await freshLog(store)
    for (const number of numbers(7, 9)) later.note(sampleEvent(number))
    await later.flush()
    assert.deepEqual([told, toldLater], [[], ['user-2']])
    const rows = await store.db.selectFrom('audit_events').selectAll().orderBy('seq').execute()
    const bodies = rows.map(({ body }) => body)
    const read = (await later.sealer.read(store.db, bodies)).map(({ address }) => address)
    assert.deepEqual(
      read,
      numbers(15).map((number) => (number % 7 === 2 ? '' : sampleEvent(number).address)),
    )
    const outcome = await verifyChain(store.db, { sealer: later.sealer })
    assert.deepEqual(outcome, {
      ok: false,
      seq: 2,
      what: 'altered',
      detail: 'its column `address` says "203.0.113.2", its body "", unless the key of its actor was changed',
    })
    await later.close()
  })

  test('AU2: an address that was altered beside a sealed one is found', async (context) => {
    const store = await freshStore(context)
    await chain(store, freshSealer(), numbers(5).map(sampleEvent))
    for (const address of ['203.0.113.99', '']) {
      await store.db.updateTable('audit_events').set({ address }).where('seq', '=', 3).execute()
      const outcome = await verifyChain(store.db, { sealer: freshSealer() })
      assert.deepEqual(outcome.ok || [outcome.seq, outcome.what], [3, 'altered'], `\`${address}\``)
    }
  })

  test('A64: whoever was erased while others still held the key leaves a chain that verifies', async (context) => {
    const store = await freshStore(context)
    const { audit } = await freshLog(store)
    const sealer = freshSealer()
    await chain(store, sealer, [sampleEvent(1)])
    audit.note(sampleEvent(8)) // of the same person
    await audit.close()
    await store.transaction(async (trx) => {
      await freshKeys().destroy(trx, 'user-1')
      await trx.updateTable('audit_events').set({ address: '' }).where('seq', '=', 1).execute()
    })
    assert.equal((await sealer.read(store.db, [(await bodyAt(store, 1)) as string]))[0]?.address, '203.0.113.1')
    for (const one of [sealer, freshSealer()]) assert.equal((await verifyChain(store.db, { sealer: one })).ok, true)

    const { audit: after } = await freshLog(store)
    after.note(sampleEvent(15))
    await after.flush()
    const last = await store.db.selectFrom('audit_events').selectAll().where('seq', '=', 3).executeTakeFirstOrThrow()
    assert.equal(last.address, '', 'nothing more is stored')
    assert.equal((await verifyChain(store.db, { sealer: after.sealer })).ok, true)
    await after.close()
  })
}

/** To be closed before its store. */
async function freshLog(store: Store): Promise<{ readonly audit: AuditLog; readonly told: readonly unknown[] }> {
  const told: unknown[] = []
  const audit = await openAuditLog({
    store,
    url: '',
    wrappingKey,
    clock: testClock(),
    random: systemRandom,
    log: { ...silent, error: (fields) => told.push(fields['subject']) },
    thread: false,
  })
  return { audit, told }
}

async function bodyAt(store: Store, seq: number): Promise<string | undefined> {
  return (await store.db.selectFrom('audit_events').select('body').where('seq', '=', seq).executeTakeFirst())?.body
}

function lockedBy(actor: string, id: string): AuditEvent {
  const base = sampleEvent(1)
  return {
    ...base,
    type: 'admin_action',
    action: 'user.lock',
    actor: { id: actor, type: 'user' },
    resource: { id, type: 'user' },
  } as AuditEvent
}

function freshSealer(): EventSealer {
  return openEventSealer({ wrappingKey, clock: testClock(), random: systemRandom })
}

function freshKeys(): DataKeys {
  return new DataKeys({ wrappingKey, clock: testClock(), random: systemRandom })
}

async function chain(store: Store, sealer: EventSealer, events: readonly AuditEvent[]): Promise<void> {
  await appendBatch(store, await sealer.store(store.db, events), sealer)
}
