import { pairs as headerPairs, type RawHeaders } from '../../http/raw-headers.ts'
import type { Params } from '../../http/router.ts'
import type { FieldErrors } from '../../kernel/error.ts'
import { readPairs } from '../fields/form.ts'
import type { Check, Schema, Schemas } from './compile.ts'
import { judgePairs, type Pairs } from './pairs.ts'
import { fieldErrors, type Invalid, invalidInPart, type PartName, type Violation, violationsMax } from './violation.ts'
import { escapeToken, isObject, SchemaMistake, under } from './walk.ts'
import { type Style, type Wire, wireOf } from './wire.ts'

/** JSON Schemas of the parts of a request that have names and values: each describes an object of them. */
export interface RequestSchemas {
  readonly query?: Schema | undefined
  readonly path?: Schema | undefined
  readonly headers?: Schema | undefined
  readonly cookies?: Schema | undefined
}

/** The parts of a request beside its body. */
export interface RequestHead {
  /** As it came, with its `?`, or ''. */
  readonly query: string
  readonly params: Params
  readonly headers: RawHeaders
}

/** Holds the parts of a request against their schemas: undefined where all of them fit. */
export type RequestCheck = (head: RequestHead) => RequestFault | undefined

export type RequestFault =
  | { readonly malformed: string }
  | { readonly errors: FieldErrors; readonly invalid: readonly Invalid[]; readonly more: number }

/** Compiles the schemas of the parts of a request. Throws a `SchemaMistake` whose pointer begins with the part. */
export function openRequestCheck(options: RequestSchemas, schemas: Schemas): RequestCheck {
  const parts = partNames.flatMap(({ key, name }) => {
    const schema = options[key]
    return schema === undefined ? [] : [compilePart(key, name, schema, schemas)]
  })
  return (head) => {
    const found: { readonly part: PartName; readonly violations: readonly Violation[] }[] = []
    let more = 0
    for (const part of parts) {
      const pairs = part.read(head)
      if ('malformed' in pairs) return pairs
      const judged = judgePairs(pairs, part.wire, part.check, part.style)
      if ('value' in judged) continue
      found.push({ part: part.name, violations: judged.broken.violations })
      more += judged.broken.more
    }
    if (found.length === 0) return undefined
    const all = found.flatMap(({ part, violations }) => invalidInPart(violations, part))
    return {
      errors: Object.assign(
        {},
        ...found.map(({ part, violations }) => fieldErrors(violations, part, `${part}.`)),
      ) as FieldErrors,
      invalid: all.slice(0, violationsMax),
      more: more + Math.max(0, all.length - violationsMax),
    }
  }
}

const partNames = [
  { key: 'path', name: 'path' },
  { key: 'query', name: 'query' },
  { key: 'headers', name: 'header' },
  { key: 'cookies', name: 'cookie' },
] as const satisfies readonly { readonly key: keyof RequestSchemas; readonly name: PartName }[]

interface Part {
  readonly name: PartName
  readonly check: Check
  readonly wire: Wire
  readonly style: Style | 'header'
  read(head: RequestHead): Pairs | { readonly malformed: string }
}

function compilePart(key: keyof RequestSchemas, name: PartName, given: Schema, schemas: Schemas): Part {
  return under(`/${key}`, () => {
    const schema = name === 'header' ? headerSchema(given) : given
    const check = schemas.compile(schema)
    const wire = wireOf(schema, schemas)
    for (const [property, { types, style }] of wire.properties)
      if (types.has('object') && style !== 'deep' && style !== 'json')
        throw new SchemaMistake(
          `/properties/${escapeToken(property)}`,
          "expected `'x-style': 'deep'` or `'json'` of an object",
        )
    const style = name === 'query' ? 'repeated' : name === 'header' ? 'header' : 'comma'
    return { name, check, wire, style, read: readers[name] }
  })
}

/** Names of fields have no case (RFC 9110 §5.1), and no route knows all that a client sends. */
function headerSchema(schema: Schema): Schema {
  if (!isObject(schema)) return schema
  for (const closing of ['additionalProperties', 'unevaluatedProperties'])
    if (schema[closing] === false)
      throw new SchemaMistake(
        `/${closing}`,
        'expected headers to stay open: clients and proxies send more than a route names',
      )
  const { properties, required } = schema
  return {
    ...schema,
    ...(isObject(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, value]) => [name.toLowerCase(), value]),
          ),
        }
      : {}),
    ...(Array.isArray(required) ? { required: required.map((name) => String(name).toLowerCase()) } : {}),
  }
}

const readers: Readonly<Record<PartName, Part['read']>> = {
  query: ({ query }) => {
    const { pairs, broken } = readPairs(query.startsWith('?') ? query.slice(1) : query)
    if (broken) return { malformed: 'expected a query in percent-encoded UTF-8, got escapes that are none' }
    if (pairs.length > parametersMax)
      return { malformed: `expected at most ${parametersMax} parameters, got ${pairs.length}` }
    return pairs.map(({ name, value }) => [name, value] as const)
  },
  path: ({ params }) => Object.entries(params),
  header: ({ headers }) =>
    [...headerPairs(headers)].map(([name, value]) => [name.toLowerCase(), value.trim()] as const),
  cookie: ({ headers }) =>
    [...headerPairs(headers)]
      .filter(([name]) => name.toLowerCase() === 'cookie')
      .flatMap(([, value]) => value.split(';'))
      .map((pair) => pair.trim())
      .filter((pair) => pair !== '')
      .map((pair) => {
        const mark = pair.indexOf('=')
        return mark < 0 ? (['', pair] as const) : ([pair.slice(0, mark).trim(), pair.slice(mark + 1).trim()] as const)
      }),
}

const parametersMax = 1000
