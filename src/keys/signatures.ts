import { createHmac, sign, verify } from 'node:crypto'
import { equalBytes } from '../kernel/bytes.ts'
import type { SigningAlgorithm, SigningKey } from './signing-key.ts'

/** How each algorithm signs and checks (RFC 7518 §3.1, RFC 8037 §3.1). A signature that is none, or too short, is just wrong. */
export const signatures: Readonly<
  Record<
    SigningAlgorithm,
    {
      sign(key: SigningKey, text: string): Buffer
      verify(key: Pick<SigningKey, 'publicKey'>, text: string, signature: Buffer): boolean
    }
  >
> = {
  HS256: {
    sign: ({ privateKey }, text) => createHmac('sha256', privateKey).update(text).digest(),
    verify: ({ publicKey }, text, signature) =>
      equalBytes(createHmac('sha256', publicKey).update(text).digest(), signature), // the secret, in both places
  },
  EdDSA: {
    sign: ({ privateKey }, text) => sign(null, Buffer.from(text), privateKey),
    verify: ({ publicKey }, text, signature) => verify(null, Buffer.from(text), publicKey, signature),
  },
  ES256: {
    sign: ({ privateKey }, text) => sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    verify: ({ publicKey }, text, signature) =>
      verify('sha256', Buffer.from(text), { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature),
  },
  RS256: {
    sign: ({ privateKey }, text) => sign('sha256', Buffer.from(text), privateKey),
    verify: ({ publicKey }, text, signature) => verify('sha256', Buffer.from(text), publicKey, signature),
  },
}
