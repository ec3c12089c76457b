import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { Principal } from '../authn/principal.ts'
import type { DecisionPoint } from '../authz/decision.ts'
import { refusalOf, termsOf } from '../gate/denial.ts'
import type { Exchange } from '../gate/exchange.ts'
import type { Gate, Passage } from '../gate/gate.ts'
import { inboundOfFetch, responseOf } from '../http/fetch.ts'
import { deliver, inboundOf } from '../http/node.ts'
import { certificateOfSocket, type PeerCertificate } from '../http/peer-certificate.ts'
import type { PathReading } from '../http/router.ts'
import { catalogue } from '../kernel/error.ts'
import { problemMediaType, problemOf } from '../wire/problem.ts'

/** What a handler behind the gate may know of its request. */
export interface Visit {
  readonly requestId: string
  readonly principal: Principal
  /** The body, parsed and checked, where the route has a schema. */
  readonly input: unknown
}

/** The gate inside somebody else's server: the same stages, and `forward` is the host's own `next`. */
export interface Embedded {
  /** Middleware for Express, Connect and every server that speaks `(request, response, next)`. */
  express(): (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void
  /** A plugin: `app.register(house.fastify)`. */
  readonly fastify: FastifyPlugin
  /** Middleware: `app.use(house.hono())`. */
  hono(): (context: HonoContext, next: () => Promise<void>) => Promise<Response | undefined>
  /** Stands before a fetch handler: `Bun.serve`, `Deno.serve`, a service worker. `peer` is the caller's address. */
  fetch(
    handler: (request: Request, visit: Visit) => Response | Promise<Response>,
  ): (request: Request, peer?: string) => Promise<Response>
  /** Express middleware for one handler: it lets on who holds the permission. */
  require(
    permission: string,
  ): (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void
  /** Who asks, on a request that has passed the gate. */
  visit(request: object): Visit | undefined
}

export function embed(gate: Gate, decisions: DecisionPoint): Embedded {
  const visits = new WeakMap<object, Visit>()
  const passages = new WeakMap<object, Passage>()

  return {
    express: () => (request, response, next) => {
      const { originalUrl } = request as { originalUrl?: string }
      takeNode(request, response, { url: originalUrl, reading: 'loose' }, (passage) => {
        for (const [name, value] of fieldsOf(passage)) response.appendHeader(name, value)
        if (passage.exchange.payload !== undefined)
          Object.assign(request, { body: bodyOf(passage.exchange), _body: true })
        next()
      })
    },

    fastify: Object.assign(
      (app: FastifyApp, _options: unknown, done: (error?: Error) => void): void => {
        const { routerOptions, ...options } = app.initialConfig ?? {}
        const { caseSensitive, ignoreTrailingSlash, useSemicolonDelimiter } = { ...options, ...routerOptions }
        if (useSemicolonDelimiter === true)
          return done(new Error('the gate reads `;` as part of the path: Fastify must not `useSemicolonDelimiter`'))
        const reading = caseSensitive === false || ignoreTrailingSlash === true ? 'loose' : 'exact'
        app.addHook('onRequest', (request, reply, next) => {
          const passed = (passage: Passage): void => {
            for (const [name, value] of fieldsOf(passage)) reply.header(name, value)
            visits.set(request, visitOfExchange(passage.exchange))
            payloads.set(request.raw, passage.exchange.payload)
            next()
          }
          takeNode(request.raw, reply.raw, { url: undefined, reading }, passed, () => reply.hijack())
        })
        app.addHook('preParsing', (request, _reply, payload, next) => {
          const read = payloads.get(request.raw)
          next(
            null,
            read === undefined
              ? payload
              : Object.assign(Readable.from([read]), { receivedEncodedLength: read.byteLength }),
          )
        })
        done()
      },
      { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'gatehouse' } as const,
    ),

    hono: () => async (context, next) => {
      const request = context.req.raw
      const socket = context.env?.incoming?.socket
      const passage = await takeFetch(request, socket?.remoteAddress ?? '', socket && certificateOfSocket(socket))
      if (ours(passage)) return responseOf(passage.outbound, passage.finish)
      const passed = unread(request, passage)
      context.req.raw = passed
      visits.set(passed, visitOfExchange(passage.exchange))
      try {
        await next()
      } catch (error) {
        passage.finish({ bytes: 0, whole: false }, 500)
        throw error
      }
      layOver(context.res.headers, passage)
      passage.finish({ bytes: Number(context.res.headers.get('content-length') ?? 0), whole: true }, context.res.status)
      return undefined
    },

    fetch:
      (handler) =>
      async (request, peer = '') => {
        const passage = await takeFetch(request, peer)
        if (ours(passage)) return responseOf(passage.outbound, passage.finish)
        const visit = visitOfExchange(passage.exchange)
        const passed = unread(request, passage)
        visits.set(passed, visit)
        let answer: Response
        try {
          answer = await handler(passed, visit)
        } catch (error) {
          passage.finish({ bytes: 0, whole: false }, 500)
          throw error
        }
        const response = new Response(answer.body, answer)
        layOver(response.headers, passage)
        passage.finish({ bytes: Number(response.headers.get('content-length') ?? 0), whole: true }, response.status)
        return response
      },

    require: (permission) => (request, response, next) => {
      const passage = passages.get(request)
      if (passage === undefined)
        return next(new Error('`require` stands behind the gate: use `app.use(house.express())` first'))
      const {
        exchange,
        plan: { rooms },
      } = passage
      const ofClients = termsOf(exchange, rooms)
      const decision = decisions.decide({ principal: exchange.principal, permission, ofClients })
      if (decision.effect === 'permit') return next()
      const refusal = refusalOf(decision, exchange, rooms)
      exchange.refusal = refusal // so that it is recorded as what it is
      const { headers = [] } = refusal
      for (let at = 0; at < headers.length; at += 2)
        response.appendHeader(headers[at] as string, headers[at + 1] as string)
      response.writeHead(catalogue[refusal.code].status, {
        'content-type': problemMediaType,
        'cache-control': 'no-store',
      })
      response.end(JSON.stringify(problemOf(refusal, exchange.id)))
    },

    visit: (request) => visits.get(request),
  }

  /** Lets a request of `node:http` through to `passed`, or answers it here. */
  function takeNode(
    request: IncomingMessage,
    response: ServerResponse,
    { url, reading }: { readonly url: string | undefined; readonly reading: PathReading },
    passed: (passage: Passage) => void,
    answered: () => void = () => {},
  ): void {
    gate.handle(inboundOf(request, undefined, url, undefined, reading), (passage) => {
      if (ours(passage)) {
        answered()
        return deliver(response, passage.outbound, (delivered) => passage.finish(delivered))
      }
      visits.set(request, visitOfExchange(passage.exchange))
      passages.set(request, passage)
      response.once('close', () => {
        passage.finish(
          { bytes: Number(response.getHeader('content-length') ?? 0), whole: response.writableFinished },
          response.statusCode,
        )
      })
      passed(passage)
    })
  }

  function takeFetch(request: Request, peer: string, certificate?: PeerCertificate): Promise<Passage> {
    return new Promise((resolve) => gate.handle(inboundOfFetch(request, peer, certificate), resolve))
  }
}

/** Whether the gate itself answers: it refused, or the path is one of its own. */
function ours({ exchange }: Passage): boolean {
  return exchange.refusal !== undefined || exchange.answer !== undefined
}

/** The request as the host would have had it: a body that the gate has read is there to be read again. */
function unread(request: Request, { exchange: { payload } }: Passage): Request {
  if (payload === undefined) return request
  const { url, method, headers } = request
  return new Request(url, { method, headers, body: payload as Uint8Array<ArrayBuffer> })
}

function visitOfExchange({ id, principal, input }: Exchange): Visit {
  return { requestId: id, principal, input }
}

/** What was read of a body: as the schema of the route left it; without a schema the bytes, as `express.raw()` gives them. */
function bodyOf({ input, payload }: Exchange): unknown {
  return input === undefined && payload !== undefined ? Buffer.from(payload) : input
}

/** The house's fields win over the host's own of the same name; `Vary` adds up. */
function layOver(headers: Headers, passage: Passage): void {
  for (const [name, value] of fieldsOf(passage)) {
    if (name === 'Vary') headers.append(name, value)
    else headers.set(name, value)
  }
}

function* fieldsOf({ outbound: { headers } }: Passage): Generator<readonly [string, string]> {
  for (let at = 0; at < headers.length; at += 2) yield [headers[at] as string, headers[at + 1] as string]
}

/** Bodies that the gate has read, for a host that parses them again. */
const payloads = new WeakMap<object, Uint8Array | undefined>()

/** As much of Fastify as the plugin touches. */
interface FastifyApp {
  readonly initialConfig?: (FastifyReading & { readonly routerOptions?: FastifyReading | undefined }) | undefined
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, next: () => void) => void,
  ): unknown
  addHook(
    name: 'preParsing',
    hook: (
      request: FastifyRequestLike,
      reply: FastifyReplyLike,
      payload: Readable,
      next: (error: null, payload: Readable) => void,
    ) => void,
  ): unknown
}

interface FastifyRequestLike {
  readonly raw: IncomingMessage
}

interface FastifyReplyLike {
  readonly raw: ServerResponse
  header(name: string, value: string): unknown
  hijack(): unknown
}

type FastifyPlugin = (app: never, options: unknown, done: (error?: Error) => void) => void

/** How Fastify reads paths, where it was told before version 5 and since. */
interface FastifyReading {
  readonly caseSensitive?: boolean | undefined
  readonly ignoreTrailingSlash?: boolean | undefined
  readonly useSemicolonDelimiter?: boolean | undefined
}

/** As much of Hono's context as the middleware touches. */
interface HonoContext {
  readonly req: { raw: Request }
  readonly env?:
    | { readonly incoming?: { readonly socket?: { readonly remoteAddress?: string | undefined } } }
    | undefined
  readonly res: Response
}
