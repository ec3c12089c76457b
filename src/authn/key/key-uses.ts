import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database } from '../../store/database.ts'
import type { Keys } from './keys.ts'

/** How often one key was used since that was last written. */
export interface KeyUse {
  readonly id: string
  count: number
  /** Milliseconds since the epoch; 0 where it was not used yet. */
  at: number
  address: string | undefined
  /** Not written again before this. */
  dueAt: number
}

interface KeyUsesParts {
  readonly keys: Keys
  readonly clock: Clock
  readonly log: Log
}

/** What keys are used for the first time, how often and when: noted in memory, and written off the way of a request. */
export class KeyUses {
  readonly #parts: KeyUsesParts
  readonly #unwritten = new Map<string, KeyUse>()
  /** On trial, and used: they are to take over. */
  readonly #first = new Set<string>()

  constructor(parts: KeyUsesParts) {
    this.#parts = parts
  }

  /** Where uses of a key are counted. */
  of(id: string): KeyUse {
    return this.#unwritten.get(id) ?? { id, count: 0, at: 0, address: undefined, dueAt: 0 }
  }

  note(use: KeyUse, now: number, address: string | undefined, isProven: boolean): void {
    if (use.count++ === 0) this.#unwritten.set(use.id, use)
    use.at = now
    if (address !== undefined) use.address = address
    if (!isProven) this.#first.add(use.id)
  }

  /** Lets the keys on trial that were used take over. What cannot be written is written the next time. */
  async prove(db: Database): Promise<void> {
    if (this.#first.size === 0) return
    const { keys, log } = this.#parts
    for (const id of [...this.#first]) {
      try {
        await db.transaction().execute((trx) => keys.rotation.prove(trx, id))
        this.#first.delete(id)
      } catch (error) {
        log.warn({ key: id, err: error }, 'the first use of an API key could not be written; it is tried again')
        return
      }
    }
  }

  /** Adds up what is due, in one statement a thousand. What could not be written stays due. */
  async flush(db: Database, all: boolean): Promise<void> {
    const now = this.#parts.clock.now()
    // In one order on every node, so that two that write at once wait for each other and not in a circle.
    const due = [...this.#unwritten.values()]
      .filter(({ dueAt }) => all || dueAt <= now)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    for (let from = 0; from < due.length; from += rowsMax) {
      const some = due.slice(from, from + rowsMax).map((use) => ({ use, ...use }))
      await db
        .insertInto('api_key_uses')
        .values(
          some.map(({ id, count, at, address }) => ({
            key_id: id,
            use_count: count,
            last_used_at: at,
            last_used_address: address ?? null,
          })),
        )
        .onConflict((conflict) =>
          conflict.column('key_id').doUpdateSet({
            use_count: sql`api_key_uses.use_count + excluded.use_count`,
            last_used_at: sql`case when excluded.last_used_at > api_key_uses.last_used_at then excluded.last_used_at else api_key_uses.last_used_at end`,
            last_used_address: sql`case when excluded.last_used_at >= api_key_uses.last_used_at then coalesce(excluded.last_used_address, api_key_uses.last_used_address) else api_key_uses.last_used_address end`,
          }),
        )
        .execute()
      for (const { use, count } of some) {
        use.count -= count
        use.dueAt = now + everyMs
        if (use.count === 0) this.#unwritten.delete(use.id)
      }
    }
  }
}

const everyMs = 60_000
const rowsMax = 1_000
