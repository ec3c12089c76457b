import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Schema } from '../../store/schema.ts'
import { hourMs } from '../spans.ts'
import type { Span } from './period.ts'

/** Where the questions of a review are asked: long ones, of which nobody who serves should wait for. */
export type ReviewStore = Pick<Store, 'kind' | 'db'>

type Events = SelectQueryBuilder<Schema, 'audit_events', object>

/** Events of a span. */
export function eventsIn({ db }: ReviewStore, { begin, end }: Span): Events {
  return db.selectFrom('audit_events').where('at', '>=', begin).where('at', '<', end)
}

export function accessesIn(store: ReviewStore, span: Span): Events {
  return eventsIn(store, span).where('type', 'in', ['api_access', 'authorization_failure'])
}

export function refusalsIn(store: ReviewStore, span: Span): Events {
  return accessesIn(store, span).where('result', '=', 'denied')
}

export function failedSignInsIn(store: ReviewStore, span: Span): Events {
  return eventsIn(store, span)
    .where('type', '=', 'authentication')
    .where('action', 'in', ['sign-in', 'second-factor'])
    .where('result', '!=', 'success')
}

/** How many there are. */
export async function countOf(events: Events): Promise<number> {
  const row = await events.select((is) => is.fn.countAll<number>().as('count')).executeTakeFirst()
  return Number(row?.count ?? 0)
}

/** The most frequent ones of what they have in common, and how often. */
export async function mostOf(
  events: Events,
  what: RawBuilder<string>,
  most = 10,
): Promise<readonly (readonly [name: string, count: number])[]> {
  const rows = await events
    .select([what.as('name'), sql<number>`count(*)`.as('count')])
    .where(what, '!=', '')
    .groupBy(what)
    .orderBy('count', 'desc')
    .orderBy('name')
    .limit(most)
    .execute()
  return rows.map(({ name, count }) => [name, Number(count)])
}

/**
 * A member of an event's details. In a canonical body (RFC 8785) a quote within a text is escaped, so that no text can look like
 * a member. PostgreSQL would parse the whole body as JSON and fail at a NUL in any of its texts: there it is cut out.
 */
export function detail({ kind }: ReviewStore, name: string): RawBuilder<string> {
  return kind === 'sqlite'
    ? sql<string>`case when json_valid(body) then coalesce(json_extract(body, ${sql.lit(`$.details."${name}"`)}), '') else '' end`
    : sql<string>`coalesce(substring(body from ${sql.lit(`[{,]"${name}":"([^"\\\\]*)`)}), '')`
}

/** What went on in each hour. */
export interface Hour {
  /** Hours since the epoch. */
  readonly hour: number
  readonly requests: number
  readonly refused: number
  readonly errors: number
  readonly signIns: number
  readonly failedSignIns: number
}

/** Hours in which nothing happened are left out. */
export async function hoursOf(store: ReviewStore, span: Span): Promise<readonly Hour[]> {
  const hour = sql<number>`at / ${sql.lit(hourMs)}`
  const sum = (what: RawBuilder<unknown>): RawBuilder<number> => sql<number>`sum(case when ${what} then 1 else 0 end)`
  const isAccess = sql`type in ('api_access', 'authorization_failure')`
  const isSignIn = sql`type = 'authentication' and action in ('sign-in', 'second-factor')`
  const rows = await eventsIn(store, span)
    .select([
      hour.as('hour'),
      sum(isAccess).as('requests'),
      sum(sql`${isAccess} and result = 'denied'`).as('refused'),
      sum(sql`${isAccess} and result in ('failure', 'error')`).as('errors'),
      sum(sql`type = 'authentication' and action = 'sign-in' and result = 'success'`).as('signIns'),
      sum(sql`${isSignIn} and result <> 'success'`).as('failedSignIns'),
    ])
    .groupBy(hour)
    .orderBy('hour')
    .execute()
  return rows.map((row) => ({
    hour: Number(row.hour),
    requests: Number(row.requests),
    refused: Number(row.refused),
    errors: Number(row.errors),
    signIns: Number(row.signIns),
    failedSignIns: Number(row.failedSignIns),
  }))
}

export type Measure = Exclude<keyof Hour, 'hour'>

/** The sum of a measure over a span. */
export function total(hours: readonly Hour[], measure: Measure, { begin, end }: Span): number {
  return hours.reduce(
    (sum, one) => (one.hour * hourMs >= begin && one.hour * hourMs < end ? sum + one[measure] : sum),
    0,
  )
}
