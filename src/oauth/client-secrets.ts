import { createHmac } from 'node:crypto'
import { equalBytes } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { type Random, secretText, uuidv7 } from '../kernel/id.ts'
import type { RootKey } from '../keys/root.ts'
import type { Database } from '../store/database.ts'

/** What every secret that was made here begins with: scanners and our own log redaction know one by it. */
export const clientSecretPrefix = 'gh_cs_'

/** A secret as an operator may see it. */
export interface SecretView {
  readonly id: string
  readonly createdAt: number
  readonly expiresAt: number | undefined
}

/** How many a client may have at once: the one that serves, and the one that takes its place. */
export const secretsMax = 2

/**
 * The secrets of clients. Only a keyed hash is kept, and it covers the client's id: a row that is moved to another client
 * proves nothing there.
 */
export class ClientSecrets {
  readonly #clock: Clock
  readonly #random: Random
  readonly #key: Buffer

  constructor({ clock, random, root }: { readonly clock: Clock; readonly random: Random; readonly root: RootKey }) {
    this.#clock = clock
    this.#random = random
    this.#key = root.derive('oauth client secrets')
  }

  /**
   * A new secret, shown once; undefined where the client is full, or not there. The client's row is held first, so that two
   * at the same moment are counted one after the other.
   */
  async add(
    trx: Database,
    clientId: string,
    expiresAtMs: number | undefined,
  ): Promise<{ readonly id: string; readonly secret: string } | undefined> {
    const now = this.#clock.now()
    const held = await trx
      .updateTable('oauth_clients')
      .set({ updated_at: now })
      .where('id', '=', clientId)
      .executeTakeFirst()
    if (held.numUpdatedRows === 0n) return undefined
    await trx
      .deleteFrom('oauth_client_secrets')
      .where('client_id', '=', clientId)
      .where('expires_at', '<=', now)
      .execute()
    if ((await this.list(trx, clientId)).length >= secretsMax) return undefined
    const id = uuidv7(now, this.#random)
    const secret = clientSecretPrefix + secretText(this.#random)
    await trx
      .insertInto('oauth_client_secrets')
      .values({
        id,
        client_id: clientId,
        hash: this.hashOf(clientId, secret).toString('hex'),
        created_at: now,
        expires_at: expiresAtMs ?? null,
      })
      .execute()
    return { id, secret }
  }

  /** Those that have not run out, oldest first. */
  async list(db: Database, clientId: string): Promise<readonly SecretView[]> {
    const rows = await db
      .selectFrom('oauth_client_secrets')
      .select(['id', 'created_at', 'expires_at'])
      .where('client_id', '=', clientId)
      .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', this.#clock.now())]))
      .orderBy('created_at')
      .orderBy('id')
      .execute()
    return rows.map(({ id, created_at, expires_at }) => ({
      id,
      createdAt: created_at,
      expiresAt: expires_at ?? undefined,
    }))
  }

  /** Removes one. Answers whether it was there. */
  async remove(trx: Database, clientId: string, id: string): Promise<boolean> {
    const removed = await trx
      .deleteFrom('oauth_client_secrets')
      .where('client_id', '=', clientId)
      .where('id', '=', id)
      .executeTakeFirst()
    return removed.numDeletedRows > 0n
  }

  async removeAll(trx: Database, clientId: string): Promise<void> {
    await trx.deleteFrom('oauth_client_secrets').where('client_id', '=', clientId).execute()
  }

  /** The hashes that a secret of a client in the store may have; none for one that is disabled or not there. */
  async hashes(db: Database, clientId: string): Promise<readonly Buffer[]> {
    const rows = await db
      .selectFrom('oauth_client_secrets')
      .innerJoin('oauth_clients', 'oauth_clients.id', 'oauth_client_secrets.client_id')
      .select('oauth_client_secrets.hash')
      .where('client_id', '=', clientId)
      .where('disabled_at', 'is', null)
      .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', this.#clock.now())]))
      .limit(secretsMax)
      .execute()
    return rows.map(({ hash }) => Buffer.from(hash, 'hex'))
  }

  hashOf(clientId: string, secret: string): Buffer {
    return createHmac('sha256', this.#key).update(`${clientId} ${secret}`).digest()
  }

  /** Whether a secret is one of these: as many comparisons as a client can have secrets, whoever asks. */
  matches(clientId: string, secret: string, hashes: readonly Buffer[]): boolean {
    const shown = this.hashOf(clientId, secret)
    let found = false
    for (let at = 0; at < secretsMax; at++) {
      const same = equalBytes(hashes[at] ?? nobody, shown)
      found ||= same && at < hashes.length
    }
    return found
  }
}

/** What is compared with where there is nothing to compare with. */
const nobody = Buffer.alloc(32)
