/**
 * Bytes as text. The charsets that are read are those whose readers agree: UTF-8, which it is where nobody says, UTF-16 and
 * Latin-1. In any other, and in bytes that are none of theirs, a program could read what was not looked at.
 */
export function textOf(
  bytes: Uint8Array,
  charset: string | undefined,
): { readonly text: string } | { readonly problem: string } {
  const said = (charset ?? 'utf-8').toLowerCase()
  const label = said === 'utf-16' && bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : charsets.get(said)
  if (label === undefined) return { problem: 'expected the charset utf-8, utf-16 or iso-8859-1, got another' }
  const marked = label === 'utf-8' ? byteOrderMarked(bytes) : undefined
  if (marked !== undefined) return { problem: `expected UTF-8, got a byte order mark of ${marked}` }
  try {
    return { text: new TextDecoder(label, { fatal: true }).decode(bytes) }
  } catch {
    return { problem: `expected ${label}, got bytes that are none` }
  }
}

/** To the decoders of the Encoding standard, which reads Latin-1 as windows-1252, as browsers do. */
const charsets: ReadonlyMap<string, string> = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  ['utf-16', 'utf-16le'],
  ['utf-16le', 'utf-16le'],
  ['utf-16be', 'utf-16be'],
  ['iso-8859-1', 'windows-1252'],
  ['latin1', 'windows-1252'],
  ['windows-1252', 'windows-1252'],
])

function byteOrderMarked([first, second]: Uint8Array): string | undefined {
  if (first === 0xfe && second === 0xff) return 'UTF-16, big-endian'
  if (first === 0xff && second === 0xfe) return 'UTF-16, little-endian'
  return undefined
}
