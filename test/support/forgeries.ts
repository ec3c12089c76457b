import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { openKeyring } from '../../src/keys/keyring.ts'
import { rotationOptions } from '../../src/keys/options.ts'
import { openRootKey } from '../../src/keys/root.ts'
import { signatures } from '../../src/keys/signatures.ts'
import type { SigningAlgorithm, SigningKey } from '../../src/keys/signing-key.ts'
import { openStore } from '../../src/store/database.ts'
import { jws, part } from '../authn/forge.ts'
import { fetchElsewhere } from './process.ts'

/** How a token fares. */
export async function validate(url: string, token: string): Promise<number> {
  const answer = await fetchElsewhere(`${url}/api/auth/validate`, { headers: { authorization: `Bearer ${token}` } })
  await answer.arrayBuffer()
  return answer.status
}

/** All that a caller is told of a token, but for the name of the request. */
export async function toldOf(url: string, token: string): Promise<object> {
  const answer = await fetchElsewhere(`${url}/api/auth/validate`, { headers: { authorization: `Bearer ${token}` } })
  const { request_id, ...body } = (await answer.json()) as Record<string, unknown>
  assert.equal(typeof request_id, 'string')
  return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body }
}

/** How one of them is refused. */
export function refusal(code: string, error: string): object {
  return {
    status: 401,
    challenge: `Bearer realm="gatehouse", error="invalid_token", error_description="${error}"`,
    body: { type: `/.well-known/gatehouse/problems/${code}`, title: error, status: 401, detail: error, code, error },
  }
}

/** The key that signs: with it a token can be good but for what is changed in it. */
export async function signingKeyOf(dataDir: string, algorithm: SigningAlgorithm): Promise<SigningKey> {
  const { db, close } = await openStore(`sqlite:${dataDir}/gatehouse.db`)
  const random = systemRandom
  const root = await openRootKey({ environment: {}, dataDir, random, db })
  const place = { db, root, clock: systemClock, random, algorithm, rotation: rotationOptions.parse({}) }
  const ring = await openKeyring({ ...place, tokenTtlMs: 0, secret: undefined })
  await close()
  return ring.signing()
}

/** Writes tokens like this one, but for what is changed; a member that is set to `undefined` is left out. */
export function forger(good: string, key: SigningKey) {
  return (header: object, claims: object, sign = (text: string): Buffer => signatures[key.algorithm].sign(key, text)) =>
    jws(part({ ...decodeProtectedHeader(good), ...header }), part({ ...decodeJwt(good), ...claims }), sign)
}

type Forged = ReturnType<typeof forger>

/** Forgeries that a house with HS256 invites. */
export function forgeriesOfSecret(forged: Forged, key: SigningKey): Readonly<Record<string, string>> {
  return {
    'another algorithm': forged({ alg: 'HS512' }, {}, (text) =>
      createHmac('sha512', key.privateKey).update(text).digest(),
    ),
    'a signature for a public key': forged({ alg: 'RS256' }, {}),
    'somebody else’s secret': forged({}, {}, (text) => createHmac('sha256', 'secret').update(text).digest()),
  }
}

/**
 * What is wrong with a token is told in four sentences, and nothing more (TK6): tries one of each kind. `over` is of a session
 * that ended; `stranger` is the issuer and audience of another house; `more` are forgeries beside those that fit every algorithm.
 */
export async function toldInFourSentences(
  url: string,
  forged: Forged,
  tokens: { readonly good: string; readonly refresh: string; readonly over: string },
  stranger: string,
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const { iat = 0 } = decodeJwt(tokens.good)
  assert.equal(await validate(url, forged({}, {})), 200, 'nothing is wrong with one that is not changed')
  const cases = [
    ['token-expired', 'Token has expired', { 'an hour past': forged({}, { iat: iat - 7200, exp: iat - 3600 }) }],
    ['token-revoked', 'Token has been revoked', { 'of a session that ended': tokens.over }],
    [
      'token-wrong-type',
      'Invalid token type: expected access',
      { 'for refreshing': tokens.refresh, 'of type refresh': forged({}, { type: 'refresh' }) },
    ],
    [
      'token-invalid',
      'Invalid token',
      {
        unsigned: forged({ alg: 'none' }, {}, () => Buffer.alloc(0)),
        ...more,
        'a key that nobody knows': forged({ kid: 'stranger' }, {}),
        'an extension that has to be understood': forged({ crit: ['exp'] }, {}),
        'another issuer': forged({}, { iss: stranger }),
        'another audience': forged({}, { aud: stranger }),
        'no end': forged({}, { exp: undefined }),
      },
    ],
  ] as const
  for (const [code, error, of] of cases)
    for (const [name, token] of Object.entries<string>(of))
      assert.deepEqual(await toldOf(url, token), refusal(code, error), name)
}
