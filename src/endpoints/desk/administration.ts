import type { Account } from '../../authn/account/accounts.ts'
import { hold } from '../../authn/account/hold.ts'
import { covers } from '../../authz/permissions.ts'
import type { RoleTable } from '../../authz/role/table.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import { refusalBeyond, refusalOfRoles } from './given.ts'
import { isRefusal } from './guard.ts'
import type { Letters } from './letters.ts'
import type { Recovery } from './recovery.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

/**
 * What administrators do with accounts. None of it chooses, shows or bypasses what proves a person (A59), and none of it
 * reaches upwards: nobody gives, takes or uses what they do not hold themself.
 */
export class Administration {
  readonly #rooms: DeskRooms
  readonly #diary: Diary
  readonly #letters: Letters
  readonly #recovery: Recovery

  constructor(rooms: DeskRooms, diary: Diary, letters: Letters, recovery: Recovery) {
    this.#rooms = rooms
    this.#diary = diary
    this.#letters = letters
    this.#recovery = recovery
  }

  async lock(visitor: Visitor, id: string, reason: string): Promise<Refusal | undefined> {
    const { accounts, sessions, tickets } = this.#rooms
    return this.#change(visitor, id, async (trx, account) => {
      if (account.id === visitor.principal.id) return refuse('conflict', { detail: 'Nobody locks themself out' })
      await accounts.setStatus(trx, id, 'locked')
      for (const purpose of ['second-factor', 'password-reset', 'email-change'] as const)
        await tickets.void(trx, purpose, id)
      await this.#diary.administrator(trx, visitor, 'user.lock', 'success', id, {}, { reason })
      return sessions.endAllOf(trx, id, 'locked')
    })
  }

  async unlock(visitor: Visitor, id: string): Promise<Refusal | undefined> {
    const { accounts, attempts } = this.#rooms
    return this.#change(visitor, id, async (trx) => {
      await accounts.setStatus(trx, id, 'active')
      for (const kind of ['password', 'factor']) await attempts.clear(trx, `${kind}:${id}`)
      await this.#diary.administrator(trx, visitor, 'user.unlock', 'success', id)
      return []
    })
  }

  /** Gives an account exactly these roles: known ones, and none that comes to more than the giver holds. */
  async setRoles(visitor: Visitor, id: string, roles: readonly string[]): Promise<Refusal | undefined> {
    const { accounts, sessions } = this.#rooms
    return this.#change(visitor, id, async (trx, account, table) => {
      const refused = this.mayGive(visitor, roles, table)
      if (refused !== undefined) return refused
      if (account.id === visitor.principal.id) return refuse('conflict', { detail: 'Nobody changes their own roles' })
      const before = await accounts.setRoles(trx, id, roles)
      await this.#diary.administrator(trx, visitor, 'user.roles', 'success', id, {
        after: roles.toSorted().join(','),
        before: before.join(','),
      })
      // What was let in with other roles is let in no more: a change holds on the next request.
      return sessions.endAllOf(trx, id, 'roles changed')
    })
  }

  /** Whether the visitor may hand out these roles: to somebody who is invited, for one. */
  mayGive(
    visitor: Visitor,
    roles: readonly string[],
    table: RoleTable = this.#rooms.roleBook.table,
  ): Refusal | undefined {
    const refused = refusalOfRoles(table, roles)
    if (refused !== undefined) return refused
    if (roles.length > 0 && !covers(visitor.principal.permissions, 'roles:manage'))
      return refuse('permission-required', { detail: "Permission 'roles:manage' required" })
    return this.#beyond(visitor, roles, table)
  }

  async endSessions(visitor: Visitor, id: string): Promise<Refusal | undefined> {
    return this.#change(visitor, id, async (trx) => {
      const ended = await this.#rooms.sessions.endAllOf(trx, id, 'ended by an administrator')
      await this.#rooms.tickets.void(trx, 'email-change', id)
      await this.#diary.administrator(trx, visitor, 'user.sessions-end', 'success', id, { sessions: ended.length })
      return ended
    })
  }

  /** Writes to the person, who then chooses: an administrator never knows a password. */
  async reset(visitor: Visitor, id: string): Promise<Refusal | undefined> {
    if (!this.#letters.possible)
      return refuse('unavailable', { detail: 'This house sends no letters: use `gatehouse user reset`' })
    return this.#change(visitor, id, async (trx, account) => {
      await this.#rooms.tickets.void(trx, 'email-change', id)
      await this.#recovery.writeReset(trx, visitor, account)
      await this.#diary.administrator(trx, visitor, 'user.reset', 'success', id)
      return []
    })
  }

  /** For somebody who lost their phone and their codes. They hear of it, and are signed out everywhere. */
  async removeFactors(visitor: Visitor, id: string): Promise<Refusal | undefined> {
    const { totp, recoveryCodes, passkeys, sessions, store } = this.#rooms
    const keys = passkeys === undefined ? [] : await passkeys.list(store.db, id)
    return this.#change(visitor, id, async (trx, account) => {
      if (account.id === visitor.principal.id)
        return refuse('conflict', { detail: 'Remove your own factors in your account' })
      if (account.password === 'short')
        return refuse('conflict', { detail: 'The password is long enough only beside a second factor: reset it first' })
      await this.#rooms.accounts.beginEpoch(trx, id)
      await totp.remove(trx, id)
      await recoveryCodes.removeAll(trx, id)
      for (const key of keys) await passkeys?.remove(trx, id, key.id)
      await this.#letters.news(trx, visitor, account, 'factor-removed')
      await this.#diary.administrator(trx, visitor, 'user.factors-remove', 'success', id)
      return sessions.endAllOf(trx, id, 'factors removed')
    })
  }

  /**
   * An access token as somebody else, for a stated reason and a while (A58). They must hold strictly less; what proves
   * them stays out of reach; the token names both, and so does every event.
   */
  async impersonate(
    visitor: Visitor,
    id: string,
    { reason, minutes }: { readonly reason: string; readonly minutes: number },
  ): Promise<{ readonly account: Account; readonly token: string; readonly expiresInSeconds: number } | Refusal> {
    const { store, sessions, tokens, roles, roleBook, clock, accounts } = this.#rooms
    const { principal } = visitor
    if (!('session' in principal.credential)) return refuse('first-party-only')
    const { proof } = principal.credential
    const untilMs = clock.now() + minutes * 60_000
    const outcome = await store.transaction(async (trx) => {
      const { table } = await roleBook.hold(trx) // before the account is read: whoever gives it more takes turns with us
      const account = await accounts.byId(trx, id)
      if (account === undefined) return nobody
      const theirs = table.permissionsOf(account.roles)
      const within = [...theirs].every((permission) => covers(principal.permissions, permission))
      const less = [...principal.permissions].some((permission) => !covers(theirs, permission))
      if (account.id === principal.id || account.status !== 'active' || !within || !less) {
        await this.#diary.administrator(trx, visitor, 'user.impersonate', 'denied', id, {}, { reason })
        return account.status === 'active'
          ? refuse('permission-required', { detail: 'Only somebody who may less can be impersonated' })
          : refuse('conflict', { detail: 'The account is locked' })
      }
      const device = { address: visitor.address, userAgent: visitor.userAgent }
      const session = await sessions.impersonate(trx, id, device, { id: principal.id, reason, untilMs, proof })
      const details = { minutes, session: session.id }
      await this.#diary.administrator(trx, visitor, 'user.impersonate', 'success', id, details, { reason })
      return { account, session }
    })
    this.#rooms.audit.wake()
    if (isRefusal(outcome)) return outcome
    const { account, session } = outcome
    const issued = tokens.issue({
      subject: account.id,
      session: session.id,
      roles: account.roles,
      email: account.email,
      name: account.name,
      permissions: [...roles.permissionsIn(undefined, account.roles)],
      proof,
      impersonator: { id: principal.id, untilMs },
    })
    return { account, token: issued.token, expiresInSeconds: issued.expiresInSeconds }
  }

  /** One change to one account, and whatever sessions it ended. Nobody reaches an account that may more than they. */
  async #change(
    visitor: Visitor,
    id: string,
    work: (trx: Database, account: Account, table: RoleTable) => Promise<readonly string[] | Refusal>,
  ): Promise<Refusal | undefined> {
    const { store, accounts, revocations, audit, keyBook, roleBook } = this.#rooms
    const outcome = await store.transaction(async (trx) => {
      await hold(trx, id)
      const account = await accounts.byId(trx, id)
      if (account === undefined) return nobody
      const { table } = await roleBook.hold(trx) // what a role comes to stays so until this is done
      return this.#beyond(visitor, account.roles, table) ?? work(trx, account, table)
    })
    audit.wake()
    if (isRefusal(outcome)) return outcome
    for (const session of outcome) revocations.endSession(session)
    keyBook.distrust() // their keys hold what they hold from now on
    return undefined
  }

  /** The refusal where these roles come to more than the visitor holds. */
  #beyond({ principal }: Visitor, roles: readonly string[], table: RoleTable): Refusal | undefined {
    return refusalBeyond((permission) => covers(principal.permissions, permission), table.permissionsOf(roles))
  }
}

const nobody = refuse('not-found', { detail: 'no account has this id' })
