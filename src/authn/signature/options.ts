import { z } from 'zod'
import { duration } from '../../kernel/shape.ts'
import { type Component, componentOf, structuredFields } from '../../wire/signature-base.ts'
import { isMalformed } from '../../wire/structured-fields.ts'

const fieldName = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'expected the name of a header')
const serviceName = z.string().min(1)

/** How far the time of a signature may be from ours, in either direction. */
const window = duration.refine((ms) => ms >= 1_000 && ms <= 3_600_000, 'expected `1s` to `1h`').prefault('5m')

/** Who signs, where the signature itself does not say: always the same service, or the one that a header names. */
const claimed = { service: serviceName.optional(), serviceHeader: fieldName.optional() }

const onlyOneClaim = {
  path: ['serviceHeader'],
  message: 'expected none: `service` says who signs',
}

const timestampPayload = z
  .strictObject({
    form: z.literal('timestamp-payload'),
    header: fieldName.default('X-Signature'),
    ...claimed,
    window,
  })
  .refine(({ service, serviceHeader }) => service === undefined || serviceHeader === undefined, onlyOneClaim)

const methodUriBody = z
  .strictObject({
    form: z.literal('method-uri-body'),
    header: fieldName.default('X-Signature'),
    timestampHeader: fieldName.default('X-Timestamp'),
    ...claimed,
    window,
  })
  .refine(({ service, serviceHeader }) => service === undefined || serviceHeader === undefined, onlyOneClaim)

const component = z.string().superRefine((text, context) => {
  const parsed = componentOf(text)
  if (!isMalformed(parsed) && isDemandable(parsed)) return
  context.addIssue({
    code: 'custom',
    message: `expected a header in lower case, \`"@query-param";name="…"\`, or one of ${[...derived].map((one) => `\`${one}\``).join(', ')}; got \`${text}\``,
  })
})

function isDemandable({ name, parameters }: Component): boolean {
  const given = [...parameters]
  if (name === '@query-param') return given.length === 1 && given[0]?.[0] === 'name' && given[0][1].type === 'string'
  if (derived.has(name)) return given.length === 0
  return (
    /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) &&
    given.every(
      ([key, { type }]) => type === (key === 'key' ? 'string' : 'boolean') && ['sf', 'bs', 'key'].includes(key),
    )
  )
}

/** The derived components of a request (RFC 9421 §2.2). */
const derived: ReadonlySet<string> = new Set([
  '@method',
  '@target-uri',
  '@authority',
  '@scheme',
  '@request-target',
  '@path',
  '@query',
])

const rfc9421 = z.strictObject({
  form: z.literal('rfc9421'),
  /** The one service that may sign; every one whose key is named, where it is left out. */
  service: serviceName.optional(),
  /** What a signature has to cover. `@target-uri` covers what it is made of. */
  components: z.array(component).max(32).default(['@method', '@authority', '@path', '@query']),
  /** Whether the digest of a body (RFC 9530) has to be covered, where there is a body. */
  body: z.enum(['covered', 'free'], { error: 'expected `covered` or `free`' }).default('covered'),
  /** Which of several signatures counts; the only one that fits, where it is left out. */
  label: z
    .string()
    .regex(/^[a-z*][a-z0-9_\-.*]*$/, 'expected a label such as `sig1`')
    .optional(),
  /** The application that a signature has to be for. */
  tag: z.string().min(1).optional(),
  /** Whether a signature has to carry a nonce, which is then good once. */
  nonce: z.boolean().default(false),
  /** The algorithm of RSA keys: one key is for one. */
  rsa: z
    .enum(['rsa-pss-sha512', 'rsa-v1_5-sha256'], { error: 'expected `rsa-pss-sha512` or `rsa-v1_5-sha256`' })
    .default('rsa-pss-sha512'),
  /** Structured fields of your own, for `sf` and `key`; the registered ones are known. */
  structured: z
    .record(
      z.string().regex(/^[!#$%&'*+\-.^_`|~0-9a-z]+$/, 'expected the name of a header in lower case'),
      z.enum(['dictionary', 'list', 'item'], { error: 'expected `dictionary`, `list` or `item`' }),
    )
    .default({})
    .refine((own) => Object.keys(own).every((name) => !structuredFields.has(name)), 'expected fields of your own only'),
  window,
})

/** The forms in which requests may be signed, each by the name that routes demand it by. */
export const signatureOptions = z.record(
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'expected a name such as `partner`'),
  z.discriminatedUnion('form', [timestampPayload, methodUriBody, rfc9421], {
    error: 'expected a `form`: `timestamp-payload`, `method-uri-body` or `rfc9421`',
  }),
)

export type SignatureOptions = z.output<typeof signatureOptions>
export type TimestampPayloadOptions = z.output<typeof timestampPayload>
export type MethodUriBodyOptions = z.output<typeof methodUriBody>
export type MessageSignatureOptions = z.output<typeof rfc9421>
