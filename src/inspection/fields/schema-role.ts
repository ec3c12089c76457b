import type { Role } from '../field.ts'

/** What the schema of a body says of one field of it, and of those below. */
export interface SchemaRole {
  /** Undefined where it says nothing. */
  readonly role: Role | undefined
  /** Of a member, or of an item by its index. */
  below(token: string): SchemaRole
}

/**
 * Reads roles from a JSON Schema (2020-12): `x-role` says it outright; an enumeration, a format or an anchored pattern makes an
 * identifier, and so does a short bound of the length; a long one makes prose.
 */
export function withSchemaRoles(schema: unknown): SchemaRole {
  const ids = new Map<Schema, number>()
  const known = new Map<string, SchemaRole>()
  return nodeOf([schema])

  /** One for each set of schemas: those of a schema that holds itself are the same at every depth. */
  function nodeOf(from: readonly unknown[]): SchemaRole {
    const schemas = reached(from, schema)
    if (schemas.length === 0) return untold
    const key = schemas.map(idOf).join()
    let node = known.get(key)
    if (node === undefined) {
      node = roleNode(schemas, nodeOf)
      if (known.size < knownMax) known.set(key, node)
    }
    return node
  }

  function idOf(of: Schema): number {
    const id = ids.get(of) ?? ids.size
    ids.set(of, id)
    return id
  }
}

const knownMax = 4096
const untold: SchemaRole = { role: undefined, below: () => untold }

function roleNode(schemas: readonly Schema[], nodeOf: (from: readonly unknown[]) => SchemaRole): SchemaRole {
  const named = new Map<string, SchemaRole>()
  let items: SchemaRole | undefined
  let others: SchemaRole | undefined
  return {
    role: schemas.map(roleBy).find((role) => role !== undefined),
    below(token) {
      if (schemas.some((schema) => namesProperty(schema, token))) {
        let node = named.get(token)
        if (node === undefined) named.set(token, (node = nodeOf(schemas.map((schema) => property(schema, token)))))
        return node
      }
      if (/^\d{1,9}$/.test(token)) return (items ??= nodeOf(schemas.flatMap(itemsOf)))
      return (others ??= nodeOf(schemas.map((schema) => schema['additionalProperties'])))
    },
  }
}

function namesProperty({ properties }: Schema, name: string): boolean {
  return isSchema(properties) && Object.hasOwn(properties, name)
}

function property({ properties }: Schema, name: string): unknown {
  return isSchema(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined
}

/** All of them together: what one place of a tuple is for is not worth a node of its own. */
function itemsOf({ prefixItems, items }: Schema): readonly unknown[] {
  return Array.isArray(prefixItems) ? [...prefixItems, items] : [items]
}

type Schema = Readonly<Record<string, unknown>>

/** Schemas that hold together with these: by reference, and by `allOf` and its kin. */
function reached(from: readonly unknown[], root: unknown): readonly Schema[] {
  const found = new Set<Schema>()
  const open = [...from]
  for (let at = 0; at < open.length && found.size < reachedMax; at++) {
    const next = open[at]
    if (!isSchema(next) || found.has(next)) continue
    found.add(next)
    for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
      const several = next[keyword]
      if (Array.isArray(several)) open.push(...several)
    }
    open.push(next['if'], next['then'], next['else'])
    const reference = next['$ref']
    if (typeof reference === 'string') open.push(referred(root, reference))
  }
  return [...found]
}

/** A schema may refer to itself; a field needs few of its branches. */
const reachedMax = 64

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Within the document (RFC 6901 §6), by pointer; others say nothing here. */
function referred(root: unknown, reference: string): unknown {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) return undefined
  let at: unknown = root
  for (const token of decodeURI(reference.slice(2)).split('/')) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    at = (isSchema(at) || Array.isArray(at)) && Object.hasOwn(at, name) ? (at as Schema)[name] : undefined
  }
  return at
}

function roleBy(schema: Schema): Role | undefined {
  const told = schema['x-role']
  if (told === 'identifier' || told === 'prose' || told === 'unknown') return told
  if (schema['enum'] !== undefined || schema['const'] !== undefined) return 'identifier'
  const { format, pattern, maxLength } = schema
  if (typeof format === 'string' && identifying.has(format)) return 'identifier'
  if (typeof pattern === 'string' && pattern.startsWith('^') && pattern.endsWith('$')) return 'identifier'
  if (typeof maxLength !== 'number') return undefined
  return maxLength <= identifierMax ? 'identifier' : maxLength >= proseMin ? 'prose' : undefined
}

/** JSON Schema Validation §7.3, of those that are written by programs. */
const identifying: ReadonlySet<string> = new Set([
  'date-time',
  'date',
  'time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'iri',
  'uuid',
  'json-pointer',
  'relative-json-pointer',
  'idn-email',
  'idn-hostname',
  'iri-reference',
  'uri-template',
])
const identifierMax = 20
const proseMin = 500
