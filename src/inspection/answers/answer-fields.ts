/** What an answer says under a name, in lower case; several values as one list (RFC 9110 §5.2). */
export function fieldIn(headers: readonly string[], lower: string): string | undefined {
  let value: string | undefined
  for (let at = 0; at < headers.length; at += 2) {
    if ((headers[at] as string).toLowerCase() !== lower) continue
    value = value === undefined ? (headers[at + 1] as string) : `${value}, ${headers[at + 1]}`
  }
  return value
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
