import assert from 'node:assert/strict'
import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { suite, type TestContext, test } from 'node:test'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import { Revocations } from '../../src/authn/session/revocations.ts'
import {
  openTokens,
  type TokenService,
  type TokenSubject,
  tokenOptions,
  type Verified,
} from '../../src/authn/token/tokens.ts'
import { base64url } from '../../src/kernel/bytes.ts'
import { catalogue, type Refusal } from '../../src/kernel/error.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { type Keyring, openKeyring } from '../../src/keys/keyring.ts'
import { rootKey } from '../../src/keys/root.ts'
import { signatures } from '../../src/keys/signatures.ts'
import type { SigningAlgorithm, SigningKey } from '../../src/keys/signing-key.ts'
import { openStore } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'

const algorithms = ['EdDSA', 'ES256', 'RS256', 'HS256'] as const
const root = rootKey('a root secret for the tests, long enough')
const whom: TokenSubject = {
  subject: 'u1',
  session: 's1',
  roles: ['user'],
  permissions: ['task:read', 'task:create'],
  email: 'ada@example.com',
  name: 'Ada',
  proof: { methods: ['password'], at: 1_000 },
}

interface Scene {
  readonly clock: TestClock
  readonly tokens: TokenService
  readonly keyring: Keyring
  readonly revocations: Revocations
  /** Seconds since the epoch. */
  readonly now: number
}

async function scene(
  context: TestContext,
  options: Readonly<Record<string, unknown>> = {},
  secret?: string,
): Promise<Scene> {
  const store = await openStore('sqlite::memory:')
  context.after(() => store.close())
  const clock = testClock()
  const parsed = tokenOptions.parse({ issuer: 'https://house.example', audience: 'api', ...options })
  const keyring = await openKeyring({
    db: store.db,
    root,
    clock,
    random: systemRandom,
    algorithm: parsed.algorithm,
    secret: secret === undefined ? undefined : new Secret(secret),
    rotation: parsed.rotation,
    tokenTtlMs: parsed.accessTtl,
  })
  const revocations = new Revocations({ clock, ttlMs: parsed.accessTtl })
  const tokens = openTokens({ options: parsed, keyring, revocations, clock, random: systemRandom })
  return { clock, tokens, keyring, revocations, now: clock.now() / 1000 }
}

function holds(outcome: Verified | Refusal): Verified {
  assert.ok(!('code' in outcome), 'code' in outcome ? `${outcome.code}: ${outcome.reason}` : '')
  return outcome
}

function codeOf(outcome: Verified | Refusal): string {
  return 'code' in outcome ? outcome.code : 'holds'
}

function encoded(part: unknown): string {
  return base64url(Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)))
}

/** A token with a good signature of ours over whatever it is made to say. A string is taken as it is. */
function forged(
  key: SigningKey,
  header: unknown,
  claims: unknown,
  algorithm: SigningAlgorithm = key.algorithm,
): string {
  const signed = `${encoded(header)}.${encoded(claims)}`
  return `${signed}.${base64url(signatures[algorithm].sign(key, signed))}`
}

function signedBytes(key: SigningKey, header: unknown, payload: Buffer): string {
  const signed = `${encoded(header)}.${base64url(payload)}`
  return `${signed}.${base64url(signatures[key.algorithm].sign(key, signed))}`
}

/** The payload's last character has spare bits: four spellings, or sixteen, are the same bytes. */
function respelled(key: SigningKey, header: unknown, claims: object): string {
  const padded = [claims, { ...claims, x: '' }, { ...claims, xx: '' }].map(encoded)
  const payload = padded.find((text) => text.length % 4 !== 0 && /[AQgw]$/.test(text)) ?? ''
  const other = payload.slice(0, -1) + { A: 'B', Q: 'R', g: 'h', w: 'x' }[payload.at(-1) as 'A' | 'Q' | 'g' | 'w']
  assert.deepEqual(Buffer.from(other, 'base64url'), Buffer.from(payload, 'base64url'))
  const signed = `${encoded(header)}.${other}`
  return `${signed}.${base64url(signatures[key.algorithm].sign(key, signed))}`
}

function createSecret(bytes: string | Buffer): KeyObject {
  return createSecretKey(Buffer.from(bytes))
}

for (const algorithm of algorithms) {
  suite(algorithm, () => {
    test('TK1: a token says who, from whom, for whom, until when, and as what, and reads back alike', async (context) => {
      const { tokens, keyring, now } = await scene(context, { algorithm })
      const { token, expiresInSeconds } = tokens.issue(whom)
      assert.equal(expiresInSeconds, 900)
      assert.deepEqual(decodeProtectedHeader(token), { alg: algorithm, typ: 'at+jwt', kid: keyring.signing().kid })
      const claims = decodeJwt(token)
      assert.deepEqual(claims, {
        iss: 'https://house.example',
        aud: 'api',
        sub: 'u1',
        iat: now,
        exp: now + 900,
        jti: claims.jti,
        sid: 's1',
        type: 'access',
        roles: ['user'],
        auth_time: 1,
        acr: 'aal1',
        amr: ['pwd'],
      })
      assert.notEqual(decodeJwt(tokens.issue(whom).token).jti, claims.jti)
      assert.deepEqual(holds(tokens.verify(token)), {
        kind: 'access-token',
        subject: 'u1',
        tokenId: claims.jti,
        session: 's1',
        roles: ['user'],
        scopes: [],
        attributes: {},
        issuedAt: now,
        expiresAt: now + 900,
        proof: { methods: ['password'], at: 1_000 },
        actor: undefined,
        client: undefined,
        audience: ['api'],
        keyThumbprint: undefined,
        certificateThumbprint: undefined,
      })
    })

    test('TK1: another implementation reads our tokens, and we read its', async (context) => {
      const { clock, tokens, keyring, now } = await scene(context, { algorithm })
      const key = keyring.signing()
      const expected = { issuer: 'https://house.example', audience: 'api', typ: 'at+jwt', algorithms: [algorithm] }
      const when = { currentDate: new Date(clock.now()) }
      const { token } = tokens.issue(whom)
      const { payload } =
        algorithm === 'HS256'
          ? await jwtVerify(token, key.publicKey, { ...expected, ...when })
          : await jwtVerify(token, createLocalJWKSet({ keys: [...keyring.jwks().keys] }), { ...expected, ...when })
      assert.equal(payload.sub, 'u1')

      const theirs = await new SignJWT({ sid: 's9', type: 'access', roles: ['user'], scope: 'a b' })
        .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid: key.kid })
        .setIssuer('https://house.example')
        .setAudience(['other', 'api'])
        .setSubject('u9')
        .setJti('j9')
        .setIssuedAt(now)
        .setExpirationTime(now + 60)
        .sign(key.privateKey)
      const { subject, session, scopes } = holds(tokens.verify(theirs))
      assert.deepEqual({ subject, session, scopes }, { subject: 'u9', session: 's9', scopes: ['a', 'b'] })
    })

    test('TK6: no changed character survives, not even in another spelling of the same bytes', async (context) => {
      const { tokens } = await scene(context, { algorithm })
      const { token } = tokens.issue(whom)
      holds(tokens.verify(token))
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      for (let at = 0; at < token.length; at++) {
        if (token[at] === '.') continue
        const neighbour = alphabet[alphabet.indexOf(token[at] ?? '') ^ 1] ?? ''
        const changed = token.slice(0, at) + neighbour + token.slice(at + 1)
        assert.equal(codeOf(tokens.verify(changed)), 'token-invalid', `character ${at}`)
      }
      const signature = token.slice(token.lastIndexOf('.') + 1)
      const head = token.slice(0, -signature.length)
      for (const length of [0, 1, 22, 43, 64, 86]) {
        if (length !== signature.length)
          assert.equal(codeOf(tokens.verify(head + 'A'.repeat(length))), 'token-invalid', `a signature of ${length}`)
      }
    })
  })
}

test('TK1: configured claims are there, and `roles` may be named although they always are', async (context) => {
  const { tokens } = await scene(context, {
    claims: ['email', 'name', 'user_id', 'permissions', 'roles', 'scope'],
    accessTtl: '1h',
  })
  const { token, expiresInSeconds } = tokens.issue(whom)
  assert.equal(expiresInSeconds, 3600)
  const { email, name, user_id, permissions, roles, scope } = decodeJwt(token)
  assert.deepEqual(
    { email, name, user_id, permissions, roles, scope },
    {
      email: 'ada@example.com',
      name: 'Ada',
      user_id: 'u1',
      permissions: ['task:read', 'task:create'],
      roles: ['user'],
      scope: 'task:read task:create',
    },
  )
  const verified = holds(tokens.verify(token))
  assert.deepEqual(verified.attributes, { email: 'ada@example.com', name: 'Ada' })
  assert.deepEqual(verified.scopes, ['task:read', 'task:create'])
})

test('TK1: the claims that each system knows, by configuration alone', async (context) => {
  const systems = {
    'crazy-gary': {
      issuer: 'crazy-gary-api',
      audience: 'crazy-gary-clients',
      accessTtl: '1h',
      claims: ['email', 'permissions'],
    },
    jaf: { issuer: 'jaf-system', accessTtl: '1h', claims: ['user_id', 'roles', 'permissions'] },
    'ai-assistant': { accessTtl: '15m', refreshTtl: '30d', claims: ['email', 'scope'] },
  }
  for (const [name, options] of Object.entries(systems)) {
    const { tokens, now } = await scene(
      context,
      { audience: 'gatehouse', ...options, algorithm: 'HS256' },
      'x'.repeat(32),
    )
    const { token } = tokens.issue(whom)
    const claims: Readonly<Record<string, unknown>> = decodeJwt(token)
    const wanted = ['sub', 'iat', 'exp', 'iss', 'aud', 'jti', 'type', ...options.claims]
    for (const claim of wanted) assert.ok(claim in claims, `${name}: ${claim}`)
    assert.equal(Number(claims['exp']) - now, options.accessTtl === '1h' ? 3_600 : 900)
    if ('issuer' in options) assert.equal(claims['iss'], options.issuer)
    if ('audience' in options) assert.equal(claims['aud'], options.audience)
    holds(tokens.verify(token))
  }
})

test('TK6, RFC 8725: the attack table', async (context) => {
  const { tokens, keyring, now } = await scene(context)
  const key = keyring.signing()
  const header = { alg: 'EdDSA', typ: 'at+jwt', kid: key.kid }
  const claims = {
    iss: 'https://house.example',
    aud: 'api',
    sub: 'u1',
    iat: now,
    exp: now + 900,
    jti: 'j1',
    sid: 's1',
    type: 'access',
    roles: ['user'],
  }
  const without = (name: string): object => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name))
  const say = (more: object): string => forged(key, header, { ...claims, ...more })
  const head = (more: object): string => forged(key, { ...header, ...more }, claims)
  const good = forged(key, header, claims)
  const [goodHeader, goodClaims, goodSignature] = good.split('.') as [string, string, string]
  const publicPem = String(key.publicKey.export({ type: 'spki', format: 'pem' }))
  const strangerPair = generateKeyPairSync('ed25519')
  const stranger: SigningKey = { ...key, privateKey: strangerPair.privateKey, publicKey: strangerPair.publicKey }
  const strangerJwk = strangerPair.publicKey.export({ format: 'jwk' })
  const bare = (alg: string): string => `${encoded({ ...header, alg })}.${goodClaims}.`
  const hmac = (secret: string | Buffer): string => {
    const confused = { ...key, privateKey: createSecret(secret) }
    return forged(confused, { ...header, alg: 'HS256' }, claims, 'HS256')
  }
  const text = (object: object, more: string): string => `${JSON.stringify(object).slice(0, -1)},${more}}`

  // biome-ignore format: a table
  const attacks: readonly (readonly [name: string, token: string, code: string])[] = [
    ['the token itself',                           good,                                              'holds'],
    ['RFC 7519 §6.1, unsecured',                   'eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.', 'token-invalid'],
    ['RFC 7519 §3.1, of another house',            'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', 'token-invalid'],

    ['`none` without a signature',                 bare('none'),                                      'token-invalid'],
    ['`None`',                                     bare('None'),                                      'token-invalid'],
    ['`nOnE`',                                     bare('nOnE'),                                      'token-invalid'],
    ['`none` with the good signature',             `${encoded({ ...header, alg: 'none' })}.${goodClaims}.${goodSignature}`, 'token-invalid'],
    ['no algorithm, rightly signed',               forged(key, { typ: 'at+jwt', kid: key.kid }, claims), 'token-invalid'],
    ['the algorithm in small letters',             head({ alg: 'eddsa' }),                            'token-invalid'],
    ['another algorithm, rightly signed',          head({ alg: 'ES256' }),                            'token-invalid'],
    ['an algorithm that is a list',                head({ alg: ['EdDSA'] }),                          'token-invalid'],
    ['HMAC with the public key as PEM',            hmac(publicPem),                                   'token-invalid'],
    ['HMAC with the public key as DER',            hmac(key.publicKey.export({ type: 'spki', format: 'der' })), 'token-invalid'],
    ['HMAC with the published x',                  hmac(Buffer.from(String(keyring.jwks().keys[0]?.x), 'base64url')), 'token-invalid'],
    ['HMAC with nothing',                          hmac('\0'),                                        'token-invalid'],

    ['no kid',                                     forged(key, { alg: 'EdDSA', typ: 'at+jwt' }, claims), 'token-invalid'],
    ['an unknown kid',                             head({ kid: 'unknown' }),                          'token-invalid'],
    ['a kid that is a path',                       head({ kid: '../../dev/null' }),                   'token-invalid'],
    ['a kid of the prototype',                     head({ kid: '__proto__' }),                        'token-invalid'],
    ['a kid of 10 kB',                             head({ kid: 'x'.repeat(10_000) }),                 'token-invalid'],
    ['a kid that is a number',                     head({ kid: 1 }),                                  'token-invalid'],
    ['our kid, and a stranger’s signature',        forged(stranger, header, claims),                  'token-invalid'],

    ['crit',                                       head({ crit: ['exp'] }),                           'token-invalid'],
    ['crit that names nothing',                    head({ crit: [] }),                                'token-invalid'],
    ['b64, unencoded payload (RFC 7797)',          head({ b64: false, crit: ['b64'] }),               'token-invalid'],
    ['zip',                                        head({ zip: 'DEF' }),                              'token-invalid'],
    ['jwk, signed with it',                        forged(stranger, { ...header, jwk: strangerJwk }, claims), 'token-invalid'],
    ['jwk, rightly signed',                        head({ jwk: strangerJwk }),                        'token-invalid'],
    ['jku',                                        head({ jku: 'https://evil.example/jwks.json' }),   'token-invalid'],
    ['x5u',                                        head({ x5u: 'https://evil.example/cert.pem' }),    'token-invalid'],
    ['x5c',                                        head({ x5c: ['MIIB'] }),                           'token-invalid'],
    ['x5t',                                        head({ x5t: 'AAAA' }),                             'token-invalid'],
    ['cty, a token in a token',                    head({ cty: 'JWT' }),                              'token-invalid'],
    ['enc and p2c, an encrypted token',            head({ enc: 'A256GCM', p2c: 1e9 }),                'token-invalid'],

    ['two `alg` in the header',                    forged(key, text(header, '"alg":"EdDSA"'), claims), 'token-invalid'],
    ['two `sub` in the payload',                   forged(key, header, text(claims, '"sub":"admin"')), 'token-invalid'],
    ['two `sub`, one of them escaped',             forged(key, header, text(claims, '"\\u0073ub":"admin"')), 'token-invalid'],
    ['two members in a claim',                     forged(key, header, text(claims, '"x":{"a":1,"a":2}')), 'token-invalid'],
    ['a header that is a list',                    forged(key, [header], claims),                     'token-invalid'],
    ['a header that is null',                      forged(key, 'null', claims),                       'token-invalid'],
    ['a payload that is a text',                   forged(key, header, '"admin"'),                    'token-invalid'],
    ['a payload that is null',                     forged(key, header, 'null'),                       'token-invalid'],
    ['a payload that is empty',                    forged(key, header, ''),                           'token-invalid'],
    ['a payload with something behind it',         forged(key, header, `${JSON.stringify(claims)}{}`), 'token-invalid'],
    ['a payload with a byte order mark',           forged(key, header, `\ufeff${JSON.stringify(claims)}`), 'token-invalid'],
    ['a payload that is not UTF-8',                signedBytes(key, header, Buffer.from(JSON.stringify({ ...claims, sub: 'u\xff' }), 'latin1')), 'token-invalid'],
    ['a payload nested beyond reason',             forged(key, header, text(claims, `"x":${'['.repeat(200)}${']'.repeat(200)}`)), 'token-invalid'],

    ['a payload in a second spelling, signed',     respelled(key, header, claims),                    'token-invalid'],
    ['padding',                                    `${good}==`,                                       'token-invalid'],
    ['base64 in place of base64url',               `${goodHeader}.${goodClaims}.${Buffer.from(goodSignature, 'base64url').toString('base64')}`, 'token-invalid'],
    ['a line break in the signature',              `${goodHeader}.${goodClaims}.${goodSignature.slice(0, 20)}\n${goodSignature.slice(20)}`, 'token-invalid'],
    ['a space in the payload',                     `${goodHeader}.${goodClaims} .${goodSignature}`,   'token-invalid'],
    ['a line break behind it',                     `${good}\n`,                                       'token-invalid'],
    ['one part',                                   goodHeader,                                        'token-invalid'],
    ['two parts',                                  `${goodHeader}.${goodClaims}`,                     'token-invalid'],
    ['four parts',                                 `${good}.${goodSignature}`,                        'token-invalid'],
    ['five parts, as if encrypted',                `${good}.a.b`,                                     'token-invalid'],
    ['JSON serialisation with two signatures',     JSON.stringify({ payload: goodClaims, signatures: [{ protected: goodHeader, signature: goodSignature }, {}] }), 'token-invalid'],
    ['nothing',                                    '',                                                'token-invalid'],
    ['dots',                                       '..',                                              'token-invalid'],
    ['8,193 dots',                                 '.'.repeat(8_193),                                 'token-invalid'],
    ['more than 8 KiB, rightly signed',            say({ x: 'x'.repeat(7_000) }),                     'token-invalid'],
    ['a megabyte',                                 'a'.repeat(1_000_000),                             'token-invalid'],
    ['other letters',                              '🦉.🦉.🦉',                                        'token-invalid'],

    ['no typ',                                     forged(key, { alg: 'EdDSA', kid: key.kid }, claims), 'token-invalid'],
    ['typ of any JWT',                             head({ typ: 'JWT' }),                              'token-invalid'],
    ['typ of a logout token',                      head({ typ: 'logout+jwt' }),                       'token-invalid'],
    ['typ of a proof of possession',               head({ typ: 'dpop+jwt' }),                         'token-invalid'],
    ['no type',                                    forged(key, header, without('type')),              'token-invalid'],
    ['a type that is a list',                      say({ type: ['access'] }),                         'token-invalid'],
    ['type refresh',                               say({ type: 'refresh' }),                          'token-wrong-type'],
    ['type refresh in a plain JWT',                forged(key, { ...header, typ: 'JWT' }, { ...claims, type: 'refresh' }), 'token-invalid'],
    ['type id, an ID token',                       say({ type: 'id' }),                               'token-wrong-type'],
    ['type refresh, not signed by us',             forged(stranger, header, { ...claims, type: 'refresh' }), 'token-invalid'],
    ['a refresh token of ours',                    `gh_rt_${'0'.repeat(36)}.0.${'A'.repeat(43)}.${'A'.repeat(22)}`, 'token-wrong-type'],

    ['a client’s, where clients have none',        say({ client_id: 'app' }),                         'token-invalid'],
    ['no iss',                                     forged(key, header, without('iss')),               'token-invalid'],
    ['another iss',                                say({ iss: 'https://evil.example' }),              'token-invalid'],
    ['iss with a slash',                           say({ iss: 'https://house.example/' }),            'token-invalid'],
    ['iss as a list',                              say({ iss: ['https://house.example'] }),           'token-invalid'],
    ['no aud',                                     forged(key, header, without('aud')),               'token-invalid'],
    ['another aud',                                say({ aud: 'other' }),                             'token-invalid'],
    ['aud as part of a longer one',                say({ aud: 'api-admin' }),                         'token-invalid'],
    ['an empty list of aud',                       say({ aud: [] }),                                  'token-invalid'],
    ['aud among others',                           say({ aud: ['other', 'api'] }),                    'holds'],
    ['aud as an object',                           say({ aud: { api: true, includes: 'api' } }),      'token-invalid'],

    ['act that names nobody',                      say({ act: { sub: '' } }),                         'token-invalid'],
    ['a key to prove, by a way that is not ours',  say({ cnf: { 'x5t#S256': 'x' } }),                 'token-invalid'],

    ['no exp',                                     forged(key, header, without('exp')),               'token-invalid'],
    ['exp as a text',                              say({ exp: String(now + 900) }),                   'token-invalid'],
    ['exp null',                                   say({ exp: null }),                                'token-invalid'],
    ['exp beyond every number',                    forged(key, header, JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999')), 'token-invalid'],
    ['exp a second ahead',                         say({ exp: now + 1 }),                             'holds'],
    ['exp now',                                    say({ exp: now }),                                 'token-expired'],
    ['exp in the past',                            say({ exp: now - 1 }),                             'token-expired'],
    ['expired, of another issuer',                 say({ exp: now - 1, iss: 'https://evil.example' }), 'token-invalid'],
    ['expired, not signed by us',                  forged(stranger, header, { ...claims, exp: now - 1 }), 'token-invalid'],
    ['no iat',                                     forged(key, header, without('iat')),               'token-invalid'],
    ['iat 60 s ahead',                             say({ iat: now + 60 }),                            'holds'],
    ['iat 61 s ahead',                             say({ iat: now + 61 }),                            'token-invalid'],
    ['nbf 60 s ahead',                             say({ nbf: now + 60 }),                            'holds'],
    ['nbf 61 s ahead',                             say({ nbf: now + 61 }),                            'token-invalid'],
    ['nbf as a text',                              say({ nbf: '0' }),                                 'token-invalid'],

    ['no sub',                                     forged(key, header, without('sub')),               'token-invalid'],
    ['an empty sub',                               say({ sub: '' }),                                  'token-invalid'],
    ['sub as a number',                            say({ sub: 1 }),                                   'token-invalid'],
    ['no jti: it could not be revoked',            forged(key, header, without('jti')),               'token-invalid'],
    ['no sid: it could not be revoked',            forged(key, header, without('sid')),               'token-invalid'],
    ['no roles',                                   forged(key, header, without('roles')),             'token-invalid'],
    ['roles as a text',                            say({ roles: 'admin' }),                           'token-invalid'],
    ['roles that are not names',                   say({ roles: [{ admin: true }] }),                 'token-invalid'],
    ['a claim called __proto__',                   forged(key, header, text(claims, '"__proto__":{"roles":["admin"]}')), 'holds'],
  ]
  for (const [name, token, code] of attacks) {
    // Twice: the second answer may come from the cache.
    for (const time of ['first', 'second'])
      assert.equal(codeOf(tokens.verify(token)), code, `${name}, the ${time} time`)
  }
  const polluted = holds(tokens.verify(attacks.at(-1)?.[1] ?? ''))
  assert.deepEqual(polluted.roles, ['user'])
})

test('A1: where HMAC is the algorithm, a public key or a token without a signature is no way round it', async (context) => {
  const { tokens, keyring, now } = await scene(context, { algorithm: 'HS256' }, 'a configured secret of enough bytes')
  const { kid } = keyring.signing()
  const claims = { ...decodeJwt(tokens.issue(whom).token), exp: now + 900 }
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key: SigningKey = { kid, algorithm: 'RS256', ...pair }
  const unsigned = `${encoded({ alg: 'none', typ: 'at+jwt', kid })}.${encoded(claims)}.`
  for (const token of [unsigned, forged(key, { alg: 'RS256', typ: 'at+jwt', kid }, claims)]) {
    assert.equal(codeOf(tokens.verify(token)), 'token-invalid')
  }
  const guessed = { ...keyring.signing(), privateKey: createSecret('a configured secret of enough byteS') }
  assert.equal(codeOf(tokens.verify(forged(guessed, { alg: 'HS256', typ: 'at+jwt', kid }, claims))), 'token-invalid')
})

test('TK6: the four refusals say their sentence, and keep the reason for the log', async (context) => {
  const { clock, tokens, revocations } = await scene(context)
  const { token } = tokens.issue(whom)
  const refused = (outcome: Verified | Refusal): Refusal => {
    assert.ok('code' in outcome)
    return outcome
  }
  const invalid = refused(tokens.verify(`${token}x`))
  assert.equal(invalid.detail, 'Invalid token')
  assert.match(invalid.reason ?? '', /canonical|signature/)
  assert.equal(refused(tokens.verify('gh_rt_x')).detail, 'Invalid token type: expected access')
  revocations.endSession('s1')
  assert.equal(refused(tokens.verify(token)).detail, 'Token has been revoked')
  clock.advance(900_000)
  assert.equal(refused(tokens.verify(token)).detail, 'Token has expired')
  for (const code of ['token-invalid', 'token-wrong-type', 'token-revoked', 'token-expired'] as const) {
    assert.equal(catalogue[code].status, 401)
  }
})

test('A10: a token is refused from the moment that its session or itself is revoked, cached or not', async (context) => {
  const { tokens, revocations } = await scene(context)
  const [one, two, three] = [tokens.issue(whom), tokens.issue(whom), tokens.issue({ ...whom, session: 's2' })]
  const { tokenId, expiresAt } = holds(tokens.verify(one.token))
  revocations.endToken(tokenId, expiresAt * 1000)
  assert.equal(codeOf(tokens.verify(one.token)), 'token-revoked')
  holds(tokens.verify(two.token))
  revocations.endSession('s1')
  assert.equal(codeOf(tokens.verify(two.token)), 'token-revoked')
  holds(tokens.verify(three.token))
})

test('A5: a cached verdict ends with the token, to the second', async (context) => {
  const { clock, tokens } = await scene(context, { accessTtl: '30s' })
  const { token } = tokens.issue(whom)
  holds(tokens.verify(token))
  clock.advance(29_999)
  holds(tokens.verify(token))
  clock.advance(1)
  assert.equal(codeOf(tokens.verify(token)), 'token-expired')
})

test('a verdict is kept as one object for at most 60 s, and forgotten when it is cleared', async (context) => {
  const { clock, tokens } = await scene(context)
  const { token } = tokens.issue(whom)
  const first = holds(tokens.verify(token))
  clock.advance(59_999)
  assert.equal(holds(tokens.verify(token)), first)
  clock.advance(1)
  const second = holds(tokens.verify(token))
  assert.notEqual(second, first)
  assert.deepEqual(second, first)
  tokens.clear()
  assert.notEqual(holds(tokens.verify(token)), second)
})

test('A2, A9: options that would weaken tokens are refused at load', () => {
  const refused: readonly object[] = [
    { algorithm: 'none' },
    { algorithm: 'HS384' },
    { accessTtl: '9s' },
    { accessTtl: '25h' },
    { refreshTtl: '59s' },
    { refreshGrace: '61s' },
    { refreshIdle: '59s' },
    { refreshTtl: '1d', refreshIdle: '25h' },
    { previousSecrets: [{ env: 'OLD' }] },
    { previousSecrets: ['inline, and long enough to be one'], secret: { env: 'NEW' } },
    { rotation: { every: '59m' } },
    { rotation: { every: 'monthly' } },
    { rotation: { lead: '9s' } },
    { rotation: { lead: '2h', every: '1h' } },
    { rotation: { after: '1d' } },
    { issuer: '' },
    { audience: '' },
    { claims: ['password'] },
    { secret: 'inline, and long enough to be one' },
    { ttl: '1h' },
  ]
  for (const options of refused) assert.equal(tokenOptions.safeParse(options).success, false, JSON.stringify(options))
  const day = 86_400_000
  const { algorithm, accessTtl, refreshTtl, refreshIdle, refreshGrace, rotation } = tokenOptions.parse({})
  assert.deepEqual(
    { algorithm, accessTtl, refreshTtl, refreshIdle, refreshGrace, rotation },
    {
      algorithm: 'EdDSA',
      accessTtl: 900_000,
      refreshTtl: 30 * day,
      refreshIdle: 14 * day,
      refreshGrace: 10_000,
      rotation: { every: 90 * day, lead: 600_000 },
    },
  )
  assert.equal(tokenOptions.parse({ refreshTtl: '1h' }).refreshIdle, 3_600_000, 'no longer than the family')
  assert.equal(tokenOptions.parse({ rotation: { every: 'never' } }).rotation.every, 'never')
})
