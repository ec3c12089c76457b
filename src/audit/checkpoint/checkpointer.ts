import { setImmediate as breathe } from 'node:timers/promises'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/error.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database, Store } from '../../store/database.ts'
import type { AuditCheckpointsTable, AuditHeadTable, AuditTreeTable } from '../../store/schema-record.ts'
import { genesis, link } from '../chain.ts'
import { type CheckpointKey, houseIdName } from './key.ts'
import { type GrowingTree, leafHash } from './merkle.ts'
import { isSigned, readCheckpoint, type SignedCheckpoint } from './note.ts'
import { latestCheckpoint } from './rows.ts'
import { treeAt } from './tree.ts'

/** Signs what was chained. It signs nothing that does not continue what was signed before. */
export interface Checkpointer {
  /**
   * Signs the chain up to its end now. Undefined where nothing came since the last checkpoint, where another node is at it, and
   * where the record is `broken`.
   */
  make(): Promise<SignedCheckpoint | undefined>
  /** Makes one when it is time, by the last checkpoint of any node. */
  turn(): Promise<void>
  /** Why nothing is signed any more, in one sentence; undefined as long as all is well. */
  readonly broken: string | undefined
}

export interface CheckpointerParts {
  readonly store: Store
  readonly key: CheckpointKey
  readonly clock: Clock
  readonly log: Log
  /** Milliseconds from one checkpoint to the next. */
  readonly every: number
  /** The record is not what was signed: called once for each reason. */
  onBroken(reason: string): Promise<void> | void
}

export function openCheckpointer(parts: CheckpointerParts): Checkpointer {
  return new ContinuingCheckpointer(parts)
}

/** How many events are read at once, and how many one checkpoint covers that the one before did not. */
const pageSize = 500
const eventsMax = 262_144
const rowsPerInsert = 200

/** What was signed last: also where that row is gone or another is in its place. */
type Signed = Pick<SignedCheckpoint, 'size' | 'root' | 'hash'>

class ContinuingCheckpointer implements Checkpointer {
  readonly #parts: CheckpointerParts
  #last: Signed = { size: 0, root: '', hash: genesis }
  #underWay: Promise<SignedCheckpoint | undefined> | undefined
  #broken: string | undefined

  constructor(parts: CheckpointerParts) {
    this.#parts = parts
  }

  get broken(): string | undefined {
    return this.#broken
  }

  make(): Promise<SignedCheckpoint | undefined> {
    this.#underWay ??= this.#make().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  async turn(): Promise<void> {
    const { store, clock, every } = this.#parts
    const last = await latestCheckpoint(store.db)
    const passed = clock.now() - (last?.at ?? 0)
    if (passed >= every || passed < -every) await this.make() // the clock may have been set back
  }

  async #make(): Promise<SignedCheckpoint | undefined> {
    let made: SignedCheckpoint | undefined
    for (;;) {
      const next = await this.#next()
      if (next === undefined) return made
      if (typeof next === 'string') {
        await this.#tell(next)
        return undefined
      }
      made = next
      this.#broken = undefined
    }
  }

  async #tell(reason: string): Promise<void> {
    if (this.#broken === reason) return
    this.#broken = reason
    this.#parts.log.error({ reason }, 'the record is not what was signed: no checkpoint is made any more')
    await this.#parts.onBroken(reason)
  }

  /** The next checkpoint, undefined where there is none to make, or why none is made. */
  async #next(): Promise<SignedCheckpoint | string | undefined> {
    const { store, key, clock } = this.#parts
    const { db } = store
    const last = await latestCheckpoint(db)
    const wrong = this.#against(last)
    if (wrong !== undefined) return wrong
    const head = await headOf(db) // asked after the checkpoint, which is never ahead of it
    const { size, root, hash } = last ?? { size: 0, root: '', hash: genesis }
    if (head === undefined) return 'the row that says where the chain ends is gone'
    if (head.seq < size) return `the chain ends with event ${head.seq}, and ${size} events were signed`
    if (head.seq === size) return head.hash === hash ? undefined : `event ${size} is not the one that was signed`
    if ((await hashAt(db, size)) !== hash) return `event ${size} is not the one that was signed`
    let tree: GrowingTree
    try {
      tree = await treeAt(db, size)
    } catch (error) {
      if (error instanceof Fault) return error.message
      throw error
    }
    if (last !== undefined && tree.root().toString('hex') !== root)
      return `the first ${size} events are not those that were signed`

    const rows: AuditTreeTable[] = []
    const end = await extend(db, tree, { hash, to: Math.min(head.seq, size + eventsMax) }, rows)
    if (typeof end === 'object') return end.wrong
    const said = { size: tree.size, root: tree.root().toString('hex'), hash: end, at: clock.now(), previous: size }
    const checkpoint = key.sign(said)
    if (!(await this.#write(checkpoint, rows))) return undefined
    this.#last = checkpoint
    return checkpoint
  }

  /** What speaks against the latest checkpoint of the store, given what was signed here. */
  #against(row: AuditCheckpointsTable | undefined): string | undefined {
    const { size } = this.#last
    if (row === undefined) return size === 0 ? undefined : `the checkpoint over ${size} events is gone`
    if (row.size < size) return `the checkpoint over ${size} events is gone: the latest covers ${row.size}`
    const said = readCheckpoint(row.note)
    if (said === undefined || !isSigned(said, this.#parts.key))
      return `the checkpoint over ${row.size} events is not signed by this house`
    if (said.size !== row.size || said.root !== row.root || said.hash !== row.hash)
      return `the checkpoint over ${row.size} events says another thing than its row`
    if (row.size === size && (row.root !== this.#last.root || row.hash !== this.#last.hash))
      return `the checkpoint over ${size} events is not the one that was signed here`
    return undefined
  }

  /** All of it or nothing; false where another node signed meanwhile. */
  async #write(checkpoint: SignedCheckpoint, rows: readonly AuditTreeTable[]): Promise<boolean> {
    const { store } = this.#parts
    const { size, at, root, hash, note, previous } = checkpoint
    return store.transaction(async (trx) => {
      await trx.updateTable('house').set({ name: houseIdName }).where('name', '=', houseIdName).execute()
      if (((await latestCheckpoint(trx))?.size ?? 0) !== previous) return false
      for (let from = 0; from < rows.length; from += rowsPerInsert) {
        await trx
          .insertInto('audit_tree')
          .values(rows.slice(from, from + rowsPerInsert))
          .onConflict((conflict) =>
            conflict
              .columns(['level', 'position'])
              .doUpdateSet((excluded) => ({ hash: excluded.ref('excluded.hash') })),
          )
          .execute()
      }
      await trx.insertInto('audit_checkpoints').values({ size, at, root, hash, note }).execute()
      return true
    })
  }
}

/** Puts the events behind those of the tree into it, and answers the hash of the last. What is not chained is not signed. */
async function extend(
  db: Database,
  tree: GrowingTree,
  { hash: from, to }: { readonly hash: string; readonly to: number },
  rows: AuditTreeTable[],
): Promise<string | { readonly wrong: string }> {
  let hash = from
  while (tree.size < to) {
    const page = await db
      .selectFrom('audit_events')
      .select(['seq', 'body', 'hash'])
      .where('seq', '>', tree.size)
      .where('seq', '<=', to)
      .orderBy('seq')
      .limit(pageSize)
      .execute()
    if (page.length === 0) return { wrong: `event ${tree.size + 1} is missing` }
    for (const event of page) {
      if (event.seq !== tree.size + 1) return { wrong: `event ${tree.size + 1} is missing` }
      hash = link(hash, event.body)
      if (hash !== event.hash) return { wrong: `event ${event.seq} does not follow the one before it` }
      tree.push(leafHash(event.body), (subtree) => rows.push({ ...subtree, hash: subtree.hash.toString('hex') }))
    }
    await breathe() // SQLite answers at once: without a pause nobody else would get a turn
  }
  return hash
}

function headOf(db: Database): Promise<AuditHeadTable | undefined> {
  return db.selectFrom('audit_head').selectAll().where('name', '=', 'head').executeTakeFirst()
}

async function hashAt(db: Database, seq: number): Promise<string | undefined> {
  if (seq === 0) return genesis
  return (await db.selectFrom('audit_events').select('hash').where('seq', '=', seq).executeTakeFirst())?.hash
}
