// One of many that open the root key of a folder at the same moment.
import { parentPort, workerData } from 'node:worker_threads'
import { systemRandom } from '../../src/kernel/id.ts'
import { openRootKey } from '../../src/keys/root.ts'
import { openStore } from '../../src/store/database.ts'

const { folder, gate } = workerData as { folder: string; gate: Int32Array<SharedArrayBuffer> }
const store = await openStore('sqlite::memory:')
Atomics.wait(gate, 0, 0)
const root = await openRootKey({ environment: {}, dataDir: folder, random: systemRandom, db: store.db })
await store.close()
parentPort?.postMessage(root.derive('test').toString('hex'))
