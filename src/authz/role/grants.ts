import { z } from 'zod'
import { permission } from '../../wire/shapes.ts'

export const roleOptions = z.strictObject({
  permissions: z.array(permission),
  inherits: z.array(z.string()).optional(),
  /** Where the role counts: `global`, which is everywhere, or on routes of one area, such as `analytics`. */
  scope: z.string().min(1).max(64).optional(),
})

/** What the role that holds everything is called where nobody says otherwise. */
export const usualAdministrator = 'admin'

/** A role as somebody described it. */
export interface RoleOptions {
  readonly permissions: readonly string[]
  readonly inherits?: readonly string[] | undefined
  readonly scope?: string | undefined
}

/** What a role comes to, worked out. */
export interface RoleGrants {
  /** Where the role counts; undefined: everywhere. */
  readonly area: string | undefined
  /** What it holds, each with where it holds it; undefined: everywhere. */
  readonly grants: readonly { readonly permission: string; readonly area: string | undefined }[]
  /** It, and every role that it inherits from. */
  readonly roles: ReadonlySet<string>
}

/** Roles, and what each comes to. */
export interface GrantTable {
  readonly names: ReadonlySet<string>
  /** Every area that a role speaks of. */
  readonly areas: ReadonlySet<string>
  /** Worked out when it is asked for first. A role that nobody described is a name, and holds nothing. */
  of(name: string): RoleGrants
}

/** What each role comes to by itself and by those it inherits from. `administrator` holds everything. */
export function compileGrants(options: Readonly<Record<string, RoleOptions>>, administrator: string): GrantTable {
  const table = new Map<string, RoleOptions>(Object.entries({ [administrator]: { permissions: [] }, ...options }))
  const known = new Map<string, RoleGrants>()
  return {
    names: new Set(table.keys()),
    areas: new Set([...table.values()].flatMap((role) => areaOf(role) ?? [])),
    of(name) {
      if (!table.has(name)) return { area: undefined, grants: [], roles: new Set([name]) }
      let found = known.get(name)
      if (found === undefined) {
        found = grantsOf(name)
        known.set(name, found)
      }
      return found
    },
  }

  function grantsOf(name: string): RoleGrants {
    const grants = new Map<string, RoleGrants['grants'][number]>()
    const roles = new Set<string>()
    const seen = new Set<string>()
    collect(name, undefined)
    return { area: areaOf(table.get(name)), grants: [...grants.values()], roles }

    /** A role counts no further than the one that inherits from it. A circle of inheritance ends where it began. */
    function collect(role: string, within: string | undefined): void {
      const found = table.get(role)
      if (found === undefined) return
      const own = areaOf(found)
      if (own !== undefined && within !== undefined && own !== within) return
      const area = own ?? within
      const key = JSON.stringify([role, area])
      if (seen.has(key)) return
      seen.add(key)
      roles.add(role)
      for (const permission of [...(role === administrator ? ['*'] : []), ...found.permissions])
        grants.set(JSON.stringify([permission, area]), { permission, area })
      for (const parent of found.inherits ?? []) collect(parent, area)
    }
  }
}

/** The roles that one inherits from, near and far; itself among them where that is a circle. */
export function ancestorsOf(
  name: string,
  inheritedBy: (name: string) => readonly string[] | undefined,
): ReadonlySet<string> {
  const found = new Set<string>()
  const ahead = [...(inheritedBy(name) ?? [])]
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    if (found.has(next)) continue
    found.add(next)
    ahead.push(...(inheritedBy(next) ?? []))
  }
  return found
}

function areaOf(role: RoleOptions | undefined): string | undefined {
  return role?.scope === 'global' ? undefined : role?.scope
}
