import { setImmediate as breathe } from 'node:timers/promises'
import { type RawBuilder, sql } from 'kysely'
import type { Database } from '../../store/database.ts'
import type { RecordFilter } from './filter.ts'
import { conditionsOf, endOf, inNetwork, leadFor, type Place, type Stretch, stretchOf } from './scan.ts'

/** What events are counted by. */
export type CountedBy = (typeof countedBy)[number]

export const countedBy = ['type', 'action', 'result', 'actor', 'address', 'resource_type', 'hour', 'day'] as const

export interface RecordCount {
  /** The largest first; of hours and days, the latest. `key` of those: where they begin, in milliseconds since the epoch. */
  readonly counts: readonly { readonly key: string | number; readonly count: number }[]
  /** In those that are not listed. */
  readonly others: number
  readonly total: number
  /** False where there are more: it was counted from the newest back to `since`, and no further. */
  readonly exact: boolean
  /** Milliseconds since the epoch. */
  readonly since: number | undefined
}

/** Entries of an index that one count looks at, about; and those of one question to the store. */
const entriesMax = 1_000_000
const stretchMax = 2_000

/** Different keys that one count tells apart. */
const keysMax = 100_000

/** Counts the events that fit a filter, from the newest on, and lists the `limit` most frequent keys. */
export async function countRecord(
  db: Database,
  filter: RecordFilter,
  by: CountedBy,
  limit: number,
): Promise<RecordCount> {
  const lead = await leadFor(db, filter)
  const counts = new Map<string | number, number>()
  let total = 0
  let after: Place | undefined
  const width = Math.max(1, lead.values.length)
  for (let looked = 0; looked < entriesMax && counts.size < keysMax; looked += stretchMax * width) {
    const stretch: Stretch = { lead, order: 'newest', after, entries: stretchMax }
    for (const { key, count } of await countsOf(db, filter, by, stretch)) {
      counts.set(key, (counts.get(key) ?? 0) + count)
      total += count
    }
    after = await endOf(db, filter, stretch)
    if (after === undefined) break
    await breathe()
  }
  const isTime = by === 'hour' || by === 'day'
  const sorted = [...counts].sort(([a, m], [b, n]) => (isTime ? Number(b) - Number(a) : n - m || (a < b ? -1 : 1)))
  const listed = sorted.slice(0, limit).map(([key, count]) => ({ key, count }))
  return {
    counts: listed,
    others: total - listed.reduce((sum, { count }) => sum + count, 0),
    total,
    exact: after === undefined,
    since: after?.at,
  }
}

async function countsOf(
  db: Database,
  filter: RecordFilter,
  by: CountedBy,
  stretch: Stretch,
): Promise<readonly { readonly key: string | number; readonly count: number }[]> {
  const columns = ['type', 'action', 'result', 'actor', 'address', 'resource_type', 'resource', 'request_id'] as const
  const key = keys[by]
  const events = db
    .selectFrom(stretchOf(db, columns, filter, stretch).as('part'))
    .where((eb) => eb.and([...conditionsOf(filter)]))
    .select((eb) => [key.as('key'), eb.fn.countAll<number>().as('count')])
  if (filter.network === undefined) return numbered(await events.groupBy(key).execute())
  const holds = inNetwork(filter)
  const byAddress = await events.select('address').groupBy([key, 'address']).execute()
  return numbered(byAddress.filter(({ address }) => holds(address)))
}

function numbered<T extends { readonly count: number | string | bigint }>(
  rows: readonly T[],
): (T & { count: number })[] {
  return rows.map((row) => ({ ...row, count: Number(row.count) }))
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

const keys: Readonly<Record<CountedBy, RawBuilder<string | number>>> = {
  type: sql.ref('type'),
  action: sql.ref('action'),
  result: sql.ref('result'),
  actor: sql.ref('actor'),
  address: sql.ref('address'),
  resource_type: sql.ref('resource_type'),
  // The length is written into the statement: as a parameter, the one of `group by` would be another.
  hour: sql`(part.at - part.at % ${sql.lit(hourMs)})`,
  day: sql`(part.at - part.at % ${sql.lit(dayMs)})`,
}
