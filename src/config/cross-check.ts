import { usualAdministrator } from '../authz/role/grants.ts'
import { personScopes } from '../authz/scopes.ts'
import { certificatesAt } from '../endpoints/client-certificates.ts'
import { ownerMistakes } from '../gate/owner/mistakes.ts'
import { alertProblems } from '../incident/alert/options.ts'
import { certificateMistakes } from '../oauth/client-options.ts'
import { codeBodyBytes } from '../sandbox/options.ts'
import { contract } from '../wire/contract.ts'
import { contentMistakes } from './content-mistakes.ts'
import { limitMistakes } from './limit-mistakes.ts'
import { roleMistakes } from './role-mistakes.ts'
import { schemaMistakes } from './schema-mistakes.ts'
import { type Mistake, ownUrl, type Settings } from './settings.ts'

/** Names that one part uses and another defines. Names are taken from what was written, so that one mistake causes no other. */
export function crossCheck(given: Readonly<Record<string, unknown>>, settings: Settings): Mistake[] {
  const mistakes: Mistake[] = []
  const upstreams = namesIn(given['upstreams'])
  const policies = listIn(given['policies']).flatMap(({ name }) => (typeof name === 'string' ? [name] : []))
  for (const [index, name] of policies.entries())
    if (policies.indexOf(name) < index)
      mistakes.push({ path: `policies[${index}].name`, message: `\`${name}\` is there already` })
  const seen = new Map<string, number>()
  const ours: ReadonlySet<string> = new Set(Object.values(contract).map(({ path }) => path))

  for (const [index, route] of listIn(given['routes']).entries()) {
    const at = `routes[${index}]`
    const { to, path } = route
    if (typeof to === 'string' && !upstreams.has(to))
      mistakes.push({ path: `${at}.to`, message: `no upstream is called \`${to}\`; there ${those(upstreams)}` })
    for (const name of [route['policy']].flat()) {
      if (typeof name === 'string' && !policies.includes(name))
        mistakes.push({
          path: `${at}.policy`,
          message: `no policy is called \`${name}\`; there ${those(new Set(policies))}`,
        })
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
  for (const [index, { to }] of (settings.openapi ?? []).entries())
    if (to !== undefined && !upstreams.has(to))
      mistakes.push({
        path: `openapi[${index}].to`,
        message: `no upstream is called \`${to}\`; there ${those(upstreams)}`,
      })
  mistakes.push(...schemaMistakes(settings), ...contentMistakes(settings))
  for (const [index, route] of (settings.routes ?? []).entries()) {
    const isReadWhole = route?.body !== undefined || route?.bodyByType !== undefined || route?.signature !== undefined
    if (isReadWhole && (route.bodyMax ?? settings.bodyMax) > settings.bodyMemory)
      mistakes.push({
        path: `routes[${index}].bodyMax`,
        message: 'expected no more than `bodyMemory`, which all bodies share that are read whole',
      })
  }
  if (settings.sandbox?.enabled && codeBodyBytes(settings.sandbox) > settings.bodyMemory)
    mistakes.push({
      path: 'sandbox.inputMax',
      message:
        'expected that twice `codeMax` and `inputMax` fit into `bodyMemory`, which all bodies share that are read whole',
    })
  mistakes.push(...limitMistakes(listIn(given['routes']), new Set(namesIn(given['limits'])), settings))
  const administrator = typeof given['administrator'] === 'string' ? given['administrator'] : usualAdministrator
  mistakes.push(...roleMistakes(new Set([administrator, ...namesIn(given['roles'])]), settings))
  mistakes.push(
    ...checkListen(given, settings),
    ...checkPeople(settings),
    ...checkMachines(given, settings),
    ...checkOauth(given, settings),
  )
  mistakes.push(...checkOwners(upstreams, new Set(policies), settings))
  if (settings.incidents !== undefined)
    mistakes.push(...alertProblems(settings.incidents.alerts, settings.incidents.escalate, settings.mail !== undefined))
  if (settings.tokens !== undefined && settings.tokens.secret !== undefined && settings.tokens.algorithm !== 'HS256') {
    mistakes.push({
      path: 'tokens.secret',
      message: `belongs to \`HS256\`; keys for \`${settings.tokens.algorithm}\` are made and kept by the house`,
    })
  }
  return mistakes
}

/** Owners that routes and resource types name, and whether they can be told from others. */
function checkOwners(
  upstreams: ReadonlySet<string>,
  policies: ReadonlySet<string>,
  { routes, resources, identity, tokens }: Settings,
): readonly Mistake[] {
  return ownerMistakes(routes ?? [], resources ?? {}, {
    upstreams,
    policies,
    emailsAnswer: identity?.registration !== 'open' || identity.verification === 'required',
    emailsAreClaimed: tokens?.claims.includes('email') !== false,
  })
}

/** Whether those who are sent to https arrive there, and whether HTTP/2 can be offered. */
function checkListen(given: Readonly<Record<string, unknown>>, { listen, publicUrl }: Settings): Mistake[] {
  if (listen === undefined) return []
  const mistakes: Mistake[] = []
  const { https, tls, trustedProxies, port } = listen
  const own = publicUrl ?? ownUrl(listen)
  if (https !== undefined && own?.startsWith('https:') !== true)
    mistakes.push({
      path: 'listen.https',
      message: 'expected `publicUrl` with `https://`: that is where callers are sent',
    })
  if (https !== undefined && tls === undefined && trustedProxies.length === 0)
    mistakes.push({
      path: 'listen.https',
      message: 'expected `tls` or `trustedProxies` beside it: no request could ever come by https',
    })
  if (https?.redirectFrom !== undefined && https.redirectFrom === port && port !== 0)
    mistakes.push({ path: 'listen.https.redirectFrom', message: `\`${port}\` is where the house listens itself` })
  if (tls === undefined && listen.http2 !== false && namesIn(given['listen']).has('http2'))
    mistakes.push({ path: 'listen.http2', message: 'expected `tls` beside it: browsers speak HTTP/2 over TLS alone' })
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
  { oauth, publicUrl, listen, tokens, upstreams, documents }: Settings,
): Mistake[] {
  const mistakes: Mistake[] = []
  const known = new Set(Object.keys(oauth?.scopes ?? {}))
  const mustKnow = (path: string, scopes: unknown): void => {
    for (const scope of [scopes].flat()) {
      if (typeof scope === 'string' && !known.has(scope) && !personScopes.has(scope))
        mistakes.push({ path, message: `no scope is called \`${scope}\`; there ${those(known)}` })
    }
  }
  for (const [index, { routes }] of documents.entries())
    for (const { scope } of routes) mustKnow(`openapi[${index}].file`, scope)
  for (const [index, route] of listIn(given['routes']).entries()) mustKnow(`routes[${index}].scope`, route['scope'])
  for (const [name, { client }] of Object.entries((oauth === undefined && upstreams) || {}))
    if (client !== undefined)
      mistakes.push({ path: `upstreams.${name}.client`, message: 'expected `oauth` beside it, which has its clients' })
  if (oauth === undefined) return mistakes
  if (publicUrl === undefined && (listen === undefined || ownUrl(listen) === undefined))
    mistakes.push({ path: 'oauth', message: 'expected `publicUrl` beside it: tokens are issued in its name' })
  const seen = new Set<string>()
  const exchanging = new Set(
    oauth.clients.filter(({ grants }) => grants.includes('token_exchange')).map(({ id }) => id),
  )
  for (const [index, { path, scopes, server }] of oauth.resources.entries()) {
    mustKnow(`oauth.resources[${index}].scopes`, scopes)
    if (server !== undefined && !exchanging.has(server))
      mistakes.push({
        path: `oauth.resources[${index}].server`,
        message: `no client of the configuration with the grant \`token_exchange\` is called \`${server}\`; there ${those(exchanging)}`,
      })
    if (seen.has(path))
      mistakes.push({ path: `oauth.resources[${index}].path`, message: `\`${path}\` is there already` })
    seen.add(path)
    if (publicUrl !== undefined && tokens?.audience === publicUrl.replace(/\/$/, '') + path)
      mistakes.push({
        path: 'tokens.audience',
        message: `\`${tokens.audience}\` is the resource \`${path}\`: its tokens would be good for all of the house`,
      })
  }
  for (const [name, { client, assertion }] of Object.entries(upstreams ?? {})) {
    if (client === undefined) continue
    if (!exchanging.has(client))
      mistakes.push({
        path: `upstreams.${name}.client`,
        message: `no client of the configuration with the grant \`token_exchange\` is called \`${client}\`; there ${those(exchanging)}`,
      })
    if (!assertion)
      mistakes.push({
        path: `upstreams.${name}.assertion`,
        message: 'expected `true`: it is what the client exchanges',
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
