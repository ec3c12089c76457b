import { createHmac, type KeyObject } from 'node:crypto'
import { base64url } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import { isHandle, isTime } from '../token/claims.ts'
import type { Members } from '../token/jws.ts'

/** The `typ` that only the token of a service has (RFC 8725 §3.11). */
export const serviceTokenType = 'service+jwt'

/** The longest life of one, in seconds (AK4). */
export const serviceTokenSecondsMax = 300

/** Characters of one at most. */
export const serviceTokenLengthMax = 8_192

/** How far two clocks may stand apart, in seconds. */
const skewSeconds = 60

/** What a service says by a token: who it is, whom it calls, and until when. */
export interface ServiceClaims {
  readonly service: string
  readonly target: string
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

/**
 * Reads the claims of a service's token, all of which have to be there (INVARIANTS A5). Nothing is believed before the
 * signature fits. What a token says beyond them is passed over: what a service may is not for it to say.
 */
export function readServiceClaims(claims: Members, nowSeconds: number): ServiceClaims | { readonly fault: string } {
  const { iss, sub, aud, jti, iat, exp, nbf } = claims
  if (!isHandle(iss) || sub !== iss) return { fault: '`iss` and `sub` are not one name' }
  if (!isHandle(aud)) return { fault: '`aud` is not one target' }
  if (!isHandle(jti)) return { fault: '`jti` is missing' }
  if (!isTime(iat) || !isTime(exp)) return { fault: '`iat` or `exp` is missing' }
  if (nbf !== undefined && (!isTime(nbf) || nbf > nowSeconds + skewSeconds)) return { fault: 'not valid yet' }
  if (iat > nowSeconds + skewSeconds) return { fault: 'issued in the future' }
  if (exp > iat + serviceTokenSecondsMax) return { fault: `good for more than ${serviceTokenSecondsMax} seconds` }
  if (exp <= nowSeconds) return { fault: 'has run out' }
  return { service: iss, target: aud, expiresAt: exp }
}

/** Makes a token of a service for one target, signed with its secret (HS256). */
export function makeServiceToken({
  service,
  target,
  secret,
  lifetimeSeconds = serviceTokenSecondsMax,
  clock,
  random,
}: {
  readonly service: string
  readonly target: string
  readonly secret: KeyObject
  readonly lifetimeSeconds?: number
  readonly clock: Clock
  readonly random: Random
}): string {
  const issuedAt = Math.floor(clock.now() / 1000)
  const header = { alg: 'HS256', typ: serviceTokenType }
  const claims = {
    iss: service,
    sub: service,
    aud: target,
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    jti: uuidv7(clock.now(), random),
  }
  const text = `${encode(header)}.${encode(claims)}`
  return `${text}.${base64url(createHmac('sha256', secret).update(text).digest())}`
}

function encode(part: object): string {
  return base64url(Buffer.from(JSON.stringify(part)))
}
