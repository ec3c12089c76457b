import { type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import { addressList, type Cidr } from '../../kernel/ip.ts'
import type { Database } from '../../store/database.ts'
import type { Schema } from '../../store/schema.ts'
import type { AuditEventsTable } from '../../store/schema-record.ts'
import type { RecordFilter } from './filter.ts'

/** A place in the record by time; of events of one moment, by their number. */
export interface Place {
  readonly at: number
  readonly seq: number
}

/** `chain`: by number alone, where nothing is left out. */
export type Order = 'newest' | 'oldest' | 'chain'

/** An index that leads to what a filter asks for, with the values to look up in it. */
export interface Lead {
  readonly column: 'at' | (typeof leads)[number]
  readonly values: readonly string[]
}

/** Columns with an index of their own, each continued by time. */
const leads = ['request_id', 'resource', 'actor', 'address', 'type'] as const

/** Entries of an index that are counted to find the shortest way. */
const probeMax = 2_000

/** Of the indexes that fit a filter, the one that has the fewest entries for it. */
export async function leadFor(db: Database, filter: RecordFilter): Promise<Lead> {
  const fitting = leads.flatMap((column): Lead[] => {
    const value = filter[column]
    if (column === 'resource' && (filter.resource_type ?? 'route') === 'route') return [] // routes have no index
    return value === undefined ? [] : [{ column, values: typeof value === 'string' ? [value] : value }]
  })
  const [only] = fitting
  if (only === undefined) return { column: 'at', values: [] }
  if (fitting.length === 1) return only
  let [shortest, entriesLeast] = [only, Number.POSITIVE_INFINITY]
  for (const lead of fitting) {
    const entries = await entriesOf(db, lead, filter)
    if (entries >= entriesLeast) continue
    shortest = lead
    entriesLeast = entries
  }
  return shortest
}

async function entriesOf(db: Database, { column, values }: Lead, { from, to }: RecordFilter): Promise<number> {
  let entries = db.selectFrom('audit_events').select('seq').where(column, 'in', values).limit(probeMax)
  if (column === 'resource') entries = entries.where(indexed)
  if (from !== undefined) entries = entries.where('at', '>=', from)
  if (to !== undefined) entries = entries.where('at', '<', to)
  const { count } = await db
    .selectFrom(entries.as('entries'))
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** A part of the record: so many entries of an index, in an order, behind a place. */
export interface Stretch {
  readonly lead: Lead
  readonly order: Order
  readonly after: Place | undefined
  readonly entries: number
}

type Events = SelectQueryBuilder<Schema, 'audit_events', AuditEventsTable>

/**
 * The events of a stretch, whatever else is asked of them. It reads no more than `entries` of the index for each value: what
 * has a limit of its own is not mixed with what is asked of its outcome.
 */
export function stretchOf(
  db: Database,
  columns: readonly (keyof AuditEventsTable)[],
  filter: RecordFilter,
  { lead: { column, values }, order, after, entries }: Stretch,
): Events {
  const direction = order === 'newest' ? 'desc' : 'asc'
  const events = db
    .selectFrom('audit_events')
    .select([...new Set([...columns, 'at' as const, 'seq' as const])]) as Events
  if (order === 'chain')
    return events
      .where('seq', '>', after?.seq ?? 0)
      .orderBy('seq')
      .limit(entries)
  const one = (value: string | undefined): Events =>
    between(value === undefined ? events : valued(events, column, value), filter, order, after)
      .orderBy('at', direction)
      .orderBy('seq', direction)
      .limit(entries)
  if (values.length < 2) return one(values[0])
  const [first, ...others] = values.map((value) => db.selectFrom(one(value).as('of_value')).selectAll() as Events)
  return others
    .reduce((all, other) => all.unionAll(other), first as Events)
    .orderBy('at', direction)
    .orderBy('seq', direction)
    .limit(entries)
}

function valued(events: Events, column: Lead['column'], value: string): Events {
  const found = events.where(column, '=', value)
  return column === 'resource' ? found.where(indexed) : found
}

/** What the index of resources says of itself, in its own words: as a parameter it would not be recognized. */
const indexed = sql<SqlBool>`resource_type != 'route'`

/** One bound on each side: of two, SQLite takes either to walk the index from, and the wrong one makes late pages slow. */
function between(events: Events, { from, to }: RecordFilter, order: Order, after: Place | undefined): Events {
  const begins = order === 'oldest' && after !== undefined && after.at >= (from ?? 0) ? after : undefined
  const ends =
    order === 'newest' && after !== undefined && after.at < (to ?? Number.POSITIVE_INFINITY) ? after : undefined
  const bound = begins ?? ends
  let bounded = events
  if (bound !== undefined)
    bounded = bounded.where((eb) =>
      eb(eb.refTuple('at', 'seq'), begins === undefined ? '<' : '>', eb.tuple(bound.at, bound.seq)),
    )
  if (from !== undefined && begins === undefined) bounded = bounded.where('at', '>=', from)
  if (to !== undefined && ends === undefined) bounded = bounded.where('at', '<', to)
  return bounded
}

/** The last place of a stretch; undefined where the record ends within it. */
export function endOf(db: Database, filter: RecordFilter, part: Stretch): Promise<Place | undefined> {
  const direction = part.order === 'newest' ? 'desc' : 'asc'
  const places = db.selectFrom(stretchOf(db, [], filter, part).as('part')).select(['at', 'seq'])
  return (part.order === 'chain' ? places : places.orderBy('at', direction))
    .orderBy('seq', direction)
    .limit(1)
    .offset(part.entries - 1)
    .executeTakeFirst()
}

const compared = ['type', 'action', 'result', 'actor', 'address', 'resource_type', 'resource', 'request_id'] as const

/** What is asked of each event beside its time. Of a network this asks for how its addresses begin; the rest is `inNetwork`. */
export function conditionsOf(filter: RecordFilter): readonly RawBuilder<SqlBool>[] {
  const asked = compared.flatMap((column) => {
    const value = filter[column]
    if (value === undefined) return []
    return sql<SqlBool>`${sql.ref(column)} in (${sql.join(typeof value === 'string' ? [value] : [...value])})`
  })
  const { network } = filter
  return network === undefined ? asked : [...asked, sql<SqlBool>`address like ${`${beginningOf(network)}%`}`]
}

/** What the spelling of all addresses of a network begins with (RFC 5952): its whole parts, up to where `::` may stand. */
function beginningOf({ network: { family, bytes }, prefixBits }: Cidr): string {
  if (family === 4)
    return bytes
      .slice(0, Math.min(prefixBits >> 3, 3))
      .map((byte) => `${byte}.`)
      .join('')
  let beginning = ''
  for (let at = 0; at < Math.min(prefixBits >> 4, 7); at++) {
    const group = ((bytes[at * 2] as number) << 8) | (bytes[at * 2 + 1] as number)
    if (group === 0) break
    beginning += `${group.toString(16)}:`
  }
  return beginning
}

/** Whether an address lies in the network that is asked for, if one is. */
export function inNetwork({ network }: RecordFilter): (address: string) => boolean {
  if (network === undefined) return () => true
  const holds = addressList([network])
  return (address) => address !== '' && holds(address)
}
