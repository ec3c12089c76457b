import { generateKeyPairSync } from 'node:crypto'
import type { Configuration, JWK, KoaContextWithOIDC, default as Provider } from 'oidc-provider'
import { personScopes } from '../authz/scopes.ts'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/error.ts'
import { hasSubject, type SubjectMember } from './certificate-subject.ts'
import type { KnownClient, PersonProblem } from './client-book.ts'
import type { SignedInPerson, TokenFacts } from './counter.ts'
import { policyOf } from './interaction-policy.ts'
import type { OauthOptions } from './options.ts'
import type { ProviderModule } from './provider-module.ts'
import { redirectMatches } from './redirect-uris.ts'
import type { Resources } from './resources.ts'
import { adapterOf, type Storage } from './storage.ts'
import { isOpened } from './target.ts'

export interface ProviderParts extends Storage {
  readonly issuer: string
  readonly options: OauthOptions
  readonly resources: Resources
  readonly idTokenAlgorithm: 'EdDSA' | 'ES256' | 'RS256'
  readonly clock: Clock
  readonly fetch: (url: string | URL | Request, init?: RequestInit) => Promise<Response>
  readonly pages: { interaction(uid: string): string; readonly device: string }
  person(): SignedInPerson | undefined
  /** The certificate of the connection that the request came on. */
  certificate(): PeerCertificate | undefined
  introspect(token: string): Promise<TokenFacts | undefined>
  revoke(): Promise<void>
  /** What a person has allowed a client that may be remembered. */
  allowed(userId: string, clientId: string): Promise<Readonly<Record<string, readonly string[]>> | undefined>
  /** An error that no client may be told by redirect (RFC 9700 §4.11). */
  shown(problem: PersonProblem): void
}

/** What the browser is known by while a request of its waits for the person. */
export const interactionCookie = 'gh_interaction'
export const resumeCookie = 'gh_resume'
/** The person who is signed in reaches the library under this name, and never leaves by it. */
export const personCookie = 'gh_person'

/** Sets the library up: what it may do, what it stores, and whom it asks. It makes no tokens: the grants are ours. */
export function providerOf(module: ProviderModule, parts: ProviderParts): Provider {
  const { issuer, options, resources, clients, pages } = parts
  const { errors } = module
  const { path } = options
  const secure = issuer.startsWith('https:') // else it is a machine by itself, trying things out
  const scopesOf = (client: KnownClient | undefined) => (scope: string) =>
    client !== undefined && mayAskFor(client, scope, resources)

  const configuration: Configuration = {
    adapter: (name: string) => adapterOf(name, module, parts),
    clientAuthMethods: [
      'none',
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
    ],
    clientDefaults: { id_token_signed_response_alg: parts.idTokenAlgorithm },
    responseTypes: ['code'],
    scopes: [...personScopes],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    acrValues: ['aal1', 'aal2'],
    pkce: { required: () => true }, // for every client (RFC 9700 §2.1.1)
    allowOmittingSingleRegisteredRedirectUri: false,
    enabledJWA: { clientAuthSigningAlgValues: algorithms, dPoPSigningAlgValues: proofAlgorithms },
    // It signs nothing. This key exists so that it has one, and nobody holds a token that it would verify.
    jwks: { keys: [unusedKey(parts.idTokenAlgorithm)] },
    cookies: {
      names: { session: personCookie, interaction: interactionCookie, resume: resumeCookie },
      short: { httpOnly: true, sameSite: 'lax', secure, signed: false },
      long: { httpOnly: true, sameSite: 'lax', secure, signed: false },
    },
    routes: {
      authorization: `${path}/authorize`,
      token: `${path}/token`,
      revocation: `${path}/revoke`,
      introspection: `${path}/introspect`,
      pushed_authorization_request: `${path}/par`,
      device_authorization: `${path}/device`,
      code_verification: pages.device,
      jwks: '/.well-known/jwks.json',
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      // Always: what a client was made with does not come loose where a house sees certificates no longer.
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        tlsClientAuth: true,
        getCertificate: () => base64(parts.certificate()?.der),
        certificateAuthorized: () => parts.certificate()?.trusted === true,
        certificateSubjectMatches(_context, member, expected) {
          const certificate = parts.certificate()
          return certificate !== undefined && hasSubject(certificate, member as SubjectMember, expected)
        },
      },
      introspection: {
        enabled: true,
        // To a client that may not know, a token is as good as dead (RFC 7662 §2.2).
        allowedPolicy: (_context, client, token) =>
          client.clientAuthMethod !== 'none' && token.clientId === client.clientId,
      },
      revocation: { enabled: true, allowedPolicy: (_context, client, token) => token.clientId === client.clientId },
      pushedAuthorizationRequests: {
        enabled: true,
        requirePushedAuthorizationRequests: options.pushedRequests === 'required',
      },
      deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****' }, // 34 bits (RFC 8628 §6.1 asks for 20)
      resourceIndicators: {
        enabled: true,
        defaultResource: (_context, _client, oneOf) => oneOf ?? resources.own.identifier,
        useGrantedResource: () => true,
        getResourceServerInfo: async (_context, identifier, client) => {
          const resource = resources.find(identifier)
          if (resource === undefined) throw new errors.InvalidTarget()
          const may = scopesOf(await clients.find(client.clientId))
          const scope = [...resource.scopes].filter(may).join(' ')
          return { scope, audience: resource.audience, accessTokenFormat: 'jwt' }
        },
      },
    },
    // What nobody knows, or the client may not ask for, is an error and not a smaller token (RFC 6749 §3.3).
    extraParams: {
      scope: async (context, value, client) => {
        const may = scopesOf(await clients.find(client.clientId))
        const here = Object.keys(context.oidc.resourceServers ?? {}).flatMap((one) => [
          ...(resources.find(one)?.scopes ?? []),
        ])
        if (value === undefined) {
          const usual = here.filter((scope) => may(scope) && !resources.isPrivileged(scope))
          if (context.oidc.params !== undefined) context.oidc.params['scope'] = usual.join(' ') || undefined
          return
        }
        for (const scope of value.split(' ')) {
          if (scope === '' || personScopes.has(scope)) continue
          if (!here.includes(scope)) throw new errors.InvalidScope('no scope of this resource has this name', scope)
          if (!may(scope)) throw new errors.InvalidScope('the client may not ask for this scope', scope)
        }
        // A token for a part of the house is let in there: nobody has one whom the person was not asked about.
        for (const one of Object.keys(context.oidc.resourceServers ?? {})) {
          const resource = resources.find(one)
          if (resource !== undefined && !isOpened(resources, resource, value.split(' ')))
            throw new errors.InvalidScope('no scope of this resource was asked for', value)
        }
      },
    },
    interactions: { policy: policyOf(module), url: (_context, { uid }) => pages.interaction(uid) },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    loadExistingGrant: (context) => grantOf(context, parts),
    expiresWithSession: () => false, // the family of tokens knows what it ends with
    assertJwtClientAuthClaimsAndHeader: (_context, claims) => {
      const { aud, exp } = claims
      if (aud !== issuer)
        throw new errors.InvalidClientAuth('`aud` of a client assertion is the issuer, and nobody else')
      if (Number(exp) * 1000 > parts.clock.now() + assertionMsMax)
        throw new errors.InvalidClientAuth('a client assertion is good for at most 5 minutes')
    },
    discovery: {
      registration_endpoint: options.registration.access === 'closed' ? undefined : `${issuer}${path}/register`,
      userinfo_endpoint: `${issuer}${path}/userinfo`,
      client_id_metadata_document_supported: options.metadataDocuments.enabled ? true : undefined,
    },
    // Seconds.
    ttl: { AuthorizationCode: 60, DeviceCode: 600, Interaction: 1800, Grant: 1800, Session: 1800, IdToken: 3600 },
    clientBasedCORS: () => true, // the gate speaks of origins
    fetch: parts.fetch,
    renderError: (context, { error, error_description }) => {
      parts.shown({ error, description: error_description ?? error })
      context.body = ''
    },
  }

  const provider = new module.default(issuer, configuration)
  provider.proxy = true // scheme and host are what the gate says, and it says its own
  provider.silent = true
  Object.assign(provider.Client.prototype, {
    compareClientSecret(this: { readonly clientId: string }, shown: string) {
      return clients.verifySecret(this.clientId, shown)
    },
    redirectUriAllowed(this: { readonly redirectUris: readonly string[] }, asked: string) {
      return this.redirectUris.some((registered) => redirectMatches(registered, asked))
    },
  })
  return provider
}

/** Whether a client may ask for a scope of an API: one that an operator made, for what was said; others, for what is not privileged. */
export function mayAskFor(client: KnownClient, scope: string, resources: Resources): boolean {
  if (client.verified) return client.scopes?.has(scope) === true
  return !resources.isPrivileged(scope) && client.scopes?.has(scope) !== false
}

/** What counts as allowed for this request: the answer that was just given, or what is remembered. */
async function grantOf(
  context: KoaContextWithOIDC,
  parts: ProviderParts,
): Promise<InstanceType<Provider['Grant']> | undefined> {
  const { oidc } = context
  const { Grant } = oidc.provider
  const answered = oidc.result?.consent?.grantId
  if (answered !== undefined) return Grant.find(answered)
  const { accountId } = oidc.session ?? {}
  const clientId = oidc.client?.clientId
  if (accountId === undefined || clientId === undefined) return undefined
  const client = await parts.clients.find(clientId)
  // Anybody can say that they are a client that nobody has checked: it is asked for each time (RFC 9700 §4.14.3, A29).
  if (client?.verified !== true) return undefined
  const allowed = await parts.allowed(accountId, clientId)
  if (allowed === undefined) return undefined
  const grant = new Grant({ accountId, clientId })
  for (const [resource, scopes] of Object.entries(allowed)) {
    if (resource === 'openid') grant.addOIDCScope(scopes.join(' '))
    else grant.addResourceScope(resource, scopes.join(' '))
  }
  await grant.save()
  return grant
}

function base64(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

const algorithms = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const
/** Those that challenges name as well: discovery says what is checked (RFC 9449 §5.1). */
const proofAlgorithms = [...algorithms, 'Ed25519'] as const
const assertionMsMax = 300_000

function unusedKey(alg: ProviderParts['idTokenAlgorithm']): JWK {
  const { privateKey } = made(alg)
  return { ...(privateKey.export({ format: 'jwk' }) as JWK), alg, use: 'sig' }
}

function made(alg: ProviderParts['idTokenAlgorithm']): ReturnType<typeof generateKeyPairSync> {
  switch (alg) {
    case 'EdDSA':
      return generateKeyPairSync('ed25519') as never
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }) as never
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }) as never
  }
  throw new Fault('internal', `no key can be made for \`${String(alg)}\``)
}
