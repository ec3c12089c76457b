import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { equalBytes } from '../../kernel/bytes.ts'
import { type SecretKind, secretKindNames } from '../secrets/kinds.ts'
import { type PersonalKind, personalKindNames } from './kinds.ts'
import { fromLetters, letterSet, letters } from './letters.ts'

/** Puts sealed texts in the place of what they hold, for people who may open them again. */
export interface TokenSeal {
  /** `[email:tok_…]` */
  seal(kind: PersonalKind | SecretKind, value: string): string
}

/** Opens the tokens of a text again. */
export interface TokenOpening {
  /** The text with every token opened that this house has sealed, as what it stands for; a forged or a changed one stays as it is. */
  open(text: string): string
}

/**
 * Seals values of each kind by themselves under a key of 32 bytes: AES-256-GCM, whose nonce is a keyed hash of kind and value, so
 * that one value has one token (as in RFC 8452 §4, a nonce that comes again comes with the same text only). A token holds
 * all it needs; no table remembers it.
 */
export function sealTokens(key: Uint8Array): TokenSeal {
  const keys = keysOf(key)
  return {
    seal(kind, value) {
      const nonce = nonceOf(keys.nonce, kind, value)
      const cipher = createCipheriv('aes-256-gcm', keys.cipher, nonce)
      cipher.setAAD(Buffer.from(kind))
      const sealed = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `[${kind}:${mark}${letters(sealed)}]`
    },
  }
}

export function openTokens(key: Uint8Array): TokenOpening {
  const keys = keysOf(key)
  return {
    open: (text) =>
      text.replace(tokens, (written: string, kind: string, sealed: string) => openOne(keys, kind, sealed) ?? written),
  }
}

interface Keys {
  readonly cipher: Buffer
  readonly nonce: Buffer
}

function keysOf(key: Uint8Array): Keys {
  if (key.byteLength !== 32) throw new Error(`a token key has 32 bytes, got ${key.byteLength}`)
  const derive = (purpose: string): Buffer => createHmac('sha256', key).update(`redaction token ${purpose}`).digest()
  return { cipher: derive('cipher'), nonce: derive('nonce') }
}

function nonceOf(key: Uint8Array, kind: string, value: string): Buffer {
  return createHmac('sha256', key).update(`${kind}\0${value}`).digest().subarray(0, 12)
}

function openOne(keys: Keys, kind: string, written: string): string | undefined {
  const bytes = fromLetters(written)
  if (bytes === undefined || bytes.length < 28) return undefined
  const nonce = bytes.subarray(0, 12)
  const decipher = createDecipheriv('aes-256-gcm', keys.cipher, nonce, { authTagLength: 16 })
  decipher.setAAD(Buffer.from(kind))
  decipher.setAuthTag(bytes.subarray(-16))
  let value: string
  try {
    value = decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
  return equalBytes(nonceOf(keys.nonce, kind, value), nonce) ? value : undefined
}

const mark = 'tok_'

/** The longest holds a private key of 8,192 characters, each of four bytes at most. */
const tokens = new RegExp(
  `\\[(${[...personalKindNames, ...secretKindNames].join('|')}):${mark}([${letterSet}]{46,60000})\\]`,
  'g',
)
