// What checkpoints have to hold on every store.
import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { appendBatch } from '../../src/audit/chain.ts'
import {
  isSigned,
  readCheckpoint,
  readVerifier,
  type SignedCheckpoint,
  verifierText,
} from '../../src/audit/checkpoint/note.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { verifyChain } from '../../src/audit/verify/verify.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import { checkpointing } from './checkpoint-support.ts'
import * as reference from './merkle-reference.ts'
import { numbers, sampleEvent } from './sample.ts'

export function checkpointCases(fresh: (context: TestContext) => Promise<string>): void {
  async function freshStore(context: TestContext, url?: string): Promise<Store> {
    const store = await openStore(url ?? (await fresh(context)))
    context.after(() => store.close())
    return store
  }
  const chain = (store: Store, count: number, from = 1): Promise<number> =>
    appendBatch(
      store,
      numbers(count, from).map((number) => eventText(sampleEvent(number))),
    )

  test('AU2: a checkpoint is a signed note of how many events there are, of their tree and of their chain', async (context) => {
    const store = await freshStore(context)
    const clock = testClock()
    const { key, checkpointer } = await checkpointing(store, { clock })
    await chain(store, 300)
    const made = (await checkpointer.make()) as SignedCheckpoint
    const events = await store.db.selectFrom('audit_events').select(['body', 'hash']).orderBy('seq').execute()
    const root = reference.root(events.map(({ body }) => reference.leaf(body)))
    const lines = made.note.split('\n')
    assert.match(lines[0] ?? '', /^gatehouse\/[0-9a-f]{16}\/audit$/)
    assert.deepEqual(lines.slice(1, 7), [
      '300',
      root.toString('base64'),
      `chain ${events.at(-1)?.hash}`,
      'previous 0',
      `time ${new Date(clock.now()).toISOString()}`,
      '',
    ])
    const [dash, name, signed = ''] = (lines[7] ?? '').split(' ')
    assert.deepEqual([dash, name, lines.slice(8)], ['—', lines[0], ['']])
    const signature = Buffer.from(signed, 'base64').subarray(4)
    const x = Buffer.from(verifierText(key).split('+').slice(2).join('+'), 'base64').subarray(1).toString('base64url')
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    assert.ok(verify(undefined, Buffer.from(`${lines.slice(0, 6).join('\n')}\n`), publicKey, signature))
    assert.deepEqual(readCheckpoint(made.note), made)
    const stored = await store.db.selectFrom('audit_tree').selectAll().execute()
    const first = reference.root(events.slice(0, 256).map(({ body }) => reference.leaf(body)))
    assert.deepEqual(
      stored.map((row) => ({ ...row })),
      [{ level: 8, position: 0, hash: first.toString('hex') }],
    )
  })

  test('AU2: nothing new, no checkpoint; each names the one before; another process goes on after it', async (context) => {
    const store = await freshStore(context)
    const { key, checkpointer } = await checkpointing(store)
    assert.equal(await checkpointer.make(), undefined, 'an empty record')
    await chain(store, 255)
    assert.equal((await checkpointer.make())?.size, 255)
    assert.equal(await checkpointer.make(), undefined)
    await chain(store, 2, 256)
    const [one, two] = await Promise.all([checkpointer.make(), checkpointer.make()])
    assert.deepEqual([one?.size, one?.previous, two], [257, 255, one])
    await chain(store, 600, 258)
    const later = await checkpointing(store)
    assert.equal((await later.checkpointer.make())?.previous, 257)
    assert.equal(verifierText(later.key), verifierText(key))
    const outcome = await verifyChain(store.db, { key })
    assert.ok(outcome.ok)
    assert.deepEqual([outcome.events, outcome.checkpoints], [857, 3])
  })

  test('AU2: it is made when it is due, and not before', async (context) => {
    const store = await freshStore(context)
    const clock = testClock()
    const { checkpointer } = await checkpointing(store, { clock })
    const sizes = async (): Promise<number[]> =>
      (await store.db.selectFrom('audit_checkpoints').select('size').orderBy('size').execute()).map(({ size }) => size)
    await chain(store, 3)
    await checkpointer.turn()
    assert.deepEqual(await sizes(), [3])
    await chain(store, 3, 4)
    clock.advance(59_000)
    await checkpointer.turn()
    assert.deepEqual(await sizes(), [3])
    clock.advance(1_000)
    await checkpointer.turn()
    assert.deepEqual(await sizes(), [3, 6])
    await chain(store, 3, 7)
    clock.advance(-3_600_000)
    await checkpointer.turn()
    assert.deepEqual(await sizes(), [3, 6, 9], 'a clock that was set back holds nothing up')
  })

  test('AU2: of several nodes that sign while events come, all agree, and the record verifies', async (context) => {
    const url = await fresh(context)
    const stores = [await freshStore(context, url)]
    if (url !== 'sqlite::memory:') stores.push(await freshStore(context, url), await freshStore(context, url))
    const [first] = stores as [Store]
    const nodes = await Promise.all(stores.map((store) => checkpointing(store)))
    assert.equal(new Set(nodes.map(({ key }) => verifierText(key))).size, 1, 'one name for one house')
    let writing = true
    const writer = (async () => {
      for (let from = 1; from < 2_000; from += 100) await chain(first, 100, from)
      writing = false
    })()
    await Promise.all(
      nodes.map(async ({ checkpointer }) => {
        while (writing) {
          await checkpointer.make()
          await new Promise((resolve) => setImmediate(resolve))
        }
        await checkpointer.make()
      }),
    )
    await writer
    assert.deepEqual(
      nodes.map(({ told }) => told),
      nodes.map(() => []),
    )
    const outcome = await verifyChain(first.db, { key: (nodes[0] as (typeof nodes)[0]).key })
    assert.ok(outcome.ok, JSON.stringify(outcome))
    assert.ok(outcome.checkpoints >= 1)
    const latest = await first.db
      .selectFrom('audit_checkpoints')
      .select('size')
      .orderBy('size', 'desc')
      .executeTakeFirst()
    assert.deepEqual([latest?.size, outcome.events], [2_000, 2_000])
  })

  for (const [deed, { does, says }] of Object.entries(deeds)) {
    test(`A60: nothing is signed over ${deed}, and it is told once`, async (context) => {
      const store = await freshStore(context)
      const { checkpointer, told } = await checkpointing(store)
      await chain(store, 300)
      await checkpointer.make()
      await chain(store, 4, 301)
      await checkpointer.make()
      await does(store)
      await chain(store, 1, 400).catch(() => {}) // what has no head is not chained either
      const before = await store.db.selectFrom('audit_checkpoints').select('size').execute()
      assert.equal(await checkpointer.make(), undefined)
      assert.equal(await checkpointer.make(), undefined)
      assert.deepEqual([told.length, checkpointer.broken], [1, told[0]])
      assert.match(told[0] ?? '', says)
      assert.deepEqual(await store.db.selectFrom('audit_checkpoints').select('size').execute(), before)
    })
  }

  test('A60: a process that begins anew signs nothing over events that were altered, or a checkpoint of another house', async (context) => {
    for (const [, { does, says, anew = true }] of Object.entries(deeds)) {
      if (!anew) continue
      const store = await freshStore(context)
      const before = await checkpointing(store)
      await chain(store, 304)
      await before.checkpointer.make()
      await does(store)
      await chain(store, 1, 400).catch(() => {})
      const { checkpointer, told } = await checkpointing(store)
      assert.equal(await checkpointer.make(), undefined)
      assert.match(told[0] ?? '', says)
    }
    const store = await freshStore(context)
    await chain(store, 3)
    await (await checkpointing(store, { root: 'another root secret, of another house' })).checkpointer.make()
    const { checkpointer, told } = await checkpointing(store)
    assert.equal(await checkpointer.make(), undefined)
    assert.deepEqual(told, ['the checkpoint over 3 events is not signed by this house'])
  })

  test('AU2: notes are read in one spelling, and believed by one key', async (context) => {
    const store = await freshStore(context)
    const { key, checkpointer } = await checkpointing(store)
    await chain(store, 3)
    const made = (await checkpointer.make()) as SignedCheckpoint
    const { note } = made
    assert.ok(isSigned(made, key))
    const verifier = readVerifier(verifierText(key), '')
    assert.ok(verifier !== undefined && isSigned(made, verifier))
    const bare = readVerifier(String(key.publicKey.export({ format: 'jwk' }).x), key.origin)
    assert.ok(bare !== undefined && isSigned(made, bare))
    for (const text of ['', 'x', `${verifierText(key)}=`, verifierText(key).replace('+', '+0'), 'AAAA'])
      assert.equal(readVerifier(text, key.origin), undefined, text)
    const witness = `— witness.example ${Buffer.alloc(76, 7).toString('base64')}\n`
    const witnessed = readCheckpoint(note + witness)
    assert.ok(witnessed !== undefined && isSigned(witnessed, key), 'signatures of others are ignored')
    const signatureLine = note.slice(note.indexOf('— '))
    const forged = signatureLine.replace(/.{7}=\n$/, 'AAAAAAA=\n')
    for (const text of [note.replace('\n3\n', '\n4\n'), note + forged, note.replace(signatureLine, witness)]) {
      const read = readCheckpoint(text)
      assert.ok(read === undefined || !isSigned(read, key), text)
    }
    for (const text of [
      '',
      note.trimEnd(),
      note.replace('\n3\n', '\n03\n'),
      note.replace('previous 0', 'previous 00'),
      note.replace('time 2026', 'time 02026'),
      note.replaceAll('\n', '\r\n'),
      note.replace('chain ', 'chain  '),
      `${note}\n`,
      note.replace('\n\n', '\nmore\n\n'),
      note + witness.repeat(17),
    ])
      assert.equal(readCheckpoint(text), undefined, text)
  })
}

/** What is done to a record of 304 events, 300 of them or all signed, and what is said about it. */
const deeds: Readonly<
  Record<string, { readonly does: (store: Store) => Promise<unknown>; readonly says: RegExp; readonly anew?: false }>
> = {
  'a last event that was altered': {
    does: ({ db }) => db.updateTable('audit_events').set({ body: '{}' }).where('seq', '=', 304).execute(),
    says: /^the first 304 events are not those that were signed$/,
  },
  'a hash that was altered': {
    does: ({ db }) =>
      db
        .updateTable('audit_events')
        .set({ hash: 'f'.repeat(64) })
        .where('seq', '=', 304)
        .execute(),
    says: /^event 304 is not the one that was signed$/,
  },
  'an event of the last block that was altered': {
    does: ({ db }) => db.updateTable('audit_events').set({ body: '{}' }).where('seq', '=', 270).execute(),
    says: /^the first 304 events are not those that were signed$/,
  },
  'an event that was removed': {
    does: ({ db }) => db.deleteFrom('audit_events').where('seq', '=', 270).execute(),
    says: /^event 270 is missing in the record$/,
  },
  'a stored hash of the tree that was altered': {
    does: ({ db }) =>
      db
        .updateTable('audit_tree')
        .set({ hash: 'f'.repeat(64) })
        .execute(),
    says: /^the first 304 events are not those that were signed$/,
  },
  'a chain that was cut short': {
    does: async ({ db }) => {
      await db.deleteFrom('audit_events').where('seq', '>', 290).execute()
      const last = await db.selectFrom('audit_events').select('hash').where('seq', '=', 290).executeTakeFirstOrThrow()
      await db.updateTable('audit_head').set({ seq: 290, hash: last.hash }).execute()
    },
    says: /^the chain ends with event 291, and 304 events were signed$/,
  },
  'a head that is gone': { does: ({ db }) => db.deleteFrom('audit_head').execute(), says: /^the row that says where/ },
  'a checkpoint that was removed': {
    does: ({ db }) => db.deleteFrom('audit_checkpoints').where('size', '=', 304).execute(),
    says: /^the checkpoint over 304 events is gone: the latest covers 300$/,
    anew: false,
  },
  'all checkpoints removed': {
    does: ({ db }) => db.deleteFrom('audit_checkpoints').execute(),
    says: /^the checkpoint over 304 events is gone$/,
    anew: false,
  },
  'a checkpoint that was altered': {
    does: ({ db }) =>
      db
        .updateTable('audit_checkpoints')
        .set({ root: 'f'.repeat(64) })
        .where('size', '=', 304)
        .execute(),
    says: /^the checkpoint over 304 events says another thing than its row$/,
  },
  'a checkpoint that is none': {
    does: ({ db }) => db.updateTable('audit_checkpoints').set({ note: 'nothing' }).where('size', '=', 304).execute(),
    says: /^the checkpoint over 304 events is not signed by this house$/,
  },
  'a new event that does not follow': {
    does: async ({ db }) => {
      const body = eventText(sampleEvent(399))
      await db
        .updateTable('audit_head')
        .set({ seq: 305, hash: 'e'.repeat(64) })
        .execute()
      const row = await db.selectFrom('audit_events').selectAll().where('seq', '=', 304).executeTakeFirstOrThrow()
      await db
        .insertInto('audit_events')
        .values({ ...row, seq: 305, id: 'x', body, hash: 'e'.repeat(64) })
        .execute()
    },
    says: /^event 305 does not follow the one before it$/,
  },
}
