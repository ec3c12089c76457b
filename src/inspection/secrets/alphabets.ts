export const base58 = '[1-9A-HJ-NP-Za-km-z]'
export const hexDigits = '[0-9a-fA-F]'

/** Shannon's entropy of the characters of a text, in bits a character: 16 equally frequent characters have 4. */
export function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}
