import { z } from 'zod'
import { cidr, duration, secretRef } from '../kernel/shape.ts'

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

export const listenOptions = z.strictObject({
  port: z.int().min(0).max(65_535).default(8080),
  host: z.string().min(1).default('127.0.0.1'),
  /** Peers whose `X-Forwarded-*` fields are believed. */
  trustedProxies: z.array(cidr).default([]),
  /** TLS of our own. */
  tls: tlsOptions.optional(),
  /** Whether those proxies are believed about client certificates, by `Client-Cert` (RFC 9440). */
  clientCertHeader: z
    .union([z.boolean(), z.strictObject({ clientCa: path, crl: paths.optional() })], {
      error: 'expected `true`, or `{ clientCa, crl }`',
    })
    .default(false),
  /** How long the head of a request may take. */
  headersTimeout: duration.default(10_000),
  /** How long a whole request may take to arrive. */
  requestTimeout: duration.default(300_000),
  /** How long an idle connection is kept; longer than the balancer in front keeps its own. */
  keepAliveTimeout: duration.default(65_000),
  /** Connections at most. */
  connections: z.int().min(1).max(1_000_000).default(10_000),
  /** How long requests on their way may take to end when the house shuts down. */
  drain: duration.default(10_000),
})

export type ListenOptions = z.output<typeof listenOptions>
