import type { Clock } from '../kernel/clock.ts'
import { type Random, uuidv7 } from '../kernel/id.ts'
import type { Database } from './database.ts'

/**
 * Says by one row whether something in the store is another than it was, for who keeps it in memory; and holds those apart,
 * over all nodes, who change it.
 */
export class VersionRow {
  readonly #name: string
  readonly #clock: Clock
  readonly #random: Random

  constructor(name: string, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#name = name
    this.#clock = clock
    this.#random = random
  }

  /** Another text after every change; '' before the first. */
  async read(db: Database): Promise<string> {
    const row = await db.selectFrom('house').select('value').where('name', '=', this.#name).executeTakeFirst()
    return row?.value ?? ''
  }

  /** Begins a change: whoever comes second waits until the first is done, and finds what it left. */
  async renew(trx: Database): Promise<void> {
    const value = uuidv7(this.#clock.now(), this.#random)
    await trx
      .insertInto('house')
      .values({ name: this.#name, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
      .execute()
  }

  /**
   * Keeps it from changing until the transaction ends, and answers its version. PostgreSQL holds the row; SQLite has one
   * writer anyway.
   */
  async hold(trx: Database): Promise<string> {
    const { value } = await trx
      .insertInto('house')
      .values({ name: this.#name, value: '' })
      .onConflict((conflict) => conflict.column('name').doUpdateSet((row) => ({ value: row.ref('house.value') })))
      .returning('value')
      .executeTakeFirstOrThrow()
    return value
  }
}
