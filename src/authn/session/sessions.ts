import type { Clock } from '../../kernel/clock.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { RootKey } from '../../keys/root.ts'
import type { Database } from '../../store/database.ts'
import type { Proof } from '../proof.ts'
import { endByCut, type MassEnd } from './mass-end.ts'
import { hashOf, type ReadToken, RefreshTokens } from './refresh-tokens.ts'
import type { RevocationList } from './revocation-list.ts'
import {
  byCut,
  type Device,
  type FamilyColumns,
  newSessionRow,
  type Session,
  type SessionClient,
  type SessionRow,
  type SessionView,
  sessionColumns,
  sessionOf,
  viewOf,
} from './session.ts'
import {
  type Condition,
  type Idle,
  idleMsOf,
  isClient,
  isCut,
  isHeldBy,
  isLiving,
  type Presenter,
  type Where,
} from './session-conditions.ts'

/** A family as it begins: what was granted, and how long for. */
export interface NewFamily extends SessionClient {
  /** The browser session that it ends with; undefined for access while the person is away. */
  readonly parentId: string | undefined
  /** Its absolute life. */
  readonly ttlMs: number
}

/** A family, by a refresh token of it that would be taken now. */
export interface Family extends Session {
  readonly createdAt: number
  readonly expiresAt: number
}

export interface Opened {
  readonly session: Session
  /** Shown once; only a hash of it is kept. */
  readonly refreshToken: string
}

export type Rotation =
  /** The token was the living one: this is its successor. */
  | ({ readonly kind: 'rotated' } & Opened)
  /** The token was rotated a moment ago, and its answer may have been lost: this is the same successor again (A18). */
  | ({ readonly kind: 'repeated' } & Opened)
  /** The token was spent: somebody else has its successor. The family has been ended (A17). */
  | { readonly kind: 'reused'; readonly sessionId: string; readonly userId: string }
  | { readonly kind: 'expired' }
  /** Never ours, or another's, or of a session that has ended. */
  | { readonly kind: 'invalid' }

interface SessionsOptions extends Idle {
  readonly clock: Clock
  readonly random: Random
  readonly root: RootKey
  /** Where a mass end is written down. */
  readonly revocationList: RevocationList
  /** Absolute life of a family. */
  readonly refreshTtlMs: number
  /** How long a direct predecessor is answered with the same successor. */
  readonly graceMs: number
}

/** Families of refresh tokens, one row each, and what ends sessions of any kind. */
export class Sessions {
  readonly #options: SessionsOptions
  readonly #tokens: RefreshTokens

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#tokens = new RefreshTokens(options.root)
  }

  open(db: Database, userId: string, device: Device, proof: Proof): Promise<Opened> {
    return this.#open(db, userId, device, proof, { kind: 'tokens' }, this.#options.refreshTtlMs)
  }

  /** A family whose tokens a program of other people holds. Its parent, where it has one, is held and alive (`isAlive`). */
  openForClient(
    trx: Database,
    userId: string,
    device: Device,
    proof: Proof,
    { id, scopes, resources, keyThumbprint, certificateThumbprint, parentId, ttlMs }: NewFamily,
  ): Promise<Opened> {
    const columns: FamilyColumns = {
      kind: 'client',
      client_id: id,
      scope: scopes.join(' '),
      resources: resources.join(' '),
      key_thumbprint: keyThumbprint ?? null,
      certificate_thumbprint: certificateThumbprint ?? null,
      parent_id: parentId ?? null,
    }
    return this.#open(trx, userId, device, proof, columns, ttlMs)
  }

  /**
   * Trades a refresh token for its successor. One conditional UPDATE decides: whoever comes second finds it decided, and
   * whoever is not its holder finds nothing.
   */
  async rotate(db: Database, presented: string, by: Presenter = { clientId: undefined }): Promise<Rotation> {
    const token = this.#tokens.read(presented)
    if (token === undefined) return { kind: 'invalid' }
    const now = this.#options.clock.now()
    const next = this.#tokens.successor(token)
    const moved = await db
      .updateTable('sessions')
      .set({
        refresh_hash: hashOf(next),
        previous_hash: hashOf(token),
        generation: next.generation,
        rotated_at: now,
        seen_at: now,
      })
      .where('id', '=', token.id)
      .where('refresh_hash', '=', hashOf(token))
      .where((is) => is.and([isHeldBy(is, by), isLiving(is, now, this.#options)]))
      .returning(sessionColumns)
      .executeTakeFirst()
    const refreshToken = this.#tokens.write(next)
    if (moved !== undefined) return { kind: 'rotated', session: sessionOf(moved), refreshToken }
    return this.#explain(db, token, next, by, now)
  }

  /** The family that a refresh token would be taken for now; nothing is spent by asking. */
  async peek(db: Database, presented: string): Promise<Family | undefined> {
    const token = this.#tokens.read(presented)
    if (token === undefined) return undefined
    const now = this.#options.clock.now()
    const row = await db
      .selectFrom('sessions')
      .selectAll()
      .where('id', '=', token.id)
      .where((is) => isLiving(is, now, this.#options))
      .executeTakeFirst()
    if (row === undefined) return undefined
    const isNewest = row.refresh_hash === hashOf(token)
    if (!isNewest && !this.#isInGrace(row, token, this.#tokens.successor(token), now)) return undefined
    return { ...sessionOf(row), createdAt: row.created_at, expiresAt: row.expires_at }
  }

  /** Whose session it is, be it over or not. */
  async ownerOf(db: Database, id: string): Promise<string | undefined> {
    const row = await db.selectFrom('sessions').select('user_id').where('id', '=', id).executeTakeFirst()
    return row?.user_id
  }

  /** The family that a refresh token belongs to, be it the living one or a spent one; undefined for what was never ours. */
  familyIdOf(presented: string): string | undefined {
    return this.#tokens.read(presented)?.id
  }

  /** Whether a session goes on. It is held until the transaction ends: what ends it comes before, or after. */
  async isAlive(trx: Database, id: string): Promise<boolean> {
    const now = this.#options.clock.now()
    const held = await trx
      .updateTable('sessions')
      .set((is) => ({ seen_at: is.ref('seen_at') }))
      .where('id', '=', id)
      .where('ended_at', 'is', null)
      .where('expires_at', '>', now)
      .where((is) => is.or([is('kind', '!=', 'browser'), is('seen_at', '>', now - this.#options.browserIdleMs)]))
      .where((is) => is.not(isCut(is, now)))
      .returning('id')
      .executeTakeFirst()
    return held !== undefined
  }

  /** Ends a session and those that end with it; answers which: none, where it was over. */
  end(db: Database, id: string, reason: string): Promise<readonly string[]> {
    return this.#end(db, id, reason, (is) => is.lit(true))
  }

  /**
   * Ends a session that goes on under another id, and answers whether it was going on: of two who want to, one may. What hangs
   * on it stays, for `adopt` to take over in the same transaction.
   */
  async replace(trx: Database, id: string, reason: string): Promise<boolean> {
    return (await this.#endAll(trx, reason, (is) => is('id', '=', id))).length > 0
  }

  /** What hung on one session hangs on another from now on. */
  async adopt(trx: Database, from: string, to: string): Promise<void> {
    await trx
      .updateTable('sessions')
      .set({ parent_id: to })
      .where('parent_id', '=', from)
      .where('ended_at', 'is', null)
      .execute()
  }

  /** Ends one session of a person, as `end` does; answers none where it was not theirs. */
  endOf(db: Database, userId: string, id: string, reason: string): Promise<readonly string[]> {
    return this.#end(db, id, reason, (is) => is('user_id', '=', userId))
  }

  /**
   * Ends the family of a refresh token, be it the living one or a spent one, for whoever holds it (RFC 7009 §2.1). Another's
   * is not there for them.
   */
  async endByToken(
    db: Database,
    presented: string,
    clientId: string | undefined,
    reason: string,
  ): Promise<readonly string[]> {
    const id = this.familyIdOf(presented)
    return id === undefined ? [] : this.#end(db, id, reason, (is) => isClient(is, clientId))
  }

  /** Ends what a client holds for a person; answers which. */
  endGrant(trx: Database, userId: string, clientId: string, reason: string): Promise<readonly string[]> {
    return this.#endAll(trx, reason, (is) => is.and([is('user_id', '=', userId), is('client_id', '=', clientId)]))
  }

  /** Ends all sessions of a person, or all but one and what hangs on it, and those in which they act as somebody else. */
  endAllOf(db: Database, userId: string, reason: string, except?: string): Promise<readonly string[]> {
    return this.#endAll(db, reason, (is) => {
      const theirs = is.or([is('user_id', '=', userId), is('impersonator_id', '=', userId)])
      if (except === undefined) return theirs
      return is.and([
        theirs,
        is('id', '!=', except),
        is.or([is('parent_id', 'is', null), is('parent_id', '!=', except)]),
      ])
    })
  }

  /** Ends the time of whoever acts as somebody that has one of these roles, or has one themself. */
  endActingAs(trx: Database, roles: readonly string[], reason: string): Promise<readonly string[]> {
    const holders = trx.selectFrom('user_roles').select('user_id').where('role', 'in', roles)
    return this.#endAll(trx, reason, (is) => {
      const either = is.or([is('user_id', 'in', holders), is('impersonator_id', 'in', holders)])
      return is.and([is('kind', '=', 'impersonation'), either])
    })
  }

  /** Ends every session of a client. Other nodes hear of the cut-off, and not of each. */
  endAllOfClient(trx: Database, clientId: string, reason: string): Promise<MassEnd> {
    return endByCut(trx, this.#options, 'client', clientId, reason, (is) => is('client_id', '=', clientId))
  }

  /** Ends every session that there is, in the same way. */
  endEverything(trx: Database, reason: string): Promise<MassEnd> {
    return endByCut(trx, this.#options, 'everything', '', reason, (is) => is.lit(true))
  }

  /** An administrator's time as somebody else: its access token alone proves it, is never refreshed, and ends it (A58). */
  async impersonate(
    db: Database,
    userId: string,
    device: Device,
    by: { readonly id: string; readonly reason: string; readonly untilMs: number; readonly proof: Proof },
  ): Promise<Session> {
    const { clock, random } = this.#options
    const now = clock.now()
    const id = uuidv7(now, random)
    await db
      .insertInto('sessions')
      .values({
        ...newSessionRow(id, userId, device, by.proof, now),
        kind: 'impersonation',
        refresh_hash: hashOf({ secret: Buffer.from(random.bytes(32)) }), // nobody was given the secret
        expires_at: by.untilMs,
        impersonator_id: by.id,
        impersonation_reason: by.reason,
      })
      .execute()
    return { id, userId, proof: by.proof, client: undefined }
  }

  /**
   * The living sessions of a person, latest sign of life first. Browsers that were idle for too long are not among them, and
   * neither are clients: those are seen by what they were allowed.
   */
  async list(db: Database, userId: string, browserIdleMs: number): Promise<readonly SessionView[]> {
    const now = this.#options.clock.now()
    const rows = await db
      .selectFrom('sessions')
      .selectAll()
      .where('user_id', '=', userId)
      .where('kind', '!=', 'client')
      .where('ended_at', 'is', null)
      .where('expires_at', '>', now)
      .where((is) => is.or([is('kind', '!=', 'browser'), is('seen_at', '>', now - browserIdleMs)]))
      .where((is) => is.or([is('kind', '!=', 'tokens'), is('seen_at', '>', now - this.#options.refreshIdleMs)]))
      .orderBy('seen_at', 'desc')
      .orderBy('id')
      .execute()
    return rows.map(viewOf)
  }

  /** The living families that a client holds for a person, latest sign of life first. */
  async familiesOf(db: Database, userId: string, clientId: string): Promise<readonly SessionView[]> {
    const now = this.#options.clock.now()
    const rows = await db
      .selectFrom('sessions')
      .selectAll()
      .where('user_id', '=', userId)
      .where('client_id', '=', clientId)
      .where((is) => isLiving(is, now, this.#options))
      .orderBy('seen_at', 'desc')
      .orderBy('id')
      .execute()
    return rows.map(viewOf)
  }

  /** Sessions that ended one by one after a moment: their access tokens may still be alive. */
  async endedSince(
    db: Database,
    sinceMs: number,
  ): Promise<readonly { readonly id: string; readonly endedAt: number }[]> {
    const rows = await db
      .selectFrom('sessions')
      .select(['id', 'ended_at'])
      .where('ended_at', '>', sinceMs)
      .where('ended_reason', 'not like', `${byCut}%`)
      .execute()
    return rows.map(({ id, ended_at }) => ({ id, endedAt: ended_at ?? 0 }))
  }

  /** Forgets sessions that ended or ran out before a moment, and answers how many: as good as unknown from then on. */
  async sweep(db: Database, beforeMs: number): Promise<number> {
    const gone = await db
      .deleteFrom('sessions')
      .where((is) => is.or([is('ended_at', '<', beforeMs), is('expires_at', '<', beforeMs)]))
      .executeTakeFirst()
    return Number(gone.numDeletedRows)
  }

  async #open(
    db: Database,
    userId: string,
    device: Device,
    proof: Proof,
    columns: FamilyColumns,
    ttlMs: number,
  ): Promise<Opened> {
    const { clock, random } = this.#options
    const now = clock.now()
    const first = { id: uuidv7(now, random), generation: 0, secret: Buffer.from(random.bytes(32)) }
    const row = await db
      .insertInto('sessions')
      .values({
        ...newSessionRow(first.id, userId, device, proof, now),
        ...columns,
        refresh_hash: hashOf(first),
        expires_at: now + ttlMs,
      })
      .returning(sessionColumns)
      .executeTakeFirstOrThrow()
    return { session: sessionOf(row), refreshToken: this.#tokens.write(first) }
  }

  /** Why the living token was another one. */
  async #explain(db: Database, token: ReadToken, next: ReadToken, by: Presenter, now: number): Promise<Rotation> {
    const row = await db
      .selectFrom('sessions')
      .selectAll()
      .select((is) => isLiving(is, now, this.#options).as('living'))
      .where('id', '=', token.id)
      .where((is) => isHeldBy(is, by))
      .executeTakeFirst()
    if (row === undefined || row.ended_at !== null) return { kind: 'invalid' }
    if (row.expires_at <= now || row.seen_at <= now - idleMsOf(row.kind, this.#options)) return { kind: 'expired' }
    // What it hangs on has ended, or a cut-off goes over it.
    if (!row.living) return { kind: 'invalid' }
    if (this.#isInGrace(row, token, next, now))
      return { kind: 'repeated', session: sessionOf(row), refreshToken: this.#tokens.write(next) }
    // Of replays that race, one ends the family and tells of it; for the others it has ended.
    const ended = await this.end(db, row.id, 'a spent refresh token came back')
    return ended.length > 0 ? { kind: 'reused', sessionId: row.id, userId: row.user_id } : { kind: 'invalid' }
  }

  /** Only the direct predecessor, only while its successor was not used itself, and only for a moment (A18, A19). */
  #isInGrace(row: SessionRow, token: ReadToken, next: ReadToken, now: number): boolean {
    const isPredecessor = row.previous_hash === hashOf(token) && row.refresh_hash === hashOf(next)
    return isPredecessor && now - row.rotated_at < this.#options.graceMs
  }

  /**
   * One session, and then those that hang on it: in a second statement, which sees a child that was opened while the first
   * one waited for `isAlive` to let go of the parent.
   */
  async #end(db: Database, id: string, reason: string, which: (is: Where) => Condition): Promise<readonly string[]> {
    const ended = await this.#endAll(db, reason, (is) => is.and([is('id', '=', id), which(is)]))
    if (ended.length === 0) return ended
    return [...ended, ...(await this.#endAll(db, reason, (is) => is('parent_id', '=', id)))]
  }

  async #endAll(db: Database, reason: string, which: (is: Where) => Condition): Promise<readonly string[]> {
    const ended = await db
      .updateTable('sessions')
      .set({ ended_at: this.#options.clock.now(), ended_reason: reason })
      .where('ended_at', 'is', null)
      .where(which)
      .returning('id')
      .execute()
    return ended.map(({ id }) => id)
  }
}
