import assert from 'node:assert/strict'
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

/** How a token fares. */
export async function validate(url: string, token: string): Promise<number> {
  const answer = await fetch(`${url}/api/auth/validate`, { headers: { authorization: `Bearer ${token}` } })
  await answer.arrayBuffer()
  return answer.status
}

/** All that a caller is told of a token, but for the name of the request. */
export async function toldOf(url: string, token: string): Promise<object> {
  const answer = await fetch(`${url}/api/auth/validate`, { headers: { authorization: `Bearer ${token}` } })
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
