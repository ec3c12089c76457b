// Certificates, authorities and revocation lists that change while the house serves.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { connect as connectPlain, type Socket } from 'node:net'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { before, type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { systemClock } from '../../src/kernel/clock.ts'
import { Fault } from '../../src/kernel/error.ts'
import { type Authority, type Identity, makeAuthority } from '../support/certificates.ts'
import { startUpstream } from '../support/house.ts'
import { serviceIn, startTlsHouse, type TlsHouse } from '../support/tls.ts'

let root: Authority
let first: Identity
let second: Identity

before(async () => {
  root = await makeAuthority('CN=Root')
  first = await root.issue({ dns: ['localhost'] })
  second = await root.issue({ dns: ['localhost'] })
})

/** What a new connection is shown. */
async function shown(house: TlsHouse): Promise<string> {
  const socket = await house.connect()
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? ''
  socket.destroy()
  return fingerprint
}

function fingerprint({ cert }: Identity): string {
  return new X509Certificate(cert).fingerprint256
}

function place(house: TlsHouse, { cert, key }: Identity): void {
  house.write('server.key', key)
  house.write('server.pem', cert)
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  assert.fail('it did not come to hold within 5 s')
}

/** Requests of one client on one connection. */
function onOneConnection(
  context: TestContext,
  house: TlsHouse,
  client: Identity,
): (path: string) => ReturnType<TlsHouse['ask']> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  context.after(() => agent.destroy())
  return (path) => house.ask(path, { ...client, agent })
}

test('AK5: a new certificate is shown to new connections, and an answer that is on its way is not cut', async (context) => {
  let proceed = (): void => {}
  const upstream = await startUpstream(context, (_request, response) => {
    response.write('begun, ')
    proceed = () => void response.end('ended')
  })
  const house = await startTlsHouse(context, root, {
    server: first,
    config: { upstreams: { slow: upstream.url }, routes: [{ path: '/slow', access: 'public', to: 'slow' }] },
  })
  const standing = await house.connect()
  standing.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n')
  let received = ''
  standing.on('data', (chunk: Buffer) => (received += chunk.toString()))
  await until(() => received.includes('begun'))
  place(house, second)
  await house.listener.reloadTls()
  assert.equal(await shown(house), fingerprint(second))
  proceed()
  await until(() => received.includes('ended'))
  standing.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await until(() => received.split('HTTP/1.1 200').length === 3)
})

test('AK5: a change of the files is noticed; half of one waits, and one that stays wrong is told loudly, once', async (context) => {
  const house = await startTlsHouse(context, root, { server: first, tls: { watch: '40ms' } })
  const errors = (): string[] => house.logged.filter(({ level }) => level === 'error').map(({ message }) => message)
  const rename = (name: string, text: string): void => {
    writeFileSync(join(house.folder, 'next'), text, { mode: 0o600 })
    renameSync(join(house.folder, 'next'), join(house.folder, name))
  }
  rename('server.pem', second.cert)
  await until(() => errors().length > 0)
  assert.match(errors()[0] as string, /old ones stay: listen\.tls\.key: `.*server\.key` does not fit the certificate/)
  assert.equal(await shown(house), fingerprint(first))
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal(errors().length, 1)
  rename('server.key', second.key)
  await until(async () => (await shown(house)) === fingerprint(second))
  assert.equal(errors().length, 1)
  assert.equal(JSON.stringify(house.logged).includes('PRIVATE KEY'), false)
})

test('a reload that is asked for says what is wrong, by its place, and changes nothing', async (context) => {
  const house = await startTlsHouse(context, root, { server: first, tls: { clientCa: root.cert } })
  const wrongs: readonly (readonly [name: string, text: string, RegExp])[] = [
    ['server.pem', 'hello', /listen\.tls\.cert: `.*server\.pem` is no PEM file of certificates/],
    ['server.pem', first.cert.slice(0, 300), /listen\.tls\.cert: .*has no end/],
    ['server.key', 'hello', /listen\.tls\.key: `.*server\.key` is no PEM file of a private key/],
    ['server.key', second.key, /listen\.tls\.key: .*does not fit/],
    ['ca.pem', '', /listen\.tls\.clientCa: .*holds no `BEGIN CERTIFICATE`/],
    ['ca.pem', first.cert, /listen\.tls\.clientCa: `CN=.*` in `.*ca\.pem` may not issue certificates/],
  ]
  const right: Readonly<Record<string, string>> = {
    'server.pem': first.cert,
    'server.key': first.key,
    'ca.pem': root.cert,
  }
  for (const [name, text, message] of wrongs) {
    house.write(name, text)
    await assert.rejects(
      house.listener.reloadTls(),
      (error: unknown) => error instanceof Fault && message.test(error.message),
    )
    assert.equal(await shown(house), fingerprint(first))
    house.write(name, right[name] as string)
  }
  await house.listener.reloadTls()
})

test('no request fails while certificates change under load', async (context) => {
  const house = await startTlsHouse(context, root, { server: first })
  let going = true
  let served = 0
  const clients = Array.from({ length: 8 }, async (_, index) => {
    const agent = index % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined
    while (going) {
      const { status } = await house.ask('/open', agent === undefined ? {} : { agent })
      assert.equal(status, 200)
      served++
    }
    agent?.destroy()
  })
  for (let round = 0; round < 10 || served < 60; round++) {
    assert.ok(round < 300, `${served} were served`)
    place(house, round % 2 === 0 ? second : first)
    await house.listener.reloadTls()
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  going = false
  await Promise.all(clients)
})

test('AK5: what an authority takes back is not trusted on the next request, and others go on as they were', async (context) => {
  const [gone, stays] = await Promise.all([
    root.issue({ dns: ['billing.internal'] }),
    root.issue({ dns: ['billing.internal'] }),
  ])
  const house = await startTlsHouse(context, root, { tls: { clientCa: root.cert, crl: await root.revoke() } })
  const [asGone, asStays] = [onOneConnection(context, house, gone), onOneConnection(context, house, stays)]
  assert.deepEqual([serviceIn(await asGone('/known')), serviceIn(await asStays('/known'))], ['billing', 'billing'])
  const idle = await house.connect(gone)
  const kept = await house.connect(stays)
  const half = await house.connect(gone)
  half.write('GET /known HTTP/1.1\r\n')
  await new Promise((resolve) => setTimeout(resolve, 50))
  const ended = Promise.all([once(idle.resume(), 'close'), once(half.resume(), 'close')])
  house.write('crl.pem', await root.revoke([gone]))
  await house.listener.reloadTls()
  await ended
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal((await asGone('/known')).status, 401)
  assert.equal((await asStays('/known')).status, 200)
  assert.equal((await house.ask('/known', gone)).status, 401)
  assert.equal(kept.destroyed, false)
  assert.ok(house.logged.some(({ message }) => message === 'clients that were connected are trusted no more'))
})

test('AK5: a request on its way ends, and its connection with it, when its certificate is taken back', async (context) => {
  const client = await root.issue({ dns: ['billing.internal'] })
  let proceed = (): void => {}
  const upstream = await startUpstream(context, (_request, response) => {
    proceed = () => void response.end('whole')
  })
  const house = await startTlsHouse(context, root, {
    tls: { clientCa: root.cert, crl: await root.revoke() },
    config: { upstreams: { slow: upstream.url }, routes: [{ path: '/slow', access: 'authenticated', to: 'slow' }] },
  })
  const socket = await house.connect(client)
  let received = ''
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
  socket.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await new Promise((resolve) => setTimeout(resolve, 150))
  house.write('crl.pem', await root.revoke([client]))
  await house.listener.reloadTls()
  const closed = once(socket, 'close')
  proceed()
  await closed
  assert.match(received, /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*whole/i)
})

test('AK5: a handshake that began under an older list is judged by the newer one', async (context) => {
  const client = await root.issue({ dns: ['billing.internal'] })
  const house = await startTlsHouse(context, root, { tls: { clientCa: root.cert, crl: await root.revoke() } })
  const wire = connectPlain(house.port, '127.0.0.1')
  await once(wire, 'connect')
  const slow = new SlowWire(wire)
  const connecting = house.connect({ ...client, socket: slow })
  await until(() => slow.held > 0)
  house.write('crl.pem', await root.revoke([client]))
  await house.listener.reloadTls()
  slow.release()
  const socket: TLSSocket = await connecting
  socket.write('GET /known HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(answer.toString(), /^HTTP\/1\.1 401 /)
})

/** Lets the first message of a client through, and holds what follows until it is released. */
class SlowWire extends Duplex {
  held = 0
  readonly #wire: Socket
  readonly #queue: (() => void)[] = []
  #sent = 0
  #open = false

  constructor(wire: Socket) {
    super()
    this.#wire = wire
    wire.on('data', (chunk) => this.push(chunk))
    wire.on('end', () => this.push(null))
    wire.on('error', (error) => this.destroy(error))
  }

  release(): void {
    this.#open = true
    for (const send of this.#queue) send()
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const send = (): void => void this.#wire.write(chunk, () => done())
    if (this.#open || this.#sent++ === 0) return send()
    this.held++
    this.#queue.push(send)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wire.destroy()
    done(error)
  }
}

test('AK5: trust ends with the dates of the certificate, on a connection that stands', async (context) => {
  let aheadMs = 0
  const clock = { now: () => systemClock.now() + aheadMs, monotonic: () => systemClock.monotonic() }
  const client = await root.issue({ dns: ['billing.internal'], untilMs: 3_600_000 })
  const house = await startTlsHouse(context, root, { tls: { clientCa: root.cert }, clock })
  const ask = onOneConnection(context, house, client)
  assert.equal((await ask('/known')).status, 200)
  aheadMs = 3_700_000
  const late = await ask('/known')
  assert.deepEqual([late.status, late.headers['connection']], [401, 'close'])
})

test('an authority that is taken out of the bundle vouches for nobody any more', async (context) => {
  const other = await makeAuthority('CN=Other')
  const client = await other.issue({ dns: ['billing.internal'] })
  const house = await startTlsHouse(context, root, { tls: { clientCa: root.cert + other.cert } })
  const ask = onOneConnection(context, house, client)
  assert.equal((await ask('/known')).status, 200)
  house.write('ca.pem', root.cert)
  await house.listener.reloadTls()
  await new Promise((resolve) => setTimeout(resolve, 50)) // the connection ends: a request into it would be lost
  assert.equal((await ask('/known')).status, 401)
})

test('a session from before a reload is not resumed after it', async (context) => {
  const house = await startTlsHouse(context, root, { server: first })
  const visit = async (
    session?: Buffer,
  ): Promise<{ readonly reused: boolean; readonly session: Buffer | undefined }> => {
    const socket = await house.connect(session === undefined ? {} : { session })
    const reused = socket.isSessionReused()
    let ticket: Buffer | undefined
    socket.on('session', (next: Buffer) => (ticket = next))
    socket.write('GET /open HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    await once(socket.resume(), 'close')
    return { reused, session: ticket }
  }
  const { session } = await visit()
  const before = await visit(session)
  assert.equal(before.reused, true)
  place(house, second)
  await house.listener.reloadTls()
  assert.equal((await visit(before.session)).reused, false)
})
