/** Header fields as they came, in order and unmerged: name, value, name, value. */
export type RawHeaders = readonly string[]

export function* pairs(headers: RawHeaders): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at < headers.length; at += 2) yield [headers[at] as string, headers[at + 1] as string]
}
