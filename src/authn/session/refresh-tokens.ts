import { createHmac } from 'node:crypto'
import { base64url, equalBytes, fromBase64url, sha256Hex } from '../../kernel/bytes.ts'
import type { RootKey } from '../../keys/root.ts'

/** A refresh token that was ours once; whether it is the living one, the store knows. */
export interface ReadToken {
  /** Its family. */
  readonly id: string
  readonly generation: number
  readonly secret: Buffer
}

/** What every refresh token begins with: scanners and our own log redaction know one by it. */
export const refreshTokenPrefix = 'gh_rt_'

/**
 * How refresh tokens are written. A successor's secret is derived from its predecessor's, so that refreshes that race all
 * arrive at the same one, and the store keeps nothing but hashes (docs/decisions/0002).
 */
export class RefreshTokens {
  readonly #successorKey: Buffer
  readonly #tagKey: Buffer

  constructor(root: RootKey) {
    this.#successorKey = root.derive('refresh token successors')
    this.#tagKey = root.derive('refresh token tags')
  }

  write({ id, generation, secret }: ReadToken): string {
    const tag = this.#tag(id, generation, secret)
    return `${refreshTokenPrefix}${id}.${generation}.${base64url(secret)}.${base64url(tag)}`
  }

  /** A token that carries our tag was once ours. An invented one cannot: it ends nobody's family. */
  read(text: string): ReadToken | undefined {
    const parts = form.exec(text)
    if (parts === null) return undefined
    const [, id = '', generationText = '', secretText = '', tagText = ''] = parts
    const secret = fromBase64url(secretText)
    const tag = fromBase64url(tagText)
    const generation = Number(generationText)
    if (secret === undefined || tag === undefined) return undefined
    return equalBytes(tag, this.#tag(id, generation, secret)) ? { id, generation, secret } : undefined
  }

  /** The one token that can come after this one. */
  successor({ id, generation, secret }: ReadToken): ReadToken {
    const next = createHmac('sha256', this.#successorKey).update(`${id}.${generation}.`).update(secret).digest()
    return { id, generation: generation + 1, secret: next }
  }

  #tag(id: string, generation: number, secret: Buffer): Buffer {
    return createHmac('sha256', this.#tagKey).update(`${id}.${generation}.`).update(secret).digest().subarray(0, 16)
  }
}

/** What the store keeps of a token. */
export function hashOf({ secret }: Pick<ReadToken, 'secret'>): string {
  return sha256Hex(secret)
}

const form = /^gh_rt_([0-9a-f-]{36})\.(0|[1-9]\d{0,14})\.([\w-]{43})\.([\w-]{22})$/
