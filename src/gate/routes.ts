import { z } from 'zod'
import { patternProblem, type RouterEntry } from '../http/router.ts'
import { checkBySchema, checkByShape } from '../inspection/body.ts'
import { size } from '../kernel/shape.ts'
import type { LimitOptions } from '../limits/options.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Endpoint } from '../wire/contract.ts'
import type { RouteDraft } from './draft.ts'
import type { Answerer } from './exchange.ts'
import { compileHeaders, type HeaderOptions, headerOptions } from './headers.ts'
import { A, type Access, E, P, type RouteLimit } from './route.ts'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

const permissionName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.*-]+)*$/, 'expected a permission such as `task:create`')

/** One route of the configuration. It says who may: a route that does not is a mistake, not an open door (AZ5). */
export const routeOptions = z
  .strictObject({
    path: z.string().superRefine((pattern, context) => {
      const problem = patternProblem(pattern)
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
    }),
    /** All of them, where it is left out. */
    methods: z.array(z.enum(methods)).min(1).optional(),
    /** The permission that it demands. */
    require: permissionName.optional(),
    access: z.enum(['public', 'authenticated']).optional(),
    /** Limits by name. */
    limit: z
      .union([z.string(), z.array(z.string()).min(1)])
      .transform((given) => (typeof given === 'string' ? [given] : given))
      .optional(),
    /** JSON Schema (2020-12) that the body has to fit. */
    body: z
      .record(z.string(), z.unknown())
      .superRefine((schema, context) => {
        try {
          checkBySchema(schema)
        } catch (error) {
          context.addIssue({ code: 'custom', message: `is not a JSON Schema: ${(error as Error).message}` })
        }
      })
      .optional(),
    bodyMax: size.optional(),
    /** The upstream, by name; left out where the house is embedded. */
    to: z.string().optional(),
    headers: headerOptions.optional(),
    websocket: z.boolean().default(false),
    forwardAuthorization: z.boolean().default(false),
  })
  .superRefine((route, context) => {
    if (route.require === undefined && route.access === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['require'],
        message:
          "expected `require: 'a:permission'`, or `access: 'authenticated'` or `'public'`: a route that does not say who may is closed",
      })
    }
    if (route.require !== undefined && route.access !== undefined) {
      context.addIssue({ code: 'custom', path: ['access'], message: 'expected either `require` or `access`, not both' })
    }
    if (route.forwardAuthorization && route.access !== 'public') {
      context.addIssue({
        code: 'custom',
        path: ['forwardAuthorization'],
        message: "works with `access: 'public'` only: our own tokens never reach an upstream",
      })
    }
  })

export type RouteOptions = z.output<typeof routeOptions>

/** What drafting needs to know of the rest of the configuration. */
export interface Draughting {
  readonly limits: ReadonlyMap<string, RouteLimit>
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly headers: HeaderOptions | undefined
  readonly bodyBytesMax: number
}

/** A configured route, drafted. Its names were checked with the configuration. */
export function draftRoute(options: RouteOptions, known: Draughting): RouterEntry<RouteDraft> {
  const headers = compileHeaders(known.headers, options.headers)
  const access: Access =
    options.require !== undefined
      ? { to: 'permission', permission: options.require }
      : { to: options.access === 'public' ? 'public' : 'authenticated' }
  return {
    pattern: options.path,
    methods: options.methods,
    value: {
      kind: options.to === undefined ? E : P,
      name: `${options.methods?.join('|') ?? '*'} ${options.path}`,
      access,
      limits: limitsOf(options.limit ?? [], known.limits),
      body: options.body === undefined ? undefined : checkBySchema(options.body),
      bodyBytesMax: options.bodyMax ?? known.bodyBytesMax,
      upstream: options.to === undefined ? undefined : known.upstreams.get(options.to),
      answerer: undefined,
      forwardAuthorization: options.forwardAuthorization,
      websocket: options.websocket,
      headers: headers.fields,
      withheld: headers.withheld,
      whileDraining: false,
    },
  }
}

/** One of our own endpoints, drafted under its own path or an alias of it. */
export function draftEndpoint(
  endpoint: Endpoint,
  pattern: string,
  answerer: Answerer,
  known: Draughting,
): RouterEntry<RouteDraft> {
  const headers = compileHeaders(known.headers)
  return {
    pattern,
    methods: [endpoint.method],
    value: {
      kind: A,
      name: `${endpoint.method} ${endpoint.path}`,
      access:
        typeof endpoint.access === 'string'
          ? { to: endpoint.access }
          : { to: 'permission', permission: endpoint.access.permission },
      limits: limitsOf(endpoint.limit === undefined ? [] : [endpoint.limit], known.limits),
      body: endpoint.body === undefined ? undefined : checkByShape(endpoint.body),
      bodyBytesMax: 65_536,
      upstream: undefined,
      answerer,
      forwardAuthorization: false,
      websocket: false,
      headers: headers.fields,
      withheld: headers.withheld,
      whileDraining: endpoint.whileDraining === true,
    },
  }
}

/** Limits by name; a name that is not there is switched off. */
function limitsOf(names: readonly string[], known: ReadonlyMap<string, RouteLimit>): readonly RouteLimit[] {
  return names.flatMap((name) => known.get(name) ?? [])
}

/** A limit of the configuration as a route holds it. */
export function routeLimit(name: string, options: LimitOptions): RouteLimit {
  return {
    limit: { name, limit: options.limit, windowMs: options.window, burst: options.burst ?? options.limit },
    by: options.by[0] === 'ip' ? 'address' : 'caller',
  }
}
