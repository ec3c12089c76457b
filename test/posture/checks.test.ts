// Each line of the checklist looks: it holds of a good house, and fails of one with its fault.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import type { Config } from '../../src/config/settings.ts'
import { areas, type Owasp } from '../../src/posture/check.ts'
import { checklists, owaspTitles } from '../../src/posture/checklists.ts'
import { checks } from '../../src/posture/checks/all.ts'
import { builtInChecks } from '../../src/posture/checks/built-in.ts'
import { notYetChecks } from '../../src/posture/checks/not-yet.ts'
import { examine } from '../../src/posture/posture.ts'
import { type Wall, type WallState, walls } from '../../src/sandbox/walls/wall.ts'
import { type Change, dayMs, factsWith, modelConfig, now } from './model.ts'

const [api] = [{ to: 'api' }] as const
const route = (more: object): Change => ({
  config: {
    routes: [...(modelConfig.routes ?? []), { path: '/other', methods: ['GET'], limit: 'general', ...api, ...more }],
  } as Config,
})
const identity = (more: NonNullable<Config['identity']>): Change => ({
  config: { identity: { ...modelConfig.identity, ...more } },
})
const tokens = (more: NonNullable<Config['tokens']>): Change => ({ config: { tokens: { issuer: 'example', ...more } } })
const header = (name: string, value: string | false): Change => ({ config: { headers: { [name]: value } } })
const oauth = (more: object): Change => ({ config: { oauth: { ...modelConfig.oauth, ...more } } as Config })

const wallsWithout = (missing: Wall): readonly WallState[] =>
  walls.map((wall) => ({ wall, stands: wall !== missing, by: wall === missing ? 'install bubblewrap' : 'bubblewrap' }))

/** What breaks each line, and no more than is needed for it. */
// biome-ignore format: a table
const faults: Readonly<Record<string, Change>> = {
  'failures-counted': identity({ lockout: [] }),
  'failures-lock': identity({ lockout: [{ per: 'account', failures: 5, within: '5m' }] }),
  'password-length': identity({ password: { minLength: 8 } }),
  'breached-passwords': identity({ password: { contextWords: ['example'] } }),
  'context-words': identity({ password: { breachList: '/breached.bin' } }),
  'password-hashes': { data: { accounts: { weakHashes: 1 } } },
  'addresses-answer': identity({ registration: 'open', verification: 'none' }),
  'administrators-second-factor': { data: { administrators: { withoutSecondFactor: ['a'] } } },
  'second-factors': { data: { accounts: { withSecondFactor: 9 } } },
  'first-sign-in': { data: { administrators: { neverSignedIn: ['a'] } } },
  'administrators-in-use': { data: { administrators: { unusedFor90Days: ['a'] } } },
  'accounts-in-use': { data: { accounts: { unusedFor90Days: 1 } } },
  'providers-trust': identity({ providers: { google: { clientId: 'x', clientSecret: { env: 'SECRET' }, trustEmail: true } } }),
  letters: { config: { mail: undefined } as never },
  'roles-of-newcomers': identity({ registration: 'open', defaultRoles: ['admin'] }),
  'verified-addresses': { data: { accounts: { unverified: 1 } } },
  'access-token-life': tokens({ accessTtl: '2h' }),
  'refresh-token-life': tokens({ refreshTtl: '60d' }),
  'refresh-grace': tokens({ refreshGrace: '60s' }),
  'client-refresh': tokens({ accessTtl: '5m' }),
  'token-algorithm': tokens({ algorithm: 'HS256' }),
  'token-names': tokens({ issuer: 'gatehouse' }),
  'session-idle': identity({ session: { idle: '2h' } }),
  'session-life': identity({ session: { absolute: '7d' } }),
  'session-cookie': identity({ session: { sameSite: 'lax' } }),
  'recent-sign-in': identity({ session: { recent: '1h' } }),
  'step-up': route({ methods: ['DELETE'], require: 'task:write' }),
  'injection-detected': { settings: { inspection: { injection: { mode: 'log' } } } },
  'requests-to-elsewhere': { settings: { inspection: { injection: { mode: 'block', families: { ssrf: 'log' } } } } },
  'public-address': { settings: { publicUrl: undefined }, listen: { host: '0.0.0.0' } },
  'keys-expire': { config: { keys: { expiryMax: '365d' } } },
  'keys-expire-at-last': { config: { keys: { expiry: '90d' } } },
  'keys-without-end': { data: { keys: { withoutExpiry: ['k'] } } },
  'keys-owned': { data: { keys: { ownerless: ['k'] } } },
  'keys-in-use': { data: { keys: { unusedFor90Days: ['k'] } } },
  'keys-rotated': { data: { keys: { olderThanAYear: ['k'] } } },
  'keys-least': { data: { keys: { allPowerful: ['k'] } } },
  'managed-keys': { config: { keys: { managed: { bot: { permissions: [], file: '/bot.key', rotateEvery: '60d' } } } } },
  'signing-keys-rotate': tokens({ rotation: { every: 'never' } }),
  'signing-keys-age': { data: { signingKeys: { oldestActiveFrom: now - 400 * dayMs } } },
  'old-secrets': { data: { oldSecrets: ['service runner'] } },
  'services-by-key': { config: { services: { runner: { secrets: [{ env: 'SECRET' }] } } } },
  'signature-window': { config: { signatures: { partner: { form: 'rfc9421', window: '1h' } } } },
  'signatures-demanded': { config: { signatures: { partner: { form: 'rfc9421' }, other: { form: 'rfc9421' } } } },
  'client-certificates': { listen: { tls: { cert: '/server.pem', minVersion: 'TLSv1.2', clientCa: '/ca.pem' } } },
  'registration-of-clients': oauth({ registration: { access: 'open' } }),
  'clients-secrets': oauth({ clients: [{ id: 'app', name: 'App', redirectUris: ['https://app.example.com/cb'] }] }),
  'clients-refresh': oauth({ refreshTtl: '60d' }),
  'clients-in-use': { data: { clients: { unused: 1 } } },
  'routes-say-who': { settings: { routes: [{ path: '/x', forwardAuthorization: false }] } },
  'public-routes-read': route({ methods: ['POST'], access: 'public' }),
  'public-routes-methods': route({ methods: undefined, access: 'public' }),
  'writes-need-permission': route({ methods: ['POST'], access: 'authenticated' }),
  'routes-narrow': route({ path: '/*', require: 'task:read' }),
  'things-are-owned': route({ path: '/other/:id', require: 'task:read' }),
  'fields-are-owned': { settings: { routes: [{ path: '/x', require: 'task:read', forwardAuthorization: false }] } },
  'credentials-stay': route({ access: 'public', forwardAuthorization: true }),
  'one-administrator-role': { config: { roles: { ...modelConfig.roles, root: { permissions: ['*'] } } } },
  'roles-differ': { settings: { roles: {} } },
  'administrators-few': { data: { administrators: { all: 1 } } },
  'separation-of-duty': { config: { separationOfDuty: [] } },
  'policies-asked': { settings: { policies: [{ name: 'nobody-asks' }] } },
  'scopes-named': oauth({ scopes: { ...modelConfig.oauth?.scopes, 'other:read': { description: 'Other' } } }),
  'scopes-lend-little': oauth({ scopes: { 'task:read': { description: 'All', permissions: ['*'] } } }),
  'upstreams-told': { config: { upstreams: { api: { url: 'https://api.example.com', assertion: false } } } },
  'routes-by-address': { settings: { routes: [{ path: '/x', require: 'task:read', forwardAuthorization: false }] } },
  'body-schemas': route({ methods: ['POST'], require: 'task:write' }),
  'schemas-closed': route({ methods: ['POST'], require: 'task:write', body: { type: 'object' } }),
  'body-size': { config: { bodyMax: '200mb' } },
  'body-memory': { config: { bodyMemory: '2gb' } },
  'identity-headers': { config: { identityHeaders: [] } },
  'trusted-proxies': { config: { listen: { trustedProxies: ['0.0.0.0/0'], https: 'required' } } },
  sandbox: { machine: { walls: wallsWithout('network') } },
  'sandbox-every-wall': { machine: { walls: wallsWithout('system-calls') } },
  'sandbox-walls': { config: { sandbox: { enabled: true, without: ['network'] } } },
  'sandbox-required': { config: { sandbox: { enabled: true, require: ['files'] } } },
  'sandbox-limited': { config: { limits: { sandbox: false } } },
  'limits-on': { settings: { limits: false } },
  'sign-in-limit': { config: { limits: { authentication: false } } },
  'strangers-limit': { config: { limits: { strangers: false } } },
  'routes-limited': route({ require: 'task:read', limit: undefined }),
  'reports-limit': { settings: { limits: { general: false } } },
  'decisions-limit': { config: { limits: { decisions: false } } },
  'count-lost': { config: { shared: { url: 'rediss://redis.example.com', password: { env: 'SECRET' }, whenDown: 'open' } } },
  'floods-blocked': { config: { shield: { addresses: { deny: ['192.0.2.0/24'] } } } },
  'bad-addresses': { config: { shield: { rate: {} } } },
  'user-agents': { config: { shield: { rate: {} } } },
  'load-shed': { config: { shield: { load: false } } },
  'slow-clients': { listen: { minBytesPerSecond: 0 } },
  connections: { listen: { connectionsPerAddress: 10_000 } },
  'upstream-deadlines': { config: { upstreams: { api: { url: 'https://api.example.com', idleTimeout: '0ms' } } } },
  'root-secret': { machine: { rootSecret: { from: 'file', mode: 0o100644 } } },
  'data-folder': { machine: { dataMode: 0o040755 } },
  'store-file': { config: { store: 'sqlite:./x.db' }, machine: { storeMode: 0o100644 } },
  'store-password': { config: { store: 'postgres://gatehouse:hunter2@db.example.com/gatehouse' } },
  'store-line': { config: { store: 'postgres://gatehouse@db.example.com/gatehouse' } },
  'shared-line': { config: { shared: 'redis://redis.example.com' } },
  'upstream-lines': { config: { upstreams: { api: 'http://api.example.com' } } },
  'secrets-referenced': { settings: { services: { runner: { permissions: [], secrets: [{ text: 'in clear' }], publicKeys: [], certificates: [] } } as never } },
  'letters-line': { settings: { mail: { smtp: { security: 'none', host: 'mail.example.com' } } as never } },
  'certificates-checked': { machine: { trustsEveryCertificate: true } },
  https: { config: { listen: {}, publicUrl: 'https://gate.example.com' }, listen: { tls: undefined } },
  'https-enforced': { listen: { https: undefined } },
  'tls-version': { listen: { tls: { cert: '/server.pem', minVersion: 'TLSv1.1' } } },
  'certificates-last': { machine: { certificates: [{ path: '/server.pem', subject: 'CN=x', validTo: now + dayMs }] } },
  hsts: header('strict-transport-security', 'max-age=60'),
  'content-security-policy': header('Content-Security-Policy', "script-src 'unsafe-inline'"),
  'no-sniffing': header('X-Content-Type-Options', false),
  'no-frames': header('X-Frame-Options', 'ALLOWALL'),
  'xss-filter': header('X-XSS-Protection', false),
  referrer: header('Referrer-Policy', 'unsafe-url'),
  'permissions-policy': header('Permissions-Policy', 'camera=()'),
  'route-headers': route({ require: 'task:read', headers: { 'X-Frame-Options': false } }),
  'cors-origins': { config: { cors: { origins: ['*'] } } },
  'cors-https': { config: { cors: { origins: ['http://app.example.com'] } } },
  'cors-own-machine': { config: { cors: { origins: ['http://localhost:3000'], credentials: true } } },
  'cors-retry': { config: { cors: { origins: ['https://app.example.com'] } } },
  'record-grows': { data: { record: { events: 0 } } },
  'record-flows': { data: { record: { outbox: 5_000 } } },
  'record-gaps': { data: { record: { gaps: 1 } } },
  'record-down': { config: { audit: { whenDown: 'serve' } } },
  'checkpoints-often': { config: { audit: { checkpoint: '1h' } } },
  'record-verified': { data: { record: { scrub: { at: now, events: 7, found: 'altered at event 7' } } } },
  'checkpoint-fresh': { data: { record: { checkpoint: { size: 10, at: now - 3_600_000 } } } },
  'record-sent': { config: { audit: {} } },
  'record-anchored': { config: { audit: {} } },
  'sinks-take': { data: { record: { followers: [{ name: 'sink:file', behind: 90, failingSince: now - 3_600_000 }] } } },
  'attacks-noticed': { config: { incidents: { detection: { presets: [] } } } },
  alerts: { config: { incidents: {} } },
  'alerts-arrive': { data: { alerts: { givenUp: 1 } } },
  playbooks: { settings: { incidents: { alerts: {}, playbooks: new Map(), detection: { rules: [] } } } },
  'incidents-seen': { data: { incidents: { open: 1, unacknowledged: 1, oldestUnacknowledgedAt: now - 3 * dayMs } } },
  'letters-leave': { data: { letters: { waiting: 3, oldestAt: now - dayMs } } },
  'metrics-closed': { config: { metrics: { allow: ['0.0.0.0/0'] } } },
  clock: { data: { record: { lastAt: now + dayMs } } },
  'reviews-made': { data: { reviewAt: now - 90 * dayMs } },
  'client-reports': { settings: { limits: { reports: false } } },
  'places-known': { config: { incidents: {} } },
  'node-version': { machine: { nodeVersion: '20.1.0' } },
  'not-root': { machine: { isRoot: true } },
  'log-level': { config: { log: { level: 'debug' } } },
  'log-speaks': { config: { log: { level: 'silent' } } },
  'real-letters': { config: { mail: { from: 'gate@example.com', folder: '/letters' } } },
  'public-name': { config: { publicUrl: 'http://localhost:8080', listen: { host: '0.0.0.0' } } },
  'real-certificate': { machine: { certificates: [{ path: '/server.pem', subject: 'CN=localhost', validTo: now + 60 * dayMs }] } },
  'upstreams-used': { config: { upstreams: { ...modelConfig.upstreams, idle: 'https://idle.example.com' } } },
  'routes-there': { settings: { routes: [] } },
  'roles-used': route({ require: 'nobody:has-it' }),
  'store-for-nodes': { config: { store: 'sqlite:./x.db' } },
  'store-lasts': { config: { store: 'sqlite::memory:' } },
  'privacy-page': { config: { pages: {} } },
}

/** What nobody can know from within a house. */
const neverKnown = ['backups']
/** What is unknown where there is no fault, and never fails. */
const neverFailing = [
  'count-over-nodes',
  'html-sanitised',
  'uploads',
  'moderation',
  'prompts',
  'personal-data-redacted',
]

const looking = checks.filter((check) => !builtInChecks.includes(check) && !notYetChecks.includes(check))

test('PO1: the checklist has sixty lines at least that look, each by a name of its own', () => {
  assert.ok(looking.length >= 60, `${looking.length}`)
  assert.equal(new Set(checks.map(({ id }) => id)).size, checks.length)
  const tried = [...Object.keys(faults), ...neverKnown, ...neverFailing].toSorted()
  assert.deepEqual(tried, looking.map(({ id }) => id).toSorted())
})

test('PO1: every line that can holds of a good house', () => {
  const { lines, sound } = examine(factsWith())
  const others = lines.filter(({ id, outcome }) => outcome !== 'holds' && looking.some((check) => check.id === id))
  assert.deepEqual(
    others.map(({ id, outcome, found }) => [id, outcome, found]).filter(([id]) => !neverKnown.includes(String(id))),
    [],
  )
  assert.equal(sound, true)
})

for (const [id, change] of Object.entries(faults)) {
  test(`PO1: ${id} fails of a house with its fault, and says what mends it`, () => {
    const { lines, sound } = examine(factsWith(change))
    const line = lines.find((one) => one.id === id)
    assert.equal(line?.outcome, 'fails', line?.found)
    assert.ok((line?.mend ?? '').length > 4, 'says what mends it')
    assert.ok((line?.found ?? '').length > 1, 'says what was found')
    assert.doesNotMatch(`${line?.found}${line?.mend}`, /\n|hunter2|in clear'|a secret that is long/)
    if (line?.level === 'must') assert.equal(sound, false)
  })
}

test('PO1: a record without a checkpoint is waited for as long as one may take, and no longer', () => {
  const outcome = (ageMs: number) =>
    examine(factsWith({ data: { record: { checkpoint: undefined, firstAt: now - ageMs } } })).lines.find(
      ({ id }) => id === 'checkpoint-fresh',
    )?.outcome
  assert.deepEqual([outcome(5_000), outcome(3_600_000)], ['unknown', 'fails'])
})

/** Mends that are a key with its value, as they would be typed. */
const typed = /^(?<key>[A-Za-z]+(?:\.[A-Za-z]+)*): (?<value>['{[\d].*|true|false)$/

test('PO1: what mends a line by one key is taken by the configuration, and the line holds', () => {
  const mended: string[] = []
  for (const [id, change] of Object.entries(faults)) {
    const mend = examine(factsWith(change)).lines.find((one) => one.id === id)?.mend ?? ''
    const { key, value } = typed.exec(mend)?.groups ?? {}
    if (change.config === undefined || key === undefined || /…|; or|{ host }|NAME/.test(mend)) continue
    const config = structuredClone({ ...modelConfig, ...change.config }) as Record<string, unknown>
    setAt(config, key.split('.'), runInNewContext(`(${value})`, { env: (name: string) => ({ env: name }) }))
    const { config: _, ...rest } = change
    const line = examine(factsWith({ ...rest, config: config as Config })).lines.find((one) => one.id === id)
    assert.equal(line?.outcome, 'holds', `${id}: ${mend}: ${line?.found}`)
    mended.push(id)
  }
  assert.ok(mended.length >= 30, `${mended.length}: ${mended.join(', ')}`)
})

function setAt(config: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    config[name] = value
    return
  }
  const within = config[name]
  const part = typeof within === 'object' && within !== null ? (within as Record<string, unknown>) : {}
  config[name] = part
  setAt(part, rest, value)
}

test('PO1: where the store or the machine cannot be asked, that is said, and nothing is made up', () => {
  const facts = { ...factsWith(), data: { unknown: 'there is no store yet' }, machine: { unknown: 'it is another’s' } }
  const { lines } = examine(facts)
  const unknown = lines.filter(({ found }) => found === 'there is no store yet' || found === 'it is another’s')
  assert.ok(unknown.length > 30, `${unknown.length}`)
  assert.ok(unknown.every(({ outcome }) => outcome === 'unknown'))
})

/** Every row of the requirements of the five systems. */
// biome-ignore format: a list reads best as a list
const rows = [
  'ID1', 'ID2', 'ID3', 'ID4', 'ID5', 'ID6', 'ID7', 'ID8', 'TK1', 'TK2', 'TK3', 'TK4', 'TK5', 'TK6', 'TK7', 'OA1', 'OA2', 'OA3', 'OA4',
  'AK1', 'AK2', 'AK3', 'AK4', 'AK5', 'AK6', 'AZ1', 'AZ2', 'AZ3', 'AZ4', 'AZ5', 'TR1', 'TR2', 'TR3', 'TR4', 'TR5', 'TR6', 'TR7', 'TR8',
  'TR9', 'TR10', 'TR11', 'CT1', 'CT2', 'CT3', 'CT4', 'CT5', 'CT6', 'CT7', 'CT8', 'DP1', 'DP2', 'DP3', 'DP4', 'DP5', 'DP6', 'AU1', 'AU2',
  'AU3', 'AU4', 'AU5', 'AU6', 'IN1', 'IN2', 'IN3', 'IN4', 'PR1', 'PR2', 'PR3', 'PR4', 'PR5', 'CL1', 'CL2', 'CL3', 'PO1',
]

test('PO1: every row of the five checklists, and of the OWASP API Top 10, is answered by a line that there is', () => {
  assert.deepEqual(Object.keys(checklists).toSorted(), rows.toSorted())
  const ids = new Set(checks.map(({ id }) => id))
  for (const [row, { checks: answering }] of Object.entries(checklists)) {
    assert.ok(answering.length > 0, row)
    for (const id of answering) assert.ok(ids.has(id), `${row}: ${id}`)
  }
  const answered = new Set(checks.flatMap(({ owasp }) => owasp))
  assert.deepEqual([...answered].toSorted(), (Object.keys(owaspTitles) as Owasp[]).toSorted())
  const { lines } = examine(factsWith())
  assert.deepEqual(
    lines.filter(({ rows, owasp }) => rows.length + owasp.length === 0).map(({ id }) => id),
    [],
  )
  for (const area of areas) assert.ok(examine(factsWith(), area).lines.length > 0, area)
})
