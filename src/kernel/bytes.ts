import { hash, timingSafeEqual } from 'node:crypto'

/** Base64url without padding (RFC 4648 §5). */
export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

/** The bytes of a base64url text, or undefined unless the text is the one canonical spelling of them. */
export function fromBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

/** Compares without telling by its time where two secrets differ. Lengths are not secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b)
}

/** SHA-256 as hex: a name for a text that should not be kept itself. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex')
}

/** UTF-8 as it is written, a mark at its beginning included; throws where it is none. */
export const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
