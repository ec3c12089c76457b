import { Worker } from 'node:worker_threads'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { Fault } from '../kernel/error.ts'
import type { Database, Store } from './database.ts'
import type { Answer, Question } from './reading-thread.ts'
import type { Schema } from './schema.ts'

/** Where long questions are asked: nothing can be changed there, and nobody who serves waits for them. */
export interface Reading {
  readonly db: Database
  close(): Promise<void>
}

export interface ReadingOptions {
  /** Milliseconds after which a question is given up. */
  readonly deadlineMs?: number
}

/**
 * A second way to a store that stands open. To a file: by a thread with a connection of its own, started with the first
 * question. To PostgreSQL: by connections of their own. A store in memory has one connection: that one, which anything may
 * be written by. A question that takes too long, or is one too many, meets a Fault.
 */
export async function openReading(url: string, store: Store, options: ReadingOptions = {}): Promise<Reading> {
  const { deadlineMs = 30_000 } = options
  if (store.kind === 'postgres') {
    const { postgresDialect } = await import('./postgres.ts')
    const dialect = postgresDialect(url, connections, { readOnly: true, statementTimeoutMs: deadlineMs })
    const db: Database = new Kysely<Schema>({ dialect })
    return { db, close: () => db.destroy() }
  }
  const path = url.slice('sqlite:'.length)
  if (path === ':memory:') return { db: store.db, close: async () => {} }
  const thread = new ReadingThread(path, deadlineMs)
  const db: Database = new Kysely<Schema>({ dialect: dialectOf(thread) })
  return { db, close: () => db.destroy() }
}

const connections = 2

/** Questions that wait or are being answered, at most. */
const questionsMax = 256

interface Waiting {
  readonly question: Question
  readonly answered: PromiseWithResolvers<QueryResult<unknown>>
}

/**
 * Hands questions to a thread one after the other. SQLite cannot be called off from outside: a thread that takes too long is
 * left to itself, ends with the statement that it is in, and another one goes on with what waits.
 */
class ReadingThread {
  readonly #path: string
  readonly #deadlineMs: number
  readonly #waiting: Waiting[] = []
  #worker: Worker | undefined
  #deadline: NodeJS.Timeout | undefined
  #closed = false

  constructor(path: string, deadlineMs: number) {
    this.#path = path
    this.#deadlineMs = deadlineMs
  }

  ask(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>> {
    if (this.#closed) return Promise.reject(new Fault('unavailable', 'the reading database is closed'))
    if (this.#waiting.length >= questionsMax)
      return Promise.reject(new Fault('unavailable', `${questionsMax} questions wait for the reading database already`))
    const answered = Promise.withResolvers<QueryResult<unknown>>()
    this.#waiting.push({ question: { sql, parameters }, answered })
    if (this.#waiting.length === 1) this.#next()
    return answered.promise
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#giveUp(new Fault('unavailable', 'the reading database is closed'))
    await this.#stop()
  }

  /** Asks the first of those that wait; the process lives for that long. */
  #next(): void {
    const [first] = this.#waiting
    if (first === undefined) return this.#worker?.unref()
    const worker = (this.#worker ??= this.#start())
    worker.ref()
    this.#deadline = setTimeout(() => this.#late(), this.#deadlineMs)
    worker.postMessage(first.question)
  }

  #hear(answer: Answer): void {
    clearTimeout(this.#deadline)
    const { answered } = this.#waiting.shift() as Waiting
    if ('rows' in answer) answered.resolve({ rows: answer.rows as unknown[] })
    else answered.reject(answer.error)
    this.#next()
  }

  /** The next one may well take as long: whoever waited behind it is told now. */
  #late(): void {
    const message = `a question to the reading database took more than ${this.#deadlineMs} ms; it was given up, and what waited behind it`
    this.#giveUp(new Fault('unavailable', message))
    void this.#stop()
  }

  #giveUp(reason: Fault): void {
    clearTimeout(this.#deadline)
    for (const { answered } of this.#waiting.splice(0)) answered.reject(reason)
  }

  #start(): Worker {
    const worker = new Worker(source, { name: 'reading', workerData: { path: this.#path } })
    worker.on('message', (answer: Answer) => {
      if (worker === this.#worker) this.#hear(answer)
    })
    const ended = (error: unknown): void => {
      if (worker !== this.#worker) return
      this.#worker = undefined
      this.#giveUp(new Fault('unavailable', 'the thread of the reading database ended', error))
    }
    worker.on('error', ended)
    worker.on('exit', ended)
    return worker
  }

  async #stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    worker?.unref()
    await worker?.terminate()
  }
}

const source = new URL(import.meta.url.endsWith('.ts') ? './reading-thread.ts' : './reading-thread.js', import.meta.url)

function dialectOf(thread: ReadingThread): Dialect {
  const connection: DatabaseConnection = {
    executeQuery: <R>({ sql, parameters }: CompiledQuery) => thread.ask(sql, parameters) as Promise<QueryResult<R>>,
    // Whole, as one page: who has more to read asks for it by pages.
    async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
      yield (await thread.ask(sql, parameters)) as QueryResult<R>
    },
  }
  const noTransaction = (): Promise<never> => Promise.reject(new Error('the reading database has no transactions'))
  return {
    createDriver: () => ({
      init: async () => {},
      acquireConnection: async () => connection,
      beginTransaction: noTransaction,
      commitTransaction: noTransaction,
      rollbackTransaction: noTransaction,
      releaseConnection: async () => {},
      destroy: () => thread.close(),
    }),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new ReadingAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

/** Questions come as they are asked: the thread has its own queue, which has an end. */
class ReadingAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}
