import { strictUtf8 } from '../../kernel/bytes.ts'
import { parseStrict } from '../../kernel/json.ts'
import { readMediaType } from '../fields/media-type.ts'
import { isJson } from './body.ts'
import type { Check, Schema, Schemas } from './compile.ts'
import { type Broken, type Invalid, invalidInBody } from './violation.ts'
import { escapeToken, SchemaMistake, under } from './walk.ts'

/** JSON Schemas of the answers of a route: by status (`200`), by its class (`4XX`), and `default` for all others. */
export type AnswerSchemas = Readonly<Record<string, Schema>>

export interface AnswerCheck {
  /** Whether an answer of this status is held against anything: a check, or undefined. */
  of(status: number): AnswerJudge | undefined
}

/** Holds an answer that is there whole against the schema of its status. For the log: an answer's faults are not its reader's. */
export type AnswerJudge = (contentType: string | undefined, bytes: Uint8Array) => AnswerFault | undefined

export type AnswerFault =
  | { readonly malformed: string }
  | { readonly invalid: readonly Invalid[]; readonly more: number }

/** Compiles the schemas of answers. A status that none of them is for is not held against anything. */
export function openAnswerCheck(options: AnswerSchemas, schemas: Schemas): AnswerCheck {
  const judges = new Map<string, AnswerJudge>()
  for (const [status, schema] of Object.entries(options)) {
    if (!statusKey.test(status))
      throw new SchemaMistake(
        `/${escapeToken(status)}`,
        'expected a status such as `200`, a class such as `4XX`, or `default`',
      )
    under(`/${status}`, () => judges.set(status.toUpperCase(), judgeBy(schemas.compile(schema))))
  }
  return {
    of(status) {
      if (status === 204 || status === 205 || status === 304 || status < 200) return undefined // RFC 9110 §6.4.1: no content
      return judges.get(String(status)) ?? judges.get(`${Math.floor(status / 100)}XX`) ?? judges.get('DEFAULT')
    },
  }
}

const statusKey = /^(?:[1-5][0-9]{2}|[1-5][Xx]{2}|default)$/

function judgeBy(check: Check): AnswerJudge {
  return (contentType, bytes) => {
    const media = contentType === undefined ? undefined : readMediaType(contentType)
    if (media === undefined || 'problem' in media || !isJson(media.type))
      return { malformed: 'expected JSON, got another type' }
    let text: string
    try {
      text = strictUtf8.decode(bytes)
    } catch {
      return { malformed: 'expected UTF-8, got bytes that are none' }
    }
    const parsed = parseStrict(text)
    if ('error' in parsed) return { malformed: parsed.error }
    const broken = check(parsed.value, bytes.byteLength)
    return broken === undefined ? undefined : told(broken)
  }
}

function told({ violations, more }: Broken): AnswerFault {
  return { invalid: invalidInBody(violations, 'answer'), more }
}
