import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Config } from '../../src/config/settings.ts'
import { McpPerson, startMcpServer } from '../support/mcp.ts'
import { startOauth } from '../support/oauth.ts'
import { bearer } from '../support/people.ts'

function guarding(upstream: string): Config {
  return {
    upstreams: { tools: upstream },
    routes: [{ path: '/mcp', access: 'authenticated', to: 'tools' }],
    oauth: {
      scopes: { 'mcp:tools': { description: 'Use the tools' } },
      resources: [{ path: '/mcp', name: 'Sums', scopes: ['mcp:tools'] }],
      clients: [],
      registration: { access: 'open' },
    },
  }
}

test('OA4: an MCP client that knows one address finds the server, registers, has its person sign in, and calls a tool', async (context) => {
  const upstream = await startMcpServer(context)
  const house = await startOauth(context, guarding(upstream.url))
  const person = new McpPerson(await house.person())
  const address = new URL('/mcp', house.issuer)

  const first = new StreamableHTTPClientTransport(address, { authProvider: person })
  await assert.rejects(new Client({ name: 'desk', version: '1' }).connect(first as never), UnauthorizedError)
  assert.equal(upstream.seen.length, 0, 'nothing reached the server before anybody was known')
  assert.equal(person.request?.searchParams.get('resource'), address.href)
  assert.equal(person.request?.searchParams.get('code_challenge_method'), 'S256')
  await first.finishAuth(person.back?.searchParams.get('code') ?? '')

  const client = new Client({ name: 'desk', version: '1' })
  const transport = new StreamableHTTPClientTransport(address, { authProvider: person })
  await client.connect(transport as never)
  const answer = await client.callTool({ name: 'add', arguments: { a: 2, b: 40 } })
  assert.deepEqual(answer.content, [{ type: 'text', text: '42' }])

  assert.ok(upstream.seen.length > 0)
  for (const headers of upstream.seen) {
    assert.equal(headers['authorization'], undefined, 'D5: the token stays at the gate')
    assert.match(String(headers['x-gatehouse-user']), /^[0-9a-f-]{36}$/)
    assert.match(String(headers['x-gatehouse-client']), /^gh_cl_/)
  }
  const token = person.saved.tokens?.access_token ?? ''
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  assert.deepEqual([claims.iss, claims.aud, claims.scope], [house.issuer, address.href, 'mcp:tools'])
  const elsewhere = await fetch(`${house.issuer}/api/auth/me`, { headers: bearer({ access_token: token }) })
  assert.equal(elsewhere.status, 401, 'D3: it is good for /mcp and nothing else')
  await elsewhere.body?.cancel()

  // Its access token is refused from now on: it refreshes by itself, and goes on.
  person.saved.tokens = { ...(person.saved.tokens ?? assert.fail()), access_token: `${token}x` }
  assert.equal((await client.callTool({ name: 'add', arguments: { a: 1, b: 1 } })).isError ?? false, false)
  await client.close()
})

test('A29: a client that registered itself is asked for each time, and its host is shown', async (context) => {
  const upstream = await startMcpServer(context)
  const house = await startOauth(context, guarding(upstream.url))
  const walker = await house.person()
  const registered = await fetch(`${house.issuer}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(new McpPerson(walker).clientMetadata),
  })
  assert.equal(registered.status, 201)
  const { client_id, client_secret } = (await registered.json()) as Record<string, string>
  assert.equal(client_secret, undefined)
  const request = new URL('/oauth/authorize', house.issuer)
  for (const [name, value] of Object.entries({
    client_id: client_id ?? '',
    redirect_uri: 'http://127.0.0.1:33418/callback',
    response_type: 'code',
    resource: `${house.issuer}/mcp`,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  }))
    request.searchParams.set(name, value)
  for (let times = 0; times < 2; times++) {
    walker.site = 'cross-site'
    const asked = await walker.go(request)
    assert.match(asked.url.pathname, /^\/auth\/consent\//, asked.text)
    assert.match(asked.text, /Use the tools/)
    const out = await walker.send(asked, { decision: 'allow' }, '/auth/consent/')
    assert.ok(out.url.searchParams.has('code'))
  }
})
