// The content stage inside somebody else's server: requests are looked into as at the gate, and handlers read what is left of them.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { serve } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { recorded } from '../../src/cli/recorded-events.ts'
import { parseConfig } from '../../src/config/parse.ts'
import type { Config } from '../../src/config/settings.ts'
import type { House } from '../../src/house.ts'
import { eventually } from '../support/eventually.ts'
import { startHouse } from '../support/house.ts'
import { json, type Problem } from './guarded.ts'

const sql = "1' OR '1'='1' -- "

const config: Config = {
  limits: false,
  inspection: { injection: 'log' },
  routes: [
    { path: '/log', access: 'public' },
    { path: '/block', access: 'public', inspection: { injection: 'block' } },
    { path: '/redact', access: 'public', inspection: { pii: { requests: 'redact' } } },
    {
      path: '/schema',
      access: 'public',
      body: { type: 'object', properties: { content: { type: 'string' } }, required: ['content'] },
      bodyTypes: ['json', 'form'],
      inspection: { html: { '/content': 'basic' }, pii: { requests: 'redact' } },
    },
  ],
}

/** Each answers what its handler reads of the body, as JSON. */
const frameworks: Readonly<Record<string, (house: House, context: TestContext) => Promise<string>>> = {
  async express(house, context) {
    const app = express()
    app.use(house.express())
    app.use(express.json(), express.urlencoded({ extended: false }), express.text())
    app.post('/*path', (request, response) => {
      response.json({
        body: request.body,
        length: request.headers['content-length'],
        input: house.visit(request)?.input,
      })
    })
    const server = createServer(app)
    return listening(server, context)
  },
  async fastify(house, context) {
    const app = Fastify()
    await app.register(house.fastify as never)
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(body as string))),
    )
    app.post('/*', async (request) => ({
      body: request.body,
      length: request.headers['content-length'],
      input: house.visit(request)?.input,
    }))
    context.after(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  async hono(house, context) {
    const app = new Hono()
    app.use(house.hono() as never)
    app.post('/*', async (c) => {
      const isForm = c.req.header('content-type')?.includes('urlencoded') === true
      const text = await c.req.text()
      return c.json({
        body: isForm ? Object.fromEntries(new URLSearchParams(text)) : text.startsWith('{') ? JSON.parse(text) : text,
        length: c.req.header('content-length'),
        input: house.visit(c.req.raw)?.input,
      })
    })
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
    context.after(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  async fetch(house, context) {
    const handler = house.fetch(async (request, visit) => {
      const text = await request.text()
      const isForm = request.headers.get('content-type')?.includes('urlencoded') === true
      return Response.json({
        body: isForm ? Object.fromEntries(new URLSearchParams(text)) : text.startsWith('{') ? JSON.parse(text) : text,
        length: request.headers.get('content-length'),
        input: visit.input,
      })
    })
    const server = createServer(async (request, response) => {
      const answer = await handler(
        new Request(`http://${request.headers.host}${request.url}`, {
          method: request.method ?? 'GET',
          headers: request.headers as Record<string, string>,
          body: Readable.toWeb(request) as ReadableStream,
          duplex: 'half',
        }),
        request.socket.remoteAddress ?? '',
      )
      response.writeHead(answer.status, [...answer.headers].flat())
      response.end(Buffer.from(await answer.arrayBuffer()))
    })
    return listening(server, context)
  },
}

async function listening(server: ReturnType<typeof createServer>, context: TestContext): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Read {
  readonly body: unknown
  readonly length: string | null | undefined
  readonly input: unknown
}

for (const [name, serveWith] of Object.entries(frameworks)) {
  test(`CT2 CT3 CT4: embedded in ${name}: refused, redacted and cleaned as at the gate, and handlers read what is left`, async (context) => {
    const { house } = await startHouse(context, config)
    const url = await serveWith(house, context)
    const ask = async (
      path: string,
      init: RequestInit,
    ): Promise<{ status: number; id: string; read: Read & Problem }> => {
      const answer = await fetch(`${url}${path}`, init)
      const text = await answer.text()
      assert.ok(answer.status < 500, text)
      return {
        status: answer.status,
        id: answer.headers.get('x-request-id') ?? '',
        read: JSON.parse(text) as Read & Problem,
      }
    }
    const findingsOf = (id: string): Promise<string> =>
      eventually(async () => {
        await house.audit.flush()
        for await (const { event } of recorded(house, 0))
          if (event.request_id === id) return String(event.details['findings'])
        return undefined
      })

    const refused = await ask('/block', json({ name: sql }))
    assert.deepEqual([refused.status, refused.read.code], [403, 'injection-detected'])
    assert.match(await findingsOf(refused.id), /^sql .* at body \/name/)

    const honest = await ask('/block', json({ name: "O'Brien", tags: ['a'] }))
    assert.deepEqual(honest.read.body, { name: "O'Brien", tags: ['a'] }, 'a handler reads what it would without us')
    const text = await ask('/block', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'some text' })
    assert.equal(text.read.body, 'some text')

    const noted = await ask('/log', json({ name: sql }))
    assert.deepEqual([noted.status, noted.read.body], [200, { name: sql }])
    assert.match(await findingsOf(noted.id), /^sql .* at body \/name/, 'also where nobody waits for it')

    const disguised = await ask('/block', {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: Buffer.from(JSON.stringify({ name: sql })),
    })
    assert.deepEqual([disguised.status, disguised.read.code], [422, 'not-inspectable'])

    const redacted = await ask('/redact', json({ to: 'ada@mail.example', n: 1 }))
    assert.deepEqual(redacted.read.body, { to: '[EMAIL]', n: 1 })
    assert.ok(
      redacted.read.length === undefined || redacted.read.length === null || redacted.read.length === '22',
      String(redacted.read.length),
    )

    const clean = { content: '<b>to</b> [EMAIL]' }
    const cleaned = await ask(
      '/schema',
      json({ content: '<b onclick="x()">to</b> ada@mail.example<script>x</script>' }),
    )
    assert.deepEqual([cleaned.read.body, cleaned.read.input], [clean, clean])
    const form = await ask('/schema', {
      method: 'POST',
      body: new URLSearchParams({ content: '<b onclick="x()">to</b> ada@mail.example' }),
    })
    assert.deepEqual([form.read.body, form.read.input], [clean, clean])
    await eventually(() => (house.gate.inFlight === 0 ? true : undefined))
  })
}

test('CT3: a handler of Express reads a body that was looked into as its own parsers give it, every value of it', async (context) => {
  const { house } = await startHouse(context, config)
  const url = await (frameworks['express'] as (typeof frameworks)[string])(house, context)
  const bodyOf = async (type: string, body: string | Uint8Array): Promise<unknown> => {
    const answer = await fetch(`${url}/block`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: Buffer.from(body as string),
    })
    assert.equal(answer.status, 200)
    return ((await answer.json()) as Read).body
  }
  assert.equal(await bodyOf('text/plain; charset=utf-16le', Buffer.from('Grüße', 'utf16le')), 'Grüße')
  assert.equal(await bodyOf('text/plain; charset=iso-8859-1', Buffer.from('Grüße', 'latin1')), 'Grüße')
  assert.deepEqual(await bodyOf('application/json', '\ufeff{"a":1}'), { a: 1 })
  const many = Array.from({ length: 1_500 }, (_, at) => `n${at}=${at}`).join('&')
  const read = (await bodyOf('application/x-www-form-urlencoded', many)) as Record<string, string>
  assert.deepEqual([Object.keys(read).length, read['n1499']], [1_500, '1499'])
})

test('CT3: what a host reads of a body behind its own answer holds no memory', async (context) => {
  const { house } = await startHouse(context, config)
  let read = 0
  const server = createServer((request, response) =>
    house.express()(request, response, () => {
      request.once('readable', () => response.end('early'))
      response.once('close', () => request.on('data', (chunk: Buffer) => (read += chunk.byteLength)))
    }),
  )
  const url = await listening(server, context)
  const { port } = new URL(url)
  for (let asked = 0; asked < 5; asked++) {
    const socket = connect(Number(port), '127.0.0.1')
    let answered = ''
    socket.on('data', (chunk) => (answered += chunk.toString()))
    socket.write(
      `POST /log HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 30000\r\n\r\n${'x'.repeat(30_000)}`,
    )
    await eventually(() => (answered.includes('early') && read === 30_000 * (asked + 1)) || undefined)
    socket.destroy()
  }
  await eventually(() => (house.gate.inFlight === 0 ? true : undefined))
  assert.match(await house.meters.exposition(), /^gatehouse_body_bytes 0$/m)
})

test('CT4: answers that the house does not see cannot be screened: a mistake where the route says so, a warning where the house does', async (context) => {
  const mistakesOf = (more: Partial<Config>): readonly string[] => {
    const parsed = parseConfig({ store: 'sqlite::memory:', ...more } as Config, {})
    return 'mistakes' in parsed ? parsed.mistakes.map(({ path, message }) => `${path}: ${message}`) : []
  }
  const upstreams = { api: 'http://127.0.0.1:9' }
  const [pii, secrets, prompts, answers, ...others] = mistakesOf({
    upstreams,
    routes: [
      { path: '/a', access: 'public', inspection: { pii: 'redact' } },
      { path: '/b', access: 'public', inspection: { secrets: { answers: 'log' } } },
      { path: '/c', access: 'public', websocket: true, to: 'api', inspection: { prompts: { answers: 'block' } } },
      { path: '/d', access: 'public', answers: { schemas: { 200: {} } } },
      { path: '/e', access: 'public', to: 'api', inspection: { pii: 'redact' } },
      { path: '/f', access: 'public', inspection: { pii: { requests: 'redact' } } },
    ],
  })
  assert.match(pii ?? '', /^routes\[0\]\.inspection\.pii\.answers: looks at answers, and the route has no `to`/)
  assert.match(secrets ?? '', /^routes\[1\]\.inspection\.secrets\.answers: /)
  assert.match(
    prompts ?? '',
    /^routes\[2\]\.inspection\.prompts\.answers: looks at answers, and what goes over a WebSocket/,
  )
  assert.match(answers ?? '', /^routes\[3\]\.answers: looks at answers/)
  assert.deepEqual(others, [])
  const { house } = await startHouse(context, {
    upstreams,
    inspection: { pii: 'redact' },
    routes: [
      { path: '/a', access: 'public' },
      { path: '/b', access: 'public', to: 'api' },
    ],
  })
  const warned = house.warnings.filter((warning) => warning.includes('looked into'))
  assert.equal(warned.length, 1)
  assert.match(warned[0] ?? '', /^the answers of `\/a` are not looked into \(pii\)/)
})
