import type { Outbound } from '../http/message.ts'
import { catalogue, type Refusal } from '../kernel/error.ts'
import type { Allowance } from '../limits/limiter.ts'
import { problemMediaType, problemOf } from '../wire/problem.ts'
import { type Cors, openCors } from './cors.ts'
import type { Exchange } from './exchange.ts'

/** The answer as it leaves: what came of the way, under the fields that every answer carries, refusals too. */
export function conclude(exchange: Exchange, cors: Cors): Outbound {
  const { refusal, answer } = exchange
  if (refusal !== undefined) {
    // An answer that a later stage refused, or that could not be written: its upstream need not go on.
    if (answer?.body !== undefined && !(answer.body instanceof Uint8Array)) answer.body.abort(new Error(refusal.code))
    return refused(exchange, refusal, cors)
  }
  // Embedded, the host answers: what leaves from here are only the fields that it has to carry.
  const outbound = answer ?? { status: 200, headers: [], body: undefined }
  pushHouseFields(outbound.headers, exchange, cors)
  return outbound
}

/** The fields that belong to every answer of the house: request id, limits, security, CORS. */
function pushHouseFields(headers: string[], exchange: Exchange, cors: Cors): void {
  headers.push('X-Request-ID', exchange.id)
  const { allowance } = exchange
  if (allowance !== undefined) pushLimitFields(headers, allowance, exchange.countedAt)
  if (exchange.nonce !== undefined) headers.push('DPoP-Nonce', exchange.nonce)
  for (const part of exchange.route.headers) headers.push(part)
  const { cors: allowed } = exchange.route
  if (allowed === 'none') return
  for (const part of (allowed === 'open' ? openCors : cors).answer(exchange.request.head.origin)) headers.push(part)
}

function refused(exchange: Exchange, refusal: Refusal, cors: Cors): Outbound {
  const { shown } = exchange.route
  if (shown !== undefined) {
    const page = shown(refusal, exchange.id, exchange.request.head.acceptLanguage)
    pushRefusalFields(page.headers, exchange, refusal)
    pushHouseFields(page.headers, exchange, cors)
    return exchange.request.method === 'HEAD' ? { ...page, body: undefined } : page
  }
  const body = Buffer.from(`${JSON.stringify(problemOf(refusal, exchange.id))}\n`)
  const headers = [
    'Content-Type',
    problemMediaType,
    'Content-Length',
    String(body.byteLength),
    'Cache-Control',
    'no-store',
  ]
  pushRefusalFields(headers, exchange, refusal)
  pushHouseFields(headers, exchange, cors)
  return {
    status: catalogue[refusal.code].status,
    headers,
    body: exchange.request.method === 'HEAD' ? undefined : body,
  }
}

function pushRefusalFields(headers: string[], exchange: Exchange, refusal: Refusal): void {
  if (refusal.retryAfterMs !== undefined)
    headers.push('Retry-After', String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000))))
  if (refusal.headers !== undefined) headers.push(...refusal.headers)
  // After bytes that could be read in two ways, nobody knows where the next request begins (RFC 9112 §6.3).
  if (exchange.request.head.problem !== undefined) headers.push('Connection', 'close')
}

/**
 * TR5: `Reset` is a moment in seconds since the epoch, `Window` a length in seconds; and the same in the words of the IETF
 * (draft-ietf-httpapi-ratelimit-headers-10).
 */
function pushLimitFields(headers: string[], allowance: Allowance, nowMs: number): void {
  const { limit } = allowance
  // biome-ignore format: a table of name and value
  headers.push(
    'X-RateLimit-Limit', String(limit.limit),
    'X-RateLimit-Remaining', String(allowance.remaining),
    'X-RateLimit-Reset', String(Math.ceil((nowMs + allowance.resetMs) / 1000)),
    'X-RateLimit-Window', String(Math.ceil(limit.windowMs / 1000)),
    'X-RateLimit-Type', limit.name,
    'RateLimit-Policy', limit.algorithm === 'concurrency'
      ? `"${limit.name}";q=${limit.limit};qu="concurrent-requests"`
      : `"${limit.name}";q=${limit.limit};w=${Math.ceil(limit.windowMs / 1000)}`,
    'RateLimit', `"${limit.name}";r=${allowance.remaining};t=${Math.ceil(allowance.resetMs / 1000)}`,
  )
}
