import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/id.ts'
import type { AuditEvent } from '../event.ts'
import { ownEvent } from '../own-event.ts'
import type { FollowerTrouble } from './follower.ts'

/** What became of a follower, as the record has it. */
export function troubleEvent(
  { follower, what, problem, seq, sinceMs }: FollowerTrouble,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): AuditEvent {
  const details = { problem, seq, ...(what === 'sink-parked' ? {} : { since: sinceMs }) }
  const act = { type: 'system', action: what, resource: { id: follower, type: 'sink' }, details } as const
  return ownEvent(act, { clock, random }, what === 'sink-found' ? 'success' : 'failure')
}
