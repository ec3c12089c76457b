/** How an answer of a media type is screened; `none`: what is in it is no text; `unsaid`: nobody says what it is. */
export type Surface = ReadableSurface | 'none' | 'unsaid'

export type ReadableSurface = 'json' | 'json lines' | 'events' | 'form' | 'markup' | 'text'

export interface MediaType {
  readonly surface: Surface
  /** What the bytes are read as, in lower case; undefined for UTF-8. */
  readonly charset: string | undefined
  /** The field once the body is UTF-8, where it said otherwise. */
  readonly asUtf8: string | undefined
}

/** What a `Content-Type` (RFC 9110 §8.3) says of how to read a body. */
export function readableAs(contentType: string | undefined): MediaType {
  const [essence = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim())
  const type = essence.toLowerCase()
  const surface = surfaceOf(type)
  const said = parameters
    .map((parameter) => /^charset\s{0,8}=\s{0,8}"?([^"]{1,40})"?$/i.exec(parameter)?.[1])
    .find((found) => found !== undefined)
    ?.toLowerCase()
  const isUtf8 = said === undefined || utf8Labels.has(said)
  const others = parameters.filter((parameter) => parameter !== '' && !/^charset\s{0,8}=/i.test(parameter))
  return {
    surface,
    charset: isUtf8 || isAlwaysUtf8(surface, said) ? undefined : said,
    asUtf8: isUtf8 ? undefined : [type, ...others, 'charset=utf-8'].join('; '),
  }
}

/** Event streams are UTF-8 whatever they say (WHATWG HTML §9.2.4), and so is JSON (RFC 8259 §8.1), unless it says UTF-16. */
function isAlwaysUtf8(surface: Surface, charset: string): boolean {
  return surface === 'events' || (surface.startsWith('json') && !charset.startsWith('utf-16'))
}

const utf8Labels = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii', 'unicode-1-1-utf-8'])

function surfaceOf(type: string): Surface {
  const known = surfaces.get(type)
  if (known !== undefined) return known
  if (!mediaType.test(type)) return 'unsaid'
  // `application/problem+json`, `application/x-amz-json-1.1`, `application/geo+json-seq`
  if (type.endsWith('zip')) return 'none' // `…+json+gzip`, `…+zip`
  if (/[/.+-]json(?:$|[.+-])/.test(type)) return 'json'
  if (/[/.+-]xml(?:$|[.+-])/.test(type)) return 'markup'
  return type.startsWith('text/') || type.startsWith('message/') ? 'text' : 'none'
}

/** A type and a subtype (RFC 9110 §8.3.1): whatever else stands there is read by somebody as whatever they like. */
const mediaType = /^[\w!#$%&'*+.^`|~-]{1,128}\/[\w!#$%&'*+.^`|~-]{1,128}$/

// biome-ignore format: a table
const surfaces: ReadonlyMap<string, ReadableSurface> = new Map(Object.entries({
  'application/json': 'json',
  'text/json': 'json',
  'application/json-seq': 'json',                        // RFC 7464
  'application/x-ndjson': 'json lines',
  'application/ndjson': 'json lines',
  'application/jsonl': 'json lines',
  'application/x-jsonlines': 'json lines',
  'application/jsonlines': 'json lines',
  'application/x-json-stream': 'json lines',
  'application/stream+json': 'json lines',
  'text/event-stream': 'events',
  'application/x-www-form-urlencoded': 'form',
  'text/html': 'markup',
  'text/xml': 'markup',
  'application/xml': 'markup',
  'application/xhtml+xml': 'markup',
  'image/svg+xml': 'markup',
  'application/javascript': 'text',
  'application/x-javascript': 'text',
  'application/ecmascript': 'text',
  'application/yaml': 'text',
  'application/x-yaml': 'text',
  'application/toml': 'text',
  'application/sql': 'text',
  'application/graphql': 'text',
  'application/x-sh': 'text',
  'application/typescript': 'text',
  'application/csv': 'text',
  'application/x-csv': 'text',
  'application/x-ldjson': 'json lines',
  'application/x-pem-file': 'text',
  'application/mbox': 'text',
}))
