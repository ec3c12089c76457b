import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../store/database.ts'
import type { Proof } from '../proof.ts'
import { unbound } from '../token/binding.ts'
import type { Device } from './session.ts'
import type { Sessions } from './sessions.ts'

/** A sign-in of a person's own that a client was handed, and where the client asks from. */
export interface Handover {
  readonly userId: string
  /** The session of the sign-in. */
  readonly parentId: string
  readonly clientId: string
  readonly proof: Proof
  readonly device: Device
}

/**
 * The session that a client's tokens belong to which came of a person's own sign-in: one for the two, however often it asks. It
 * ends with the sign-in, with the client, and with what the person has allowed the client. It has no refresh token: nobody
 * is given the one that the row is made with. The account is held, and the sign-in is held and alive (`Sessions.isAlive`).
 */
export async function delegatedSession(
  trx: Database,
  { sessions, clock }: { readonly sessions: Sessions; readonly clock: Clock },
  { userId, parentId, clientId, proof, device }: Handover,
): Promise<string> {
  const now = clock.now()
  const known = await trx
    .updateTable('sessions')
    .set({ seen_at: now })
    .where('parent_id', '=', parentId)
    .where('user_id', '=', userId)
    .where('client_id', '=', clientId)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst()
  if (known !== undefined) return known.id
  const parent = await trx
    .selectFrom('sessions')
    .select('expires_at')
    .where('id', '=', parentId)
    .executeTakeFirstOrThrow()
  const opened = await sessions.openForClient(trx, userId, device, proof, {
    ...unbound,
    id: clientId,
    scopes: [],
    resources: [],
    parentId,
    ttlMs: parent.expires_at - now,
  })
  return opened.session.id
}
