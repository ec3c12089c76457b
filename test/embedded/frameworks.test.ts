import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { serve } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import type { Config } from '../../src/config/settings.ts'
import type { Visit } from '../../src/endpoints/embedded/embedded.ts'
import type { House } from '../../src/house.ts'
import { person, startHouse } from '../support/house.ts'
import { post } from '../support/process.ts'

const config: Config = {
  roles: { user: { permissions: ['thing:read', 'chat:basic'] } },
  limits: false,
  routes: [
    { path: '/open', access: 'public' },
    { path: '/things', methods: ['GET'], require: 'thing:read' },
    {
      path: '/things',
      methods: ['POST'],
      require: 'thing:read',
      body: { type: 'object', properties: { name: { type: 'string', minLength: 2 } }, required: ['name'] },
    },
    { path: '/admin', require: 'system:config' },
    { path: '/broken', access: 'public' },
  ],
}

/** One server a framework: each is given a house and answers where it listens. */
const frameworks: Readonly<Record<string, (house: House, context: TestContext) => Promise<string>>> = {
  async express(house, context) {
    const app = express()
    app.use(house.express())
    app.use(express.json())
    app.get('/open', (_request, response) => void response.send('open'))
    app.get(
      '/things',
      house.require('chat:basic'),
      (request, response) => void response.json(told(house.visit(request))),
    )
    app.post('/things', (request, response) => void response.json({ body: request.body }))
    app.get('/chat', (_request, response) => void response.send('never'))
    app.get('/broken', () => {
      throw new Error('the handler failed')
    })
    const server = app.listen(0, '127.0.0.1')
    context.after(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    return addressOf(server.address())
  },
  async fastify(house, context) {
    const app = Fastify()
    await app.register(house.fastify as never)
    app.get('/open', () => 'open')
    app.get('/things', (request) => told(house.visit(request)))
    app.post('/things', (request) => ({ body: request.body }))
    app.get('/broken', () => {
      throw new Error('the handler failed')
    })
    context.after(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  async hono(house, context) {
    const app = new Hono()
    app.use(house.hono() as never)
    app.get('/open', (c) => c.text('open'))
    app.get('/things', (c) => c.json(told(house.visit(c.req.raw))))
    app.post('/things', async (c) => c.json({ body: await c.req.json() }))
    app.get('/broken', () => {
      throw new Error('the handler failed')
    })
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
    context.after(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    return addressOf(server.address() as AddressInfo)
  },
  async fetch(house, context) {
    const handler = house.fetch(async (request, visit) => {
      const { pathname } = new URL(request.url)
      if (pathname === '/broken') return new Response('failed', { status: 500 })
      if (pathname === '/open') return new Response('open')
      return Response.json(request.method === 'POST' ? { body: await request.json() } : told(visit))
    })
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', async () => {
        const url = `http://${request.headers.host}${request.url}`
        const answer = await handler(
          new Request(url, {
            method: request.method ?? 'GET',
            headers: request.headers as Record<string, string>,
            ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
          }),
          request.socket.remoteAddress ?? '',
        )
        response.writeHead(answer.status, [...answer.headers].flat())
        response.end(Buffer.from(await answer.arrayBuffer()))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    context.after(() => void server.close())
    return addressOf(server.address() as AddressInfo)
  },
}

function addressOf(address: AddressInfo | string | null): string {
  return `http://127.0.0.1:${(address as AddressInfo).port}`
}

function told(visit: Visit | undefined): unknown {
  return { id: visit?.principal.id, roles: visit?.principal.roles, request_id: visit?.requestId }
}

for (const [name, serveWith] of Object.entries(frameworks)) {
  test(`embedded in ${name}: the same refusals, the same fields, and the host answers the rest`, async (context) => {
    const { house } = await startHouse(context, config)
    const url = await serveWith(house, context)

    const open = await fetch(`${url}/open`, { headers: { 'x-request-id': 'trace-1' } })
    assert.deepEqual([open.status, await open.text()], [200, 'open'])
    assert.equal(open.headers.get('x-frame-options'), 'DENY')
    assert.equal(open.headers.get('x-request-id'), 'trace-1')

    const stranger = await fetch(`${url}/things`)
    assert.equal(stranger.status, 401)
    assert.equal(((await stranger.json()) as { code: string }).code, 'credentials-required')
    assert.equal((await fetch(`${url}/elsewhere`)).status, 404)

    const signedIn = await post(`${url}/api/auth/login`, { email: person.email, password: person.password })
    assert.equal(signedIn.status, 200, 'the house’s own endpoints are there')
    const { access_token, user } = (await signedIn.json()) as { access_token: string; user: { id: string } }
    const authorization = `Bearer ${access_token}`

    const through = await fetch(`${url}/things`, { headers: { authorization } })
    assert.equal(through.status, 200)
    const visit = (await through.json()) as { id: string; roles: string[]; request_id: string }
    assert.equal(visit.id, user.id)
    assert.deepEqual(visit.roles, ['user'])
    assert.equal(visit.request_id, through.headers.get('x-request-id'))

    const forbidden = await fetch(`${url}/admin`, { headers: { authorization } })
    assert.equal(forbidden.status, 403)
    assert.equal(((await forbidden.json()) as { error: string }).error, "Permission 'system:config' required")

    const body = await post(`${url}/things`, { name: 'ab' }, { authorization })
    assert.deepEqual(
      [body.status, await body.json()],
      [200, { body: { name: 'ab' } }],
      'the host reads the body that the gate has read before it',
    )
    assert.equal((await post(`${url}/things`, { name: 'a' }, { authorization })).status, 422)

    assert.equal((await fetch(`${url}/broken`)).status, 500)
    for (let wait = 0; wait < 40 && house.gate.inFlight > 0; wait++)
      await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal(house.gate.inFlight, 0, 'every request has ended and was recorded')
  })
}
