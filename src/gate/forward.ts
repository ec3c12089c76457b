import { actorsOf } from '../authn/actor.ts'
import type { Principal } from '../authn/principal.ts'
import { withoutCookies } from '../http/cookies.ts'
import { hopByHop } from '../http/head.ts'
import { unaskedFields } from '../inspection/stream/screened-fields.ts'
import { refuse } from '../kernel/error.ts'
import type { Place } from '../limits/load/upstream.ts'
import { isOurCookie } from './cookie-names.ts'
import type { Exchange, Stage } from './exchange.ts'
import { flowing } from './flowing.ts'
import { holdsOwnCredential } from './own-credential.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/** Hands the request to the upstream of its route. Insists on a permit. */
export function forward(route: Route, rooms: Rooms): Stage {
  const { upstream, name } = route
  if (upstream === undefined) throw new Error(`route \`${name}\` has no upstream`)

  return async (exchange) => {
    if (exchange.decision.effect !== 'permit') throw new Error(`\`${name}\` was about to be forwarded without a permit`)
    if (exchange.left) return refuse('client-left')
    const { request, payload, principal } = exchange
    exchange.proceed()
    const { method } = request
    const path = request.target.path + request.target.query
    const headers = forwardedHeaders(exchange, rooms)
    if (upstream.asserted) {
      const told = rooms.evidence.assertions.of(principal, upstream.name, upstream.client !== undefined)
      headers.push('X-Gatehouse-Assertion', told)
    }
    if (upstream.signed)
      headers.push(
        ...rooms.evidence.signatureOf({ method, url: upstream.addressOf(path), fields: headers, body: payload }),
      )
    const call = {
      method,
      path,
      headers,
      body: payload ?? flowing(exchange),
      onAbortable: (abort: (reason: Error) => void) => {
        exchange.abandon = abort
      },
    }
    if (exchange.place !== undefined) begin(exchange.place, exchange)
    if (request.head.upgrade !== undefined && route.websocket) {
      call.headers.push('Connection', 'Upgrade', 'Upgrade', request.head.upgrade)
      exchange.answer = await upstream.tunnel(call)
    } else {
      exchange.answer = await upstream.request(call)
    }
    exchange.place?.answered(exchange.answer.status)
    return undefined
  }
}

/** An upstream is asked once it has the whole request: until then it waits, and not the request. */
function begin(place: Place, { payload, request: { body } }: Exchange): void {
  if (payload !== undefined || body === undefined || body.readableEnded) place.begin()
  else body.once('end', () => place.begin())
}

/** The caller's fields without those of the hop and without those that only we may set; then ours. */
function forwardedHeaders(exchange: Exchange, rooms: Rooms): string[] {
  const { request, route, principal, payload, payloadType } = exchange
  const { headers, head } = request
  const upstreamSigns = route.upstream?.signed === true
  const screened = route.inspection.answers?.acts === true
  // With a token of ours its proof stays here too.
  const noneGoesOn = !route.forwardAuthorization || holdsOwnCredential(head.authorization, rooms)
  const out: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string
    const lower = name.toLowerCase()
    if (replaced.has(lower) || hopByHop.has(lower)) continue
    if (credentials.has(lower) && (noneGoesOn || holdsOwnCredential(headers[at + 1], rooms))) continue
    if (upstreamSigns && proofs.has(lower)) continue
    if (screened && (unaskedFields.has(lower) || lower === 'accept-encoding')) continue
    if (payloadType !== undefined && lower === 'content-type') continue
    if (lower === 'cookie') {
      const others = withoutCookies(headers[at + 1] as string, isOurCookie)
      if (others !== undefined) out.push(name, others)
      continue
    }
    if (rooms.identityHeaders(lower) || head.connectionOptions.includes(lower)) continue
    out.push(name, headers[at + 1] as string)
  }
  if (screened) out.push('Accept-Encoding', 'identity') // it is read here, and the way is short
  if (payloadType !== undefined) out.push('Content-Type', payloadType)
  if (payload !== undefined) out.push('Content-Length', String(payload.byteLength))
  else if (head.contentLength !== undefined && (head.contentLength > 0 || request.method !== 'GET'))
    out.push('Content-Length', String(head.contentLength))
  const trusted = head.forwardedFor !== undefined && rooms.trusts(request.peer)
  // biome-ignore format: a table of name and value
  out.push(
    'X-Forwarded-For', trusted ? `${head.forwardedFor}, ${request.peer}` : request.peer,
    'X-Forwarded-Proto', exchange.secure ? 'https' : 'http',
    'X-Forwarded-Host', head.host ?? '',
    'Via', head.via === undefined ? `${request.version} ${rooms.via}` : `${head.via}, ${request.version} ${rooms.via}`,
    'X-Request-ID', exchange.id,
    'X-Gatehouse-Request-Id', exchange.id,
  )
  out.push(...whoAsks(principal))
  return out
}

/** What proves the caller to us proves nothing to anybody else: a token that went on could be used as its holder (RFC 9700 §4.9.2). */
const credentials = new Set(['authorization', 'dpop', 'x-api-key'])

/** What somebody else signed, where we sign ourselves. */
const proofs = new Set(['signature', 'signature-input', 'content-digest'])

/** Fields that we write ourselves: what the caller said in them does not reach the upstream. */
const replaced = new Set([
  'host',
  'content-length',
  'x-request-id',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-real-ip',
  'via',
  'client-cert', // RFC 9440 §4: ours to say, and we say it by who asks
  'client-cert-chain',
  'x-forwarded-client-cert',
])

/** A principal lives as long as its verified token: its header lines are written once, not per request. */
const lines = new WeakMap<Principal, readonly string[]>()

function whoAsks(principal: Principal): readonly string[] {
  let known = lines.get(principal)
  if (known === undefined) {
    known = principal.type === 'anonymous' ? [] : linesOf(principal)
    lines.set(principal, known)
  }
  return known
}

/** A machine that asks for itself is no user: an upstream that looks for one finds none. */
function linesOf({ type, id, credential, roles, permissions, scopes, actor, client }: Principal): string[] {
  const own = type !== 'service' ? ['X-Gatehouse-User', id] : client === id ? [] : ['X-Gatehouse-Service', id]
  own.push('X-Gatehouse-Roles', roles.join(','), 'X-Gatehouse-Permissions', [...permissions].join(','))
  if (credential.kind === 'api-key') own.push('X-Gatehouse-Key', credential.id)
  if (actor !== undefined) own.push('X-Gatehouse-Actor', actorsOf(actor).join(' '))
  if (client !== undefined) own.push('X-Gatehouse-Client', client, 'X-Gatehouse-Scope', [...scopes].join(' '))
  return own
}
