import type { z } from 'zod'
import { strictUtf8 } from '../../kernel/bytes.ts'
import { parseStrict } from '../../kernel/json.ts'
import { readMediaType } from '../fields/media-type.ts'
import { openSchemas, type Schema, type Schemas } from './compile.ts'
import { formCheck, multipartCheck } from './form.ts'
import { bodyErrors, type Verdict, type Violation } from './violation.ts'
import { under } from './walk.ts'

/** Reads a body and holds it against a schema that was compiled at load. */
export type BodyCheck = (bytes: Uint8Array) => Verdict

/** A check of a JSON body from a JSON Schema (2020-12). Throws a `SchemaMistake` at load for a schema that is none. */
export function checkBySchema(schema: Schema, schemas?: Schemas): BodyCheck {
  const check = (schemas ?? (alone ??= openSchemas())).compile(schema)
  return readThen((value, bytes) => {
    const broken = check(value, bytes)
    return broken === undefined ? { value } : bodyErrors(broken)
  })
}

/** For schemas that refer to no others; opened once, since that takes longer than to compile. */
let alone: Schemas | undefined

/** A check from a shape of our own contract: the value comes out as the shape transforms it. */
export function checkByShape(shape: z.ZodType): BodyCheck {
  return readThen((value) => {
    const parsed = shape.safeParse(value, { reportInput: true }) // else what is missing and what is of another type look alike
    return parsed.success ? { value: parsed.data } : bodyErrors({ violations: ofShape(parsed.error.issues), more: 0 })
  })
}

/** Kinds of body that a schema can be held against. */
export const bodyTypes = ['json', 'form', 'multipart'] as const
export type BodyType = (typeof bodyTypes)[number]

/** Which kind of body a request has, and what is said of it. */
export interface TypedBodyCheck {
  /** The check for a content type; undefined where the route takes no such body. */
  of(contentType: string | undefined): BodyCheck | undefined
  /** What it takes, for whoever sent something else: `application/json or multipart/form-data`. */
  readonly expected: string
}

/** Checks a body by what its `Content-Type` says that it is. Throws a `SchemaMistake` for a schema that is none. */
export function checkByType(
  byType: Readonly<Partial<Record<BodyType, Schema | undefined>>>,
  schemas: Schemas,
): TypedBodyCheck {
  const json = compiled('json', checkBySchema)
  const form = compiled('form', formCheck)
  const multipart = compiled('multipart', multipartCheck)
  return {
    expected: bodyTypes.flatMap((type) => (byType[type] === undefined ? [] : mediaTypes[type])).join(' or '),
    of(contentType) {
      if (contentType === undefined) return undefined
      const media = readMediaType(contentType)
      if ('problem' in media) return undefined
      const charset = media.parameters.get('charset')
      if (charset !== undefined && !/^utf-?8$/i.test(charset)) return undefined // RFC 8259 §8.1
      if (isJson(media.type)) return json
      if (media.type === mediaTypes.form) return form
      if (media.type === mediaTypes.multipart) return multipart?.(contentType)
      return undefined
    },
  }

  function compiled<T>(type: BodyType, compile: (schema: Schema, schemas: Schemas) => T): T | undefined {
    const schema = byType[type]
    return schema === undefined ? undefined : under(`/${type}`, () => compile(schema, schemas))
  }
}

const mediaTypes: Readonly<Record<BodyType, string>> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  multipart: 'multipart/form-data',
}

/** JSON, and what is written in it (RFC 6839 §3.1). */
export function isJson(mediaType: string): boolean {
  return mediaType === mediaTypes.json || /^application\/[\w.-]{1,100}\+json$/.test(mediaType)
}

function readThen(judge: (value: unknown, bytes: number) => Verdict): BodyCheck {
  return (bytes) => {
    let text: string
    try {
      text = strictUtf8.decode(bytes)
    } catch {
      return { malformed: 'the body is not UTF-8' }
    }
    const parsed = parseStrict(text)
    return 'error' in parsed ? { malformed: parsed.error } : judge(parsed.value, bytes.byteLength)
  }
}

function ofShape(issues: readonly z.core.$ZodIssue[]): readonly Violation[] {
  return issues.flatMap((issue): readonly Violation[] => {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: [...path, key], message: 'is not a known field' }))
    if (issue.code === 'invalid_type' && issue.input === undefined) return [{ path, message: 'is required' }]
    return [{ path, message: issue.message.replace(/^Invalid input: /, '') }]
  })
}
