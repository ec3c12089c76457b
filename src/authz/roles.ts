import { z } from 'zod'
import type { Principal } from '../authn/principal.ts'
import type { Verified } from '../authn/token/tokens.ts'
import { GenerationCache } from '../kernel/cache.ts'

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

/** Roles, and what they come to. */
export interface RoleTable {
  /** What these roles hold together. An unknown role grants nothing. */
  permissionsOf(roles: readonly string[]): ReadonlySet<string>
  /** The principal of a verified token. The same token is the same principal, for as long as this table stands. */
  principalOf(verified: Verified): Principal
}

/** Works out each role at load, inheritance included; several roles add up. `admin` is there always, and holds everything. */
export function compileRoles(options: Readonly<Record<string, RoleOptions>>): RoleTable {
  const table = new Map(Object.entries({ admin: { permissions: [] }, ...options }))
  const compiled = new Map([...table.keys()].map((name) => [name, inherited(name, table, new Set())]))
  const unions = new GenerationCache<string, ReadonlySet<string>>(1_000)
  const principals = new WeakMap<Verified, Principal>()

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
    principalOf(verified) {
      let principal = principals.get(verified)
      if (principal === undefined) {
        principal = {
          type: 'user',
          id: verified.subject,
          credential: {
            kind: verified.kind,
            id: verified.tokenId,
            session: verified.session,
            issuedAt: verified.issuedAt,
            expiresAt: verified.expiresAt,
            proof: verified.proof,
          },
          roles: verified.roles,
          permissions: permissionsOf(verified.roles),
          scopes: new Set(verified.scopes),
          attributes: verified.attributes,
          actor: verified.impersonator,
        }
        principals.set(verified, principal)
      }
      return principal
    },
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

/** Whether what is held covers what is wanted: itself, `*`, or a wildcard such as `conversation:*` above it. */
export function covers(held: ReadonlySet<string>, wanted: string): boolean {
  if (held.has(wanted) || held.has('*')) return true
  for (let at = wanted.lastIndexOf(':'); at > 0; at = wanted.lastIndexOf(':', at - 1)) {
    if (held.has(`${wanted.slice(0, at)}:*`)) return true
  }
  return false
}
