import { z } from 'zod'
import type { SignatureScheme } from '../authn/signature/scheme.ts'
import type { NamedPolicy } from '../authz/policy/named.ts'
import { patternProblem, type RouterEntry } from '../http/router.ts'
import { checkByShape } from '../inspection/schema/body.ts'
import { duration, size } from '../kernel/shape.ts'
import { priorities } from '../limits/load/options.ts'
import { type builtInLimits, limitName } from '../limits/options.ts'
import { scopeName } from '../oauth/options.ts'
import { addressOptions, compileAddresses } from '../shield/addresses.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { contract } from '../wire/contract.ts'
import type { Endpoint } from '../wire/shapes.ts'
import type { Budget, RouteBudget } from './budgets.ts'
import { type ContentParts, compileContent, contentOptions, contentProblem, ownBody, ownContent } from './content.ts'
import type { RouteDraft } from './draft.ts'
import type { Answerer } from './exchange.ts'
import { compileHeaders, type HeaderOptions, headerOptions } from './headers.ts'
import { oauthRefusal } from './oauth-refusal.ts'
import { compileOwner, ownerOptions } from './owner/options.ts'
import type { RoutedType } from './owner/resources.ts'
import { A, type Access, type CredentialKind, E, P, type Route, type Shown, type StepUp } from './route.ts'

const credentialKinds = [
  'access-token',
  'browser-session',
  'api-key',
  'service-token',
  'signature',
  'certificate',
] as const satisfies readonly CredentialKind[]

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

const permissionName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.*-]+)*$/, 'expected a permission such as `task:create`')

/** A limit that a route draws on. */
const limitUse = z
  .union([limitName, z.strictObject({ name: limitName, cost: z.int().min(1).max(1_000_000).default(1) })], {
    error: "expected the name of a limit, or `{ name: 'general', cost: 5 }`",
  })
  .transform((given) => (typeof given === 'string' ? { name: given, cost: 1 } : given))

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
    /** What a client of other people has to have been granted: all of them. Our own sign-in is not asked. */
    scope: z
      .union([scopeName, z.array(scopeName).min(1)])
      .transform((given) => (typeof given === 'string' ? [given] : given))
      .optional(),
    /** Limits by name, and of each how many units a request costs: one, where nothing is said. */
    limit: z
      .union([limitUse, z.array(limitUse).min(1)])
      .transform((given) => [given].flat())
      .optional(),
    ...contentOptions,
    bodyMax: size.optional(),
    /** The upstream, by name; left out where the house is embedded. */
    to: z.string().optional(),
    headers: headerOptions.optional(),
    websocket: z.boolean().default(false),
    /** How old the sign-in may be. */
    recent: duration.optional(),
    /** How strong it has to be: proven by two factors, or by a passkey. */
    strength: z.enum(['multi-factor'], { error: 'expected `multi-factor`' }).optional(),
    forwardAuthorization: z.boolean().default(false),
    /** The kinds of credential that it takes; all of them, where it is left out. */
    credentials: z.array(z.enum(credentialKinds)).min(1).optional(),
    /** Policies that have to permit it as well, by name. */
    policy: z
      .union([z.string(), z.array(z.string()).min(1)])
      .transform((given) => (typeof given === 'string' ? [given] : given))
      .optional(),
    /** The area of the system that it is in: roles with this `scope` count here, beside those that count everywhere. */
    area: z.string().min(1).max(64).optional(),
    /** What kind of thing it is about: what `resources` says of it holds here. `resource.type` for policies. */
    resource: z.string().min(1).max(64).optional(),
    /** Where its owner is found, in place of what the resource says; `false`: it is about no one thing. */
    owner: z.union([ownerOptions, z.literal(false)]).optional(),
    /** A signature that every request has to carry, by the name of its scheme. */
    signature: z.string().optional(),
    /** Whether the connection has to show a client certificate. */
    certificate: z.enum(['required'], { error: 'expected `required`' }).optional(),
    addresses: addressOptions.optional(),
    /** What is refused first when there is more than can be done. */
    priority: z.enum(priorities, { error: 'expected `low`, `normal` or `high`' }).default('normal'),
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
    const problem = contentProblem(route)
    if (problem !== undefined) context.addIssue({ code: 'custom', path: [problem.path], message: problem.message })
    for (const name of ['recent', 'strength', 'scope', 'credentials', 'policy', 'area'] as const) {
      if (route[name] !== undefined && route.access === 'public')
        context.addIssue({ code: 'custom', path: [name], message: 'asks nothing of a route that is public' })
    }
    if (route.forwardAuthorization && route.access !== 'public') {
      context.addIssue({
        code: 'custom',
        path: ['forwardAuthorization'],
        message: "works with `access: 'public'` only: our own tokens never reach an upstream",
      })
    }
  })

/** What every endpoint of ours leaves to its access. */
const unasked = {
  credentials: undefined,
  policies: [],
  area: undefined,
  resource: undefined,
  owner: undefined,
  signature: undefined,
  certificate: false,
  from: undefined,
  target: undefined,
  ...ownContent,
} as const

export type RouteOptions = z.output<typeof routeOptions> & {
  /** The document of OpenAPI that it comes from, by name. */
  readonly document?: string
}

/** What drafting needs to know of the rest of the configuration. */
export interface Draughting {
  readonly limits: ReadonlyMap<string, Budget>
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly signatures: ReadonlyMap<string, SignatureScheme>
  readonly policies: ReadonlyMap<string, NamedPolicy>
  readonly resources: ReadonlyMap<string, RoutedType>
  readonly headers: HeaderOptions | undefined
  readonly bodyBytesMax: number
  readonly content: ContentParts
  /** How old a sign-in may be where a person changes what proves them. */
  readonly recentMs: number
}

/** A configured route, drafted. Its names were checked with the configuration. */
export function draftRoute(options: RouteOptions, known: Draughting): RouterEntry<RouteDraft> {
  const headers = compileHeaders(known.headers, options.headers)
  const type = options.resource === undefined ? undefined : known.resources.get(options.resource)
  const upstream = options.to === undefined ? undefined : known.upstreams.get(options.to)
  const { owner: ownOwner = type?.owner } = options
  const name = `${options.methods?.join('|') ?? '*'} ${options.path}`
  const owner = ownOwner ? compileOwner(ownOwner, upstream, known.upstreams) : undefined
  const access: Access =
    options.require !== undefined
      ? { to: 'permission', permission: options.require }
      : { to: options.access === 'public' ? 'public' : 'authenticated' }
  return {
    pattern: options.path,
    methods: options.methods,
    value: {
      kind: options.to === undefined ? E : P,
      name,
      access,
      credentials: options.credentials === undefined ? undefined : new Set(options.credentials),
      policies: [
        ...new Set([
          ...(type?.policies ?? []),
          ...(options.policy ?? []).flatMap((name) => known.policies.get(name) ?? []),
        ]),
      ],
      area: options.area,
      resource: options.resource,
      owner,
      signature: options.signature === undefined ? undefined : known.signatures.get(options.signature),
      certificate: options.certificate === 'required',
      from: compileAddresses(options.addresses),
      target: options.to,
      limits: limitsOf(options.limit ?? [], known.limits),
      ...compileContent(options, name, known.content.schemasOf(options.document), known.content.inspectionOf),
      bodyBytesMax: options.bodyMax ?? known.bodyBytesMax,
      upstream,
      answerer: undefined,
      forwardAuthorization: options.forwardAuthorization,
      websocket: options.websocket,
      stepUp: stepUpOf(options.recent, options.strength === 'multi-factor'),
      inPerson: false,
      ownPagesOnly: false,
      cors: 'house',
      scopes: options.scope ?? [],
      clients: 'by-scope',
      shown: undefined,
      headers: headers.fields,
      withheld: owner?.source.by === 'answer' ? new Set([...headers.withheld, owner.source.header]) : headers.withheld,
      priority: options.priority,
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
      ...unasked,
      limits: limitsOf(once(endpoint.limit), known.limits, !unlimited.has(endpoint.path)),
      body: endpoint.wholeBody === true ? 'whole' : endpoint.body && ownBody(checkByShape(endpoint.body)),
      bodyBytesMax: endpoint.bodyMax ?? 65_536,
      upstream: undefined,
      answerer,
      forwardAuthorization: false,
      websocket: false,
      stepUp: stepUpOf(endpoint.recent === true ? known.recentMs : undefined, false),
      inPerson: endpoint.inPerson === true,
      ownPagesOnly: false,
      cors: endpoint.cors ?? 'house',
      scopes: endpoint.scope ?? [],
      clients: endpoint.delegable === true ? 'welcome' : typeof endpoint.access === 'string' ? 'refused' : 'by-scope',
      shown: undefined,
      headers: headers.fields,
      withheld: headers.withheld,
      priority: 'high',
      whileDraining: endpoint.whileDraining === true,
    },
  }
}

/** A page of ours, drafted: its forms come from our own pages only, and its refusals are pages too. */
export function draftPage(page: PageDraft, known: Draughting): RouterEntry<RouteDraft> {
  const headers = compileHeaders(known.headers, pageHeaders)
  return {
    pattern: page.path,
    methods: [page.method],
    value: {
      kind: A,
      name: `${page.method} ${page.path}`,
      access: { to: 'public' },
      ...unasked,
      limits: limitsOf(once(page.limit), known.limits),
      body: undefined,
      bodyBytesMax: 65_536,
      upstream: undefined,
      answerer: page.answerer,
      forwardAuthorization: false,
      websocket: false,
      stepUp: undefined,
      inPerson: false,
      ownPagesOnly: true,
      cors: 'none',
      scopes: [],
      clients: 'refused',
      shown: page.shown,
      headers: headers.fields,
      withheld: headers.withheld,
      priority: 'high',
      whileDraining: false,
    },
  }
}

/** One of the endpoints of the authorization server: open to every program, its refusals in the words of OAuth. */
export function draftOauth(endpoint: OauthDraft, known: Draughting): RouterEntry<RouteDraft> {
  const headers = compileHeaders(known.headers, { 'Referrer-Policy': 'no-referrer' }) // codes stand in addresses (RFC 9700 §4.2.4)
  return {
    pattern: endpoint.path,
    methods: endpoint.methods,
    value: {
      kind: A,
      name: `${endpoint.methods.join('|')} ${endpoint.path}`,
      access: { to: 'public' },
      ...unasked,
      limits: limitsOf(once(endpoint.limit), known.limits),
      body: undefined,
      bodyBytesMax: endpoint.bodyBytesMax,
      upstream: undefined,
      answerer: endpoint.answerer,
      forwardAuthorization: false,
      websocket: false,
      stepUp: undefined,
      inPerson: false,
      ownPagesOnly: false,
      cors: endpoint.cors,
      scopes: [],
      clients: 'refused',
      shown: endpoint.shown ?? oauthRefusal,
      headers: headers.fields,
      withheld: headers.withheld,
      priority: 'high',
      whileDraining: false,
    },
  }
}

export interface OauthDraft {
  readonly methods: readonly ('GET' | 'POST' | 'PUT' | 'DELETE')[]
  readonly path: string
  readonly answerer: Answerer
  /** `open` for machines' endpoints; `none` where a person is led (RFC 9700 §2.6). */
  readonly cors: Route['cors']
  readonly limit: keyof typeof builtInLimits | undefined
  /** How a refusal of the gate looks; JSON of OAuth (RFC 6749 §5.2) where it is left out. */
  readonly shown?: Shown
  readonly bodyBytesMax: number
}

export interface PageDraft {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly limit: 'authentication' | 'requests' | 'general' | 'health'
  readonly answerer: Answerer
  readonly shown: Shown
}

/** What a page of ours may do: show itself and send its forms to us (CSP3). Nothing inline, nothing from elsewhere. */
const pageHeaders: HeaderOptions = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'same-origin', // with `no-referrer` browsers send `Origin: null` with our own forms
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy':
    'camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self), publickey-credentials-create=(self)',
}

function stepUpOf(withinMs: number | undefined, multiFactor: boolean): StepUp | undefined {
  return withinMs === undefined && !multiFactor ? undefined : { withinMs, multiFactor }
}

/** What a route draws on: the limits that it names, and those that count everywhere. A name that is not there is switched off. */
function limitsOf(
  uses: readonly { readonly name: string; readonly cost: number }[],
  known: ReadonlyMap<string, Budget>,
  everywhere = true,
): readonly RouteBudget[] {
  const named = uses.flatMap(({ name, cost }) => {
    const budget = known.get(name)
    return budget === undefined ? [] : [{ budget, cost }]
  })
  if (!everywhere) return named
  const others = [...known.values()].filter(
    (budget) => budget.everywhere && !named.some((one) => one.budget === budget),
  )
  return [...others.map((budget) => ({ budget, cost: 1 })), ...named]
}

/** What every endpoint of ours costs. */
function once(name: string | undefined): readonly { readonly name: string; readonly cost: number }[] {
  return name === undefined ? [] : [{ name, cost: 1 }]
}

/** Those who watch over the house are not counted with its callers. */
const unlimited: ReadonlySet<string> = new Set([
  contract.health.path,
  contract.live.path,
  contract.ready.path,
  contract.metrics.path,
])
