import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable } from './create-table.ts'

/** What API keys need: the keys, how often they were used, and who writes those that the house keeps. */
export function migration0004(kind: 'sqlite' | 'postgres'): Migration {
  const integer = kind === 'sqlite' ? 'integer' : 'bigint'

  async function up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db

    await createTable(
      kind,
      schema
        .createTable('api_keys')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('prefix', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('owner_type', 'text', (column) => column.notNull())
        .addColumn('owner_id', 'text', (column) => column.notNull())
        .addColumn('permissions', 'text', (column) => column.notNull())
        .addColumn('scopes', 'text')
        .addColumn('addresses', 'text')
        .addColumn('limit_count', integer)
        .addColumn('limit_window_ms', integer)
        .addColumn('lifetime_ms', integer)
        .addColumn('overlap_ms', integer)
        .addColumn('expires_at', integer)
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('created_by', 'text', (column) => column.notNull())
        .addColumn('managed', 'text')
        .addColumn('family_id', 'text', (column) => column.notNull())
        .addColumn('generation', integer, (column) => column.notNull())
        .addColumn('successor_id', 'text')
        .addColumn('proven_at', integer)
        .addColumn('retires_at', integer)
        .addColumn('revoked_at', integer)
        .addColumn('revoked_reason', 'text'),
    )
    await schema
      .createIndex('api_keys_owner')
      .on('api_keys')
      .columns(['owner_type', 'owner_id', 'created_at', 'id'])
      .execute()
    await schema.createIndex('api_keys_created_at').on('api_keys').columns(['created_at', 'id']).execute()
    await schema.createIndex('api_keys_family').on('api_keys').columns(['family_id', 'generation']).unique().execute()
    await schema.createIndex('api_keys_managed').on('api_keys').column('managed').execute()

    // Apart from the keys: that they are used is written by many nodes at once, and must not stand in the way of a change.
    await createTable(
      kind,
      schema
        .createTable('api_key_uses')
        .addColumn('key_id', 'text', (column) => column.primaryKey())
        .addColumn('use_count', integer, (column) => column.notNull())
        .addColumn('last_used_at', integer, (column) => column.notNull())
        .addColumn('last_used_address', 'text'),
    )

    await createTable(
      kind,
      schema
        .createTable('api_key_leases')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('node', 'text', (column) => column.notNull())
        .addColumn('expires_at', integer, (column) => column.notNull()),
    )
  }

  return { up }
}
