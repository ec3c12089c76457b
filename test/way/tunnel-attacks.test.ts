// WebSockets whose caller is about to be nobody: by every way that somebody may come, and while parts of the house are out of reach.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { WebSocket, WebSocketServer } from 'ws'
import { signMethodUriBody } from '../../client/index.ts'
import { derOf, makeSelfSigned } from '../support/certificates.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { type Crowd, configOf, type Fields, startCrowd } from './owners.ts'

interface Scene extends Crowd {
  readonly clock: TestClock
  /** Requests that reached the API, without WebSockets. */
  reached(): number
  dial(path: string, headers: Fields): Promise<WebSocket>
  /** Makes a service in the store, and answers its secret. */
  service(name: string, definition?: object): Promise<string>
  /** A new secret beside the old one. */
  rotate(name: string): Promise<string>
  disable(name: string): Promise<void>
}

/** An API that answers every WebSocket but says nothing by itself. */
async function openScene(context: TestContext): Promise<Scene> {
  let reached = 0
  const server = createServer((_, response) => {
    reached++
    response.end()
  })
  const far = new WebSocketServer({ server })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    for (const socket of far.clients) socket.terminate()
    far.close()
    server.close()
  })
  const clock = testClock(Math.floor(Date.now() / 1000) * 1000)
  const crowd = await startCrowd(
    context,
    configOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      listen: { trustedProxies: ['127.0.0.1'], clientCertHeader: true },
      tokens: { accessTtl: '15m' },
      signatures: { signed: { form: 'method-uri-body' } },
      routes: [
        { path: '/talk', access: 'authenticated', websocket: true, to: 'api' },
        { path: '/open', access: 'public', websocket: true, to: 'api' },
        { path: '/signed', access: 'authenticated', signature: 'signed', websocket: true, to: 'api' },
        { path: '/signed/open', access: 'public', signature: 'signed', websocket: true, to: 'api' },
      ],
    }),
    { clock },
  )
  const { url, as } = crowd
  const administer = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${url}/api/admin/services${path}`, {
      method: 'POST',
      headers: { ...as.root, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    assert.ok(answer.ok, text)
    return JSON.parse(text) as Record<string, unknown>
  }
  return {
    ...crowd,
    clock,
    reached: () => reached,
    async dial(path, headers) {
      const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, { headers })
      context.after(() => socket.terminate())
      await once(socket, 'open')
      return socket
    },
    async service(name, definition = {}) {
      const { secret } = await administer('', { name, permissions: [], ...definition })
      return String(secret)
    },
    rotate: async (name) => String((await administer(`/${name}/rotate`, {}))['secret']),
    disable: async (name) => void (await administer(`/${name}/disable`, {})),
  }
}

const ended = (socket: WebSocket): Promise<true> =>
  eventually(() => (socket.readyState === WebSocket.CLOSED ? true : undefined))

test('TK4 AK3: a WebSocket that a service signed for ends when the service is turned away, also beside somebody and on a public route', async (context) => {
  const scene = await openScene(context)
  const { url, clock, as } = scene
  const key = await scene.service('robot')
  const sign = (path: string): Promise<Fields> =>
    signMethodUriBody({ method: 'GET', url: url + path }, { key, service: 'robot', clock }) as Promise<Fields>
  const sockets = [await scene.dial('/signed', await sign('/signed'))]
  const others = [await scene.dial('/talk', as.ada)]
  clock.advance(1_000)
  sockets.push(await scene.dial('/signed', { ...(await sign('/signed')), ...as.ada }))
  clock.advance(1_000)
  sockets.push(await scene.dial('/signed/open', await sign('/signed/open')))
  await pause(1_500)
  assert.deepEqual(
    sockets.map(({ readyState }) => readyState),
    [1, 1, 1],
  )
  await scene.disable('robot')
  await Promise.all(sockets.map(ended))
  assert.deepEqual(
    others.map(({ readyState }) => readyState),
    [1],
  )
})

test('AK3: a WebSocket ends with the secret that signed for it, and not with another of its service', async (context) => {
  const scene = await openScene(context)
  const { url, clock, as, house } = scene
  const older = await scene.service('robot')
  clock.advance(1_000)
  const secrets = [older, await scene.rotate('robot')]
  const sockets: WebSocket[] = []
  for (const key of secrets) {
    clock.advance(1_000)
    const fields = await signMethodUriBody({ method: 'GET', url: `${url}/signed` }, { key, service: 'robot', clock })
    sockets.push(await scene.dial('/signed', fields as Fields))
  }
  const [before, after] = sockets as [WebSocket, WebSocket]
  const rows = await house.store.db.selectFrom('service_secrets').selectAll().where('service', '=', 'robot').execute()
  const [oldest] = rows.toSorted((one, other) => one.created_at - other.created_at)
  const path = `/api/admin/services/robot/secrets/${oldest?.id}`
  assert.equal((await fetch(url + path, { method: 'DELETE', headers: as.root })).status, 200)
  await ended(before)
  await pause(1_200)
  assert.equal(after.readyState, WebSocket.OPEN)
})

test('TK4: a WebSocket on a public route ends when whoever opened it as somebody is nobody any more', async (context) => {
  const scene = await openScene(context)
  const mine = await scene.tokenOf(scene.ada)
  const [gone, staying, nobody] = [
    await scene.dial('/open', mine),
    await scene.dial('/open', scene.as.bob),
    await scene.dial('/open', {}),
  ]
  assert.equal((await fetch(`${scene.url}/api/auth/logout`, { method: 'POST', headers: mine })).status, 200)
  await ended(gone)
  assert.deepEqual([staying.readyState, nobody.readyState], [1, 1])
})

test('A56: where nobody can say whether a WebSocket may go on, it ends, and the house stands', async (context) => {
  const scene = await openScene(context)
  const { clock, house } = scene
  const { db } = house.store
  const { cert } = await makeSelfSigned({ dns: ['robot.internal'] })
  await scene.service('robot', { certificates: [{ dns: 'robot.internal' }] })
  const socket = await scene.dial('/talk', { 'client-cert': `:${derOf(cert).toString('base64')}:` })
  await sql`alter table house rename to elsewhere`.execute(db)
  clock.advance(61_000)
  await ended(socket)
  await sql`alter table elsewhere rename to house`.execute(db)
  assert.equal((await fetch(`${scene.url}/health/live`)).status, 200)
})

test('A56: the record says why a WebSocket was ended', async (context) => {
  const scene = await openScene(context)
  const token = await scene.tokenOf(scene.ada)
  const socket = await scene.dial('/talk', token)
  assert.equal((await fetch(`${scene.url}/api/auth/logout`, { method: 'POST', headers: token })).status, 200)
  await ended(socket)
  const talk = (await scene.events()).filter(({ details }) => details['path'] === '/talk')
  assert.deepEqual(
    talk.map(({ result, details, actor }) => [result, details['because'], details['status'], actor.id]),
    [['denied', 'token-revoked', 101, scene.ada.id]],
  )
})

test('ID5: a WebSocket is no sign of life of whoever opened it, and ends with their session', async (context) => {
  const scene = await openScene(context)
  const { house, clock, ada, url } = scene
  const device = { address: '127.0.0.1', userAgent: 'a browser' }
  const proof = { methods: ['password'], at: clock.now() } as const
  const open = () => house.people.browsers.open(house.store.db, ada.id, device, proof)
  const [left, kept] = [await open(), await open()]
  const cookie = (one: { readonly cookie: string }): Fields => ({
    cookie: `__Host-gatehouse=${one.cookie}`,
    origin: 'https://gate.example.com',
  })
  const sockets = [await scene.dial('/talk', cookie(left)), await scene.dial('/talk', cookie(kept))] as const
  for (let minutes = 0; minutes < 75; minutes += 15) {
    clock.advance(15 * 60_000)
    await pause(1_200)
    assert.equal((await fetch(`${url}/api/auth/me`, { headers: cookie(kept) })).status, 200)
  }
  await ended(sockets[0])
  assert.equal(sockets[1].readyState, WebSocket.OPEN, 'of whom something was heard')
  assert.equal((await fetch(`${url}/api/auth/me`, { headers: cookie(left) })).status, 401)
})

test('A21: the API hears nothing of whoever left before it was known who they are', async (context) => {
  const scene = await openScene(context)
  const { house, port } = scene
  const { browsers } = house.people
  const device = { address: '127.0.0.1', userAgent: 'a browser' }
  const proof = { methods: ['password'], at: scene.clock.now() } as const
  const { cookie } = await browsers.open(house.store.db, scene.ada.id, device, proof)
  const verify = browsers.verify.bind(browsers)
  let asked = 0
  // The store is slow: whoever comes may be gone before it has answered.
  browsers.verify = async (...given) => {
    asked++
    await pause(300)
    return verify(...given)
  }
  const come = (): Socket => {
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /talk HTTP/1.1\r\nHost: a\r\nCookie: __Host-gatehouse=${cookie}\r\n\r\n`)
    return socket
  }
  const leaving = come()
  await eventually(() => (asked > 0 ? true : undefined))
  leaving.destroy()
  await pause(800)
  assert.deepEqual([scene.reached(), house.gate.inFlight], [0, 0])
  const staying = come()
  await eventually(() => (scene.reached() === 1 ? true : undefined))
  staying.destroy()
})

test('A21: everybody who waits for the gate to be empty hears of it', async (context) => {
  const scene = await openScene(context)
  const { gate } = scene.house
  const socket = await scene.dial('/talk', scene.as.ada)
  const both = Promise.all([gate.drain(), gate.drain()])
  socket.terminate()
  const late = pause(3_000, 'late', { ref: false })
  assert.notEqual(await Promise.race([both, late]), 'late')
})
