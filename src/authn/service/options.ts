import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { duration, secretRef } from '../../kernel/shape.ts'
import { permission } from '../../wire/shapes.ts'
import { certificateKey, checkDefinition, type DraftDefinition, type ServiceDefinition } from './definition.ts'
import { publicJwkOfText } from './public-keys.ts'
import { serviceNameProblem } from './service-name.ts'

/** A public key in place, or the path of a file that holds it: a JWK, a PEM public key or certificate. */
const publicKey = z.union(
  [
    z.strictObject({ kid: z.string(), jwk: z.record(z.string(), z.unknown()) }),
    z.strictObject({ kid: z.string(), file: z.string().min(1) }).transform(({ kid, file }, context) => {
      const read = readKey(file)
      if ('jwk' in read) return { kid, jwk: read.jwk as Readonly<Record<string, unknown>> }
      context.addIssue({ code: 'custom', path: ['file'], message: read.problem })
      return z.NEVER
    }),
  ],
  { error: 'expected `{ kid, jwk }` or `{ kid, file }`' },
)

const text = z.string().max(2_000)

const certificate = z.union(
  [
    z.strictObject({ subject: text }),
    z.strictObject({ dns: text }),
    z.strictObject({ uri: text }),
    z.strictObject({ email: text }),
  ],
  { error: 'expected one of `subject`, `dns`, `uri`, `email`' },
)

const serviceOption = z
  .strictObject({
    permissions: z.array(permission).max(200).default([]),
    roles: z.array(z.string()).max(32).default([]),
    /** Two at once while one takes the other’s place, the newest first. */
    secrets: z.array(secretRef).max(2).default([]),
    /** Keys that it signs requests and tokens with. */
    publicKeys: z.array(publicKey).max(10).default([]),
    /** Names of client certificates that are this service’s. */
    certificates: z.array(certificate).max(20).default([]),
    /** Networks that it may come from; left out, from everywhere. */
    addresses: z.array(z.string()).max(200).default([]),
    /** How often it may ask, over and above the limits of the routes. */
    limit: z
      .strictObject({
        limit: z.int().min(1).max(1_000_000_000),
        window: duration.refine((ms) => ms >= 100, 'expected at least `100ms`'),
      })
      .optional(),
  })
  .superRefine((written, context) => {
    const checked = checkDefinition(draftOf(written))
    for (const [field, messages] of Object.entries('errors' in checked ? checked.errors : {})) {
      const path = field.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step))
      for (const message of messages) context.addIssue({ code: 'custom', path, message })
    }
  })

const name = z.string().superRefine((value, context) => {
  const problem = serviceNameProblem(value)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

/** The services that the configuration knows, by name. A certificate, or the id of a key, is one service’s. */
export const serviceOptions = z.record(name, serviceOption).superRefine((services, context) => {
  const owners = new Map<string, string>()
  for (const [service, options] of Object.entries(services)) {
    const checked = checkDefinition(draftOf(options))
    if ('errors' in checked) continue // told already
    const { publicKeys, certificates } = checked.definition
    const claims = [
      ...publicKeys.map(({ kid }, index) => [`kid ${kid}`, ['publicKeys', index, 'kid']] as const),
      ...certificates.map((one, index) => [certificateKey(one), ['certificates', index]] as const),
    ]
    for (const [claim, path] of claims) {
      const owner = owners.get(claim)
      if (owner === undefined) owners.set(claim, service)
      else context.addIssue({ code: 'custom', path: [service, ...path], message: `\`${owner}\` has it already` })
    }
  }
})

export type ServiceOptions = z.output<typeof serviceOptions>

/** A service of the configuration, as it was checked. */
export function definitionOf(options: ServiceOptions[string]): ServiceDefinition {
  const checked = checkDefinition(draftOf(options))
  if ('errors' in checked) throw new Error('the configuration was checked before')
  return checked.definition
}

function draftOf({ limit, ...rest }: z.output<typeof serviceOption>): DraftDefinition {
  return { ...rest, limit: limit && { limit: limit.limit, windowMs: limit.window } }
}

function readKey(path: string): ReturnType<typeof publicJwkOfText> {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    return { problem: `\`${path}\` cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
  return publicJwkOfText(content)
}
