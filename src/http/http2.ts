import { constants, type ServerHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { refuse } from '../kernel/error.ts'
import { fieldsMax, headBytesMax, hopByHop, readHead } from './head.ts'
import type { Delivered, Head, Inbound, Outbound } from './message.ts'
import { addressOf } from './node.ts'
import type { PeerCertificate } from './peer-certificate.ts'
import type { RawHeaders } from './raw-headers.ts'
import { HeldSource, type Sink, type Source, sourceOf } from './source.ts'
import { parseTarget } from './target.ts'

/**
 * A request of HTTP/2, seen as the gate sees it: method, target and host by their names of HTTP/1, which the upstream speaks.
 * The library refuses what RFC 9113 §8.2 and §8.3 call malformed: fields of a connection, upper case, pseudo-fields that are
 * missing, double or late, a `Content-Length` that its frames do not come to.
 */
export function inboundOfStream(
  stream: ServerHttp2Stream,
  raw: RawHeaders,
  socket: TLSSocket,
  certificate: PeerCertificate | undefined,
): Inbound & { readonly body: StreamBody | undefined } {
  const { method, path, scheme, authority, headers, bytes } = readFields(raw)
  const target = parseTarget(path)
  const head = readHead(method, target, headers, '1.1')
  if (bytes > headBytesMax)
    head.problem ??= refuse('headers-too-large', { detail: `the header fields exceed ${headBytesMax / 1024} KiB` })
  if (authority !== undefined && head.host?.toLowerCase() !== authority.toLowerCase())
    blame(head, 'Host names another host than `:authority`')
  // Over TLS nothing else can be meant, and whoever says so may mean another server (RFC 9110 §7.4).
  if (scheme !== 'https') blame(head, '`:scheme` must be `https`')
  let body: StreamBody | undefined
  if (!stream.endAfterHeaders && head.contentLength !== 0) {
    body = new StreamBody(stream)
    head.chunked = head.contentLength === undefined
    if (method === 'TRACE') blame(head, 'TRACE with a body')
  } else stream.resume()
  return {
    method,
    target,
    reading: 'exact',
    headers,
    head,
    peer: addressOf(socket),
    encrypted: true,
    version: '2.0',
    toHttps: false,
    certificate,
    body,
    proceed: head.expect === '100-continue' ? () => proceed(stream) : undefined,
  }
}

function readFields(raw: RawHeaders): {
  readonly method: string
  readonly path: string
  readonly scheme: string
  readonly authority: string | undefined
  readonly headers: string[]
  readonly bytes: number
} {
  let method = ''
  let path = ''
  let scheme = ''
  let authority: string | undefined
  let cookie: string | undefined
  let named = false
  let bytes = 0
  const headers: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string
    const value = raw[at + 1] as string
    bytes += name.length + value.length + 4
    if (name === ':method') method = value
    else if (name === ':path') path = value
    else if (name === ':scheme') scheme = value
    else if (name === ':authority') authority = value
    // A browser sends each cookie by itself, so that those that stay the same are compressed (RFC 9113 §8.2.3).
    else if (name === 'cookie') cookie = cookie === undefined ? value : `${cookie}; ${value}`
    else {
      if (name === 'host') named = true
      headers.push(name, value)
    }
  }
  if (!named && authority !== undefined) headers.push('host', authority)
  if (cookie !== undefined) headers.push('cookie', cookie)
  return { method, path, scheme, authority, headers, bytes }
}

/**
 * Fields that the library hands on at the most, and what they may come to by its count (RFC 9113 §6.5.2), cookies one by one.
 * What is a little over is refused in words; what is far over is reset before it is kept.
 */
export const libraryFieldsMax = fieldsMax * 10
export const libraryHeadBytesMax = headBytesMax * 2

function blame(head: Head, detail: string): void {
  head.problem ??= refuse('bad-request', { detail })
}

function proceed(stream: ServerHttp2Stream): void {
  if (!stream.destroyed && !stream.closed && !stream.headersSent) stream.additionalHeaders({ ':status': 100 })
}

/** The body of a request, apart from the stream that the answer leaves by: whoever gives up on one has not broken the other. */
export class StreamBody extends Readable {
  readonly #stream: ServerHttp2Stream
  #whole = false
  /** Bytes that came so far. */
  received = 0

  constructor(stream: ServerHttp2Stream) {
    super({ highWaterMark: 65_536 })
    this.#stream = stream
    this.on('error', () => {}) // whoever reads it is told as well, and where nobody does, nobody minds
    stream.on('data', (chunk: Buffer) => {
      this.received += chunk.byteLength
      if (!this.destroyed && !this.push(chunk)) stream.pause()
    })
    stream.pause()
    stream.on('end', () => {
      // The library ends what it hands over of a stream that was reset, too; one that ended is not closed before its answer.
      if (stream.closed || stream.aborted) this.#breakOff()
      else {
        this.#whole = true
        this.push(null)
      }
    })
    stream.on('close', () => this.#breakOff())
  }

  /** Whether somebody waits for what comes next. */
  get isWanted(): boolean {
    return !this.#stream.isPaused() && !this.#stream.readableEnded && !this.destroyed
  }

  override _read(): void {
    this.#stream.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stream.pause()
    done(error)
  }

  #breakOff(): void {
    if (!this.#whole && !this.destroyed) this.destroy(new Error('the body broke off before its end'))
  }
}

/** Writes an answer to a stream, at the client's pace, and tells once how it ended. */
export function deliverStream(
  stream: ServerHttp2Stream,
  outbound: Outbound,
  done: (delivered: Delivered) => void,
): StreamTaking | undefined {
  const { body } = outbound
  if (stream.destroyed || stream.closed || stream.headersSent) {
    if (body !== undefined && !(body instanceof Uint8Array)) body.abort(clientLeft)
    done({ bytes: 0, whole: false })
    return undefined
  }
  const fields = fieldsOf(outbound)
  const whole = body instanceof HeldSource ? (body.complete ?? body) : body
  if (whole === undefined || stream.writableEnded || bodiless.has(outbound.status)) {
    stream.respond(fields, { endStream: true })
    if (whole === undefined || whole instanceof Uint8Array) done({ bytes: 0, whole: true })
    else
      whole.flow({
        chunk() {},
        end: () => done({ bytes: 0, whole: true }),
        fail: () => done({ bytes: 0, whole: true }),
      })
    return undefined
  }
  if (whole instanceof Uint8Array && whole.byteLength <= stepBytes) {
    stream.respond(fields)
    stream.end(whole)
    done({ bytes: whole.byteLength, whole: true })
    return new StreamEnd(stream, whole.byteLength)
  }
  stream.respond(fields, { waitForTrailers: true })
  const delivery = new StreamDelivery(stream, whole instanceof Uint8Array ? sourceOf(whole) : whole, done)
  delivery.start()
  return delivery
}

/** Statuses whose answers have no body (RFC 9110 §6.4.1). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

/** Names in lower case, and none that belongs to a connection (RFC 9113 §8.2). */
function fieldsOf({ status, headers }: Outbound): string[] {
  const fields = [':status', String(status)]
  for (let at = 0; at < headers.length; at += 2) {
    const name = (headers[at] as string).toLowerCase()
    if (!hopByHop.has(name)) fields.push(name, headers[at + 1] as string)
  }
  return fields
}

const clientLeft = new Error('the client closed the stream')

/** Bytes of one write: what a reader takes shows by such steps. A frame holds no more where nothing else was agreed. */
export const stepBytes = 16_384

/** What shows whether a client takes its answer. */
export interface StreamTaking {
  /** Bytes that the client has taken, and those that wait for it. */
  readonly taken: number
  readonly waiting: number
}

/** An answer of one step, handed over whole. Short as it is, a client that opens no window for it would hold its stream for ever. */
class StreamEnd implements StreamTaking {
  readonly #stream: ServerHttp2Stream
  readonly #bytes: number

  constructor(stream: ServerHttp2Stream, bytes: number) {
    this.#stream = stream
    this.#bytes = bytes
  }

  get taken(): number {
    return this.#stream.writableFinished ? this.#bytes : 0
  }

  get waiting(): number {
    return this.#bytes - this.taken
  }
}

/** One streamed answer. It hands over one step at a time, so that how fast they are taken can be told. */
export class StreamDelivery implements Sink, StreamTaking {
  readonly #stream: ServerHttp2Stream
  readonly #source: Source
  readonly #done: (delivered: Delivered) => void
  #queue: Uint8Array[] = []
  #waiting = 0
  #writing = 0
  #taken = 0
  #bytes = 0
  #paused = false
  #trailers: RawHeaders | undefined
  #over = false

  constructor(stream: ServerHttp2Stream, source: Source, done: (delivered: Delivered) => void) {
    this.#stream = stream
    this.#source = source
    this.#done = done
  }

  get taken(): number {
    return this.#taken
  }

  get waiting(): number {
    return this.#waiting + this.#writing
  }

  start(): void {
    this.#stream.on('close', this.#closed)
    this.#stream.on('wantTrailers', () => this.#stream.sendTrailers(valuesOf(this.#trailers ?? [])))
    this.#source.flow(this)
  }

  chunk(bytes: Uint8Array): void {
    if (this.#over || bytes.byteLength === 0) return
    this.#bytes += bytes.byteLength
    this.#queue.push(bytes)
    this.#waiting += bytes.byteLength
    this.#write()
    if (this.#waiting > heldBytesMax && !this.#paused) {
      this.#paused = true
      this.#source.pause()
    }
  }

  end(trailers: RawHeaders): void {
    if (this.#over) return
    this.#trailers = trailers
    this.#write()
  }

  fail(): void {
    if (this.#over) return
    this.#finish(false)
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR) // what was received is not the whole
  }

  #write(): void {
    if (this.#writing > 0 || this.#over) return
    const next = this.#queue[0]
    if (next === undefined) {
      if (this.#trailers === undefined) return
      this.#finish(true)
      this.#stream.end()
      return
    }
    const step = next.byteLength > stepBytes ? next.subarray(0, stepBytes) : next
    if (step === next) this.#queue.shift()
    else this.#queue[0] = next.subarray(stepBytes)
    this.#writing = step.byteLength
    this.#waiting -= step.byteLength
    this.#stream.write(step, this.#written)
  }

  readonly #written = (error?: Error | null): void => {
    if (error != null || this.#over) return // `close` follows
    this.#taken += this.#writing
    this.#writing = 0
    if (this.#paused && this.#waiting <= heldBytesMax / 2) {
      this.#paused = false
      this.#source.resume()
    }
    this.#write()
  }

  readonly #closed = (): void => {
    if (this.#over) return
    this.#finish(false)
    this.#source.abort(clientLeft)
  }

  #finish(whole: boolean): void {
    this.#over = true
    this.#queue = []
    this.#stream.off('close', this.#closed)
    this.#done({ bytes: this.#bytes, whole })
  }
}

/** What waits here before the source is asked to wait. */
const heldBytesMax = 65_536

function valuesOf(flat: RawHeaders): Record<string, string | string[]> {
  const values: Record<string, string | string[]> = Object.create(null)
  for (let at = 0; at < flat.length; at += 2) {
    const name = (flat[at] as string).toLowerCase()
    const before = values[name]
    values[name] = before === undefined ? (flat[at + 1] as string) : [before, flat[at + 1] as string].flat()
  }
  return values
}
