// What a host lets through around its gate: another spelling of a path, another version of HTTP, a body that was read before.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import type { House } from '../../src/house.ts'
import { startHouse } from '../support/house.ts'

const secret = 'a secret of billing that is long enough'
const releases: (() => unknown)[] = []
let house: House

before(async () => {
  const file = { after: (release: () => unknown) => void releases.push(release) } as Parameters<typeof startHouse>[0]
  const started = await startHouse(
    file,
    {
      limits: false,
      services: { billing: { secrets: [{ env: 'SECRET' }] } },
      signatures: { plain: { form: 'method-uri-body', service: 'billing' } },
      routes: [
        { path: '/*', access: 'public' },
        { path: '/admin', require: 'system:config' },
        { path: '/admin/users/:id', require: 'system:config' },
        { path: '/slash/', require: 'system:config' },
        { path: '/docs/*', access: 'authenticated' },
        { path: '/pay', access: 'public', signature: 'plain' },
      ],
    },
    { environment: { SECRET: secret } },
  )
  house = started.house
})
after(async () => {
  for (const release of releases.toReversed()) await release()
})

/** Fields that sign a request of this path with an empty body. */
function signedEmpty(path: string): Record<string, string> {
  const at = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', secret).update(`POST\n${path}\n\n${at}`).digest('base64')
  return { 'x-signature': signature, 'x-timestamp': at }
}

const closed = ['/admin', '/ADMIN', '/admin/', '/Admin/', '/admin/users/7', '/aDmin/Users/7/', '/slash/', '/slash']

test('C: Express reads a path in any case and with a slash more, and so does the gate before it', async (context) => {
  const app = express()
  app.use(house.express())
  for (const path of ['/admin', '/admin/users/:id', '/slash/', '/docs/', '/open'])
    app.get(path, (_request, response) => void response.send('reached'))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const statusOf = async (path: string): Promise<number> => {
    const answer = await fetch(url + path)
    await answer.body?.cancel()
    return answer.status
  }
  for (const path of [...closed, '/docs/', '/docs/x']) assert.equal(await statusOf(path), 401, path)
  for (const path of ['/open', '/OPEN/']) assert.equal(await statusOf(path), 200, path)
  server.closeAllConnections()
})

test('C: the gate reads paths as Fastify was told to, and will not stand where it cannot', async () => {
  const served = async (routerOptions: object) => {
    const app = Fastify({ routerOptions })
    await app.register(house.fastify as never)
    for (const path of ['/admin', '/admin/users/:id', '/slash/']) app.get(path, () => 'reached')
    return app
  }
  for (const options of [{ caseSensitive: false }, { ignoreTrailingSlash: true }]) {
    const app = await served(options)
    for (const path of closed) assert.equal((await app.inject(path)).statusCode, 401, path)
    await app.close()
  }
  const exact = await served({})
  for (const path of closed)
    assert.equal((await exact.inject(path)).body.includes('reached'), false, `${path}, read by its letters`)
  await exact.close()
  await assert.rejects(served({ useSemicolonDelimiter: true }), /useSemicolonDelimiter/)
})

test('C: over HTTP/2, where a body needs no announcement, nothing passes for a request without one', async (context) => {
  const app = Fastify({ http2: true })
  await app.register(house.fastify as never)
  let reached = 0
  app.post('/pay', () => ++reached)
  const client = connect(await app.listen({ port: 0, host: '127.0.0.1' }))
  context.after(() => {
    client.destroy()
    return app.close()
  })
  for (const host of [{}, { host: 'gate.example.com' }]) {
    const request = client.request({
      ':path': '/pay',
      ':method': 'POST',
      ...host,
      'content-type': 'application/json',
      ...signedEmpty('/pay'),
    })
    request.end('{"amount":1}')
    const [headers] = (await once(request, 'response')) as [Record<string, unknown>]
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk as string
    assert.equal(headers[':status'], 400)
    assert.match(body, /expected HTTP\/1\.1, got HTTP\/2\.0/)
  }
  assert.equal(reached, 0)
})

test('AK3: a body that the host has read before the gate could is refused, and never taken for an empty one', async (context) => {
  const body = '{"amount":1}'
  let reached = 0
  const app = express()
  app.use(express.json(), house.express())
  app.post('/pay', (_request, response) => void response.send(String(++reached)))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/pay`
  const headers = { 'content-type': 'application/json', ...signedEmpty('/pay') }
  assert.equal((await fetch(url, { method: 'POST', headers, body })).status, 400)
  server.closeAllConnections()

  const hono = new Hono()
  hono.use(async (c, next) => {
    await c.req.text()
    await next()
  }, house.hono() as never)
  hono.post('/pay', (c) => c.text(String(++reached)))
  hono.onError((_error, c) => c.text('failed', 500))
  const sent = { method: 'POST', headers: signedEmpty('/pay'), body }
  assert.equal((await hono.request('/pay', sent, { incoming: { socket: {} } })).status, 500)
  assert.equal(reached, 0)
})
