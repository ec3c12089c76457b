import type { CheckpointVerifier } from './audit/checkpoint/note.ts'
import type { AuditLog } from './audit/log.ts'
import type { Revocations } from './authn/session/revocations.ts'
import { readAssertion } from './authn/token/read-assertion.ts'
import type { TokenService } from './authn/token/tokens.ts'
import type { AuthorizationServer } from './authorization.ts'
import { decisionPoint } from './authz/decide.ts'
import type { DecisionPoint } from './authz/decision.ts'
import type { PolicyBook } from './authz/policy/book.ts'
import type { PolicyStore } from './authz/policy/store.ts'
import type { RoleBook, RoleConfiguration } from './authz/role/book.ts'
import type { RoleStore } from './authz/role/store.ts'
import type { RoleTable } from './authz/role/table.ts'
import type { Settings } from './config/settings.ts'
import { addressEndpoints } from './endpoints/api/addresses.ts'
import { administrationEndpoints } from './endpoints/api/administration.ts'
import { auditEndpoints } from './endpoints/api/audit.ts'
import { auditProofEndpoints } from './endpoints/api/audit-proofs.ts'
import { authEndpoints, refreshOwn } from './endpoints/api/auth.ts'
import { clientEndpoints } from './endpoints/api/clients.ts'
import { decisionEndpoints } from './endpoints/api/decisions.ts'
import { healthEndpoints } from './endpoints/api/health.ts'
import { incidentEndpoints } from './endpoints/api/incidents.ts'
import { keyEndpoints } from './endpoints/api/keys.ts'
import { metricsEndpoint } from './endpoints/api/metrics.ts'
import { monitoringEndpoints } from './endpoints/api/monitoring.ts'
import { ownEndpoints } from './endpoints/api/own.ts'
import { playbookEndpoints } from './endpoints/api/playbooks.ts'
import { policyEndpoints } from './endpoints/api/policies.ts'
import { postureEndpoints } from './endpoints/api/posture.ts'
import { problemPage } from './endpoints/api/problems.ts'
import { kept } from './endpoints/api/reply.ts'
import { resourceMetadata } from './endpoints/api/resource-metadata.ts'
import { roleEndpoints } from './endpoints/api/roles.ts'
import { sandboxEndpoints } from './endpoints/api/sandbox.ts'
import { serviceEndpoints } from './endpoints/api/services.ts'
import type { CodeRuns } from './endpoints/code-runs.ts'
import { type Desk, openDesk } from './endpoints/desk/desk.ts'
import { PostureReading } from './endpoints/desk/posture.ts'
import { authorizationServer } from './endpoints/oauth/authorization-server.ts'
import { userinfoEndpoint } from './endpoints/oauth/userinfo.ts'
import { pagesOf } from './endpoints/pages/pages.ts'
import { openPassedCertificates } from './endpoints/passed-certificates.ts'
import { type Budget, compileBudget } from './gate/budgets.ts'
import { compileCors } from './gate/cors.ts'
import type { RouteDraft } from './gate/draft.ts'
import { openEvidence } from './gate/evidence.ts'
import type { Answerer } from './gate/exchange.ts'
import { compileHeaders } from './gate/headers.ts'
import type { Meters } from './gate/meters.ts'
import { Owners } from './gate/owner/lookup.ts'
import { compileResourceTypes, type RoutedType } from './gate/owner/resources.ts'
import { compilePlan, type Plan } from './gate/plan.ts'
import { openResourceServer } from './gate/resource-server.ts'
import type { Rooms } from './gate/rooms.ts'
import { type Draughting, draftEndpoint, draftOauth, draftPage, draftRoute } from './gate/routes.ts'
import type { BodyMemory } from './http/body-memory.ts'
import type { RouterEntry } from './http/router.ts'
import { openIncidents } from './incident/open.ts'
import { openPlaybooks, type PlaybookRooms } from './incident/playbook/open.ts'
import type { Inspections } from './inspection/inspections.ts'
import { openSchemas, type Schemas } from './inspection/schema/compile.ts'
import type { Clock } from './kernel/clock.ts'
import type { Follower } from './kernel/epoch.ts'
import type { Random } from './kernel/id.ts'
import { networkList } from './kernel/ip.ts'
import type { Log } from './kernel/log.ts'
import type { Keyring } from './keys/keyring.ts'
import { builtInLimits, type LimitOptions, limitOptions } from './limits/options.ts'
import type { Machines } from './machines.ts'
import type { People } from './people.ts'
import type { MachinePlace } from './posture/look-at-machine.ts'
import { codeBodyBytes } from './sandbox/options.ts'
import type { Shield } from './shield/shield.ts'
import type { Database, Store } from './store/database.ts'
import type { Traffic } from './traffic.ts'
import { openUpstream, type Upstream } from './upstream/upstream.ts'
import { contract, type EndpointName } from './wire/contract.ts'

/** The rooms that stay as they are while configurations come and go. */
export interface Standing {
  readonly machine: MachinePlace & {
    readonly clock: Clock
    readonly random: Random
    readonly log: Log
    readonly version: string
  }
  readonly store: Store
  readonly audit: AuditLog
  readonly reading: Database
  readonly people: People
  readonly machines: Machines
  readonly traffic: Traffic
  readonly roleStore: RoleStore
  readonly roleBook: RoleBook
  readonly policyStore: PolicyStore
  readonly policyBook: PolicyBook
  /** Undefined where the house gives no tokens to clients of other people. */
  readonly authorization: AuthorizationServer | undefined
  readonly tokens: TokenService
  /** The signing keys: of access tokens, and of ID tokens where those are others. */
  readonly keyrings: readonly Keyring[]
  /** What checkpoints of the record are verified with. */
  readonly checkpointKey: CheckpointVerifier
  /** Signs the record as it is now. */
  checkpoint(): Promise<{ readonly size: number; readonly root: string } | undefined>
  /** The keys of what others verify. */
  readonly idKeyring: Keyring
  readonly revocations: Revocations
  readonly bodies: BodyMemory
  readonly inspections: Inspections
  /** Undefined where no code is run. */
  readonly codeRuns: CodeRuns | undefined
  readonly meters: Meters
  readonly jwks: () => unknown
  /** How long others may keep the keys: less than a new one waits before it signs. */
  readonly jwksMaxAgeSeconds: number
  readonly isDraining: () => boolean
  readonly via: string
  /** What other threads of this house have changed; undefined where there is no other. */
  readonly abreast: Follower | undefined
}

/** What one configuration makes of the house. */
export interface Floor {
  readonly plan: Plan
  readonly roles: RoleTable
  readonly decisions: DecisionPoint
  /** The kinds of things that are protected, for functions and other services that ask about one. */
  readonly resourceTypes: ReadonlyMap<string, RoutedType>
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly shield: Shield
  readonly playbooks: PlaybookRooms
}

/** Furnishes the house by one configuration. */
export function furnish(settings: Settings, standing: Standing, shield: Shield): Floor {
  const { machine, store, audit, people, machines, tokens, traffic, meters, authorization } = standing
  const roles = standing.roleBook.table
  const decisions = decisionPoint(roles)
  const policies = new Map(settings.policies.map(({ name }) => [name, standing.policyBook.named(name)]))
  const resourceTypes = compileResourceTypes(settings.resources, policies)
  const upstreams = new Map(
    Object.entries(settings.upstreams).map(([name, options]) => [name, openUpstream(name, options)]),
  )
  const limits = limitsOf(settings)
  const trusts = networkList(settings.listen.trustedProxies)
  const prefixes = ['x-gatehouse-', ...settings.identityHeaders.map((name) => name.toLowerCase())]
  const issuer = authorization?.issuer ?? settings.tokens.issuer
  const evidence = openEvidence({
    keyring: standing.idKeyring,
    issuer,
    clock: machine.clock,
    random: machine.random,
  })
  const rooms: Rooms = {
    clock: machine.clock,
    random: machine.random,
    log: machine.log,
    abreast: standing.abreast,
    tokens,
    browsers: { verify: (cookie, uses) => people.browsers.verify(store.db, cookie, uses) },
    trustsOrigin: originsOf(settings, people.publicUrl),
    keys: machines.keyBook,
    services: machines.serviceBook,
    audience: settings.tokens.audience,
    certificateOfField: openPassedCertificates(settings.listen, machine),
    shield,
    https: httpsOnly(settings, people.publicUrl),
    bodies: standing.bodies,
    evidence,
    roles,
    decisions,
    owners: new Owners({ evidence, clock: machine.clock, via: standing.via }),
    resourceServer: authorization && openResourceServer({ ...authorization, publicUrl: authorization.issuer }),
    limiter: traffic.limiter,
    whenDown: settings.shared?.whenDown ?? 'local',
    shedder: settings.shield.load === false ? undefined : traffic.shedder,
    audit,
    unremembered: settings.audit.whenDown,
    meters,
    counting: settings.limits !== false,
    strangers: limits.get('strangers'),
    trusts,
    via: standing.via,
    identityHeaders: (name) => prefixes.some((prefix) => name.startsWith(prefix)),
  }
  const playbooks = openPlaybooks({
    ...people,
    ...machines,
    ...traffic,
    ...standing,
    ...machine,
    options: settings.incidents.playbooks,
    clients: authorization?.registry.clients,
    alert: (trx, incident) => incidents.alertPlan.everybody(trx, incident),
  })
  const incidents = openIncidents({ options: settings.incidents, ...machine, onOpened: playbooks.onOpened })
  const desk = openDesk(
    {
      ...people,
      ...machines,
      ...traffic,
      ...standing,
      ...incidents,
      ...playbooks,
      clock: machine.clock,
      random: machine.random,
      version: machine.version,
      roles,
      decisions,
      resourceTypes,
      asserted(text) {
        const read = readAssertion(text, { keyring: standing.idKeyring, issuer, tokens, clock: machine.clock })
        return 'code' in read ? read : { caller: read.caller, client: upstreams.get(read.upstream)?.client }
      },
      scopeTexts:
        settings.oauth &&
        new Map(Object.entries(settings.oauth.scopes).map(([name, { description }]) => [name, description])),
      policyAskers: (name) =>
        drafts.flatMap(({ value }) => (value.policies.some((one) => one.name === name) ? [value.name] : [])),
    },
    authorization,
  )
  const answerers: Readonly<Record<EndpointName, Answerer>> = {
    ...authEndpoints(desk),
    ...ownEndpoints(desk),
    ...administrationEndpoints(desk),
    ...clientEndpoints(desk),
    ...keyEndpoints(desk),
    ...serviceEndpoints(desk),
    ...roleEndpoints(desk),
    ...decisionEndpoints(desk),
    ...policyEndpoints(desk),
    ...addressEndpoints(desk),
    ...auditEndpoints(desk),
    ...auditProofEndpoints(desk, standing),
    ...incidentEndpoints(desk),
    ...playbookEndpoints(desk),
    ...monitoringEndpoints({ audit, random: machine.random }),
    ...postureEndpoints({
      posture: new PostureReading({ ...standing, diary: desk.diary, clock: machine.clock, settings, machine }),
    }),
    ...sandboxEndpoints(standing.codeRuns),
    ...healthEndpoints({ draining: standing.isDraining, sound: async () => audit.healthy && (await answers(store)) }),
    metrics: metricsEndpoint(meters, networkList(['127.0.0.0/8', '::1', ...settings.metrics.allow]), trusts),
    problem: problemPage,
    jwks: () => kept(standing.jwks(), standing.jwksMaxAgeSeconds),
  }
  const known: Draughting = {
    content: {
      schemasOf: schemasOf(settings),
      inspectionOf: standing.inspections.by(settings.inspection),
    },
    limits,
    upstreams,
    signatures: machines.signaturesOf(settings.signatures),
    policies,
    resources: resourceTypes,
    headers: settings.headers,
    bodyBytesMax: settings.bodyMax,
    recentMs: people.identity.session.recent,
  }
  const own = Object.entries(contract).flatMap(([name, endpoint]) => {
    const paths = [
      endpoint.path,
      ...Object.keys(settings.aliases).filter((alias) => settings.aliases[alias] === endpoint.path),
    ]
    const roomy =
      name === 'runCode' && standing.codeRuns ? { ...endpoint, bodyMax: codeBodyBytes(settings.sandbox) } : endpoint
    return paths.map((path) => draftEndpoint(roomy, path, answerers[name as EndpointName], known))
  })
  const pages = pagesOf(desk, settings.pages).map((page) => draftPage(page, known))
  const drafts: readonly RouterEntry<RouteDraft>[] = [
    ...own,
    ...pages,
    ...(authorization === undefined ? [] : delegated(authorization, desk, settings, standing, known)),
    ...settings.routes.map((route) => draftRoute(route, known)),
  ]
  const headers = compileHeaders(settings.headers)
  const plan = compilePlan(
    drafts,
    { headers: headers.fields, withheld: headers.withheld, bodyBytesMax: settings.bodyMax },
    compileCors(settings.cors),
    rooms,
  )
  return { plan, roles, decisions, resourceTypes, upstreams, shield, playbooks }
}

/** Documents of others leave out types that schemas of the configuration have to name. */
function schemasOf({ schemas, documents }: Settings): (document: string | undefined) => Schemas {
  const own = openSchemas({ shared: schemas })
  const ofDocuments = new Map(
    documents.map(({ name, shared }) => [name, openSchemas({ shared, typesOptional: true })] as const),
  )
  return (document) => (document === undefined ? own : (ofDocuments.get(document) ?? own))
}

/** What a configuration says of roles. */
export function rolesOf({ roles, oauth, administrator, separationOfDuty }: Settings): RoleConfiguration {
  return { roles, scopes: oauth?.scopes ?? {}, administrator, separations: separationOfDuty }
}

/** What the authorization server answers. */
function delegated(
  authorization: AuthorizationServer,
  desk: Desk,
  { pages, identity, tokens }: Settings,
  { store, machine, people }: Standing,
  known: Draughting,
): RouterEntry<RouteDraft>[] {
  const { issuer, options, resources, certificates } = authorization
  const server = authorizationServer({
    ...authorization,
    desk,
    pages,
    sameSite: identity.session.sameSite,
    idTokenAlgorithm: tokens.algorithm === 'HS256' ? 'EdDSA' : tokens.algorithm,
    db: store.db,
    isFresh: (said, expiresAtMs) => authorization.replays.isFresh(store.db, said, expiresAtMs),
    clock: machine.clock,
    log: machine.log,
    refreshOwn: (exchange, token) => refreshOwn(desk, exchange, token),
  })
  const userinfo = userinfoEndpoint(options.path, { accounts: people.accounts, db: store.db })
  return [
    ...server.pages.map((page) => draftPage(page, known)),
    ...[...server.machine, ...resourceMetadata({ publicUrl: issuer, issuer, resources, certificates })].map((one) =>
      draftOauth(one, known),
    ),
    ...userinfo.endpoints.map((one) => draftEndpoint(one, one.path, userinfo.answerer, known)),
  ]
}

/** The limits by name: what the house brings, under what the configuration says. */
function limitsOf({ limits, shared }: Settings): ReadonlyMap<string, Budget> {
  if (limits === false) return new Map()
  const whenDown = shared?.whenDown ?? 'local'
  const own = Object.entries(builtInLimits).map(([name, options]) => [name, limitOptions.parse(options)] as const)
  const chosen = new Map<string, LimitOptions | false>([...own, ...Object.entries(limits)])
  return new Map(
    [...chosen].flatMap(([name, options]) =>
      options === false ? [] : [[name, compileBudget(name, options, whenDown)] as const],
    ),
  )
}

/** Pages of these origins may act with a person's cookies: our own, and those that CORS trusts with credentials. */
function httpsOnly({ listen: { https } }: Settings, publicUrl = ''): Rooms['https'] {
  return https && { origin: publicUrl, exempt: new Set(https.exempt) }
}

function originsOf({ cors }: Settings, publicUrl: string | undefined): (origin: string) => boolean {
  const origins = new Set(cors?.credentials === true ? cors.origins : [])
  if (publicUrl !== undefined) origins.add(publicUrl)
  return (origin) => origins.has(origin)
}

async function answers(store: Store): Promise<boolean> {
  try {
    await store.db.selectFrom('house').select('name').limit(1).execute()
    return true
  } catch {
    return false
  }
}
