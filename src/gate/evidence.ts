import { contentDigest, signMessage } from '../authn/signature/sign-message.ts'
import { Assertions } from '../authn/token/assertion.ts'
import { base64url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Random } from '../kernel/id.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { SigningAlgorithm } from '../keys/signing-key.ts'

/**
 * What shows an upstream that a request came through the gate, and as whom: a short-lived JWT, and where the upstream is
 * said to want it a signature over the message (RFC 9421). Both verify with the JWK Set of the house.
 */
export interface Evidence {
  /** `X-Gatehouse-Assertion`. */
  readonly assertions: Assertions
  /** The fields that sign a request to an upstream, as name, value, name, value. */
  signatureOf(request: OutgoingRequest): string[]
}

export interface OutgoingRequest {
  readonly method: string
  /** The whole address that is asked for. */
  readonly url: string
  /** Fields of the request, as name, value, name, value. */
  readonly fields: readonly string[]
  /** The body, where all of it is known: one that streams is not covered. */
  readonly body: Uint8Array | undefined
}

export function openEvidence({
  keyring,
  issuer,
  clock,
  random,
}: {
  /** Of asymmetric keys: what only we could verify would show nobody anything. */
  readonly keyring: Keyring
  readonly issuer: string
  readonly clock: Clock
  readonly random: Random
}): Evidence {
  return {
    assertions: new Assertions({ keyring, issuer, clock }),
    signatureOf({ method, url, fields, body }) {
      const { kid, algorithm, privateKey } = keyring.signing()
      const digest = body === undefined ? [] : ['Content-Digest', contentDigest(body)]
      const headers = byName([...fields, ...digest])
      const { signatureInput, signature } = signMessage({
        method,
        targetUri: url,
        headers,
        components: [...always, ...sometimes.filter((name) => headers.has(name))],
        keyid: kid,
        alg: algorithms[algorithm],
        key: privateKey,
        created: Math.floor(clock.now() / 1000),
        nonce: base64url(random.bytes(16)),
        tag: 'gatehouse',
        label: 'gatehouse',
      })
      return [...digest, 'Signature-Input', signatureInput, 'Signature', signature]
    },
  }
}

/** The algorithm of RFC 9421 §3.3 for a key of ours. */
const algorithms = {
  EdDSA: 'ed25519',
  ES256: 'ecdsa-p256-sha256',
  RS256: 'rsa-v1_5-sha256',
  HS256: 'hmac-sha256',
} as const satisfies Record<SigningAlgorithm, string>

/** Fields by their lower-case names; of the same name, with commas between (RFC 9110 §5.2). */
function byName(fields: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (let at = 0; at < fields.length; at += 2) {
    const name = (fields[at] as string).toLowerCase()
    const before = headers.get(name)
    const value = fields[at + 1] as string
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return headers
}

const always = ['@method', '@authority', '@path', '@query']
/** Fields that are covered where the request has them: what is said of the caller, and of the body. */
const sometimes = ['content-digest', 'content-type', 'x-request-id', 'x-gatehouse-assertion']
