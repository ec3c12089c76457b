import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { certificatesAt } from '../../src/endpoints/client-certificates.ts'
import { listenOptions } from '../../src/endpoints/options.ts'
import type { Certificates } from '../../src/oauth/certificate-subject.ts'
import { clientIdProblem } from '../../src/oauth/client-id.ts'
import { checkMetadata, cleanName } from '../../src/oauth/client-metadata.ts'
import { certificateMistakes, clientOptions } from '../../src/oauth/client-options.ts'
import { clientBody } from '../../src/wire/clients.ts'
import { derOf, makeSelfSigned } from '../support/certificates.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { clientCases } from './client-cases.ts'

suite('clients, on SQLite in memory', () => clientCases(async () => 'sqlite::memory:'))
suite('clients, on SQLite in a file', () =>
  clientCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))

const portal = { client_name: 'Portal', redirect_uris: ['https://app.example.com/callback'] }
const scopes = { has: (scope: string) => scope === 'widgets:read', certificates: 'none' } as const

/** What is wrong with a description, field by field. */
function problems(
  said: Readonly<Record<string, unknown>>,
  certificates: Certificates = 'none',
): Readonly<Record<string, string>> {
  const parsed = clientBody.safeParse({ ...portal, ...said })
  if (!parsed.success)
    return Object.fromEntries(parsed.error.issues.map((issue) => [issue.path.join('.'), issue.message]))
  const checked = checkMetadata(parsed.data, { ...scopes, certificates })
  return 'errors' in checked
    ? Object.fromEntries(Object.entries(checked.errors).map(([field, messages]) => [field, messages.join('; ')]))
    : {}
}

function publicJwk(kind: 'ec' | 'ed25519' | 'rsa', details: object = {}): Record<string, unknown> {
  const options = { ...(kind === 'ec' ? { namedCurve: 'P-256' } : { modulusLength: 2048 }), ...details }
  const made = generateKeyPairSync as (kind: string, options: object) => { readonly publicKey: KeyObject }
  return { ...made(kind, options).publicKey.export({ format: 'jwk' }) }
}

test('A16: what is not to be had is refused by name, and says why', () => {
  for (const [said, field, message] of [
    [{ grant_types: ['implicit'] }, 'grant_types.0', /RFC 9700 §2.1.2/],
    [{ grant_types: ['password'] }, 'grant_types.0', /RFC 9700 §2.4/],
    [
      { grant_types: ['urn:ietf:params:oauth:grant-type:jwt-bearer'] },
      'grant_types.0',
      /expected `authorization_code`/,
    ],
    [{ grant_types: [] }, 'grant_types', /one at least/],
    [{ response_types: ['token'] }, 'response_types.0', /RFC 9700 §2.1.2/],
    [{ response_types: ['code id_token'] }, 'response_types.0', /`code`/],
    [{ response_types: [] }, 'grant_types', /RFC 7591 §2.1/],
    [{ token_endpoint_auth_method: 'client_secret_jwt' }, 'token_endpoint_auth_method', /hashed/],
    [{ token_endpoint_auth_method: 'magic' }, 'token_endpoint_auth_method', /expected `client_secret_basic`/],
    [{ subject_type: 'pairwise' }, 'subject_type', /one identifier/],
    [{ sector_identifier_uri: 'https://app.example.com/s' }, 'sector_identifier_uri', /one identifier/],
    [{ request_uris: ['https://app.example.com/r'] }, 'request_uris', /RFC 9126/],
    [{ client_secret: 'chosen' }, 'client_secret', /shown once/],
    [{ backchannel_logout_uri: 'https://app.example.com/l' }, 'backchannel_logout_uri', /tokens end/],
    [{ redirect_uris: [] }, 'redirect_uris', /one at least/],
    [{ redirect_uris: ['https://app.example.com/*'] }, 'redirect_uris.0', /pattern/],
    [{ redirect_uris: ['https://app.example.com/a', 'https://app.example.com/a'] }, 'redirect_uris.1', /already/],
    [{ redirect_uris: Array.from({ length: 21 }, (_, n) => `https://app.example.com/${n}`) }, 'redirect_uris', /20/],
    [
      { grant_types: ['client_credentials'], token_endpoint_auth_method: 'none' },
      'token_endpoint_auth_method',
      /show who they are/,
    ],
    [{ grant_types: ['client_credentials', 'refresh_token'] }, 'grant_types', /person/],
    [{ scope: 'widgets:read widgets:fly' }, 'scope', /`widgets:fly`/],
    [{ client_name: ' \u200b\u202e ' }, 'client_name', /can be read/],
    [{ client_uri: 'javascript:alert(1)' }, 'client_uri', /runs/],
    [{ token_endpoint_auth_method: 'private_key_jwt' }, 'jwks', /expected `jwks` or `jwks_uri`/],
    [{ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://127.0.0.1/jwks' }, 'jwks_uri', /public/],
    [{ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://app.example.com/jwks' }, 'jwks_uri', /https/],
    [{ jwks_uri: 'https://app.example.com/jwks' }, 'jwks_uri', /belongs/],
    [{ jwks: { keys: [publicJwk('ec')] } }, 'jwks', /belongs/],
  ] as const)
    assert.match(problems(said)[field] ?? JSON.stringify(problems(said)), message, JSON.stringify(said))
})

test('OA1: what is to be had is taken', () => {
  for (const said of [
    {},
    { scope: 'openid profile email offline_access widgets:read' },
    { grant_types: ['client_credentials'], redirect_uris: [] },
    { grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'], redirect_uris: [] },
    { token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1/callback'] },
    { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.example.com/jwks' },
    { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicJwk('rsa')] } },
  ])
    assert.deepEqual(problems(said), {}, JSON.stringify(said))
})

test('A27: keys of a client are public, of a kind that is verified, and lead nowhere else', () => {
  const keyed = (keys: readonly object[]): ReturnType<typeof checkMetadata> =>
    checkMetadata(
      clientBody.parse({ ...portal, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys } }),
      scopes,
    )
  const { privateKey } = generateKeyPairSync('ed25519')
  for (const [keys, problem] of [
    [[privateKey.export({ format: 'jwk' })], /secret/],
    [[{ kty: 'oct', k: 'c2VjcmV0' }], /secret/],
    [[{ ...publicJwk('ec'), d: 'x' }], /secret/],
    [[publicJwk('rsa', { modulusLength: 1024 })], /2048/],
    [[{ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }], /none/],
    [[{ kty: 'RSA' }], /none/],
    [[{ ...publicJwk('ec'), kid: 'x'.repeat(201) }], /kid/],
    [[publicJwk('ec', { namedCurve: 'secp256k1' })], /ES256/],
    [[{ ...publicJwk('ec'), use: 'enc' }], /ES256/],
    [[{ ...publicJwk('ec'), alg: 'none' }], /ES256/],
    [[{ ...publicJwk('rsa'), alg: 'HS256' }], /ES256/],
  ] as const) {
    const checked = keyed(keys)
    assert.match('errors' in checked ? (checked.errors['jwks']?.[0] ?? '') : 'taken', problem)
  }
  const good = publicJwk('ed25519')
  const checked = keyed([
    { ...good, kid: 'a', x5u: 'https://evil.example/', x5c: ['x'], jku: 'https://evil.example/' },
    publicJwk('ec', { namedCurve: 'P-384' }),
  ])
  assert.ok('metadata' in checked)
  assert.deepEqual(checked.metadata.jwks, { keys: [{ ...good, kid: 'a' }] })
})

test('A25: what needs certificates is refused by name where none are seen, or where nobody vouches for them', () => {
  const byName = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'billing.internal' }
  const byItself = { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks_uri: 'https://app.example.com/k' }
  const bound = { tls_client_certificate_bound_access_tokens: true }
  const at = 'token_endpoint_auth_method'
  for (const [certificates, said, field, message] of [
    ['none', byName, at, /`tls_client_auth`: no authority.+`private_key_jwt`/],
    ['shown', byName, at, /`tls_client_auth`: no authority.+`listen.tls.clientCa`/],
    ['verified', byName, undefined, undefined],
    ['none', byItself, at, /`self_signed_tls_client_auth`: this house sees no client certificates/],
    ['shown', byItself, undefined, undefined],
    ['none', bound, 'tls_client_certificate_bound_access_tokens', /sees no.+`dpop_bound_access_tokens`/],
    ['shown', bound, undefined, undefined],
  ] as const) {
    const found = problems(said, certificates)
    if (field === undefined) assert.deepEqual(found, {}, certificates)
    else assert.match(found[field] ?? JSON.stringify(found), message)
  }
})

test('A27: a client of certificates is known by one name in them, or by the certificates themselves', async () => {
  const named = (said: object) => problems({ token_endpoint_auth_method: 'tls_client_auth', ...said }, 'verified')
  const at = 'token_endpoint_auth_method'
  for (const said of [
    { tls_client_auth_subject_dn: 'CN=billing,O=Example\\, Inc.' },
    { tls_client_auth_san_dns: 'Billing.Internal' },
    { tls_client_auth_san_uri: 'spiffe://example.com/billing' },
    { tls_client_auth_san_ip: '2001:DB8::0:1' },
    { tls_client_auth_san_email: 'billing@Example.com' },
  ])
    assert.deepEqual(named(said), {}, JSON.stringify(said))
  for (const [said, field, message] of [
    [{}, at, /exactly one of/],
    [{ tls_client_auth_san_dns: 'a.internal', tls_client_auth_san_ip: '192.0.2.1' }, at, /exactly one of/],
    [{ tls_client_auth_subject_dn: 'billing' }, 'tls_client_auth_subject_dn', /RFC 4514/],
    [{ tls_client_auth_subject_dn: 'CN=billing, O="x' }, 'tls_client_auth_subject_dn', /RFC 4514/],
    [{ tls_client_auth_san_dns: '*.internal' }, 'tls_client_auth_san_dns', /pattern/],
    [{ tls_client_auth_san_dns: 'a b' }, 'tls_client_auth_san_dns', /DNS name/],
    [{ tls_client_auth_san_uri: 'billing' }, 'tls_client_auth_san_uri', /URI/],
    [{ tls_client_auth_san_ip: '192.0.2.0/24' }, 'tls_client_auth_san_ip', /address/],
    [{ tls_client_auth_san_ip: '192.0.2.01' }, 'tls_client_auth_san_ip', /address/],
    [{ tls_client_auth_san_email: 'billing' }, 'tls_client_auth_san_email', /billing@example\.com/],
    [{ tls_client_auth_san_email: '' }, 'tls_client_auth_san_email', /./],
  ] as const)
    assert.match(named(said)[field] ?? JSON.stringify(named(said)), message, JSON.stringify(said))
  for (const [said, field, message] of [
    [{ tls_client_auth_san_dns: 'a.internal' }, 'tls_client_auth_san_dns', /belongs to `tls_client_auth`/],
    [{ token_endpoint_auth_method: 'self_signed_tls_client_auth' }, 'jwks', /expected `jwks` or `jwks_uri`/],
    [
      { dpop_bound_access_tokens: true, tls_client_certificate_bound_access_tokens: true },
      'tls_client_certificate_bound_access_tokens',
      /bound to one thing/,
    ],
  ] as const)
    assert.match(problems(said, 'verified')[field] ?? '', message, JSON.stringify(said))
  const checked = checkMetadata(
    clientBody.parse({ ...portal, ...{ [at]: 'tls_client_auth' }, tls_client_auth_san_dns: 'Billing.Internal' }),
    { ...scopes, certificates: 'verified' },
  )
  assert.ok('metadata' in checked)
  assert.equal(checked.metadata.tls_client_auth_san_dns, 'billing.internal')
  assert.ok(!('tls_client_certificate_bound_access_tokens' in checked.metadata), 'what is not so is left out')
})

test('A27: certificates of a client stand beside their own keys, one each, and nothing secret with them', async () => {
  const keyed = (keys: readonly object[]): ReturnType<typeof checkMetadata> =>
    checkMetadata(
      clientBody.parse({ ...portal, token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys } }),
      { ...scopes, certificates: 'shown' },
    )
  const own = derOf((await makeSelfSigned({ subject: 'app' })).cert)
  const other = derOf((await makeSelfSigned({ subject: 'app', rsa: true })).cert)
  const jwk = (der: Buffer) => new X509Certificate(der).publicKey.export({ format: 'jwk' })
  const x5c = [own.toString('base64')]
  for (const [keys, problem] of [
    [[jwk(own)], /x5c/],
    [[{ ...jwk(own), x5c: [] }], /with its certificate in `x5c`/],
    [[{ ...jwk(other), x5c }], /the key of the certificate/],
    [[{ ...jwk(own), x5c: ['x'] }], /base64 of its DER/],
    [[{ ...jwk(own), x5c: [7] }], /base64 of its DER/],
    [[{ ...jwk(own), x5c: [own.toString('base64url')] }], /base64 of its DER/],
    [[{ ...jwk(own), x5c: [Buffer.concat([own, Buffer.from([0])]).toString('base64')] }], /base64 of its DER/],
    [[{ ...jwk(own), x5c: ['A'.repeat(8_196)] }], /base64 of its DER/],
    [[{ ...jwk(own), d: 'x', x5c }], /secret/],
    [[{ kty: 'oct', k: 'x', x5c }], /secret/],
    [[{ ...publicJwk('ec', { namedCurve: 'secp256k1' }), x5c }], /with its certificate/],
    [[{ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', x5c }], /none/],
  ] as const) {
    const checked = keyed(keys)
    assert.match('errors' in checked ? (checked.errors['jwks']?.[0] ?? '') : 'taken', problem)
  }
  const chain = [...x5c, other.toString('base64')]
  const checked = keyed([jwk(other), { ...jwk(own), kid: 'a', use: 'sig', x5u: 'https://evil.example/', x5c: chain }])
  assert.ok('metadata' in checked)
  assert.deepEqual(checked.metadata.jwks, { keys: [{ ...jwk(own), kid: 'a', x5c }] })
})

test('A34: a client’s id is no person’s, no document’s, and nobody’s who is in the record already', () => {
  for (const id of ['portal', 'Web_App-2.0~x', '0190a', 'a'.repeat(64)])
    assert.equal(clientIdProblem(id), undefined, id)
  for (const [id, problem] of [
    ['0190f3a1-7b2c-7def-8123-456789abcdef', /people/],
    ['0190F3A1-7B2C-7DEF-8123-456789ABCDEF', /people/],
    ['0190f3a17b2c7def8123456789abcdef', /people/],
    ['00000000-0000-0000-0000-000000000000', /people/],
    ['https://app.example.com/client', /letters/],
    ['gh_cl_mine', /made up here/],
    ['anonymous', /audit/],
    ['Operator', /audit/],
    ['ab', /3 to 64/],
    ['a'.repeat(65), /3 to 64/],
    ['a b', /letters/],
    ['a/b', /letters/],
    ['a%2fb', /letters/],
    ['äpp', /letters/],
    ['a\n', /letters/],
    ['', /letters/],
  ] as const)
    assert.match(clientIdProblem(id) ?? 'nothing', problem, id)
})

test('A30: a name cannot hide, stack or turn letters round', () => {
  for (const [said, shown] of [
    ['  My \t App\n', 'My App'],
    ['Bank\u202Egpj.exe', 'Bankgpj.exe'],
    ['Ba\u200bnk\u2066\u0007', 'Bank'],
    ['\ufeffBank', 'Bank'],
    ['Cafe\u0301', 'Café'],
    ['x'.repeat(300), 'x'.repeat(100)],
    [`${'x'.repeat(99)}😀`, 'x'.repeat(99)],
    [`e${'\u0332'.repeat(50)}x`, `e${'\u0332'.repeat(3)}x`],
    ['\u00a0\u3000', ''],
    ['کتاب‌ها', 'کتابها'],
  ] as const)
    assert.equal(cleanName(said), shown)
})

test('OA1: a client of the configuration is held to the same rules, and its mistakes stand where they were made', () => {
  const portal = { id: 'portal', name: 'Portal', redirectUris: ['https://app.example.com/callback'] }
  assert.equal(clientOptions.safeParse(portal).success, true)
  for (const [said, path, message] of [
    [{ ...portal, id: '0190f3a1-7b2c-7def-8123-456789abcdef' }, 'id', /people/],
    [{ ...portal, redirectUris: ['https://app.example.com/#'] }, 'redirectUris.0', /fragment/],
    [{ ...portal, redirectUris: [] }, 'redirectUris', /one at least/],
    [{ ...portal, grants: ['implicit'] }, 'grants.0', /authorization_code/],
    [{ ...portal, grants: ['client_credentials'] }, 'authMethod', /show who they are/],
    [{ ...portal, authMethod: 'client_secret_post' }, 'secrets', /expected one/],
    [{ ...portal, authMethod: 'none', secrets: [{ env: 'A' }] }, 'secrets', /expected none/],
    [{ ...portal, secrets: [{ env: 'A' }, { env: 'B' }, { env: 'C' }] }, 'secrets', /2/],
    [{ ...portal, secrets: ['inline'] }, 'secrets.0', /does not stand in a configuration/],
    [{ ...portal, jwksUri: 'https://10.0.0.1/' }, 'jwksUri', /public/],
    [{ ...portal, skipConsent: true }, '', /skipConsent/],
    [{ ...portal, certificate: {} }, 'certificate', /expected one of `subject`/],
    [{ ...portal, certificate: { dns: 'a.internal', uri: 'urn:a' } }, 'certificate', /expected one of `subject`/],
    [{ ...portal, certificate: { dns: '*.internal' } }, 'certificate.dns', /pattern/],
    [{ ...portal, certificate: { address: 'a.internal' } }, 'certificate.address', /192\.0\.2\.1/],
    [{ ...portal, authMethod: 'tls_client_auth' }, 'authMethod', /exactly one/],
    [{ ...portal, authMethod: 'none', certificate: { dns: 'a.internal' } }, 'certificate.dns', /belongs/],
    [{ ...portal, authMethod: 'self_signed_tls_client_auth' }, 'jwks', /expected/],
    [{ ...portal, boundTokens: 'dpop' }, 'boundTokens', /expected `true`, `false` or `certificate`/],
  ] as const) {
    const issues = clientOptions.safeParse(said).error?.issues ?? []
    assert.deepEqual(
      issues.map((issue) => issue.path.join('.')),
      [path],
      JSON.stringify(said),
    )
    assert.match(issues[0]?.message ?? '', message)
  }
})

test('A25: clients of the configuration that need certificates are mistakes where `listen` shows none', () => {
  const one = (more: object) =>
    clientOptions.parse({ id: 'app', name: 'App', redirectUris: ['https://app.example/'], ...more })
  const clients = [
    one({}),
    one({ certificate: { dns: 'a.internal' }, boundTokens: 'certificate' }),
    one({ authMethod: 'self_signed_tls_client_auth', jwksUri: 'https://app.example.com/jwks' }),
  ]
  const paths = (certificates: Certificates) => certificateMistakes(clients, certificates).map(({ path }) => path)
  assert.deepEqual(paths('verified'), [])
  assert.deepEqual(paths('shown'), ['oauth.clients[1].authMethod'])
  assert.deepEqual(paths('none'), [
    'oauth.clients[1].authMethod',
    'oauth.clients[1].boundTokens',
    'oauth.clients[2].authMethod',
  ])
  const listen = (more: object) => certificatesAt(listenOptions.parse(more))
  const tls = { cert: 'a.pem', key: 'a.key' }
  for (const [more, certificates] of [
    [{}, 'none'],
    [{ tls }, 'none'],
    [{ tls: { ...tls, clientCertificates: 'optional' } }, 'shown'],
    [{ tls: { ...tls, clientCa: 'ca.pem' } }, 'verified'],
    [{ clientCertHeader: true }, 'verified'],
    [{ clientCertHeader: { clientCa: 'ca.pem' } }, 'verified'],
  ] as const)
    assert.equal(listen(more), certificates, JSON.stringify(more))
})
