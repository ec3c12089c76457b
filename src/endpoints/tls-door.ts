import type { Server, ServerOptions } from 'node:http'
import { createServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/error.ts'
import type { Log } from '../kernel/log.ts'
import type { TlsOptions } from './options.ts'
import { Seldom } from './seldom.ts'
import { asksClients, type LoadedTls, loadTls, stateOf } from './tls.ts'
import { TlsPeers } from './tls-peers.ts'

export interface TlsParts {
  readonly clock: Clock
  readonly log: Log
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * The TLS of a listener: its certificate, who may connect, and how both change while it serves. Connections that stand keep
 * the certificate they were made with; new ones get the new one.
 */
export class TlsDoor {
  readonly server: Server
  readonly #options: TlsOptions
  readonly #parts: TlsParts
  readonly #peers: TlsPeers | undefined
  readonly #handshaking = new Set<Socket>()
  readonly #watch: NodeJS.Timeout
  #loaded: LoadedTls
  /** The state of the files that `#loaded` came from, or that was tried last. */
  #seen: string
  #failed: { readonly state: string; told: boolean } | undefined
  #nextReviewMs: number
  readonly #seldom: Seldom

  /**
   * Throws a `Fault` where the files are not in order. `http2` takes the connections that agreed on it (RFC 7301); where it is
   * left out, nobody is offered it.
   */
  constructor(options: TlsOptions, http: ServerOptions, parts: TlsParts, http2?: (socket: TLSSocket) => void) {
    this.#options = options
    this.#parts = parts
    this.#seldom = new Seldom(parts.clock)
    this.#seen = stateOf(this.#options)
    this.#loaded = this.#load()
    this.#warn(this.#loaded)
    this.#nextReviewMs = parts.clock.now() + reviewMs
    this.#peers = asksClients(options) ? new TlsPeers(this.#loaded.authorities, options, parts.clock) : undefined
    const server = createServer({
      ...http,
      ...this.#loaded.context,
      ALPNProtocols: http2 === undefined ? ['http/1.1'] : ['h2', 'http/1.1'],
      handshakeTimeout: options.handshakeTimeout,
      requestCert: this.#peers !== undefined,
      rejectUnauthorized: options.clientCertificates === 'required',
    })
    server.on('connection', (socket: Socket) => {
      this.#handshaking.add(socket)
      socket.once('close', () => this.#handshaking.delete(socket))
    })
    const http1 = server.listeners('secureConnection')
    server.removeAllListeners('secureConnection')
    server.on('secureConnection', (socket) => {
      this.#peers?.of(socket)
      if (http2 !== undefined && socket.alpnProtocol === 'h2') http2(socket)
      else for (const listener of http1) listener.call(server, socket)
    })
    // Node hands a failed handshake to `clientError`, whose answer would go out unencrypted or nowhere.
    server.removeAllListeners('tlsClientError')
    server.on('tlsClientError', (error, socket) => this.#refuse(error, socket))
    this.server = server as Server
    this.#watch = setInterval(() => this.#look(), options.watch)
    this.#watch.unref()
  }

  /** The certificate that the client of this connection has shown. It is trusted only for as long as somebody vouches for it. */
  certificateOf(socket: Duplex): PeerCertificate | undefined {
    return this.#peers?.of(socket as TLSSocket)
  }

  /** Whether a connection should end with its next answer: who stands behind it is trusted no more. */
  isRetired(socket: Duplex): boolean {
    return this.#peers?.retired.has(socket as TLSSocket) === true
  }

  /** Is told of connections that should end. */
  onRetire(tell: (socket: Duplex) => void): void {
    if (this.#peers !== undefined) this.#peers.onRetire = tell
  }

  /** Reads the files again. Where they are not in order, throws a `Fault` that says what is wrong, and nothing has changed. */
  reload(): void {
    this.#seen = stateOf(this.#options)
    const loaded = this.#load()
    this.#failed = undefined
    this.#take(loaded)
  }

  /** Stops watching, and drops those who have not yet said who they are. */
  close(): void {
    clearInterval(this.#watch)
  }

  /** Connections that never came to their first request. */
  abandon(): void {
    for (const socket of this.#handshaking) socket.destroy()
  }

  #load(): LoadedTls {
    const loaded = loadTls(this.#options, this.#parts.environment, this.#parts.clock.now())
    if (!('mistakes' in loaded)) return loaded
    throw new Fault('unavailable', loaded.mistakes.map(({ path, message }) => `${path}: ${message}`).join('; '))
  }

  #take(loaded: LoadedTls): void {
    const { log } = this.#parts
    const { certificate, authorities, authoritiesText } = loaded
    // A new context has ticket keys of its own: sessions of the one before are not resumed.
    ;(this.server as Server & { setSecureContext(context: LoadedTls['context']): void }).setSecureContext(
      loaded.context,
    )
    const newAuthorities = authoritiesText !== this.#loaded.authoritiesText
    this.#loaded = loaded
    const { validToDate, fingerprint256 } = certificate
    log.info({ until: validToDate.toISOString(), fingerprint256 }, 'the files of `listen.tls` were read again')
    this.#warn(loaded)
    if (newAuthorities && this.#peers !== undefined) {
      const ended = this.#peers.judgeAgain(authorities)
      if (ended > 0) log.warn({ connections: ended }, 'clients that were connected are trusted no more')
    }
  }

  #warn({ warnings }: LoadedTls): void {
    for (const { path, message } of warnings) this.#parts.log.warn({ path }, `${path}: ${message}`)
  }

  /** A change is taken over whole, or waits: whoever replaces files does it one by one. */
  #look(): void {
    const state = stateOf(this.#options)
    const nowMs = this.#parts.clock.now()
    if (state === this.#seen && this.#failed === undefined) {
      if (nowMs >= this.#nextReviewMs) this.#review(nowMs)
      return
    }
    if (this.#failed?.state === state && this.#failed.told) return
    try {
      this.reload()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      const told = this.#failed?.state === state
      this.#failed = { state, told }
      if (told)
        this.#parts.log.error(
          { mistake: error.message },
          `the files of \`listen.tls\` were not taken over, and the old ones stay: ${error.message}`,
        )
    }
  }

  /** Certificates and lists run out while nobody changes anything. */
  #review(nowMs: number): void {
    this.#nextReviewMs = nowMs + reviewMs
    const loaded = loadTls(this.#options, this.#parts.environment, nowMs)
    if (!('mistakes' in loaded)) this.#warn(loaded)
  }

  #refuse(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    socket.destroy()
    const reason = why(error, socket)
    this.#seldom.tell(reason, (handshakes) =>
      this.#parts.log.info({ peer: socket.remoteAddress, handshakes }, `TLS handshake failed: ${reason}`),
    )
  }
}

/** How often dates are looked at. */
const reviewMs = 3_600_000

function why({ code, message }: NodeJS.ErrnoException, socket: TLSSocket): string {
  // Node's types promise an error; it is the code of one.
  const { authorizationError } = socket as { readonly authorizationError?: unknown }
  if (typeof authorizationError === 'string') return `the client certificate is not accepted (${authorizationError})`
  if (code === 'ERR_SSL_HTTP_REQUEST') return 'plain HTTP on the port of TLS'
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'it took too long'
  return code ?? message
}
