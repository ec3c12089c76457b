import { createCipheriv, createDecipheriv } from 'node:crypto'
import { base64url, fromBase64url } from '../kernel/bytes.ts'
import type { Random } from '../kernel/id.ts'

/**
 * Seals a text for one place: AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D §8.2.2) and the place as additional
 * data, so that a sealed value moved to another table, column or row does not open.
 */
export function seal(key: Uint8Array, text: string, place: string, random: Random): string {
  const nonce = random.bytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(place))
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return version + base64url(sealed)
}

/** What was sealed, or undefined: another key, another place, or a changed text. */
export function open(key: Uint8Array, sealed: string, place: string): string | undefined {
  if (!sealed.startsWith(version)) return undefined
  const bytes = fromBase64url(sealed.slice(version.length))
  if (bytes === undefined || bytes.length < 28) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
  decipher.setAAD(Buffer.from(place))
  decipher.setAuthTag(bytes.subarray(-16))
  try {
    return decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}

const version = 'v1.'
