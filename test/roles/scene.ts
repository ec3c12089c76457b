// A house with roles of its own, and people who have them.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import type { Config, Settings } from '../../src/config/settings.ts'
import type { Log } from '../../src/kernel/log.ts'
import { mirror, startUpstream } from '../support/house.ts'
import { type Answer, bearer, type PeopleHouse, startPeople } from '../support/people.ts'

export type FreshStore = (context: TestContext) => Promise<string>

/** Somebody who is signed in. */
export interface Somebody {
  readonly id: string
  readonly email: string
  readonly access_token: string
}

export interface RoleScene {
  readonly people: PeopleHouse
  readonly root: Somebody
  /** Manages people, services, keys and roles, and holds `notes:*`. */
  readonly manager: Somebody
  somebody(...roles: readonly string[]): Promise<Somebody>
  /** Asks the API of roles, as root where nobody else is named. */
  ask(method: string, path?: string, body?: object, who?: Somebody): Promise<Answer>
  /** Makes a role, as root. */
  role(name: string, definition?: object): Promise<void>
  give(who: Somebody, roles: readonly string[], by?: Somebody): Promise<Answer>
  /** What a route answers to somebody. */
  at(path: string, who: Somebody): Promise<number>
  reload(config: Config): Promise<void>
}

export const roles: NonNullable<Config['roles']> = {
  user: { permissions: ['widgets:read'] },
  manager: { permissions: ['users:manage', 'services:manage', 'keys:manage', 'roles:manage', 'notes:*'] },
  analyst: { permissions: ['reports:read'], scope: 'analytics' },
  requester: { permissions: ['orders:request'] },
  approver: { permissions: ['orders:approve'] },
}

export const separationOfDuty: NonNullable<Config['separationOfDuty']> = [{ roles: ['requester', 'approver'] }]

// biome-ignore format: a table
export const routes: NonNullable<Config['routes']> = [
  { path: '/widgets',   require: 'widgets:read',   to: 'api' },
  { path: '/notes',     require: 'notes:read',     to: 'api' },
  { path: '/write',     require: 'notes:write',    to: 'api' },
  { path: '/request',   require: 'orders:request', to: 'api' },
  { path: '/approve',   require: 'orders:approve', to: 'api' },
  { path: '/reports',   require: 'reports:read',   to: 'api' },
  { path: '/analytics', require: 'reports:read',   to: 'api', area: 'analytics' },
  { path: '/system',    require: 'system:config',  to: 'api' },
]

const environment = { GATEHOUSE_SECRET: 'the nodes of one house share this secret' }

export async function roleScene(
  context: TestContext,
  config: Config = {},
  options: { readonly log?: Log } = {},
): Promise<RoleScene> {
  const upstream = await startUpstream(context, mirror)
  const written = (more: Config): Config => ({ upstreams: { api: upstream.url }, roles, routes, ...config, ...more })
  const people = await startPeople(context, written({}), { environment, ...options })
  const { accounts, sessions, store, tokens } = people.house
  let made = 0

  const scene: RoleScene = {
    people,
    root: await somebody(people.house.settings.administrator),
    manager: await somebody('manager'),
    somebody,
    ask: (method, path = '', body, who = scene.root) =>
      people.api(method, `/api/admin/roles${path}`, body, bearer(who)),
    async role(name, definition = {}) {
      const { status, body } = await scene.ask('POST', '', { name, ...definition })
      assert.equal(status, 201, JSON.stringify(body))
    },
    give: (who, given, by = scene.root) =>
      people.api('PUT', `/api/admin/users/${who.id}/roles`, { roles: given }, bearer(by)),
    at: async (path, who) => (await people.api('GET', path, undefined, bearer(who))).status,
    async reload(more) {
      const outcome = parseConfig(written(more), environment)
      if ('mistakes' in outcome) assert.fail(JSON.stringify(outcome.mistakes))
      await people.house.reload({ ...people.house.settings, ...rolesOf(outcome.settings) })
    },
  }
  return scene

  /** An account with these roles, whatever there is of them, and a token of a moment ago. */
  async function somebody(...held: readonly string[]): Promise<Somebody> {
    const email = `person-${made++}-${Math.random().toString(36).slice(2)}@people.example`
    const prepared = await accounts.prepare({ email, name: 'Somebody' }, undefined)
    assert.ok(!('code' in prepared))
    const created = await accounts.insert(store.db, prepared, held, Date.now())
    assert.ok('account' in created)
    const { id: subject, roles: its, name } = created.account
    const proof = { methods: ['password' as const], at: Date.now() }
    const { session } = await sessions.open(store.db, subject, { address: '', userAgent: '' }, proof)
    const issued = tokens.issue({ subject, session: session.id, roles: its, permissions: [], email, name, proof })
    return { id: subject, email, access_token: issued.token }
  }
}

function rolesOf({ roles, administrator, separationOfDuty }: Settings): Partial<Settings> {
  return { roles, administrator, separationOfDuty }
}

/** What is wrong with a configuration, as `path: message`. */
export function mistakesOf(config: Config): readonly string[] {
  const outcome = parseConfig(config, {})
  return 'mistakes' in outcome ? outcome.mistakes.map(({ path, message }) => `${path}: ${message}`) : []
}

export function errorsOf({ body }: Answer): Readonly<Record<string, readonly string[]>> {
  return body['errors'] as Readonly<Record<string, readonly string[]>>
}
