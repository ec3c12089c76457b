import type { ClientTerms, Decision } from '../authz/decision.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import { challenge, invitation, schemeOf } from './challenge.ts'
import type { Exchange } from './exchange.ts'
import type { Rooms } from './rooms.ts'

export type Denial = Extract<Decision, { effect: 'deny' }>

/** The refusal of a denial. What would have to be otherwise is said in terms that a program can act on. */
export function refusalOf(denial: Denial, exchange: Exchange, rooms: Rooms): Refusal {
  const refusal = plainRefusalOf(denial)
  const { lacks } = denial
  if (lacks.kind === 'identity') return { ...refusal, headers: invitation(exchange, rooms) }
  if (lacks.kind !== 'scopes') return refusal
  const scope = lacks.scopes.join(' ')
  const complaint = { error: 'insufficient_scope', error_description: 'The client was granted too little', scope }
  return { ...refusal, headers: challenge(schemeOf(exchange), complaint, exchange, rooms) } // RFC 6750 §3.1
}

/** The same where no request is at hand: of a function, without the challenge that belongs to an answer. */
export function plainRefusalOf({ lacks, because }: Denial): Refusal {
  switch (lacks.kind) {
    case 'identity':
      return refuse('credentials-required')
    case 'permission':
      return refuse('permission-required', { detail: `Permission '${lacks.permission}' required`, reason: because })
    case 'scopes': {
      const scope = lacks.scopes.join(' ')
      return refuse('insufficient-scope', {
        detail: `Scope '${scope}' required`,
        reason: because,
        extensions: { scope },
      })
    }
    case 'own-sign-in':
      return refuse('first-party-only', { reason: because })
    case 'ownership':
      return refuse('not-found', { reason: because })
    case 'decision':
      return refuse('permission-required', { detail: 'Not allowed', reason: because })
  }
}

/** On which terms a client of other people comes to where an exchange is going; undefined for everybody else. */
export function termsOf({ principal, route, request }: Exchange, rooms: Rooms): ClientTerms | undefined {
  if (principal.client === undefined) return undefined
  const resource = rooms.resourceServer?.at(request.target.path)
  const { clients, scopes } = route
  return {
    scopes,
    // A token for a declared resource was asked for by its name: where nothing is demanded there, that is enough.
    welcome: clients === 'welcome' || (clients === 'by-scope' && resource?.declared === true),
    offered: resource?.scopes,
  }
}
