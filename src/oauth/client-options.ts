import { z } from 'zod'
import { secretRef } from '../kernel/shape.ts'
import { authMethods, tokenExchange } from '../wire/clients.ts'
import type { Certificates } from './certificate-subject.ts'
import { clientIdProblem } from './client-id.ts'
import { certificateProblems, checkMetadata, type DraftMetadata } from './client-metadata.ts'

/** The grants, as a configuration writes them. */
const grants = {
  authorization_code: 'authorization_code',
  refresh_token: 'refresh_token',
  client_credentials: 'client_credentials',
  device_code: 'urn:ietf:params:oauth:grant-type:device_code',
  token_exchange: tokenExchange,
} as const

/** A client that the configuration knows (RFC 7591 §2 has the words). */
export const clientOptions = z
  .strictObject({
    id: z.string().superRefine((id, context) => {
      const problem = clientIdProblem(id)
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
    }),
    name: z.string().min(1).max(100),
    uri: z.string().optional(),
    redirectUris: z.array(z.string()).max(20).default([]),
    grants: z
      .array(z.enum(['authorization_code', 'refresh_token', 'client_credentials', 'device_code', 'token_exchange']))
      .default(['authorization_code', 'refresh_token']),
    /** What it may ask for at most. */
    scopes: z.array(z.string()).default([]),
    /** Two at once while one takes the other's place; none for a public client. */
    secrets: z.array(secretRef).max(2).default([]),
    /** How it shows who it is; left out, by what it has: a secret, a name in its certificate, a key, or nothing. */
    authMethod: z
      .enum(authMethods, { error: `expected ${authMethods.map((one) => `\`${one}\``).join(' or ')}` })
      .optional(),
    /** Public keys (RFC 7517), or where they can be read. */
    jwks: z.strictObject({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(10) }).optional(),
    jwksUri: z.string().optional(),
    /** The name in its certificate (RFC 8705 §2.1.2): one of them. */
    certificate: z
      .union(
        [
          z.strictObject({ subject: z.string() }),
          z.strictObject({ dns: z.string() }),
          z.strictObject({ uri: z.string() }),
          z.strictObject({ address: z.string() }),
          z.strictObject({ email: z.string() }),
        ],
        { error: 'expected one of `subject`, `dns`, `uri`, `address`, `email`' },
      )
      .optional(),
    applicationType: z.enum(['web', 'native'], { error: 'expected `web` or `native`' }).optional(),
    /** Whether it has to push its requests (RFC 9126). */
    pushedRequests: z.boolean().default(false),
    /** Whether each of its tokens is bound: to a key (`true`, RFC 9449), or to its certificate (RFC 8705). */
    boundTokens: z
      .union([z.boolean(), z.literal('certificate')], { error: 'expected `true`, `false` or `certificate`' })
      .default(false),
  })
  .superRefine((client, context) => {
    const draft = draftOf(client)
    const checked = checkMetadata(draft, anything) // what else there is, scopes and certificates, the configuration knows
    for (const [field, messages] of Object.entries('errors' in checked ? checked.errors : {})) {
      const [member = '', ...rest] = field.split('.')
      const path = [...(fields[member] ?? member).split('.'), ...rest.map(Number)]
      for (const message of messages) context.addIssue({ code: 'custom', path, message })
    }
    const shared = draft.token_endpoint_auth_method.startsWith('client_secret')
    if (shared && client.secrets.length === 0)
      context.addIssue({
        code: 'custom',
        path: ['secrets'],
        message: `expected one: \`${draft.token_endpoint_auth_method}\` needs it`,
      })
    if (!shared && client.secrets.length > 0)
      context.addIssue({
        code: 'custom',
        path: ['secrets'],
        message: `expected none: \`${draft.token_endpoint_auth_method}\` uses none`,
      })
  })

type CertificateName = 'subject' | 'dns' | 'uri' | 'address' | 'email'

export type ClientOptions = z.output<typeof clientOptions>

/** A client of the configuration in the words of RFC 7591. */
export function draftOf(client: Omit<ClientOptions, 'id'>): DraftMetadata {
  const { uri, jwks, jwksUri, applicationType } = client
  const certificate: Partial<Record<CertificateName, string>> = client.certificate ?? {}
  return {
    client_name: client.name,
    client_uri: uri,
    redirect_uris: client.redirectUris,
    grant_types: client.grants.map((grant) => grants[grant]),
    scope: client.scopes.join(' '),
    token_endpoint_auth_method: client.authMethod ?? usualMethod(client),
    application_type: applicationType,
    jwks,
    jwks_uri: jwksUri,
    require_pushed_authorization_requests: client.pushedRequests,
    dpop_bound_access_tokens: client.boundTokens === true,
    tls_client_certificate_bound_access_tokens: client.boundTokens === 'certificate',
    tls_client_auth_subject_dn: certificate.subject,
    tls_client_auth_san_dns: certificate.dns,
    tls_client_auth_san_uri: certificate.uri,
    tls_client_auth_san_ip: certificate.address,
    tls_client_auth_san_email: certificate.email,
  }
}

/** What clients of a configuration want of certificates that the rest of it does not have: `listen` says which are seen. */
export function certificateMistakes(
  clients: readonly ClientOptions[],
  certificates: Certificates,
): readonly { readonly path: string; readonly message: string }[] {
  return clients.flatMap((client, index) =>
    certificateProblems(draftOf(client), certificates).map(({ field, message }) => ({
      path: `oauth.clients[${index}].${fields[field] ?? field}`,
      message,
    })),
  )
}

function usualMethod({ secrets, certificate, jwks, jwksUri }: Omit<ClientOptions, 'id'>): (typeof authMethods)[number] {
  if (secrets.length > 0) return 'client_secret_basic'
  if (certificate !== undefined) return 'tls_client_auth'
  return jwks === undefined && jwksUri === undefined ? 'none' : 'private_key_jwt'
}

/** What a member of RFC 7591 is called in a configuration. */
const fields: Readonly<Record<string, string>> = {
  client_name: 'name',
  client_uri: 'uri',
  redirect_uris: 'redirectUris',
  grant_types: 'grants',
  scope: 'scopes',
  token_endpoint_auth_method: 'authMethod',
  jwks: 'jwks',
  jwks_uri: 'jwksUri',
  tls_client_auth_subject_dn: 'certificate.subject',
  tls_client_auth_san_dns: 'certificate.dns',
  tls_client_auth_san_uri: 'certificate.uri',
  tls_client_auth_san_ip: 'certificate.address',
  tls_client_auth_san_email: 'certificate.email',
  tls_client_certificate_bound_access_tokens: 'boundTokens',
  dpop_bound_access_tokens: 'boundTokens',
}

const anything = { has: () => true, certificates: 'verified' } as const
