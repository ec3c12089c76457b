// Every kind of principal that can come to the house's own endpoints, each made once; and somebody who only owns things.
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { TestContext } from 'node:test'
import { generateKeyPair, SignJWT } from 'jose'
import type { Account } from '../../src/authn/account/accounts.ts'
import type { Proof } from '../../src/authn/proof.ts'
import { unbound } from '../../src/authn/token/binding.ts'
import type { Code } from '../../src/kernel/error.ts'
import { systemRandom, uuidv7 } from '../../src/kernel/id.ts'
import { contract } from '../../src/wire/contract.ts'
import type { Endpoint } from '../../src/wire/shapes.ts'
import { derOf, makeSelfSigned } from '../support/certificates.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { bearer, goodPassword, type PeopleHouse, publicUrl, startPeople } from '../support/people.ts'

export type Fields = Readonly<Record<string, string>>

/** Somebody who comes, and what there is to know about them. */
export interface Caller {
  readonly name: string
  /** What proves them, or is meant to. */
  fields(): Fields
  /** Where the request comes from: a proxy that is trusted, or anywhere. */
  readonly by?: 'proxy'
  readonly query?: string
  /** What their credential is: none that counts here, a sign-in, or a program's own. */
  readonly is: 'nobody' | 'sign-in' | 'machine'
  /** The account that they are, or that their program is of. */
  readonly account?: Account
  /** Why their credential does not hold. */
  readonly wrong?: Code
  /** What the person, or the service, holds; and what their credential lends of it, where that is less. */
  readonly holds: readonly string[]
  readonly lends?: readonly string[]
  /** The scopes of a client of other people's; it may be for nobody but itself. */
  readonly scopes?: readonly string[]
  readonly alone?: true
  /** Somebody else acts as the account. */
  readonly acting?: true
  /** They signed in long ago. */
  readonly stale?: true
  /** A browser: it sends its cookie from pages of ours, or whoever wrote the page. */
  readonly page?: 'own' | 'foreign'
  /** Signs them in once more, where a request has ended what they had. */
  renew?(): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Empty where the answer is no JSON object. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface Sent {
  readonly json?: object
  readonly form?: Fields
  readonly fields?: Fields
}

/** What somebody owns whom nobody is: all of it has to be as it was, whatever the others do. */
export interface Bystander {
  readonly account: Account
  readonly sessions: readonly string[]
  readonly keys: readonly string[]
  readonly passkey: string
  /** The handle of what they allowed a client. */
  readonly grant: string
  readonly provider: string
}

export interface Scene {
  readonly people: PeopleHouse
  readonly clock: TestClock
  readonly callers: readonly Caller[]
  readonly bob: Bystander
  caller(name: string): Caller
  ask(caller: Caller, method: string, path: string, sent?: Sent): Promise<Answer>
  /** Every row of every table that an answer may depend on; as text, by table. */
  rows(): Promise<ReadonlyMap<string, readonly string[]>>
  newPerson(roles?: readonly string[]): Promise<Account>
}

/** The scopes of the house: one lends a built-in permission. */
export const lendingScope = { name: 'people:manage', permission: 'users:manage' }

/** Every permission that an endpoint of ours demands. */
export const permissions: readonly string[] = [
  ...new Set(
    Object.values(contract).flatMap(({ access }: Endpoint) => (typeof access === 'string' ? [] : [access.permission])),
  ),
]

const secrets = {
  billing: 'a secret of billing that is long enough',
  idle: 'a secret of idle that is long enough',
} as const
const agents = { everywhere: new Agent({ keepAlive: true }), proxy: new Agent({ keepAlive: true }) }
const roleFor = (permission: string): string => `only-${permission.replace(':', '-')}`

export async function openScene(context: TestContext): Promise<Scene> {
  const clock = testClock(Math.floor(Date.now() / 1000) * 1000)
  const people = await startPeople(
    context,
    {
      listen: { trustedProxies: ['127.0.0.2'], clientCertHeader: true },
      roles: {
        user: { permissions: ['widgets:read'] },
        ...Object.fromEntries([...permissions, 'audit:view'].map((one) => [roleFor(one), { permissions: [one] }])),
      },
      services: {
        billing: {
          permissions: ['users:manage', 'keys:manage'],
          secrets: [{ env: 'BILLING_SECRET' }],
          certificates: [{ dns: 'billing.internal' }],
        },
        idle: { permissions: [], secrets: [{ env: 'IDLE_SECRET' }] },
      },
      policies: [{ name: 'managed', managed: true, record: 10 }],
      signatures: { jaf: { form: 'method-uri-body', service: 'billing' } },
      oauth: {
        scopes: {
          [lendingScope.name]: {
            description: 'Manage people',
            permissions: [lendingScope.permission],
            privileged: true,
          },
          'widgets:read': { description: 'See your widgets' },
        },
        resources: [{ path: '/mcp', name: 'Tools', scopes: ['widgets:read'] }],
        clients: [{ id: 'app', name: 'App', redirectUris: ['https://app.example.com/cb'], scopes: ['widgets:read'] }],
        registration: { access: 'token' },
      },
    },
    { clock, environment: { BILLING_SECRET: secrets.billing, IDLE_SECRET: secrets.idle } },
  )
  context.after(() => {
    for (const agent of Object.values(agents)) agent.destroy()
  })
  const { house, port } = people
  const { accounts, sessions, store, tokens } = house
  const { db } = store

  let made = 0
  const newPerson: Scene['newPerson'] = async (roles = ['user']) => {
    const profile = { email: `person-${made++}@people.example`, name: 'Somebody' }
    const prepared = await accounts.prepare(profile, undefined)
    if ('code' in prepared) assert.fail(prepared.detail)
    const created = await accounts.insert(db, prepared, roles, clock.now())
    return 'account' in created ? created.account : assert.fail('taken')
  }
  const withPassword = async (email: string, ...roles: string[]): Promise<Account> => {
    const created = await accounts.create(db, { email, name: 'Ada', password: goodPassword, roles })
    return 'account' in created ? created.account : assert.fail(JSON.stringify(created))
  }
  const device = { address: '127.0.0.1', userAgent: 'a test' }
  const proofAt = (at: number): Proof => ({ methods: ['password'], at })
  const tokenOf = (account: Account, session: string, more: object = {}, at = clock.now()): string => {
    const { id: subject, roles, email, name } = account
    return tokens.issue({ subject, session, roles, permissions: [], email, name, proof: proofAt(at), ...more }).token
  }
  /** An access token that a sign-in answers with. */
  const signedIn = async (account: Account, at = clock.now()): Promise<string> =>
    tokenOf(account, (await sessions.open(db, account.id, device, proofAt(at))).session.id, {}, at)
  const anySession = (): string => uuidv7(clock.now(), systemRandom)
  const lentTo = (account: Account, scopes: readonly string[], more: object = {}): string =>
    tokenOf(account, anySession(), { client: { id: 'app', scopes, audience: 'gatehouse', ...unbound, ...more } })
  const byItself = (scopes: readonly string[]): string =>
    tokens.issueForClient({ id: 'app', scopes, audience: 'gatehouse', ...unbound }).token

  const ada = await withPassword('ada@people.example', 'user')
  const root = await withPassword('root@people.example', 'admin')
  const bobsAccount = await newPerson()
  const expired = await signedIn(ada)
  const rootsOld = await signedIn(root)
  const shortKey = await keyBy(rootsOld, '/api/keys', { permissions: ['*'], expires_in: 60 })
  clock.advance(3_600_000)

  const rootsToken = await signedIn(root)
  const keyFor = (type: string, id: string, more: object = {}): Promise<MadeKey> =>
    keyBy(rootsToken, '/api/admin/keys', { permissions: ['*'], owner: { type, id }, ...more })
  const adasToken = await signedIn(ada)
  const revoked = await keyBy(adasToken, '/api/keys', { permissions: ['widgets:read'] })
  await people.api('DELETE', `/api/keys/${revoked.id}`, undefined, bearer({ access_token: adasToken }))
  const [over] = [await sessions.open(db, ada.id, device, proofAt(clock.now()))]
  await people.api('POST', '/api/auth/logout', undefined, bearer({ access_token: tokenOf(ada, over.session.id) }))
  const locked = await newPerson()
  const lockedOut = await signedIn(locked)
  await people.api('POST', `/api/admin/users/${locked.id}/lock`, { reason: 'for a test' }, as(rootsToken))
  const { publicKey: _, privateKey: foreign } = await generateKeyPair('EdDSA')
  const { cert } = await makeSelfSigned({ subject: 'CN=billing', dns: ['billing.internal'] })
  const { cert: unknownCert } = await makeSelfSigned({ subject: 'CN=nobody', dns: ['nobody.internal'] })

  // biome-ignore format: a table, one line to a caller
  const callers: readonly Caller[] = [
    await person('ada', ada, ['widgets:read']),
    await person('eve, another person', await newPerson(), ['widgets:read']),
    { ...(await person('ada, who signed in long ago', ada, ['widgets:read'], clock.now() - 3_600_000)), stale: true },
    await browser('ada at her browser', ada, 'own'),
    await browser('ada at her browser, on a page of somebody else', ada, 'foreign'),
    await person('root', root, ['*']),
    ...(await Promise.all([...permissions, 'audit:view'].map(async (one) => person(`an administrator with ${one}`, await newPerson([roleFor(one)]), [one])))),
    await acting('root, acting as ada'),

    static_('nobody', {}, { is: 'nobody' }),
    static_('a client of ada’s with no scope', as(lentTo(ada, [])), { is: 'sign-in', holds: ['widgets:read'], scopes: [], account: ada }),
    static_('a client of ada’s that may know her', as(lentTo(ada, ['openid', 'profile', 'email'])), { is: 'sign-in', holds: ['widgets:read'], scopes: ['openid', 'profile', 'email'], account: ada }),
    static_('a client of ada’s with a scope beyond her', as(lentTo(ada, [lendingScope.name])), { is: 'sign-in', holds: ['widgets:read'], scopes: [lendingScope.name], account: ada }),
    static_('a client of root’s with no scope', as(lentTo(root, [])), { is: 'sign-in', holds: ['*'], scopes: [], account: root }),
    static_('a client of root’s that may manage people', as(lentTo(root, [lendingScope.name])), { is: 'sign-in', holds: ['*'], scopes: [lendingScope.name], account: root }),
    static_('a client by itself', as(byItself(['widgets:read'])), { is: 'sign-in', scopes: ['widgets:read'], alone: true }),
    static_('a client by itself that may manage people', as(byItself([lendingScope.name])), { is: 'sign-in', scopes: [lendingScope.name], alone: true }),

    keyed('a key of ada’s that lends nothing', await keyBy(adasToken, '/api/keys', {}), ['widgets:read'], { lends: [], account: ada }),
    keyed('a key of ada’s that lends all', await keyFor('user', ada.id), ['widgets:read'], { account: ada, acting: true }),
    keyed('a key of root’s that lends all', await keyBy(rootsToken, '/api/keys', { permissions: ['*'] }), ['*'], { account: root }),
    keyed('a key of root’s with a scope', await keyBy(rootsToken, '/api/keys', { scopes: [lendingScope.name] }), ['*'], { account: root, scopes: [lendingScope.name] }),
    keyed('a key of root’s with no scope that helps', await keyBy(rootsToken, '/api/keys', { scopes: ['widgets:read'] }), ['*'], { account: root, scopes: ['widgets:read'] }),
    keyed('a key of a service', await keyFor('service', 'billing'), ['users:manage', 'keys:manage']),
    keyed('a key of a service that holds nothing', await keyFor('service', 'idle'), []),
    keyed('a key of an organisation', await keyFor('organisation', 'acme', { permissions: ['*'] }), ['*']),
    static_('the token of a service', as(await serviceToken('billing', 'gatehouse')), { is: 'machine', holds: ['users:manage', 'keys:manage'] }),
    static_('the token of a service that holds nothing', as(await serviceToken('idle', 'gatehouse')), { is: 'machine' }),
    { ...static_('a client certificate', certificate(cert), { is: 'machine', holds: ['users:manage', 'keys:manage'] }), by: 'proxy' },
    { ...static_('a client certificate that no service has', certificate(unknownCert), { is: 'nobody' }), by: 'proxy' },
    static_('a client certificate that a stranger writes', certificate(cert), { is: 'nobody' }),
    { ...static_('a signature', {}, { is: 'nobody' }), fields: () => signature() }, // no endpoint of ours asks for one

    static_('an expired token', as(expired), { is: 'nobody', wrong: 'token-expired' }),
    static_('a token of a session that is over', as(tokenOf(ada, over.session.id)), { is: 'nobody', wrong: 'token-revoked' }),
    static_('a token of somebody locked out', as(lockedOut), { is: 'nobody', wrong: 'token-revoked' }),
    static_('a refresh token', as(over.refreshToken), { is: 'nobody', wrong: 'token-wrong-type' }),
    static_('a token of another house', as(await foreignToken()), { is: 'nobody', wrong: 'token-invalid' }),
    static_('a token for another resource', as(lentTo(root, [lendingScope.name], { audience: `${publicUrl}/mcp` })), { is: 'nobody', wrong: 'token-invalid' }),
    static_('a token without the key that it is bound to', as(lentTo(root, [lendingScope.name], { keyThumbprint: 'k'.repeat(43) })), { is: 'nobody', wrong: 'token-invalid' }),
    static_('a token without the certificate that it is bound to', as(lentTo(root, [lendingScope.name], { certificateThumbprint: 'k'.repeat(43) })), { is: 'nobody', wrong: 'token-invalid' }),
    static_('a cookie of nobody', { cookie: '__Host-gatehouse=gh_bs_nothing', origin: publicUrl }, { is: 'nobody', wrong: 'session-ended' }),
    static_('a revoked key', { 'x-api-key': revoked.key }, { is: 'nobody', wrong: 'api-key-invalid' }),
    static_('an expired key', { 'x-api-key': shortKey.key }, { is: 'nobody', wrong: 'api-key-invalid' }),
    static_('the token of a service for somebody else', as(await serviceToken('billing', 'api')), { is: 'nobody', wrong: 'service-token-invalid' }),
    static_('two credentials at once', { ...as(rootsToken), 'x-api-key': revoked.key }, { is: 'nobody', wrong: 'bad-request' }),
    { ...static_('a token in the address', {}, { is: 'nobody', wrong: 'bad-request' }), query: `access_token=${rootsToken}` },
  ]
  const scene: Scene = {
    people,
    clock,
    callers,
    bob: await bystander(),
    caller: (name) => callers.find((one) => one.name === name) ?? assert.fail(`nobody is called ${name}`),
    ask,
    newPerson,
    rows,
  }
  await people.letters()
  return scene

  function as(token: string): Fields {
    return { authorization: `Bearer ${token}` }
  }

  async function person(name: string, account: Account, holds: readonly string[], at?: number): Promise<Caller> {
    let token = await signedIn(account, at)
    return {
      name,
      is: 'sign-in',
      holds,
      account,
      fields: () => as(token),
      async renew() {
        token = await signedIn(account, at)
      },
    }
  }

  async function browser(name: string, account: Account, page: 'own' | 'foreign'): Promise<Caller> {
    const come = async (): Promise<string> =>
      (await house.people.browsers.open(db, account.id, device, proofAt(clock.now()))).cookie
    let cookie = await come()
    const origin = page === 'own' ? publicUrl : 'https://evil.example'
    return {
      name,
      is: 'sign-in',
      holds: ['widgets:read'],
      account,
      page,
      fields: () => ({ cookie: `__Host-gatehouse=${cookie}`, origin }),
      async renew() {
        cookie = await come()
      },
    }
  }

  async function acting(name: string): Promise<Caller> {
    let token = ''
    const caller: Caller = {
      name,
      is: 'sign-in',
      holds: ['widgets:read'],
      account: ada,
      acting: true,
      fields: () => as(token),
      async renew() {
        const by = as(await signedIn(root))
        const path = `/api/admin/users/${ada.id}/impersonate`
        const answer = await people.api('POST', path, { reason: 'to see what she sees' }, by)
        assert.equal(answer.status, 200, JSON.stringify(answer.body))
        token = String(answer.body['access_token'])
      },
    }
    await caller.renew?.()
    return caller
  }

  async function keyBy(token: string, path: string, body: object): Promise<MadeKey> {
    const answer = await people.api('POST', path, { name: 'a test', ...body }, as(token))
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return { id: String(answer.body['id']), key: String(answer.body['key']) }
  }

  function serviceToken(service: keyof typeof secrets, target: string): Promise<string> {
    const now = Math.floor(clock.now() / 1000)
    return new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'HS256', typ: 'service+jwt' })
      .setIssuer(service)
      .setSubject(service)
      .setAudience(target)
      .setIssuedAt(now)
      .setExpirationTime(now + 240)
      .sign(Buffer.from(secrets[service]))
  }

  /** Says all that one of ours says, and is signed by somebody else. */
  function foreignToken(): Promise<string> {
    const claims = JSON.parse(Buffer.from(adasToken.split('.')[1] ?? '', 'base64url').toString()) as object
    const header = JSON.parse(Buffer.from(adasToken.split('.')[0] ?? '', 'base64url').toString()) as { alg: string }
    return new SignJWT({ ...claims }).setProtectedHeader(header).sign(foreign)
  }

  function certificate(pem: string): Fields {
    return { 'client-cert': `:${derOf(pem).toString('base64')}:` }
  }

  /** A good one, of a request for the account. */
  function signature(): Fields {
    const at = String(Math.floor(clock.now() / 1000))
    const value = createHmac('sha256', secrets.billing).update(`GET\n/api/auth/me\n\n${at}`).digest('base64')
    return { 'x-signature': value, 'x-timestamp': at }
  }

  async function bystander(): Promise<Bystander> {
    const account = bobsAccount
    const { browsers, totp, recoveryCodes, identities, grants, tickets } = house.people
    const proof = proofAt(clock.now())
    const opened = await sessions.open(db, account.id, device, proof)
    const client = { id: 'app', scopes: ['widgets:read'], resources: [publicUrl], ...unbound, ttlMs: 86_400_000 }
    const clients = await sessions.openForClient(db, account.id, device, proof, { ...client, parentId: undefined })
    const atBrowser = await browsers.open(db, account.id, device, proof)
    await totp.begin(db, account.id, account.email)
    await recoveryCodes.renew(db, account.id)
    await identities.link(db, {
      issuer: 'https://accounts.example',
      subject: 'bob',
      provider: 'google',
      userId: account.id,
      email: account.email,
    })
    const passkey = {
      id: 'Ym9iJ3Mgb3duIHBhc3NrZXksIG9uIGhpcyBwaG9uZS4',
      user_id: account.id,
      public_key: 'AAAA',
      sign_count: 1,
      transports: '[]',
    }
    await db
      .insertInto('passkeys')
      .values({ ...passkey, name: 'his phone', backed_up: 0, created_at: clock.now(), last_used_at: null })
      .execute()
    await store.transaction((trx) =>
      grants.allow(trx, {
        userId: account.id,
        clientId: 'app',
        clientName: 'App',
        allowed: { [publicUrl]: ['widgets:read'] },
      }),
    )
    await tickets.issue(db, {
      purpose: 'password-reset',
      subject: account.id,
      holds: { userId: account.id },
      ttlMs: 1_800_000,
    })
    const [grant] = await grants.of(db, account.id)
    const own = await keyBy(await signedIn(account), '/api/keys', { permissions: ['widgets:read'] })
    const services = await keyFor('service', 'billing')
    const organisations = await keyFor('organisation', 'acme')
    return {
      account,
      sessions: [opened.session.id, clients.session.id, atBrowser.session.id],
      keys: [own.id, services.id, organisations.id],
      passkey: passkey.id,
      grant: grant?.handle ?? assert.fail('no grant'),
      provider: 'google',
    }
  }

  function ask(caller: Caller, method: string, path: string, { json, form, fields }: Sent = {}): Promise<Answer> {
    const type = json === undefined ? 'application/x-www-form-urlencoded' : 'application/json'
    const text = json === undefined ? form && String(new URLSearchParams(form)) : JSON.stringify(json)
    const target = caller.query === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}${caller.query}`
    const length = String(Buffer.byteLength(text ?? '')) // Node leaves it out where a method has no body by custom
    const described = text === undefined ? {} : { 'content-type': type, 'content-length': length }
    const headers = { ...caller.fields(), ...fields, ...described }
    return new Promise((resolve, reject) => {
      const agent = caller.by === 'proxy' ? agents.proxy : agents.everywhere
      const localAddress = caller.by === 'proxy' ? '127.0.0.2' : '127.0.0.1'
      const sent = httpRequest({ port, host: '127.0.0.1', path: target, method, headers, agent, localAddress })
      sent.on('error', reject)
      sent.on('response', (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          const read = Buffer.concat(chunks).toString()
          const isJson = /[/+]json\b/.test(answer.headers['content-type'] ?? '')
          const body = isJson && read.startsWith('{') ? (JSON.parse(read) as Answer['body']) : {}
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: read, body })
        })
      })
      sent.end(text)
    })
  }

  /** All but the record of what happened, which grows with every request, and letters that leave by themselves. */
  async function rows(): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = new Map<string, readonly string[]>()
    for (const table of tables) {
      const all = (await db.selectFrom(table).selectAll().execute()).map((row) => JSON.stringify(row))
      found.set(table, all.filter((row) => !turns.test(row)).toSorted())
    }
    return found
  }
}

interface MadeKey {
  readonly id: string
  readonly key: string
}

const tables = [
  'house',
  'users',
  'user_roles',
  'sessions',
  'tickets',
  'attempts',
  'totp',
  'recovery_codes',
  'passkeys',
  'identities',
  'signing_keys',
  'revocations',
  'replays',
  'oauth_clients',
  'oauth_client_secrets',
  'oauth_grants',
  'oauth_records',
  'services',
  'service_secrets',
  'roles',
  'policies',
  'api_keys',
  'mail_outbox',
] as const

/** Rows by which those who change something take turns: they say nothing of what there is. */
const turns = /^\{"name":"(?:services-version|roles-version|policies-version|registered-clients)"/

/** Somebody who is the same every time. */
function static_(name: string, fields: Fields, more: Partial<Caller> & Pick<Caller, 'is'>): Caller {
  return { name, holds: [], ...more, fields: () => fields }
}

function keyed(name: string, { key }: MadeKey, holds: readonly string[], more: Partial<Caller> = {}): Caller {
  return static_(name, { 'x-api-key': key }, { is: 'machine', holds, ...more })
}
