// In a process of its own: it weighs the heap.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemRandom } from '../../src/kernel/id.ts'
import { callersCounted, counterMemory } from '../../src/limits/counters/counter-memory.ts'
import { testClock } from '../support/clock.ts'
import { claim, countersOf, limitOf } from './counting.ts'

test('TR7: memory stays as it is under a million callers', () => {
  const bytes = 16 * 1024 * 1024
  const counters = countersOf(testClock(), counterMemory(bytes, systemRandom))
  const limit = limitOf('sliding', 100, 3_600_000)
  for (let caller = 0; caller < 100_000; caller++) counters.take([claim(limit, `c${caller}`)])
  const before = held()
  for (let caller = 100_000; caller < 1_000_000; caller++) counters.take([claim(limit, `c${caller}`)])
  const grownMb = (held() - before) / 1024 / 1024
  assert.ok(grownMb < 1, `grew by ${grownMb} MB`)
})

test('the memory that is asked for is what is taken, and says how many callers it tells apart', () => {
  const bytes = 64 * 1024 * 1024 + 3
  const { cells, locks } = counterMemory(bytes, systemRandom)
  assert.ok(cells.byteLength + locks.byteLength <= bytes && cells.byteLength + locks.byteLength > bytes - 8)
  const callers = callersCounted(bytes)
  assert.ok(callers.sliding >= 240_000 && callers['token-bucket'] >= 200_000, JSON.stringify(callers))
})

/** Bytes that are still referred to. */
function held(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}
