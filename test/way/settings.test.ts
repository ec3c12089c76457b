import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { mirror, person, startHouse, startUpstream } from '../support/house.ts'
import { post } from '../support/process.ts'

test('an alias is another path of the same endpoint, not a second one', async (context) => {
  const { url } = await startHouse(context, { aliases: { '/public/sign-in': '/api/auth/login' }, routes: [] })
  const response = await post(`${url}/public/sign-in`, { email: person.email, password: person.password })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('x-ratelimit-type'), 'authentication')
  assert.equal((await fetch(`${url}/public/sign-in`)).status, 405)
})

test('TR8: a header can be replaced for all routes or for one, or left to the upstream', async (context) => {
  const upstream = await startUpstream(context, (_request, response) => {
    response.writeHead(200, { 'x-frame-options': 'SAMEORIGIN', 'content-security-policy': "default-src 'self'" })
    response.end()
  })
  const { url } = await startHouse(context, {
    upstreams: { api: upstream.url },
    headers: { 'referrer-policy': 'no-referrer', 'X-Own': 'yes' },
    routes: [
      { path: '/plain', access: 'public', to: 'api' },
      {
        path: '/page',
        access: 'public',
        to: 'api',
        headers: { 'Content-Security-Policy': false, 'X-Frame-Options': 'SAMEORIGIN' },
      },
    ],
  })
  const plain = await fetch(`${url}/plain`)
  assert.equal(plain.headers.get('x-frame-options'), 'DENY')
  assert.match(plain.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
  assert.equal(plain.headers.get('referrer-policy'), 'no-referrer')
  assert.equal(plain.headers.get('x-own'), 'yes')
  const page = await fetch(`${url}/page`)
  assert.equal(page.headers.get('content-security-policy'), "default-src 'self'")
  assert.equal(page.headers.get('x-frame-options'), 'SAMEORIGIN')
})

test('the caller’s own Authorization reaches an upstream only where a public route says so', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url } = await startHouse(context, {
    upstreams: { api: upstream.url },
    routes: [
      { path: '/theirs', access: 'public', to: 'api', forwardAuthorization: true },
      { path: '/open', access: 'public', to: 'api' },
    ],
  })
  const seen = async (path: string): Promise<unknown> =>
    (
      (await (await fetch(url + path, { headers: { authorization: 'Basic YTpi' } })).json()) as {
        headers: Record<string, string>
      }
    ).headers['authorization']
  assert.equal(await seen('/theirs'), 'Basic YTpi')
  assert.equal(await seen('/open'), undefined)
})

test('a public route knows a caller who shows a good token, and serves one who shows a bad one as nobody', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url, signIn } = await startHouse(context, {
    upstreams: { api: upstream.url },
    routes: [{ path: '/open', access: 'public', to: 'api' }],
  })
  const asked = async (token: string): Promise<string | undefined> =>
    (
      (await (await fetch(`${url}/open`, { headers: { authorization: `Bearer ${token}` } })).json()) as {
        headers: Record<string, string>
      }
    ).headers['x-gatehouse-roles']
  assert.equal(await asked(await signIn()), 'user')
  assert.equal(await asked('nonsense'), undefined)
})

test('limits: false switches every limit off, and its headers with it', async (context) => {
  const { url } = await startHouse(context, { limits: false, routes: [] })
  for (let sent = 0; sent < 25; sent++) {
    const response = await post(`${url}/api/auth/token/refresh`, { refresh_token: 'gh_rt_x' })
    assert.equal(response.status, 401)
    assert.equal(response.headers.get('x-ratelimit-limit'), null)
  }
})

for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
  test(`TK1: a token of ${algorithm} verifies with the published keys and a library that is not ours`, async (context) => {
    const { url, signIn } = await startHouse(context, {
      tokens: { algorithm, issuer: 'https://gate.example', audience: 'things' },
      routes: [],
    })
    const { payload, protectedHeader } = await jwtVerify(
      await signIn(),
      createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`)),
      {
        issuer: 'https://gate.example',
        audience: 'things',
        typ: 'at+jwt',
      },
    )
    assert.equal(protectedHeader.alg, algorithm)
    assert.equal(payload['type'], 'access')
  })
}

test('TK1: HS256 publishes no secret: what upstreams verify is signed with another key', async (context) => {
  const { url, signIn } = await startHouse(context, { tokens: { algorithm: 'HS256' }, routes: [] })
  const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as { keys: Record<string, unknown>[] }
  assert.deepEqual(
    keys.map(({ kty, alg, k, d }) => ({ kty, alg, k, d })),
    [{ kty: 'OKP', alg: 'EdDSA', k: undefined, d: undefined }],
  )
  const { alg, kid } = decodeProtectedHeader(await signIn())
  assert.equal(alg, 'HS256')
  assert.notEqual(kid, keys[0]?.['kid'])
})

test('AZ1: roles add up, inherit and hold wildcards; a reload changes what they hold on the next request', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const config = {
    upstreams: { api: upstream.url },
    roles: {
      viewer: { permissions: ['thing:read'] },
      editor: { permissions: ['note:*'], inherits: ['viewer'] },
      nobody: { permissions: [] },
    },
    routes: [
      { path: '/things', require: 'thing:read', to: 'api' },
      { path: '/notes', require: 'note:write:all', to: 'api' },
      { path: '/admin', require: 'system:config', to: 'api' },
    ],
  }
  const { url, house, signIn } = await startHouse(context, config, { roles: ['nobody', 'editor', 'unknown'] })
  const authorization = `Bearer ${await signIn()}`
  const statuses = async (): Promise<number[]> =>
    Promise.all(
      ['/things', '/notes', '/admin'].map(
        async (path) => (await fetch(url + path, { headers: { authorization } })).status,
      ),
    )
  assert.deepEqual(await statuses(), [200, 200, 403])
  await house.reload({ ...house.settings, roles: { editor: { permissions: ['system:config'] } } })
  assert.deepEqual(await statuses(), [403, 403, 200])
})
