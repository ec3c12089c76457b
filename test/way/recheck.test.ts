// Requests that somebody has begun and keeps in hand: what was taken from them meanwhile is taken from these too.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { roleScene, routes } from '../roles/scene.ts'
import { eventually } from '../support/eventually.ts'
import { bearer } from '../support/people.ts'

/** Sends all of a request but the end of its body; `finish` sends that, and answers the status. */
async function begun(port: number, line: string, fields: Readonly<Record<string, string>>, content: object) {
  const body = JSON.stringify(content)
  const head = Object.entries({ host: 'a', 'content-type': 'application/json', ...fields })
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => (received += String(chunk)))
  socket.write(`${line} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`)
  socket.write(`content-length: ${body.length}\r\n\r\n${body.slice(0, -1)}`)
  await pause(100)
  assert.equal(received, '', 'it waits for its body')
  return {
    async finish(): Promise<number> {
      socket.write(body.slice(-1))
      await eventually(async () => (received.includes('\r\n\r\n') ? true : undefined))
      socket.destroy()
      return Number(received.split(' ')[1])
    },
  }
}

test('A56: an administrator who is none any more finishes nothing that they had begun', async (context) => {
  const at = await roleScene(context)
  const { port } = at.people
  const accomplice = await at.somebody('user')
  const create = (who: Readonly<Record<string, string>>, name: string) =>
    begun(port, 'POST /api/admin/roles', who, { name, permissions: ['notes:*'] })
  const begunAll = [
    await create(bearer(at.manager), 'kept-in-hand'),
    await begun(port, `PUT /api/admin/users/${accomplice.id}/roles`, bearer(at.manager), { roles: ['manager'] }),
  ]
  const undisturbed = await create(bearer(await at.somebody('manager')), 'undisturbed')
  assert.equal((await at.give(at.manager, [])).status, 200)
  for (const one of begunAll) assert.equal(await one.finish(), 401)
  assert.equal(await undisturbed.finish(), 201)
  assert.equal((await at.ask('GET', '/kept-in-hand')).status, 404)
  assert.equal(await at.at('/notes', accomplice), 403)
})

test('A56: what a role holds when the body is there is what counts, also for a role that was changed and a key that was revoked', async (context) => {
  const at = await roleScene(context, {
    routes: [...routes, { path: '/orders', require: 'orders:write', body: { type: 'object' }, to: 'api' }],
  })
  const { port, api } = at.people
  await at.role('clerk', { permissions: ['orders:write', 'notes:read'] })
  const ada = await at.somebody('clerk')
  const made = await api('POST', '/api/keys', { name: 'script', permissions: ['orders:write'] }, bearer(ada))
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const key = { 'x-api-key': String(made.body['key']) }
  const order = (who: Readonly<Record<string, string>>) => begun(port, 'POST /orders', who, { order: 1 })

  const [wider, byKey] = [await order(bearer(ada)), await order(key)]
  assert.equal((await at.ask('PUT', '/clerk', { permissions: ['orders:*'] })).status, 200)
  assert.deepEqual([await wider.finish(), await byKey.finish()], [200, 200])

  const [narrower, itsKey] = [await order(bearer(ada)), await order(key)]
  assert.equal((await at.ask('PUT', '/clerk', { permissions: ['notes:read'] })).status, 200)
  assert.deepEqual([await narrower.finish(), await itsKey.finish()], [403, 403])

  assert.equal((await at.ask('PUT', '/clerk', { permissions: ['orders:write'] })).status, 200)
  const revoked = await order(key)
  assert.equal((await api('DELETE', `/api/keys/${made.body['id']}`, undefined, bearer(ada))).status, 200)
  assert.equal(await revoked.finish(), 401)
})
