import { constants, createHmac, type KeyObject, sign, verify } from 'node:crypto'
import { equalBytes } from '../../kernel/bytes.ts'

/** The algorithms of RFC 9421 §3.3, by their registered names. */
export type MessageSignatureAlgorithm = (typeof names)[number]

const names = [
  'hmac-sha256',
  'ed25519',
  'ecdsa-p256-sha256',
  'ecdsa-p384-sha384',
  'rsa-pss-sha512',
  'rsa-v1_5-sha256',
] as const

interface Algorithm {
  sign(key: KeyObject, base: Buffer): Buffer
  /** A signature that is none, or of another length, is just wrong. */
  verify(key: KeyObject, base: Buffer, signature: Uint8Array): boolean
}

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 } as const
const p1363 = { dsaEncoding: 'ieee-p1363' } as const

export const messageSignatureAlgorithms: Readonly<Record<MessageSignatureAlgorithm, Algorithm>> = {
  'hmac-sha256': {
    sign: (key, base) => createHmac('sha256', key).update(base).digest(),
    verify: (key, base, signature) => equalBytes(createHmac('sha256', key).update(base).digest(), signature),
  },
  ed25519: {
    sign: (key, base) => sign(null, base, key),
    verify: (key, base, signature) => verify(null, base, key, signature),
  },
  'ecdsa-p256-sha256': {
    sign: (key, base) => sign('sha256', base, { key, ...p1363 }),
    verify: (key, base, signature) => verify('sha256', base, { key, ...p1363 }, signature),
  },
  'ecdsa-p384-sha384': {
    sign: (key, base) => sign('sha384', base, { key, ...p1363 }),
    verify: (key, base, signature) => verify('sha384', base, { key, ...p1363 }, signature),
  },
  'rsa-pss-sha512': {
    sign: (key, base) => sign('sha512', base, { key, ...pss }),
    verify: (key, base, signature) => verify('sha512', base, { key, ...pss }, signature),
  },
  'rsa-v1_5-sha256': {
    sign: (key, base) => sign('sha256', base, key),
    verify: (key, base, signature) => verify('sha256', base, key, signature),
  },
}

/**
 * The algorithm that a key is for: the key decides, never the message (RFC 9421 §7.3.6). RSA keys could serve two: which,
 * is said beforehand. Undefined for a key of another kind.
 */
export function algorithmOf(
  key: KeyObject,
  rsa: 'rsa-pss-sha512' | 'rsa-v1_5-sha256',
): MessageSignatureAlgorithm | undefined {
  if (key.type === 'secret') return 'hmac-sha256'
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return 'ed25519'
    case 'ec':
      return curves[key.asymmetricKeyDetails?.namedCurve ?? '']
    case 'rsa':
      return rsa
    case 'rsa-pss':
      return 'rsa-pss-sha512'
    default:
      return undefined
  }
}

const curves: Readonly<Record<string, MessageSignatureAlgorithm>> = {
  prime256v1: 'ecdsa-p256-sha256',
  secp384r1: 'ecdsa-p384-sha384',
}
