import type { Clock } from '../kernel/clock.ts'
import { type Random, uuidv7 } from '../kernel/id.ts'
import type { AuditEvent } from './event.ts'
import type { FollowerTrouble } from './follower.ts'

/** What became of a follower, as the record has it. */
export function troubleEvent(
  { follower, what, problem, seq, sinceMs }: FollowerTrouble,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): AuditEvent {
  const at = clock.now()
  return {
    action: what,
    actor: { id: 'gatehouse', type: 'system' },
    address: '',
    at,
    details: { problem, seq, ...(what === 'sink-parked' ? {} : { since: sinceMs }) },
    id: uuidv7(at, random),
    request_id: '',
    resource: { id: follower, type: 'sink' },
    result: what === 'sink-found' ? 'success' : 'failure',
    type: 'system',
    user_agent: '',
    v: 1,
  }
}
