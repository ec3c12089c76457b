import { z } from 'zod'
import { type Endpoint, email, name, roles } from './shapes.ts'

export const inviteBody = z.strictObject({ email, name: name.optional(), roles: roles.default([]) })
export const rolesBody = z.strictObject({ roles })
export const lockBody = z.strictObject({ reason: z.string().min(1).max(500) })
export const impersonateBody = z.strictObject({
  reason: z.string().trim().min(10, 'must say why, in 10 characters at least').max(500),
  minutes: z.int().min(1).max(60).default(15),
})

const handle = z
  .string()
  .min(1)
  .max(2048)
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'must be a text')

/** One of them says what ends. */
export const revokeBody = z
  .strictObject({
    token: z.string().min(1).max(8192).optional(),
    session: z.uuid().optional(),
    user: z.uuid().optional(),
    client: handle.optional(),
    everything: z.literal(true).optional(),
  })
  .refine((body) => Object.values(body).filter((value) => value !== undefined).length === 1, {
    message: 'expected one of `token`, `session`, `user`, `client`, or `everything: true`',
  })

const users = { permission: 'users:manage' } as const

/** What administrators do with accounts. None of it chooses or shows what proves a person. */
// biome-ignore format: a table, one line to an endpoint
export const administration = {
  listUsers: { method: 'GET', path: '/api/admin/users', summary: 'Accounts, by pages: `limit`, `after`, `match`', access: users, limit: 'general' },
  inviteUser: { method: 'POST', path: '/api/admin/users', summary: 'Invite somebody: a letter lets them choose a password', access: users, limit: 'general', body: inviteBody, recent: true, inPerson: true },
  showUser: { method: 'GET', path: '/api/admin/users/:id', summary: 'One account, with its sessions, factors and locks', access: users, limit: 'general' },
  lockUser: { method: 'POST', path: '/api/admin/users/:id/lock', summary: 'Lock an account and end its sessions', access: users, limit: 'general', body: lockBody, inPerson: true },
  unlockUser: { method: 'POST', path: '/api/admin/users/:id/unlock', summary: 'Unlock an account, and forget its failures', access: users, limit: 'general', inPerson: true },
  setUserRoles: { method: 'PUT', path: '/api/admin/users/:id/roles', summary: 'Give an account exactly these roles', access: { permission: 'roles:manage' }, limit: 'general', body: rolesBody, recent: true, inPerson: true },
  resetUser: { method: 'POST', path: '/api/admin/users/:id/reset', summary: 'Write to the person: a link resets the password', access: users, limit: 'general', inPerson: true },
  endUserSessions: { method: 'DELETE', path: '/api/admin/users/:id/sessions', summary: 'End every session of an account', access: users, limit: 'general', inPerson: true },
  removeUserFactors: { method: 'DELETE', path: '/api/admin/users/:id/mfa', summary: 'Remove the second factors of somebody who lost them; their sessions end', access: users, limit: 'general', recent: true, inPerson: true },
  impersonate: { method: 'POST', path: '/api/admin/users/:id/impersonate', summary: 'Act as a person who may less, for a while and a stated reason', access: users, limit: 'general', body: impersonateBody, recent: true, inPerson: true },
  revoke: { method: 'POST', path: '/api/admin/revocations', summary: 'End a token, a session, all of a person’s or of a client’s, or everything, at once', access: { permission: 'system:config' }, limit: 'general', body: revokeBody, recent: true, inPerson: true },
} as const satisfies Record<string, Endpoint>
