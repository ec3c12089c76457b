import { createSecretKey, type KeyObject } from 'node:crypto'
import { base64url, fromBase64url } from '../kernel/bytes.ts'
import { GenerationCache } from '../kernel/cache.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Random } from '../kernel/id.ts'
import type { Database } from '../store/database.ts'
import { open, seal } from './sealing.ts'

export interface DataKeysParts {
  /** 32 bytes: what the keys lie sealed under. */
  readonly wrappingKey: Uint8Array
  /** Told of a key that is found to be `unreadable`, once a minute at most. */
  readonly onUnreadable?: ((subject: string, purpose: string) => void) | undefined
  readonly clock: Clock
  readonly random: Random
}

/**
 * A 256-bit key for the data of each person and purpose. Whoever destroys it has destroyed what lies under it, in copies and backups
 * too. Another node may hold a destroyed key in memory for a minute more.
 */
export class DataKeys {
  readonly #wrappingKey: Uint8Array
  readonly #clock: Clock
  readonly #random: Random
  readonly #onUnreadable: DataKeysParts['onUnreadable']
  readonly #cache = new GenerationCache<string, Remembered>(cacheCapacity)
  /** Whose keys a transaction has changed: what it sees of them may be undone. */
  readonly #changed = new WeakMap<Database, Set<string>>()

  constructor({ wrappingKey, clock, random, onUnreadable }: DataKeysParts) {
    this.#wrappingKey = wrappingKey
    this.#clock = clock
    this.#random = random
    this.#onUnreadable = onUnreadable
  }

  /** The keys of these subjects, made where there is none yet. */
  async ofMany(db: Database, subjects: Iterable<string>, purpose: string): Promise<Map<string, DataKey>> {
    const wanted = new Set(subjects)
    const found = await this.find(db, wanted, purpose)
    const missing = [...wanted].filter((subject) => !found.has(subject)).toSorted() // two who make the same do not wait for each other
    if (missing.length === 0) return found
    const createdAt = this.#clock.now()
    if (db.isTransaction) this.#change(db, missing)
    for (const some of pagesOf(missing))
      await db
        .insertInto('data_keys')
        .values(
          some.map((subject) => ({
            subject,
            purpose,
            wrapped: seal(
              this.#wrappingKey,
              base64url(this.#random.bytes(32)),
              placeOf(subject, purpose),
              this.#random,
            ),
            created_at: createdAt,
            destroyed_at: null,
          })),
        )
        .onConflict((conflict) => conflict.columns(['subject', 'purpose']).doNothing()) // another's came first, and stays
        .execute()
    for (const [subject, key] of await this.find(db, missing, purpose)) found.set(subject, key)
    return found
  }

  /** The keys that there are. Makes none. */
  async find(db: Database, subjects: Iterable<string>, purpose: string): Promise<Map<string, DataKey>> {
    const found = new Map<string, DataKey>()
    const unknown: string[] = []
    for (const subject of new Set(subjects)) {
      const key = this.#remembered(placeOf(subject, purpose))
      if (key === undefined) unknown.push(subject)
      else found.set(subject, key)
    }
    const uncertain = this.#changed.get(db)
    for (const some of pagesOf(unknown)) {
      const rows = await db
        .selectFrom('data_keys')
        .select(['subject', 'wrapped'])
        .where('purpose', '=', purpose)
        .where('subject', 'in', some)
        .execute()
      for (const { subject, wrapped } of rows) {
        const key = wrapped === null ? 'destroyed' : this.#unwrap(wrapped, subject, purpose)
        found.set(subject, key)
        if (uncertain?.has(subject) !== true)
          this.#cache.set(placeOf(subject, purpose), { key, until: this.#clock.monotonic() + rememberedMs })
      }
    }
    return found
  }

  /**
   * Destroys all keys of a subject, and answers how many there were. No other ever takes the place of one; for `purposes` none ever
   * does where there was none.
   */
  async destroy(trx: Database, subject: string, purposes: readonly string[] = []): Promise<number> {
    if (trx.isTransaction) this.#change(trx, [subject])
    const at = this.#clock.now()
    if (purposes.length > 0)
      await trx
        .insertInto('data_keys')
        .values(purposes.map((purpose) => ({ subject, purpose, wrapped: null, created_at: at, destroyed_at: at })))
        .onConflict((conflict) => conflict.columns(['subject', 'purpose']).doNothing())
        .execute()
    const gone = await trx
      .updateTable('data_keys')
      .set({ wrapped: null, destroyed_at: at })
      .where('subject', '=', subject)
      .where('wrapped', 'is not', null)
      .returning('purpose')
      .execute()
    for (const { purpose } of gone) this.#cache.delete(placeOf(subject, purpose))
    return gone.length
  }

  #change(trx: Database, subjects: readonly string[]): void {
    let changed = this.#changed.get(trx)
    if (changed === undefined) this.#changed.set(trx, (changed = new Set()))
    for (const subject of subjects) changed.add(subject)
  }

  #remembered(place: string): DataKey | undefined {
    const remembered = this.#cache.get(place)
    return remembered !== undefined && this.#clock.monotonic() < remembered.until ? remembered.key : undefined
  }

  #unwrap(wrapped: string, subject: string, purpose: string): DataKey {
    const text = open(this.#wrappingKey, wrapped, placeOf(subject, purpose))
    const bytes = text === undefined ? undefined : fromBase64url(text)
    if (bytes?.length === 32) return createSecretKey(bytes)
    this.#onUnreadable?.(subject, purpose)
    return 'unreadable'
  }
}

/**
 * `unreadable`: its row was changed, or sealed under another root secret. Nothing is sealed under it, nothing is opened by it, and
 * nothing takes its place: the row may come back out of a backup. One person's row is no reason to stop everybody's record.
 */
export type DataKey = KeyObject | 'destroyed' | 'unreadable'

interface Remembered {
  readonly key: DataKey
  /** By the monotonic clock. */
  readonly until: number
}

const cacheCapacity = 10_000
/** For so long nobody asks again whether a key was destroyed. */
const rememberedMs = 60_000

/** Where the key of somebody lies: sealed for one row, it opens in no other. */
function placeOf(subject: string, purpose: string): string {
  return `data_keys.wrapped.${purpose}.${subject}`
}

/** As many as one statement takes: SQLite has 32,766 parameters in one, of which a new row needs five. */
function pagesOf(subjects: readonly string[]): string[][] {
  const pages: string[][] = []
  for (let from = 0; from < subjects.length; from += 500) pages.push(subjects.slice(from, from + 500))
  return pages
}
