import { z } from 'zod'
import { cidr, duration } from '../kernel/shape.ts'
import { loadOptions } from '../limits/load/options.ts'
import { userAgentOptions } from './user-agents.ts'

const addresses = z
  .strictObject({
    allow: z.array(cidr).min(1).optional(),
    deny: z.array(cidr).min(1).optional(),
    /** Files with one address or network a line. */
    denyFiles: z.array(z.string().min(1, 'expected the path of a file, got nothing')).min(1).max(32).optional(),
  })
  .refine(
    (lists) => Object.values(lists).some((list) => list !== undefined),
    'expected `allow`, `deny`, `denyFiles`, or several of them',
  )

const threshold = z.strictObject({
  /** Requests of one address that any window admits. */
  limit: z.int().min(1).max(1_000_000_000),
  window: duration.refine((ms) => ms >= 100 && ms <= 86_400_000, 'expected `100ms` to `1d`'),
})

const rate = z
  .strictObject({
    thresholds: z
      .array(threshold)
      .min(1)
      .max(8)
      .prefault([
        { limit: 100, window: '1m' },
        { limit: 10, window: '1s' },
      ]),
    /** How long an address is blocked that went over one of them. */
    block: duration.refine((ms) => ms >= 1_000 && ms <= 31_536_000_000, 'expected `1s` to `365d`').prefault('1h'),
  })
  .superRefine(({ thresholds, block }, context) => {
    const seen = new Set<number>()
    for (const [index, { window }] of thresholds.entries()) {
      const mistake = (message: string): void =>
        context.addIssue({ code: 'custom', path: ['thresholds', index, 'window'], message })
      if (seen.has(window)) mistake('expected one threshold for each window')
      // Else the first request after a block would lead into the next one.
      if (window > block) mistake('expected no more than `block`')
      seen.add(window)
    }
  })

const path = z
  .string()
  .regex(/^\/[^*]*(?:\/\*)?$/, 'expected a path such as `/health`, or `/health/*` for all below it')

/** What is asked of an address before anybody is known. */
export const shieldOptions = z.strictObject({
  /** Who may come at all. */
  addresses: addresses.optional(),
  /** An address that asks too often is blocked for a while (TR7). Left out: none is. */
  rate: rate.optional(),
  userAgents: userAgentOptions.optional(),
  /** When requests are refused because there are too many of them, and nobody's limit is to blame; `false`: never. */
  load: z.union([loadOptions, z.literal(false)]).prefault({}),
  /** What the shield is never asked about: health checks, monitors. */
  exempt: z
    .strictObject({ paths: z.array(path).max(200).default([]), addresses: z.array(cidr).max(1000).default([]) })
    .prefault({}),
})

export type ShieldOptions = z.output<typeof shieldOptions>
