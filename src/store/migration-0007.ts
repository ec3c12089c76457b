import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable } from './create-table.ts'

/** What administrators decide by while the house stands: roles, and the documents of policies. */
export function migration0007(kind: 'sqlite' | 'postgres'): Migration {
  const integer = kind === 'sqlite' ? 'integer' : 'bigint'

  async function up({ schema }: Kysely<unknown>): Promise<void> {
    await createTable(
      kind,
      schema
        .createTable('roles')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('definition', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('updated_at', integer, (column) => column.notNull()),
    )

    await createTable(
      kind,
      schema
        .createTable('policies')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('document', 'text')
        .addColumn('document_at', integer)
        .addColumn('trial', 'text')
        .addColumn('trial_at', integer),
    )

    // Who has a role, and how many: a question of its administration.
    await schema.createIndex('user_roles_role').on('user_roles').column('role').execute()
  }

  return { up }
}
