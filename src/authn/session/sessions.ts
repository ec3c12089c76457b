import { createHmac } from 'node:crypto'
import type { Insertable } from 'kysely'
import { base64url, equalBytes, fromBase64url, sha256Hex } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { RootKey } from '../../keys/root.ts'
import type { Database } from '../../store/database.ts'
import type { SessionsTable } from '../../store/schema.ts'
import { methodsFrom, type Proof } from '../proof.ts'

/** One sign-in: the family that all its refresh tokens and access tokens belong to. */
export interface Session {
  readonly id: string
  readonly userId: string
  readonly proof: Proof
}

/** A living session as its owner may see it. */
export interface SessionView {
  readonly id: string
  readonly kind: 'tokens' | 'browser' | 'impersonation'
  readonly address: string
  readonly userAgent: string
  readonly createdAt: number
  readonly seenAt: number
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
  /** Never ours, or of a session that has ended. */
  | { readonly kind: 'invalid' }

export interface Device {
  readonly address: string
  readonly userAgent: string
}

interface SessionsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly root: RootKey
  /** Absolute life of a family. */
  readonly refreshTtlMs: number
  /** How long a direct predecessor is answered with the same successor. */
  readonly graceMs: number
}

/** What every refresh token begins with: scanners and our own log redaction know one by it. */
export const refreshTokenPrefix = 'gh_rt_'

/**
 * Families of refresh tokens, one row each. A successor's secret is derived from its predecessor's, so that refreshes that
 * race all arrive at the same one, and the store keeps nothing but hashes (docs/decisions/0002).
 */
export class Sessions {
  readonly #options: SessionsOptions
  readonly #successorKey: Buffer
  readonly #tagKey: Buffer

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#successorKey = options.root.derive('refresh token successors')
    this.#tagKey = options.root.derive('refresh token tags')
  }

  async open(db: Database, userId: string, device: Device, proof: Proof): Promise<Opened> {
    const { clock, random, refreshTtlMs } = this.#options
    const now = clock.now()
    const id = uuidv7(now, random)
    const secret = Buffer.from(random.bytes(32))
    await db
      .insertInto('sessions')
      .values({
        ...newSessionRow(id, userId, device, proof, now),
        kind: 'tokens',
        refresh_hash: hashOf(secret),
        expires_at: now + refreshTtlMs,
      })
      .execute()
    return { session: { id, userId, proof }, refreshToken: this.#write(id, 0, secret) }
  }

  /** Trades a refresh token for its successor. One conditional UPDATE decides: whoever comes second finds it decided. */
  async rotate(db: Database, presented: string): Promise<Rotation> {
    const token = this.#read(presented)
    if (token === undefined) return { kind: 'invalid' }
    const now = this.#options.clock.now()
    const next = this.#successor(token)
    const moved = await db
      .updateTable('sessions')
      .set({
        refresh_hash: hashOf(next),
        previous_hash: hashOf(token.secret),
        generation: token.generation + 1,
        rotated_at: now,
        seen_at: now,
      })
      .where('id', '=', token.id)
      .where('kind', '=', 'tokens')
      .where('refresh_hash', '=', hashOf(token.secret))
      .where('ended_at', 'is', null)
      .where('expires_at', '>', now)
      .returning(['user_id', 'methods', 'authenticated_at'])
      .executeTakeFirst()
    const refreshToken = this.#write(token.id, token.generation + 1, next)
    if (moved !== undefined) return { kind: 'rotated', session: sessionOf(token.id, moved), refreshToken }
    return this.#explain(db, token, next, refreshToken, now)
  }

  /** Ends a family. Answers whether it was still going on. */
  async end(db: Database, id: string, reason: string): Promise<boolean> {
    const ended = await db
      .updateTable('sessions')
      .set({ ended_at: this.#options.clock.now(), ended_reason: reason })
      .where('id', '=', id)
      .where('ended_at', 'is', null)
      .executeTakeFirst()
    return ended.numUpdatedRows > 0n
  }

  /**
   * An administrator's time as somebody else: it proves by its access token alone, which cannot be refreshed, and so ends
   * with it (INVARIANTS A58).
   */
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
        refresh_hash: hashOf(Buffer.from(random.bytes(32))), // nobody was given the secret
        expires_at: by.untilMs,
        impersonator_id: by.id,
        impersonation_reason: by.reason,
      })
      .execute()
    return { id, userId, proof: by.proof }
  }

  /** The living sessions of a person, latest sign of life first. Browsers that were idle for too long are not among them. */
  async list(db: Database, userId: string, browserIdleMs: number): Promise<readonly SessionView[]> {
    const now = this.#options.clock.now()
    const rows = await db
      .selectFrom('sessions')
      .selectAll()
      .where('user_id', '=', userId)
      .where('ended_at', 'is', null)
      .where('expires_at', '>', now)
      .where((is) => is.or([is('kind', '!=', 'browser'), is('seen_at', '>', now - browserIdleMs)]))
      .orderBy('seen_at', 'desc')
      .orderBy('id')
      .execute()
    return rows.map((row) => ({
      id: row.id,
      kind: row.kind,
      address: row.address,
      userAgent: row.user_agent,
      createdAt: row.created_at,
      seenAt: row.seen_at,
      expiresAt: row.expires_at,
    }))
  }

  /** Ends one session of a person. Answers whether it was theirs, and still going on. */
  async endOf(db: Database, userId: string, id: string, reason: string): Promise<boolean> {
    const ended = await db
      .updateTable('sessions')
      .set({ ended_at: this.#options.clock.now(), ended_reason: reason })
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .where('ended_at', 'is', null)
      .executeTakeFirst()
    return ended.numUpdatedRows > 0n
  }

  /** Ends all sessions of a person, or all but one, and those in which they act as somebody else; answers which. */
  async endAllOf(db: Database, userId: string, reason: string, except?: string): Promise<readonly string[]> {
    const ended = await db
      .updateTable('sessions')
      .set({ ended_at: this.#options.clock.now(), ended_reason: reason })
      .where((is) => is.or([is('user_id', '=', userId), is('impersonator_id', '=', userId)]))
      .where('ended_at', 'is', null)
      .$if(except !== undefined, (query) => query.where('id', '!=', except ?? ''))
      .returning('id')
      .execute()
    return ended.map(({ id }) => id)
  }

  /** Families that ended after a moment: their access tokens may still be alive. */
  async endedSince(
    db: Database,
    sinceMs: number,
  ): Promise<readonly { readonly id: string; readonly endedAt: number }[]> {
    const rows = await db.selectFrom('sessions').select(['id', 'ended_at']).where('ended_at', '>', sinceMs).execute()
    return rows.map(({ id, ended_at }) => ({ id, endedAt: ended_at ?? 0 }))
  }

  /** Forgets families that ended or ran out before a moment, and answers how many: as good as unknown from then on. */
  async sweep(db: Database, beforeMs: number): Promise<number> {
    const gone = await db
      .deleteFrom('sessions')
      .where((is) => is.or([is('ended_at', '<', beforeMs), is('expires_at', '<', beforeMs)]))
      .executeTakeFirst()
    return Number(gone.numDeletedRows)
  }

  /** Why the living token was another one. */
  async #explain(db: Database, token: ReadToken, next: Buffer, refreshToken: string, now: number): Promise<Rotation> {
    const row = await db.selectFrom('sessions').selectAll().where('id', '=', token.id).executeTakeFirst()
    if (row === undefined || row.ended_at !== null) return { kind: 'invalid' }
    if (row.expires_at <= now) return { kind: 'expired' }
    const predecessor = row.previous_hash === hashOf(token.secret) && row.refresh_hash === hashOf(next)
    if (predecessor && now - row.rotated_at < this.#options.graceMs) {
      return { kind: 'repeated', session: sessionOf(row.id, row), refreshToken }
    }
    // Of replays that race, one ends the family and tells of it; for the others it has ended.
    const ended = await this.end(db, row.id, 'a spent refresh token came back')
    return ended ? { kind: 'reused', sessionId: row.id, userId: row.user_id } : { kind: 'invalid' }
  }

  #successor({ id, generation, secret }: ReadToken): Buffer {
    return createHmac('sha256', this.#successorKey).update(`${id}.${generation}.`).update(secret).digest()
  }

  #write(id: string, generation: number, secret: Buffer): string {
    return `${refreshTokenPrefix}${id}.${generation}.${base64url(secret)}.${base64url(this.#tag(id, generation, secret))}`
  }

  /** A token that carries our tag was once ours. An invented one cannot: it ends nobody's family. */
  #read(text: string): ReadToken | undefined {
    const parts = tokenForm.exec(text)
    if (parts === null) return undefined
    const [, id = '', generationText = '', secretText = '', tagText = ''] = parts
    const secret = fromBase64url(secretText)
    const tag = fromBase64url(tagText)
    const generation = Number(generationText)
    if (secret === undefined || tag === undefined) return undefined
    return equalBytes(tag, this.#tag(id, generation, secret)) ? { id, generation, secret } : undefined
  }

  #tag(id: string, generation: number, secret: Buffer): Buffer {
    return createHmac('sha256', this.#tagKey).update(`${id}.${generation}.`).update(secret).digest().subarray(0, 16)
  }
}

/** What every kind of session has when it begins. */
export function newSessionRow(
  id: string,
  userId: string,
  { address, userAgent }: Device,
  proof: Proof,
  now: number,
): Omit<Insertable<SessionsTable>, 'kind' | 'refresh_hash' | 'expires_at'> {
  return {
    id,
    user_id: userId,
    generation: 0,
    previous_hash: null,
    rotated_at: now,
    created_at: now,
    seen_at: now,
    ended_at: null,
    ended_reason: null,
    address,
    user_agent: userAgent.slice(0, 256).toWellFormed().replaceAll('\0', ''),
    methods: proof.methods.join(' '),
    authenticated_at: proof.at,
  }
}

function sessionOf(
  id: string,
  row: { readonly user_id: string; readonly methods: string; readonly authenticated_at: number },
): Session {
  return {
    id,
    userId: row.user_id,
    proof: { methods: methodsFrom(row.methods.split(' ')), at: row.authenticated_at },
  }
}

interface ReadToken {
  readonly id: string
  readonly generation: number
  readonly secret: Buffer
}

const tokenForm = /^gh_rt_([0-9a-f-]{36})\.(0|[1-9]\d{0,14})\.([\w-]{43})\.([\w-]{22})$/

function hashOf(secret: Buffer): string {
  return sha256Hex(secret)
}
