/** A request that somebody else will send. */
export interface RequestFacts {
  readonly method: string
  /** The whole address. */
  readonly url: string | URL
  /** Only those that the signature covers matter. */
  readonly headers?: Readonly<Record<string, string>> | Headers
  /** Exactly as it will be sent. */
  readonly body?: string | Uint8Array | ArrayBuffer
}

/** A request in the form in which it is signed. */
export interface Facts {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  /** Undefined where there is none. */
  readonly body: Uint8Array<ArrayBuffer> | undefined
}

/**
 * Signs either kind: of a `Request` it makes another with the fields of the signature, of facts it answers these fields. The
 * body of a `Request` is read into memory, and sent with its length.
 */
export async function signedBy<R extends Request | RequestFacts>(
  request: R,
  fieldsOf: (facts: Facts) => Promise<Record<string, string>>,
): Promise<R extends Request ? Request : Record<string, string>> {
  type Signed = R extends Request ? Request : Record<string, string>
  if (!(request instanceof Request)) return (await fieldsOf(factsOf(request))) as Signed
  const body = request.body === null ? undefined : new Uint8Array(await request.clone().arrayBuffer())
  const headers = new Headers(request.headers)
  const { method, url } = request
  const fields = await fieldsOf({ method, url: new URL(url), headers, body })
  for (const [name, value] of Object.entries(fields)) headers.set(name, value)
  return new Request(request, body === undefined ? { headers } : { headers, body }) as Signed
}

function factsOf({ method, url, headers, body }: RequestFacts): Facts {
  return { method, url: new URL(url), headers: new Headers(headers), body: bytesOf(body) }
}

function bytesOf(body: RequestFacts['body']): Uint8Array<ArrayBuffer> | undefined {
  if (body === undefined) return undefined
  return typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body)
}
