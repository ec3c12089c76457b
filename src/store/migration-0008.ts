import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable } from './create-table.ts'

/** Addresses and networks that are blocked for a while. */
export function migration0008(kind: 'sqlite' | 'postgres'): Migration {
  const integer = kind === 'sqlite' ? 'integer' : 'bigint'

  async function up({ schema }: Kysely<unknown>): Promise<void> {
    await createTable(
      kind,
      schema
        .createTable('address_blocks')
        .addColumn('network', 'text', (column) => column.primaryKey())
        .addColumn('source', 'text', (column) => column.notNull())
        .addColumn('reason', 'text', (column) => column.notNull())
        .addColumn('created_by', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('expires_at', integer)
        .addColumn('lifted_at', integer)
        .addColumn('position', integer, (column) => column.notNull()),
    )
    await schema.createIndex('address_blocks_position').on('address_blocks').column('position').execute()
    await schema
      .createIndex('address_blocks_created_at')
      .on('address_blocks')
      .columns(['created_at', 'network'])
      .execute()
    await schema.createIndex('address_blocks_source').on('address_blocks').column('source').execute()
  }

  return { up }
}
