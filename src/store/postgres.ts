import { type Dialect, PostgresDialect } from 'kysely'
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
  const restrained = new WeakSet<pg.PoolClient>()
  /** By a statement: `options` of the address may be taken, and poolers pass over it. */
  const restrain = async (client: pg.PoolClient): Promise<void> => {
    try {
      await client.query('set default_transaction_read_only = on')
    } catch (error) {
      client.release(true)
      throw error
    }
    restrained.add(client)
  }
  return new PostgresDialect({
    pool: {
      options: pool.options,
      end: () => pool.end(),
      connect: async () => {
        try {
          const client = await pool.connect()
          if (readOnly && !restrained.has(client)) await restrain(client)
          return client
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
