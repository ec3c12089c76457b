import type { AuditEvent, Resource } from '../../audit/event.ts'
import type { Decision } from '../../authz/decision.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import { redactText } from '../../kernel/redact.ts'

/** A decision that somebody asked for: a function of the host's, or another service. */
export interface Evaluated {
  readonly decision: Decision
  /** Whom it is about: nobody that the house does not know is ever named as the one who acts. */
  readonly actor: AuditEvent['actor']
  /** The subject as it was asked about, where nobody is known by that. */
  readonly subject?: string | undefined
  readonly action: string
  readonly resource: { readonly type: string; readonly id: string } | undefined
  /** Who asked, where it is not the house that embeds us. */
  readonly askedBy?: string | undefined
}

/** Where and when it was asked. */
export interface Occasion {
  readonly at: number
  readonly random: Random
  readonly requestId: string
  readonly address: string
  readonly userAgent: string
  readonly place: Resource
}

/** The event that tells of it. What others wrote is cut short and cleaned: a reader of the record is no parser of theirs. */
export function evaluatedEvent(
  { decision, actor, subject, action, resource, askedBy }: Evaluated,
  { at, random, requestId, address, userAgent, place }: Occasion,
): AuditEvent {
  const permitted = decision.effect === 'permit'
  const named = shown(action)
  return {
    action: 'evaluated',
    actor,
    address,
    at,
    details: {
      action: named,
      ...(askedBy === undefined ? {} : { asked_by: askedBy }),
      // All else that a reason says is the house's own.
      decided: named === action ? cut(decision.because, becauseMax) : shown(decision.because, becauseMax),
      ...(resource === undefined ? {} : { resource_id: shown(resource.id), resource_type: shown(resource.type) }),
      ...(subject === undefined ? {} : { subject: shown(subject) }),
    },
    id: uuidv7(at, random),
    request_id: requestId,
    resource: place,
    result: permitted ? 'success' : 'denied',
    type: permitted ? 'api_access' : 'authorization_failure',
    user_agent: userAgent,
    v: 1,
  }
}

/** What is as short as an id gives no credential away, and is most of what is asked. */
function shown(text: string, lengthMax = 256): string {
  return cut(text.length <= tellingNothing ? text : redactText(text.slice(0, lengthMax + 256)), lengthMax)
}

function cut(text: string, lengthMax: number): string {
  return (text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text).toWellFormed()
}

const becauseMax = 2_000
const tellingNothing = 23
