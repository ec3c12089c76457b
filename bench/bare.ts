// The yardstick: what a proxy costs with `node:http` and `undici` when it checks nothing at all. It has the server
// options and the upstream options of Gatehouse, streams with back-pressure, and writes a short answer in one piece.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Dispatcher, Pool } from 'undici'

const { BENCH_PORT: port, BENCH_UPSTREAM: upstream } = process.env
if (port === undefined || upstream === undefined)
  throw new Error('expected BENCH_PORT and BENCH_UPSTREAM in the environment')

const pool = new Pool(upstream, {
  connections: 256,
  pipelining: 1,
  allowH2: false,
  keepAliveTimeout: 4_000,
  keepAliveMaxTimeout: 600_000,
})

createServer(
  {
    headersTimeout: 10_000,
    requestTimeout: 300_000,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 2_000,
    noDelay: true,
  },
  proxy,
).listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })

function proxy(request: IncomingMessage, response: ServerResponse): void {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  pool.dispatch(
    {
      method: request.method as Dispatcher.HttpMethod,
      path: request.url ?? '/',
      headers: endToEnd(request.rawHeaders),
      body: hasBody ? request : null,
    },
    new Answer(response),
  )
}

/** One answer on its way from the upstream to the client. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  #controller: Dispatcher.DispatchController | undefined
  #bytesExpected = -1

  constructor(response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#response.destroyed) controller.abort(clientLeft)
    else this.#response.once('close', this.#closed)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return
    const fields = (controller.rawHeaders as Buffer[]).map((part) => part.toString('latin1'))
    this.#bytesExpected = Number(fieldOf(fields, 'content-length') ?? -1)
    this.#response.writeHead(status, endToEnd(fields))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (chunk.byteLength === this.#bytesExpected) this.#response.end(chunk)
    else if (!this.#response.write(chunk)) {
      controller.pause()
      this.#response.once('drain', this.#drained)
    }
  }

  onResponseEnd(): void {
    if (!this.#response.writableEnded) this.#response.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#response.headersSent) this.#response.destroy(error)
    else this.#response.writeHead(502).end()
  }

  readonly #drained = (): void => this.#controller?.resume()

  readonly #closed = (): void => {
    if (!this.#response.writableFinished) this.#controller?.abort(clientLeft)
  }
}

const clientLeft = new Error('the client closed the connection')

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
])

function endToEnd(fields: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < fields.length; at += 2) {
    if (!hopByHop.has((fields[at] as string).toLowerCase())) kept.push(fields[at] as string, fields[at + 1] as string)
  }
  return kept
}

function fieldOf(fields: readonly string[], name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) if ((fields[at] as string).toLowerCase() === name) return fields[at + 1]
  return undefined
}
