import type { RawHeaders } from '../../http/raw-headers.ts'

/** Whether an upstream can have meant it as an owner: an id is a short text of one line. */
export function isOwner(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 256
}

/** The values of a header, by its name in lower case. */
export function valuesOf(headers: RawHeaders, name: string): readonly string[] {
  const values: string[] = []
  for (let at = 0; at < headers.length; at += 2)
    if ((headers[at] as string).toLowerCase() === name) values.push(headers[at + 1] as string)
  return values
}
