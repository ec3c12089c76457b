import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Keyring } from '../../keys/keyring.ts'
import { readActor } from '../actor.ts'
import { methodsOfAmr } from '../proof.ts'
import { assertionType, type SignInClaim } from './assertion.ts'
import { unbound } from './binding.ts'
import { isHandle, isText, isTexts, isTime, scopesOf } from './claims.ts'
import { fits, readJws } from './jws.ts'
import type { TokenService, Verified } from './tokens.ts'

/** A caller as the house asserted them to an upstream. `roles` are those that the upstream was told of. */
export interface AssertedCaller {
  readonly caller: Verified
  /** The upstream that was told, by its name in the configuration. */
  readonly upstream: string
}

/** Longer than any that we write. */
const textMax = 16_384

/**
 * Reads an assertion of ours back: what an upstream was told of a person who signed in, by themself or by a client. It
 * holds for as long as the sign-in behind it does, and for a minute at most. Nothing else than an exchange takes one.
 */
export function readAssertion(
  text: string,
  {
    keyring,
    issuer,
    tokens,
    clock,
  }: {
    readonly keyring: Keyring
    readonly issuer: string
    readonly tokens: Pick<TokenService, 'isOver'>
    readonly clock: Clock
  },
): AssertedCaller | Refusal {
  if (text.length > textMax) return invalid(`longer than ${textMax} characters`)
  const read = readJws(text)
  if ('fault' in read) return invalid(read.fault)
  const { header, claims } = read
  if (header['typ'] !== assertionType) return refuse('token-wrong-type')
  if (header['alg'] !== keyring.algorithm) return invalid('the algorithm is not that of the key')
  const key = typeof header['kid'] === 'string' ? keyring.verifying(header['kid']) : undefined
  if (key === undefined || !fits(key, read)) return invalid('the signature is none of ours')
  const { iss, aud, sub, sub_type, credential, iat, exp, sign_in, act, client_id } = claims
  const now = clock.now() / 1000
  if (iss !== issuer || !isHandle(aud) || !isHandle(sub)) return invalid('a claim is missing')
  if (!isTime(iat) || !isTime(exp)) return invalid('`exp` or `iat` is missing')
  if (exp <= now) return refuse('token-expired')
  if (sub_type !== 'user' || (credential !== 'access-token' && credential !== 'browser-session') || !isSignIn(sign_in))
    return invalid('nobody signed in')
  const actor = readActor(act)
  if (act !== undefined && actor === undefined) return invalid('`act` does not say who')
  if (client_id !== undefined && !isHandle(client_id)) return invalid('`client_id` is not a name')
  const caller: Verified = {
    kind: credential,
    subject: sub,
    tokenId: sign_in.jti,
    session: sign_in.sid,
    roles: isTexts(claims['roles']) ? claims['roles'] : [],
    scopes: scopesOf(claims),
    attributes: {},
    issuedAt: sign_in.iat,
    expiresAt: sign_in.exp,
    proof: { methods: methodsOfAmr([...sign_in.amr]), at: sign_in.auth_time * 1000 },
    actor,
    client: client_id,
    audience: [aud],
    ...unbound,
  }
  if (caller.expiresAt <= now) return refuse('token-expired')
  return tokens.isOver(caller) ? refuse('token-revoked') : { caller, upstream: aud }
}

function isSignIn(value: unknown): value is SignInClaim {
  if (typeof value !== 'object' || value === null) return false
  const { sid, jti, iat, exp, auth_time, amr } = value as Partial<Record<keyof SignInClaim, unknown>>
  return (
    isHandle(sid) &&
    isHandle(jti) &&
    isTime(iat) &&
    isTime(exp) &&
    isTime(auth_time) &&
    isTexts(amr) &&
    amr.every(isText)
  )
}

function invalid(reason: string): Refusal {
  return refuse('token-invalid', { reason })
}
