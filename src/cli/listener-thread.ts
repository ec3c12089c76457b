/** A listener thread: a house of its own on the same store and the same port. `Threads` speaks to it. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Environment, Settings } from '../config/settings.ts'
import { connectionGauges } from '../endpoints/connections.ts'
import { type Listener, listen } from '../endpoints/listener.ts'
import { openHouse, type Takeover } from '../house.ts'
import { systemClock } from '../kernel/clock.ts'
import { systemRandom } from '../kernel/id.ts'
import { openLogger } from '../kernel/logger.ts'
import type { SharedMemory } from '../memory.ts'
import { crowdOf, fingerprintOf, placeOf, startable, type Where } from './startable.ts'

/** A configuration as it was read, not parsed, and the fingerprint of what the first thread made of it. */
export interface Handed {
  readonly raw: unknown
  readonly fingerprint: string
}

/** What a thread begins with. */
export interface Start {
  readonly number: number
  readonly of: number
  readonly memory: SharedMemory
  readonly audit: MessagePort
  readonly handed: Handed
  readonly where: Where
  readonly environment: Environment
  readonly dataDir: string
  readonly version: string
}

/** Where the first listens. */
export interface Ports {
  readonly port: number
  readonly redirectPort: number | undefined
}

/** Each is answered by one report of the same id. */
export type Order = { readonly id: number } & (
  | { readonly kind: 'listen'; readonly ports: Ports }
  /** Makes ready what this configuration needs. `adopt` or `drop` follows. */
  | { readonly kind: 'prepare'; readonly handed: Handed }
  | { readonly kind: 'adopt' | 'drop' | 'read-tls' | 'close' }
)

export interface Report {
  /** Of the order; 0 once the house is open. */
  readonly id: number
  /** Why it was not done; undefined where it was. */
  readonly problem: string | undefined
}

const port = parentPort
if (port === null) throw new Error('expected to run as a thread, got started as a program')
const { number, of, memory, audit, handed, where, environment, dataDir, version } = workerData as Start

const settings = settingsOf(handed)
const log = openLogger(settings.log.level, undefined, { thread: number })
const house = await openHouse(settings, {
  clock: systemClock,
  random: systemRandom,
  log,
  environment,
  dataDir,
  version,
  role: 'thread',
  memory,
  thread: { number, of, audit },
})
let listener: Listener | undefined
let ready: Takeover | undefined
/** The preparation that counts: one that took too long is given up, and a later one may end before it. */
let preparing = 0

port.on('message', (order: Order) => {
  follow(order).then(
    () => tell(order.id, undefined),
    (error: Error) => tell(order.id, error.message),
  )
})
tell(0, undefined)

async function follow(order: Order): Promise<void> {
  switch (order.kind) {
    case 'listen': {
      const { port, redirectPort } = order.ports
      const place = placeOf(settings.listen, of)
      const https = place.https && { ...place.https, redirectFrom: redirectPort }
      const crowd = crowdOf(settings.listen, memory)
      listener = await listen(house.gate, { ...place, port, https }, { clock: systemClock, log, environment, crowd })
      house.meters.watch(connectionGauges(listener.counts))
      return
    }
    case 'prepare': {
      ready?.drop()
      ready = undefined
      const own = ++preparing
      const prepared = await house.prepare(settingsOf(order.handed))
      if (own === preparing) ready = prepared
      else prepared.drop()
      return
    }
    case 'adopt':
      await ready?.adopt()
      ready = undefined
      return
    case 'drop':
      preparing++
      ready?.drop()
      ready = undefined
      return
    case 'read-tls':
      return listener?.reloadTls()
    case 'close':
      await listener?.close(settings.listen.drain)
      await house.close()
      setImmediate(() => port?.close()) // after the report: nothing is left to wait for, and the thread ends
      return
  }
}

function settingsOf({ raw, fingerprint }: Handed): Settings {
  const made = startable(raw, environment, where, 'the configuration')
  if (fingerprintOf(made) !== fingerprint)
    throw new Error('a file that the configuration names was another one a moment ago; once more')
  return made
}

function tell(id: number, problem: string | undefined): void {
  port?.postMessage({ id, problem } satisfies Report)
}
