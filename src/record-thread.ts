/** The thread that keeps the record: it signs, sends on and watches, on a connection of its own. `RecordThread` speaks to it. */
import { parentPort, workerData } from 'node:worker_threads'
import { openEventSealer } from './audit/sealer.ts'
import { systemClock } from './kernel/clock.ts'
import { systemRandom } from './kernel/id.ts'
import { openLogger } from './kernel/logger.ts'
import { openRecordKeeper, type RecordKeeperParts } from './record-keeper.ts'
import { openStore } from './store/database.ts'

/** What it begins with. */
export interface RecordStart extends Pick<RecordKeeperParts, 'audit' | 'incidents' | 'environment' | 'version'> {
  readonly url: string
  readonly logLevel: Parameters<typeof openLogger>[0]
  /** What is derived of the root key, by its purpose: the key itself stays where it is. */
  readonly keys: Readonly<Record<string, Uint8Array>>
}

export type RecordOrder = 'turn' | 'stop'
export type RecordReport = 'ready' | 'wake' | 'stopped'

const port = parentPort
if (port === null) throw new Error('expected to run as a thread, got started as a program')
const { url, logLevel, keys, ...options } = workerData as RecordStart
const tell = (report: RecordReport): void => port.postMessage(report)

const store = await openStore(url, { connectionsMax: 2 })
const keeper = await openRecordKeeper({
  ...options,
  store,
  sealer: openEventSealer({ wrappingKey: keyOf('data keys'), clock: systemClock, random: systemRandom }),
  wake: () => tell('wake'),
  root: { derive: keyOf },
  clock: systemClock,
  random: systemRandom,
  log: openLogger(logLevel, undefined, { thread: 'record' }),
})
port.on('message', (order: RecordOrder) => {
  if (order === 'turn') keeper.turn()
  else void stop()
})
tell('ready')

/** Whoever began the thread ends it then. */
async function stop(): Promise<void> {
  await keeper.stop()
  await store.close()
  tell('stopped')
}

function keyOf(purpose: string): Buffer {
  const key = keys[purpose]
  if (key === undefined) throw new Error(`expected a key for \`${purpose}\`, got none`)
  return Buffer.from(key)
}
