import { z } from 'zod'
import { personScopes } from '../authz/scopes.ts'
import { parseStrict } from '../kernel/json.ts'
import { clientBody, grantTypes, tokenExchange } from '../wire/clients.ts'
import { type ClientMetadata, type ClientPolicy, checkMetadata, cleanName } from './client-metadata.ts'
import { redirectUriProblem } from './redirect-uris.ts'

/** A no to a client that describes itself, in the words of RFC 7591 §3.2.2. */
export interface MetadataRefusal {
  readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata'
  /** One sentence, in ASCII. */
  readonly description: string
}

/** What there is here for clients, and who may ask for it. */
export interface ScopePolicy extends ClientPolicy {
  /** Whether only clients that an operator made may ask for it. */
  isPrivileged(scope: string): boolean
}

/**
 * What a client may say of itself that nobody has checked (A30): it signs people in, and acts for nobody but them. It is
 * given no privileged scope, has no name that hides another, and is never spared a person's consent. Members that are not
 * known are passed over (RFC 7591 §2), and what was kept is answered.
 *
 * A name in somebody's certificates is taken by saying it, with nothing to show for it, and reads like a fact to whoever looks
 * at the client afterwards: only whom an operator has `invited` may be known by one. A certificate of its own is a key like any other.
 */
export function policed(
  said: unknown,
  scopes: ScopePolicy,
  invited: boolean,
): { readonly metadata: ClientMetadata } | MetadataRefusal {
  const judgement = judged(registrationShape, said, scopes, undefined)
  if (invited || 'error' in judgement || judgement.metadata.token_endpoint_auth_method !== 'tls_client_auth')
    return judgement
  return refusal(
    ['token_endpoint_auth_method'],
    '`tls_client_auth` is for clients that an operator has invited; use `self_signed_tls_client_auth` or `private_key_jwt`',
  )
}

/**
 * The same for a client that is known by an address where it describes itself to everybody: grants that it has elsewhere are
 * no mistake, and it has no secret, for its document is public.
 */
export function policedDocument(
  text: string,
  address: string,
  scopes: ScopePolicy,
): { readonly metadata: ClientMetadata } | MetadataRefusal {
  const parsed = parseStrict(text, { depthMax: 8 })
  if ('error' in parsed) return invalid(`the document is not JSON: ${parsed.error}`)
  const { value } = parsed
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return invalid('expected one JSON object')
  if (!('client_id' in value) || value.client_id !== address)
    return invalid('client_id: expected the address of the document itself, character by character')
  if ('client_secret' in value || 'client_secret_expires_at' in value)
    return invalid('client_secret: expected none in a public document')
  return judged(documentShape, value, scopes, new URL(address).host)
}

/** Nobody acts for themself, or for people by what others hand on, whom no operator has made known. */
const registrable = grantTypes.filter((grant) => grant !== 'client_credentials' && grant !== tokenExchange)

/** Members that nobody needs to be told are unsupported: what is registered says so. */
const members = {
  client_name: z.string().max(1000).optional(),
  client_uri: z.unknown().optional(),
  redirect_uris: clientBody.shape.redirect_uris,
  scope: z.string().max(2000).optional(),
  application_type: clientBody.shape.application_type,
  jwks: clientBody.shape.jwks,
  jwks_uri: clientBody.shape.jwks_uri,
  require_pushed_authorization_requests: clientBody.shape.require_pushed_authorization_requests,
  dpop_bound_access_tokens: clientBody.shape.dpop_bound_access_tokens,
  tls_client_certificate_bound_access_tokens: clientBody.shape.tls_client_certificate_bound_access_tokens,
  subject_type: z
    .literal('public', { error: 'expected `public`: a person has one identifier for every client' })
    .optional(),
}

const registrationShape = z.object({
  ...members,
  tls_client_auth_subject_dn: clientBody.shape.tls_client_auth_subject_dn,
  tls_client_auth_san_dns: clientBody.shape.tls_client_auth_san_dns,
  tls_client_auth_san_uri: clientBody.shape.tls_client_auth_san_uri,
  tls_client_auth_san_ip: clientBody.shape.tls_client_auth_san_ip,
  tls_client_auth_san_email: clientBody.shape.tls_client_auth_san_email,
  response_types: clientBody.shape.response_types,
  token_endpoint_auth_method: clientBody.shape.token_endpoint_auth_method,
  grant_types: z
    .array(z.enum(registrable, { error: `expected ${registrable.map((grant) => `\`${grant}\``).join(' or ')}` }))
    .max(registrable.length)
    .default(['authorization_code']),
})

const documentShape = z.object({
  ...members,
  token_endpoint_auth_method: z
    .enum(['none', 'private_key_jwt', 'self_signed_tls_client_auth'], {
      error: 'expected `none`, `private_key_jwt` or `self_signed_tls_client_auth`: its document is public',
    })
    .default('none'),
  grant_types: z
    .array(z.string().max(200))
    .max(20)
    .default(['authorization_code'])
    .transform((grants) => registrable.filter((grant) => grants.includes(grant))),
})

type Said = z.output<typeof registrationShape> | z.output<typeof documentShape>

function judged(
  shape: z.ZodType<Said>,
  said: unknown,
  scopes: ScopePolicy,
  host: string | undefined,
): { readonly metadata: ClientMetadata } | MetadataRefusal {
  const parsed = shape.safeParse(said)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return refusal(issue?.path.map(String) ?? [], issue?.message ?? 'cannot be read')
  }
  const { client_name, client_uri, scope, jwks, jwks_uri, subject_type: _subject, ...rest } = parsed.data
  const { token_endpoint_auth_method: method } = rest
  const keyed = method === 'private_key_jwt' || method === 'self_signed_tls_client_auth'
  const asked = scope?.split(' ').filter((one) => one !== '')
  const granted = asked?.filter((one) => !scopes.isPrivileged(one) && (scopes.has(one) || personScopes.has(one)))
  if (asked !== undefined && asked.length > 0 && granted?.length === 0)
    return invalid('scope: none of these is there for a client that registers itself')
  const checked = checkMetadata(
    {
      ...rest,
      client_name: cleanName(client_name ?? '') || (host ?? 'Unnamed application'),
      // It is shown and never fetched: one that cannot be shown is left out.
      client_uri:
        typeof client_uri === 'string' && redirectUriProblem(client_uri, 'web') === undefined ? client_uri : undefined,
      scope: granted?.join(' '),
      jwks: keyed ? jwks : undefined,
      jwks_uri: keyed ? jwks_uri : undefined,
    },
    scopes,
  )
  if ('metadata' in checked) return checked
  const [[field, [message = '']] = ['', ['']]] = Object.entries(checked.errors)
  return refusal(field.split('.'), message)
}

function refusal(path: readonly string[], message: string): MetadataRefusal {
  const error = path[0] === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata'
  return { error, description: inAscii(`${path.join('.') || 'metadata'}: ${message}`) }
}

function invalid(description: string): MetadataRefusal {
  return { error: 'invalid_client_metadata', description: inAscii(description) }
}

/** RFC 7591 §3.2.2, RFC 6749 §5.2. */
function inAscii(text: string): string {
  return text
    .replaceAll('’', "'")
    .replaceAll(/["\\]/g, "'")
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 300)
}
