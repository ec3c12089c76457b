import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { systemClock } from '../../src/kernel/clock.ts'
import { Fault } from '../../src/kernel/error.ts'
import type { CounterMemory } from '../../src/limits/counters/counter-memory.ts'
import { openCounters } from '../../src/limits/counters/counters.ts'
import type { Claim } from '../../src/limits/limiter.ts'
import { testClock } from '../support/clock.ts'
import { claim, limitOf, roomy, timed, tiny } from './counting.ts'
import type { Done, Work } from './counting-thread.ts'

const day = 86_400_000
const threads = 3

/** What came out of each thread, all of which make their requests at the same moment. */
async function race(memory: CounterMemory, times: number, requestsOf: (thread: number) => Claim[][]): Promise<Done[]> {
  const ready = new Int32Array(new SharedArrayBuffer(4))
  const holding = new Int32Array(new SharedArrayBuffer(4))
  const workers = Array.from({ length: threads }, (_, thread) => {
    const workerData: Work = { memory, ready, holding, threads, times, requests: requestsOf(thread) }
    return new Worker(new URL('./counting-thread.ts', import.meta.url), { workerData })
  })
  return Promise.all(workers.map(async (worker) => ((await once(worker, 'message')) as [Done])[0]))
}

function admittedBy(done: readonly Done[], nth: number): number {
  return done.reduce((sum, { admitted }) => sum + (admitted[nth] as number), 0)
}

test('TR3: threads that race for one budget are let through exactly as often as it says, by every algorithm', async () => {
  const limits = timed.map((algorithm) => limitOf(algorithm, 1000, day, 1000, `${algorithm} day`))
  const done = await race(roomy(), 1500, () => limits.map((limit) => [claim(limit)]))
  // At a thousand a day none comes back meanwhile.
  for (const [nth, { algorithm }] of limits.entries()) assert.equal(admittedBy(done, nth), 1000, algorithm)
})

test('TR3: of several budgets all threads take together or not at all, in whatever order they name them', async () => {
  const [small, large] = [limitOf('sliding', 300, day, 300, 'small'), limitOf('token-bucket', 900, day, 900, 'large')]
  const memory = roomy()
  const both = [claim(small), claim(large), claim(limitOf('fixed', 800, day), 'another'), claim(large, 'another')]
  const done = await race(memory, 1500, (thread) => [thread % 2 === 0 ? both : both.toReversed()])
  assert.equal(admittedBy(done, 0), 300)
  const counters = openCounters(memory, systemClock)
  for (const [nth, left] of [0, 600, 500, 600].entries()) {
    const alone = [both[nth] as Claim]
    const { allowed, remaining } = counters.take(alone)
    assert.deepEqual({ allowed, remaining }, { allowed: left > 0, remaining: Math.max(0, left - 1) }, `claim ${nth}`)
  }
})

test('requests that want the same locks in other orders do not wait for each other for ever', async () => {
  const limit = limitOf('sliding', 1_000_000, day)
  const all = Array.from({ length: 12 }, (_, caller) => claim(limit, `caller ${caller}`))
  // In one set, and with a lock of their own each.
  for (const memory of [tiny(), roomy()]) {
    const done = await race(memory, 700, (thread) => [
      [...all.slice(thread * 4), ...all.slice(0, thread * 4)].toReversed(),
    ])
    assert.equal(admittedBy(done, 0), threads * 700)
    const counters = openCounters(memory, systemClock)
    for (const one of all) assert.equal(counters.take([one]).remaining, 1_000_000 - threads * 700 - 1)
  }
})

test('what is in flight is never more than the limit over all threads, and all of it comes back', async () => {
  for (const memory of [roomy(), tiny()]) {
    const limit = limitOf('concurrency', 2, 0)
    const done = await race(memory, 4000, () => [[claim(limit)]])
    assert.ok(admittedBy(done, 0) > 0)
    assert.ok(Math.max(...done.map(({ heldMost }) => heldMost)) <= 2)
    assert.equal(openCounters(memory, systemClock).take([claim(limit)]).remaining, 1)
  }
})

test('TR3: threads that crowd a table admit nobody too often', async () => {
  const limits = timed.map((algorithm) => limitOf(algorithm, 5, day, 5, `${algorithm} day`))
  const callers = Array.from({ length: 50 }, (_, caller) => `caller ${caller}`)
  const requests = limits.flatMap((limit) => callers.map((caller) => [claim(limit, caller)]))
  const done = await race(tiny(), 20, () => requests)
  for (const [nth, [one]] of requests.entries()) {
    assert.ok(
      admittedBy(done, nth) <= 5,
      `${one?.limit.algorithm} let ${one?.key} through ${admittedBy(done, nth)} times`,
    )
  }
})

test('C: where a thread died while it counted, a request fails, and neither waits for ever nor is let through', () => {
  const memory = roomy()
  const counters = openCounters(memory, testClock(), { patienceMs: 100 })
  const claims = [claim(limitOf('sliding', 10, day)), claim(limitOf('concurrency', 10, 0), 'other')]
  const locks = new Int32Array(memory.locks)
  locks.fill(1)
  for (const ask of [() => counters.take(claims), () => counters.spent(claims)]) {
    assert.throws(ask, (error) => error instanceof Fault && error.code === 'unavailable')
  }
  locks.fill(0) // it was alive after all
  const { remaining, release } = counters.take(claims)
  assert.equal(remaining, 9)
  release?.()
  assert.ok(locks.every((lock) => lock === 0))
})

test('a request that does not get all of its locks gives back those that it has', () => {
  const memory = roomy()
  const counters = openCounters(memory, testClock(), { patienceMs: 1 })
  const limit = limitOf('sliding', 10_000, day)
  const all = Array.from({ length: 5 }, (_, caller) => claim(limit, `caller ${caller}`))
  const locks = new Int32Array(memory.locks)
  let failed = 0
  for (const lock of locks.keys()) {
    locks[lock] = 1
    try {
      counters.take(all)
    } catch {
      failed++
    }
    locks[lock] = 0
    assert.ok(!locks.includes(1))
  }
  assert.ok(failed > 1, `${failed} of its locks were missed`)
  assert.equal(counters.take([claim(limit, 'caller 0')]).remaining, 10_000 - (locks.length - failed) - 1)
})
