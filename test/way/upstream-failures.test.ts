import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { mirror, rawExchange, startHouse, startUpstream } from '../support/house.ts'

/** An upstream below HTTP: it does to each connection what the test says. */
async function rawUpstream(context: TestContext, act: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    act(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code
}

const routes = [{ path: '/*', access: 'public', to: 'api' }] as const

test('an upstream that is down is 502, and says nothing of where it would be', async (context) => {
  const { url } = await startHouse(context, { upstreams: { api: 'http://127.0.0.1:1' }, routes: [...routes] })
  const response = await fetch(`${url}/x`)
  assert.equal(response.status, 502)
  const text = await response.text()
  assert.match(text, /"code":"upstream-unreachable"/)
  assert.doesNotMatch(text, /127\.0\.0\.1|ECONN/)
})

test('an upstream that is slow is 504', async (context) => {
  const upstream = await startUpstream(context, () => {})
  const { url } = await startHouse(context, {
    upstreams: { api: { url: upstream.url, answerTimeout: '200ms' } },
    routes: [...routes],
  })
  const response = await fetch(`${url}/x`)
  assert.equal(response.status, 504)
  assert.equal(await codeOf(response), 'upstream-timeout')
})

test('an upstream that breaks off before its head is 502, and one that speaks no HTTP too', async (context) => {
  for (const act of [
    (socket: Socket) => void socket.once('data', () => socket.destroy()),
    (socket: Socket) => void socket.once('data', () => socket.end('hello\r\n\r\n')),
  ]) {
    const { url } = await startHouse(context, {
      upstreams: { api: await rawUpstream(context, act) },
      routes: [...routes],
    })
    const response = await fetch(`${url}/x`)
    assert.equal(response.status, 502)
    assert.equal(await codeOf(response), 'upstream-broke-off')
  }
})

test('an upstream that breaks off in the middle cuts the answer: what arrived never looks whole', async (context) => {
  for (const framing of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
    const url = await rawUpstream(
      context,
      (socket) =>
        void socket.once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${framing.startsWith('T') ? '5\r\nhello\r\n' : 'hello'}`)
          setTimeout(() => socket.destroy(), 100)
        }),
    )
    const { port } = await startHouse(context, { upstreams: { api: url }, routes: [...routes] })
    const answer = await rawExchange(port, 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n', 1000)
    assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*hello/)
    assert.doesNotMatch(answer, /\r\n0\r\n\r\n$/)
  }
})

test('a kept connection that the upstream closes costs a safe request nothing', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { url } = await startHouse(context, { upstreams: { api: upstream.url }, limits: false, routes: [...routes] })
  for (let round = 0; round < 20; round++) {
    assert.equal((await fetch(`${url}/x`)).status, 200)
    upstream.server.closeIdleConnections()
  }
})

test('an upstream cannot write two headers in one, nor speak for the house', async (context) => {
  const url = await rawUpstream(
    context,
    (socket) =>
      void socket.once('data', () =>
        socket.end(
          'HTTP/1.1 200 OK\r\nServer: secret/1.0\r\nX-Powered-By: secret\r\nX-Gatehouse-User: root\r\nX-Request-ID: theirs\r\nX-Frame-Options: ALLOWALL\r\nConnection: close, X-Private\r\nX-Private: 1\r\nContent-Length: 2\r\n\r\nok',
        ),
      ),
  )
  const { port } = await startHouse(context, { upstreams: { api: url }, routes: [...routes] })
  const answer = await rawExchange(
    port,
    'GET /x HTTP/1.1\r\nHost: a\r\nX-Request-ID: ours\r\nConnection: close\r\n\r\n',
  )
  assert.match(answer, /x-frame-options: DENY/i)
  assert.match(answer, /x-request-id: ours/i)
  for (const gone of [/secret/, /x-gatehouse/i, /theirs/, /ALLOWALL/, /x-private/i]) assert.doesNotMatch(answer, gone)
})

test('whatever bytes an upstream puts into a header, the house stands', async (context) => {
  let byte = 0
  const url = await rawUpstream(
    context,
    (socket) =>
      void socket.once('data', () =>
        socket.end(
          Buffer.concat([
            Buffer.from('HTTP/1.1 200 OK\r\nX-Odd: a'),
            Buffer.from([byte]),
            Buffer.from('b\r\nContent-Length: 2\r\n\r\nok'),
          ]),
        ),
      ),
  )
  const { port, url: gate } = await startHouse(context, { upstreams: { api: url }, limits: false, routes: [...routes] })
  for (byte = 0; byte < 256; byte++) {
    const answer = await rawExchange(port, 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 5_000)
    assert.match(answer, /^HTTP\/1\.1 (200|502|500) /, `byte ${byte}`)
  }
  assert.equal((await fetch(`${gate}/health`)).status, 200)
})
