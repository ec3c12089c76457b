import type { Schema, Schemas } from './compile.ts'
import { isObject } from './walk.ts'

/** How the value of a parameter is written: once, or several in one, or as several parameters. */
export type Style = 'repeated' | 'comma' | 'space' | 'pipe' | 'deep' | 'json'

/** What a text may stand for, by the schema of its parameter. */
export interface Wire {
  readonly types: ReadonlySet<string>
  /** Of what a list is made. */
  readonly items: Wire | undefined
  /** Of what an object is made. */
  readonly properties: ReadonlyMap<string, Wire>
  /** What its other members are, where it says so. */
  readonly others: Wire | undefined
  readonly style: Style | undefined
  /** Whether it is a file of a form. */
  readonly file: boolean
}

/** What the texts of a part of a request stand for, by name; all that its schema says of a name in any of its branches. */
export function wireOf(schema: Schema, schemas: Schemas): Wire {
  return gather([schema], schema, schemas, 0)
}

/** References that lead to references end somewhere: deeper than this nothing of a parameter is. */
const depthMax = 8
const branchesMax = 200

function gather(given: readonly unknown[], root: Schema, schemas: Schemas, depth: number): Wire {
  const types = new Set<string>()
  const items: unknown[] = []
  const properties = new Map<string, unknown[]>()
  const others: unknown[] = []
  let style: Style | undefined
  let file = false
  const open = [...given]
  for (let count = 0; open.length > 0 && count < branchesMax; count++) {
    const schema = open.shift()
    if (!isObject(schema)) continue
    for (const type of [schema['type'] ?? []].flat()) types.add(String(type))
    if (schema['type'] === undefined)
      for (const value of [schema['enum'] ?? [], 'const' in schema ? [schema['const']] : []].flat())
        types.add(typeOf(value))
    if (schema['nullable'] === true) types.add('null')
    if (isObject(schema['items'])) items.push(schema['items'])
    style ??= schema['x-style'] as Style | undefined
    file ||= schema['format'] === 'binary' || ('contentMediaType' in schema && !('contentEncoding' in schema))
    for (const [name, property] of Object.entries(isObject(schema['properties']) ? schema['properties'] : {}))
      properties.set(name, [...(properties.get(name) ?? []), property])
    if (isObject(schema['patternProperties'])) others.push(...Object.values(schema['patternProperties']))
    for (const keyword of ['additionalProperties', 'unevaluatedProperties'])
      if (isObject(schema[keyword])) others.push(schema[keyword])
    for (const keyword of ['allOf', 'anyOf', 'oneOf'])
      open.push(...(Array.isArray(schema[keyword]) ? schema[keyword] : []))
    for (const keyword of ['then', 'else']) open.push(schema[keyword])
    open.push(...Object.values(isObject(schema['dependentSchemas']) ? schema['dependentSchemas'] : {}))
    if (typeof schema['$ref'] === 'string') open.push(schemas.resolve(schema['$ref'], root))
  }
  const deeper = depth < depthMax
  return {
    types,
    items: deeper && items.length > 0 ? gather(items, root, schemas, depth + 1) : undefined,
    properties: new Map(
      deeper ? [...properties].map(([name, found]) => [name, gather(found, root, schemas, depth + 1)]) : [],
    ),
    others: deeper && others.length > 0 ? gather(others, root, schemas, depth + 1) : undefined,
    style,
    file,
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value
}

/** Which of its readings a text takes where it has two: `12` as text, or as a number. */
export type Preference = 'typed' | 'text'

/** A text as what it stands for; as itself where it stands for nothing else. Nothing is mended: ` 1`, `0x10` and `1e3` are no integers. */
export function typed(text: string, { types }: Wire, preference: Preference): unknown {
  if (preference === 'text' && types.has('string')) return text
  if (types.has('integer') && integer.test(text)) return Number(text)
  if (types.has('number') && text.length <= 64 && number.test(text) && Number.isFinite(Number(text)))
    return Number(text)
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (types.has('null') && !types.has('string') && text === 'null') return null
  return text
}

/** Whether a text may have two readings. */
export function ambiguous({ types, items, properties, others }: Wire): boolean {
  const several = types.has('string') && ['integer', 'number', 'boolean'].some((type) => types.has(type))
  return several || [items, others, ...properties.values()].some((wire) => wire !== undefined && ambiguous(wire))
}

/** As far as 64 bits go: larger ones are read differently by different programs. */
const integer = /^(?:0|-?[1-9][0-9]{0,18})$/
const number = /^-?(?:0|[1-9][0-9]{0,63})(?:\.[0-9]{1,63})?(?:[eE][+-]?[0-9]{1,3})?$/
