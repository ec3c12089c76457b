import { dayMs, hourMs } from '../spans.ts'
import type { Hour, Measure } from './count.ts'
import { type Section, section } from './document.ts'
import { dayText, type Period, type Span } from './period.ts'

const measures: readonly (readonly [measure: Measure, name: string])[] = [
  ['requests', 'requests'],
  ['refused', 'refused requests'],
  ['errors', 'requests with errors'],
  ['signIns', 'sign-ins'],
  ['failedSignIns', 'failed sign-ins'],
]

/** A day is held against all other days of the period and the one before; an hour against the same hour of those days. */
const rule =
  'A day is unusual when it has more than three times the median of the other days, and at least 20 more; an hour, when it has more than five times the median of the same hour on the other days, and at least 50 more. Both periods are compared; with fewer than five days of events nothing is called unusual.'

const daysMin = 5
const rowsMax = 30

/** Days and hours that are far from what is usual here. */
export function unusual(hours: readonly Hour[], period: Period, now: number): Section {
  const known = daysOf(hours, { begin: period.before.begin, end: Math.min(period.end, now) })
  const rows =
    known.length < daysMin
      ? []
      : measures.flatMap(([measure, name]) => [
          ...farDays(hours, known, period, measure).map(([when, found, usual]) => [when, name, found, usual]),
          ...farHours(hours, known, period, measure).map(([when, found, usual]) => [when, name, found, usual]),
        ])
  return section('unusual', 'Unusual days and hours', {
    notes: [rule],
    tables: [
      {
        title: 'Far from the usual',
        columns: ['when (UTC)', 'what', 'count', 'usual'],
        rows: rows.slice(0, rowsMax),
        empty: known.length < daysMin ? 'Too few days of events to say what is usual.' : 'None.',
      },
    ],
  })
}

type Far = readonly [when: string, found: number, usual: number]

function farDays(hours: readonly Hour[], days: readonly number[], { begin }: Period, measure: Measure): Far[] {
  const counts = new Map(days.map((day) => [day, 0]))
  for (const one of hours) {
    const day = Math.floor((one.hour * hourMs) / dayMs)
    counts.set(day, (counts.get(day) ?? 0) + one[measure])
  }
  return days.flatMap((day): Far[] => {
    const found = counts.get(day) ?? 0
    const usual = median(days.filter((other) => other !== day).map((other) => counts.get(other) ?? 0))
    return day * dayMs >= begin && found > 3 * usual && found >= usual + 20
      ? [[dayText(day * dayMs), found, usual]]
      : []
  })
}

function farHours(hours: readonly Hour[], days: readonly number[], { begin }: Period, measure: Measure): Far[] {
  const counts = new Map(hours.map((one) => [one.hour, one[measure]]))
  return hours.flatMap((one): Far[] => {
    const found = one[measure]
    if (one.hour * hourMs < begin || found < 50) return []
    const day = Math.floor(one.hour / 24)
    const usual = median(
      days.filter((other) => other !== day).map((other) => counts.get(other * 24 + (one.hour % 24)) ?? 0),
    )
    const when = `${new Date(one.hour * hourMs).toISOString().slice(0, 13).replace('T', ' ')}:00`
    return found > 5 * usual && found >= usual + 50 ? [[when, found, usual]] : []
  })
}

/** The days of a span since the first event, as numbers since the epoch. */
function daysOf(hours: readonly Hour[], { end }: Span): readonly number[] {
  const first = hours[0]
  if (first === undefined) return []
  const from = Math.floor(first.hour / 24)
  return Array.from({ length: Math.max(0, Math.ceil(end / dayMs) - from) }, (_, index) => from + index)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
