import { quantity, type Units } from './quantity.ts'

/** Milliseconds of a duration as the configuration writes it (`500ms`, `15m`, `30d`); undefined when it is none. */
export function durationMs(text: string): number | undefined {
  return quantity(text, milliseconds)
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const milliseconds: Units = new Map([
  ['ms', 1],
  ['s', second],
  ['m', minute],
  ['h', hour],
  ['d', day],
  ['w', 7 * day],
  ['y', 365 * day], // for retention: a span of days, not a date in a calendar
])
