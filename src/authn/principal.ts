import type { Actor } from './actor.ts'
import type { MachineCredential, OwnLimit } from './holder.ts'
import type { Proof } from './proof.ts'

/** Who is asking, once proven. It is logged and traced: handles, never secrets. */
export interface Principal {
  readonly type: 'user' | 'service' | 'agent' | 'anonymous'
  readonly id: string
  readonly credential: Credential
  readonly roles: readonly string[]
  readonly permissions: ReadonlySet<string>
  readonly scopes: ReadonlySet<string>
  readonly attributes: Attributes
  /** Who acts as this subject (RFC 8693 §4.1 `act`): an administrator in their stead, a program that was handed their errand. */
  readonly actor: Actor | undefined
  /** The OAuth client that asks in the subject's name, or for itself; undefined where the person uses no client of others. */
  readonly client: string | undefined
  /** How often this credential may be used, over and above the limits of the routes. */
  readonly limit: OwnLimit | undefined
}

/** What proved it, by handle. */
export type Credential =
  | { readonly kind: 'none' }
  | MachineCredential
  | {
      readonly kind: 'access-token' | 'browser-session'
      /** `jti`, or the session where the cookie itself is the credential. */
      readonly id: string
      /** `sid`: the session, and so the family of refresh tokens, that it belongs to. */
      readonly session: string
      /** Seconds since the epoch, as in the token. */
      readonly issuedAt: number
      readonly expiresAt: number
      readonly proof: Proof
    }

export type Attributes = Readonly<Record<string, string | number | boolean | readonly string[]>>

export const anonymous: Principal = {
  type: 'anonymous',
  id: 'anonymous',
  credential: { kind: 'none' },
  roles: [],
  permissions: new Set(),
  scopes: new Set(),
  attributes: {},
  actor: undefined,
  client: undefined,
  limit: undefined,
}
