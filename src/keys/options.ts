import { z } from 'zod'
import { duration } from '../kernel/shape.ts'

/** How signing keys take turns. */
export const rotationOptions = z
  .strictObject({
    /** How long a key signs before the next one does. */
    every: z
      .union([z.literal('never'), duration.refine((ms) => ms >= 3_600_000, 'expected at least `1h`')], {
        error: 'expected `never`, or a duration such as `90d`',
      })
      .prefault('90d'),
    /** How long a key is published before it signs: others who verify our tokens may keep the JWK Set for half of it. */
    lead: duration.refine((ms) => ms >= 10_000 && ms <= 86_400_000, 'expected `10s` to `1d`').prefault('10m'),
  })
  .refine(({ every, lead }) => every === 'never' || lead < every, {
    path: ['lead'],
    message: 'expected less than `every`',
  })

export type RotationOptions = z.output<typeof rotationOptions>
