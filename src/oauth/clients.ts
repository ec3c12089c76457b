import { GenerationCache } from '../kernel/cache.ts'
import type { Clock } from '../kernel/clock.ts'
import { type Random, secretText } from '../kernel/id.ts'
import type { Secret } from '../kernel/secret.ts'
import type { RootKey } from '../keys/root.ts'
import type { Database } from '../store/database.ts'
import type { OauthClientsTable } from '../store/schema.ts'
import { tokenExchange } from '../wire/clients.ts'
import type { ClientBook, KnownClient } from './client-book.ts'
import { isClientId, isDocumentId, newClientId } from './client-id.ts'
import { type ClientMetadata, checkMetadata, knownClient } from './client-metadata.ts'
import { type ClientOptions, draftOf } from './client-options.ts'
import { ClientSecrets } from './client-secrets.ts'

/** A client as an operator may see it. */
export interface ClientView {
  readonly id: string
  /** Who made it: the configuration, an operator, or the client itself (RFC 7591). */
  readonly origin: 'configuration' | OauthClientsTable['origin']
  readonly metadata: ClientMetadata
  /** Milliseconds since the epoch; undefined for the configuration's. */
  readonly createdAt: number | undefined
  readonly disabledAt: number | undefined
}

/** A client of the configuration, with its secrets fetched. */
export interface ConfiguredClient {
  readonly options: ClientOptions
  readonly secrets: readonly Secret[]
}

export interface NewClient {
  /** Made up, where it is left out. */
  readonly id?: string | undefined
  readonly origin: OauthClientsTable['origin']
  readonly metadata: ClientMetadata
}

interface ClientsParts {
  readonly clock: Clock
  readonly random: Random
  readonly root: RootKey
  readonly configured: readonly ConfiguredClient[]
  /** Clients by the address of their metadata; undefined where those are switched off. */
  readonly documents: { find(address: string): Promise<KnownClient | undefined> } | undefined
}

/** How long another node may not know yet that a client has changed. */
export const staleMs = 1_000

/**
 * Programs of other people: those that the configuration knows, which nobody changes here; those of the store, made by
 * operators or by themselves; and those that are an address where they are described. An id is one of the three by its form
 * and by the configuration, which comes first.
 */
export class Clients {
  readonly secrets: ClientSecrets
  readonly #parts: ClientsParts
  readonly #configured: ReadonlyMap<
    string,
    { readonly known: KnownClient; readonly view: ClientView; readonly hashes: readonly Buffer[] }
  >
  readonly #cache = new GenerationCache<string, Remembered>(cacheMax)
  /** Stands in metadata where a secret would be. Nothing is compared with it; nobody knows it all the same. */
  readonly #standIn: string
  /** Rises with each change here: what was read before it is not remembered. */
  #changes = 0

  constructor(parts: ClientsParts) {
    this.#parts = parts
    this.secrets = new ClientSecrets(parts)
    this.#standIn = secretText(parts.random)
    this.#configured = new Map(
      parts.configured.map(({ options, secrets }) => {
        const checked = checkMetadata(draftOf(options), anything)
        if ('errors' in checked) throw new Error('the configuration was checked before')
        const view: ClientView = {
          id: options.id,
          origin: 'configuration',
          metadata: checked.metadata,
          createdAt: undefined,
          disabledAt: undefined,
        }
        const hashes = secrets.map((secret) => this.secrets.hashOf(options.id, secret.reveal()))
        return [options.id, { view, known: this.#known(view), hashes }] as const
      }),
    )
  }

  /** What the protocol needs to know of a client; undefined for one that is disabled, or not there. */
  async find(db: Database, id: string): Promise<KnownClient | undefined> {
    if (isDocumentId(id)) return this.#parts.documents?.find(id)
    const configured = this.#configured.get(id)
    if (configured !== undefined) return configured.known
    if (!isClientId(id)) return undefined
    const now = this.#parts.clock.monotonic()
    const remembered = this.#cache.get(id)
    if (remembered !== undefined && remembered.until > now) return remembered.client
    const changes = this.#changes
    const view = await this.#read(db, id)
    const client = view === undefined || view.disabledAt !== undefined ? undefined : this.#known(view)
    if (changes === this.#changes) this.#cache.set(id, { client, until: now + staleMs })
    return client
  }

  /** Whether this is a secret of the client: constant in time, and the same work for a client that is not there. */
  async verifySecret(db: Database, id: string, secret: string): Promise<boolean> {
    const configured = this.#configured.get(id)
    const hashes = configured?.hashes ?? (isClientId(id) ? await this.secrets.hashes(db, id) : [])
    return this.secrets.matches(id, secret, hashes)
  }

  /** The clients as the protocol asks for them. */
  book(db: Database): ClientBook {
    return { find: (id) => this.find(db, id), verifySecret: (id, secret) => this.verifySecret(db, id, secret) }
  }

  /** Of the configuration or of the store, disabled or not. */
  async show(db: Database, id: string): Promise<ClientView | undefined> {
    return this.#configured.get(id)?.view ?? (isClientId(id) ? this.#read(db, id) : undefined)
  }

  /**
   * Whether clients that act for a person, the one that holds the token first, may still do so with these scopes: what the
   * configuration says now. Clients of the store were cut off when they lost something.
   */
  mayAct([holder, ...others]: readonly string[], scopes: readonly string[]): boolean {
    const hasStill = (id: string): boolean => {
      const known = this.#configured.get(id)?.known
      return known === undefined || scopes.every((scope) => known.scopes?.has(scope) === true)
    }
    const view = this.#configured.get(holder ?? '')?.view
    return (
      (view === undefined || view.metadata.grant_types.includes(tokenExchange)) &&
      [holder ?? '', ...others].every((id) => hasStill(id))
    )
  }

  isConfigured(id: string): boolean {
    return this.#configured.has(id)
  }

  /** The configuration's clients first, then those of the store in the order in which they were made, from a cursor on. */
  async page(
    db: Database,
    { limit, after }: { readonly limit: number; readonly after: ClientCursor | undefined },
  ): Promise<{ readonly clients: readonly ClientView[]; readonly next: ClientCursor | undefined }> {
    const rows = await db
      .selectFrom('oauth_clients')
      .selectAll()
      .$if(after !== undefined, (query) =>
        query.where((is) =>
          is.or([
            is('created_at', '>', after?.createdAt ?? 0),
            is.and([is('created_at', '=', after?.createdAt ?? 0), is('id', '>', after?.id ?? '')]),
          ]),
        ),
      )
      .orderBy('created_at')
      .orderBy('id')
      .limit(limit + 1)
      .execute()
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    const own = after === undefined ? [...this.#configured.values()].map(({ view }) => view) : []
    return {
      clients: [...own, ...shown.filter(({ id }) => !this.#configured.has(id)).map(viewOf)],
      next: rows.length > limit && last !== undefined ? { createdAt: last.created_at, id: last.id } : undefined,
    }
  }

  /** Writes a client down; `taken` where its id is somebody's already. */
  async insert(
    trx: Database,
    { id, origin, metadata }: NewClient,
  ): Promise<{ readonly client: ClientView } | { readonly taken: true }> {
    const chosen = id ?? newClientId(this.#parts.random)
    if (this.#configured.has(chosen)) return { taken: true }
    const now = this.#parts.clock.now()
    const row: OauthClientsTable = {
      id: chosen,
      origin,
      name: metadata.client_name,
      metadata: JSON.stringify(metadata),
      created_at: now,
      updated_at: now,
      disabled_at: null,
    }
    const inserted = await trx
      .insertInto('oauth_clients')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirst()
    return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n ? { client: viewOf(row) } : { taken: true }
  }

  /** A client of the store, held until the transaction ends: whoever changes it takes turns. */
  async hold(trx: Database, id: string): Promise<ClientView | undefined> {
    if (!isClientId(id)) return undefined
    const row = await trx
      .updateTable('oauth_clients')
      .set({ updated_at: this.#parts.clock.now() })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst()
    return row === undefined ? undefined : viewOf(row)
  }

  /** Says anew what a client of the store is. */
  async change(trx: Database, id: string, metadata: ClientMetadata): Promise<boolean> {
    const changed = await trx
      .updateTable('oauth_clients')
      .set({ name: metadata.client_name, metadata: JSON.stringify(metadata), updated_at: this.#parts.clock.now() })
      .where('id', '=', id)
      .executeTakeFirst()
    return changed.numUpdatedRows > 0n
  }

  /** Turns a client away, or lets it ask again. Answers whether that was news. */
  async setDisabled(trx: Database, id: string, disabled: boolean): Promise<boolean> {
    const now = this.#parts.clock.now()
    const changed = await trx
      .updateTable('oauth_clients')
      .set({ disabled_at: disabled ? now : null, updated_at: now })
      .where('id', '=', id)
      .where('disabled_at', disabled ? 'is' : 'is not', null)
      .executeTakeFirst()
    return changed.numUpdatedRows > 0n
  }

  async remove(trx: Database, id: string): Promise<boolean> {
    const removed = await trx.deleteFrom('oauth_clients').where('id', '=', id).executeTakeFirst()
    return removed.numDeletedRows > 0n
  }

  /** Removes clients that registered themselves before a moment, and that nobody has ever allowed anything. */
  async sweepUnused(db: Database, beforeMs: number): Promise<void> {
    await db
      .deleteFrom('oauth_clients')
      .where('origin', '=', 'registered')
      .where('created_at', '<', beforeMs)
      .where((is) =>
        is.not(
          is.exists(is.selectFrom('oauth_grants').select('client_id').whereRef('client_id', '=', 'oauth_clients.id')),
        ),
      )
      .where((is) =>
        is.not(is.exists(is.selectFrom('sessions').select('client_id').whereRef('client_id', '=', 'oauth_clients.id'))),
      )
      .execute()
  }

  /** What was changed is read anew: to be called once the change is in the store. */
  forget(id: string): void {
    this.#changes++
    this.#cache.delete(id)
  }

  /** Somebody else has changed one: each is read anew. */
  distrust(): void {
    this.#changes++
    this.#cache.clear()
  }

  async #read(db: Database, id: string): Promise<ClientView | undefined> {
    const row = await db.selectFrom('oauth_clients').selectAll().where('id', '=', id).executeTakeFirst()
    return row === undefined ? undefined : viewOf(row)
  }

  #known({ id, origin, metadata }: ClientView): KnownClient {
    return knownClient(id, metadata, origin !== 'registered', this.#standIn)
  }
}

/** A place in the list of clients. */
export interface ClientCursor {
  readonly createdAt: number
  readonly id: string
}

interface Remembered {
  readonly client: KnownClient | undefined
  readonly until: number
}

const cacheMax = 1_000
/** The configuration was held against the rest of it before. */
const anything = { has: () => true, certificates: 'verified' } as const

function viewOf(row: OauthClientsTable): ClientView {
  return {
    id: row.id,
    origin: row.origin,
    metadata: JSON.parse(row.metadata) as ClientMetadata,
    createdAt: row.created_at,
    disabledAt: row.disabled_at ?? undefined,
  }
}
