import { setImmediate as breathe } from 'node:timers/promises'
import type { Database } from '../../store/database.ts'
import type { AuditEventsTable } from '../../store/schema-record.ts'
import type { ChainedEvent } from '../follow/follower.ts'
import type { EventReader } from '../sealer.ts'
import type { RecordFilter } from './filter.ts'
import { conditionsOf, endOf, inNetwork, leadFor, type Order, type Place, type Stretch, stretchOf } from './scan.ts'

export interface RecordPage {
  readonly events: readonly ChainedEvent[]
  /** Where the next page begins; undefined at the end of the record. */
  readonly next: Place | undefined
  /** False where so much was looked at that the page is answered before it is full: more may fit, behind `next`. */
  readonly complete: boolean
}

/** Entries of an index that one page looks at, about. */
const entriesMax = 20_000

/** Entries that one question to the store looks at. */
const stretchMax = 500

/** A page of the events that fit a filter. What is added meanwhile stands before or behind it, and moves nothing. */
export async function searchRecord(
  db: Database,
  sealer: EventReader,
  filter: RecordFilter,
  {
    order,
    limit,
    after,
  }: { readonly order: 'newest' | 'oldest'; readonly limit: number; readonly after: Place | undefined },
): Promise<RecordPage> {
  const found: StoredEvent[] = []
  let end: Place | undefined
  let complete = true
  for await (const part of partsOf(db, filter, { order, after })) {
    found.push(...part.events)
    end = part.end
    if (found.length > limit) break
    complete = part.looked < entriesMax
    if (!complete) break
  }
  const shown = found.slice(0, limit)
  const isFull = found.length > limit
  const events = await opened(db, sealer, shown)
  return {
    events,
    next: isFull ? placeOf(shown.at(-1) as StoredEvent) : end,
    complete: isFull || end === undefined || complete,
  }
}

/** One event by its id. */
export async function eventById(db: Database, sealer: EventReader, id: string): Promise<ChainedEvent | undefined> {
  const row = await db
    .selectFrom('audit_events')
    .select(['seq', 'hash', 'body'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const [event] = await opened(db, sealer, [{ ...row, at: 0, address: '', previous: null }])
  return event
}

export type StoredEvent = Pick<AuditEventsTable, 'seq' | 'at' | 'address' | 'hash' | 'body'> & {
  /** The hash before it; null for the first. */
  readonly previous: string | null
}

interface Part {
  /** In their order: those that fit. */
  readonly events: readonly StoredEvent[]
  /** Where it ends; undefined at the end of the record. */
  readonly end: Place | undefined
  /** Entries that were looked at so far. */
  readonly looked: number
}

/** The events that fit a filter, part by part, each of bounded work. Whoever has enough asks for no more. */
export async function* partsOf(
  db: Database,
  filter: RecordFilter,
  { order, after }: { readonly order: Order; readonly after: Place | undefined },
): AsyncGenerator<Part, void, undefined> {
  const lead = await leadFor(db, filter)
  const holds = inNetwork(filter)
  const width = Math.max(1, lead.values.length)
  let looked = 0
  for (let from = after; ; ) {
    const stretch: Stretch = { lead, order, after: from, entries: stretchMax }
    const events = await eventsOf(db, filter, stretch)
    const end = await endOf(db, filter, stretch)
    looked += stretchMax * width
    yield { events: events.filter(({ address }) => holds(address)), end, looked }
    if (end === undefined) return
    from = end
    await breathe() // a store in memory answers in this thread
  }
}

/** Reads what was stored as it happened. */
export async function opened(
  db: Database,
  sealer: EventReader,
  rows: readonly StoredEvent[],
): Promise<readonly ChainedEvent[]> {
  const events = await sealer.read(
    db,
    rows.map(({ body }) => body),
  )
  return rows.map(({ seq, hash, body }, index) => ({ seq, hash, body, event: events[index] as ChainedEvent['event'] }))
}

async function eventsOf(db: Database, filter: RecordFilter, stretch: Stretch): Promise<StoredEvent[]> {
  const direction = stretch.order === 'newest' ? 'desc' : 'asc'
  const columns = ['type', 'action', 'result', 'actor', 'address', 'resource_type', 'resource', 'request_id'] as const
  const events = db
    .selectFrom(stretchOf(db, [...columns, 'hash', 'body'], filter, stretch).as('part'))
    .select(['seq', 'at', 'address', 'hash', 'body'])
    .select((eb) =>
      eb
        .selectFrom('audit_events as before')
        .select('before.hash')
        .where('before.seq', '=', eb('part.seq', '-', 1))
        .as('previous'),
    )
    .where((eb) => eb.and([...conditionsOf(filter)]))
  return (stretch.order === 'chain' ? events : events.orderBy('at', direction)).orderBy('seq', direction).execute()
}

function placeOf({ at, seq }: Place): Place {
  return { at, seq }
}
