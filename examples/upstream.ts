import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A stand-in for the API behind an example: it takes what the gate lets through, and repeats who asked. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString()
    response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({
        path: request.url,
        user: request.headers['x-gatehouse-user'],
        request_id: request.headers['x-request-id'],
        ...(body === '' ? {} : { received: JSON.parse(body) as unknown }),
      }),
    )
  })
})

await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
server.unref() // it lives as long as whoever reads the configuration

export const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
