import type { AdminAction, AuditEvent, AuthenticationAction, DataAction, Details } from '../../audit/event.ts'
import { inOrder } from '../../audit/event-text.ts'
import type { AuditLog } from '../../audit/log.ts'
import { actorsOf } from '../../authn/actor.ts'
import type { Principal } from '../../authn/principal.ts'
import { deviceCookie } from '../../gate/cookie-names.ts'
import type { Exchange } from '../../gate/exchange.ts'
import { cookieOf } from '../../http/cookies.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { Database } from '../../store/database.ts'

/** Whoever stands at the desk, as the desk sees them: not how they asked, by a form or by JSON. */
export interface Visitor {
  readonly requestId: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly address: string
  /** The address as failures are counted: IPv6 by /64. */
  readonly callerAddress: string
  readonly userAgent: string
  readonly language: string | undefined
  readonly principal: Principal
  /** Says that they were let in on this device before. */
  readonly deviceToken: string | undefined
}

export function visitorOf(exchange: Exchange, deviceToken?: string): Visitor {
  const { head } = exchange.request
  return {
    requestId: exchange.id,
    at: exchange.arrivedAt,
    address: exchange.client,
    callerAddress: exchange.callerAddress,
    userAgent: head.userAgent ?? '',
    language: head.acceptLanguage,
    principal: exchange.principal,
    deviceToken: deviceToken ?? cookieOf(head.cookie, deviceCookie),
  }
}

/** Writes down what happened at the desk, in the transaction in which it happens. */
export class Diary {
  readonly #audit: AuditLog
  readonly #random: Random

  constructor({ audit, random }: { readonly audit: AuditLog; readonly random: Random }) {
    this.#audit = audit
    this.#random = random
  }

  /** What a person did, or tried, with an account. Whoever is not proven yet did it as nobody. */
  person(
    trx: Database,
    visitor: Visitor,
    action: AuthenticationAction,
    result: AuditEvent['result'],
    userId: string | undefined,
    details: Details = {},
  ): Promise<void> {
    const proves = result === 'success' && userId !== undefined && !asking.has(action)
    const proven = proves ? userId : visitor.principal.id
    return this.#write(trx, visitor, proven, userId, { type: 'authentication', action, result, details })
  }

  /** What an administrator did to an account. `own` says something of a person: see `Entry.private`. */
  administrator(
    trx: Database,
    visitor: Visitor,
    action: AdminAction,
    result: AuditEvent['result'],
    userId: string,
    details: Details = {},
    own?: Details,
  ): Promise<void> {
    const what = { type: 'admin_action', action, result, details, ...privately(own) } as const
    return this.#write(trx, visitor, visitor.principal.id, userId, what)
  }

  /** What somebody did to a thing of the house: a client, a service, an API key, a role, a policy. `own`: see `Entry.private`. */
  change(
    trx: Database,
    visitor: Visitor,
    action: AdminAction,
    resource: AuditEvent['resource'],
    details: Details = {},
    result: AuditEvent['result'] = 'success',
    own?: Details,
  ): Promise<void> {
    const { id, type } = visitor.principal
    const what = {
      type: 'admin_action',
      action,
      result,
      details: whoActed(visitor, details),
      ...privately(own),
    } as const
    return this.#enroll(trx, visitor, { id, type }, resource, what)
  }

  /** What somebody read that is worth a line: the record itself. */
  access(
    trx: Database,
    visitor: Visitor,
    action: DataAction,
    resource: AuditEvent['resource'],
    details: Details = {},
  ): Promise<void> {
    const { id, type } = visitor.principal
    const what = { type: 'data_access', action, result: 'success', details: whoActed(visitor, details) } as const
    return this.#enroll(trx, visitor, { id, type }, resource, what)
  }

  /** What a client of other people's did, or tried, at the authorization server, for itself. */
  client(
    trx: Database,
    visitor: Visitor,
    action: AuthenticationAction,
    result: AuditEvent['result'],
    clientId: string,
    details: Details = {},
  ): Promise<void> {
    const actor = result === 'success' ? ({ id: clientId, type: 'service' } as const) : undefined
    const what = { type: 'authentication', action, result, details } as const
    return this.#enroll(trx, visitor, actor, { id: clientId, type: 'client' }, what)
  }

  /** What a person decided about a client of other people's. */
  consent(
    trx: Database,
    visitor: Visitor,
    action: Extract<AuditEvent, { type: 'consent' }>['action'],
    result: AuditEvent['result'],
    clientId: string,
    details: Details = {},
  ): Promise<void> {
    const actor = { id: visitor.principal.id, type: 'user' } as const
    const what = { type: 'consent', action, result, details } as const
    return this.#enroll(trx, visitor, actor, { id: clientId, type: 'client' }, what)
  }

  /** What should not have come twice came twice: a code, or a refresh token of a client's. */
  tokenReuse(trx: Database, visitor: Visitor, userId: string, details: Details): Promise<void> {
    return this.#write(trx, visitor, visitor.principal.id, userId, {
      type: 'security_incident',
      action: 'token-reuse',
      result: 'denied',
      details,
    })
  }

  /** Somebody guesses. */
  bruteForce(trx: Database, visitor: Visitor, userId: string | undefined, details: Details): Promise<void> {
    return this.#write(trx, visitor, visitor.principal.id, userId, {
      type: 'security_incident',
      action: 'brute-force',
      result: 'denied',
      details,
    })
  }

  #write(trx: Database, visitor: Visitor, actorId: string, userId: string | undefined, what: What): Promise<void> {
    const details = whoActed(visitor, what.details)
    const who = { id: actorId, type: actorId === 'anonymous' ? 'anonymous' : 'user' } as const
    return this.#enroll(trx, visitor, who, { id: userId ?? '', type: 'user' }, { ...what, details })
  }

  #enroll(
    trx: Database,
    visitor: Visitor,
    actor: AuditEvent['actor'] = { id: 'anonymous', type: 'anonymous' },
    resource: AuditEvent['resource'],
    what: What,
  ): Promise<void> {
    return this.#audit.enroll(trx, {
      ...what,
      details: inOrder(what.details),
      actor,
      address: visitor.address,
      at: visitor.at,
      id: uuidv7(visitor.at, this.#random),
      request_id: visitor.requestId,
      resource,
      user_agent: visitor.userAgent,
      v: 1,
    } as AuditEvent)
  }
}

type What = Pick<AuditEvent, 'type' | 'action' | 'result' | 'details' | 'private'>

function privately(own: Details | undefined): { readonly private?: Details } {
  return own === undefined ? {} : { private: inOrder(own) }
}

/** What anybody may ask for in somebody's name. */
const asking: ReadonlySet<AuthenticationAction> = new Set(['password-reset-request', 'second-factor-request'])

/** Beside what happened: who did it in the name of the one that it is written down for. */
function whoActed({ principal: { actor } }: Visitor, details: Details): Details {
  return actor === undefined ? details : { ...details, acting: actorsOf(actor).join(' ') }
}
