import { sql } from 'kysely'
import type { Database } from '../../store/database.ts'
import type { DataFacts } from '../facts.ts'
import { dayMs } from '../spans.ts'
import {
  accessesIn,
  countOf,
  detail,
  eventsIn,
  failedSignInsIn,
  type Hour,
  mostOf,
  type ReviewStore,
  total,
} from './count.ts'
import { type Chart, type Section, section } from './document.ts'
import { dayText, type Period, type Span } from './period.ts'

/** How people came in, and who did not. */
export async function signIns(
  store: ReviewStore,
  hours: readonly Hour[],
  period: Period,
  emails: Emails,
): Promise<Section> {
  const failed = failedSignInsIn(store, period)
  const accounts = await mostOf(failed.where('resource_type', '=', 'user'), sql<string>`resource`)
  const known = await emails(accounts.map(([id]) => id))
  const locks = (span: Span): Promise<number> =>
    countOf(eventsIn(store, span).where('type', '=', 'security_incident').where('action', '=', 'brute-force'))
  return section('sign-ins', 'Sign-ins', {
    figures: [
      { name: 'signed in', now: total(hours, 'signIns', period), before: total(hours, 'signIns', period.before) },
      {
        name: 'failed',
        now: total(hours, 'failedSignIns', period),
        before: total(hours, 'failedSignIns', period.before),
      },
      {
        name: 'guessing noticed, and locked where a rule says so',
        now: await locks(period),
        before: await locks(period.before),
      },
    ],
    charts: [
      chartOf('Sign-ins by day', hours, period, [
        ['signed in', 'signIns'],
        ['failed', 'failedSignIns'],
      ]),
    ],
    tables: [
      {
        title: 'Why they failed',
        columns: ['reason', 'count'],
        rows: await mostOf(failed, detail(store, 'because')),
        empty: 'None failed.',
      },
      {
        title: 'Accounts with the most failures',
        columns: ['account', ...(known === undefined ? [] : ['e-mail']), 'failures'],
        rows: accounts.map(([id, count]) => [id, ...(known === undefined ? [] : [known.get(id) ?? '']), count]),
        empty: 'No account had any.',
      },
      {
        title: 'Addresses with the most failures',
        columns: ['address', 'failures'],
        rows: await mostOf(failed, sql<string>`address`),
        empty: 'No address had any.',
      },
    ],
  })
}

/** E-mail addresses of accounts, by id; undefined for readers who may not see them. */
export type Emails = (ids: readonly string[]) => Promise<ReadonlyMap<string, string> | undefined>

export function emailsOf(db: Database, mayBeSeen: boolean): Emails {
  return async (ids) => {
    if (!mayBeSeen) return undefined
    if (ids.length === 0) return new Map()
    const rows = await db
      .selectFrom('users')
      .select(['id', 'email'])
      .where('id', 'in', [...new Set(ids)])
      .execute()
    return new Map(rows.map(({ id, email }) => [id, email]))
  }
}

/** What the accounts are like today. */
export async function accounts({ accounts: all, administrators }: DataFacts, emails: Emails): Promise<Section> {
  const kinds = [
    ['without a second factor', administrators.withoutSecondFactor],
    ['never signed in', administrators.neverSignedIn],
    ['not for 90 days', administrators.unusedFor90Days],
  ] as const
  const known = await emails([...kinds.flatMap(([, ids]) => ids), ...all.unused])
  const named = (id: string): readonly string[] => [id, ...(known === undefined ? [] : [known.get(id) ?? ''])]
  const columns = ['account', ...(known === undefined ? [] : ['e-mail'])]
  return section('accounts', 'Accounts', {
    notes: ['As they are when the review is made, not when the period ended.'],
    figures: [
      { name: 'accounts', now: all.all },
      { name: 'locked', now: all.locked },
      { name: 'with a second factor', now: all.withSecondFactor },
      {
        name: 'with a second factor, of a hundred',
        now: all.all === 0 ? 0 : Math.round((100 * all.withSecondFactor) / all.all),
      },
      { name: 'never signed in', now: all.neverSignedIn },
      { name: 'not signed in for 90 days', now: all.unusedFor90Days },
      { name: 'administer', now: administrators.all },
    ],
    tables: [
      {
        title: 'Administrators to look at',
        columns: [...columns, 'why'],
        rows: kinds.flatMap(([why, ids]) => ids.map((id) => [...named(id), why])),
        empty: 'None.',
      },
      {
        title: 'Not signed in for 90 days: the first twenty',
        columns,
        rows: all.unused.map(named),
        empty: 'None.',
      },
    ],
  })
}

/** What was asked, and what was refused. */
export async function usage(store: ReviewStore, hours: readonly Hour[], period: Period): Promise<readonly Section[]> {
  const accesses = accessesIn(store, period)
  const refused = accesses.where('result', '=', 'denied')
  const failed = accesses.where('result', 'in', ['failure', 'error'])
  const route = sql<string>`resource`
  const caller = sql<string>`case when actor = 'anonymous' then address else actor end`
  const routes = await mostOf(accesses, route)
  const errors = new Map(await mostOf(failed, route, 1_000))
  const share = (span: Span): string => {
    const requests = total(hours, 'requests', span)
    return `${((100 * total(hours, 'errors', span)) / Math.max(1, requests)).toFixed(1)} %`
  }
  return [
    section('refusals', 'Refusals', {
      figures: [
        { name: 'refused', now: total(hours, 'refused', period), before: total(hours, 'refused', period.before) },
      ],
      charts: [chartOf('Refusals by day', hours, period, [['refused', 'refused']])],
      tables: [
        {
          title: 'By reason',
          columns: ['reason', 'count'],
          rows: await mostOf(refused, detail(store, 'because')),
          empty: 'None.',
        },
        { title: 'By route', columns: ['route', 'count'], rows: await mostOf(refused, route), empty: 'None.' },
        {
          title: 'By caller',
          columns: ['account, service, or address', 'count'],
          rows: await mostOf(refused, caller),
          empty: 'None.',
        },
      ],
    }),
    section('usage', 'Use of the API', {
      figures: [
        { name: 'requests', now: total(hours, 'requests', period), before: total(hours, 'requests', period.before) },
        {
          name: 'answered with an error',
          now: total(hours, 'errors', period),
          before: total(hours, 'errors', period.before),
        },
        { name: 'share of errors', now: share(period), before: share(period.before) },
      ],
      charts: [
        chartOf('Requests by day', hours, period, [
          ['requests', 'requests'],
          ['errors', 'errors'],
        ]),
      ],
      tables: [
        {
          title: 'Busiest routes',
          columns: ['route', 'requests', 'errors'],
          rows: routes.map(([name, count]) => [name, count, errors.get(name) ?? 0]),
          empty: 'Nothing was asked.',
        },
        {
          title: 'Keys and certificates',
          columns: ['credential', 'requests'],
          rows: await mostOf(accesses, detail(store, 'credential')),
          empty: 'None were used.',
        },
        {
          title: 'Clients of others',
          columns: ['client', 'requests'],
          rows: await mostOf(accesses, detail(store, 'client')),
          empty: 'None asked.',
        },
      ],
    }),
  ]
}

function chartOf(
  title: string,
  hours: readonly Hour[],
  period: Span,
  series: readonly (readonly [name: string, measure: Exclude<keyof Hour, 'hour'>])[],
): Chart {
  const days = Array.from({ length: Math.round((period.end - period.begin) / dayMs) }, (_, index) => {
    const begin = period.begin + index * dayMs
    return { begin, end: begin + dayMs }
  })
  return {
    title,
    labels: days.map(({ begin }) => dayText(begin)),
    series: series.map(([name, measure]) => ({ name, values: days.map((day) => total(hours, measure, day)) })),
  }
}
