import { annotations, type Schema } from '../compile.ts'
import { formats } from '../formats.ts'
import { isObject } from '../walk.ts'
import { type Document, localPointer, OpenApiMistake } from './document.ts'

/** Which way a value goes: `readOnly` members are not asked of requests, nor `writeOnly` ones of answers (OpenAPI 3.1 §4.8.24.4). */
export type Direction = 'in' | 'out'

/** Schemas of a document as JSON Schema 2020-12, under names of their own. */
export interface Conversion {
  /** Converts a schema, and all that it refers to. */
  convert(schema: unknown, at: string, direction: Direction): Schema
  /** All that was referred to, by name. */
  readonly shared: ReadonlyMap<string, Schema>
}

/** `name` keeps the schemas of documents apart; `leave` is told what is not checked. */
export function openConversion(document: Document, name: string, leave: (what: string) => void): Conversion {
  const shared = new Map<string, Schema>()
  /** Where references lead that is no component, in the order in which they were met. */
  const places = new Map<string, number>()

  function convert(given: unknown, at: string, direction: Direction): Schema {
    if (typeof given === 'boolean') return given
    if (!isObject(given)) throw new OpenApiMistake(at, 'expected a schema')
    if (typeof given['$ref'] === 'string') {
      const reference = { $ref: refer(given['$ref'], at, direction) }
      if (document.version === '3.0' || Object.keys(given).length === 1) return reference // 3.0 §4.7.23: its neighbours are ignored
      const { $ref: _, ...beside } = given
      return { ...members(beside, at, direction), ...reference }
    }
    return members(given, at, direction)
  }

  function members(
    given: Readonly<Record<string, unknown>>,
    at: string,
    direction: Direction,
  ): Record<string, unknown> {
    const schema: Record<string, unknown> = {}
    for (const [keyword, value] of Object.entries(given)) {
      const place = `${at}/${keyword}`
      if (keyword === '$id' || keyword === '$anchor' || keyword === '$dynamicRef' || keyword === '$dynamicAnchor')
        throw new OpenApiMistake(place, `expected references by JSON Pointer alone, got \`${keyword}\``)
      if (keyword === '$schema' || dropped.has(keyword) || (keyword.startsWith('x-') && !(keyword in annotations)))
        continue
      if (one.has(keyword)) schema[keyword] = typeof value === 'boolean' ? value : convert(value, place, direction)
      else if (list.has(keyword))
        schema[keyword] = [value].flat().map((item, index) => convert(item, `${place}/${index}`, direction))
      else if (map.has(keyword) && isObject(value))
        schema[keyword] = Object.fromEntries(
          Object.entries(value).map(([key, item]) => [key, convert(item, `${place}/${key}`, direction)]),
        )
      else if (keyword === 'format' && !(typeof value === 'string' && Object.hasOwn(formats, value)))
        leave(`${place}: the format \`${String(value).slice(0, 60)}\` is not checked`)
      else schema[keyword] = value
    }
    if (Array.isArray(given['required'])) schema['required'] = requiredOf(given, at, direction)
    return document.version === '3.0' ? fromDraft5(schema) : schema
  }

  function requiredOf(given: Readonly<Record<string, unknown>>, at: string, direction: Direction): readonly unknown[] {
    const properties = isObject(given['properties']) ? given['properties'] : {}
    const other = direction === 'in' ? 'readOnly' : 'writeOnly'
    return (given['required'] as readonly unknown[]).filter((property) => {
      const said = Object.hasOwn(properties, String(property)) ? properties[String(property)] : undefined
      return !(isObject(said) && (said[other] === true || document.follow(said, at).value[other] === true))
    })
  }

  /** The name of what a reference leads to. It is given before it is converted: schemas lead back to themselves. */
  function refer(reference: string, from: string, direction: Direction): string {
    const pointer = localPointer(reference, from)
    const [, component] = /^\/components\/schemas\/([A-Za-z0-9._-]{1,100})$/.exec(pointer) ?? []
    if (component === undefined && !places.has(pointer)) places.set(pointer, places.size)
    const named = `${name}:${direction}/${component ?? `at/${places.get(pointer)}`}`
    if (!shared.has(named)) {
      shared.set(named, true)
      shared.set(named, convert(document.at(pointer, from), pointer, direction))
    }
    return named
  }

  return { convert, shared }
}

/** What says nothing of a value, or is said otherwise. A discriminator only helps to find the form that fits (3.1 §4.8.25). */
const dropped: ReadonlySet<string> = new Set(['example', 'discriminator', 'xml', 'externalDocs', 'jsonSchemaDialect'])

// biome-ignore format: a table
const one: ReadonlySet<string> = new Set([
  'not', 'if', 'then', 'else', 'items', 'contains', 'propertyNames', 'additionalProperties', 'unevaluatedItems', 'unevaluatedProperties', 'contentSchema',
])
const list: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const map: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  'dependentSchemas',
  '$defs',
  'definitions',
])

/** What OpenAPI 3.0 says in the words of an older draft. */
function fromDraft5(schema: Record<string, unknown>): Record<string, unknown> {
  for (const [exclusive, inclusive] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof schema[exclusive] !== 'boolean') continue
    const excludes = schema[exclusive] === true && schema[inclusive] !== undefined
    if (excludes) schema[exclusive] = schema[inclusive]
    else delete schema[exclusive]
    if (excludes) delete schema[inclusive]
  }
  if (schema['nullable'] === undefined) return schema
  const { nullable, ...rest } = schema
  if (nullable !== true) return rest
  if (rest['type'] === undefined)
    return rest['allOf'] || rest['anyOf'] || rest['oneOf'] ? { anyOf: [rest, { type: 'null' }] } : rest // 3.0.3 §4.7.24.1: it adds to a type
  if (Array.isArray(rest['enum']) && !rest['enum'].includes(null)) rest['enum'] = [...rest['enum'], null]
  return { ...rest, type: [rest['type'], 'null'].flat() }
}
