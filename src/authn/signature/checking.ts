import type { RawHeaders } from '../../http/raw-headers.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Refusal } from '../../kernel/error.ts'
import type { Holder, Signer } from '../holder.ts'

/** A request as it was signed, before its body. */
export interface SignedHead {
  readonly method: string
  /** As it was sent: percent-encoding is part of what was signed. */
  readonly path: string
  /** As it was sent, with its `?`, or ''. */
  readonly query: string
  /** `Host`, as it was sent. */
  readonly authority: string
  /** As the signer used it: https also where a trusted proxy ends the TLS. */
  readonly scheme: 'http' | 'https'
  readonly headers: RawHeaders
  readonly hasBody: boolean
}

/** A signature that its head does not give the lie, and that waits for the body. For one request. */
export interface Checking {
  /** As whom it claims to be signed; nothing is proven before `finish`. */
  readonly holder: Holder
  /** Whether the body is covered: otherwise it need not be read. */
  readonly coversBody: boolean
  /** The body, piece by piece. */
  update(chunk: Uint8Array): void
  /** Undefined when it holds. It is remembered as said only then. Of several who say it at one moment, one holds. */
  finish(): Promise<Refusal | undefined>
  /** Once it has held: who has signed, as they are now; undefined where they, or the key that signed, are known no more. */
  signer(): Holder | undefined
}

/** One form of signature, as a route demands it. */
export interface SignatureScheme {
  /** `signature-required` when none came, `signature-invalid` for what the head alone shows to be wrong. */
  begin(head: SignedHead): Checking | Refusal
}

/** What every form leans on. */
export interface SignatureParts {
  /** A service by name. */
  readonly signerOf: (name: string) => Signer | undefined
  /** A service by the id of one of its public keys. */
  readonly byKeyId: (kid: string) => Signer | undefined
  /** Whether nobody has said this before, on any node; from now on somebody has, until then at least. */
  readonly isFresh: (said: string, expiresAtMs: number) => Promise<boolean>
  /** The longest window of any scheme: what one has taken is remembered for as long as another could. */
  readonly windowMaxMs: number
  readonly clock: Clock
}

/** Stands for a service that is not there, while its signature is checked all the same. It holds nothing, and comes from nowhere. */
export const nobody: Holder = {
  type: 'service',
  id: 'nobody',
  credential: { kind: 'signature', id: 'nobody' },
  roles: [],
  permissions: [],
  lent: [],
  scopes: undefined,
  organisation: undefined,
  limit: undefined,
  from: () => false,
}
