import { type Dialect, Kysely } from 'kysely'
import { Fault } from '../kernel/error.ts'
import { migrate } from './migrations.ts'
import type { Schema } from './schema.ts'
import { openSqlite } from './sqlite.ts'
import { type Write, WritesPlugin } from './written.ts'

/** Where queries are made: the store itself, or a transaction on it. */
export type Database = Kysely<Schema>

export interface Store {
  readonly kind: 'sqlite' | 'postgres'
  readonly db: Database
  /**
   * All of `work` or nothing of it. What it asks goes through `trx`: SQLite has one connection, so that a query on `db`
   * would wait for the very transaction that waits for it. SQLite takes the write lock at the start.
   */
  transaction<T>(work: (trx: Database) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface StoreOptions {
  /** Connections to PostgreSQL at most. */
  readonly connectionsMax?: number
  /** Who has to know what this store's statements change. */
  readonly watch?: Watch
}

export interface Watch {
  /** What somebody keeps in memory who would have to hear of this; undefined where nobody does. */
  topicOf(write: Write): number | undefined
  /** Called once it is committed; after a commit that failed too, because it may have been one all the same. */
  changed(topics: ReadonlySet<number>): void
}

/**
 * Opens `sqlite:./path/to/file.db`, `sqlite::memory:` or `postgres://…`, and brings its tables up to date. Several may do
 * so at once. Throws a Fault that says what to do where the file or the server cannot be had.
 */
export async function openStore(url: string, { connectionsMax = 10, watch }: StoreOptions = {}): Promise<Store> {
  const kind = kindOf(url)
  const dialect =
    kind === 'sqlite' ? await openSqlite(url.slice('sqlite:'.length)) : await postgres(url, connectionsMax)
  const db: Database = new Kysely<Schema>({ dialect })
  try {
    await migrate(db, kind)
  } catch (error) {
    await db.destroy()
    throw error
  }
  return {
    kind,
    db: watch === undefined ? db : watched(db, watch),
    transaction: (work) => (watch === undefined ? db.transaction().execute(work) : observed(db, watch, work)),
    close: () => db.destroy(),
  }
}

/** For statements outside of transactions. */
function watched(db: Database, watch: Watch): Database {
  const after = (write: Write): void => {
    const topic = watch.topicOf(write)
    if (topic !== undefined) watch.changed(new Set([topic]))
  }
  return db.withPlugin(new WritesPlugin({ after }))
}

async function observed<T>(db: Database, watch: Watch, work: (trx: Database) => Promise<T>): Promise<T> {
  const topics = new Set<number>()
  const before = (write: Write): void => {
    const topic = watch.topicOf(write)
    if (topic !== undefined) topics.add(topic)
  }
  let done = false
  try {
    return await db.transaction().execute(async (trx) => {
      const outcome = await work(trx.withPlugin(new WritesPlugin({ before })))
      done = true
      return outcome
    })
  } finally {
    if (done && topics.size > 0) watch.changed(topics)
  }
}

/** Its driver is loaded by those who have such a store. */
async function postgres(url: string, connectionsMax: number): Promise<Dialect> {
  const { postgresDialect } = await import('./postgres.ts')
  return postgresDialect(url, connectionsMax)
}

function kindOf(url: string): Store['kind'] {
  if (/^sqlite:./.test(url)) return 'sqlite'
  if (/^postgres(?:ql)?:\/\//.test(url)) return 'postgres'
  // The address is not repeated: it may hold a password.
  throw new Fault('unavailable', 'expected a store `sqlite:./path/to/file.db`, `sqlite::memory:` or `postgres://…`')
}
