import type { AdminAction, Details } from '../../audit/event.ts'
import type { CutOff } from '../../authn/session/revocation-list.ts'
import { covers } from '../../authz/permissions.ts'
import { type FieldErrors, type Refusal, refuse } from '../../kernel/error.ts'
import { subjectMembers } from '../../oauth/certificate-subject.ts'
import { clientIdProblem } from '../../oauth/client-id.ts'
import { type ClientMetadata, checkMetadata, type DraftMetadata } from '../../oauth/client-metadata.ts'
import { secretsMax } from '../../oauth/client-secrets.ts'
import { type Clients, type ClientView, staleMs } from '../../oauth/clients.ts'
import type { Registration } from '../../oauth/registration.ts'
import type { ScopePolicy } from '../../oauth/registration-policy.ts'
import type { Database } from '../../store/database.ts'
import { isRefusal } from './guard.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

/** What the authorization server brings for those who make clients known. */
export interface ClientRooms {
  readonly registry: {
    readonly clients: Clients
    readonly registration: Registration
    readonly scopes: ScopePolicy
    /** The permissions that scopes lend. */
    permissionsOf(scopes: readonly string[]): ReadonlySet<string>
  }
}

type HouseRooms = Pick<
  DeskRooms,
  'clock' | 'store' | 'audit' | 'sessions' | 'grants' | 'revocations' | 'revocationList' | 'services' | 'serviceBook'
>

/** Whoever changes clients: an administrator at the desk, or an operator at the machine. */
export interface Author {
  readonly id: string
  holds(permission: string): boolean
  note(trx: Database, action: AdminAction, clientId: string, details: Details): Promise<void>
}

/** A client, with the secret that is shown this once. */
export interface MadeClient {
  readonly client: ClientView
  readonly secret: MadeSecret | undefined
}

export interface MadeSecret {
  readonly id: string
  readonly secret: string
  readonly expiresAt: number | undefined
}

/**
 * Clients as operators make, change and remove them. What a client loses it loses at once, its tokens included; and nobody
 * makes one that may by itself what they may not themself.
 */
export class ClientAdministration {
  readonly #rooms: HouseRooms
  readonly #registry: ClientRooms['registry']

  constructor(rooms: HouseRooms, { registry }: ClientRooms) {
    this.#rooms = rooms
    this.#registry = registry
  }

  get clients(): Clients {
    return this.#registry.clients
  }

  /** A new client; with its first secret, where it shows who it is by one. */
  async create(author: Author, id: string | undefined, draft: DraftMetadata): Promise<MadeClient | Refusal> {
    const wrong = id === undefined ? undefined : clientIdProblem(id)
    if (wrong !== undefined) return invalid({ client_id: [wrong] })
    const metadata = this.#checked(draft)
    if (isRefusal(metadata)) return metadata
    const refused = this.#beyond(author, metadata)
    if (refused !== undefined) return refused
    const { store, sessions } = this.#rooms
    const outcome = await store.transaction(async (trx) => {
      const service = id !== undefined && (await this.#isService(trx, id))
      const inserted = service
        ? ({ taken: true } as const)
        : await this.clients.insert(trx, { id, origin: 'operator', metadata })
      if ('taken' in inserted)
        return {
          refusal: refuse('conflict', { detail: `\`${id}\` is a client already`, errors: { client_id: ['is taken'] } }),
        }
      const { client } = inserted
      // Under an id that was somebody's before, nothing of theirs goes on.
      const cut = id === undefined ? undefined : await sessions.endAllOfClient(trx, id, 'the client is another one')
      if (id !== undefined) await this.#rooms.grants.removeClient(trx, id)
      const secret = usesSecret(metadata) ? await this.clients.secrets.add(trx, client.id, undefined) : undefined
      await author.note(trx, 'client.create', client.id, detailsOf(metadata))
      return { client, secret: secret && { ...secret, expiresAt: undefined }, cut }
    })
    if (outcome.client === undefined) return outcome.refusal
    this.#heed(outcome.client.id, outcome.cut)
    return { client: outcome.client, secret: outcome.secret }
  }

  /** Says anew what a client is. Where it may less than before, or shows who it is in another way, its tokens end. */
  async change(author: Author, id: string, draft: DraftMetadata): Promise<ClientView | Refusal> {
    const metadata = this.#checked(draft)
    if (isRefusal(metadata)) return metadata
    const outcome = await this.#withClient(id, async (trx, before) => {
      const refused = this.#beyond(author, before.metadata) ?? this.#beyond(author, metadata)
      if (refused !== undefined) return { refusal: refused }
      // People have allowed the client that it was, and are not asked again: another place for their codes could be
      // somebody else, and a scope that was lost and comes back was allowed before.
      const taken =
        (isElsewhere(before.metadata, metadata) ? this.#beyondScopes(author, before.metadata) : undefined) ??
        (lacks(scopesOf(before.metadata), scopesOf(metadata)) ? this.#beyondScopes(author, metadata) : undefined)
      if (taken !== undefined) return { refusal: taken }
      await this.clients.change(trx, id, metadata)
      if (!usesSecret(metadata)) await this.clients.secrets.removeAll(trx, id)
      await author.note(trx, 'client.change', id, {
        ...detailsOf(metadata),
        changed: changedMembers(before.metadata, metadata).join(' '),
      })
      return {
        cut: mayLess(before.metadata, metadata) ? await this.#endAll(trx, id, 'the client was changed') : undefined,
      }
    })
    return outcome ?? (await this.clients.show(this.#rooms.store.db, id)) ?? nobody
  }

  /** Removes a client, its tokens, and what people have allowed it. */
  remove(author: Author, id: string): Promise<Refusal | undefined> {
    return this.#withClient(id, async (trx) => {
      const cut = await this.#endAll(trx, id, 'the client was removed')
      await this.#rooms.grants.removeClient(trx, id)
      await this.clients.remove(trx, id)
      await author.note(trx, 'client.remove', id, {})
      return { cut }
    })
  }

  /** Turns a client away, or lets it ask again: for new tokens, the old ones have ended. */
  setDisabled(author: Author, id: string, disabled: boolean): Promise<Refusal | undefined> {
    return this.#withClient(id, async (trx, { metadata }) => {
      const refused = disabled ? undefined : this.#beyond(author, metadata)
      if (refused !== undefined) return { refusal: refused }
      if (!(await this.clients.setDisabled(trx, id, disabled)))
        return { refusal: refuse('conflict', { detail: `The client is ${disabled ? 'disabled' : 'enabled'} already` }) }
      const reason = disabled ? 'the client was disabled' : 'from before the client was enabled'
      await author.note(trx, 'client.change', id, { disabled })
      return {
        cut: disabled
          ? await this.#endAll(trx, id, reason)
          : await this.#rooms.sessions.endAllOfClient(trx, id, reason),
      }
    })
  }

  /** A second secret, to take the place of the first. */
  async addSecret(author: Author, id: string, ttlMs: number | undefined): Promise<MadeSecret | Refusal> {
    const expiresAt = ttlMs === undefined ? undefined : this.#rooms.clock.now() + ttlMs
    let made: MadeSecret | undefined
    const refused = await this.#withClient(id, async (trx, { metadata }) => {
      const beyond = this.#beyond(author, metadata)
      if (beyond !== undefined) return { refusal: beyond }
      if (!usesSecret(metadata))
        return { refusal: refuse('conflict', { detail: `\`${metadata.token_endpoint_auth_method}\` uses no secret` }) }
      const added = await this.clients.secrets.add(trx, id, expiresAt)
      if (added === undefined)
        return { refusal: refuse('conflict', { detail: `The client has ${secretsMax} secrets: remove one first` }) }
      await author.note(trx, 'client.secret-add', id, { secret_id: added.id })
      made = { ...added, expiresAt }
      return {}
    })
    return refused ?? made ?? nobody
  }

  /** Removes a secret. What was issued for it goes on, unless it is in the wrong hands: then all of the client's ends. */
  removeSecret(author: Author, id: string, secretId: string, endTokens: boolean): Promise<Refusal | undefined> {
    return this.#withClient(id, async (trx) => {
      if (!(await this.clients.secrets.remove(trx, id, secretId)))
        return { refusal: refuse('not-found', { detail: 'the client has no secret of this id' }) }
      await author.note(trx, 'client.secret-remove', id, { secret_id: secretId, tokens_end: endTokens })
      return { cut: endTokens ? await this.#endAll(trx, id, 'a secret of the client was removed') : undefined }
    })
  }

  /** A token with which one client may register itself, shown once. */
  async inviteClient(
    author: Author,
    ttlMs: number,
  ): Promise<{ readonly token: string; readonly expiresAt: number } | Refusal> {
    if (this.#registry.registration.access === 'closed')
      return refuse('conflict', { detail: 'Clients do not register themselves here: see `oauth.registration.access`' })
    const { store, audit, clock } = this.#rooms
    const expiresAt = clock.now() + ttlMs
    const token = await store.transaction(async (trx) => {
      await author.note(trx, 'client.invite', '', { expires_at: expiresAt })
      return this.#registry.registration.invite(trx, author.id, ttlMs)
    })
    audit.wake()
    return { token, expiresAt }
  }

  /** One change to one client of the store, and whatever tokens it ended. */
  async #withClient(
    id: string,
    work: (trx: Database, client: ClientView) => Promise<Outcome>,
  ): Promise<Refusal | undefined> {
    if (this.clients.isConfigured(id)) return configured
    const outcome = await this.#rooms.store.transaction(async (trx): Promise<Outcome> => {
      const client = await this.clients.hold(trx, id)
      return client === undefined ? { refusal: nobody } : work(trx, client)
    })
    this.#heed(id, outcome.cut)
    return outcome.refusal
  }

  /** Ends all that a client has. Nodes that have not heard yet may issue a little more: that is void as well. */
  async #endAll(trx: Database, id: string, reason: string): Promise<CutOff> {
    const { sessions, revocationList, clock } = this.#rooms
    const { kind, subject, at } = await sessions.endAllOfClient(trx, id, reason)
    const cut: CutOff = { kind, subject, at: Math.max(at, clock.now() + staleMs) }
    await revocationList.cut(trx, cut)
    return cut
  }

  /** Whether a service is called so: a client that acts for itself would be taken for it. Nobody makes one meanwhile. */
  async #isService(trx: Database, id: string): Promise<boolean> {
    const { services, serviceBook } = this.#rooms
    if (serviceBook.configured.has(id)) return true
    await services.takeTurns(trx)
    return (await services.show(trx, id)) !== undefined
  }

  #heed(id: string, cut: CutOff | undefined): void {
    this.clients.forget(id)
    this.#rooms.audit.wake()
    if (cut !== undefined) this.#rooms.revocations.cut(cut.kind, cut.subject, cut.at)
  }

  #checked(draft: DraftMetadata): ClientMetadata | Refusal {
    const checked = checkMetadata(draft, this.#registry.scopes)
    return 'errors' in checked ? invalid(checked.errors) : checked.metadata
  }

  /** The refusal where a client may by itself what whoever makes it, or holds its secret, may not. */
  #beyond(author: Author, metadata: ClientMetadata): Refusal | undefined {
    return metadata.grant_types.includes('client_credentials') ? this.#beyondScopes(author, metadata) : undefined
  }

  /** The refusal where a client's scopes lend more than somebody holds. */
  #beyondScopes(author: Author, metadata: ClientMetadata): Refusal | undefined {
    const lent = this.#registry.permissionsOf(scopesOf(metadata))
    const missing = [...lent].find((permission) => !author.holds(permission))
    if (missing === undefined) return undefined
    return refuse('permission-required', { detail: `Permission '${missing}' required`, reason: 'reaches upwards' })
  }
}

interface Outcome {
  readonly refusal?: Refusal
  readonly cut?: CutOff | undefined
}

/** An administrator, as whoever changes clients. */
export function authorAt(diary: Diary, visitor: Visitor): Author {
  const { id, permissions } = visitor.principal
  return {
    id,
    holds: (permission) => covers(permissions, permission),
    note: (trx, action, id, details) => diary.change(trx, visitor, action, { id, type: 'client' }, details),
  }
}

function usesSecret({ token_endpoint_auth_method: method }: ClientMetadata): boolean {
  return method.startsWith('client_secret')
}

/** Whether tokens from before could do more, or were given to somebody who showed who they are in another way. */
function mayLess(before: ClientMetadata, after: ClientMetadata): boolean {
  return (
    lacks(after.grant_types, before.grant_types) ||
    lacks(after.redirect_uris, before.redirect_uris) ||
    lacks(scopesOf(after), scopesOf(before)) ||
    (after.dpop_bound_access_tokens && !before.dpop_bound_access_tokens) ||
    (after.tls_client_certificate_bound_access_tokens && !before.tls_client_certificate_bound_access_tokens) ||
    provesOtherwise(before, after)
  )
}

/** Whether codes go where none went before, or are redeemed by another proof. */
function isElsewhere(before: ClientMetadata, after: ClientMetadata): boolean {
  return lacks(before.redirect_uris, after.redirect_uris) || provesOtherwise(before, after)
}

function provesOtherwise(before: ClientMetadata, after: ClientMetadata): boolean {
  return proofs.some((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
}

const proofs = ['token_endpoint_auth_method', 'jwks', 'jwks_uri', ...subjectMembers] as const

function scopesOf({ scope }: ClientMetadata): readonly string[] {
  return (scope ?? '').split(' ').filter((one) => one !== '')
}

/** Whether some of these are missing. */
function lacks(held: readonly string[], wanted: readonly string[]): boolean {
  return wanted.some((one) => !held.includes(one))
}

function changedMembers(before: ClientMetadata, after: ClientMetadata): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof ClientMetadata>
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name])).toSorted()
}

/** What a reader of the record wants to know. */
function detailsOf({
  client_name,
  grant_types,
  redirect_uris,
  scope,
  token_endpoint_auth_method,
}: ClientMetadata): Details {
  return {
    grants: grant_types.join(' '),
    method: token_endpoint_auth_method,
    name: client_name,
    redirect_uris: redirect_uris.join(' ').slice(0, 1000),
    scope: scope ?? '',
  }
}

function invalid(errors: FieldErrors): Refusal {
  return refuse('body-invalid', { detail: 'The client cannot be as described', errors })
}

const nobody = refuse('not-found', { detail: 'no client has this id' })
const configured = refuse('conflict', {
  detail: 'The client stands in the configuration: it is changed there, and nowhere else',
})
