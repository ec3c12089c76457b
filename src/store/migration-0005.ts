import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable } from './create-table.ts'

/** What services need: who they are, and the secrets that they show it by. */
export function migration0005(kind: 'sqlite' | 'postgres'): Migration {
  const integer = kind === 'sqlite' ? 'integer' : 'bigint'

  async function up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db

    await createTable(
      kind,
      schema
        .createTable('services')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('definition', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('updated_at', integer, (column) => column.notNull())
        .addColumn('disabled_at', integer),
    )

    await createTable(
      kind,
      schema
        .createTable('service_secrets')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('service', 'text', (column) => column.notNull().references('services.name').onDelete('cascade'))
        .addColumn('sealed', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('expires_at', integer),
    )
    await schema.createIndex('service_secrets_service').on('service_secrets').column('service').execute()
  }

  return { up }
}
