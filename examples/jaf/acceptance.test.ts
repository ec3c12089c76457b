import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { openKeyring } from '../../src/keys/keyring.ts'
import { rotationOptions } from '../../src/keys/options.ts'
import { openRootKey } from '../../src/keys/root.ts'
import { signatures } from '../../src/keys/signatures.ts'
import type { SigningAlgorithm, SigningKey } from '../../src/keys/signing-key.ts'
import { openStore } from '../../src/store/database.ts'
import { jws, part } from '../../test/authn/forge.ts'
import { administrator, command, post, type Running, signIn, startProcess } from '../../test/support/process.ts'

const config = ['--config', 'examples/jaf/gatehouse.config.ts']
const jo = { email: 'jo@example.com', password: 'a passphrase of Jo herself' }

test('JAF', async (context) => {
  const house: Running = await startProcess(context, config)
  const created = await command(['user', 'create', jo.email, '--role', 'user', '--data', house.dataDir, ...config], {
    GATEHOUSE_USER_PASSWORD: jo.password,
  })
  assert.equal(created.code, 0, created.err)

  await context.test('ID1: a password signs in; a weak one is not taken', async () => {
    assert.ok(await signIn(house.url, jo))
    const weak = await command(['user', 'create', 'weak@example.com', '--data', house.dataDir, ...config], {
      GATEHOUSE_USER_PASSWORD: 'password12345678',
    })
    assert.equal(weak.code, 2)
    assert.match(weak.err, /guessed first/)
  })

  await context.test('TK1: HS256, issued by jaf-system, for an hour', async () => {
    const { access_token, expires_in } = await signIn(house.url, jo)
    const { iss, iat = 0, exp = 0, ...claims } = decodeJwt(access_token)
    const { alg } = decodeProtectedHeader(access_token)
    assert.deepEqual([alg, iss, exp - iat, expires_in], ['HS256', 'jaf-system', 3600, 3600])
    for (const claim of ['sub', 'aud', 'jti', 'type', 'user_id', 'permissions']) assert.ok(claims[claim], claim)
  })

  await context.test('TK6: what is wrong with a token is told in four sentences, and nothing more', async () => {
    const { access_token: good, refresh_token } = await signIn(house.url, jo)
    const { access_token: over } = await signIn(house.url, jo)
    await post(`${house.url}/api/auth/logout`, '', { authorization: `Bearer ${over}` })
    const key = await signingKeyOf(house.dataDir, 'HS256')
    const forged = forger(good, key)
    const { iat = 0 } = decodeJwt(good)
    assert.equal(await validate(house.url, forged({}, {})), 200, 'nothing is wrong with one that is not changed')
    const cases = [
      ['token-expired', 'Token has expired', { 'an hour past': forged({}, { iat: iat - 7200, exp: iat - 3600 }) }],
      ['token-revoked', 'Token has been revoked', { 'of somebody who signed out': over }],
      [
        'token-wrong-type',
        'Invalid token type: expected access',
        { 'for refreshing': refresh_token, 'of type refresh': forged({}, { type: 'refresh' }) },
      ],
      [
        'token-invalid',
        'Invalid token',
        {
          unsigned: forged({ alg: 'none' }, {}, () => Buffer.alloc(0)),
          'another algorithm': forged({ alg: 'HS512' }, {}, (text) =>
            createHmac('sha512', key.privateKey).update(text).digest(),
          ),
          'a signature for a public key': forged({ alg: 'RS256' }, {}),
          'somebody else’s secret': forged({}, {}, (text) => createHmac('sha256', 'secret').update(text).digest()),
          'a key that nobody knows': forged({ kid: 'stranger' }, {}),
          'an extension that has to be understood': forged({ crit: ['exp'] }, {}),
          'another issuer': forged({}, { iss: 'crazy-gary-api' }),
          'another audience': forged({}, { aud: 'crazy-gary-api' }),
          'no end': forged({}, { exp: undefined }),
        },
      ],
    ] as const
    for (const [code, error, tokens] of cases)
      for (const [name, token] of Object.entries<string>(tokens))
        assert.deepEqual(await toldOf(house.url, token), refusal(code, error), name)
  })

  await context.test('AZ2: a function demands a permission, and says which', async () => {
    const { access_token } = await signIn(house.url, jo)
    const refused = await post(`${house.url}/api/chat/advanced`, {}, { authorization: `Bearer ${access_token}` })
    assert.equal(refused.status, 403)
    assert.equal(((await refused.json()) as { error: string }).error, "Permission 'chat:advanced' required")
  })

  await context.test('CT1: a message is 1 to 10000 characters of a known type', async () => {
    const { access_token } = await signIn(house.url, jo)
    const say = async (body: object): Promise<number> =>
      (await post(`${house.url}/api/chat`, body, { authorization: `Bearer ${access_token}` })).status
    assert.equal(await say({ content: 'x'.repeat(10_000), type: 'text' }), 201)
    assert.equal(await say({ content: 'x'.repeat(10_001) }), 422)
    assert.equal(await say({ content: '', type: 'text' }), 422)
    assert.equal(await say({ content: 'hello', type: 'song' }), 422)
  })

  await context.test('ID2 ID3: unknown, wrong and locked read alike; repeated failures lock', async () => {
    const plain = async (email: string, password: string): Promise<unknown> => {
      const response = await post(`${house.url}/api/auth/login`, { email, password })
      return { status: response.status, ...((await response.json()) as object), request_id: '' }
    }
    const wrong = await plain(jo.email, 'wrong')
    assert.deepEqual(await plain('nobody@example.com', 'wrong'), wrong)
    for (let time = 0; time < 4; time++) await plain(jo.email, 'wrong')
    assert.deepEqual(await plain(jo.email, jo.password), wrong)
    assert.ok(await signIn(house.url, administrator))
  })
})

/** How a token fares. */
async function validate(url: string, token: string): Promise<number> {
  const answer = await fetch(`${url}/api/auth/validate`, { headers: { authorization: `Bearer ${token}` } })
  await answer.arrayBuffer()
  return answer.status
}

/** All that a caller is told of a token, but for the name of the request. */
async function toldOf(url: string, token: string): Promise<object> {
  const answer = await fetch(`${url}/api/auth/validate`, { headers: { authorization: `Bearer ${token}` } })
  const { request_id, ...body } = (await answer.json()) as Record<string, unknown>
  assert.equal(typeof request_id, 'string')
  return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body }
}

function refusal(code: string, error: string): object {
  return {
    status: 401,
    challenge: `Bearer realm="gatehouse", error="invalid_token", error_description="${error}"`,
    body: { type: `/.well-known/gatehouse/problems/${code}`, title: error, status: 401, detail: error, code, error },
  }
}

/** The key that signs: with it a token can be good but for what is changed in it. */
async function signingKeyOf(dataDir: string, algorithm: SigningAlgorithm): Promise<SigningKey> {
  const { db, close } = await openStore(`sqlite:${dataDir}/gatehouse.db`)
  const random = systemRandom
  const root = await openRootKey({ environment: {}, dataDir, random, db })
  const place = { db, root, clock: systemClock, random, algorithm, rotation: rotationOptions.parse({}) }
  const ring = await openKeyring({ ...place, tokenTtlMs: 0, secret: undefined })
  await close()
  return ring.signing()
}

/** Writes tokens like this one, but for what is changed; a member that is set to `undefined` is left out. */
function forger(good: string, key: SigningKey) {
  return (header: object, claims: object, sign = (text: string): Buffer => signatures[key.algorithm].sign(key, text)) =>
    jws(part({ ...decodeProtectedHeader(good), ...header }), part({ ...decodeJwt(good), ...claims }), sign)
}
