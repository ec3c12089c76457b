import { existsSync } from 'node:fs'
import { Kysely, sql } from 'kysely'

/** Whether somebody has made a store there already. It makes none. Throws a Fault where a server cannot be asked. */
export async function isMade(url: string): Promise<boolean> {
  if (url === 'sqlite::memory:') return false
  if (url.startsWith('sqlite:')) return existsSync(url.slice('sqlite:'.length))
  const { postgresDialect } = await import('./postgres.ts')
  const db = new Kysely<never>({ dialect: postgresDialect(url, 1, { readOnly: true }) })
  try {
    const { rows } = await sql<{
      readonly made: boolean
    }>`select to_regclass('audit_head') is not null as made`.execute(db)
    return rows[0]?.made === true
  } finally {
    await db.destroy()
  }
}
