import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { SigningAlgorithm } from '../../keys/signing-key.ts'

/** A key that a service signs with, as it is kept: public, and without anything that leads elsewhere (`x5u`, `x5c`). */
export interface PublicKey {
  readonly kid: string
  readonly jwk: JsonWebKey
}

/** The members of a JWK (RFC 7517) that say which key it is, or in half a sentence why it is not taken. */
export function publicJwkOf(
  jwk: Readonly<Record<string, unknown>>,
): { readonly jwk: JsonWebKey } | { readonly problem: string } {
  const { kty, crv, use, alg } = jwk
  if (kty === 'oct' || secretMembers.some((name) => jwk[name] !== undefined))
    return { problem: 'expected a public key, got a secret one: take it out of use' }
  const kind = kinds.find((one) => one.kty === kty && (one.crv === undefined || one.crv === crv))
  if (kind === undefined) return { problem: 'expected a key of Ed25519, P-256, P-384 or RSA' }
  if (use !== undefined && use !== 'sig') return { problem: 'expected a key to sign with, got one of another `use`' }
  if (alg !== undefined && !kind.algorithms.some((one) => one === alg))
    return { problem: `expected an \`alg\` of ${kind.algorithms.join(' or ')}` }
  const key = Object.fromEntries(['kty', ...kind.members].map((name) => [name, jwk[name]])) as JsonWebKey
  const problem = keyProblem(key)
  return problem === undefined ? { jwk: key } : { problem }
}

/** The same of a file's text: a JWK, a PEM public key, or a PEM certificate. */
export function publicJwkOfText(text: string): { readonly jwk: JsonWebKey } | { readonly problem: string } {
  if (/PRIVATE KEY-----/.test(text)) return { problem: 'expected a public key, got a private one: keep it to yourself' }
  try {
    const jwk = text.trimStart().startsWith('{') ? JSON.parse(text) : createPublicKey(text).export({ format: 'jwk' })
    return publicJwkOf(jwk as Readonly<Record<string, unknown>>)
  } catch {
    return { problem: 'expected a JWK, a PEM public key or a PEM certificate' }
  }
}

export function keyObjectOf(jwk: JsonWebKey): KeyObject {
  return createPublicKey({ key: jwk, format: 'jwk' })
}

/** The algorithm that a key signs tokens with; undefined for one that signs requests alone. */
export function tokenAlgorithmOf(key: KeyObject): Exclude<SigningAlgorithm, 'HS256'> | undefined {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return 'EdDSA'
    case 'rsa':
      return 'RS256'
    case 'ec':
      return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ES256' : undefined
    default:
      return undefined
  }
}

const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const

interface Kind {
  readonly kty: string
  readonly crv?: string
  readonly members: readonly string[]
  readonly algorithms: readonly string[]
}

// biome-ignore format: a table
const kinds: readonly Kind[] = [
  { kty: 'OKP', crv: 'Ed25519', members: ['crv', 'x'],      algorithms: ['EdDSA', 'Ed25519'] },
  { kty: 'EC',  crv: 'P-256',   members: ['crv', 'x', 'y'], algorithms: ['ES256'] },
  { kty: 'EC',  crv: 'P-384',   members: ['crv', 'x', 'y'], algorithms: ['ES384'] },
  { kty: 'RSA',                 members: ['n', 'e'],        algorithms: ['RS256', 'PS256', 'PS512'] },
]

function keyProblem(jwk: JsonWebKey): string | undefined {
  let bits: number | undefined
  try {
    bits = keyObjectOf(jwk).asymmetricKeyDetails?.modulusLength
  } catch {
    return 'expected a public key, got one that is none'
  }
  if (bits === undefined) return undefined
  if (bits < 2048) return `expected an RSA key of 2048 bits at least (RFC 7518 §3.3), got ${bits}`
  return bits > 4096 ? `expected an RSA key of 4096 bits at most, got ${bits}` : undefined
}
