import { z } from 'zod'
import { duration, secretRef } from '../../kernel/shape.ts'

const mode = z.enum(['off', 'log', 'block'], { error: 'expected `off`, `log` or `block`' })
const share = z.number().gt(0).max(1)

/** A model that classifies texts, behind an address of the operator's choice. */
const classifier = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'expected an address such as `https://…/classify`' }),
  key: secretRef.optional(),
  /** What is posted; each text `$text` in it is the text in question. */
  request: z.json().default({ inputs: '$text' }),
  /** Where the answer is, as a JSON Pointer (RFC 6901): a score from 0 to 1, a label, or a list of labels with scores. */
  answer: z
    .string()
    .regex(/^(?:\/.{0,200})?$/, 'expected a JSON Pointer such as `/score`')
    .default(''),
  /** Labels that mean an order; capitals do not count. */
  labels: z
    .array(z.string().min(1).max(64))
    .min(1)
    .max(32)
    .default(['injection', 'jailbreak', 'malicious', 'unsafe', 'label_1']),
  /** How long it may take. */
  deadline: duration.refine((ms) => ms >= 10 && ms <= 60_000, 'expected `10ms` to `60s`').default(1_000),
  /** What becomes of a request that it could not judge. */
  whenDown: z.enum(['allow', 'refuse']).default('allow'),
  /** Texts that it is asked about at once. */
  atOnce: z.int().min(1).max(256).default(8),
})

/** What is done about text that gives orders to a model. A route says only what is different from the house. */
export const promptOptions = z
  .union([
    mode,
    z.strictObject({
      /** Of what is asked. */
      requests: mode.optional(),
      /** Of what comes back: the results of tools. */
      answers: mode.optional(),
      /** From how sure on, 0 to 1, something is done. */
      threshold: share.optional(),
      /** Which texts a model reads: `/prompt`, `query q`, a star for one step; everything that may be text where nothing is said. */
      fields: z.array(z.string().min(1).max(200)).min(1).max(64).optional(),
      /** Asked beside the rules of the house; the surer of both counts. */
      classifier: classifier.optional(),
    }),
  ])
  .transform((given) => (typeof given === 'string' ? { requests: given } : given))

export type PromptOptions = z.output<typeof promptOptions>

export type ClassifierOptions = z.output<typeof classifier>
