import { z } from 'zod'
import { type Family, families } from './detector.ts'

const modes = ['off', 'log', 'block'] as const
const mode = z.enum(modes, { error: 'expected `off`, `log` or `block`' })
const family = z.enum(Object.keys(families) as [Family, ...Family[]])
const share = z.number().gt(0).max(1)

/** What is done about injection. A route says only what is different from the house. */
export const injectionOptions = z
  .union([
    mode,
    z.strictObject({
      mode: mode.optional(),
      /** From how sure on, 0 to 1, something is done. */
      threshold: share.optional(),
      /** Families that are treated otherwise. */
      families: z
        .partialRecord(family, z.union([mode, z.strictObject({ mode: mode.optional(), threshold: share.optional() })]))
        .optional(),
      /** What is known to be harmless: by field, by rule, or both. */
      allow: z
        .array(
          z
            .strictObject({
              /** `body /description`, `query q`, `header user-agent`; `*` stands for one step of a pointer, or for any name. */
              field: z.string().min(1).optional(),
              /** `sql/tautology`; `sql/*` for a family. */
              rule: z.string().min(1).optional(),
            })
            .refine(
              ({ field, rule }) => field !== undefined || rule !== undefined,
              'expected `field`, `rule`, or both',
            ),
        )
        .optional(),
    }),
  ])
  .transform((given) => (typeof given === 'string' ? { mode: given } : given))

export type InjectionOptions = z.output<typeof injectionOptions>
