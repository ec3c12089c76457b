import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import * as client from 'openid-client'
import { allow, backendSecret, type OauthHouse, redirectUri, startOauth } from '../support/oauth.ts'
import {
  authorizeUrl,
  basic,
  callApi,
  clients,
  codeChallenge,
  codeOf,
  codeVerifier,
  type Parameters,
  payloadOf,
  post,
  redeem,
  refresh,
  requested,
  type Said,
  scopes,
} from '../support/oauth-clients.ts'
import type { Stop, Walker } from '../support/walker.ts'

const every = ['widgets:read', 'widgets:write', 'mcp:tools', 'files:read', 'mcp:danger']

async function start(context: TestContext) {
  const house = await startOauth(context, {
    oauth: {
      scopes: {
        ...scopes,
        'mcp:tools': { description: 'Use the tools' },
        'mcp:danger': { description: 'Use the dangerous tools', privileged: true },
        'files:read': { description: 'Read your files' },
      },
      resources: [
        { path: '/mcp', name: 'Tools', scopes: ['mcp:tools', 'mcp:danger'] },
        { path: '/files', name: 'Files', scopes: ['files:read'] },
      ],
      clients: [
        ...clients.map((one) => ({ ...one, scopes: every })),
        { ...(clients[3] as (typeof clients)[number]), id: 'narrow', scopes: ['widgets:read'] },
      ],
    },
    routes: [
      { path: '/widgets', methods: ['GET'], require: 'widgets:read', to: 'api' },
      { path: '/known', access: 'authenticated', to: 'api' },
      { path: '/mcp', access: 'authenticated', to: 'api' },
      { path: '/mcp/*', access: 'authenticated', to: 'api' },
      { path: '/files', access: 'authenticated', to: 'api' },
    ],
  })
  const at = (path: string): string => house.issuer + path
  return { house, walker: await house.person(), tools: at('/mcp'), files: at('/files'), own: house.issuer }
}

/** Parameters of which one may come several times. */
function several(parameters: URLSearchParams, resources: readonly string[]): URLSearchParams {
  for (const resource of resources) parameters.append('resource', resource)
  return parameters
}

const requestFor = (house: OauthHouse, resources: readonly string[], more: Parameters = {}): URL =>
  new URL(`/oauth/authorize?${several(requested(more), resources)}`, house.issuer)

/** How each part of the house answers a token. */
async function reach(house: OauthHouse, token: unknown): Promise<readonly number[]> {
  const paths = ['/widgets', '/mcp', '/mcp/inner', '/files']
  return Promise.all(paths.map((path) => callApi(house, String(token), { path })))
}

async function refused(walker: Walker, url: URL): Promise<Stop> {
  walker.site = 'cross-site'
  const stop = await walker.go(url)
  assert.equal(stop.url.searchParams.get('code'), null, stop.url.href)
  return stop
}

const errorOf = ({ status, body }: Said): unknown => [status, body['error']]

test('A23 D1 D3 RFC 8707: openid-client is given a token for what it asked for, and for nothing else', async (context) => {
  const { house, walker, tools } = await start(context)
  const config = await house.discover('web-app')
  const request = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'mcp:tools',
    resource: tools,
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
  })
  const back = await allow(walker, request)
  const tokens = await client.authorizationCodeGrant(
    config,
    back,
    { pkceCodeVerifier: codeVerifier },
    { resource: tools },
  )
  assert.equal(payloadOf(tokens.access_token)['aud'], tools)
  assert.deepEqual(await reach(house, tokens.access_token), [401, 200, 200, 401])
  const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', { resource: tools })
  assert.deepEqual(await reach(house, next.access_token), [401, 200, 200, 401])
})

test('A23: who names no resource has a token for the house, and for none of its parts', async (context) => {
  const { house, walker } = await start(context)
  const { body } = await redeem(house, await codeOf(house, walker))
  assert.deepEqual(await reach(house, body['access_token']), [200, 401, 401, 401])
  assert.equal(body['scope'], 'widgets:read')
})

test('A23: a resource that is none of ours is `invalid_target`, at authorization and at the token endpoint', async (context) => {
  const { house, walker, tools, own } = await start(context)
  for (const resource of [
    'https://elsewhere.example/mcp',
    `${own}/nothing`,
    `${tools}/inner`,
    `${tools}?x=1`,
    `${tools}x`,
    tools.replace('http:', 'https:'),
    tools.replace('//', '//somebody@'),
    'mcp',
    '/mcp',
    'urn:mcp',
    'javascript:alert(1)',
  ]) {
    const stop = await refused(walker, requestFor(house, [resource], { scope: 'mcp:tools' }))
    assert.equal(stop.url.searchParams.get('error'), 'invalid_target', resource)
    assert.equal(stop.url.searchParams.get('state'), 'a state of the client')
  }
  const code = await codeOf(house, walker, requestFor(house, [tools], { scope: 'mcp:tools' }))
  for (const resource of ['https://elsewhere.example/mcp', `${own}/nothing`, `${tools}/inner`, 'mcp', 'a b'])
    assert.deepEqual(errorOf(await redeem(house, code, { resource })), [400, 'invalid_target'], resource)
  assert.equal((await redeem(house, code)).status, 200, 'and nothing was spent')
})

test('A23: a fragment in a resource is refused (RFC 8707 §2)', async (context) => {
  const { house, walker, tools } = await start(context)
  for (const resource of [`${tools}#`, `${tools}#x`]) {
    const stop = await refused(walker, requestFor(house, [resource], { scope: 'mcp:tools' }))
    assert.equal(stop.url.searchParams.get('error'), 'invalid_target', resource)
  }
  const code = await codeOf(house, walker, requestFor(house, [tools], { scope: 'mcp:tools' }))
  for (const resource of [`${tools}#`, `${tools}#x`])
    assert.deepEqual(errorOf(await redeem(house, code, { resource })), [400, 'invalid_target'], resource)
})

test('A23: of two resources that were granted one is chosen with the code, and the other with a refresh', async (context) => {
  const { house, walker, tools, files, own } = await start(context)
  const scope = 'mcp:tools files:read'
  const code = await codeOf(house, walker, requestFor(house, [tools, files], { scope }))
  assert.deepEqual(errorOf(await redeem(house, code)), [400, 'invalid_target'], 'one has to be named')
  assert.deepEqual(errorOf(await redeem(house, code, { resource: own })), [400, 'invalid_target'], 'was not granted')
  const both = several(new URLSearchParams({ grant_type: 'authorization_code', client_id: 'web-app', code }), [
    tools,
    files,
  ])
  both.set('redirect_uri', redirectUri)
  both.set('code_verifier', codeVerifier)
  assert.deepEqual(errorOf(await post(house, '/oauth/token', both)), [400, 'invalid_target'], 'a token is for one')
  const first = await redeem(house, code, { resource: tools })
  assert.deepEqual([first.status, first.body['scope']], [200, 'mcp:tools'], first.text)
  assert.deepEqual(await reach(house, first.body['access_token']), [401, 200, 200, 401])
  const next = await refresh(house, String(first.body['refresh_token']), { resource: files })
  assert.deepEqual([next.status, next.body['scope']], [200, 'files:read'], next.text)
  assert.deepEqual(await reach(house, next.body['access_token']), [401, 401, 401, 200])
  const again = await refresh(house, String(next.body['refresh_token']), { resource: tools })
  assert.deepEqual(await reach(house, again.body['access_token']), [401, 200, 200, 401], 'and back again')
})

test('A23: a resource that was not granted is `invalid_target` with the code and with a refresh, and spends nothing', async (context) => {
  const { house, walker, tools, files, own } = await start(context)
  const code = await codeOf(house, walker, requestFor(house, [tools], { scope: 'mcp:tools' }))
  for (const resource of [files, own])
    assert.deepEqual(errorOf(await redeem(house, code, { resource })), [400, 'invalid_target'], resource)
  const first = await redeem(house, code)
  assert.equal(payloadOf(String(first.body['access_token']))['aud'], tools, 'the one that was granted')
  const token = String(first.body['refresh_token'])
  for (const resource of [files, own, 'https://elsewhere.example'])
    assert.deepEqual(errorOf(await refresh(house, token, { resource })), [400, 'invalid_target'], resource)
  const next = await refresh(house, token)
  assert.equal(next.status, 200, next.text)
  assert.equal(payloadOf(String(next.body['access_token']))['aud'], tools)
})

test('A23: consent to one resource is none to another: the person is asked, and sees what for', async (context) => {
  const { house, walker, tools, files } = await start(context)
  await codeOf(house, walker, requestFor(house, [tools], { scope: 'mcp:tools' }))
  walker.site = 'cross-site'
  const known = await walker.go(requestFor(house, [tools], { scope: 'mcp:tools' }))
  assert.ok(known.url.searchParams.has('code'), 'remembered for this one')
  const other = await walker.go(requestFor(house, [files], { scope: 'files:read' }))
  assert.match(other.url.pathname, /^\/auth\/consent\//)
  assert.match(other.text, /Read your files/)
  const both = await walker.go(requestFor(house, [tools, files], { scope: 'mcp:tools files:read' }))
  assert.match(both.url.pathname, /^\/auth\/consent\//)
})

test('A23: a scope is asked for where it belongs: that of another resource is `invalid_scope`', async (context) => {
  const { house, walker, tools, files } = await start(context)
  for (const [resource, scope] of [
    [tools, 'files:read'],
    [tools, 'mcp:tools files:read'],
    [files, 'widgets:read'],
    [tools, 'widgets:read'],
  ] as const) {
    const stop = await refused(walker, requestFor(house, [resource], { scope }))
    assert.equal(stop.url.searchParams.get('error'), 'invalid_scope', `${resource} ${scope}`)
  }
})

test('A23 A56: who was asked for nothing at a resource has opened none: no token for it is to be had by the way', async (context) => {
  const { house, walker, tools, own } = await start(context)
  for (const [resources, scope] of [
    [[tools], 'openid'],
    [[tools], 'openid offline_access'],
    [[tools, own], 'openid widgets:read'],
    [[own, tools], 'widgets:read'],
  ] as const) {
    const stop = await refused(walker, requestFor(house, resources, { scope }))
    assert.equal(stop.url.searchParams.get('error'), 'invalid_scope', `${scope} ${stop.url}`)
  }
  const code = await codeOf(house, walker, requestFor(house, [tools], { scope: 'openid mcp:tools' }))
  const given = await redeem(house, code)
  const less = await refresh(house, String(given.body['refresh_token']), { scope: 'openid' })
  assert.deepEqual(errorOf(less), [400, 'invalid_scope'], 'nor by asking for less')
  assert.equal((await refresh(house, String(given.body['refresh_token']), { scope: 'mcp:tools' })).status, 200)
})

test('A23 A34: a client by itself has a token for a resource of which it has a scope, and for no other', async (context) => {
  const { house, tools, files } = await start(context)
  const ask = (id: string, more: Parameters): Promise<Said> =>
    post(house, '/oauth/token', { grant_type: 'client_credentials', ...more }, basic(id, backendSecret))
  const given = await ask('backend', { resource: tools })
  assert.deepEqual([given.status, given.body['scope']], [200, 'mcp:tools'], 'what is privileged is asked for by name')
  assert.deepEqual(await reach(house, given.body['access_token']), [401, 200, 200, 401])
  const usual = await ask('backend', {})
  assert.deepEqual(await reach(house, usual.body['access_token']), [200, 401, 401, 401])
  assert.deepEqual(errorOf(await ask('backend', { resource: 'https://elsewhere.example' })), [400, 'invalid_target'])
  assert.deepEqual(errorOf(await ask('backend', { resource: files, scope: 'mcp:tools' })), [400, 'invalid_scope'])
  for (const more of [{ resource: tools }, { resource: tools, scope: 'mcp:tools' }, { resource: files }]) {
    const narrow = await ask('narrow', more)
    assert.deepEqual(errorOf(narrow), [400, 'invalid_scope'], JSON.stringify(more))
    assert.equal(narrow.body['access_token'], undefined)
  }
})

test('A23: a resource is the same however its address is spelled where spelling means nothing, and another where it does', async (context) => {
  const { house, walker, tools, own } = await start(context)
  const port = new URL(own).port
  for (const resource of [`HTTP://localhost:${port}/mcp`, `http://LOCALHOST:${port}/mcp`]) {
    const code = await codeOf(house, walker, requestFor(house, [resource], { scope: 'mcp:tools' }))
    const { body, text } = await redeem(house, code, { resource: tools })
    assert.equal(payloadOf(String(body['access_token']))['aud'], tools, text)
  }
  for (const resource of [own, `${own}/`, own.toUpperCase()]) {
    const code = await codeOf(house, walker, requestFor(house, [resource]))
    assert.equal((await redeem(house, code, { resource: `${own}/` })).status, 200, resource)
  }
  for (const resource of [`${tools}/`, tools.replace('/mcp', '/MCP'), tools.replace('/mcp', '//mcp')]) {
    const stop = await refused(walker, requestFor(house, [resource], { scope: 'mcp:tools' }))
    assert.equal(stop.url.searchParams.get('error'), 'invalid_target', resource)
  }
})

test('A23: one resource named twice is one', async (context) => {
  const { house, walker, tools, own } = await start(context)
  const spelled = tools.replace('http:', 'HTTP:')
  for (const resources of [
    [tools, tools],
    [tools, spelled],
  ]) {
    const code = await codeOf(house, walker, requestFor(house, resources, { scope: 'mcp:tools' }))
    const { status, body, text } = await redeem(house, code)
    assert.equal(status, 200, text)
    assert.equal(payloadOf(String(body['access_token']))['aud'], tools)
    assert.equal((await refresh(house, String(body['refresh_token']))).status, 200)
  }
  const twice = several(requested({ scope: 'widgets:read' }), [own, `${own}/`])
  const code = await codeOf(house, walker, new URL(`/oauth/authorize?${twice}`, own))
  assert.equal((await redeem(house, code)).status, 200)
})

test('A23: the resource of a pushed request counts, and not that of the address beside it', async (context) => {
  const { house, walker, tools, files } = await start(context)
  const pushed = await post(house, '/oauth/par', several(requested({ scope: 'mcp:tools' }), [tools]))
  assert.equal(pushed.status, 201, pushed.text)
  const request = authorizeUrl(house, { request_uri: String(pushed.body['request_uri']), resource: files })
  const code = await codeOf(house, walker, request)
  assert.deepEqual(errorOf(await redeem(house, code, { resource: files })), [400, 'invalid_target'])
  assert.equal((await redeem(house, code, { resource: tools })).status, 200)
})

test('D1 D2 RFC 9728: each resource describes itself, and the challenge of each leads there', async (context) => {
  const { tools, files, own } = await start(context)
  for (const [resource, path, offered] of [
    [tools, '/mcp', ['mcp:tools']],
    [files, '/files', ['files:read']],
    [own, '', undefined],
  ] as const) {
    const stranger = await fetch(path === '' ? `${own}/known` : resource)
    await stranger.body?.cancel()
    const address = /resource_metadata="([^"]*)"/.exec(stranger.headers.get('www-authenticate') ?? '')?.[1]
    assert.equal(address, `${own}/.well-known/oauth-protected-resource${path}`)
    const metadata = (await (await fetch(address)).json()) as Readonly<Record<string, unknown>>
    assert.deepEqual([metadata['resource'], metadata['authorization_servers']], [resource, [own]])
    if (offered !== undefined) assert.deepEqual(metadata['scopes_supported'], offered)
  }
})
