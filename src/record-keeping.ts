import { Worker } from 'node:worker_threads'
import { type Clock, systemClock } from './kernel/clock.ts'
import { Fault } from './kernel/error.ts'
import type { Log } from './kernel/log.ts'
import type { LogLevel } from './kernel/logger.ts'
import { openRecordKeeper, type RecordKeeper, type RecordKeeperParts } from './record-keeper.ts'
import type { RecordOrder, RecordReport, RecordStart } from './record-thread.ts'

interface RecordKeepingParts extends RecordKeeperParts {
  readonly url: string
  readonly logLevel: LogLevel
}

/**
 * Keeps the record from now on: in a thread of its own, so that no sink and no rule takes time from requests. A store in memory has
 * one connection, and a clock that is not the machine's cannot be told elsewhere: there it is done on the spot. Throws a Fault where
 * what the configuration names cannot be had.
 */
export async function keepRecord(parts: RecordKeepingParts): Promise<RecordKeeper> {
  if (parts.url === 'sqlite::memory:' || parts.clock !== systemClock) return openRecordKeeper(parts)
  const thread = new RecordThread(parts)
  await thread.opened
  return thread
}

/** A thread that ends before it was asked to is replaced: the next one goes on where the store says that it stopped. */
class RecordThread implements RecordKeeper {
  readonly #start: RecordStart
  readonly #wake: () => void
  readonly #clock: Clock
  readonly #log: Log
  readonly #opening = Promise.withResolvers<void>()
  #state: 'opening' | 'open' | 'closed' = 'opening'
  #worker: Worker
  #again: NodeJS.Timeout | undefined
  #readyAtMs = Number.POSITIVE_INFINITY
  #failures = 0

  constructor({ url, logLevel, audit, incidents, environment, version, root, wake, clock, log }: RecordKeepingParts) {
    const keys = Object.fromEntries(purposes.map((purpose) => [purpose, root.derive(purpose)]))
    this.#start = { url, logLevel, keys, audit, incidents, environment: { ...environment }, version }
    this.#wake = wake
    this.#clock = clock
    this.#log = log
    this.#worker = this.#begin()
  }

  get opened(): Promise<void> {
    return this.#opening.promise
  }

  turn(): void {
    this.#worker.postMessage('turn' satisfies RecordOrder)
  }

  async stop(): Promise<void> {
    this.#state = 'closed'
    clearTimeout(this.#again)
    if (this.#worker.threadId === ended) return
    const exit = new Promise((resolve) => this.#worker.once('exit', resolve))
    const patience = setTimeout(() => void this.#worker.terminate(), stopMs)
    this.#worker.ref()
    this.#worker.postMessage('stop' satisfies RecordOrder)
    await exit
    clearTimeout(patience)
  }

  #begin(): Worker {
    const worker = new Worker(source, { name: 'record', workerData: this.#start })
    worker.on('message', (report: RecordReport) => {
      if (report === 'wake') this.#wake()
      if (report === 'stopped') void worker.terminate() // whatever it may still wait for
      if (report !== 'ready') return
      if (this.#state === 'opening') this.#state = 'open'
      this.#readyAtMs = this.#clock.monotonic()
      this.#opening.resolve()
      worker.unref() // the house stands by its sockets
    })
    worker.on('error', (error) => {
      if (this.#state === 'opening') this.#opening.reject(doesNotStart(error))
      else this.#log.error({ err: error }, 'the thread that keeps the record failed')
    })
    worker.on('exit', (code) => {
      if (this.#state === 'opening') this.#opening.reject(doesNotStart(`it ended with ${code}`))
      if (this.#state === 'open') this.#beginAgain()
    })
    return worker
  }

  #beginAgain(): void {
    // One that dies of what it reads dies again: only one that has lived for a while was well.
    if (this.#clock.monotonic() - this.#readyAtMs >= wellMs) this.#failures = 0
    const pauseMs = Math.min(100 * 2 ** this.#failures++, pauseMaxMs)
    this.#readyAtMs = Number.POSITIVE_INFINITY
    this.#log.error({ pauseMs }, 'the thread that keeps the record ended; a new one takes over')
    this.#again = setTimeout(() => {
      this.#worker = this.#begin()
    }, pauseMs).unref()
  }
}

/** What the thread derives of the root key. */
const purposes = ['data keys', 'audit checkpoints', 'detection'] as const

const source = new URL(import.meta.url.endsWith('.ts') ? './record-thread.ts' : './record-thread.js', import.meta.url)

/** The `threadId` of a thread that is no more. */
const ended = -1

/** How long it may take to sign what came last, and to hand it over. */
const stopMs = 5_000
const wellMs = 60_000
const pauseMaxMs = 30_000

function doesNotStart(error: unknown): Fault {
  // A Fault that crosses from another thread has lost its class, and kept its words.
  const reason = error instanceof Error ? error.message : String(error)
  return new Fault('unavailable', `the record cannot be kept: ${reason}`, error)
}
