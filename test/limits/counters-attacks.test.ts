// How somebody might be forgotten, or break what counts them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../src/kernel/error.ts'
import { openCounters } from '../../src/limits/counters/counters.ts'
import { testClock } from '../support/clock.ts'
import { claim, countersOf, limitOf, roomy, timed, tiny } from './counting.ts'

const hour = 3_600_000

for (const algorithm of timed) {
  test(`TR3: a heavy caller for whom no rest was to be had is not forgotten for a light one after them: ${algorithm}`, () => {
    const counters = countersOf(testClock(), tiny())
    /** Each of a limit of its own, so that nobody's rest is anybody else's. */
    const take = (name: string, limit: number, cost: number): boolean =>
      counters.take([claim(limitOf(algorithm, limit, hour, limit, name), name, cost)]).allowed
    // One set: the lightest become rests, and four callers are left.
    const cells = algorithm === 'log' ? 8 : 16
    for (let nth = 0; nth < cells - 4; nth++) assert.ok(take(`rest ${nth}`, 100, 1))
    assert.ok(take('heavy', 200, 160)) // the smallest share of these four, and the most units
    assert.ok(take('light', 100, 90))
    assert.ok(take('full', 70, 70))
    assert.ok(take('also full', 70, 70))
    // Each newcomer puts one aside and begins from what that one had spent: first the heavy one, then the light one.
    assert.ok(take('newcomer', 170, 8))
    assert.ok(take('another newcomer', 200, 1))
    assert.equal(take('heavy', 200, 41), false, 'more than 200 in an hour')
    assert.equal(take('heavy', 200, 40), true)
  })
}

test('TR: giving back where another thread died harms nobody: it is the next to take who is refused', () => {
  const memory = roomy()
  const counters = openCounters(memory, testClock(), { patienceMs: 100 })
  const claims = [claim(limitOf('concurrency', 2, 0, 2, 'a')), claim(limitOf('concurrency', 2, 0, 2, 'b'))]
  const { release } = counters.take(claims)
  assert.ok(release)
  const locks = new Int32Array(memory.locks)
  locks.fill(1) // held, by nobody who lives
  assert.doesNotThrow(release)
  assert.throws(() => counters.take(claims), Fault)
})
