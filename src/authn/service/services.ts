import type { Clock } from '../../kernel/clock.ts'
import { type Random, secretText, uuidv7 } from '../../kernel/id.ts'
import type { RootKey } from '../../keys/root.ts'
import { open, seal } from '../../keys/sealing.ts'
import type { Database } from '../../store/database.ts'
import type { ServiceSecretsTable, ServicesTable } from '../../store/schema.ts'
import { VersionRow } from '../../store/version-row.ts'
import { certificateKey, type ServiceDefinition } from './definition.ts'

/** What every secret of a service that was made here begins with: scanners and our own log redaction know one by it. */
export const serviceSecretPrefix = 'gh_ss_'

/** How many a service may have at once: the one that serves, and the one that takes its place. */
export const secretsMax = 2

/** A service as an operator sees it. */
export interface ServiceView {
  readonly name: string
  readonly origin: 'configuration' | 'operator'
  readonly definition: ServiceDefinition
  /** Milliseconds since the epoch; undefined for the configuration's. */
  readonly createdAt: number | undefined
  readonly disabledAt: number | undefined
}

/** A secret as an operator sees it. */
export interface SecretView {
  readonly id: string
  readonly createdAt: number
  readonly expiresAt: number | undefined
}

/** A service of the store, with its secrets opened. */
export interface StoredService {
  readonly view: ServiceView
  /** The newest first. */
  readonly secrets: readonly OpenedSecret[]
  /** Two readings with one fingerprint read the same. */
  readonly fingerprint: string
}

export interface OpenedSecret {
  readonly id: string
  /** Undefined where it does not open: it was changed, or is another row's. */
  readonly text: string | undefined
  readonly expiresAt: number | undefined
}

/**
 * The services of the store. Their secrets lie sealed, each for its own row and service, because a signature is checked by
 * the secret itself. Whoever changes anything takes turns, over all nodes, and leaves another version behind.
 */
export class Services {
  readonly #clock: Clock
  readonly #random: Random
  readonly #version: VersionRow
  readonly #key: Buffer

  constructor({ clock, random, root }: { readonly clock: Clock; readonly random: Random; readonly root: RootKey }) {
    this.#clock = clock
    this.#random = random
    this.#version = new VersionRow('services-version', { clock, random })
    this.#key = root.derive('service secrets')
  }

  /** Another text after every change; '' before the first. */
  version(db: Database): Promise<string> {
    return this.#version.read(db)
  }

  /** All of them, the disabled ones included. A secret that has run out is left out. */
  async all(db: Database): Promise<readonly StoredService[]> {
    const rows = await db.selectFrom('services').selectAll().orderBy('name').execute()
    const secrets = await db
      .selectFrom('service_secrets')
      .selectAll()
      .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', this.#clock.now())]))
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .execute()
    const byService = Map.groupBy(secrets, ({ service }) => service)
    return rows.map((row) => {
      const own = byService.get(row.name) ?? []
      return {
        view: viewOf(row),
        secrets: own.map((secret) => this.#open(secret)),
        fingerprint: JSON.stringify([row, own]),
      }
    })
  }

  /** Those of the store by name, from a name on. */
  async page(
    db: Database,
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<{ readonly services: readonly ServiceView[]; readonly next: string | undefined }> {
    const rows = await db
      .selectFrom('services')
      .selectAll()
      .$if(after !== undefined, (query) => query.where('name', '>', after ?? ''))
      .orderBy('name')
      .limit(limit + 1)
      .execute()
    const shown = rows.slice(0, limit)
    return { services: shown.map(viewOf), next: rows.length > limit ? shown.at(-1)?.name : undefined }
  }

  async show(db: Database, name: string): Promise<ServiceView | undefined> {
    const row = await db.selectFrom('services').selectAll().where('name', '=', name).executeTakeFirst()
    return row === undefined ? undefined : viewOf(row)
  }

  /** Its secrets that have not run out, the newest first. */
  async secretsOf(db: Database, name: string): Promise<readonly SecretView[]> {
    const rows = await db
      .selectFrom('service_secrets')
      .select(['id', 'created_at', 'expires_at'])
      .where('service', '=', name)
      .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', this.#clock.now())]))
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .execute()
    return rows.map(({ id, created_at, expires_at }) => ({
      id,
      createdAt: created_at,
      expiresAt: expires_at ?? undefined,
    }))
  }

  /**
   * Begins a change: whoever comes second waits until the first is done, and finds what it left. To be called first in each
   * transaction that changes services.
   */
  takeTurns(trx: Database): Promise<void> {
    return this.#version.renew(trx)
  }

  /** Writes a service down. Answers whether the name was free. */
  async insert(trx: Database, name: string, definition: ServiceDefinition): Promise<boolean> {
    const now = this.#clock.now()
    const inserted = await trx
      .insertInto('services')
      .values({ name, definition: JSON.stringify(definition), created_at: now, updated_at: now, disabled_at: null })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .executeTakeFirst()
    return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n
  }

  /** Says anew what a service is. */
  async change(trx: Database, name: string, definition: ServiceDefinition): Promise<void> {
    await trx
      .updateTable('services')
      .set({ definition: JSON.stringify(definition), updated_at: this.#clock.now() })
      .where('name', '=', name)
      .execute()
  }

  /** Turns a service away, or lets it come again. Answers whether that was news. */
  async setDisabled(trx: Database, name: string, disabled: boolean): Promise<boolean> {
    const now = this.#clock.now()
    const changed = await trx
      .updateTable('services')
      .set({ disabled_at: disabled ? now : null, updated_at: now })
      .where('name', '=', name)
      .where('disabled_at', disabled ? 'is' : 'is not', null)
      .executeTakeFirst()
    return changed.numUpdatedRows > 0n
  }

  async remove(trx: Database, name: string): Promise<void> {
    await trx.deleteFrom('service_secrets').where('service', '=', name).execute()
    await trx.deleteFrom('services').where('name', '=', name).execute()
  }

  /**
   * A new secret, shown once. The one before it is good for `overlapMs` more, and not longer than it was anyway; with none,
   * all before it end at once. Undefined where there are two already, and the older would not have its time.
   */
  async rotate(
    trx: Database,
    name: string,
    overlapMs: number,
  ): Promise<{ readonly id: string; readonly secret: string; readonly previousUntil: number | undefined } | undefined> {
    const now = this.#clock.now()
    const until = now + overlapMs
    await trx
      .deleteFrom('service_secrets')
      .where('service', '=', name)
      .$if(overlapMs > 0, (query) => query.where('expires_at', '<=', now))
      .execute()
    const living = await this.secretsOf(trx, name)
    if (living.length >= secretsMax) return undefined
    await trx
      .updateTable('service_secrets')
      .set({ expires_at: until })
      .where('service', '=', name)
      .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', until)]))
      .execute()
    const id = uuidv7(now, this.#random)
    const secret = serviceSecretPrefix + secretText(this.#random)
    await trx
      .insertInto('service_secrets')
      .values({
        id,
        service: name,
        sealed: seal(this.#key, secret, placeOf(name, id), this.#random),
        created_at: now,
        expires_at: null,
      })
      .execute()
    return { id, secret, previousUntil: living.length === 0 ? undefined : until }
  }

  /** Removes one secret. Answers whether it was there. */
  async removeSecret(trx: Database, name: string, id: string): Promise<boolean> {
    const removed = await trx
      .deleteFrom('service_secrets')
      .where('service', '=', name)
      .where('id', '=', id)
      .executeTakeFirst()
    return removed.numDeletedRows > 0n
  }

  async count(trx: Database): Promise<number> {
    const { total } = await trx
      .selectFrom('services')
      .select(({ fn }) => fn.countAll<number | string>().as('total'))
      .executeTakeFirstOrThrow()
    return Number(total)
  }

  /** Whether a client of other people is called so: a client that acts for itself would be taken for the service. */
  async isClient(trx: Database, name: string): Promise<boolean> {
    const row = await trx.selectFrom('oauth_clients').select('id').where('id', '=', name).executeTakeFirst()
    return row !== undefined
  }

  /** Ends every API key of a service. Answers their ids. */
  async endKeys(trx: Database, name: string, reason: string): Promise<readonly string[]> {
    const ended = await trx
      .updateTable('api_keys')
      .set({ revoked_at: this.#clock.now(), revoked_reason: reason })
      .where('owner_type', '=', 'service')
      .where('owner_id', '=', name)
      .where('revoked_at', 'is', null)
      .returning('id')
      .execute()
    return ended.map(({ id }) => id)
  }

  /** Another service of the store that has a name or a key of this definition: the field, and whose it is. */
  async claimed(
    trx: Database,
    name: string,
    { publicKeys, certificates }: ServiceDefinition,
  ): Promise<Claimed | undefined> {
    const rows = await trx.selectFrom('services').selectAll().where('name', '!=', name).execute()
    for (const row of rows) {
      const found = claimedBy(viewOf(row), { publicKeys, certificates })
      if (found !== undefined) return found
    }
    return undefined
  }

  #open({ id, service, sealed, expires_at }: ServiceSecretsTable): OpenedSecret {
    return { id, text: open(this.#key, sealed, placeOf(service, id)), expiresAt: expires_at ?? undefined }
  }
}

/** What one service says of itself, and another has already. */
export interface Claimed {
  /** `certificates.0`, `publicKeys.1.kid` */
  readonly field: string
  readonly owner: string
}

export function claimedBy(
  { name, definition }: Pick<ServiceView, 'name' | 'definition'>,
  { publicKeys, certificates }: Pick<ServiceDefinition, 'publicKeys' | 'certificates'>,
): Claimed | undefined {
  const names = new Set(definition.certificates.map(certificateKey))
  const certificate = certificates.findIndex((one) => names.has(certificateKey(one)))
  if (certificate >= 0) return { field: `certificates.${certificate}`, owner: name }
  const key = publicKeys.findIndex(({ kid }) => definition.publicKeys.some((one) => one.kid === kid))
  return key < 0 ? undefined : { field: `publicKeys.${key}.kid`, owner: name }
}

function viewOf(row: ServicesTable): ServiceView {
  return {
    name: row.name,
    origin: 'operator',
    definition: JSON.parse(row.definition) as ServiceDefinition,
    createdAt: row.created_at,
    disabledAt: row.disabled_at ?? undefined,
  }
}

/** A secret that is moved to another row, or to another service, opens nothing. */
function placeOf(service: string, id: string): string {
  return `service_secrets.sealed.${service}.${id}`
}
