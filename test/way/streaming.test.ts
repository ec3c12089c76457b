// In a process of its own: it weighs the memory of the process.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as requestHttp } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { WebSocketServer } from 'ws'
import { mirror, rawExchange, startHouse, startUpstream } from '../support/house.ts'

const open = (
  url: string,
): {
  upstreams: { api: string }
  limits: false
  bodyMax: string
  routes: { path: string; access: 'public'; to: string; websocket: true }[]
} => ({
  upstreams: { api: url },
  limits: false,
  bodyMax: '2gb',
  routes: [{ path: '/*', access: 'public', to: 'api', websocket: true }],
})

const gigabyte = 1024 * 1024 * 1024
const block = randomBytes(1024 * 1024)

function blocks(): Readable {
  let left = gigabyte / block.length
  return new Readable({
    read() {
      this.push(left-- > 0 ? block : null)
    },
  })
}

async function memoryGrowth(work: () => Promise<void>): Promise<number> {
  let peak = 0
  const before = process.memoryUsage().rss
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20)
  await work()
  clearInterval(watch)
  return (peak - before) / 1024 / 1024
}

test('an upload and a download of 1 GB pass whole, in constant memory', async (context) => {
  const upstream = await startUpstream(context, (request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-length': gigabyte })
      blocks().pipe(response)
      return
    }
    let bytes = 0
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => response.end(String(bytes)))
  })
  const { url } = await startHouse(context, open(upstream.url))
  const down = await memoryGrowth(async () => {
    const [response] = (await once(requestHttp(`${url}/file`).end(), 'response')) as [Readable]
    let bytes = 0
    response.on('data', (chunk: Buffer) => (bytes += chunk.length))
    await once(response, 'end')
    assert.equal(bytes, gigabyte)
  })
  const up = await memoryGrowth(async () => {
    const request = requestHttp(`${url}/file`, { method: 'POST', headers: { 'content-length': gigabyte } })
    blocks().pipe(request)
    const [response] = (await once(request, 'response')) as [Readable]
    assert.equal((await response.toArray()).join(''), String(gigabyte))
  })
  assert.ok(down < 300 && up < 300, `memory grew by ${Math.round(down)} MB down, ${Math.round(up)} MB up`)
})

test('a slow reader slows the upstream down, and not the house', async (context) => {
  let sent = 0
  const upstream = await startUpstream(context, (_request, response) => {
    const push = (): void => {
      while (sent < gigabyte) {
        sent += block.length
        if (!response.write(block)) return void response.once('drain', push)
      }
      response.end()
    }
    push()
  })
  const { port } = await startHouse(context, open(upstream.url))
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /file HTTP/1.1\r\nHost: a\r\n\r\n')
  socket.once('data', () => socket.pause())
  await new Promise((resolve) => setTimeout(resolve, 700))
  assert.ok(sent < gigabyte / 4, `the upstream could send ${sent} bytes to a reader that reads nothing`)
  socket.destroy()
})

test('clients cut off in mid-answer by the hundred leave the house serving, and the upstream free', async (context) => {
  let running = 0
  const upstream = await startUpstream(context, (request, response) => {
    if (request.url === '/quick') return void response.end('quick')
    running++
    response.on('close', () => running--)
    blocks().pipe(response)
    response.on('error', () => {})
  })
  const { url, port, house } = await startHouse(context, open(upstream.url))
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      Array.from({ length: 60 }, async () => {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        socket.write('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n')
        await once(socket, 'data')
        socket.destroy()
      }),
    )
    assert.equal(await (await fetch(`${url}/quick`)).text(), 'quick')
  }
  for (let wait = 0; wait < 50 && (running > 0 || house.gate.inFlight > 0); wait++)
    await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(running, 0, 'answers that nobody reads were called off at the upstream')
  assert.equal(house.gate.inFlight, 0)
})

test('a client that leaves before the answer calls the request off', async (context) => {
  let closed = false
  const upstream = await startUpstream(context, (_request, response) => {
    response.on('close', () => (closed = true))
  })
  const { port } = await startHouse(context, open(upstream.url))
  await rawExchange(port, 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n', 100)
  for (let wait = 0; wait < 50 && !closed; wait++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok(closed)
})

test('events of a stream arrive one by one, as they are sent', async (context) => {
  let send: (text: string) => void = () => {}
  const upstream = await startUpstream(context, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    send = (text) => void response.write(`data: ${text}\n\n`)
  })
  const { url } = await startHouse(context, open(upstream.url))
  const response = await fetch(`${url}/events`) // the head alone is here already
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  for (const text of ['one', 'two', 'three']) {
    send(text)
    const { value } = await reader.read()
    assert.equal(Buffer.from(value as Uint8Array).toString(), `data: ${text}\n\n`)
  }
  await reader.cancel()
})

test('a WebSocket passes in both directions, and only where the route says so', async (context) => {
  const upstream = await startUpstream(context, (request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' })
    response.end(`upgrade: ${request.headers.upgrade ?? 'none'}`)
  })
  const sockets = new WebSocketServer({ server: upstream.server, path: '/chat' })
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data.toString()}`)))
  context.after(() => sockets.close())
  const config = open(upstream.url)
  const { port } = await startHouse(context, {
    ...config,
    routes: [
      { path: '/chat', access: 'public', to: 'api', websocket: true },
      { path: '/plain', access: 'public', to: 'api' },
      { path: '/closed', access: 'authenticated', to: 'api', websocket: true },
    ],
  })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`)
  await once(socket, 'open')
  socket.send('hello')
  const [message] = (await once(socket, 'message')) as [MessageEvent]
  assert.equal(message.data, 'echo hello')
  socket.close()
  await once(socket, 'close')

  const upgrade = (path: string): Promise<string> =>
    rawExchange(
      port,
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
  assert.match(
    await upgrade('/plain'),
    /^HTTP\/1\.1 426 [\s\S]*upgrade: none/,
    'without `websocket: true` the upstream is not asked',
  )
  assert.match(await upgrade('/closed'), /^HTTP\/1\.1 401 /)
})

test('a WebSocket that nobody closes does not keep the house from closing', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const sockets = new WebSocketServer({ server: upstream.server })
  context.after(() => sockets.close())
  const { port, house, close } = await startHouse(context, open(upstream.url))
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`)
  await once(socket, 'open')
  assert.equal(house.gate.inFlight, 1)
  const ended = once(socket, 'close')
  await close()
  await ended
  assert.equal(house.gate.inFlight, 0)
})

test('100-continue waits for the gate: it is said to who may send, and never to who may not', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { port } = await startHouse(context, {
    ...open(upstream.url),
    routes: [
      { path: '/open', access: 'public', to: 'api' },
      { path: '/closed', access: 'authenticated', to: 'api' },
    ],
  })
  const ask = (path: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`
  const refused = await rawExchange(port, ask('/closed'))
  assert.match(refused, /^HTTP\/1\.1 401 /)
  const socket = connect(port, '127.0.0.1')
  socket.write(ask('/open'))
  const [interim] = (await once(socket, 'data')) as [Buffer]
  assert.match(interim.toString(), /^HTTP\/1\.1 100 /)
  socket.write('body')
  const rest: Buffer[] = []
  socket.on('data', (chunk) => rest.push(chunk))
  await once(socket, 'close')
  assert.match(Buffer.concat(rest).toString(), /^HTTP\/1\.1 200 [\s\S]*"body":"body"/)
})

test('HEAD answers the head of GET, trailers pass, and 204 and 304 stay without a body', async (context) => {
  const upstream = await startUpstream(context, (request, response) => {
    switch (request.url) {
      case '/trailers':
        response.writeHead(200, { trailer: 'X-Digest' })
        response.write('bytes')
        response.addTrailers({
          'X-Digest': 'abc',
          'Set-Cookie': 'a=b',
          'X-RateLimit-Remaining': '99',
          RateLimit: 'x',
          'X-Gatehouse-User': 'root',
          'Access-Control-Allow-Origin': '*',
        })
        return void response.end()
      case '/204':
        return void response.writeHead(204).end()
      case '/304':
        return void response.writeHead(304, { etag: '"a"' }).end()
      default:
        return void response
          .writeHead(200, { 'content-length': 5 })
          .end(request.method === 'HEAD' ? undefined : 'hello')
    }
  })
  const { port, url } = await startHouse(context, open(upstream.url))
  const head = await rawExchange(port, 'HEAD /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  assert.match(head, /content-length: 5/i)
  assert.ok(head.endsWith('\r\n\r\n'))
  const trailers = await rawExchange(
    port,
    'GET /trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\n\r\n',
  )
  assert.match(trailers, /\r\n0\r\nx-digest: abc\r\n\r\n$/i)
  assert.equal((await fetch(`${url}/204`)).status, 204)
  assert.equal((await fetch(`${url}/304`)).status, 304)
})

test('a chunked upload is measured as it flows, and stopped at the bound', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { port } = await startHouse(context, { ...open(upstream.url), bodyMax: '1kb' })
  const chunk = `${(600).toString(16)}\r\n${'a'.repeat(600)}\r\n`
  const small = await rawExchange(
    port,
    `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk}0\r\n\r\n`,
  )
  assert.match(small, /^HTTP\/1\.1 200 /)
  const large = await rawExchange(
    port,
    `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk}${chunk}0\r\n\r\n`,
  )
  assert.match(large, /^HTTP\/1\.1 413 [\s\S]*content-too-large/)
})

test('a download arrives as it was sent, whatever the sizes of its pieces', async (context) => {
  const sizes = [0, 1, 1023, 65_535, 65_536, 65_537, 300_000]
  const bodies = new Map(sizes.map((size) => [`/${size}`, randomBytes(size)]))
  const upstream = await startUpstream(context, (request, response) => void response.end(bodies.get(request.url ?? '')))
  const { url } = await startHouse(context, open(upstream.url))
  for (const [path, body] of bodies) {
    const received = Buffer.from(await (await fetch(url + path)).arrayBuffer())
    assert.equal(
      createHash('sha256').update(received).digest('hex'),
      createHash('sha256').update(body).digest('hex'),
      path,
    )
  }
})
