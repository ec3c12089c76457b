import { z } from 'zod'
import { duration, secretRef } from '../../kernel/shape.ts'
import { categories } from './category.ts'

const mode = z.enum(['off', 'log', 'block'], { error: 'expected `off`, `log` or `block`' })
const category = z.enum(categories)
const share = z.number().gt(0).max(1)

const words = z.strictObject({
  kind: z.literal('words'),
  name: z.string().min(1).max(63).default('words'),
  /** Phrases of your own, by category; a star at its end stands for any ending. */
  own: z.partialRecord(category, z.array(z.string().min(2).max(48)).max(2_000)).default({}),
})

const openai = z.strictObject({
  kind: z.literal('openai'),
  name: z.string().min(1).max(63).default('openai'),
  /** Of OpenAI's API, or of another that speaks as it does. */
  url: z
    .url({ protocol: /^https?$/, error: 'expected an address such as `https://…/v1/moderations`' })
    .default('https://api.openai.com/v1/moderations'),
  model: z.string().min(1).max(200).default('omni-moderation-latest'),
  key: secretRef.optional(),
  /** Texts in one request. */
  batch: z.int().min(1).max(256).default(32),
  /** From which score on, beside what the model itself flags; 1 leaves it to the model. */
  threshold: share.default(1),
})

/** What is done about texts that should not be sent. A route says only what is different from the house. */
export const moderationOptions = z
  .union([
    mode,
    z.strictObject({
      mode: mode.optional(),
      /** Who is asked, all of them at once; the list of words where nothing is said. */
      providers: z
        .array(z.discriminatedUnion('kind', [words, openai]))
        .min(1)
        .max(8)
        .optional(),
      /** From how sure on something is done; by category too. `off` for one that is of no interest. */
      threshold: share.optional(),
      categories: z.partialRecord(category, z.union([share, z.literal('off')])).optional(),
      /** How long all of them together may take. */
      deadline: duration.refine((ms) => ms >= 10 && ms <= 60_000, 'expected `10ms` to `60s`').optional(),
      /** What becomes of a request that somebody could not judge. */
      whenDown: z.enum(['allow', 'refuse']).optional(),
      /** Requests that one provider is asked about at once; as many again, fourfold, may wait. */
      atOnce: z.int().min(1).max(256).optional(),
      /** Texts whose judgement is remembered; 0 for none. */
      remembered: z.int().min(0).max(100_000).optional(),
    }),
  ])
  .transform((given) => (typeof given === 'string' ? { mode: given } : given))

export type ModerationOptions = z.output<typeof moderationOptions>

export type ProviderOptions = z.output<typeof words> | z.output<typeof openai>
