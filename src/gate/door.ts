import type { Principal } from '../authn/principal.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import type { Claim } from '../limits/limiter.ts'
import { claimsOn } from './budgets.ts'
import { challenge, invitation, type Scheme, scopesToAskFor } from './challenge.ts'
import type { Exchange } from './exchange.ts'
import { spent } from './limited.ts'
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
  /**
   * Whether the address has wasted so much on wrong credentials that no signature is checked for another one: distinct tokens cost
   * more to refuse than to make. One that was found good lately is not asked.
   */
  flood(exchange: Exchange): Refusal | undefined
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
      return { ...told, headers: invitation(exchange, rooms) }
    },
    wrong(exchange, refusal, scheme = 'Bearer', error = 'invalid_token') {
      // Nobody knows whether it holds: that is not the caller's fault, or they have wasted too much to be told.
      const isUnknown = refusal.code === 'unavailable' || refusal.code === 'rate-limited'
      if (open) return isUnknown ? undefined : waste(exchange)
      if (isUnknown) return refusal
      const scope = scopesToAskFor(exchange, rooms)
      const complaint = { error, error_description: refusal.detail, ...(scope === undefined ? {} : { scope }) }
      return { ...refusal, headers: challenge(scheme, complaint, exchange, rooms) }
    },
    flood: (exchange) => spent(exchange, wasted(exchange), rooms),
  }

  /** What the route takes, where it does not take everything. */
  function missing(): Refusal {
    const kinds = [...(credentials ?? [])]
    if (kinds.length === 1 && kinds[0] === 'api-key') return refuse('api-key-required')
    if (kinds.length === 1 && kinds[0] === 'signature') return refuse('signature-required')
    if (kinds.length === 1 && kinds[0] === 'certificate') return refuse('certificate-required')
    return refuse('credentials-required', { detail: `This route takes one of: ${kinds.join(', ')}` })
  }

  /** What an address wastes on wrong credentials is counted against it, also where it is let on as nobody. */
  function waste(exchange: Exchange): undefined {
    const claims = wasted(exchange)
    if (claims.length === 0) return
    const taking = rooms.limiter.take(claims)
    if (taking instanceof Promise)
      taking.catch((error: unknown) => rooms.log.error({ err: error }, 'a wrong credential was not counted'))
  }

  function wasted(exchange: Exchange): Claim[] {
    const { strangers } = rooms
    return strangers === undefined ? [] : claimsOn([{ budget: strangers, cost: 1 }], exchange)
  }
}
