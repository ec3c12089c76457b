// A house of which every line of the checklist holds that can, and ways to break it.
import { parseConfig } from '../../src/config/parse.ts'
import type { Config, Settings } from '../../src/config/settings.ts'
import type { Configuration, DataFacts, Facts, MachineFacts } from '../../src/posture/facts.ts'
import { walls } from '../../src/sandbox/walls/wall.ts'

export const now = Date.UTC(2026, 5, 15, 12)
export const dayMs = 86_400_000

const secret = { env: 'SECRET' }
const environment = { SECRET: 'a secret that is long enough for everybody' }

export const modelConfig: Config = {
  publicUrl: 'https://gate.example.com',
  listen: { trustedProxies: ['10.0.0.0/8'], https: 'required' },
  store: 'postgres://gatehouse@db.example.com/gatehouse?sslmode=verify-full',
  shared: { url: 'rediss://redis.example.com', password: secret },
  upstreams: { api: 'https://api.example.com' },
  mail: { from: 'gate@example.com', smtp: { host: 'mail.example.com', user: 'gate', password: secret } },
  pages: { links: { privacy: '/privacy' } },
  identity: { password: { breachList: '/breached.bin', contextWords: ['example'] } },
  tokens: { issuer: 'example' },
  keys: { expiry: '90d', expiryMax: '365d', managed: { bot: { permissions: ['task:read'], file: '/bot.key' } } },
  oauth: {
    scopes: { 'task:read': { description: 'Read your tasks' } },
    clients: [
      {
        id: 'app',
        name: 'App',
        redirectUris: ['https://app.example.com/cb'],
        scopes: ['task:read'],
        boundTokens: true,
      },
    ],
  },
  roles: { user: { permissions: ['task:*'] }, requester: { permissions: [] }, approver: { permissions: [] } },
  separationOfDuty: [{ roles: ['requester', 'approver'] }],
  services: { runner: { permissions: [], certificates: [{ dns: 'runner.example' }] } },
  signatures: { partner: { form: 'rfc9421' } },
  policies: [{ name: 'tasks', version: '1.0', rules: [] } as never],
  shield: {
    rate: {},
    userAgents: { refuse: 'suspicious' },
    addresses: { deny: ['192.0.2.0/24'] },
  },
  identityHeaders: ['X-User'],
  cors: { origins: ['https://app.example.com'], credentials: true, exposed: ['Retry-After'] },
  audit: {
    whenDown: 'refuse',
    sinks: [{ kind: 'file', path: '/elsewhere/audit.jsonl' }],
    anchors: [{ file: '/elsewhere/audit.checkpoints' }],
  },
  incidents: { alerts: { desk: { kind: 'console' } } as never, detection: { geolocation: '/cities.mmdb' } },
  inspection: {
    injection: 'block',
    pii: 'redact',
    prompts: 'log',
    moderation: 'log',
    html: { '/title': 'none' },
    uploads: { types: ['image/png'] },
  },
  sandbox: { enabled: true, require: ['files', 'network', 'processes', 'user'] },
  routes: [
    { path: '/tasks', methods: ['GET'], require: 'task:read', policy: 'tasks', limit: 'general', to: 'api' },
    {
      path: '/tasks/:id',
      methods: ['PUT', 'DELETE'],
      require: 'task:write',
      owner: { lookup: '/owners/:id', field: 'owner' },
      recent: '15m',
      limit: 'general',
      signature: 'partner',
      addresses: { allow: ['198.51.100.0/24'] },
      body: { type: 'object', additionalProperties: false },
      to: 'api',
    },
  ],
}

export function parsed(config: Config, secrets: Readonly<Record<string, string>> = environment): Settings {
  const outcome = parseConfig(config, secrets)
  if ('mistakes' in outcome) throw new Error(JSON.stringify(outcome.mistakes, null, 2))
  return outcome.settings
}

const modelSettings = parsed(modelConfig)

const data: DataFacts = {
  accounts: {
    all: 20,
    locked: 0,
    withSecondFactor: 15,
    neverSignedIn: 0,
    unusedFor90Days: 0,
    unused: [],
    weakHashes: 0,
    unverified: 0,
  },
  administrators: { all: 2, withoutSecondFactor: [], neverSignedIn: [], unusedFor90Days: [] },
  keys: { living: 3, withoutExpiry: [], ownerless: [], unusedFor90Days: [], olderThanAYear: [], allPowerful: [] },
  signingKeys: { living: 1, oldestActiveFrom: now - 30 * dayMs },
  oldSecrets: [],
  clients: { all: 1, unused: 0 },
  record: {
    events: 100,
    firstAt: now - 90 * dayMs,
    lastAt: now - 1_000,
    outbox: 0,
    checkpoint: { size: 99, at: now - 30_000 },
    scrub: { at: now - 600_000, events: 99, found: null },
    gaps: 0,
    followers: [{ name: 'sink:file', behind: 1, failingSince: undefined }],
  },
  letters: { waiting: 0, oldestAt: undefined, givenUp: 0 },
  incidents: { open: 0, unacknowledged: 0, oldestUnacknowledgedAt: undefined },
  alerts: { givenUp: 0, late: 0 },
  reviewAt: now - 7 * dayMs,
}

const machine: MachineFacts = {
  nodeVersion: '24.1.0',
  isRoot: false,
  rootSecret: { from: 'file', mode: 0o100600 },
  dataMode: 0o040700,
  storeMode: 0o100600,
  trustsEveryCertificate: false,
  certificates: [{ path: '/server.pem', subject: 'CN=gate.example.com', validTo: now + 60 * dayMs }],
  walls: walls.map((wall) => ({ wall, stands: true, by: 'bubblewrap 0.11.0' })),
}

/** What is otherwise than in the model. */
export interface Change {
  readonly config?: Config
  /** After the configuration was read: what it names need not be there. */
  readonly listen?: Partial<Configuration['listen']>
  readonly settings?: Partial<Configuration>
  readonly data?: {
    readonly [Part in keyof DataFacts]?: DataFacts[Part] extends object ? Partial<DataFacts[Part]> : DataFacts[Part]
  }
  readonly machine?: Partial<MachineFacts>
}

const tls = { cert: '/server.pem', minVersion: 'TLSv1.2', clientCa: '/ca.pem', crl: ['/crl.pem'] }

export function factsWith({ config, listen, settings, data: parts = {}, machine: more }: Change = {}): Facts {
  const read: Configuration = config === undefined ? modelSettings : parsed({ ...modelConfig, ...config })
  const changed = Object.entries(parts).map(([name, part]) => {
    const before = data[name as keyof DataFacts]
    return [
      name,
      typeof part === 'object' && !Array.isArray(part) && typeof before === 'object' ? { ...before, ...part } : part,
    ]
  })
  return {
    now,
    settings: { ...read, listen: { ...read.listen, tls, ...listen }, ...settings },
    data: { ...data, ...Object.fromEntries(changed) },
    machine: { ...machine, ...more },
  }
}
