import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Settings } from '../config/settings.ts'
import type { House } from '../house.ts'
import { Fault } from '../kernel/error.ts'
import type { Log } from '../kernel/log.ts'
import { Usage } from './command.ts'
import type { Handed, Order, Ports, Report, Start } from './listener-thread.ts'
import { fingerprintOf } from './startable.ts'

/** The listener threads beside the first, which is where the process began. */
export interface Threads {
  readonly count: number
  /** They listen where the first does, from now on. */
  listen(ports: Ports): Promise<void>
  /** Takes a configuration over in all threads and in the first; throws where one cannot, and all keep the old one. */
  takeOver(next: Settings, raw: unknown): Promise<void>
  /** Reads the files of `listen.tls` again; throws where one could not. */
  readTls(): Promise<void>
  /** Why one ended that nobody had asked to; it never settles where none does. */
  readonly lost: Promise<string>
  /** They take no new connections, wait for what is on its way, write out what they remember, and end. */
  close(): Promise<void>
}

interface ThreadsParts {
  /** Of the first. */
  readonly house: House
  /** The configuration as it was read. */
  readonly raw: unknown
  readonly start: Omit<Start, 'number' | 'audit' | 'handed'>
  readonly log: Log
}

/** How many threads a `--threads` means. Throws a `Usage` where so many cannot be. */
export function threadsOf(text: string | undefined, { store }: Pick<Settings, 'store'>): number {
  if (text === undefined || text === '1') return 1
  const cannot = whyAlone(store)
  if (text === 'auto') return cannot === undefined ? Math.min(availableParallelism(), threadsMax) : 1
  if (!/^\d{1,4}$/.test(text) || Number(text) < 1 || Number(text) > threadsMax)
    throw new Usage(`--threads: expected a number from 1 to ${threadsMax}, or \`auto\`, got \`${text}\``)
  if (Number(text) > 1 && cannot !== undefined) throw new Usage(`--threads: expected 1, because ${cannot}; got ${text}`)
  return Number(text)
}

function whyAlone(store: string | undefined): string | undefined {
  if (store === 'sqlite::memory:')
    return 'the store `sqlite::memory:` lies in the memory of one thread, and others do not see it'
  if (!sharingPlatforms.has(process.platform))
    return `${process.platform} does not let several threads listen on one port (SO_REUSEPORT)`
  return undefined
}

const threadsMax = 64
/** Where `reusePort` of node:net spreads connections over all who listen. */
const sharingPlatforms: ReadonlySet<string> = new Set(['linux', 'freebsd', 'sunos', 'aix'])

/**
 * Throws a Fault where somebody listens there already. Whoever asks to share a port is not told: another house of the same user
 * would get half of the requests, and nobody would know.
 */
export async function mustBeFree({ port, host, https }: Settings['listen']): Promise<void> {
  await isFree(host, port)
  if (https?.redirectFrom !== undefined) await isFree(host, https.redirectFrom)
}

function isFree(host: string, port: number): Promise<void> {
  const probe = createServer()
  return new Promise((resolve, reject) => {
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE' ? 'something else listens there; choose another with --port' : error.message
      reject(new Fault('unavailable', `cannot listen on ${host}:${port}: ${why}`, error))
    })
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve()))
  })
}

/** Starts them, each with a house of its own that is open and does not listen yet. Throws a Fault where one does not come up. */
export async function openThreads({ house, raw, start, log }: ThreadsParts): Promise<Threads> {
  const lost = Promise.withResolvers<string>()
  const threads: ListenerThread[] = []
  const handed: Handed = { raw, fingerprint: fingerprintOf(house.settings) }
  try {
    for (let number = 2; number <= start.of; number++) {
      const { port1: own, port2: audit } = new MessageChannel()
      house.audit.serve(own)
      threads.push(new ListenerThread({ ...start, handed, number, audit }, log, lost.resolve))
    }
    await Promise.all(threads.map(({ opened }) => opened))
  } catch (error) {
    await Promise.all(threads.map((thread) => thread.terminate()))
    throw new Fault('unavailable', (error as Error).message, error)
  }
  let turn: Promise<void> = Promise.resolve()
  const all = async (order: Bare, patienceMs = orderMs): Promise<void> => {
    await Promise.all(threads.map((thread) => thread.order(order, patienceMs)))
  }

  return {
    count: start.of,
    listen: ({ port, redirectPort }) => all({ kind: 'listen', ports: { port, redirectPort } }),
    takeOver(next, raw) {
      const own = turn.then(() => takeOver(next, { raw, fingerprint: fingerprintOf(next) }))
      turn = own.catch(() => undefined)
      return own
    },
    readTls: () => all({ kind: 'read-tls' }),
    lost: lost.promise,
    async close() {
      await turn
      const { drain } = house.settings.listen
      await Promise.all(threads.map((thread) => thread.close(2 * drain + closeMs)))
    },
  }

  /** First all make ready what they need, and only then does it hold anywhere. */
  async function takeOver(next: Settings, handed: Handed): Promise<void> {
    const own = await house.prepare(next)
    const others = await Promise.allSettled(threads.map((thread) => thread.order({ kind: 'prepare', handed }, orderMs)))
    const refused = others.find((outcome) => outcome.status === 'rejected')
    try {
      if (refused !== undefined) throw refused.reason
      await own.adopt()
    } catch (error) {
      if (refused !== undefined) own.drop()
      await all({ kind: 'drop' }).catch(() => undefined) // what is told is why, and not who did not hear of that
      throw error
    }
    await all({ kind: 'adopt' })
  }
}

/** How long a thread may take to do what it is told: to read a large configuration, for one. */
const orderMs = 30_000
/** How long it may take to end, beyond what its requests are given. */
const closeMs = 10_000

type WithoutId<One> = One extends unknown ? Omit<One, 'id'> : never
type Bare = WithoutId<Order>

class ListenerThread {
  readonly #number: number
  readonly #worker: Worker
  readonly #opening = Promise.withResolvers<void>()
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>()
  readonly #ended: Promise<void>
  #state: 'opening' | 'open' | 'closing' | 'over' = 'opening'
  #lastId = 0
  #reason = ''

  constructor(start: Start, log: Log, lost: (why: string) => void) {
    this.#number = start.number
    this.#worker = new Worker(source, {
      name: `listener-${start.number}`,
      workerData: start,
      transferList: [start.audit],
    })
    this.#worker.on('message', ({ id, problem }: Report) => this.#hear(id, problem))
    this.#worker.on('error', (error: Error) => {
      this.#reason = error.message
      if (this.#state === 'open') log.error({ thread: start.number, err: error }, 'a listener thread failed')
    })
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        const why = `thread ${start.number} ended: ${this.#reason || `exit code ${code}`}`
        this.#opening.reject(new Error(why))
        for (const { reject } of this.#waiting.values()) reject(new Error(why))
        this.#waiting.clear()
        if (this.#state === 'open') lost(why)
        this.#state = 'over'
        resolve()
      })
    })
  }

  get opened(): Promise<void> {
    return this.#opening.promise
  }

  /** Rejects with what kept it from being done, or where it takes too long. */
  async order(order: Bare, patienceMs: number): Promise<void> {
    if (this.#state === 'over') throw new Error(`thread ${this.#number} has ended`)
    const id = ++this.#lastId
    const one = Promise.withResolvers<void>()
    const patience = setTimeout(
      () => one.reject(new Error(`thread ${this.#number} did not \`${order.kind}\` within ${patienceMs} ms`)),
      patienceMs,
    )
    this.#waiting.set(id, one)
    try {
      this.#worker.postMessage({ ...order, id } satisfies Order)
      await one.promise
    } finally {
      clearTimeout(patience)
      this.#waiting.delete(id)
    }
  }

  async close(patienceMs: number): Promise<void> {
    if (this.#state === 'over') return
    this.#state = 'closing'
    const done = new AbortController()
    const late = pause(patienceMs, 'late' as const, { signal: done.signal }).catch(() => 'ended' as const)
    this.order({ kind: 'close' }, patienceMs).catch(() => undefined) // it ends, or is ended
    if ((await Promise.race([this.#ended, late])) === 'late') await this.terminate()
    done.abort()
  }

  async terminate(): Promise<void> {
    this.#state = 'closing'
    await this.#worker.terminate()
  }

  #hear(id: number, problem: string | undefined): void {
    if (id === 0 && this.#state === 'opening') {
      this.#state = 'open'
      this.#opening.resolve()
    } else if (problem === undefined) {
      this.#waiting.get(id)?.resolve()
    } else {
      this.#waiting.get(id)?.reject(new Error(`thread ${this.#number}: ${problem}`))
    }
  }
}

const source = new URL(
  import.meta.url.endsWith('.ts') ? './listener-thread.ts' : './listener-thread.js',
  import.meta.url,
)
