import { type IncomingMessage, type Server, type ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Exchange } from '../gate/exchange.ts'
import type { Gate, Passage } from '../gate/gate.ts'
import { headBytesMax } from '../http/head.ts'
import type { Inbound } from '../http/message.ts'
import { addressOf, deliver, inboundOf, unreadable } from '../http/node.ts'
import { parseTarget } from '../http/target.ts'
import type { Clock } from '../kernel/clock.ts'
import { type Code, catalogue, refuse } from '../kernel/error.ts'
import type { Connections } from './connections.ts'
import type { ListenOptions } from './options.ts'
import { BodyPace, SecondTally } from './pace.ts'
import type { TlsDoor } from './tls-door.ts'
import { joinTunnel } from './tunnel.ts'

/** Node's own settings for a server; its defaults are made for applications, these for whoever stands outside (INVARIANTS C). */
export function http1Options(gate: Gate, options: ListenOptions): ServerOptions {
  return {
    headersTimeout: options.headersTimeout,
    requestTimeout: 0, // a hard end for every upload; the door looks at the pace of each instead
    keepAliveTimeout: options.keepAliveTimeout,
    connectionsCheckingInterval: 2_000,
    maxHeaderSize: headBytesMax,
    insecureHTTPParser: false,
    requireHostHeader: false, // the gate refuses a missing Host itself, with the fields that every refusal carries
    joinDuplicateHeaders: false,
    noDelay: true,
    shouldUpgradeCallback: (request: IncomingMessage) => wantsTunnel(request, gate),
  }
}

export interface Http1Parts {
  readonly clock: Clock
  readonly connections: Connections
  readonly tls: TlsDoor | undefined
  /** Whether requests come to a port that does nothing but send to https. */
  readonly toHttps: boolean
}

/** One connection that speaks HTTP/1, from its first request on. */
interface Talk {
  readonly socket: Socket
  readonly ofProxy: boolean
  readonly tally: SecondTally
  requests: number
  /** The connection ends with an answer that is decided already: nothing behind it is looked at (RFC 9112 §9.6). */
  ending: boolean
  /** Requests whose answer has not left whole, in the order in which they came: more than one where they are pipelined. */
  readonly waiting: Waiting[]
  /** The newest request. */
  newest: IncomingMessage | undefined
  /** Whether bytes came that nobody can read, or none for too long. */
  unreadable: boolean
  /** Since when nothing has been on its way. */
  idleMs: number | undefined
  /** When we had nothing more to say to it; the far end should go. */
  saidMs: number | undefined
}

interface Waiting {
  exchange: Exchange | undefined
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The pace of its body, where it has one that nobody is asked for first. */
  pace: BodyPace | undefined
}

/** Takes requests of HTTP/1 to the gate, and its answers back. */
export class Http1Door {
  readonly #gate: Gate
  readonly #options: ListenOptions
  readonly #parts: Http1Parts
  readonly #talks = new Map<Duplex, Talk>()
  /** Sockets that have left HTTP, and that the server no longer knows. */
  readonly #switched = new Set<Duplex>()

  constructor(gate: Gate, options: ListenOptions, parts: Http1Parts) {
    this.#gate = gate
    this.#options = options
    this.#parts = parts
  }

  serve(server: Server): void {
    server.maxHeadersCount = 0 // those beyond it would be left out without a word; `readHead` counts them
    server.maxRequestsPerSocket = 0 // the door counts: what comes behind the last one is not answered in its name
    server.on('request', (request, response) => this.#take(request, response))
    server.on('checkContinue', (request, response) => this.#take(request, response, () => response.writeContinue()))
    server.on('checkExpectation', (request, response) => this.#take(request, response))
    server.on('upgrade', (request, socket, first) => {
      this.#switched.add(socket)
      socket.once('close', () => this.#switched.delete(socket))
      this.#takeUpgrade(request, socket, first)
    })
    server.on('connect', (request, socket) => this.#takeUpgrade(request, socket, Buffer.alloc(0)))
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) =>
      this.#refuseUnreadable(error, socket as Socket),
    )
  }

  /** Ends a connection whose client is trusted no more: after the answer that is on its way, or now. */
  retire(socket: Duplex): void {
    if (this.#switched.has(socket)) return void socket.destroy()
    const talk = this.#talks.get(socket)
    if (talk === undefined) (socket as Socket).destroySoon()
    else endAfterAnswers(talk)
  }

  /** Refuses bodies that do not keep coming, and leaves those who will not go. */
  look(nowMs: number): void {
    // Blank lines in front of a request (RFC 9112 §2.2) are bytes to Node, and keep a connection that brings nothing.
    const idleMaxMs = this.#options.keepAliveTimeout + this.#options.headersTimeout
    for (const { socket, waiting, unreadable, saidMs, idleMs } of this.#talks.values()) {
      if (saidMs !== undefined && nowMs - saidMs >= lingerMs) socket.destroy()
      if (idleMs !== undefined && nowMs - idleMs >= idleMaxMs) socket.destroy()
      const newest = waiting.at(-1)
      if (newest?.pace === undefined || newest.request.complete || unreadable) continue
      if (!newest.pace.isTooSlow(nowMs, socket.bytesRead, !socket.isPaused())) continue
      this.#parts.connections.counts.slowBodies++
      this.#refuseUnreadable(Object.assign(new Error('too slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket)
    }
  }

  /** Cuts off what has left HTTP. */
  abandon(): void {
    for (const socket of this.#switched) socket.destroy()
  }

  #talkOf(socket: Socket): Talk {
    const known = this.#talks.get(socket)
    if (known !== undefined) return known
    const talk: Talk = {
      socket,
      ofProxy: this.#parts.connections.isOfProxy(socket),
      tally: new SecondTally(),
      requests: 0,
      ending: false,
      waiting: [],
      newest: undefined,
      unreadable: false,
      idleMs: undefined,
      saidMs: undefined,
    }
    this.#talks.set(socket, talk)
    socket.once('close', () => this.#talks.delete(socket))
    return talk
  }

  #take(request: IncomingMessage, response: ServerResponse, proceed?: () => void): void {
    const { socket } = request
    if (isGone(socket)) return
    const talk = this.#talkOf(socket)
    if (talk.ending) return
    const waiting: Waiting = { exchange: undefined, request, response, pace: undefined }
    const inbound = this.#inboundOf(
      request,
      talk,
      proceed &&
        (() => {
          proceed()
          waiting.pace ??= new BodyPace(this.#options)
        }),
    )
    // It comes as an ordinary request, and an upstream that switched would talk to nobody (RFC 9110 §7.8).
    inbound.head.upgrade = undefined
    talk.waiting.push(waiting)
    talk.newest = request
    talk.idleMs = undefined
    const isLast =
      talk.requests >= this.#options.requestsPerConnection ||
      talk.waiting.length >= pipelinedMax ||
      this.#parts.tls?.isRetired(socket) === true
    if (isLast || inbound.head.problem !== undefined) {
      talk.ending = true
      response.shouldKeepAlive = false
    }
    if (inbound.body !== undefined && proceed === undefined) waiting.pace = new BodyPace(this.#options)
    let concluded = false
    response.once('close', () => {
      talk.waiting.splice(talk.waiting.indexOf(waiting), 1)
      if (!concluded && waiting.exchange !== undefined) leave(waiting.exchange)
      if (!request.complete) outlast(request, socket)
      if (talk.waiting.length === 0) talk.idleMs = this.#parts.clock.monotonic()
    })
    waiting.exchange = this.#gate.handle(inbound, (passage) => {
      concluded = true
      send(response, passage)
    })
  }

  #inboundOf(request: IncomingMessage, talk: Talk, proceed?: () => void): Inbound {
    const { clock, tls, toHttps } = this.#parts
    const inbound = inboundOf(request, proceed, request.url, tls?.certificateOf(request.socket))
    talk.requests++
    if (talk.tally.add(clock.monotonic()) > this.#options.requestRatePerConnection && !talk.ofProxy)
      inbound.head.problem ??= tooManyRequests(this.#options)
    return toHttps ? { ...inbound, toHttps } : inbound
  }

  /** A request that may switch protocols. Refused or declined, it is answered like any other and the connection ends. */
  #takeUpgrade(request: IncomingMessage, socket: Duplex, first: Buffer): void {
    socket.on('error', () => socket.destroy())
    if (isGone(request.socket)) return
    const talk = this.#talkOf(request.socket)
    // Behind answers that have not left nothing is switched: the one would be written into the other.
    if (talk.ending || talk.waiting.length > 0) {
      passOver(socket)
      return endAfterAnswers(talk)
    }
    talk.ending = true
    talk.idleMs = undefined
    const inbound = this.#inboundOf(request, talk)
    const exchange = this.#gate.handle(inbound, (passage) => {
      if (passage.outbound.tunnel !== undefined) return joinTunnel(socket, first, passage)
      const response = new ServerResponse(request)
      response.assignSocket(socket as Socket)
      response.shouldKeepAlive = false
      response.on('finish', () => {
        socket.end()
        passOver(socket)
        talk.saidMs = this.#parts.clock.monotonic()
      })
      send(response, passage)
    })
    socket.once('close', () => leave(exchange))
  }

  /** What Node's parser could not read goes the way of any request, so that it is refused, counted and remembered alike. */
  #refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
    // What is wrong with TLS itself is not said in HTTP.
    const ofTls = error.code?.startsWith('ERR_SSL_') === true || error.code === 'EPROTO'
    if (error.code === 'ECONNRESET' || ofTls || !socket.writable || isGone(socket)) return void socket.destroy()
    const talk = this.#talkOf(socket)
    if (talk.unreadable) return
    talk.unreadable = true
    const newest = talk.waiting.at(-1)
    const ofItsBody = newest !== undefined && !newest.request.complete
    // Behind an answer that has begun, or that was the last one, nothing may follow: it would be read as part of it.
    const isOver = newest === undefined ? talk.ending || talk.newest?.complete === false : newest.response.headersSent
    if (newest !== undefined && (!ofItsBody || (isOver && talk.waiting.length > 1))) {
      // The bytes are none of a request that waits: those are answered, and nothing after them.
      if (ofItsBody && newest.exchange !== undefined) leave(newest.exchange)
      return endAfterAnswers(talk)
    }
    if (isOver) {
      talk.saidMs = this.#parts.clock.monotonic()
      return void socket.destroySoon()
    }
    talk.ending = true
    if (newest?.exchange !== undefined) leave(newest.exchange)
    const inbound = unreadable(socket, codeOf(error), detailOf(error))
    this.#gate.handle(inbound, (passage) => {
      if (newest !== undefined && talk.waiting.length > 1) {
        newest.response.shouldKeepAlive = false
        return send(newest.response, passage) // in its turn
      }
      talk.saidMs = this.#parts.clock.monotonic()
      const { outbound, finish } = passage
      const { status, headers, body } = outbound
      let text = `HTTP/1.1 ${status} ${catalogue[codeOf(error)].title}\r\nConnection: close\r\n`
      for (let at = 0; at < headers.length; at += 2) {
        if (headers[at] !== 'Connection') text += `${headers[at]}: ${headers[at + 1]}\r\n`
      }
      socket.end(Buffer.concat([Buffer.from(`${text}\r\n`), body as Uint8Array]))
      finish({ bytes: (body as Uint8Array).byteLength, whole: true })
    })
  }
}

function send(response: ServerResponse, passage: Passage): void {
  insistOnAnswer(passage)
  deliver(response, passage.outbound, (delivered) => passage.finish(delivered))
}

/** Ends a connection behind the answers that are on their way; what comes meanwhile is not looked at. */
function endAfterAnswers(talk: Talk): void {
  talk.ending = true
  const last = talk.waiting.at(-1)?.response
  if (last === undefined) return void talk.socket.destroySoon()
  last.shouldKeepAlive = false // `Connection: close`, where the head is not out yet
  last.once('close', () => talk.socket.destroySoon())
}

/** Reads on and looks at nothing: else nobody would hear that the far end has gone, and the socket would stay. */
function passOver(socket: Duplex): void {
  socket.once('end', () => socket.destroy())
  socket.resume()
}

/**
 * Whether the far end has left before anybody could ask for its address: the kernel forgets it. Nobody waits for an answer,
 * and no limit and no block would know whose the request was (A52).
 */
function isGone(socket: Socket): boolean {
  if (addressOf(socket) !== '') return false
  socket.destroy()
  return true
}

/** Requests of one connection that are on their way at once, where they are pipelined: as many as HTTP/2 may have streams. */
const pipelinedMax = 100

/** How long somebody who has had their last answer may keep the connection. */
const lingerMs = 2_000

/** A connection that asks more often than anybody needs to is told so, and ends. */
export function tooManyRequests({ requestRatePerConnection }: ListenOptions): ReturnType<typeof refuse> {
  return refuse('rate-limited', {
    detail: `one connection may bring ${requestRatePerConnection} requests in a second`,
    retryAfterMs: 1_000,
  })
}

/** A permit alone is no answer: here is no host behind the gate that would give one. */
export function insistOnAnswer({ exchange }: Passage): void {
  const { refusal, answer, route } = exchange
  if (refusal === undefined && answer === undefined)
    throw new Error(`\`${route.name}\` leads nowhere: it has no upstream`)
}

/** Nobody waits for this answer any more. */
export function leave(exchange: Exchange): void {
  exchange.left = true
  exchange.abandon?.(new Error('the client closed the connection'))
}

/** An answer that came before the body did: the caller gets time to read it, and then no more of the body is taken. */
function outlast(request: IncomingMessage, socket: Socket): void {
  const patience = setTimeout(() => socket.destroy(), lingerMs)
  request.once('close', () => clearTimeout(patience))
}

function wantsTunnel({ headers, httpVersion, method, url }: IncomingMessage, gate: Gate): boolean {
  if (headers.upgrade?.toLowerCase() !== 'websocket' || httpVersion !== '1.1') return false
  // What comes behind it would be a body to one server, and the other protocol to the next.
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0) return false
  const target = parseTarget(url ?? '')
  return target.problem === undefined && gate.tunnels(method ?? '', target.path)
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
