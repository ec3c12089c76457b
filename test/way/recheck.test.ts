// Requests that somebody has begun and keeps in hand: what was taken from them meanwhile is taken from these too.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { signMethodUriBody } from '../../client/index.ts'
import { roleScene, roles, routes } from '../roles/scene.ts'
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
      await pause(20)
      socket.destroy()
      return Number(received.split(' ')[1])
    },
    received: () => received,
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

test('AK3 A56: a signature over a body that is long in coming proves nobody who was turned away meanwhile', async (context) => {
  const at = await roleScene(context, {
    signatures: { signed: { form: 'method-uri-body' } },
    roles: { ...roles, robot: { permissions: ['orders:write'] } },
    routes: [
      { path: '/orders', require: 'orders:write', signature: 'signed', to: 'api' },
      { path: '/mine', access: 'authenticated', signature: 'signed', to: 'api' },
      { path: '/open', access: 'public', signature: 'signed', to: 'api' },
    ],
  })
  const { port, api, url } = at.people
  const administer = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const answer = await api(method, `/api/admin/services${path}`, body, bearer(at.root))
    assert.ok(answer.status < 300, JSON.stringify(answer.body))
    return answer.body
  }
  const robot = async (name: string): Promise<string> =>
    String((await administer('POST', '', { name, permissions: ['orders:write'] }))['secret'])
  let orders = 0
  const order = async (
    service: string,
    key: string,
    path = '/orders',
    fields: Readonly<Record<string, string>> = {},
  ) => {
    const content = { order: orders++ }
    const facts = { method: 'POST', url: url + path, body: JSON.stringify(content) }
    const proof = (await signMethodUriBody(facts, { key, service })) as Readonly<Record<string, string>>
    return begun(port, `POST ${path}`, { ...fields, ...proof }, content)
  }

  const [first, second] = [await robot('first'), await robot('second')]
  const person = await at.somebody('user')
  const undisturbed = await order('second', second)
  const kept = [
    await order('first', first),
    await order('first', first, '/open'),
    await order('first', first, '/mine', bearer(person)),
  ]
  const signedOut = await order('second', second, '/mine', bearer(person))
  await administer('POST', '/first/disable')
  for (const one of kept) assert.equal(await one.finish(), 401)
  assert.equal(await undisturbed.finish(), 200)
  assert.equal((await api('POST', '/api/auth/logout', '', bearer(person))).status, 200)
  assert.equal(await signedOut.finish(), 401, 'beside a signature the token has to hold as well')

  const bySecret = await order('second', second)
  const { secret } = await administer('POST', '/second/rotate', { overlap: 0 })
  assert.equal(await bySecret.finish(), 401, 'its secret was taken away')
  assert.equal(await (await order('second', String(secret))).finish(), 200)
})

test('A56: a question about decisions that is long in coming is answered to nobody who may not ask any more', async (context) => {
  const at = await roleScene(context, { roles: { ...roles, asker: { permissions: ['policies:evaluate'] } } })
  const { port } = at.people
  const question = {
    subject: { type: 'user', id: at.root.id },
    action: { name: 'notes:read' },
    resource: { type: 'any', id: '1' },
  }
  const asker = await at.somebody('asker')
  const ask = () => begun(port, 'POST /access/v1/evaluation', bearer(asker), question)
  const [undisturbed, kept] = [await ask(), await ask()]
  assert.equal(await undisturbed.finish(), 200)
  assert.equal((await at.give(asker, [])).status, 200)
  assert.equal(await kept.finish(), 401)
})

test('A56: policies are asked again when the body is there, and nobody is passed on as somebody who is nobody any more', async (context) => {
  const at = await roleScene(context, {
    policies: [{ name: 'hours', managed: true }],
    routes: [
      { path: '/judged', access: 'authenticated', policy: 'hours', body: { type: 'object' }, to: 'api' },
      { path: '/open', access: 'public', body: { type: 'object' }, to: 'api' },
    ],
  })
  const { port, api } = at.people
  const put = async (effect: string): Promise<void> => {
    const rule = { condition: { operator: 'exists', attribute: 'subject.id' }, effect }
    const document = { version: '1.0', rules: [rule] }
    const answer = await api('PUT', '/api/admin/policies/hours', { document }, bearer(at.root))
    assert.ok(answer.status < 300, JSON.stringify(answer.body))
  }
  const person = await at.somebody('user')
  await put('allow')
  const [undisturbed, kept] = [
    await begun(port, 'POST /judged', bearer(person), {}),
    await begun(port, 'POST /judged', bearer(person), {}),
  ]
  assert.equal(await undisturbed.finish(), 200)
  await put('deny')
  assert.equal(await kept.finish(), 403)

  const [somebody, nobody] = [
    await begun(port, 'POST /open', bearer(person), {}),
    await begun(port, 'POST /open', bearer(person), {}),
  ]
  assert.equal(await somebody.finish(), 200)
  assert.match(somebody.received(), new RegExp(`"x-gatehouse-user":"${person.id}"`))
  assert.equal((await api('POST', '/api/auth/logout', '', bearer(person))).status, 200)
  assert.equal(await nobody.finish(), 200)
  assert.doesNotMatch(nobody.received(), /x-gatehouse-user/)
})
