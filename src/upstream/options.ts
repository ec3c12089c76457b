import { z } from 'zod'
import { duration } from '../kernel/shape.ts'

const url = z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// address' }).refine((text) => {
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  return parsed === undefined || (parsed.username === '' && parsed.search === '' && parsed.hash === '')
}, 'must not hold a user, a query or a fragment')

const detailed = z.strictObject({
  url,
  /** How long a connection may take to be accepted. */
  connectTimeout: duration.default(5_000),
  /** How long the head of an answer may take. */
  answerTimeout: duration.default(30_000),
  /** How long an answer may pause between two pieces; `0ms`: for ever. */
  idleTimeout: duration.default(300_000),
  /** Whether it is told who asks by a JWT in `X-Gatehouse-Assertion`. */
  assertion: z.boolean().default(true),
  /** Whether what goes to it is signed (RFC 9421). */
  signature: z.boolean().default(false),
  /** The OAuth client that it is, where it acts for those who ask it: it may exchange what it is told of them (RFC 8693). */
  client: z.string().min(1).optional(),
  /** Connections kept at most. */
  connections: z.int().min(1).max(10_000).default(256),
})

/** `'http://127.0.0.1:3000'`, or the same with its deadlines. */
export const upstreamOptions = z.union([url.transform((text) => detailed.parse({ url: text })), detailed])

export type UpstreamOptions = z.output<typeof detailed>
