import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { Principal } from '../../authn/principal.ts'
import type { Exchange } from '../../gate/exchange.ts'
import { flowing, overhear } from '../../gate/flowing.ts'
import type { Gate, Passage } from '../../gate/gate.ts'
import { inboundOfFetch, responseOf } from '../../http/fetch.ts'
import { deliver, inboundOf } from '../../http/node.ts'
import { certificateOfSocket, type PeerCertificate } from '../../http/peer-certificate.ts'
import { pairs } from '../../http/raw-headers.ts'
import type { PathReading } from '../../http/router.ts'
import { catalogue, type Refusal } from '../../kernel/error.ts'
import { problemMediaType, problemOf } from '../../wire/problem.ts'
import { leave } from '../http1-door.ts'
import { type ContentFunctions, contentFunctionsOf } from './content-functions.ts'
import { type FunctionParts, type Functions, functionsOf } from './functions.ts'
import { guard, type ResourceOf, thrownRefusal } from './handler-guard.ts'
import { withFields } from './host-answer.ts'
import type {
  FastifyApp,
  FastifyPlugin,
  FastifyReplyLike,
  FastifyRequestLike,
  HonoContext,
  HonoOnNode,
  NodeMiddleware,
} from './hosts.ts'
import { parsedBody } from './parsed-body.ts'
import { peerOf, type Whence } from './peer.ts'
import { type SandboxFunctions, sandboxFunctionsOf } from './sandbox-functions.ts'

/** What a handler behind the gate may know of its request. */
export interface Visit {
  readonly requestId: string
  readonly principal: Principal
  /** The body, parsed and checked, where the route has a schema. */
  readonly input: unknown
}

/** The gate inside somebody else's server: the same stages, and `forward` is the host's own `next`. */
export interface Embedded extends Functions {
  /** Middleware for Express, Connect and every server that speaks `(request, response, next)`. */
  express(): NodeMiddleware
  /** A plugin: `app.register(house.fastify)`; and guards of handlers: `{ preHandler: house.fastify.require('chat:basic') }`. */
  readonly fastify: FastifyPlugin & {
    require<Request = FastifyRequestLike>(
      permission: string,
      resourceOf?: ResourceOf<Request>,
    ): (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>
  }
  /** Middleware: `app.use(house.hono())`; and for one handler: `app.get('/chat', house.hono.require('chat:basic'), …)`. */
  readonly hono: (() => HonoMiddleware) & {
    require<Context = HonoContext>(permission: string, resourceOf?: ResourceOf<Context>): HonoMiddleware
  }
  /**
   * Stands before a fetch handler: `Bun.serve`, `Deno.serve`, a server of your own. `whence` says who asks: the caller's address, or what
   * those two hand over. What the
   * handler's `house.authorize(…)` refuses is answered here.
   */
  fetch(
    handler: (request: Request, visit: Visit) => Response | Promise<Response>,
  ): (request: Request, whence: Whence) => Promise<Response>
  /**
   * Express middleware for one handler: it lets on who holds the permission, and, where it says what the request is about,
   * whom that belongs to and whom its policies permit.
   */
  require<Request extends IncomingMessage>(
    permission: string,
    resourceOf?: ResourceOf<Request>,
  ): NodeMiddleware<Request>
  /** Express middleware that comes last: what `house.authorize(…)` refused in a handler is answered as the gate answers. */
  refused(error: unknown, request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void
  /** What the house knows of texts, for texts that come another way than through the gate. */
  readonly inspection: ContentFunctions
  /** Runs code that nobody has to trust. */
  readonly sandbox: SandboxFunctions
  /** Who asks, on a request that has passed the gate. */
  visit(request: object): Visit | undefined
}

type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<Response | undefined>

export function embed(gate: Gate, parts: FunctionParts): Embedded {
  const { grounds } = parts
  const visits = new WeakMap<object, Visit>()
  const passages = new WeakMap<object, Passage>()

  return {
    express: () => (request, response, next) => {
      const { originalUrl } = request as { originalUrl?: string }
      takeNode(request, response, { url: originalUrl, reading: 'loose' }, (passage) => {
        for (const [name, value] of fieldsOf(passage)) response.appendHeader(name, value)
        if (passage.exchange.payload !== undefined) {
          retold(request, passage.exchange)
          Object.assign(request, { body: bodyOf(passage.exchange), _body: true })
        }
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
            if (passage.exchange.payload !== undefined) retold(request.raw, passage.exchange)
            payloads.set(request.raw, passage.exchange.payload)
            next()
          }
          takeNode(request.raw, reply.raw, { url: undefined, reading }, passed, () => reply.hijack())
        })
        app.addHook('onError', (request, _reply, error, next) => {
          const passage = passages.get(request.raw)
          if (passage !== undefined) thrownRefusal(error, passage)
          next()
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
      {
        [Symbol.for('skip-override')]: true,
        [Symbol.for('fastify.display-name')]: 'gatehouse',
        require:
          <Request>(permission: string, resourceOf?: ResourceOf<Request>) =>
          async (request: FastifyRequestLike, reply: FastifyReplyLike): Promise<unknown> => {
            const passage = passageOf(request.raw, 'app.register(house.fastify)')
            const refusal = await guard(
              passage,
              permission,
              grounds(),
              resourceOf && (() => resourceOf(request as Request)),
            )
            if (refusal === undefined) return undefined
            const { status, headers, body } = answerOf(refusal, passage)
            reply.code(status)
            for (const [name, said] of Map.groupBy(headers, ([name]) => name))
              reply.header(name, said.map(([, value]) => value).join(', '))
            reply.send(body)
            return reply
          },
      } as const,
    ),

    hono: Object.assign(() => hono, {
      require:
        <Context>(permission: string, resourceOf?: ResourceOf<Context>) =>
        async (context: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
          const passage = passageOf(context.req.raw, 'app.use(house.hono())')
          const refusal = await guard(
            passage,
            permission,
            grounds(),
            resourceOf && (() => resourceOf(context as Context)),
          )
          if (refusal !== undefined) return answerAsFetch(refusal, passage)
          await next()
          return undefined
        },
    }),

    fetch: (handler) => async (request, whence) => {
      const passage = await takeFetch(request, peerOf(request, whence))
      if (ours(passage)) return responseOf(passage.outbound, passage.finish)
      const visit = visitOfExchange(passage.exchange)
      const passed = unread(request, passage)
      visits.set(passed, visit)
      let answer: Response
      try {
        answer = await handler(passed, visit)
      } catch (error) {
        const refusal = thrownRefusal(error, passage)
        if (refusal === undefined) {
          passage.finish({ bytes: 0, whole: false }, 500)
          throw error
        }
        answer = answerAsFetch(refusal, passage)
      }
      return withFields(answer, request, passage)
    },

    require: (permission, resourceOf) => (request, response, next) => {
      const passage = passages.get(request)
      if (passage === undefined) return next(standsAlone('app.use(house.express())'))
      const outcome = guard(passage, permission, grounds(), resourceOf && (() => resourceOf(request)))
      const settle = (refusal: Refusal | undefined): void => {
        if (isAnswered(response)) return
        if (refusal === undefined) next()
        else answerAsNode(refusal, passage, response)
      }
      if (outcome instanceof Promise) void outcome.then(settle, next)
      else settle(outcome)
    },

    refused(error, request, response, next) {
      const passage = passages.get(request)
      const refusal = passage && thrownRefusal(error, passage)
      if (passage === undefined || refusal === undefined || response.headersSent) return next(error)
      answerAsNode(refusal, passage, response)
    },

    visit: (request) => visits.get(request),
    inspection: contentFunctionsOf(parts.content),
    sandbox: sandboxFunctionsOf(parts.codeRuns),
    ...functionsOf(parts),
  }

  async function hono(context: HonoContext, next: () => Promise<void>): Promise<Response | undefined> {
    const request = context.req.raw
    const socket = (context.env as HonoOnNode | undefined)?.incoming?.socket
    const passage = await takeFetch(request, peerOf(request, context.env), socket && certificateOfSocket(socket))
    if (ours(passage)) return responseOf(passage.outbound, passage.finish)
    const passed = unread(request, passage)
    context.req.raw = passed
    visits.set(passed, visitOfExchange(passage.exchange))
    passages.set(passed, passage)
    try {
      await next()
    } catch (error) {
      passage.finish({ bytes: 0, whole: false }, 500)
      throw error
    }
    thrownRefusal(context.error, passage)
    const answer = context.res as Response
    const response = withFields(answer, request, passage)
    if (response === answer) return undefined
    context.res = undefined // or else the fields of the old one are laid over the new one
    context.res = response
    return undefined
  }

  function passageOf(request: object, first: string): Passage {
    const passage = passages.get(request)
    if (passage === undefined) throw standsAlone(first)
    return passage
  }

  /** Lets a request of `node:http` through to `passed`, or answers it here. */
  function takeNode(
    request: IncomingMessage,
    response: ServerResponse,
    { url, reading }: { readonly url: string | undefined; readonly reading: PathReading },
    passed: (passage: Passage) => void,
    answered: () => void = () => {},
  ): void {
    let concluded = false
    response.once('close', () => {
      if (!concluded) leave(exchange)
    })
    const exchange = gate.handle(inboundOf(request, undefined, url, undefined, reading), (passage) => {
      concluded = true
      const late = isAnswered(response)
      if (late || ours(passage)) {
        if (!late) answered()
        const status = late ? response.statusCode : undefined
        return deliver(response, passage.outbound, (delivered) => passage.finish(delivered, status))
      }
      visits.set(request, visitOfExchange(passage.exchange))
      passages.set(request, passage)
      overhear(passage.exchange)
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
    return new Promise((resolve) => {
      const onAbort = (): void => leave(exchange)
      request.signal.addEventListener('abort', onAbort, { once: true })
      const exchange = gate.handle(inboundOfFetch(request, peer, certificate), (passage) => {
        request.signal.removeEventListener('abort', onAbort)
        resolve(passage)
      })
    })
  }
}

function standsAlone(first: string): Error {
  return new Error(`\`require\` stands behind the gate: use \`${first}\` first`)
}

/** A refusal of a handler's guard, as the gate would answer it. */
function answerOf(
  refusal: Refusal,
  { exchange }: Passage,
): { readonly status: number; readonly headers: readonly (readonly [string, string])[]; readonly body: string } {
  const { headers = [] } = refusal
  return {
    status: catalogue[refusal.code].status,
    headers: [...pairs(headers), ['content-type', problemMediaType], ['cache-control', 'no-store']],
    body: `${JSON.stringify(problemOf(refusal, exchange.id))}\n`,
  }
}

function answerAsNode(refusal: Refusal, passage: Passage, response: ServerResponse): void {
  const { status, headers, body } = answerOf(refusal, passage)
  for (const [name, value] of headers) {
    if (name === 'content-type' || name === 'cache-control') response.setHeader(name, value)
    else response.appendHeader(name, value)
  }
  response.statusCode = status
  response.end(body)
}

function answerAsFetch(refusal: Refusal, passage: Passage): Response {
  const { status, headers, body } = answerOf(refusal, passage)
  return new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) })
}

/** Whether nobody waits any more: the host has answered by itself, after a timeout of its own for one, or the caller has left. */
function isAnswered(response: ServerResponse): boolean {
  return response.headersSent || response.destroyed
}

/** Whether the gate itself answers: it refused, or the path is one of its own. */
function ours({ exchange }: Passage): boolean {
  return exchange.refusal !== undefined || exchange.answer !== undefined
}

/** The request as the host would have had it: a body that the gate has read is there to be read again. */
function unread(request: Request, { exchange }: Passage): Request {
  const { payload, payloadType } = exchange
  const { url, method, headers: given, signal } = request
  if (payload !== undefined) {
    const headers = new Headers(given)
    if (headers.has('content-length')) headers.set('content-length', String(payload.byteLength))
    if (payloadType !== undefined) headers.set('content-type', payloadType)
    return new Request(url, { method, headers, signal, body: payload as Uint8Array<ArrayBuffer> })
  }
  const body = flowing(exchange)
  if (body === undefined) return request
  return new Request(url, {
    method,
    headers: given,
    signal,
    body: Readable.toWeb(body) as ReadableStream,
    duplex: 'half',
  })
}

/** What a host reads of the length and the type of a body is true of the body that it gets. */
function retold(request: IncomingMessage, { payload, payloadType }: Exchange): void {
  const { headers } = request
  if (headers['content-length'] !== undefined) headers['content-length'] = String(payload?.byteLength ?? 0)
  if (payloadType !== undefined) headers['content-type'] = payloadType
}

function visitOfExchange({ id, principal, input }: Exchange): Visit {
  return { requestId: id, principal, input }
}

/**
 * What was read of a body: as the schema of the route left it. Without one, where it was read to be looked into, as Express's own
 * parsers give it; where a signature was asked for, the bytes.
 */
function bodyOf({ input, payload, payloadType, request, route }: Exchange): unknown {
  if (input !== undefined || payload === undefined) return input
  return route.signature === undefined
    ? parsedBody(payload, payloadType ?? request.head.contentType)
    : Buffer.from(payload)
}

function fieldsOf({ outbound: { headers } }: Passage): Generator<readonly [string, string]> {
  return pairs(headers)
}

/** Bodies that the gate has read, for a host that parses them again. */
const payloads = new WeakMap<object, Uint8Array | undefined>()
