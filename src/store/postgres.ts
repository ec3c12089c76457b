import { type Dialect, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { Fault } from '../kernel/error.ts'

/** Kysely over a pool of connections to PostgreSQL. Where none can be had, queries throw a Fault that names the server. */
export function postgresDialect(
  url: string,
  connectionsMax: number,
  {
    readOnly = false,
    statementTimeoutMs = 30_000,
  }: { readonly readOnly?: boolean; readonly statementTimeoutMs?: number } = {},
): Dialect {
  const server = serverOf(url)
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    application_name: 'gatehouse',
    connectionTimeoutMillis: 5_000,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
  })
  // A connection that dies says so as an event, and an event that nobody hears ends the process. The pool replaces an idle
  // one by itself, and whoever holds a busy one learns it from the next query.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>()
  /** By a statement: `options` of the address may be taken, and poolers pass over it. */
  const restrain = async (client: pg.PoolClient): Promise<void> => {
    try {
      await client.query('set default_transaction_read_only = on')
    } catch (error) {
      client.release(true)
      throw error
    }
  }
  const prepare = async (client: pg.PoolClient): Promise<PostgresPoolClient> => {
    if (readOnly) await restrain(client)
    const prepared = naming(client, server)
    clients.set(client, prepared)
    return prepared
  }
  return new PostgresDialect({
    pool: {
      options: pool.options,
      end: () => pool.end(),
      connect: async () => {
        try {
          const client = await pool.connect()
          return clients.get(client) ?? (await prepare(client))
        } catch (error) {
          throw new Fault(
            'unavailable',
            `PostgreSQL at \`${server}\` gives no connection (${reasonOf(error)}): start it, or correct \`store\``,
            error,
          )
        }
      },
    },
  })
}

/** A connection whose queries throw a Fault where the trouble is the server's, and not the statement's. */
function naming(client: pg.PoolClient, server: string): PostgresPoolClient {
  const query = async (sql: string, parameters: unknown[]): Promise<unknown> => {
    try {
      return await client.query(sql, parameters)
    } catch (error) {
      if (!isServerTrouble(error)) throw error
      throw new Fault('unavailable', `PostgreSQL at \`${server}\` did not do it (${reasonOf(error)})`, error)
    }
  }
  return {
    query: query as unknown as PostgresPoolClient['query'], // its other form is for cursors, which there are none of
    release: (discard) => client.release(discard),
  }
}

/**
 * What is no mistake of a statement's (PostgreSQL, Appendix A): by class, or by the whole code. What comes without a code comes of the
 * connection. A deadlock or a conflict may be tried again too.
 */
const serverTroubles: ReadonlySet<string> = new Set([
  '08', // connection exception
  '53', // insufficient resources: a full disk, no memory, too many connections
  '57', // operator intervention: a statement timeout, a shutdown
  '58', // system error: a disk that cannot be read or written
  '25006', // read only: a standby, or a disk that an operator protects
  '25P03', // idle in transaction for too long
  '40001', // serialization failure
  '40P01', // deadlock
  '55P03', // lock not available
])

function isServerTrouble(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) {
    const { code = '' } = error
    return serverTroubles.has(code) || serverTroubles.has(code.slice(0, 2))
  }
  return error instanceof Error && error.constructor === Error // a socket's, or the driver's word for a connection that ended
}

/** Where it is, without the credentials. */
function serverOf(url: string): string {
  if (!URL.canParse(url))
    throw new Fault(
      'unavailable',
      'expected a store `postgres://user@host:5432/database`, got something else behind `postgres:`',
    )
  const { hostname, port, pathname, searchParams } = new URL(url)
  return `${hostname || (searchParams.get('host') ?? 'localhost')}:${port || '5432'}${pathname}`
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  return [error.message, code].filter((part) => part !== '').join(', ')
}

/** Counts and times are int8. All of ours are below 2^53, and numbers on SQLite too. For these connections, not for the process. */
function parserOf(oid: number, format?: 'text' | 'binary'): unknown {
  return oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')
}
