import { dayMs } from '../spans.ts'

export const periodNames = ['weekly', 'monthly'] as const
export type PeriodName = (typeof periodNames)[number]

/** Milliseconds since the epoch; `end` is no part of it. */
export interface Span {
  readonly begin: number
  readonly end: number
}

/** A week of ISO 8601, Monday to Sunday, or a month of the calendar: in UTC. */
export interface Period extends Span {
  readonly name: PeriodName
  /** `2026-W47`, `2026-11`. */
  readonly label: string
  readonly before: Span
  /** False while it goes on. */
  readonly isOver: boolean
}

/** The period in which a day lies; without one, the last that is over. */
export function periodOf(name: PeriodName, day: number | undefined, now: number): Period {
  if (day !== undefined) return around(name, day, now)
  const current = around(name, now, now)
  return around(name, current.before.begin, now)
}

/** A day as RFC 3339 writes it, `2026-11-22`; undefined for what is none. */
export function readDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const at = Date.parse(`${text}T00:00:00Z`)
  return Number.isNaN(at) || dayText(at) !== text ? undefined : at
}

export function dayText(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

function around(name: PeriodName, at: number, now: number): Period {
  const span = name === 'weekly' ? weekOf(at) : monthOf(at)
  const before = name === 'weekly' ? weekOf(span.begin - 1) : monthOf(span.begin - 1)
  const label = name === 'weekly' ? weekLabel(span.begin) : dayText(span.begin).slice(0, 7)
  return { name, label, ...span, before, isOver: span.end <= now }
}

function weekOf(at: number): Span {
  const day = Math.floor(at / dayMs)
  const sinceMonday = (new Date(at).getUTCDay() + 6) % 7
  const begin = (day - sinceMonday) * dayMs
  return { begin, end: begin + 7 * dayMs }
}

function monthOf(at: number): Span {
  const date = new Date(at)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return { begin: Date.UTC(year, month, 1), end: Date.UTC(year, month + 1, 1) }
}

/** A week belongs to the year of its Thursday (ISO 8601 §3.1.1.23). */
function weekLabel(monday: number): string {
  const year = new Date(monday + 3 * dayMs).getUTCFullYear()
  const first = weekOf(Date.UTC(year, 0, 4)).begin
  return `${year}-W${String(1 + Math.round((monday - first) / (7 * dayMs))).padStart(2, '0')}`
}
