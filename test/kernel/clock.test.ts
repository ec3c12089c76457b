import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { systemClock } from '../../src/kernel/clock.ts'

const clock = new URL('../../src/kernel/clock.ts', import.meta.url).href

test('all threads of a process count from one moment', async () => {
  await setTimeout(20) // a thread that counted from its own beginning would be behind by this much at least
  const worker = new Worker(
    `import(${JSON.stringify(clock)}).then(({ systemClock }) =>
       require('node:worker_threads').parentPort.postMessage(systemClock.monotonic()))`,
    { eval: true },
  )
  const before = systemClock.monotonic()
  const [between] = (await once(worker, 'message')) as [number]
  const after = systemClock.monotonic()
  assert.ok(before <= between && between <= after, `${before} ≤ ${between} ≤ ${after}`)
})
