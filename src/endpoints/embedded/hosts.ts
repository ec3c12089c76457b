import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/** What Express and Connect call with a request. */
export type NodeMiddleware<Request extends IncomingMessage = IncomingMessage> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** As much of Fastify as the plugin touches. */
export interface FastifyApp {
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
  addHook(
    name: 'onError',
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, error: unknown, next: () => void) => void,
  ): unknown
}

export interface FastifyRequestLike {
  readonly raw: IncomingMessage
}

export interface FastifyReplyLike {
  readonly raw: ServerResponse
  header(name: string, value: string): unknown
  code(status: number): unknown
  send(payload: unknown): unknown
  hijack(): unknown
}

export type FastifyPlugin = (app: never, options: unknown, done: (error?: Error) => void) => void

/** How Fastify reads paths, where it was told before version 5 and since. */
interface FastifyReading {
  readonly caseSensitive?: boolean | undefined
  readonly ignoreTrailingSlash?: boolean | undefined
  readonly useSemicolonDelimiter?: boolean | undefined
}

/** As much of Hono's context as the middleware touches. */
export interface HonoContext {
  readonly req: { raw: Request }
  /** On Node, it holds the request of `node:http` (see `HonoOnNode`). */
  readonly env?: unknown
  res: Response | undefined
  /** What a handler threw, and Hono answered. */
  readonly error?: Error | undefined
}

export interface HonoOnNode {
  readonly incoming?: { readonly socket?: Socket | undefined } | undefined
}
