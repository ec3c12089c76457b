import type { Principal } from '../authn/principal.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import { challenge, invitation, type Scheme, scopesToAskFor } from './challenge.ts'
import type { Exchange } from './exchange.ts'
import { limited } from './limited.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/** How callers are let in, or turned away, while it is found out who they are. A public route turns nobody away. */
export interface Door {
  readonly open: boolean
  /** Lets somebody in, where the route takes the kind of credential that proved them. */
  letIn(exchange: Exchange, principal: Principal): Refusal | undefined
  /** Nobody showed anything that we know. */
  stranger(exchange: Exchange, refusal: Refusal): Refusal | undefined
  /** A credential that does not hold. RFC 6750 §3.1 has one error for all that can be wrong with a token. */
  wrong(exchange: Exchange, refusal: Refusal, scheme?: Scheme, error?: string): Refusal | undefined
}

export function doorOf(route: Route, rooms: Rooms): Door {
  const open = route.access.to === 'public'
  const { credentials } = route

  return {
    open,
    letIn(exchange, principal) {
      exchange.principal = principal
      const { kind } = principal.credential
      if (credentials === undefined || kind === 'none' || credentials.has(kind)) return undefined
      return { ...missing(), reason: `a ${kind} came`, headers: challenge('Bearer', {}, exchange, rooms) }
    },
    stranger(exchange, refusal) {
      if (open) return undefined
      const told = refusal.code === 'credentials-required' && credentials !== undefined ? missing() : refusal
      return flood(exchange) ?? { ...told, headers: invitation(exchange, rooms) }
    },
    wrong(exchange, refusal, scheme = 'Bearer', error = 'invalid_token') {
      if (open) return undefined
      if (refusal.code === 'unavailable') return refusal // nobody knows whether it holds: that is not the caller's fault
      const scope = scopesToAskFor(exchange, rooms)
      const complaint = { error, error_description: refusal.detail, ...(scope === undefined ? {} : { scope }) }
      return flood(exchange) ?? { ...refusal, headers: challenge(scheme, complaint, exchange, rooms) }
    },
  }

  /** What the route takes, where it does not take everything. */
  function missing(): Refusal {
    const kinds = [...(credentials ?? [])]
    if (kinds.length === 1 && kinds[0] === 'api-key') return refuse('api-key-required')
    if (kinds.length === 1 && kinds[0] === 'signature') return refuse('signature-required')
    if (kinds.length === 1 && kinds[0] === 'certificate') return refuse('certificate-required')
    return refuse('credentials-required', { detail: `This route takes one of: ${kinds.join(', ')}` })
  }

  /** What an address wastes on credentials that are missing or wrong is counted against it. */
  function flood(exchange: Exchange): Refusal | undefined {
    if (rooms.strangers === undefined) return undefined
    exchange.allowance = rooms.limiter.take(exchange.callerAddress, rooms.strangers, 1)
    return limited(exchange.allowance)
  }
}
