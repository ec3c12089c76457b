import type { Adapter, AdapterPayload } from 'oidc-provider'
import { actClaim } from '../authn/actor.ts'
import { fromBase64url } from '../kernel/bytes.ts'
import type { Database } from '../store/database.ts'
import type { ClientBook } from './client-book.ts'
import type { SignedInPerson, TokenFacts } from './counter.ts'
import type { ProviderModule } from './provider-module.ts'
import type { RecordKind, Records } from './records.ts'

/** Where the library finds what it asks for by name. */
export interface Storage {
  readonly db: Database
  readonly records: Records
  readonly clients: ClientBook
  /** Whether this was never said before; it may be forgotten after `expiresAtMs`. */
  readonly isFresh: (said: string, expiresAtMs: number) => Promise<boolean>
  readonly clock: { now(): number }
  person(): SignedInPerson | undefined
  introspect(token: string): Promise<TokenFacts | undefined>
  /** Ends the token that was introspected last. */
  revoke(): Promise<void>
}

const recorded: readonly string[] = [
  'AuthorizationCode',
  'PushedAuthorizationRequest',
  'Interaction',
  'DeviceCode',
  'Grant',
] satisfies RecordKind[]

/** One kind of thing, as the library stores it. What is not among these it has no business storing here. */
export function adapterOf(name: string, module: ProviderModule, storage: Storage): Adapter {
  if (name === 'PushedAuthorizationRequest') return pushedRequests(module, storage)
  if (recorded.includes(name)) return recordsOf(name as RecordKind, module, storage)
  switch (name) {
    case 'Client':
      return {
        ...nothing,
        async find(id) {
          const client = await storage.clients.find(id)
          // A code in a fragment or a form is a code in the wrong hands (RFC 9700 §2.4): every client has it in the query.
          return client === undefined
            ? undefined
            : ({ ...client.metadata, response_modes: ['query'] } as AdapterPayload)
        },
      }
    case 'Session':
      return { ...nothing, find: async () => sessionOf(storage.person(), storage.clock.now()) }
    case 'ReplayDetection':
      return replays(module, storage)
    case 'AccessToken':
    case 'RefreshToken':
      return tokens(name, storage)
    default:
      return nothing
  }
}

const nothing: Adapter = {
  async upsert() {},
  async find() {},
  async findByUserCode() {},
  async findByUid() {},
  async consume() {},
  async destroy() {},
  async revokeByGrantId() {},
}

function recordsOf(kind: RecordKind, { errors }: ProviderModule, { db, records }: Storage): Adapter {
  const read = async (secret: string): Promise<AdapterPayload | undefined> => {
    const record = await records.find(db, kind, secret)
    if (record === undefined) return undefined
    return record.consumedAt === undefined
      ? record.payload
      : { ...record.payload, consumed: Math.floor(record.consumedAt / 1000) }
  }
  return {
    ...nothing,
    async upsert(secret, payload, ttl = 60) {
      const { userCode } = payload
      await records.save(db, kind, secret, payload as Record<string, unknown>, { ttlMs: ttl * 1000, userCode })
    },
    find: read,
    async consume(secret) {
      // The library has looked and found it unspent; of two that did so at once, one gets it here (RFC 9126 §4).
      if (!(await records.take(db, kind, secret))) throw new errors.InvalidRequestUri('it was used a moment ago')
    },
    destroy: (secret) => records.forget(db, kind, secret),
  }
}

/**
 * A pushed request is taken when its code is given, and people take their time: it is kept until then, though nobody begins
 * with it after its minute. Were it forgotten sooner, it would be good in each browser that had begun with it (RFC 9126 §4).
 */
function pushedRequests(module: ProviderModule, storage: Storage): Adapter {
  const records = recordsOf('PushedAuthorizationRequest', module, storage)
  const { clock } = storage
  return {
    ...records,
    upsert(id, payload, ttl = 60) {
      const kept = { ...payload, beginsUntil: clock.now() + ttl * 1000 }
      return records.upsert(id, kept, ttl + answeredWithin)
    },
    async find(id) {
      const payload = await records.find(id)
      // One that is not there is one that was taken: the library would let a code go that it cannot take anything for.
      if (payload === undefined || payload === null) return { jti: id, consumed: 1, exp: 0 }
      return clock.now() < Number(payload['beginsUntil']) ? payload : { ...payload, exp: 0 }
    },
  }
}

/** Seconds: to sign in, and to answer; as long as the request may wait for its person. */
const answeredWithin = 1800

/** Who is signed in is known by our own session: the library is told for each request, and remembers nothing. */
function sessionOf(person: SignedInPerson | undefined, nowMs: number): AdapterPayload | undefined {
  if (person === undefined) return undefined
  const { userId, session, authenticatedAt, acr, amr } = person
  return {
    kind: 'Session',
    jti: session,
    uid: session,
    accountId: userId,
    loginTs: authenticatedAt,
    acr,
    amr: [...amr],
    exp: Math.floor(nowMs / 1000) + 1800,
  }
}

/** The library asks whether it has seen something, and then says that it has: here the second step decides. */
function replays({ errors }: ProviderModule, { isFresh, clock }: Storage): Adapter {
  return {
    ...nothing,
    async upsert(id, _payload, ttl = 300) {
      if (!(await isFresh(`oauth ${id}`, clock.now() + ttl * 1000)))
        throw new errors.InvalidClientAuth('it was used before')
    },
  }
}

/** Tokens as they answer for themselves: those of ours are stored nowhere. */
function tokens(name: 'AccessToken' | 'RefreshToken', { introspect, revoke }: Storage): Adapter {
  return {
    ...nothing,
    async find(value) {
      const facts = await introspect(unveiled(value))
      if (facts === undefined || (facts.kind === 'access') !== (name === 'AccessToken')) return undefined
      return {
        kind: name,
        jti: facts.id,
        clientId: facts.clientId,
        accountId: facts.subject,
        iat: facts.issuedAt,
        exp: facts.expiresAt,
        scope: facts.scope,
        aud: facts.audience,
        jkt: facts.keyThumbprint,
        'x5t#S256': facts.certificateThumbprint,
        ...(facts.actor === undefined ? {} : { extra: { act: actClaim(facts.actor) } }), // RFC 8693 §4.1
      }
    },
    destroy: () => revoke(),
  }
}

/**
 * The library refuses a JWT before it asks anybody, because it could not take one back (RFC 7009 §2.2.1). We can: its text
 * goes in under a veil.
 */
export function veiled(token: string): string {
  return token.split('.').length === 3 ? veil + Buffer.from(token).toString('base64url') : token
}

function unveiled(value: string): string {
  if (!value.startsWith(veil)) return value
  return fromBase64url(value.slice(veil.length))?.toString() ?? ''
}

const veil = 'jwt~'
