import {
  type BareItem,
  isMalformed,
  type Malformed,
  noParameters,
  type Parameters,
  parseDictionary,
  parseItem,
  parseList,
  serializeBareItem,
  serializeDictionary,
  serializeList,
  serializeMember,
  serializeParameters,
} from './structured-fields.ts'

/** A part of a message that a signature covers, by its identifier (RFC 9421 §2). */
export interface Component {
  /** A field in lower case, or a derived component with its `@`. */
  readonly name: string
  readonly parameters: Parameters
}

/** A message as far as signatures speak of it (RFC 9421 §2.1, §2.2): a request, or a response with its status. */
export interface SignedMessage {
  readonly method?: string
  readonly scheme?: string
  /** Host and port as they were sent. */
  readonly authority?: string
  /** As it was sent, without its query. */
  readonly path?: string
  /** With its `?`, or ''. */
  readonly query?: string
  readonly status?: number
  /** The lines of a field, by its name in lower case; none where it did not come. */
  lines(name: string): readonly string[]
  /** The request that a response answers. */
  readonly request?: SignedMessage
}

/** What kind of structured field a field is. Only of a known one can the strict spelling be asked for (§2.1.1). */
export type Structure = 'dictionary' | 'list' | 'item'

/** Registered structured fields that a message may carry. */
export const structuredFields: ReadonlyMap<string, Structure> = new Map([
  ['accept-signature', 'dictionary'],
  ['cache-status', 'list'],
  ['client-cert', 'item'],
  ['client-cert-chain', 'list'],
  ['content-digest', 'dictionary'],
  ['priority', 'dictionary'],
  ['proxy-status', 'list'],
  ['repr-digest', 'dictionary'],
  ['signature', 'dictionary'],
  ['signature-input', 'dictionary'],
  ['want-content-digest', 'dictionary'],
  ['want-repr-digest', 'dictionary'],
])

/** A component as one writes it in a configuration: `@method`, `content-type`, or in full, `"@query-param";name="id"`. */
export function componentOf(text: string): Component | Malformed {
  if (!text.startsWith('"')) return { name: text, parameters: noParameters }
  const parsed = parseItem(text)
  if (isMalformed(parsed)) return parsed
  const { item, parameters } = parsed
  return item.type === 'string' ? { name: item.value, parameters } : { problem: 'expected a string' }
}

/** The identifier of a component as the base and the parameters spell it. */
export function identifierOf({ name, parameters }: Component): string {
  if (parameters.size === 0 && plain.test(name)) return `"${name}"`
  return serializeBareItem({ type: 'string', value: name }) + serializeParameters(parameters)
}

const plain = /^[@a-z0-9_-]+$/

/** `@signature-params` (RFC 9421 §2.3): what is covered, and how it was signed. */
export function signatureParams(components: readonly Component[], parameters: Parameters): string {
  return `(${components.map(identifierOf).join(' ')})${serializeParameters(parameters)}`
}

/**
 * The signature base (RFC 9421 §2.5): the text that is signed. What is named twice, is not there, or cannot be told
 * unmistakably is a problem, by name.
 */
export function signatureBase(
  components: readonly Component[],
  parameters: Parameters,
  message: SignedMessage,
  structures: ReadonlyMap<string, Structure> = structuredFields,
): { readonly base: string } | Malformed {
  const seen = new Set<string>()
  const identifiers: string[] = []
  let base = ''
  for (const component of components) {
    const identifier = identifierOf(component)
    const canonical = component.parameters.size < 2 ? identifier : canonicalIdentifier(component)
    if (seen.has(canonical)) return { problem: `\`${identifier}\` is covered twice` }
    seen.add(canonical)
    const value = componentValue(component, message, structures)
    if (typeof value === 'object') return { problem: `\`${identifier}\`: ${value.problem}` }
    if (!ascii.test(value)) return { problem: `\`${identifier}\` holds other characters than visible ASCII` }
    identifiers.push(identifier)
    base += `${identifier}: ${value}\n`
  }
  return { base: `${base}"@signature-params": (${identifiers.join(' ')})${serializeParameters(parameters)}` }
}

/** One spelling for identifiers that are the same: the order of parameters tells none from another (§2). */
export function canonicalIdentifier(component: Component): string {
  const { name, parameters } = component
  return parameters.size < 2
    ? identifierOf(component)
    : identifierOf({ name, parameters: new Map([...parameters].sort(([a], [b]) => (a < b ? -1 : 1))) })
}

// A field may hold tabs inside (RFC 9110 §5.5).
const ascii = /^[\t\x20-\x7e]*$/
const fieldName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

function componentValue(
  { name, parameters }: Component,
  message: SignedMessage,
  structures: ReadonlyMap<string, Structure>,
): string | Malformed {
  const allowed = name === '@query-param' ? queryParameters : name.startsWith('@') ? derivedParameters : fieldParameters
  for (const [key, value] of parameters) {
    if (!allowed.has(key)) return { problem: `it takes no parameter \`${key}\`` }
    const expected = key === 'key' || key === 'name' ? 'string' : 'boolean'
    if (value.type !== expected || (value.type === 'boolean' && !value.value))
      return { problem: `expected a ${expected === 'string' ? 'string' : 'flag'} in \`${key}\`` }
  }
  if (parameters.has('tr')) return { problem: 'trailers come after the decision: `tr` is not supported' }
  if (parameters.has('req')) {
    // §2.4: it must not be used in a request.
    if (message.request === undefined) return { problem: '`req` is for responses' }
    const rest = new Map([...parameters].filter(([key]) => key !== 'req'))
    return componentValue({ name, parameters: rest }, message.request, structures)
  }
  if (name.startsWith('@')) return derivedValue(name, parameters, message)
  return fieldName.test(name)
    ? fieldValue(name, parameters, message, structures)
    : { problem: 'expected the name of a field in lower case' }
}

const fieldParameters: ReadonlySet<string> = new Set(['sf', 'key', 'bs', 'req', 'tr'])
const derivedParameters: ReadonlySet<string> = new Set(['req'])
const queryParameters: ReadonlySet<string> = new Set(['req', 'name'])

function fieldValue(
  name: string,
  parameters: Parameters,
  message: SignedMessage,
  structures: ReadonlyMap<string, Structure>,
): string | Malformed {
  const lines = message.lines(name)
  if (lines.length === 0) return { problem: 'the message has no such field' }
  const values = lines.length === 1 ? [unfolded(lines[0] as string)] : lines.map(unfolded)
  const key = parameters.get('key')
  if (parameters.has('bs')) {
    // §2.1: what wants the values parsed does not go with what wants them raw.
    if (key !== undefined || parameters.has('sf')) return { problem: '`bs` goes with neither `sf` nor `key`' }
    return wrapped(values)
  }
  const combined = values.join(', ')
  if (key === undefined && !parameters.has('sf')) return combined
  const structure = structures.get(name)
  if (structure === undefined) return { problem: 'it is not known to be a structured field' }
  return key === undefined ? strict(combined, structure) : memberValue(combined, structure, key)
}

/** Without the white space around it, and on one line (§2.1). Linear, whatever the line is. */
function unfolded(line: string): string {
  return line.includes('\n') ? line.split(/\r?\n/).map(trimmed).join(' ') : trimmed(line)
}

function trimmed(line: string): string {
  let [from, to] = [0, line.length]
  while (from < to && isBlank(line.charCodeAt(from))) from++
  while (to > from && isBlank(line.charCodeAt(to - 1))) to--
  return from === 0 && to === line.length ? line : line.slice(from, to)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

function wrapped(values: readonly string[]): string | Malformed {
  if (!values.every((value) => ascii.test(value))) return { problem: 'it holds other characters than visible ASCII' }
  return serializeList(
    values.map((value) => ({ item: { type: 'bytes', base64: btoa(value) }, parameters: noParameters })),
  )
}

function strict(text: string, structure: Structure): string | Malformed {
  switch (structure) {
    case 'dictionary': {
      const parsed = parseDictionary(text)
      return isMalformed(parsed) ? parsed : serializeDictionary(parsed)
    }
    case 'list': {
      const parsed = parseList(text)
      return isMalformed(parsed) ? parsed : serializeList(parsed)
    }
    case 'item': {
      const parsed = parseItem(text)
      return isMalformed(parsed) ? parsed : serializeMember(parsed)
    }
  }
}

function memberValue(text: string, structure: Structure, key: BareItem): string | Malformed {
  if (structure !== 'dictionary') return { problem: 'it is no dictionary: it has no keys' }
  const parsed = parseDictionary(text)
  if (isMalformed(parsed)) return parsed
  const member = parsed.get(key.type === 'string' ? key.value : '')
  return member === undefined ? { problem: 'the field has no such key' } : serializeMember(member)
}

function derivedValue(name: string, parameters: Parameters, message: SignedMessage): string | Malformed {
  const { method, scheme, authority, path, query = '', status } = message
  if (name === '@status') return status === undefined ? { problem: 'only a response has a status' } : String(status)
  if (method === undefined || scheme === undefined || authority === undefined || path === undefined)
    return { problem: 'only a request has it' }
  switch (name) {
    case '@method':
      return method
    case '@target-uri':
      return `${scheme}://${normalAuthority(authority, scheme)}${path}${query}`
    case '@authority':
      return normalAuthority(authority, scheme)
    case '@scheme':
      return scheme
    case '@request-target':
      return path + query
    case '@path':
      return path === '' ? '/' : path
    case '@query':
      return query === '' ? '?' : query
    case '@query-param':
      return queryParam(query, parameters.get('name'))
    default:
      return { problem: 'it is not supported' }
  }
}

/** In lower case, without the port that the scheme implies (RFC 9110 §4.2.3). */
function normalAuthority(authority: string, scheme: string): string {
  const port = scheme === 'https' ? ':443' : ':80'
  return (authority.endsWith(port) ? authority.slice(0, -port.length) : authority).toLowerCase()
}

/** The value of the one parameter of a name (§2.2.8), encoded anew, since two spellings may mean one value. */
function queryParam(query: string, name: BareItem | undefined): string | Malformed {
  if (name?.type !== 'string') return { problem: 'it needs a `name`' }
  const values = [...new URLSearchParams(query)].filter(([key]) => percentEncoded(key) === name.value)
  const [first] = values
  if (first === undefined) return { problem: 'the query has no such parameter' }
  if (values.length > 1) return { problem: 'the query has it more than once: cover `@query`' }
  return first[1].includes('\ufffd') ? { problem: 'its value is not UTF-8' } : percentEncoded(first[1])
}

/** By the percent-encode set of forms (URL standard §5.2), with `%20` for a space. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()~]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
}
