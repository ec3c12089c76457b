import { sha256Hex } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Random, secretText } from '../../kernel/id.ts'
import type { RootKey } from '../../keys/root.ts'
import { open, seal } from '../../keys/sealing.ts'
import type { Database } from '../../store/database.ts'

/** What a ticket can be good for, and what it then stands for. */
export interface TicketPurposes {
  /** An account that will be, once its address has answered. */
  registration: {
    readonly email: string
    readonly name: string
    readonly username: string | undefined
    readonly phc: string
    readonly short: boolean
  }
  'password-reset': { readonly userId: string }
  'email-change': { readonly userId: string; readonly email: string }
  invitation: { readonly email: string; readonly name: string; readonly roles: readonly string[]; readonly by: string }
  /** That a letter was written on somebody's word. */
  letter: Readonly<Record<string, never>>
  /** A sign-in that waits for its second factor. */
  'second-factor': { readonly userId: string; readonly methods: readonly string[] }
  /** A WebAuthn ceremony. */
  passkey: {
    readonly challenge: string
    readonly userId: string | undefined
    /** The ticket of the sign-in that it completes. */
    readonly signIn: string | undefined
  }
  /** A person who was sent to a provider. */
  provider: {
    readonly flow: unknown
    readonly returnTo: string
    /** The account that wants to be linked, where somebody was signed in. */
    readonly linkTo: string | undefined
  }
  /** That one client may register itself (RFC 7591 §3). */
  'client-registration': { readonly by: string }
  /** That one did, from an address. */
  'client-registered': Readonly<Record<string, never>>
}

export type TicketPurpose = keyof TicketPurposes

export type Read<Purpose extends TicketPurpose> =
  | { readonly kind: 'good'; readonly holds: TicketPurposes[Purpose] }
  /** Three different things to the log, and one to the caller. */
  | { readonly kind: 'unknown' | 'expired' | 'taken' }

export interface NewTicket<Purpose extends TicketPurpose> {
  readonly purpose: Purpose
  /** Whom it concerns: an account id or an address. */
  readonly subject: string
  readonly holds: TicketPurposes[Purpose]
  readonly ttlMs: number
  /** Whether earlier ones of the same purpose and subject end with it. */
  readonly replaces?: boolean
}

/**
 * Secrets that are good once and until a moment: links in letters, sign-ins under way, states and challenges. The store
 * keeps a hash of the secret, and what it stands for only sealed. Of two who take one at the same moment, one has it.
 */
export class Tickets {
  readonly #clock: Clock
  readonly #random: Random
  readonly #key: Buffer

  constructor({ clock, random, root }: { readonly clock: Clock; readonly random: Random; readonly root: RootKey }) {
    this.#clock = clock
    this.#random = random
    this.#key = root.derive('tickets')
  }

  /** Writes a ticket and answers its secret: 256 bits, shown once. */
  async issue<Purpose extends TicketPurpose>(db: Database, ticket: NewTicket<Purpose>): Promise<string> {
    const { purpose, subject, holds, ttlMs, replaces = false } = ticket
    const now = this.#clock.now()
    if (replaces) {
      await db
        .updateTable('tickets')
        .set({ taken_at: now })
        .where('purpose', '=', purpose)
        .where('subject', '=', subject)
        .where('taken_at', 'is', null)
        .execute()
    }
    const secret = secretText(this.#random)
    const hash = sha256Hex(secret)
    const sealed = seal(this.#key, JSON.stringify(holds), `tickets ${purpose} ${hash}`, this.#random)
    await db
      .insertInto('tickets')
      .values({ hash, purpose, subject, sealed, created_at: now, expires_at: now + ttlMs, taken_at: null })
      .execute()
    return secret
  }

  /** Looks at a ticket without taking it. */
  async look<Purpose extends TicketPurpose>(db: Database, purpose: Purpose, secret: string): Promise<Read<Purpose>> {
    const row = await db
      .selectFrom('tickets')
      .selectAll()
      .where('hash', '=', sha256Hex(secret))
      .where('purpose', '=', purpose)
      .executeTakeFirst()
    if (row === undefined) return { kind: 'unknown' }
    if (row.taken_at !== null) return { kind: 'taken' }
    if (row.expires_at <= this.#clock.now()) return { kind: 'expired' }
    return this.#open(purpose, row)
  }

  /** Takes a ticket: one conditional UPDATE, so that it is taken once. */
  async take<Purpose extends TicketPurpose>(db: Database, purpose: Purpose, secret: string): Promise<Read<Purpose>> {
    const now = this.#clock.now()
    const row = await db
      .updateTable('tickets')
      .set({ taken_at: now })
      .where('hash', '=', sha256Hex(secret))
      .where('purpose', '=', purpose)
      .where('taken_at', 'is', null)
      .where('expires_at', '>', now)
      .returning(['hash', 'sealed'])
      .executeTakeFirst()
    if (row !== undefined) return this.#open(purpose, row)
    const why = await this.look(db, purpose, secret)
    return why.kind === 'good' ? { kind: 'taken' } : why
  }

  /** Ends all tickets of a purpose that concern somebody. */
  async void(db: Database, purpose: TicketPurpose, subject: string): Promise<void> {
    await db.deleteFrom('tickets').where('purpose', '=', purpose).where('subject', '=', subject).execute()
  }

  /** Whom living tickets of a purpose concern, newest first: open invitations, for one. */
  async living<Purpose extends TicketPurpose>(
    db: Database,
    purpose: Purpose,
    subject?: string,
  ): Promise<
    readonly { readonly holds: TicketPurposes[Purpose]; readonly expiresAt: number; readonly hash: string }[]
  > {
    const rows = await db
      .selectFrom('tickets')
      .selectAll()
      .where('purpose', '=', purpose)
      .where('taken_at', 'is', null)
      .where('expires_at', '>', this.#clock.now())
      .$if(subject !== undefined, (query) => query.where('subject', '=', subject ?? ''))
      .orderBy('created_at', 'desc')
      .limit(200)
      .execute()
    return rows.flatMap((row) => {
      const read = this.#open(purpose, row)
      return read.kind === 'good' ? [{ holds: read.holds, expiresAt: row.expires_at, hash: row.hash }] : []
    })
  }

  /** How many were issued for somebody since a moment, whatever became of them. */
  async countSince(db: Database, purpose: TicketPurpose, subject: string, sinceMs: number): Promise<number> {
    const { issued } = await db
      .selectFrom('tickets')
      .select((of) => of.fn.countAll<number>().as('issued'))
      .where('purpose', '=', purpose)
      .where('subject', '=', subject)
      .where('created_at', '>', sinceMs)
      .executeTakeFirstOrThrow()
    return Number(issued)
  }

  /** Forgets tickets that ran out before a moment. */
  async sweep(db: Database, beforeMs: number): Promise<void> {
    await db.deleteFrom('tickets').where('expires_at', '<', beforeMs).execute()
  }

  #open<Purpose extends TicketPurpose>(
    purpose: Purpose,
    row: { readonly hash: string; readonly sealed: string },
  ): Read<Purpose> {
    const text = open(this.#key, row.sealed, `tickets ${purpose} ${row.hash}`)
    return text === undefined
      ? { kind: 'unknown' } // sealed under another root key, or changed in the store
      : { kind: 'good', holds: JSON.parse(text) as TicketPurposes[Purpose] }
  }
}
