/**
 * Bytes as text. The charsets that are read are those whose readers agree: UTF-8, which it is where nobody says, UTF-16 and
 * Latin-1. In any other, and in bytes that are none of theirs, a program could read what was not looked at.
 */
export function textOf(
  bytes: Uint8Array,
  charset: string | undefined,
): { readonly text: string } | { readonly problem: string } {
  const said = (charset ?? 'utf-8').toLowerCase()
  const marked = byteOrderMark(bytes)
  // Without a mark it is big-endian to some readers (RFC 2781 §4.3), and little-endian to others (Encoding §14.4).
  if (said === 'utf-16' && marked?.startsWith('utf-16') !== true)
    return { problem: 'expected a byte order mark with the charset utf-16; utf-16le and utf-16be need none' }
  const label = said === 'utf-16' ? marked : charsets.get(said)
  if (label === undefined) return { problem: 'expected the charset utf-8, utf-16 or iso-8859-1, got another' }
  // A mark goes over the charset that is said, for some of its readers (Encoding §6).
  if (marked !== undefined && marked !== label)
    return { problem: `expected ${label}, got a byte order mark of ${marked}` }
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
  ['utf-16le', 'utf-16le'],
  ['utf-16be', 'utf-16be'],
  ['iso-8859-1', 'windows-1252'],
  ['latin1', 'windows-1252'],
  ['windows-1252', 'windows-1252'],
])

function byteOrderMark([first, second, third]: Uint8Array): 'utf-8' | 'utf-16be' | 'utf-16le' | undefined {
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xef && second === 0xbb && third === 0xbf ? 'utf-8' : undefined
}

/**
 * Whether bytes begin as JSON or XML do, in UTF-8 or UTF-16, with or without a mark: there are programs that parse whatever comes, by
 * whatever name. White space alone may be the beginning of either. `beginningBytes` of them tell.
 */
export function beginsLikeText(bytes: Uint8Array): boolean {
  if (byteOrderMark(bytes) !== undefined) return true
  const first = bytes.findIndex((byte) => byte !== 0x20 && (byte < 0x09 || byte > 0x0d))
  const byte = bytes[first] === 0 ? bytes[first + 1] : bytes[first]
  return first < 0 || byte === 0x7b || byte === 0x5b || byte === 0x3c // `{`, `[`, `<`
}

export const beginningBytes = 16
