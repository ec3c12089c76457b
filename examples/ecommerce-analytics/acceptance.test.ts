import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
import { eventually, lettersIn } from '../../test/support/letters.ts'
import { administrator, command, post, type Running, signIn, startProcess } from '../../test/support/process.ts'

const config = ['--config', 'examples/ecommerce-analytics/gatehouse.config.ts']
const eve = { email: 'eve@example.com', password: 'a passphrase of Eve herself' }

test('e-commerce analytics', async (context) => {
  const letters = mkdtempSync(join(tmpdir(), 'letters-'))
  const environment = { ANALYTICS_LETTERS: letters }
  const house: Running = await startProcess(context, config, { environment })
  const created = await command(['user', 'create', eve.email, '--role', 'viewer', '--data', house.dataDir, ...config], {
    ...environment,
    GATEHOUSE_USER_PASSWORD: eve.password,
  })
  assert.equal(created.code, 0, created.err)

  await context.test('ID1 AZ1: a viewer reads, an analyst writes too, and only an admin manages users', async () => {
    const { access_token } = await signIn(house.url, eve)
    const bearer = { authorization: `Bearer ${access_token}` }
    assert.equal((await fetch(`${house.url}/api/analytics/sales`, { headers: bearer })).status, 200)
    assert.equal((await post(`${house.url}/api/analytics/reports`, {}, bearer)).status, 403)
    assert.equal((await fetch(`${house.url}/api/users`, { headers: bearer })).status, 403)
    const admin = await signIn(house.url, administrator)
    assert.equal(
      (await fetch(`${house.url}/api/users`, { headers: { authorization: `Bearer ${admin.access_token}` } })).status,
      200,
    )
  })

  await context.test('TK1: HS256 for an hour, with the claims that every token has', async () => {
    const { access_token, expires_in } = await signIn(house.url, eve)
    const { iat = 0, exp = 0, ...claims } = decodeJwt(access_token)
    assert.deepEqual([decodeProtectedHeader(access_token).alg, exp - iat, expires_in], ['HS256', 3600, 3600])
    for (const claim of ['sub', 'iss', 'aud', 'jti']) assert.ok(claims[claim], claim)
    assert.deepEqual([claims['type'], claims['roles']], ['access', ['viewer']])
  })

  await context.test('TK6: what is wrong with a token is told in four sentences, and nothing more', async () => {
    const { access_token: good, refresh_token } = await signIn(house.url, eve)
    const { access_token: over } = await signIn(house.url, eve)
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
          'another issuer': forged({}, { iss: 'somebody-else' }),
          'another audience': forged({}, { aud: 'somebody-else' }),
          'no end': forged({}, { exp: undefined }),
        },
      ],
    ] as const
    for (const [code, error, tokens] of cases)
      for (const [name, token] of Object.entries<string>(tokens))
        assert.deepEqual(await toldOf(house.url, token), refusal(code, error), name)
  })

  await context.test(
    'ID3 E: 5 failures in an hour of a user from an address block the address, and the owner is told',
    async () => {
      for (let time = 0; time < 5; time++)
        assert.equal((await post(`${house.url}/api/auth/login`, { email: eve.email, password: 'wrong' })).status, 401)
      assert.equal((await post(`${house.url}/api/auth/login`, eve)).status, 401)
      assert.equal(
        (await post(`${house.url}/api/auth/login`, administrator)).status,
        401,
        'the address is blocked for everybody',
      )
      const letter = await eventually(() => lettersIn(letters).find((each) => each.includes(`To: ${eve.email}`)))
      assert.match(letter, /sign/i)
    },
  )
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
