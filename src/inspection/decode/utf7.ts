import { Rewrite } from './rewrite.ts'

/**
 * A text whose UTF-7 is undone (RFC 2152): `+ADw-script+AD4-`. Only where it hides ASCII; a `+` has other meanings. Undefined where
 * there is none.
 */
export function decodeUtf7(text: string): string | undefined {
  const rewrite = new Rewrite(text)
  for (let at = text.indexOf('+A'); at >= 0; at = text.indexOf('+A', at + 1)) {
    shifted.lastIndex = at + 1
    const run = shifted.exec(text)
    if (run === null) continue
    const hidden = utf16(run[1] as string)
    if (hidden === undefined) continue
    rewrite.replace(at, shifted.lastIndex, hidden)
    at = shifted.lastIndex - 1
  }
  return rewrite.result()
}

/** What stands behind the `+`: bounded, since what is longer than so is text of another kind. */
const shifted = /(A[A-H][A-Za-z0-9+/]{1,512})-?/y

/** Big-endian, without a byte left over, and ASCII. */
function utf16(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length < 2) return undefined
  let hidden = ''
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const unit = bytes.readUInt16BE(at)
    if (unit > 0x7f || unit === 0) return undefined
    hidden += String.fromCharCode(unit)
  }
  return bytes.length % 2 === 0 ? hidden : undefined
}
