// Clients that take their time, on purpose or not: over HTTP/1.1, over TLS and over HTTP/2.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { BodyPace, ReaderPace } from '../../src/endpoints/pace.ts'
import { type Authority, makeAuthority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, startHouse, startUpstream, type TestHouse } from '../support/house.ts'
import { startTlsHouse, type TlsHouse } from '../support/tls.ts'
import { ask, connectHttp2 } from './http2-client.ts'

const releases: (() => unknown)[] = []
/** What the houses of this file need of a test, for as long as all of it runs. */
const file = { after: (release: () => unknown) => void releases.push(release) } as Parameters<typeof startTlsHouse>[0]

const acts = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>()
const impatient = {
  minBytesPerSecond: 2_000,
  bodyGrace: '100ms',
  bodyWindow: '200ms',
  readerTimeout: '300ms',
} as const

let root: Authority
let plain: TestHouse
let tls: TlsHouse

before(async () => {
  root = await makeAuthority('CN=Root')
  const upstream = await startUpstream(file, (request, response) =>
    (acts.get(request.url ?? '') ?? mirror)(request, response),
  )
  const config: Config = {
    upstreams: { api: upstream.url },
    limits: false,
    bodyMax: '50mb',
    routes: [{ path: '/*', access: 'public', to: 'api' }],
    listen: impatient,
  }
  plain = await startHouse(file, config)
  // A step of HTTP/2 takes 16 KiB: at this pace it shows within half a second.
  tls = await startTlsHouse(file, root, { config: { ...config, listen: { ...impatient, minBytesPerSecond: 40_000 } } })
})
after(async () => {
  for (const release of releases.toReversed()) await release()
})

const post = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`

async function allOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

const idle = async (house: TestHouse): Promise<void> => {
  await eventually(() => (house.house.gate.inFlight === 0 ? true : undefined))
}

for (const [over, dial, houseOf] of [
  ['HTTP/1.1', async () => connect(plain.port, '127.0.0.1'), () => plain],
  ['TLS', async () => tls.connect(), () => tls],
] as const) {
  test(`C: over ${over}, a body that only trickles is refused, and the upstream is let go`, async () => {
    let ended: string | undefined
    acts.set('/upload', (request) => {
      request.on('data', () => {})
      request.on('end', () => (ended = 'whole'))
      request.on('error', () => (ended = 'broken off'))
    })
    const socket = await dial()
    const answer = allOf(socket)
    socket.write(post('/upload', 100_000))
    const trickle = setInterval(() => socket.writable && socket.write('a'), 20)
    assert.match(await answer, /^HTTP\/1\.1 408 [\s\S]*Connection: close[\s\S]*"code":"request-timeout"/)
    clearInterval(trickle)
    assert.equal(await eventually(() => ended), 'broken off')
    await idle(houseOf())
  })

  test(`C: over ${over}, a reader who reads nothing is cut off, and the upstream with it`, async () => {
    let open = false
    const block = randomBytes(65_536)
    acts.set('/endless', (_request, response) => {
      open = true
      response.on('close', () => (open = false))
      const push = (): void => {
        while (!response.destroyed) if (!response.write(block)) return void response.once('drain', push)
      }
      push()
    })
    const before = houseOf().listener.counts.slowReaders
    const socket = await dial()
    socket.on('error', () => {})
    socket.pause()
    socket.write('GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await eventually(() => (open ? true : undefined))
    await eventually(() => (open ? undefined : true))
    await idle(houseOf())
    assert.equal(houseOf().listener.counts.slowReaders, before + 1)
    socket.destroy()
  })
}

test('C: a body that keeps its pace may take as long as it takes', async () => {
  const socket = connect(plain.port, '127.0.0.1')
  const answer = allOf(socket)
  const pieces = 30
  socket.write(`${post('/slow', pieces * 500)}`.replace('Host', 'Connection: close\r\nHost'))
  for (let at = 0; at < pieces; at++) {
    await new Promise((resolve) => setTimeout(resolve, 40))
    socket.write('a'.repeat(500))
  }
  assert.match(await answer, /^HTTP\/1\.1 200 /)
})

test('C: a client is not blamed for an upstream that takes its time', async () => {
  acts.set('/busy', (request, response) => {
    setTimeout(() => {
      let bytes = 0
      request.on('data', (chunk: Buffer) => (bytes += chunk.length))
      request.on('end', () => response.end(String(bytes)))
    }, 1_000)
  })
  const body = randomBytes(8_000_000)
  const { status } = await fetch(`${plain.url}/busy`, { method: 'POST', body })
  assert.equal(status, 200)
  const session = await connectHttp2(file, tls, root.cert)
  assert.equal((await ask(session, { ':path': '/busy', ':method': 'POST' }, body)).body, '8000000')
})

test('C: a body that falls silent is refused, also where any pace will do', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const house = await startHouse(context, {
    upstreams: { api: upstream.url },
    routes: [{ path: '/*', access: 'public', to: 'api' }],
    listen: { minBytesPerSecond: 0, requestTimeout: '200ms' },
  })
  const socket = connect(house.port, '127.0.0.1')
  socket.write(`${post('/open', 100)}a`)
  assert.match(await allOf(socket), /^HTTP\/1\.1 408 /)
})

test('C: whoever waits for 100-continue owes nothing until it is said', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const house = await startHouse(context, {
    upstreams: { api: upstream.url, slow: upstream.url },
    routes: [{ path: '/*', access: 'public', to: 'api' }],
    listen: impatient,
  })
  const socket = connect(house.port, '127.0.0.1')
  const answer = allOf(socket)
  socket.write(post('/open', 10).replace('Host', 'Expect: 100-continue\r\nHost'))
  assert.match(await answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 408 /, 'it was said, and nothing came')
})

test('C: an event stream that is silent has no slow reader, and a reader who reads is none', async () => {
  acts.set('/events', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let sent = 0
    const next = setInterval(() => {
      response.write(`data: ${sent}\n\n`)
      if (++sent < 3) return
      clearInterval(next)
      response.end()
    }, 500)
  })
  const session = await connectHttp2(file, tls, root.cert)
  const texts = await Promise.all([
    fetch(`${plain.url}/events`).then((response) => response.text()),
    ask(session, { ':path': '/events' }).then(({ body }) => body),
  ])
  assert.deepEqual(texts, Array(2).fill('data: 0\n\ndata: 1\n\ndata: 2\n\n'))
})

test('C: over HTTP/2 a body that only trickles is refused, and its neighbours are not', async () => {
  let ended: string | undefined
  acts.set('/upload', (request) => {
    request.on('data', () => {})
    request.on('end', () => (ended = 'whole'))
    request.on('error', () => (ended = 'broken off'))
  })
  const session = await connectHttp2(file, tls, root.cert)
  const stream = session.request({ ':path': '/upload', ':method': 'POST' })
  stream.on('error', () => {})
  let status = 0
  let body = ''
  stream.on('response', (fields) => (status = Number(fields[':status'])))
  stream.on('data', (text: Buffer) => (body += text.toString()))
  const trickle = setInterval(() => stream.writable && stream.write('a'), 20)
  await once(stream, 'close')
  clearInterval(trickle)
  assert.deepEqual([status, JSON.parse(body).code], [408, 'request-timeout'])
  assert.equal(await eventually(() => ended), 'broken off')
  assert.equal((await ask(session, { ':path': '/open' })).status, 200)
  await idle(tls)
})

test('C: over HTTP/2 a reader who opens no window is cut off, and its neighbours are not', async () => {
  let open = false
  const block = randomBytes(65_536)
  acts.set('/endless', (_request, response) => {
    open = true
    response.on('close', () => (open = false))
    const push = (): void => {
      while (!response.destroyed) if (!response.write(block)) return void response.once('drain', push)
    }
    push()
  })
  const session = await connectHttp2(file, tls, root.cert)
  const stream = session.request({ ':path': '/endless' })
  stream.on('error', () => {})
  await once(stream, 'response')
  const closed = new Promise((resolve) => stream.once('close', resolve))
  stream.pause()
  await eventually(() => (open ? undefined : true))
  stream.resume()
  await closed
  assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL)
  assert.equal((await ask(session, { ':path': '/open' })).status, 200)
  await idle(tls)
})

test('C: whoever has had their last answer, and stays, is left', async () => {
  const socket = connect({ port: plain.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  socket.write('nonsense\r\n\r\n')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  const before = plain.listener.counts.open
  assert.match(answer.toString(), /^HTTP\/1\.1 400 /)
  await eventually(() => (plain.listener.counts.open < before ? true : undefined))
  socket.destroy()
})

const bodyTerms = { minBytesPerSecond: 500, bodyGrace: 5_000, bodyWindow: 10_000, requestTimeout: 30_000 }

/** When a body is found too slow that is looked at every two seconds; undefined: never within five minutes. */
function foundAt(pace: BodyPace, bytesAt: (ms: number) => number, isDue = (_ms: number) => true): number | undefined {
  for (let ms = 0; ms <= 300_000; ms += 2_000) if (pace.isTooSlow(ms, bytesAt(ms), isDue(ms))) return ms
  return undefined
}

test('C: the pace of a body is measured over its window, after its grace, while somebody takes it', () => {
  assert.equal(
    foundAt(new BodyPace(bodyTerms), () => 0),
    16_000,
  )
  assert.equal(
    foundAt(new BodyPace(bodyTerms), (ms) => (ms * 499) / 1000),
    26_000,
  )
  assert.equal(
    foundAt(new BodyPace(bodyTerms), (ms) => (ms * 501) / 1000),
    undefined,
  )
  assert.equal(
    foundAt(new BodyPace(bodyTerms), (ms) => Math.max(0, ms - 8_000)),
    undefined,
    'it got going late',
  )
  const stalls = foundAt(new BodyPace(bodyTerms), (ms) => Math.min(ms, 60_000))
  assert.ok(stalls !== undefined && stalls > 60_000 && stalls <= 60_000 + 22_000, String(stalls))
  assert.equal(
    foundAt(
      new BodyPace(bodyTerms),
      () => 0,
      () => false,
    ),
    undefined,
    'nobody takes it',
  )
  const burst = foundAt(new BodyPace(bodyTerms), (ms) => (ms < 4_000 ? 0 : 1_000_000))
  assert.equal(burst, 16_000, 'what came at first does not pay for what never comes')
})

test('C: the pace of a reader is that of what waited for it', () => {
  const terms = { minBytesPerSecond: 500, readerTimeout: 30_000 }
  const cutAt = (takenAt: (ms: number) => number, waitingAt: (ms: number) => number, step = 0): number | undefined => {
    const pace = new ReaderPace(terms)
    for (let ms = 0; ms <= 600_000; ms += 2_000) if (pace.isTooSlow(ms, takenAt(ms), waitingAt(ms), step)) return ms
    return undefined
  }
  assert.equal(
    cutAt(
      () => 0,
      () => 100_000,
    ),
    30_000,
  )
  assert.equal(
    cutAt(
      () => 0,
      () => 100_000,
      16_384,
    ),
    34_000,
  )
  assert.equal(
    cutAt(
      (ms) => (ms * 600) / 1000,
      () => 100_000,
    ),
    undefined,
  )
  assert.equal(
    cutAt(
      (ms) => (ms * 400) / 1000,
      () => 100_000,
    ),
    30_000,
  )
  assert.equal(
    cutAt(
      (ms) => Math.floor((ms * 600) / 1000 / 16_384) * 16_384,
      () => 100_000,
      16_384,
    ),
    undefined,
  )
  assert.equal(
    cutAt(
      () => 0,
      () => 0,
    ),
    undefined,
    'nothing waits',
  )
  assert.equal(
    cutAt(
      (ms) => ms / 100,
      () => 10,
    ),
    undefined,
    'a small event in flight whenever somebody looks',
  )
  const burst = cutAt(
    (ms) => Math.min(ms * 10, 100_000),
    () => 100_000,
  )
  assert.ok(burst !== undefined && burst <= 72_000, 'what was taken at first does not pay for long')
})
