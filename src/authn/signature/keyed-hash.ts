import { createHmac, createSecretKey, type Hmac, type KeyObject, randomBytes } from 'node:crypto'
import { equalBytes } from '../../kernel/bytes.ts'

/** HMAC-SHA-256 (RFC 2104) of one message under each secret of a service. */
export class KeyedHash {
  readonly #hashes: readonly Hmac[]

  /** Without a secret it hashes under one that nobody has: an unknown service takes as long as a known one. */
  constructor(secrets: readonly KeyObject[]) {
    this.#hashes = (secrets.length === 0 ? nobodys : secrets).map((secret) => createHmac('sha256', secret))
  }

  update(data: string | Uint8Array): void {
    for (const hash of this.#hashes) hash.update(data)
  }

  /** Whether it is the hash under any of them. Which one does not show in the time. */
  equals(presented: Uint8Array): boolean {
    let holds = false
    for (const hash of this.#hashes) if (equalBytes(hash.digest(), presented)) holds = true
    return holds
  }
}

const nobodys: readonly KeyObject[] = [createSecretKey(randomBytes(32))]
