import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable } from './create-table.ts'

/** What programs of other people need: clients, what people allowed them, and how tokens are taken back. */
export function migration0003(kind: 'sqlite' | 'postgres'): Migration {
  const integer = kind === 'sqlite' ? 'integer' : 'bigint'

  async function up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db

    for (const column of ['client_id', 'scope', 'resources', 'key_thumbprint', 'parent_id'])
      await schema.alterTable('sessions').addColumn(column, 'text').execute()
    await schema.createIndex('sessions_parent_id').on('sessions').column('parent_id').execute()
    await schema.createIndex('sessions_client_id').on('sessions').column('client_id').execute()
    await schema.alterTable('signing_keys').addColumn('verifies_until', integer).execute()

    await createTable(
      kind,
      schema
        .createTable('revocations')
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('at', integer, (column) => column.notNull())
        .addColumn('expires_at', integer, (column) => column.notNull())
        .addPrimaryKeyConstraint('revocations_pkey', ['kind', 'subject']),
    )
    await schema.createIndex('revocations_at').on('revocations').column('at').execute()
    await schema.createIndex('revocations_expires_at').on('revocations').column('expires_at').execute()

    await createTable(
      kind,
      schema
        .createTable('replays')
        .addColumn('hash', 'text', (column) => column.primaryKey())
        .addColumn('expires_at', integer, (column) => column.notNull()),
    )
    await schema.createIndex('replays_expires_at').on('replays').column('expires_at').execute()

    await createTable(
      kind,
      schema
        .createTable('oauth_clients')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('origin', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('metadata', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('updated_at', integer, (column) => column.notNull())
        .addColumn('disabled_at', integer),
    )
    await schema.createIndex('oauth_clients_created_at').on('oauth_clients').columns(['created_at', 'id']).execute()

    await createTable(
      kind,
      schema
        .createTable('oauth_client_secrets')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('client_id', 'text', (column) => column.notNull().references('oauth_clients.id').onDelete('cascade'))
        .addColumn('hash', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('expires_at', integer),
    )
    await schema.createIndex('oauth_client_secrets_client_id').on('oauth_client_secrets').column('client_id').execute()

    await createTable(
      kind,
      schema
        .createTable('oauth_grants')
        .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('client_id', 'text', (column) => column.notNull())
        .addColumn('client_name', 'text', (column) => column.notNull())
        .addColumn('allowed', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('updated_at', integer, (column) => column.notNull())
        .addPrimaryKeyConstraint('oauth_grants_pkey', ['user_id', 'client_id']),
    )
    await schema.createIndex('oauth_grants_client_id').on('oauth_grants').column('client_id').execute()

    await createTable(
      kind,
      schema
        .createTable('oauth_records')
        .addColumn('model', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull())
        .addColumn('sealed', 'text', (column) => column.notNull())
        .addColumn('polled_at', integer)
        .addColumn('user_code_hash', 'text')
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('expires_at', integer, (column) => column.notNull())
        .addColumn('consumed_at', integer)
        .addColumn('session_id', 'text')
        .addPrimaryKeyConstraint('oauth_records_pkey', ['model', 'hash']),
    )
    await schema.createIndex('oauth_records_expires_at').on('oauth_records').column('expires_at').execute()
    await schema
      .createIndex('oauth_records_user_code_hash')
      .on('oauth_records')
      .column('user_code_hash')
      .unique()
      .execute()
  }

  return { up }
}
