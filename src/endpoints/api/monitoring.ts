import type { AuditEvent, Details } from '../../audit/event.ts'
import { inOrder } from '../../audit/event-text.ts'
import type { AuditLog } from '../../audit/log.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import { redact, redactText } from '../../kernel/redact.ts'
import type * as wire from '../../wire/monitoring.ts'
import { input } from './auth.ts'
import { json } from './reply.ts'

type Describes = keyof typeof wire.monitoring

interface Remembers {
  readonly audit: AuditLog
  readonly random: Random
}

/** What clients report of security (AU5). It is their word: who, when and from where is ours. */
export function monitoringEndpoints({ audit, random }: Remembers): Record<Describes, Answerer> {
  return {
    reportSecurityEvents(exchange) {
      const { events } = input<typeof wire.reportsBody>(exchange)
      for (const event of events) audit.note(reported(exchange, event, random))
      return json(202, { status: 'recorded', count: events.length })
    },
  }
}

function reported(
  { arrivedAt, client, id, principal, request }: Exchange,
  { type, success, details }: { readonly type: string; readonly success: boolean; readonly details: Details },
  random: Random,
): AuditEvent {
  return {
    action: 'reported',
    actor: { id: principal.id, type: principal.type },
    address: client,
    at: arrivedAt,
    details: { kind: redactText(type) },
    id: uuidv7(arrivedAt, random),
    private: inOrder(withoutSecrets(details)), // nobody knows what a client puts there
    request_id: id,
    resource: { id: 'house', type: 'house' },
    result: success ? 'success' : 'failure',
    type: 'client_report',
    user_agent: request.head.userAgent ?? '',
    v: 1,
  }
}

/** Names are a client's choice too. */
function withoutSecrets(details: Details): Details {
  const clean = Object.entries(redact(details) as Details)
  return Object.fromEntries(clean.map(([name, value]) => [redactText(name), value]))
}
