import type { Answerer, Exchange } from '../../gate/exchange.ts'
import type { OauthDraft } from '../../gate/routes.ts'
import { wholeBody } from '../../gate/whole-body.ts'
import type { Outbound } from '../../http/message.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import { parseStrict } from '../../kernel/json.ts'
import type { Certificates } from '../../oauth/certificate-subject.ts'
import type { OauthRefusal } from '../../oauth/counter.ts'
import type { Engine, EngineAnswer, EngineRequest } from '../../oauth/engine.ts'
import { json } from '../api/reply.ts'
import type { Proven } from '../desk/binding.ts'
import { isRefusal } from '../desk/guard.ts'
import { type Visitor, visitorOf } from '../desk/visitor.ts'

/** What clients of other people's speak to: the machine's side of the authorization server. */
export interface MachineParts {
  readonly path: string
  /** Every scope that somebody may ask for. */
  readonly scopes: readonly string[]
  /** What is known of certificates of clients: what needs more than that is not offered. */
  readonly certificates: Certificates
  readonly engine: () => Promise<Engine<Visitor>>
  readonly proven: Proven
  /** What a refresh with no client is: one of our own sign-in. */
  readonly refreshOwn: (exchange: Exchange, refreshToken: string) => Promise<Outbound | Refusal>
  /** Ends a token of our own sign-in that somebody holds. */
  readonly revokeHeld: (visitor: Visitor, token: string) => Promise<void>
}

/** Token, revocation, introspection, pushed requests, devices, and the documents that lead there. */
export function machineEndpoints({
  path,
  scopes,
  certificates,
  engine,
  proven,
  refreshOwn,
  revokeHeld,
}: MachineParts): readonly OauthDraft[] {
  const post = (name: string, answerer: Answerer): OauthDraft => draft(['POST'], `${path}${name}`, answerer)
  const pass = (name: string): OauthDraft =>
    post(name, async (exchange) => {
      const sent = await parametersOf(exchange)
      return isRefusal(sent) ? sent : ask(exchange, `${path}${name}`, sent.parameters)
    })
  const document = (at: string): OauthDraft =>
    draft(['GET'], at, async (exchange) => {
      const request = requestOf(exchange, 'GET', at, new URLSearchParams())
      const answer = await (await engine()).ask(visitorOf(exchange), request)
      const written = JSON.parse(answer.body.toString()) as Record<string, unknown>
      // The library can more than its clients are given here.
      const here = { response_modes_supported: ['query'], scopes_supported: scopes, ...offered(written, certificates) }
      const body = Buffer.from(JSON.stringify({ ...written, ...here }))
      return { status: 200, headers: [...documentFields, 'Content-Length', String(body.byteLength)], body }
    })

  return [
    pass('/token'),
    pass('/introspect'),
    post('/par', async (exchange) => {
      const sent = await parametersOf(exchange)
      if (isRefusal(sent)) return sent
      const { parameters } = sent
      // A proof binds the code to its key as the parameter does (RFC 9449 §10.1).
      const shown = await proven(exchange.request.head.dpop, '/par')
      if ('error' in shown) return refusalOf(shown)
      const { keyThumbprint } = shown
      const named = parameters.get('dpop_jkt')
      if (keyThumbprint !== undefined && named !== null && named !== keyThumbprint)
        return refusalOf({ error: 'invalid_dpop_proof', description: 'the proof is of another key than `dpop_jkt`' })
      if (keyThumbprint !== undefined && named === null) parameters.set('dpop_jkt', keyThumbprint)
      return ask(exchange, `${path}/par`, parameters)
    }),
    pass('/device'),
    post('/revoke', async (exchange) => {
      const sent = await parametersOf(exchange)
      if (isRefusal(sent)) return sent
      if (!isAnonymous(exchange, sent.parameters)) return ask(exchange, `${path}/revoke`, sent.parameters)
      const [token, ...more] = sent.parameters.getAll('token')
      if (token === undefined || more.length > 0) return refuse('bad-request', { detail: 'expected one `token`' })
      await revokeHeld(visitorOf(exchange), token)
      return { status: 200, headers: ['Content-Length', '0', 'Cache-Control', 'no-store'], body: undefined }
    }),
    post('/token/refresh', async (exchange) => {
      const sent = await parametersOf(exchange)
      if (isRefusal(sent)) return sent
      const { parameters } = sent
      if (isAnonymous(exchange, parameters)) {
        const [token, ...more] = parameters.getAll('refresh_token')
        if (token === undefined || more.length > 0)
          return refuse('bad-request', { detail: 'expected one `refresh_token`' })
        return refreshOwn(exchange, token)
      }
      parameters.set('grant_type', 'refresh_token')
      return ask(exchange, `${path}/token`, parameters)
    }),
    document('/.well-known/oauth-authorization-server'),
    document('/.well-known/openid-configuration'),
  ]

  async function ask(exchange: Exchange, at: string, parameters: URLSearchParams): Promise<Outbound> {
    if (!namesItself(exchange, parameters)) return nobody(exchange)
    return outboundOf(await (await engine()).ask(visitorOf(exchange), requestOf(exchange, 'POST', at, parameters)))
  }

  function draft(methods: OauthDraft['methods'], at: string, answerer: Answerer): OauthDraft {
    const limit = at === `${path}/par` || at === `${path}/device` ? 'requests' : 'oauth'
    const bodyBytesMax = limit === 'requests' ? keptBytesMax : 65_536
    return { methods, path: at, answerer, cors: 'open', limit, bodyBytesMax }
  }
}

/**
 * What the metadata says of certificates (RFC 8705 §3.3). `mtls_endpoint_aliases` (§5) is left out: there is one port, and it
 * asks for a certificate without demanding one, or lets nobody in without.
 */
function offered(written: Readonly<Record<string, unknown>>, certificates: Certificates): Record<string, unknown> {
  const methods = written['token_endpoint_auth_methods_supported'] as readonly string[]
  const needs: Readonly<Record<string, boolean>> = {
    tls_client_auth: certificates === 'verified',
    self_signed_tls_client_auth: certificates !== 'none',
  }
  return {
    token_endpoint_auth_methods_supported: methods.filter((method) => needs[method] ?? true),
    tls_client_certificate_bound_access_tokens: certificates !== 'none' ? true : undefined,
  }
}

/** It changes with the configuration only: caches may keep it for minutes. */
const documentFields = ['Content-Type', 'application/json', 'Cache-Control', 'public, max-age=300']

/** A no of the protocol that was ours to say (RFC 6749 §5.2). */
export function refusalOf({ error, description, nonce }: OauthRefusal): Outbound {
  return json(400, { error, error_description: description }, ...(nonce === undefined ? [] : ['DPoP-Nonce', nonce]))
}

/** A client that names itself, by a parameter or by `Authorization`, is asked to show who it is. */
function isAnonymous({ request }: Exchange, parameters: URLSearchParams): boolean {
  return request.head.authorization === undefined && !parameters.has('client_id') && !parameters.has('client_assertion')
}

/** Whether a client shows who it is in a way that clients have here: by `Basic`, or in the parameters. */
function namesItself(exchange: Exchange, parameters: URLSearchParams): boolean {
  const { authorization } = exchange.request.head
  return authorization === undefined ? !isAnonymous(exchange, parameters) : /^basic(?: |$)/i.test(authorization)
}

/** RFC 6749 §5.2: no client authentication, or a method that is none of ours; the challenge answers who sent a field. */
function nobody({ request }: Exchange): Outbound {
  const challenge = request.head.authorization === undefined ? [] : ['WWW-Authenticate', 'Basic realm="gatehouse"']
  const description =
    'the client has to show who it is: by Basic, a secret, an assertion, a certificate, or its `client_id`'
  return json(401, { error: 'invalid_client', error_description: description }, ...challenge)
}

/** The request as the protocol's part takes it: the fields that it reads, and no others. */
export function requestOf(
  exchange: Exchange,
  method: EngineRequest['method'],
  path: string,
  parameters: URLSearchParams,
): EngineRequest {
  const { request } = exchange
  const headers: Record<string, string> = { accept: 'application/json' }
  for (let at = 0; at < request.headers.length; at += 2) {
    const name = (request.headers[at] as string).toLowerCase()
    if (!passed.has(name) || (name === 'dpop' && !path.endsWith('/token'))) continue
    const value = request.headers[at + 1] as string
    // Two of one are two, however they are joined: neither is then what it says.
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return { method, path, parameters, headers, address: exchange.client, certificate: exchange.certificate }
}

/** What is kept of somebody who need not be known has to be short. */
const keptBytesMax = 8_192

const passed: ReadonlySet<string> = new Set(['authorization', 'dpop', 'cookie', 'user-agent'])

export function outboundOf({ status, headers, body }: EngineAnswer): Outbound {
  const fields = ['Content-Length', String(body.byteLength)]
  let stored = false
  for (const [name, value] of headers) {
    fields.push(name, value)
    if (name === 'cache-control') stored = true
  }
  if (!stored) fields.push('Cache-Control', 'no-store')
  return { status, headers: fields, body: body.byteLength === 0 ? undefined : body }
}

/** The parameters of a request: a form (RFC 6749 §3.2), or, as some clients have it, one JSON object of texts. */
export async function parametersOf(exchange: Exchange): Promise<{ readonly parameters: URLSearchParams } | Refusal> {
  const type = exchange.request.head.contentType?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded' && type !== 'application/json')
    return refuse('bad-request', { detail: 'expected a form (`application/x-www-form-urlencoded`), or JSON' })
  const body = await wholeBody(exchange)
  if ('code' in body) return body
  const text = body.toString('utf8')
  if (type !== 'application/json') return { parameters: new URLSearchParams(text) }
  const parsed = parseStrict(text)
  if ('error' in parsed) return refuse('bad-request', { detail: `the body is not JSON: ${parsed.error}` })
  const { value } = parsed
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('bad-request', { detail: 'expected one JSON object' })
  const entries = Object.entries(value)
  const wrong = entries.find(([, one]) => typeof one !== 'string')
  if (wrong !== undefined) return refuse('bad-request', { detail: `\`${wrong[0].slice(0, 40)}\` must be a text` })
  return { parameters: new URLSearchParams(entries as [string, string][]) }
}
