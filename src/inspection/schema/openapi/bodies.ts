import type { AnswerSchemas } from '../answer.ts'
import { type BodyType, isJson } from '../body.ts'
import type { Schema } from '../compile.ts'
import { isObject } from '../walk.ts'
import type { Document } from './document.ts'
import type { Conversion } from './schemas.ts'

export interface BodyContext {
  readonly document: Document
  readonly conversion: Conversion
  readonly leave: (what: string) => void
}

/** What an operation says of the bodies of its requests. */
export interface Bodies {
  readonly byType: Readonly<Partial<Record<BodyType, Schema>>>
  readonly optional: boolean
}

/** The schemas of a request body by its kind; undefined where it has none that a schema can be held against. */
export function bodiesOf(
  given: unknown,
  from: string,
  { document, conversion, leave }: BodyContext,
): Bodies | undefined {
  if (given === undefined) return undefined
  const { value: body, at } = document.follow(given, from)
  const byType: Partial<Record<BodyType, Schema>> = {}
  const others: string[] = []
  for (const [range, media] of Object.entries(isObject(body['content']) ? body['content'] : {})) {
    const place = `${at}/content/${range.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const kind = kindOf(range)
    if (kind === undefined || !isObject(media)) {
      others.push(range)
      continue
    }
    if (byType[kind] !== undefined) {
      leave(`${place}: another schema of the same kind of body is taken`)
      continue
    }
    const schema = conversion.convert(media['schema'] ?? true, `${place}/schema`, 'in')
    byType[kind] = kind === 'multipart' ? withJsonParts(schema, media['schema'], place, document) : schema
  }
  const known = Object.keys(byType).length > 0
  for (const range of others)
    leave(`${at}: a body of \`${range.slice(0, 80)}\` ${known ? 'is refused' : 'is not checked'}`)
  return known ? { byType, optional: body['required'] !== true } : undefined
}

function kindOf(range: string): BodyType | undefined {
  const [type = ''] = range.toLowerCase().split(';')
  if (isJson(type.trim()) || type === '*/*' || type === 'application/*') return 'json'
  if (type === 'application/x-www-form-urlencoded') return 'form'
  if (type === 'multipart/form-data') return 'multipart'
  return undefined
}

/** Objects in a form of parts are JSON (3.1 §4.8.14.3). */
function withJsonParts(schema: Schema, given: unknown, at: string, document: Document): Schema {
  if (typeof schema === 'boolean' || !isObject(given)) return schema
  const { value } = document.follow(given, at)
  const json = Object.entries(isObject(value['properties']) ? value['properties'] : {}).filter(
    ([, property]) => isObject(property) && isObjectSchema(document.follow(property, at).value),
  )
  if (json.length === 0) return schema
  return {
    allOf: [schema],
    type: 'object',
    properties: Object.fromEntries(json.map(([name]) => [name, { 'x-style': 'json' }])),
  }
}

function isObjectSchema(schema: Readonly<Record<string, unknown>>): boolean {
  return schema['type'] === 'object' || (schema['type'] === undefined && schema['properties'] !== undefined)
}

/** The schemas of JSON answers, by status. */
export function answersOf(given: unknown, from: string, { document, conversion }: BodyContext): AnswerSchemas {
  const schemas: Record<string, Schema> = {}
  for (const [status, response] of Object.entries(isObject(given) ? given : {})) {
    if (status.startsWith('x-')) continue
    const { value, at } = document.follow(response, `${from}/${status}`)
    for (const [range, media] of Object.entries(isObject(value['content']) ? value['content'] : {})) {
      if (kindOf(range) !== 'json' || range.includes('*') || !isObject(media) || media['schema'] === undefined) continue
      schemas[status] ??= conversion.convert(
        media['schema'],
        `${at}/content/${range.replaceAll('/', '~1')}/schema`,
        'out',
      )
    }
  }
  return schemas
}
