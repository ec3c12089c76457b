import type { Database } from '../../store/database.ts'
import { hold } from '../account/hold.ts'

/**
 * Does `work` while nobody else does such work for the same person: for what one statement cannot decide.
 */
export async function alone<T>(db: Database, userId: string, work: (trx: Database) => Promise<T>): Promise<T> {
  const held = async (trx: Database): Promise<T> => {
    await hold(trx, userId)
    return work(trx)
  }
  return db.isTransaction ? held(db) : db.transaction().execute(held)
}
