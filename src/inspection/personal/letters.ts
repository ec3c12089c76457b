/**
 * Bytes as letters, five bits each. There is no digit in it, nor a mark: what is written so looks like no number, no address and no
 * key, and is not found again.
 */
export function letters(bytes: Uint8Array): string {
  let text = ''
  let [value, bits] = [0, 0]
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += letterSet.charAt((value >> (bits - 5)) & 31)
  }
  return bits === 0 ? text : text + letterSet.charAt((value << (5 - bits)) & 31)
}

/** The bytes of a text, or undefined unless the text is the one spelling of them. */
export function fromLetters(text: string): Buffer | undefined {
  const bytes = Buffer.alloc(Math.floor((text.length * 5) / 8))
  let [value, bits, at] = [0, 0, 0]
  for (const letter of text) {
    const five = letterSet.indexOf(letter)
    if (five < 0) return undefined
    value = ((value << 5) | five) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (value >> bits) & 0xff
    }
  }
  return letters(bytes) === text ? bytes : undefined
}

export const letterSet = 'abcdefghijklmnopqrstuvwxyzBCDFGH'
