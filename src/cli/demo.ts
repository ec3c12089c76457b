import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A small API to stand behind the gate on a first start. It knows nothing of passwords or tokens: it reads who asks. */
export async function startDemo(): Promise<{ readonly url: string; close(): void }> {
  const tasks: { id: number; title: string; by: string }[] = [{ id: 1, title: 'Read the README', by: 'demo' }]
  const server = createServer((request, response) => {
    const who = request.headers['x-gatehouse-user']
    if (request.url === '/api/hello')
      return answer(response, 200, {
        message: 'you are through the gate',
        user: who,
        roles: request.headers['x-gatehouse-roles'],
      })
    if (request.url !== '/api/tasks')
      return answer(response, 404, { error: 'the demo knows /api/hello and /api/tasks' })
    if (request.method !== 'POST') return answer(response, 200, tasks)
    void body(request).then((text) => {
      const { title } = JSON.parse(text) as { title: string } // the gate has held it against the schema
      const task = { id: tasks.length + 1, title, by: String(who) }
      tasks.push(task)
      answer(response, 201, task)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref() // it lives as long as the gate before it
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  }
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(value)}\n`)
}

async function body(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
