import { hash } from 'node:crypto'
import { CompiledQuery } from 'kysely'
import { canonical } from '../kernel/json.ts'
import type { Database, Store } from '../store/database.ts'
import type { AuditEventsTable, AuditHeadTable } from '../store/schema-record.ts'
import { isUniqueViolation } from '../store/unique-violation.ts'
import type { AuditEvent } from './event.ts'
import { type EventReader, keylessReader, type StoredEvent } from './sealer.ts'

/** The hash before the first event: 32 zero bytes, in hex. */
export const genesis = '0'.repeat(64)

/** The hash of an event: SHA-256 over the hash before it, as 32 bytes, and its body, as UTF-8. Both hashes are hex. */
export function link(previous: string, body: string): string {
  const bodyBytesMax = body.length * 3 // what UTF-8 takes at most
  const bytes = 32 + bodyBytesMax <= desk.length ? desk : Buffer.allocUnsafe(32 + bodyBytesMax)
  bytes.fill(0, 0, 32).write(previous, 0, 32, 'hex') // zeros: what is no hash, in a chain that was altered, ends early
  const length = 32 + bytes.write(body, 32, 'utf8')
  return hash('sha256', bytes.subarray(0, length), 'hex')
}

/** Where a link is laid out to be hashed: an event has 8 KiB at most. */
const desk = Buffer.allocUnsafe(32 + 3 * 8192)

/** How many events one batch takes from the outbox at most. */
export const outboxBatch = 256

/**
 * Puts events, as they are stored, at the end of the chain, in one transaction: first what waits in the outbox, then `bodies`.
 * Answers how many came from the outbox. Several nodes may do so at once; each waits for its turn at the head. A body that is in
 * the chain already is not put there again: whoever did not hear whether a batch went in may hand it over once more. `reader` knows
 * what is sealed of them, for the columns.
 */
export async function appendBatch(
  store: Store,
  bodies: readonly string[],
  reader: EventReader = keylessReader,
): Promise<number> {
  try {
    return await append(store, bodies, reader, async (_trx, all) => all)
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
  }
  return append(store, bodies, reader, withoutChained)
}

async function append(
  store: Store,
  bodies: readonly string[],
  reader: EventReader,
  choose: (trx: Database, bodies: readonly string[]) => Promise<readonly string[]>,
): Promise<number> {
  return store.transaction(async (trx) => {
    const head = await lockHead(trx, store.kind)
    const waiting = await takeFromOutbox(trx)
    const chosen = await choose(trx, waiting.concat(bodies))
    const rows = follow(head, chosen, await reader.read(trx, chosen))
    for (let from = 0; from < rows.length; from += rowsPerInsert) {
      await insert(trx, store.kind, rows.slice(from, from + rowsPerInsert))
    }
    const last = rows.at(-1)
    if (last !== undefined) {
      await trx.updateTable('audit_head').set({ seq: last.seq, hash: last.hash }).where('name', '=', 'head').execute()
    }
    return waiting.length
  })
}

/** A longer statement is hardly faster, and every length is one more to keep prepared. */
const rowsPerInsert = 64

/** The text of a statement depends on nothing but the number of its rows, and composing it is dearer than running it. */
const statements = new Map<string, string>()

async function insert(trx: Database, kind: Store['kind'], rows: readonly AuditEventsTable[]): Promise<void> {
  const shape = `${kind} ${rows.length}`
  let sql = statements.get(shape)
  if (sql === undefined) {
    sql = trx.insertInto('audit_events').values(rows).compile().sql
    statements.set(shape, sql)
  }
  // Every row was made by `follow`, so that its values stand in the order of the statement's columns.
  await trx.executeQuery(CompiledQuery.raw(sql, rows.flatMap(Object.values)))
}

/** SQLite has the write lock already, by beginning. */
async function lockHead(trx: Database, kind: Store['kind']): Promise<AuditHeadTable> {
  const query = trx.selectFrom('audit_head').selectAll().where('name', '=', 'head')
  const head = await (kind === 'postgres' ? query.forUpdate() : query).executeTakeFirst()
  if (head === undefined) throw new Error('the audit chain has no head: its row was removed')
  return head
}

async function takeFromOutbox(trx: Database): Promise<string[]> {
  const taken = await trx
    .deleteFrom('audit_outbox')
    .where('position', 'in', trx.selectFrom('audit_outbox').select('position').orderBy('position').limit(outboxBatch))
    .returning(['position', 'body'])
    .execute()
  return taken.sort((a, b) => a.position - b.position).map(({ body }) => body)
}

function follow(head: AuditHeadTable, bodies: readonly string[], events: readonly AuditEvent[]): AuditEventsTable[] {
  let { seq, hash } = head
  return bodies.map((body, index) => {
    seq += 1
    hash = link(hash, body)
    return { seq, ...columnsOf(events[index] as AuditEvent), body, hash }
  })
}

/**
 * What the columns have to say of an event, as an `EventReader` gives it back. All but `address` lie open in its body too. An
 * address that is sealed is in its column in the clear, for search, until the key is destroyed: `reader` answers '' then, and so has
 * the column to. Without keys nothing can be said about the column `address` of an event whose body has `sealed`.
 */
export function columnsOf(event: AuditEvent): Omit<AuditEventsTable, 'seq' | 'body' | 'hash'> {
  return {
    id: column(event.id),
    at: event.at,
    type: event.type,
    action: event.action,
    actor: column(event.actor.id),
    result: event.result,
    address: column(event.address),
    request_id: column(event.request_id),
    resource_type: event.resource.type,
    resource: column(event.resource.id),
  }
}

/** PostgreSQL has no place for NUL in a text; the body keeps it, escaped. */
function column(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '�') : text
}

async function withoutChained(trx: Database, bodies: readonly string[]): Promise<readonly string[]> {
  const ids = bodies.map((body) => columnsOf(JSON.parse(body)).id)
  const chained = await trx.selectFrom('audit_events').select(['id', 'body']).where('id', 'in', ids).execute()
  const known = new Map(chained.map(({ id, body }) => [id, body]))
  return bodies.filter((body, index) => {
    const id = ids[index] as string
    const before = known.get(id)
    if (before !== undefined && before !== body && openPart(before) !== openPart(body))
      throw new Error(`expected every event to have an id of its own, got two with \`${id}\``)
    known.set(id, body)
    return before === undefined
  })
}

/** A key that was destroyed between two tries leaves an event without what lay under it. */
function openPart(body: string): string {
  const { sealed: _, ...open } = JSON.parse(body) as StoredEvent
  return canonical(open)
}
