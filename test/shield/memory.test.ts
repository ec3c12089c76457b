// In a process of its own: it weighs the memory of the process.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { BlockBook } from '../../src/shield/block-book.ts'
import { blockMemory } from '../../src/shield/block-memory.ts'
import { BlockStore } from '../../src/shield/block-store.ts'
import { testClock } from '../support/clock.ts'

test('TR7: a million addresses that are blocked take the memory that was there before the first', () => {
  const clock = testClock()
  const entries = 1_000_000
  const memory = blockMemory(entries, systemRandom)
  assert.ok(memory.buffer.byteLength < 12_001_000, `${memory.buffer.byteLength} bytes`)
  const store = new BlockStore({ clock })
  const book = new BlockBook({ store, memory, clock, random: systemRandom, log: silent, waitingMax: 1_000 })
  const block = (n: number): unknown =>
    book.block(
      `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
      `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
      'x',
      3_600_000,
    )
  for (let n = 0; n < 10_000; n++) block(n)
  const before = held()
  for (let n = 10_000; n < 1_100_000; n++) block(n)
  const grownMb = (held() - before) / 1024 / 1024
  assert.ok(grownMb < 4, `grew by ${grownMb.toFixed(1)} MB over a million addresses`)
  // Of a million in a memory for a million, some had to make way, and most did not.
  let standing = 0
  for (let n = 100_000; n < 1_100_000; n += 10)
    if (book.standing(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`))
      standing++
  assert.ok(standing > 75_000, `${standing} of 100000`)
})

/** Bytes that are still referred to, those outside of the heap included. */
function held(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
