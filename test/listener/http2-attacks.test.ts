// What no library would send: frames by hand, and floods of them. The house refuses, and serves on.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants } from 'node:http2'
import { after, before, test } from 'node:test'
import { type Authority, makeAuthority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, startUpstream } from '../support/house.ts'
import { startTlsHouse, type TlsHouse } from '../support/tls.ts'
import { ack, block, connectRaw, endHeaders, endStream, frame, types, usual } from './frames.ts'

const releases: (() => unknown)[] = []
/** What the houses of this file need of a test, for as long as all of it runs. */
const file = { after: (release: () => unknown) => void releases.push(release) } as Parameters<typeof startTlsHouse>[0]

let root: Authority
let house: TlsHouse
let reached = 0
/** How the last upload ended for the upstream. */
let upload: string | undefined

before(async () => {
  root = await makeAuthority('CN=Root')
  const upstream = await startUpstream(file, (request, response) => {
    reached++
    if (request.url === '/silent') return
    if (request.url !== '/upload') return mirror(request, response)
    upload = 'begun'
    request.on('data', () => {})
    request.on('end', () => (upload = 'whole'))
    request.on('error', () => (upload = 'broken off'))
  })
  house = await startTlsHouse(file, root, {
    config: {
      upstreams: { api: upstream.url },
      routes: [{ path: '/*', access: 'public', to: 'api' }],
      listen: {
        requestRatePerConnection: 100_000,
        requestsPerConnection: 1_000_000,
        http2: { resetBurst: 50, resetRate: 10 },
      },
    },
  })
})
after(async () => {
  for (const release of releases.toReversed()) await release()
})

const serves = async (): Promise<void> => assert.equal((await house.ask('/open')).status, 200)

type Fields = readonly (readonly [string, string])[]

const without = (name: string): Fields => usual.filter(([one]) => one !== name)

/** Heads that RFC 9113 §8.2 and §8.3 call malformed: their stream, or the whole connection, is refused. */
const malformed: Readonly<Record<string, Fields>> = {
  'a field of a connection': [...usual, ['connection', 'close']],
  'Keep-Alive': [...usual, ['keep-alive', '5']],
  'Proxy-Connection': [...usual, ['proxy-connection', 'close']],
  'Transfer-Encoding': [...usual, ['transfer-encoding', 'chunked']],
  Upgrade: [...usual, ['upgrade', 'websocket']],
  'TE with more than trailers': [...usual, ['te', 'gzip']],
  'upper case': [...usual, ['X-A', 'b']],
  'no method': without(':method'),
  'no path': without(':path'),
  'an empty path': [...without(':path'), [':path', '']],
  'no scheme': without(':scheme'),
  'no host': without(':authority'),
  'two methods': [...usual, [':method', 'POST']],
  'two paths': [...usual, [':path', '/other']],
  'two authorities': [...usual, [':authority', 'b']],
  'a pseudo-field behind the others': [['x-a', 'b'], ...usual],
  'a pseudo-field that nobody knows': [...usual, [':user', 'root']],
  'a status': [...usual, [':status', '200']],
  'an extended CONNECT': [[':method', 'CONNECT'], [':protocol', 'websocket'], ...usual.slice(1)],
  'a method that is none': [[':method', 'GE T'], ...usual.slice(1)],
  'somebody before the host': [...without(':authority'), [':authority', 'root@localhost']],
  'two lengths': [...usual, ['content-length', '0'], ['content-length', '1']],
  'a length that is none': [...usual, ['content-length', '+1']],
  'a length without a body': [...usual, ['content-length', '5']],
  'two hosts': [...without(':authority'), ['host', 'a'], ['host', 'b']],
}

/** Fields that nobody may send, and that the library leaves out before anybody has seen them: gate and upstream read the same. */
const leftOut: Fields = [
  ['x-broken', 'b\r\nx-gatehouse-user: root'],
  ['x-broken', 'b\0c'],
  ['x-broken:', 'b'],
  ['x-broken a', 'b'],
  ['', 'x-broken'],
  ['x-broken', ' b'],
  ['host', 'localhost, x-broken'],
  ['authorization', 'x-broken\0'],
]

test('C: what RFC 9113 calls malformed is refused over HTTP/2, and never reaches the upstream', async (context) => {
  reached = 0
  for (const [name, fields] of Object.entries(malformed)) {
    await context.test(name, async () => {
      const raw = await connectRaw(house)
      raw.send(frame(types.headers, endHeaders | endStream, 1, block(fields)))
      const refusal = await Promise.race([
        raw.refusalOf(1).then((code) => (code === undefined ? 'closed' : `reset ${code}`)),
        raw.bodyOf(1).then((body) => (body === '' ? new Promise<never>(() => {}) : JSON.parse(body).code)),
      ])
      assert.match(String(refusal), /^(?:reset 1|closed|bad-request)$/)
      raw.socket.destroy()
    })
  }
  assert.equal(reached, 0)
  await serves()
})

test('C: a field that nobody may send reaches neither the gate nor the upstream', async () => {
  for (const field of leftOut) {
    const raw = await connectRaw(house)
    raw.send(frame(types.headers, endHeaders | endStream, 1, block([...usual, ['x-kept', 'yes'], field])))
    const body = await raw.bodyOf(1)
    assert.match(body, /"x-kept":"yes"/, field[0])
    assert.doesNotMatch(body, /x-broken|"x-gatehouse-user"/, field[0])
    raw.socket.destroy()
  }
})

test('C: two of a field that decides is 400 over HTTP/2 as over HTTP/1.1', async () => {
  reached = 0
  for (const name of ['authorization', 'content-type', 'dpop', 'x-api-key', 'origin']) {
    const raw = await connectRaw(house)
    raw.send(frame(types.headers, endHeaders | endStream, 1, block([...usual, [name, 'a'], [name, 'b']])))
    assert.equal(JSON.parse(await raw.bodyOf(1)).code, 'bad-request', name)
  }
  assert.equal(reached, 0)
})

test('C: a body that is longer or shorter than it was said to be never looks whole to an upstream', async () => {
  const post = [[':method', 'POST'], ...usual.slice(1, 3), [':path', '/upload']] as const
  const cases: Readonly<Record<string, readonly Buffer[]>> = {
    longer: [
      frame(types.headers, endHeaders, 1, block([...post, ['content-length', '2']])),
      frame(types.data, endStream, 1, 'abc'),
    ],
    shorter: [
      frame(types.headers, endHeaders, 1, block([...post, ['content-length', '4']])),
      frame(types.data, endStream, 1, 'abc'),
    ],
  }
  for (const [name, frames] of Object.entries(cases)) {
    upload = undefined
    const raw = await connectRaw(house)
    raw.send(...frames)
    assert.ok(Number(await raw.refusalOf(1)) > 0, name)
    raw.socket.destroy()
    await eventually(() => (house.house.gate.inFlight === 0 ? true : undefined))
    assert.notEqual(upload, 'whole', name)
  }
})

test('C: a body that is called off in the middle never looks whole to an upstream', async () => {
  const post = [[':method', 'POST'], ...usual.slice(1, 3), [':path', '/upload']] as const
  const reset = (code: number): Buffer => frame(types.reset, 0, 1, Buffer.from([0, 0, 0, code]))
  for (const code of [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL, 'leaves'] as const) {
    upload = undefined
    const raw = await connectRaw(house)
    raw.send(frame(types.headers, endHeaders, 1, block(post)), frame(types.data, 0, 1, 'a part of it'))
    await eventually(() => upload)
    if (code === 'leaves') raw.socket.destroy()
    else raw.send(reset(code))
    await eventually(() => (upload === 'begun' ? undefined : upload))
    assert.equal(upload, 'broken off', String(code))
    raw.socket.destroy()
  }
  await eventually(() => (house.house.gate.inFlight === 0 ? true : undefined))
})

test('C: requests that are called off as soon as they are made cost a client its connection (CVE-2023-44487)', async () => {
  const raw = await connectRaw(house)
  reached = 0
  const head = block([...usual.slice(0, 3), [':path', '/silent']])
  for (let stream = 1; stream < 400 && !raw.socket.destroyed; stream += 2) {
    raw.send(
      frame(types.headers, endHeaders | endStream, stream, head),
      frame(types.reset, 0, stream, Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL])),
    )
    if (stream % 100 === 1) await new Promise((resolve) => setImmediate(resolve))
  }
  raw.send(frame(types.headers, endHeaders | endStream, 401, block(usual)))
  const next = await raw.receive(({ type, stream }) => type === types.goaway || stream === 401)
  assert.ok(next === undefined || next.type === types.goaway, 'it asks for nothing more')
  assert.equal(reached, 0, 'what was called off before anybody looked costs nothing')
  await eventually(() => (house.house.gate.inFlight === 0 ? true : undefined))
  await serves()
})

test('C: no more requests are on their way at once than one connection may have', async () => {
  const raw = await connectRaw(house)
  const settings = raw.frames.find(({ type, flags }) => type === types.settings && flags === 0)?.payload as Buffer
  const told = new Map<number, number>()
  for (let at = 0; at < settings.length; at += 6) told.set(settings.readUInt16BE(at), settings.readUInt32BE(at + 2))
  assert.equal(told.get(3), 100, 'SETTINGS_MAX_CONCURRENT_STREAMS')
  assert.notEqual(told.get(8), 1, 'SETTINGS_ENABLE_CONNECT_PROTOCOL')
  const head = block([...usual.slice(0, 3), [':path', '/silent']])
  const before = house.house.gate.inFlight
  raw.send(...Array.from({ length: 150 }, (_, at) => frame(types.headers, endHeaders | endStream, at * 2 + 1, head)))
  assert.ok(Number(await raw.refusalOf(201)) > 0)
  assert.ok(house.house.gate.inFlight - before <= 100)
  raw.socket.destroy()
  await eventually(() => (house.house.gate.inFlight === 0 ? true : undefined))
})

const floods: Readonly<Record<string, (stream: number) => Buffer>> = {
  'settings (CVE-2019-9515)': () => frame(types.settings, 0, 0),
  'pings (CVE-2019-9512)': () => frame(types.ping, 0, 0, Buffer.alloc(8)),
  'settings that were never sent, acknowledged': () => frame(types.settings, ack, 0),
  'empty frames (CVE-2019-9518)': (at) =>
    at === 0
      ? frame(types.headers, endHeaders, 1, block([[':method', 'POST'], ...usual.slice(1)]))
      : frame(types.data, 0, 1),
  'a head without an end (CVE-2024-27983)': (at) =>
    at === 0 ? frame(types.headers, 0, 1, block(usual)) : frame(types.continuation, 0, 1, block([[`x-${at}`, 'a']])),
  'windows that overflow': (at) =>
    at === 0
      ? frame(types.headers, endHeaders, 1, block([[':method', 'POST'], ...usual.slice(1)]))
      : frame(types.windowUpdate, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff])),
}

for (const [name, make] of Object.entries(floods)) {
  test(`C: a flood of ${name} costs a client its connection, and nobody else anything`, async (context) => {
    const strict = await startTlsHouse(context, root, { config: { listen: { requestRatePerConnection: 200 } } })
    const raw = await connectRaw(strict)
    const closed = once(raw.socket, 'close')
    for (let at = 0; at < 20_000 && !raw.socket.destroyed && raw.socket.writable; at++) {
      raw.send(make(at))
      if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await closed
    assert.equal((await strict.ask('/open')).status, 200)
    await eventually(() => (strict.listener.counts.open <= 1 ? true : undefined))
  })
}

test('C: a head far over the bound is reset, and one connection asks no oftener than it may', async (context) => {
  const raw = await connectRaw(house)
  const long = block([...usual, ['x-a', 'a'.repeat(15_000)], ['x-b', 'b'.repeat(15_000)], ['x-c', 'c'.repeat(10_000)]])
  raw.send(
    frame(types.headers, endStream, 1, long.subarray(0, 16_384)),
    frame(types.continuation, 0, 1, long.subarray(16_384, 32_768)),
    frame(types.continuation, endHeaders, 1, long.subarray(32_768)),
  )
  assert.equal(await raw.refusalOf(1), constants.NGHTTP2_ENHANCE_YOUR_CALM)

  const strict = await startTlsHouse(context, root, { config: { listen: { requestRatePerConnection: 5 } } })
  const many = await connectRaw(strict)
  many.send(
    ...Array.from({ length: 8 }, (_, at) => frame(types.headers, endHeaders | endStream, at * 2 + 1, block(usual))),
  )
  const refused = await many.receive(({ type, payload }) => type === types.data && payload.includes('rate-limited'))
  assert.match(String(refused?.payload), /"status":429/)
  assert.ok((await many.receive(({ type }) => type === types.goaway)) !== undefined)
})

test('C: HTTP/2 where HTTP/1.1 was agreed on is no HTTP, and the other way round', async () => {
  const socket = await house.connect({ ALPNProtocols: ['http/1.1'] })
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(answer.toString(), /^HTTP\/1\.1 400 /)
  const other = await house.connect({ ALPNProtocols: ['h2'] })
  other.on('data', () => {})
  other.write('GET /open HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(other, 'close')
  await serves()
})

const impatient = {
  readerTimeout: '300ms',
  keepAliveTimeout: '300ms',
  requestTimeout: '200ms',
  // A step of HTTP/2 takes 16 KiB: at this pace it shows within half a second.
  minBytesPerSecond: 40_000,
} as const
const noWindow = Buffer.from([0, constants.NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0, 0, 0, 0])
const post = (path: string, ...fields: readonly (readonly [string, string])[]): Buffer =>
  frame(types.headers, endHeaders, 1, block([[':method', 'POST'], ...usual.slice(1, 3), [':path', path], ...fields]))
const lingering: Readonly<Record<string, readonly Buffer[]>> = {
  'takes no answer, short as it is': [
    frame(types.settings, 0, 0, noWindow),
    frame(types.headers, endHeaders | endStream, 1, block([...usual.slice(0, 3), [':path', '/nowhere']])),
  ],
  'takes no answer of an upstream': [
    frame(types.settings, 0, 0, noWindow),
    frame(types.headers, endHeaders | endStream, 1, block(usual)),
  ],
  'neither sends its body nor takes the refusal of it': [frame(types.settings, 0, 0, noWindow), post('/open')],
  'never ends a request whose body is empty': [post('/open', ['content-length', '0'])],
}

test('C: a stream ends with its answer, whatever its client leaves undone, and so does a connection without streams', async (context) => {
  const strict = await startTlsHouse(context, root, { config: { listen: impatient } })
  await Promise.all(
    Object.entries(lingering).map(async ([name, frames]) => {
      const raw = await connectRaw(strict)
      raw.send(...frames)
      assert.ok((await raw.receive(({ type }) => type === types.headers)) !== undefined, name)
      await eventually(() => (raw.socket.destroyed ? true : undefined)).catch(() => assert.fail(name))
    }),
  )
  assert.equal(strict.house.gate.inFlight, 0)
  await eventually(() => (strict.listener.counts.open === 0 ? true : undefined))
})

test('C: an answer of many steps is not cut while its reader keeps the pace', async (context) => {
  const body = 'a'.repeat(60_000)
  const upstream = await startUpstream(context, (_request, response) => response.end(body))
  const strict = await startTlsHouse(context, root, {
    config: { upstreams: { api: upstream.url }, listen: impatient },
  })
  const raw = await connectRaw(strict)
  raw.send(frame(types.settings, 0, 0, noWindow), frame(types.headers, endHeaders | endStream, 1, block(usual)))
  await raw.receive(({ type }) => type === types.headers)
  const open = Buffer.from([0, 0, 32, 0])
  const reading = setInterval(() => raw.send(frame(types.windowUpdate, 0, 1, open)), 100) // twice the least pace
  context.after(() => clearInterval(reading))
  assert.equal(await raw.bodyOf(1), body)
})
