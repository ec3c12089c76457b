import type { Clock } from '../kernel/clock.ts'
import { type Random, uuidv7 } from '../kernel/id.ts'
import type { AuditEvent } from './event.ts'
import { inOrder } from './event-text.ts'

/** Something that the house does of its own accord, with nobody asking for it. */
export type OwnAct = Pick<
  Extract<AuditEvent, { type: 'system' | 'admin_action' | 'security_incident' }>,
  'type' | 'action' | 'resource' | 'details'
>

/** It, as the record has it. */
export function ownEvent(
  act: OwnAct,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  result: AuditEvent['result'] = 'success',
): AuditEvent {
  const at = clock.now()
  return {
    ...act,
    actor: { id: 'gatehouse', type: 'system' },
    address: '',
    at,
    details: inOrder(act.details),
    id: uuidv7(at, random),
    request_id: '',
    result,
    user_agent: '',
    v: 1,
  } as AuditEvent
}
