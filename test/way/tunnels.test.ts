// WebSockets of people and programs who may come in no more.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'
import { testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { configOf, type Fields, startCrowd } from './owners.ts'

const open = {
  version: '1.0',
  rules: [{ condition: { operator: 'exists', attribute: 'subject.id' }, effect: 'allow' }],
} as const

test('TK4 A56: a WebSocket ends within two seconds when whoever opened it would not be let in any more, and goes on else', async (context) => {
  const server = createServer()
  const far = new WebSocketServer({ server })
  far.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data.toString()}`)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    far.close()
    server.close()
  })
  const clock = testClock(Date.now())
  const crowd = await startCrowd(
    context,
    configOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      tokens: { accessTtl: '15m' },
      policies: [{ name: 'talk', managed: true }],
      routes: [
        { path: '/talk', require: 'document:read', websocket: true, to: 'api' },
        { path: '/judged', access: 'authenticated', policy: 'talk', websocket: true, to: 'api' },
        { path: '/open', access: 'public', websocket: true, to: 'api' },
      ],
    }),
    { clock },
  )
  const { house, url, as, ada, keyBy } = crowd
  const { store } = house
  const put = async (document: object | undefined): Promise<void> => {
    const body = document === undefined ? '' : JSON.stringify(document)
    const answer = await fetch(`${url}/api/admin/policies/talk`, {
      method: document === undefined ? 'DELETE' : 'PUT',
      headers: { ...as.root, 'content-type': 'application/json' },
      ...(body === '' ? {} : { body: JSON.stringify({ document }) }),
    })
    assert.ok(answer.ok, await answer.text())
  }
  await put(open)

  const dial = async (path: string, headers: Fields): Promise<WebSocket> => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, { headers })
    context.after(() => socket.terminate())
    await once(socket, 'open')
    return socket
  }
  const speaks = async (socket: WebSocket): Promise<void> => {
    socket.send('hello')
    const [said] = (await once(socket, 'message')) as [Buffer]
    assert.equal(said.toString(), 'echo hello')
  }
  const ends = (socket: WebSocket): Promise<true> =>
    eventually(() => (socket.readyState === WebSocket.CLOSED ? true : undefined))

  const mine = await crowd.tokenOf(ada)
  const key = await keyBy(as.ada, '/api/keys', { permissions: ['document:read'] })
  const [staying, signedOut, revoked, judged, stranger] = await Promise.all([
    dial('/talk', as.bob),
    dial('/talk', mine),
    dial('/talk', key),
    dial('/judged', as.bob),
    dial('/open', {}),
  ])
  await pause(2_500)
  for (const socket of [staying, signedOut, revoked, judged, stranger]) await speaks(socket)

  const id = (key['x-api-key'] ?? '').split('_').at(-2) ?? ''
  const uses = async (): Promise<unknown> => {
    await house.machines.keyBook.flush(store.db, true)
    const row = await store.db
      .selectFrom('api_key_uses')
      .select('use_count')
      .where('key_id', '=', id)
      .executeTakeFirst()
    return row?.use_count
  }
  assert.equal(await uses(), 1, 'a key that is watched is not used')

  assert.equal((await fetch(`${url}/api/auth/logout`, { method: 'POST', headers: mine })).status, 200)
  await ends(signedOut)
  assert.equal((await fetch(`${url}/api/keys/${id}`, { method: 'DELETE', headers: as.ada })).status, 200)
  await ends(revoked)
  await put(undefined)
  await ends(judged)
  await speaks(staying)

  await house.reload({ ...house.settings, roles: { ...house.settings.roles, user: { permissions: [] } } })
  await ends(staying)
  await speaks(stranger)

  const last = await dial('/talk', as.root)
  clock.advance(15 * 60_000)
  await ends(last)
})
