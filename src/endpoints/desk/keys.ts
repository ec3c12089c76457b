import type { AdminAction, AuditEvent, Details } from '../../audit/event.ts'
import type { Account } from '../../authn/account/accounts.ts'
import { hold } from '../../authn/account/hold.ts'
import type { KeyOwner, KeyPolicy, KeyView, MadeKey } from '../../authn/key/key-record.ts'
import { serviceNameProblem } from '../../authn/service/service-name.ts'
import { covers } from '../../authz/permissions.ts'
import { Fault, type FieldErrors, type Refusal, refuse } from '../../kernel/error.ts'
import { parseCidr } from '../../kernel/ip.ts'
import type { Database } from '../../store/database.ts'
import { isRefusal } from './guard.ts'
import type { Letters } from './letters.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

export type KeyRooms = Pick<DeskRooms, 'store' | 'audit' | 'accounts' | 'keys' | 'keyBook' | 'roleBook' | 'scopeTexts'>

/** Whoever makes, rotates and revokes keys: a person at the desk, a key of itself, or an operator at the machine. */
export interface KeyAuthor {
  readonly id: string
  holds(permission: string): boolean
  /** Whether they may act as somebody who holds these: who holds strictly less. */
  exceeds(theirs: ReadonlySet<string>): boolean
  note(
    trx: Database,
    action: Extract<AdminAction, `api-key.${string}`>,
    result: AuditEvent['result'],
    keyId: string,
    details: Details,
  ): Promise<void>
  /** Lets a person know that they have a new key. */
  tell(trx: Database, account: Account, keyName: string): Promise<void>
}

/** A key as somebody wants it. */
export interface KeyDraft extends KeyPolicy {
  readonly name: string
  /** Undefined: as long as the configuration says. */
  readonly lifetimeMs: number | undefined
}

/**
 * API keys as people and operators make and end them. A key never holds more than its owner; and nobody lends by one, or
 * gets by rotating it, what they do not hold themself.
 */
export class KeyCounter {
  readonly #rooms: KeyRooms

  constructor(rooms: KeyRooms) {
    this.#rooms = rooms
  }

  /** A new key, shown this once. Whose it is says the caller, and no body. */
  async create(author: KeyAuthor, owner: KeyOwner, draft: KeyDraft): Promise<MadeKey | Refusal> {
    const checked = this.#checked(draft)
    if (isRefusal(checked)) return checked
    const { store, audit, keys } = this.#rooms
    const outcome = await store.transaction(async (trx) => {
      if (owner.type === 'user') await hold(trx, owner.id) // so that two at the same moment are counted one after the other
      const refused = (await this.#ownerProblem(trx, owner)) ?? (await this.#beyond(trx, author, owner, checked))
      if (refused !== undefined) return refused
      const made = await keys.make(trx, { ...checked, owner, policy: checked, createdBy: author.id })
      if (isRefusal(made)) return made
      const problem = await this.#tested(trx, made)
      if (problem !== undefined) throw problem
      await author.note(trx, 'api-key.create', 'success', made.view.id, detailsOf(made.view))
      await this.#tell(trx, author, made.view)
      return made
    })
    audit.wake()
    return outcome
  }

  /**
   * Makes the successor of a key. It is proven before it is shown: where that fails, or the store does, the key that works
   * goes on as it is, and the record says so.
   */
  async rotate(
    author: KeyAuthor,
    key: KeyView,
    replace: string | undefined,
    by: 'its owner' | 'itself' | 'an administrator',
  ): Promise<MadeKey | Refusal> {
    const { store, audit, keys, keyBook } = this.#rooms
    await keyBook.settle(store.db) // what was used has taken over
    try {
      const outcome = await store.transaction(async (trx) => {
        // Who has it already gets no more by it.
        const refused = by === 'an administrator' ? await this.#beyond(trx, author, key.owner, key) : undefined
        if (refused !== undefined) return refused
        if (by === 'itself') await keys.rotation.prove(trx, key.id)
        const made = await keys.rotation.rotate(trx, key.id, replace, by === 'itself' ? undefined : author.id)
        if (isRefusal(made)) return made
        const problem = await this.#tested(trx, made)
        if (problem !== undefined) throw problem
        const replaced = replace === undefined ? {} : { replaced: replace }
        await author.note(trx, 'api-key.rotate', 'success', key.id, {
          ...detailsOf(made.view),
          by,
          successor: made.view.id,
          ...replaced,
        })
        if (by === 'an administrator') await this.#tell(trx, author, made.view)
        return made
      })
      if (!isRefusal(outcome))
        for (const id of [key.id, ...(replace === undefined ? [] : [replace])]) keyBook.forget(id)
      return outcome
    } catch (error) {
      const because = error instanceof Fault ? error.message : 'the store failed'
      // Where the store is what fails, this fails too: the log has the first error.
      await store
        .transaction((trx) => author.note(trx, 'api-key.rotate', 'failure', key.id, { because, by }))
        .catch(() => {})
      throw error
    } finally {
      audit.wake()
    }
  }

  /** Ends a key: with its whole family, or alone. Answers what ended; 'not-found' where it was over already. */
  async revoke(
    author: KeyAuthor,
    key: KeyView,
    only: boolean,
    by: 'its owner' | 'an administrator',
  ): Promise<readonly string[] | Refusal> {
    const { store, audit, keys, keyBook } = this.#rooms
    const ended = await store.transaction(async (trx) => {
      const gone = await keys.revoke(trx, key.id, `revoked by ${by}`, only)
      if (gone.length > 0)
        await author.note(trx, 'api-key.revoke', 'success', key.id, {
          by,
          ended: gone.toSorted().join(' '),
          name: key.name,
          owner: key.owner.id,
        })
      return gone
    })
    audit.wake()
    for (const id of ended) keyBook.forget(id)
    return ended.length === 0 ? nobody : ended
  }

  /** A person hears of every key of theirs that somebody was shown. */
  async #tell(trx: Database, author: KeyAuthor, { owner, name }: KeyView): Promise<void> {
    const account = owner.type === 'user' ? await this.#rooms.accounts.byId(trx, owner.id) : undefined
    if (account !== undefined) await author.tell(trx, account, name)
  }

  /** The real verification, on the transaction that made it. */
  async #tested(trx: Database, { text, view }: MadeKey): Promise<Fault | undefined> {
    const holder = await this.#rooms.keyBook.test(trx, text)
    if ('code' in holder)
      return new Fault('unavailable', `the new key does not hold: ${holder.reason ?? holder.detail}`)
    return holder.credential.id === view.id ? undefined : new Fault('unavailable', 'the new key is read as another')
  }

  /** What was asked for, in its one spelling, or what is wrong with it by field. */
  #checked(draft: KeyDraft): KeyDraft | Refusal {
    const { options } = this.#rooms.keys
    const errors: Record<string, string[]> = {}
    const name = draft.name.normalize('NFC').trim()
    if (!/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,100}$/u.test(name))
      errors['name'] = ['must have 1 to 100 characters that can be seen, on one line']
    for (const [at, scope] of (draft.scopes ?? []).entries())
      if (!(this.#rooms.scopeTexts?.has(scope) ?? false)) errors[`scopes.${at}`] = [`no scope is called \`${scope}\``]
    for (const [at, text] of (draft.addresses ?? []).entries())
      if (parseCidr(text) === undefined)
        errors[`addresses.${at}`] = [`expected an address or a network such as \`10.0.0.0/8\`, got \`${text}\``]
    const lifetimeMs = draft.lifetimeMs ?? options.expiry ?? options.expiryMax
    if (options.expiryMax !== undefined && lifetimeMs !== undefined && lifetimeMs > options.expiryMax)
      errors['expires_in'] = [`a key lives for ${Math.floor(options.expiryMax / 1000)} seconds at most`]
    if (Object.keys(errors).length > 0) return invalid(errors)
    return {
      ...draft,
      name,
      permissions: distinct(draft.permissions),
      scopes: draft.scopes && distinct(draft.scopes),
      addresses: draft.addresses && distinct(draft.addresses),
      lifetimeMs,
    }
  }

  async #ownerProblem(trx: Database, { type, id }: KeyOwner): Promise<Refusal | undefined> {
    const { accounts, keyBook } = this.#rooms
    switch (type) {
      case 'user': {
        const account = uuidForm.test(id) ? await accounts.byId(trx, id) : undefined
        if (account === undefined) return invalid({ 'owner.id': ['no account has this id'] })
        return account.status === 'active' ? undefined : refuse('conflict', { detail: 'The account is locked' })
      }
      case 'service':
        return keyBook.heldByService(id) === undefined
          ? invalid({ 'owner.id': ['no service is known by this name'] })
          : undefined
      case 'organisation': {
        const problem = serviceNameProblem(id)
        if (problem !== undefined) return invalid({ 'owner.id': [problem] })
        return keyBook.heldByService(id) === undefined ? undefined : invalid({ 'owner.id': ['a service is called so'] })
      }
    }
  }

  /**
   * The refusal where a key lends what whoever is handed it does not hold. A key of another person's acts as that person: for
   * those who may change accounts, and hold all that the person does and more (A58). One of a service acts as the service, also where only
   * the name is asked: for those who hold all that the service does.
   */
  async #beyond(
    trx: Database,
    author: KeyAuthor,
    owner: KeyOwner,
    { permissions, scopes }: KeyPolicy,
  ): Promise<Refusal | undefined> {
    const { roleBook, accounts, keyBook } = this.#rooms
    const { table: roles } = await roleBook.hold(trx)
    const isTheirs = owner.type === 'user' && owner.id === author.id
    const lent = [...permissions, ...(isTheirs ? [] : roles.lentBy(scopes ?? []))]
    const needed = [...lent]
    const account = owner.type === 'user' ? await accounts.byId(trx, owner.id) : undefined
    const measure = account && roles.permissionsOf(account.roles)
    const theirs = isTheirs ? undefined : measure
    // What their own roles hold in one area counts there by the key too: it is measured where it is used.
    const own = isTheirs ? measure : undefined
    if (theirs !== undefined) needed.push('users:manage', ...theirs)
    const service = owner.type === 'service' ? keyBook.heldByService(owner.id) : undefined
    if (service !== undefined) needed.push(...service.permissions, ...roles.permissionsOf(service.roles))
    const missing = needed.find(
      (permission) => !author.holds(permission) && !(own !== undefined && covers(own, permission)),
    )
    if (missing !== undefined)
      return refuse('permission-required', { detail: `Permission '${missing}' required`, reason: 'reaches upwards' })
    return theirs === undefined || author.exceeds(theirs)
      ? undefined
      : refuse('permission-required', { detail: 'Only for somebody who may less can a key be made' })
  }
}

/** Somebody at the desk, as whoever changes keys. */
export function keyAuthorAt(diary: Diary, letters: Letters, visitor: Visitor): KeyAuthor {
  const { id, permissions } = visitor.principal
  return {
    id,
    holds: (permission) => covers(permissions, permission),
    exceeds: (theirs) => [...permissions].some((permission) => !covers(theirs, permission)),
    note: (trx, action, result, id, details) =>
      diary.change(trx, visitor, action, { id, type: 'api-key' }, details, result),
    tell: (trx, account, key) => letters.news(trx, visitor, account, 'key-created', { key }),
  }
}

/** What a reader of the record wants to know. Never the key. */
function detailsOf({ name, owner, permissions, scopes, addresses, expiresAt }: KeyView): Details {
  return {
    name,
    owner: owner.id,
    owner_type: owner.type,
    permissions: permissions.join(' ').slice(0, 1000),
    ...(scopes === undefined ? {} : { scopes: scopes.join(' ').slice(0, 1000) }),
    ...(addresses === undefined ? {} : { addresses: addresses.join(' ').slice(0, 1000) }),
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
  }
}

function distinct(list: readonly string[]): readonly string[] {
  return [...new Set(list)]
}

function invalid(errors: FieldErrors): Refusal {
  return refuse('body-invalid', { detail: 'The key cannot be as described', errors })
}

const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const nobody = refuse('not-found', { detail: 'no living key has this id' })
