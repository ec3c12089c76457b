// Weeks of ISO 8601 and months of the calendar, in UTC.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { periodOf, readDay } from '../../src/posture/review/period.ts'

const at = (text: string): number => Date.parse(text)

// Years whose first and last weeks are known: those of ISO 8601-1:2019, and of the calendar.
for (const [day, label, begin, end] of [
  ['2026-11-22', '2026-W47', '2026-11-16', '2026-11-23'],
  ['2026-11-16', '2026-W47', '2026-11-16', '2026-11-23'],
  ['2021-01-03', '2020-W53', '2020-12-28', '2021-01-04'],
  ['2024-12-30', '2025-W01', '2024-12-30', '2025-01-06'],
  ['2016-01-01', '2015-W53', '2015-12-28', '2016-01-04'],
] as const) {
  test(`IN4: ${day} lies in ${label}`, () => {
    const period = periodOf('weekly', readDay(day), at('2026-12-31T00:00:00Z'))
    assert.deepEqual(
      [period.label, period.begin, period.end],
      [label, at(`${begin}T00:00:00Z`), at(`${end}T00:00:00Z`)],
    )
    assert.equal(period.before.end, period.begin)
    assert.equal(period.isOver, true)
  })
}

test('IN4: without a day it is the last one that is over; with one that goes on it says so', () => {
  const now = at('2026-03-01T00:00:00Z')
  const month = periodOf('monthly', undefined, now)
  assert.deepEqual([month.label, month.isOver, month.end], ['2026-02', true, now])
  assert.equal(month.before.begin, at('2026-01-01T00:00:00Z'))
  const current = periodOf('monthly', readDay('2026-03-31'), now)
  assert.deepEqual([current.label, current.isOver], ['2026-03', false])
  assert.equal(periodOf('weekly', undefined, now).label, '2026-W08')
})

test('IN4: what is no day is none', () => {
  for (const text of ['2026-02-30', '2026-13-01', '26-01-01', 'today', '2026-01-01T00:00:00Z', ''])
    assert.equal(readDay(text), undefined, text)
})
