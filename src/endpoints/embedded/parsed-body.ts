import { parse } from 'node:querystring'
import { parseStrict } from '../../kernel/json.ts'

/**
 * A body as the parsers of Express give it to handlers: JSON as its value, a form as names and values (a name that comes again as
 * a list), text as text, and everything else as bytes.
 */
export function parsedBody(bytes: Uint8Array, contentType: string | undefined): unknown {
  const type = (contentType?.split(';')[0] ?? '').trim().toLowerCase()
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (type === 'application/json' || type.endsWith('+json')) {
    const parsed = parseStrict(buffer.toString('utf8'))
    return 'value' in parsed ? parsed.value : buffer
  }
  if (type === 'application/x-www-form-urlencoded') return { ...parse(buffer.toString('utf8')) }
  return type.startsWith('text/') ? buffer.toString('utf8') : buffer
}
