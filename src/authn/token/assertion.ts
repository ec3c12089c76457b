import type { Clock } from '../../kernel/clock.ts'
import type { Keyring } from '../../keys/keyring.ts'
import { actClaim } from '../actor.ts'
import type { Principal } from '../principal.ts'
import { amrOf } from '../proof.ts'
import { writeJws } from './jws.ts'

/** The `typ` of an assertion: no other token of ours has it, and none of them is taken for one. */
export const assertionType = 'gatehouse-assertion+jwt'

/** How long an assertion holds, in seconds: what an upstream is told of a caller is never older. */
export const assertionTtlSeconds = 60

/**
 * Says to an upstream who asks, in a JWT that it can verify with our JWK Set (RFC 7519): issuer, the upstream's name as
 * audience, the subject and what it holds. It is for the upstream alone, and no credential: of our endpoints only the exchange
 * of tokens takes one (RFC 8693), from the client that this upstream is. One is made for a principal and an upstream, and used
 * for half of its life.
 */
export class Assertions {
  readonly #keyring: Keyring
  readonly #issuer: string
  readonly #clock: Clock
  readonly #made = new WeakMap<Principal, Map<string, Made>>()

  constructor({
    keyring,
    issuer,
    clock,
  }: { readonly keyring: Keyring; readonly issuer: string; readonly clock: Clock }) {
    this.#keyring = keyring
    this.#issuer = issuer
    this.#clock = clock
  }

  /** `exchanges`: whether the upstream may act for its callers, and so is told of the sign-in behind them. */
  of(principal: Principal, upstream: string, exchanges = false): string {
    let byUpstream = this.#made.get(principal)
    if (byUpstream === undefined) {
      byUpstream = new Map()
      this.#made.set(principal, byUpstream)
    }
    const key = this.#keyring.signing()
    const issuedAt = Math.floor(this.#clock.now() / 1000)
    const known = byUpstream.get(upstream)
    if (known !== undefined && known.kid === key.kid && Math.abs(issuedAt - known.issuedAt) < assertionTtlSeconds / 2)
      return known.text
    const text = writeJws(key, assertionType, {
      ...claimsOf(principal),
      ...(exchanges && 'proof' in principal.credential ? { sign_in: signInOf(principal.credential) } : {}),
      iss: this.#issuer,
      aud: upstream,
      iat: issuedAt,
      exp: issuedAt + assertionTtlSeconds,
    })
    byUpstream.set(upstream, { kid: key.kid, issuedAt, text })
    return text
  }
}

interface Made {
  readonly kid: string
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly text: string
}

function claimsOf({ type, id, credential, roles, permissions, scopes, actor, client }: Principal): object {
  return {
    sub: id,
    sub_type: type,
    credential: credential.kind,
    roles,
    permissions: [...permissions],
    ...(scopes.size === 0 ? {} : { scope: [...scopes].join(' ') }),
    ...(client === undefined ? {} : { client_id: client }),
    ...(actor === undefined ? {} : { act: actClaim(actor) }), // RFC 8693 §4.1
  }
}

/** The sign-in behind a caller, by handles: what is handed on in their name ends with it. */
export interface SignInClaim {
  readonly sid: string
  readonly jti: string
  /** Seconds since the epoch, as of the credential. */
  readonly iat: number
  readonly exp: number
  readonly auth_time: number
  /** RFC 8176. */
  readonly amr: readonly string[]
}

function signInOf({
  id,
  session,
  issuedAt,
  expiresAt,
  proof,
}: Extract<Principal['credential'], { proof: unknown }>): SignInClaim {
  return {
    sid: session,
    jti: id,
    iat: issuedAt,
    exp: expiresAt,
    auth_time: Math.floor(proof.at / 1000),
    amr: amrOf(proof.methods),
  }
}
