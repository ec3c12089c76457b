import { z } from 'zod'
import { keyOptions } from './authn/key/options.ts'
import { identityOptions } from './authn/options.ts'
import { serviceOptions } from './authn/service/options.ts'
import { signatureOptions } from './authn/signature/options.ts'
import { tokenOptions } from './authn/token/tokens.ts'
import { policyOptions } from './authz/policy/options.ts'
import { roleOptions } from './authz/roles.ts'
import { personScopes } from './authz/scopes.ts'
import { certificatesAt } from './endpoints/client-certificates.ts'
import { listenOptions } from './endpoints/options.ts'
import { pageOptions } from './endpoints/pages/options.ts'
import { checkTls } from './endpoints/tls.ts'
import { addressOptions } from './gate/addresses.ts'
import { corsOptions } from './gate/cors.ts'
import { headerOptions } from './gate/headers.ts'
import { routeOptions } from './gate/routes.ts'
import { resolveSecret, Secret, type SecretRef } from './kernel/secret.ts'
import { cidr, size } from './kernel/shape.ts'
import { builtInLimits, limitOptions } from './limits/options.ts'
import { mailOptions } from './mail/options.ts'
import { certificateMistakes } from './oauth/client-options.ts'
import { oauthOptions } from './oauth/options.ts'
import { upstreamOptions } from './upstream/options.ts'
import { contract } from './wire/contract.ts'

/** Each section of the configuration, by the shape that stands beside the code that reads it. */
const sections = {
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
  /** Policies by attributes (ABAC), that routes ask for by name. */
  policies: z.array(policyOptions).default([]),
  limits: z
    .union([z.literal(false), z.record(z.string().min(1), limitOptions)], {
      error: 'expected limits by name, or `false` to switch all limits off',
    })
    .default({}),
  /** What is asked of an address before anybody is known. */
  shield: z.strictObject({ addresses: addressOptions.optional() }).prefault({}),
  /** API keys. */
  keys: keyOptions.prefault({}),
  /** Services that are known here, beside those that are made at run time. */
  services: serviceOptions.default({}),
  /** Forms of request signatures, by the name that a route demands one by. */
  signatures: signatureOptions.default({}),
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
export type Settings = { readonly [Name in keyof Sections]: z.output<Sections[Name]> }

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

/** One mistake: where it stands, and what was expected there. */
export interface Mistake {
  /** `routes[2].limit` */
  readonly path: string
  readonly message: string
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Parses a configuration and holds its parts against each other. It finds every mistake, not the first. */
export function parseConfig(
  raw: unknown,
  environment: Environment,
): { readonly settings: Settings } | { readonly mistakes: readonly Mistake[] } {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return {
      mistakes: [
        {
          path: '(configuration)',
          message: `expected an object, got ${raw === null ? 'null' : Array.isArray(raw) ? 'a list' : typeof raw}`,
        },
      ],
    }
  }
  const given = raw as Readonly<Record<string, unknown>>
  const mistakes: Mistake[] = []
  for (const key of Object.keys(given)) {
    if (!(key in sections))
      mistakes.push({ path: key, message: `unknown key; expected one of ${Object.keys(sections).join(', ')}` })
  }
  const parsed: Record<string, unknown> = {}
  for (const [name, shape] of Object.entries(sections)) {
    if (name === 'routes' && Array.isArray(given['routes'])) parsed[name] = parseRoutes(given['routes'], mistakes)
    else parsed[name] = parseSection(shape, given[name], name, mistakes)
  }
  const settings = parsed as unknown as Settings
  mistakes.push(...crossCheck(given, settings))
  settleSecrets(settings, environment, mistakes)
  if (settings.listen !== undefined) mistakes.push(...checkTls(settings.listen, environment))
  return mistakes.length === 0
    ? { settings }
    : { mistakes: mistakes.toSorted((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true })) }
}

function parseSection(shape: z.ZodType, value: unknown, at: string, mistakes: Mistake[]): unknown {
  const outcome = shape.safeParse(value)
  if (outcome.success) return outcome.data
  for (const issue of outcome.error.issues) report(issue, at, mistakes)
  return undefined
}

/** Each route on its own, so that a mistake in one does not hide those of the others. */
function parseRoutes(routes: readonly unknown[], mistakes: Mistake[]): unknown[] {
  return routes.map((route, index) => parseSection(routeOptions, route, `routes[${index}]`, mistakes))
}

function report(issue: z.core.$ZodIssue, at: string, mistakes: Mistake[]): void {
  const path = issue.path.reduce<string>(
    (whole, step) => (typeof step === 'number' ? `${whole}[${step}]` : `${whole}.${String(step)}`),
    at,
  )
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) mistakes.push({ path: `${path}.${key}`, message: 'unknown key' })
  } else if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The branch that got furthest is the one that was meant.
    const meant = issue.errors.toSorted((a, b) => deepest(b) - deepest(a))[0] ?? []
    if (deepest(meant) === 0)
      mistakes.push({ path, message: issue.message.replace(/^Invalid input$/, meant[0]?.message ?? 'invalid') })
    else for (const inner of meant) report(inner, path, mistakes)
  } else {
    mistakes.push({ path, message: issue.message.replace(/^Invalid input: /, '') })
  }
}

function deepest(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map((issue) => (issue.code === 'unrecognized_keys' ? 1 : issue.path.length)))
}

/** Names that one part uses and another defines. Names are taken from what was written, so that one mistake causes no other. */
function crossCheck(given: Readonly<Record<string, unknown>>, settings: Settings): Mistake[] {
  const mistakes: Mistake[] = []
  const upstreams = namesIn(given['upstreams'])
  const limits = new Set([...Object.keys(builtInLimits), ...namesIn(given['limits'])])
  const limitsOff = given['limits'] === false
  const policies = listIn(given['policies']).flatMap(({ name }) => (typeof name === 'string' ? [name] : []))
  for (const [index, name] of policies.entries())
    if (policies.indexOf(name) < index)
      mistakes.push({ path: `policies[${index}].name`, message: `\`${name}\` is there already` })
  const seen = new Map<string, number>()
  const ours: ReadonlySet<string> = new Set(Object.values(contract).map(({ path }) => path))

  for (const [index, route] of listIn(given['routes']).entries()) {
    const at = `routes[${index}]`
    const { to, limit, path } = route
    if (typeof to === 'string' && !upstreams.has(to))
      mistakes.push({ path: `${at}.to`, message: `no upstream is called \`${to}\`; there ${those(upstreams)}` })
    for (const name of [route['policy']].flat()) {
      if (typeof name === 'string' && !policies.includes(name))
        mistakes.push({
          path: `${at}.policy`,
          message: `no policy is called \`${name}\`; there ${those(new Set(policies))}`,
        })
    }
    for (const name of limitsOff ? [] : [limit].flat()) {
      if (typeof name === 'string' && !limits.has(name))
        mistakes.push({ path: `${at}.limit`, message: `no limit is called \`${name}\`; there ${those(limits)}` })
    }
    if (typeof path !== 'string') continue
    if (ours.has(path) && !mayReplace.has(path))
      mistakes.push({ path: `${at}.path`, message: `\`${path}\` is an endpoint of the house itself` })
    for (const method of Array.isArray(route['methods']) ? route['methods'] : ['every method']) {
      const key = `${method} ${path.replace(/:[^/]+/g, ':')}` // what a parameter is called does not matter to a path
      const before = seen.get(key)
      if (before !== undefined)
        mistakes.push({ path: at, message: `${method} on \`${path}\` has a route already: routes[${before}]` })
      else seen.set(key, index)
    }
  }
  for (const [alias, target] of Object.entries(settings.aliases ?? {})) {
    if (!ours.has(target))
      mistakes.push({
        path: `aliases.${alias}`,
        message: `\`${target}\` is no endpoint of the house; there ${those(ours)}`,
      })
  }
  for (const [name, role] of Object.entries(settings.roles ?? {})) {
    for (const parent of role.inherits ?? []) {
      if (parent !== 'admin' && !namesIn(given['roles']).has(parent))
        mistakes.push({
          path: `roles.${name}.inherits`,
          message: `no role is called \`${parent}\`; there ${those(namesIn(given['roles']))}`,
        })
    }
  }
  for (const [index, route] of (settings.routes ?? []).entries()) {
    const isReadWhole = route?.body !== undefined || route?.signature !== undefined
    if (isReadWhole && (route.bodyMax ?? settings.bodyMax) > settings.bodyMemory)
      mistakes.push({
        path: `routes[${index}].bodyMax`,
        message: 'expected no more than `bodyMemory`, which all bodies share that are read whole',
      })
  }
  mistakes.push(...checkPeople(settings), ...checkMachines(given, settings), ...checkOauth(given, settings))
  if (settings.tokens !== undefined && settings.tokens.secret !== undefined && settings.tokens.algorithm !== 'HS256') {
    mistakes.push({
      path: 'tokens.secret',
      message: `belongs to \`HS256\`; keys for \`${settings.tokens.algorithm}\` are made and kept by the house`,
    })
  }
  return mistakes
}

/** What people are promised, and what the house needs to keep it. */
function checkPeople({ identity, mail, publicUrl, listen }: Settings): Mistake[] {
  const mistakes: Mistake[] = []
  if (identity === undefined) return mistakes
  const reachable = publicUrl !== undefined || (listen !== undefined && ownUrl(listen) !== undefined)
  const letters =
    identity.registration === 'invited' || (identity.registration === 'open' && identity.verification === 'required')
  if (letters && mail === undefined) {
    mistakes.push({
      path: 'identity.registration',
      message: `\`${identity.registration}\` writes letters: expected \`mail\`${identity.registration === 'open' ? ", or `verification: 'none'`" : ''}`,
    })
  }
  if (mail !== undefined && !reachable)
    mistakes.push({ path: 'mail', message: 'expected `publicUrl` beside it: links in letters begin with it' })
  for (const [name, provider] of Object.entries(identity.providers)) {
    if (provider.enabled && !reachable)
      mistakes.push({
        path: `identity.providers.${name}`,
        message: 'expected `publicUrl`: the provider sends people back to it',
      })
  }
  return mistakes
}

/** Services, signatures and certificates that one part names and another has. */
function checkMachines(
  given: Readonly<Record<string, unknown>>,
  { services, keys, oauth, listen, routes, tokens }: Settings,
): Mistake[] {
  const mistakes: Mistake[] = []
  if (tokens !== undefined && namesIn(given['upstreams']).has(tokens.audience))
    mistakes.push({
      path: `upstreams.${tokens.audience}`,
      message:
        'expected another name than `tokens.audience`: the token of a service for one would be good for the other',
    })
  const schemes = namesIn(given['signatures'])
  const roles = new Set(['admin', ...namesIn(given['roles'])])
  for (const [index, { signature, credentials }] of listIn(given['routes']).entries()) {
    const at = `routes[${index}]`
    if (typeof signature === 'string' && !schemes.has(signature))
      mistakes.push({
        path: `${at}.signature`,
        message: `no form of signature is called \`${signature}\`; there ${those(schemes)}`,
      })
    if (signature === undefined && Array.isArray(credentials) && credentials.includes('signature'))
      mistakes.push({ path: `${at}.signature`, message: 'expected the form of the signature that `credentials` names' })
  }
  const seesCertificates = listen?.tls?.clientCa !== undefined || (listen?.clientCertHeader ?? false) !== false
  for (const [index, route] of (routes ?? []).entries()) {
    // Embedded, the connection is the host's.
    if (route?.certificate === 'required' && route.to !== undefined && !seesCertificates)
      mistakes.push({
        path: `routes[${index}].certificate`,
        message: 'expected `listen.tls.clientCa`, or `listen.clientCertHeader` behind a proxy: no certificate is seen',
      })
  }
  for (const [name, service] of Object.entries(services ?? {})) {
    for (const role of service.roles)
      if (!roles.has(role))
        mistakes.push({
          path: `services.${name}.roles`,
          message: `no role is called \`${role}\`; there ${those(roles)}`,
        })
  }
  for (const [index, { id }] of (oauth?.clients ?? []).entries())
    if (Object.hasOwn(services ?? {}, id))
      mistakes.push({
        path: `oauth.clients[${index}].id`,
        message: `\`${id}\` is a service: a name is one principal’s`,
      })
  const scopes = new Set(Object.keys(oauth?.scopes ?? {}))
  for (const [name, key] of Object.entries(keys?.managed ?? {})) {
    for (const scope of key.scopes ?? [])
      if (!scopes.has(scope))
        mistakes.push({
          path: `keys.managed.${name}.scopes`,
          message: `no scope is called \`${scope}\`; there ${those(scopes)}`,
        })
  }
  return mistakes
}

/** Scopes that one part names and another describes, and an address that clients can rely on. */
function checkOauth(
  given: Readonly<Record<string, unknown>>,
  { oauth, publicUrl, listen, tokens }: Settings,
): Mistake[] {
  const mistakes: Mistake[] = []
  const known = new Set(Object.keys(oauth?.scopes ?? {}))
  const mustKnow = (path: string, scopes: unknown): void => {
    for (const scope of [scopes].flat()) {
      if (typeof scope === 'string' && !known.has(scope) && !personScopes.has(scope))
        mistakes.push({ path, message: `no scope is called \`${scope}\`; there ${those(known)}` })
    }
  }
  for (const [index, route] of listIn(given['routes']).entries()) mustKnow(`routes[${index}].scope`, route['scope'])
  if (oauth === undefined) return mistakes
  if (publicUrl === undefined && (listen === undefined || ownUrl(listen) === undefined))
    mistakes.push({ path: 'oauth', message: 'expected `publicUrl` beside it: tokens are issued in its name' })
  const seen = new Set<string>()
  for (const [index, { path, scopes }] of oauth.resources.entries()) {
    mustKnow(`oauth.resources[${index}].scopes`, scopes)
    if (seen.has(path))
      mistakes.push({ path: `oauth.resources[${index}].path`, message: `\`${path}\` is there already` })
    seen.add(path)
    if (publicUrl !== undefined && tokens?.audience === publicUrl.replace(/\/$/, '') + path)
      mistakes.push({
        path: 'tokens.audience',
        message: `\`${tokens.audience}\` is the resource \`${path}\`: its tokens would be good for all of the house`,
      })
  }
  if (listen !== undefined)
    mistakes.push(...certificateMistakes(oauth.clients, oauth.clientCertificates ?? certificatesAt(listen)))
  const ids = new Set<string>()
  for (const [index, { id, scopes }] of oauth.clients.entries()) {
    mustKnow(`oauth.clients[${index}].scopes`, scopes)
    if (ids.has(id)) mistakes.push({ path: `oauth.clients[${index}].id`, message: `\`${id}\` is there already` })
    ids.add(id)
  }
  for (const [index, { path }] of listIn(given['routes']).entries()) {
    if (typeof path === 'string' && (path === oauth.path || path.startsWith(`${oauth.path}/`)))
      mistakes.push({
        path: `routes[${index}].path`,
        message: `\`${oauth.path}\` is the authorization server’s: move one of them`,
      })
  }
  return mistakes
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

/** Paths of ours that an API often has itself: a route of the same path takes them over. */
const mayReplace: ReadonlySet<string> = new Set(['/health', '/health/live', '/health/ready', '/metrics'])

/** The entries of a list as they were written, those with mistakes included. */
function listIn(section: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(section)
    ? section.map((entry) => (typeof entry === 'object' && entry !== null ? entry : {}))
    : []
}

function namesIn(section: unknown): ReadonlySet<string> {
  return new Set(typeof section === 'object' && section !== null ? Object.keys(section) : [])
}

function those(names: ReadonlySet<string>): string {
  return names.size === 0 ? 'is none' : `${names.size === 1 ? 'is' : 'are'} ${[...names].join(', ')}`
}

/** What nobody may guess, however long they try. */
const mustBeLong = /^(?:tokens\.|oauth\.clients|services\.)/

/** Secrets are fetched now, so that a missing one stops the start and not a request. */
function settleSecrets(settings: Settings, environment: Environment, mistakes: Mistake[]): void {
  const references: (readonly [path: string, SecretRef | undefined])[] = [
    ['tokens.secret', settings.tokens?.secret],
    ...(settings.tokens?.previousSecrets ?? []).map(
      (secret, index) => [`tokens.previousSecrets[${index}]`, secret] as const,
    ),
    ['mail.smtp.password', settings.mail?.smtp?.password],
    ...(settings.oauth?.clients ?? []).flatMap(({ secrets }, client) =>
      secrets.map((secret, index) => [`oauth.clients[${client}].secrets[${index}]`, secret] as const),
    ),
    ...Object.entries(settings.services ?? {}).flatMap(([name, { secrets }]) =>
      secrets.map((secret, index) => [`services.${name}.secrets[${index}]`, secret] as const),
    ),
    ...Object.entries(settings.identity?.providers ?? {}).map(
      ([name, provider]) => [`identity.providers.${name}.clientSecret`, provider.clientSecret] as const,
    ),
  ]
  for (const [path, reference] of references) {
    if (reference === undefined) continue
    const secret = resolveSecret(reference, environment)
    if (!(secret instanceof Secret)) mistakes.push({ path, message: secret.problem })
    else if (mustBeLong.test(path) && Buffer.byteLength(secret.reveal()) < 32)
      mistakes.push({ path, message: 'expected at least 32 characters (RFC 7518 §3.2)' })
  }
}
