import type { KeyObject } from 'node:crypto'

/**
 * Whose the credential of a machine is, once it has held, and what it lends. The same credential is the same object for as
 * long as nothing about it or its owner changed: what is worked out from it is kept beside it.
 */
export interface Holder {
  /** `user`: a person's own program, by an API key of theirs. */
  readonly type: 'user' | 'service'
  /** The account; the service or organisation by name. */
  readonly id: string
  readonly credential: MachineCredential
  /** What the owner holds: by roles, and by permissions given directly. */
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  /** What the credential lends of that; undefined: all of it. */
  readonly lent: readonly string[] | undefined
  /** Where there are any, the credential is measured by scope like a client of other people; undefined: it is not. */
  readonly scopes: readonly string[] | undefined
  /** The organisation that it was made for. */
  readonly organisation: string | undefined
  /** Who had it made for a person, and so may act as them, by id. */
  readonly actor?: string | undefined
  /** How often it may be used, over and above the limits of the routes. */
  readonly limit: OwnLimit | undefined
  /** Whether it may be used from an address; undefined: from every one. */
  readonly from: ((address: string) => boolean) | undefined
}

/** A credential without a sign-in behind it, by handle. */
export interface MachineCredential {
  readonly kind: 'api-key' | 'service-token' | 'signature' | 'certificate'
  /** The key's id; the service by name; the thumbprint of the certificate. */
  readonly id: string
}

export interface OwnLimit {
  readonly limit: number
  readonly windowMs: number
  /** The keys that are counted together, those that took over from each other; left out, all that a service shows. */
  readonly by?: string
  /** Another that has to leave room as well: that of the service whose key it is. */
  readonly within?: OwnLimit | undefined
}

/** A service that is known here, with what its signatures are checked by. */
export interface Signer {
  readonly name: string
  /** As whom it signs: `credential.kind` is `signature`. */
  readonly holder: Holder
  /** Its secrets, the newest first: two while one takes over from the other. */
  readonly secrets: readonly KeyObject[]
  readonly publicKeys: readonly { readonly kid: string; readonly key: KeyObject }[]
}
