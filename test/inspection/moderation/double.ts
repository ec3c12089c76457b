import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What an endpoint was asked. */
export interface Asked {
  readonly headers: IncomingMessage['headers']
  readonly body: { readonly input?: readonly string[]; readonly model?: string } & Record<string, unknown>
}

/** A server that stands for somebody's API; how it answers can be changed while it runs. */
export interface Double extends AsyncDisposable {
  readonly url: string
  readonly asked: Asked[]
  answers: (asked: Asked, response: ServerResponse) => void
}

export async function openDouble(answers: Double['answers']): Promise<Double> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const asked = { headers: request.headers, body: JSON.parse(Buffer.concat(pieces).toString()) }
      double.asked.push(asked)
      double.answers(asked, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const double: Double = {
    url: `http://127.0.0.1:${port}/v1/moderations`,
    asked: [],
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return double
}

export function json(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
}

/** As OpenAI's endpoint answers: a text with `violent` in it is violence. */
export function moderated({ body }: Asked, response: ServerResponse): void {
  json(response, {
    id: 'modr-1',
    model: body.model,
    results: (body.input ?? []).map((text) => {
      const is = text.includes('violent')
      return {
        flagged: is,
        categories: { violence: is, 'hate/threatening': false, illicit: false },
        category_scores: { violence: is ? 0.91 : 0.01, 'hate/threatening': 0.002, illicit: 0.001 },
      }
    }),
  })
}
