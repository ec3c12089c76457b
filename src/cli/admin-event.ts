import type { AdminAction, AuditEvent, Details } from '../audit/event.ts'
import type { Clock } from '../kernel/clock.ts'
import { type Random, uuidv7 } from '../kernel/id.ts'

/** What an operator did at the machine itself: there is no request, and no one but the machine to vouch for them. */
export function adminEvent(
  action: AdminAction,
  userId: string,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  details: Details = {},
): AuditEvent {
  const at = clock.now()
  return {
    action,
    actor: { id: 'operator', type: 'system' },
    address: '',
    at,
    details,
    id: uuidv7(at, random),
    request_id: '',
    resource: { id: userId, type: 'user' },
    result: 'success',
    type: 'admin_action',
    user_agent: '',
    v: 1,
  }
}
