import { z } from 'zod'
import { duration } from '../../kernel/shape.ts'

const dayMs = 86_400_000

/** By what failures are counted: by whose proof it is, by where it comes from, or by both together. */
const counted = z.enum(['account', 'address', 'pair'], { error: 'expected `account`, `address` or `pair`' })

type Counted = z.output<typeof counted>

/** What a lock can fall on: what was counted, or either half of a pair. Of an account nobody can say which address. */
const lockable: Readonly<Record<Counted, readonly Counted[]>> = {
  account: ['account'],
  address: ['address'],
  pair: ['pair', 'account', 'address'],
}

const rule = z
  .strictObject({
    per: counted,
    /** How many may be tried in any span of `within`, however it is laid; the last of them trips the rule. */
    failures: z.int().min(1).max(100),
    /** Sliding: a failure counts for this long. */
    within: duration.refine((ms) => ms >= 1_000 && ms <= 7 * dayMs, 'expected `1s` to `7d`'),
    /** What is locked, where it is not what was counted. */
    locks: counted.optional(),
    /**
     * How long it stays locked at the least: a lock that is shorter than `within` lasts for as long as the span is full.
     * Left out, nothing is locked and nobody refused: it is only raised.
     */
    for: duration.refine((ms) => ms >= 1_000 && ms <= 30 * dayMs, 'expected `1s` to `30d`').optional(),
    /** Whether the owner gets a letter. */
    notify: z.boolean().default(false),
  })
  .refine(({ per, locks }) => locks === undefined || lockable[per].includes(locks), {
    path: ['locks'],
    error: ({ input }) => `expected ${named(lockable[(input as { per: Counted }).per])}, for it counts by that`,
  })
  .refine((rule) => rule.locks === undefined || rule.for !== undefined, {
    path: ['for'],
    message: 'expected how long it is locked, such as `15m`, beside `locks`',
  })

/**
 * Which failed proofs lock what (ID3). Whatever stands here, an account takes no more than a hundred in a row.
 *
 * @example
 * lockout: [{ per: 'account', failures: 5, within: '5m', for: '30m', notify: true }]
 */
export const lockoutOptions = z
  .array(rule)
  .max(16)
  .prefault([
    { per: 'pair', failures: 5, within: '15m', for: '15m' },
    { per: 'account', failures: 20, within: '1h', for: '15m', notify: true },
    { per: 'address', failures: 50, within: '1h', for: '1h' },
  ])

export type LockoutRule = z.output<typeof rule>

function named(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(' or ')
}
