import { z } from 'zod'
import { redactionForms } from '../personal/redact.ts'
import { secretKindNames } from './kinds.ts'

const mode = z.enum(['off', 'log', 'redact', 'block'], { error: 'expected `off`, `log`, `redact` or `block`' })
const kind = z.enum(secretKindNames, { error: `expected one of ${secretKindNames.join(', ')}` })
const form = z.enum(redactionForms, { error: 'expected `label`, `mask`, `hash` or `token`' })

/** What is done about credentials in texts. A route says only what is different from the house. */
export const secretOptions = z
  .union([
    mode,
    z.strictObject({
      requests: mode.optional(),
      answers: mode.optional(),
      /** What is looked for; all where nothing is said. */
      kinds: z.array(kind).optional(),
      /** How they are redacted: `label` where nothing is said. */
      form: form.optional(),
    }),
  ])
  .transform((given) => (typeof given === 'string' ? { requests: given, answers: given } : given))

export type SecretOptions = z.output<typeof secretOptions>
