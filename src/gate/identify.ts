import { anonymous } from '../authn/principal.ts'
import type { Verified } from '../authn/token/tokens.ts'
import { cookieOf } from '../http/cookies.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import { sessionCookie } from './cookie-names.ts'
import type { Exchange, Stage } from './exchange.ts'
import { limited } from './limited.ts'
import { isFromOwnPage, isSafe } from './own-page.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * Credential → principal: an access token, or the cookie of a browser's session. A public route lets a caller without one,
 * or with a stale one, go on as nobody; every other route refuses. What an address wastes on wrong credentials is counted
 * against it.
 */
export function identify(route: Route, rooms: Rooms): Stage | undefined {
  const open = route.access.to === 'public'

  return (exchange) => {
    if (route.ownPagesOnly && !isSafe(exchange) && !isFromOwnPage(exchange, rooms)) return refuse('cross-site')
    const { authorization, cookie: field } = exchange.request.head
    if (authorization === undefined) {
      const cookie = cookieOf(field, sessionCookie)
      if (cookie !== undefined) return byCookie(exchange, cookie)
      return open ? undefined : unknown(exchange, refuse('credentials-required'), undefined)
    }
    const token = bearer(authorization)
    if (token === undefined) {
      return open
        ? undefined
        : unknown(exchange, refuse('credentials-required', { reason: 'the scheme is not Bearer' }), undefined)
    }
    return settle(exchange, rooms.tokens.verify(token))
  }

  /** Browsers send a cookie whoever wrote the page: what changes something has to come from a page of ours. */
  function byCookie(exchange: Exchange, cookie: string): Refusal | undefined | Promise<Refusal | undefined> {
    if (!isSafe(exchange) && !isFromOwnPage(exchange, rooms)) return open ? undefined : refuse('cross-site')
    const verdict = rooms.browsers.verify(cookie)
    return verdict instanceof Promise ? verdict.then((late) => settle(exchange, late)) : settle(exchange, verdict)
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
