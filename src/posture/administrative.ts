import { covers } from '../authz/permissions.ts'
import { compileGrants, type RoleOptions } from '../authz/role/grants.ts'
import type { Database } from '../store/database.ts'

/** The permissions by which a house is run. */
const running = [
  'users:manage',
  'roles:manage',
  'keys:manage',
  'clients:manage',
  'services:manage',
  'policies:manage',
  'traffic:manage',
  'incidents:manage',
  'privacy:manage',
  'system:config',
]

/** The roles, of the configuration and of the store, that hold one of the permissions by which the house is run. */
export async function administrativeRoles(
  db: Database,
  { roles, administrator }: { readonly roles: Readonly<Record<string, RoleOptions>>; readonly administrator: string },
): Promise<readonly string[]> {
  const rows = await db.selectFrom('roles').select(['name', 'definition']).execute()
  const stored = rows.map(({ name, definition }) => [name, JSON.parse(definition) as RoleOptions] as const)
  const grants = compileGrants({ ...Object.fromEntries(stored), ...roles }, administrator)
  return [...grants.names].filter((name) => {
    const held = new Set(grants.of(name).grants.map(({ permission }) => permission))
    return running.some((permission) => covers(held, permission))
  })
}
