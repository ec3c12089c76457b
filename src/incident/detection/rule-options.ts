import { z } from 'zod'
import { duration } from '../../kernel/shape.ts'
import { severities } from '../finding.ts'
import { conditions } from './condition.ts'
import { field } from './fields.ts'

const hour = 3_600_000
const day = 24 * hour

function span(least: number, most: number, said: string): z.ZodType<number, string> {
  return duration.refine((ms) => ms >= least && ms <= most, `expected ${said}`)
}

const oneOrMore = z.union([field.transform((one) => [one]), z.array(field).min(1).max(4)], {
  error:
    'expected `actor`, `address`, `network`, `caller`, `resource`, `agent`, `country`, `house` or `details.name`, or a list of those',
})

const common = {
  /** The type of the incident that it opens: playbooks are chosen by it. */
  type: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'expected a name of small letters, digits and `-`'),
  title: z
    .string()
    .min(1)
    .max(120)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]*$/u, 'expected one line of text'),
  severity: z.enum(severities),
  when: conditions,
  /** Whose events are counted together. */
  by: oneOrMore,
  /** Once it has found something, it finds the same no more for so long. */
  cooldown: span(0, 30 * day, '`0s` to `30d`').default(hour),
  /** Whom and what a playbook may act upon; what is counted by, where it is left out. */
  targets: z.array(z.enum(['actor', 'resource', 'address', 'api-key', 'session'])).optional(),
  /** `false`: it is remembered as an event, and opens no incident. */
  incident: z.boolean().default(true),
  /** `false`: no playbook begins by itself, whatever it says of the type. */
  playbooks: z.boolean().default(true),
}

const window = span(1_000, 7 * day, '`1s` to `7d`')
const threshold = z.int().min(1).max(1_000)

/** A rule, as data. */
export const ruleOptions = z
  .discriminatedUnion(
    'kind',
    [
      /** So many events within a window. */
      z.strictObject({ kind: z.literal('count'), ...common, threshold, window, without: conditions.optional() }),
      /** So many different values within a window; of each, where there are several. */
      z.strictObject({
        kind: z.literal('distinct'),
        ...common,
        distinct: oneOrMore,
        threshold: z.int().min(2).max(200),
        window,
        without: conditions.optional(),
      }),
      /** Many times what is usual: the events of a window, or their share in `of`, against the mean of the windows before. */
      z.strictObject({
        kind: z.literal('jump'),
        ...common,
        of: conditions.optional(),
        factor: z.number().min(1.1).max(1_000),
        windows: z.int().min(2).max(96),
        /** Events that a window has to have at least. */
        least: z.int().min(2).max(1_000_000),
        window: span(60_000, day, '`1m` to `1d`'),
      }),
      /** A value that was not seen here before, where others were. */
      z.strictObject({
        kind: z.literal('unseen'),
        ...common,
        value: field,
        /** Where more others than so are known, one more is nothing new. */
        most: z.int().min(1).max(100).default(100),
        memory: span(hour, 365 * day, '`1h` to `365d`').default(90 * day),
      }),
      /** Two places that nobody gets from one to the other in the time between. */
      z.strictObject({
        kind: z.literal('travel'),
        ...common,
        kmPerHour: z.int().min(50).max(100_000).default(1_000),
        /** Addresses are placed no better than so. */
        kmMin: z.int().min(1).max(20_000).default(500),
        window: window.default(day),
      }),
    ],
    { error: 'expected `kind` to be `count`, `distinct`, `jump`, `unseen` or `travel`' },
  )
  .superRefine(({ when, targets }, context) => {
    const mistake = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    const reports = when.filter(({ type }) => [type].flat().includes('client_report'))
    if (reports.length === 0) return
    // Anybody may report anything. Whoever does must not be able to have it held against somebody else.
    if (reports.length < when.length || reports.some(({ type }) => [type].flat().length > 1))
      mistake('when', 'expected a rule about `client_report` to be about nothing else: what is reported proves nothing')
    if (targets !== undefined && targets.length > 0)
      mistake('targets', 'expected no targets of what clients report: nothing is done to anybody for it')
  })
  .transform((rule) =>
    rule.when.some(({ type }) => [type].flat().includes('client_report')) ? { ...rule, playbooks: false } : rule,
  )

export type RuleOptions = z.output<typeof ruleOptions>
export type RuleInput = z.input<typeof ruleOptions>
