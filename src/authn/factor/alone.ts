import { sql } from 'kysely'
import type { Database } from '../../store/database.ts'

/**
 * Does `work` while nobody else does such work for the same person: for what one statement cannot decide. PostgreSQL holds
 * the person's row until the transaction ends, SQLite has one writer anyway.
 */
export async function alone<T>(db: Database, userId: string, work: (trx: Database) => Promise<T>): Promise<T> {
  const held = async (trx: Database): Promise<T> => {
    await trx.updateTable('users').set({ updated_at: sql<number>`updated_at` }).where('id', '=', userId).execute()
    return work(trx)
  }
  return db.isTransaction ? held(db) : db.transaction().execute(held)
}
