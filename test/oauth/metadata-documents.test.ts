// Clients that are an address where they describe themselves: read over real TLS, from servers that may lie.
import assert from 'node:assert/strict'
import type { OutgoingHttpHeaders } from 'node:http'
import { type TestContext, test } from 'node:test'
import { openEgress } from '../../src/http/egress.ts'
import { silent } from '../../src/kernel/log.ts'
import { openMetadataDocuments } from '../../src/oauth/metadata-documents.ts'
import { testClock } from '../support/clock.ts'
import { startHttps } from '../support/https-server.ts'

const minute = 60_000

/** A document as its owner serves it; `client_id` is the address, where nothing else is said. */
interface Served {
  readonly said?: Readonly<Record<string, unknown>>
  readonly text?: (address: string) => string
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
}

async function scene(context: TestContext, first: Served = {}) {
  const served = { now: first }
  const server = await startHttps(context, (request, response) => {
    const { said, text, status = 200, headers } = served.now
    const address = `https://app.client.example:${server.port}${request.url}`
    const body =
      text?.(address) ??
      JSON.stringify({
        client_id: address,
        client_name: 'An App',
        redirect_uris: ['https://app.client.example/callback'],
        ...said,
      })
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  })
  const clock = testClock()
  const egress = openEgress({
    clock,
    resolve: async () => ['127.0.0.1'],
    ports: [server.port],
    ca: server.ca,
    allowAddress: (address) => address === '127.0.0.1',
  })
  const scopes = {
    has: (scope: string) => scope === 'widgets:read',
    isPrivileged: (scope: string) => scope === 'widgets:admin',
    certificates: 'shown',
  } as const
  const documents = openMetadataDocuments({ egress, scopes, clock, log: silent })
  return { served, server, clock, documents, address: `https://app.client.example:${server.port}/client.json` }
}

test('OA4: a client is what the document at its address says, and nobody has checked who it is', async (context) => {
  const { documents, address } = await scene(context, {
    said: {
      client_name: 'An\u202e App',
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials', 'urn:example:other'],
      scope: 'widgets:read widgets:admin openid',
      redirect_uris: ['http://127.0.0.1/callback', 'https://app.client.example/callback'],
      skip_consent: true,
      logo_uri: 'https://app.client.example/logo.png',
    },
  })
  const client = await documents.find(address)
  assert.deepEqual(
    { ...client, scopes: [...(client?.scopes ?? [])] },
    {
      id: address,
      name: 'An App',
      verified: false,
      confidential: false,
      metadata: {
        client_id: address,
        client_name: 'An App',
        redirect_uris: ['http://127.0.0.1/callback', 'https://app.client.example/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        require_pushed_authorization_requests: false,
        dpop_bound_access_tokens: false,
      },
      scopes: ['widgets:read', 'openid'],
    },
  )
})

test('OA4: a document without a name is called by its host, and one with a key shows who it is', async (context) => {
  const { documents, address, served } = await scene(context, { said: { client_name: undefined } })
  assert.match((await documents.find(address))?.name ?? '', /^app\.client\.example:\d+$/)
  served.now = { said: { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.client.example/jwks' } }
  const keyed = await documents.find(`${address}.keyed`)
  assert.equal(keyed?.confidential, true)
  assert.equal(keyed?.metadata['jwks_uri'], 'https://app.client.example/jwks')
})

test('A31: a document may name certificates of its own, and nobody else’s', async (context) => {
  const { documents, address, served } = await scene(context, {
    said: { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks_uri: 'https://app.client.example/jwks' },
  })
  assert.equal((await documents.find(address))?.confidential, true)
  served.now = { said: { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'bank.example' } }
  const named = await documents.read(`${address}.named`)
  assert.match('problem' in named ? named.problem : '', /expected `none`, `private_key_jwt` or `self_signed_tls/)
})

test('A31: a document that is not about its own address, or not for everybody to read, is no client', async (context) => {
  const document = (members: string) => (address: string) => `{"client_id":${JSON.stringify(address)},${members}}`
  const redirect = '"redirect_uris":["https://app.client.example/callback"]'
  const deep = `${'['.repeat(20)}${']'.repeat(20)}`
  for (const [what, made, problem] of [
    ['another’s id', { said: { client_id: 'https://app.client.example/other.json' } }, /character by character/],
    ['no id', { said: { client_id: undefined } }, /character by character/],
    ['its id in capitals', { text: (address) => JSON.stringify({ client_id: address.toUpperCase() }) }, /character by/],
    ['its id in a list', { text: (address) => JSON.stringify({ client_id: [address] }) }, /character by character/],
    ['two ids', { text: document(`"client_id":"https://evil.example/",${redirect}`) }, /once/],
    ['two addresses', { text: document(`${redirect},"redirect_uris":["https://evil.example/"]`) }, /once/],
    ['depth', { text: document(`${redirect},"x":${deep}`) }, /levels/],
    ['no object', { text: () => '[]' }, /object/],
    ['nothing', { text: () => '' }, /not JSON/],
    ['a page', { text: () => '<html>', headers: { 'content-type': 'text/html' } }, /content type/],
    ['Latin-1', { text: () => '{"client_id":"\ud800"}' }, /client_id|UTF-8/],
    ['a secret', { said: { client_secret: 'x' } }, /public document/],
    ['the end of a secret', { said: { client_secret_expires_at: 0 } }, /public document/],
    ['a method with a secret', { said: { token_endpoint_auth_method: 'client_secret_basic' } }, /public/],
    ['a method with a secret', { said: { token_endpoint_auth_method: 'client_secret_jwt' } }, /public/],
    ['no address', { said: { redirect_uris: undefined } }, /redirect_uris/],
    ['an empty list of addresses', { said: { redirect_uris: [] } }, /redirect_uris/],
    ['no grant that is to be had', { said: { grant_types: ['client_credentials'] } }, /grant_types/],
    [
      'no grant with addresses',
      { said: { grant_types: ['urn:ietf:params:oauth:grant-type:device_code'], redirect_uris: [] } },
      /one at least/,
    ],
    ['a script', { said: { redirect_uris: ['javascript:alert(1)'] } }, /runs/],
    ['an address in the clear', { said: { redirect_uris: ['http://evil.example/'] } }, /https/],
    [
      'keys inside',
      { said: { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://169.254.169.254/' } },
      /public address/,
    ],
    [
      'keys in the clear',
      { said: { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://app.client.example/jwks' } },
      /https/,
    ],
    ['length', { said: { x: 'x'.repeat(5_200) } }, /longer than 5120/],
    ['no such document', { status: 404 }, /status 200, got 404/],
    ['an answer that is not one', { status: 203 }, /status 200/],
    ['a way elsewhere', { status: 302, headers: { location: 'https://evil.example/' } }, /no redirect/],
  ] as const satisfies readonly (readonly [string, Served, RegExp])[]) {
    const { documents, address } = await scene(context, made)
    const outcome = await documents.read(address)
    assert.match('problem' in outcome ? outcome.problem : 'taken', problem, what)
    assert.equal(await documents.find(address), undefined)
  }
})

test('A31: an address that is many, or a whole site, is not asked', async (context) => {
  const { documents, server, address } = await scene(context)
  for (const id of [
    `${address}?x=1`,
    `${address}?`,
    `${address}#`,
    new URL('/', address).href,
    new URL(address).origin,
    address.replace('https:', 'http:'),
    address.replace('app.', 'app@'),
    `${address}/${'a'.repeat(500)}`,
    'https://10.0.0.1/client.json',
    'https://localhost/client.json',
    'https://client.example:8443/client.json',
  ])
    assert.ok('problem' in (await documents.read(id)), id)
  assert.equal(server.connections, 0)
})

test('OA4: a document is good for as long as it says, within a minute and an hour', async (context) => {
  for (const [control, goodFor] of [
    ['max-age=600', 10 * minute],
    ['max-age=1', minute],
    ['no-store', minute],
    ['max-age=31536000', 60 * minute],
    [undefined, minute],
  ] as const) {
    const headers = control === undefined ? {} : { 'cache-control': control }
    const { documents, server, clock, address, served } = await scene(context, { headers })
    await documents.find(address)
    served.now = { said: { client_name: 'Another' }, headers }
    clock.advance(goodFor - 1)
    assert.equal((await documents.find(address))?.name, 'An App', control)
    assert.equal(server.requests.length, 1)
    clock.advance(1)
    assert.equal((await documents.find(address))?.name, 'Another', control)
  }
})

test('A31: many who ask at once are one question, and a document that fails is not asked for again at once', async (context) => {
  const { documents, server, clock, address, served } = await scene(context)
  const clients = await Promise.all(Array.from({ length: 20 }, () => documents.find(address)))
  assert.ok(clients.every((client) => client?.id === address))
  assert.equal(server.requests.length, 1)
  served.now = { status: 500 }
  for (let tries = 0; tries < 20; tries++) assert.equal(await documents.find(`${address}.broken`), undefined)
  assert.equal(server.requests.length, 2)
  served.now = {}
  clock.advance(10_000)
  assert.ok(await documents.find(`${address}.broken`))
})
