/** Where in a message something stands, as its sender would look for it. */
export interface Place {
  readonly in: 'path' | 'query' | 'header' | 'cookie' | 'body' | 'answer'
  /**
   * In JSON and XML a JSON Pointer (RFC 6901), `/comments/0/text`, and the empty text for the whole; of a form, a query, a header,
   * a cookie or a path its name, `filename` of a part as `upload#filename`.
   */
  readonly at: string
}

/** `query q`, `body /comments/0/text`, `body`: for logs, events and people. */
export function placeText({ in: part, at }: Place): string {
  return at === '' ? part : `${part} ${at}`
}
