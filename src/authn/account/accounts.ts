import type { Clock } from '../../kernel/clock.ts'
import { type FieldErrors, type Refusal, refuse } from '../../kernel/error.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { Database } from '../../store/database.ts'
import type { Passwords } from '../password/passwords.ts'

/** A person, without anything that proves them. */
export interface Account {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly status: 'active' | 'locked'
  readonly roles: readonly string[]
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

export interface NewAccount {
  readonly email: string
  readonly name: string
  readonly password: string
  readonly roles: readonly string[]
}

export type Created = { readonly account: Account } | { readonly taken: true } | Refusal

/** People and their roles. Every verb takes the database or transaction first, so that an event can share its fate. */
export class Accounts {
  readonly #clock: Clock
  readonly #random: Random
  readonly #passwords: Passwords

  constructor({
    clock,
    random,
    passwords,
  }: { readonly clock: Clock; readonly random: Random; readonly passwords: Passwords }) {
    this.#clock = clock
    this.#random = random
    this.#passwords = passwords
  }

  /** Makes an account. A taken address and a bad field are answers, not exceptions. */
  async create(db: Database, { email, name, password, roles }: NewAccount): Promise<Created> {
    const address = normalEmail(email)
    const errors = withoutEmpty({
      email: isAddress(address) ? [] : ['must be an e-mail address'],
      name: /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(name.trim()) ? [] : ['must have 1 to 200 characters, and no line breaks'],
      password: this.#passwords.problemsOf(password, [address.split('@')[0] ?? '', name]),
    })
    if (Object.keys(errors).length > 0) return refuse('body-invalid', { errors })
    const phc = await this.#passwords.hash(password)
    if (typeof phc !== 'string') return phc
    const now = this.#clock.now()
    const id = uuidv7(now, this.#random)
    const user = { id, email: address, name: name.trim(), status: 'active', created_at: now } as const
    const inserted = await db
      .insertInto('users')
      .values({ ...user, password_hash: phc, updated_at: now })
      // Not by the error of a clash: after one, PostgreSQL takes no more of the caller's transaction.
      .onConflict((conflict) => conflict.column('email').doNothing())
      .executeTakeFirst()
    if (inserted.numInsertedOrUpdatedRows === 0n) return { taken: true }
    const granted = [...new Set(roles)].toSorted().map((role) => ({ user_id: id, role }))
    if (granted.length > 0) await db.insertInto('user_roles').values(granted).execute()
    return { account: accountOf(user, granted) }
  }

  /**
   * The account that answers to an address and a password. An unknown address, a wrong password and a locked account are
   * the same answer after the same work (ID2).
   */
  async authenticate(db: Database, email: string, password: string): Promise<Account | Refusal | undefined> {
    const address = normalEmail(email)
    const row = isAddress(address)
      ? await db.selectFrom('users').select(['id', 'password_hash']).where('email', '=', address).executeTakeFirst()
      : undefined
    const phc = row?.password_hash ?? undefined
    const right = await this.#passwords.verify(password, phc)
    if (typeof right !== 'boolean') return right
    if (!right || row === undefined || phc === undefined) return undefined
    const account = await this.byId(db, row.id)
    if (account?.status !== 'active') return undefined
    if (this.#passwords.needsRehash(phc)) await this.#rehash(db, row.id, phc, password)
    return account
  }

  async byEmail(db: Database, email: string): Promise<Account | undefined> {
    const address = normalEmail(email)
    return isAddress(address) ? this.#find(db, 'email', address) : undefined
  }

  byId(db: Database, id: string): Promise<Account | undefined> {
    return this.#find(db, 'id', id)
  }

  async list(db: Database): Promise<readonly Account[]> {
    const users = await db.selectFrom('users').selectAll().orderBy('email').execute()
    const roles = Map.groupBy(
      await db.selectFrom('user_roles').selectAll().orderBy('role').execute(),
      ({ user_id }) => user_id,
    )
    return users.map((user) => accountOf(user, roles.get(user.id) ?? []))
  }

  async setStatus(db: Database, id: string, status: Account['status']): Promise<void> {
    await db.updateTable('users').set({ status, updated_at: this.#clock.now() }).where('id', '=', id).execute()
  }

  async grant(db: Database, id: string, role: string): Promise<void> {
    await db
      .insertInto('user_roles')
      .values({ user_id: id, role })
      .onConflict((conflict) => conflict.columns(['user_id', 'role']).doNothing())
      .execute()
  }

  async withdraw(db: Database, id: string, role: string): Promise<void> {
    await db.deleteFrom('user_roles').where('user_id', '=', id).where('role', '=', role).execute()
  }

  /** Gives the account another password, or says what is wrong with it. Ending its sessions is the caller's to do. */
  async setPassword(db: Database, account: Account, password: string): Promise<Refusal | undefined> {
    const problems = this.#passwords.problemsOf(password, [account.email.split('@')[0] ?? '', account.name])
    if (problems.length > 0) return refuse('body-invalid', { errors: { password: problems } })
    const phc = await this.#passwords.hash(password)
    if (typeof phc !== 'string') return phc
    await db
      .updateTable('users')
      .set({ password_hash: phc, updated_at: this.#clock.now() })
      .where('id', '=', account.id)
      .execute()
    return undefined
  }

  /** Only while the hash is still the one that was checked: a password changed meanwhile stays changed. */
  async #rehash(db: Database, id: string, checked: string, password: string): Promise<void> {
    const phc = await this.#passwords.hash(password)
    if (typeof phc !== 'string') return
    await db
      .updateTable('users')
      .set({ password_hash: phc })
      .where('id', '=', id)
      .where('password_hash', '=', checked)
      .execute()
  }

  async #find(db: Database, column: 'id' | 'email', value: string): Promise<Account | undefined> {
    const user = await db.selectFrom('users').selectAll().where(column, '=', value).executeTakeFirst()
    if (user === undefined) return undefined
    return accountOf(
      user,
      await db.selectFrom('user_roles').selectAll().where('user_id', '=', user.id).orderBy('role').execute(),
    )
  }
}

interface UserRow {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly status: Account['status']
  readonly created_at: number
}

function accountOf(
  { id, email, name, status, created_at }: UserRow,
  roles: readonly { readonly role: string }[],
): Account {
  return { id, email, name, status, roles: roles.map(({ role }) => role), createdAt: created_at }
}

/** One person, one spelling: without spaces around it, in lower case, composed. */
function normalEmail(email: string): string {
  return email.trim().toLowerCase().normalize('NFC')
}

/**
 * Shape only (RFC 5321 §4.5.3.1 for the lengths): whether an address is somebody's is proven by writing to it. What has
 * not the shape is not looked up either, for PostgreSQL fails over a NUL.
 */
function isAddress(email: string): boolean {
  const [local = '', domain = '', ...more] = email.split('@')
  const fits =
    more.length === 0 &&
    local.length >= 1 &&
    local.length <= 64 &&
    /^[^\s@.]+(?:\.[^\s@.]+)*$/.test(domain) &&
    email.length <= 254
  // What cannot be seen (Cc, Cf, Cs) would make two accounts of one that looks the same.
  return fits && !/[\s\p{Cc}\p{Cf}\p{Cs}]/u.test(email)
}

function withoutEmpty(errors: FieldErrors): FieldErrors {
  return Object.fromEntries(Object.entries(errors).filter(([, messages]) => messages.length > 0))
}
