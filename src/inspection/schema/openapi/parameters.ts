import type { Schema } from '../compile.ts'
import type { RequestSchemas } from '../parameters.ts'
import { isObject } from '../walk.ts'
import type { Style } from '../wire.ts'
import { type Document, OpenApiMistake } from './document.ts'
import type { Conversion } from './schemas.ts'

/** What the parameters of an operation become. */
export interface ParameterContext {
  readonly document: Document
  readonly conversion: Conversion
  /** From the name of a path parameter in the document to ours. */
  readonly names: ReadonlyMap<string, string>
  readonly unknownQuery: 'allow' | 'refuse'
  readonly leave: (what: string) => void
}

type Part = keyof RequestSchemas

const parts: Readonly<Record<string, Part>> = { query: 'query', path: 'path', header: 'headers', cookie: 'cookies' }

/** Headers that parameters cannot describe (3.1 §4.8.12.1). */
const ignored: ReadonlySet<string> = new Set(['accept', 'content-type', 'authorization'])

/** Schemas of the parts of a request, from the parameters of a path and those of its operation, which count more. */
export function requestSchemasOf(
  given: readonly { readonly value: unknown; readonly at: string }[],
  context: ParameterContext,
): RequestSchemas {
  const found = new Map<Part, { properties: Record<string, Schema>; required: string[] }>()
  const chosen = new Map<string, { readonly value: Readonly<Record<string, unknown>>; readonly at: string }>()
  for (const { value, at } of given) {
    const parameter = context.document.follow(value, at)
    chosen.set(`${String(parameter.value['in'])} ${String(parameter.value['name'])}`, parameter)
  }
  for (const { value: parameter, at } of chosen.values()) {
    const part = Object.hasOwn(parts, String(parameter['in'])) ? parts[String(parameter['in'])] : undefined
    const { name } = parameter
    if (part === undefined || typeof name !== 'string')
      throw new OpenApiMistake(at, 'expected a parameter with `name` and `in`')
    if (part === 'headers' && ignored.has(name.toLowerCase())) continue
    const ours = part === 'path' ? context.names.get(name) : name
    if (ours === undefined) throw new OpenApiMistake(at, `expected a path with the parameter \`${name.slice(0, 60)}\``)
    const schema = schemaOf(parameter, part, at, context)
    const of = found.get(part) ?? { properties: {}, required: [] }
    found.set(part, of)
    if (schema === undefined) {
      if (part === 'query' && context.unknownQuery === 'refuse')
        throw new OpenApiMistake(at, 'expected a parameter under a name of its own, since others are refused')
      continue
    }
    of.properties[ours] = schema
    if (parameter['required'] === true || part === 'path') of.required.push(ours)
  }
  if (context.unknownQuery === 'refuse' && !found.has('query')) found.set('query', { properties: {}, required: [] })
  return Object.fromEntries(
    [...found].map(([part, { properties, required }]) => [
      part,
      {
        type: 'object',
        properties,
        ...(required.length === 0 ? {} : { required }),
        ...(part === 'query' && context.unknownQuery === 'refuse' ? { additionalProperties: false } : {}),
      },
    ]),
  )
}

/** The schema of one parameter, with the way in which it is written; undefined where that is none that we read. */
function schemaOf(
  parameter: Readonly<Record<string, unknown>>,
  part: Part,
  at: string,
  { document, conversion, leave }: ParameterContext,
): Schema | undefined {
  if (isObject(parameter['content'])) {
    const [type, media] = Object.entries(parameter['content'])[0] ?? []
    if (type !== 'application/json' || !isObject(media)) {
      leave(`${at}: a parameter of \`${String(type).slice(0, 60)}\` is not checked`)
      return true
    }
    const schema = conversion.convert(media['schema'] ?? true, `${at}/content/${type}/schema`, 'in')
    return styled(schema, 'json')
  }
  if (parameter['schema'] === undefined) return true
  const schema = conversion.convert(parameter['schema'], `${at}/schema`, 'in')
  const written = parameter['schema']
  const { types } = shapeOf(written, at, document)
  const style = parameter['style'] ?? (part === 'query' || part === 'cookies' ? 'form' : 'simple')
  const explode = parameter['explode'] ?? style === 'form'
  const empty = parameter['allowEmptyValue'] === true && part === 'query'
  const ours = empty ? { anyOf: [{ const: '' }, schema] } : schema
  if (types.has('object')) {
    if (style === 'deepObject') return styled(ours, 'deep')
    leave(`${at}: an object written in the style \`${String(style)}\` is not checked`)
    return style === 'form' && explode === true ? undefined : true
  }
  if (!types.has('array')) {
    if (style === 'form' || style === 'simple') return ours
    leave(`${at}: a value written in the style \`${String(style)}\` is not checked`)
    return true
  }
  const known = arrayStyles[`${String(style)} ${String(explode)}`]
  if (known !== undefined) return styled(ours, known)
  leave(`${at}: a list written in the style \`${String(style)}\` is not checked`)
  return true
}

/** How lists are written (3.1 §4.8.12.3). */
const arrayStyles: Readonly<Record<string, Style>> = {
  'form true': 'repeated',
  'form false': 'comma',
  'simple true': 'comma',
  'simple false': 'comma',
  'spaceDelimited true': 'repeated',
  'spaceDelimited false': 'space',
  'pipeDelimited true': 'repeated',
  'pipeDelimited false': 'pipe',
}

/** The types that a schema names, through references and branches. */
function shapeOf(given: unknown, at: string, document: Document): { readonly types: ReadonlySet<string> } {
  const types = new Set<string>()
  const open: unknown[] = [given]
  for (let count = 0; open.length > 0 && count < 100; count++) {
    const next = open.shift()
    if (!isObject(next)) continue
    const { value } = document.follow(next, at)
    for (const type of [value['type'] ?? []].flat()) types.add(String(type))
    if (value['properties'] !== undefined) types.add('object')
    for (const keyword of ['allOf', 'anyOf', 'oneOf'])
      open.push(...(Array.isArray(value[keyword]) ? value[keyword] : []))
  }
  return { types }
}

/** A reference keeps its meaning beside other words (2020-12 core §8.2.3.1). */
function styled(schema: Schema, style: Style): Schema {
  return typeof schema === 'boolean' ? schema : { ...schema, 'x-style': style }
}
