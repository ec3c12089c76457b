import { parse } from 'node:querystring'
import { textOf } from '../../inspection/fields/charset.ts'
import { readMediaType } from '../../inspection/fields/media-type.ts'
import { parseStrict } from '../../kernel/json.ts'

/**
 * A body as the parsers of Express give it to handlers: JSON as its value, a form as names and values (a name that comes again as
 * a list), text as text, and everything else as bytes.
 */
export function parsedBody(bytes: Uint8Array, contentType: string | undefined): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const media = contentType === undefined ? undefined : readMediaType(contentType)
  if (media === undefined || 'problem' in media) return buffer
  const { type, parameters } = media
  const isJson = type === 'application/json' || type.endsWith('+json')
  const isForm = type === 'application/x-www-form-urlencoded'
  if (!isJson && !isForm && !type.startsWith('text/')) return buffer
  const read = textOf(bytes, parameters.get('charset'))
  if ('problem' in read) return buffer
  if (isForm) return { ...parse(read.text, '&', '=', { maxKeys: 0 }) } // how many there may be, who read the form has asked
  const parsed = isJson ? parseStrict(read.text) : { value: read.text }
  return 'value' in parsed ? parsed.value : buffer
}
