import { createServer, type IncomingMessage, type Server, type ServerOptions, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Exchange } from '../gate/exchange.ts'
import type { Gate, Passage } from '../gate/gate.ts'
import type { Inbound } from '../http/message.ts'
import { deliver, inboundOf, unreadable } from '../http/node.ts'
import { parseTarget } from '../http/target.ts'
import { systemClock } from '../kernel/clock.ts'
import { type Code, catalogue, Fault } from '../kernel/error.ts'
import { silent } from '../kernel/log.ts'
import type { ListenOptions } from './options.ts'
import { TlsDoor, type TlsParts } from './tls-door.ts'

/** A socket that takes requests to the gate. */
export interface Listener {
  readonly host: string
  readonly port: number
  readonly protocol: 'http' | 'https'
  /** Reads certificates, key and authorities again; rejects with a `Fault` where they are not in order, and the old ones stay. */
  reloadTls(): Promise<void>
  /** Takes no new connections, waits for what is on its way, and after `graceMs` cuts off the rest. */
  close(graceMs: number): Promise<void>
}

/** Opens the socket. `parts` are for TLS: what it logs, and where the passphrase of its key is. */
export async function listen(gate: Gate, options: ListenOptions, parts: Partial<TlsParts> = {}): Promise<Listener> {
  const { clock = systemClock, log = silent, environment = {} } = parts
  const http = serverOptions(gate, options)
  const tls = options.tls && new TlsDoor(options.tls, http, { clock, log, environment })
  const server = tls?.server ?? createServer(http)
  server.maxHeadersCount = 100
  server.maxRequestsPerSocket = 0
  server.maxConnections = options.connections
  server.on('request', (request, response) => take(request, response, gate, tls))
  server.on('checkContinue', (request, response) => take(request, response, gate, tls, () => response.writeContinue()))
  server.on('checkExpectation', (request, response) => take(request, response, gate, tls))
  const switched = new Set<Duplex>() // sockets that have left HTTP, and that the server no longer knows
  server.on('upgrade', (request, socket, first) => {
    switched.add(socket)
    socket.once('close', () => switched.delete(socket))
    takeUpgrade(request, socket, first, gate, tls)
  })
  server.on('connect', (request, socket) => takeUpgrade(request, socket, Buffer.alloc(0), gate, tls))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) =>
    refuseUnreadable(error, socket as Socket, gate),
  )
  tls?.onRetire((socket) => retire(socket, switched))
  try {
    await bind(server, options)
  } catch (error) {
    tls?.close()
    throw error
  }
  const { port } = server.address() as AddressInfo
  return {
    host: options.host,
    port,
    protocol: tls === undefined ? 'http' : 'https',
    reloadTls: async () => tls?.reload(),
    close: async (graceMs) => {
      tls?.close()
      await closeGently(server, switched, gate, graceMs, tls)
    },
  }
}

function serverOptions(gate: Gate, options: ListenOptions): ServerOptions {
  return {
    // Node's defaults are made for applications; these are for whoever stands outside (INVARIANTS C, "Server settings").
    headersTimeout: options.headersTimeout,
    requestTimeout: options.requestTimeout,
    keepAliveTimeout: options.keepAliveTimeout,
    connectionsCheckingInterval: 2_000,
    maxHeaderSize: 16_384,
    insecureHTTPParser: false,
    requireHostHeader: false, // the gate refuses a missing Host itself, with the fields that every refusal carries
    joinDuplicateHeaders: false,
    noDelay: true,
    shouldUpgradeCallback: (request: IncomingMessage) => wantsTunnel(request, gate),
  }
}

function bind(server: Server, { port, host }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE' ? 'something else listens there; choose another with --port' : error.message
      reject(new Fault('unavailable', `cannot listen on ${host}:${port}: ${why}`, error))
    })
    server.listen({ port, host, backlog: 4096 }, () => resolve())
  })
}

/** The newest request that a socket waits to have answered, and whether others wait before it (pipelining). */
const busy = new WeakMap<object, Waiting>()

interface Waiting {
  readonly exchange: Exchange
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly behindOthers: boolean
}

function take(
  request: IncomingMessage,
  response: ServerResponse,
  gate: Gate,
  tls: TlsDoor | undefined,
  proceed?: () => void,
): void {
  let concluded = false
  const inbound = inboundOf(request, proceed, request.url, tls?.certificateOf(request.socket))
  if (tls?.isRetired(request.socket) === true) response.shouldKeepAlive = false
  const exchange = gate.handle(inbound, (passage) => {
    concluded = true
    send(request, response, passage)
  })
  if (concluded) return
  busy.set(request.socket, { exchange, request, response, behindOthers: busy.has(request.socket) })
  response.once('close', () => {
    if (!concluded) leave(exchange)
  })
}

/** Sockets that have had their last answer. */
const last = new WeakSet<object>()

function send(request: IncomingMessage, response: ServerResponse, passage: Passage): void {
  const { refusal, answer, route } = passage.exchange
  // A permit alone is no answer: here is no host behind the gate that would give one.
  if (refusal === undefined && answer === undefined)
    throw new Error(`\`${route.name}\` leads nowhere: it has no upstream`)
  const { socket } = response
  if (socket !== null && passage.exchange.request.head.problem !== undefined) last.add(socket)
  deliver(response, passage.outbound, (delivered) => {
    passage.finish(delivered)
    if (socket === null) return // it was closed before its answer
    if (busy.get(socket)?.response === response) busy.delete(socket)
    if (!request.complete) outlast(request, socket)
  })
}

/** Nobody waits for this answer any more. */
function leave(exchange: Exchange): void {
  exchange.left = true
  exchange.abandon?.(new Error('the client closed the connection'))
}

/** An answer that came before the body did: the caller gets time to read it, and then no more of the body is taken. */
function outlast(request: IncomingMessage, socket: Socket): void {
  const patience = setTimeout(() => socket.destroy(), 2_000)
  request.once('close', () => clearTimeout(patience))
}

function wantsTunnel(request: IncomingMessage, gate: Gate): boolean {
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') return false
  const target = parseTarget(request.url ?? '')
  return target.problem === undefined && gate.tunnels(request.method ?? '', target.path)
}

/** A request that may switch protocols. Refused or declined, it is answered like any other and the connection ends. */
function takeUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  first: Buffer,
  gate: Gate,
  tls: TlsDoor | undefined,
): void {
  socket.on('error', () => socket.destroy())
  const inbound = inboundOf(request, undefined, request.url, tls?.certificateOf(request.socket))
  const exchange = gate.handle(inbound, (passage) => {
    const { outbound } = passage
    if (outbound.tunnel === undefined) {
      const response = new ServerResponse(request)
      response.assignSocket(socket as Socket)
      response.shouldKeepAlive = false
      response.on('finish', () => socket.end())
      return send(request, response, passage)
    }
    join(socket, first, passage)
  })
  socket.once('close', () => leave(exchange))
}

/** Lets two sockets talk until either is done. */
function join(near: Duplex, first: Buffer, passage: Passage): void {
  const { outbound } = passage
  const far = outbound.tunnel?.socket as Duplex
  let head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
  for (let at = 0; at < outbound.headers.length; at += 2)
    head += `${outbound.headers[at]}: ${outbound.headers[at + 1]}\r\n`
  near.write(`${head}\r\n`)
  if (outbound.tunnel !== undefined && outbound.tunnel.first.length > 0) near.write(outbound.tunnel.first)
  if (first.length > 0) far.write(first)
  let bytes = 0
  far.on('data', (chunk: Buffer) => (bytes += chunk.length))
  far.pipe(near).pipe(far)
  const end = (whole = true): void => {
    clearInterval(watch)
    near.destroy()
    far.destroy()
    passage.finish({ bytes, whole })
  }
  // Whoever would not be let in any more does not go on (TK4, A56): nothing else would ever ask.
  const { exchange, plan } = passage
  const still = plan.vigil(exchange)
  let asking = false
  const ask = async (): Promise<void> => {
    if (asking || still === undefined) return
    asking = true
    const refusal = await still(exchange)
    asking = false
    if (refusal === undefined) return
    exchange.refusal ??= refusal // the record says why
    end(false)
  }
  const watch = still && setInterval(() => void ask(), watchEveryMs)
  watch?.unref()
  far.on('error', () => end())
  far.on('close', () => end())
  near.on('close', () => end())
}

/** How soon a WebSocket hears that its credential, a role or a policy is another one. */
const watchEveryMs = 1_000

/** Ends a connection whose client is trusted no more: after the answer that is on its way, or now. */
function retire(socket: Duplex, switched: ReadonlySet<Duplex>): void {
  if (switched.has(socket)) return void socket.destroy()
  const response = busy.get(socket)?.response
  if (response === undefined) return (socket as Socket).destroySoon()
  response.shouldKeepAlive = false // `Connection: close`, where the head is not out yet
  response.once('close', () => (socket as Socket).destroySoon())
}

/** What Node's parser could not read goes the way of any request, so that it is refused, counted and remembered alike. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket, gate: Gate): void {
  // What is wrong with TLS itself is not said in HTTP.
  const ofTls = error.code?.startsWith('ERR_SSL_') === true || error.code === 'EPROTO'
  if (error.code === 'ECONNRESET' || ofTls || !socket.writable) return void socket.destroy()
  const current = busy.get(socket)
  // Behind an answer that has begun, or that was the last one, nothing may follow: it would be read as part of it.
  if (current?.response.headersSent === true || last.has(socket)) return void socket.destroySoon()
  if (current?.request.complete === true || current?.behindOthers === true) {
    // The bytes are none of that request's: it is answered, and nothing after it.
    return void current.response.once('finish', () => socket.destroySoon())
  }
  if (current !== undefined) leave(current.exchange) // they are its body
  const inbound: Inbound = unreadable(socket, codeOf(error), detailOf(error))
  gate.handle(inbound, ({ outbound, finish }) => {
    const { status, headers, body } = outbound
    let text = `HTTP/1.1 ${status} ${catalogue[codeOf(error)].title}\r\nConnection: close\r\n`
    for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`
    socket.end(Buffer.concat([Buffer.from(`${text}\r\n`), body as Uint8Array]))
    finish({ bytes: (body as Uint8Array).byteLength, whole: true })
  })
}

function codeOf(error: NodeJS.ErrnoException): Code {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'headers-too-large'
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout'
  return 'bad-request'
}

function detailOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'the header fields exceed 16 KiB'
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'the request did not arrive whole in time'
  return 'the message is not well-formed HTTP/1.1'
}

async function closeGently(
  server: Server,
  switched: ReadonlySet<Duplex>,
  gate: Gate,
  graceMs: number,
  tls: TlsDoor | undefined,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const drained = gate.drain()
  let patience: NodeJS.Timeout | undefined
  await Promise.race([drained, new Promise((resolve) => (patience = setTimeout(resolve, graceMs)))])
  clearTimeout(patience)
  // Answers that have ended may still lie in a socket's buffer: closing idle connections lets them leave first.
  server.closeIdleConnections()
  const rest = setTimeout(() => {
    server.closeAllConnections()
    tls?.abandon()
    for (const socket of switched) socket.destroy()
  }, 250)
  await closed
  clearTimeout(rest)
}
