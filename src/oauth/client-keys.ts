import { createPublicKey, type JsonWebKey, type KeyObject, X509Certificate } from 'node:crypto'
import { equalBytes } from '../kernel/bytes.ts'

/** The public keys that a client signs its assertions with, or connects with (RFC 7517 §5). */
export interface ClientKeys {
  readonly keys: readonly JsonWebKey[]
}

type GivenKeys = readonly Readonly<Record<string, unknown>>[]

/**
 * The keys of a client as they are kept: public, of a kind that is verified here, and without anything that leads
 * elsewhere (`x5u`, `x5c`). Those for another use or of another kind are passed over (RFC 7517 §5); one that gives away
 * a secret is a mistake of its owner's, and refused.
 */
export function clientKeys(given: GivenKeys): ClientKeys | { readonly problem: string } {
  const kept: JsonWebKey[] = []
  for (const jwk of given) {
    const { kty, use, alg } = jwk
    if (isSecret(jwk)) return secretGiven
    const kind = kinds.find((one) => one.kty === kty && (one.crv === undefined || one.crv === jwk['crv']))
    if (
      kind === undefined ||
      (use !== undefined && use !== 'sig') ||
      !kind.algorithms.includes(alg as string | undefined)
    )
      continue
    const key = Object.fromEntries(
      ['kty', 'use', 'alg', 'kid', ...kind.members].flatMap((name) =>
        typeof jwk[name] === 'string' ? [[name, jwk[name]] as const] : [],
      ),
    ) as JsonWebKey
    if (String(key['kid'] ?? '').length > kidLengthMax)
      return { problem: `expected a \`kid\` of at most ${kidLengthMax} characters` }
    const problem = keyProblem(key)
    if (problem !== undefined) return { problem }
    kept.push(key)
  }
  return kept.length === 0
    ? { problem: 'expected a key for ES256 (P-256), EdDSA (Ed25519), RS256 or PS256 (RSA, 2048 bits at least)' }
    : { keys: kept }
}

/**
 * The certificates that a client connects with, each beside its key in `x5c` (RFC 8705 §2.2, RFC 7517 §4.7). The client vouches
 * for them by naming them: of a chain only the first is kept. Keys without one are passed over.
 */
export function clientCertificates(given: GivenKeys): ClientKeys | { readonly problem: string } {
  const kept: JsonWebKey[] = []
  for (const jwk of given) {
    if (isSecret(jwk)) return secretGiven
    const { kty, crv, kid, x5c } = jwk
    const [text] = Array.isArray(x5c) ? (x5c as unknown[]) : []
    if (text === undefined) continue
    const members = certifiable.find((one) => one.kty === kty && (one.crv?.includes(String(crv)) ?? true))?.members
    if (members === undefined) continue
    const key = Object.fromEntries([['kty', kty], ...members.map((name) => [name, jwk[name]])]) as JsonWebKey
    const certified = typeof text === 'string' ? keyOfCertificate(text) : undefined
    if (certified === undefined)
      return { problem: 'expected a certificate in `x5c`: base64 of its DER form (RFC 7517 §4.7)' }
    const problem = keyProblem(key)
    if (problem !== undefined) return { problem }
    if (!createPublicKey({ key, format: 'jwk' }).equals(certified))
      return { problem: 'expected the key of the certificate in its `x5c`, got another (RFC 7517 §4.7)' }
    kept.push({ ...key, ...(typeof kid === 'string' && kid.length <= kidLengthMax ? { kid } : {}), x5c: [text] })
  }
  return kept.length === 0
    ? { problem: 'expected a key with its certificate in `x5c` (RFC 8705 §2.2.2): EC, Ed25519, or RSA of 2048 bits' }
    : { keys: kept }
}

/** The key of a certificate; undefined for what is none, or has a key that nobody here could read. */
function keyOfCertificate(base64: string): KeyObject | undefined {
  if (base64.length > certificateLengthMax) return undefined
  const der = Buffer.from(base64, 'base64')
  if (der.toString('base64') !== base64) return undefined
  try {
    const certificate = new X509Certificate(der)
    // What stands behind it is not part of what is shown.
    return equalBytes(certificate.raw, der) ? certificate.publicKey : undefined
  } catch {
    return undefined
  }
}

/** Characters: more than certificates of people's and machines' have. */
const certificateLengthMax = 8_192

function isSecret(jwk: GivenKeys[number]): boolean {
  return jwk['kty'] === 'oct' || privateMembers.some((name) => jwk[name] !== undefined)
}

const secretGiven = { problem: 'expected public keys, got a secret one: take it out of use' }
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const
const kidLengthMax = 200

interface Kind {
  readonly kty: string
  readonly crv?: string
  readonly members: readonly string[]
  readonly algorithms: readonly (string | undefined)[]
}

// biome-ignore format: a table
const kinds: readonly Kind[] = [
  { kty: 'EC',  crv: 'P-256',   members: ['crv', 'x', 'y'], algorithms: ['ES256', undefined] },
  { kty: 'OKP', crv: 'Ed25519', members: ['crv', 'x'],      algorithms: ['EdDSA', undefined] },
  { kty: 'RSA',                 members: ['n', 'e'],        algorithms: ['RS256', 'PS256', undefined] },
]

/** What certificates of clients are made for. */
// biome-ignore format: a table
const certifiable: readonly { readonly kty: string; readonly crv?: readonly string[]; readonly members: readonly string[] }[] = [
  { kty: 'EC',  crv: ['P-256', 'P-384', 'P-521'], members: ['crv', 'x', 'y'] },
  { kty: 'OKP', crv: ['Ed25519'],                 members: ['crv', 'x'] },
  { kty: 'RSA',                                   members: ['n', 'e'] },
]

function keyProblem(key: JsonWebKey): string | undefined {
  let bits: number | undefined
  try {
    bits = createPublicKey({ key, format: 'jwk' }).asymmetricKeyDetails?.modulusLength
  } catch {
    return 'expected public keys, got one that is none'
  }
  if (key.kty !== 'RSA' || bits === undefined) return undefined
  if (bits < 2048) return `expected an RSA key of 2048 bits at least (RFC 7518 §3.3), got ${bits}`
  return bits > 4096 ? `expected an RSA key of 4096 bits at most, got ${bits}` : undefined
}
