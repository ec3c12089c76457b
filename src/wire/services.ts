import { z } from 'zod'
import { type Endpoint, permission, roles } from './shapes.ts'

const text = z.string().min(1).max(2_000)

/** What a service may, and how it is known. */
export const serviceBody = z.strictObject({
  permissions: z.array(permission).max(200).default([]),
  roles: roles.default([]),
  public_keys: z
    .array(z.strictObject({ kid: z.string().max(200), jwk: z.record(z.string(), z.unknown()) }))
    .max(10)
    .default([])
    .meta({ description: 'RFC 7517' }),
  certificates: z
    .array(
      z.strictObject({ subject: text.optional(), dns: text.optional(), uri: text.optional(), email: text.optional() }),
    )
    .max(20)
    .default([])
    .meta({ description: 'names of client certificates that are this service’s; each says one' }),
  addresses: z.array(z.string().max(64)).max(200).default([]).meta({ description: 'CIDR; none: from everywhere' }),
  limit: z
    .strictObject({
      limit: z.int().min(1).max(1_000_000_000),
      window: z.int().min(1).max(31_536_000).meta({ description: 'seconds' }),
    })
    .optional(),
})

export const newServiceBody = serviceBody.extend({
  name: z.string().max(200),
  /** Whether it is given a secret: one that shows a certificate, or signs by its own key, needs none. */
  secret: z.boolean().default(true),
})

export const rotateServiceBody = z.strictObject({
  /** How long the secret before is good yet, in seconds; with 0 all before end at once. */
  overlap: z.int().min(0).max(2_592_000).default(86_400).meta({ description: 'seconds' }),
})

const manage = { permission: 'services:manage' } as const

/** Programs that are known by name and act for themselves, for administrators. */
// biome-ignore format: a table, one line to an endpoint
export const services = {
  listServices: { method: 'GET', path: '/api/admin/services', summary: 'Services, by pages: `limit`, `after`', access: manage, limit: 'general' },
  createService: { method: 'POST', path: '/api/admin/services', summary: 'Make a service known; its secret is shown once', access: manage, limit: 'general', body: newServiceBody, recent: true, inPerson: true },
  showService: { method: 'GET', path: '/api/admin/services/:name', summary: 'One service, with its secrets by their ids', access: manage, limit: 'general' },
  changeService: { method: 'PUT', path: '/api/admin/services/:name', summary: 'Say anew what a service may and how it is known', access: manage, limit: 'general', body: serviceBody, recent: true, inPerson: true },
  removeService: { method: 'DELETE', path: '/api/admin/services/:name', summary: 'Remove a service; nothing of it holds any more', access: manage, limit: 'general', recent: true, inPerson: true },
  rotateServiceSecret: { method: 'POST', path: '/api/admin/services/:name/rotate', summary: 'A new secret, shown once; the one before is good for a while yet', access: manage, limit: 'general', body: rotateServiceBody, recent: true, inPerson: true },
  removeServiceSecret: { method: 'DELETE', path: '/api/admin/services/:name/secrets/:secret', summary: 'Remove a secret', access: manage, limit: 'general', recent: true, inPerson: true },
  disableService: { method: 'POST', path: '/api/admin/services/:name/disable', summary: 'Turn a service away', access: manage, limit: 'general', recent: true, inPerson: true },
  enableService: { method: 'POST', path: '/api/admin/services/:name/enable', summary: 'Let a service come again', access: manage, limit: 'general', recent: true, inPerson: true },
} as const satisfies Record<string, Endpoint>
