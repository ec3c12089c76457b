import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What a client's refresh tokens are bound to, where they are bound to a certificate. */
export function migration0006(): Migration {
  async function up({ schema }: Kysely<unknown>): Promise<void> {
    await schema.alterTable('sessions').addColumn('certificate_thumbprint', 'text').execute()
  }

  return { up }
}
