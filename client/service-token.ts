import { type Clock, systemClock } from '../src/kernel/clock.ts'
import { base64 } from './base64.ts'
import { joined, keyedHash, type SharedSecret } from './keyed-hash.ts'

/**
 * Makes a token with which a service calls through the gate: `Authorization: Bearer <token>`. Runs wherever there is
 * WebCrypto. `target` is whom it is for, and nobody else takes it: the upstream by its name in the configuration of the house;
 * `secret` is the service's own, as it was shown; `lifetimeSeconds` is 300 at most, and 300 where nothing is said. Throws a
 * RangeError for another lifetime.
 *
 * @example
 * const token = await serviceToken({ service: 'billing', target: 'api', secret })
 */
export async function serviceToken({
  service,
  target,
  secret,
  lifetimeSeconds = lifetimeSecondsMax,
  clock = systemClock,
}: {
  readonly service: string
  readonly target: string
  readonly secret: SharedSecret
  readonly lifetimeSeconds?: number
  readonly clock?: Clock
}): Promise<string> {
  if (!(lifetimeSeconds >= 1 && lifetimeSeconds <= lifetimeSecondsMax))
    throw new RangeError(`expected a lifetime of 1 to ${lifetimeSecondsMax} seconds, got ${lifetimeSeconds}`)
  const issuedAt = Math.floor(clock.now() / 1000)
  const claims = {
    iss: service,
    sub: service,
    aud: target,
    iat: issuedAt,
    exp: issuedAt + Math.floor(lifetimeSeconds),
    jti: crypto.randomUUID(),
  }
  const text = `${part({ alg: 'HS256', typ: 'service+jwt' })}.${part(claims)}`
  return `${text}.${base64url(await keyedHash(secret, joined(text)))}`
}

const lifetimeSecondsMax = 300

function part(value: object): string {
  return base64url(joined(JSON.stringify(value)))
}

/** Without padding (RFC 7515 §2). */
function base64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
