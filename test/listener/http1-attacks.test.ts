// What the order of messages, a switch of protocols and a socket that dies can do to a connection of HTTP/1, and must not.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { WebSocketServer } from 'ws'
import type { Config } from '../../src/config/settings.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, rawExchange, startHouse, startUpstream, type TestHouse } from '../support/house.ts'

const releases: (() => unknown)[] = []
/** What the houses of this file need of a test, for as long as all of it runs. */
const file = { after: (release: () => unknown) => void releases.push(release) } as Parameters<typeof startHouse>[0]

let house: TestHouse
let api: string
/** WebSockets that the upstream has open. */
let far: WebSocketServer
let atOnce = { now: 0, most: 0 }

before(async () => {
  const server = createServer((request, response) => {
    atOnce.now++
    atOnce.most = Math.max(atOnce.most, atOnce.now)
    response.on('close', () => atOnce.now--)
    const wait = request.url === '/slow' ? 400 : request.url === '/soon' ? 100 : 0
    setTimeout(() => mirror(request, response), wait)
  })
  far = new WebSocketServer({ server })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  file.after(() => {
    for (const socket of far.clients) socket.terminate()
    server.closeAllConnections()
    server.close()
  })
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  house = await startHouse(file, config())
})
after(async () => {
  for (const release of releases.toReversed()) await release()
})

const config = (listen: NonNullable<Config['listen']> = {}): Config => ({
  upstreams: { api },
  limits: false,
  routes: [
    { path: '/talk', access: 'public', websocket: true, to: 'api' },
    { path: '/talk/known', access: 'authenticated', websocket: true, to: 'api' },
    { path: '/known', access: 'authenticated', to: 'api' },
    { path: '/*', access: 'public', to: 'api' },
  ],
  listen,
})

const get = (path: string, ...fields: readonly string[]): string =>
  `${[`GET ${path} HTTP/1.1`, 'Host: a', ...fields].join('\r\n')}\r\n\r\n`
const key = ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13']
const asking = (path: string): string => get(path, 'Connection: Upgrade', 'Upgrade: websocket', ...key)
const switches: Readonly<Record<string, string>> = {
  CONNECT: 'CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere:80\r\n\r\n',
  'a WebSocket that is refused': asking('/talk/known'),
  'a WebSocket that is let in': asking('/talk'),
}
const statuses = (answer: string): string[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status = '']) => status)
const quiet = (): Promise<true> =>
  eventually(() => (house.listener.counts.open === 0 && house.house.gate.inFlight === 0 ? true : undefined))

for (const [name, message] of Object.entries(switches)) {
  test(`C: ${name}, sent before an answer has left, harms neither that answer nor the house`, async () => {
    const answer = await rawExchange(house.port, get('/slow') + message + get('/open'), 1_000)
    assert.deepEqual(statuses(answer), ['200'], 'nothing is written into the answer, or said behind it')
    assert.match(answer, /"url":"\/slow"/)
    assert.match(answer, /^connection: close/im)
    await quiet()
    assert.equal(far.clients.size, 0)
    assert.deepEqual(statuses(await rawExchange(house.port, get('/open'))), ['200'])
  })
}

test('C: after a switch that was refused the connection is over, also for a client that stays, or goes on sending', async (context) => {
  const refused = [switches['CONNECT'], switches['a WebSocket that is refused']]
  const clients = refused.flatMap((message) => [message, message + 'x'.repeat(100_000)])
  await Promise.all(
    clients.map(async (bytes) => {
      const socket = connect({ port: house.port, host: '127.0.0.1', allowHalfOpen: true })
      context.after(() => socket.destroy())
      socket.on('error', () => {})
      let answer = ''
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
      socket.write(bytes as string)
      await eventually(() => (answer === '' ? undefined : true))
      assert.match(answer, /^HTTP\/1\.1 40[01] /)
    }),
  )
  await quiet()
})

const halves: Readonly<Record<string, string>> = {
  'without `Connection: Upgrade`': get('/talk', 'Upgrade: websocket', ...key),
  'without it, on a connection that closes': get('/talk', 'Connection: close', 'Upgrade: websocket', ...key),
  'by HTTP/1.0': asking('/talk').replace('HTTP/1.1', 'HTTP/1.0'),
  'to another protocol': get(
    '/talk',
    'Connection: Upgrade',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
  ),
  'to one of two': get('/talk', 'Connection: Upgrade', 'Upgrade: h2c', 'Upgrade: websocket', ...key),
  'with a body': `${asking('/talk').replace('GET', 'POST').trimEnd()}\r\nContent-Length: 5\r\n\r\nhello`,
  'with a chunked body': `${asking('/talk').replace('GET', 'POST').trimEnd()}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
}
for (const [name, message] of Object.entries(halves)) {
  test(`C: an upgrade ${name} is none: the upstream is not asked to switch, and keeps no socket for it`, async () => {
    const answer = await rawExchange(house.port, message)
    assert.deepEqual(statuses(answer), ['200'])
    assert.doesNotMatch(answer.toLowerCase(), /\["upgrade|"upgrade"/)
    if (message.startsWith('POST')) assert.match(answer, /"body":"hello"/)
    assert.equal(far.clients.size, 0)
    await quiet()
  })
}

test('C: nonsense behind several requests is not mistaken for the answer to one of them', async () => {
  const answer = await rawExchange(house.port, `${get('/slow')}${get('/soon')}`, 250)
  assert.equal(answer, '', 'the slow one comes first')
  const socket = connect(house.port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  socket.write(get('/slow') + get('/soon'))
  await new Promise((resolve) => setTimeout(resolve, 250)) // the second is answered, and waits for the first
  socket.write('nonsense\r\n\r\n')
  await closed
  assert.deepEqual(statuses(text), ['200', '200'])
  assert.ok(text.indexOf('"/slow"') < text.indexOf('"/soon"'))
  await quiet()
})

test('C: a body that turns out nonsense after its answer brings no second answer', async () => {
  const head = 'POST /known HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
  const socket = connect(house.port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  socket.write(head)
  await eventually(() => (text === '' ? undefined : true))
  socket.write('nonsense\r\n\r\n')
  await closed
  assert.deepEqual(statuses(text), ['401'])
  await quiet()
})

test('C: of requests that are pipelined a hundred are on their way at once; the last of them says so', async () => {
  atOnce = { now: 0, most: 0 }
  const answer = await rawExchange(house.port, get('/soon').repeat(300), 1_500)
  assert.equal(statuses(answer).length, 100)
  assert.equal(atOnce.most <= 100, true, String(atOnce.most))
  assert.equal(/^connection: close/im.exec(answer.slice(answer.lastIndexOf('HTTP/1.1 ')))?.length, 1)
  await quiet()
})

test('C: blank lines between requests keep no connection that brings none', async (context) => {
  const short = await startHouse(context, config({ keepAliveTimeout: '200ms', headersTimeout: '200ms' }))
  const socket = connect(short.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  const closed = once(socket, 'close')
  socket.write(get('/open'))
  const drip = setInterval(() => socket.writable && socket.write('\r\n'), 50)
  context.after(() => clearInterval(drip))
  await Promise.race([closed, eventually(() => (socket.destroyed ? true : undefined))])
  await eventually(() => (short.listener.counts.open === 0 ? true : undefined))
})

/** Sends a request and resets the connection, all of it while this thread looks elsewhere. */
function hitAndRun(context: TestContext, port: number): void {
  const done = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(
    `const { connect } = require('node:net')
     const { workerData: { done, port } } = require('node:worker_threads')
     const socket = connect(port, '127.0.0.1')
     socket.on('error', () => {})
     socket.on('connect', () => socket.write('POST /open HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 0\\r\\n\\r\\n', () => socket.resetAndDestroy()))
     socket.on('close', () => { Atomics.store(done, 0, 1); Atomics.notify(done, 0) })`,
    { eval: true, workerData: { done, port } },
  )
  context.after(() => worker.terminate())
  assert.notEqual(Atomics.wait(done, 0, 0, 10_000), 'timed-out')
}

test('A52: nobody passes under no address, by leaving before they could be asked for theirs', async (context) => {
  const seen: string[] = []
  const upstream = await startUpstream(context, (request, response) => {
    seen.push(String(request.headers['x-forwarded-for']))
    response.end()
  })
  const asked = await startHouse(context, { ...config(), upstreams: { api: upstream.url } })
  for (let at = 0; at < 3; at++) hitAndRun(context, asked.port)
  assert.deepEqual(statuses(await rawExchange(asked.port, get('/open'))), ['200'])
  await eventually(() => (asked.listener.counts.open === 0 ? true : undefined))
  assert.deepEqual(seen, ['127.0.0.1'], 'the one who stayed')
})
