import type { AdminAction, Details } from '../../audit/event.ts'
import { covers } from '../../authz/permissions.ts'
import type { DraftedRoles, RoleReading, StoredRole, StoredRoles } from '../../authz/role/book.ts'
import { ancestorsOf } from '../../authz/role/grants.ts'
import type { RoleDefinition } from '../../authz/role/store.ts'
import type { RoleTable } from '../../authz/role/table.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import { conflictText, refusalBeyond } from './given.ts'
import { isRefusal } from './guard.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

export type RoleRooms = Pick<
  DeskRooms,
  'store' | 'audit' | 'roleBook' | 'roleStore' | 'services' | 'serviceBook' | 'sessions' | 'revocations' | 'identity'
>

/** Whoever changes roles: an administrator at the desk, or an operator at the machine. */
export interface RoleAuthor {
  holds(permission: string): boolean
  note(trx: Database, action: Extract<AdminAction, `role.${string}`>, role: string, details: Details): Promise<void>
}

/** A role as an operator sees it. */
export interface RoleView {
  readonly name: string
  readonly origin: 'configuration' | 'operator'
  readonly definition: RoleDefinition
  /** What it comes to with all that it inherits: everywhere, and in areas over and above that. */
  readonly held: readonly string[]
  readonly areas: Readonly<Record<string, readonly string[]>>
  /** How many accounts have it. */
  readonly accounts: number
  /** Milliseconds since the epoch; undefined for the configuration's. */
  readonly createdAt: number | undefined
  readonly updatedAt: number | undefined
}

/** Roles that are kept apart, and that one account, service or role has together all the same: it holds none of them. */
export interface RoleConflict {
  readonly kind: 'account' | 'service' | 'role'
  /** The account by id, the others by name. */
  readonly id: string
  readonly roles: readonly string[]
  readonly atMost: number
}

export interface RolePage {
  readonly roles: readonly RoleView[]
  /** The name of the last one shown, where there are more. */
  readonly next: string | undefined
}

/**
 * Roles as operators make, change and remove them beside those of the configuration. A change holds on the next request
 * here, and within a second on other nodes. Nobody makes or changes a role that comes to more than they hold themself.
 */
export class RoleAdministration {
  readonly #rooms: RoleRooms

  constructor(rooms: RoleRooms) {
    this.#rooms = rooms
  }

  /** Those of the configuration first, then those of the store by name, from a name on. */
  async page(limit: number, after: string | undefined): Promise<RolePage> {
    const { roleBook, roleStore, store } = this.#rooms
    await roleBook.hear(store.db)
    const accounts = await roleStore.accounts(store.db)
    const { configured, stored } = roleBook
    const own = after === undefined ? [...configured.keys()].toSorted() : []
    const made = [...stored.keys()].filter((name) => !configured.has(name) && (after === undefined || name > after))
    const shown = made.toSorted().slice(0, limit)
    return {
      roles: [...own, ...shown].flatMap((name) => this.#view(name, accounts.get(name) ?? 0) ?? []),
      next: made.length > limit ? shown.at(-1) : undefined,
    }
  }

  async show(name: string): Promise<RoleView | undefined> {
    const { roleBook, roleStore, store } = this.#rooms
    await roleBook.hear(store.db)
    if (!roleBook.table.names.has(name)) return undefined
    return this.#view(name, await roleStore.accountsWith(store.db, name))
  }

  /** Who has roles together that are kept apart: from before that was said. The first hundred. */
  async conflicts(): Promise<readonly RoleConflict[]> {
    const { roleBook, roleStore, store } = this.#rooms
    if (roleBook.separations.length === 0) return []
    await roleBook.hear(store.db)
    const { table } = roleBook
    const among = new Set(roleBook.separations.flatMap(({ roles }) => roles))
    const found = (kind: RoleConflict['kind'], id: string, roles: readonly string[]): readonly RoleConflict[] =>
      table.conflictsOf(roles).map((conflict) => ({ kind, id, ...conflict }))
    const names = [...table.names].toSorted()
    const touching = names.filter((name) => among.has(name) || this.#inheritsFrom(roleBook.stored, name, among))
    const accounts = await roleStore.rolesBeside(store.db, touching, 2)
    return [
      ...names.flatMap((name) => found('role', name, [name])),
      ...(await this.#services(store.db)).flatMap(([name, roles]) => found('service', name, roles)),
      ...[...accounts].flatMap(([id, roles]) => found('account', id, roles)),
    ].slice(0, conflictsMax)
  }

  async create(author: RoleAuthor, name: string, definition: RoleDefinition): Promise<RoleView | Refusal> {
    const refused = await this.#turn(name, async (trx, before) => {
      const { roleStore } = this.#rooms
      if (before.stored.has(name))
        return refuse('conflict', { detail: `\`${name}\` is there already`, errors: { name: ['is taken'] } })
      if (before.stored.size >= rolesMax)
        return refuse('conflict', { detail: `There are ${rolesMax} roles: remove one first` })
      const twin = twinOf(before.table.names, name)
      if (twin !== undefined)
        return refuse('conflict', {
          detail: `\`${twin}\` is there already`,
          errors: { name: [`reads like \`${twin}\``] },
        })
      const problem = await this.#problem(trx, author, before, name, definition)
      if (problem !== undefined) return problem
      await roleStore.insert(trx, name, definition)
      await author.note(trx, 'role.create', name, textsOf(definition))
      // Accounts may have a role of this name, and roles inherit from it, from before there was one.
      return this.#endActing(trx, this.#affected(before.stored, name))
    })
    return refused ?? (await this.show(name)) ?? nobody
  }

  /** Says anew what a role is. */
  async change(author: RoleAuthor, name: string, definition: RoleDefinition): Promise<RoleView | Refusal> {
    const refused = await this.#turn(name, async (trx, before) => {
      const known = before.stored.get(name)
      if (known === undefined) return nobody
      const problem =
        refusalBeyond(author.holds, before.table.permissionsOf([name])) ??
        (await this.#problem(trx, author, before, name, definition))
      if (problem !== undefined) return problem
      await this.#rooms.roleStore.change(trx, name, definition)
      await author.note(trx, 'role.change', name, { ...textsOf(definition), ...differences(known, definition) })
      return this.#endActing(trx, this.#affected(before.stored, name))
    })
    return refused ?? (await this.show(name)) ?? nobody
  }

  /** Removes a role that nobody has, and nothing inherits from. */
  remove(author: RoleAuthor, name: string): Promise<Refusal | undefined> {
    return this.#turn(name, async (trx, { stored, table }) => {
      const known = stored.get(name)
      if (known === undefined) return nobody
      const problem =
        refusalBeyond(author.holds, table.permissionsOf([name])) ?? (await this.#stillHeld(trx, stored, name))
      if (problem !== undefined) return problem
      await this.#rooms.roleStore.remove(trx, name)
      await author.note(trx, 'role.remove', name, textsOf(known.definition))
      return []
    })
  }

  /** One change to one role of the store, while nobody else changes or gives one; and the sessions that it ended. */
  async #turn(
    name: string,
    work: (trx: Database, before: RoleReading) => Promise<readonly string[] | Refusal>,
  ): Promise<Refusal | undefined> {
    const { store, roleBook, revocations, audit } = this.#rooms
    if (roleBook.configured.has(name)) return configured
    const outcome = await store.transaction(async (trx) => work(trx, await roleBook.hold(trx)))
    if (isRefusal(outcome)) return outcome
    for (const session of outcome) revocations.endSession(session)
    audit.wake()
    try {
      await roleBook.hear(store.db)
    } catch {
      roleBook.forget(name)
    }
    return undefined
  }

  /** What is wrong with a role as it is described: by itself, for whoever describes it, and for those who have it. */
  async #problem(
    trx: Database,
    author: RoleAuthor,
    { stored, table }: RoleReading,
    name: string,
    definition: RoleDefinition,
  ): Promise<Refusal | undefined> {
    const drafted: DraftedRoles = new Map<string, { definition: RoleDefinition }>(stored).set(name, { definition })
    for (const [at, parent] of definition.inherits.entries()) {
      const field = `inherits.${at}`
      if (parent !== name && !table.names.has(parent)) return invalid(field, `no role is called \`${parent}\``)
      if (parent === name || this.#inheritsFrom(drafted, parent, new Set([name])))
        return invalid(field, `\`${parent}\` inherits from \`${name}\`: a circle`)
    }
    const affected = this.#affected(drafted, name)
    for (const one of affected) {
      if (this.#ancestors(drafted, one).size > ancestorsMax)
        return invalid('inherits', `\`${one}\` would inherit from more than ${ancestorsMax} roles`)
    }
    const after = this.#rooms.roleBook.compile(drafted)
    return (
      refusalBeyond(author.holds, after.permissionsOf([name])) ??
      this.#apart(await this.#together(trx, drafted, affected), table, after, name)
    )
  }

  /** The refusal where roles that are kept apart would come together by what a role inherits. */
  #apart(sets: readonly (readonly string[])[], before: RoleTable, after: RoleTable, name: string): Refusal | undefined {
    const [own] = after.conflictsOf([name])
    const broken = sets.filter((roles) => before.conflictsOf(roles).length === 0 && after.conflictsOf(roles).length > 0)
    const [conflict = own] = broken.flatMap((roles) => after.conflictsOf(roles))
    if (conflict === undefined) return undefined
    const whose = own === undefined ? `; ${broken.length} who have \`${name}\` would` : ''
    const detail = `${conflictText(conflict)}${whose}`
    return refuse('conflict', { detail, errors: { inherits: [detail] } })
  }

  /** The sets of roles that these are in, and that may be kept apart: of accounts, services, heirs, and whoever registers. */
  async #together(
    trx: Database,
    drafted: DraftedRoles,
    names: readonly string[],
  ): Promise<readonly (readonly string[])[]> {
    const { roleBook, roleStore, identity } = this.#rooms
    const among = new Set(roleBook.separations.flatMap(({ roles }) => roles))
    if (!names.some((name) => among.has(name) || this.#inheritsFrom(drafted, name, among))) return []
    const services = (await this.#services(trx)).map(([, roles]) => roles)
    const given = [identity.defaultRoles, ...services].filter((roles) => roles.some((role) => names.includes(role)))
    return [...names.map((one) => [one]), ...given, ...(await roleStore.rolesBeside(trx, names, 1)).values()]
  }

  async #stillHeld(trx: Database, stored: StoredRoles, name: string): Promise<Refusal | undefined> {
    const { roleStore, identity } = this.#rooms
    if (identity.defaultRoles.includes(name))
      return refuse('conflict', { detail: 'Whoever registers is given this role: `identity.defaultRoles`' })
    const heirs = [...stored].filter(([, { definition }]) => definition.inherits.includes(name)).map(([one]) => one)
    if (heirs.length > 0)
      return refuse('conflict', { detail: `${heirs.length} roles inherit from it: ${listed(heirs)}` })
    const accounts = await roleStore.accountsWith(trx, name)
    const services = (await this.#services(trx)).filter(([, roles]) => roles.includes(name)).length
    if (accounts + services === 0) return undefined
    const detail = `${accounts} accounts and ${services} services have the role: take it from them first`
    return refuse('conflict', { detail, extensions: { accounts, services } })
  }

  /** The services by name, each with its roles; of the configuration and of the store. */
  async #services(db: Database): Promise<readonly (readonly [string, readonly string[]])[]> {
    const { services, serviceBook } = this.#rooms
    const { services: stored } = await services.page(db, { limit: servicesMax, after: undefined })
    const made = stored.filter(({ name }) => !serviceBook.configured.has(name))
    return [...serviceBook.configured.values(), ...made].map(({ name, definition }) => [name, definition.roles])
  }

  /** It, and every role of the store that inherits from it. */
  #affected(stored: DraftedRoles, name: string): readonly string[] {
    return [
      name,
      ...[...stored.keys()].filter((one) => one !== name && this.#inheritsFrom(stored, one, new Set([name]))),
    ]
  }

  #inheritsFrom(stored: DraftedRoles, name: string, wanted: ReadonlySet<string>): boolean {
    return [...this.#ancestors(stored, name)].some((one) => wanted.has(one))
  }

  #ancestors(stored: DraftedRoles, name: string): ReadonlySet<string> {
    const { configured } = this.#rooms.roleBook
    return ancestorsOf(name, (one) => (configured.get(one) ?? stored.get(one)?.definition)?.inherits)
  }

  /** Ends the time of whoever acts where one of the two has one of these: who acts might hold less than the other from now on. */
  #endActing(trx: Database, roles: readonly string[]): Promise<readonly string[]> {
    return this.#rooms.sessions.endActingAs(trx, roles, 'a role of one of the two was changed')
  }

  #view(name: string, accounts: number): RoleView | undefined {
    const { configured, stored, table } = this.#rooms.roleBook
    const own = configured.get(name)
    const made = own === undefined ? stored.get(name) : undefined
    const described = own ?? made?.definition
    if (described === undefined) return undefined
    const { permissions, inherits = [], scope = 'global' } = described
    return {
      name,
      origin: own === undefined ? 'operator' : 'configuration',
      definition: { permissions, inherits, scope },
      held: [...table.permissionsIn(undefined, [name])].toSorted(),
      areas: table.areasOf([name]),
      accounts,
      createdAt: made?.createdAt,
      updatedAt: made?.updatedAt,
    }
  }
}

/** An administrator, as whoever changes roles. */
export function roleAuthorAt(diary: Diary, visitor: Visitor): RoleAuthor {
  const { permissions } = visitor.principal
  return {
    holds: (permission) => covers(permissions, permission),
    note: (trx, action, id, details) => diary.change(trx, visitor, action, { id, type: 'role' }, details),
  }
}

/** What a reader of the record wants to know. */
function textsOf({ permissions, inherits, scope }: RoleDefinition): Details {
  return { inherits: inherits.join(' '), permissions: permissions.join(' '), scope }
}

/** What was otherwise before, and what came and went: a long list is cut short in the record, what changed seldom is. */
function differences({ definition: before }: StoredRole, after: RoleDefinition): Details {
  const words = ({ permissions, inherits }: RoleDefinition): readonly string[] => [
    ...permissions,
    ...inherits.map((role) => `role:${role}`),
  ]
  const [old, now] = [words(before), words(after)]
  return {
    added: now.filter((one) => !old.includes(one)).join(' '),
    before_inherits: before.inherits.join(' '),
    before_permissions: before.permissions.join(' '),
    before_scope: before.scope,
    removed: old.filter((one) => !now.includes(one)).join(' '),
  }
}

/** A role whose name differs in nothing but capitals: people, and programs that heed no capitals, would take one for the other. */
function twinOf(names: ReadonlySet<string>, name: string): string | undefined {
  const small = name.toLowerCase()
  return names.values().find((one) => one !== name && one.toLowerCase() === small)
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`
}

function invalid(field: string, message: string): Refusal {
  return refuse('body-invalid', { detail: 'The role cannot be as described', errors: { [field]: [message] } })
}

/** All of them are held in memory. */
const rolesMax = 1_000
/** A request that meets a role first works out what it comes to. */
const ancestorsMax = 100
const conflictsMax = 100
/** All that there can be. */
const servicesMax = 10_000
const nobody = refuse('not-found', { detail: 'no role has this name' })
const configured = refuse('conflict', {
  detail: 'The role stands in the configuration: it is changed there, and nowhere else',
})
