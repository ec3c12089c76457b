import { createHmac } from 'node:crypto'
import { base64url } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/id.ts'
import type { RootKey } from '../../keys/root.ts'
import type { Database } from '../../store/database.ts'
import { alone } from './alone.ts'
import { base32, crockford } from './base32.ts'

interface RecoveryCodesOptions {
  readonly clock: Clock
  readonly random: Random
  readonly root: RootKey
}

/**
 * Codes on paper that stand in for a lost second factor, each good once. Of 120 random bits none can be guessed, so that a
 * keyed hash is enough where a password would need a slow one (ASVS 6.5.2).
 */
export class RecoveryCodes {
  readonly #clock: Clock
  readonly #random: Random
  readonly #key: Buffer

  constructor({ clock, random, root }: RecoveryCodesOptions) {
    this.#clock = clock
    this.#random = random
    this.#key = root.derive('recovery codes')
  }

  /** Makes new codes, shown once. All earlier ones are void, those of a renewal at the same moment too. */
  async renew(db: Database, userId: string): Promise<readonly string[]> {
    const codes = Array.from({ length: codeCount }, () => base32(this.#random.bytes(codeBytes), crockford))
    const now = this.#clock.now()
    const rows = codes.map((code) => ({
      user_id: userId,
      hash: this.#hash(userId, code),
      created_at: now,
      used_at: null,
    }))
    await alone(db, userId, async (trx) => {
      await this.removeAll(trx, userId)
      await trx.insertInto('recovery_codes').values(rows).execute()
    })
    return codes.map((code) => code.replaceAll(/.{4}(?=.)/g, '$&-'))
  }

  /** Spends a code. Of two who bring it at the same moment, one has it (A43). */
  async use(db: Database, userId: string, code: string): Promise<boolean> {
    const letters = lettersOf(code)
    if (letters === undefined) return false
    const used = await db
      .updateTable('recovery_codes')
      .set({ used_at: this.#clock.now() })
      .where('user_id', '=', userId)
      .where('hash', '=', this.#hash(userId, letters))
      .where('used_at', 'is', null)
      .executeTakeFirst()
    return used.numUpdatedRows > 0n
  }

  /** How many are still good. */
  async left(db: Database, userId: string): Promise<number> {
    const { left } = await db
      .selectFrom('recovery_codes')
      .select(({ fn }) => fn.countAll().as('left'))
      .where('user_id', '=', userId)
      .where('used_at', 'is', null)
      .executeTakeFirstOrThrow()
    return Number(left)
  }

  async removeAll(db: Database, userId: string): Promise<void> {
    await db.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
  }

  /** With its owner in it: a row that is moved to somebody else is nobody's code. */
  #hash(userId: string, letters: string): string {
    return base64url(createHmac('sha256', this.#key).update(`${userId} ${letters}`).digest())
  }
}

const codeCount = 10
const codeBytes = 15 // 120 bits: 24 letters with none left over

/** A code as people write it down: in either case, in groups or not, and with the letters that look like digits. */
function lettersOf(code: string): string | undefined {
  if (code.length > 100) return undefined
  const letters = code.replaceAll(/[\s\p{Pd}]/gu, '')
  if (!/^[0-9A-Za-z]{24}$/.test(letters)) return undefined
  const read = letters.toUpperCase().replaceAll(/[IL]/g, '1').replaceAll('O', '0')
  return read.includes('U') ? undefined : read
}
