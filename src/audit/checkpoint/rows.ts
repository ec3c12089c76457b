import type { Database } from '../../store/database.ts'
import type { AuditCheckpointsTable } from '../../store/schema-record.ts'

/** Checkpoints after the one that covers `size` events, from the smallest on. */
export function checkpointsAfter(db: Database, size: number, limit = 500): Promise<AuditCheckpointsTable[]> {
  return db.selectFrom('audit_checkpoints').selectAll().where('size', '>', size).orderBy('size').limit(limit).execute()
}

/** Checkpoints before the one that covers `size` events, or before the end, from the largest on. */
export function checkpointsBefore(
  db: Database,
  size: number | undefined,
  limit: number,
): Promise<AuditCheckpointsTable[]> {
  const all = db.selectFrom('audit_checkpoints').selectAll().orderBy('size', 'desc').limit(limit)
  return (size === undefined ? all : all.where('size', '<', size)).execute()
}

/** The checkpoint that covers the most. */
export async function latestCheckpoint(db: Database): Promise<AuditCheckpointsTable | undefined> {
  return (await checkpointsBefore(db, undefined, 1))[0]
}

export function checkpointAt(db: Database, size: number): Promise<AuditCheckpointsTable | undefined> {
  return db.selectFrom('audit_checkpoints').selectAll().where('size', '=', size).executeTakeFirst()
}
