import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import type { ApiKeysTable } from '../../store/schema.ts'
import { isLiving, living, type MadeKey, selectKeys, viewOf } from './key-record.ts'
import type { KeyTexts } from './key-texts.ts'

interface RotationParts {
  readonly clock: Clock
  readonly texts: KeyTexts
  readonly overlapMs: number
}

/** How many of those before the key that took over stay good, for their overlap. */
export const backupsMax = 3

/**
 * How one key takes over from another (NIST SP 800-57 part 1 §5.3). A successor is on trial until its holder has used it; only then do those before it
 * begin to run out. So a successor that was lost on its way cuts nobody off: it is replaced by name.
 */
export class Rotation {
  readonly #clock: Clock
  readonly #texts: KeyTexts
  readonly #overlapMs: number

  constructor({ clock, texts, overlapMs }: RotationParts) {
    this.#clock = clock
    this.#texts = texts
    this.#overlapMs = overlapMs
  }

  /**
   * Makes the successor of a key: the same owner, policy and length of life under a new secret, made by the same, or by whom
   * `madeBy` says. Of two at the same moment one makes it. 'not-found' for a key that is not there or is over; 'conflict', with `successor` beside it, where one is on
   * trial already and is not named in `replace`, where another has taken over, or where the key is on trial itself.
   */
  async rotate(
    trx: Database,
    id: string,
    replace: string | undefined,
    madeBy?: string | undefined,
  ): Promise<MadeKey | Refusal> {
    const family = await this.hold(trx, id)
    if (family === undefined) return gone
    const now = this.#clock.now()
    const successor = this.#texts.newId()
    const claimed = await trx
      .updateTable('api_keys')
      .set({ successor_id: successor })
      .where('id', '=', id)
      .where((is) => living(is, now))
      .where('proven_at', 'is not', null)
      .where('retires_at', 'is', null)
      .where('successor_id', replace === undefined ? 'is' : '=', replace ?? null)
      .returningAll()
      .executeTakeFirst()
    if (claimed === undefined) return this.#why(trx, id, replace)
    if (replace !== undefined)
      await trx
        .updateTable('api_keys')
        .set({ revoked_at: now, revoked_reason: 'replaced' })
        .where('id', '=', replace)
        .where('revoked_at', 'is', null)
        .execute()
    return this.#insert(trx, { ...claimed, created_by: madeBy ?? claimed.created_by }, successor, now)
  }

  /** The holder has used a key that was on trial: it takes over, and those before it run out. Answers whether that was news. */
  async prove(trx: Database, id: string): Promise<boolean> {
    const family = await this.hold(trx, id)
    if (family === undefined) return false
    const now = this.#clock.now()
    const proven = await trx
      .updateTable('api_keys')
      .set({ proven_at: now })
      .where('id', '=', id)
      .where('proven_at', 'is', null)
      .where((is) => living(is, now))
      .returning(['generation', 'overlap_ms'])
      .executeTakeFirst()
    if (proven === undefined) return false
    const before = trx
      .updateTable('api_keys')
      .where('family_id', '=', family)
      .where('generation', '<', proven.generation)
    await before
      .set({ retires_at: now + (proven.overlap_ms ?? this.#overlapMs) })
      .where('revoked_at', 'is', null)
      .where('retires_at', 'is', null)
      .execute()
    const backups = await trx
      .selectFrom('api_keys')
      .select('id')
      .where('family_id', '=', family)
      .where('generation', '<', proven.generation)
      .where((is) => living(is, now))
      .orderBy('generation', 'desc')
      .execute()
    const beyond = backups.slice(backupsMax).map((row) => row.id)
    if (beyond.length > 0) await before.set({ retires_at: now }).where('id', 'in', beyond).execute()
    return true
  }

  /**
   * Holds a family until the transaction ends, by its first row: whoever changes it takes turns. Answers the family of a key,
   * or undefined for one that is not there.
   */
  async hold(trx: Database, id: string): Promise<string | undefined> {
    if (!this.#texts.isOurs(id)) return undefined
    const row = await trx.selectFrom('api_keys').select('family_id').where('id', '=', id).executeTakeFirst()
    if (row === undefined) return undefined
    await trx
      .updateTable('api_keys')
      .set({ generation: sql<number>`generation` })
      .where('id', '=', row.family_id)
      .execute()
    return row.family_id
  }

  /** A row whose predecessor's clock runs only from its first use on. */
  async #insert(trx: Database, before: ApiKeysTable, id: string, now: number): Promise<MadeKey> {
    const text = this.#texts.write(id)
    const { newest } = await trx
      .selectFrom('api_keys')
      .select((is) => is.fn.max('generation').as('newest'))
      .where('family_id', '=', before.family_id)
      .executeTakeFirstOrThrow()
    const row: ApiKeysTable = {
      ...before,
      id,
      prefix: this.#texts.prefix,
      hash: this.#texts.hashOf(text).toString('hex'),
      expires_at: before.lifetime_ms === null ? null : now + before.lifetime_ms,
      created_at: now,
      generation: newest + 1,
      successor_id: null,
      proven_at: null,
    }
    await trx.insertInto('api_keys').values(row).execute()
    return { view: viewOf({ ...row, use_count: null, last_used_at: null, last_used_address: null }, now), text }
  }

  async #why(trx: Database, id: string, replace: string | undefined): Promise<Refusal> {
    const row = await selectKeys(trx).where('id', '=', id).executeTakeFirst()
    const view = row === undefined ? undefined : viewOf(row, this.#clock.now())
    if (view === undefined || !isLiving(view.state)) return gone
    const { state, successor } = view
    if (state === 'on-trial')
      return refuse('conflict', {
        detail: 'The key is on trial itself: use it once, or replace it where it was rotated from',
      })
    const extensions = successor === undefined ? {} : { extensions: { successor } }
    if (state === 'retiring')
      return refuse('conflict', {
        detail: `\`${successor}\` has taken over from this key: rotate that one`,
        ...extensions,
      })
    if (replace !== undefined)
      return refuse('conflict', {
        detail:
          successor === undefined
            ? 'No successor of this key is on trial: there is nothing to replace'
            : `\`${successor}\` is on trial, and not the key that \`replace\` names`,
        ...extensions,
      })
    return refuse('conflict', {
      detail: `\`${successor}\` is on trial as the successor of this key: use it, or name it in \`replace\``,
      ...extensions,
    })
  }
}

const gone = refuse('not-found', { detail: 'no living key has this id' })
