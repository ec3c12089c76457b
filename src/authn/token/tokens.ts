import assert from 'node:assert/strict'
import { z } from 'zod'
import { sha256Hex } from '../../kernel/bytes.ts'
import { GenerationCache } from '../../kernel/cache.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Fault, type Refusal, refuse } from '../../kernel/error.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import { duration, secretRef } from '../../kernel/shape.ts'
import type { Keyring } from '../../keys/keyring.ts'
import { rotationOptions } from '../../keys/options.ts'
import { type Actor, actClaim, actorsOf, readActor } from '../actor.ts'
import { amrOf, levelOf, methodsOfAmr, type Proof } from '../proof.ts'
import { refreshTokenPrefix } from '../session/refresh-tokens.ts'
import type { Revocations } from '../session/revocations.ts'
import { type Binding, confirmationOf, readConfirmation, unbound } from './binding.ts'
import { attributesOf, isHandle, isText, isTexts, isTime, scopesOf } from './claims.ts'
import { type IdTokenSubject, idTokenClaims } from './id-token.ts'
import { fits, type Members, readJws, writeJws } from './jws.ts'

export const tokenOptions = z
  .strictObject({
    issuer: z.string().min(1).max(256).default('gatehouse'),
    audience: z.string().min(1).max(256).default('gatehouse'),
    algorithm: z
      .enum(['EdDSA', 'ES256', 'RS256', 'HS256'], { error: 'expected `EdDSA`, `ES256`, `RS256` or `HS256`' })
      .default('EdDSA'),
    secret: secretRef.optional(),
    /** Secrets that signed before `secret` did: their tokens still verify. Leave them out when the last has run out. */
    previousSecrets: z.array(secretRef).max(8).default([]),
    rotation: rotationOptions.prefault({}),
    accessTtl: duration.refine((ms) => ms >= 10_000 && ms <= 86_400_000, 'expected `10s` to `24h`').default(900_000),
    /** The absolute life of a family of refresh tokens. */
    refreshTtl: duration.refine((ms) => ms >= 60_000, 'expected at least `1m`').default(2_592_000_000),
    /** How long it lives without a sign of life: `14d`, or `refreshTtl` where that is less. */
    refreshIdle: duration.refine((ms) => ms >= 60_000, 'expected at least `1m`').optional(),
    refreshGrace: duration.refine((ms) => ms <= 60_000, 'expected at most `60s`').default(10_000),
    /** Claims beside `sub iat exp iss aud jti sid type roles auth_time acr amr`; `roles` may be named, and is there anyway. */
    claims: z.array(z.enum(['email', 'name', 'user_id', 'permissions', 'roles', 'scope'])).default([]),
  })
  .refine(({ refreshIdle, refreshTtl }) => refreshIdle === undefined || refreshIdle <= refreshTtl, {
    path: ['refreshIdle'],
    message: 'expected no more than `refreshTtl`',
  })
  .refine(({ secret, previousSecrets }) => secret !== undefined || previousSecrets.length === 0, {
    path: ['previousSecrets'],
    message: 'belongs to `secret`: keys that the house makes are kept by the house',
  })
  .transform((options) => ({
    ...options,
    refreshIdle: options.refreshIdle ?? Math.min(twoWeeksMs, options.refreshTtl),
  }))

export type TokenOptions = z.output<typeof tokenOptions>

const twoWeeksMs = 14 * 86_400_000

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
  /** The OAuth client that will hold the token, where it is not one of our own. */
  readonly client?: ClientBearer | undefined
  /** Who had the errand handed on to them, the client first, and until when, in milliseconds since the epoch. */
  readonly delegation?: { readonly actor: Actor; readonly untilMs: number } | undefined
}

/** A program of other people that holds a token: it may what it was granted, where it was granted it. */
export interface ClientBearer extends Binding {
  readonly id: string
  readonly scopes: readonly string[]
  /** The resource that the token is for (RFC 8707 §2). */
  readonly audience: string
}

/** A credential that held: what it says, and nothing of its text. */
export interface Verified extends Binding {
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
  /** Who acts as the subject (RFC 8693 §4.1 `act`). */
  readonly actor: Actor | undefined
  /** The OAuth client that holds it (RFC 9068 §2.2 `client_id`); undefined for our own sign-in. */
  readonly client: string | undefined
  /** Whom the token is meant for: our own audience, or one resource of ours. */
  readonly audience: readonly string[]
}

export interface Issued {
  readonly token: string
  readonly expiresInSeconds: number
}

/** Issues tokens and checks access tokens (RFC 7519, RFC 9068, RFC 8725). */
export interface TokenService {
  /** How long an access token lives at most. */
  readonly accessTtlMs: number
  /** An access token of our own sign-in; or, with `client`, one for a program of other people. */
  issue(whom: TokenSubject): Issued
  /** An access token for a client by itself, with no person behind it (RFC 6749 §4.4). */
  issueForClient(client: ClientBearer): Issued
  /** What a client learns of the person who signed in (OpenID Connect Core §2). It is good for nothing here (A4). */
  issueIdToken(whom: IdTokenSubject): string
  /**
   * What the token says, or why it does not hold. The caller learns one of four sentences; `reason` is for the log. `before` is asked
   * before the signature of one is checked that was not good here already: its refusal is the answer then.
   */
  verify(token: string, before?: () => Refusal | undefined): Verified | Refusal
  /** Whether what was verified before has ended since: by itself, its session, its person, or a client that had it. */
  isOver(verified: Verified): boolean
  /** Forgets what was verified. */
  clear(): void
}

export interface TokenParts {
  readonly options: TokenOptions
  readonly keyring: Keyring
  /** Signs ID tokens, which others verify: asymmetric. The keyring itself, where it is. */
  readonly idKeyring?: Keyring | undefined
  readonly revocations: Revocations
  readonly clock: Clock
  readonly random: Random
  /** The authorization server, where there is one: how it is called in tokens, and whom they can be for. */
  readonly oauth?: TokenClients | undefined
}

/** What there is to know of clients of other people. */
export interface TokenClients {
  readonly issuer: string
  readonly audiences: ReadonlySet<string>
  /** Whether clients, the one that holds the token first, may still act for somebody with these scopes; every one, where it is left out. */
  readonly mayAct?: (clients: readonly string[], scopes: readonly string[]) => boolean
}

const textMax = 8_192
/** How far two clocks may stand apart. */
const skewSeconds = 60
const cacheMs = 60_000
const cacheCapacity = 20_000
/** Access tokens say what they are (RFC 9068 §2.1), so that no other JWT of ours is taken for one (RFC 8725 §3.11). */
const accessType = 'at+jwt'
const idType = 'JWT'

/**
 * One line for each thing that we sign: who signs it, as what, and so by which algorithm and keys (RFC 8725 §3.1, §3.11).
 * A token says which line it wants to be judged by, and nothing more.
 */
interface Row {
  readonly issuer: string
  readonly type: typeof accessType | typeof idType
  /** Whether it names the client that holds it: two of our issuers may have one name. */
  readonly namesClient: boolean
  readonly keys: Keyring
  /** Whom it may be for; undefined for what is not ours to take. */
  readonly audiences: ReadonlySet<string> | undefined
}

/** A token that held, and as of when. */
interface Known {
  readonly verified: Verified
  readonly kid: string
  /** Milliseconds since the epoch. */
  readonly until: number
  /** Nothing that has ended by this epoch touches it. */
  goodAt: number
}

export function openTokens(parts: TokenParts): TokenService {
  const { options, keyring, idKeyring = keyring, revocations, clock, random, oauth } = parts
  const accessTtl = Math.floor(options.accessTtl / 1000)
  const cache = new GenerationCache<string, Known>(cacheCapacity)
  const own = new Set([options.audience])
  // biome-ignore format: a table
  const rows: readonly Row[] = [
    { issuer: options.issuer, type: accessType, namesClient: false, keys: keyring, audiences: own },
    ...(oauth === undefined ? [] : [
      { issuer: oauth.issuer, type: accessType, namesClient: true,  keys: keyring,   audiences: oauth.audiences } as const,
      { issuer: oauth.issuer, type: idType,     namesClient: false, keys: idKeyring, audiences: undefined } as const,
    ]),
  ]
  const issuers = new Set(rows.map(({ issuer }) => issuer))

  return {
    accessTtlMs: options.accessTtl,

    issue(whom) {
      const { client, impersonator, delegation } = whom
      const person = {
        sub: whom.subject,
        sid: whom.session,
        roles: whom.roles,
        auth_time: Math.floor(whom.proof.at / 1000),
        acr: levelOf(whom.proof.methods),
        amr: amrOf(whom.proof.methods),
      }
      // What else a token may tell of a person is for our own programs: others are told by their scopes, in an ID token.
      if (client === undefined) {
        assert(delegation === undefined, 'an errand is handed to a client')
        const act = impersonator === undefined ? {} : { act: actClaim(impersonator) }
        const claims = { ...person, ...act, ...configured(whom, options.claims) }
        return sign(options.issuer, options.audience, claims, impersonator?.untilMs)
      }
      assert(impersonator === undefined, 'nobody lends a client what is not theirs')
      if (delegation === undefined) return signForClient(client, person)
      const { actor, untilMs } = delegation
      assert(actor.id === client.id, 'whoever holds the token is who acts now')
      return signForClient(client, { ...person, act: actClaim(actor) }, untilMs)
    },

    issueForClient(client) {
      assert(!isPerson(client.id), 'a client is called as no person can be (RFC 9700 §4.15)')
      return signForClient(client, { sub: client.id, sid: clientSession(client.id), roles: [] })
    },

    issueIdToken(whom) {
      assert(oauth !== undefined, 'ID tokens come from an authorization server')
      assert(idKeyring.algorithm !== 'HS256', 'others cannot verify what is signed by our secret')
      const claims = idTokenClaims(whom, oauth.issuer, idKeyring.algorithm, clock.now())
      return writeJws(idKeyring.signing(), idType, claims)
    },

    verify(token, before) {
      if (token.startsWith(refreshTokenPrefix)) return refuse('token-wrong-type')
      if (token.length > textMax) return invalid(`longer than ${textMax} characters`)
      const now = clock.now()
      const epoch = revocations.epoch + keyring.epoch
      // A digest for a key: the cache holds no credential, and a long token costs no more room than a short one.
      const name = sha256Hex(token)
      const known = cache.get(name)
      if (known !== undefined && known.until > now) {
        if (known.goodAt === epoch) return known.verified
        if (keyring.verifying(known.kid) === undefined) return invalid('the key is not known any more')
        if (isOver(known.verified)) return refuse('token-revoked')
        known.goodAt = epoch
        return known.verified
      }
      if (known !== undefined && isOver(known.verified)) return refuse('token-revoked')
      // Who is at work is at work for longer than what was found is kept: only what is new here, or over, has to wait.
      const isNew = known === undefined || known.verified.expiresAt * 1000 <= now
      const outcome = (isNew ? before?.() : undefined) ?? check(token, now)
      if ('code' in outcome) return outcome
      const { verified, kid } = outcome
      if (isOver(verified)) return refuse('token-revoked')
      cache.set(name, { verified, kid, until: Math.min(now + cacheMs, verified.expiresAt * 1000), goodAt: epoch })
      return verified
    },

    isOver,

    clear: () => cache.clear(),
  }

  /**
   * Whether it has ended, or what it came of. The session of a token that was handed on belongs to the client that had it
   * first; the others have none here, and are cut off by the moment of the token alone.
   */
  function isOver(verified: Verified): boolean {
    const { actor, client } = verified
    if (actor === undefined || client === undefined) return revocations.isRevoked(verified)
    const [first, ...later] = actorsOf(actor).toReversed()
    return (
      revocations.isRevoked({ ...verified, client: first }) ||
      later.some((one) => revocations.isRevoked({ ...verified, session: clientSession(one), client: one }))
    )
  }

  function signForClient({ id, scopes, audience, ...binding }: ClientBearer, whom: Members, untilMs?: number): Issued {
    assert(oauth !== undefined, 'tokens for clients come from an authorization server')
    assert(oauth.audiences.has(audience), 'a token is for a resource of ours')
    const claims = {
      ...whom,
      client_id: id,
      ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
      ...confirmationOf(binding),
    }
    return sign(oauth.issuer, audience, claims, untilMs)
  }

  function sign(issuer: string, audience: string, claims: Members, untilMs = Number.POSITIVE_INFINITY): Issued {
    const now = clock.now()
    const issuedAt = Math.floor(now / 1000)
    const expiresAt = Math.min(issuedAt + accessTtl, Math.floor(untilMs / 1000))
    const jti = uuidv7(now, random)
    const head = { iss: issuer, aud: audience, iat: issuedAt, exp: expiresAt, jti, type: 'access' }
    const token = writeJws(keyring.signing(), accessType, { ...claims, ...head })
    if (token.length > textMax) {
      const told = `an access token for \`${claims['sub']}\` has ${token.length} characters, and more than ${textMax} are never read`
      throw new Fault('internal', `${told}: name fewer \`tokens.claims\`, or give the account fewer roles`)
    }
    return { token, expiresInSeconds: expiresAt - issuedAt }
  }

  /** Every check of RFC 8725 that a token of ours can fail. */
  function check(token: string, nowMs: number): { readonly verified: Verified; readonly kid: string } | Refusal {
    const read = readJws(token)
    if ('fault' in read) return invalid(read.fault)
    const { header, claims } = read
    const row = rows.find(
      ({ issuer, type, namesClient }) =>
        issuer === claims['iss'] && type === header['typ'] && namesClient === Object.hasOwn(claims, 'client_id'),
    )
    if (row === undefined)
      return invalid(issuers.has(claims['iss'] as string) ? 'not marked as an access token' : 'another issuer')
    // The line decides the algorithm and the keys; the header may only agree (RFC 8725 §3.1).
    if (header['alg'] !== row.keys.algorithm) return invalid('the algorithm is not that of the key')
    const key = typeof header['kid'] === 'string' ? row.keys.verifying(header['kid']) : undefined
    if (key === undefined) return invalid('the key is not known')
    if (!fits(key, read)) return invalid('the signature does not fit')
    // Signed by us, and made for something else: the caller may know that much.
    if (row.audiences === undefined) return refuse('token-wrong-type')
    if (typeof claims['type'] === 'string' && claims['type'] !== 'access') return refuse('token-wrong-type')
    if (claims['type'] !== 'access') return invalid('not marked as an access token')
    const verified = judge(claims, row.audiences, nowMs / 1000)
    return 'code' in verified ? verified : { verified, kid: key.kid }
  }

  function judge(claims: Members, audiences: ReadonlySet<string>, now: number): Verified | Refusal {
    const { aud, sub, jti, sid, iat, exp, nbf, roles, scope, auth_time, amr, act, cnf, client_id } = claims
    const audience = (Array.isArray(aud) ? aud : [aud]).filter((one) => audiences.has(one))
    if (audience.length === 0) return invalid('another audience')
    if (!isHandle(sub) || !isHandle(jti) || !isHandle(sid)) return invalid('a claim is missing')
    if (!isTime(exp) || !isTime(iat)) return invalid('`exp` or `iat` is missing')
    if (nbf !== undefined && (!isTime(nbf) || nbf > now + skewSeconds)) return invalid('not valid yet')
    if (iat > now + skewSeconds) return invalid('issued in the future')
    // No token outlives today's `accessTtl`, be it from before that was lowered: revocations are not kept for longer.
    const expiresAt = Math.min(exp, iat + accessTtl)
    if (expiresAt <= now) return refuse('token-expired')
    if (!isTexts(roles)) return invalid('`roles` is not a list of names')
    const actor = readActor(act)
    if (act !== undefined && actor === undefined) return invalid('`act` does not say who')
    // A token that wants a proof, and cannot be asked for it, is not good without one.
    const binding = cnf === undefined ? unbound : readConfirmation(cnf)
    if (binding === undefined) return invalid('`cnf` is not a thumbprint')
    if (client_id !== undefined) {
      if (!isHandle(client_id)) return invalid('`client_id` is not a name')
      if (scope !== undefined && !isText(scope)) return invalid('`scope` is not a text')
      // A client by itself holds no roles and belongs to no session (RFC 9700 §4.15).
      const alone = sub === client_id
      if (alone !== (sid === clientSession(client_id)) || (alone && roles.length > 0))
        return invalid('neither a person’s nor the client’s own')
      if (actor !== undefined) {
        if (alone || actor.id !== client_id) return invalid('`act` and `client_id` are of two')
        if (oauth?.mayAct?.(actorsOf(actor), scopesOf(claims)) === false)
          return refuse('token-revoked', { reason: 'a client may not act with these scopes any more' })
      }
    }
    return {
      kind: 'access-token',
      subject: sub,
      tokenId: jti,
      session: sid,
      roles,
      scopes: scopesOf(claims),
      attributes: attributesOf(claims),
      issuedAt: iat,
      expiresAt,
      // One that does not say when its person was proven is as good as proven long ago.
      proof: {
        methods: Array.isArray(amr) ? methodsOfAmr(amr.filter(isText)) : [],
        at: isTime(auth_time) ? auth_time * 1000 : 0,
      },
      actor,
      client: client_id,
      audience,
      ...binding,
    }
  }
}

function configured(
  { subject, email, name, roles, permissions }: TokenSubject,
  wanted: TokenOptions['claims'],
): Members {
  const all = { email, name, user_id: subject, permissions, roles, scope: permissions.join(' ') }
  return Object.fromEntries(wanted.map((claim) => [claim, all[claim]]))
}

/** What all tokens of a client by itself belong to, so that they can be told from those of a person's session. */
function clientSession(clientId: string): string {
  return `client:${clientId}`
}

/** People are called by UUIDs (INVARIANTS A34). */
function isPerson(id: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
}

function invalid(reason: string): Refusal {
  return refuse('token-invalid', { reason })
}
