import { z } from 'zod'
import type { SecretRef } from '../../kernel/secret.ts'
import { duration, secretRef, size } from '../../kernel/shape.ts'

const path = z.string().min(1)

/** What every sink has. */
const common = {
  /** What it is called; the kind where nothing is said. */
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'expected a name of up to 63 letters, digits, `_` and `-`')
    .optional(),
  /** Where a new one begins in the record. */
  from: z.enum(['beginning', 'end']).default('beginning'),
  /** What becomes of an event that the other side refuses for good: nothing passes it, or it is set aside. */
  onRejected: z.enum(['stop', 'park']).default('stop'),
  /** Whether what lies under people's own keys is sent in clear. What was sent no erasure reaches. */
  personal: z.boolean().default(true),
} as const

const file = z.strictObject({
  kind: z.literal('file'),
  ...common,
  path,
  /** Beyond which another file is begun. */
  maxSize: size.refine((bytes) => bytes >= 65_536, 'expected `64kb` or more').default(100 * 1024 * 1024),
  maxAge: duration.refine((ms) => ms >= 1_000, 'expected `1s` or more').default(86_400_000),
  /** How many of the earlier files are kept. */
  keep: z.int().min(1).max(10_000).default(30),
})

/** Who the server has to be, and who we are to it. Paths of PEM files. */
const trust = {
  ca: path.optional(),
  cert: path.optional(),
  key: path.optional(),
} as const

const ascii = /^[!-~]+$/

const syslog = z
  .strictObject({
    kind: z.literal('syslog'),
    ...common,
    host: z.string().regex(/^[A-Za-z0-9.:-]+$/, 'expected a host name or an address'),
    /** 6514 by TLS (RFC 5425), 601 by TCP (RFC 3195's, as receivers of RFC 6587 have it). */
    port: z.int().min(1).max(65_535).optional(),
    protocol: z.enum(['tls', 'tcp']).default('tls'),
    ...trust,
    /** Sends in clear, also to other machines. */
    insecure: z.boolean().default(false),
    /** 13 is `log audit` (RFC 5424 §6.2.1). */
    facility: z.int().min(0).max(23).default(13),
    appName: z.string().max(48).regex(ascii, 'expected printable ASCII without spaces').default('gatehouse'),
    /** The machine's own where nothing is said. */
    hostname: z.string().max(255).regex(ascii, 'expected printable ASCII without spaces').optional(),
    /** The private enterprise number in the name of the structured data; 32473 is the one for examples (RFC 5612). */
    enterprise: z.int().min(1).max(4_294_967_295).default(32_473),
    timeout: duration.refine((ms) => ms >= 100 && ms <= 60_000, 'expected `100ms` to `60s`').default(10_000),
  })
  .superRefine(({ protocol, host, insecure, ca, cert, key }, context) => {
    if (protocol === 'tcp' && !insecure && !isLoopback(host))
      context.addIssue({ code: 'custom', path: ['protocol'], message: clear('`tls`') })
    if (protocol === 'tcp' && (ca ?? cert ?? key) !== undefined)
      context.addIssue({ code: 'custom', path: ['protocol'], message: 'expected `tls`: there are certificates' })
    checkPair(cert, key, context)
  })

/** A header's value: a text, or where a secret one is to be had. */
const headerValue = z.union([z.string().regex(/^[\t -~]*$/, 'expected one line of ASCII'), secretRef], {
  error: "expected a text, or `env('NAME')` or `file('/path')`",
})

const http = {
  url: z.string().refine(isHttpUrl, 'expected `https://siem.example.com/path`, without user and password'),
  ...trust,
  /** Sends in clear, also to other machines. */
  insecure: z.boolean().default(false),
  headers: z
    .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of a header'), headerValue)
    .default({}),
  /** Events that one request carries at most. */
  batch: z.int().min(1).max(500).default(100),
  timeout: duration.refine((ms) => ms >= 100 && ms <= 60_000, 'expected `100ms` to `60s`').default(10_000),
} as const

const webhook = z
  .strictObject({
    kind: z.literal('webhook'),
    ...common,
    ...http,
    /** Signs every request: HMAC-SHA-256. */
    secret: secretRef.optional(),
    /** A JSON array, or one JSON text a line. */
    encoding: z.enum(['json', 'lines']).default('json'),
    /** Our own form, or the Open Cybersecurity Schema Framework's. */
    format: z.enum(['gatehouse', 'ocsf']).default('gatehouse'),
  })
  .superRefine(checkHttp)

const otlp = z
  .strictObject({
    kind: z.literal('otlp'),
    ...common,
    ...http,
    serviceName: z.string().min(1).max(255).default('gatehouse'),
  })
  .superRefine(checkHttp)

const sink = z.discriminatedUnion('kind', [file, syslog, webhook, otlp], {
  error: 'expected `kind`: `file`, `syslog`, `webhook` or `otlp`',
})

/** Where the record is sent. */
export const sinkOptions = z
  .array(sink)
  .max(32)
  .superRefine((sinks, context) => {
    const names = sinks.map(sinkName)
    for (const [index, name] of names.entries())
      if (names.indexOf(name) < index)
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          message: `\`${name}\` is there already: each sink has a name of its own`,
        })
    const paths = sinks.map((one) => (one.kind === 'file' ? one.path : undefined))
    for (const [index, path] of paths.entries())
      if (path !== undefined && paths.indexOf(path) < index)
        context.addIssue({ code: 'custom', path: [index, 'path'], message: `\`${path}\` is another sink’s already` })
  })
  .default([])

export type SinkOptions = z.output<typeof sinkOptions>[number]
export type FileSinkOptions = Extract<SinkOptions, { kind: 'file' }>
export type SyslogSinkOptions = Extract<SinkOptions, { kind: 'syslog' }>
export type WebhookSinkOptions = Extract<SinkOptions, { kind: 'webhook' }>
export type OtlpSinkOptions = Extract<SinkOptions, { kind: 'otlp' }>

/** What a sink is called among the followers of the record. */
export function sinkName({ kind, name = kind }: { readonly kind: string; readonly name?: string | undefined }): string {
  return `sink:${name}`
}

/** The secrets that sinks name, by where they stand below `audit.sinks`. */
export function sinkSecrets(sinks: readonly SinkOptions[]): (readonly [path: string, SecretRef])[] {
  return sinks.flatMap((one, index) => {
    const references: (readonly [path: string, SecretRef])[] = []
    if (one.kind === 'webhook' && one.secret !== undefined) references.push([`[${index}].secret`, one.secret])
    if (one.kind === 'webhook' || one.kind === 'otlp')
      for (const [name, value] of Object.entries(one.headers))
        if (typeof value !== 'string') references.push([`[${index}].headers.${name}`, value])
    return references
  })
}

interface Context {
  addIssue(issue: { readonly code: 'custom'; readonly path: string[]; readonly message: string }): void
}

function checkHttp(
  { url, insecure, ca, cert, key, headers }: z.output<z.ZodObject<typeof http>>,
  context: Context,
): void {
  const secure = URL.canParse(url) && new URL(url).protocol === 'https:'
  if (!secure && !insecure && URL.canParse(url) && !isLoopback(new URL(url).hostname))
    context.addIssue({ code: 'custom', path: ['url'], message: clear('`https://`') })
  if (!secure && (ca ?? cert ?? key) !== undefined)
    context.addIssue({ code: 'custom', path: ['url'], message: 'expected `https://`: there are certificates' })
  for (const name of Object.keys(headers))
    if (framing.has(name.toLowerCase()))
      context.addIssue({ code: 'custom', path: ['headers', name], message: 'is set by the house itself' })
  checkPair(cert, key, context)
}

const framing: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'content-type',
  'transfer-encoding',
  'expect',
  'upgrade',
  'keep-alive',
])

function checkPair(cert: string | undefined, key: string | undefined, context: Context): void {
  if ((cert === undefined) !== (key === undefined))
    context.addIssue({
      code: 'custom',
      path: [cert === undefined ? 'cert' : 'key'],
      message: 'is missing: `cert` and `key` belong together',
    })
}

function clear(expected: string): string {
  return `expected ${expected}: the record would leave this machine in clear. \`insecure: true\` sends it all the same`
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(host)
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, hash } = new URL(text)
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '' && hash === ''
}
