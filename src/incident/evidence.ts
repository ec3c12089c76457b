import type { Database } from '../store/database.ts'

/** An event of the record that an incident rests on. */
export interface Evidence {
  readonly seq: number
  /** Undefined where the chain has no such event any more. */
  readonly id: string | undefined
  readonly at: number | undefined
  readonly type: string | undefined
  readonly action: string | undefined
}

/** Adds events to those that an incident rests on. Of too many, the first and the last stay. */
export async function mergeEvidence(trx: Database, incidentId: string, seqs: readonly number[]): Promise<void> {
  const found = [...new Set(seqs)].toSorted((a, b) => a - b)
  const kept = found.length <= 2 * side ? found : [...found.slice(0, side), ...found.slice(-side)]
  if (kept.length === 0) return
  await trx
    .insertInto('incident_events')
    .values(kept.map((seq) => ({ incident_id: incidentId, seq })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const rows = await trx
    .selectFrom('incident_events')
    .select('seq')
    .where('incident_id', '=', incidentId)
    .orderBy('seq')
    .execute()
  const between = rows.slice(side, -side).map(({ seq }) => seq)
  if (rows.length <= 2 * side || between.length === 0) return
  await trx.deleteFrom('incident_events').where('incident_id', '=', incidentId).where('seq', 'in', between).execute()
}

/** The events that an incident rests on, in the order of the chain. */
export async function evidenceOf(db: Database, incidentId: string): Promise<readonly Evidence[]> {
  const rows = await db
    .selectFrom('incident_events')
    .leftJoin('audit_events', 'audit_events.seq', 'incident_events.seq')
    .select([
      'incident_events.seq as seq',
      'audit_events.id as id',
      'audit_events.at as at',
      'audit_events.type as type',
      'audit_events.action as action',
    ])
    .where('incident_events.incident_id', '=', incidentId)
    .orderBy('incident_events.seq')
    .execute()
  return rows.map(({ seq, id, at, type, action }) => ({
    seq,
    id: id ?? undefined,
    at: at ?? undefined,
    type: type ?? undefined,
    action: action ?? undefined,
  }))
}

/** How many of the first, and of the last, stay. */
const side = 50
