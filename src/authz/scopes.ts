import { GenerationCache } from '../kernel/cache.ts'
import { covers } from './permissions.ts'

/** As much of a scope's options as says what it lends. */
export interface LendingScope {
  /** The permission of the same name, where it is left out. */
  readonly permissions?: readonly string[] | undefined
  readonly privileged?: boolean | undefined
}

/** What scopes come to. */
export interface ScopeTable {
  /** The permissions that these scopes lend together. An unknown scope lends nothing. */
  permissionsOf(scopes: readonly string[]): ReadonlySet<string>
  /** The scopes that lend a permission: first those that any client may ask for, and of them those that lend least. */
  lendersOf(permission: string): readonly string[]
}

/** Scopes that are about the person (OpenID Connect Core §5.4, §11), and not about an API: they lend nothing. */
export const personScopes: ReadonlySet<string> = new Set(['openid', 'profile', 'email', 'offline_access'])

/** Works out each scope at load. */
export function compileScopes(options: Readonly<Record<string, LendingScope>>): ScopeTable {
  const scopes = Object.entries(options)
    .filter(([name]) => !personScopes.has(name))
    .map(([name, { permissions, privileged }]) => ({
      name,
      lent: new Set(permissions ?? [name]),
      privileged: privileged === true,
    }))
    .toSorted((a, b) => Number(a.privileged) - Number(b.privileged) || breadth(a.lent) - breadth(b.lent))
  const byName = new Map(scopes.map((scope) => [scope.name, scope]))
  const lenders = new GenerationCache<string, readonly string[]>(1_000)

  return {
    permissionsOf: (names) => new Set(names.flatMap((name) => [...(byName.get(name)?.lent ?? [])])),
    lendersOf(permission) {
      let known = lenders.get(permission)
      if (known === undefined) {
        known = scopes.filter(({ lent }) => covers(lent, permission)).map(({ name }) => name)
        lenders.set(permission, known)
      }
      return known
    },
  }
}

/** A wildcard is wider than any list. */
function breadth(lent: ReadonlySet<string>): number {
  const widest = Math.max(...[...lent].map((pattern) => (pattern === '*' ? 2 : pattern.endsWith(':*') ? 1 : 0)))
  return widest * 1_000 + lent.size
}
