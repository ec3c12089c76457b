import { isUtf8 } from 'node:buffer'
import { textOf } from '../fields/charset.ts'
import { readMediaType } from '../fields/media-type.ts'
import { type Part, readMultipart } from '../fields/multipart.ts'
import type { RequestParts } from '../fields/request.ts'
import { type RewrittenPart, rewriteMultipart } from '../fields/rewrite-multipart.ts'
import { redactBody } from '../stream/redact-body.ts'
import { Redactions } from '../stream/redactions.ts'
import type { Redactor } from '../stream/redactor.ts'

/** A body without what the redactor finds; undefined where it holds no text. */
export function redactRequest(
  { body, contentType }: Pick<RequestParts, 'body' | 'contentType'>,
  redactor: Redactor,
):
  | { readonly bytes: Uint8Array; readonly contentType: string | undefined; readonly redactions: Redactions }
  | { readonly problem: string }
  | undefined {
  if (body === undefined || body.byteLength === 0) return undefined
  if (contentType !== undefined && /^\s*multipart\//i.test(contentType)) return redactForm(body, contentType, redactor)
  const redacted = redactBody(body, contentType, redactor)
  if (!('unseen' in redacted)) return redacted
  if (!isText(body)) return undefined
  const asText = redactBody(body, 'text/plain', redactor)
  return 'unseen' in asText ? undefined : { ...asText, contentType: undefined }
}

/** The texts of a form; its files and all that stands between the parts stay byte for byte. */
function redactForm(body: Uint8Array, contentType: string, redactor: Redactor): ReturnType<typeof redactRequest> {
  const read = readMultipart(body, contentType)
  if ('problem' in read) return read
  const redactions = new Redactions()
  const bytes = rewriteMultipart(body, read.parts, (part) =>
    part.filename === undefined ? redactPart(part, redactor, redactions) : undefined,
  )
  return { bytes, contentType: undefined, redactions }
}

/** Whatever its sender calls it, a program may read it as one. */
function isText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && !bytes.includes(0)
}

function redactPart(
  { name, contentType: said, bytes }: Part,
  redactor: Redactor,
  redactions: Redactions,
): RewrittenPart | undefined {
  const media = said === undefined ? undefined : readMediaType(said)
  const { type = '', charset } =
    media === undefined || 'problem' in media ? {} : { type: media.type, charset: media.parameters.get('charset') }
  if (/json/.test(type)) {
    const inside = redactBody(bytes, 'application/json', redactor)
    if ('bytes' in inside) {
      for (const { kind, rule, at } of inside.redactions.first) redactions.add(kind, rule, `${name}${at}`)
      return inside.redactions.count === 0 ? undefined : { bytes: inside.bytes }
    }
  }
  const read = textOf(bytes, charset)
  if ('problem' in read) return undefined // reading its fields was refused before
  const { text: clean, matches } = redactor.redact(read.text, name)
  for (const { kind, rule } of matches) redactions.add(kind, rule, name)
  if (matches.length === 0) return undefined
  return { bytes: Buffer.from(clean), contentType: charset === undefined ? undefined : `${type}; charset=utf-8` }
}
