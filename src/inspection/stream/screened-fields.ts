/**
 * Takes out of an answer what is not true of it any more once it has been screened, in place. An entity tag goes too: the same
 * tag upstream is another representation here with each set of rules.
 */
export function screenedFields(headers: string[]): string[] {
  let kept = 0
  for (let at = 0; at < headers.length; at += 2) {
    if (untrue.has((headers[at] as string).toLowerCase())) continue
    headers[kept++] = headers[at] as string
    headers[kept++] = headers[at + 1] as string
  }
  headers.length = kept
  return headers
}

/** Of trailers too. */
export function screenedTrailers(trailers: readonly string[]): readonly string[] {
  return trailers.length === 0 ? trailers : screenedFields([...trailers])
}

/** What a request must not ask for when its answer is screened: a part, or what depends on a part. */
export const unaskedFields: ReadonlySet<string> = new Set([
  'range',
  'if-range',
  'want-content-digest',
  'want-repr-digest',
  'want-digest',
  'a-im',
])

const untrue = new Set([
  'content-length',
  'content-encoding',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  'etag',
  'accept-ranges',
  'content-range',
  'signature',
  'signature-input',
])
