import { cookieOf } from '../http/cookies.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import { byMachine } from './by-machine.ts'
import { byToken } from './by-token.ts'
import { challenge, type Scheme, schemeOf } from './challenge.ts'
import { sessionCookie } from './cookie-names.ts'
import { doorOf } from './door.ts'
import type { Exchange, Stage } from './exchange.ts'
import { isFromOwnPage, isSafe } from './own-page.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * Credential → principal: an access token, an API key, a service's token, the cookie of a browser's session, a client
 * certificate; in this order, and never two. A public route lets a caller without one, or with a stale one, go on as
 * nobody; every other route refuses. It waits only where something has to be looked up. `again`: a proof that is good once was
 * shown before.
 */
export function identify(route: Route, rooms: Rooms, { again = false } = {}): Stage {
  const door = doorOf(route, rooms)
  const people = byToken(route, rooms, door, again)
  const machines = byMachine(route, rooms, door, again)

  return (exchange) => {
    if (route.ownPagesOnly && !isSafe(exchange) && !isFromOwnPage(exchange, rooms)) return refuse('cross-site')
    const { head, target } = exchange.request
    if (!door.open && holdsToken(target.query)) return inQuery(exchange)
    if (route.certificate && exchange.certificate?.trusted !== true)
      return refuse('certificate-required', { headers: challenge('Bearer', {}, exchange, rooms) })
    if (head.authorization !== undefined) return byAuthorization(exchange, head.authorization)
    if (head.apiKey !== undefined) return machines.key(exchange, head.apiKey)
    const cookie = cookieOf(head.cookie, sessionCookie)
    if (cookie !== undefined) return people.cookie(exchange, cookie)
    if (exchange.certificate !== undefined) return machines.certificate(exchange)
    // Who signs is known when the whole request is: the next stage asks.
    return route.signature === undefined ? door.stranger(exchange, refuse('credentials-required')) : undefined
  }

  function byAuthorization(exchange: Exchange, authorization: string): ReturnType<Stage> {
    if (exchange.request.head.apiKey !== undefined && !door.open) return twoAtOnce(exchange)
    const scheme = schemeOf(exchange)
    const text = credentialIn(authorization, scheme)
    if (text === undefined)
      return door.stranger(exchange, refuse('credentials-required', { reason: 'the scheme is none of ours' }))
    if (scheme === 'Bearer') {
      if (rooms.keys.isKey(text)) return machines.key(exchange, text)
      if (rooms.services.isToken(text)) return machines.serviceToken(exchange, text)
    }
    return people.token(exchange, scheme, text)
  }

  /** Which of them would be meant is a guess (RFC 6750 §2). */
  function twoAtOnce(exchange: Exchange): Refusal {
    const detail = '`Authorization` and `X-API-Key` came both: send one credential'
    const complaint = { error: 'invalid_request', error_description: 'Two credentials came at once' }
    return refuse('bad-request', { detail, headers: challenge('Bearer', complaint, exchange, rooms) })
  }

  /** Addresses are written into logs, histories and `Referer`: a token does not belong there (RFC 9700 §4.3.2). */
  function inQuery(exchange: Exchange): Refusal {
    const detail = 'an access token does not belong in the query: send it as `Authorization: Bearer …`'
    const complaint = { error: 'invalid_request', error_description: 'An access token does not belong in the query' }
    return refuse('bad-request', { detail, headers: challenge('Bearer', complaint, exchange, rooms) })
  }
}

/** RFC 6750 §2.1, RFC 9449 §7.1. */
function credentialIn(authorization: string, scheme: Scheme): string | undefined {
  const named = `${scheme.toLowerCase()} `
  const text = authorization.slice(named.length).trim()
  return authorization.slice(0, named.length).toLowerCase() === named && text !== '' ? text : undefined
}

/** Whether a token stands in the query, however its name is spelled there. */
function holdsToken(query: string): boolean {
  if (query === '' || !(query.includes('access_token') || query.includes('%'))) return false
  return new URLSearchParams(query).has('access_token')
}
