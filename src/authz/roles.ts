import { z } from 'zod'
import type { Principal } from '../authn/principal.ts'
import type { Verified } from '../authn/token/tokens.ts'
import { GenerationCache } from '../kernel/cache.ts'
import { common, covers } from './permissions.ts'
import { compileScopes, type LendingScope } from './scopes.ts'

const permission = z
  .string()
  .regex(
    /^(?:\*|[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)*(?::\*)?)$/,
    'expected a permission such as `task:read`, `task:*` or `*`',
  )

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
  /** The scopes that lend a client the permission, the one to ask for first. */
  lendersOf(permission: string): readonly string[]
  /**
   * The principal of a verified token. The same token is the same principal, for as long as this table stands. One who comes
   * by a client of other people has no roles: whoever asks for roles would take the client for the person.
   */
  principalOf(verified: Verified): Principal
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
        }
        principals.set(verified, principal)
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
