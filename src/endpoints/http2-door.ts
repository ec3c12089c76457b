import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Exchange } from '../gate/exchange.ts'
import type { Gate, Passage } from '../gate/gate.ts'
import {
  deliverStream,
  inboundOfStream,
  libraryFieldsMax,
  libraryHeadBytesMax,
  type StreamBody,
  type StreamTaking,
  stepBytes,
} from '../http/http2.ts'
import { unreadable } from '../http/node.ts'
import type { RawHeaders } from '../http/raw-headers.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Connections } from './connections.ts'
import { insistOnAnswer, leave, tooManyRequests } from './http1-door.ts'
import type { Http2Options, ListenOptions } from './options.ts'
import { BodyPace, ReaderPace, SecondTally } from './pace.ts'
import type { TlsDoor } from './tls-door.ts'

export interface Http2Parts {
  readonly clock: Clock
  readonly connections: Connections
  readonly tls: TlsDoor
}

/** One connection that speaks HTTP/2. */
interface Talk {
  readonly socket: TLSSocket
  readonly session: ServerHttp2Session
  readonly ofProxy: boolean
  readonly tally: SecondTally
  readonly streams: Set<Waiting>
  requests: number
  /** Since when it has had no request on its way; undefined while it has. */
  idleMs: number | undefined
}

/** One request on its way, and the answer to it. */
interface Waiting {
  readonly stream: ServerHttp2Stream
  exchange: Exchange | undefined
  readonly body: StreamBody | undefined
  readonly bodyPace: BodyPace | undefined
  readonly readerPace: ReaderPace
  delivery: StreamTaking | undefined
  /** Whether its answer is decided. */
  concluded: boolean
}

/** Takes requests of HTTP/2 (RFC 9113) to the gate, and its answers back. What the gate and upstreams see is HTTP/1. */
export class Http2Door {
  readonly #gate: Gate
  readonly #options: ListenOptions
  readonly #parts: Http2Parts
  readonly #settings: ServerOptions
  readonly #talks = new Map<Duplex, Talk>()
  #draining = false

  constructor(gate: Gate, options: ListenOptions, http2: Http2Options, parts: Http2Parts) {
    this.#gate = gate
    this.#options = options
    this.#parts = parts
    this.#settings = {
      maxSessionMemory: Math.ceil(http2.memory / 1_048_576),
      maxHeaderListPairs: libraryFieldsMax,
      streamResetBurst: http2.resetBurst,
      streamResetRate: http2.resetRate,
      // An upstream's answer passes as it came: that a field stands in it twice is between it and the client.
      strictSingleValueFields: false,
      settings: {
        maxConcurrentStreams: http2.streams,
        maxHeaderListSize: libraryHeadBytesMax,
        enablePush: false,
        enableConnectProtocol: false, // a WebSocket comes by a connection of HTTP/1
      },
    }
  }

  /** Takes over a connection whose client agreed on HTTP/2. */
  take(socket: TLSSocket): void {
    const session = performServerHandshake(socket, this.#settings)
    const talk: Talk = {
      socket,
      session,
      ofProxy: this.#parts.connections.isOfProxy(socket),
      tally: new SecondTally(),
      streams: new Set(),
      requests: 0,
      idleMs: this.#parts.clock.monotonic(),
    }
    this.#talks.set(socket, talk)
    session.on('error', () => {}) // its close follows, and tells every stream
    session.on('close', () => {
      this.#talks.delete(socket)
      socket.destroy()
    })
    session.on('stream', (stream, _fields, _flags, raw) => this.#takeStream(talk, stream, raw as unknown as RawHeaders))
    // Frames that we have to answer, and that are no requests (CVE-2019-9512, CVE-2019-9515).
    const count = (): void => {
      if (this.#countsTooMany(talk)) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
    }
    session.on('ping', count)
    session.on('remoteSettings', count)
    if (this.#draining) session.close()
  }

  /** Whether a connection speaks HTTP/2. */
  has(socket: Duplex): boolean {
    return this.#talks.has(socket)
  }

  /** Ends a connection whose client is trusted no more: after the answers that are on their way. */
  retire(socket: Duplex): void {
    this.#talks.get(socket)?.session.close()
  }

  /** Calls off what is too slow, and ends what nobody uses. */
  look(nowMs: number): void {
    for (const talk of this.#talks.values()) {
      for (const waiting of talk.streams) this.#lookAt(talk, waiting, nowMs)
      if (talk.idleMs === undefined) continue
      const patienceMs = talk.requests === 0 ? this.#options.headersTimeout : this.#options.keepAliveTimeout
      if (nowMs - talk.idleMs < patienceMs) continue
      if (talk.session.closed) talk.session.destroy()
      else talk.session.close()
    }
  }

  /** Asks every client to go, once its answers are there (GOAWAY, RFC 9113 §6.8). */
  drain(): void {
    this.#draining = true
    for (const { session } of this.#talks.values()) session.close()
  }

  /** Cuts off the rest. */
  abandon(): void {
    for (const { session } of this.#talks.values()) session.destroy()
  }

  #countsTooMany(talk: Talk): boolean {
    return talk.tally.add(this.#parts.clock.monotonic()) > this.#options.requestRatePerConnection && !talk.ofProxy
  }

  #takeStream(talk: Talk, stream: ServerHttp2Stream, raw: RawHeaders): void {
    stream.on('error', () => {}) // `close` follows
    talk.requests++
    const tooMany = this.#countsTooMany(talk)
    if (stream.destroyed) return // called off before anybody looked: it costs nothing
    const { tls } = this.#parts
    const inbound = inboundOfStream(stream, raw, talk.socket, tls.certificateOf(talk.socket))
    if (tooMany) inbound.head.problem ??= tooManyRequests(this.#options)
    const isLast = talk.requests >= this.#options.requestsPerConnection || tls.isRetired(talk.socket)
    const waiting: Waiting = {
      stream,
      exchange: undefined,
      body: inbound.body,
      bodyPace: inbound.body && new BodyPace(this.#options),
      readerPace: new ReaderPace(this.#options),
      delivery: undefined,
      concluded: false,
    }
    talk.idleMs = undefined
    talk.streams.add(waiting)
    stream.once('close', () => {
      talk.streams.delete(waiting)
      if (!waiting.concluded && waiting.exchange !== undefined) leave(waiting.exchange)
      if (talk.streams.size === 0) talk.idleMs = this.#parts.clock.monotonic()
    })
    waiting.exchange = this.#gate.handle(inbound, (passage) => {
      waiting.concluded = true
      const delivery = this.#send(stream, passage)
      waiting.delivery ??= delivery // one that was refused for its slow body has had its answer
    })
    if (isLast || tooMany) talk.session.close()
  }

  #send(stream: ServerHttp2Stream, passage: Passage): StreamTaking | undefined {
    insistOnAnswer(passage)
    // What comes of a body that nobody waits for any more is asked to stop, and the answer holds all the same (RFC 9113 §8.1).
    if (!stream.endAfterHeaders) stream.once('finish', () => setImmediate(() => endEarly(stream)))
    return deliverStream(stream, passage.outbound, (delivered) => passage.finish(delivered))
  }

  #lookAt(talk: Talk, waiting: Waiting, nowMs: number): void {
    const { stream, body, delivery } = waiting
    const { counts } = this.#parts.connections
    if (delivery !== undefined && waiting.readerPace.isTooSlow(nowMs, delivery.taken, delivery.waiting, stepBytes)) {
      counts.slowReaders++
      return stream.close(constants.NGHTTP2_CANCEL)
    }
    if (body === undefined || stream.closed) return
    if (waiting.bodyPace?.isTooSlow(nowMs, body.received, body.isWanted) !== true) return
    counts.slowBodies++
    if (waiting.concluded || waiting.exchange === undefined) return stream.close(constants.NGHTTP2_CANCEL)
    waiting.concluded = true
    leave(waiting.exchange)
    body.destroy(new Error('the body did not arrive whole in time'))
    const refused = unreadable(talk.socket, 'request-timeout', 'the request did not arrive whole in time')
    this.#gate.handle(refused, (passage) => {
      waiting.delivery = this.#send(stream, passage)
    })
  }
}

function endEarly(stream: ServerHttp2Stream): void {
  if (!stream.destroyed && !stream.closed && !stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR)
}
