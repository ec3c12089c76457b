import { z } from 'zod'
import { auditOptions } from '../audit/options.ts'
import { keyOptions } from '../authn/key/options.ts'
import { identityOptions } from '../authn/options.ts'
import { serviceOptions } from '../authn/service/options.ts'
import { signatureOptions } from '../authn/signature/options.ts'
import { tokenOptions } from '../authn/token/tokens.ts'
import { policyOptions } from '../authz/policy/options.ts'
import { roleOptions, usualAdministrator } from '../authz/role/grants.ts'
import { separationOptions } from '../authz/role/separation.ts'
import { listenOptions } from '../endpoints/options.ts'
import { pageOptions } from '../endpoints/pages/options.ts'
import { corsOptions } from '../gate/cors.ts'
import { headerOptions } from '../gate/headers.ts'
import { resourceOptions } from '../gate/owner/resources.ts'
import { type RouteOptions, routeOptions } from '../gate/routes.ts'
import { incidentOptions } from '../incident/options.ts'
import { inspectionOptions } from '../inspection/options.ts'
import { openapiOptions, sharedSchemas } from '../inspection/schema/options.ts'
import { cidr, size } from '../kernel/shape.ts'
import { limitName, limitOptions } from '../limits/options.ts'
import { sharedOptions } from '../limits/shared/options.ts'
import { mailOptions } from '../mail/options.ts'
import { oauthOptions } from '../oauth/options.ts'
import { sandboxOptions } from '../sandbox/options.ts'
import { shieldOptions } from '../shield/options.ts'
import { upstreamOptions } from '../upstream/options.ts'
import { roleName } from '../wire/roles.ts'
import type { ImportedDocument } from './openapi.ts'

/** Each section of the configuration, by the shape that stands beside the code that reads it. */
export const sections = {
  listen: listenOptions.prefault({}),
  store: z
    .string()
    .regex(/^(?:sqlite:.+|postgres(?:ql)?:\/\/.+)$/, 'expected `sqlite:./path/to/file.db` or `postgres://…`')
    .optional(),
  upstreams: z.record(z.string().min(1), upstreamOptions).default({}),
  /** Where people reach the house: links in letters, providers and passkeys are made for it. */
  publicUrl: z
    .string()
    .refine(isPublicUrl, 'expected `https://gate.example.com` without a path, or `http://localhost:8080` to try it out')
    .optional(),
  identity: identityOptions.prefault({}),
  mail: mailOptions.optional(),
  /** What the pages of the house look like. */
  pages: pageOptions.prefault({}),
  tokens: tokenOptions.prefault({}),
  /** Tokens for other people's clients; no authorization server where it is left out. */
  oauth: oauthOptions.optional(),
  roles: z
    .record(z.string().regex(/^[A-Za-z0-9_-]+$/, 'expected a name of letters, digits, `_` and `-`'), roleOptions)
    .default({}),
  /** The role that holds everything, and is there always: whoever has it may do anything. */
  administrator: roleName.default(usualAdministrator),
  /** Roles of which nobody has more than so many. */
  separationOfDuty: z.array(separationOptions).default([]),
  /** Policies by attributes (ABAC), that routes ask for by name. */
  policies: z.array(policyOptions).default([]),
  /** Kinds of things that are protected, that routes and functions are about: whose they are, and what policies say. */
  resources: resourceOptions.default({}),
  limits: z
    .union([z.literal(false), z.record(limitName, z.union([z.literal(false), limitOptions]))], {
      error: 'expected limits by name, or `false` to switch all limits off',
    })
    .default({}),
  /** The count that all nodes share; each node counts for itself where it is left out. */
  shared: sharedOptions.optional(),
  /** What is asked of an address before anybody is known. */
  shield: shieldOptions.prefault({}),
  /** API keys. */
  keys: keyOptions.prefault({}),
  /** Services that are known here, beside those that are made at run time. */
  services: serviceOptions.default({}),
  /** Forms of request signatures, by the name that a route demands one by. */
  signatures: signatureOptions.default({}),
  /** The record of what happened: what vouches for it, and where it is sent. */
  audit: auditOptions.prefault({}),
  /** What is noticed in it, who is told, and what is done. */
  incidents: incidentOptions.prefault({}),
  /** What is looked for in requests and answers. */
  inspection: inspectionOptions.prefault({}),
  /** OpenAPI documents whose operations become routes. */
  openapi: openapiOptions.default([]),
  /** Schemas that routes refer to by name. */
  schemas: sharedSchemas.default({}),
  /** Code that users and models wrote, run where it reaches nothing. */
  sandbox: sandboxOptions.prefault({}),
  headers: headerOptions.default({}),
  cors: corsOptions.optional(),
  /** The largest body of a route that does not say another. */
  bodyMax: size.default(10 * 1024 * 1024),
  /** What bodies that are read whole, for a schema or a signature, may take of memory together. */
  bodyMemory: size.default(256 * 1024 * 1024),
  metrics: z.strictObject({ allow: z.array(cidr).default([]) }).prefault({}),
  /** Header prefixes that only the gate may set towards an upstream, beside `X-Gatehouse-`. */
  identityHeaders: z.array(z.string().regex(/^[A-Za-z0-9-]+$/, 'expected the beginning of a header name')).default([]),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
  /** Other paths of our own endpoints: what a system called them before. */
  aliases: z.record(z.string().startsWith('/'), z.string().startsWith('/')).default({}),
  routes: z.array(routeOptions).default([]),
} as const

type Sections = typeof sections

/** A configuration as it is written. */
export type Config = { readonly [Name in keyof Sections]?: z.input<Sections[Name]> }

/** A configuration as it is used: complete, parsed, its names checked against each other. */
export type Settings = { readonly [Name in Exclude<keyof Sections, 'routes'>]: z.output<Sections[Name]> } & {
  /** Those that are written, and those of documents, which they stand before. */
  readonly routes: readonly RouteOptions[]
  /** The documents of `openapi`, read. */
  readonly documents: readonly ImportedDocument[]
}

/** Gives a configuration its types where it is written. */
export function defineConfig(config: Config): Config {
  return config
}

/** A secret by the name of an environment variable. */
export function env(name: string): { readonly env: string } {
  return { env: name }
}

/** A secret by the path of a file that only its owner can read. */
export function file(path: string): { readonly file: string } {
  return { file: path }
}

/** Where the house can be reached when nobody said: on this machine, by its port. */
export function ownUrl({ host, port, tls }: Settings['listen']): string | undefined {
  const local = host === '127.0.0.1' || host === '::1' || host === 'localhost'
  return local && port !== 0 ? `${tls === undefined ? 'http' : 'https'}://localhost:${port}` : undefined
}

function isPublicUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, origin } = new URL(text)
  const local = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
  return origin === text.replace(/\/$/, '') && (protocol === 'https:' || (protocol === 'http:' && local))
}

/** One mistake: where it stands, and what was expected there. */
export interface Mistake {
  /** `routes[2].limit` */
  readonly path: string
  readonly message: string
}

export type Environment = Readonly<Record<string, string | undefined>>
