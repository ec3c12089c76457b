import { z } from 'zod'
import { cidr, duration, secretRef, size } from '../kernel/shape.ts'

/** A timer of Node's, and nothing that one waits for. */
const soon = duration.refine((ms) => ms >= 10 && ms <= 3_600_000, 'expected `10ms` to `1h`')

const path = z.string().min(1, 'expected the path of a file, got nothing')

const paths = z
  .union([path, z.array(path)], { error: 'expected the path of a file, or a list of them' })
  .transform((given) => [given].flat())

/** Suites with forward secrecy and authenticated encryption, and no others: those of TLS 1.2, then those of TLS 1.3. */
export const defaultCiphers =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'

const allowedCiphers: ReadonlySet<string> = new Set(defaultCiphers.split(':'))

const ciphers = z.string().superRefine((text, context) => {
  for (const name of text.split(':')) {
    if (!allowedCiphers.has(name))
      context.addIssue({
        code: 'custom',
        message: `\`${name}\` is none of the suites that are safe: ${defaultCiphers}`,
      })
  }
})

export const tlsOptions = z.strictObject({
  /** The certificate, and behind it those that lead to its authority: PEM. */
  cert: path,
  /** Its private key, PEM. Others may not read the file; its group may. */
  key: path,
  /** What the key is encrypted with. */
  passphrase: secretRef.optional(),
  /** The authorities that vouch for clients, PEM. */
  clientCa: path.optional(),
  /** Whether clients have to show a certificate: no connection without one, or none of their business. */
  clientCertificates: z.enum(['optional', 'required']).optional(),
  /** What those authorities have taken back, PEM. */
  crl: paths.optional(),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  ciphers: ciphers.default(defaultCiphers),
  /** How long a handshake may take. */
  handshakeTimeout: soon.default(10_000),
  /** How often the files are looked at. */
  watch: soon.default(5_000),
})

export type TlsOptions = z.output<typeof tlsOptions>

/** How much of HTTP/2 one client may use: what a stream costs us is more than it costs them. */
const http2Options = z.strictObject({
  /** Requests on their way at once, on one connection. */
  streams: z.int().min(1).max(10_000).default(100),
  /** Requests that a client may call off back to back, and each second after that (CVE-2023-44487). */
  resetBurst: z.int().min(1).max(100_000).default(200),
  resetRate: z.int().min(1).max(100_000).default(50),
  /** What one connection may hold of memory. */
  memory: size
    .refine((bytes) => bytes >= 1_048_576 && bytes <= 1_073_741_824, 'expected `1mb` to `1gb`')
    .prefault('10mb'),
})

export type Http2Options = z.output<typeof http2Options>

const httpsOptions = z.strictObject({
  /** A plain port that sends whoever comes to it to https. */
  redirectFrom: z.int().min(0).max(65_535).optional(),
  /** Paths that are answered without TLS too: balancers ask there how the house is. */
  exempt: z
    .array(z.string().startsWith('/', 'expected a path that begins with `/`'))
    .default(['/health', '/health/live', '/health/ready']),
})

/** Nothing shorter: what is measured over less says nothing of how fast somebody is. */
const span = duration.refine((ms) => ms >= 50 && ms <= 3_600_000, 'expected `50ms` to `1h`')

export const listenOptions = z.strictObject({
  port: z.int().min(0).max(65_535).default(8080),
  host: z.string().min(1).default('127.0.0.1'),
  /** Peers whose `X-Forwarded-*` fields are believed. */
  trustedProxies: z.array(cidr).default([]),
  /** TLS of our own. */
  tls: tlsOptions.optional(),
  /** Whether HTTP/2 is offered, where TLS is our own. */
  http2: z
    .union([z.boolean(), http2Options], { error: 'expected `false`, or `{ streams, resetBurst, resetRate, memory }`' })
    .transform((given) => (given === true ? http2Options.parse({}) : given))
    .prefault(true),
  /** Whether requests that came without TLS are sent to https, under `publicUrl` (TR11). */
  https: z
    .union([z.literal('required'), httpsOptions], { error: "expected `'required'`, or `{ redirectFrom, exempt }`" })
    .transform((given) => (given === 'required' ? httpsOptions.parse({}) : given))
    .optional(),
  /** Whether those proxies are believed about client certificates, by `Client-Cert` (RFC 9440). */
  clientCertHeader: z
    .union([z.boolean(), z.strictObject({ clientCa: path, crl: paths.optional() })], {
      error: 'expected `true`, or `{ clientCa, crl }`',
    })
    .default(false),
  /** How long the head of a request may take. */
  headersTimeout: span.prefault('10s'),
  /** How long a body may be silent on its way. */
  requestTimeout: span.prefault('30s'),
  /** What a body brings, and the reader of an answer takes, at the least; 0: every pace will do. */
  minBytesPerSecond: z.int().min(0).max(10_000_000).default(500),
  /** How long a body may take to get going, and over how long its pace is measured then. */
  bodyGrace: span.prefault('5s'),
  bodyWindow: span.prefault('10s'),
  /** Over how long the pace of a reader is measured, for whom bytes wait. */
  readerTimeout: span.prefault('30s'),
  /** How long an idle connection is kept; longer than the balancer in front keeps its own. */
  keepAliveTimeout: span.prefault('65s'),
  /** Connections at most. */
  connections: z.int().min(1).max(1_000_000).default(10_000),
  /** Connections of one address at most; trusted proxies hold as many as they like. */
  connectionsPerAddress: z.int().min(1).max(1_000_000).default(512),
  /** Requests that one connection carries, one after the other; then it is to be made anew. */
  requestsPerConnection: z.int().min(1).max(1_000_000_000).default(1_000),
  /** Requests that one connection may bring in a second; from trusted proxies, any number. */
  requestRatePerConnection: z.int().min(1).max(1_000_000).default(1_000),
  /** How long requests on their way may take to end when the house shuts down. */
  drain: duration.default(10_000),
})

export type ListenOptions = z.output<typeof listenOptions>
