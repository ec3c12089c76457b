import { Worker } from 'node:worker_threads'
import { Fault } from '../../kernel/error.ts'
import type { Log } from '../../kernel/log.ts'
import type { Writer } from './appender.ts'
import type { Order, Premises, Report } from './writer.ts'

/** Starts a writer in a thread of its own. Throws a Fault when it does not come up. */
export async function openWriterThread(premises: Premises, log: Log): Promise<Writer> {
  const thread = new WriterThread(premises, log)
  await thread.opened
  return thread
}

/**
 * Keeps each batch until the thread says that it is durable. A thread that ends before is replaced, and is given what was
 * not acknowledged again, in order; the chain leaves out what it has. The process is kept alive only while something
 * waits to become durable.
 */
class WriterThread implements Writer {
  readonly #premises: Premises
  readonly #log: Log
  readonly #opening = Promise.withResolvers<void>()
  readonly #pending = new Map<number, Pending>()
  #state: 'opening' | 'open' | 'closed' = 'opening'
  #worker: Worker
  #restart: NodeJS.Timeout | undefined
  #lastId = 0
  #failures = 0

  constructor(premises: Premises, log: Log) {
    this.#premises = premises
    this.#log = log
    this.#worker = this.#start()
  }

  get opened(): Promise<void> {
    return this.#opening.promise
  }

  append(texts: readonly string[]): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(closedError())
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const lines = texts.join('\n')
    const id = ++this.#lastId
    this.#pending.set(id, { lines, resolve, reject })
    this.#order({ kind: 'append', id, lines })
    this.#holdProcess()
    return promise
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    clearTimeout(this.#restart)
    if (this.#worker.threadId !== ended) {
      const exit = new Promise((resolve) => this.#worker.once('exit', resolve))
      const patience = setTimeout(() => void this.#worker.terminate(), closeMs)
      this.#worker.ref()
      this.#order({ kind: 'close' })
      await exit
      clearTimeout(patience)
    }
    for (const { reject } of this.#pending.values()) reject(closedError())
    this.#pending.clear()
  }

  #start(): Worker {
    const worker = new Worker(source, { name: 'audit-writer', workerData: this.#premises })
    worker.on('message', (report: Report) => this.#hear(report))
    worker.on('error', (error) => {
      if (this.#state === 'opening') this.#opening.reject(doesNotStart(error))
      else this.#log.error({ error }, 'the audit writer failed')
    })
    worker.on('exit', (code) => {
      if (this.#state === 'opening') this.#opening.reject(doesNotStart(`it ended with ${code}`))
      if (this.#state === 'open') this.#startAgain()
    })
    return worker
  }

  #startAgain(): void {
    const pauseMs = Math.min(100 * 2 ** this.#failures++, 5_000)
    this.#log.error({ pauseMs, batches: this.#pending.size }, 'the audit writer ended; a new one takes over')
    this.#restart = setTimeout(() => {
      this.#restart = undefined
      this.#worker = this.#start()
      for (const [id, { lines }] of this.#pending) this.#order({ kind: 'append', id, lines })
      this.#holdProcess()
    }, pauseMs)
    this.#holdProcess()
  }

  #hear(report: Report): void {
    switch (report.kind) {
      case 'ready':
        if (this.#state === 'opening') this.#state = 'open'
        this.#opening.resolve()
        break
      case 'appended':
        this.#failures = 0
        this.#pending.get(report.id)?.resolve()
        this.#pending.delete(report.id)
        break
      case 'trouble':
        this.#log.warn({ reason: report.message }, trouble)
        return
      case 'unreadable':
        this.#log.error({ subject: report.subject }, unreadable)
        return
    }
    this.#holdProcess()
  }

  #order(order: Order): void {
    this.#worker.postMessage(order)
  }

  #holdProcess(): void {
    const heldBy = this.#restart ?? this.#worker
    if (this.#pending.size > 0) heldBy.ref()
    else heldBy.unref()
  }
}

interface Pending {
  readonly lines: string
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** The text of the log when the chain cannot be extended at the moment, by a thread or without one. */
export const trouble = 'the audit chain cannot be extended; trying again'

/** The text of the log when a person's key is not what it was. */
export const unreadable =
  'the data key of somebody does not open: their events are stored without what would lie under it; bring its row back from a backup'

const source = new URL(import.meta.url.endsWith('.ts') ? './writer.ts' : './writer.js', import.meta.url)

/** The `threadId` of a thread that is no more. */
const ended = -1

/** How long a thread may take to finish its transaction and leave. */
const closeMs = 2_000

function doesNotStart(reason: unknown): Fault {
  return new Fault('unavailable', `the audit writer does not start: ${reason}`, reason)
}

function closedError(): Error {
  return new Error('the audit writer is closed')
}
