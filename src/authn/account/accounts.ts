import { sql } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import { type FieldErrors, type Refusal, refuse } from '../../kernel/error.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { Database } from '../../store/database.ts'
import type { Passwords } from '../password/passwords.ts'

/** A person, without anything that proves them. */
export interface Account {
  readonly id: string
  readonly email: string
  /** When its owner proved that the address is theirs, or an operator vouched for it. */
  readonly emailVerifiedAt: number | undefined
  readonly username: string | undefined
  readonly name: string
  /** Whether it can sign in by password, and whether that is long enough only beside a second factor. */
  readonly password: 'none' | 'short' | 'full'
  readonly status: 'active' | 'locked'
  readonly roles: readonly string[]
  /** Rises with each change of what proves the person: what was checked in an earlier one is checked no more. */
  readonly epoch: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

/** What a person says of themself. */
export interface Profile {
  readonly email: string
  readonly name: string
  readonly username?: string | undefined
}

/** A profile in its one spelling, with a password that was hashed, or none. */
export interface Prepared extends Profile {
  readonly username: string | undefined
  readonly phc: string | undefined
  readonly short: boolean
}

export interface NewAccount extends Profile {
  readonly password: string
  readonly roles: readonly string[]
}

/** A password that may be used, hashed. */
export interface PreparedPassword {
  readonly phc: string
  readonly short: boolean
}

export interface AccountsPage {
  readonly accounts: readonly Account[]
  /** Where the next page begins, or undefined after the last. */
  readonly next: string | undefined
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

  /** Makes an account whose address an operator vouches for. A taken address and a bad field are answers, not exceptions. */
  async create(db: Database, { password, roles, ...profile }: NewAccount): Promise<Created> {
    const prepared = await this.prepare(profile, password)
    return 'code' in prepared ? prepared : this.insert(db, prepared, roles, this.#clock.now())
  }

  /**
   * Checks a profile and hashes its password, which takes tens of milliseconds: before a transaction, not in one. Without
   * a password the account will sign in by other means.
   */
  async prepare(profile: Profile, password: string | undefined): Promise<Prepared | Refusal> {
    const email = normalEmail(profile.email)
    const name = profile.name.trim()
    const username = profile.username?.toLowerCase()
    const errors = withoutEmpty({
      email: isAddress(email) ? [] : ['must be an e-mail address'],
      name: /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(name) ? [] : ['must have 1 to 200 characters, and no line breaks'],
      username:
        username === undefined || /^[a-z0-9_-]{3,20}$/.test(username)
          ? []
          : ['must have 3 to 20 letters, digits, `_` and `-`'],
      password:
        password === undefined
          ? []
          : this.#passwords.problemsOf(password, { context: contextOf(email, name, username), secondFactor: false }),
    })
    if (Object.keys(errors).length > 0) return refuse('body-invalid', { errors })
    if (password === undefined) return { email, name, username, phc: undefined, short: false }
    const phc = await this.#passwords.hash(password)
    return typeof phc === 'string' ? { email, name, username, phc, short: false } : phc
  }

  /** Writes an account. Its address and its username are taken by whoever comes first. */
  async insert(
    db: Database,
    { email, name, username, phc, short }: Prepared,
    roles: readonly string[],
    verifiedAt: number | undefined,
  ): Promise<{ readonly account: Account } | { readonly taken: true }> {
    const now = this.#clock.now()
    const user: UserRow = {
      id: uuidv7(now, this.#random),
      email,
      name,
      username: username ?? null,
      password_hash: phc ?? null,
      short_password: short ? 1 : 0,
      email_verified_at: verifiedAt ?? null,
      status: 'active',
      epoch: 0,
      created_at: now,
    }
    const inserted = await db
      .insertInto('users')
      .values({ ...user, updated_at: now })
      // Not by the error of a clash: after one, PostgreSQL takes no more of the caller's transaction.
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    if (inserted.numInsertedOrUpdatedRows === 0n) return { taken: true }
    const granted = [...new Set(roles)].toSorted().map((role) => ({ user_id: user.id, role }))
    if (granted.length > 0) await db.insertInto('user_roles').values(granted).execute()
    return { account: accountOf(user, granted) }
  }

  /**
   * The account that answers to an address and a password. An unknown address, a wrong password and a locked account are
   * the same answer after the same work (ID2).
   */
  async authenticate(db: Database, identifier: string, password: string): Promise<Account | Refusal | undefined> {
    const found = whereOf(identifier)
    const row =
      found === undefined
        ? undefined
        : await db
            .selectFrom('users')
            .select(['id', 'password_hash'])
            .where(found.column, '=', found.value)
            .executeTakeFirst()
    return this.#check(db, row, password)
  }

  /** Whether the password is the one of this hash, of an account that is not there yet. */
  isPasswordFor(phc: string, password: string): Promise<boolean | Refusal> {
    return this.#passwords.verify(password, phc)
  }

  /** Whether the password is this account's: a person at the door again. */
  async isPasswordOf(db: Database, id: string, password: string): Promise<boolean | Refusal> {
    const row = await db.selectFrom('users').select(['id', 'password_hash']).where('id', '=', id).executeTakeFirst()
    const outcome = await this.#check(db, row, password)
    return outcome !== undefined && 'code' in outcome ? outcome : outcome !== undefined
  }

  async #check(
    db: Database,
    row: { readonly id: string; readonly password_hash: string | null } | undefined,
    password: string,
  ): Promise<Account | Refusal | undefined> {
    const phc = row?.password_hash ?? undefined
    const right = await this.#passwords.verify(password, phc)
    if (typeof right !== 'boolean') return right
    const account = await this.byId(db, row?.id ?? '') // asked in any case: its time would tell
    if (!right || row === undefined || phc === undefined || account?.status !== 'active') return undefined
    if (this.#passwords.needsRehash(phc)) await this.#rehash(db, row.id, phc, password)
    return account
  }

  /** The account that an address or a username belongs to. */
  byIdentifier(db: Database, identifier: string): Promise<Account | undefined> {
    const found = whereOf(identifier)
    return found === undefined ? Promise.resolve(undefined) : this.#find(db, found.column, found.value)
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

  /** Accounts in the order in which they were made, from a cursor on; `match` is a part of the address or the name. */
  async page(
    db: Database,
    {
      after,
      limit,
      match,
    }: { readonly after?: string | undefined; readonly limit: number; readonly match?: string | undefined },
  ): Promise<AccountsPage> {
    const pattern = `%${(match ?? '').toLowerCase().replaceAll(/[\\%_]/g, (sign) => `\\${sign}`)}%`
    const users = await db
      .selectFrom('users')
      .selectAll()
      .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
      .$if(match !== undefined, (query) =>
        query.where(sql<boolean>`(email like ${pattern} escape '\\' or lower(name) like ${pattern} escape '\\')`),
      )
      .orderBy('id')
      .limit(limit + 1)
      .execute()
    const shown = users.slice(0, limit)
    const ids = shown.map(({ id }) => id)
    const roles =
      ids.length === 0
        ? []
        : await db.selectFrom('user_roles').selectAll().where('user_id', 'in', ids).orderBy('role').execute()
    const byUser = Map.groupBy(roles, ({ user_id }) => user_id)
    return {
      accounts: shown.map((user) => accountOf(user, byUser.get(user.id) ?? [])),
      next: users.length > limit ? shown.at(-1)?.id : undefined,
    }
  }

  async setStatus(db: Database, id: string, status: Account['status']): Promise<void> {
    const updated_at = this.#clock.now()
    await db.updateTable('users').set({ status, lock_mark: null, updated_at }).where('id', '=', id).execute()
  }

  /** Locks an account for as long as nobody else says something of it; in the place of another mark, where it has one. */
  async lockMarked(db: Database, id: string, mark: string): Promise<void> {
    const updated_at = this.#clock.now()
    await db
      .updateTable('users')
      .set({ status: 'locked', lock_mark: mark, updated_at })
      .where('id', '=', id)
      .where((is) => is.or([is('status', '=', 'active'), is('lock_mark', 'is not', null)]))
      .execute()
  }

  /** Unlocks what was locked so. Answers false where somebody has locked or unlocked it since. */
  async unlockMarked(db: Database, id: string, mark: string): Promise<boolean> {
    const updated_at = this.#clock.now()
    const unlocked = await db
      .updateTable('users')
      .set({ status: 'active', lock_mark: null, updated_at })
      .where('id', '=', id)
      .where('lock_mark', '=', mark)
      .executeTakeFirst()
    return unlocked.numUpdatedRows > 0n
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

  /** Gives an account exactly these roles, and answers which it had. */
  async setRoles(db: Database, id: string, roles: readonly string[]): Promise<readonly string[]> {
    const before = await db.deleteFrom('user_roles').where('user_id', '=', id).returning('role').execute()
    const rows = [...new Set(roles)].toSorted().map((role) => ({ user_id: id, role }))
    if (rows.length > 0) await db.insertInto('user_roles').values(rows).execute()
    return before.map(({ role }) => role).toSorted()
  }

  /** Checks and hashes a new password, before a transaction begins. */
  async preparePassword(
    { email, name, username }: Profile,
    password: string,
    secondFactor: boolean,
  ): Promise<PreparedPassword | Refusal> {
    const problems = this.#passwords.problemsOf(password, { context: contextOf(email, name, username), secondFactor })
    if (problems.length > 0) return refuse('body-invalid', { errors: { password: problems } })
    const phc = await this.#passwords.hash(password)
    return typeof phc === 'string' ? { phc, short: this.#passwords.isShort(password) } : phc
  }

  /** Gives the account another password. Ending its sessions is the caller's to do. */
  async setPassword(db: Database, id: string, { phc, short }: PreparedPassword): Promise<void> {
    await db
      .updateTable('users')
      .set((user) => ({
        password_hash: phc,
        short_password: short ? 1 : 0,
        epoch: user('epoch', '+', 1),
        updated_at: this.#clock.now(),
      }))
      .where('id', '=', id)
      .execute()
  }

  /** Begins another epoch: a factor came or went. */
  async beginEpoch(db: Database, id: string): Promise<void> {
    await db
      .updateTable('users')
      .set((user) => ({ epoch: user('epoch', '+', 1) }))
      .where('id', '=', id)
      .execute()
  }

  /** Gives the account another address, which has answered. False where somebody else has it. */
  async setEmail(db: Database, id: string, email: string): Promise<boolean> {
    const address = normalEmail(email)
    const holder = await db.selectFrom('users').select('id').where('email', '=', address).executeTakeFirst()
    if (holder !== undefined && holder.id !== id) return false
    const now = this.#clock.now()
    await db
      .updateTable('users')
      .set({ email: address, email_verified_at: now, updated_at: now })
      .where('id', '=', id)
      .execute()
    return true
  }

  /** The address has answered. */
  async verifyEmail(db: Database, id: string): Promise<void> {
    await db
      .updateTable('users')
      .set({ email_verified_at: this.#clock.now() })
      .where('id', '=', id)
      .where('email_verified_at', 'is', null)
      .execute()
  }

  /** Notes a sign-in. */
  async signedIn(db: Database, id: string): Promise<void> {
    await db.updateTable('users').set({ last_sign_in_at: this.#clock.now() }).where('id', '=', id).execute()
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

  async #find(db: Database, column: 'id' | 'email' | 'username', value: string): Promise<Account | undefined> {
    const user = await db.selectFrom('users').selectAll().where(column, '=', value).executeTakeFirst()
    // Asked for nobody too, so that an unknown account takes as long as a known one (A40).
    const roles = await db
      .selectFrom('user_roles')
      .selectAll()
      .where('user_id', '=', user?.id ?? '')
      .orderBy('role')
      .execute()
    return user === undefined ? undefined : accountOf(user, roles)
  }
}

interface UserRow {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly username: string | null
  readonly password_hash: string | null
  readonly short_password: number
  readonly email_verified_at: number | null
  readonly status: Account['status']
  readonly epoch: number
  readonly created_at: number
}

function accountOf(user: UserRow, roles: readonly { readonly role: string }[]): Account {
  return {
    id: user.id,
    email: user.email,
    emailVerifiedAt: user.email_verified_at ?? undefined,
    username: user.username ?? undefined,
    name: user.name,
    password: user.password_hash === null ? 'none' : user.short_password === 1 ? 'short' : 'full',
    status: user.status,
    roles: roles.map(({ role }) => role),
    epoch: user.epoch,
    createdAt: user.created_at,
  }
}

/** Where an identifier is looked for; what has the form of neither is not, for PostgreSQL fails over a NUL. */
function whereOf(identifier: string): { readonly column: 'email' | 'username'; readonly value: string } | undefined {
  const email = normalEmail(identifier)
  if (isAddress(email)) return { column: 'email', value: email }
  const username = identifier.trim().toLowerCase()
  return /^[a-z0-9_-]{3,20}$/.test(username) ? { column: 'username', value: username } : undefined
}

/** Words that a password should not be made of. */
function contextOf(email: string, name: string, username: string | undefined): readonly string[] {
  return [email.split('@')[0] ?? '', name, ...(username === undefined ? [] : [username])]
}

/** One person, one spelling: without spaces around it, in lower case, composed. */
export function normalEmail(email: string): string {
  return email.trim().toLowerCase().normalize('NFC')
}

/**
 * Shape only (RFC 5321 §4.5.3.1 for the lengths): whether an address is somebody's is proven by writing to it. What has
 * not the shape is not looked up either, for PostgreSQL fails over a NUL.
 */
export function isAddress(email: string): boolean {
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
