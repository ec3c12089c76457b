// Providers to sign in with: a certified one, one that cheats on demand, and one that speaks GitHub's dialect.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { type Configuration as IssuerConfiguration, Provider } from 'oidc-provider'

export const redirectUri = 'http://localhost:8080/auth/callback/acme'

/** Serves on a free port for as long as a test goes on. */
export async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Walks as a browser does, cookies and all, until it is sent back to us. */
export async function visit(start: string, back = redirectUri): Promise<URL> {
  const jar = new Map<string, string>()
  let url = new URL(start)
  for (let steps = 0; steps < 20; steps++) {
    if (url.href.startsWith(back)) return url
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      if (/expires=thu, 01 jan 1970/i.test(line)) jar.delete(pair.slice(0, at))
      else jar.set(pair.slice(0, at), pair.slice(at + 1))
    }
    const location = answer.headers.get('location')
    if (location === null) throw new Error(`stopped at ${url} with ${answer.status}: ${await answer.text()}`)
    await answer.body?.cancel()
    url = new URL(location, url)
  }
  throw new Error(`went in circles, last at ${url}`)
}

export interface RealIssuer {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
}

/** An oidc-provider whose one person signs in and agrees by being sent there, or declines. */
export async function realIssuer(
  context: TestContext,
  {
    claims = { email: 'Ada@Example.com', email_verified: true, name: 'Ada Lovelace' },
    declines = false,
    authentication = 'client_secret_basic',
    more = {},
  }: {
    readonly claims?: Readonly<Record<string, unknown>>
    readonly declines?: boolean
    readonly authentication?: 'client_secret_basic' | 'client_secret_post' | 'none'
    readonly more?: Partial<IssuerConfiguration>
  } = {},
): Promise<RealIssuer> {
  let listener: RequestListener = () => {}
  const issuer = await serve(context, (request, response) => listener(request, response))
  const clientId = 'gatehouse'
  const clientSecret = 'a secret: of /acme+ and gatehouse, long enough'
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        ...(authentication === 'none' ? {} : { client_secret: clientSecret }),
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: authentication,
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), use: 'sig', alg: 'RS256', kid: 'one' }] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    scopes: ['openid', 'offline_access', 'email', 'profile'],
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...claims }) }),
    pkce: { required: () => true },
    cookies: { keys: ['only for this test'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    ...more,
  })
  const protocol = provider.callback()
  listener = (request, response) => {
    if (request.url?.startsWith('/interaction/')) void interact(provider, request, response, declines)
    else void protocol(request, response)
  }
  return { issuer, clientId, clientSecret }
}

async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  declines: boolean,
): Promise<void> {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response)
  if (declines) {
    const error = { error: 'access_denied', error_description: 'the person said no' }
    await provider.interactionFinished(request, response, error, { mergeWithLastSubmission: false })
    return
  }
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: 'ada-17' } })
    return
  }
  const accountId = session?.accountId ?? ''
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const grant = known ?? new provider.Grant({ accountId, clientId: String(params['client_id']) })
  grant.addOIDCScope(String(params['scope']))
  const consent = { grantId: await grant.save() }
  await provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true })
}

/** How an issuer that cheats does so. What is not said is done rightly. */
export interface Tricks {
  /** Changes what stands in the id_token; undefined takes a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: { readonly alg?: string; readonly kid?: string }
  /** Whose key signs. */
  readonly key?: CryptoKey | Uint8Array
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Changes the answer of the token endpoint. */
  readonly tokens?: Readonly<Record<string, unknown>>
  readonly userinfo?: Readonly<Record<string, unknown>>
  /** Answers instead, where it says so. */
  readonly instead?: (path: string, response: ServerResponse) => boolean
}

export interface CrookedIssuer {
  readonly origin: string
  tricks: Tricks
  /** Bodies that came to the token endpoint. */
  readonly exchanges: URLSearchParams[]
  /** How often each path was asked for. */
  readonly visits: Map<string, number>
  /** Goes through the sign-in of a person, and answers where the browser is sent. */
  authorize(url: string): URL
}

/** An issuer in forty lines, signed with jose. `issuer` is what it says it is. */
export async function crookedIssuer(
  context: TestContext,
  tricks: Tricks = {},
  issuer?: string,
): Promise<CrookedIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const codes = new Map<string, URLSearchParams>()
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', use: 'sig' }
  const origin = await serve(context, async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const path = pathname.replace(/^.*(?=\/\.well-known\/)/, '')
    crooked.visits.set(path, (crooked.visits.get(path) ?? 0) + 1)
    if (crooked.tricks.instead?.(path, response)) return
    if (path === '/.well-known/openid-configuration') return send(response, metadata())
    if (path === '/jwks') return send(response, { keys: [jwk] })
    if (path === '/userinfo') return send(response, { sub: 'ada-17', ...crooked.tricks.userinfo })
    if (path !== '/token') return send(response, { error: 'not_found' }, 404)
    const body = new URLSearchParams(await textOf(request))
    crooked.exchanges.push(body)
    const asked = codes.get(body.get('code') ?? '')
    codes.delete(body.get('code') ?? '')
    if (asked === undefined) return send(response, { error: 'invalid_grant' }, 400)
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: said,
      sub: 'ada-17',
      aud: asked.get('client_id') ?? '',
      iat: now,
      exp: now + 300,
      nonce: asked.get('nonce') ?? '',
      email: 'ada@example.com',
      email_verified: true,
      ...crooked.tricks.claims,
    }
    const { key = privateKey, header } = crooked.tricks
    const idToken =
      header?.alg === 'none'
        ? `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`
        : await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(key)
    send(response, { access_token: 'opaque', token_type: 'Bearer', id_token: idToken, ...crooked.tricks.tokens })
  })
  const said = issuer ?? origin
  const base = issuer === undefined ? origin : new URL(issuer).origin
  const metadata = () => ({
    issuer: said,
    authorization_endpoint: `${base}/authorize`,
    token_endpoint: `${base}/token`,
    jwks_uri: `${base}/jwks`,
    userinfo_endpoint: `${base}/userinfo`,
    response_types_supported: ['code'],
    id_token_signing_alg_values_supported: ['RS256'],
    ...crooked.tricks.metadata,
  })
  const crooked: CrookedIssuer = {
    origin,
    tricks,
    exchanges: [],
    visits: new Map(),
    authorize(url) {
      const asked = new URL(url).searchParams
      const code = `code-${codes.size}-${asked.get('state')?.slice(0, 8)}`
      codes.set(code, asked)
      const back = new URL(asked.get('redirect_uri') ?? '')
      back.searchParams.set('code', code)
      back.searchParams.set('state', asked.get('state') ?? '')
      return back
    },
  }
  return crooked
}

/** A server that has GitHub's OAuth and the two pages of its API that say who somebody is. */
export async function githubLike(
  context: TestContext,
  {
    user = { id: 583231, login: 'ada', name: 'Ada' },
    emails = [
      { email: 'old@example.com', primary: false, verified: true },
      { email: 'Ada@Example.com', primary: true, verified: true },
    ],
    status = 200,
  }: { readonly user?: unknown; readonly emails?: unknown; readonly status?: number } = {},
): Promise<{ readonly origin: string; readonly authorizations: URLSearchParams[] }> {
  const codes = new Map<string, URLSearchParams>()
  const authorizations: URLSearchParams[] = []
  const origin = await serve(context, async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname === '/login/oauth/authorize') {
      authorizations.push(url.searchParams)
      const code = `gh-${codes.size}`
      codes.set(code, url.searchParams)
      const back = new URL(url.searchParams.get('redirect_uri') ?? '')
      back.searchParams.set('code', code)
      back.searchParams.set('state', url.searchParams.get('state') ?? '')
      back.searchParams.set('iss', `${origin}/login/oauth`)
      response.writeHead(302, { location: back.href }).end()
    } else if (url.pathname === '/login/oauth/access_token') {
      const body = new URLSearchParams(await textOf(request))
      const asked = codes.get(body.get('code') ?? '')
      codes.delete(body.get('code') ?? '')
      const proof = await crypto.subtle.digest('SHA-256', Buffer.from(body.get('code_verifier') ?? ''))
      const proven = asked?.get('code_challenge') === Buffer.from(proof).toString('base64url')
      const authentic = body.get('client_secret') === 'of github' && request.headers.accept === 'application/json'
      // GitHub says no with a 200.
      if (proven && authentic) send(response, { access_token: 'gho_opaque', token_type: 'bearer', scope: 'read:user' })
      else send(response, { error: 'bad_verification_code', error_description: 'The code is incorrect or expired.' })
    } else if (request.headers.authorization !== 'Bearer gho_opaque' || request.headers['user-agent'] === undefined) {
      send(response, { message: 'Requires authentication' }, 401)
    } else send(response, url.pathname === '/user' ? user : emails, url.pathname === '/user' ? 200 : status)
  })
  return { origin, authorizations }
}

function send(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}
