/** A key of `crypto.subtle`, by the name that both browsers and Node have for its type. */
export type PlatformKey = Parameters<typeof crypto.subtle.sign>[1]

/** A secret that is shared with the house: its text, its bytes, or a key of `crypto.subtle` for HMAC with SHA-256. */
export type SharedSecret = string | Uint8Array | PlatformKey

/** HMAC-SHA-256 of a message. */
export async function keyedHash(
  secret: SharedSecret,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', await hmacKey(secret), message))
}

export async function hmacKey(secret: SharedSecret): Promise<PlatformKey> {
  if (secret instanceof CryptoKey) return secret
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : new Uint8Array(secret)
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
}

/** Pieces of a message in one. */
export function joined(...pieces: readonly (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const parts = pieces.map((piece) => (typeof piece === 'string' ? new TextEncoder().encode(piece) : piece))
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}
