import { z } from 'zod'
import { duration } from '../../kernel/shape.ts'

/** What goes first when there is more than can be done: `low`, then `normal`, then `high`. */
export const priorities = ['low', 'normal', 'high'] as const
export type Priority = (typeof priorities)[number]

/** When requests are refused because there are too many of them, and nobody's limit is to blame. */
export const loadOptions = z
  .strictObject({
    /** Requests that wait for one upstream's answer. */
    upstreams: z
      .strictObject({
        /** So many are let through whatever is measured: so few are no queue. */
        least: z.int().min(1).max(10_000).default(8),
        /** More never wait. */
        most: z.int().min(1).max(100_000).default(512),
        /** So many times its usual time may an answer take. */
        tolerance: z.number().min(1.1).max(10).default(1.5),
        /** And so much longer, whatever is usual. */
        slack: duration.refine((ms) => ms >= 1, 'expected at least `1ms`').default(10),
      })
      .refine(({ least, most }) => least <= most, { path: ['least'], message: 'expected no more than `most`' })
      .prefault({}),
    /** How late the thread may come to its work, before it takes less of it. */
    lag: duration.refine((ms) => ms >= 5, 'expected at least `5ms`').default(25),
  })
  .prefault({})

export type LoadOptions = z.output<typeof loadOptions>
