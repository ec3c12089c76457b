import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../store/database.ts'
import { type CutKind, type Revocations, tokenSlackMs } from './revocations.ts'

/** Everything of somebody that was issued at or before a moment: void. */
export interface CutOff {
  readonly kind: CutKind
  /** Account id, client id; '' for everything. */
  readonly subject: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/**
 * Revocations in the store, beside the ends of sessions, which their own rows tell: single tokens, and cut-offs. Other nodes
 * hear them from here, and so does this one when it starts again.
 */
export class RevocationList {
  readonly #clock: Clock
  readonly #keepMs: number

  constructor({ clock, ttlMs }: { readonly clock: Clock; readonly ttlMs: number }) {
    this.#clock = clock
    this.#keepMs = ttlMs + tokenSlackMs
  }

  /** Writes one down, in the transaction of the change; of two against the same, what reaches further stays. */
  async revoke(
    trx: Database,
    kind: CutKind | 'token',
    subject: string,
    { at, expiresAt }: { readonly at: number; readonly expiresAt: number },
  ): Promise<void> {
    await trx
      .insertInto('revocations')
      .values({ kind, subject, at, expires_at: expiresAt })
      .onConflict((conflict) =>
        conflict.columns(['kind', 'subject']).doUpdateSet({
          at: sql<number>`case when excluded.at > revocations.at then excluded.at else revocations.at end`,
          expires_at: sql<number>`case when excluded.expires_at > revocations.expires_at then excluded.expires_at else revocations.expires_at end`,
        }),
      )
      .execute()
  }

  /** Writes a cut-off down; it stays until the last token from before it has run out. */
  async cut(trx: Database, { kind, subject, at }: CutOff): Promise<void> {
    await this.revoke(trx, kind, subject, { at, expiresAt: at + this.#keepMs })
  }

  /**
   * Hands over what still stands: all cut-offs, and single tokens that were revoked after a moment. Cut-offs are few, and
   * their transactions may be long: which of them are news is for whoever hears them to see.
   */
  async tell(db: Database, sinceMs: number, revocations: Revocations): Promise<void> {
    const rows = await db
      .selectFrom('revocations')
      .selectAll()
      .where('expires_at', '>', this.#clock.now())
      .where((is) => is.or([is('kind', '!=', 'token'), is('at', '>', sinceMs)]))
      .execute()
    for (const { kind, subject, at, expires_at } of rows) {
      if (kind === 'token') revocations.endToken(subject, expires_at)
      else revocations.cut(kind, subject, at, expires_at)
    }
  }

  /** Forgets what stands against nothing any more. */
  async sweep(db: Database): Promise<void> {
    await db.deleteFrom('revocations').where('expires_at', '<=', this.#clock.now()).execute()
  }
}
