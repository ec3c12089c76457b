import { z } from 'zod'
import { type Endpoint, permission } from './shapes.ts'

const word = /^[A-Za-z0-9_-]{1,64}$/

/** What a role can be called. */
export const roleName = z.string().regex(word, 'expected 1 to 64 letters, digits, `_` and `-`')

/** What a role holds, inherits, and where it counts. */
export const roleBody = z.strictObject({
  permissions: z.array(permission).max(200).default([]),
  inherits: z.array(roleName).max(32).default([]).meta({ description: 'roles whose permissions it holds too' }),
  scope: z
    .string()
    .regex(word, 'expected `global`, or an area of 1 to 64 letters, digits, `_` and `-`')
    .default('global')
    .meta({ description: '`global`: it counts everywhere; else on routes of that `area`' }),
})

export const newRoleBody = roleBody.extend({ name: roleName })

const manage = { permission: 'roles:manage' } as const

/** Roles, for administrators: those of the configuration to look at, their own to make and change. */
// biome-ignore format: a table, one line to an endpoint
export const roles = {
  listRoles: { method: 'GET', path: '/api/admin/roles', summary: 'Roles, by pages: `limit`, `after`; and who has roles together that are kept apart', access: manage, limit: 'general' },
  createRole: { method: 'POST', path: '/api/admin/roles', summary: 'Make a role', access: manage, limit: 'general', body: newRoleBody, recent: true, inPerson: true },
  showRole: { method: 'GET', path: '/api/admin/roles/:name', summary: 'One role, and what it comes to', access: manage, limit: 'general' },
  changeRole: { method: 'PUT', path: '/api/admin/roles/:name', summary: 'Say anew what a role holds; that counts from the next request on', access: manage, limit: 'general', body: roleBody, recent: true, inPerson: true },
  removeRole: { method: 'DELETE', path: '/api/admin/roles/:name', summary: 'Remove a role that nobody has', access: manage, limit: 'general', recent: true, inPerson: true },
} as const satisfies Record<string, Endpoint>
