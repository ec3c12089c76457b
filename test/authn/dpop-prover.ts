import { createHash, generateKeyPairSync, type JsonWebKey, type KeyObject, randomUUID, sign } from 'node:crypto'

/** A client's key, and the proofs that it writes. */
export interface Prover {
  readonly jwk: JsonWebKey
  readonly privateKey: KeyObject
  readonly alg: string
  /** A proof for a request; `header` and `claims` lay over what an honest client writes. */
  prove(request: Proven, over?: { readonly header?: object; readonly claims?: object }): string
}

export interface Proven {
  readonly method: string
  readonly url: string
  readonly accessToken?: string
  readonly nonce?: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

export function prover(alg = 'ES256'): Prover {
  const { privateKey, publicKey } = pairOf(alg)
  const jwk = publicKey.export({ format: 'jwk' })
  return {
    jwk,
    privateKey,
    alg,
    prove({ method, url, accessToken, nonce, at }, { header = {}, claims = {} } = {}) {
      return signed(
        JSON.stringify({ typ: 'dpop+jwt', alg, jwk, ...header }),
        JSON.stringify({
          jti: randomUUID(),
          htm: method,
          htu: url,
          iat: Math.floor(at / 1000),
          ...(accessToken === undefined ? {} : { ath: createHash('sha256').update(accessToken).digest('base64url') }),
          ...(nonce === undefined ? {} : { nonce }),
          ...claims,
        }),
        alg,
        privateKey,
      )
    },
  }
}

/** Signs a header and a payload as they are written, be they what they may. */
export function signed(header: string | Buffer, payload: string | Buffer, alg: string, key: KeyObject): string {
  const text = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`
  return `${text}.${signatureOf(text, alg, key).toString('base64url')}`
}

/** The thumbprint of an elliptic key, worked out by hand (RFC 7638 §3). */
export function thumbprintOf({ crv, kty, x, y }: JsonWebKey): string {
  return createHash('sha256').update(`{"crv":"${crv}","kty":"${kty}","x":"${x}","y":"${y}"}`).digest('base64url')
}

function pairOf(alg: string): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (alg === 'EdDSA' || alg === 'Ed25519') return generateKeyPairSync('ed25519')
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

function signatureOf(text: string, alg: string, key: KeyObject): Buffer {
  const data = Buffer.from(text)
  switch (alg) {
    case 'ES256':
      return sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' })
    case 'EdDSA':
    case 'Ed25519':
      return sign(null, data, key)
    case 'PS256':
      return sign('sha256', data, { key, padding: 6, saltLength: 32 })
    default:
      return sign('sha256', data, key)
  }
}
