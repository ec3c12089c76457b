import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { base64url } from '../kernel/bytes.ts'
import type { Random } from '../kernel/id.ts'

export type SigningAlgorithm = 'EdDSA' | 'ES256' | 'RS256' | 'HS256'

export interface SigningKey {
  /** What tokens call it: a name to look up and nothing else. */
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  /** Signs; for HS256 it verifies as well. */
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** A key as the store keeps it, before it is sealed: a private JWK, or the bytes of a secret. */
export interface KeyText {
  readonly kid: string
  readonly text: string
}

/** A new key. An asymmetric one is named by its thumbprint (RFC 7638). */
export async function makeKey(algorithm: SigningAlgorithm, random: Random): Promise<KeyText> {
  if (algorithm === 'HS256') {
    const secret = Buffer.from(random.bytes(32))
    return { kid: secretKey(secret).kid, text: base64url(secret) }
  }
  const jwk = generate(algorithm).export({ format: 'jwk' }) as JWK
  return { kid: await calculateJwkThumbprint(jwk), text: JSON.stringify(jwk) }
}

/** The key that a text was kept of. */
export function readKey({ kid, text }: KeyText, algorithm: SigningAlgorithm): SigningKey {
  if (algorithm === 'HS256') return secretKey(Buffer.from(text, 'base64url'))
  const privateKey = createPrivateKey({ key: JSON.parse(text) as JsonWebKey, format: 'jwk' })
  return { kid, algorithm, privateKey, publicKey: createPublicKey(privateKey) }
}

/** A secret as a key. Its name is a keyed digest of a constant: it tells two secrets apart, and nothing about either. */
export function secretKey(secret: Buffer): SigningKey {
  const key = createSecretKey(secret)
  const kid = base64url(createHmac('sha256', key).update('gatehouse kid').digest().subarray(0, 16))
  return { kid, algorithm: 'HS256', privateKey: key, publicKey: key }
}

/** What everybody may know of an asymmetric key. */
export function publicJwk({ kid, algorithm, publicKey }: SigningKey): JWK {
  return { ...(publicKey.export({ format: 'jwk' }) as JWK), kid, alg: algorithm, use: 'sig' }
}

function generate(algorithm: Exclude<SigningAlgorithm, 'HS256'>): KeyObject {
  switch (algorithm) {
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey
  }
}
