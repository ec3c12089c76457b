// One of several threads that open the root key of an empty folder at the same moment, again and again.
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { systemRandom } from '../../src/kernel/id.ts'
import { openRootKey } from '../../src/keys/root.ts'
import { openStore } from '../../src/store/database.ts'

interface Race {
  readonly folder: string
  readonly starters: number
  readonly rounds: number
  readonly arrived: Int32Array<SharedArrayBuffer>
}

const { folder, starters, rounds, arrived } = workerData as Race
const keys: string[] = []
for (let round = 0; round < rounds; round++) {
  const store = await openStore('sqlite::memory:')
  meet(starters * (round + 1))
  const dataDir = join(folder, String(round))
  try {
    const root = await openRootKey({ environment: {}, dataDir, random: systemRandom, db: store.db })
    keys.push(root.derive('test').toString('hex'))
  } catch (error) {
    keys.push(String(error))
  }
  await store.close()
}
parentPort?.postMessage(keys)

/** Waits until so many have come, and leaves together with the others. Asleep: they need the cores to come. */
function meet(count: number): void {
  Atomics.add(arrived, 0, 1)
  Atomics.notify(arrived, 0)
  for (let here = Atomics.load(arrived, 0); here < count; here = Atomics.load(arrived, 0))
    Atomics.wait(arrived, 0, here)
}
