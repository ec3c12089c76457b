import type { z } from 'zod'
import { personScopes } from '../authz/scopes.ts'
import { fetchProblem } from '../http/fetchable.ts'
import type { FieldErrors } from '../kernel/error.ts'
import type { authMethods, clientBody, grantTypes } from '../wire/clients.ts'
import type { KnownClient } from './client-book.ts'
import { type ClientKeys, clientKeys } from './client-keys.ts'
import { type ApplicationType, applicationTypeOf, redirectUriProblem } from './redirect-uris.ts'

/** A client in the words of RFC 7591 §2, checked: what the store keeps, and what nobody has to ask again. */
export interface ClientMetadata {
  readonly client_name: string
  readonly client_uri?: string
  readonly redirect_uris: readonly string[]
  readonly grant_types: readonly (typeof grantTypes)[number][]
  /** With spaces between; left out where a client that registered itself said nothing. */
  readonly scope?: string
  readonly token_endpoint_auth_method: (typeof authMethods)[number]
  readonly application_type: ApplicationType
  readonly jwks?: ClientKeys
  readonly jwks_uri?: string
  readonly require_pushed_authorization_requests: boolean
  readonly dpop_bound_access_tokens: boolean
}

/** Metadata whose members have their forms, and nothing more. */
export type DraftMetadata = Omit<z.output<typeof clientBody>, 'scope'> & { readonly scope?: string | undefined }

/** Which scopes there are. */
export interface KnownScopes {
  has(scope: string): boolean
}

/** Holds the members of a client's metadata against the rules and against each other. It finds every mistake. */
export function checkMetadata(
  draft: DraftMetadata,
  known: KnownScopes,
): { readonly metadata: ClientMetadata } | { readonly errors: FieldErrors } {
  const errors = new Errors()
  const { redirect_uris, grant_types, token_endpoint_auth_method: method, jwks, jwks_uri, client_uri, scope } = draft
  const application_type = draft.application_type ?? applicationTypeOf(redirect_uris)
  const client_name = cleanName(draft.client_name)
  if (client_name === '') errors.add('client_name', 'expected a name that can be read')
  for (const [index, uri] of redirect_uris.entries()) {
    errors.add(`redirect_uris.${index}`, redirectUriProblem(uri, application_type))
    if (redirect_uris.indexOf(uri) < index) errors.add(`redirect_uris.${index}`, 'is there already')
  }
  if (client_uri !== undefined) errors.add('client_uri', redirectUriProblem(client_uri, 'web'))
  const keys = jwks === undefined ? undefined : clientKeys(jwks.keys)
  if (keys !== undefined && 'problem' in keys) errors.add('jwks', keys.problem)
  if (jwks_uri !== undefined) errors.add('jwks_uri', fetchProblem(jwks_uri))
  const scopes = [...new Set((scope ?? '').split(' ').filter((one) => one !== ''))]
  for (const one of scopes) {
    if (!personScopes.has(one) && !known.has(one)) errors.add('scope', `no scope is called \`${one.slice(0, 100)}\``)
  }
  for (const { field, wrong, message } of rules) if (wrong(draft)) errors.add(field, message)
  if (!errors.none) return { errors: errors.all }
  return {
    metadata: {
      client_name,
      ...(client_uri === undefined ? {} : { client_uri }),
      redirect_uris,
      grant_types: [...new Set(grant_types)],
      ...(scope === undefined ? {} : { scope: scopes.join(' ') }),
      token_endpoint_auth_method: method,
      application_type,
      ...(keys === undefined || 'problem' in keys ? {} : { jwks: keys }),
      ...(jwks_uri === undefined ? {} : { jwks_uri }),
      require_pushed_authorization_requests: draft.require_pushed_authorization_requests,
      dpop_bound_access_tokens: draft.dpop_bound_access_tokens,
    },
  }
}

/** A client as the protocol needs it. */
export function knownClient(id: string, metadata: ClientMetadata, verified: boolean, standIn?: string): KnownClient {
  const { scope, ...said } = metadata
  const { token_endpoint_auth_method: method, grant_types } = said
  return {
    id,
    name: said.client_name,
    verified,
    confidential: method !== 'none',
    metadata: {
      ...said,
      client_id: id,
      response_types: responseTypesOf(grant_types),
      ...(method.startsWith('client_secret') ? { client_secret: standIn } : {}),
    },
    scopes: scope === undefined ? undefined : new Set(scope.split(' ').filter((one) => one !== '')),
  }
}

/** RFC 7591 §2.1. */
export function responseTypesOf(grants: ClientMetadata['grant_types']): readonly string[] {
  return grants.includes('authorization_code') ? ['code'] : []
}

/** A name from strangers: on one line, and without what cannot be seen, turns the letters around it, or towers over them. */
export function cleanName(text: string): string {
  const seen = text
    .normalize('NFC')
    .replace(/[\s\p{Z}]+/gu, ' ')
    .replace(/\p{C}/gu, '')
    .replace(/(\p{M}{3})\p{M}+/gu, '$1')
    .trim()
  return seen
    .slice(0, nameLengthMax)
    .replace(/\p{Cs}$/u, '')
    .trim()
}

const nameLengthMax = 100

/** What the members mean together. */
// biome-ignore format: a table
const rules: readonly { readonly field: string; readonly wrong: (draft: DraftMetadata) => boolean; readonly message: string }[] = [
  { field: 'grant_types',   wrong: ({ grant_types }) => grant_types.length === 0, message: 'expected one at least' },
  { field: 'redirect_uris', wrong: ({ grant_types, redirect_uris }) => grant_types.includes('authorization_code') && redirect_uris.length === 0, message: 'expected one at least: `authorization_code` sends people back' },
  { field: 'grant_types',   wrong: ({ grant_types }) => grant_types.includes('refresh_token') && !people.some((grant) => grant_types.includes(grant)), message: '`refresh_token` comes with a grant that a person gives' },
  { field: 'grant_types',   wrong: ({ grant_types, response_types }) => response_types?.length === 0 && grant_types.includes('authorization_code'), message: '`authorization_code` comes with the response type `code` (RFC 7591 §2.1)' },
  { field: 'response_types', wrong: ({ grant_types, response_types }) => response_types?.includes('code') === true && !grant_types.includes('authorization_code'), message: '`code` comes with the grant `authorization_code` (RFC 7591 §2.1)' },
  { field: 'token_endpoint_auth_method', wrong: ({ grant_types, token_endpoint_auth_method: method }) => grant_types.includes('client_credentials') && method === 'none', message: 'expected another than `none`: `client_credentials` is for clients that can show who they are' },
  { field: 'jwks',          wrong: ({ token_endpoint_auth_method: method, jwks, jwks_uri }) => method === 'private_key_jwt' && jwks === undefined && jwks_uri === undefined, message: '`private_key_jwt` needs `jwks` or `jwks_uri`' },
  { field: 'jwks',          wrong: ({ jwks, jwks_uri }) => jwks !== undefined && jwks_uri !== undefined, message: 'expected `jwks` or `jwks_uri`, not both (RFC 7591 §2)' },
  { field: 'jwks',          wrong: ({ token_endpoint_auth_method: method, jwks }) => method !== 'private_key_jwt' && jwks !== undefined, message: 'belongs to `private_key_jwt`' },
  { field: 'jwks_uri',      wrong: ({ token_endpoint_auth_method: method, jwks_uri }) => method !== 'private_key_jwt' && jwks_uri !== undefined, message: 'belongs to `private_key_jwt`' },
]

const people = ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'] as const

class Errors {
  readonly #fields = new Map<string, string[]>()

  add(field: string, message: string | undefined): void {
    if (message === undefined) return
    const messages = this.#fields.get(field)
    if (messages === undefined) this.#fields.set(field, [message])
    else messages.push(message)
  }

  get none(): boolean {
    return this.#fields.size === 0
  }

  get all(): FieldErrors {
    return Object.fromEntries(this.#fields)
  }
}
