import { type Kysely, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { Fault } from '../kernel/error.ts'
import { migration0001 } from './migration-0001.ts'
import { migration0002 } from './migration-0002.ts'
import { migration0003 } from './migration-0003.ts'
import { migration0004 } from './migration-0004.ts'
import { migration0005 } from './migration-0005.ts'
import { migration0006 } from './migration-0006.ts'
import { migration0007 } from './migration-0007.ts'
import { migration0008 } from './migration-0008.ts'
import { migration0009 } from './migration-0009.ts'
import { migration0010 } from './migration-0010.ts'

/**
 * Brings the tables up to date. Nodes that start together take turns: PostgreSQL by an advisory lock, SQLite by its write
 * lock. A migration only adds; what an older node still reads goes one release later.
 */
export async function migrate<Tables>(db: Kysely<Tables>, kind: 'sqlite' | 'postgres'): Promise<void> {
  const schema = kind === 'postgres' ? await currentSchema(db) : undefined
  const migrator = new Migrator({
    db,
    provider: {
      getMigrations: async () => ({
        '0001': migration0001(kind),
        '0002': migration0002(kind),
        '0003': migration0003(kind),
        '0004': migration0004(kind),
        '0005': migration0005(kind),
        '0006': migration0006(),
        '0007': migration0007(kind),
        '0008': migration0008(kind),
        '0009': migration0009(kind),
        '0010': migration0010(kind),
      }),
    },
    // Else Kysely takes tables of the same name in any schema for its own.
    ...(schema === undefined ? {} : { migrationTableSchema: schema }),
  })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}

async function currentSchema<Tables>(db: Kysely<Tables>): Promise<string> {
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(db)
  const name = rows[0]?.name
  if (typeof name === 'string') return name
  throw new Fault(
    'unavailable',
    'expected a schema to make tables in, but none of the `search_path` exists: create one, or correct `store`',
  )
}
