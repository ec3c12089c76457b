import type { Duplex, Readable } from 'node:stream'
import type { Refusal } from '../kernel/error.ts'
import type { PeerCertificate } from './peer-certificate.ts'
import type { RawHeaders } from './raw-headers.ts'
import type { PathReading } from './router.ts'
import type { Source } from './source.ts'
import type { Target } from './target.ts'

/** A request as the gate sees it, whichever server took it from the wire. */
export interface Inbound {
  readonly method: string
  readonly target: Target
  /** How the host that answers reads the path. */
  readonly reading: PathReading
  readonly headers: RawHeaders
  readonly head: Head
  /** Address of the far end of the socket. */
  readonly peer: string
  /** Whether the socket itself speaks TLS. */
  readonly encrypted: boolean
  /** The version of HTTP that it came by, as `Via` names it (RFC 9110 §7.6.3). */
  readonly version: string
  /** Whether it came to a port that does nothing but send to https. */
  readonly toHttps: boolean
  /** The client certificate of the connection; undefined where none was shown. */
  readonly certificate: PeerCertificate | undefined
  /** Undefined when the request carries none. */
  readonly body: Readable | undefined
  /** Answers `100 Continue`, where the client waits for it before it sends the body. */
  readonly proceed: (() => void) | undefined
}

/** What the gate decides on, read once from the raw fields. */
export interface Head {
  /** Why the message may not come in at all, or undefined: it could be read in two ways, or did not arrive whole. */
  problem: Refusal | undefined
  host: string | undefined
  authorization: string | undefined
  /** A proof that the caller has the key of its token (RFC 9449 §4.1). */
  dpop: string | undefined
  /** An API key in its own field. */
  apiKey: string | undefined
  /** The certificate that a proxy was shown, and those that came with it (RFC 9440). From anybody else they are made up. */
  clientCert: string | undefined
  clientCertChain: string | undefined
  cookie: string | undefined
  contentType: string | undefined
  /** Codings that the body is in, as they were applied (RFC 9110 §8.4). */
  contentEncoding: string | undefined
  /** Bytes announced, or undefined for a chunked body. */
  contentLength: number | undefined
  /** Whether there is a body whose length nobody announced. */
  chunked: boolean
  origin: string | undefined
  /** What the browser says of where the request comes from (Fetch Metadata). */
  fetchSite: string | undefined
  acceptLanguage: string | undefined
  userAgent: string | undefined
  requestId: string | undefined
  forwardedFor: string | undefined
  forwardedProto: string | undefined
  via: string | undefined
  upgrade: string | undefined
  expect: string | undefined
  /** Lower-case names that `Connection` declares hop-by-hop (RFC 9110 §7.6.1). */
  connectionOptions: readonly string[]
  /** The method that a CORS preflight asks about. */
  preflightMethod: string | undefined
}

/** An answer on its way out. The fields are ours to edit in place until it is delivered. */
export interface Outbound {
  readonly status: number
  readonly headers: string[]
  readonly body: Source | Uint8Array | undefined
  /** The far side of a connection that switched protocols, with what it sent first. */
  readonly tunnel?: { readonly socket: Duplex; readonly first: Buffer } | undefined
}

/** How a delivery ended. */
export interface Delivered {
  readonly bytes: number
  /** False when the client left, or the upstream broke off in the middle. */
  readonly whole: boolean
}
