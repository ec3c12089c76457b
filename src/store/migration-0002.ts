import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable } from './create-table.ts'

/** What people need beyond a password: proofs on paper, second factors, providers, letters, and how often somebody guessed. */
export function migration0002(kind: 'sqlite' | 'postgres'): Migration {
  const integer = kind === 'sqlite' ? 'integer' : 'bigint'

  async function up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db

    await schema.alterTable('users').addColumn('username', 'text').execute()
    await schema.alterTable('users').addColumn('email_verified_at', integer).execute()
    await schema
      .alterTable('users')
      .addColumn('short_password', integer, (column) => column.notNull().defaultTo(0))
      .execute()
    await schema.alterTable('users').addColumn('last_sign_in_at', integer).execute()
    await schema
      .alterTable('users')
      .addColumn('epoch', integer, (column) => column.notNull().defaultTo(0))
      .execute()
    await schema.createIndex('users_username').on('users').column('username').unique().execute()
    await schema.createIndex('users_created_at').on('users').columns(['created_at', 'id']).execute()
    // Every account so far was made by an operator, who vouched for its address.
    await sql`update users set email_verified_at = created_at`.execute(db)

    await schema
      .alterTable('sessions')
      .addColumn('kind', 'text', (column) => column.notNull().defaultTo('tokens'))
      .execute()
    await schema
      .alterTable('sessions')
      .addColumn('methods', 'text', (column) => column.notNull().defaultTo('password'))
      .execute()
    await schema
      .alterTable('sessions')
      .addColumn('authenticated_at', integer, (column) => column.notNull().defaultTo(0))
      .execute()
    await schema
      .alterTable('sessions')
      .addColumn('seen_at', integer, (column) => column.notNull().defaultTo(0))
      .execute()
    await schema.alterTable('sessions').addColumn('impersonator_id', 'text').execute()
    await schema.alterTable('sessions').addColumn('impersonation_reason', 'text').execute()
    await sql`update sessions set authenticated_at = created_at, seen_at = rotated_at`.execute(db)

    await createTable(
      kind,
      schema
        .createTable('tickets')
        .addColumn('hash', 'text', (column) => column.primaryKey())
        .addColumn('purpose', 'text', (column) => column.notNull())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('sealed', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('expires_at', integer, (column) => column.notNull())
        .addColumn('taken_at', integer),
    )
    await schema.createIndex('tickets_subject').on('tickets').columns(['purpose', 'subject']).execute()
    await schema.createIndex('tickets_expires_at').on('tickets').column('expires_at').execute()

    await createTable(
      kind,
      schema
        .createTable('attempts')
        .addColumn('key', 'text', (column) => column.primaryKey())
        .addColumn('times', 'text', (column) => column.notNull())
        .addColumn('total', integer, (column) => column.notNull())
        .addColumn('locked_until', integer, (column) => column.notNull())
        .addColumn('updated_at', integer, (column) => column.notNull()),
    )
    await schema.createIndex('attempts_updated_at').on('attempts').column('updated_at').execute()

    await createTable(
      kind,
      schema
        .createTable('totp')
        .addColumn('user_id', 'text', (column) => column.primaryKey().references('users.id').onDelete('cascade'))
        .addColumn('sealed', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('confirmed_at', integer)
        .addColumn('last_step', integer, (column) => column.notNull()),
    )

    await createTable(
      kind,
      schema
        .createTable('recovery_codes')
        .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('hash', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('used_at', integer)
        .addPrimaryKeyConstraint('recovery_codes_pkey', ['user_id', 'hash']),
    )

    await createTable(
      kind,
      schema
        .createTable('passkeys')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('public_key', 'text', (column) => column.notNull())
        .addColumn('sign_count', integer, (column) => column.notNull())
        .addColumn('transports', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('backed_up', integer, (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('last_used_at', integer),
    )
    await schema.createIndex('passkeys_user_id').on('passkeys').column('user_id').execute()

    await createTable(
      kind,
      schema
        .createTable('identities')
        .addColumn('issuer', 'text', (column) => column.notNull())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('provider', 'text', (column) => column.notNull())
        .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('email', 'text')
        .addColumn('sealed_refresh_token', 'text')
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('last_used_at', integer, (column) => column.notNull())
        .addPrimaryKeyConstraint('identities_pkey', ['issuer', 'subject']),
    )
    await schema.createIndex('identities_user_id').on('identities').column('user_id').execute()

    await createTable(
      kind,
      schema
        .createTable('mail_outbox')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('sealed', 'text', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('tries', integer, (column) => column.notNull())
        .addColumn('next_at', integer, (column) => column.notNull())
        .addColumn('given_up_at', integer)
        .addColumn('problem', 'text'),
    )
    await schema.createIndex('mail_outbox_next_at').on('mail_outbox').column('next_at').execute()
  }

  return { up }
}
