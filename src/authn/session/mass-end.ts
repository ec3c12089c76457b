import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../store/database.ts'
import type { CutOff, RevocationList } from './revocation-list.ts'
import { byCut } from './session.ts'
import type { Condition, Where } from './session-conditions.ts'

/** A cut-off, and how many sessions ended by it. */
export interface MassEnd extends CutOff {
  readonly sessions: number
}

/**
 * Ends sessions in one statement, however many there are. The cut-off reaches the youngest that it ended, which a node may have opened
 * whose clock goes before ours.
 */
export async function endByCut(
  trx: Database,
  { clock, revocationList }: { readonly clock: Clock; readonly revocationList: RevocationList },
  kind: CutOff['kind'],
  subject: string,
  reason: string,
  which: (is: Where) => Condition,
): Promise<MassEnd> {
  const now = clock.now()
  const { numUpdatedRows } = await trx
    .updateTable('sessions')
    .set({ ended_at: now, ended_reason: byCut + reason })
    .where('ended_at', 'is', null)
    .where(which)
    .executeTakeFirst()
  const { youngest } = await trx
    .selectFrom('sessions')
    .select((is) => is.fn.max('created_at').as('youngest'))
    .where('ended_at', '=', now)
    .where(which)
    .executeTakeFirstOrThrow()
  const cut = { kind, subject, at: Math.max(now, youngest ?? 0) }
  await revocationList.cut(trx, cut)
  return { ...cut, sessions: Number(numUpdatedRows) }
}
