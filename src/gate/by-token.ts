import type { ProofFault, ProvenKey } from '../authn/token/dpop.ts'
import type { Verified } from '../authn/token/tokens.ts'
import { type Code, type Refusal, refuse } from '../kernel/error.ts'
import type { Scheme } from './challenge.ts'
import type { Door } from './door.ts'
import type { Exchange } from './exchange.ts'
import { isFromOwnPage, isSafe } from './own-page.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

type Outcome = Refusal | undefined | Promise<Refusal | undefined>

/** Who came by a sign-in: an access token, with the proof of its key where it is bound to one, or the cookie of a browser. */
export interface ByToken {
  token(exchange: Exchange, scheme: Scheme, token: string): Outcome
  cookie(exchange: Exchange, cookie: string): Outcome
}

/** `proven`: a proof that is good once was shown before, and is not asked for a second time; nor is it a new sign of life. */
export function byToken(route: Route, rooms: Rooms, door: Door, proven = false): ByToken {
  const { resourceServer } = rooms

  return {
    token(exchange, scheme, token) {
      const verdict = rooms.tokens.verify(token, proven ? undefined : () => door.flood(exchange))
      if ('code' in verdict) return door.wrong(exchange, verdict, scheme)
      const { client, audience, keyThumbprint } = verdict
      if (client !== undefined) {
        // Our own pages ask who is there, and whose account they show: that is never a client, whatever `Origin` it writes.
        if (door.open && route.clients === 'refused') return undefined
        // RFC 8707 §2, RFC 9068 §4: a token of one resource is nothing to another, though both are ours.
        const resource = resourceServer?.at(exchange.request.target.path)
        if (resource === undefined || !audience.includes(resource.audience))
          return door.wrong(exchange, refuse('token-invalid', { reason: 'another audience' }), scheme)
      }
      if (!isFromItsMachine(exchange, verdict))
        return door.wrong(exchange, refuse('token-invalid', { reason: 'bound to another certificate' }), scheme)
      if ((keyThumbprint !== undefined) !== (scheme === 'DPoP')) {
        // RFC 9449 §7.2: sent as a bearer, a stolen one would do; and a proof binds no token that names no key.
        const reason = keyThumbprint === undefined ? 'a bearer was sent as DPoP' : 'a bound token was sent as a bearer'
        return door.wrong(exchange, refuse('token-invalid', { reason }), 'DPoP')
      }
      return keyThumbprint === undefined || proven
        ? welcome(exchange, verdict)
        : prove(exchange, verdict, token, keyThumbprint)
    },

    /** Browsers send a cookie whoever wrote the page: what changes something has to come from a page of ours. */
    cookie(exchange, cookie) {
      if (!isSafe(exchange) && !isFromOwnPage(exchange, rooms)) return door.open ? undefined : refuse('cross-site')
      const verdict = rooms.browsers.verify(cookie, !proven)
      const settle = (known: Verified | Refusal): Refusal | undefined =>
        'code' in known ? door.wrong(exchange, known) : welcome(exchange, known)
      return verdict instanceof Promise ? verdict.then(settle) : settle(verdict)
    },
  }

  /** RFC 8705 §3: a token that names a certificate is good on connections of that certificate alone. */
  function isFromItsMachine(exchange: Exchange, { certificateThumbprint }: Verified): boolean {
    return certificateThumbprint === undefined || certificateThumbprint === exchange.certificate?.thumbprint
  }

  function prove(exchange: Exchange, verified: Verified, accessToken: string, keyThumbprint: string): Outcome {
    const { method, target, head } = exchange.request
    if (head.dpop === undefined || resourceServer === undefined)
      return door.wrong(
        exchange,
        refuse('proof-invalid', { reason: 'no proof came along' }),
        'DPoP',
        'invalid_dpop_proof',
      )
    const demand = { method, url: resourceServer.addressOf(target.path), accessToken, keyThumbprint }
    return resourceServer.proofs.verify(head.dpop, demand).then((outcome: ProvenKey | ProofFault) => {
      exchange.nonce = outcome.nonce
      if (!('error' in outcome)) return welcome(exchange, verified)
      const { error, reason } = outcome
      return door.wrong(exchange, refuse(codes[error], { reason }), 'DPoP', error)
    })
  }

  function welcome(exchange: Exchange, verified: Verified): Refusal | undefined {
    return door.letIn(exchange, rooms.roles.principalOf(verified, route.area))
  }
}

const codes: Readonly<Record<ProofFault['error'], Code>> = {
  invalid_dpop_proof: 'proof-invalid',
  use_dpop_nonce: 'proof-nonce-required',
  invalid_token: 'token-invalid',
}
