import { createHmac } from 'node:crypto'
import { sha256Hex } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Random } from '../kernel/id.ts'
import type { RootKey } from '../keys/root.ts'
import { open, seal } from '../keys/sealing.ts'
import type { Database } from '../store/database.ts'

/** What the authorization server has to keep between two requests of one conversation. */
export type RecordKind = 'AuthorizationCode' | 'PushedAuthorizationRequest' | 'Interaction' | 'DeviceCode' | 'Grant'

export type Payload = Readonly<Record<string, unknown>>

export interface OauthRecord {
  readonly payload: Payload
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** When it was taken; it is taken once. */
  readonly consumedAt: number | undefined
  /** The family of tokens that came of it. */
  readonly sessionId: string | undefined
}

/**
 * Codes, pushed requests and interactions: found by a secret of which only a hash is kept, and held sealed. What is good
 * once is taken by one statement, so that of two who come at the same moment one has it.
 */
export class Records {
  readonly #clock: Clock
  readonly #random: Random
  readonly #key: Buffer

  constructor({ clock, random, root }: { readonly clock: Clock; readonly random: Random; readonly root: RootKey }) {
    this.#clock = clock
    this.#random = random
    this.#key = root.derive('oauth records')
  }

  /** Writes a record, or writes it anew; one that was taken stays taken. */
  async save(
    db: Database,
    kind: RecordKind,
    secret: string,
    payload: Payload,
    { ttlMs, userCode }: { readonly ttlMs: number; readonly userCode?: string | undefined },
  ): Promise<void> {
    const hash = sha256Hex(secret)
    const now = this.#clock.now()
    const sealed = this.#seal(kind, hash, payload)
    await db
      .insertInto('oauth_records')
      .values({
        model: kind,
        hash,
        sealed,
        polled_at: null,
        user_code_hash: userCode === undefined ? null : this.#hashOfUserCode(userCode),
        created_at: now,
        expires_at: now + ttlMs,
        consumed_at: null,
        session_id: null,
      })
      .onConflict((conflict) => conflict.columns(['model', 'hash']).doUpdateSet({ sealed, expires_at: now + ttlMs }))
      .execute()
  }

  /** A record that has not run out, taken or not. */
  async find(db: Database, kind: RecordKind, secret: string): Promise<OauthRecord | undefined> {
    const row = await db
      .selectFrom('oauth_records')
      .selectAll()
      .where('model', '=', kind)
      .where('hash', '=', sha256Hex(secret))
      .where('expires_at', '>', this.#clock.now())
      .executeTakeFirst()
    return row === undefined ? undefined : this.#read(kind, row)
  }

  /** The device code that a person's code stands for, with its handle: the secret itself is nobody's here. */
  async findDevice(
    db: Database,
    userCode: string,
  ): Promise<{ readonly handle: string; readonly record: OauthRecord } | undefined> {
    const row = await db
      .selectFrom('oauth_records')
      .selectAll()
      .where('model', '=', 'DeviceCode')
      .where('user_code_hash', '=', this.#hashOfUserCode(userCode))
      .where('expires_at', '>', this.#clock.now())
      .executeTakeFirst()
    const record = row === undefined ? undefined : this.#read('DeviceCode', row)
    return row === undefined || record === undefined ? undefined : { handle: row.hash, record }
  }

  /**
   * A person's answer to a device, once: of two answers the first counts. The user code is worth nothing from then on.
   */
  async answerDevice(trx: Database, handle: string, before: Payload, answer: Payload): Promise<boolean> {
    const answered = await trx
      .updateTable('oauth_records')
      .set({ sealed: this.#seal('DeviceCode', handle, { ...before, ...answer }), user_code_hash: null })
      .where('model', '=', 'DeviceCode')
      .where('hash', '=', handle)
      .where('user_code_hash', 'is not', null)
      .where('expires_at', '>', this.#clock.now())
      .executeTakeFirst()
    return answered.numUpdatedRows > 0n
  }

  /** Takes a record. Answers whether it was there to be taken. */
  async take(trx: Database, kind: RecordKind, secret: string): Promise<boolean> {
    const now = this.#clock.now()
    const taken = await trx
      .updateTable('oauth_records')
      .set({ consumed_at: now })
      .where('model', '=', kind)
      .where('hash', '=', sha256Hex(secret))
      .where('consumed_at', 'is', null)
      .where('expires_at', '>', now)
      .executeTakeFirst()
    return taken.numUpdatedRows > 0n
  }

  /** Says which family came of a record that was taken: who takes it again ends that. */
  async settle(trx: Database, kind: RecordKind, secret: string, sessionId: string, keepUntilMs: number): Promise<void> {
    await trx
      .updateTable('oauth_records')
      .set({ session_id: sessionId, expires_at: keepUntilMs })
      .where('model', '=', kind)
      .where('hash', '=', sha256Hex(secret))
      .execute()
  }

  /** Whether a device may ask now: not again within `intervalMs` (RFC 8628 §3.5). It is one statement that counts. */
  async mayPoll(db: Database, deviceCode: string, intervalMs: number): Promise<boolean> {
    const now = this.#clock.now()
    const asked = await db
      .updateTable('oauth_records')
      .set({ polled_at: now })
      .where('model', '=', 'DeviceCode')
      .where('hash', '=', sha256Hex(deviceCode))
      .where((is) => is.or([is('polled_at', 'is', null), is('polled_at', '<=', now - intervalMs)]))
      .executeTakeFirst()
    return asked.numUpdatedRows > 0n
  }

  async forget(db: Database, kind: RecordKind, secret: string): Promise<void> {
    await db.deleteFrom('oauth_records').where('model', '=', kind).where('hash', '=', sha256Hex(secret)).execute()
  }

  /** Forgets what ran out before a moment. */
  async sweep(db: Database, beforeMs: number): Promise<void> {
    await db.deleteFrom('oauth_records').where('expires_at', '<', beforeMs).execute()
  }

  #read(
    kind: RecordKind,
    row: {
      readonly hash: string
      readonly sealed: string
      readonly expires_at: number
      readonly consumed_at: number | null
      readonly session_id: string | null
    },
  ): OauthRecord | undefined {
    const text = open(this.#key, row.sealed, placeOf(kind, row.hash))
    if (text === undefined) return undefined // sealed under another root key, or changed in the store
    return {
      payload: JSON.parse(text) as Payload,
      expiresAt: row.expires_at,
      consumedAt: row.consumed_at ?? undefined,
      sessionId: row.session_id ?? undefined,
    }
  }

  #seal(kind: RecordKind, hash: string, payload: Payload): string {
    return seal(this.#key, JSON.stringify(payload), placeOf(kind, hash), this.#random)
  }

  /** User codes are short: under a plain hash, whoever reads the table could try them all. */
  #hashOfUserCode(userCode: string): string {
    return createHmac('sha256', this.#key).update(`user code ${userCode}`).digest('hex')
  }
}

function placeOf(kind: RecordKind, hash: string): string {
  return `oauth_records ${kind} ${hash}`
}
