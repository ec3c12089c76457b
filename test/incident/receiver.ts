import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** Somebody who is sent messages. */
export interface Receiver {
  readonly url: string
  readonly got: Received[]
  /** What it does with the next ones. */
  answer: (response: ServerResponse, request: IncomingMessage) => void
}

export interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

export const accept = (response: ServerResponse): void => void response.writeHead(202).end('ok')

export async function receiver(context: TestContext): Promise<Receiver> {
  const got: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      got.push({ path: request.url ?? '', headers: request.headers, text, body: JSON.parse(text || '{}') })
      it.answer(response, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const it: Receiver = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got, answer: accept }
  return it
}
