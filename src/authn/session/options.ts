import { z } from 'zod'
import { duration } from '../../kernel/shape.ts'

/** Sessions of browsers, which prove themselves by a cookie (NIST SP 800-63B-4 §2.2.3 for the defaults). */
export const sessionOptions = z
  .strictObject({
    /** How long a session lives without a sign of life. */
    idle: duration.refine((ms) => ms >= 60_000, 'expected at least `1m`').default(3_600_000),
    /** How long it lives at most; the cookie's Max-Age. */
    absolute: duration.refine((ms) => ms <= 31 * 86_400_000, 'expected at most `31d`').default(86_400_000),
    sameSite: z.enum(['strict', 'lax'], { error: 'expected `strict` or `lax`' }).default('strict'),
    /** How old a sign-in may be where a person changes what proves them. */
    recent: duration.refine((ms) => ms >= 60_000, 'expected at least `1m`').default(600_000),
  })
  .refine(({ idle, absolute }) => idle <= absolute, { path: ['idle'], message: 'expected no more than `absolute`' })

export type SessionOptions = z.output<typeof sessionOptions>
