// A host and the gate in front of it read a path alike: whatever its spelling, a handler is reached by owners alone.
import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { serve } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import type { House } from '../../src/house.ts'
import { configOf, type Fields, found, startCrowd, startDocuments } from '../way/owners.ts'

/** Tells of each request that got through: the route, and the id as the framework reads it. */
type Reached = (route: 'documents' | 'users', id: string) => string

const frameworks: Readonly<Record<string, (house: House, reached: Reached, context: TestContext) => Promise<number>>> =
  {
    async express(house, reached, context) {
      const app = express()
      app.use(house.express())
      app.all('/documents/:id', (request, response) => void response.send(reached('documents', request.params.id)))
      app.all('/users/:id/tasks', (request, response) => void response.send(reached('users', request.params.id)))
      const server = app.listen(0, '127.0.0.1')
      context.after(() => void server.close())
      await new Promise((resolve) => server.once('listening', resolve))
      return (server.address() as AddressInfo).port
    },
    'fastify, read loosely': (house, reached, context) => fastify(house, reached, context, true),
    fastify: (house, reached, context) => fastify(house, reached, context, false),
    async hono(house, reached, context) {
      const app = new Hono()
      app.use(house.hono() as never)
      app.all('/documents/:id', (c) => c.text(reached('documents', c.req.param('id'))))
      app.all('/users/:id/tasks', (c) => c.text(reached('users', c.req.param('id'))))
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
      context.after(() => void server.close())
      await new Promise((resolve) => server.once('listening', resolve))
      return (server.address() as AddressInfo).port
    },
  }

async function fastify(house: House, reached: Reached, context: TestContext, loose: boolean): Promise<number> {
  const app = Fastify({ routerOptions: { caseSensitive: !loose, ignoreTrailingSlash: loose } })
  await app.register(house.fastify as never)
  type Params = { readonly id: string }
  app.all<{ Params: Params }>('/documents/:id', ({ params }) => reached('documents', params.id))
  app.all<{ Params: Params }>('/users/:id/tasks', ({ params }) => reached('users', params.id))
  context.after(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

function ask(port: number, path: string, headers: Fields, method: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, path, method, headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    request.on('error', reject)
    request.end()
  })
}

for (const [name, start] of Object.entries(frameworks))
  test(`AZ3: ${name}: no spelling of a path or a method reaches a handler with what is somebody else’s`, async (context) => {
    const api = await startDocuments(context)
    const { house, ada, bob, as } = await startCrowd(context, {
      ...configOf(api.url),
      resources: { document: { owner: { ...found, to: 'api' } } },
      routes: [
        { path: '/documents/:id', require: 'document:read', resource: 'document' },
        { path: '/users/:user_id/tasks', require: 'document:read', owner: { param: 'user_id' } },
      ],
    })
    const through: { readonly route: string; readonly id: string }[] = []
    const port = await start(
      house,
      (route, id) => {
        through.push({ route, id })
        return 'from the host'
      },
      context,
    )
    // Every other reading of what is Ada's is Bob's own.
    const spelled = ['Ada', 'ADA', 'Ada;x', 'Ada%3Bx', '%41da', '%2541da', 'Ada%20', 'Ada+', 'Ada%3F', 'Ada.', '.Ada']
    for (const one of [
      ...spelled,
      'Ada%2F',
      'Ada%00',
      'Ada%FF',
      'Ada%',
      'ADA%FF',
      'Ada,',
      'Ada%E2%80%AE',
      "Ada'",
      '(Ada)',
    ])
      for (const id of [one, one.toLowerCase(), safely(one), safely(safely(one))]) api.owners.set(id, bob.id)
    api.owners.set('Ada', ada.id)
    const paths = [...api.owners.keys(), ...spelled, 'Ada%FF', 'Ada%2F', 'Ada%5C', 'Ada%00'].flatMap((id) =>
      [
        ...['/documents/X', '/Documents/X', '/documents/X/', '//documents/X', '/documents//X', '/documents/./X'],
        ...['/documents/X?id=1', '/documents/x/../X', '/documents/X/.', '/documents/X#Ada', '/documents/X;/'],
      ].map((path) => path.replace('X', id)),
    )
    const own = [bob.id, ada.id].flatMap((id) => [
      id,
      id.toUpperCase(),
      `%3${id}`,
      `${id};${bob.id}`,
      `${id}%20`,
      `${id}/`,
    ])
    for (const path of [...paths, ...own.flatMap((id) => [`/users/${id}/tasks`, `/Users/${id}/Tasks/`])]) {
      if (!/^[\x21-\x7e]*$/.test(path)) continue
      for (const method of ['GET', 'DELETE']) {
        through.length = 0
        const status = await ask(port, path, as.bob, method)
        for (const { route, id } of through)
          assert.equal(route === 'users' ? id : api.owners.get(id), bob.id, `${method} ${path} reached ${id}`)
        assert.ok(status < 500, `${method} ${path}: ${status}`)
      }
    }
    assert.equal(await ask(port, '/documents/Ada', as.ada, 'PUT'), 200)
    assert.equal(await ask(port, '/documents/ADA', as.bob, 'PUT'), 200)
    assert.equal(await ask(port, `/users/${bob.id}/tasks`, as.bob, 'GET'), 200)
  })

function safely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
