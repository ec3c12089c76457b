import type { Account } from '../../authn/account/accounts.ts'
import { hold } from '../../authn/account/hold.ts'
import { covers } from '../../authz/permissions.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import { isUniqueViolation } from '../../store/unique-violation.ts'
import { atLeast } from './at-least.ts'
import { refusalOfRoles } from './given.ts'
import { type Guard, isRefusal } from './guard.ts'
import type { Letters } from './letters.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

export interface Registration {
  readonly email: string
  readonly name: string
  readonly username?: string | undefined
  readonly password: string
}

/** The letter is under way, whoever the address belongs to; or the account is there. */
export type Registered = { readonly pending: true } | { readonly account: Account } | Refusal

const linkMs = 86_400_000
const invitationMs = 7 * 86_400_000
/** What an answer to a stranger takes at least, so that its time does not tell whether there is an account. */
const floorMs = 60

/**
 * How accounts come to be. Where addresses are proven, nothing is there until the link was opened: an account that somebody
 * registered with another's address never exists, so that nobody can sit in it and wait (A47).
 */
export class Registrar {
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

  async register(visitor: Visitor, registration: Registration): Promise<Registered> {
    const { identity, accounts, clock } = this.#rooms
    if (identity.registration !== 'open') return refuse('registration-closed')
    const username = identity.username === 'off' ? undefined : registration.username
    if (identity.username === 'off' && registration.username !== undefined)
      return refuse('body-invalid', { errors: { username: ['is not a known field'] } })
    if (identity.username === 'required' && username === undefined)
      return refuse('body-invalid', { errors: { username: ['is required'] } })
    const prepared = await accounts.prepare({ ...registration, username }, registration.password)
    if (isRefusal(prepared)) return prepared
    if (identity.verification === 'none') return this.#atOnce(visitor, prepared)
    if (!this.#letters.possible) return noLetters
    return atLeast(floorMs, clock, async () => {
      await this.#rooms.store.transaction(async (trx) => {
        await this.#diary.person(trx, visitor, 'registration', 'success', undefined, { step: 'asked' })
        if (!(await this.#letters.mayAsk(trx, prepared.email))) return // enough have been written to this address
        const holder = await accounts.byIdentifier(trx, prepared.email)
        if (holder !== undefined)
          return this.#letters.link(trx, visitor, holder.email, 'registered-already', { page: 'forgot' })
        const { email, name, phc = '', short } = prepared
        const token = await this.#rooms.tickets.issue(trx, {
          purpose: 'registration',
          subject: email,
          holds: { email, name, username: prepared.username, phc, short },
          ttlMs: linkMs,
        })
        await this.#letters.link(trx, visitor, email, 'verify', { page: 'verify', token, ttlMs: linkMs })
      })
      this.#wake()
      return { pending: true }
    })
  }

  /** What the token of a letter is good for, or undefined where it is good for nothing. */
  async kindOf(token: string): Promise<'registration' | 'email-change' | undefined> {
    const { store, tickets } = this.#rooms
    for (const kind of ['registration', 'email-change'] as const)
      if ((await tickets.look(store.db, kind, token)).kind === 'good') return kind
    return undefined
  }

  /** Whom an invitation is for. */
  async invited(token: string): Promise<{ readonly email: string; readonly name: string } | undefined> {
    const { store, tickets } = this.#rooms
    const waiting = await tickets.look(store.db, 'invitation', token)
    return waiting.kind === 'good' ? waiting.holds : undefined
  }

  /** Whether the password is the one that was chosen at registration: whoever has the letter may be somebody else. */
  async isChosen(visitor: Visitor, token: string, password: string): Promise<boolean | Refusal> {
    const { store, tickets, accounts } = this.#rooms
    const waiting = await tickets.look(store.db, 'registration', token)
    if (waiting.kind !== 'good') return false
    const { email, phc } = waiting.holds
    const admission = await this.#guard.admit(visitor, { subject: `chosen:${email}`, userId: undefined })
    const right = await accounts.isPasswordFor(phc, password)
    if (isRefusal(right)) {
      await admission.forgive()
      return right
    }
    const good = right && !admission.locked
    await store.transaction((trx) => (good ? admission.succeeded(trx) : admission.failed(trx)))
    return good
  }

  /** Proves an address with the token of a letter: the account is made now, or its address changed. */
  async verify(visitor: Visitor, token: string): Promise<{ readonly account: Account } | Refusal> {
    const outcome = await this.#rooms.store
      .transaction(async (trx) => {
        const registration = await this.#rooms.tickets.take(trx, 'registration', token)
        if (registration.kind === 'good') return this.#make(trx, visitor, registration.holds)
        const change = await this.#rooms.tickets.look(trx, 'email-change', token)
        if (change.kind === 'good') {
          // Whoever reads the letter need not be whoever asked: the account says that it is theirs by being signed in to.
          if (visitor.principal.id !== change.holds.userId)
            return refuse('credentials-required', { detail: 'Sign in first' })
          if (visitor.principal.actor !== undefined) return refuse('in-person-only')
          await hold(trx, change.holds.userId)
          const taken = await this.#rooms.tickets.take(trx, 'email-change', token)
          if (taken.kind === 'good') return this.#move(trx, visitor, taken.holds)
        }
        const why = registration.kind === 'unknown' ? change.kind : registration.kind
        return refuse('link-invalid', { reason: `the link is ${why}` })
      })
      .catch(asRefusal)
    this.#wake()
    return outcome
  }

  /** Invites somebody: they choose their own password, and no one else knows it (A59). */
  async invite(
    visitor: Visitor,
    invitation: { readonly email: string; readonly name?: string | undefined; readonly roles: readonly string[] },
  ): Promise<{ readonly invited: string } | Refusal> {
    const { accounts, store, tickets } = this.#rooms
    if (!this.#letters.possible) return noLetters
    const checked = await accounts.prepare({ email: invitation.email, name: invitation.name ?? 'Guest' }, undefined)
    if (isRefusal(checked)) return checked
    const outcome = await store.transaction(async (trx) => {
      if ((await accounts.byIdentifier(trx, checked.email)) !== undefined)
        return refuse('conflict', { detail: `\`${checked.email}\` has an account already` })
      const token = await tickets.issue(trx, {
        purpose: 'invitation',
        subject: checked.email,
        holds: { email: checked.email, name: invitation.name ?? '', roles: invitation.roles, by: visitor.principal.id },
        ttlMs: invitationMs,
        replaces: true,
      })
      await this.#letters.link(trx, visitor, checked.email, 'invitation', {
        page: 'invitation',
        token,
        ttlMs: invitationMs,
      })
      const details = { roles: invitation.roles.join(',') }
      await this.#diary.administrator(trx, visitor, 'user.invite', 'success', '', details, { email: checked.email })
      return { invited: checked.email }
    })
    this.#wake()
    return outcome
  }

  /**
   * Whether whoever invited could still give these roles, which are as they are until the transaction ends. An invitation
   * does not outlive the rights that it was made with, nor its roles.
   */
  async stands(
    trx: Database,
    { by, roles }: { readonly by: string; readonly roles: readonly string[] },
  ): Promise<boolean> {
    const { accounts, roleBook } = this.#rooms
    const { table } = await roleBook.hold(trx)
    const inviter = await accounts.byId(trx, by)
    if (inviter?.status !== 'active' || refusalOfRoles(table, roles) !== undefined) return false
    const held = table.permissionsIn(undefined, inviter.roles)
    const given = [...table.permissionsOf(roles), ...(roles.length > 0 ? ['roles:manage'] : []), 'users:manage']
    return given.every((permission) => covers(held, permission))
  }

  /** Takes up an invitation. The address has proven itself by the letter. */
  async accept(
    visitor: Visitor,
    token: string,
    {
      name,
      username,
      password,
    }: { readonly name?: string | undefined; readonly username?: string | undefined; readonly password: string },
  ): Promise<{ readonly account: Account } | Refusal> {
    const { accounts, store, tickets, clock } = this.#rooms
    const waiting = await tickets.look(store.db, 'invitation', token)
    if (waiting.kind !== 'good') return refuse('link-invalid', { reason: `the invitation is ${waiting.kind}` })
    const { email, roles, name: given } = waiting.holds
    const prepared = await accounts.prepare({ email, name: name ?? (given || email), username }, password)
    if (isRefusal(prepared)) return prepared
    const outcome = await store
      .transaction(async (trx) => {
        const taken = await tickets.take(trx, 'invitation', token)
        if (taken.kind !== 'good') return refuse('link-invalid', { reason: `the invitation is ${taken.kind}` })
        if (!(await this.stands(trx, taken.holds)))
          return refuse('link-invalid', { reason: 'whoever invited may not give these roles any more' })
        const made = await accounts.insert(trx, prepared, roles, clock.now())
        if ('taken' in made) throw new Taken()
        await this.#diary.person(trx, visitor, 'invitation-accepted', 'success', made.account.id, {
          roles: roles.join(','),
        })
        return made
      })
      .catch(asRefusal)
    this.#wake()
    return outcome
  }

  /** Without proof of the address: whoever asks for one that is taken learns it. */
  async #atOnce(
    visitor: Visitor,
    prepared: Parameters<DeskRooms['accounts']['insert']>[1],
  ): Promise<{ readonly account: Account } | Refusal> {
    const { store, accounts, identity } = this.#rooms
    const outcome = await store.transaction(async (trx) => {
      const made = await accounts.insert(trx, prepared, identity.defaultRoles, undefined)
      if ('taken' in made) {
        await this.#diary.person(trx, visitor, 'registration', 'failure', undefined, { because: 'taken' })
        return refuse('conflict', { detail: 'The address or the username has an account already' })
      }
      await this.#diary.person(trx, visitor, 'registration', 'success', made.account.id, { verified: false })
      return made
    })
    this.#wake()
    return outcome
  }

  async #make(
    trx: Database,
    visitor: Visitor,
    holds: {
      readonly email: string
      readonly name: string
      readonly username: string | undefined
      readonly phc: string
      readonly short: boolean
    },
  ): Promise<{ readonly account: Account } | Refusal> {
    const { accounts, identity, tickets, clock } = this.#rooms
    const made = await accounts.insert(trx, holds, identity.defaultRoles, clock.now())
    if ('taken' in made) throw new Taken() // and the link is good still
    await tickets.void(trx, 'registration', holds.email)
    await tickets.void(trx, 'invitation', holds.email)
    await this.#diary.person(trx, visitor, 'registration', 'success', made.account.id, { verified: true })
    return made
  }

  async #move(
    trx: Database,
    visitor: Visitor,
    { userId, email }: { readonly userId: string; readonly email: string },
  ): Promise<{ readonly account: Account } | Refusal> {
    const { accounts, tickets } = this.#rooms
    const before = await accounts.byId(trx, userId)
    if (before?.status !== 'active') return refuse('link-invalid', { reason: 'the account is locked or gone' })
    if (!(await accounts.setEmail(trx, userId, email)))
      return refuse('conflict', { detail: 'The address has an account meanwhile' })
    // Links that were sent to the old address lead nowhere any more.
    for (const purpose of ['password-reset', 'email-change'] as const) await tickets.void(trx, purpose, userId)
    await this.#letters.news(trx, visitor, before, 'email-changed')
    await this.#diary.person(trx, visitor, 'email-change', 'success', userId)
    return { account: { ...before, email } }
  }

  #wake(): void {
    this.#rooms.audit.wake()
  }
}

const noLetters = refuse('unavailable', {
  detail: 'This house sends no letters',
  reason: '`mail` and `publicUrl` are not configured',
})

/** Undoes a transaction in which a name turned out to be taken. */
class Taken extends Error {}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Taken || isUniqueViolation(error))
    return refuse('conflict', { detail: 'The address or the username has an account already' })
  throw error
}
