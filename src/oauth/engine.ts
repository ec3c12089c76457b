import { AsyncLocalStorage } from 'node:async_hooks'
import { inject } from 'light-my-request'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { personScopes } from '../authz/scopes.ts'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { Database } from '../store/database.ts'
import { tokenExchange } from '../wire/clients.ts'
import type { Asked, ClientBook, KnownClient, PersonProblem } from './client-book.ts'
import type { AskingClient, Counter, GrantType, TokenFacts } from './counter.ts'
import type { OauthOptions } from './options.ts'
import { interactionCookie, mayAskFor, personCookie, providerOf, resumeCookie } from './provider.ts'
import type { ProviderModule } from './provider-module.ts'
import type { Records } from './records.ts'
import type { Resources } from './resources.ts'
import { veiled } from './storage.ts'

export interface EngineParts<Caller> {
  /** The authorization server's address, and its name in tokens (RFC 8414 §2). */
  readonly issuer: string
  readonly options: OauthOptions
  readonly resources: Resources
  /** How ID tokens are signed. */
  readonly idTokenAlgorithm: 'EdDSA' | 'ES256' | 'RS256'
  readonly db: Database
  readonly records: Records
  readonly clients: ClientBook
  readonly counter: Counter<Caller>
  /** Whether this was never said before: `expiresAt` in milliseconds is when it may be forgotten. */
  readonly isFresh: (said: string, expiresAtMs: number) => Promise<boolean>
  /** How keys of clients are fetched from addresses that they name. */
  readonly fetch: (url: string | URL | Request, init?: RequestInit) => Promise<Response>
  readonly clock: Clock
  readonly log: Log
  readonly pages: {
    /** Where a person decides on a request. */
    interaction(uid: string): string
    readonly device: string
  }
}

export interface EngineRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly parameters: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  /** Of the client, as the gate knows it. */
  readonly address: string
  /** Of the connection: never what a client says of itself (RFC 8705 §6.2, A25). */
  readonly certificate: PeerCertificate | undefined
}

export interface EngineAnswer {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer
  /** Set where the answer is for a person to read, and not for their client (RFC 9700 §4.11). */
  readonly problem: PersonProblem | undefined
}

/** A request that waits for a person: to sign in, or to allow it. */
export interface Waiting {
  readonly uid: string
  /** What it waits for. */
  readonly prompt: 'login' | 'consent'
  readonly reasons: readonly string[]
  readonly client: KnownClient
  readonly redirectUri: string
  readonly asked: Asked
  /** Seconds since the epoch. */
  readonly since: number
  /** Who was signed in when it began, if anybody was. */
  readonly userId: string | undefined
  /** What was asked, to ask it anew. */
  readonly parameters: URLSearchParams
}

/** The protocol of the authorization server: what goes in and out, and what it has to mean. */
export interface Engine<Caller> {
  ask(caller: Caller, request: EngineRequest): Promise<EngineAnswer>
  /** The request that waits under this name in this browser. */
  waiting(uid: string): Promise<Waiting | undefined>
  /** Answers it, in the browser session of its person; the address where the browser goes on. */
  settle(uid: string, outcome: Settlement, session: string): Promise<string | undefined>
}

export type Settlement =
  | {
      readonly signedIn: {
        readonly userId: string
        readonly authenticatedAt: number
        readonly acr: string
        readonly amr: readonly string[]
      }
    }
  | { readonly allowed: Asked; readonly userId: string }
  | { readonly error: string; readonly description: string }

/** What one request knows of itself, however deep in the protocol. */
interface Call<Caller> {
  readonly caller: Caller
  readonly certificate: PeerCertificate | undefined
  /** The token that was found last: what is to be ended is known by its id alone. */
  facts?: TokenFacts
  problem?: PersonProblem
  /** The client that could not show who it is, as it calls itself. */
  strange?: string
}

const interactionMs = 1_800_000

export async function openEngine<Caller>(parts: EngineParts<Caller>): Promise<Engine<Caller>> {
  const { counter, clients, log } = parts
  const calls = new AsyncLocalStorage<Call<Caller>>()
  const current = (): Call<Caller> => {
    const call = calls.getStore()
    if (call === undefined) throw new Error('the protocol was asked outside a request')
    return call
  }
  const module: ProviderModule = await import('oidc-provider')
  const provider = providerOf(module, {
    ...parts,
    allowed: (userId, clientId) => counter.allowed(userId, clientId),
    person: () => counter.person(current().caller),
    certificate: () => current().certificate,
    async introspect(token) {
      const call = current()
      const facts = await counter.introspect(call.caller, token)
      if (facts !== undefined) call.facts = facts
      return facts
    },
    async revoke() {
      const { caller, facts } = current()
      if (facts !== undefined) await counter.revoke(caller, facts)
    },
    shown(problem) {
      current().problem = problem
    },
  })

  for (const [name, grant, parameters] of grants) {
    provider.registerGrantType(name, (context) => issue(context, grant), [...parameters, 'resource'], ['resource'])
  }
  provider.on('server_error', (_context, error) => log.error({ err: error }, 'the authorization server failed'))
  provider.on('grant.error', (context, error) => {
    const { client, params } = context.oidc
    const grant = text(params?.['grant_type'])
    // RFC 6749 §5.2 has a word of its own for a grant that is not this client's; the library has not.
    const isForeign = grants.some(([name]) => name === grant) && client?.grantTypeAllowed(String(grant)) === false
    if (error.message === 'invalid_request' && isForeign)
      context.body = { error: 'unauthorized_client', error_description: 'the client may not use this grant' }
  })
  for (const event of whereClientsShowThemselves) {
    provider.on(event as 'grant.error', (context, error) => {
      if (error.message !== 'invalid_client') return
      current().strange = context.oidc.client?.clientId ?? text(context.oidc.params?.['client_id']) ?? ''
    })
  }
  const handler = provider.callback()

  return {
    async ask(caller, request) {
      const call: Call<Caller> = { caller, certificate: request.certificate }
      const message = messageOf(caller, request)
      const answer = await calls.run(call, async () => await inject(handler, message)) // it begins when it is awaited
      if (call.strange !== undefined) await counter.strange(caller, call.strange)
      return {
        status: answer.statusCode,
        headers: headersOf(answer.headers),
        body: answer.rawPayload,
        problem: call.problem,
      }
    },

    async waiting(uid) {
      const interaction = await provider.Interaction.find(uid)
      if (interaction === undefined) return undefined
      const { params, prompt } = interaction
      const client = await clients.find(text(params['client_id']) ?? '')
      if (client === undefined || (prompt.name !== 'login' && prompt.name !== 'consent')) return undefined
      return {
        uid,
        prompt: prompt.name,
        reasons: prompt.reasons,
        client,
        redirectUri: text(params['redirect_uri']) ?? '',
        asked: askedFor(params, parts.resources),
        since: interaction.iat ?? 0,
        userId: interaction.session?.accountId,
        parameters: new URLSearchParams(
          Object.entries(params).flatMap(([name, value]) =>
            [value].flat().flatMap((one): [string, string][] => (one === undefined ? [] : [[name, String(one)]])),
          ),
        ),
      }
    },

    async settle(uid, outcome, session) {
      const interaction = await provider.Interaction.find(uid)
      if (interaction === undefined) return undefined
      // A person who proved themself again goes on under a new session (A48); that it is the same person was seen to.
      if (interaction.session?.uid !== undefined) interaction.session.uid = session
      if ('error' in outcome) {
        interaction.result = { error: outcome.error, error_description: outcome.description }
      } else if ('signedIn' in outcome) {
        const { userId, authenticatedAt, acr, amr } = outcome.signedIn
        interaction.result = { login: { accountId: userId, ts: authenticatedAt, acr, amr: [...amr] } }
      } else {
        const grant = new provider.Grant({
          accountId: outcome.userId,
          clientId: text(interaction.params['client_id']) ?? '',
        })
        for (const [resource, scopes] of Object.entries(outcome.allowed)) {
          if (resource === 'openid') grant.addOIDCScope(scopes.join(' '))
          else grant.addResourceScope(resource, scopes.join(' '))
        }
        interaction.result = { ...interaction.lastSubmission, consent: { grantId: await grant.save() } }
      }
      await interaction.save(interactionMs / 1000)
      return interaction.returnTo
    },
  }

  /** One grant at the token endpoint: its client has proven itself by now. */
  async function issue(context: KoaContextWithOIDC, grant: GrantType): Promise<void> {
    const { params = {} } = context.oidc
    const answer = await counter.token(current().caller, grant, {
      client: await askingOf(context),
      parameters: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, text(value)])),
      resources: [params['resource']].flat().filter((one) => typeof one === 'string'),
      proof: context.get('DPoP') || undefined,
      certificate: current().certificate,
    })
    if ('error' in answer) {
      if (answer.nonce !== undefined) context.set('DPoP-Nonce', answer.nonce)
      log.info({ grant, error: answer.error, reason: answer.reason }, 'a token was refused')
      throw new module.errors.CustomOIDCProviderError(answer.error, answer.description)
    }
    context.body = answer
  }

  async function askingOf(context: KoaContextWithOIDC): Promise<AskingClient> {
    const { client } = context.oidc
    const known = client === undefined ? undefined : await clients.find(client.clientId)
    if (client === undefined || known === undefined) throw new Error('a client has proven itself, and is not known')
    return {
      id: known.id,
      name: known.name,
      confidential: known.confidential,
      verified: known.verified,
      mayAskFor: (scope) => mayAskFor(known, scope, parts.resources),
      refreshes: client.grantTypeAllowed('refresh_token'),
      bindsKeys: client.dpopBoundAccessTokens === true,
      bindsCertificates: client.tlsClientCertificateBoundAccessTokens === true,
    }
  }

  /** The request as the library reads it: at our own address whatever `Host` said, and from nobody but whom we know. */
  function messageOf(caller: Caller, request: EngineRequest): Exclude<Parameters<typeof inject>[1], string> {
    const { method, path, headers } = request
    const own = new URL(parts.issuer)
    const person = counter.person(caller)
    const cookies = ownCookies(headers['cookie'])
    if (person !== undefined) cookies.push(`${personCookie}=${person.session}`)
    const sent = {
      ...headers,
      cookie: cookies.join('; '),
      host: own.host,
      'x-forwarded-proto': own.protocol.slice(0, -1),
    }
    const parameters = new URLSearchParams()
    for (const [name, value] of request.parameters) {
      if (name === 'token') parameters.append(name, veiled(value))
      else if (name !== 'resource') parameters.append(name, value)
    }
    // However a resource is spelled it is one, and has one name from here on.
    const named = request.parameters.getAll('resource').map((one) => parts.resources.find(one)?.identifier ?? one)
    for (const one of new Set(named)) parameters.append('resource', one)
    const query = parameters.toString()
    const remoteAddress = request.address
    if (method === 'GET') return { method, url: query === '' ? path : `${path}?${query}`, headers: sent, remoteAddress }
    return {
      method,
      remoteAddress,
      url: path,
      headers: { ...sent, 'content-type': 'application/x-www-form-urlencoded' },
      payload: query,
    }
  }
}

/** Each endpoint at which a client has to show who it is says by an event of its own that one could not. */
const whereClientsShowThemselves = [
  'grant.error',
  'introspection.error',
  'revocation.error',
  'pushed_authorization_request.error',
  'device_authorization.error',
] as const

/** The grants of RFC 6749 §4, RFC 8628 §3.4 and RFC 8693 §2.1, with what each is given. */
// biome-ignore format: a table
const grants: readonly (readonly [name: string, grant: GrantType, parameters: readonly string[]])[] = [
  ['authorization_code',                           'authorization_code', ['code', 'redirect_uri', 'code_verifier']],
  ['refresh_token',                                'refresh_token',      ['refresh_token', 'scope']],
  ['client_credentials',                           'client_credentials', ['scope']],
  ['urn:ietf:params:oauth:grant-type:device_code', 'device_code',        ['device_code']],
  [tokenExchange,                                  'token_exchange',     ['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type', 'audience', 'scope']],
]

/** The scopes of a request, by where they count. One resource at least is always named: by us, where the client does not. */
export function askedFor(params: Readonly<Record<string, unknown>>, resources: Resources): Asked {
  const scopes = (text(params['scope']) ?? '').split(' ').filter((scope) => scope !== '')
  const person = scopes.filter((scope) => personScopes.has(scope))
  const named = [params['resource']].flat().filter((one) => typeof one === 'string')
  const places = (named.length === 0 ? [resources.own.identifier] : named).map((identifier) => {
    const resource = resources.find(identifier)
    const there = scopes.filter((scope) => resource?.scopes.has(scope) === true)
    return [resource?.identifier ?? identifier, there] as const
  })
  return Object.fromEntries([
    ...places.filter(([, there]) => there.length > 0),
    ...(person.length === 0 ? [] : [['openid', person] as const]),
  ])
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Those that the library set: nobody names a person by a cookie of their own making. */
function ownCookies(field: string | undefined): string[] {
  const pairs = (field ?? '').split(';').map((pair) => pair.trim())
  return pairs.filter((pair) => pair.startsWith(`${interactionCookie}=`) || pair.startsWith(`${resumeCookie}=`))
}

/** What the library would remember of the person is ours to know. */
function isPersonCookie(name: string, value: string): boolean {
  return name === 'set-cookie' && value.startsWith(`${personCookie}=`)
}

/** CORS is the gate's, and lengths and connections are of a message that has ended. */
function headersOf(fields: Readonly<Record<string, unknown>>): (readonly [string, string])[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (notOurs.test(name) || value === undefined) return []
    const values = [value].flat().map(String)
    return values.filter((one) => !isPersonCookie(name, one)).map((one) => [name, one] as const)
  })
}

const notOurs = /^(?:access-control-.*|content-length|connection|keep-alive|date|transfer-encoding|vary)$/
