/** Who is asking, once proven. It is logged and traced: handles, never secrets. */
export interface Principal {
  readonly type: 'user' | 'service' | 'agent' | 'anonymous'
  readonly id: string
  readonly credential: Credential
  readonly roles: readonly string[]
  readonly permissions: ReadonlySet<string>
  readonly scopes: ReadonlySet<string>
  readonly attributes: Attributes
  /** The agent that acts for this subject (RFC 8693 §4.1 `act`). */
  readonly actor: Principal | undefined
}

/** What proved it, by handle. */
export type Credential =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'access-token'
      /** `jti` */
      readonly id: string
      /** `sid`: the session, and so the family of refresh tokens, that it was issued in. */
      readonly session: string
      /** Seconds since the epoch, as in the token. */
      readonly issuedAt: number
      readonly expiresAt: number
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
}
