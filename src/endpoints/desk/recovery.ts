import type { Account } from '../../authn/account/accounts.ts'
import { isAddress, normalEmail } from '../../authn/account/accounts.ts'
import { hold } from '../../authn/account/hold.ts'
import { hasSecond } from '../../authn/factor/factors.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import { atLeast } from './at-least.ts'
import { type Guard, isRefusal } from './guard.ts'
import type { Letters } from './letters.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

const resetMs = 1_800_000
const changeMs = 3_600_000
const floorMs = 60

/** Passwords that are forgotten, reset or changed, and addresses that move. */
export class Recovery {
  readonly #rooms: DeskRooms
  readonly #diary: Diary
  readonly #guard: Guard
  readonly #letters: Letters

  constructor(rooms: DeskRooms, diary: Diary, guard: Guard, letters: Letters) {
    this.#rooms = rooms
    this.#diary = diary
    this.#guard = guard
    this.#letters = letters
  }

  /** Writes to the owner of an address, if there is one. Whoever asks reads the same, after the same time (A40). */
  async forgot(visitor: Visitor, email: string): Promise<Refusal | undefined> {
    const { store, accounts, clock } = this.#rooms
    if (!this.#letters.possible) {
      return refuse('unavailable', { detail: 'This house sends no letters: ask its administrator for a new password' })
    }
    const address = normalEmail(email)
    if (!isAddress(address)) return refuse('body-invalid', { errors: { email: ['must be an e-mail address'] } })
    await atLeast(floorMs, clock, async () => {
      await store.transaction(async (trx) => {
        const account = await accounts.byIdentifier(trx, address)
        const sent = (await this.#letters.mayAsk(trx, address)) && account?.status === 'active'
        await this.#diary.person(trx, visitor, 'password-reset-request', 'success', account?.id, { sent })
        if (sent) await this.writeReset(trx, visitor, account)
      })
    })
    this.#wake()
    return undefined
  }

  /** A letter with a link that resets the password. Earlier links are void. */
  async writeReset(trx: Database, visitor: Visitor, account: Account): Promise<void> {
    const token = await this.#rooms.tickets.issue(trx, {
      purpose: 'password-reset',
      subject: account.id,
      holds: { userId: account.id },
      ttlMs: resetMs,
      replaces: true,
    })
    await this.#letters.link(trx, visitor, account.email, 'reset', {
      page: 'reset',
      token,
      ttlMs: resetMs,
      name: account.name,
    })
  }

  /**
   * Takes a new password for the link of a letter. Every session ends (ID8), and nobody is signed in by it: a second factor
   * is asked for at the door as ever (A45).
   */
  async reset(visitor: Visitor, token: string, password: string): Promise<Refusal | undefined> {
    const { store, tickets, accounts, factors, sessions, attempts } = this.#rooms
    const waiting = await tickets.look(store.db, 'password-reset', token)
    if (waiting.kind !== 'good') return refuse('link-invalid', { reason: `the link is ${waiting.kind}` })
    const account = await accounts.byId(store.db, waiting.holds.userId)
    if (account?.status !== 'active') return refuse('link-invalid', { reason: 'the account is locked or gone' })
    const prepared = await accounts.preparePassword(account, password, await this.#hasSecond(account.id))
    if (isRefusal(prepared)) return prepared
    const outcome = await store.transaction(async (trx) => {
      await hold(trx, account.id)
      const taken = await tickets.take(trx, 'password-reset', token)
      if (taken.kind !== 'good') return refuse('link-invalid', { reason: `the link is ${taken.kind}` })
      const enrolled = await factors.enrolled(trx, account.id)
      if (prepared.short && !hasSecond(enrolled))
        return refuse('conflict', { detail: 'The second factor is gone meanwhile' })
      await accounts.setPassword(trx, account.id, prepared)
      await accounts.verifyEmail(trx, account.id)
      await attempts.clear(trx, `password:${account.id}`)
      for (const purpose of ['second-factor', 'email-change'] as const) await tickets.void(trx, purpose, account.id)
      const ended = await sessions.endAllOf(trx, account.id, 'password reset')
      await this.#diary.person(trx, visitor, 'password-reset', 'success', account.id, { sessions: ended.length })
      await this.#letters.news(trx, visitor, account, 'password-changed')
      return ended
    })
    return this.#ended(outcome)
  }

  /** Changes the password of whoever is signed in and knows the old one, or has none yet. Their other sessions end. */
  async change(visitor: Visitor, current: string | undefined, password: string): Promise<Refusal | undefined> {
    const { store, accounts, sessions, attempts, tickets } = this.#rooms
    const { id: userId, credential } = visitor.principal
    const account = await accounts.byId(store.db, userId)
    if (account === undefined || !('session' in credential)) return refuse('first-party-only')
    if (account.password === 'none' && current !== undefined)
      return refuse('conflict', { detail: 'The account has no password: ask for a reset link to set one' })
    const admission = await this.#guard.admit(visitor, { subject: `password:${userId}`, userId })
    const right = account.password === 'none' || (await accounts.isPasswordOf(store.db, userId, current ?? ''))
    if (isRefusal(right)) {
      await admission.forgive()
      return right
    }
    if (!right || admission.locked) {
      await store.transaction(async (trx) => {
        await admission.failed(trx)
        await this.#diary.person(trx, visitor, 'password-change', 'failure', userId)
      })
      this.#wake()
      return refuse('body-invalid', { errors: { current_password: ['is not the password of this account'] } })
    }
    const prepared = await accounts.preparePassword(account, password, await this.#hasSecond(userId))
    const outcome = await store.transaction(async (trx) => {
      await hold(trx, userId)
      await admission.succeeded(trx)
      if (isRefusal(prepared)) return prepared
      // Somebody reset it while this was on its way: theirs stands.
      if ((await accounts.byId(trx, userId))?.epoch !== account.epoch) return refuse('session-ended')
      await accounts.setPassword(trx, userId, prepared)
      await attempts.clear(trx, `password:${userId}`)
      for (const purpose of ['password-reset', 'second-factor', 'email-change'] as const)
        await tickets.void(trx, purpose, userId)
      const ended = await sessions.endAllOf(trx, userId, 'password changed', credential.session)
      await this.#diary.person(trx, visitor, 'password-change', 'success', userId, { sessions: ended.length })
      await this.#letters.news(trx, visitor, account, 'password-changed')
      return ended
    })
    return this.#ended(outcome)
  }

  /** Writes to a new address; the account keeps its old one until the new one has answered. */
  async changeEmail(visitor: Visitor, email: string): Promise<Refusal | undefined> {
    const { store, accounts, tickets, clock } = this.#rooms
    if (!this.#letters.possible) return refuse('unavailable', { detail: 'This house sends no letters' })
    const address = normalEmail(email)
    if (!isAddress(address)) return refuse('body-invalid', { errors: { email: ['must be an e-mail address'] } })
    const { id: userId } = visitor.principal
    await atLeast(floorMs, clock, async () => {
      await store.transaction(async (trx) => {
        await this.#diary.person(trx, visitor, 'email-change-request', 'success', userId)
        if (!(await this.#letters.mayAsk(trx, address))) return
        const holder = await accounts.byIdentifier(trx, address)
        if (holder !== undefined) {
          if (holder.id !== userId)
            await this.#letters.link(trx, visitor, address, 'registered-already', { page: 'forgot' })
          return
        }
        const token = await tickets.issue(trx, {
          purpose: 'email-change',
          subject: userId,
          holds: { userId, email: address },
          ttlMs: changeMs,
          replaces: true,
        })
        await this.#letters.link(trx, visitor, address, 'email-change', { page: 'verify', token, ttlMs: changeMs })
      })
    })
    this.#wake()
    return undefined
  }

  async #hasSecond(userId: string): Promise<boolean> {
    const enrolled = await this.#rooms.factors.enrolled(this.#rooms.store.db, userId)
    return hasSecond(enrolled)
  }

  /** What was ended holds on the next request. */
  #ended(outcome: readonly string[] | Refusal): Refusal | undefined {
    this.#wake()
    if (isRefusal(outcome)) return outcome
    for (const session of outcome) this.#rooms.revocations.endSession(session)
    return undefined
  }

  #wake(): void {
    this.#rooms.audit.wake()
  }
}
