// In a process of its own: it weighs the heap.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import type { Limit } from '../../src/limits/limiter.ts'
import { openLimiter } from '../../src/limits/window.ts'
import { testClock } from '../support/clock.ts'

const hour = 3_600_000
const sustained = (limit: number, windowMs: number): Limit => ({ name: 'l', limit, windowMs, burst: limit })

test('TR3: no window ever admits more than the limit, at any pace', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 }),
      (max, pauses) => {
        const clock = testClock(1_000_000)
        const limiter = openLimiter(clock)
        const admitted: number[] = []
        for (const pause of pauses) {
          clock.advance(pause)
          if (limiter.take('k', sustained(max, 1000), 1).allowed) admitted.push(clock.monotonic())
        }
        for (const [index, at] of admitted.entries()) {
          const inWindow = admitted.slice(index).filter((other) => other < at + 1000).length
          assert.ok(inWindow <= max, `${inWindow} of ${max} within one window`)
        }
      },
    ),
  )
})

test('TR5: whoever waits as long as it says gets through', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 5, maxLength: 80 }),
      (max, burst, pauses) => {
        const clock = testClock(5_000_000)
        const limiter = openLimiter(clock)
        const limit: Limit = { name: 'l', limit: max, windowMs: 1000, burst: Math.min(burst, max) }
        for (const pause of pauses) {
          clock.advance(pause)
          const allowance = limiter.take('k', limit, 1)
          if (allowance.allowed) continue
          assert.ok(allowance.retryAfterMs > 0 && allowance.retryAfterMs <= 1100, String(allowance.retryAfterMs))
          clock.advance(allowance.retryAfterMs)
          assert.ok(limiter.take('k', limit, 1).allowed, `refused again after ${allowance.retryAfterMs} ms`)
        }
      },
    ),
  )
})

test('TR1: a burst is admitted at once, then the pace of the limit holds', () => {
  const clock = testClock(10_000_000)
  const limiter = openLimiter(clock)
  const limit: Limit = { name: 'authentication', limit: 10, windowMs: hour, burst: 3 }
  const results = Array.from({ length: 4 }, () => limiter.take('k', limit, 1))
  assert.deepEqual(
    results.map(({ allowed }) => allowed),
    [true, true, true, false],
  )
  assert.deepEqual(
    results.map(({ remaining }) => remaining),
    [2, 1, 0, 0],
  )
  assert.equal(results[3]?.retryAfterMs, hour / 10)
  clock.advance(hour / 10)
  assert.ok(limiter.take('k', limit, 1).allowed)
  assert.ok(!limiter.take('k', limit, 1).allowed)
})

test('TR3: the window admits again when it has passed, at most a thirty-second part later', () => {
  const clock = testClock(7_777_777)
  const limiter = openLimiter(clock)
  for (let taken = 0; taken < 5; taken++) limiter.take('k', sustained(5, 3200), 1)
  assert.ok(!limiter.take('k', sustained(5, 3200), 1).allowed)
  clock.advance(3200 + 100)
  assert.equal(limiter.take('k', sustained(5, 3200), 1).remaining, 4)
})

test('callers and limits have budgets of their own', () => {
  const limiter = openLimiter(testClock(1))
  assert.ok(limiter.take('a', sustained(1, hour), 1).allowed)
  assert.ok(limiter.take('b', sustained(1, hour), 1).allowed)
  assert.ok(limiter.take('a', { ...sustained(1, hour), name: 'other' }, 1).allowed)
  assert.ok(!limiter.take('a', sustained(1, hour), 1).allowed)
})

test('TR7: memory stays bounded under a million callers', () => {
  const limiter = openLimiter(testClock(1))
  const limit = sustained(100, hour)
  for (let caller = 0; caller < 200_000; caller++) limiter.take(`c${caller}`, limit, 1)
  const before = held()
  for (let caller = 200_000; caller < 1_000_000; caller++) limiter.take(`c${caller}`, limit, 1)
  const grownMb = (held() - before) / 1024 / 1024
  assert.ok(grownMb < 10, `grew by ${Math.round(grownMb)} MB`)
})

/** Bytes that are still referred to. */
function held(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('TR4: callers with limits of their own under one name do not make each other count anew', () => {
  const limiter = openLimiter(testClock())
  const admitted = { thrifty: 0, generous: 0 }
  for (let count = 0; count < 10; count++) {
    if (limiter.take('thrifty', sustained(2, hour), 1).allowed) admitted.thrifty++
    if (limiter.take('generous', sustained(5, hour / 2), 1).allowed) admitted.generous++
  }
  assert.deepEqual(admitted, { thrifty: 2, generous: 5 })
  assert.equal(limiter.take('thrifty', sustained(3, hour), 1).allowed, true, 'a limit that was changed begins anew')
})
