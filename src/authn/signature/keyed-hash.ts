import { createHmac, createSecretKey, type Hmac, type KeyObject, randomBytes } from 'node:crypto'
import { equalBytes } from '../../kernel/bytes.ts'

/** HMAC-SHA-256 (RFC 2104) of one message under each secret of a service. */
export class KeyedHash {
  readonly #hashes: readonly { readonly secret: KeyObject; readonly hash: Hmac }[]

  /** Without a secret it hashes under one that nobody has: an unknown service takes as long as a known one. */
  constructor(secrets: readonly KeyObject[]) {
    this.#hashes = (secrets.length === 0 ? nobodys : secrets).map((secret) => ({
      secret,
      hash: createHmac('sha256', secret),
    }))
  }

  update(data: string | Uint8Array): void {
    for (const { hash } of this.#hashes) hash.update(data)
  }

  /** The secret under which it is the hash, if there is one. Which one does not show in the time. */
  secretOf(presented: Uint8Array): KeyObject | undefined {
    let found: KeyObject | undefined
    for (const { secret, hash } of this.#hashes) if (equalBytes(hash.digest(), presented)) found = secret
    return found
  }
}

const nobodys: readonly KeyObject[] = [createSecretKey(randomBytes(32))]
