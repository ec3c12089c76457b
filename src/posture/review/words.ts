import type { Review } from './document.ts'
import { dayText } from './period.ts'

/** What a review says before its numbers, in every form. */
export function titleOf({ period: { name, label } }: Review): string {
  return `${name === 'weekly' ? 'Weekly' : 'Monthly'} security review ${label}`
}

export function introduction({ period, madeAt }: Review): readonly string[] {
  const { begin, end, before, isOver } = period
  const days = (span: { readonly begin: number; readonly end: number }): string =>
    `${dayText(span.begin)} to ${dayText(span.end - 1)}`
  return [
    `${days({ begin, end })}, against ${days(before)}. All times are UTC. Made ${new Date(madeAt).toISOString()}.`,
    ...(isOver ? [] : ['This period is not over: its numbers are those of a part, held against a whole one.']),
  ]
}
