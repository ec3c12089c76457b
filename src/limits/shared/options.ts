import { z } from 'zod'
import { duration, secretRef } from '../../kernel/shape.ts'

const redisUrl = z
  .string()
  .refine(isRedisUrl, 'expected `redis://host:6379` or `rediss://user@host:6379/0`, without a path or a query')

const place = z
  .strictObject({
    /** Over `rediss` nobody reads along. It may hold a user, and a password where the configuration is kept like one. */
    url: redisUrl,
    password: secretRef.optional(),
    /** A file with the certificate of the authority that signed the server's. */
    ca: z.string().min(1).optional(),
    /** A cluster, of which `url` names one node. All counts of a house lie on one of its nodes. */
    cluster: z.boolean().default(false),
    /** What its keys begin with. Houses that share a Redis and are not one house choose different ones. */
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_.:-]{1,64}$/, 'expected 1 to 64 letters, digits, `_`, `.`, `:` and `-`')
      .default('gatehouse'),
    /** How long a request waits for it at most. */
    timeout: duration.refine((ms) => ms >= 5 && ms <= 5_000, 'expected `5ms` to `5s`').default(50),
    /** Nodes of the house, by which a limit is shared out while Redis is away; as many as were alive, where it is left out. */
    nodes: z.int().min(1).max(10_000).optional(),
    /** Of limits that do not say it themselves. */
    whenDown: z.enum(['local', 'closed', 'open'], { error: 'expected `local`, `closed` or `open`' }).default('local'),
    /** Whether a node takes units of hot keys in advance. It spares round trips, and gives callers a little less than the limit. */
    leases: z.boolean().default(false),
  })
  .superRefine(({ url, password, ca, cluster }, context) => {
    const { protocol, password: inUrl, pathname } = new URL(url)
    const mistake = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (password !== undefined && inUrl !== '') mistake('password', 'stands in `url` already: one of them is enough')
    if (ca !== undefined && protocol !== 'rediss:') mistake('ca', 'is for `rediss://…`')
    if (cluster && Number(pathname.slice(1)) !== 0) mistake('url', 'names a database, and a cluster has only one')
  })

/** The count that all nodes share. Its address alone stands for all of it. */
export const sharedOptions = z.union([redisUrl.transform((url) => place.parse({ url })), place], {
  error: 'expected `redis://host:6379`, `rediss://host:6379`, or an object with a `url`',
})

export type SharedOptions = z.output<typeof sharedOptions>

function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password, pathname, search, hash } = new URL(text)
  return (
    /^rediss?:$/.test(protocol) &&
    hostname !== '' &&
    /^(?:\/\d{0,4})?$/.test(pathname) &&
    search === '' &&
    hash === '' &&
    [username, password].every(isDecodable)
  )
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
