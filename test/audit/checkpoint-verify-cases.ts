// What `verify` finds that the hashes of the chain alone do not show: with checkpoints in the store, and with those kept outside.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { appendBatch, columnsOf, link } from '../../src/audit/chain.ts'
import { checkpointKey } from '../../src/audit/checkpoint/key.ts'
import { GrowingTree, leafHash } from '../../src/audit/checkpoint/merkle.ts'
import { appendNotes, readNotes } from '../../src/audit/checkpoint/notes-file.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { type Verification, type VerifyOptions, verifyChain } from '../../src/audit/verify/verify.ts'
import { rootKey } from '../../src/keys/root.ts'
import { type Database, openStore, type Store } from '../../src/store/database.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { checkpointing, secret } from './checkpoint-support.ts'
import { numbers, sampleEvent } from './sample.ts'

/** How many events each checkpoint covers, and how many there are. */
const signed = [300, 306, 312] as const
const all = 316

export function checkpointVerifyCases(fresh: (context: TestContext) => Promise<string>): void {
  test('A60: what is done to events, tree or checkpoints by whoever has the database is found, and named', async (context) => {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    for (const [deed, { does, finds, says, anchored, keyless }] of Object.entries(deeds)) {
      await context.test(deed, async () => {
        const { options, anchors } = await make(store, join(throwAwayFolder(context), 'audit.checkpoints'))
        const whole = await verifyChain(store.db, { ...options, anchors: anchors() })
        assert.ok(whole.ok && whole.checkpoints === 3, JSON.stringify(whole))
        await store.transaction((trx) => does(trx))
        const plain = await verifyChain(store.db, options)
        assert.equal(named(plain), finds, JSON.stringify(plain))
        if (!plain.ok) assert.match(plain.detail, says)
        const withAnchors = await verifyChain(store.db, { ...options, anchors: anchors() })
        assert.equal(named(withAnchors), anchored ?? finds, JSON.stringify(withAnchors))
        assert.equal(named(await verifyChain(store.db)), keyless ?? finds, 'without the key')
      })
    }
  })

  test('A60: a checkpoint that comes while the record is verified takes nothing away', async (context) => {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    const path = join(throwAwayFolder(context), 'audit.checkpoints')
    const { key, checkpointer } = await checkpointing(store)
    let writing = true
    let from = 1
    const step = async (): Promise<void> => {
      await appendBatch(store, numbers(40, from).map(body))
      from += 40
      const made = await checkpointer.make()
      if (made !== undefined) await appendNotes(path, [made.note])
    }
    await step()
    const writer = (async () => {
      while (writing) await step()
    })()
    for (let round = 0; round < 8; round++) {
      const outcome = await verifyChain(store.db, { key, anchors: [{ name: path, checkpoints: readNotes(path) }] })
      assert.ok(outcome.ok, JSON.stringify(outcome))
    }
    writing = false
    await writer
  })
}

interface Deed {
  readonly does: (db: Database) => Promise<unknown>
  /** Without checkpoints from outside, and with them where that is another thing; without the key. */
  readonly finds: string
  readonly says: RegExp
  readonly anchored?: string
  readonly keyless?: string
}

/** What somebody with the database, and without the root secret, may do. */
const deeds: Readonly<Record<string, Deed>> = {
  'an old event rewritten with all hashes': {
    does: (db) => rewrite(db, 5),
    finds: 'altered 1',
    says: /^events 1 to 300 are not those that the checkpoint over 300 events was signed over$/,
  },
  'a later event rewritten with all hashes': {
    does: (db) => rewrite(db, 303),
    finds: 'altered 301',
    says: /^events 301 to 306 are not those/,
  },
  'an event rewritten with all hashes, and the tree': {
    does: async (db) => {
      await rewrite(db, 5)
      await growTree(db)
    },
    finds: 'altered 1',
    says: /^events 1 to 300 are not those/,
  },
  'an event rewritten with all hashes, the tree, and what the rows of checkpoints say': {
    does: async (db) => {
      await rewrite(db, 305)
      for (const size of [306, 312])
        await db
          .updateTable('audit_checkpoints')
          .set(await truthAt(db, size))
          .where('size', '=', size)
          .execute()
    },
    finds: 'checkpoint 306',
    says: /says another thing than its row$/,
    anchored: 'checkpoint 306',
  },
  'everything rewritten and signed by another key': {
    does: async (db) => {
      await rewrite(db, 305)
      await forge(db, 306, 'another root secret, of another house')
      await forge(db, 312, 'another root secret, of another house')
    },
    finds: 'checkpoint 306',
    says: /^the checkpoint over 306 events is not signed by this house$/,
    keyless: 'whole',
  },
  'an event removed, and the rest renumbered with all hashes': {
    does: async (db) => {
      await db.deleteFrom('audit_events').where('seq', '=', 304).execute()
      for (const seq of numbers(all - 304, 305))
        await db
          .updateTable('audit_events')
          .set({ seq: seq - 1 })
          .where('seq', '=', seq)
          .execute()
      await rehash(db, 304)
    },
    finds: 'altered 301',
    says: /^events 301 to 306/,
  },
  'two events swapped with all hashes': {
    does: async (db) => {
      for (const [from, to] of [
        [303, -1],
        [304, 303],
        [-1, 304],
      ] as const)
        await db.updateTable('audit_events').set({ seq: to }).where('seq', '=', from).execute()
      await rehash(db, 303)
    },
    finds: 'altered 301',
    says: /^events 301 to 306/,
  },
  'the end cut off with the head': {
    does: (db) => cut(db, 309),
    finds: 'cut-off 310',
    says: /^the chain ends after event 309, and the checkpoint over 312 events was signed$/,
  },
  'the end cut off with the head and the checkpoint': {
    does: (db) => cut(db, 309, 309),
    finds: 'whole',
    says: /never/,
    anchored: 'cut-off 310',
  },
  'nearly everything cut off with the head, the checkpoints and the tree': {
    does: async (db) => {
      await cut(db, 20, 20)
      await db.deleteFrom('audit_tree').execute()
    },
    finds: 'whole',
    says: /never/,
    anchored: 'cut-off 21',
  },
  'nearly everything cut off with the head and the checkpoints': {
    does: (db) => cut(db, 20, 20),
    finds: 'checkpoint 256',
    says: /^the checkpoint that covered 256 events or more is gone$/,
    anchored: 'cut-off 21',
  },
  'the last checkpoint removed': {
    does: (db) => db.deleteFrom('audit_checkpoints').where('size', '=', 312).execute(),
    finds: 'whole',
    says: /never/,
    anchored: 'checkpoint 312',
  },
  'a checkpoint removed from between': {
    does: (db) => db.deleteFrom('audit_checkpoints').where('size', '=', 306).execute(),
    finds: 'checkpoint 306',
    says: /^the checkpoint over 306 events, which the checkpoint over 312 events follows, is gone$/,
  },
  'all checkpoints removed': {
    does: (db) => db.deleteFrom('audit_checkpoints').execute(),
    finds: 'checkpoint 256',
    says: /is gone$/,
    anchored: 'checkpoint 300',
  },
  'the signature of a checkpoint altered': {
    does: (db) => alterNote(db, 306, (note) => note.replace(/.{7}=\n$/, 'AAAAAAA=\n')),
    finds: 'checkpoint 306',
    says: /is not signed by this house$/,
    keyless: 'whole',
  },
  'a checkpoint that is no note': {
    does: (db) => alterNote(db, 306, () => 'nothing'),
    finds: 'checkpoint 306',
    says: /is no checkpoint$/,
  },
  'the note of another checkpoint in a row': {
    does: async (db) => {
      const other = await db.selectFrom('audit_checkpoints').select('note').where('size', '=', 300).executeTakeFirst()
      await alterNote(db, 306, () => other?.note ?? '')
    },
    finds: 'checkpoint 306',
    says: /says another thing than its row$/,
  },
  'a checkpoint of a house with the same secret': {
    does: (db) => forge(db, 306, secret, 'ffffffffffffffff'),
    finds: 'checkpoint 306',
    says: /is not signed by this house$/,
    keyless: 'whole',
  },
  'a checkpoint over more events than there are, signed by another key': {
    does: async (db) => {
      const row = await db.selectFrom('audit_checkpoints').selectAll().where('size', '=', 312).executeTakeFirstOrThrow()
      await db
        .insertInto('audit_checkpoints')
        .values({ ...row, size: 400 })
        .execute()
    },
    finds: 'checkpoint 400',
    says: /says another thing than its row$/,
  },
  'a stored hash of the tree altered': {
    does: (db) =>
      db
        .updateTable('audit_tree')
        .set({ hash: 'f'.repeat(64) })
        .execute(),
    finds: 'tree 1',
    says: /^the stored hash of events 1 to 256 is another$/,
  },
  'a stored hash of the tree removed': {
    does: (db) => db.deleteFrom('audit_tree').execute(),
    finds: 'tree 1',
    says: /^the stored hash of events 1 to 256 is missing$/,
  },
  'a stored hash of the tree too many': {
    does: (db) =>
      db
        .insertInto('audit_tree')
        .values({ level: 8, position: 1, hash: 'f'.repeat(64) })
        .execute(),
    finds: 'checkpoint 512',
    says: /is gone$/,
  },
}

/** A record anew, signed thrice, and kept outside. */
async function make(
  store: Store,
  path: string,
): Promise<{ readonly options: VerifyOptions; readonly anchors: () => NonNullable<VerifyOptions['anchors']> }> {
  for (const table of ['audit_events', 'audit_tree', 'audit_checkpoints'] as const)
    await store.db.deleteFrom(table).execute()
  await store.db
    .updateTable('audit_head')
    .set({ seq: 0, hash: '0'.repeat(64) })
    .execute()
  const { key, checkpointer } = await checkpointing(store)
  let from = 1
  for (const size of [...signed, all]) {
    await appendBatch(store, numbers(size - from + 1, from).map(body))
    from = size + 1
    const made = size === all ? undefined : await checkpointer.make()
    if (made !== undefined) await appendNotes(path, [made.note])
  }
  return { options: { key }, anchors: () => [{ name: 'outside', checkpoints: readNotes(path) }] }
}

function named(outcome: Verification): string {
  return outcome.ok ? 'whole' : `${outcome.what} ${outcome.seq}`
}

function body(number: number): string {
  return eventText(sampleEvent(number))
}

/** Puts another event in the place of one, as if it had always been there. */
async function rewrite(db: Database, seq: number): Promise<void> {
  const set = { ...columnsOf(sampleEvent(900)), body: body(900) }
  await db.updateTable('audit_events').set(set).where('seq', '=', seq).execute()
  await rehash(db, seq)
}

async function rehash(db: Database, from: number): Promise<void> {
  const events = await db.selectFrom('audit_events').select(['seq', 'body', 'hash']).orderBy('seq').execute()
  let { hash } = events[from - 2] as (typeof events)[number]
  for (const event of events.slice(from - 1)) {
    hash = link(hash, event.body)
    await db.updateTable('audit_events').set({ hash }).where('seq', '=', event.seq).execute()
  }
  await db.updateTable('audit_head').set({ seq: events.length, hash }).execute()
}

async function growTree(db: Database): Promise<void> {
  const tree = new GrowingTree()
  const rows: { level: number; position: number; hash: string }[] = []
  for (const { body } of await db.selectFrom('audit_events').select('body').orderBy('seq').execute())
    tree.push(leafHash(body), (one) => rows.push({ ...one, hash: one.hash.toString('hex') }))
  for (const { level, position, hash } of rows)
    await db
      .updateTable('audit_tree')
      .set({ hash })
      .where('level', '=', level)
      .where('position', '=', position)
      .execute()
}

async function truthAt(db: Database, size: number): Promise<{ readonly root: string; readonly hash: string }> {
  const tree = new GrowingTree()
  const events = await db.selectFrom('audit_events').select(['body', 'hash']).orderBy('seq').limit(size).execute()
  for (const { body } of events) tree.push(leafHash(body), () => {})
  return { root: tree.root().toString('hex'), hash: events.at(-1)?.hash ?? '' }
}

/** A checkpoint over what is there now, by another key or of another house. */
async function forge(db: Database, size: number, root: string, house = '0123456789abcdef'): Promise<void> {
  const row = await db.selectFrom('audit_checkpoints').select('at').where('size', '=', size).executeTakeFirstOrThrow()
  const previous = signed[signed.indexOf(size as 306) - 1] ?? 0
  const truth = await truthAt(db, size)
  const { note } = checkpointKey(rootKey(root), house).sign({ ...truth, size, at: row.at, previous })
  await db
    .updateTable('audit_checkpoints')
    .set({ ...truth, note })
    .where('size', '=', size)
    .execute()
}

async function alterNote(db: Database, size: number, change: (note: string) => string): Promise<void> {
  const row = await db.selectFrom('audit_checkpoints').select('note').where('size', '=', size).executeTakeFirstOrThrow()
  await db
    .updateTable('audit_checkpoints')
    .set({ note: change(row.note) })
    .where('size', '=', size)
    .execute()
}

/** Cuts off what comes after `seq`, and checkpoints over more than so many events. */
async function cut(db: Database, seq: number, checkpointsMax = Number.MAX_SAFE_INTEGER): Promise<void> {
  await db.deleteFrom('audit_events').where('seq', '>', seq).execute()
  const { hash } = await db.selectFrom('audit_events').select('hash').where('seq', '=', seq).executeTakeFirstOrThrow()
  await db.updateTable('audit_head').set({ seq, hash }).execute()
  await db.deleteFrom('audit_checkpoints').where('size', '>', checkpointsMax).execute()
}
