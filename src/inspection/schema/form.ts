import { strictUtf8 } from '../../kernel/bytes.ts'
import { readForm } from '../fields/form.ts'
import { type Part, readMultipart } from '../fields/multipart.ts'
import type { Schema, Schemas } from './compile.ts'
import { judgePairs, type Pairs } from './pairs.ts'
import { bodyErrors, type Verdict, type Violation, violationsMax } from './violation.ts'
import { type Wire, wireOf } from './wire.ts'

/** A file of a form, as the handler of a route gets it. */
export interface SentFile {
  readonly filename: string
  /** As the sender named it. */
  readonly contentType: string | undefined
  readonly bytes: Uint8Array
}

/**
 * A check of `application/x-www-form-urlencoded`. Values are texts: `7` stands for a number where the schema expects one, and the
 * object that comes out holds it as one. What is forwarded stays as it was sent.
 */
export function formCheck(schema: Schema, schemas: Schemas): (bytes: Uint8Array) => Verdict {
  const check = schemas.compile(schema)
  const wire = wireOf(schema, schemas)
  return (bytes) => {
    const read = readForm(bytes)
    if ('problem' in read) return { malformed: read.problem }
    const judged = judgePairs(
      read.pairs.map(({ name, value }) => [name, value] as const),
      wire,
      check,
      'repeated',
    )
    return 'value' in judged ? { value: plain(judged.value) } : bodyErrors(judged.broken)
  }
}

/**
 * A check of `multipart/form-data`. Of a file the schema says only that there is one: `format: 'binary'`, or a `contentMediaType`.
 * A part that holds JSON says so in the schema: `'x-style': 'json'`.
 */
export function multipartCheck(
  schema: Schema,
  schemas: Schemas,
): (contentType: string) => (bytes: Uint8Array) => Verdict {
  const check = schemas.compile(schema)
  const wire = wireOf(schema, schemas)
  return (contentType) => (bytes) => {
    const read = readMultipart(bytes, contentType)
    if ('problem' in read) return { malformed: read.problem }
    const sorted = sort(read.parts, wire)
    if ('malformed' in sorted) return sorted
    if (sorted.violations.length > 0)
      return bodyErrors({
        violations: sorted.violations.slice(0, violationsMax),
        more: Math.max(0, sorted.violations.length - violationsMax),
      })
    const judged = judgePairs(sorted.pairs, wire, check, 'repeated')
    return 'value' in judged ? { value: withFiles(judged.value, sorted.files) } : bodyErrors(judged.broken)
  }
}

interface Sorted {
  readonly pairs: Pairs
  readonly files: ReadonlyMap<string, readonly SentFile[]>
  readonly violations: readonly Violation[]
}

/** Texts and files apart. For the schema a file is an empty text: what is in it is not the schema's to judge. */
function sort(parts: readonly Part[], wire: Wire): Sorted | { readonly malformed: string } {
  const pairs: (readonly [string, string])[] = []
  const files = new Map<string, SentFile[]>()
  const violations: Violation[] = []
  for (const { name, filename, contentType, bytes } of parts) {
    const expected = wire.properties.get(name)
    const isFile = filename !== undefined
    const wantsFile = expected?.file === true || expected?.items?.file === true
    if (expected !== undefined && isFile !== wantsFile)
      violations.push({ path: [name], message: wantsFile ? 'must be a file' : 'must be a text, and is a file' })
    if (isFile) {
      const known = files.get(name) ?? []
      known.push({ filename, contentType, bytes })
      files.set(name, known)
      pairs.push([name, ''])
      continue
    }
    let text: string
    try {
      text = strictUtf8.decode(bytes)
    } catch {
      return { malformed: 'expected each text of the form in UTF-8' }
    }
    pairs.push([name, text])
  }
  return { pairs, files, violations }
}

function withFiles(value: Readonly<Record<string, unknown>>, files: ReadonlyMap<string, readonly SentFile[]>): unknown {
  const whole = plain(value)
  for (const [name, sent] of files) set(whole, name, Array.isArray(value[name]) ? sent : sent[0])
  return whole
}

/** As JSON would be parsed: an object with the usual prototype, and every name a member of its own. */
function plain(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const name of Object.keys(value)) set(object, name, value[name])
  return object
}

function set(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}
