import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/id.ts'
import type { RootKey } from '../../keys/root.ts'
import { open, seal } from '../../keys/sealing.ts'
import type { Database } from '../../store/database.ts'

/** An account elsewhere that signs in to one here. */
export interface LinkedIdentity {
  readonly issuer: string
  readonly subject: string
  /** Its name in the configuration. */
  readonly provider: string
  readonly userId: string
  /** What the provider said when it was linked. It is shown, and decides nothing. */
  readonly email: string | undefined
  readonly createdAt: number
  readonly lastUsedAt: number
}

export interface NewIdentity {
  readonly issuer: string
  readonly subject: string
  readonly provider: string
  readonly userId: string
  readonly email: string | undefined
  readonly refreshToken?: string | undefined
}

/** Who is who elsewhere, by issuer and subject (INVARIANTS A35). Refresh tokens of providers lie sealed, each for its row. */
export class Identities {
  readonly #clock: Clock
  readonly #random: Random
  readonly #key: Buffer

  constructor({ clock, random, root }: { readonly clock: Clock; readonly random: Random; readonly root: RootKey }) {
    this.#clock = clock
    this.#random = random
    this.#key = root.derive('provider refresh tokens')
  }

  async find(db: Database, issuer: string, subject: string): Promise<LinkedIdentity | undefined> {
    if (!isStorable(issuer) || !isStorable(subject)) return undefined
    const row = await db
      .selectFrom('identities')
      .selectAll()
      .where('issuer', '=', issuer)
      .where('subject', '=', subject)
      .executeTakeFirst()
    return row && identityOf(row)
  }

  /** Links an account elsewhere to one here. False where it is linked already, to whomever: of two at once one has it. */
  async link(db: Database, identity: NewIdentity): Promise<boolean> {
    const { issuer, subject, provider, userId, email, refreshToken } = identity
    if (![issuer, subject, provider, userId, email ?? ''].every(isStorable)) return false
    const now = this.#clock.now()
    const made = await db
      .insertInto('identities')
      .values({
        issuer,
        subject,
        provider,
        user_id: userId,
        email: email ?? null,
        sealed_refresh_token: refreshToken === undefined ? null : this.#seal(issuer, subject, refreshToken),
        created_at: now,
        last_used_at: now,
      })
      .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doNothing())
      .returning('user_id')
      .executeTakeFirst()
    return made !== undefined
  }

  /** Notes a sign-in. A provider that sends no new refresh token means that the old one goes on. */
  async touch(db: Database, issuer: string, subject: string, refreshToken?: string): Promise<void> {
    if (!isStorable(issuer) || !isStorable(subject)) return
    await db
      .updateTable('identities')
      .set({
        last_used_at: this.#clock.now(),
        ...(refreshToken === undefined ? {} : { sealed_refresh_token: this.#seal(issuer, subject, refreshToken) }),
      })
      .where('issuer', '=', issuer)
      .where('subject', '=', subject)
      .execute()
  }

  /** What a person has linked, first linked first. */
  async of(db: Database, userId: string): Promise<readonly LinkedIdentity[]> {
    if (!isStorable(userId)) return []
    const rows = await db
      .selectFrom('identities')
      .selectAll()
      .where('user_id', '=', userId)
      .orderBy('created_at')
      .orderBy('issuer')
      .orderBy('subject')
      .execute()
    return rows.map(identityOf)
  }

  /** Unlinks what a person has with a provider, and forgets its refresh token. Answers whether there was anything. */
  async unlink(db: Database, userId: string, provider: string): Promise<boolean> {
    if (!isStorable(userId) || !isStorable(provider)) return false
    const gone = await db
      .deleteFrom('identities')
      .where('user_id', '=', userId)
      .where('provider', '=', provider)
      .executeTakeFirst()
    return gone.numDeletedRows > 0n
  }

  /** The refresh token of the provider; undefined where there is none, or where it was sealed for another row or house. */
  async refreshToken(db: Database, issuer: string, subject: string): Promise<string | undefined> {
    if (!isStorable(issuer) || !isStorable(subject)) return undefined
    const row = await db
      .selectFrom('identities')
      .select('sealed_refresh_token')
      .where('issuer', '=', issuer)
      .where('subject', '=', subject)
      .executeTakeFirst()
    const sealed = row?.sealed_refresh_token ?? undefined
    return sealed === undefined ? undefined : open(this.#key, sealed, placeOf(issuer, subject))
  }

  #seal(issuer: string, subject: string, refreshToken: string): string {
    return seal(this.#key, refreshToken, placeOf(issuer, subject), this.#random)
  }
}

/** As JSON, so that no other issuer and subject join to the same text. */
function placeOf(issuer: string, subject: string): string {
  return `identities.sealed_refresh_token ${JSON.stringify([issuer, subject])}`
}

/** PostgreSQL takes neither a NUL nor half a character, and nobody's subject has one. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

interface IdentityRow {
  readonly issuer: string
  readonly subject: string
  readonly provider: string
  readonly user_id: string
  readonly email: string | null
  readonly created_at: number
  readonly last_used_at: number
}

function identityOf(row: IdentityRow): LinkedIdentity {
  return {
    issuer: row.issuer,
    subject: row.subject,
    provider: row.provider,
    userId: row.user_id,
    email: row.email ?? undefined,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  }
}
