/** A schema inside of a schema document, and where it stands in it: a JSON Pointer (RFC 6901). */
export interface Subschema {
  readonly schema: Record<string, unknown>
  readonly pointer: string
}

/** Every subschema that is an object, the document itself first. Throws for one that is too large or too deep to be meant. */
export function* subschemas(document: unknown): Generator<Subschema> {
  const open: { readonly schema: unknown; readonly pointer: string; readonly depth: number }[] = [
    { schema: document, pointer: '', depth: 0 },
  ]
  let count = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { schema, pointer, depth } = next
    if (!isObject(schema)) continue
    if (++count > subschemasMax) throw new SchemaMistake(pointer, `expected at most ${subschemasMax} schemas in one`)
    if (depth > depthMax) throw new SchemaMistake(pointer, `expected at most ${depthMax} schemas within each other`)
    yield { schema, pointer }
    for (const [keyword, value] of Object.entries(schema)) {
      const at = `${pointer}/${escapeToken(keyword)}`
      const holds = holding.get(keyword)
      if (holds === 'schema') open.push({ schema: value, pointer: at, depth: depth + 1 })
      else if (holds === 'list' && Array.isArray(value))
        for (const [index, schema] of value.entries())
          open.push({ schema, pointer: `${at}/${index}`, depth: depth + 1 })
      else if (holds === 'map' && isObject(value))
        for (const [name, schema] of Object.entries(value))
          open.push({ schema, pointer: `${at}/${escapeToken(name)}`, depth: depth + 1 })
    }
  }
}

const subschemasMax = 50_000
const depthMax = 100

/** Which keywords hold schemas (core §10, §11, validation §8). */
const holding: ReadonlyMap<string, Held> = new Map([
  ...['not', 'if', 'then', 'else', 'items', 'contains', 'propertyNames', 'additionalProperties'].map(one('schema')),
  ...['unevaluatedItems', 'unevaluatedProperties', 'contentSchema'].map(one('schema')),
  ...['allOf', 'anyOf', 'oneOf', 'prefixItems'].map(one('list')),
  ...['properties', 'patternProperties', 'dependentSchemas', 'dependencies', '$defs', 'definitions'].map(one('map')),
])

type Held = 'schema' | 'list' | 'map'

function one(held: Held): (keyword: string) => readonly [string, Held] {
  return (keyword) => [keyword, held]
}

/** What is wrong with a schema, and where in it. */
export class SchemaMistake extends Error {
  override readonly name = 'SchemaMistake'
  /** A JSON Pointer into the schema, or into what it stands in. */
  readonly pointer: string
  /** Without its place. */
  readonly problem: string

  constructor(pointer: string, problem: string, cause?: unknown) {
    super(`${problem} at \`${pointer === '' ? '#' : pointer}\``, cause === undefined ? undefined : { cause })
    this.pointer = pointer
    this.problem = problem
  }
}

/** Tells a mistake in a schema with the place of the schema itself. */
export function under<T>(pointer: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof SchemaMistake)) throw error
    throw new SchemaMistake(`${pointer}${error.pointer}`, error.problem, error)
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** RFC 6901 §3. */
export function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** RFC 6901 §4. */
export function unescapeToken(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** The tokens of a JSON Pointer. */
export function tokensOf(pointer: string): readonly string[] {
  return pointer.split('/').slice(1).map(unescapeToken)
}
