// How many connections an address may hold, and how much one connection may ask.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { openCrowd } from '../../src/endpoints/crowd.ts'
import { makeAuthority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, rawExchange, startHouse, startUpstream, type TestHouse } from '../support/house.ts'
import { startTlsHouse } from '../support/tls.ts'

async function start(context: TestContext, listen: Config['listen']): Promise<TestHouse & { reached(): number }> {
  let reached = 0
  const upstream = await startUpstream(context, (request, response) => {
    reached++
    mirror(request, response)
  })
  const house = await startHouse(context, {
    upstreams: { api: upstream.url },
    limits: false,
    routes: [{ path: '/*', access: 'public', to: 'api' }],
    ...(listen === undefined ? {} : { listen }),
  })
  return { ...house, reached: () => reached }
}

async function dial(context: TestContext, port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, host)
  socket.on('error', () => {})
  context.after(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Whether the house keeps a connection: it answers on it. */
async function isKept(socket: Socket): Promise<boolean> {
  const closed = once(socket, 'close').then(() => false)
  socket.write('GET /open HTTP/1.1\r\nHost: a\r\n\r\n')
  return Promise.race([once(socket, 'data').then(() => true), closed])
}

test('C: an address holds so many connections, and the next one comes in when one of them has ended', async (context) => {
  const { port, listener } = await start(context, { connectionsPerAddress: 3 })
  const held = await Promise.all([1, 2, 3].map(() => dial(context, port)))
  for (const socket of held) assert.equal(await isKept(socket), true)
  assert.equal(await isKept(await dial(context, port)), false)
  assert.equal(await isKept(await dial(context, port)), false)
  assert.deepEqual([listener.counts.open, listener.counts.turnedAway], [3, 2])
  held[0]?.destroy()
  await eventually(() => (listener.counts.open === 2 ? true : undefined))
  assert.equal(await isKept(await dial(context, port)), true)
})

test('C: connections of one address are counted whether the socket speaks IPv6 or not, and those of a proxy are not', async (context) => {
  const dual = await start(context, { connectionsPerAddress: 1, host: '::' })
  assert.equal(await isKept(await dial(context, dual.port)), true)
  assert.equal(await isKept(await dial(context, dual.port)), false)
  assert.equal(await isKept(await dial(context, dual.port, '::1')), true, 'another address')
  assert.equal(await isKept(await dial(context, dual.port, '::1')), false)
  const behind = await start(context, { connectionsPerAddress: 1, trustedProxies: ['127.0.0.1'] })
  for (let at = 0; at < 3; at++) assert.equal(await isKept(await dial(context, behind.port)), true)
})

test('C: under TLS an address that holds too many connections comes to no handshake', async (context) => {
  const root = await makeAuthority('CN=Root')
  const house = await startTlsHouse(context, root, { config: { listen: { connectionsPerAddress: 2 } } })
  const first = await house.connect()
  await house.connect({ ALPNProtocols: ['h2'] })
  await assert.rejects(house.connect(), /ECONNRESET|disconnected/)
  first.destroy()
  await eventually(() => (house.listener.counts.open < 2 ? true : undefined))
  assert.equal((await house.ask('/open')).status, 200)
  const told = house.logged.filter(({ message }) => /its address holds as many as it may/.test(message))
  assert.equal(told.length, 1)
  assert.equal(house.logged.filter(({ message }) => /handshake failed/.test(message)).length, 0)
})

test('C: who counts connections can be another than the listener', () => {
  const crowd = openCrowd(2)
  const release = crowd.hold('a')
  assert.ok(release !== undefined && crowd.hold('a') !== undefined)
  assert.equal(crowd.hold('a'), undefined)
  assert.ok(crowd.hold('b') !== undefined)
  release()
  release()
  assert.ok(crowd.hold('a') !== undefined)
  assert.equal(crowd.hold('a'), undefined, 'given back once, however often it is said')
})

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`

test('C: a connection carries so many requests, says so with the last, and does nothing behind it', async (context) => {
  const house = await start(context, { requestsPerConnection: 3 })
  const answer = await rawExchange(house.port, [1, 2, 3, 4, 5].map((at) => get(`/${at}`)).join(''))
  const heads = answer.split('HTTP/1.1 200 ').slice(1)
  assert.deepEqual(
    heads.map((head) => /connection: close/i.test(head)),
    [false, false, true],
  )
  assert.equal(house.reached(), 3, 'what comes behind the last is not even passed on')
})

test('C: a connection that asks too often is told so and ends, unless it is a proxy’s', async (context) => {
  const house = await start(context, { requestRatePerConnection: 5 })
  const answer = await rawExchange(house.port, Array.from({ length: 8 }, () => get('/open')).join(''))
  assert.equal(answer.split('HTTP/1.1 200 ').length - 1, 5)
  assert.match(answer, /HTTP\/1\.1 429 [\s\S]*Retry-After: 1[\s\S]*"code":"rate-limited"/)
  assert.match(answer.slice(answer.indexOf('HTTP/1.1 429')), /connection: close/i)
  assert.equal(house.reached(), 5)
  const behind = await start(context, { requestRatePerConnection: 5, trustedProxies: ['127.0.0.1'] })
  const all = await rawExchange(behind.port, Array.from({ length: 8 }, () => get('/open')).join(''))
  assert.equal(all.split('HTTP/1.1 200 ').length - 1, 8)
})

test('C: nothing behind a message that could be read in two ways is looked at', async (context) => {
  const house = await start(context, {})
  const smuggled = get('/smuggled')
  for (const first of [
    'GET /open HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'GET /open%2f HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n',
    'GET /open HTTP/1.1\r\nHost: a\r\nConnection: content-length\r\n\r\n',
  ]) {
    const answer = await rawExchange(house.port, first + smuggled)
    assert.match(answer, /^HTTP\/1\.1 400 /, first)
    assert.equal(answer.split('HTTP/1.1 ').length - 1, 1, first)
  }
  assert.equal(house.reached(), 0)
})
