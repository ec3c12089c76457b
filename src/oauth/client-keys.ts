import { createPublicKey, type JsonWebKey } from 'node:crypto'

/** The public keys that a client signs its assertions with (RFC 7517 §5). */
export interface ClientKeys {
  readonly keys: readonly JsonWebKey[]
}

/**
 * The keys of a client as they are kept: public, of a kind that is verified here, and without anything that leads
 * elsewhere (`x5u`, `x5c`). Those for another use or of another kind are passed over (RFC 7517 §5); one that gives away
 * a secret is a mistake of its owner's, and refused.
 */
export function clientKeys(
  given: readonly Readonly<Record<string, unknown>>[],
): ClientKeys | { readonly problem: string } {
  const kept: JsonWebKey[] = []
  for (const jwk of given) {
    const { kty, use, alg } = jwk
    if (kty === 'oct' || privateMembers.some((name) => jwk[name] !== undefined))
      return { problem: 'expected public keys, got a secret one: take it out of use' }
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
