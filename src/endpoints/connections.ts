import type { Server, Socket } from 'node:net'
import type { Gauges } from '../gate/meters.ts'
import { addressOf } from '../http/node.ts'
import type { Clock } from '../kernel/clock.ts'
import { limitKey, networkList } from '../kernel/ip.ts'
import type { Log } from '../kernel/log.ts'
import type { Crowd } from './crowd.ts'
import type { ListenOptions } from './options.ts'
import { ReaderPace } from './pace.ts'
import { Seldom } from './seldom.ts'

/** What came of connections so far. */
export interface ConnectionCounts {
  /** Those that stand. */
  open: number
  /** Closed at once, because their address held all that it may. */
  turnedAway: number
  /** Cut, because nobody read what waited for them. */
  slowReaders: number
  /** Requests refused, because their body did not keep coming. */
  slowBodies: number
}

/**
 * Every connection, from before a byte of it is read: how many each address holds, and whether what is written to it is taken.
 * It sees the socket below TLS, where the two are the same for HTTP/1, HTTP/2 and WebSockets.
 */
export class Connections {
  readonly counts: ConnectionCounts = { open: 0, turnedAway: 0, slowReaders: 0, slowBodies: 0 }
  readonly #options: ListenOptions
  readonly #crowd: Crowd
  readonly #log: Log
  readonly #isProxy: (address: string) => boolean
  readonly #readers = new Map<Socket, ReaderPace>()
  readonly #seldom: Seldom

  constructor(
    options: ListenOptions,
    { clock, log, crowd }: { readonly clock: Clock; readonly log: Log; readonly crowd: Crowd },
  ) {
    this.#options = options
    this.#crowd = crowd
    this.#log = log
    this.#isProxy = networkList(options.trustedProxies)
    this.#seldom = new Seldom(clock)
  }

  /** Stands before a server: whoever holds too many connections comes to none of its listeners, and to no handshake. */
  guard(server: Server): void {
    const inside = server.listeners('connection')
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => {
      if (!this.#admit(socket)) return
      for (const listener of inside) listener.call(server, socket)
    })
  }

  /** Whether the far end is a proxy of ours: many callers share its connections. */
  isOfProxy(socket: Socket): boolean {
    return this.#isProxy(addressOf(socket))
  }

  /** Cuts off those who do not take what waits for them: an upstream, and memory, would wait with it. */
  look(nowMs: number): void {
    for (const [socket, pace] of this.#readers) {
      const { taken, waiting } = writtenTo(socket)
      if (!pace.isTooSlow(nowMs, taken, waiting)) continue
      this.counts.slowReaders++
      this.#seldom.tell('reader', (times) =>
        this.#log.info({ peer: addressOf(socket), times }, 'a connection was cut: its client does not read'),
      )
      socket.destroy()
    }
  }

  #admit(socket: Socket): boolean {
    const peer = addressOf(socket)
    if (!this.#isProxy(peer)) {
      const release = this.#crowd.hold(limitKey(peer))
      if (release === undefined) {
        this.counts.turnedAway++
        this.#seldom.tell('crowd', (times) =>
          this.#log.warn({ peer, times }, 'a connection was closed: its address holds as many as it may'),
        )
        socket.on('error', () => {})
        socket.destroy()
        return false
      }
      socket.once('close', release)
    }
    this.counts.open++
    this.#readers.set(socket, new ReaderPace(this.#options))
    socket.once('close', () => {
      this.counts.open--
      this.#readers.delete(socket)
    })
    return true
  }
}

/**
 * What the kernel has taken of what was written, and what still waits in front of it. Node's own timeouts of sockets go by the
 * same two numbers; `bytesWritten` and `writableLength` count a write as a whole, or not at all, and know nothing below TLS.
 */
function writtenTo(socket: Socket): { readonly taken: number; readonly waiting: number } {
  const handle = (socket as { readonly _handle?: { bytesWritten?: number; writeQueueSize?: number } | null })._handle
  const waiting = handle?.writeQueueSize ?? socket.writableLength
  return { taken: (handle?.bytesWritten ?? socket.bytesWritten) - waiting, waiting }
}

/** The same for whoever watches the house. */
export function connectionGauges(counts: Readonly<ConnectionCounts>): Gauges {
  return {
    gatehouse_connections: { help: 'Connections that are open', read: () => counts.open },
    gatehouse_connections_turned_away_total: {
      help: 'Connections closed at once, since their address has too many',
      read: () => counts.turnedAway,
    },
    gatehouse_slow_readers_total: {
      help: 'Connections cut off whose client read too slowly',
      read: () => counts.slowReaders,
    },
    gatehouse_slow_bodies_total: { help: 'Requests whose body came too slowly', read: () => counts.slowBodies },
  }
}
