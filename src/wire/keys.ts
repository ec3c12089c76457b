import { z } from 'zod'
import { type Endpoint, permission } from './shapes.ts'

/** The id that stands in a key. */
export const keyId = z.string().regex(/^[0-9A-Za-z]{15}$/, 'expected the 15 letters and digits of an id')

const scope = z.string().min(1).max(128)

/** What a key lends: nothing, where nothing is said. Whose it is, and who made it, is never read from a body. */
export const newKeyBody = z.strictObject({
  /** What the program is called that uses it. */
  name: z.string().min(1).max(100),
  permissions: z.array(permission).max(64).default([]),
  scopes: z.array(scope).min(1).max(64).optional(),
  addresses: z
    .array(z.string().max(64))
    .min(1)
    .max(64)
    .optional()
    .meta({ description: 'CIDR; left out: from everywhere' }),
  expires_in: z.int().min(60).max(315_360_000).optional().meta({ description: 'seconds' }),
  limit: z
    .strictObject({
      limit: z.int().min(1).max(1_000_000_000),
      window: z.int().min(1).max(31_536_000).meta({ description: 'seconds' }),
    })
    .optional(),
})

/** A key for somebody else. */
export const newKeyForBody = newKeyBody.extend({
  owner: z.strictObject({ type: z.enum(['user', 'service', 'organisation']), id: z.string().min(1).max(64) }),
})

export const rotateKeyBody = z.strictObject({
  /** The successor that is on trial, where it got lost: another takes its place. */
  replace: keyId.optional(),
})

const manage = { permission: 'keys:manage' } as const

/** API keys: a person's own, a key renewing itself, and everybody's for administrators. */
// biome-ignore format: a table, one line to an endpoint
export const keys = {
  listKeys: { method: 'GET', path: '/api/keys', summary: 'My API keys, by pages: `limit`, `after`', access: 'authenticated', limit: 'general' },
  createKey: { method: 'POST', path: '/api/keys', summary: 'An API key of my own; shown once', access: 'authenticated', limit: 'general', body: newKeyBody, recent: true, inPerson: true },
  rotateCurrentKey: { method: 'POST', path: '/api/keys/current/rotate', summary: 'The successor of the API key that asks; shown once', access: 'authenticated', limit: 'general', body: rotateKeyBody, delegable: true },
  showKey: { method: 'GET', path: '/api/keys/:id', summary: 'One of my API keys', access: 'authenticated', limit: 'general' },
  revokeKey: { method: 'DELETE', path: '/api/keys/:id', summary: 'Revoke an API key of mine, with those it took over from and its successor; with `only=true` that one', access: 'authenticated', limit: 'general', inPerson: true },
  rotateKey: { method: 'POST', path: '/api/keys/:id/rotate', summary: 'The successor of an API key of mine; shown once', access: 'authenticated', limit: 'general', body: rotateKeyBody, recent: true, inPerson: true },
  listAllKeys: { method: 'GET', path: '/api/admin/keys', summary: 'API keys, by pages: `limit`, `after`, `owner_type` with `owner_id`', access: manage, limit: 'general' },
  createKeyFor: { method: 'POST', path: '/api/admin/keys', summary: 'An API key for a service, an organisation or a person; shown once', access: manage, limit: 'general', body: newKeyForBody, recent: true, inPerson: true },
  showAnyKey: { method: 'GET', path: '/api/admin/keys/:id', summary: 'One API key', access: manage, limit: 'general' },
  revokeAnyKey: { method: 'DELETE', path: '/api/admin/keys/:id', summary: 'Revoke an API key, with those it took over from and its successor; with `only=true` that one', access: manage, limit: 'general', inPerson: true },
  rotateAnyKey: { method: 'POST', path: '/api/admin/keys/:id/rotate', summary: 'The successor of an API key; shown once', access: manage, limit: 'general', body: rotateKeyBody, recent: true, inPerson: true },
} as const satisfies Record<string, Endpoint>
