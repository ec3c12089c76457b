import { setImmediate as breathe } from 'node:timers/promises'
import { canonical } from '../kernel/json.ts'
import type { Database } from '../store/database.ts'
import type { AuditEventsTable, AuditHeadTable } from '../store/schema.ts'
import { columnsOf, genesis, link } from './chain.ts'
import type { AuditEvent } from './event.ts'

/** What became of the chain. When it is broken, `seq` is the first event that is not as it was written. */
export type Verification = { readonly ok: true; readonly events: number; readonly lastHash: string } | Broken

interface Broken {
  readonly ok: false
  readonly seq: number
  /** `head`: the row that says where the chain ends was changed or removed. */
  readonly what: 'altered' | 'removed' | 'inserted' | 'moved' | 'cut-off' | 'head'
  /** One sentence for whoever looks into it. */
  readonly detail: string
}

/**
 * Recomputes the chain from its beginning to where it ended when this began; the house may go on writing meanwhile. This
 * finds every change whose author did not compute all later hashes and the head anew. Whoever did is found by a `lastHash`
 * that was noted elsewhere.
 */
export async function verifyChain(db: Database): Promise<Verification> {
  const head = await headOf(db)
  if (head === undefined) return broken(await lastSeq(db), 'head', 'the row that says where the chain ends is gone')
  let last: Place = { seq: 0, hash: genesis, before: undefined }
  do {
    const page = await pageAfter(db, last.seq === 0 ? undefined : last.seq) // what claims to be before 1 shows up too
    for (const row of page) {
      if (last.seq === head.seq && row.seq > head.seq) break
      if (row.seq !== last.seq + 1 || link(last.hash, row.body) !== row.hash) return nameBreak(db, row, last)
      const detail = disagreement(row)
      if (detail !== undefined) return broken(row.seq, 'altered', detail)
      last = { seq: row.seq, hash: row.hash, before: last.hash }
    }
    if (page.length === 0 && last.seq < head.seq) {
      return broken(last.seq + 1, 'cut-off', `the chain ends after event ${last.seq}, its head knows ${head.seq}`)
    }
    await breathe() // SQLite answers at once: without a pause nobody else would get a turn
  } while (last.seq < head.seq)
  if (last.hash !== head.hash) return broken(head.seq, 'head', 'the head has another hash than the last event')

  const end = await lastSeq(db) // asked before the head, which is never behind
  const headSeq = (await headOf(db))?.seq ?? 0
  if (end > headSeq) return broken(headSeq + 1, 'inserted', `the head says that the chain ends with event ${headSeq}`)
  return { ok: true, events: last.seq, lastHash: last.hash }
}

/** The last event that was in order. */
interface Place {
  readonly seq: number
  readonly hash: string
  /** The hash before it. */
  readonly before: string | undefined
}

const pageSize = 5_000

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

/** What the columns of an event, or the form of its body, say against it. Its hash is right. */
function disagreement(row: AuditEventsTable): string | undefined {
  let columns: ReturnType<typeof columnsOf>
  let form: string
  try {
    const event: AuditEvent = JSON.parse(row.body)
    columns = columnsOf(event)
    form = canonical(event)
  } catch (error) {
    return `its body is no event: ${error}`
  }
  if (form !== row.body) return 'its body is not in canonical form'
  for (const name of Object.keys(columns) as (keyof typeof columns)[]) {
    const [said, meant] = [row[name], columns[name]]
    if (said !== meant) return `its column \`${name}\` says ${JSON.stringify(said)}, its body ${JSON.stringify(meant)}`
  }
  return undefined
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
