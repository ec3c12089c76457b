import { createHmac } from 'node:crypto'
import { renderSVG } from 'uqr'
import { base64url, equalBytes, fromBase64url } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/error.ts'
import type { Random } from '../../kernel/id.ts'
import type { RootKey } from '../../keys/root.ts'
import { open, seal } from '../../keys/sealing.ts'
import type { Database } from '../../store/database.ts'
import { base32, rfc4648 } from './base32.ts'

/** What an authenticator app has to be given, shown once. */
export interface NewTotp {
  /** The seed in base32, for typing. */
  readonly secret: string
  /** The seed as an address, for apps on the same device. */
  readonly uri: string
  /** The address as a picture: one SVG that refers to nothing outside itself. */
  readonly qrSvg: string
}

interface TotpOptions {
  readonly clock: Clock
  readonly random: Random
  readonly root: RootKey
  /** What the app writes above the code. */
  readonly issuerName: string
}

/**
 * Codes of an authenticator app (RFC 6238): SHA-1, six digits, thirty seconds, for no other choice is read by every app.
 * One app to a person; it counts once a first code has shown that it has the seed.
 */
export class Totp {
  readonly #options: TotpOptions
  readonly #key: Buffer

  constructor(options: TotpOptions) {
    this.#options = options
    this.#key = options.root.derive('totp seeds')
  }

  /** Makes a seed, in place of one that was never confirmed. A confirmed one stays until it is removed. */
  async begin(db: Database, userId: string, accountName: string): Promise<NewTotp | 'enrolled-already'> {
    const { clock, random, issuerName } = this.#options
    const seed = random.bytes(seedBytes)
    const fresh = {
      sealed: seal(this.#key, base64url(seed), placeOf(userId), random),
      created_at: clock.now(),
      last_step: -1,
    }
    const begun = await db
      .insertInto('totp')
      .values({ ...fresh, user_id: userId, confirmed_at: null })
      .onConflict((conflict) => conflict.column('user_id').doUpdateSet(fresh).where('totp.confirmed_at', 'is', null))
      .returning('user_id')
      .executeTakeFirst()
    if (begun === undefined) return 'enrolled-already'
    return shownOf(seed, issuerName, accountName)
  }

  /** The seed that waits for its first code, once more: somebody who mistyped need not begin again. */
  async pending(db: Database, userId: string, accountName: string): Promise<NewTotp | undefined> {
    const row = await db
      .selectFrom('totp')
      .select('sealed')
      .where('user_id', '=', userId)
      .where('confirmed_at', 'is', null)
      .executeTakeFirst()
    if (row === undefined) return undefined
    return shownOf(this.#seedOf(userId, row.sealed), this.#options.issuerName, accountName)
  }

  /** Takes a first code as proof that the app has the seed. The code is spent by it. */
  async confirm(db: Database, userId: string, code: string): Promise<boolean> {
    const shown = await this.#read(db, userId, code)
    if (shown === undefined) return false
    const confirmed = await db
      .updateTable('totp')
      .set({ confirmed_at: this.#options.clock.now(), last_step: shown.step })
      .where('user_id', '=', userId)
      .where('sealed', '=', shown.sealed) // not a seed that took its place meanwhile
      .where('confirmed_at', 'is', null)
      .executeTakeFirst()
    return confirmed.numUpdatedRows > 0n
  }

  /**
   * Whether it is the code of this half minute, the one before or the one after, and later than the last that was taken
   * (RFC 6238 §5.2, A43): of two callers who bring it at the same moment, one finds it unspent.
   */
  async verify(db: Database, userId: string, code: string): Promise<boolean> {
    const shown = await this.#read(db, userId, code)
    if (shown === undefined) return false
    const taken = await db
      .updateTable('totp')
      .set({ last_step: shown.step })
      .where('user_id', '=', userId)
      .where('sealed', '=', shown.sealed)
      .where('confirmed_at', 'is not', null)
      .where('last_step', '<', shown.step)
      .executeTakeFirst()
    return taken.numUpdatedRows > 0n
  }

  async isEnrolled(db: Database, userId: string): Promise<boolean> {
    const row = await db
      .selectFrom('totp')
      .select('user_id')
      .where('user_id', '=', userId)
      .where('confirmed_at', 'is not', null)
      .executeTakeFirst()
    return row !== undefined
  }

  /** Forgets the seed, confirmed or not. Answers whether there was one. */
  async remove(db: Database, userId: string): Promise<boolean> {
    const gone = await db.deleteFrom('totp').where('user_id', '=', userId).executeTakeFirst()
    return gone.numDeletedRows > 0n
  }

  #seedOf(userId: string, sealed: string): Buffer {
    const seed = fromBase64url(open(this.#key, sealed, placeOf(userId)) ?? '')
    if (seed?.length === seedBytes) return seed
    throw new Fault('internal', `the authenticator seed of user \`${userId}\` does not open: its row was changed`)
  }

  /** The step whose code it is, or undefined; whether the step is spent is for the UPDATE to say. */
  async #read(db: Database, userId: string, code: string): Promise<Shown | undefined> {
    const digits = digitsOf(code)
    if (digits === undefined) return undefined
    const row = await db.selectFrom('totp').select('sealed').where('user_id', '=', userId).executeTakeFirst()
    if (row === undefined) return undefined
    const seed = this.#seedOf(userId, row.sealed)
    const now = Math.floor(this.#options.clock.now() / stepMs)
    // Every step is compared, and the latest that fits is taken: should two have the same code, both are spent.
    const step = [now - 1, now, now + 1].reduce<number | undefined>(
      (found, candidate) => (equalBytes(digits, Buffer.from(codeAt(seed, candidate))) ? candidate : found),
      undefined,
    )
    return step === undefined ? undefined : { step, sealed: row.sealed }
  }
}

function shownOf(seed: Uint8Array, issuerName: string, accountName: string): NewTotp {
  const secret = base32(seed, rfc4648)
  const uri = uriOf(secret, issuerName, accountName)
  return { secret, uri, qrSvg: renderSVG(uri, { ecc: 'M', border: 4, pixelSize: 4 }) }
}

interface Shown {
  readonly step: number
  readonly sealed: string
}

const seedBytes = 20 // as long as the hash (RFC 4226 §4, R6)
const stepMs = 30_000

function placeOf(userId: string): string {
  return `totp.sealed ${userId}`
}

/** Apps show the digits in two groups, so they may come with spaces. */
function digitsOf(code: string): Buffer | undefined {
  if (code.length > 32) return undefined
  const digits = code.replaceAll(/\s/g, '')
  return /^[0-9]{6}$/.test(digits) ? Buffer.from(digits) : undefined
}

/** RFC 4226 §5.3, with the time step as its counter (RFC 6238 §4.2). */
function codeAt(seed: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigInt64BE(BigInt(step))
  const mac = createHmac('sha1', seed).update(counter).digest()
  const offset = mac.readUInt8(19) & 0xf
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** The form that apps agree on (Google Authenticator's "Key Uri Format"): a colon parts issuer and account, so neither has one. */
function uriOf(secret: string, issuerName: string, accountName: string): string {
  const issuer = encodeURIComponent(label(issuerName, 40))
  const account = encodeURIComponent(label(accountName, 100))
  return `otpauth://totp/${issuer}:${account}?secret=${secret}&issuer=${issuer}&algorithm=SHA1&digits=6&period=30`
}

/** Short enough that the address fits into a QR code also where every character takes nine. */
function label(text: string, lengthMax: number): string {
  return text
    .replaceAll(/[:\p{Cc}]/gu, ' ')
    .trim()
    .slice(0, lengthMax)
    .toWellFormed()
}
