import { z } from 'zod'
import { durationMs } from '../kernel/duration.ts'
import { unshowable } from '../kernel/one-line.ts'
import type { Endpoint } from './shapes.ts'

/** Shown to whoever is blocked, to administrators, and in the record. */
const reason = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => text.isWellFormed() && !unshowable.test(text), 'must be one line of text')

const duration = z.string().refine((text) => {
  const ms = durationMs(text)
  return ms !== undefined && ms >= 1_000 && ms <= blockMsMax
}, 'expected a duration such as `1h`, of `1s` to `10y`')

/** Ten years. Whoever wants more wants no end. */
const blockMsMax = 315_360_000_000

/** RFC 3339 has four digits for a year, and an offset leads beyond them. */
const lastMoment = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** An address or a network that may not come, and until when. */
export const newBlockBody = z
  .strictObject({
    /** One of IPv6 stands for its /64. */
    address: z.string().max(64).optional(),
    network: z.string().max(64).optional().meta({ description: 'CIDR' }),
    reason,
    duration: duration.optional().meta({ description: 'such as `1h`' }),
    until: z.iso
      .datetime({ offset: true })
      .max(40)
      .refine((text) => Date.parse(text) <= lastMoment, 'expected a time before the year 10000')
      .optional()
      .meta({ description: 'RFC 3339' }),
    permanent: z.literal(true).optional(),
    /** Also where whoever asks is within it. */
    force: z.boolean().default(false),
  })
  .refine(({ address, network }) => (address === undefined) !== (network === undefined), {
    path: ['address'],
    message: 'expected `address` or `network`, one of the two',
  })
  .refine(
    ({ duration, until, permanent }) =>
      [duration, until, permanent].filter((value) => value !== undefined).length === 1,
    { path: ['duration'], message: 'expected `duration`, `until` or `permanent`, one of the three' },
  )

const manage = { permission: 'traffic:manage' } as const

/** Addresses that are blocked, for administrators. */
// biome-ignore format: a table, one line to an endpoint
export const addresses = {
  listAddressBlocks: { method: 'GET', path: '/api/admin/addresses', summary: 'Blocked addresses and networks, by pages: `limit`, `after`; or those that hold `address`', access: manage, limit: 'general' },
  blockAddress: { method: 'POST', path: '/api/admin/addresses', summary: 'Block an address or a network, for a while or without end', access: manage, limit: 'general', body: newBlockBody, recent: true, inPerson: true },
  liftAddressBlock: { method: 'DELETE', path: '/api/admin/addresses/:id', summary: 'Lift a block, whoever made it', access: manage, limit: 'general', recent: true, inPerson: true },
} as const satisfies Record<string, Endpoint>
