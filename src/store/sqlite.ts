import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import { Fault } from '../kernel/error.ts'
import type { Schema } from './schema.ts'

/**
 * Kysely over the SQLite that Node carries: one connection, write-ahead log, every commit synced to disk. A file that is
 * not there yet is made for its owner alone. Throws a Fault where it cannot be had.
 */
export async function openSqlite(path: string): Promise<Dialect> {
  let connection: SqliteConnection
  try {
    if (path !== inMemory) makeFile(path)
    connection = new SqliteConnection(new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true }))
  } catch (error) {
    throw cannotOpen(path, error)
  }
  try {
    await connection.run('pragma journal_mode = wal')
    await connection.run('pragma synchronous = full')
    await connection.run(`pragma wal_autocheckpoint = ${walPagesMax}`)
  } catch (error) {
    connection.close()
    throw cannotOpen(path, error)
  }
  return {
    createDriver: () => driverOf(connection),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

const inMemory = ':memory:'

/**
 * From this length on (pages of 4 KiB) whoever commits copies the write-ahead log into the file. It is twice that of `tuneForWriting`,
 * so that the writer of the record does it, and no thread that serves.
 */
const walPagesMax = 32_768

/** For a connection that writes most, and that nobody waits for: pages changed often are copied once, and found in memory. */
export async function tuneForWriting(db: Kysely<Schema>): Promise<void> {
  await sql`pragma wal_autocheckpoint = ${sql.lit(walPagesMax / 2)}`.execute(db)
  await sql`pragma cache_size = ${sql.lit(-65_536)}`.execute(db) // KiB, taken as they are needed
}

/** Made before SQLite would make it, because the files that SQLite puts beside it take its mode over. */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}

function cannotOpen(path: string, error: unknown): Fault {
  if (error instanceof Fault) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new Fault(
    'unavailable',
    `cannot open the store \`${path}\` (${reason}): make the file and its folder writable for this user, or name another in \`store\``,
    error,
  )
}

/** How long a statement waits for writers in other threads and processes. */
const busyWaitMs = 5000

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  readonly #statements: Statements

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#statements = new Statements(database)
  }

  /**
   * SQLite itself would wait for a lock by sleeping, and the whole thread with it. Here only the query waits: a statement
   * that met a lock has changed nothing, and is tried again.
   */
  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    for (let tries = 0, waitedMs = 0; ; tries++) {
      try {
        return this.#execute<R>(sql, parameters as readonly SQLInputValue[])
      } catch (error) {
        if (!isBusy(error)) throw named(error)
        if (waitedMs >= busyWaitMs)
          throw new Fault('unavailable', `another writer held the database for ${waitedMs} ms`, error)
      }
      const pauseMs = Math.min(2 ** tries, 25)
      await pause(pauseMs)
      waitedMs += pauseMs
    }
  }

  #execute<R>(sql: string, parameters: readonly SQLInputValue[]): QueryResult<R> {
    const { statement, answersRows } = this.#statements.get(sql)
    if (answersRows) return { rows: statement.all(...parameters) as R[] }
    const { changes, lastInsertRowid } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  /** On a statement of its own: a shared one would lose its place when the same query runs beside it. */
  async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    for (const row of this.#database.prepare(sql).iterate(...(parameters as SQLInputValue[])))
      yield { rows: [row as R] }
  }

  async run(sql: string): Promise<void> {
    await this.executeQuery({ sql, parameters: [] } as unknown as CompiledQuery)
  }

  /** After some errors, a full disk for one, SQLite has rolled back of its own accord. */
  async rollback(): Promise<void> {
    if (this.#database.isTransaction) await this.run('rollback')
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }
}

function isBusy(error: unknown): boolean {
  return primaryOf(error) === 5 // SQLITE_BUSY and its extended forms
}

/** What is no mistake of a statement's, but trouble of the machine: it changed nothing, and may be tried again. */
function named(error: unknown): unknown {
  const what = troubles[primaryOf(error)]
  return what === undefined ? error : new Fault('unavailable', `the database ${what}: ${error}`, error)
}

const troubles: Readonly<Record<number, string>> = {
  8: 'can only be read', // SQLITE_READONLY
  10: 'cannot be read or written', // SQLITE_IOERR
  13: 'has no room left', // SQLITE_FULL
}

/** The result code without what extends it. */
function primaryOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
}

interface Prepared {
  readonly statement: StatementSync
  readonly answersRows: boolean
}

/** Prepared statements by their SQL. The least recently used goes when there are too many. */
class Statements {
  readonly #database: DatabaseSync
  readonly #bySql = new Map<string, Prepared>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get(sql: string): Prepared {
    let prepared = this.#bySql.get(sql)
    if (prepared === undefined) {
      const statement = this.#database.prepare(sql)
      prepared = { statement, answersRows: statement.columns().length > 0 }
    } else {
      this.#bySql.delete(sql)
    }
    this.#bySql.set(sql, prepared)
    if (this.#bySql.size > statementsMax) {
      const [oldest] = this.#bySql.keys()
      this.#bySql.delete(oldest as string)
    }
    return prepared
  }

  clear(): void {
    this.#bySql.clear()
  }
}

const statementsMax = 256

function driverOf(connection: SqliteConnection): Driver {
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    // Immediate: a transaction that reads first and writes later fails for good when another connection wrote between.
    beginTransaction: () => connection.run('begin immediate'),
    commitTransaction: () => connection.run('commit'),
    rollbackTransaction: () => connection.rollback(),
    releaseConnection: async () => {},
    destroy: async () => connection.close(),
  }
}

/** Lets a migration run in a transaction, which SQLite can: two starters take turns, and half a migration leaves nothing. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}
