import { Pool } from 'undici'

/** The way to an address that the operator chose: one JSON there, one JSON back. */
export interface JsonPost {
  post(body: unknown, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<unknown>
  close(): Promise<void>
}

/** Why there is no answer: by its code, since a message may quote the address, which may be a secret. */
export class PostFault extends Error {
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs = 0) {
    super(message)
    this.name = 'PostFault'
    this.retryAfterMs = retryAfterMs
  }
}

/** No redirect is followed, nothing compressed is read, and of an answer no more than so many bytes. */
export function openJsonPost(address: string, connections: number): JsonPost {
  const { origin, pathname, search } = new URL(address)
  const pool = new Pool(origin, { connections, pipelining: 1, allowH2: false, maxHeaderSize: 16_384 })
  return {
    close: () => pool.destroy(),
    async post(body, headers, signal) {
      const answer = await pool
        .request({
          method: 'POST',
          path: pathname + search,
          headers: {
            'content-type': 'application/json',
            accept: 'application/json',
            'accept-encoding': 'identity',
            'user-agent': 'gatehouse',
            ...headers,
          },
          body: JSON.stringify(body),
          signal,
        })
        .catch((error: unknown) => {
          throw new PostFault(reasonOf(error, signal))
        })
      const { statusCode } = answer
      if (statusCode < 200 || statusCode >= 300) {
        answer.body.on('error', () => {}) // nobody waits for what is not read
        answer.body.destroy()
        throw new PostFault(`it answered ${statusCode}`, secondsOf(answer.headers['retry-after']) * 1_000)
      }
      return parsed(await textOf(answer.body, signal))
    },
  }
}

export const answerBytesMax = 1_048_576

async function textOf(body: AsyncIterable<Buffer>, signal: AbortSignal): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  try {
    for await (const piece of body) {
      length += piece.byteLength
      if (length > answerBytesMax) break
      pieces.push(piece)
    }
  } catch (error) {
    throw new PostFault(reasonOf(error, signal))
  }
  if (length > answerBytesMax) throw new PostFault(`its answer is longer than ${answerBytesMax} bytes`)
  return Buffer.concat(pieces).toString()
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new PostFault('its answer is no JSON')
  }
}

/** `Retry-After` in seconds (RFC 9110 §10.2.3); a date counts as none. */
function secondsOf(header: string | string[] | undefined): number {
  return typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) : 0
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'it did not answer in time'
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown }
  return `it could not be reached (${typeof code === 'string' ? code : String(name)})`
}
