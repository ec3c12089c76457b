import { setImmediate as breathe } from 'node:timers/promises'
import { canonical } from '../../kernel/json.ts'
import type { Database } from '../../store/database.ts'
import type { AuditEventsTable, AuditHeadTable } from '../../store/schema-record.ts'
import { columnsOf, genesis, link } from '../chain.ts'
import type { CheckpointVerifier } from '../checkpoint/note.ts'
import type { AuditEvent } from '../event.ts'
import { auditPurpose, type EventReader } from '../sealer.ts'
import { type Anchored, Witness } from './witness.ts'

/** What became of the chain. When it is broken, `seq` is the first event that is not as it was written. */
export type Verification =
  | { readonly ok: true; readonly events: number; readonly lastHash: string; readonly checkpoints: number }
  | Broken

export interface Broken {
  readonly ok: false
  readonly seq: number
  /**
   * `head`: the row that says where the chain ends was changed or removed. `checkpoint`, `tree`: what was signed of the events up
   * to this one, or a hash that was stored of them, is not as it was written; they themselves are.
   */
  readonly what: 'altered' | 'removed' | 'inserted' | 'moved' | 'cut-off' | 'head' | 'checkpoint' | 'tree'
  /** One sentence for whoever looks into it. */
  readonly detail: string
}

export interface VerifyOptions {
  /** Without it, what lies sealed in events is not compared with their columns. */
  readonly sealer?: EventReader
  /** Without it, signatures are not judged. */
  readonly key?: CheckpointVerifier
  /** Checkpoints as they were kept outside, each source from the smallest on. */
  readonly anchors?: readonly Anchored[]
  /** Told after each page how far it is; the next page waits for it. */
  readonly onProgress?: (events: number, of: number) => unknown
}

/**
 * Recomputes the chain and its tree from the beginning to where they ended when this began, and compares them with every checkpoint;
 * the house may go on writing meanwhile. Whoever computes all later hashes anew is found by the next checkpoint, which they cannot
 * sign; whoever cuts off the end together with its checkpoints, by a checkpoint that was kept outside.
 */
export async function verifyChain(db: Database, options: VerifyOptions = {}): Promise<Verification> {
  const { sealer, onProgress = () => {} } = options
  const head = await headOf(db)
  if (head === undefined) return broken(await lastSeq(db), 'head', 'the row that says where the chain ends is gone')
  const witness = await Witness.of(db, options)
  let last: Place = { seq: 0, hash: genesis, before: undefined }
  do {
    const page = await pageAfter(db, last.seq === 0 ? undefined : last.seq) // what claims to be before 1 shows up too
    const opened = await openedBy(sealer, db, page)
    for (const [index, row] of page.entries()) {
      if (last.seq === head.seq && row.seq > head.seq) break
      if (row.seq !== last.seq + 1 || link(last.hash, row.body) !== row.hash) return nameBreak(db, row, last)
      const detail = disagreement(row, opened?.[index])
      if (detail !== undefined && !(await isOfErased(db, row))) return broken(row.seq, 'altered', detail)
      last = { seq: row.seq, hash: row.hash, before: last.hash }
      const found = await witness.take(row)
      if (found !== undefined) return found
    }
    if (page.length === 0 && last.seq < head.seq) {
      return broken(last.seq + 1, 'cut-off', `the chain ends after event ${last.seq}, its head knows ${head.seq}`)
    }
    await onProgress(last.seq, head.seq)
    await breathe() // SQLite answers at once: without a pause nobody else would get a turn
  } while (last.seq < head.seq)
  if (last.hash !== head.hash) return broken(head.seq, 'head', 'the head has another hash than the last event')

  const end = await lastSeq(db) // asked before the head, which is never behind
  const headSeq = (await headOf(db))?.seq ?? 0
  if (end > headSeq) return broken(headSeq + 1, 'inserted', `the head says that the chain ends with event ${headSeq}`)
  const found = await witness.end(async () => (await headOf(db))?.seq ?? 0)
  return found ?? { ok: true, events: last.seq, lastHash: last.hash, checkpoints: witness.checkpoints }
}

/** The last event that was in order. */
interface Place {
  readonly seq: number
  readonly hash: string
  /** The hash before it. */
  readonly before: string | undefined
}

const pageSize = 500

function pageAfter(db: Database, seq: number | undefined): Promise<AuditEventsTable[]> {
  const events = db.selectFrom('audit_events').selectAll().orderBy('seq').limit(pageSize)
  return (seq === undefined ? events : events.where('seq', '>', seq)).execute()
}

function headOf(db: Database): Promise<AuditHeadTable | undefined> {
  return db.selectFrom('audit_head').selectAll().where('name', '=', 'head').executeTakeFirst()
}

async function lastSeq(db: Database): Promise<number> {
  const last = await db.selectFrom('audit_events').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst()
  return last?.seq ?? 0
}

/** The events of a page as they happened; undefined where one of them is no event, which is told by its body. */
async function openedBy(
  sealer: EventReader | undefined,
  db: Database,
  page: readonly AuditEventsTable[],
): Promise<readonly AuditEvent[] | undefined> {
  try {
    return await sealer?.read(
      db,
      page.map(({ body }) => body),
    )
  } catch (error) {
    if (page.every(({ body }) => isJson(body))) throw error
    return undefined
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What the columns of an event, or the form of its body, say against it. Its hash is right. */
function disagreement(row: AuditEventsTable, opened: AuditEvent | undefined): string | undefined {
  let columns: ReturnType<typeof columnsOf>
  let isSealed: boolean
  try {
    const event: AuditEvent = JSON.parse(row.body)
    columns = columnsOf(opened ?? event)
    if (!isCanonical(row.body, event)) return 'its body is not in canonical form'
    isSealed = 'sealed' in event
  } catch (error) {
    return `its body is no event: ${error}`
  }
  for (const name of Object.keys(columns) as (keyof typeof columns)[]) {
    if (name === 'address' && isSealed && opened === undefined) continue
    const [said, meant] = [row[name], columns[name]]
    if (said === meant) continue
    const unless = name === 'address' && isSealed && meant === '' ? ', unless the key of its actor was changed' : ''
    return `its column \`${name}\` says ${JSON.stringify(said)}, its body ${JSON.stringify(meant)}${unless}`
  }
  return undefined
}

/**
 * Whether nothing can be said about the column `address` of an event, and nothing else speaks against it: the actor's key is destroyed by now. It may
 * have been in memory still when the event was opened, or when it was sealed and its columns were written.
 */
async function isOfErased(db: Database, row: AuditEventsTable): Promise<boolean> {
  if (disagreement(row, undefined) !== undefined) return false
  const { actor }: AuditEvent = JSON.parse(row.body)
  const key = await db
    .selectFrom('data_keys')
    .select('wrapped')
    .where('subject', '=', actor.id)
    .where('purpose', '=', auditPurpose)
    .executeTakeFirst()
  return key?.wrapped === null
}

/** What JSON.stringify writes is the canonical form where names are in order and no surrogate stands alone: a quarter of the way round. */
function isCanonical(body: string, event: object): boolean {
  const quick = isInOrder(event) && !body.includes('\\ud') && JSON.stringify(event) === body
  return quick || canonical(event) === body
}

function isInOrder(members: object): boolean {
  let previous: string | undefined
  for (const [name, value] of Object.entries(members)) {
    if (previous !== undefined && name < previous) return false
    previous = name
    if (typeof value === 'object' && (value === null || Array.isArray(value) || !isInOrder(value))) return false
  }
  return true
}

/** Finds out what was done, by looking for the event that should have come and for the one that this one should follow. */
async function nameBreak(db: Database, row: AuditEventsTable, last: Place): Promise<Broken> {
  const seq = last.seq + 1
  if (row.seq < seq) return broken(row.seq, 'inserted', 'the first event has the number 1')
  if (row.seq === seq && last.before !== undefined && link(last.before, row.body) === row.hash) {
    return broken(last.seq, 'inserted', `event ${seq} does not follow it, but the one before it`)
  }
  let foundAt: number | undefined
  let hasForerunner = false
  for (let page = await pageAfter(db, last.seq); page.length > 0; page = await pageAfter(db, page.at(-1)?.seq)) {
    for (const other of page) {
      if (link(last.hash, other.body) === other.hash) foundAt ??= other.seq
      hasForerunner ||= link(other.hash, row.body) === row.hash
    }
    await breathe()
  }
  if (row.seq > seq) {
    if (foundAt !== undefined) return broken(seq, 'moved', `it stands at ${foundAt}`)
    return broken(
      seq,
      'removed',
      row.seq === seq + 1 ? 'there is no such event' : `there are no events ${seq} to ${row.seq - 1}`,
    )
  }
  if (foundAt === undefined) {
    return broken(
      seq,
      'altered',
      `it does not follow event ${last.seq}: one of them was changed, or others between them are gone`,
    )
  }
  if (hasForerunner) return broken(seq, 'moved', `it stands at ${foundAt}`)
  return broken(seq, 'inserted', `event ${foundAt} follows event ${last.seq}`)
}

function broken(seq: number, what: Broken['what'], detail: string): Broken {
  return { ok: false, seq, what, detail }
}
