import type { z } from 'zod'
import { personScopes } from '../authz/scopes.ts'
import { fetchProblem } from '../http/fetchable.ts'
import type { FieldErrors } from '../kernel/error.ts'
import { type authMethods, type clientBody, type grantTypes, tokenExchange } from '../wire/clients.ts'
import { type Certificates, readSubject, type SubjectMember, subjectMembers } from './certificate-subject.ts'
import type { KnownClient } from './client-book.ts'
import { type ClientKeys, clientCertificates, clientKeys } from './client-keys.ts'
import { type ApplicationType, applicationTypeOf, redirectUriProblem } from './redirect-uris.ts'

/** A client in the words of RFC 7591 §2, checked: what the store keeps, and what nobody has to ask again. */
export interface ClientMetadata extends Readonly<Partial<Record<SubjectMember, string>>> {
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
  /** Left out where it is not so. */
  readonly tls_client_certificate_bound_access_tokens?: true
}

/** Metadata whose members have their forms, and nothing more. */
export type DraftMetadata = Omit<z.output<typeof clientBody>, 'scope'> & { readonly scope?: string | undefined }

/** What there is here for clients: scopes, and certificates that can be seen. */
export interface ClientPolicy {
  has(scope: string): boolean
  readonly certificates: Certificates
}

/** Holds the members of a client's metadata against the rules and against each other. It finds every mistake. */
export function checkMetadata(
  draft: DraftMetadata,
  known: ClientPolicy,
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
  const keysOf = method === 'self_signed_tls_client_auth' ? clientCertificates : clientKeys
  const keys = jwks === undefined ? undefined : keysOf(jwks.keys)
  if (keys !== undefined && 'problem' in keys) errors.add('jwks', keys.problem)
  if (jwks_uri !== undefined) errors.add('jwks_uri', fetchProblem(jwks_uri))
  const scopes = [...new Set((scope ?? '').split(' ').filter((one) => one !== ''))]
  for (const one of scopes) {
    if (!personScopes.has(one) && !known.has(one)) errors.add('scope', `no scope is called \`${one.slice(0, 100)}\``)
  }
  for (const { field, wrong, message } of rules) if (wrong(draft)) errors.add(field, message)
  for (const { field, message } of certificateProblems(draft, known.certificates)) errors.add(field, message)
  const subjects = subjectMembers.flatMap((member): (readonly [SubjectMember, string])[] => {
    const said = draft[member]
    if (said === undefined) return []
    const read = readSubject(member, said)
    if ('value' in read) return [[member, read.value]]
    errors.add(member, read.problem)
    return []
  })
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
      ...Object.fromEntries(subjects),
      ...(draft.tls_client_certificate_bound_access_tokens ? { tls_client_certificate_bound_access_tokens: true } : {}),
    },
  }
}

/** What a client wants of certificates that a house cannot see, or that nobody vouches for in it (RFC 8705). */
export function certificateProblems(
  draft: Pick<DraftMetadata, 'token_endpoint_auth_method' | 'tls_client_certificate_bound_access_tokens'>,
  certificates: Certificates,
): readonly { readonly field: keyof DraftMetadata; readonly message: string }[] {
  const { token_endpoint_auth_method: method, tls_client_certificate_bound_access_tokens: bound } = draft
  const field = 'token_endpoint_auth_method'
  const problems: { readonly field: keyof DraftMetadata; readonly message: string }[] = []
  if (method === 'tls_client_auth' && certificates !== 'verified')
    problems.push({ field, message: `\`${method}\`: ${notVerified}; use \`private_key_jwt\`` })
  if (method === 'self_signed_tls_client_auth' && certificates === 'none')
    problems.push({ field, message: `\`${method}\`: ${notSeen}; use \`private_key_jwt\`` })
  if (bound && certificates === 'none')
    problems.push({
      field: 'tls_client_certificate_bound_access_tokens',
      message: `${notSeen}; use \`dpop_bound_access_tokens\``,
    })
  return problems
}

const notSeen = 'this house sees no client certificates (`listen.tls.clientCa`, `listen.clientCertHeader`)'
const notVerified =
  'no authority vouches for client certificates here (`listen.tls.clientCa`, `listen.clientCertHeader`)'

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

const keyed: ReadonlySet<string> = new Set(['private_key_jwt', 'self_signed_tls_client_auth'])
const belongsToKeys = 'belongs to `private_key_jwt` and `self_signed_tls_client_auth`'

/** What the members mean together. */
// biome-ignore format: a table
const rules: readonly { readonly field: string; readonly wrong: (draft: DraftMetadata) => boolean; readonly message: string }[] = [
  { field: 'grant_types',   wrong: ({ grant_types }) => grant_types.length === 0, message: 'expected one at least' },
  { field: 'redirect_uris', wrong: ({ grant_types, redirect_uris }) => grant_types.includes('authorization_code') && redirect_uris.length === 0, message: 'expected one at least: `authorization_code` sends people back' },
  { field: 'grant_types',   wrong: ({ grant_types }) => grant_types.includes('refresh_token') && !people.some((grant) => grant_types.includes(grant)), message: '`refresh_token` comes with a grant that a person gives' },
  { field: 'grant_types',   wrong: ({ grant_types, response_types }) => response_types?.length === 0 && grant_types.includes('authorization_code'), message: '`authorization_code` comes with the response type `code` (RFC 7591 §2.1)' },
  { field: 'response_types', wrong: ({ grant_types, response_types }) => response_types?.includes('code') === true && !grant_types.includes('authorization_code'), message: '`code` comes with the grant `authorization_code` (RFC 7591 §2.1)' },
  { field: 'token_endpoint_auth_method', wrong: ({ grant_types, token_endpoint_auth_method: method }) => grant_types.includes('client_credentials') && method === 'none', message: 'expected another than `none`: `client_credentials` is for clients that can show who they are' },
  { field: 'token_endpoint_auth_method', wrong: ({ grant_types, token_endpoint_auth_method: method }) => grant_types.includes(tokenExchange) && method === 'none', message: 'expected another than `none`: token exchange is for clients that can show who they are' },
  { field: 'jwks',          wrong: ({ token_endpoint_auth_method: method, jwks, jwks_uri }) => keyed.has(method) && jwks === undefined && jwks_uri === undefined, message: 'expected `jwks` or `jwks_uri`: the keys that it shows who it is by' },
  { field: 'jwks',          wrong: ({ jwks, jwks_uri }) => jwks !== undefined && jwks_uri !== undefined, message: 'expected `jwks` or `jwks_uri`, not both (RFC 7591 §2)' },
  { field: 'jwks',          wrong: ({ token_endpoint_auth_method: method, jwks }) => !keyed.has(method) && jwks !== undefined, message: belongsToKeys },
  { field: 'jwks_uri',      wrong: ({ token_endpoint_auth_method: method, jwks_uri }) => !keyed.has(method) && jwks_uri !== undefined, message: belongsToKeys },
  { field: 'token_endpoint_auth_method', wrong: (draft) => draft.token_endpoint_auth_method === 'tls_client_auth' && subjectsOf(draft).length !== 1, message: `\`tls_client_auth\` needs exactly one of ${subjectMembers.map((one) => `\`${one}\``).join(', ')}` },
  ...subjectMembers.map((member) => ({ field: member, wrong: (draft: DraftMetadata) => draft.token_endpoint_auth_method !== 'tls_client_auth' && draft[member] !== undefined, message: 'belongs to `tls_client_auth`' })),
  { field: 'tls_client_certificate_bound_access_tokens', wrong: (draft) => draft.tls_client_certificate_bound_access_tokens && draft.dpop_bound_access_tokens, message: 'expected it or `dpop_bound_access_tokens`: a token is bound to one thing' },
]

function subjectsOf(draft: DraftMetadata): readonly SubjectMember[] {
  return subjectMembers.filter((member) => draft[member] !== undefined)
}

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
