import type { Log } from '../../kernel/log.ts'
import type { Database } from '../../store/database.ts'
import type { LendingScope } from '../scopes.ts'
import { type RoleOptions, roleOptions } from './grants.ts'
import type { Separation } from './separation.ts'
import type { RoleDefinition, RoleStore } from './store.ts'
import { compileRoles, type RoleTable } from './table.ts'

/** What a configuration says of roles. */
export interface RoleConfiguration {
  readonly roles: Readonly<Record<string, RoleOptions>>
  readonly scopes: Readonly<Record<string, LendingScope>>
  /** The role that holds everything, and is there always. */
  readonly administrator: string
  readonly separations: readonly Separation[]
}

/** A role of the store. */
export interface StoredRole {
  readonly definition: RoleDefinition
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly updatedAt: number
}

export type StoredRoles = ReadonlyMap<string, StoredRole>

/** Roles as they might be, by name. */
export type DraftedRoles = ReadonlyMap<string, Pick<StoredRole, 'definition'>>

/** The roles of one moment. */
export interface RoleReading {
  /** By name, sorted; those included that the configuration has too, which are not used. */
  readonly stored: StoredRoles
  readonly table: RoleTable
}

/**
 * The roles of the configuration and of the store, in memory: asked on the way of a request, and never waited for. Nothing
 * in the store takes a name of the configuration’s. Where the store cannot be heard, its roles stay as they were.
 */
export class RoleBook {
  /** The roles of the day: the same object for as long as the house stands. A principal is made anew for each day. */
  readonly table: RoleTable
  readonly #store: RoleStore
  readonly #log: Log
  #rules: RoleConfiguration
  #reading: RoleReading
  #version: string | undefined
  #turn: Promise<void> = Promise.resolve()
  /** What was read of the texts of the store: most of them are as they were. */
  #definitions: ReadonlyMap<string, RoleDefinition | undefined> = new Map()
  readonly #passedOver = new Set<string>()

  constructor({
    store,
    log,
    rules,
  }: { readonly store: RoleStore; readonly log: Log; readonly rules: RoleConfiguration }) {
    this.#store = store
    this.#log = log
    this.#rules = rules
    this.#reading = { stored: new Map(), table: this.compile(new Map()) }
    this.table = liveTable(() => this.#reading.table)
  }

  /** Those of the configuration; the administrator’s is one of them, whether it is described there or not. */
  get configured(): ReadonlyMap<string, RoleOptions> {
    const { administrator, roles } = this.#rules
    return new Map(Object.entries({ [administrator]: { permissions: [] }, ...roles }))
  }

  /** What was heard of the store last. */
  get stored(): StoredRoles {
    return this.#reading.stored
  }

  get separations(): readonly Separation[] {
    return this.#rules.separations
  }

  /** Follows another configuration from now on. */
  follow(rules: RoleConfiguration): void {
    this.#rules = rules
    this.#take(this.#reading.stored)
  }

  /**
   * Takes over what has changed in the store. While nothing has, it is one query by key. Of two at one moment the second
   * reads after the first: what is heard is never older than what was heard before.
   */
  hear(db: Database): Promise<void> {
    const turn = this.#turn.then(() => this.#hear(db))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** The role grants nothing until the store was heard again: for a change that could not be read back. */
  forget(name: string): void {
    this.#version = undefined
    const stored = new Map(this.#reading.stored)
    stored.delete(name)
    this.#take(stored)
  }

  /** The roles as they are in the store, and stay until the transaction ends: for whoever changes or gives them. */
  async hold(trx: Database): Promise<RoleReading> {
    const version = await this.#store.hold(trx)
    if (version === this.#version) return this.#reading
    const stored = await this.#read(trx)
    return { stored, table: this.compile(stored) }
  }

  /** The table as it would be with these in the store. */
  compile(stored: DraftedRoles): RoleTable {
    const { roles, scopes, administrator, separations } = this.#rules
    const own = Object.fromEntries([...stored].map(([name, { definition }]) => [name, definition]))
    return compileRoles({ ...own, [administrator]: { permissions: [] }, ...roles }, scopes, {
      administrator,
      separations,
    })
  }

  async #hear(db: Database): Promise<void> {
    // Read before the rest: what changes meanwhile leaves another version, and is read the next time.
    const version = await this.#store.version(db)
    if (version === this.#version) return
    this.#take(await this.#read(db))
    this.#version = version
  }

  #take(stored: StoredRoles): void {
    this.#reading = { stored, table: this.compile(stored) }
    const { configured } = this
    for (const name of stored.keys()) {
      if (!configured.has(name) || this.#passedOver.has(name)) continue
      this.#passedOver.add(name)
      this.#log.warn({ role: name }, 'a role of the store is not used: the configuration has one of its name')
    }
  }

  async #read(db: Database): Promise<StoredRoles> {
    const rows = await this.#store.all(db)
    const known = this.#definitions
    const definitions = new Map(
      rows.map(({ definition: text }) => [text, known.has(text) ? known.get(text) : definitionOf(text)]),
    )
    this.#definitions = definitions
    return new Map(
      rows.flatMap((row) => {
        const definition = definitions.get(row.definition)
        if (definition === undefined)
          this.#log.error({ role: row.name }, 'a role of the store cannot be read, and grants nothing')
        return definition === undefined ? [] : [[row.name, { ...row, definition }] as const]
      }),
    )
  }
}

function definitionOf(text: string): RoleDefinition | undefined {
  let written: unknown
  try {
    written = JSON.parse(text)
  } catch {
    return undefined
  }
  const read = roleOptions.safeParse(written)
  if (!read.success) return undefined
  const { permissions, inherits = [], scope = 'global' } = read.data
  return { permissions, inherits, scope }
}

/** The table of the day under one name. */
function liveTable(today: () => RoleTable): RoleTable {
  return {
    get names() {
      return today().names
    },
    permissionsOf: (roles) => today().permissionsOf(roles),
    permissionsIn: (area, roles) => today().permissionsIn(area, roles),
    areasOf: (roles) => today().areasOf(roles),
    conflictsOf: (roles) => today().conflictsOf(roles),
    lentBy: (scopes) => today().lentBy(scopes),
    lendersOf: (permission) => today().lendersOf(permission),
    principalOf: (verified, area) => today().principalOf(verified, area),
    principalOfHolder: (holder, area) => today().principalOfHolder(holder, area),
    personHolds: (principal, permission) => today().personHolds(principal, permission),
  }
}
