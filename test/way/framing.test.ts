import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mirror, rawExchange, startHouse, startUpstream } from '../support/house.ts'

/** Messages that two servers could read in two ways, or that nobody should send. Each is written to a socket byte by byte. */
const refused: readonly (readonly [name: string, status: number, code: string, message: string])[] = [
  ['two Hosts', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['no Host', 400, 'bad-request', 'GET /open HTTP/1.1\r\n\r\n'],
  [
    'two Content-Lengths',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  ],
  ['a Content-Length list', 400, 'bad-request', 'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na'],
  ['a signed Content-Length', 400, 'bad-request', 'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na'],
  [
    'Content-Length with Transfer-Encoding',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'Transfer-Encoding with Content-Length',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n',
  ],
  [
    'a Transfer-Encoding beside chunked',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'a Transfer-Encoding that only looks like chunked',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'two Transfer-Encodings',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'Transfer-Encoding in HTTP/1.0',
    400,
    'bad-request',
    'POST /open HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'two Authorizations',
    400,
    'bad-request',
    'GET /open HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n',
  ],
  [
    'two Content-Types',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 1\r\n\r\na',
  ],
  [
    'a header name with an underscore',
    400,
    'bad-request',
    'GET /open HTTP/1.1\r\nHost: a\r\nX_Gatehouse_User: root\r\n\r\n',
  ],
  ['a header name with a space', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a\r\nX Y: root\r\n\r\n'],
  ['a folded header', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n'],
  ['a NUL in a header', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n'],
  [
    'a bare LF chunk size',
    400,
    'bad-request',
    'POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  ],
  ['an absolute target for another host', 400, 'bad-request', 'GET http://b/open HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an encoded slash', 400, 'bad-request', 'GET /open%2f HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an encoded backslash', 400, 'bad-request', 'GET /open%5C HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an encoded NUL', 400, 'bad-request', 'GET /open%00 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a dot segment', 400, 'bad-request', 'GET /a/../open HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an encoded dot segment', 400, 'bad-request', 'GET /a/%2e%2E/open HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a half-encoded dot segment', 400, 'bad-request', 'GET /a/.%2e/open HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a dot segment at the end', 400, 'bad-request', 'GET /open/.. HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an empty segment', 400, 'bad-request', 'GET //evil.example/open HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a broken percent-encoding', 400, 'bad-request', 'GET /open%zz HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a fragment', 400, 'bad-request', 'GET /open#part HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a foreign Expect', 417, 'expectation-failed', 'GET /open HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\n\r\n'],
  [
    'an announced body over the bound',
    413,
    'content-too-large',
    'POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n',
  ],
  [
    'headers over 16 KiB',
    431,
    'headers-too-large',
    `GET /open HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(17_000)}\r\n\r\n`,
  ],
  [
    'a header name with a space before the colon',
    400,
    'bad-request',
    'GET /open HTTP/1.1\r\nHost: a\r\nX-Gatehouse-User : root\r\n\r\n',
  ],
  ['a header without a name', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a\r\n: root\r\n\r\n'],
  ['a header without a colon', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n'],
  ['a first line that is folded', 400, 'bad-request', 'GET /open HTTP/1.1\r\n Host: a\r\n\r\n'],
  ['a bare LF behind the request line', 400, 'bad-request', 'GET /open HTTP/1.1\nHost: a\r\n\r\n'],
  ['a bare LF behind a header', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n'],
  ['a bare LF in front of the body', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a\r\n\n'],
  ['a bare CR in a header', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n'],
  ['a control character in a header', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a\r\nX-A: b\x01c\r\n\r\n'],
  ['a NUL in the target', 400, 'bad-request', 'GET /open\0 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a space in the target', 400, 'bad-request', 'GET /open /open HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a byte beyond ASCII in the target', 400, 'bad-request', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a backslash in the target', 400, 'bad-request', 'GET /a\\..\\open HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a version that there is none of', 400, 'bad-request', 'GET /open HTTP/1.9\r\nHost: a\r\n\r\n'],
  ['HTTP/0.9', 400, 'bad-request', 'GET /open\r\n\r\n'],
  ['HTTP/2 without TLS', 400, 'bad-request', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['CONNECT', 400, 'bad-request', 'CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere:80\r\n\r\n'],
  ['an asterisk as the target', 400, 'bad-request', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a Host list', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a, b\r\n\r\n'],
  ['a Host with a path', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a/b\r\n\r\n'],
  ['a Host with somebody before it', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: root@a\r\n\r\n'],
  ['a Host with a port that is none', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a:b\r\n\r\n'],
  [
    'an absolute target with somebody before the host',
    400,
    'bad-request',
    'GET http://a@b/open HTTP/1.1\r\nHost: b\r\n\r\n',
  ],
  ['an absolute target of another kind', 400, 'bad-request', 'GET ftp://a/open HTTP/1.1\r\nHost: a\r\n\r\n'],
  [
    'two Content-Lengths that say the same',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
  ],
  ['an empty Content-Length', 400, 'bad-request', 'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\na'],
  ['a Content-Length in hex', 400, 'bad-request', 'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na'],
  [
    'a Content-Length that no number holds',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\na',
  ],
  [
    'a Transfer-Encoding in quotes',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
  ],
  [
    'a Transfer-Encoding twice in one field',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'a Transfer-Encoding behind a tabulator',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\tx\r\n\r\n0\r\n\r\n',
  ],
  [
    'a Transfer-Encoding of identity',
    400,
    'bad-request',
    'POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na',
  ],
  ['TRACE with a body', 400, 'bad-request', 'TRACE /open HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na'],
  ['two API keys', 400, 'bad-request', 'GET /open HTTP/1.1\r\nHost: a\r\nX-API-Key: a\r\nX-API-Key: b\r\n\r\n'],
  ['101 header fields', 431, 'headers-too-large', `GET /open HTTP/1.1\r\nHost: a\r\n${'X-A: 1\r\n'.repeat(100)}\r\n`],
  [
    'a thousand header fields',
    431,
    'headers-too-large',
    `GET /open HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(999)}\r\n`,
  ],
  ...['authorization', 'Content-Length', 'host', 'close, COOKIE', 'x-forwarded-for', 'content-type', 'signature'].map(
    (named) =>
      [
        `Connection that names ${named}`,
        400,
        'bad-request',
        `POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: ${named}\r\n\r\na`,
      ] as const,
  ),
  ['no HTTP at all', 400, 'bad-request', 'hello\r\n\r\n'],
  ['a path without a route', 404, 'not-found', 'GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a method without a route', 405, 'method-not-allowed', 'DELETE /json HTTP/1.1\r\nHost: a\r\n\r\n'],
]

test('C: what two servers could read in two ways is refused, and never reaches the upstream', async (context) => {
  let reached = 0
  const upstream = await startUpstream(context, (request, response) => {
    reached++
    mirror(request, response)
  })
  const { port } = await startHouse(context, {
    upstreams: { api: upstream.url },
    limits: false,
    routes: [
      { path: '/open', access: 'public', to: 'api' },
      { path: '/small', methods: ['POST'], access: 'public', bodyMax: '1kb', to: 'api' },
      { path: '/json', methods: ['POST'], access: 'public', to: 'api', body: { type: 'object' } },
    ],
  })
  for (const [name, status, code, message] of refused) {
    await context.test(name, async () => {
      const answer = await rawExchange(port, message)
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), answer)
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      const problem = JSON.parse(body)
      assert.equal(problem.code, code)
      assert.equal(problem.status, status)
      assert.match(head, /content-type: application\/problem\+json/i)
      assert.match(head, /x-request-id: /i)
      assert.match(head, /x-content-type-options: nosniff/i)
    })
  }
  assert.equal(reached, 0)
})

test('C: one normalised path is matched and forwarded', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url, port } = await startHouse(context, {
    upstreams: { api: upstream.url },
    routes: [{ path: '/a%20b/:id', access: 'public', to: 'api' }],
  })
  const answer = await rawExchange(
    port,
    'GET /%61%20b/%7e%c3%a9?q=%61 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  )
  assert.match(answer, /"url":"\/a%20b\/~%C3%A9\?q=%61"/)
  const absolute = await rawExchange(
    port,
    `GET ${url}/a%20b/1 HTTP/1.1\r\nHost: ${url.slice(7)}\r\nConnection: close\r\n\r\n`,
  )
  assert.match(absolute, /"url":"\/a%20b\/1"/)
})

test('C: hop-by-hop fields, identity fields and foreign forwarding fields do not reach the upstream', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { port } = await startHouse(context, {
    upstreams: { api: upstream.url },
    identityHeaders: ['X-User-'],
    routes: [{ path: '/open', access: 'public', to: 'api' }],
  })
  const message = [
    'GET /open HTTP/1.1',
    'Host: outside.example',
    'Connection: keep-alive, X-Private',
    'X-Private: 1',
    'Keep-Alive: 5',
    'TE: trailers',
    'Proxy-Authorization: Basic x',
    'X-Gatehouse-User: root',
    'x-gatehouse-roles: admin',
    'X-User-Id: root',
    'X-Forwarded-For: 1.2.3.4',
    'X-Forwarded-Proto: https',
    'Forwarded: for=1.2.3.4',
    'X-Real-IP: 1.2.3.4',
    'Authorization: Bearer nonsense',
    'X-Kept: yes',
    '',
    '',
  ].join('\r\n')
  const answer = await rawExchange(port, message)
  const { headers } = JSON.parse(answer.split('\r\n\r\n')[1] ?? '')
  for (const gone of [
    'x-private',
    'keep-alive',
    'te',
    'proxy-authorization',
    'x-gatehouse-user',
    'x-gatehouse-roles',
    'x-user-id',
    'forwarded',
    'x-real-ip',
    'authorization',
  ]) {
    assert.equal(headers[gone], undefined, gone)
  }
  assert.equal(headers['x-kept'], 'yes')
  assert.equal(headers['x-forwarded-for'], '127.0.0.1')
  assert.equal(headers['x-forwarded-proto'], 'http')
  assert.equal(headers['x-forwarded-host'], 'outside.example')
  assert.match(headers.via, /^1\.1 gatehouse-/)
  assert.doesNotMatch(answer, /x-powered-by/i)
})

test('A52: the client is the rightmost hop that is no trusted proxy, and only a trusted peer is believed', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { port } = await startHouse(context, {
    listen: { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] },
    upstreams: { api: upstream.url },
    limits: { tight: { limit: 1, window: '1m', by: ['ip'] } },
    routes: [{ path: '/open', access: 'public', limit: 'tight', to: 'api' }],
  })
  const from = (chain: string): Promise<string> =>
    rawExchange(
      port,
      `GET /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: ${chain}\r\nX-Forwarded-Proto: https\r\n\r\n`,
    )
  const first = await from('6.6.6.6, 9.9.9.9, 10.1.2.3')
  assert.match(first, /^HTTP\/1\.1 200/)
  assert.match(first, /"x-forwarded-proto":"https"/)
  assert.match(await from('7.7.7.7, 9.9.9.9'), /^HTTP\/1\.1 429/, 'the left part of the chain is only somebody’s word')
  assert.match(await from('8.8.8.8'), /^HTTP\/1\.1 200/)
  assert.match(await from('2001:db8::1'), /^HTTP\/1\.1 200/)
  assert.match(await from('2001:db8::2'), /^HTTP\/1\.1 429/, 'IPv6 counts by /64')
  assert.match(await from('_one'), /^HTTP\/1\.1 200/)
  assert.match(await from('_two'), /^HTTP\/1\.1 200/, 'whose address is hidden shares no bucket with everybody hidden')
  assert.match(await from('6.6.6.6, _two'), /^HTTP\/1\.1 429/)
})

test('C: a request that has passed the gate before is a loop', async (context) => {
  let url = ''
  const upstream = await startUpstream(context, (request, response) => {
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => name === 'via')) as Record<
      string,
      string
    >
    void fetch(`${url}/open`, { headers }).then(async (inner) =>
      response.writeHead(200).end(`${inner.status} ${((await inner.json()) as { code: string }).code}`),
    )
  })
  ;({ url } = await startHouse(context, {
    upstreams: { api: upstream.url },
    routes: [{ path: '/open', access: 'public', to: 'api' }],
  }))
  assert.equal(await (await fetch(`${url}/open`)).text(), '508 loop-detected')
})

test('one caller has one address, whether the socket speaks IPv6 or not', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { port } = await startHouse(context, {
    listen: { host: '::' },
    upstreams: { api: upstream.url },
    routes: [{ path: '/open', access: 'public', to: 'api' }],
  })
  const answer = await rawExchange(port, 'GET /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  assert.match(answer, /"x-forwarded-for":"127\.0\.0\.1"/)
})

test('C: nonsense behind a whole request is not mistaken for the answer to it', async (context) => {
  const upstream = await startUpstream(
    context,
    (request, response) => void setTimeout(() => response.end(`answer to ${request.url}`), 150),
  )
  const { port } = await startHouse(context, {
    upstreams: { api: upstream.url },
    routes: [{ path: '/*', access: 'public', to: 'api' }],
  })
  const one = 'GET /one HTTP/1.1\r\nHost: a\r\n\r\n'
  const answer = await rawExchange(port, `${one}nonsense\r\n\r\n`, 600)
  assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*answer to \/one/)
  assert.doesNotMatch(answer, /HTTP\/1\.1 400/)
  const two = await rawExchange(port, `${one}${one.replace('one', 'two')}nonsense\r\n\r\n`, 800)
  assert.match(two, /^HTTP\/1\.1 200 [\s\S]*answer to \/one/)
  assert.doesNotMatch(two, /HTTP\/1\.1 400/)
})

const chunked =
  'POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n'

/** Bodies in chunks that two servers could cut in two ways. What comes before the fault is a JSON text already. */
const brokenChunks: Readonly<Record<string, string>> = {
  'a size that is no number': '2\r\n{}\r\nzz\r\n\r\n',
  'a size with a sign': '+2\r\n{}\r\n0\r\n\r\n',
  'a size in the way of C': '0x2\r\n{}\r\n0\r\n\r\n',
  'a size that no number holds': '10000000000000002\r\n{}\r\n0\r\n\r\n',
  'a size behind a space': ' 2\r\n{}\r\n0\r\n\r\n',
  'a size with a space behind it': '2 \r\n{}\r\n0\r\n\r\n',
  'a bare LF behind a size': '2\n{}\r\n0\r\n\r\n',
  'a bare LF in an extension': '2;a\n{}\r\n0\r\n\r\n',
  'a bare LF behind the bytes': '2\r\n{}\n0\r\n\r\n',
  'more bytes than were announced': '2\r\n{}}\r\n0\r\n\r\n',
  'a bare CR behind the last chunk': '2\r\n{}\r\n0\r\rX',
  'an extension without an end': `2;${'a'.repeat(20_000)}`,
  'a trailer that says how long the body is': '2\r\n{}\r\n0\r\nContent-Length: 7\r\n\r\n',
  'a trailer that says that there is more': '2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n',
  'a trailer with a space in its name': '2\r\n{}\r\n0\r\nX A: b\r\n\r\n',
  'a trailer section without an end': `2\r\n{}\r\n0\r\n${'X-A: b\r\n'.repeat(5_000)}`,
}

test('C: a body whose chunks could be cut in two ways never looks whole', async (context) => {
  let whole = 0
  const upstream = await startUpstream(context, (request, response) => {
    request.on('data', () => {})
    request.on('error', () => {})
    request.on('end', () => whole++)
    response.end('reached')
  })
  const { port } = await startHouse(context, {
    upstreams: { api: upstream.url },
    limits: false,
    routes: [
      { path: '/json', methods: ['POST'], access: 'public', to: 'api', body: { type: 'object' } },
      { path: '/open', access: 'public', to: 'api' },
    ],
  })
  for (const [name, body] of Object.entries(brokenChunks)) {
    await context.test(name, async () => {
      const read = await rawExchange(port, `${chunked}\r\n${body}`)
      assert.match(read, /^HTTP\/1\.1 4\d\d [\s\S]*"code":"(?:bad-request|headers-too-large)"/)
      assert.equal(read.split('HTTP/1.1 ').length - 1, 1)
      const passedOn = await rawExchange(port, `${chunked.replace('/json', '/open')}\r\n${body}`)
      assert.doesNotMatch(passedOn.slice(1), /HTTP\/1\.1 /, 'one answer at the most')
    })
  }
  assert.equal(whole, 0)
})

test('C: chunks are framed anew: extensions and trailers end here, and trailers become no headers', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { port } = await startHouse(context, {
    upstreams: { api: upstream.url },
    limits: false,
    routes: [{ path: '/json', methods: ['POST'], access: 'public', to: 'api' }],
  })
  const trailers = 'X-Kept: no\r\nAuthorization: Bearer x\r\nX-Gatehouse-User: root\r\nHost: b\r\n'
  const answer = await rawExchange(
    port,
    `${chunked}Trailer: X-Kept\r\n\r\n2;name="value"\r\n{}\r\n0;last\r\n${trailers}\r\n`,
  )
  assert.match(answer, /^HTTP\/1\.1 200 /)
  const seen = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as {
    readonly body: string
    readonly headers: Readonly<Record<string, string>>
  }
  assert.equal(seen.body, '{}')
  for (const gone of ['x-kept', 'authorization', 'x-gatehouse-user', 'trailer'])
    assert.equal(seen.headers[gone], undefined)
})

test('C: a hundred header fields come through, every one of them', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { port } = await startHouse(context, {
    upstreams: { api: upstream.url },
    routes: [{ path: '/open', access: 'public', to: 'api' }],
  })
  const fields = Array.from({ length: 98 }, (_, at) => `X-${at}: ${at}\r\n`).join('')
  const answer = await rawExchange(port, `GET /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}\r\n`)
  const { headers } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as {
    readonly headers: Readonly<Record<string, string>>
  }
  for (let at = 0; at < 98; at++) assert.equal(headers[`x-${at}`], String(at))
})

test('C: what a caller names in Connection cannot take away what the gate says of them', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const house = await startHouse(context, {
    upstreams: { api: upstream.url },
    routes: [{ path: '/known', access: 'authenticated', to: 'api' }],
  })
  const token = await house.signIn()
  const named = 'X-Gatehouse-User, X-Gatehouse-Roles, X-Gatehouse-Assertion, X-Gatehouse-Request-Id, X-Own'
  const answer = await rawExchange(
    house.port,
    `GET /known HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nX-Own: 1\r\nConnection: ${named}\r\n\r\n`,
  )
  assert.match(answer, /^HTTP\/1\.1 200 /)
  const { headers } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as {
    readonly headers: Readonly<Record<string, string>>
  }
  for (const kept of ['x-gatehouse-user', 'x-gatehouse-roles', 'x-gatehouse-assertion', 'x-forwarded-for', 'via'])
    assert.ok(headers[kept] !== undefined, kept)
  assert.equal(headers['x-own'], undefined)
})
