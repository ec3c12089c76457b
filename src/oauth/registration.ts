import type { Tickets } from '../authn/ticket/tickets.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../store/database.ts'
import { responseTypesOf } from './client-metadata.ts'
import type { Clients, ClientView } from './clients.ts'
import type { OauthOptions } from './options.ts'
import { type MetadataRefusal, policed, type ScopePolicy } from './registration-policy.ts'

/** A no to a client that wants to register itself. */
export type RegistrationRefusal =
  | MetadataRefusal
  /** The initial access token is missing or not good (RFC 6750 §3.1): 401. */
  | { readonly error: 'invalid_token'; readonly description: string }
  /** Nobody registers themselves here: 403. */
  | { readonly error: 'access_denied'; readonly description: string }
  /** A quota is used up: 429, or 503 for the one of all. */
  | { readonly error: 'temporarily_unavailable'; readonly description: string; readonly retryAfterMs: number }

/** Who asks. */
export interface Registrant {
  /** As failures are counted: IPv6 by /64. */
  readonly address: string
  /** The initial access token, where one came. */
  readonly token: string | undefined
}

export interface Registered {
  readonly client: ClientView
  /** Shown once; undefined for a client that has none. */
  readonly secret: string | undefined
}

interface RegistrationParts {
  readonly clock: Clock
  readonly clients: Clients
  readonly tickets: Tickets
  readonly options: OauthOptions['registration']
  readonly scopes: ScopePolicy
}

/** Clients that make themselves known (RFC 7591): with a token of an operator's, or freely within a quota (A30). */
export class Registration {
  readonly #parts: RegistrationParts

  constructor(parts: RegistrationParts) {
    this.#parts = parts
  }

  get access(): OauthOptions['registration']['access'] {
    return this.#parts.options.access
  }

  /** A token with which one client may register itself, shown once. */
  invite(trx: Database, by: string, ttlMs: number): Promise<string> {
    return this.#parts.tickets.issue(trx, { purpose: 'client-registration', subject: by, holds: { by }, ttlMs })
  }

  /** Registers a client, in the transaction of whoever tells of it: what refuses it has changed nothing. */
  async register(trx: Database, registrant: Registrant, said: unknown): Promise<Registered | RegistrationRefusal> {
    if (this.access === 'closed')
      return { error: 'access_denied', description: 'clients do not register themselves here' }
    // Judged before anything is spent: a mistake costs no token.
    // A token that was given has to be good, or nobody is registered.
    const judged = policed(said, this.#parts.scopes, registrant.token !== undefined)
    if ('error' in judged) return judged
    const { metadata } = judged
    const refused = await this.mayRegister(trx, registrant)
    if (refused !== undefined) return refused
    const { clients } = this.#parts
    const inserted = await clients.insert(trx, { origin: 'registered', metadata })
    if ('taken' in inserted) throw new Error('an id of 128 random bits is taken')
    const { client } = inserted
    const shared = metadata.token_endpoint_auth_method.startsWith('client_secret')
    const secret = shared ? (await clients.secrets.add(trx, client.id, undefined))?.secret : undefined
    return { client, secret }
  }

  /**
   * Takes what a registration costs, where there is room for one more: a token, or a place in the quota of an address. Who
   * counts holds the count until the transaction ends, so that of many at one moment no more pass than one after another.
   */
  async mayRegister(trx: Database, { address, token }: Registrant): Promise<RegistrationRefusal | undefined> {
    const { clock, tickets, options } = this.#parts
    const { access, perAddress } = options
    await this.#holdCount(trx)
    if (!(await this.#hasRoom(trx))) return { ...tooMany, description: 'as many clients as may be are registered' }
    if (token !== undefined || access === 'token') {
      const taken = token === undefined ? undefined : await tickets.take(trx, 'client-registration', token)
      return taken?.kind === 'good' ? undefined : badToken
    }
    const recent = await tickets.countSince(trx, 'client-registered', address, clock.now() - hourMs)
    if (recent >= perAddress)
      return { ...tooMany, description: `an address may register ${perAddress} clients in an hour` }
    await tickets.issue(trx, { purpose: 'client-registered', subject: address, holds: {}, ttlMs: hourMs })
    return undefined
  }

  /** Forgets clients that registered themselves and that nobody has allowed anything. */
  async sweep(db: Database): Promise<void> {
    await this.#parts.clients.sweepUnused(db, this.#parts.clock.now() - this.#parts.options.unusedFor)
  }

  async #hasRoom(trx: Database): Promise<boolean> {
    const { clients } = this.#parts.options
    if ((await this.#count(trx)) < clients) return true
    await this.sweep(trx)
    return (await this.#count(trx)) < clients
  }

  async #count(trx: Database): Promise<number> {
    const { registered } = await trx
      .selectFrom('oauth_clients')
      .select((of) => of.fn.countAll<number>().as('registered'))
      .where('origin', '=', 'registered')
      .executeTakeFirstOrThrow()
    return Number(registered)
  }

  async #holdCount(trx: Database): Promise<void> {
    await trx
      .insertInto('house')
      .values({ name: countName, value: '' })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: '' }))
      .execute()
  }
}

/** What a client that has registered itself is told (RFC 7591 §3.2.1). */
export function registrationAnswer({ client, secret }: Registered): Readonly<Record<string, unknown>> {
  const { id, metadata, createdAt } = client
  return {
    client_id: id,
    client_id_issued_at: Math.floor((createdAt ?? 0) / 1000),
    ...(secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
    ...metadata,
    response_types: responseTypesOf(metadata.grant_types),
  }
}

const hourMs = 3_600_000
const countName = 'registered-clients'
const badToken = {
  error: 'invalid_token',
  description: 'expected an initial access token: it is missing, was used, or has run out',
} as const
const tooMany = { error: 'temporarily_unavailable', retryAfterMs: hourMs } as const
