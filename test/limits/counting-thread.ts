// One of several threads that draw on the same budgets at the same moment.
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../src/kernel/clock.ts'
import type { CounterMemory } from '../../src/limits/counters/counter-memory.ts'
import { openCounters } from '../../src/limits/counters/counters.ts'
import type { Claim } from '../../src/limits/limiter.ts'

export interface Work {
  readonly memory: CounterMemory
  /** How many threads are ready; they begin together. */
  readonly ready: Int32Array<SharedArrayBuffer>
  readonly threads: number
  /** Requests that this thread makes, one after the other and again from the front. */
  readonly requests: readonly (readonly Claim[])[]
  readonly times: number
  /**
   * What all threads hold at the moment, where they count what is in flight: each request that was let through keeps
   * it for a while.
   */
  readonly holding: Int32Array<SharedArrayBuffer>
}

export interface Done {
  /** Of each request, how often it was let through. */
  readonly admitted: readonly number[]
  /** The most that was seen held at the same moment. */
  readonly heldMost: number
}

const { memory, ready, threads, requests, times, holding } = workerData as Work
const counters = openCounters(memory, systemClock)
const admitted = requests.map(() => 0)
let heldMost = 0

Atomics.add(ready, 0, 1)
Atomics.notify(ready, 0)
for (let seen = Atomics.load(ready, 0); seen < threads; seen = Atomics.load(ready, 0)) Atomics.wait(ready, 0, seen)

for (let time = 0; time < times; time++) {
  for (const [nth, claims] of requests.entries()) {
    const { allowed, release } = counters.take(claims)
    if (!allowed) continue
    admitted[nth] = (admitted[nth] as number) + 1
    if (release === undefined) continue
    heldMost = Math.max(heldMost, Atomics.add(holding, 0, 1) + 1)
    for (let turn = 0; turn < time % 200; turn++) Atomics.load(holding, 0)
    Atomics.sub(holding, 0, 1)
    release()
    release()
  }
}
parentPort?.postMessage({ admitted, heldMost } satisfies Done)
