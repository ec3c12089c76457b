import { sha256Hex } from '../kernel/bytes.ts'
import { GenerationCache } from '../kernel/cache.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../store/database.ts'

/**
 * What may be said once: proofs of possession (RFC 9449 §11.1), assertions of clients (RFC 7523 §3). Of two who say the same
 * at one moment, on whichever nodes, the store lets one have been first. It holds as many rows as were said within the life
 * of one.
 */
export class Replays {
  readonly #clock: Clock
  /** Heard on this node: who repeats in a hurry costs no query. */
  readonly #heard = new GenerationCache<string, number>(heardMax)

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock
  }

  /**
   * Whether nobody has said this before. From now on somebody has, at least until `expiresAtMs`; on this node also where
   * the transaction that heard it comes to nothing.
   */
  async isFresh(db: Database, said: string, expiresAtMs: number): Promise<boolean> {
    const hash = sha256Hex(said)
    if ((this.#heard.get(hash) ?? 0) > this.#clock.now()) return false
    const first = await db
      .insertInto('replays')
      .values({ hash, expires_at: expiresAtMs })
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .returning('hash')
      .executeTakeFirst()
    this.#heard.set(hash, expiresAtMs)
    return first !== undefined
  }

  /** Forgets what could not be said any more anyway. */
  async sweep(db: Database): Promise<void> {
    await db.deleteFrom('replays').where('expires_at', '<', this.#clock.now()).execute()
  }
}

const heardMax = 10_000
