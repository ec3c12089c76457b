import { base64url, sha256Hex } from '../../kernel/bytes.ts'
import { GenerationCache } from '../../kernel/cache.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { Database } from '../../store/database.ts'
import type { Accounts } from '../account/accounts.ts'
import { methodsFrom, type Proof } from '../proof.ts'
import { unbound } from '../token/binding.ts'
import type { Verified } from '../token/tokens.ts'
import type { Revocations } from './revocations.ts'
import { type Device, newSessionRow, type Session } from './session.ts'

interface BrowserSessionsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly accounts: Accounts
  readonly revocations: Revocations
  readonly idleMs: number
  readonly absoluteMs: number
}

/** A browser that was let in: the cookie is shown once, and only a hash of its secret is kept. */
export interface OpenedBrowser {
  readonly session: Session
  readonly cookie: string
}

export const browserCookiePrefix = 'gh_se_'

/**
 * Sessions that live at the server and are known by a cookie. What was read of one is believed for a moment, and an end
 * holds at once: ends are asked for on each use.
 */
export class BrowserSessions {
  readonly #options: BrowserSessionsOptions
  readonly #known = new GenerationCache<string, Known>(10_000)

  constructor(options: BrowserSessionsOptions) {
    this.#options = options
  }

  async open(db: Database, userId: string, device: Device, proof: Proof): Promise<OpenedBrowser> {
    const { clock, random, absoluteMs } = this.#options
    const now = clock.now()
    const id = uuidv7(now, random)
    const secret = base64url(random.bytes(32))
    await db
      .insertInto('sessions')
      .values({
        ...newSessionRow(id, userId, device, proof, now),
        kind: 'browser',
        refresh_hash: sha256Hex(secret),
        expires_at: now + absoluteMs,
      })
      .execute()
    return { session: { id, userId, proof, client: undefined }, cookie: `${browserCookiePrefix}${id}.${secret}` }
  }

  /**
   * Whom a cookie stands for. It waits only where the store has to be asked. `uses: false` is no sign of life: a connection
   * that merely stays open does not keep a session from its end.
   */
  verify(db: Database, cookie: string, uses = true): Verified | Refusal | Promise<Verified | Refusal> {
    const parts = form.exec(cookie)
    if (parts === null) return refuse('session-ended', { reason: 'the cookie is none of ours' })
    const [, id = '', secret = ''] = parts
    const name = sha256Hex(cookie)
    const known = this.#known.get(name)
    const now = this.#options.clock.now()
    // What was only looked at before is used now: that has to be written.
    if (known === undefined || known.until <= now || (uses && this.#isQuiet(known.seenAt, now)))
      return this.#read(db, name, { id, secret, uses })
    return this.#options.revocations.isRevoked(known.verified) ? refuse('session-ended') : known.verified
  }

  /** Forgets what was read: roles changed, for one. */
  clear(): void {
    this.#known.clear()
  }

  /** Whether the last sign of life is so long ago that another one is worth a line. */
  #isQuiet(seenAt: number, now: number): boolean {
    return now - seenAt >= Math.min(touchEveryMs, this.#options.idleMs / 4)
  }

  async #read(
    db: Database,
    name: string,
    { id, secret, uses }: { readonly id: string; readonly secret: string; readonly uses: boolean },
  ): Promise<Verified | Refusal> {
    const { clock, accounts, revocations, idleMs } = this.#options
    const now = clock.now()
    const row = await db
      .selectFrom('sessions')
      .selectAll()
      .where('id', '=', id)
      .where('kind', '=', 'browser')
      .where('refresh_hash', '=', sha256Hex(secret))
      .executeTakeFirst()
    if (row === undefined) return refuse('session-ended', { reason: 'no session has this cookie' })
    const issuedAt = Math.floor(row.created_at / 1000)
    const presented = { session: id, tokenId: id, subject: row.user_id, client: undefined, issuedAt }
    if (row.ended_at !== null || revocations.isRevoked(presented)) return refuse('session-ended')
    if (row.expires_at <= now) return refuse('session-ended', { reason: 'older than a session may become' })
    if (row.seen_at + idleMs <= now) return refuse('session-ended', { reason: 'no sign of life for too long' })
    const account = await accounts.byId(db, row.user_id)
    if (account?.status !== 'active') return refuse('session-ended', { reason: 'the account is locked or gone' })
    const seenAt = uses && this.#isQuiet(row.seen_at, now) ? now : row.seen_at
    if (seenAt > row.seen_at) {
      await db
        .updateTable('sessions')
        .set({ seen_at: now })
        .where('id', '=', id)
        .where('ended_at', 'is', null)
        .where('seen_at', '<', now)
        .execute()
    }
    const verified: Verified = {
      ...presented,
      kind: 'browser-session',
      roles: account.roles,
      scopes: [],
      attributes: { email: account.email, name: account.name },
      expiresAt: Math.floor(row.expires_at / 1000),
      proof: { methods: methodsFrom(row.methods.split(' ')), at: row.authenticated_at },
      actor: undefined,
      audience: [],
      ...unbound,
    }
    this.#known.set(name, {
      verified,
      until: Math.min(now + believeMs, row.expires_at, seenAt + idleMs),
      seenAt,
    })
    return verified
  }
}

interface Known {
  readonly verified: Verified
  readonly until: number
  readonly seenAt: number
}

/** How long an account's roles are believed without asking again. */
const believeMs = 2_000
const touchEveryMs = 60_000
const form = /^gh_se_([0-9a-f-]{36})\.([\w-]{43})$/
