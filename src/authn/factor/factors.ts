import type { Database } from '../../store/database.ts'
import { countPasskeys } from './passkeys.ts'
import type { RecoveryCodes } from './recovery-codes.ts'
import type { Totp } from './totp.ts'

/** What a person has beside a password. */
export interface Enrolled {
  readonly totp: boolean
  readonly passkeys: number
  readonly recoveryCodesLeft: number
}

interface FactorsOptions {
  readonly totp: Totp
  readonly recoveryCodes: RecoveryCodes
}

/** Which second factors people have: what is enrolled is demanded on every way in (A45). */
export class Factors {
  readonly #options: FactorsOptions

  constructor(options: FactorsOptions) {
    this.#options = options
  }

  async enrolled(db: Database, userId: string): Promise<Enrolled> {
    const { totp, recoveryCodes } = this.#options
    return {
      totp: await totp.isEnrolled(db, userId),
      // Asked of the store: a house that has lost its public address has no passkeys, and that is no way round a factor.
      passkeys: await countPasskeys(db, userId),
      recoveryCodesLeft: await recoveryCodes.left(db, userId),
    }
  }
}

/** Whether a password is not enough. Recovery codes stand in for a factor; they are none. */
export function hasSecond(enrolled: Enrolled): boolean {
  return enrolled.totp || enrolled.passkeys > 0
}
