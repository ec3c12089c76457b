import type { z } from 'zod'
import { sinkSecrets } from '../audit/sinks/options.ts'
import { checkTls } from '../endpoints/tls.ts'
import { routeOptions } from '../gate/routes.ts'
import { secretsOf } from '../incident/alert/options.ts'
import type { OpenapiOptions } from '../inspection/schema/options.ts'
import { resolveSecret, Secret, type SecretRef } from '../kernel/secret.ts'
import { crossCheck } from './cross-check.ts'
import { importDocuments } from './openapi.ts'
import { type Environment, type Mistake, type Settings, sections } from './settings.ts'

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
  const documents = importDocuments((parsed['openapi'] ?? []) as OpenapiOptions, (mistake) => mistakes.push(mistake))
  const written = { ...parsed, documents } as unknown as Settings
  mistakes.push(...crossCheck(given, written))
  const settings = { ...written, routes: withImported(written.routes ?? [], documents) }
  settleSecrets(settings, environment, mistakes)
  if (settings.listen !== undefined) mistakes.push(...checkTls(settings.listen, environment))
  return mistakes.length === 0
    ? { settings }
    : { mistakes: mistakes.toSorted((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true })) }
}

/** What is written stands before what a document says: a route of one's own, for the same path and method, takes its place. */
function withImported(routes: Settings['routes'], documents: Settings['documents']): Settings['routes'] {
  if (documents.length === 0) return routes
  const taken = new Set(routes.flatMap((route) => (route === undefined ? [] : placesOf(route))))
  const imported = documents.flatMap(({ routes: own }) =>
    own.filter((route) => !placesOf(route).some((at) => taken.has(at))),
  )
  return [...routes, ...imported]
}

function placesOf({ path, methods }: Settings['routes'][number]): readonly string[] {
  const pattern = path.replace(/:[^/]+/g, ':')
  return (methods ?? ['*']).map((method) => `${method} ${pattern}`)
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
  } else if (issue.code === 'invalid_key') {
    mistakes.push({ path, message: issue.issues[0]?.message ?? issue.message })
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

/** What nobody may guess, however long they try. */
const mustBeLong = /^(?:tokens\.|oauth\.clients|services\.|audit\.sinks\[\d+\]\.secret$)/

/** Secrets are fetched now, so that a missing one stops the start and not a request. */
function settleSecrets(settings: Settings, environment: Environment, mistakes: Mistake[]): void {
  const references: (readonly [path: string, SecretRef | undefined])[] = [
    ['tokens.secret', settings.tokens?.secret],
    ...(settings.tokens?.previousSecrets ?? []).map(
      (secret, index) => [`tokens.previousSecrets[${index}]`, secret] as const,
    ),
    ['mail.smtp.password', settings.mail?.smtp?.password],
    ['shared.password', settings.shared?.password],
    ...(settings.oauth?.clients ?? []).flatMap(({ secrets }, client) =>
      secrets.map((secret, index) => [`oauth.clients[${client}].secrets[${index}]`, secret] as const),
    ),
    ...Object.entries(settings.services ?? {}).flatMap(([name, { secrets }]) =>
      secrets.map((secret, index) => [`services.${name}.secrets[${index}]`, secret] as const),
    ),
    ...Object.entries(settings.identity?.providers ?? {}).map(
      ([name, provider]) => [`identity.providers.${name}.clientSecret`, provider.clientSecret] as const,
    ),
    ...sinkSecrets(settings.audit?.sinks ?? []).map(([path, reference]) => [`audit.sinks${path}`, reference] as const),
    ...Object.entries(settings.incidents?.alerts ?? {}).flatMap(([name, channel]) =>
      secretsOf(channel).map(([member, secret]) => [`incidents.alerts.${name}.${member}`, secret] as const),
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
