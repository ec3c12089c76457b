import type { RawHeaders } from '../../http/raw-headers.ts'

/** Every line of a field, by its name in lower case. */
export function linesOf(headers: RawHeaders, name: string): string[] {
  const lines: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const field = headers[at] as string
    if (field.length === name.length && field.toLowerCase() === name) lines.push(headers[at + 1] as string)
  }
  return lines
}
