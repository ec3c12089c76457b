import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { systemRandom } from '../../src/kernel/id.ts'
import { BlockTable, blockMemory } from '../../src/shield/block-memory.ts'

const now = 1_800_000_000

test('TR7: a block is there until its end for whoever has the memory, and for no other address', () => {
  const memory = blockMemory(1_000, systemRandom)
  const [here, there] = [new BlockTable(memory), new BlockTable(structuredClone(memory))]
  assert.equal(here.until('192.0.2.1'), 0)
  assert.equal(here.put('192.0.2.1', now + 60, now), true)
  assert.equal(there.until('192.0.2.1'), now + 60)
  for (const other of ['192.0.2.2', '192.0.2.1/32', '2001:db8::/64', '', '192.0.2.1\0'])
    assert.equal(there.until(other), 0, other)
  there.put('192.0.2.1', now + 30, now)
  assert.equal(here.until('192.0.2.1'), now + 60, 'the longer one holds')
  there.put('192.0.2.1', now + 90, now)
  assert.equal(here.until('192.0.2.1'), now + 90)
  assert.deepEqual([there.lift('192.0.2.1'), there.lift('192.0.2.1'), here.until('192.0.2.1')], [true, false, 0])
})

test('TR7: in a full memory the block that ends soonest makes way, and an older end pushes out no later one', () => {
  const table = new BlockTable(blockMemory(8, systemRandom)) // one set
  for (let n = 0; n < 8; n++) assert.equal(table.put(`192.0.2.${n}`, now + 100 + n, now), true)
  assert.equal(table.displaced, 0)
  assert.equal(table.put('198.51.100.1', now + 50, now), false)
  assert.equal(table.put('198.51.100.2', now + 200, now), true)
  assert.deepEqual([table.until('192.0.2.0'), table.displaced], [0, 1])
  for (let n = 1; n < 8; n++) assert.equal(table.until(`192.0.2.${n}`), now + 100 + n)
  // What is over makes way before everything else.
  assert.equal(table.put('198.51.100.3', now + 300, now + 101), true)
  assert.deepEqual([table.until('192.0.2.1'), table.displaced], [0, 1])
})

test('TR7: threads that block and lift at one moment lose no block, and invent none', { timeout: 60_000 }, async () => {
  const memory = blockMemory(4_096, systemRandom)
  const racing = `
    import { parentPort, workerData } from 'node:worker_threads'
    const { BlockTable } = await import(workerData.table)
    const table = new BlockTable(workerData.memory)
    const { now, thread } = workerData
    let wrong = 0
    for (let turn = 0; turn < 20_000; turn++) {
      const shared = '10.0.0.' + (turn % 16)
      table.put(shared, now + 1_000 + (turn % 16), now)
      const mine = '10.1.' + thread + '.' + (turn % 8)
      table.put(mine, now + 10 + thread, now)
      if (table.until(mine) !== now + 10 + thread) wrong++
      table.lift(mine)
      if (table.until(mine) !== 0) wrong++
      const until = table.until('10.0.0.' + ((turn + thread) % 16))
      if (until !== 0 && until !== now + 1_000 + ((turn + thread) % 16)) wrong++
      if (table.until('10.2.0.' + (turn % 256)) !== 0) wrong++
    }
    parentPort.postMessage(wrong)`
  const workers = [1, 2, 3].map(
    (thread) =>
      new Worker(new URL(`data:text/javascript,${encodeURIComponent(racing)}`), {
        workerData: {
          memory,
          now,
          thread,
          table: new URL('../../src/shield/block-memory.ts', import.meta.url).href,
        },
      }),
  )
  const wrong = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number))
  assert.deepEqual(wrong, [0, 0, 0])
  const table = new BlockTable(memory)
  for (let n = 0; n < 16; n++) assert.equal(table.until(`10.0.0.${n}`), now + 1_000 + n)
})
