/** What an answer says under a name, in lower case; several values as one list (RFC 9110 §5.2). */
export function fieldIn(headers: readonly string[], lower: string): string | undefined {
  let value: string | undefined
  for (let at = 0; at < headers.length; at += 2) {
    if ((headers[at] as string).toLowerCase() !== lower) continue
    value = value === undefined ? (headers[at + 1] as string) : `${value}, ${headers[at + 1]}`
  }
  return value
}

/**
 * What an answer says that it is, in place: once. Of several types that differ one reader takes the first and another the last, so
 * that nobody can say as what it is read.
 */
export function contentTypeIn(
  headers: readonly string[],
): { readonly contentType: string | undefined } | { readonly problem: string } {
  let contentType: string | undefined
  for (let at = 0; at < headers.length; at += 2) {
    if ((headers[at] as string).toLowerCase() !== 'content-type') continue
    const said = headers[at + 1] as string
    if (contentType !== undefined && contentType !== said) return { problem: 'it has several types' }
    contentType = said
  }
  // A list is what is left of several where somebody has joined them (RFC 9110 §5.3).
  const [first = '', ...others] = (contentType ?? '').replaceAll(/"[^"]*"/g, '').split(',')
  return others.some((other) => other.trim() !== first.trim()) ? { problem: 'it has several types' } : { contentType }
}

/** Says it once, in the place of whatever was said. */
export function setField(headers: string[], name: string, value: string): void {
  const lower = name.toLowerCase()
  let kept = 0
  for (let at = 0; at < headers.length; at += 2) {
    if ((headers[at] as string).toLowerCase() === lower) continue
    headers[kept++] = headers[at] as string
    headers[kept++] = headers[at + 1] as string
  }
  headers.length = kept
  headers.push(name, value)
}
