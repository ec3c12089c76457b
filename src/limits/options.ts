import { z } from 'zod'
import { duration } from '../kernel/shape.ts'

/** How a limit is counted: by principal where one is known and by address otherwise, or always by address. */
export const limitBy = z.array(z.enum(['principal', 'ip'], { error: 'expected `principal` or `ip`' })).min(1)

export const limitOptions = z
  .strictObject({
    /** The one algorithm of today: a sliding window with a burst. */
    algorithm: z.literal('sliding', { error: 'expected `sliding`' }).default('sliding'),
    limit: z.int().min(1).max(1_000_000_000),
    window: duration.refine((ms) => ms >= 100, 'expected at least `100ms`'),
    /** Requests that may come back to back; as many as the limit, where it is left out. */
    burst: z.int().min(1).optional(),
    by: limitBy.default(['principal', 'ip']),
  })
  .refine(({ limit, burst }) => burst === undefined || burst <= limit, {
    path: ['burst'],
    message: 'expected no more than `limit`',
  })

export type LimitOptions = z.output<typeof limitOptions>

/** The limits that the house brings for its own endpoints; the configuration overrides them by name. */
export const builtInLimits: Readonly<
  Record<
    'authentication' | 'oauth' | 'requests' | 'general' | 'decisions' | 'health' | 'strangers',
    z.input<typeof limitOptions>
  >
> = {
  authentication: { limit: 20, window: '15m', burst: 10, by: ['ip'] },
  /** Programs at the authorization server: many of one client come from one address. */
  oauth: { limit: 600, window: '1m', burst: 200, by: ['ip'] },
  /** What anybody may ask and the authorization server has to keep: requests that are pushed or begun, and registrations. */
  requests: { limit: 120, window: '1m', burst: 60, by: ['ip'] },
  general: { limit: 1000, window: '1h', burst: 100 },
  /** Questions of other services, each with up to a hundred in it. */
  decisions: { limit: 6_000, window: '1m', burst: 600 },
  health: { limit: 600, window: '1m', burst: 100, by: ['ip'] },
  /** What an address may waste on missing or wrong credentials, on all routes together. */
  strangers: { limit: 300, window: '1m', burst: 100, by: ['ip'] },
}
