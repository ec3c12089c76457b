/** The end of the number that begins at a place: decimal, hexadecimal, binary, with fraction, exponent or the letter of a type. */
export function afterNumber(text: string, start: number): number {
  let at = start
  if (text.charCodeAt(at) === 0x30) {
    const mark = text.charCodeAt(at + 1) | 0x20
    if (mark === 0x78 && isHex(text.charCodeAt(at + 2))) {
      at += 2
      while (isHex(text.charCodeAt(at))) at++
      return at
    }
    if (mark === 0x62 && isBinary(text.charCodeAt(at + 2))) {
      at += 2
      while (isBinary(text.charCodeAt(at))) at++
      return at
    }
  }
  at = afterDigits(text, at)
  if (text.charCodeAt(at) === 0x2e) at = afterDigits(text, at + 1)
  if ((text.charCodeAt(at) | 0x20) !== 0x65) return at
  const sign = text.charCodeAt(at + 1)
  const exponent = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1
  const end = afterDigits(text, exponent)
  if (end > exponent) return end
  // `1.e(`: MySQL reads an exponent without digits, and forgets it
  return text.charCodeAt(exponent) === 0x28 || text.charCodeAt(exponent) === 0x2e ? exponent : at
}

function afterDigits(text: string, start: number): number {
  let at = start
  while (text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++
  return at
}

function isHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66)
}

function isBinary(code: number): boolean {
  return code === 0x30 || code === 0x31
}
