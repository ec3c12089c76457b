import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Code, refuse } from '../kernel/error.ts'
import { readHead } from './head.ts'
import type { Delivered, Inbound, Outbound } from './message.ts'
import { certificateOfSocket, type PeerCertificate } from './peer-certificate.ts'
import type { RawHeaders } from './raw-headers.ts'
import type { PathReading } from './router.ts'
import { HeldSource, type Sink, type Source } from './source.ts'
import { parseTarget } from './target.ts'

/**
 * A request of `node:http`, seen as the gate sees it. `url` is the target where the host framework rewrote its own;
 * `certificate` is what the client has shown, where the server knows better than the socket; `reading` is how the host reads paths.
 */
export function inboundOf(
  request: IncomingMessage,
  proceed?: () => void,
  url = request.url ?? '/',
  certificate: PeerCertificate | undefined = certificateOfSocket(request.socket),
  reading: PathReading = 'exact',
): Inbound {
  const method = request.method ?? 'GET'
  const target = parseTarget(url)
  const head = readHead(method, target, request.rawHeaders, request.httpVersion)
  return {
    method,
    target,
    reading,
    headers: request.rawHeaders,
    head,
    peer: addressOf(request.socket),
    encrypted: isEncrypted(request.socket),
    version: request.httpVersion,
    toHttps: false,
    certificate,
    body: head.chunked || (head.contentLength ?? 0) > 0 ? request : undefined,
    proceed,
  }
}

/** A socket that listens on IPv6 as well shows IPv4 callers as `::ffff:192.0.2.1`: one caller, one spelling. */
export function addressOf({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string {
  return remoteAddress.startsWith('::ffff:') && remoteAddress.includes('.') ? remoteAddress.slice(7) : remoteAddress
}

function isEncrypted(socket: Socket): boolean {
  return (socket as Partial<TLSSocket>).encrypted === true
}

/** What stands in for a request that could not be read: it goes the way of any other, and is refused at its first step. */
export function unreadable(socket: Socket, code: Code, detail: string): Inbound {
  const head = readHead('', { path: '', written: '', query: '', authority: undefined, problem: undefined }, [], '1.0')
  head.problem = refuse(code, { detail })
  return {
    method: '',
    target: { path: '', written: '', query: '', authority: undefined, problem: detail },
    reading: 'exact',
    headers: [],
    head,
    peer: addressOf(socket),
    encrypted: isEncrypted(socket),
    version: '1.1',
    toHttps: false,
    certificate: undefined,
    body: undefined,
    proceed: undefined,
  }
}

/** Writes an answer out, at the client's pace, and tells once how it ended. Where a host has begun another, that one goes on. */
export function deliver(response: ServerResponse, outbound: Outbound, done: (delivered: Delivered) => void): void {
  const { body } = outbound
  if (response.destroyed || response.headersSent) {
    if (body !== undefined && !(body instanceof Uint8Array)) body.abort(clientLeft)
    return done({ bytes: 0, whole: false })
  }
  response.writeHead(outbound.status, outbound.headers)
  const whole = body instanceof HeldSource ? (body.complete ?? body) : body
  if (whole === undefined || whole instanceof Uint8Array) {
    if (whole !== undefined && whole.byteLength <= oneWriteBytesMax) response.end(latin1(whole), 'latin1')
    else response.end(whole)
    return done({ bytes: whole?.byteLength ?? 0, whole: true })
  }
  new Delivery(response, whole, done).start()
}

/**
 * Node joins a head and a body into one write only when both are text; a head and bytes take the slower vectored one. Up
 * to here, reading the bytes as Latin-1 (which keeps every byte) costs less than that.
 */
const oneWriteBytesMax = 16_384

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

const clientLeft = new Error('the client closed the connection')

/** One streamed answer. Both listeners leave with it: a keep-alive socket carries thousands of them. */
class Delivery implements Sink {
  readonly #response: ServerResponse
  readonly #source: Source
  readonly #done: (delivered: Delivered) => void
  #bytes = 0
  #over = false

  constructor(response: ServerResponse, source: Source, done: (delivered: Delivered) => void) {
    this.#response = response
    this.#source = source
    this.#done = done
  }

  start(): void {
    this.#response.on('drain', this.#drained)
    this.#response.on('close', this.#closed)
    this.#source.flow(this)
    if (this.#bytes === 0 && !this.#over) this.#response.flushHeaders() // an event stream may be silent for long: its head must not wait
  }

  chunk(bytes: Uint8Array): void {
    if (this.#over) return
    this.#bytes += bytes.byteLength
    if (!this.#response.write(bytes)) this.#source.pause()
  }

  end(trailers: RawHeaders): void {
    if (this.#over) return
    if (trailers.length > 0 && this.#response.chunkedEncoding) this.#response.addTrailers(pairs(trailers))
    this.#response.end()
    this.#finish(true)
  }

  fail(error: Error): void {
    if (this.#over) return
    this.#finish(false)
    this.#response.destroy(error) // a cut connection is the only way to say, after the head, that this is not the whole
  }

  readonly #drained = (): void => this.#source.resume()

  readonly #closed = (): void => {
    if (this.#over) return
    this.#finish(false)
    this.#source.abort(clientLeft)
  }

  #finish(whole: boolean): void {
    this.#over = true
    this.#response.off('drain', this.#drained)
    this.#response.off('close', this.#closed)
    this.#done({ bytes: this.#bytes, whole })
  }
}

function pairs(flat: RawHeaders): [string, string][] {
  const list: [string, string][] = []
  for (let at = 0; at < flat.length; at += 2) list.push([flat[at] as string, flat[at + 1] as string])
  return list
}
