import { EventEmitter } from 'node:events'
import { type Readable, Transform } from 'node:stream'
import type { Inspector } from '../inspection/inspector.ts'
import { Fault } from '../kernel/error.ts'
import type { Exchange } from './exchange.ts'
import { rememberAll, rememberLate } from './remember.ts'

/**
 * The body of a request as it flows on, where nobody had to read it first. One of announced length was measured at arrival; a
 * chunked one is measured on its way. Where something is only looked for, a copy is: nobody waits for that.
 */
export function flowing(exchange: Exchange): Readable | undefined {
  const { body, head } = exchange.request
  const { inspector } = exchange.route.inspection
  if (body === undefined) return undefined
  const copy = inspector?.watches(head) === true ? new Copy(exchange, inspector) : undefined
  const isMeasured = head.contentLength !== undefined
  if (isMeasured && copy === undefined) return body
  const bytesMax = isMeasured ? Number.POSITIVE_INFINITY : exchange.route.bodyBytesMax
  let bytes = 0
  const gauge = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      bytes += chunk.byteLength
      copy?.take(chunk)
      if (bytes > bytesMax) next(new Fault('content-too-large', `the body grew past ${bytesMax} bytes`))
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
    const { bodyAccount } = this.#exchange
    const isTooMuch = this.#bytes + chunk.byteLength > this.#inspector.bodyBytesMax
    if (isTooMuch || !bodyAccount.take(chunk.byteLength)) {
      // It flows on for as long as its sender likes, and others have bodies too.
      bodyAccount.give(this.#bytes)
      this.#chunks = undefined
      return
    }
    this.#bytes += chunk.byteLength
    this.#chunks.push(chunk)
  }

  whole(): void {
    if (this.#chunks === undefined) return
    const { contentType } = this.#exchange.request.head
    const body = Buffer.concat(this.#chunks, this.#bytes)
    const inspected = this.#inspector.inspect({ path: '', params: {}, query: '', headers: [], contentType, body })
    if (inspected instanceof Promise) rememberLate(this.#exchange, inspected)
    else rememberAll(this.#exchange, inspected)
  }
}
