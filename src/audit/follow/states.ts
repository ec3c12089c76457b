import type { Database } from '../../store/database.ts'

/** How far a follower is, and what keeps it. */
export interface FollowerState {
  readonly name: string
  /** The last event that it is done with. */
  readonly seq: number
  /** How many events it has still before it. */
  readonly lag: number
  readonly failures: number
  readonly failingSinceMs: number | undefined
  readonly problem: string | undefined
  /** How many events were set aside, because its other side refuses them. */
  readonly parked: number
}

/** All followers that there are or were, by name. */
export async function followerStates(db: Database): Promise<FollowerState[]> {
  const last = await db.selectFrom('audit_events').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst()
  const rows = await db.selectFrom('audit_followers').selectAll().orderBy('name').execute()
  const parked = await db
    .selectFrom('audit_parked')
    .select(['follower', (of) => of.fn.countAll<number>().as('count')])
    .groupBy('follower')
    .execute()
  const counts = new Map(parked.map(({ follower, count }) => [follower, Number(count)]))
  return rows.map(({ name, seq, failures, failing_since, problem }) => ({
    name,
    seq,
    lag: Math.max((last?.seq ?? 0) - seq, 0),
    failures,
    failingSinceMs: failing_since ?? undefined,
    problem: problem ?? undefined,
    parked: counts.get(name) ?? 0,
  }))
}

/** Lets a follower go on behind another event. Whoever reads for it notices within a moment. False where there is none of that name. */
export async function resetFollower(trx: Database, name: string, seq: number, nowMs: number): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('audit_followers')
    .set((row) => ({
      seq,
      holder: '',
      beat: row('beat', '+', 1),
      failures: 0,
      failing_since: null,
      problem: null,
      lost_at: null,
      updated_at: nowMs,
    }))
    .where('name', '=', name)
    .executeTakeFirst()
  if (numUpdatedRows > 0)
    await trx.deleteFrom('audit_parked').where('follower', '=', name).where('seq', '>', seq).execute()
  return numUpdatedRows > 0
}

/** Forgets how far a follower was, and what was set aside for it. One that is still wanted somewhere begins anew. */
export async function removeFollower(trx: Database, name: string): Promise<void> {
  await trx.deleteFrom('audit_parked').where('follower', '=', name).execute()
  await trx.deleteFrom('audit_followers').where('name', '=', name).execute()
}
