/** The reading thread: it answers questions about a file, on a connection that can change nothing. `ReadingThread` speaks to it. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

export interface Question {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

export type Answer = { readonly rows: readonly unknown[] } | { readonly error: unknown }

const port = parentPort
if (port === null) throw new Error('expected to run as a thread, got started as a program')

// Here nobody is kept from serving while SQLite sleeps for a lock.
const database = new DatabaseSync((workerData as { readonly path: string }).path, { readOnly: true, timeout: 5_000 })
database.exec('pragma query_only = on')
const statements = new Map<string, StatementSync>()
const statementsMax = 256

port.on('message', ({ sql, parameters }: Question) => {
  port.postMessage(answerTo(sql, parameters as readonly SQLInputValue[]))
})

function answerTo(sql: string, parameters: readonly SQLInputValue[]): Answer {
  try {
    return { rows: prepared(sql).all(...parameters) }
  } catch (error) {
    return { error }
  }
}

function prepared(sql: string): StatementSync {
  const known = statements.get(sql)
  if (known !== undefined) return known
  if (statements.size >= statementsMax) statements.clear()
  const statement = database.prepare(sql)
  statements.set(sql, statement)
  return statement
}
