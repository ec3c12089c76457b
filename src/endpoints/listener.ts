import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Gate } from '../gate/gate.ts'
import { systemClock } from '../kernel/clock.ts'
import { Fault } from '../kernel/error.ts'
import { silent } from '../kernel/log.ts'
import { type ConnectionCounts, Connections } from './connections.ts'
import { type Crowd, openCrowd } from './crowd.ts'
import { Http1Door, http1Options } from './http1-door.ts'
import { Http2Door } from './http2-door.ts'
import type { ListenOptions } from './options.ts'
import { TlsDoor, type TlsParts } from './tls-door.ts'

/** A socket that takes requests to the gate. */
export interface Listener {
  readonly host: string
  readonly port: number
  readonly protocol: 'http' | 'https'
  /** The plain port that sends to https, where there is one. */
  readonly redirectPort: number | undefined
  readonly counts: Readonly<ConnectionCounts>
  /** Reads certificates, key and authorities again; rejects with a `Fault` where they are not in order, and the old ones stay. */
  reloadTls(): Promise<void>
  /** Takes no new connections, waits for what is on its way, and after `graceMs` cuts off the rest. */
  close(graceMs: number): Promise<void>
}

/** What is listened to. Threads that share a port each say so. */
type Place = ListenOptions & { readonly reusePort?: boolean }

/** What a listener leans on: for TLS, for its log, and who counts the connections of each address. */
export interface ListenParts extends TlsParts {
  readonly crowd: Crowd
}

/** Opens the socket, and the one that sends to https where it is asked for. */
export async function listen(gate: Gate, options: Place, parts: Partial<ListenParts> = {}): Promise<Listener> {
  const { clock = systemClock, log = silent, environment = {} } = parts
  const crowd = parts.crowd ?? openCrowd(options.connectionsPerAddress)
  const connections = new Connections(options, { clock, log, crowd })
  const http = http1Options(gate, options)
  let http2: Http2Door | undefined
  const tls =
    options.tls &&
    new TlsDoor(
      options.tls,
      http,
      { clock, log, environment },
      options.http2 === false ? undefined : (socket) => http2?.take(socket),
    )
  if (tls !== undefined && options.http2 !== false)
    http2 = new Http2Door(gate, options, options.http2, { clock, connections, tls })
  const http1 = new Http1Door(gate, options, { clock, connections, tls, toHttps: false })
  const doors = [http1]
  const servers = [serve(tls?.server ?? createServer(http), http1)]
  if (options.https?.redirectFrom !== undefined) {
    const redirecting = new Http1Door(gate, options, { clock, connections, tls: undefined, toHttps: true })
    doors.push(redirecting)
    servers.push(serve(createServer(http), redirecting))
  }
  tls?.onRetire((socket) => (http2?.has(socket) === true ? http2.retire(socket) : http1.retire(socket)))
  const watch = setInterval(() => {
    const nowMs = clock.monotonic()
    connections.look(nowMs)
    for (const door of doors) door.look(nowMs)
    http2?.look(nowMs)
  }, lookEveryMs(options))
  watch.unref()

  try {
    for (const [at, server] of servers.entries())
      await bind(server, at === 0 ? options : { ...options, port: options.https?.redirectFrom ?? 0 })
  } catch (error) {
    clearInterval(watch)
    tls?.close()
    for (const server of servers) server.close()
    throw error
  }
  const [port = 0, redirectPort] = servers.map((server) => (server.address() as AddressInfo).port)
  return {
    host: options.host,
    port,
    protocol: tls === undefined ? 'http' : 'https',
    redirectPort,
    counts: connections.counts,
    reloadTls: async () => tls?.reload(),
    close: closeAll,
  }

  function serve(server: Server, door: Http1Door): Server {
    server.maxConnections = options.connections
    connections.guard(server)
    door.serve(server)
    return server
  }

  async function closeAll(graceMs: number): Promise<void> {
    tls?.close()
    const closed = Promise.all(
      servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))),
    )
    for (const server of servers) server.closeIdleConnections()
    http2?.drain()
    let patience: NodeJS.Timeout | undefined
    await Promise.race([gate.drain(), new Promise((resolve) => (patience = setTimeout(resolve, graceMs)))])
    clearTimeout(patience)
    // Answers that have ended may still lie in a socket's buffer: closing idle connections lets them leave first.
    for (const server of servers) server.closeIdleConnections()
    const rest = setTimeout(() => {
      for (const server of servers) server.closeAllConnections()
      http2?.abandon()
      tls?.abandon()
      for (const door of doors) door.abandon()
    }, 250)
    await closed
    clearTimeout(rest)
    clearInterval(watch)
  }
}

/** How often clients are looked at: every two seconds, and oftener where a bound is shorter than that. */
function lookEveryMs({
  bodyGrace,
  bodyWindow,
  requestTimeout,
  readerTimeout,
  keepAliveTimeout,
}: ListenOptions): number {
  return Math.max(20, Math.min(2_000, ...[bodyGrace, bodyWindow, requestTimeout, readerTimeout, keepAliveTimeout]) / 2)
}

function bind(server: Server, { port, host, reusePort = false }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE' ? 'something else listens there; choose another with --port' : error.message
      reject(new Fault('unavailable', `cannot listen on ${host}:${port}: ${why}`, error))
    })
    server.listen({ port, host, backlog: 4096, reusePort }, () => resolve())
  })
}
