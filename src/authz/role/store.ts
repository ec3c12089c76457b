import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/id.ts'
import type { Database } from '../../store/database.ts'
import type { RolesTable } from '../../store/schema.ts'
import { VersionRow } from '../../store/version-row.ts'

/** What a role is, as an administrator described it. */
export interface RoleDefinition {
  readonly permissions: readonly string[]
  readonly inherits: readonly string[]
  /** `global`, or the area where it counts. */
  readonly scope: string
}

/** A role as it lies in the store. */
export interface RoleRow {
  readonly name: string
  /** JSON. */
  readonly definition: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly updatedAt: number
}

/**
 * The roles of the store. Whoever changes one takes turns, over all nodes, with all who change or give roles, and leaves
 * another version behind.
 */
export class RoleStore {
  readonly #clock: Clock
  readonly #version: VersionRow

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock
    this.#version = new VersionRow('roles-version', { clock, random })
  }

  /** Another text after every change; '' before the first. */
  version(db: Database): Promise<string> {
    return this.#version.read(db)
  }

  async all(db: Database): Promise<readonly RoleRow[]> {
    return (await db.selectFrom('roles').selectAll().orderBy('name').execute()).map(roleOf)
  }

  /** Holds all roles as they are until the transaction ends, and answers their version. */
  hold(trx: Database): Promise<string> {
    return this.#version.hold(trx)
  }

  /** Writes a role down under a name that is free. */
  async insert(trx: Database, name: string, definition: RoleDefinition): Promise<void> {
    const now = this.#clock.now()
    await trx
      .insertInto('roles')
      .values({ name, definition: JSON.stringify(definition), created_at: now, updated_at: now })
      .execute()
    await this.#version.renew(trx)
  }

  /** Says anew what a role is. */
  async change(trx: Database, name: string, definition: RoleDefinition): Promise<void> {
    await trx
      .updateTable('roles')
      .set({ definition: JSON.stringify(definition), updated_at: this.#clock.now() })
      .where('name', '=', name)
      .execute()
    await this.#version.renew(trx)
  }

  async remove(trx: Database, name: string): Promise<void> {
    await trx.deleteFrom('roles').where('name', '=', name).execute()
    await this.#version.renew(trx)
  }

  /** How many accounts have each role; those that none has are left out. */
  async accounts(db: Database): Promise<ReadonlyMap<string, number>> {
    const rows = await db
      .selectFrom('user_roles')
      .select(({ fn }) => ['role', fn.countAll<number | string>().as('total')])
      .groupBy('role')
      .execute()
    return new Map(rows.map(({ role, total }) => [role, Number(total)]))
  }

  async accountsWith(db: Database, role: string): Promise<number> {
    const { total } = await db
      .selectFrom('user_roles')
      .select(({ fn }) => fn.countAll<number | string>().as('total'))
      .where('role', '=', role)
      .executeTakeFirstOrThrow()
    return Number(total)
  }

  /** All roles of each account that has so many of these, by account. */
  async rolesBeside(
    db: Database,
    roles: readonly string[],
    atLeast: number,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    if (roles.length < atLeast) return new Map()
    const holders = db
      .selectFrom('user_roles')
      .select('user_id')
      .where('role', 'in', roles)
      .groupBy('user_id')
      .having(({ fn }) => fn.countAll(), '>=', atLeast)
    const rows = await db
      .selectFrom('user_roles')
      .selectAll()
      .where('user_id', 'in', holders)
      .orderBy('user_id')
      .orderBy('role')
      .execute()
    const byAccount = Map.groupBy(rows, ({ user_id }) => user_id)
    return new Map([...byAccount].map(([account, held]) => [account, held.map(({ role }) => role)]))
  }
}

function roleOf({ name, definition, created_at, updated_at }: RolesTable): RoleRow {
  return { name, definition, createdAt: created_at, updatedAt: updated_at }
}
