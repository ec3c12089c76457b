// Tokens that programs of other people hold, and how they are told from our own and from ID tokens.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { unbound } from '../../src/authn/token/binding.ts'
import type { IdTokenSubject } from '../../src/authn/token/id-token.ts'
import type { ClientBearer, TokenSubject, Verified } from '../../src/authn/token/tokens.ts'
import { systemRandom, uuidv7 } from '../../src/kernel/id.ts'
import { type Desk, oauth, openDesk, subject } from './forge.ts'

const mcp = 'https://gate.example.com/mcp'
const jkt = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'

function bearer(changes: Partial<ClientBearer> = {}): ClientBearer {
  return { id: 'app', scopes: ['widgets:read', 'openid'], audience: mcp, ...unbound, ...changes }
}

function granted(changes: Partial<ClientBearer> = {}): TokenSubject {
  return { ...subject, client: bearer(changes) }
}

function holds(outcome: ReturnType<Desk['tokens']['verify']>): Verified {
  assert.ok(!('code' in outcome), 'code' in outcome ? `${outcome.code}: ${outcome.reason}` : '')
  return outcome
}

function codeOf(outcome: object): string {
  return 'code' in outcome ? String(outcome.code) : 'holds'
}

/** What an ID token is asked to say. */
const idSubject: IdTokenSubject = {
  client: 'app',
  subject: subject.subject,
  session: subject.session,
  proof: { methods: ['password', 'totp'], at: 5_000 },
  nonce: 'n-0S6_WzA2Mj',
  claims: { email: 'ada@example.com', email_verified: true },
}

for (const algorithm of ['EdDSA', 'ES256', 'RS256', 'HS256'] as const) {
  suite(algorithm, async () => {
    const desk = await openDesk(algorithm, { claims: ['email', 'name', 'permissions', 'scope'] }, { oauth })
    const { tokens, idKeyring } = desk

    test('TK1: a token for a client says who holds it, for what and where, and nothing that was not granted (RFC 9068 §2.2)', () => {
      const { token, expiresInSeconds } = tokens.issue(granted({ keyThumbprint: jkt }))
      assert.equal(expiresInSeconds, 900)
      assert.equal(decodeProtectedHeader(token).typ, 'at+jwt')
      const claims = decodeJwt(token)
      assert.deepEqual(claims, {
        iss: oauth.issuer,
        aud: mcp,
        sub: subject.subject,
        iat: desk.now(),
        exp: desk.now() + 900,
        jti: claims.jti,
        sid: subject.session,
        type: 'access',
        roles: ['analyst'],
        auth_time: 1,
        acr: 'aal1',
        amr: ['pwd'],
        client_id: 'app',
        scope: 'widgets:read openid',
        cnf: { jkt },
      })
      assert.deepEqual(holds(tokens.verify(token)), {
        kind: 'access-token',
        subject: subject.subject,
        tokenId: claims.jti,
        session: subject.session,
        roles: ['analyst'],
        scopes: ['widgets:read', 'openid'],
        attributes: {},
        issuedAt: desk.now(),
        expiresAt: desk.now() + 900,
        proof: { methods: ['password'], at: 1_000 },
        actor: undefined,
        client: 'app',
        audience: [mcp],
        keyThumbprint: jkt,
        certificateThumbprint: undefined,
      })
      assert.deepEqual(holds(tokens.verify(tokens.issue(granted({ scopes: [] })).token)).scopes, [])
    })

    test('TK1 A34: a client by itself is nobody’s person: no roles, no proof, and a session of its own', () => {
      const { token } = tokens.issueForClient(bearer({ id: 'back-end', audience: 'gatehouse' }))
      const claims = decodeJwt(token)
      assert.deepEqual(
        { sub: claims.sub, client_id: claims['client_id'], sid: claims['sid'], roles: claims['roles'] },
        { sub: 'back-end', client_id: 'back-end', sid: 'client:back-end', roles: [] },
      )
      for (const name of ['auth_time', 'acr', 'amr', 'email', 'name']) assert.ok(!(name in claims), name)
      const verified = holds(tokens.verify(token))
      assert.deepEqual(
        [verified.subject, verified.client, verified.roles, verified.audience, verified.proof],
        ['back-end', 'back-end', [], ['gatehouse'], { methods: [], at: 0 }],
      )
      for (const id of [uuidv7(0, systemRandom), '01980000-0000-7000-8000-00000000000A'])
        assert.throws(() => tokens.issueForClient(bearer({ id })), /as no person can be/)
    })

    test('OA4: an ID token is verified by others with published keys, and binds what it came with (Core §2, §3.1.3.6)', async () => {
      const { token: accessToken } = tokens.issue(granted())
      const token = tokens.issueIdToken({ ...idSubject, accessToken })
      const { payload, protectedHeader } = await jwtVerify(
        token,
        createLocalJWKSet({ keys: [...idKeyring.jwks().keys] }),
        { issuer: oauth.issuer, audience: 'app', currentDate: new Date(desk.clock.now()) },
      )
      const algorithmUsed = algorithm === 'HS256' ? 'EdDSA' : algorithm
      assert.deepEqual(protectedHeader, { alg: algorithmUsed, typ: 'JWT', kid: idKeyring.signing().kid })
      const digest = createHash(algorithmUsed === 'EdDSA' ? 'sha512' : 'sha256')
        .update(accessToken)
        .digest()
      assert.deepEqual(payload, {
        iss: oauth.issuer,
        aud: 'app',
        sub: subject.subject,
        iat: desk.now(),
        exp: desk.now() + 3_600,
        auth_time: 5,
        acr: 'aal2',
        amr: ['pwd', 'otp', 'mfa'],
        sid: subject.session,
        nonce: 'n-0S6_WzA2Mj',
        at_hash: digest.subarray(0, digest.length / 2).toString('base64url'),
        email: 'ada@example.com',
        email_verified: true,
      })
      const bare = decodeJwt(tokens.issueIdToken({ ...idSubject, nonce: undefined, claims: {} }))
      for (const name of ['nonce', 'at_hash', 'email']) assert.ok(!(name in bare), name)
    })

    test('OA4: what is told of a person takes the place of no claim of the protocol', () => {
      const claims = { sub: 'admin', iss: 'x', aud: 'x', exp: 0, iat: 0, sid: 'x', auth_time: 0, acr: 'x', amr: [] }
      const token = decodeJwt(tokens.issueIdToken({ ...idSubject, claims: { ...claims, nonce: 'x', at_hash: 'x' } }))
      assert.deepEqual(
        [token.sub, token.iss, token.aud, token['sid'], token['nonce']],
        [subject.subject, oauth.issuer, 'app', subject.session, 'n-0S6_WzA2Mj'],
      )
    })

    test('A4: an ID token is never an access token, and an access token never an ID token', async () => {
      const refused = tokens.verify(tokens.issueIdToken(idSubject))
      assert.ok('code' in refused)
      assert.deepEqual([refused.code, refused.detail], ['token-wrong-type', 'Invalid token type: expected access'])
      // Not even one that says of itself whatever an access token says.
      const { token } = tokens.issue(granted())
      const claims = decodeJwt(token)
      const disguised = tokens.issueIdToken({ ...idSubject, client: mcp, claims: { ...claims, client_id: 'app' } })
      assert.notEqual(codeOf(tokens.verify(disguised)), 'holds')
      assert.equal(decodeProtectedHeader(token).typ, 'at+jwt')
      const keys = createLocalJWKSet({ keys: [...idKeyring.jwks().keys] })
      await assert.rejects(jwtVerify(token, keys, { issuer: oauth.issuer, audience: 'app', typ: 'JWT' }))
    })

    test('TK6: each issuer’s tokens are judged by its own line of the table, signed by us or not', () => {
      const client = { iss: oauth.issuer, aud: mcp, client_id: 'app', scope: 'widgets:read' }
      const say = (claims: object, header: object = {}): string =>
        codeOf(tokens.verify(desk.mint({ header: { ...header }, claims: { ...claims } })))
      // biome-ignore format: a table
      const table: readonly (readonly [name: string, outcome: string, expected: string])[] = [
        ['our own',                               say({}),                                                'holds'],
        ['a client’s',                            say(client),                                            'holds'],
        ['a client’s, for the house',             say({ ...client, aud: 'gatehouse' }),                   'holds'],
        ['a client’s, for both',                  say({ ...client, aud: ['gatehouse', mcp] }),            'holds'],
        ['a client’s, without a scope',           say({ ...client, scope: undefined }),                   'holds'],
        ['a client’s, of our own issuer',         say({ ...client, iss: 'gatehouse', aud: 'gatehouse' }), 'token-invalid'],
        ['our own, of the clients’ issuer',       say({ iss: oauth.issuer }),                             'token-invalid'],
        ['a client’s, for another',               say({ ...client, aud: 'https://gate.example.com/other' }), 'token-invalid'],
        ['a client’s, for part of a name',        say({ ...client, aud: `${mcp}/admin` }),                'token-invalid'],
        ['a client’s, for nobody',                say({ ...client, aud: undefined }),                     'token-invalid'],
        ['our own, for a resource of clients',    say({ aud: mcp }),                                      'token-invalid'],
        ['an issuer with a slash',                say({ ...client, iss: `${oauth.issuer}/` }),            'token-invalid'],
        ['a client without a name',               say({ ...client, client_id: '' }),                      'token-invalid'],
        ['a client that is null',                 say({ ...client, client_id: null }),                    'token-invalid'],
        ['a client that is a list',               say({ ...client, client_id: ['app'] }),                 'token-invalid'],
        ['half a character for a client',         say({ ...client, client_id: '\ud800' }),                'token-invalid'],
        ['scopes as a list',                      say({ ...client, scope: ['admin'] }),                   'token-invalid'],
        ['scopes that are null',                  say({ ...client, scope: null }),                        'token-invalid'],
        ['itself, in a person’s session',         say({ ...client, sub: 'app', roles: [] }),              'token-invalid'],
        ['itself, with roles',                    say({ ...client, sub: 'app', sid: 'client:app' }),      'token-invalid'],
        ['itself',                                say({ ...client, sub: 'app', sid: 'client:app', roles: [] }), 'holds'],
        ['a person, in the client’s session',     say({ ...client, sid: 'client:app' }),                  'token-invalid'],
        ['an ID token’s type',                    say({ ...client, client_id: undefined }, { typ: 'JWT' }), algorithm === 'HS256' ? 'token-invalid' : 'token-wrong-type'],
        ['an ID token’s type, with a client',     say(client, { typ: 'JWT' }),                            'token-invalid'],
        ['a logout token',                        say(client, { typ: 'logout+jwt' }),                     'token-invalid'],
        ['a proof of possession',                 say(client, { typ: 'dpop+jwt' }),                       'token-invalid'],
        ['the type in capitals',                  say(client, { typ: 'AT+JWT' }),                         'token-invalid'],
        ['the type in full',                      say(client, { typ: 'application/at+jwt' }),             'token-invalid'],
        ['type refresh',                          say({ ...client, type: 'refresh' }),                    'token-wrong-type'],
        ['no type',                               say({ ...client, type: undefined }),                    'token-invalid'],
        ['a key to prove',                        say({ ...client, cnf: { jkt } }),                       'holds'],
        ['a key to prove, in our own',            say({ cnf: { jkt } }),                                  'holds'],
        ['a confirmation that is empty',          say({ ...client, cnf: {} }),                            'token-invalid'],
        ['a confirmation that is null',           say({ ...client, cnf: null }),                          'token-invalid'],
        ['a certificate to show',                 say({ ...client, cnf: { 'x5t#S256': jkt } }),           'holds'],
        ['a certificate to show, in our own',     say({ cnf: { 'x5t#S256': jkt } }),                      'holds'],
        ['a certificate by another digest',       say({ ...client, cnf: { 'x5t#S512': jkt } }),           'token-invalid'],
        ['a certificate that is a list',          say({ ...client, cnf: { 'x5t#S256': [jkt] } }),         'token-invalid'],
        ['a certificate in another spelling',     say({ ...client, cnf: { 'x5t#S256': `${jkt}=` } }),     'token-invalid'],
        ['a confirmation nobody here can check',  say({ ...client, cnf: { kid: jkt } }),                  'token-invalid'],
        ['a list of confirmations',               say({ ...client, cnf: [jkt] }),                         'token-invalid'],
        ['two confirmations',                     say({ ...client, cnf: { jkt, 'x5t#S256': jkt } }),      'token-invalid'],
        ['a thumbprint that is none',             say({ ...client, cnf: { jkt: 'short' } }),              'token-invalid'],
        ['a thumbprint that is a list',           say({ ...client, cnf: { jkt: [jkt] } }),                'token-invalid'],
      ]
      for (const [name, outcome, expected] of table) assert.equal(outcome, expected, name)
      assert.equal(holds(tokens.verify(desk.mint({ claims: { cnf: { jkt } } }))).keyThumbprint, jkt, 'never a bearer')
      const certified = holds(tokens.verify(desk.mint({ claims: { cnf: { 'x5t#S256': jkt } } })))
      assert.equal(certified.certificateThumbprint, jkt, 'nor this one')
      assert.equal(certified.keyThumbprint, undefined)
    })
  })
}

test('TK6: where both issuers have one name, a client is told by its `client_id`', async () => {
  const issuer = 'https://gate.example.com'
  const { tokens, mint } = await openDesk('EdDSA', { issuer }, { oauth })
  assert.equal(holds(tokens.verify(tokens.issue(subject).token)).client, undefined)
  assert.equal(holds(tokens.verify(tokens.issue(granted()).token)).client, 'app')
  assert.equal(holds(tokens.verify(tokens.issueForClient(bearer()).token)).client, 'app')
  assert.equal(codeOf(tokens.verify(mint({ claims: { aud: mcp } }))), 'token-invalid', 'a client’s, its name left out')
  assert.equal(codeOf(tokens.verify(tokens.issueIdToken(idSubject))), 'token-wrong-type')
})

test('TK6: without an authorization server no client’s token holds, and none is issued', async () => {
  const { tokens, mint } = await openDesk('EdDSA')
  for (const iss of [oauth.issuer, 'gatehouse'])
    assert.equal(codeOf(tokens.verify(mint({ claims: { iss, client_id: 'app' } }))), 'token-invalid')
  assert.throws(() => tokens.issue(granted()), /come from an authorization server/)
  assert.throws(() => tokens.issueForClient(bearer()), /come from an authorization server/)
  assert.throws(() => tokens.issueIdToken(idSubject), /come from an authorization server/)
})

test('A23: a token is issued for a resource of ours and for no other, and nobody lends a client what is not theirs', async () => {
  const { tokens } = await openDesk('EdDSA', {}, { oauth })
  assert.throws(() => tokens.issue(granted({ audience: 'https://other.example' })), /a resource of ours/)
  assert.throws(
    () => tokens.issue({ ...granted(), impersonator: { id: 'admin', untilMs: Number.MAX_SAFE_INTEGER } }),
    /what is not theirs/,
  )
})

test('A10: tokens of a client end by the token, by the session, by the person and by the client, at once and cached or not', async () => {
  const ends: readonly ((desk: Desk, verified: Verified) => void)[] = [
    ({ revocations }, { tokenId, expiresAt }) => revocations.endToken(tokenId, expiresAt * 1000),
    ({ revocations }, { session }) => revocations.endSession(session),
    ({ revocations, clock }, { subject }) => revocations.cut('user', subject, clock.now()),
    ({ revocations, clock }) => revocations.cut('client', 'app', clock.now()),
    ({ revocations, clock }) => revocations.cut('everything', '', clock.now()),
  ]
  for (const [index, end] of ends.entries()) {
    const desk = await openDesk('EdDSA', {}, { oauth })
    const { token } = desk.tokens.issue(granted())
    const fresh = desk.tokens.issue(granted()).token
    const other = desk.tokens.issue({
      ...subject,
      session: 'session-2',
      subject: 'user-2',
      client: bearer({ id: 'other' }),
    }).token
    const verified = holds(desk.tokens.verify(token))
    holds(desk.tokens.verify(other))
    end(desk, verified)
    assert.equal(codeOf(desk.tokens.verify(token)), 'token-revoked', `${index}, cached`)
    assert.equal(codeOf(desk.tokens.verify(token)), 'token-revoked', `${index}, and again`)
    assert.equal(codeOf(desk.tokens.verify(fresh)), index === 0 ? 'holds' : 'token-revoked', `${index}, never seen`)
    assert.equal(codeOf(desk.tokens.verify(other)), index === 4 ? 'token-revoked' : 'holds', `${index}, another’s`)
  }
})

test('A34: a client by itself ends with the client', async () => {
  const { tokens, revocations, clock } = await openDesk('EdDSA', {}, { oauth })
  const { token } = tokens.issueForClient(bearer())
  const other = tokens.issueForClient(bearer({ id: 'other' })).token
  for (const one of [token, other]) holds(tokens.verify(one))
  revocations.cut('client', 'app', clock.now())
  assert.deepEqual(
    [token, other].map((one) => codeOf(tokens.verify(one))),
    ['token-revoked', 'holds'],
  )
  clock.advance(1)
  holds(tokens.verify(tokens.issueForClient(bearer()).token))
})

test('TK4: a cached verdict is asked about once for each end that it has not heard of, and not again', async () => {
  const { tokens, revocations } = await openDesk('EdDSA', {}, { oauth })
  const { token } = tokens.issue(subject)
  let asked = 0
  const isRevoked = revocations.isRevoked.bind(revocations)
  revocations.isRevoked = (presented) => {
    asked++
    return isRevoked(presented)
  }
  for (let time = 0; time < 5; time++) holds(tokens.verify(token))
  assert.equal(asked, 1)
  revocations.endSession('another')
  for (let time = 0; time < 5; time++) holds(tokens.verify(token))
  assert.equal(asked, 2)
  revocations.endSession(subject.session)
  for (let time = 0; time < 5; time++) assert.equal(codeOf(tokens.verify(token)), 'token-revoked')
})
