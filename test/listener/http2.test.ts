// HTTP/2 in, HTTP/1.1 out: the same way, the same answers, through real sockets and a real client.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants } from 'node:http2'
import { after, before, test } from 'node:test'
import { type Authority, makeAuthority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, startUpstream } from '../support/house.ts'
import { startTlsHouse, type TlsHouse } from '../support/tls.ts'
import { answerTo, ask, connectHttp2 } from './http2-client.ts'

const releases: (() => unknown)[] = []
/** What the houses of this file need of a test, for as long as all of it runs. */
const file = { after: (release: () => unknown) => void releases.push(release) } as Parameters<typeof startTlsHouse>[0]

let root: Authority
let house: TlsHouse
/** What the upstream does with a path. */
const acts = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>()

before(async () => {
  root = await makeAuthority('CN=Root')
  const upstream = await startUpstream(file, (request, response) =>
    (acts.get(request.url ?? '') ?? mirror)(request, response),
  )
  house = await startTlsHouse(file, root, {
    tls: { clientCa: root.cert },
    config: {
      upstreams: { api: upstream.url },
      bodyMax: '50mb',
      routes: [
        { path: '/known', access: 'authenticated', certificate: 'required', to: 'api' },
        { path: '/secret', access: 'authenticated', to: 'api' },
        { path: '/small', access: 'public', bodyMax: '1kb', to: 'api' },
        { path: '/json', methods: ['POST'], access: 'public', to: 'api', body: { type: 'object', required: ['a'] } },
        { path: '/*', access: 'public', to: 'api' },
      ],
    },
  })
})
after(async () => {
  for (const release of releases.toReversed()) await release()
})

test('C: HTTP/2 is agreed on where TLS is ours, HTTP/1.1 with whoever has none, and a switch turns it off', async (context) => {
  assert.equal((await house.connect({ ALPNProtocols: ['h2', 'http/1.1'] })).alpnProtocol, 'h2')
  assert.equal((await house.connect({ ALPNProtocols: ['http/1.1'] })).alpnProtocol, 'http/1.1')
  assert.equal((await house.connect()).alpnProtocol, false)
  assert.equal((await house.ask('/open')).status, 200, 'HTTP/1.1, on the same port')
  const without = await startTlsHouse(context, root, { config: { listen: { http2: false } } })
  assert.equal((await without.connect({ ALPNProtocols: ['h2', 'http/1.1'] })).alpnProtocol, 'http/1.1')
  await assert.rejects(without.connect({ ALPNProtocols: ['h2'] }), /no application protocol/)
})

test('C: a request of HTTP/2 goes the same way, and the upstream receives HTTP/1.1', async (context) => {
  const session = await connectHttp2(context, house, root.cert)
  const fields = [
    [':method', 'POST'],
    [':path', '/things/%7e?q=1'],
    [':scheme', 'https'],
    [':authority', 'gate.example:443'],
    ['cookie', 'a=1'],
    ['cookie', '__Host-session=ours'],
    ['cookie', 'b=2'],
    ['te', 'trailers'],
    ['x-gatehouse-user', 'root'],
    ['x-kept', 'yes'],
    ['content-type', 'text/plain'],
  ].flat()
  const { status, headers, body } = await ask(session, fields, 'hello')
  assert.equal(status, 200)
  assert.match(String(headers['x-request-id']), /./)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['connection'], undefined)
  assert.equal(headers['transfer-encoding'], undefined)
  const seen = JSON.parse(body) as { method: string; url: string; body: string; headers: Record<string, string> }
  assert.deepEqual([seen.method, seen.url, seen.body], ['POST', '/things/~?q=1', 'hello'])
  assert.equal(seen.headers['x-forwarded-host'], 'gate.example:443')
  assert.equal(seen.headers['x-forwarded-proto'], 'https')
  assert.match(seen.headers['cookie'] ?? '', /a=1; .*b=2/)
  assert.equal(seen.headers['x-kept'], 'yes')
  assert.match(seen.headers['via'] ?? '', /^2\.0 \S+$/, 'by what version it came to us (RFC 9110 §7.6.3)')
  for (const gone of ['x-gatehouse-user', 'te', ':authority']) assert.equal(seen.headers[gone], undefined, gone)
})

test('C: what is refused over HTTP/1.1 is refused over HTTP/2, in the same words', async (context) => {
  const session = await connectHttp2(context, house, root.cert)
  const usual = [':method', 'GET', ':scheme', 'https', ':authority', 'localhost']
  const many = Array.from({ length: 101 }, (_, at) => [`x-${at}`, '1']).flat()
  const refused: readonly (readonly [string, readonly string[], number, string])[] = [
    ['an encoded slash', [...usual, ':path', '/open%2f'], 400, 'bad-request'],
    ['a dot segment', [...usual, ':path', '/a/../open'], 400, 'bad-request'],
    ['a fragment', [...usual, ':path', '/open#part'], 400, 'bad-request'],
    ['an underscore', [...usual, ':path', '/open', 'x_gatehouse_user', 'root'], 400, 'bad-request'],
    ['another Host', [...usual, ':path', '/open', 'host', 'elsewhere'], 400, 'bad-request'],
    ['another scheme', [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/open'], 400, 'bad-request'],
    ['CONNECT', [':method', 'CONNECT', ':authority', 'elsewhere:80'], 400, 'bad-request'],
    ['an asterisk', [':method', 'OPTIONS', ':scheme', 'https', ':authority', 'a', ':path', '*'], 400, 'bad-request'],
    ['another method', [...usual, ':path', '/open', 'x-http-method-override', 'DELETE'], 400, 'bad-request'],
    ['101 fields', [...usual, ':path', '/open', ...many], 431, 'headers-too-large'],
    ['a head over 16 KiB', [...usual, ':path', '/open', 'x-a', 'a'.repeat(17_000)], 431, 'headers-too-large'],
    ['a foreign Expect', [...usual, ':path', '/open', 'expect', 'maybe'], 417, 'expectation-failed'],
    ['nobody', [...usual, ':path', '/secret'], 401, 'credentials-required'],
  ]
  for (const [name, fields, status, code] of refused) {
    const answer = await ask(session, fields)
    assert.deepEqual([answer.status, JSON.parse(answer.body).code], [status, code], name)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff', name)
  }
  const announced = await ask(
    session,
    { ':path': '/small', ':method': 'POST', 'content-length': 2_000 },
    'a'.repeat(2_000),
  )
  assert.deepEqual([announced.status, JSON.parse(announced.body).code], [413, 'content-too-large'])
  const measured = await ask(session, { ':path': '/small', ':method': 'POST' }, 'a'.repeat(2_000))
  assert.equal(measured.status, 413, 'also where nobody announced how long it is')
  const invalid = await ask(session, { ':path': '/json', ':method': 'POST', 'content-type': 'application/json' }, '{}')
  assert.equal(invalid.status, 422)
  assert.equal((await ask(session, { ':path': '/open' })).status, 200, 'the connection is none the worse for it')
})

test('C: as many cookies as fit come in, one field or a hundred', async (context) => {
  const session = await connectHttp2(context, house, root.cert)
  const crumbs = Array.from({ length: 150 }, (_, at) => ['cookie', `c${at}=1`]).flat()
  const usual = [':method', 'GET', ':scheme', 'https', ':authority', 'localhost', ':path', '/open']
  const { status, body } = await ask(session, [...usual, ...crumbs])
  assert.equal(status, 200)
  assert.equal(JSON.parse(body).headers.cookie.split('; ').length, 150)
})

test('a client certificate names a service over HTTP/2 as well', async (context) => {
  const { cert, key } = await root.issue({ dns: ['billing.internal'] })
  const session = await connectHttp2(context, house, root.cert, { cert, key })
  const { status, body } = await ask(session, { ':path': '/known' })
  assert.deepEqual([status, JSON.parse(body).headers['x-gatehouse-service']], [200, 'billing'])
  const stranger = await connectHttp2(context, house, root.cert)
  assert.equal((await ask(stranger, { ':path': '/known' })).status, 401)
})

test('trailers of an answer pass, as gRPC needs them, and those of a request stop here', async (context) => {
  acts.set('/trailers', (request, response) => {
    request.resume()
    request.on('end', () => {
      response.writeHead(200, {
        trailer: 'grpc-status, grpc-message',
        'x-trailers': Object.keys(request.trailers).join(),
      })
      response.write('message')
      response.addTrailers({ 'grpc-status': '0', 'grpc-message': 'fine', 'Set-Cookie': 'a=b' })
      response.end()
    })
  })
  const session = await connectHttp2(context, house, root.cert)
  const stream = session.request({ ':path': '/trailers', ':method': 'POST' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-admin': 'yes', authorization: 'Bearer x' }))
  const answered = answerTo(stream)
  stream.end('body')
  const { body, trailers, headers, code } = await answered
  assert.deepEqual([body, code, headers['x-trailers']], ['message', 0, ''])
  assert.equal(trailers['grpc-status'], '0')
  assert.equal(trailers['grpc-message'], 'fine')
  assert.equal(trailers['set-cookie'], undefined)
})

test('HEAD, 204 and 304 have no body, and a body arrives as it was sent, up and down', async (context) => {
  const sizes = [0, 1, 16_383, 16_384, 16_385, 65_536, 300_000]
  for (const size of sizes) {
    const bytes = randomBytes(size)
    acts.set(`/bytes/${size}`, (request, response) => {
      if (request.method !== 'POST') return void response.writeHead(200, { 'content-length': size }).end(bytes)
      request.pipe(response)
    })
  }
  acts.set('/204', (_request, response) => void response.writeHead(204).end())
  acts.set('/304', (_request, response) => void response.writeHead(304, { etag: '"a"' }).end())
  acts.set('/cookies', (_request, response) => void response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] }).end('x'))
  const session = await connectHttp2(context, house, root.cert)
  for (const path of ['/204', '/304']) {
    const { status, body, code } = await ask(session, { ':path': path })
    assert.deepEqual([status, body, code], [Number(path.slice(1)), '', 0])
  }
  const head = await ask(session, { ':path': '/bytes/300000', ':method': 'HEAD' })
  assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '300000'])
  const refusedHead = await ask(session, { ':path': '/secret', ':method': 'HEAD' })
  assert.deepEqual([refusedHead.status, refusedHead.body], [401, ''])
  assert.deepEqual((await ask(session, { ':path': '/cookies' })).headers['set-cookie'], ['a=1', 'b=2'])
  await Promise.all(
    sizes.map(async (size) => {
      const sent = randomBytes(size).toString('hex')
      assert.equal((await ask(session, { ':path': `/bytes/${size}`, ':method': 'POST' }, sent)).body, sent)
      assert.equal((await ask(session, { ':path': `/bytes/${size}` })).headers['content-length'], String(size))
    }),
  )
})

test('C: a reader that waits makes the upstream wait, and nobody beside it', async (context) => {
  let sent = 0
  const block = randomBytes(65_536)
  acts.set('/endless', (_request, response) => {
    const push = (): void => {
      while (!response.destroyed) {
        sent += block.length
        if (!response.write(block)) return void response.once('drain', push)
      }
    }
    push()
  })
  let silent: 'asked' | 'called off' | undefined
  acts.set('/silent', (_request, response) => {
    silent = 'asked'
    response.on('close', () => (silent = 'called off'))
  })
  const session = await connectHttp2(context, house, root.cert)
  const waiting = session.request({ ':path': '/endless' })
  waiting.on('error', () => {})
  await once(waiting, 'response')
  let before = -1
  await eventually(() => {
    const still = sent === before
    before = sent
    return still ? true : undefined
  })
  assert.ok(sent < 50_000_000, `${sent} bytes were taken for a reader that reads nothing`)
  assert.equal((await ask(session, { ':path': '/open' })).status, 200)

  waiting.close(constants.NGHTTP2_CANCEL)
  const unanswered = session.request({ ':path': '/silent' })
  unanswered.on('error', () => {})
  unanswered.end()
  await eventually(() => (silent === 'asked' ? true : undefined))
  unanswered.close(constants.NGHTTP2_CANCEL)
  await eventually(() => (silent === 'called off' && house.house.gate.inFlight === 0 ? true : undefined))
})

test('an answer that comes before the body does is read, and the rest of the body is not wanted', async (context) => {
  const session = await connectHttp2(context, house, root.cert)
  const stream = session.request({ ':path': '/secret', ':method': 'POST' })
  const answered = answerTo(stream)
  stream.write('a')
  const { status, body, code } = await answered
  assert.deepEqual([status, JSON.parse(body).code, code], [401, 'credentials-required', 0])
  assert.equal((await ask(session, { ':path': '/open' })).status, 200)
})

test('100-continue is said to who may send, and never to who may not', async (context) => {
  const session = await connectHttp2(context, house, root.cert)
  const send = async (path: string): Promise<readonly [continued: boolean, status: number]> => {
    const stream = session.request({ ':path': path, ':method': 'POST', expect: '100-continue' })
    let continued = false
    stream.on('continue', () => {
      continued = true
      stream.end('body')
    })
    const { status } = await answerTo(stream)
    return [continued, status]
  }
  assert.deepEqual(await send('/open'), [true, 200])
  assert.deepEqual(await send('/secret'), [false, 401])
})

test('an upstream that breaks off is a stream that broke, and not a short answer', async (context) => {
  acts.set('/broken', (_request, response) => {
    response.writeHead(200, { 'content-length': 1_000 })
    response.write('a part of it')
    setTimeout(() => response.destroy(), 50)
  })
  const session = await connectHttp2(context, house, root.cert)
  const { status, code } = await ask(session, { ':path': '/broken' })
  assert.deepEqual([status, code], [200, constants.NGHTTP2_INTERNAL_ERROR])
})

test('a connection carries so many requests, then it is asked to go, and what is on its way ends', async (context) => {
  const upstream = await startUpstream(context, (_request, response) => void setTimeout(() => response.end('ok'), 200))
  const few = await startTlsHouse(context, root, {
    config: { upstreams: { api: upstream.url }, listen: { requestsPerConnection: 3 } },
  })
  const session = await connectHttp2(context, few, root.cert)
  const goaway = once(session, 'goaway')
  const answers = await Promise.all(Array.from({ length: 3 }, () => ask(session, { ':path': '/open' })))
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body]),
    Array(3).fill([200, 'ok']),
  )
  const [code] = (await goaway) as [number]
  assert.equal(code, constants.NGHTTP2_NO_ERROR)
  await eventually(() => (session.closed ? true : undefined))
})

test('closing asks clients to go, lets their answers end, and waits for nobody who is idle', async (context) => {
  const upstream = await startUpstream(context, (_request, response) => void setTimeout(() => response.end('ok'), 300))
  const closing = await startTlsHouse(context, root, { config: { upstreams: { api: upstream.url } } })
  const idle = await connectHttp2(context, closing, root.cert)
  const session = await connectHttp2(context, closing, root.cert)
  const answer = ask(session, { ':path': '/open' })
  await eventually(() => (closing.house.gate.inFlight === 1 ? true : undefined))
  const order: string[] = []
  idle.once('close', () => order.push('the idle one went'))
  session.once('goaway', () => order.push('the other was asked to go'))
  void answer.then(() => order.push('it had its answer'))
  await closing.listener.close(5_000)
  assert.deepEqual([(await answer).status, (await answer).body], [200, 'ok'])
  assert.equal(order.at(-1), 'it had its answer', order.join())
  assert.equal(order.length, 3)
})

test('a connection that asks for nothing ends, however often it says that it is there', async (context) => {
  const patient = await startTlsHouse(context, root, {
    config: { listen: { headersTimeout: '200ms', keepAliveTimeout: '300ms' } },
  })
  const silent = await connectHttp2(context, patient, root.cert)
  const used = await connectHttp2(context, patient, root.cert)
  const gone = Promise.all([once(silent, 'close'), once(used, 'close')])
  assert.equal((await ask(used, { ':path': '/open' })).status, 200)
  const pinging = setInterval(() => {
    for (const session of [silent, used]) if (!session.destroyed && !session.closed) session.ping(() => {})
  }, 30)
  await gone
  clearInterval(pinging)
})

test('a client whose certificate is taken back keeps no connection of HTTP/2 either', async (context) => {
  const { cert, key } = await root.issue({ dns: ['billing.internal'] })
  const watched = await startTlsHouse(context, root, { tls: { clientCa: root.cert, crl: await root.revoke() } })
  const session = await connectHttp2(context, watched, root.cert, { cert, key })
  assert.equal((await ask(session, { ':path': '/known' })).status, 200)
  const gone = once(session, 'close')
  watched.write('crl.pem', await root.revoke([{ cert, key }]))
  await watched.listener.reloadTls()
  await gone
})
