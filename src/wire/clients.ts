import { z } from 'zod'
import type { Endpoint } from './shapes.ts'

/** A client acts for people by tokens that it was handed (RFC 8693). */
export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** How a client comes by tokens (RFC 6749 §4, RFC 8628, RFC 8693). */
export const grantTypes = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:device_code',
  tokenExchange,
] as const

/** How a client shows who it is; `none` for a program that keeps no secret. */
export const authMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'none',
] as const

/** Why something that the standards have is not to be had here. */
const unsupportedGrants: Readonly<Record<string, string>> = {
  implicit: 'tokens in addresses leak (RFC 9700 §2.1.2); use `authorization_code`',
  password: 'a client never sees a password (RFC 9700 §2.4); use `authorization_code`',
}

const unsupportedMethods: Readonly<Record<string, string>> = {
  client_secret_jwt: 'secrets are kept hashed and cannot check a signature; use `private_key_jwt`',
}

const address = z.string().min(1).max(2000)
const certificateName = z.string().min(1).max(1000).optional()

/** A member that RFC 7591 or one of its extensions has and that is refused, by name and with the reason. */
function unsupported(reason: string): z.ZodOptional<z.ZodNever> {
  return z.never({ error: reason }).optional()
}

/** A client in the words of RFC 7591 §2; where nothing else is said, one that signs people in and has a secret. */
export const clientBody = z.strictObject({
  client_name: z.string().min(1).max(100),
  client_uri: address.optional(),
  redirect_uris: z.array(address).max(20).default([]),
  grant_types: z
    .array(z.enum(grantTypes, { error: reasonOf(unsupportedGrants, grantTypes) }))
    .max(grantTypes.length)
    .default(['authorization_code', 'refresh_token']),
  response_types: z
    .array(
      z.literal('code', {
        error: 'expected `code`: no other response keeps tokens out of addresses (RFC 9700 §2.1.2)',
      }),
    )
    .max(1)
    .optional(),
  /** With spaces between. */
  scope: z.string().max(2000).default(''),
  token_endpoint_auth_method: z
    .enum(authMethods, { error: reasonOf(unsupportedMethods, authMethods) })
    .default('client_secret_basic'),
  application_type: z.enum(['web', 'native'], { error: 'expected `web` or `native`' }).optional(),
  jwks: z.strictObject({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(10) }).optional(),
  jwks_uri: address.optional(),
  require_pushed_authorization_requests: z.boolean().default(false),
  dpop_bound_access_tokens: z.boolean().default(false),
  /** RFC 8705 §2.1.2: one of these, with `tls_client_auth`. */
  tls_client_auth_subject_dn: certificateName,
  tls_client_auth_san_dns: certificateName,
  tls_client_auth_san_uri: certificateName,
  tls_client_auth_san_ip: certificateName,
  tls_client_auth_san_email: certificateName,
  tls_client_certificate_bound_access_tokens: z.boolean().default(false),
  client_secret: unsupported('a secret is made here and shown once: post to `/secrets`'),
  subject_type: unsupported('a person has one identifier for every client'),
  sector_identifier_uri: unsupported('a person has one identifier for every client'),
  request_uris: unsupported('requests are pushed (RFC 9126)'),
  request_object_signing_alg: unsupported('requests are pushed (RFC 9126)'),
  backchannel_logout_uri: unsupported('clients are not told of a sign-out: their tokens end'),
  frontchannel_logout_uri: unsupported('clients are not told of a sign-out: their tokens end'),
})

/** A new client; its id is made up where it has none. */
export const newClientBody = clientBody.extend({ client_id: z.string().max(200).optional() })

const lifetime = z.int().min(60).max(315_360_000).meta({ description: 'seconds' })

export const newSecretBody = z.strictObject({ expires_in: lifetime.optional() })
export const registrationTokenBody = z.strictObject({ expires_in: lifetime.max(7_776_000).default(604_800) })

const manage = { permission: 'clients:manage' } as const

/** The programs of other people, for administrators. */
// biome-ignore format: a table, one line to an endpoint
export const clients = {
  listClients: { method: 'GET', path: '/api/admin/clients', summary: 'Clients, by pages: `limit`, `after`', access: manage, limit: 'general' },
  createClient: { method: 'POST', path: '/api/admin/clients', summary: 'Make a client known (RFC 7591 §2); its secret is shown once', access: manage, limit: 'general', body: newClientBody, recent: true, inPerson: true },
  showClient: { method: 'GET', path: '/api/admin/clients/:id', summary: 'One client, with its secrets by their ids', access: manage, limit: 'general' },
  changeClient: { method: 'PUT', path: '/api/admin/clients/:id', summary: 'Say anew what a client is; where it may less than before, its tokens end', access: manage, limit: 'general', body: clientBody, recent: true, inPerson: true },
  removeClient: { method: 'DELETE', path: '/api/admin/clients/:id', summary: 'Remove a client; its tokens end', access: manage, limit: 'general', recent: true, inPerson: true },
  addClientSecret: { method: 'POST', path: '/api/admin/clients/:id/secrets', summary: 'A second secret, to take the place of the first; shown once', access: manage, limit: 'general', body: newSecretBody, recent: true, inPerson: true },
  removeClientSecret: { method: 'DELETE', path: '/api/admin/clients/:id/secrets/:secret', summary: 'Remove a secret; with `end_tokens=true` the client’s tokens end too', access: manage, limit: 'general', recent: true, inPerson: true },
  disableClient: { method: 'POST', path: '/api/admin/clients/:id/disable', summary: 'Turn a client away; its tokens end', access: manage, limit: 'general', recent: true, inPerson: true },
  enableClient: { method: 'POST', path: '/api/admin/clients/:id/enable', summary: 'Let a client ask again', access: manage, limit: 'general', recent: true, inPerson: true },
  createRegistrationToken: { method: 'POST', path: '/api/admin/client-registration-tokens', summary: 'A token with which one client may register itself; shown once', access: manage, limit: 'general', body: registrationTokenBody, recent: true, inPerson: true },
} as const satisfies Record<string, Endpoint>

function reasonOf(
  reasons: Readonly<Record<string, string>>,
  supported: readonly string[],
): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => {
    const reason = typeof input === 'string' && Object.hasOwn(reasons, input) ? reasons[input] : undefined
    return reason === undefined
      ? `expected ${supported.map((one) => `\`${one}\``).join(' or ')}`
      : `\`${input}\`: ${reason}`
  }
}
