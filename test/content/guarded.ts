import assert from 'node:assert/strict'
import type { IncomingHttpHeaders, RequestListener } from 'node:http'
import type { TestContext } from 'node:test'
import type { AuditEvent } from '../../src/audit/event.ts'
import { recorded } from '../../src/cli/recorded-events.ts'
import type { Config } from '../../src/config/settings.ts'
import { startHouse, startUpstream, type TestHouse } from '../support/house.ts'

/** A request as it reached the upstream. */
export interface Reached {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Guarded extends TestHouse {
  /** What has reached the upstream, in order. */
  readonly reached: Reached[]
  /** Sends a request, and says what came of it: also what of it reached the upstream, since nothing else was asked meanwhile. */
  ask(path: string, init?: RequestInit & { readonly duplex?: 'half' }): Promise<Outcome>
  /** What the record holds of a request. */
  eventOf(requestId: string): Promise<AuditEvent>
}

export interface Outcome {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The problem document, where it is one. */
  readonly problem: Problem
  /** What reached the upstream; undefined where nothing did. */
  readonly seen: Reached | undefined
  readonly id: string
}

export interface Problem {
  readonly code?: string
  readonly detail?: string
  readonly findings?: readonly { readonly in: string; readonly at: string; readonly what: string }[]
  readonly errors?: Readonly<Record<string, readonly string[]>>
  readonly invalid?: readonly Readonly<Record<string, unknown>>[]
}

type RouteConfig = NonNullable<Config['routes']>[number]

/** Anything goes, on a public route to the upstream. */
export function route(path: string, more: Partial<RouteConfig> = {}): RouteConfig {
  return { path, access: 'public', to: 'api', ...more } as RouteConfig
}

/** A house before an upstream that answers by `answer`, or with `ok`. */
export async function startGuarded(
  context: TestContext | Parameters<typeof startHouse>[0],
  config: Partial<Config>,
  { answer, ...options }: { readonly answer?: RequestListener } & Parameters<typeof startHouse>[2] = {},
): Promise<Guarded> {
  const reached: Reached[] = []
  const upstream = await startUpstream(context as TestContext, (request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      reached.push({ method, url, headers, body: Buffer.concat(chunks) })
      if (answer !== undefined) answer(request, response)
      else response.end('ok')
    })
  })
  const house = await startHouse(
    context as TestContext,
    { upstreams: { api: upstream.url }, limits: false, shield: { load: false }, ...config } as Config,
    options,
  )
  return {
    ...house,
    reached,
    async ask(path, init) {
      const before = reached.length
      const response = await fetch(`${house.url}${path}`, init)
      const text = await response.text()
      const isProblem = response.headers.get('content-type') === 'application/problem+json'
      return {
        status: response.status,
        headers: response.headers,
        text,
        problem: isProblem ? (JSON.parse(text) as Problem) : {},
        seen: reached[before],
        id: response.headers.get('x-request-id') ?? '',
      }
    },
    async eventOf(requestId) {
      for (let tries = 0; tries < 100; tries++) {
        await house.house.audit.flush()
        for await (const { event } of recorded(house.house, 0)) if (event.request_id === requestId) return event
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      throw new Error(`nothing is recorded of ${requestId}`)
    },
  }
}

export function json(value: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  }
}

/** A body of another type, or of none. */
export function sent(body: string | Uint8Array, contentType?: string): RequestInit {
  return {
    method: 'POST',
    headers: contentType === undefined ? {} : { 'content-type': contentType },
    body: Buffer.from(body as string), // bytes, so that `fetch` gives it no type
  }
}

/** A form of parts, as browsers write it. */
export function multipart(
  parts: readonly {
    readonly name: string
    readonly head?: string
    readonly filename?: string
    readonly body: string | Uint8Array
  }[],
): RequestInit {
  const pieces = parts.flatMap(({ name, head, filename, body }) => [
    Buffer.from(
      `--frontier\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n${head ?? ''}\r\n`,
    ),
    Buffer.from(body as string),
    Buffer.from('\r\n'),
  ])
  return sent(Buffer.concat([...pieces, Buffer.from('--frontier--\r\n')]), 'multipart/form-data; boundary=frontier')
}

/** It was refused by this code, and nothing of it reached anybody. */
export function assertRefused({ status, problem, seen }: Outcome, expected: number, code: string): void {
  assert.deepEqual([status, problem.code], [expected, code], JSON.stringify(problem))
  assert.equal(seen, undefined, 'nothing reaches the upstream')
}
