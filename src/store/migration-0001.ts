import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable } from './create-table.ts'

/** The first tables. Once released it does not change any more: what comes later is a migration of its own. */
export function migration0001(kind: 'sqlite' | 'postgres'): Migration {
  const integer = kind === 'sqlite' ? 'integer' : 'bigint'

  async function up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db

    await createTable(
      kind,
      schema
        .createTable('house')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('value', 'text', (column) => column.notNull()),
    )

    await createTable(
      kind,
      schema
        .createTable('users')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('email', 'text', (column) => column.notNull().unique())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('password_hash', 'text')
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('updated_at', integer, (column) => column.notNull()),
    )

    await createTable(
      kind,
      schema
        .createTable('user_roles')
        .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('role', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('user_roles_pkey', ['user_id', 'role']),
    )

    await createTable(
      kind,
      schema
        .createTable('sessions')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('generation', integer, (column) => column.notNull())
        .addColumn('refresh_hash', 'text', (column) => column.notNull())
        .addColumn('previous_hash', 'text')
        .addColumn('rotated_at', integer, (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('expires_at', integer, (column) => column.notNull())
        .addColumn('ended_at', integer)
        .addColumn('ended_reason', 'text')
        .addColumn('address', 'text', (column) => column.notNull())
        .addColumn('user_agent', 'text', (column) => column.notNull()),
    )
    await schema.createIndex('sessions_user_id').on('sessions').column('user_id').execute()
    await schema.createIndex('sessions_expires_at').on('sessions').column('expires_at').execute()
    await schema.createIndex('sessions_ended_at').on('sessions').column('ended_at').execute()

    await createTable(
      kind,
      schema
        .createTable('signing_keys')
        .addColumn('kid', 'text', (column) => column.primaryKey())
        .addColumn('algorithm', 'text', (column) => column.notNull())
        .addColumn('sealed', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('active_from', integer, (column) => column.notNull())
        .addColumn('removed_at', integer),
    )

    // No index but the keys: every one is paid for by each request, and nothing searches here yet.
    await createTable(
      kind,
      schema
        .createTable('audit_events')
        .addColumn('seq', integer, (column) => column.primaryKey())
        .addColumn('id', 'text', (column) => column.notNull().unique())
        .addColumn('at', integer, (column) => column.notNull())
        .addColumn('type', 'text', (column) => column.notNull())
        .addColumn('action', 'text', (column) => column.notNull())
        .addColumn('actor', 'text', (column) => column.notNull())
        .addColumn('result', 'text', (column) => column.notNull())
        .addColumn('address', 'text', (column) => column.notNull())
        .addColumn('request_id', 'text', (column) => column.notNull())
        .addColumn('body', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull()),
    )

    await createTable(
      kind,
      schema
        .createTable('audit_outbox')
        // A position is never used twice: the order of what waits is the order in which it came.
        .addColumn('position', kind === 'sqlite' ? 'integer' : 'bigserial', (column) =>
          kind === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey(),
        )
        .addColumn('body', 'text', (column) => column.notNull()),
    )

    await createTable(
      kind,
      schema
        .createTable('audit_head')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('seq', integer, (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull()),
    )
    await sql`insert into audit_head (name, seq, hash) values ('head', 0, ${sql.lit('0'.repeat(64))})`.execute(db)
  }

  return { up }
}
