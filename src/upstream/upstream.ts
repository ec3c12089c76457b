import { type Dispatcher, errors, Pool } from 'undici'
import { hopByHop } from '../http/head.ts'
import type { RawHeaders } from '../http/raw-headers.ts'
import { HeldSource } from '../http/source.ts'
import { Fault } from '../kernel/error.ts'
import type { Call, UpstreamAnswer } from './call.ts'
import type { UpstreamOptions } from './options.ts'
import { passedTrailers } from './trailers.ts'
import { openTunnel, type TunnelAnswer } from './tunnel.ts'

/** One API behind the gate. */
export interface Upstream {
  readonly name: string
  readonly origin: string
  /** Whether it is told who asks by a JWT that it can verify. */
  readonly asserted: boolean
  /** Whether what goes to it is signed (RFC 9421). */
  readonly signed: boolean
  /** The OAuth client that it is, where it acts for those who ask it. */
  readonly client: string | undefined
  /** The address of a path there. */
  addressOf(path: string): string
  /** Calls it. Rejects with a `Fault` that tells whether it was out of reach, too slow, or broke off. */
  request(call: Call): Promise<UpstreamAnswer>
  /** Asks it to switch protocols (RFC 9110 §7.8). */
  tunnel(call: Call): Promise<TunnelAnswer>
  /** Waits for what is in flight, then closes the connections. */
  close(): Promise<void>
  /** Cuts off what is in flight. */
  destroy(): Promise<void>
}

export function openUpstream(name: string, options: UpstreamOptions): Upstream {
  const url = new URL(options.url)
  const base = url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '')
  const pool = new Pool(url.origin, {
    connections: options.connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: options.connectTimeout },
    headersTimeout: options.answerTimeout,
    bodyTimeout: options.idleTimeout,
    keepAliveTimeout: 4_000, // below the 5 s of Node's own servers: a connection is given up before the far end does so
    keepAliveMaxTimeout: 600_000,
  })

  return {
    name,
    origin: url.origin,
    asserted: options.assertion,
    signed: options.signature,
    client: options.client,
    addressOf: (path) => url.origin + base + path,
    request: (call) => new Promise((resolve, reject) => dispatch(call, resolve, reject, canRepeat(call) ? 1 : 0)),
    tunnel: (call) => openTunnel(url, { ...call, path: base + call.path }, options, name),
    close: async () => {
      if (!pool.destroyed) await pool.close()
    },
    destroy: () => pool.destroy(),
  }

  function dispatch(
    call: Call,
    resolve: (answer: UpstreamAnswer) => void,
    reject: (fault: Fault) => void,
    triesLeft: number,
  ): void {
    const handler = new Exchange(resolve, (error) => {
      // A kept connection that the far end was just closing: nothing was processed, so a safe request may go again.
      if (triesLeft > 0 && isStale(error)) dispatch(call, resolve, reject, triesLeft - 1)
      else reject(faultOf(error, name, url.origin))
    })
    call.onAbortable?.((reason) => handler.abort(reason))
    pool.dispatch(
      {
        method: call.method as Dispatcher.HttpMethod,
        path: base + call.path,
        headers: call.headers,
        body: call.body ?? null,
      },
      handler,
    )
  }
}

function canRepeat(call: Call): boolean {
  return call.body === undefined && (call.method === 'GET' || call.method === 'HEAD' || call.method === 'OPTIONS')
}

function isStale(error: Error): boolean {
  return error instanceof errors.SocketError || (error as NodeJS.ErrnoException).code === 'ECONNRESET'
}

/** The engine's side of one call: an answer's head, once; then its bytes, into a source that keeps them until asked. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: UpstreamAnswer) => void
  readonly #reject: (error: Error) => void
  #controller: Dispatcher.DispatchController | undefined
  #source: HeldSource | undefined
  #aborted: Error | undefined

  constructor(resolve: (answer: UpstreamAnswer) => void, reject: (error: Error) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  abort(reason: Error): void {
    this.#aborted = reason
    this.#controller?.abort(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#aborted !== undefined) controller.abort(this.#aborted)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return // interim answers speak to the hop, and this hop has heard them
    this.#source = new HeldSource(controller)
    this.#resolve({ status, headers: fieldsOf(controller.rawHeaders as Buffer[] | null), body: this.#source })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#source?.chunk(chunk)
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#source?.end(trailersOf(controller.rawTrailers as Buffer[] | null))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#source === undefined) this.#reject(error)
    else this.#source.fail(error)
  }
}

function fieldsOf(raw: readonly Buffer[] | null): string[] {
  const fields: string[] = []
  if (raw === null) return fields
  let listed: readonly string[] | undefined
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] as Buffer).toString('latin1')
    const lower = name.toLowerCase()
    if (lower === 'connection') {
      const value = (raw[at + 1] as Buffer).toString('latin1').toLowerCase()
      if (value !== 'keep-alive' && value !== 'close') listed = value.split(',').map((option) => option.trim())
    }
    if (hopByHop.has(lower)) continue
    fields.push(name, (raw[at + 1] as Buffer).toString('latin1'))
  }
  return listed === undefined ? fields : without(fields, listed)
}

function without(fields: string[], listed: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < fields.length; at += 2) {
    if (!listed.includes((fields[at] as string).toLowerCase()))
      kept.push(fields[at] as string, fields[at + 1] as string)
  }
  return kept
}

function trailersOf(raw: readonly Buffer[] | null): RawHeaders {
  if (raw === null || raw.length === 0) return none
  const fields: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    fields.push((raw[at] as Buffer).toString('latin1'), (raw[at + 1] as Buffer).toString('latin1'))
  }
  return passedTrailers(fields)
}

const none: RawHeaders = []

/** Tells the three ways in which an upstream fails apart; the address is for the log, never for the caller. */
export function faultOf(error: Error, name: string, origin: string): Fault {
  const where = `upstream \`${name}\` at ${origin}`
  if (error instanceof Fault) return error
  if (error instanceof errors.HeadersTimeoutError)
    return new Fault('upstream-timeout', `${where} did not answer in time`, error)
  if (error instanceof errors.ConnectTimeoutError)
    return new Fault('upstream-timeout', `${where} did not accept a connection in time`, error)
  if (error instanceof errors.SocketError || (error as NodeJS.ErrnoException).code === 'ECONNRESET') {
    return new Fault('upstream-broke-off', `${where} closed the connection before it had answered`, error)
  }
  if (error instanceof errors.HTTPParserError)
    return new Fault('upstream-broke-off', `${where} did not answer in HTTP`, error)
  return new Fault('upstream-unreachable', `${where} cannot be reached: ${error.message}`, error)
}
