import type { X509Certificate } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { type PeerCertificate, peerCertificate } from '../http/peer-certificate.ts'
import type { Authorities } from '../http/x509/authorities.ts'
import type { Clock } from '../kernel/clock.ts'

/**
 * Who has shown a certificate, connection by connection. OpenSSL judges it at the handshake; a connection may live for days
 * after that, and trust ends with the dates of the certificate, or when an authority takes it back.
 */
export class TlsPeers {
  /** Connections whose client is trusted no more: they end with their next answer. */
  readonly retired = new WeakSet<TLSSocket>()
  onRetire: (socket: Duplex) => void = () => {}
  readonly #clock: Clock
  readonly #handshakeMs: number
  readonly #known = new WeakMap<TLSSocket, Peer>()
  readonly #shown = new Set<TLSSocket>()
  #authorities: Authorities | undefined
  /** Until then a handshake may end that began under other authorities. */
  #doubtUntilMs = Number.NEGATIVE_INFINITY

  constructor(
    authorities: Authorities | undefined,
    { handshakeTimeout }: { readonly handshakeTimeout: number },
    clock: Clock,
  ) {
    this.#authorities = authorities
    this.#handshakeMs = handshakeTimeout
    this.#clock = clock
  }

  /** What the client of a connection has shown; undefined where it was nothing. */
  of(socket: TLSSocket): PeerCertificate | undefined {
    const peer = this.#known.get(socket) ?? this.#meet(socket)
    if (peer.certificate?.trusted === true && this.#clock.now() >= peer.untilMs) this.#retire(socket, peer)
    return peer.certificate
  }

  /** Judges those who are connected by other authorities, and answers how many are trusted no more. */
  judgeAgain(authorities: Authorities | undefined): number {
    this.#authorities = authorities
    this.#doubtUntilMs = this.#clock.monotonic() + this.#handshakeMs
    let ended = 0
    for (const socket of this.#shown) {
      const peer = this.#known.get(socket)
      if (peer?.certificate?.trusted !== true) continue
      const untilMs = this.#vouchedUntil(peer)
      if (untilMs !== undefined) {
        peer.untilMs = untilMs
        continue
      }
      this.#retire(socket, peer)
      this.onRetire(socket)
      ended++
    }
    return ended
  }

  #meet(socket: TLSSocket): Peer {
    const [leaf, ...chain] = chainOf(socket)
    const peer: Peer = { leaf, chain, certificate: undefined, untilMs: Number.POSITIVE_INFINITY }
    this.#known.set(socket, peer)
    if (leaf === undefined) return peer
    let trusted = socket.authorized && this.#authorities !== undefined
    if (trusted) {
      const vouchedMs = this.#vouchedUntil(peer)
      // The word of OpenSSL is enough, unless it may have been given under authorities of before.
      if (vouchedMs === undefined && this.#clock.monotonic() < this.#doubtUntilMs) trusted = false
      peer.untilMs = vouchedMs ?? Math.min(...[leaf, ...chain].map(({ validToDate }) => validToDate.getTime()))
    }
    peer.certificate = peerCertificate(leaf, trusted)
    this.#shown.add(socket)
    socket.once('close', () => this.#shown.delete(socket))
    return peer
  }

  #vouchedUntil({ leaf, chain }: Peer): number | undefined {
    return leaf && this.#authorities?.vouchedUntil(leaf, chain, this.#clock.now())
  }

  #retire(socket: TLSSocket, peer: Peer): void {
    if (peer.certificate !== undefined) peer.certificate = { ...peer.certificate, trusted: false }
    this.retired.add(socket)
  }
}

interface Peer {
  readonly leaf: X509Certificate | undefined
  readonly chain: readonly X509Certificate[]
  certificate: PeerCertificate | undefined
  untilMs: number
}

/** The certificate of the client, and those that lead away from it. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let next = socket.getPeerX509Certificate()
  while (next !== undefined && chain.length < 10) {
    chain.push(next)
    const { issuerCertificate }: X509Certificate = next
    next = issuerCertificate
  }
  return chain
}
