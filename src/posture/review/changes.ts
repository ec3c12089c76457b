import { sql } from 'kysely'
import { spanText } from '../spans.ts'
import { countOf, eventsIn, mostOf, type ReviewStore } from './count.ts'
import { type Section, section } from './document.ts'
import type { Emails } from './people.ts'
import type { Period } from './period.ts'
import { median } from './unusual.ts'

const shownMax = 50
/** Incidents of a period whose times are looked at. */
const incidentsMax = 10_000

/** Who was given what, and what was made or changed. */
export async function accessChanges(store: ReviewStore, period: Period, emails: Emails): Promise<Section> {
  const changes = eventsIn(store, period).where('type', '=', 'admin_action').where('action', 'not like', 'incident.%')
  const before = new Map(
    await mostOf(
      eventsIn(store, period.before).where('type', '=', 'admin_action').where('action', 'not like', 'incident.%'),
      sql<string>`action`,
      200,
    ),
  )
  const latest = await changes
    .select(['at', 'action', 'actor', 'resource_type', 'resource', 'result'])
    .orderBy('at', 'desc')
    .orderBy('seq', 'desc')
    .limit(shownMax)
    .execute()
  const known = await emails(
    latest.flatMap(({ actor, resource_type, resource }) => [actor, ...(resource_type === 'user' ? [resource] : [])]),
  )
  const shown = (id: string): string => {
    const email = known?.get(id)
    return email === undefined ? id : `${id} (${email})`
  }
  const impersonations = (span: Period | Period['before']): Promise<number> =>
    countOf(eventsIn(store, span).where('type', '=', 'admin_action').where('action', '=', 'user.impersonate'))
  return section('access-changes', 'Changes of access', {
    figures: [
      { name: 'changes', now: await countOf(changes), before: [...before.values()].reduce((sum, one) => sum + one, 0) },
      { name: 'impersonations', now: await impersonations(period), before: await impersonations(period.before) },
    ],
    tables: [
      {
        title: 'By kind',
        columns: ['change', 'count', 'before'],
        rows: (await mostOf(changes, sql<string>`action`, 200)).map(([name, count]) => [
          name,
          count,
          before.get(name) ?? 0,
        ]),
        empty: 'Nothing was changed.',
      },
      {
        title: `The latest ${shownMax}`,
        columns: ['when (UTC)', 'who', 'change', 'of', 'result'],
        rows: latest.map(({ at, actor, action, resource_type, resource, result }) => [
          new Date(Number(at)).toISOString(),
          shown(actor),
          action,
          `${resource_type} ${shown(resource)}`.trim(),
          result,
        ]),
        empty: 'Nothing was changed.',
      },
    ],
  })
}

/** What was noticed, and how long it took. */
export async function incidents(store: ReviewStore, period: Period): Promise<Section> {
  const { db } = store
  const opened = (span: Period | Period['before']) =>
    db.selectFrom('incidents').where('detected_at', '>=', span.begin).where('detected_at', '<', span.end)
  const number = async (span: Period | Period['before'], column: 'detected_at' | 'resolved_at'): Promise<number> => {
    const row = await db
      .selectFrom('incidents')
      .select((is) => is.fn.countAll<number>().as('count'))
      .where(column, '>=', span.begin)
      .where(column, '<', span.end)
      .executeTakeFirst()
    return Number(row?.count ?? 0)
  }
  const open = await db
    .selectFrom('incidents')
    .select((is) => is.fn.countAll<number>().as('count'))
    .where('status', '!=', 'resolved')
    .executeTakeFirst()
  const times = await opened(period)
    .select(['began_at', 'detected_at', 'acknowledged_at', 'contained_at', 'resolved_at'])
    .limit(incidentsMax)
    .execute()
  const usual = (of: (row: (typeof times)[number]) => number | undefined): string => {
    const spans = times.flatMap((row) => of(row) ?? [])
    return spans.length === 0 ? '–' : spanText(median(spans))
  }
  const since = (from: number, until: number | null): number | undefined =>
    until === null ? undefined : Math.max(0, Number(until) - Number(from))
  const kinds = await opened(period)
    .select((is) => ['type', 'severity', is.fn.countAll<number>().as('count')])
    .groupBy(['type', 'severity'])
    .orderBy('count', 'desc')
    .orderBy('type')
    .limit(50)
    .execute()
  return section('incidents', 'Incidents', {
    notes: ['Times are medians over the incidents that were noticed in the period.'],
    figures: [
      { name: 'noticed', now: await number(period, 'detected_at'), before: await number(period.before, 'detected_at') },
      {
        name: 'resolved',
        now: await number(period, 'resolved_at'),
        before: await number(period.before, 'resolved_at'),
      },
      { name: 'open when the review is made', now: Number(open?.count ?? 0) },
      { name: 'time to notice', now: usual((row) => since(row.began_at, row.detected_at)) },
      { name: 'time to acknowledge', now: usual((row) => since(row.detected_at, row.acknowledged_at)) },
      { name: 'time to contain', now: usual((row) => since(row.detected_at, row.contained_at)) },
      { name: 'time to resolve', now: usual((row) => since(row.detected_at, row.resolved_at)) },
    ],
    tables: [
      {
        title: 'By kind',
        columns: ['kind', 'severity', 'count'],
        rows: kinds.map(({ type, severity, count }) => [type, severity, Number(count)]),
        empty: 'None was noticed.',
      },
      {
        title: 'What the house noticed by itself',
        columns: ['what', 'count'],
        rows: await mostOf(eventsIn(store, period).where('type', '=', 'security_incident'), sql<string>`action`),
        empty: 'Nothing.',
      },
    ],
  })
}
