import type { Random } from '../kernel/id.ts'

const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789' // nothing that reads like something else

/** A password for a person to type once: 20 letters in groups of five, 99 bits. */
export function passphrase(random: Random): string {
  const letters = Array.from(random.bytes(20), (byte) => alphabet[byte % alphabet.length])
  return [0, 5, 10, 15].map((at) => letters.slice(at, at + 5).join('')).join('-')
}
