// Clients that connect with certificates (RFC 8705), through a real handshake.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import * as client from 'openid-client'
import { Agent, fetch as undiciFetch } from 'undici'
import { peerCertificate } from '../../src/http/peer-certificate.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { rootKey } from '../../src/keys/root.ts'
import { knownClient } from '../../src/oauth/client-metadata.ts'
import type { TokenRequest } from '../../src/oauth/counter.ts'
import { openEngine } from '../../src/oauth/engine.ts'
import { oauthOptions } from '../../src/oauth/options.ts'
import { Records } from '../../src/oauth/records.ts'
import { openResources } from '../../src/oauth/resources.ts'
import { openStore } from '../../src/store/database.ts'
import { prover } from '../authn/dpop-prover.ts'
import { derOf, type Identity, makeAuthority, makeSelfSigned } from '../support/certificates.ts'
import { testClock } from '../support/clock.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { backendSecret, type OauthHouse, redirectUri, startOauth } from '../support/oauth.ts'
import {
  authorizeUrl,
  basic,
  callApi,
  codeOf,
  codeVerifier,
  type Parameters,
  payloadOf,
  post,
  requested,
  type Said,
  said,
  scopes,
} from '../support/oauth-clients.ts'
import type { Walker } from '../support/walker.ts'
import { described } from './client-cases.ts'
import { accessTokenType, exchangeGrant } from './delegation-scene.ts'

const authority = await makeAuthority()
const billing = await authority.issue({ subject: 'O=Example,CN=billing', dns: ['billing.internal'] })
const renewed = await authority.issue({ subject: 'O=Example,CN=billing', dns: ['billing.internal'] })
const reports = await authority.issue({ subject: 'CN=reports', dns: ['reports.internal'] })
const own = await makeSelfSigned({ subject: 'own' })
const lookalike = await makeSelfSigned({ subject: 'own' })
const impostor = await makeSelfSigned({ subject: 'O=Example,CN=billing', dns: ['billing.internal'] })

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

function jwkOf(identity: Identity): Record<string, unknown> {
  const der = derOf(identity.cert)
  return { ...new X509Certificate(der).publicKey.export({ format: 'jwk' }), x5c: [der.toString('base64')] }
}

function thumbprintOf({ cert }: Identity): string {
  return new X509Certificate(cert).fingerprint256
    .split(':')
    .reduce((bytes, hex) => Buffer.concat([bytes, Buffer.from(hex, 'hex')]), Buffer.alloc(0))
    .toString('base64url')
}

const people = { redirectUris: [redirectUri], scopes: ['widgets:read', 'widgets:write'] }
const itself = { grants: ['client_credentials' as const], scopes: ['widgets:read'] }
const clients = [
  { id: 'by-name', name: 'Billing', certificate: { dns: 'billing.internal' }, boundTokens: 'certificate', ...itself },
  { id: 'by-subject', name: 'Billing', certificate: { subject: 'cn=billing, O=Example' }, ...itself },
  { id: 'by-itself', name: 'Own', authMethod: 'self_signed_tls_client_auth', jwks: { keys: [jwkOf(own)] }, ...itself },
  { id: 'by-secret', name: 'Back End', secrets: [{ env: 'BACKEND_SECRET' }], ...itself },
  { id: 'bound', name: 'Public', boundTokens: 'certificate', ...people },
  { id: 'free', name: 'Public', ...people },
  { id: 'portal', name: 'Portal', boundTokens: 'certificate', secrets: [{ env: 'BACKEND_SECRET' }], ...people },
  {
    id: 'courier',
    name: 'Courier',
    boundTokens: 'certificate',
    grants: ['authorization_code', 'token_exchange'],
    secrets: [{ env: 'BACKEND_SECRET' }],
    ...people,
  },
  {
    id: 'television',
    name: 'Television',
    boundTokens: 'certificate',
    grants: ['device_code', 'refresh_token'],
    scopes: ['widgets:read'],
  },
] as const

describe('certificates of clients', () => {
  const trusted = getCACertificates('default')
  const cleanups: (() => Promise<void> | void)[] = []
  let house: OauthHouse
  let walker: Walker

  before(async () => {
    setDefaultCACertificates([...trusted, authority.cert])
    const context = { after: (fn: () => Promise<void> | void) => cleanups.push(fn) } as never
    const folder = throwAwayFolder(context)
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 })
      return join(folder, name)
    }
    const server = await authority.issue({ dns: ['localhost'], addresses: ['127.0.0.1'] })
    const tls = {
      cert: write('server.pem', server.cert),
      key: write('server.key', server.key),
      clientCa: write('ca.pem', authority.cert),
    }
    const oauth = { scopes, clients: clients.map((one) => ({ ...one })), registration: { access: 'open' as const } }
    house = await startOauth(context, { listen: { tls }, oauth: oauth as never })
    walker = await house.person()
  })
  after(async () => {
    setDefaultCACertificates(trusted)
    for (const cleanup of cleanups.reverse()) await cleanup()
  })

  /** Everything that one machine sends, over its own connections. */
  function machine(identity: Identity | undefined) {
    const dispatcher = new Agent({ connect: { ca: authority.cert, ...identity } })
    cleanups.push(() => dispatcher.destroy())
    const send = (url: string | URL, init: object = {}): Promise<Response> =>
      undiciFetch(url, { ...init, dispatcher }) as unknown as Promise<Response>
    return {
      send,
      async post(path: string, parameters: Parameters, headers: Readonly<Record<string, string>> = {}): Promise<Said> {
        const sent = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
        const type = { 'content-type': 'application/x-www-form-urlencoded' }
        const body = new URLSearchParams(sent).toString()
        return said(await send(house.issuer + path, { method: 'POST', headers: { ...type, ...headers }, body }))
      },
      own: (id: string, more: Parameters = {}, headers = {}): Promise<Said> =>
        machineOf(identity).post('/oauth/token', { grant_type: 'client_credentials', client_id: id, ...more }, headers),
      async call(token: string, { scheme = 'Bearer', path = '/widgets', headers = {} } = {}): Promise<number> {
        const answer = await send(house.issuer + path, { headers: { authorization: `${scheme} ${token}`, ...headers } })
        await answer.body?.cancel()
        return answer.status
      },
    }
  }

  const machines = new Map<Identity | undefined, ReturnType<typeof machine>>()
  function machineOf(identity: Identity | undefined): ReturnType<typeof machine> {
    const known = machines.get(identity) ?? machine(identity)
    machines.set(identity, known)
    return known
  }

  /** Tokens that a person has allowed a client, fetched by a machine. */
  async function granted(
    identity: Identity | undefined,
    id: string,
    scope = 'widgets:read offline_access',
    headers = {},
  ): Promise<Said> {
    const code = await codeOf(house, walker, authorizeUrl(house, { client_id: id, scope, prompt: 'consent' }))
    return machineOf(identity).post('/oauth/token', { ...codeSent, client_id: id, code }, headers)
  }
  const codeSent = { grant_type: 'authorization_code', redirect_uri: redirectUri, code_verifier: codeVerifier }
  const access = ({ body, text }: Said): string => String(body['access_token'] ?? assert.fail(text))
  const refreshToken = ({ body, text }: Said): string => String(body['refresh_token'] ?? assert.fail(text))
  const refused = ({ status, body, text }: Said, error: string, expected = 400, what = ''): void =>
    assert.deepEqual({ status, error: body['error'] }, { status: expected, error }, `${what} ${text}`)

  test('A25 A27: openid-client shows its certificate, and its token is good on connections of that certificate alone', async () => {
    const config = await client.discovery(new URL(house.issuer), 'by-name', undefined, client.TlsClientAuth(), {
      [client.customFetch]: ((url: string, init: object) => machineOf(billing).send(url, init)) as client.CustomFetch,
    })
    const metadata = config.serverMetadata()
    assert.equal(metadata['tls_client_certificate_bound_access_tokens'], true)
    for (const method of ['tls_client_auth', 'self_signed_tls_client_auth'])
      assert.ok(metadata.token_endpoint_auth_methods_supported?.includes(method), method)
    assert.equal(metadata.mtls_endpoint_aliases, undefined, 'one port, and it asks everybody')
    const tokens = await client.clientCredentialsGrant(config, { scope: 'widgets:read' })
    assert.equal(tokens.token_type, 'bearer')
    const { access_token: token } = tokens
    assert.deepEqual(payloadOf(token)['cnf'], { 'x5t#S256': thumbprintOf(billing) })
    assert.equal(await machineOf(billing).call(token), 200)
    assert.equal(await machineOf(undefined).call(token), 401, 'no certificate')
    assert.equal(await machineOf(reports).call(token), 401, 'another’s')
    assert.equal(await machineOf(renewed).call(token), 401, 'another of the same name')
    assert.equal(await machineOf(impostor).call(token), 401, 'one that nobody vouches for')
    assert.equal(await machineOf(billing).call(token, { scheme: 'DPoP' }), 401, 'as what it is not')
    assert.equal(await machineOf(billing).call(token), 200, 'and the token has lost nothing')
    const { active, cnf } = await client.tokenIntrospection(config, token)
    assert.deepEqual({ active, cnf }, { active: true, cnf: { 'x5t#S256': thumbprintOf(billing) } })
    await client.tokenRevocation(config, token)
    assert.equal(await machineOf(billing).call(token), 401)
  })

  test('A25: what a client says of a certificate in a field is nothing', async () => {
    const der = derOf(billing.cert).toString('base64')
    const claims = {
      'client-cert': `:${der}:`,
      'x-ssl-client-cert': encodeURIComponent(billing.cert),
      'x-forwarded-client-cert': `Hash=${thumbprintOf(billing)}`,
      'ssl-client-verify': 'SUCCESS',
      'ssl-client-s-dn': 'CN=billing,O=Example',
    }
    refused(await machineOf(undefined).own('by-name', {}, claims), 'invalid_client', 401)
    refused(await machineOf(reports).own('by-name', {}, claims), 'invalid_client', 401)
    const token = access(await machineOf(billing).own('by-name'))
    assert.equal(await machineOf(undefined).call(token, { headers: claims }), 401)
    assert.equal(await machineOf(reports).call(token, { headers: claims }), 401)
  })

  test('A27: at every endpoint a client of a name in its certificate is whoever has that name from our authority', async () => {
    const right = machineOf(billing)
    assert.equal((await machineOf(renewed).own('by-name')).status, 200, 'a certificate may be renewed')
    assert.equal((await machineOf(renewed).own('by-subject')).status, 200)
    const token = access(await right.own('by-name'))
    const asked: readonly (readonly [path: string, parameters: Parameters])[] = [
      ['/oauth/token', { grant_type: 'client_credentials', client_id: 'by-name' }],
      ['/oauth/token', { grant_type: 'client_credentials', client_id: 'by-subject' }],
      ['/oauth/introspect', { client_id: 'by-name', token }],
      ['/oauth/revoke', { client_id: 'by-name', token: 'gh_rt_x' }],
      ['/oauth/par', { ...Object.fromEntries(requested()), client_id: 'by-name' }],
      ['/oauth/device', { client_id: 'by-name' }],
    ]
    for (const [path, parameters] of asked) {
      for (const [who, identity] of [
        ['nobody', undefined],
        ['another', reports],
        ['one that vouches for itself', impostor],
      ] as const)
        refused(await machineOf(identity).post(path, parameters), 'invalid_client', 401, `${path} by ${who}`)
      assert.notEqual((await right.post(path, parameters)).body['error'], 'invalid_client', path)
    }
    refused(await right.own('by-name', { client_secret: backendSecret }), 'invalid_client', 401)
    refused(
      await right.post('/oauth/token', { grant_type: 'client_credentials' }, basic('by-name', backendSecret)),
      'invalid_client',
      401,
    )
    refused(await right.own('by-secret'), 'invalid_client', 401)
    refused(await right.post('/oauth/token', { grant_type: 'client_credentials' }), 'invalid_client', 401)
    assert.equal(await right.call(token), 200)
  })

  test('A27: a client of a certificate of its own is whoever holds that very one, whoever vouches for others', async () => {
    const answer = await machineOf(own).own('by-itself')
    assert.equal(answer.status, 200, answer.text)
    assert.equal(payloadOf(access(answer))['cnf'], undefined, 'it did not ask for more')
    for (const identity of [undefined, lookalike, billing])
      refused(await machineOf(identity).own('by-itself'), 'invalid_client', 401)
    assert.equal(await machineOf(undefined).call(access(answer)), 200, 'a bearer')
  })

  test('A25: a public client’s tokens are bound to its certificate, its refresh tokens among them (RFC 8705 §4)', async () => {
    const answer = await granted(own, 'bound', 'openid widgets:read offline_access')
    assert.equal(answer.body['token_type'], 'Bearer', answer.text)
    assert.deepEqual(payloadOf(access(answer))['cnf'], { 'x5t#S256': thumbprintOf(own) })
    assert.equal(await machineOf(own).call(access(answer)), 200)
    assert.equal(await machineOf(undefined).call(access(answer)), 401)
    assert.equal(await machineOf(own).call(access(answer), { path: '/oauth/userinfo' }), 200)
    assert.equal(await machineOf(lookalike).call(access(answer), { path: '/oauth/userinfo' }), 401)
    const refresh = (identity: Identity | undefined, token: string): Promise<Said> =>
      machineOf(identity).post('/oauth/token', {
        grant_type: 'refresh_token',
        client_id: 'bound',
        refresh_token: token,
      })
    refused(await refresh(undefined, refreshToken(answer)), 'invalid_request')
    refused(await refresh(lookalike, refreshToken(answer)), 'invalid_grant')
    refused(await refresh(billing, refreshToken(answer)), 'invalid_grant')
    const second = await refresh(own, refreshToken(answer))
    assert.deepEqual(payloadOf(access(second))['cnf'], { 'x5t#S256': thumbprintOf(own) })
    refused(await refresh(lookalike, refreshToken(answer)), 'invalid_grant')
    assert.equal((await refresh(own, refreshToken(second))).status, 200, 'what a thief tried has ended nothing')
  })

  test('A25: without its certificate a client of bound tokens is given none, and its code is not spent', async () => {
    const code = await codeOf(house, walker, authorizeUrl(house, { client_id: 'bound', prompt: 'consent' }))
    const sent = { ...codeSent, client_id: 'bound', code }
    refused(await machineOf(undefined).post('/oauth/token', sent), 'invalid_request')
    assert.equal((await machineOf(own).post('/oauth/token', sent)).status, 200)
  })

  test('A25: a confidential client’s refresh tokens are bound to the client, and each access token to the connection', async () => {
    const secret = basic('portal', backendSecret)
    const answer = await granted(billing, 'portal', 'widgets:read offline_access', secret)
    assert.deepEqual(payloadOf(access(answer))['cnf'], { 'x5t#S256': thumbprintOf(billing) })
    const sent = { grant_type: 'refresh_token', refresh_token: refreshToken(answer) }
    refused(await machineOf(undefined).post('/oauth/token', sent, secret), 'invalid_request')
    const next = await machineOf(renewed).post('/oauth/token', sent, secret)
    assert.deepEqual(payloadOf(access(next))['cnf'], { 'x5t#S256': thumbprintOf(renewed) })
    assert.equal(await machineOf(billing).call(access(next)), 401)
    assert.equal(await machineOf(renewed).call(access(next)), 200)
  })

  test('A25: tokens of a device are bound alike', async () => {
    const device = machineOf(own)
    const { body: begun } = await device.post('/oauth/device', { client_id: 'television', scope: 'widgets:read' })
    const page = await walker.go('/auth/device')
    const asked = await walker.send(page, { user_code: String(begun['user_code']) }, '/auth/device')
    await walker.send(asked, { decision: 'allow' }, '/auth/device')
    const sent = { grant_type: deviceGrant, client_id: 'television', device_code: String(begun['device_code']) }
    refused(await machineOf(undefined).post('/oauth/token', sent), 'invalid_request')
    const answer = await device.post('/oauth/token', sent)
    assert.deepEqual(payloadOf(access(answer))['cnf'], { 'x5t#S256': thumbprintOf(own) })
    const again = { grant_type: 'refresh_token', client_id: 'television', refresh_token: refreshToken(answer) }
    refused(await machineOf(lookalike).post('/oauth/token', again), 'invalid_grant')
    assert.equal((await device.post('/oauth/token', again)).status, 200)
  })

  test('A25: a token is bound to one thing: a proof beside a certificate is refused, a certificate by chance binds nothing', async () => {
    const key = prover('ES256')
    const proof = () => ({
      dpop: key.prove({ method: 'POST', url: `${house.issuer}/oauth/token`, at: Date.now() }),
    })
    const both = await granted(own, 'bound', 'widgets:read', proof())
    refused(both, 'invalid_request')
    assert.match(String(both.body['error_description']), /DPoP/)
    const byKey = await granted(own, 'free', 'widgets:read', proof())
    assert.equal(byKey.body['token_type'], 'DPoP', byKey.text)
    assert.deepEqual(Object.keys(payloadOf(access(byKey))['cnf'] as object), ['jkt'])
    const free = await granted(own, 'free')
    assert.equal(payloadOf(access(free))['cnf'], undefined)
    assert.equal(await machineOf(undefined).call(access(free)), 200)
    const sent = { grant_type: 'refresh_token', client_id: 'free', refresh_token: refreshToken(free) }
    assert.equal((await machineOf(undefined).post('/oauth/token', sent)).status, 200)
  })

  test('A30: a stranger registers a certificate of its own, and no name in somebody’s', async () => {
    const register = (metadata: object): Promise<Said> =>
      fetch(`${house.issuer}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ redirect_uris: [redirectUri], client_name: 'Stranger', ...metadata }),
      }).then(said)
    const named = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'billing.internal' }
    const squatting = await register(named)
    refused(squatting, 'invalid_client_metadata')
    assert.match(String(squatting.body['error_description']), /invited/)
    const keys = { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [jwkOf(own)] } }
    const taken = await register({ ...keys, tls_client_certificate_bound_access_tokens: true })
    assert.equal(taken.status, 201, taken.text)
    assert.equal(taken.body['tls_client_certificate_bound_access_tokens'], true)
    const id = String(taken.body['client_id'])
    const answer = await granted(own, id, 'widgets:read')
    assert.deepEqual(payloadOf(access(answer))['cnf'], { 'x5t#S256': thumbprintOf(own) })
    refused(await granted(lookalike, id, 'widgets:read'), 'invalid_client', 401)
  })

  test('A25 A57: a bound token is exchanged on connections of its certificate alone, and what comes of it is bound', async () => {
    const secret = basic('courier', backendSecret)
    const asked = {
      grant_type: exchangeGrant,
      subject_token: access(await granted(own, 'courier', 'widgets:read', secret)),
      subject_token_type: accessTokenType,
    }
    const given = access(await machineOf(own).post('/oauth/token', asked, secret))
    const { cnf, act } = payloadOf(given)
    assert.deepEqual([cnf, act], [{ 'x5t#S256': thumbprintOf(own) }, { sub: 'courier' }])
    assert.deepEqual([await machineOf(own).call(given), await machineOf(billing).call(given)], [200, 401])
    for (const other of [billing, lookalike, undefined])
      refused(await machineOf(other).post('/oauth/token', asked, secret), 'invalid_request')
  })
})

test('A27: certificates of a client’s own are read where it says, and a new one there takes the place of the old', async (context) => {
  const store = await openStore('sqlite::memory:')
  context.after(() => store.close())
  const clock = testClock(Date.now())
  const root = rootKey('a root secret for tests, long enough')
  const options = oauthOptions.parse({ scopes })
  const metadata = described({
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks_uri: 'https://app.example.com/jwks',
    tls_client_certificate_bound_access_tokens: true,
  })
  const known = knownClient('app', metadata, true)
  const seen: TokenRequest[] = []
  let served: unknown = { keys: [jwkOf(own)] }
  let fetched = 0
  const engine = await openEngine<undefined>({
    issuer: 'https://gate.example.com',
    options,
    resources: openResources(options, 'https://gate.example.com', 'gatehouse', 'Gatehouse'),
    idTokenAlgorithm: 'EdDSA',
    db: store.db,
    records: new Records({ clock, random: systemRandom, root }),
    clients: { find: async (id) => (id === 'app' ? known : undefined), verifySecret: async () => false },
    counter: {
      person: () => undefined,
      introspect: async () => undefined,
      revoke: async () => {},
      allowed: async () => undefined,
      strange: async () => {},
      async token(_caller, _grant, request) {
        seen.push(request)
        return { access_token: 'a', token_type: 'Bearer', expires_in: 900 }
      },
    },
    isFresh: async () => true,
    async fetch() {
      fetched++
      return Response.json(served, { headers: { 'content-type': 'application/jwk-set+json' } })
    },
    clock,
    log: silent,
    pages: { interaction: (uid) => `/${uid}`, device: '/device' },
  })
  const ask = async (identity: Identity | undefined): Promise<number> => {
    const certificate = identity && peerCertificate(new X509Certificate(identity.cert), false)
    const parameters = new URLSearchParams({ client_id: 'app', grant_type: 'client_credentials' })
    const request = { method: 'POST', path: '/oauth/token', parameters, headers: {}, address: '192.0.2.1' } as const
    return (await engine.ask(undefined, { ...request, certificate })).status
  }
  assert.equal(await ask(own), 200)
  assert.equal(seen[0]?.client.bindsCertificates, true)
  assert.equal(seen[0]?.certificate?.thumbprint, thumbprintOf(own))
  for (const identity of [undefined, lookalike, billing]) assert.equal(await ask(identity), 401)
  assert.equal(fetched, 1, 'strangers make nobody fetch')
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
  served = { keys: [{ ...jwkOf(lookalike), kid: 'new' }] }
  assert.equal(await ask(lookalike), 200)
  assert.equal(await ask(own), 401, 'the old one is gone')
  context.mock.timers.tick(61_000)
  served = { keys: [{ ...jwkOf(own), x5c: undefined }, 'nonsense'] }
  assert.equal(await ask(own), 400, 'a document that cannot be read is nobody’s proof')
  assert.equal(seen.length, 2)
})

test('A25: where a house sees certificates no more, what was made with them stays closed, and nothing of it is offered', async (context) => {
  const house = await startOauth(context)
  const { registry } = house.house.authorization ?? assert.fail('no authorization server')
  const { db } = house.house.store
  const named = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'billing.internal' }
  for (const [id, more] of [
    ['by-name', named],
    ['by-itself', { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [jwkOf(own)] } }],
    ['bound', { tls_client_certificate_bound_access_tokens: true, ...secretOf }],
  ] as const)
    await registry.clients.insert(db, {
      id,
      origin: 'operator',
      metadata: described({ grant_types: ['client_credentials'], redirect_uris: [], ...more }),
    })
  const { secret = '' } = (await registry.clients.secrets.add(db, 'bound', undefined)) ?? {}
  const token = (parameters: Parameters, headers = {}): Promise<Said> =>
    post(house, '/oauth/token', { grant_type: 'client_credentials', ...parameters }, headers)
  for (const id of ['by-name', 'by-itself']) {
    const { status, body } = await token({ client_id: id })
    assert.deepEqual([status, body['error']], [401, 'invalid_client'], id)
  }
  const { status, body } = await token({}, basic('bound', secret))
  assert.deepEqual([status, body['error']], [400, 'invalid_request'])
  for (const document of ['oauth-authorization-server', 'openid-configuration']) {
    const written = await (await fetch(`${house.issuer}/.well-known/${document}`)).text()
    assert.doesNotMatch(written, /tls_client/)
  }
})

test('A25 A27: behind a proxy that ends TLS, the field of the proxy counts, and everybody else’s is made up', async (context) => {
  const folder = throwAwayFolder(context)
  writeFileSync(join(folder, 'ca.pem'), authority.cert)
  const listen = { trustedProxies: ['127.0.0.1'], clientCertHeader: { clientCa: join(folder, 'ca.pem') } }
  const oauth = { scopes, clients: clients.map((one) => ({ ...one })) } as never
  const behind = await startOauth(context, { oauth, listen: { ...listen, host: '127.0.0.1' } })
  const apart = await startOauth(context, {
    oauth,
    listen: { ...listen, trustedProxies: ['192.0.2.1'], host: '127.0.0.1' },
  })
  const field = ({ cert }: Identity) => ({ 'client-cert': `:${derOf(cert).toString('base64')}:` })
  const ask = (house: OauthHouse, id: string, headers: object): Promise<Said> =>
    post(house, '/oauth/token', { grant_type: 'client_credentials', client_id: id }, { ...headers })
  const answer = await ask(behind, 'by-name', field(billing))
  assert.equal(answer.status, 200, answer.text)
  const token = String(answer.body['access_token'])
  assert.deepEqual(payloadOf(token)['cnf'], { 'x5t#S256': thumbprintOf(billing) })
  assert.equal(await callApi(behind, token, { headers: field(billing) }), 200)
  assert.equal(await callApi(behind, token, { headers: field(reports) }), 401)
  assert.equal(await callApi(behind, token), 401)
  assert.equal((await ask(behind, 'by-name', field(impostor))).status, 401, 'the proxy is believed, an impostor is not')
  assert.equal((await ask(behind, 'by-itself', field(own))).status, 200)
  assert.equal((await ask(apart, 'by-name', field(billing))).status, 401)
  assert.equal((await ask(apart, 'by-itself', field(own))).status, 401)
})

const secretOf = { token_endpoint_auth_method: 'client_secret_basic' }
