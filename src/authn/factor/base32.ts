/** Five bits to a letter, most significant first, without padding (RFC 4648 §6), in an alphabet of 32. */
export function base32(bytes: Uint8Array, alphabet: string): string {
  let text = ''
  let held = 0
  let heldBits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    for (heldBits += 8; heldBits >= 5; ) {
      heldBits -= 5
      text += alphabet[(held >> heldBits) & 31]
    }
    held &= (1 << heldBits) - 1
  }
  return heldBits === 0 ? text : text + alphabet[(held << (5 - heldBits)) & 31]
}

/** The letters of RFC 4648 §6, which authenticator apps read. */
export const rfc4648 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Crockford's letters, which people read: without I, L, O and U. */
export const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
