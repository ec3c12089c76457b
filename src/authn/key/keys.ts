import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Random } from '../../kernel/id.ts'
import type { RootKey } from '../../keys/root.ts'
import type { Database } from '../../store/database.ts'
import {
  type KeyOwner,
  type KeyPolicy,
  type KeyRow,
  type KeyView,
  living,
  type MadeKey,
  policyColumns,
  selectKeys,
  viewOf,
} from './key-record.ts'
import { KeyTexts } from './key-texts.ts'
import type { KeyOptions } from './options.ts'
import { Rotation } from './rotation.ts'

export interface NewKey {
  readonly name: string
  readonly owner: KeyOwner
  readonly policy: KeyPolicy
  /** Undefined: it lives until it is revoked. */
  readonly lifetimeMs: number | undefined
  readonly createdBy: string
  /** Its name in the configuration, and its own overlap: where the house rotates it by itself. */
  readonly managed?: { readonly name: string; readonly overlapMs: number | undefined } | undefined
}

/** A place in the list of keys. */
export interface KeyCursor {
  readonly createdAt: number
  readonly id: string
}

export interface KeysParts {
  readonly clock: Clock
  readonly random: Random
  readonly root: RootKey
  readonly options: KeyOptions
}

/** API keys in the store. Of each only a keyed hash is kept. Every verb takes the database or transaction first. */
export class Keys {
  readonly options: KeyOptions
  readonly texts: KeyTexts
  readonly rotation: Rotation
  readonly #clock: Clock

  constructor(parts: KeysParts) {
    this.options = parts.options
    this.#clock = parts.clock
    this.texts = new KeyTexts(parts)
    this.rotation = new Rotation({ clock: parts.clock, texts: this.texts, overlapMs: parts.options.overlap })
  }

  /**
   * The first key of a family. 'conflict' where the owner has as many as they may: whoever counts strictly holds the owner
   * first.
   */
  async make(
    trx: Database,
    { name, owner, policy, lifetimeMs, createdBy, managed }: NewKey,
  ): Promise<MadeKey | Refusal> {
    const max = this.options.perOwner
    if ((await this.countFamilies(trx, owner)) >= max)
      return refuse('conflict', {
        detail: `There are ${max} living keys already, and no more may be: revoke one first`,
      })
    const now = this.#clock.now()
    const id = this.texts.newId()
    const text = this.texts.write(id)
    const row: KeyRow = {
      ...policyColumns(policy),
      id,
      prefix: this.texts.prefix,
      hash: this.texts.hashOf(text).toString('hex'),
      name,
      owner_type: owner.type,
      owner_id: owner.id,
      lifetime_ms: lifetimeMs ?? null,
      overlap_ms: managed?.overlapMs ?? null,
      expires_at: lifetimeMs === undefined ? null : now + lifetimeMs,
      created_at: now,
      created_by: createdBy,
      managed: managed?.name ?? null,
      family_id: id,
      generation: 1,
      successor_id: null,
      proven_at: now, // nothing has to wait for its first use
      retires_at: null,
      revoked_at: null,
      revoked_reason: null,
      ...unused,
    }
    const { use_count, last_used_at, last_used_address, ...columns } = row
    await trx.insertInto('api_keys').values(columns).execute()
    return { view: viewOf(row, now), text }
  }

  /** How many living keys an owner has; those that take over from each other are one. */
  async countFamilies(db: Database, owner: KeyOwner): Promise<number> {
    const { count } = await db
      .selectFrom('api_keys')
      .select((is) => is.fn.count<number>('family_id').distinct().as('count'))
      .where('owner_type', '=', owner.type)
      .where('owner_id', '=', owner.id)
      .where((is) => living(is, this.#clock.now()))
      .executeTakeFirstOrThrow()
    return Number(count)
  }

  /** Over or not; undefined for an id that is none. */
  async show(db: Database, id: string): Promise<KeyView | undefined> {
    if (!this.texts.isOurs(id)) return undefined // PostgreSQL fails over a NUL
    const row = await selectKeys(db).where('id', '=', id).executeTakeFirst()
    return row === undefined ? undefined : viewOf(row, this.#clock.now())
  }

  /** In the order in which they were made, from a cursor on; those of one owner, where one is named. */
  async page(
    db: Database,
    {
      owner,
      limit,
      after,
    }: { readonly owner: KeyOwner | undefined; readonly limit: number; readonly after: KeyCursor | undefined },
  ): Promise<{ readonly keys: readonly KeyView[]; readonly next: KeyCursor | undefined }> {
    const rows = await selectKeys(db)
      .$if(owner !== undefined, (query) =>
        query.where('owner_type', '=', owner?.type ?? 'user').where('owner_id', '=', owner?.id ?? ''),
      )
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
    const now = this.#clock.now()
    return {
      keys: shown.map((row) => viewOf(row, now)),
      next: rows.length > limit && last !== undefined ? { createdAt: last.created_at, id: last.id } : undefined,
    }
  }

  /** The living keys that the house keeps under a name of the configuration, newest first. */
  async managed(db: Database, name: string): Promise<readonly KeyView[]> {
    const now = this.#clock.now()
    const rows = await selectKeys(db)
      .where('managed', '=', name)
      .where((is) => living(is, now))
      .orderBy('created_at', 'desc')
      .orderBy('generation', 'desc')
      .execute()
    return rows.map((row) => viewOf(row, now))
  }

  /** Says anew what the living keys under a name of the configuration lend. Answers whether that was news. */
  async changeManaged(trx: Database, name: string, policy: KeyPolicy, overlapMs: number | undefined): Promise<boolean> {
    const changed = await trx
      .updateTable('api_keys')
      .set({ ...policyColumns(policy), overlap_ms: overlapMs ?? null })
      .where('managed', '=', name)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    return changed.numUpdatedRows > 0n
  }

  /**
   * Ends a key and its whole family: what it was rotated from and to is in the same hands. With `only`, that one key; where
   * it was on trial, another can take its place. Answers the ids that ended with it, none where it was over already.
   */
  async revoke(trx: Database, id: string, reason: string, only: boolean): Promise<readonly string[]> {
    const family = await this.rotation.hold(trx, id)
    if (family === undefined) return []
    const now = this.#clock.now()
    const ended = await trx
      .updateTable('api_keys')
      .set({ revoked_at: now, revoked_reason: reason })
      .where(only ? 'id' : 'family_id', '=', only ? id : family)
      .where((is) => living(is, now))
      .returning('id')
      .execute()
    if (only)
      await trx
        .updateTable('api_keys')
        .set({ successor_id: null })
        .where('family_id', '=', family)
        .where('successor_id', '=', id)
        .where('retires_at', 'is', null)
        .execute()
    return ended.map((row) => row.id)
  }

  /** Forgets families whose last key was over before a moment. */
  async sweep(db: Database, beforeMs: number): Promise<void> {
    const over = await db
      .selectFrom('api_keys')
      .select('family_id')
      .distinct()
      .where('family_id', 'not in', (is) =>
        is
          .selectFrom('api_keys')
          .select('family_id')
          .where((key) =>
            key.and(
              (['revoked_at', 'expires_at', 'retires_at'] as const).map((end) =>
                key.or([key(end, 'is', null), key(end, '>=', beforeMs)]),
              ),
            ),
          ),
      )
      .limit(sweepMax)
      .execute()
    const families = over.map(({ family_id }) => family_id)
    if (families.length === 0) return
    await db
      .deleteFrom('api_key_uses')
      .where('key_id', 'in', (is) => is.selectFrom('api_keys').select('id').where('family_id', 'in', families))
      .execute()
    await db.deleteFrom('api_keys').where('family_id', 'in', families).execute()
  }
}

const unused = { use_count: null, last_used_at: null, last_used_address: null }
const sweepMax = 500
