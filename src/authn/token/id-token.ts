import { hash } from 'node:crypto'
import type { SigningAlgorithm } from '../../keys/signing-key.ts'
import { amrOf, levelOf, type Proof } from '../proof.ts'
import type { Members } from './jws.ts'

/** Whom an ID token tells of, and whom it tells (OpenID Connect Core §2). */
export interface IdTokenSubject {
  /** The id of the client that asked. */
  readonly client: string
  readonly subject: string
  readonly session: string
  readonly proof: Proof
  /** As the client sent it; it binds the token to its request. */
  readonly nonce: string | undefined
  /** The access token that is handed out beside it. */
  readonly accessToken?: string | undefined
  /** What else was asked for, such as `email`. None of it takes the place of a claim of the protocol. */
  readonly claims: Members
}

export const idTokenTtlMs = 3_600_000

export function idTokenClaims(
  { client, subject, session, proof, nonce, accessToken, claims }: IdTokenSubject,
  issuer: string,
  algorithm: SigningAlgorithm,
  now: number,
): Members {
  const issuedAt = Math.floor(now / 1000)
  return {
    ...claims,
    iss: issuer,
    sub: subject,
    aud: client,
    iat: issuedAt,
    exp: issuedAt + idTokenTtlMs / 1000,
    auth_time: Math.floor(proof.at / 1000),
    acr: levelOf(proof.methods),
    amr: amrOf(proof.methods),
    sid: session,
    ...(nonce === undefined ? {} : { nonce }),
    ...(accessToken === undefined ? {} : { at_hash: halfHash(accessToken, algorithm) }),
  }
}

/** OpenID Connect Core §3.1.3.6: the left half of the hash that the signature is made with; Ed25519 hashes by SHA-512. */
function halfHash(text: string, algorithm: SigningAlgorithm): string {
  const digest = hash(algorithm === 'EdDSA' ? 'sha512' : 'sha256', text, 'buffer')
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
