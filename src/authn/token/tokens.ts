import { z } from 'zod'
import { base64url, fromBase64url, sha256Hex } from '../../kernel/bytes.ts'
import { GenerationCache } from '../../kernel/cache.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Fault, type Refusal, refuse } from '../../kernel/error.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import { parseStrict } from '../../kernel/json.ts'
import { duration, secretRef } from '../../kernel/shape.ts'
import type { Keyring } from '../../keys/keyring.ts'
import { signatures } from '../../keys/signatures.ts'
import { amrOf, levelOf, methodsOfAmr, type Proof } from '../proof.ts'
import type { Revocations } from '../session/revocations.ts'
import { refreshTokenPrefix } from '../session/sessions.ts'

export const tokenOptions = z.strictObject({
  issuer: z.string().min(1).max(256).default('gatehouse'),
  audience: z.string().min(1).max(256).default('gatehouse'),
  algorithm: z
    .enum(['EdDSA', 'ES256', 'RS256', 'HS256'], { error: 'expected `EdDSA`, `ES256`, `RS256` or `HS256`' })
    .default('EdDSA'),
  secret: secretRef.optional(),
  accessTtl: duration.refine((ms) => ms >= 10_000 && ms <= 86_400_000, 'expected `10s` to `24h`').default(900_000),
  refreshTtl: duration.refine((ms) => ms >= 60_000, 'expected at least `1m`').default(2_592_000_000),
  refreshGrace: duration.refine((ms) => ms <= 60_000, 'expected at most `60s`').default(10_000),
  /** Claims beside `sub iat exp iss aud jti sid type roles auth_time acr amr`; `roles` may be named, and is there anyway. */
  claims: z.array(z.enum(['email', 'name', 'user_id', 'permissions', 'roles', 'scope'])).default([]),
})

export type TokenOptions = z.output<typeof tokenOptions>

/** Whom a token speaks of. */
export interface TokenSubject {
  readonly subject: string
  readonly session: string
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  readonly email: string
  readonly name: string
  readonly proof: Proof
  /** Who acts as the subject, and until when, in milliseconds since the epoch. */
  readonly impersonator?: { readonly id: string; readonly untilMs: number } | undefined
}

/** A credential that held: what it says, and nothing of its text. */
export interface Verified {
  readonly kind: 'access-token' | 'browser-session'
  readonly subject: string
  readonly tokenId: string
  readonly session: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly attributes: Readonly<Record<string, string>>
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
  readonly proof: Proof
  /** The account that acts as the subject (RFC 8693 §4.1 `act`). */
  readonly impersonator: string | undefined
}

/** Issues access tokens and checks them (RFC 7519, RFC 9068, RFC 8725). */
export interface TokenService {
  issue(whom: TokenSubject): { readonly token: string; readonly expiresInSeconds: number }
  /** What the token says, or why it does not hold. The caller learns one of four sentences; `reason` is for the log. */
  verify(token: string): Verified | Refusal
  /** Forgets what was verified. */
  clear(): void
}

interface TokenParts {
  readonly options: TokenOptions
  readonly keyring: Keyring
  readonly revocations: Revocations
  readonly clock: Clock
  readonly random: Random
}

const textMax = 8_192
/** How far two clocks may stand apart. */
const skewSeconds = 60
const cacheMs = 60_000
const cacheCapacity = 20_000
/** Access tokens say what they are (RFC 9068 §2.1), so that no other JWT of ours is taken for one (RFC 8725 §3.11). */
const accessType = 'at+jwt'

export function openTokens({ options, keyring, revocations, clock, random }: TokenParts): TokenService {
  const cache = new GenerationCache<string, { readonly verified: Verified; readonly until: number }>(cacheCapacity)

  return {
    issue(whom) {
      const now = clock.now()
      const issuedAt = Math.floor(now / 1000)
      const longest = issuedAt + Math.floor(options.accessTtl / 1000)
      const { impersonator } = whom
      const expiresAt =
        impersonator === undefined ? longest : Math.min(longest, Math.floor(impersonator.untilMs / 1000))
      const key = keyring.signing()
      const header = { alg: key.algorithm, typ: accessType, kid: key.kid }
      const claims = {
        iss: options.issuer,
        aud: options.audience,
        sub: whom.subject,
        iat: issuedAt,
        exp: expiresAt,
        jti: uuidv7(now, random),
        sid: whom.session,
        type: 'access',
        roles: whom.roles,
        auth_time: Math.floor(whom.proof.at / 1000),
        acr: levelOf(whom.proof.methods),
        amr: amrOf(whom.proof.methods),
        ...(impersonator === undefined ? {} : { act: { sub: impersonator.id } }),
        ...configured(whom, options.claims),
      }
      const signed = `${encode(header)}.${encode(claims)}`
      const token = `${signed}.${base64url(signatures[key.algorithm].sign(key, signed))}`
      if (token.length > textMax) {
        const told = `an access token for \`${whom.subject}\` has ${token.length} characters, and more than ${textMax} are never read`
        throw new Fault('internal', `${told}: name fewer \`tokens.claims\`, or give the account fewer roles`)
      }
      return { token, expiresInSeconds: expiresAt - issuedAt }
    },

    verify(token) {
      if (token.startsWith(refreshTokenPrefix)) return refuse('token-wrong-type')
      if (token.length > textMax) return invalid(`longer than ${textMax} characters`)
      const now = clock.now()
      // A digest for a key: the cache holds no credential, and a long token costs no more room than a short one.
      const name = sha256Hex(token)
      const known = cache.get(name)
      let verified: Verified
      if (known !== undefined && known.until > now) {
        verified = known.verified
      } else {
        const outcome = check(token, now)
        if ('code' in outcome) return outcome
        verified = outcome
        cache.set(name, { verified, until: Math.min(now + cacheMs, verified.expiresAt * 1000) })
      }
      if (revocations.isRevoked(verified.session, verified.tokenId)) return refuse('token-revoked')
      return verified
    },

    clear: () => cache.clear(),
  }

  /** Every check of RFC 8725 that a token of ours can fail, in the order of their cost. */
  function check(token: string, nowMs: number): Verified | Refusal {
    const parts = token.split('.', 4)
    if (parts.length !== 3) return invalid('not three parts')
    const [headerText = '', payloadText = '', signatureText = ''] = parts
    const header = decode(headerText)
    const signature = fromBase64url(signatureText)
    if (header === undefined) return invalid('the header is not one JSON object in canonical base64url')
    if (signature === undefined) return invalid('the signature is not canonical base64url')
    for (const name of Object.keys(header)) {
      if (name !== 'alg' && name !== 'typ' && name !== 'kid')
        return invalid(`header \`${name.slice(0, 32)}\` is none of ours`) // crit, jwk, jku, x5c, zip …
    }
    // The key decides the algorithm; the header may only agree (RFC 8725 §3.1).
    const key = typeof header['kid'] === 'string' ? keyring.verifying(header['kid']) : undefined
    if (key === undefined) return invalid('the key is not known')
    if (header['alg'] !== key.algorithm) return invalid('the algorithm is not that of the key')
    if (!signatures[key.algorithm].verify(key, `${headerText}.${payloadText}`, signature))
      return invalid('the signature does not fit')
    const claims = decode(payloadText)
    if (claims === undefined) return invalid('the payload is not one JSON object in canonical base64url')
    // Signed by us, and made for something else: the caller may know that much.
    if (typeof claims['type'] === 'string' && claims['type'] !== 'access') return refuse('token-wrong-type')
    if (header['typ'] !== accessType || claims['type'] !== 'access') return invalid('not marked as an access token')
    return judge(claims, nowMs / 1000)
  }

  function judge(claims: Claims, now: number): Verified | Refusal {
    const { iss, aud, sub, jti, sid, iat, exp, nbf, roles, scope, auth_time, amr, act } = claims
    if (iss !== options.issuer) return invalid('another issuer')
    if (aud !== options.audience && !(Array.isArray(aud) && aud.includes(options.audience)))
      return invalid('another audience')
    if (!isHandle(sub) || !isHandle(jti) || !isHandle(sid)) return invalid('a claim is missing')
    if (!isTime(exp) || !isTime(iat)) return invalid('`exp` or `iat` is missing')
    if (nbf !== undefined && (!isTime(nbf) || nbf > now + skewSeconds)) return invalid('not valid yet')
    if (iat > now + skewSeconds) return invalid('issued in the future')
    // No token outlives today's `accessTtl`, be it from before that was lowered: revocations are not kept for longer.
    const expiresAt = Math.min(exp, iat + Math.floor(options.accessTtl / 1000))
    if (expiresAt <= now) return refuse('token-expired')
    if (!Array.isArray(roles) || !roles.every(isText)) return invalid('`roles` is not a list of names')
    if (act !== undefined && !isActor(act)) return invalid('`act` does not say who')
    return {
      kind: 'access-token',
      subject: sub,
      tokenId: jti,
      session: sid,
      roles,
      scopes: typeof scope === 'string' && scope !== '' ? scope.split(' ') : [],
      attributes: textsOf(claims),
      issuedAt: iat,
      expiresAt,
      // One that does not say when its person was proven is as good as proven long ago.
      proof: {
        methods: Array.isArray(amr) ? methodsOfAmr(amr.filter(isText)) : [],
        at: isTime(auth_time) ? auth_time * 1000 : 0,
      },
      impersonator: act?.sub,
    }
  }
}

type Claims = Readonly<Record<string, unknown>>

function configured(
  { subject, email, name, roles, permissions }: TokenSubject,
  wanted: TokenOptions['claims'],
): Record<string, unknown> {
  const all = { email, name, user_id: subject, permissions, roles, scope: permissions.join(' ') }
  return Object.fromEntries(wanted.map((claim) => [claim, all[claim]]))
}

function encode(part: object): string {
  return base64url(Buffer.from(JSON.stringify(part)))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(text: string): Claims | undefined {
  const bytes = fromBase64url(text)
  if (bytes === undefined) return undefined
  let json: string
  try {
    json = utf8.decode(bytes)
  } catch {
    return undefined
  }
  const parsed = parseStrict(json)
  if ('error' in parsed || typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value))
    return undefined
  return parsed.value as Claims
}

/** What cannot be named cannot be revoked. */
function isHandle(value: unknown): value is string {
  return isText(value) && value !== ''
}

/** Half a surrogate pair is no text: neither a header nor the audit log could repeat it. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

function isActor(value: unknown): value is { readonly sub: string } {
  return typeof value === 'object' && value !== null && 'sub' in value && isHandle(value.sub)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < year10000
}

/** Seconds since the epoch. What claims to come later is no time but an attempt. */
const year10000 = 253_402_300_800

/** Facts about the person that a decision may want. */
function textsOf(claims: Claims): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const name of ['email', 'name']) {
    const value = claims[name]
    if (isText(value)) texts[name] = value
  }
  return texts
}

function invalid(reason: string): Refusal {
  return refuse('token-invalid', { reason })
}
