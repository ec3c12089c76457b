import type { ProofFault, ProvenKey } from '../authn/token/dpop.ts'
import type { Verified } from '../authn/token/tokens.ts'
import { cookieOf } from '../http/cookies.ts'
import { type Code, type Refusal, refuse } from '../kernel/error.ts'
import { challenge, invitation, type Scheme, schemeOf, scopesToAskFor } from './challenge.ts'
import { sessionCookie } from './cookie-names.ts'
import type { Exchange, Stage } from './exchange.ts'
import { limited } from './limited.ts'
import { isFromOwnPage, isSafe } from './own-page.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * Credential → principal: an access token, with the proof of its key where it is bound to one, or the cookie of a browser's
 * session. A public route lets a caller without one, or with a stale one, go on as nobody; every other route refuses. What
 * an address wastes on wrong credentials is counted against it. It waits only where a cookie or a proof has to be looked up.
 */
export function identify(route: Route, rooms: Rooms): Stage | undefined {
  const open = route.access.to === 'public'
  const { resourceServer } = rooms

  return (exchange) => {
    if (route.ownPagesOnly && !isSafe(exchange) && !isFromOwnPage(exchange, rooms)) return refuse('cross-site')
    const { head, target } = exchange.request
    if (!open && holdsToken(target.query)) return inQuery(exchange)
    if (head.authorization === undefined) {
      const cookie = cookieOf(head.cookie, sessionCookie)
      if (cookie !== undefined) return byCookie(exchange, cookie)
      return stranger(exchange, refuse('credentials-required'))
    }
    const scheme = schemeOf(exchange)
    const token = tokenOf(head.authorization, scheme)
    if (token === undefined)
      return stranger(exchange, refuse('credentials-required', { reason: 'the scheme is none of ours' }))
    return byToken(exchange, scheme, token)
  }

  /** Browsers send a cookie whoever wrote the page: what changes something has to come from a page of ours. */
  function byCookie(exchange: Exchange, cookie: string): Refusal | undefined | Promise<Refusal | undefined> {
    if (!isSafe(exchange) && !isFromOwnPage(exchange, rooms)) return open ? undefined : refuse('cross-site')
    const verdict = rooms.browsers.verify(cookie)
    const settle = (known: Verified | Refusal): Refusal | undefined =>
      'code' in known ? wrong(exchange, 'Bearer', known) : welcome(exchange, known)
    return verdict instanceof Promise ? verdict.then(settle) : settle(verdict)
  }

  function byToken(
    exchange: Exchange,
    scheme: Scheme,
    token: string,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    const verdict = rooms.tokens.verify(token)
    exchange.ownToken = !('code' in verdict) || verdict.code !== 'token-invalid'
    if ('code' in verdict) return wrong(exchange, scheme, verdict)
    const { client, audience, keyThumbprint } = verdict
    if (client !== undefined) {
      // Our own pages ask who is there, and whose account they show: that is never a client, whatever `Origin` it writes.
      if (open && route.clients === 'refused') return undefined
      // RFC 8707 §2, RFC 9068 §4: a token of one resource is nothing to another, though both are ours.
      const resource = resourceServer?.at(exchange.request.target.path)
      if (resource === undefined || !audience.includes(resource.audience))
        return wrong(exchange, scheme, refuse('token-invalid', { reason: 'another audience' }))
    }
    if ((keyThumbprint !== undefined) !== (scheme === 'DPoP')) {
      // RFC 9449 §7.2: sent as a bearer, a stolen one would do; and a proof binds no token that names no key.
      const reason = keyThumbprint === undefined ? 'a bearer was sent as DPoP' : 'a bound token was sent as a bearer'
      return wrong(exchange, 'DPoP', refuse('token-invalid', { reason }))
    }
    return keyThumbprint === undefined ? welcome(exchange, verdict) : byProof(exchange, verdict, token, keyThumbprint)
  }

  function byProof(
    exchange: Exchange,
    verified: Verified,
    accessToken: string,
    keyThumbprint: string,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    const { method, target, head } = exchange.request
    if (head.dpop === undefined || resourceServer === undefined)
      return wrong(exchange, 'DPoP', refuse('proof-invalid', { reason: 'no proof came along' }), 'invalid_dpop_proof')
    const demand = { method, url: resourceServer.addressOf(target.path), accessToken, keyThumbprint }
    return resourceServer.proofs.verify(head.dpop, demand).then((outcome: ProvenKey | ProofFault) => {
      exchange.nonce = outcome.nonce
      if (!('error' in outcome)) return welcome(exchange, verified)
      const { error, reason } = outcome
      return wrong(exchange, 'DPoP', refuse(codes[error], { reason }), error)
    })
  }

  function welcome(exchange: Exchange, verified: Verified): undefined {
    exchange.principal = rooms.roles.principalOf(verified)
  }

  function stranger(exchange: Exchange, refusal: Refusal): Refusal | undefined {
    return open ? undefined : (flood(exchange) ?? { ...refusal, headers: invitation(exchange, rooms) })
  }

  /** A credential that does not hold. RFC 6750 §3.1 has one error for all that can be wrong with a token. */
  function wrong(exchange: Exchange, scheme: Scheme, refusal: Refusal, error = 'invalid_token'): Refusal | undefined {
    if (open) return undefined
    const scope = scopesToAskFor(exchange, rooms)
    const complaint = { error, error_description: refusal.detail, ...(scope === undefined ? {} : { scope }) }
    return flood(exchange) ?? { ...refusal, headers: challenge(scheme, complaint, exchange, rooms) }
  }

  function flood(exchange: Exchange): Refusal | undefined {
    if (rooms.strangers === undefined) return undefined
    exchange.allowance = rooms.limiter.take(exchange.callerAddress, rooms.strangers, 1)
    return limited(exchange.allowance)
  }

  /** Addresses are written into logs, histories and `Referer`: a token does not belong there (RFC 9700 §4.3.2). */
  function inQuery(exchange: Exchange): Refusal {
    const detail = 'an access token does not belong in the query: send it as `Authorization: Bearer …`'
    const complaint = { error: 'invalid_request', error_description: 'An access token does not belong in the query' }
    return refuse('bad-request', { detail, headers: challenge('Bearer', complaint, exchange, rooms) })
  }
}

const codes: Readonly<Record<ProofFault['error'], Code>> = {
  invalid_dpop_proof: 'proof-invalid',
  use_dpop_nonce: 'proof-nonce-required',
  invalid_token: 'token-invalid',
}

/** RFC 6750 §2.1, RFC 9449 §7.1. */
function tokenOf(authorization: string, scheme: Scheme): string | undefined {
  const named = `${scheme.toLowerCase()} `
  const token = authorization.slice(named.length).trim()
  return authorization.slice(0, named.length).toLowerCase() === named && token !== '' ? token : undefined
}

/** Whether a token stands in the query, however its name is spelled there. */
function holdsToken(query: string): boolean {
  if (query === '' || !(query.includes('access_token') || query.includes('%'))) return false
  return new URLSearchParams(query).has('access_token')
}
