import { z } from 'zod'
import type { Holder } from '../authn/holder.ts'
import type { Principal } from '../authn/principal.ts'
import type { Verified } from '../authn/token/tokens.ts'
import { GenerationCache } from '../kernel/cache.ts'
import { permission } from '../wire/shapes.ts'
import { common, covers } from './permissions.ts'
import { compileScopes, type LendingScope } from './scopes.ts'

export const roleOptions = z.strictObject({
  permissions: z.array(permission),
  inherits: z.array(z.string()).optional(),
  /** Where the role counts: `global`, or a part of the system such as `analytics`. */
  scope: z.string().min(1).optional(),
})

export type RoleOptions = z.output<typeof roleOptions>

/** Roles and scopes, and what they come to. */
export interface RoleTable {
  /** What these roles hold together. An unknown role grants nothing. */
  permissionsOf(roles: readonly string[]): ReadonlySet<string>
  /** The permissions that these scopes lend together. An unknown scope lends nothing. */
  lentBy(scopes: readonly string[]): ReadonlySet<string>
  /** The scopes that lend a client the permission, the one to ask for first. */
  lendersOf(permission: string): readonly string[]
  /**
   * The principal of a verified token. The same token is the same principal, for as long as this table stands. One who comes
   * by a client of other people has no roles: whoever asks for roles would take the client for the person.
   */
  principalOf(verified: Verified): Principal
  /** The principal of a machine's credential, likewise. What it lends beyond what its owner holds is nothing. */
  principalOfHolder(holder: Holder): Principal
  /** Whether the person holds the permission by their roles, whatever the client that asks for them was lent. */
  personHolds(principal: Principal, permission: string): boolean
}

/**
 * Works out each role at load, inheritance included; several roles add up. `admin` is there always, and holds everything.
 * A client of other people may what its scopes lend, and of that only what its person may.
 */
export function compileRoles(
  options: Readonly<Record<string, RoleOptions>>,
  scopeOptions: Readonly<Record<string, LendingScope>> = {},
): RoleTable {
  const scopes = compileScopes(scopeOptions)
  const table = new Map(Object.entries({ admin: { permissions: [] }, ...options }))
  const compiled = new Map([...table.keys()].map((name) => [name, inherited(name, table, new Set())]))
  const unions = new GenerationCache<string, ReadonlySet<string>>(1_000)
  const principals = new WeakMap<Verified, Principal>()
  const holders = new WeakMap<Holder, Principal>()
  const persons = new WeakMap<Principal, ReadonlySet<string>>()

  const permissionsOf = (roles: readonly string[]): ReadonlySet<string> => {
    const key = JSON.stringify(roles)
    let union = unions.get(key)
    if (union === undefined) {
      union = new Set(roles.flatMap((role) => [...(compiled.get(role) ?? [])]))
      unions.set(key, union)
    }
    return union
  }

  return {
    permissionsOf,
    lentBy: scopes.permissionsOf,
    lendersOf: scopes.lendersOf,
    principalOf(verified) {
      let principal = principals.get(verified)
      if (principal === undefined) {
        const alone = verified.client === verified.subject
        const own = permissionsOf(alone ? [] : verified.roles)
        const lent = scopes.permissionsOf(verified.scopes)
        principal = {
          type: alone ? 'service' : 'user',
          id: verified.subject,
          credential: {
            kind: verified.kind,
            id: verified.tokenId,
            session: verified.session,
            issuedAt: verified.issuedAt,
            expiresAt: verified.expiresAt,
            proof: verified.proof,
          },
          roles: verified.client === undefined ? verified.roles : [],
          permissions: verified.client === undefined ? own : alone ? lent : common(own, lent),
          scopes: new Set(verified.scopes),
          attributes: verified.attributes,
          actor: verified.impersonator,
          client: verified.client,
          limit: undefined,
        }
        principals.set(verified, principal)
        persons.set(principal, own)
      }
      return principal
    },
    principalOfHolder(holder) {
      let principal = holders.get(holder)
      if (principal === undefined) {
        const own = new Set([...permissionsOf(holder.roles), ...holder.permissions])
        const { type, id, credential, organisation, limit, lent = ['*'] } = holder
        const byScope = scopes.permissionsOf(holder.scopes ?? [])
        principal = {
          type,
          // No service, client or person can be called so: a key is made for any name, and is taken for none of them.
          id: organisation === undefined ? id : `organisation:${organisation}`,
          credential,
          roles: holder.scopes === undefined && holder.lent === undefined ? holder.roles : [],
          permissions: common(
            own,
            new Set([...(holder.scopes === undefined ? lent : (holder.lent ?? [])), ...byScope]),
          ),
          scopes: new Set(holder.scopes),
          attributes: organisation === undefined ? {} : { organisation },
          actor: holder.actor,
          client: holder.scopes === undefined ? undefined : credential.id,
          limit,
        }
        holders.set(holder, principal)
        persons.set(principal, own)
      }
      return principal
    },
    personHolds: (principal, wanted) => covers(persons.get(principal) ?? permissionsOf(principal.roles), wanted),
  }
}

/** What a role holds by itself and by those it inherits from. A circle of inheritance ends where it began. */
function inherited(name: string, table: ReadonlyMap<string, RoleOptions>, seen: Set<string>): ReadonlySet<string> {
  const role = table.get(name)
  if (role === undefined || seen.has(name)) return new Set()
  seen.add(name)
  return new Set([
    ...(name === 'admin' ? ['*'] : []),
    ...role.permissions,
    ...(role.inherits ?? []).flatMap((parent) => [...inherited(parent, table, seen)]),
  ])
}
