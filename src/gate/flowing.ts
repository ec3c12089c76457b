import { EventEmitter } from 'node:events'
import { type Readable, Transform } from 'node:stream'
import type { Inspected, Inspector } from '../inspection/inspector.ts'
import { Fault } from '../kernel/error.ts'
import type { Exchange } from './exchange.ts'
import { remember, rememberLater } from './remember.ts'

/**
 * The body of a request as it flows on, where nobody had to read it first. One of announced length was measured at arrival; a
 * chunked one is measured on its way. Where something is only looked for, a copy is: nobody waits for that.
 */
export function flowing(exchange: Exchange): Readable | undefined {
  const { body, head } = exchange.request
  const { inspector } = exchange.route.inspection
  if (body === undefined) return undefined
  const copy = inspector?.watches(head) === true ? new Copy(exchange, inspector) : undefined
  const unread = inspector?.letsPass(head) === true ? new Unread() : undefined
  const isMeasured = head.contentLength !== undefined
  if (isMeasured && copy === undefined && unread === undefined) return body
  const bytesMax = isMeasured ? Number.POSITIVE_INFINITY : exchange.route.bodyBytesMax
  let bytes = 0
  const gauge = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      bytes += chunk.byteLength
      copy?.take(chunk)
      if (unread?.isText(chunk) === true)
        next(new Fault('not-inspectable', 'a body that says it is no text begins like one', undefined, textUnsaid))
      else if (bytes > bytesMax) next(new Fault('content-too-large', `the body grew past ${bytesMax} bytes`))
      else next(null, chunk)
    },
    flush(next) {
      copy?.whole()
      next()
    },
  })
  body.on('error', (error) => gauge.destroy(error))
  body.on('close', () => {
    if (!body.readableEnded) gauge.destroy(new Fault('bad-request', 'the body broke off before its end'))
  })
  return body.pipe(gauge)
}

/**
 * The same for a host that reads the body of its own request: a copy is looked into while it does. Nothing begins to flow for that, as
 * it would with a listener of the usual kind.
 */
export function overhear(exchange: Exchange): void {
  const { body, head } = exchange.request
  const { inspector } = exchange.route.inspection
  if (body === undefined || exchange.payload !== undefined || inspector?.watches(head) !== true) return
  const copy = new Copy(exchange, inspector)
  const listen = EventEmitter.prototype.on
  listen.call(body, 'data', (chunk: Buffer | string) => copy.take(Buffer.from(chunk as string)))
  listen.call(body, 'end', () => copy.whole())
}

const textUnsaid = 'expected an image, audio, video or font, as `Content-Type` says, got what begins like JSON or XML'

/** The beginning of a body that nobody reads: there are programs that parse whatever comes, by whatever name. */
class Unread {
  #begun = false

  isText(chunk: Uint8Array): boolean {
    if (this.#begun) return false
    for (const byte of chunk) {
      if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) continue
      this.#begun = true
      return byte === 0x7b || byte === 0x5b || byte === 0x3c || byte === 0xef // `{`, `[`, `<`, or the mark of UTF-8
    }
    return chunk.byteLength > 0 // no image begins with white space
  }
}

/** What has flowed by, for as long as there is room for it. */
class Copy {
  readonly #exchange: Exchange
  readonly #inspector: Inspector
  #chunks: Buffer[] | undefined = []
  #bytes = 0

  constructor(exchange: Exchange, inspector: Inspector) {
    this.#exchange = exchange
    this.#inspector = inspector
  }

  take(chunk: Buffer): void {
    if (this.#chunks === undefined) return
    this.#bytes += chunk.byteLength
    if (this.#bytes > this.#inspector.bodyBytesMax || !this.#exchange.bodyAccount.take(chunk.byteLength))
      this.#chunks = undefined
    else this.#chunks.push(chunk)
  }

  whole(): void {
    if (this.#chunks === undefined) return
    const { contentType } = this.#exchange.request.head
    const body = Buffer.concat(this.#chunks, this.#bytes)
    const inspected = this.#inspector.inspect({ path: '', params: {}, query: '', headers: [], contentType, body })
    if (inspected instanceof Promise) void inspected.then((come) => this.#keep(come), ignored)
    else this.#keep(inspected)
  }

  #keep(inspected: Inspected): void {
    remember(this.#exchange, inspected)
    if (inspected.later !== undefined) rememberLater(this.#exchange, inspected.later)
  }
}

/** The thread that looked has ended: it says so itself, and the request has gone on. */
function ignored(): void {}
