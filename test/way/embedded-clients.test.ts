import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { publicUrl } from '../support/people.ts'
import { type Guarded, saidOf, startGuarded, toolsAudience } from './clients.ts'

type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void

/** A server that embeds the house, with one handler behind `require('widgets:write')`. */
async function startEmbedding(context: TestContext): Promise<{ readonly house: Guarded; readonly url: string }> {
  const house = await startGuarded(context, {
    roles: { user: { permissions: ['widgets:*'] }, reader: { permissions: ['widgets:read'] } },
    routes: [
      { path: '/widgets', require: 'widgets:read' },
      { path: '/open', access: 'public' },
      { path: '/mcp/widgets', access: 'authenticated' },
    ],
  })
  const chain: readonly Middleware[] = [
    house.house.express(),
    house.house.require('widgets:write'),
    (request, response) =>
      response.end(JSON.stringify({ client: house.house.visit(request)?.principal.client ?? null })),
  ]
  const server = createServer((request, response) => {
    const from = (index: number): void => chain[index]?.(request, response, () => from(index + 1))
    from(0)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => void server.close())
  return { house, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('OA2 A36: `require` embedded says the same as a route does', async (context) => {
  const { house, url } = await startEmbedding(context)
  const ask = (path: string, token?: string): Promise<Response> =>
    fetch(url + path, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  const metadata = `${publicUrl}/.well-known/oauth-protected-resource`

  const granted = await ask('/widgets', house.lent(['widgets:write']))
  assert.deepEqual([granted.status, await granted.json()], [200, { client: 'app' }])
  assert.equal((await ask('/widgets', house.ada.access_token)).status, 200)
  assert.deepEqual(await saidOf(await ask('/widgets', house.lent(['widgets:read']))), {
    status: 403,
    code: 'insufficient-scope',
    scope: 'widgets:write',
    challenge: `Bearer realm="gatehouse", error="insufficient_scope", error_description="The client was granted too little", scope="widgets:write", resource_metadata="${metadata}"`,
  })
  const mayNot = await ask('/widgets', house.lent(['widgets:write'], { roles: ['reader'] }))
  assert.equal((await saidOf(mayNot)).code, 'permission-required')
  const stranger = await saidOf(await ask('/open'))
  assert.deepEqual([stranger.status, stranger.code], [401, 'credentials-required'])
  assert.match(stranger.challenge ?? '', /^Bearer realm="gatehouse", resource_metadata=/)
  const tools = await saidOf(await ask('/mcp/widgets', house.lent(['mcp:tools'], { audience: toolsAudience })))
  assert.equal(tools.code, 'first-party-only', 'no scope of that resource lends it')
})

test('A60: what `require` refuses is recorded as refused', async (context) => {
  const { house, url } = await startEmbedding(context)
  const headers = { authorization: `Bearer ${house.lent(['widgets:read'])}` }
  await (await fetch(`${url}/widgets`, { headers })).text()
  for (let wait = 0; wait < 50 && house.house.gate.inFlight > 0; wait++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  const event = (await house.events()).findLast(({ resource }) => resource.id === '* /widgets')
  assert.deepEqual(
    [event?.type, event?.result, event?.details['because'], event?.details['client']],
    ['authorization_failure', 'denied', 'insufficient-scope', 'app'],
  )
})
