// What is only lent while a request lasts, where somebody else's server answers it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import type { House } from '../../src/house.ts'
import { eventually } from '../support/eventually.ts'
import { startHouse } from '../support/house.ts'

const releases: (() => unknown)[] = []
let house: House

before(async () => {
  const file = { after: (release: () => unknown) => void releases.push(release) } as Parameters<typeof startHouse>[0]
  const started = await startHouse(file, {
    limits: { one: { algorithm: 'concurrency', limit: 1, by: 'ip' } },
    routes: [{ path: '/*', access: 'public', limit: 'one' }],
  })
  house = started.house
})
after(async () => {
  for (const release of releases.toReversed()) await release()
})

/** An answer that goes on until it is ended. */
function endless(): { readonly answer: Response; end(): void } {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  writer.write(Buffer.from('begun')).catch(() => undefined)
  return { answer: new Response(readable), end: () => void writer.close().catch(() => undefined) }
}

const to = (path: string, more?: RequestInit): Request => new Request(`http://house.example${path}`, more)

test('TR: before a fetch handler a stream is under way until its end, or until nobody reads it', async () => {
  let streaming = endless()
  const handle = house.fetch(({ url }) => (url.endsWith('/stream') ? streaming.answer : new Response('now')))
  const ask = async (path: string, more?: RequestInit): Promise<Response> => handle(to(path, more), '203.0.113.1')
  const first = await ask('/stream')
  assert.equal((await ask('/now')).status, 429)
  streaming.end()
  assert.equal(await first.text(), 'begun')

  streaming = endless()
  const second = await ask('/stream')
  assert.equal(second.status, 200)
  assert.equal((await ask('/now')).status, 429)
  await second.body?.cancel()

  const leaver = new AbortController()
  streaming = endless()
  assert.equal((await ask('/stream', { signal: leaver.signal })).status, 200)
  assert.equal((await ask('/now')).status, 429)
  leaver.abort()

  const now = await ask('/now')
  assert.equal(await now.text(), 'now')
  const head = await ask('/now', { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal((await ask('/now')).status, 200, 'nobody reads the body of an answer to HEAD')
})

test('TR: what a fetch handler answers that is no answer, or was read already, keeps nothing', async () => {
  const read = new Response('read')
  await read.text()
  for (const answer of [Response.error(), read, undefined as unknown as Response]) {
    const handle = house.fetch(() => answer)
    await assert.rejects(handle(to('/x'), '203.0.113.2'), String(answer))
    const good = await house.fetch(() => new Response('good'))(to('/x'), '203.0.113.2')
    assert.equal(await good.text(), 'good')
  }
})

test('TR TR5: in Hono too, also where a handler passes on what it fetched', async (context) => {
  const app = new Hono()
  let streaming = endless()
  app.use(house.hono() as never)
  app.get('/stream', () => streaming.answer)
  app.get('/fetched', () => fetch('data:text/plain,fetched'))
  app.get('/now', (c) => c.text('now'))
  app.get('/cookies', (c) => {
    c.header('Set-Cookie', 'a=1')
    c.header('Set-Cookie', 'b=2', { append: true })
    return c.text('now')
  })
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await once(server, 'listening')
  context.after(() => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const fetched = await fetch(`${url}/fetched`)
  assert.equal(fetched.status, 200)
  assert.equal(await fetched.text(), 'fetched')
  assert.equal(fetched.headers.get('x-ratelimit-type'), 'one')
  const cookies = await fetch(`${url}/cookies`)
  await cookies.text()
  assert.deepEqual(cookies.headers.getSetCookie(), ['a=1', 'b=2'])

  const stream = await fetch(`${url}/stream`)
  assert.equal(stream.status, 200)
  assert.equal((await fetch(`${url}/now`)).status, 429)
  streaming.end()
  assert.equal(await stream.text(), 'begun')

  streaming = endless()
  const leaver = httpRequest(`${url}/stream`).end()
  leaver.on('error', () => undefined)
  const [answer] = await once(leaver, 'response')
  assert.equal(answer.statusCode, 200)
  assert.equal((await fetch(`${url}/now`)).status, 429)
  leaver.destroy()
  await eventually(async () => ((await fetch(`${url}/now`)).status === 200 ? true : undefined))
})
