import { strictUtf8 } from '../../kernel/bytes.ts'
import { isUtf8 } from './form.ts'
import { readMediaType, readParameters } from './media-type.ts'

/** One part of a form, its bytes where they stand in the body. */
export interface Part {
  readonly name: string
  /** Undefined of a value that is no file. */
  readonly filename: string | undefined
  /** As it was written. */
  readonly contentType: string | undefined
  /** Its headers, without the empty line behind them. */
  readonly head: Uint8Array
  readonly bytes: Uint8Array
}

export interface MultipartBounds {
  readonly partsMax?: number
}

/**
 * Reads `multipart/form-data` (RFC 7578) of which the whole body is here. What two readers could read as two different forms is a
 * problem: text before the first delimiter or after the last, a delimiter that is nearly one, a line that ends in LF alone, a
 * folded, unknown-encoded or repeated header, a name or a parameter twice in one header, a backslash in a name, parts in parts.
 */
export function readMultipart(
  body: Uint8Array,
  contentType: string,
  { partsMax = 1000 }: MultipartBounds = {},
): { readonly parts: readonly Part[] } | { readonly problem: string } {
  const delimiter = delimiterOf(contentType)
  if ('problem' in delimiter) return delimiter
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const cuts = cutsOf(bytes, delimiter.bytes, partsMax)
  if ('problem' in cuts) return cuts
  const parts: Part[] = []
  for (const { start, end } of cuts.cuts) {
    const part = readPart(bytes, start, end)
    if ('problem' in part) return { problem: `part ${parts.length + 1}: ${part.problem}` }
    parts.push(part)
  }
  return { parts }
}

/** `--` and the boundary (RFC 2046 §5.1.1). */
function delimiterOf(contentType: string): { readonly bytes: Buffer } | { readonly problem: string } {
  const media = readMediaType(contentType)
  if ('problem' in media) return media
  if (media.type !== 'multipart/form-data')
    return { problem: 'expected `multipart/form-data`, got another multipart type' }
  for (const name of media.parameters.keys()) {
    if (name !== 'boundary' && name !== 'charset') return { problem: 'expected no parameter but `boundary`' }
  }
  const charset = media.parameters.get('charset')
  if (charset !== undefined && !isUtf8(charset)) return { problem: 'expected a form in utf-8, got another charset' }
  const boundary = media.parameters.get('boundary')
  if (boundary === undefined) return { problem: 'expected the parameter `boundary`, got none' }
  if (!boundaries.test(boundary)) return { problem: 'expected a boundary of 1 to 70 characters that RFC 2046 allows' }
  return { bytes: Buffer.from(`--${boundary}`, 'latin1') }
}

const boundaries = /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/

interface Cut {
  readonly start: number
  readonly end: number
}

/**
 * Where the parts stand. Each place where the delimiter is written has to be one: at the beginning or behind CRLF, and before
 * CRLF or, the last, before `--`. Readers that forgive white space, LF alone or a longer line would cut elsewhere.
 */
function cutsOf(
  bytes: Buffer,
  delimiter: Buffer,
  partsMax: number,
): { readonly cuts: readonly Cut[] } | { readonly problem: string } {
  const cuts: Cut[] = []
  let start = -1
  if (bytes.indexOf(delimiter) !== 0) return { problem: 'expected the body to begin with its boundary' }
  for (let at = 0; at >= 0; at = bytes.indexOf(delimiter, at + delimiter.length)) {
    if (at > 0) {
      if (!isLineEnd(bytes, at - 2)) return { problem: 'expected each boundary on a line of its own' }
      if (at - 2 < start) return { problem: 'expected each part to have headers' }
      cuts.push({ start, end: at - 2 })
      if (cuts.length > partsMax) return { problem: `expected at most ${partsMax} parts, got more` }
    }
    const after = at + delimiter.length
    if (bytes[after] === dash && bytes[after + 1] === dash) {
      const isEnd = after + 2 === bytes.length || (after + 4 === bytes.length && isLineEnd(bytes, after + 2))
      return isEnd ? { cuts } : { problem: 'expected nothing behind the last boundary' }
    }
    if (!isLineEnd(bytes, after)) return { problem: 'expected each boundary on a line of its own' }
    start = after + 2
  }
  return { problem: 'expected a last boundary, got the end' }
}

const dash = 0x2d
const carriageReturn = 0x0d
const lineFeed = 0x0a

function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === carriageReturn && bytes[at + 1] === lineFeed
}

function readPart(bytes: Buffer, start: number, end: number): Part | { readonly problem: string } {
  const headEnd = bytes.subarray(start, Math.min(end + 2, start + headBytesMax)).indexOf('\r\n\r\n')
  if (headEnd < 0) return { problem: `expected headers of at most ${headBytesMax} bytes and an empty line behind them` }
  const from = start + headEnd + 4
  if (from > end) return { problem: 'expected an empty line behind the headers' }
  const headers = readHeaders(bytes.subarray(start, start + headEnd))
  if ('problem' in headers) return headers
  const said = headers.fields
  const length = said.get('content-length')
  if (length !== undefined && length !== String(end - from))
    return { problem: 'expected `Content-Length` to be right, or not there' }
  const encoding = said.get('content-transfer-encoding')?.toLowerCase() ?? 'binary'
  if (!plainEncodings.has(encoding)) return { problem: 'expected no Content-Transfer-Encoding (RFC 7578 §4.7)' }
  const contentType = said.get('content-type')
  const media = contentType === undefined ? undefined : readMediaType(contentType)
  if (media !== undefined && 'problem' in media) return media
  if (media?.type.startsWith('multipart/') === true) return { problem: 'expected no multipart within a part' }
  const named = readDisposition(said.get('content-disposition'))
  if ('problem' in named) return named
  // A field that was left empty; with something in it, it is a file to some readers, and a value to others.
  if (named.filename === '' && from < end) return { problem: 'expected a file to have a name' }
  return { ...named, contentType, head: bytes.subarray(start, start + headEnd), bytes: bytes.subarray(from, end) }
}

const headBytesMax = 8192
const headersMax = 16
const plainEncodings: ReadonlySet<string> = new Set(['binary', '8bit', '7bit'])

/** By their names in lower case, each once. */
function readHeaders(head: Buffer): { readonly fields: ReadonlyMap<string, string> } | { readonly problem: string } {
  const fields = new Map<string, string>()
  let text: string
  try {
    text = strictUtf8.decode(head)
  } catch {
    return { problem: 'expected headers in UTF-8' }
  }
  for (const line of text.split('\r\n')) {
    const field = headerLine.exec(line)
    if (field === null)
      return { problem: 'expected each header as `name: value`, on one line and without control characters' }
    const name = (field[1] as string).toLowerCase()
    if (fields.has(name)) return { problem: `expected the header \`${name}\` once` }
    if (fields.size === headersMax) return { problem: `expected at most ${headersMax} headers` }
    fields.set(name, (field[2] as string).trim())
  }
  return { fields }
}

/** RFC 9110 §5.5, without the control characters that it lets readers replace. */
const headerLine = /^([A-Za-z0-9-]{1,64}):((?:\t|\P{Cc})*)$/u

function readDisposition(
  disposition: string | undefined,
): Pick<Part, 'name' | 'filename'> | { readonly problem: string } {
  if (disposition === undefined) return { problem: 'expected the header `content-disposition`' }
  const kind = /^form-data(?=[\t ;]|$)/i.exec(disposition)
  if (kind === null) return { problem: 'expected the disposition `form-data`' }
  const read = readParameters(disposition, kind[0].length)
  if ('problem' in read) return read
  const { parameters } = read
  for (const parameter of parameters.keys()) {
    if (!dispositionParameters.has(parameter)) return { problem: 'expected no parameter but `name` and `filename`' }
  }
  const name = parameters.get('name')
  if (name === undefined || name === '') return { problem: 'expected the parameter `name`, and a name in it' }
  const plain = parameters.get('filename')
  const extended = parameters.get('filename*')
  if (extended === undefined) return { name, filename: plain }
  const filename = readExtended(extended)
  if (filename === undefined) return { problem: "expected `filename*` as `UTF-8''…` (RFC 8187)" }
  // RFC 7578 §4.2 wants no `filename*` at all; of two names one reader stores under the one, and one under the other.
  if (plain !== undefined && plain !== filename)
    return { problem: 'expected `filename` and `filename*` to say the same' }
  return { name, filename }
}

const dispositionParameters: ReadonlySet<string> = new Set(['name', 'filename', 'filename*'])

/** RFC 8187 §3.2. */
function readExtended(value: string): string | undefined {
  const encoded = /^utf-8'[A-Za-z0-9-]{0,35}'(.*)$/i.exec(value)?.[1]
  if (encoded === undefined) return undefined
  try {
    const decoded = decodeURIComponent(encoded)
    return /\p{Cc}/u.test(decoded) ? undefined : decoded
  } catch {
    return undefined
  }
}
