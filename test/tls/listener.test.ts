// TLS of our own, through real sockets: who gets in, by which versions and suites, and with which certificate.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { Agent, createServer } from 'node:https'
import { type AddressInfo, connect as connectPlain } from 'node:net'
import { after, before, test } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { WebSocket, WebSocketServer } from 'ws'
import { defaultCiphers } from '../../src/endpoints/options.ts'
import { type Authority, derOf, type Identity, makeAuthority, makeSelfSigned } from '../support/certificates.ts'
import { mirror, startHouse, startUpstream } from '../support/house.ts'
import { serviceIn, startTlsHouse, type TlsHouse } from '../support/tls.ts'

const releases: (() => unknown)[] = []
/** What the houses of this file need of a test, for as long as all of it runs. */
const file = { after: (release: () => unknown) => void releases.push(release) } as Parameters<typeof startTlsHouse>[0]

let root: Authority
let other: Authority
/** Asks for certificates, and takes connections without one. Its key is on a curve. */
let house: TlsHouse
/** Takes no connection without a certificate. Its key is RSA. */
let strict: TlsHouse
const clients: Record<string, Identity> = {}

before(async () => {
  root = await makeAuthority('CN=Root')
  other = await makeAuthority('CN=Other')
  const names = { subject: 'CN=billing', dns: ['billing.internal'] }
  clients['right'] = await root.issue(names)
  clients['unknown'] = await root.issue({ subject: 'CN=stranger', dns: ['stranger.internal'] })
  clients['of another authority'] = await other.issue(names)
  clients['run out'] = await root.issue({ ...names, untilMs: -60_000 })
  clients['not yet valid'] = await root.issue({ ...names, fromMs: 3_600_000 })
  clients['for servers'] = await root.issue({ ...names, usage: ['server'] })
  clients['its own authority'] = await makeSelfSigned(names)
  clients['taken back'] = await root.issue(names)
  const crl = await root.revoke([clients['taken back']])
  house = await startTlsHouse(file, root, { tls: { clientCa: root.cert, crl } })
  strict = await startTlsHouse(file, root, {
    tls: { clientCa: root.cert, crl, clientCertificates: 'required' },
    server: await root.issue({ dns: ['localhost'], rsa: true }),
  })
})
after(async () => {
  for (const release of releases.toReversed()) await release()
})

function as(name: string): Identity {
  const { cert, key } = clients[name] as Identity
  return { cert, key }
}

test('AK5: TLS 1.3 is spoken where both can, 1.2 where one cannot, and nothing older', async () => {
  assert.equal((await house.connect()).getProtocol(), 'TLSv1.3')
  assert.equal((await house.connect({ maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2')
  for (const version of ['TLSv1.1', 'TLSv1'] as const)
    await assert.rejects(
      house.connect({ minVersion: version, maxVersion: version, ciphers: 'ALL@SECLEVEL=0' }),
      /alert protocol version|unsupported protocol/,
    )
})

test('AK5: every suite of the list works, and none beside it', async () => {
  for (const suite of defaultCiphers.split(':')) {
    const version = suite.startsWith('TLS_') ? 'TLSv1.3' : 'TLSv1.2'
    const [to, client] = suite.includes('RSA') ? [strict, as('right')] : [house, {}]
    const { status } = await to.ask('/open', { ...client, ciphers: suite, minVersion: version, maxVersion: version })
    assert.equal(status, 200, suite)
  }
  const others = [
    'ECDHE-ECDSA-AES128-SHA256',
    'ECDHE-ECDSA-AES256-SHA',
    'ECDHE-ECDSA-AES128-CCM',
    'ECDHE-RSA-AES256-SHA384',
    'AES128-GCM-SHA256',
    'AES256-SHA',
    'DHE-RSA-AES128-GCM-SHA256',
  ]
  for (const suite of others)
    for (const to of [house, strict])
      await assert.rejects(
        to.connect({ ...as('right'), ciphers: `${suite}:@SECLEVEL=0`, maxVersion: 'TLSv1.2' }),
        /handshake failure|no cipher/i,
        suite,
      )
})

test('AK5: nobody renegotiates, and nothing but HTTP is agreed on', async () => {
  const socket = await house.connect({ maxVersion: 'TLSv1.2', ALPNProtocols: ['smtp', 'http/1.1'] })
  assert.equal(socket.alpnProtocol, 'http/1.1')
  const outcome = await new Promise((resolve) => {
    socket.once('error', resolve)
    socket.renegotiate({}, (error) => resolve(error ?? 'it was renegotiated'))
  })
  assert.match(String(outcome), /no renegotiation/)
  await assert.rejects(house.connect({ ALPNProtocols: ['http/1.0', 'h3'] }), /no application protocol/)
})

test('AK5: a client certificate names a service, where an authority of ours vouches for it', async () => {
  const known = await house.ask('/known', as('right'))
  assert.deepEqual([known.status, serviceIn(known)], [200, 'billing'])
  for (const [name, code] of [
    ['unknown', 'certificate-unknown'],
    ['of another authority', 'certificate-required'],
    ['run out', 'certificate-required'],
    ['not yet valid', 'certificate-required'],
    ['for servers', 'certificate-required'],
    ['its own authority', 'certificate-required'],
    ['taken back', 'certificate-required'],
  ] as const) {
    const { status, body } = await house.ask('/known', as(name))
    assert.deepEqual([status, JSON.parse(body).code], [401, code], name)
    const open = await house.ask('/open', as(name))
    assert.deepEqual([open.status, serviceIn(open)], [200, undefined], name)
  }
  const { status, body } = await house.ask('/known')
  assert.deepEqual([status, JSON.parse(body).code], [401, 'certificate-required'])
})

test('AK5: where certificates are required, a stranger comes to no request', async () => {
  const known = await strict.ask('/known', as('right'))
  assert.deepEqual([known.status, serviceIn(known)], [200, 'billing'])
  for (const name of Object.keys(clients).filter((name) => name !== 'right' && name !== 'unknown'))
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      await assert.rejects(strict.ask('/open', { ...as(name), minVersion: version, maxVersion: version }), name)
  await assert.rejects(strict.ask('/open'))
  assert.ok(
    strict.logged.some(({ message }) => /TLS handshake failed: the client certificate is not accepted/.test(message)),
  )
})

test('A25: a certificate in a header is not believed, whoever sends it', async () => {
  const field = `:${derOf((clients['right'] as Identity).cert).toString('base64')}:`
  const direct = await house.ask('/known', { headers: { 'client-cert': field } })
  assert.equal(direct.status, 401)
  const open = await house.ask('/open', { headers: { 'client-cert': field } })
  assert.equal(open.body.includes('client-cert'), false)
})

test('A25: a certificate in a header is believed of a trusted proxy, and judged by our authorities', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const behind = (listen: Record<string, unknown>) =>
    startHouse(context, {
      upstreams: { api: upstream.url },
      limits: false,
      routes: [{ path: '/known', access: 'authenticated', to: 'api' }],
      services: { billing: { certificates: [{ dns: 'billing.internal' }] } },
      listen: { ...listen },
    })
  const clientCa = house.write('proxied-ca.pem', root.cert)
  const trusting = await behind({ trustedProxies: ['127.0.0.1'], clientCertHeader: { clientCa } })
  const elsewhere = await behind({ trustedProxies: ['10.0.0.1'], clientCertHeader: { clientCa } })
  const off = await behind({ trustedProxies: ['127.0.0.1'] })
  const ask = async (url: string, name: string): Promise<number> => {
    const field = `:${derOf((clients[name] as Identity).cert).toString('base64')}:`
    const answer = await fetch(`${url}/known`, { headers: { 'client-cert': field } })
    const body = await answer.text()
    if (answer.status === 200) assert.equal(body.includes('client-cert'), false)
    return answer.status
  }
  assert.equal(await ask(trusting.url, 'right'), 200)
  for (const name of ['of another authority', 'run out', 'its own authority', 'for servers'])
    assert.equal(await ask(trusting.url, name), 401, name)
  assert.deepEqual([await ask(elsewhere.url, 'right'), await ask(off.url, 'right')], [401, 401])
})

test('plain HTTP on the port of TLS ends at once', async () => {
  const socket = connectPlain(house.port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.write('GET /open HTTP/1.1\r\nHost: a\r\n\r\n')
  const startedAt = performance.now()
  await once(socket, 'close')
  assert.ok(performance.now() - startedAt < 1000)
  assert.doesNotMatch(Buffer.concat(chunks).toString('latin1'), /HTTP/)
})

test('a message that is none is refused under TLS as without', async () => {
  const socket = await house.connect()
  socket.write('GET /open HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(answer.toString(), /^HTTP\/1\.1 400 [\s\S]*"code":"bad-request"/)
})

test('slow handshakes, slow heads and a crowd are bounded under TLS too', async (context) => {
  const small = await startTlsHouse(context, root, {
    tls: { handshakeTimeout: '300ms' },
    config: { listen: { connections: 3, headersTimeout: '500ms' } },
  })
  const silent = connectPlain(small.port, '127.0.0.1')
  await once(silent, 'connect')
  const slow = await small.connect()
  slow.write('GET /open HTTP/1.1\r\n')
  const idle = await small.connect()
  await assert.rejects(small.connect(), 'a fourth')
  const startedAt = performance.now()
  await once(silent, 'close')
  assert.ok(performance.now() - startedAt < 1500)
  assert.equal((await small.ask('/open')).status, 200, 'there is room again')
  const [answer] = (await once(slow, 'data')) as [Buffer]
  assert.match(answer.toString(), /^HTTP\/1\.1 408 /)
  idle.destroy()
})

test('a WebSocket goes through TLS, as whom its certificate says', async (context) => {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(sockets, 'listening')
  context.after(() => sockets.close())
  sockets.on('connection', (socket, { headers }) => {
    socket.send(String(headers['x-gatehouse-service']))
    socket.on('message', (data) => socket.send(data.toString()))
  })
  const { port } = sockets.address() as { port: number }
  const tunnel = await startTlsHouse(context, root, {
    tls: { clientCa: root.cert },
    config: {
      upstreams: { sockets: `http://127.0.0.1:${port}` },
      routes: [{ path: '/talk', access: 'authenticated', to: 'sockets', websocket: true }],
    },
  })
  const socket = new WebSocket(`wss://localhost:${tunnel.port}/talk`, { ca: root.cert, ...as('right') } as object)
  const [first] = (await once(socket, 'message')) as [Buffer]
  assert.equal(first.toString(), 'billing')
  socket.send('hello')
  const [second] = (await once(socket, 'message')) as [Buffer]
  assert.equal(second.toString(), 'hello')
  socket.close()
  await once(socket, 'close')
})

test('closing lets answers end, and waits for nobody who has not even finished the handshake', async (context) => {
  const upstream = await startUpstream(context, (_request, response) => setTimeout(() => response.end('whole'), 400))
  const draining = await startTlsHouse(context, root, {
    config: { upstreams: { slow: upstream.url }, routes: [{ path: '/slow', access: 'public', to: 'slow' }] },
  })
  const silent = connectPlain(draining.port, '127.0.0.1')
  await once(silent, 'connect')
  const idle = await draining.connect()
  const answer = draining.ask('/slow')
  await new Promise((resolve) => setTimeout(resolve, 100))
  const startedAt = performance.now()
  await draining.close()
  assert.ok(performance.now() - startedAt < 2000)
  assert.equal((await answer).body, 'whole')
  idle.destroy()
  silent.destroy()
})

test('a session is resumed where nobody shows a certificate, and never where somebody may', async (context) => {
  const without = await startTlsHouse(context, root)
  const resumed = async (to: TlsHouse, client: Partial<Identity>): Promise<boolean[]> => {
    const reused: boolean[] = []
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      let session: Buffer | undefined
      for (let round = 0; round < 2; round++) {
        const socket = await to.connect({ ...client, maxVersion, ...(session === undefined ? {} : { session }) })
        socket.on('session', (ticket: Buffer) => (session = ticket))
        if (round === 1) reused.push(socket.isSessionReused())
        if (maxVersion === 'TLSv1.2') session = socket.getSession()
        socket.write('GET /open HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        socket.resume()
        await once(socket, 'close')
      }
    }
    return reused
  }
  assert.deepEqual(await resumed(without, {}), [true, true])
  assert.deepEqual(await resumed(house, as('right')), [false, false])
})

test('AK5: inside another server a certificate is that of its socket, trusted as that server trusts it', async (context) => {
  const inside = await startHouse(context, {
    limits: false,
    routes: [{ path: '/who', access: 'authenticated' }],
    services: { billing: { certificates: [{ dns: 'billing.internal' }] } },
  })
  const pass = inside.house.express()
  const app = new Hono()
  app.use(inside.house.hono() as never)
  app.get('/who', (c) => c.text(inside.house.visit(c.req.raw)?.principal.id ?? ''))
  const hono = getRequestListener(app.fetch)
  const servers: readonly RequestListener[] = [
    (request, response) => pass(request, response, () => response.end(inside.house.visit(request)?.principal.id)),
    (request, response) => void hono(request, response),
  ]
  for (const listener of servers) {
    const tls = {
      ...(await root.issue({ dns: ['localhost'] })),
      ca: root.cert,
      requestCert: true,
      rejectUnauthorized: false,
    }
    const server = createServer(tls, listener)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    context.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const known = await house.ask('/who', { ...as('right'), port })
    assert.deepEqual([known.status, known.body], [200, 'billing'])
    assert.equal((await house.ask('/who', { ...as('of another authority'), port })).status, 401)
    assert.equal((await house.ask('/who', { port })).status, 401)
    server.closeAllConnections()
  }
})

test('connections that are kept are read once: the certificate is the same for each request', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const users = []
  for (let round = 0; round < 3; round++) users.push(serviceIn(await house.ask('/known', { ...as('right'), agent })))
  agent.destroy()
  assert.deepEqual(users, ['billing', 'billing', 'billing'])
})
