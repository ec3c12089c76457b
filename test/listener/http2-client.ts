import type { SecureClientSessionOptions } from 'node:http2'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2'
import type { TestContext } from 'node:test'
import type { TlsHouse } from '../support/tls.ts'

export interface Http2Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly trailers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  /** The code by which the stream ended: 0 where nothing went wrong. */
  readonly code: number
}

/** A connection of a real client of HTTP/2. */
export async function connectHttp2(
  context: Pick<TestContext, 'after'>,
  house: Pick<TlsHouse, 'port'>,
  ca: string,
  options: SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = connect(`https://localhost:${house.port}`, { ca, host: '127.0.0.1', ...options } as object)
  session.on('error', () => {})
  context.after(() => session.destroy())
  await new Promise<void>((resolve, reject) => {
    session.once('remoteSettings', () => resolve())
    session.once('error', reject)
    session.once('close', () => reject(new Error('it was closed at once')))
  })
  return session
}

/** One request, and all that comes back of it. */
export function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders | readonly string[],
  body?: string | Buffer,
): Promise<Http2Answer> {
  const stream = session.request(headers)
  stream.end(body)
  return answerTo(stream)
}

export function answerTo(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve) => {
    let status = 0
    let answered: Http2Answer['headers'] = {}
    let trailers: Http2Answer['headers'] = {}
    const chunks: Buffer[] = []
    stream.on('response', (fields) => {
      status = Number(fields[':status'])
      answered = fields as Http2Answer['headers']
    })
    stream.on('trailers', (fields) => (trailers = fields as Http2Answer['headers']))
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => {})
    stream.on('close', () =>
      resolve({
        status,
        headers: answered,
        trailers,
        body: Buffer.concat(chunks).toString(),
        code: stream.rstCode ?? 0,
      }),
    )
  })
}
