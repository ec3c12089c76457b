/** A client as the protocol needs it. */
export interface KnownClient {
  readonly id: string
  readonly name: string
  /** Made by an operator: it may be remembered, and may ask for privileged scopes. */
  readonly verified: boolean
  readonly confidential: boolean
  /** RFC 7591 §2 without `scope`; a stand-in where a secret would be. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** What it may ask for, of what is about an API; undefined where nothing was said. */
  readonly scopes: ReadonlySet<string> | undefined
}

/** Clients by id, wherever they come from. */
export interface ClientBook {
  find(id: string): Promise<KnownClient | undefined>
  /** Constant in time, and the same work for a client that is not there. */
  verifySecret(id: string, secret: string): Promise<boolean>
}

/** What is asked for: resource → scopes, by identifier; under `openid` those that are about the person. */
export type Asked = Readonly<Record<string, readonly string[]>>

/** An error that is for a person to read, and not for a client (RFC 9700 §4.11). */
export interface PersonProblem {
  readonly error: string
  readonly description: string
}
