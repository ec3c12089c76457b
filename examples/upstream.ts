import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A stand-in for the API behind an example: it takes what the gate lets through, and repeats who asked. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString()
    const told = request.headers
    response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({
        path: request.url,
        user: told['x-gatehouse-user'],
        service: told['x-gatehouse-service'],
        key: told['x-gatehouse-key'],
        request_id: told['x-request-id'],
        ...(body === '' ? {} : { received: jsonOr(body) }),
      }),
    )
  })
})

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
server.unref() // it lives as long as whoever reads the configuration

export const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
