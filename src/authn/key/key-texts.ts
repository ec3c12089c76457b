import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { equalBytes } from '../../kernel/bytes.ts'
import type { Random } from '../../kernel/id.ts'
import { base62, idLength, keyTailLength, readKeyText, secretLength, writeKeyText } from '../../kernel/key-text.ts'
import type { RootKey } from '../../keys/root.ts'
import type { KeyOptions } from './options.ts'

/** The texts of keys: how they are made, and what is kept of them. */
export class KeyTexts {
  readonly prefix: string
  readonly #prefixes: ReadonlySet<string>
  readonly #random: Random
  readonly #hashKey: KeyObject
  readonly #idKey: KeyObject

  constructor({
    random,
    root,
    options,
  }: { readonly random: Random; readonly root: RootKey; readonly options: KeyOptions }) {
    this.prefix = options.prefix
    this.#prefixes = new Set([options.prefix, ...options.previousPrefixes])
    this.#random = random
    this.#hashKey = createSecretKey(root.derive('api keys'))
    this.#idKey = createSecretKey(root.derive('api key ids'))
  }

  /**
   * An id that nobody else has. Half of it is chance and the rest a keyed checksum of that: whoever asks for ids of their own
   * invention, by the million, is told without a query that we made none of them.
   */
  newId(): string {
    const chance = base62(numberOf(this.#random.bytes(8)) % 62n ** BigInt(chanceLength), chanceLength)
    return chance + this.#tagOf(chance)
  }

  /** A new key of this id: 256 bits of chance. It is in no store, and shown once. */
  write(id: string): string {
    return writeKeyText(this.prefix, id, base62(numberOf(this.#random.bytes(32)), secretLength))
  }

  /** Where an id stands in a text as long as a key of this house; undefined for another. What it is of is not asked. */
  idIn(text: string): string | undefined {
    const at = text.length - keyTailLength
    return at > 0 && this.#prefixes.has(text.slice(0, at - 1)) ? text.slice(at, at + idLength) : undefined
  }

  /** The id of what is written like a key of this house; undefined for another text. */
  idOf(text: string): string | undefined {
    const key = readKeyText(text)
    return key !== undefined && this.#prefixes.has(key.prefix) ? key.id : undefined
  }

  /** Whether an id was made here. */
  isOurs(id: string): boolean {
    if (!idForm.test(id)) return false
    return equalBytes(Buffer.from(this.#tagOf(id.slice(0, chanceLength))), Buffer.from(id.slice(chanceLength)))
  }

  /** What is kept of a key: HMAC-SHA-256 over the whole of it. */
  hashOf(text: string): Buffer {
    return createHmac('sha256', this.#hashKey).update(text).digest()
  }

  #tagOf(chance: string): string {
    const tag = createHmac('sha256', this.#idKey).update(chance).digest().readUInt32BE(0)
    return base62(BigInt(tag) % 62n ** BigInt(tagLength), tagLength)
  }
}

const tagLength = 5
const chanceLength = idLength - tagLength
const idForm = /^[0-9A-Za-z]{15}$/

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}
