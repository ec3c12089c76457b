import { isUtf8 } from 'node:buffer'
import { parseStrict } from '../../kernel/json.ts'
import { textOf } from '../fields/charset.ts'
import { type Pair, readForm } from '../fields/form.ts'
import { type MediaType, readMediaType } from '../fields/media-type.ts'
import { readMultipart } from '../fields/multipart.ts'
import { rewriteMultipart } from '../fields/rewrite-multipart.ts'
import { type HtmlPlan, sanitiseFields, sanitisePairs } from './fields.ts'

/** The same body, where nothing was cut out of it. */
export type SanitisedBody = { readonly bytes: Uint8Array } | { readonly problem: string }

/**
 * Cuts markup down in the fields of a body, of the type that it says it has. Text of another type is a problem: nobody knows where its
 * fields are, and the program behind may.
 */
export function sanitiseBody(body: Uint8Array, contentType: string | undefined, plan: HtmlPlan): SanitisedBody {
  if (body.byteLength === 0) return { bytes: body }
  const media = contentType === undefined ? unsaid : readMediaType(contentType)
  if ('problem' in media) return media
  if (media.type === 'application/x-www-form-urlencoded') return sanitiseForm(body, media, plan)
  if (media.type === 'multipart/form-data') return sanitiseMultipart(body, contentType as string, plan)
  const isJson = media.type.endsWith('/json') || media.type.endsWith('+json')
  if (!isJson && !isText(body)) return { bytes: body }
  const read = textOf(body, isJson ? undefined : media.parameters.get('charset'))
  if ('problem' in read) return read
  const outcome = sanitiseJson(read.text, plan)
  if ('problem' in outcome)
    return isJson ? outcome : { problem: 'expected JSON or a form: this route cleans their fields of markup' }
  return { bytes: outcome.text === read.text ? body : Buffer.from(outcome.text) }
}

const unsaid: MediaType = { type: '', parameters: new Map() }

/** What is no text has no fields; text in UTF-16 has zeros in it. */
function isText(bytes: Uint8Array): boolean {
  return (isUtf8(bytes) && !bytes.includes(0)) || bytes[0] === 0xfe || bytes[0] === 0xff
}

function sanitiseJson(text: string, plan: HtmlPlan): { readonly text: string } | { readonly problem: string } {
  const parsed = parseStrict(text)
  if ('error' in parsed) return { problem: parsed.error }
  if (sanitiseFields(parsed.value, plan).changed.length === 0) return { text }
  const { value } = sanitiseFields(parseAsWritten(text), plan)
  return { text: JSON.stringify(value) }
}

/** Numbers go on as they were written: more digits than a double holds are somebody's id. */
function parseAsWritten(text: string): unknown {
  return json.parse(text, (_name, value, { source }) =>
    typeof value === 'number' && source !== undefined ? json.rawJSON(source) : value,
  )
}

/** The types do not know yet what a reviver is told (ECMA-262 §25.5.1). */
const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (name: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown
  rawJSON(source: string): object
}

function sanitiseForm(body: Uint8Array, { parameters }: MediaType, plan: HtmlPlan): SanitisedBody {
  const read = readForm(body, parameters.get('charset'))
  if ('problem' in read) return read
  const { pairs, changed } = sanitisePairs(
    read.pairs.map(({ name, value }: Pair) => [name, value] as const),
    plan,
  )
  if (changed.length === 0) return { bytes: body }
  return {
    bytes: Buffer.from(new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString()),
  }
}

function sanitiseMultipart(body: Uint8Array, contentType: string, plan: HtmlPlan): SanitisedBody {
  const read = readMultipart(body, contentType)
  if ('problem' in read) return read
  let problem: string | undefined
  const bytes = rewriteMultipart(body, read.parts, ({ name, filename, contentType: said, bytes: content }) => {
    if (filename !== undefined) return undefined
    const media = said === undefined ? unsaid : readMediaType(said)
    const charset = 'problem' in media ? undefined : media.parameters.get('charset')
    const text = textOf(content, charset)
    if ('problem' in text) {
      problem ??= text.problem
      return undefined
    }
    const { pairs, changed } = sanitisePairs([[name, text.text]], plan)
    if (changed.length === 0) return undefined
    const type = charset === undefined || 'problem' in media ? undefined : `${media.type}; charset=utf-8`
    return { bytes: Buffer.from((pairs[0] as readonly [string, string])[1]), contentType: type }
  })
  return problem === undefined ? { bytes } : { problem }
}
