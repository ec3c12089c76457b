import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { z } from 'zod'
import type { FieldErrors } from '../kernel/error.ts'
import { parseStrict } from '../kernel/json.ts'

/** Reads a JSON body and holds it against a schema that was compiled at load. */
export type BodyCheck = (
  bytes: Uint8Array,
) => { readonly value: unknown } | { readonly malformed: string } | { readonly errors: FieldErrors }

/**
 * A check from a JSON Schema (2020-12). Throws at load, with what is wrong, for a schema that is none. Beyond the standard, as
 * Ajv has them: `formatMinimum` and its kin for dates and times, and `{ "$data": "1/start_date" }` in the place of a value, for
 * what another field of the body says.
 */
export function checkBySchema(schema: object): BodyCheck {
  const ajv = new Ajv2020({ $data: true, allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true })
  ;(addFormats as unknown as (ajv: Ajv2020, options: { readonly keywords: boolean }) => void)(ajv, { keywords: true })
  const validate = ajv.compile(schema)
  return readThen((value) => (validate(value) ? { value } : { errors: fieldsOfSchema(validate.errors ?? []) }))
}

/** A check from a shape of our own contract: the value comes out as the shape transforms it. */
export function checkByShape(shape: z.ZodType): BodyCheck {
  return readThen((value) => {
    const parsed = shape.safeParse(value, { reportInput: true }) // else what is missing and what is of another type look alike
    return parsed.success ? { value: parsed.data } : { errors: fieldsOfShape(parsed.error.issues) }
  })
}

function readThen(judge: (value: unknown) => ReturnType<BodyCheck>): BodyCheck {
  return (bytes) => {
    let text: string
    try {
      text = utf8.decode(bytes)
    } catch {
      return { malformed: 'the body is not UTF-8' }
    }
    const parsed = parseStrict(text)
    return 'error' in parsed ? { malformed: parsed.error } : judge(parsed.value)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The whole body, in a list of fields. */
const wholeBody = 'body'

function fieldsOfSchema(errors: readonly ErrorObject[]): FieldErrors {
  const fields = new Map<string, string[]>()
  for (const error of errors) {
    const path = error.instancePath.split('/').slice(1).map(unescapePointer)
    const { missingProperty, additionalProperty, unevaluatedProperty } = error.params as Readonly<
      Record<string, string | undefined>
    >
    const extra = additionalProperty ?? unevaluatedProperty
    if (missingProperty !== undefined) add(fields, [...path, missingProperty], 'is required')
    else if (extra !== undefined) add(fields, [...path, extra], 'is not a known field')
    else add(fields, path, messageOf(error))
  }
  return Object.fromEntries(fields)
}

function messageOf(error: ErrorObject): string {
  if (error.keyword === 'enum')
    return `must be one of ${(error.params['allowedValues'] as unknown[]).map(String).join(', ')}`
  const bound = ofTime[error.keyword]
  if (bound !== undefined) return `must be ${bound} ${String(error.params['limit'])}`
  return error.message ?? 'is invalid'
}

/** Bounds of dates and times, in words. */
const ofTime: Readonly<Record<string, string>> = {
  formatMinimum: 'no earlier than',
  formatExclusiveMinimum: 'later than',
  formatMaximum: 'no later than',
  formatExclusiveMaximum: 'earlier than',
}

function fieldsOfShape(issues: readonly z.core.$ZodIssue[]): FieldErrors {
  const fields = new Map<string, string[]>()
  for (const issue of issues) {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys')
      for (const key of issue.keys) add(fields, [...path, key], 'is not a known field')
    else if (issue.code === 'invalid_type' && issue.input === undefined) add(fields, path, 'is required')
    else add(fields, path, issue.message.replace(/^Invalid input: /, ''))
  }
  return Object.fromEntries(fields)
}

function add(fields: Map<string, string[]>, path: readonly string[], message: string): void {
  const name = path.length === 0 ? wholeBody : path.join('.')
  const messages = fields.get(name)
  if (messages === undefined) fields.set(name, [message])
  else if (!messages.includes(message)) messages.push(message)
}

/** RFC 6901 §4. */
function unescapePointer(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}
