// What the audit chain has to hold on every store.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setImmediate as breathe } from 'node:timers/promises'
import { sql } from 'kysely'
import { appendBatch, columnsOf, genesis, link } from '../../src/audit/chain.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { verifyChain } from '../../src/audit/verify/verify.ts'
import { canonical } from '../../src/kernel/json.ts'
import { type Database, openStore, type Store } from '../../src/store/database.ts'
import { numbers, sampleEvent, sampleId } from './sample.ts'

export function chainCases(fresh: (context: TestContext) => Promise<string>): void {
  async function freshStore(context: TestContext): Promise<Store> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    return store
  }

  test('A60: each hash is SHA-256 over the hash before it and the body', async (context) => {
    const store = await freshStore(context)
    await appendBatch(store, numbers(3).map(body))
    let hash = Buffer.alloc(32)
    const rows = await store.db.selectFrom('audit_events').selectAll().orderBy('seq').execute()
    for (const [index, row] of rows.entries()) {
      hash = createHash('sha256').update(hash).update(row.body, 'utf8').digest()
      assert.deepEqual(
        { seq: row.seq, body: row.body, hash: row.hash },
        { seq: index + 1, body: body(index + 1), hash: hash.toString('hex') },
      )
    }
    assert.deepEqual(await verifyChain(store.db), {
      ok: true,
      events: 3,
      lastHash: hash.toString('hex'),
      checkpoints: 0,
    })
  })

  test('an empty chain is whole', async (context) => {
    const store = await freshStore(context)
    assert.deepEqual(await verifyChain(store.db), { ok: true, events: 0, lastHash: genesis, checkpoints: 0 })
  })

  test('the columns repeat the body, whatever it says', async (context) => {
    const store = await freshStore(context)
    const event = { ...sampleEvent(1), actor: { id: 'a\0b "\\ \u{1f600} é', type: 'user' as const }, address: '\0' }
    await appendBatch(store, [eventText(event)])
    const { actor, request_id, at, type } = await store.db
      .selectFrom('audit_events')
      .selectAll()
      .executeTakeFirstOrThrow()
    assert.deepEqual(
      { actor, request_id, at, type },
      { actor: 'a�b "\\ \u{1f600} é', request_id: 'request-1', at: event.at, type: 'api_access' },
    )
    assert.equal((await verifyChain(store.db)).ok, true)
  })

  test('what waits in the outbox is chained first, in the order in which it was enrolled', async (context) => {
    const store = await freshStore(context)
    for (const number of numbers(300)) await enroll(store.db, number)
    assert.equal(await appendBatch(store, [body(301)]), 256)
    assert.equal(await appendBatch(store, [body(302)]), 44)
    assert.equal(await appendBatch(store, []), 0)
    assert.deepEqual(await chainedNumbers(store.db), [...numbers(256), 301, ...numbers(44, 257), 302])
    assert.equal((await verifyChain(store.db)).ok, true)
  })

  test('A61: an event that was enrolled goes with its change', async (context) => {
    const store = await freshStore(context)
    const change = (number: number, fails: boolean): Promise<void> =>
      store.transaction(async (trx) => {
        await trx
          .insertInto('house')
          .values({ name: `change ${number}`, value: '' })
          .execute()
        await enroll(trx, number)
        if (fails) throw new Error('undone')
      })
    await Promise.allSettled(numbers(20).map((number) => change(number, number % 2 === 0)))
    await appendBatch(store, [])
    const changes = await store.db.selectFrom('house').select('name').execute()
    const made = changes.map(({ name }) => Number(name.split(' ')[1])).toSorted((a, b) => a - b)
    assert.deepEqual(
      (await chainedNumbers(store.db)).toSorted((a, b) => a - b),
      made,
    )
    assert.deepEqual(
      made,
      numbers(20).filter((number) => number % 2 === 1),
    )
  })

  test('a batch that is handed over twice is there once', async (context) => {
    const store = await freshStore(context)
    await appendBatch(store, numbers(5).map(body))
    await enroll(store.db, 3)
    await enroll(store.db, 9)
    await enroll(store.db, 9)
    await appendBatch(store, numbers(7).map(body))
    assert.deepEqual(await chainedNumbers(store.db), [1, 2, 3, 4, 5, 9, 6, 7])
    assert.equal((await verifyChain(store.db)).ok, true)
  })

  test('two events with one id are refused, and nothing of their batch is kept', async (context) => {
    const store = await freshStore(context)
    await appendBatch(store, [body(1)])
    const clash = eventText({ ...sampleEvent(2), id: sampleId(1) })
    await assert.rejects(
      appendBatch(store, [body(3), clash]),
      /expected every event to have an id of its own, got two with `019b76da/,
    )
    assert.deepEqual(await chainedNumbers(store.db), [1])
    assert.equal((await verifyChain(store.db)).ok, true)
  })

  test('A60: several nodes that append at once make one whole chain, each in its own order', async (context) => {
    const url = await fresh(context)
    const stores = [await openStore(url)]
    if (url !== 'sqlite::memory:') for (let node = 1; node < 4; node++) stores.push(await openStore(url))
    const [first] = stores as [Store]
    context.after(() => Promise.all(stores.map((store) => store.close())))
    await Promise.all(
      stores.map(async (store, node) => {
        for (let batch = 0; batch < 8; batch++) {
          const from = node * 1000 + batch * 10
          await enroll(store.db, from)
          await appendBatch(store, numbers(9, from + 1).map(body))
        }
      }),
    )
    while ((await appendBatch(first, [])) > 0);
    const outcome = await verifyChain(first.db)
    assert.deepEqual({ ok: outcome.ok, events: outcome.ok && outcome.events }, { ok: true, events: stores.length * 80 })
    const chained = await chainedNumbers(first.db)
    for (const node of stores.keys()) {
      const noted = chained.filter((number) => Math.floor(number / 1000) === node && number % 10 !== 0)
      assert.deepEqual(
        noted,
        noted.toSorted((a, b) => a - b),
        `node ${node}`,
      )
    }
  })

  test('a chain that is written to meanwhile verifies', async (context) => {
    const store = await freshStore(context)
    let writing = true
    const writer = (async () => {
      for (let from = 1; writing; from += 20) {
        await appendBatch(store, numbers(20, from).map(body))
        await breathe()
      }
    })()
    for (let round = 0; round < 10; round++) assert.equal((await verifyChain(store.db)).ok, true)
    writing = false
    await writer
  })

  test('A60: every change to the chain is found, and named', async (context) => {
    const store = await freshStore(context)
    for (const [deed, { does, finds }] of Object.entries(deeds)) {
      await context.test(deed, async () => {
        await store.db.deleteFrom('audit_events').execute()
        await store.db.deleteFrom('audit_head').execute()
        await store.db.insertInto('audit_head').values({ name: 'head', seq: 0, hash: genesis }).execute()
        await appendBatch(store, numbers(12).map(body))
        assert.equal((await verifyChain(store.db)).ok, true)

        await store.transaction(does)
        const outcome = await verifyChain(store.db)
        assert.ok(!outcome.ok, 'it was not found')
        assert.equal(`${outcome.what} ${outcome.seq}`, finds, outcome.detail)
        assert.match(outcome.detail, /^[^\n]{10,}$/)
      })
    }
  })
}

/** What someone with the database in their hands may do to a chain of twelve, and what has to be said about it. */
const deeds: Readonly<Record<string, { readonly does: (db: Database) => Promise<unknown>; readonly finds: string }>> = {
  'a body that was altered': { does: (db) => set(db, 5, { body: body(5).replace('GET', 'PUT') }), finds: 'altered 5' },
  'a body of something else': { does: (db) => set(db, 5, { body: 'nothing' }), finds: 'altered 5' },
  'a hash that was altered': { does: (db) => set(db, 5, { hash: 'f'.repeat(64) }), finds: 'altered 5' },
  'a hash that is none': { does: (db) => set(db, 5, { hash: '' }), finds: 'altered 5' },
  'the first body altered': { does: (db) => set(db, 1, { body: body(99) }), finds: 'altered 1' },
  'the last body altered': { does: (db) => set(db, 12, { body: body(99) }), finds: 'altered 12' },
  'a body altered together with its hash': {
    does: async (db) =>
      set(db, 5, { body: body(99), hash: link(await hashOf(db, 4), body(99)), ...columnsOf(sampleEvent(99)) }),
    finds: 'altered 6',
  },
  ...Object.fromEntries(
    (['id', 'type', 'action', 'actor', 'result', 'address', 'request_id', 'resource_type', 'resource'] as const).map(
      (name) => [
        `the column \`${name}\` altered`,
        { does: (db: Database) => set(db, 5, { [name]: 'x' }), finds: 'altered 5' },
      ],
    ),
  ),
  'the column `at` altered': { does: (db) => set(db, 5, { at: 5 }), finds: 'altered 5' },
  'the first event removed': { does: (db) => remove(db, 1), finds: 'removed 1' },
  'an event removed': { does: (db) => remove(db, 5), finds: 'removed 5' },
  'three events removed': { does: (db) => remove(db, 5, 7), finds: 'removed 5' },
  'an event removed and the rest renumbered': {
    does: async (db) => {
      await remove(db, 5)
      for (const seq of numbers(7, 6)) await set(db, seq, { seq: seq - 1 })
      await db.updateTable('audit_head').set({ seq: 11 }).execute()
    },
    finds: 'altered 5',
  },
  'the last event removed': { does: (db) => remove(db, 12), finds: 'cut-off 12' },
  'the last three removed': { does: (db) => remove(db, 10, 12), finds: 'cut-off 10' },
  'everything removed': { does: (db) => remove(db, 1, 12), finds: 'cut-off 1' },
  'an event added at the end': { does: async (db) => insert(db, 13, await hashOf(db, 12)), finds: 'inserted 13' },
  'an event added before the first': { does: (db) => insert(db, 0, genesis), finds: 'inserted 0' },
  'an event inserted with the right hash': {
    does: async (db) => {
      await makeRoom(db, 6)
      await insert(db, 6, await hashOf(db, 5))
    },
    finds: 'inserted 6',
  },
  'an event inserted with a wrong hash': {
    does: async (db) => {
      await makeRoom(db, 6)
      await insert(db, 6, genesis)
    },
    finds: 'inserted 6',
  },
  'two neighbours swapped': { does: (db) => swap(db, 5, 6), finds: 'moved 5' },
  'two events swapped': { does: (db) => swap(db, 5, 9), finds: 'moved 5' },
  'the bodies of two events swapped': {
    does: async (db) => {
      await set(db, 5, { body: body(9) })
      await set(db, 9, { body: body(5) })
    },
    finds: 'altered 5',
  },
  'an event moved to the end': { does: (db) => set(db, 5, { seq: 100 }), finds: 'moved 5' },
  'the head moved back': {
    does: async (db) =>
      db
        .updateTable('audit_head')
        .set({ seq: 11, hash: await hashOf(db, 11) })
        .execute(),
    finds: 'inserted 12',
  },
  'the hash of the head altered': {
    does: (db) => db.updateTable('audit_head').set({ hash: genesis }).execute(),
    finds: 'head 12',
  },
  'the head removed': { does: (db) => db.deleteFrom('audit_head').execute(), finds: 'head 12' },
  'a last event that is none, with all hashes right': { does: (db) => replaceLast(db, '{}'), finds: 'altered 12' },
  'a last event in another form, with all hashes right': {
    does: (db) => replaceLast(db, JSON.stringify(JSON.parse(body(12)), undefined, 1)),
    finds: 'altered 12',
  },
  'a last event with a member too many, with all hashes right': {
    does: (db) => replaceLast(db, canonical({ ...sampleEvent(12), z: 1 }).replace('"z":1', '"z":1,"z":2')),
    finds: 'altered 12',
  },
}

function body(number: number): string {
  return eventText(sampleEvent(number))
}

async function enroll(db: Database, number: number): Promise<void> {
  await db
    .insertInto('audit_outbox')
    .values({ body: body(number) })
    .execute()
}

export async function chainedNumbers(db: Database): Promise<number[]> {
  const rows = await db.selectFrom('audit_events').select('id').orderBy('seq').execute()
  return rows.map(({ id }) => Number(id.slice(-12)))
}

async function hashOf(db: Database, seq: number): Promise<string> {
  return (await db.selectFrom('audit_events').select('hash').where('seq', '=', seq).executeTakeFirstOrThrow()).hash
}

async function set(db: Database, seq: number, columns: Readonly<Record<string, string | number>>): Promise<void> {
  await db.updateTable('audit_events').set(columns).where('seq', '=', seq).execute()
}

async function remove(db: Database, from: number, to = from): Promise<void> {
  await db.deleteFrom('audit_events').where('seq', '>=', from).where('seq', '<=', to).execute()
}

async function insert(db: Database, seq: number, previous: string): Promise<void> {
  await db
    .insertInto('audit_events')
    .values({ seq, ...columnsOf(sampleEvent(99)), body: body(99), hash: link(previous, body(99)) })
    .execute()
}

/** Moves the events from `seq` on by one. The head follows. */
async function makeRoom(db: Database, seq: number): Promise<void> {
  for (const each of numbers(13 - seq, seq).reverse()) await set(db, each, { seq: each + 1 })
  await sql`update audit_head set seq = seq + 1`.execute(db)
}

async function swap(db: Database, a: number, b: number): Promise<void> {
  await set(db, a, { seq: -1 })
  await set(db, b, { seq: a })
  await set(db, -1, { seq: b })
}

async function replaceLast(db: Database, text: string): Promise<void> {
  const hash = link(await hashOf(db, 11), text)
  await set(db, 12, { body: text, hash })
  await db.updateTable('audit_head').set({ hash }).execute()
}
