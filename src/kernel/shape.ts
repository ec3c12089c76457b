import { z } from 'zod'
import { durationMs } from './duration.ts'
import { parseCidr } from './ip.ts'
import { sizeBytes } from './size.ts'

/** `'15m'` → milliseconds. */
export const duration = z.string({ error: 'expected a duration such as `15m`' }).transform((text, context) => {
  const ms = durationMs(text)
  if (ms !== undefined) return ms
  context.addIssue({ code: 'custom', message: `expected a duration such as \`15m\`, got \`${text}\`` })
  return z.NEVER
})

/** `'1mb'` → bytes. */
export const size = z.string({ error: 'expected a size such as `1mb`' }).transform((text, context) => {
  const bytes = sizeBytes(text)
  if (bytes !== undefined) return bytes
  context.addIssue({ code: 'custom', message: `expected a size such as \`1mb\`, got \`${text}\`` })
  return z.NEVER
})

/** `'10.0.0.0/8'`, or one address. */
export const cidr = z
  .string()
  .refine((text) => parseCidr(text) !== undefined, 'expected an address or a network such as `10.0.0.0/8`')

/** A secret, by where it is to be had: `{ env: 'NAME' }` or `{ file: '/path' }`. Never inline. */
export const secretRef = z.union(
  [
    z.strictObject({ env: z.string().min(1, 'expected the name of an environment variable, got nothing') }),
    z.strictObject({ file: z.string().min(1, 'expected the path of a file, got nothing') }),
  ],
  {
    error: "expected `env('NAME')` or `file('/path')`: a secret does not stand in a configuration",
  },
)
