import { z } from 'zod'
import { prefixLengthMax } from '../../kernel/key-text.ts'
import { cidr, duration } from '../../kernel/shape.ts'
import { permission } from '../../wire/shapes.ts'
import { serviceNameProblem } from '../service/service-name.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
const yearMs = 365 * dayMs

const prefix = z
  .string()
  .max(prefixLengthMax)
  .regex(/^[a-z0-9]+(?:_[a-z0-9]+)*$/, 'expected small letters and digits, with `_` between')

const ownerName = z.string().superRefine((name, context) => {
  const problem = serviceNameProblem(name)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

const overlap = duration.refine((ms) => ms <= 90 * dayMs, 'expected at most `90d`')

const managedKey = z.strictObject({
  /** Whose it is; left out, an organisation of the key's own name. */
  owner: z
    .union([z.strictObject({ service: ownerName }), z.strictObject({ organisation: ownerName })], {
      error: 'expected `{ service: NAME }` or `{ organisation: NAME }`',
    })
    .optional(),
  permissions: z.array(permission).max(64),
  scopes: z.array(z.string().min(1).max(128)).min(1).max(64).optional(),
  addresses: z.array(cidr).min(1).max(64).optional(),
  rotateEvery: duration
    .refine((ms) => ms >= minuteMs && ms <= yearMs, 'expected at least `1m` and at most `1y`')
    .default(dayMs),
  overlap: overlap.optional(),
  /** Where it is written, for the program that uses it. */
  file: z.string().min(1, 'expected the path of a file, got nothing'),
})

export const keyOptions = z
  .strictObject({
    /** What every new key begins with. */
    prefix: prefix.default('gh_live'),
    /** What keys that are still about begin with, after `prefix` was changed. */
    previousPrefixes: z.array(prefix).max(10).default([]),
    /** How long the predecessors of a key stay good after it was first used. */
    overlap: overlap.default(dayMs),
    /** How long a key lives where its maker does not say; left out, until it is revoked. */
    expiry: duration.refine((ms) => ms >= minuteMs && ms <= 10 * yearMs, 'expected `1m` to `10y`').optional(),
    /** How long a key may live at most. */
    expiryMax: duration.refine((ms) => ms >= minuteMs && ms <= 10 * yearMs, 'expected `1m` to `10y`').optional(),
    /** How many living keys an owner may have. */
    perOwner: z.int().min(1).max(10_000).default(50),
    /** Keys that the house makes, rotates and writes into files by itself. */
    managed: z
      .record(ownerName, managedKey)
      .default({})
      .superRefine((managed, context) => {
        const files = new Map<string, string>()
        for (const [name, { file }] of Object.entries(managed)) {
          const other = files.get(file)
          files.set(file, name)
          if (other !== undefined)
            context.addIssue({ code: 'custom', path: [name, 'file'], message: `\`${other}\` is written there already` })
        }
      }),
  })
  .refine(({ expiry, expiryMax }) => expiry === undefined || expiryMax === undefined || expiry <= expiryMax, {
    path: ['expiry'],
    message: 'expected no more than `expiryMax`',
  })

export type KeyOptions = z.output<typeof keyOptions>
export type ManagedKeyOptions = KeyOptions['managed'][string]
