import type { Part } from './multipart.ts'

/** What a part holds from now on. */
export interface RewrittenPart {
  readonly bytes: Uint8Array
  /** Its `Content-Type`, where that is another one now. */
  readonly contentType?: string | undefined
}

/**
 * A form of which `rewrite` says what its parts hold; undefined leaves one as it is. All else stays byte for byte, but for the
 * headers that would not be true any more.
 */
export function rewriteMultipart(
  body: Uint8Array,
  parts: readonly Part[],
  rewrite: (part: Part) => RewrittenPart | undefined,
): Uint8Array {
  const pieces: Uint8Array[] = []
  let from = 0
  for (const part of parts) {
    const rewritten = rewrite(part)
    if (rewritten === undefined) continue
    const head = part.head.byteOffset - body.byteOffset
    const start = part.bytes.byteOffset - body.byteOffset
    pieces.push(body.subarray(from, head), headOf(part, rewritten), rewritten.bytes)
    from = start + part.bytes.byteLength
  }
  if (pieces.length === 0) return body
  pieces.push(body.subarray(from))
  return Buffer.concat(pieces)
}

/** Some clients announce the length of each part, and some readers believe them. */
function headOf({ head }: Part, { bytes, contentType }: RewrittenPart): Uint8Array {
  const lines = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8').split('\r\n')
  const written = lines.map((line) => {
    if (/^content-length:/i.test(line)) return `Content-Length: ${bytes.byteLength}`
    return contentType !== undefined && /^content-type:/i.test(line) ? `Content-Type: ${contentType}` : line
  })
  return Buffer.from(`${written.join('\r\n')}\r\n\r\n`)
}
