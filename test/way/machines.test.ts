import assert from 'node:assert/strict'
import { createHmac, createPublicKey, type JsonWebKey, randomUUID, verify } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose'
import type { Config } from '../../src/config/settings.ts'
import { mirror, startHouse, startUpstream, type TestHouse } from '../support/house.ts'

const secret = 'a secret of billing that is long enough'
const other = 'a secret of somebody else, long enough'
const environment = { BILLING_SECRET: secret, REPORTS_SECRET: other }

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

function configOf(api: string, second: string): Config {
  return {
    upstreams: { api, signed: { url: second, signature: true }, plain: { url: api, assertion: false } },
    roles: { user: { permissions: ['thing:read'] } },
    listen: { trustedProxies: ['127.0.0.2'] },
    services: {
      billing: { permissions: ['invoice:read'], secrets: [{ env: 'BILLING_SECRET' }] },
      reports: { permissions: ['invoice:read'], secrets: [{ env: 'REPORTS_SECRET' }], addresses: ['10.0.0.0/8'] },
    },
    signatures: {
      jaf: { form: 'method-uri-body', service: 'billing' },
      named: { form: 'method-uri-body' },
    },
    routes: [
      { path: '/open', access: 'public', to: 'api' },
      { path: '/mine', access: 'authenticated', to: 'api' },
      { path: '/plain', access: 'public', to: 'plain' },
      { path: '/signed/*', access: 'public', to: 'signed' },
      { path: '/invoices', require: 'invoice:read', to: 'api' },
      { path: '/elsewhere', require: 'invoice:read', to: 'signed' },
      { path: '/keys-only', access: 'authenticated', credentials: ['api-key'], to: 'api' },
      { path: '/secure', access: 'authenticated', signature: 'jaf', bodyMax: '64kb', to: 'api' },
      { path: '/secure/invoices', require: 'invoice:read', signature: 'jaf', to: 'api' },
      { path: '/secure/other', require: 'thing:write', signature: 'jaf', to: 'api' },
      { path: '/secure/open', access: 'public', signature: 'named', to: 'api' },
      {
        path: '/secure/json',
        methods: ['POST'],
        access: 'authenticated',
        signature: 'jaf',
        to: 'api',
        body: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'], additionalProperties: false },
      },
      { path: '/office', access: 'public', addresses: { allow: ['192.0.2.0/24', '2001:db8::/32'] }, to: 'api' },
      { path: '/proxies', access: 'public', addresses: { allow: ['127.0.0.0/8'] }, to: 'api' },
      { path: '/not-office', access: 'public', addresses: { deny: ['192.0.2.0/24', '2001:db8::/32'] }, to: 'api' },
    ],
  }
}

describe('machines at the gate', () => {
  let house: TestHouse
  let reached: string[]
  const cleanups: (() => Promise<void> | void)[] = []

  before(async () => {
    const context = { after: (fn: () => Promise<void> | void) => cleanups.push(fn) } as never
    reached = []
    const api = await startUpstream(context, (request, response) => {
      reached.push(request.url ?? '')
      mirror(request, response)
    })
    const signed = await startUpstream(context, mirror)
    house = await startHouse(context, configOf(api.url, `${signed.url}/base`), { environment })
  })
  after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup()
  })

  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(house.url + path, { headers })
  const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(house.url + path, { method: 'POST', headers: { ...signature('POST', path, body), ...headers }, body })
  const errorOf = async (answer: Response): Promise<readonly [number, unknown, unknown]> => {
    const { code, error } = (await answer.json()) as Record<string, unknown>
    return [answer.status, code, error]
  }
  const seenAt = async (answer: Response): Promise<Seen> => {
    assert.equal(answer.status, 200)
    return (await answer.json()) as Seen
  }

  test('AK6: a route says from which addresses, in IPv4, IPv6 and IPv4 within IPv6', async () => {
    const from = (path: string, address: string): Promise<Response> => viaProxy(house.port, path, address)
    for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '2001:db8::7', '2001:DB8:0:0::7']) {
      assert.equal((await from('/office', address)).status, 200, address)
      assert.deepEqual(
        await errorOf(await from('/not-office', address)),
        [403, 'address-not-allowed', 'IP address not allowed'],
        address,
      )
    }
    for (const address of ['192.0.3.7', '2001:db9::7', '::ffff:192.0.3.7'])
      assert.deepEqual(
        await errorOf(await from('/office', address)),
        [403, 'address-not-allowed', 'IP address not allowed'],
        address,
      )
  })

  test('AK6: the address is the rightmost hop that is no trusted proxy, and never what a stranger says', async () => {
    assert.equal((await get('/office', { 'x-forwarded-for': '192.0.2.7' })).status, 403, 'said by a stranger')
    assert.equal((await viaProxy(house.port, '/office', '192.0.2.7, 198.51.100.1')).status, 403, 'said by a client')
    assert.equal((await viaProxy(house.port, '/office', '198.51.100.1, 192.0.2.7')).status, 200)
    assert.equal((await viaProxy(house.port, '/office', '192.0.2.7, 127.0.0.2')).status, 200, 'a second proxy of ours')
    assert.equal((await viaProxy(house.port, '/office', '192.0.2.7:4711')).status, 200, 'with its port')
    assert.equal((await viaProxy(house.port, '/office', '[2001:db8::7]:443')).status, 200, 'with its port')
    for (const hop of ['unknown', '_hidden', '192.0.2.7:x', '[192.0.2.7', '', '192.0.2.7:4711:1'])
      for (const path of ['/office', '/not-office', '/proxies'])
        assert.equal((await viaProxy(house.port, path, hop)).status, 403, `\`${hop}\` at ${path} is nobody’s address`)
  })

  test('AK1: a route for API keys says that it wants one, or that this is none', async () => {
    assert.deepEqual(await errorOf(await get('/keys-only')), [401, 'api-key-required', 'API key required'])
    const unknown = await get('/keys-only', { 'x-api-key': 'nonsense' })
    assert.ok(unknown.headers.get('www-authenticate')?.startsWith('Bearer realm="gatehouse"'))
    assert.deepEqual(await errorOf(unknown), [401, 'api-key-invalid', 'Invalid API key'])
    const signedIn = await get('/keys-only', { authorization: `Bearer ${await house.signIn()}` })
    assert.deepEqual(await errorOf(signedIn), [401, 'api-key-required', 'API key required'], 'a sign-in is no key')
  })

  test('AK1 A55: a key stands for its owner, by either field, and goes no further than the gate', async () => {
    const key = await keyOf(house, ['thing:read'])
    for (const headers of [{ 'x-api-key': key }, { authorization: `Bearer ${key}` }] as Record<string, string>[]) {
      const { headers: told } = await seenAt(await get('/keys-only', headers))
      assert.equal(told['x-api-key'], undefined)
      assert.equal(told['authorization'], undefined)
      assert.ok(told['x-gatehouse-user'])
      assert.ok(key.includes(told['x-gatehouse-key'] as string))
    }
    const both = await get('/mine', { 'x-api-key': key, authorization: `Bearer ${await house.signIn()}` })
    assert.equal(both.status, 400)
    assert.match(((await both.json()) as { error: string }).error, /send one credential/)
  })

  test('A50 A55: a key is no sign-in: what is a person’s own stays theirs', async () => {
    const key = await keyOf(house, ['thing:read'])
    for (const [method, path] of [
      ['GET', '/api/auth/sessions'],
      ['DELETE', '/api/auth/sessions'],
      ['POST', '/api/auth/logout'],
      ['GET', '/api/keys'],
      ['POST', '/api/auth/mfa/totp'],
    ] as const) {
      const answer = await fetch(house.url + path, { method, headers: { 'x-api-key': key } })
      assert.deepEqual((await errorOf(answer)).slice(0, 2), [403, 'first-party-only'], `${method} ${path}`)
    }
  })

  test('AK1 TR4: a key has a limit of its own beside those of the routes', async () => {
    const key = await keyOf(house, ['thing:read'], { limit: { limit: 2, window: 3600 } })
    const statuses = []
    for (let count = 0; count < 4; count++) statuses.push((await get('/mine', { 'x-api-key': key })).status)
    assert.deepEqual(statuses, [200, 200, 429, 429])
    const refused = await get('/mine', { 'x-api-key': key })
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.equal((await get('/mine', { 'x-api-key': await keyOf(house, ['thing:read']) })).status, 200, 'another key')
  })

  test('AK4: the token of a service is good at the upstream that it was made for', async () => {
    const token = await tokenFor('billing', 'api', secret)
    const { headers } = await seenAt(await get('/invoices', { authorization: `Bearer ${token}` }))
    assert.equal(headers['x-gatehouse-service'], 'billing')
    assert.equal(headers['x-gatehouse-user'], undefined, 'a service is no user')
    assert.equal(headers['authorization'], undefined)
    for (const [why, wrong] of [
      ['another target', await tokenFor('billing', 'signed', secret)],
      ['the house', await tokenFor('billing', 'gatehouse', secret)],
      ['somebody else’s secret', await tokenFor('billing', 'api', other)],
    ] as const)
      assert.deepEqual(
        await errorOf(await get('/invoices', { authorization: `Bearer ${wrong}` })),
        [401, 'service-token-invalid', 'Invalid service token'],
        why,
      )
    const elsewhere = await tokenFor('reports', 'api', other)
    assert.deepEqual(
      (await errorOf(await get('/invoices', { authorization: `Bearer ${elsewhere}` }))).slice(0, 2),
      [403, 'address-not-allowed'],
      'a service that comes from elsewhere than it may',
    )
  })

  test('AK3: a signed request goes on as whoever signed it, with the body that was signed', async () => {
    const body = JSON.stringify({ a: 1 })
    const seen = await seenAt(await post('/secure/invoices?x=1', body))
    assert.deepEqual(
      [seen.body, seen.url, seen.headers['x-gatehouse-service']],
      [body, '/secure/invoices?x=1', 'billing'],
    )
    const nothing = await seenAt(await fetch(`${house.url}/secure`, { headers: signature('GET', '/secure', '') }))
    assert.equal(nothing.body, '')
    assert.deepEqual((await errorOf(await post('/secure/other', body))).slice(0, 2), [403, 'permission-required'])
  })

  test('AK3: nothing of an unsigned or wrongly signed body reaches the upstream', async () => {
    const body = 'x'.repeat(20_000)
    const before = reached.length
    const good = signature('POST', '/secure', body)
    const cases: [string, Record<string, string>, string, string][] = [
      ['no signature', {}, body, 'signature-required'],
      ['another body', good, `${body}y`, 'signature-invalid'],
      ['another secret', signature('POST', '/secure', body, { secret: other }), body, 'signature-invalid'],
      ['another path', signature('POST', '/secure/', body), body, 'signature-invalid'],
      ['another method', signature('PUT', '/secure', body), body, 'signature-invalid'],
      ['too old', signature('POST', '/secure', body, { ageSeconds: 400 }), body, 'signature-invalid'],
      ['too young', signature('POST', '/secure', body, { ageSeconds: -400 }), body, 'signature-invalid'],
    ]
    for (const [why, headers, sent, code] of cases) {
      const answer = await fetch(`${house.url}/secure`, { method: 'POST', headers, body: sent })
      assert.deepEqual((await errorOf(answer)).slice(0, 2), [401, code], why)
    }
    assert.equal(reached.length, before, 'the upstream was asked for nothing')
  })

  test('AK3: while a signed body arrives, the upstream is not called; when it breaks off, it never is', async () => {
    const body = 'y'.repeat(40_000)
    const before = reached.length
    const slow = httpRequest(`${house.url}/secure`, {
      method: 'POST',
      headers: { ...signature('POST', '/secure', body), 'content-length': String(body.length) },
    })
    const answered = once(slow, 'response') as Promise<[{ statusCode: number; resume(): void }]>
    slow.write(body.slice(0, 39_999))
    await pause(100)
    assert.equal(reached.length, before, 'all but one byte is there, and nothing was passed on')
    slow.end(body.slice(39_999))
    const [answer] = await answered
    answer.resume()
    assert.deepEqual([answer.statusCode, reached.length], [200, before + 1])

    const broken = httpRequest(`${house.url}/secure`, {
      method: 'POST',
      headers: { ...signature('POST', '/secure', body), 'content-length': String(body.length) },
    })
    broken.on('error', () => {})
    broken.write(body.slice(0, 30_000))
    await pause(50)
    broken.destroy()
    await pause(100)
    assert.equal(reached.length, before + 1)
  })

  test('AK3: a signature is good once, and a body is held up to its bound', async () => {
    const headers = signature('POST', '/secure', 'once')
    const send = (): Promise<Response> => fetch(`${house.url}/secure`, { method: 'POST', headers, body: 'once' })
    const answers = await Promise.all([send(), send(), send()])
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 401, 401])
    const large = 'z'.repeat(70_000)
    const chunked = await fetch(`${house.url}/secure`, {
      method: 'POST',
      headers: signature('POST', '/secure', large),
      body: new Blob([large]).stream(),
      duplex: 'half',
    } as RequestInit)
    assert.equal(chunked.status, 413)
  })

  test('AK3: a public route that demands a signature demands it of everybody, and says who signed', async () => {
    assert.equal((await get('/secure/open')).status, 401)
    const named = { ...signature('GET', '/secure/open', ''), 'x-service': 'billing' }
    const { headers } = await seenAt(await get('/secure/open', named))
    assert.equal(headers['x-gatehouse-service'], 'billing')
    assert.equal(
      (await get('/secure/open', { ...signature('GET', '/secure/open', ''), 'x-service': 'nobody' })).status,
      401,
    )
    const away = { ...signature('GET', '/secure/open', '', { secret: other }), 'x-service': 'reports' }
    assert.deepEqual((await errorOf(await get('/secure/open', away))).slice(0, 2), [403, 'address-not-allowed'])
  })

  test('AK3 CT1: a signature and a schema read the body once', async () => {
    const send = (text: string): Promise<Response> => post('/secure/json', text, { 'content-type': 'application/json' })
    assert.equal((await seenAt(await send('{"a":1}'))).body, '{"a":1}')
    assert.equal((await send('{"a":"x"}')).status, 422)
    assert.equal((await send('{"a":')).status, 400)
  })

  test('A25 AK5: what a stranger writes into Client-Cert counts for nothing, and goes no further', async () => {
    const { headers } = await seenAt(await get('/open', { 'client-cert': ':AAAA:', 'client-cert-chain': ':AAAA:' }))
    assert.deepEqual([headers['client-cert'], headers['client-cert-chain']], [undefined, undefined])
  })

  test('an upstream can verify by the JWK Set that a request came through the gate, and as whom', async () => {
    const keys = createRemoteJWKSet(new URL(`${house.url}/.well-known/jwks.json`))
    const check = async (answer: Response): Promise<Record<string, unknown>> => {
      const { headers } = await seenAt(answer)
      const expected = { issuer: 'gatehouse', audience: 'api', typ: 'gatehouse-assertion+jwt' }
      const { payload } = await jwtVerify(headers['x-gatehouse-assertion'] as string, keys, expected)
      assert.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 60)
      return payload
    }
    assert.equal((await check(await get('/open', { 'x-gatehouse-assertion': 'mine' }))).sub, 'anonymous')
    const authorization = `Bearer ${await house.signIn()}`
    const person = await check(await get('/mine', { authorization }))
    assert.deepEqual([person.sub_type, person.permissions], ['user', ['thing:read']])
    const service = await check(
      await get('/invoices', { authorization: `Bearer ${await tokenFor('billing', 'api', secret)}` }),
    )
    assert.deepEqual([service.sub, service.sub_type, service.credential], ['billing', 'service', 'service-token'])
    const { headers } = await seenAt(await get('/plain', { authorization }))
    assert.equal(headers['x-gatehouse-assertion'], undefined, 'where the configuration leaves it out')
  })

  test('AK3: what goes to an upstream that asks for it is signed, the assertion and a body that was read included', async () => {
    const { headers } = await seenAt(
      await get('/signed/a?b=1', { signature: 'sig=:AAAA:', 'signature-input': 'sig=()' }),
    )
    const input = headers['signature-input'] as string
    const [, parameters = ''] = /^gatehouse=(.+)$/.exec(input) ?? []
    const [, listed = '', kid = ''] = /^\(([^)]*)\).*;keyid="([^"]+)"/.exec(parameters) ?? []
    const values: Record<string, string> = {
      '@method': 'GET',
      '@authority': headers['host'] as string,
      '@path': '/base/signed/a',
      '@query': '?b=1',
    }
    const names = listed.split(' ').map((name) => name.slice(1, -1))
    assert.deepEqual(names, ['@method', '@authority', '@path', '@query', 'x-request-id', 'x-gatehouse-assertion'])
    const base = [
      ...names.map((name) => `"${name}": ${values[name] ?? headers[name]}`),
      `"@signature-params": ${parameters}`,
    ].join('\n')
    const { keys } = (await (await get('/.well-known/jwks.json')).json()) as { keys: (JsonWebKey & { kid: string })[] }
    const jwk = keys.find((key) => key.kid === kid)
    assert.ok(jwk)
    const [, signed = ''] = /^gatehouse=:(.+):$/.exec(headers['signature'] as string) ?? []
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    assert.ok(verify(null, Buffer.from(base), key, Buffer.from(signed, 'base64')))
    assert.ok(!verify(null, Buffer.from(`${base} `), key, Buffer.from(signed, 'base64')))
  })

  test('A4: an assertion is for upstreams: the house takes it for nothing', async () => {
    const { headers } = await seenAt(await get('/mine', { authorization: `Bearer ${await house.signIn()}` }))
    const authorization = `Bearer ${headers['x-gatehouse-assertion']}`
    assert.deepEqual((await errorOf(await get('/mine', { authorization }))).slice(0, 2), [401, 'token-invalid'])
  })
})

test('AK6: addresses of the whole house hold for every route, its own and its health included', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { port } = await startHouse(context, {
    upstreams: { api: upstream.url },
    listen: { trustedProxies: ['127.0.0.2'] },
    shield: { addresses: { allow: ['192.0.2.0/24', '2001:db8::/32'], deny: ['192.0.2.66', '2001:db8:6::/48'] } },
    routes: [{ path: '/open', access: 'public', addresses: { allow: ['192.0.2.0/25'] }, to: 'api' }],
  })
  const rows = [
    ['192.0.2.7', '/open', 200],
    ['192.0.2.200', '/open', 403],
    ['192.0.2.200', '/health', 200],
    ['192.0.2.66', '/health', 403],
    ['::ffff:192.0.2.66', '/api/auth/providers', 403],
    ['2001:db8:6::1', '/health', 403],
    ['2001:db8:7::1', '/health', 200],
    ['198.51.100.1', '/nowhere', 403],
    ['198.51.100.1', '/auth/sign-in', 403],
  ] as const
  for (const [address, path, status] of rows)
    assert.equal((await viaProxy(port, path, address)).status, status, `${address} at ${path}`)
})

let made = 0

/** JAF's fields for a request. No two are alike: each is of a second of its own. */
function signature(
  method: string,
  uri: string,
  body: string,
  { secret: by = secret, ageSeconds = made++ % 200 }: { secret?: string; ageSeconds?: number } = {},
): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000) - ageSeconds)
  const text = `${method}\n${uri}\n${body}\n${timestamp}`
  return { 'x-signature': createHmac('sha256', by).update(text).digest('base64'), 'x-timestamp': timestamp }
}

function tokenFor(service: string, target: string, by: string): Promise<string> {
  return new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'HS256', typ: 'service+jwt' })
    .setIssuer(service)
    .setSubject(service)
    .setAudience(target)
    .setIssuedAt()
    .setExpirationTime('4m')
    .sign(Buffer.from(by))
}

/** A new key of the person of the house, as they make one. */
async function keyOf(house: TestHouse, permissions: readonly string[], more: object = {}): Promise<string> {
  const answer = await fetch(`${house.url}/api/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await house.signIn()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'a test', permissions, ...more }),
  })
  const { key } = (await answer.json()) as { key: string }
  assert.equal(answer.status, 201)
  return key
}

/** A request as a proxy of ours passes it on. */
function viaProxy(port: number, path: string, forwardedFor: string): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { port, path, host: '127.0.0.1', localAddress: '127.0.0.2', headers: { 'x-forwarded-for': forwardedFor } },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 0 })))
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}
