import { z } from 'zod'
import type { Endpoint } from './shapes.ts'

const textBytesMax = 4_096

/** Small facts, flat. What they say is the client's word. */
const details = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'expected a name of up to 64 letters, digits, `_`, `.` and `-`'),
    z.union([z.string().max(256), z.number(), z.boolean()], {
      error: 'expected a text of up to 256 characters, a number, or true or false',
    }),
  )
  .refine((given) => Object.keys(given).length <= 20, 'expected 20 members at most')
  .refine(
    (given) => new TextEncoder().encode(JSON.stringify(given)).byteLength <= textBytesMax,
    `expected ${textBytesMax} bytes at most`,
  )

/** What a page or an app has noticed. Time, address and account are not for it to say. */
const report = z.strictObject({
  type: z.string().regex(/^[a-z0-9_.-]{1,64}$/, 'expected up to 64 small letters, digits, `_`, `.` and `-`'),
  success: z.boolean(),
  details: details.default({}),
})

/** One, or up to fifty: `{ events }`. */
export const reportsBody = z.preprocess(
  (body) => (typeof body === 'object' && body !== null && !('events' in body) ? { events: [body] } : body),
  z.strictObject({ events: z.array(report).min(1).max(50) }),
)

/** What clients have to tell of security. */
// biome-ignore format: a table, one line to an endpoint
export const monitoring = {
  reportSecurityEvents: { method: 'POST', path: '/api/monitoring/security-events', summary: 'What a page or an app has noticed: one event, or up to 50', access: 'public', limit: 'reports', body: reportsBody },
} as const satisfies Record<string, Endpoint>
