import type { Refusal } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import type { Letters } from './letters.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

/** What is guarded, and for whom. */
export interface Guarded {
  /** `password:<id>`, `factor:<id>`: unknown accounts are counted by what was typed. */
  readonly subject: string
  readonly userId: string | undefined
}

/** A failed proof, by the words that the diary uses. */
export type Guess = 'wrong' | 'locked'

/**
 * Counts guesses (ID3). A guess is counted before it is checked, so that many at one moment are not more than one after
 * another; a right one takes the count back.
 */
export class Guard {
  readonly #rooms: DeskRooms
  readonly #diary: Diary
  readonly #letters: Letters

  constructor(rooms: DeskRooms, diary: Diary, letters: Letters) {
    this.#rooms = rooms
    this.#diary = diary
    this.#letters = letters
  }

  /** Admits a guess, or says that it is locked out. Nobody but the diary learns which. */
  async admit(visitor: Visitor, { subject, userId }: Guarded): Promise<Admission> {
    const { store, attempts, devices, accounts } = this.#rooms
    const known = visitor.deviceToken === undefined ? undefined : devices.read(visitor.deviceToken)
    const owner = known !== undefined && known.userId === userId ? await accounts.byId(store.db, userId) : undefined
    const device = owner !== undefined && owner.epoch === known?.epoch ? known.deviceId : undefined
    const begun = await store.transaction((trx) =>
      attempts.begin(trx, { subject, address: visitor.callerAddress, ...(device === undefined ? {} : { device }) }),
    )
    const guard = this
    return {
      locked: 'locked' in begun,
      async failed(trx) {
        if ('locked' in begun) return
        for (const trip of await attempts.failed(trx, begun.attempt)) await guard.#tripped(trx, visitor, userId, trip)
      },
      async succeeded(trx) {
        if (!('locked' in begun)) await attempts.succeeded(trx, begun.attempt)
      },
      async forgive() {
        if (!('locked' in begun)) await store.transaction((trx) => attempts.forgive(trx, begun.attempt))
      },
    }
  }

  async #tripped(
    trx: Database,
    visitor: Visitor,
    userId: string | undefined,
    { rule }: { readonly rule: { readonly per: string; readonly failures: number; readonly notify: boolean } },
  ): Promise<void> {
    await this.#diary.bruteForce(trx, visitor, userId, { failures: rule.failures, per: rule.per })
    if (!rule.notify || userId === undefined) return
    const account = await this.#rooms.accounts.byId(trx, userId)
    if (account !== undefined) await this.#letters.news(trx, visitor, account, 'locked')
  }
}

export interface Admission {
  readonly locked: boolean
  failed(trx: Database): Promise<void>
  succeeded(trx: Database): Promise<void>
  /** The guess was never checked. */
  forgive(): Promise<void>
}

/** Whether an answer of a room is a no with a reason. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value
}
