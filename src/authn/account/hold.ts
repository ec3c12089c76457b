import { sql } from 'kysely'
import type { Database } from '../../store/database.ts'

/**
 * Holds an account until the transaction ends: whoever opens or ends its sessions, or changes what proves it, takes turns.
 * PostgreSQL holds the row; SQLite has one writer anyway. First of all in a transaction, so that no two wait for each other.
 */
export async function hold(trx: Database, userId: string): Promise<void> {
  await trx.updateTable('users').set({ updated_at: sql<number>`updated_at` }).where('id', '=', userId).execute()
}
