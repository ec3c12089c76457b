import { z } from 'zod'
import { duration } from '../kernel/shape.ts'

/** What a limit can tell callers apart by. Those in front of the line are known before anybody has shown who they are. */
const early = ['ip', 'route', 'global', 'none'] as const
const late = ['principal', 'key', 'client'] as const
const named = /^(?:header:[A-Za-z0-9-]+|attribute:[A-Za-z0-9_.-]+)$/

export type Fact = (typeof early)[number] | (typeof late)[number] | `header:${string}` | `attribute:${string}`

function isFact(text: string): text is Fact {
  return ([...early, ...late] as readonly string[]).includes(text) || named.test(text)
}

/** Facts that count together, joined by `+`: `ip+route`. */
const combination = z.string().transform((text, context): readonly Fact[] => {
  const facts: Fact[] = []
  for (const fact of text.split('+')) {
    if (!isFact(fact) || facts.includes(fact) || (fact === 'none' && text !== fact)) {
      context.addIssue({
        code: 'custom',
        message: `expected ${[...late, ...early].map((known) => `\`${known}\``).join(', ')}, \`header:Name\` or \`attribute:name\`, each once and joined by \`+\`, got \`${fact}\``,
      })
      return z.NEVER
    }
    facts.push(fact)
  }
  return facts
})

/**
 * By what a limit counts: the first of these that is known of a request, and by address where none is. `['principal', 'ip']` counts
 * people by themselves and strangers by address; `'ip+route'` each address on each route apart; `'global'` everybody together;
 * `['principal', 'none']` people, and strangers not at all.
 */
export const limitBy = z
  .union([combination, z.array(combination).min(1)])
  .transform((given): readonly (readonly Fact[])[] =>
    typeof given[0] === 'string' ? [given as readonly Fact[]] : (given as readonly (readonly Fact[])[]),
  )

/** A name that stands in header fields as it is (RFC 9651 §3.3.3). */
export const limitName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/, 'expected a name of up to 64 letters, digits, `_`, `.`, `:` and `-`')

/** The window of an exact log is held request by request. */
export const logMax = 1024

export const limitOptions = z
  .strictObject({
    algorithm: z
      .enum(['sliding', 'token-bucket', 'log', 'fixed', 'concurrency'], {
        error: 'expected `sliding`, `token-bucket`, `log`, `fixed` or `concurrency`',
      })
      .default('sliding'),
    limit: z.int().min(1).max(1_000_000_000),
    /** Left out for `concurrency`, which has none. */
    window: duration.refine((ms) => ms >= 100 && ms <= 366 * 86_400_000, 'expected `100ms` to `366d`').optional(),
    /** Requests that may come back to back, of `sliding` and `token-bucket`; as many as the limit, where it is left out. */
    burst: z.int().min(1).max(1_000_000_000).optional(),
    by: limitBy.prefault(['principal', 'ip']),
    /** Whether it counts on every route, beside the limits that the route names: all but health and metrics. */
    everywhere: z.boolean().default(false),
    /** What it does while the count of all nodes cannot be reached; what `shared` says, where it is left out. */
    whenDown: z.enum(['local', 'closed', 'open'], { error: 'expected `local`, `closed` or `open`' }).optional(),
  })
  .superRefine(({ algorithm, limit, window, burst }, context) => {
    const mistake = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if (algorithm === 'concurrency' && window !== undefined)
      mistake('window', '`concurrency` counts what is under way at once, and has no window')
    if (algorithm !== 'concurrency' && window === undefined) mistake('window', 'expected a duration such as `1h`')
    if (burst !== undefined && algorithm !== 'sliding' && algorithm !== 'token-bucket')
      mistake('burst', `\`${algorithm}\` has no burst`)
    else if (burst !== undefined && algorithm === 'sliding' && burst > limit)
      mistake('burst', 'expected no more than `limit`')
    if (algorithm === 'log' && limit > logMax)
      mistake(
        'limit',
        `expected no more than ${logMax} of \`log\`, which remembers each request: \`sliding\` has no such bound`,
      )
  })

export type LimitOptions = z.output<typeof limitOptions>

/** Whether a limit knows whom it counts before they have shown who they are. */
export function isEarly({ by }: Pick<LimitOptions, 'by'>): boolean {
  return by.every((facts) =>
    facts.every((fact) => (early as readonly string[]).includes(fact) || fact.startsWith('header:')),
  )
}

/** The limits that the house brings for its own endpoints; the configuration overrides them by name. */
export const builtInLimits: Readonly<
  Record<
    'authentication' | 'oauth' | 'requests' | 'general' | 'decisions' | 'reports' | 'sandbox' | 'health' | 'strangers',
    z.input<typeof limitOptions>
  >
> = {
  authentication: { limit: 20, window: '15m', burst: 10, by: 'ip' },
  /** Programs at the authorization server: many of one client come from one address. */
  oauth: { limit: 600, window: '1m', burst: 200, by: 'ip' },
  /** What anybody may ask and the authorization server has to keep: requests that are pushed or begun, and registrations. */
  requests: { limit: 120, window: '1m', burst: 60, by: 'ip' },
  general: { limit: 1000, window: '1h', burst: 100 },
  /** Questions of other services, each with up to a hundred in it. */
  decisions: { limit: 6_000, window: '1m', burst: 600 },
  /** What pages and apps tell of security, up to fifty events at once. */
  reports: { limit: 20, window: '1m', burst: 20, by: ['principal', 'ip'] },
  /** Code that is run: each run may take seconds of a processor. */
  sandbox: { limit: 30, window: '1m', burst: 10 },
  health: { limit: 600, window: '1m', burst: 100, by: 'ip' },
  /** What an address may waste on missing or wrong credentials, on all routes together. */
  strangers: { limit: 300, window: '1m', burst: 100, by: 'ip' },
}
