import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Whose things are that were made here, by their paths. */
const owners = new Map<string, string>()

/**
 * A stand-in for the API behind an example: it takes what the gate lets through, repeats who asked, and knows whose things are. It
 * also says what it should not: whoever asks for an export, or for a stream of events, hears of a customer.
 */
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { method, url: path = '/', headers } = request
    const [, kind, id] = /^\/internal\/owners\/([^/]+)\/([^/]+)$/.exec(path) ?? []
    // What the gate itself asks before it lets anybody near a thing.
    if (kind !== undefined) return answer(ownerOf(`/api/${kind}/${id}`))
    if (headers.accept === 'text/event-stream') return speak()
    const user = headers['x-gatehouse-user']
    const body = Buffer.concat(chunks).toString()
    const made = method === 'POST' && collections.has(path) ? randomUUID() : undefined
    if (made !== undefined) owners.set(`${path}/${made}`, String(user))
    const owner = owners.get(path)
    if (owner === undefined && collections.has(path.slice(0, path.lastIndexOf('/')))) return answer(notThere)
    if (method === 'DELETE') owners.delete(path)
    answer({
      status: method === 'POST' ? 201 : 200,
      headers: owner === undefined ? {} : { 'x-owner-id': owner },
      said: {
        ...(made === undefined ? {} : { id: made }),
        path,
        user,
        service: headers['x-gatehouse-service'],
        key: headers['x-gatehouse-key'],
        request_id: headers['x-request-id'],
        ...(body === '' ? {} : { received: jsonOr(body) }),
        ...(path === '/api/export' ? { customers: [customer] } : {}),
      },
    })
  })

  /** As models do: a few letters at a time. */
  function speak(): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const { name, ...known } = customer
    const text = `Of ${name} I know ${Object.values(known).join(', ')}, and that is all.`
    for (let at = 0; at < text.length; at += 5)
      response.write(`data: ${JSON.stringify({ delta: text.slice(at, at + 5) })}\n\n`)
    response.end('data: [DONE]\n\n')
  }

  function answer({ status, headers, said }: Answer): void {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(said))
  }
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly said: object
}

/** Nobody: the number has no bank, and nobody answers the phone. */
const customer = {
  name: "Jane O'Hara",
  email: 'jane@customers.example',
  phone: '202-555-0143',
  card: '4111 1111 1111 1111',
  ssn: '536-22-8726',
}

/** Where each thing is somebody's. */
const collections = new Set(['/api/tasks', '/api/conversations'])
const notThere: Answer = { status: 404, headers: {}, said: { error: 'there is nothing here' } }

function ownerOf(path: string): Answer {
  const owner = owners.get(path)
  return owner === undefined ? notThere : { status: 200, headers: {}, said: { owner_id: owner } }
}

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
