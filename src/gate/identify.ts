import { anonymous } from '../authn/principal.ts'
import type { Verified } from '../authn/token/tokens.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import type { Exchange, Stage } from './exchange.ts'
import { limited } from './limited.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * Credential → principal. A public route lets a caller without one, or with a stale one, go on as nobody; every other
 * route refuses. What an address wastes on wrong credentials is counted against it.
 */
export function identify(route: Route, rooms: Rooms): Stage | undefined {
  const open = route.access.to === 'public'

  return (exchange) => {
    const { authorization } = exchange.request.head
    if (authorization === undefined)
      return open ? undefined : unknown(exchange, refuse('credentials-required'), undefined)
    const token = bearer(authorization)
    if (token === undefined) {
      return open
        ? undefined
        : unknown(exchange, refuse('credentials-required', { reason: 'the scheme is not Bearer' }), undefined)
    }
    return settle(exchange, rooms.tokens.verify(token))
  }

  function settle(exchange: Exchange, verdict: Verified | Refusal): Refusal | undefined {
    if ('code' in verdict) {
      if (open) return undefined
      return unknown(exchange, verdict, verdict.detail)
    }
    exchange.principal = rooms.roles.principalOf(verdict)
    return undefined
  }

  function unknown(exchange: Exchange, refusal: Refusal, error: string | undefined): Refusal {
    exchange.principal = anonymous
    if (rooms.strangers !== undefined) {
      exchange.allowance = rooms.limiter.take(exchange.callerAddress, rooms.strangers, 1)
      const flood = limited(exchange.allowance)
      if (flood !== undefined) return flood
    }
    return { ...refusal, headers: ['WWW-Authenticate', challenge(error)] }
  }
}

/** RFC 6750 §2.1; the scheme's letter case is free (RFC 9110 §11.1). */
function bearer(authorization: string): string | undefined {
  if (authorization.length < 8 || authorization.slice(0, 7).toLowerCase() !== 'bearer ') return undefined
  return authorization.slice(7).trim()
}

/** RFC 6750 §3: no error code for a caller who sent nothing. */
function challenge(error: string | undefined): string {
  return error === undefined
    ? 'Bearer realm="gatehouse"'
    : `Bearer realm="gatehouse", error="invalid_token", error_description="${error}"`
}
