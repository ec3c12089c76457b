// What reading the record has to hold on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { appendBatch } from '../../src/audit/chain.ts'
import type { AuditEvent } from '../../src/audit/event.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { type CountedBy, countedBy, countRecord } from '../../src/audit/reading/count.ts'
import { type RecordFilter, readFilter, type Written } from '../../src/audit/reading/filter.ts'
import type { Place } from '../../src/audit/reading/scan.ts'
import { searchRecord } from '../../src/audit/reading/search.ts'
import { keylessReader } from '../../src/audit/sealer.ts'
import { networkList } from '../../src/kernel/ip.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { openReading, type Reading } from '../../src/store/reading.ts'
import { numbers, sampleEvent } from './sample.ts'

interface Record {
  readonly store: Store
  readonly reading: Reading
}

export function readingCases(fresh: (context: TestContext) => Promise<string>): void {
  async function record(context: TestContext, events: readonly AuditEvent[]): Promise<Record> {
    const url = await fresh(context)
    const store = await openStore(url)
    context.after(() => store.close())
    const reading = await openReading(url, store)
    context.after(() => reading.close())
    for (let from = 0; from < events.length; from += 500)
      await appendBatch(store, events.slice(from, from + 500).map(eventText))
    return { store, reading }
  }

  test('AU3: whatever is asked for together, the pages are what fits, in their order, each event once', async (context) => {
    const events = numbers(1_300).map(variedEvent)
    const { reading } = await record(context, events)
    for (const written of questions) {
      const filter = filterOf(written)
      const fitting = events.flatMap((event, index) => (fits(event, filter) ? [{ at: event.at, seq: index + 1 }] : []))
      for (const order of ['newest', 'oldest'] as const) {
        const wanted = fitting.toSorted((a, b) => (a.at - b.at || a.seq - b.seq) * (order === 'newest' ? -1 : 1))
        for (const limit of [3, 200]) {
          const found = await allPages(reading, filter, order, limit, limit === 3 ? 12 : Number.POSITIVE_INFINITY)
          assert.deepEqual(
            found,
            wanted.map(({ seq }) => seq).slice(0, limit === 3 ? 12 : undefined),
            `${JSON.stringify(written)} ${order} by ${limit}`,
          )
        }
      }
    }
  })

  test('AU3: the count by anything is what there is', async (context) => {
    const events = numbers(2_300).map(variedEvent)
    const { reading } = await record(context, events)
    for (const written of [{}, ...questions.slice(0, 12)]) {
      const filter = filterOf(written)
      const fitting = events.filter((event) => fits(event, filter))
      for (const by of countedBy) {
        const wanted = new Map<string | number, number>()
        for (const event of fitting) wanted.set(keyOf(event, by), (wanted.get(keyOf(event, by)) ?? 0) + 1)
        const { counts, others, total, exact } = await countRecord(reading.db, filter, by, 1_000)
        assert.deepEqual(
          new Map(counts.map(({ key, count }) => [key, count])),
          wanted,
          `${JSON.stringify(written)} ${by}`,
        )
        assert.deepEqual([others, total, exact], [0, fitting.length, true])
      }
    }
    const { counts, others, total } = await countRecord(reading.db, {}, 'actor', 2)
    assert.deepEqual([counts.length, others + counts.reduce((sum, { count }) => sum + count, 0)], [2, total])
  })

  test('AU3: pages are the same while events are added', async (context) => {
    const { store, reading } = await record(context, numbers(40).map(variedEvent))
    const first = await searchRecord(reading.db, keylessReader, {}, { order: 'newest', limit: 10, after: undefined })
    const before = await allPages(reading, {}, 'newest', 10, 40)
    const at = Date.UTC(2027, 0, 1)
    await appendBatch(
      store,
      numbers(20, 5_000).map((number) => eventText({ ...variedEvent(number), at })),
    )
    const second = await searchRecord(reading.db, keylessReader, {}, { order: 'newest', limit: 10, after: first.next })
    assert.deepEqual(
      [...first.events, ...second.events].map(({ seq }) => seq),
      before.slice(0, 20),
    )
  })

  test('the reading database changes nothing', async (context) => {
    const { store, reading } = await record(context, [sampleEvent(1)])
    if (reading.db === store.db) return // a store in memory has no second way to it
    await assert.rejects(reading.db.deleteFrom('audit_events').execute(), /read-?only/i)
    await assert.rejects(reading.db.insertInto('house').values({ name: 'a', value: '' }).execute(), /read-?only/i)
    const { events } = await searchRecord(
      reading.db,
      keylessReader,
      {},
      { order: 'newest', limit: 10, after: undefined },
    )
    assert.equal(events.length, 1, 'a question after a refused one is answered')
  })
}

/** Questions, and two that nothing fits. */
const questions: readonly Written[] = [
  { type: 'authentication' },
  { type: 'authentication,admin_action,api_access' },
  { action: 'sign-in,user.lock' },
  { result: 'denied' },
  { actor: 'user-3' },
  { address: '203.0.113.7' },
  { address: '203.0.113.0/29' },
  { address: '2001:db8:0:1::/64' },
  { resource_type: 'user' },
  { resource: 'user-2' },
  { resource: 'user-2', resource_type: 'user' },
  { resource: 'GET /api/tasks/:id', resource_type: 'route' },
  { request_id: 'request-77' },
  { from: '2026-01-01T00:00:00.020Z', to: '2026-01-01T00:00:00.031Z' },
  { type: 'authentication', result: 'failure', actor: 'user-3', from: '2026-01-01T00:00:00.010Z' },
  { actor: 'user-3', address: '203.0.113.7', resource: 'user-2' },
  { type: 'consent' },
  { actor: "' or 1=1 --" },
]

/** Many in one millisecond, and not in the order of time. */
function variedEvent(number: number): AuditEvent {
  const pick = <T>(of: readonly T[], salt: number): T => of[(number * salt + (number >> 3)) % of.length] as T
  const [type, action] = pick(
    [
      ['api_access', 'request'],
      ['authentication', 'sign-in'],
      ['authentication', 'sign-out'],
      ['admin_action', 'user.lock'],
      ['authorization_failure', 'refused'],
    ] as const,
    7,
  )
  return {
    ...sampleEvent(number),
    type,
    action,
    at: Date.UTC(2026, 0, 1) + ((number * 37) % 50) + (number % 11 === 0 ? 7_200_000 : 0),
    actor: { id: `user-${(number * 13) % 5}`, type: 'user' },
    address: pick(['203.0.113.7', '203.0.113.8', '203.0.113.70', '2001:db8:0:1::5', '2001:db8:0:2::5', ''], 5),
    resource: pick(
      [
        { id: 'user-2', type: 'user' },
        { id: 'GET /api/tasks/:id', type: 'route' },
      ] as const,
      3,
    ),
    result: pick(['success', 'failure', 'denied', 'error'] as const, 3),
  } as AuditEvent
}

/** The same by hand. */
function fits(event: AuditEvent, filter: RecordFilter): boolean {
  const { type, action, result, actor, address, network, resource_type, resource, request_id, from, to } = filter
  return (
    (type?.includes(event.type) ?? true) &&
    (action?.includes(event.action) ?? true) &&
    (result?.includes(event.result) ?? true) &&
    (actor === undefined || event.actor.id === actor) &&
    (address === undefined || event.address === address) &&
    (network === undefined || (event.address !== '' && networkList([textOf(network)])(event.address))) &&
    (resource_type === undefined || event.resource.type === resource_type) &&
    (resource === undefined || event.resource.id === resource) &&
    (request_id === undefined || event.request_id === request_id) &&
    event.at >= (from ?? 0) &&
    event.at < (to ?? Number.POSITIVE_INFINITY)
  )
}

function textOf({ network: { family }, prefixBits }: NonNullable<RecordFilter['network']>): string {
  return family === 4 ? `203.0.113.0/${prefixBits}` : `2001:db8:0:1::/${prefixBits}`
}

function keyOf(event: AuditEvent, by: CountedBy): string | number {
  switch (by) {
    case 'actor':
      return event.actor.id
    case 'resource_type':
      return event.resource.type
    case 'hour':
      return event.at - (event.at % 3_600_000)
    case 'day':
      return event.at - (event.at % 86_400_000)
    default:
      return event[by]
  }
}

export function filterOf(written: Written): RecordFilter {
  const filter = readFilter(written, Date.UTC(2026, 0, 2))
  if ('errors' in filter) throw new Error(JSON.stringify(filter.errors))
  return filter
}

async function allPages(
  { db }: Reading,
  filter: RecordFilter,
  order: 'newest' | 'oldest',
  limit: number,
  enough: number,
): Promise<readonly number[]> {
  const found: number[] = []
  let after: Place | undefined
  do {
    const page = await searchRecord(db, keylessReader, filter, { order, limit, after })
    assert.equal(page.complete, true)
    assert.ok(page.next === undefined || page.events.length === limit, 'no page but the last is short')
    found.push(...page.events.map(({ seq }) => seq))
    after = page.next
  } while (after !== undefined && found.length < enough)
  return found
}
