// Ways around an owner: another reading of the path or the method, and what is remembered from before a change.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { rawExchange } from '../support/house.ts'
import { configOf, found, startCrowd, startDocuments } from './owners.ts'

test('AZ3: parameters in a segment, which some servers cut off, make it no other thing that is somebody’s own', async (context) => {
  const api = await startDocuments(context)
  const mine = { operator: 'equals', attribute: 'subject.id', value: { ref: 'resource.owner_id' } }
  const config = configOf(api.url)
  const { as, ask, ada, bob } = await startCrowd(context, {
    ...config,
    policies: [{ name: 'mine', version: '1.0', rules: [{ condition: mine, effect: 'allow' }] }],
    routes: [
      ...(config.routes ?? []),
      {
        path: '/told/:id',
        require: 'document:read',
        owner: { ...found, decidedBy: 'policy' },
        policy: 'mine',
        to: 'api',
      },
    ],
  })
  // An upstream such as Tomcat reads `/documents/17;x` as 17, and `/internal/documents/17%3Bx` as what it says.
  api.owners.set('17', ada.id).set('17;x', bob.id).set(`${bob.id};x`, bob.id)
  for (const path of ['/documents/17;x', `/users/${bob.id};x/tasks`, '/documents/17;x=%3B'])
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE'])
      assert.equal((await ask(path, as.bob, method)).status, 404, `${method} ${path}`)
  assert.equal((await ask('/told/17;x', as.bob)).status, 403)
  assert.deepEqual(api.reached, [], 'nobody was asked, and nothing was done')
  assert.equal((await ask('/documents/17%3Bx', as.bob)).body, 'document 17;x', 'an id may have one, written so')
})

test('AZ2 AZ3: a method that a field names in place of the request’s own is refused', async (context) => {
  const api = await startDocuments(context)
  const { as, ask, ada } = await startCrowd(context, configOf(api.url))
  api.owners.set('1', ada.id)
  for (const name of ['X-HTTP-Method-Override', 'x-http-method', 'X-Method-Override'])
    for (const [method, value, path] of [
      ['GET', 'DELETE', '/files/1'],
      ['GET', 'patch', '/documents/1'],
      ['POST', 'DELETE', '/documents/1'],
      ['POST', '', '/documents/1'],
      ['GET', 'GET, DELETE', '/documents/1'],
    ] as const) {
      const answer = await ask(path, { ...as.ada, [name]: value }, method)
      assert.equal(answer.status, 400, `${name}: ${value}`)
      assert.match(answer.body, /names another method than the request/)
    }
  assert.deepEqual(api.reached, [])
  assert.equal((await ask('/documents/1', { ...as.ada, 'x-http-method-override': 'get' })).status, 200)
})

test('AZ3: a change of which nobody saw the answer is a change: what was known from before it counts no more', async (context) => {
  for (const how of ['broke off', 'was left by its caller']) {
    const api = await startDocuments(context)
    const { as, ask, ada, bob, port, house } = await startCrowd(context, configOf(api.url))
    api.owners.set('1', ada.id)
    let end = (): void => {}
    api.instead = ({ method, socket }) => {
      if (method !== 'PATCH') return false
      end = () => void socket.destroy()
      return true
    }
    const giving = connect(port, '127.0.0.1')
    giving.write(
      `PATCH /documents/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nAuthorization: ${as.ada['authorization']}\r\n\r\n`,
    )
    await eventually(() => (api.reached.includes('PATCH /documents/1') ? true : undefined))
    assert.equal((await ask('/documents/1', as.ada)).status, 200)
    api.owners.set('1', bob.id)
    if (how === 'broke off') end()
    else giving.destroy()
    await eventually(() => (house.gate.inFlight === 0 ? true : undefined))
    assert.equal((await ask('/documents/1', as.ada)).status, 404, how)
    giving.destroy()
  }
})

test('AZ3: what a host changes behind an embedded gate is known anew afterwards', async (context) => {
  const api = await startDocuments(context)
  const { house, ada, bob, as } = await startCrowd(context, {
    ...configOf(api.url),
    resources: { document: { owner: { ...found, to: 'api' } } },
    routes: [{ path: '/documents/:id', require: 'document:read', resource: 'document' }],
  })
  api.owners.set('1', ada.id)
  let give = (): void => {}
  const handle = house.fetch(async ({ method }) => {
    if (method === 'PATCH') await new Promise<void>((resolve) => (give = resolve))
    return new Response('from the host')
  })
  const ask = async (headers: Readonly<Record<string, string>>, method = 'GET'): Promise<number> => {
    const answer = await handle(new Request('http://host.example/documents/1', { headers, method }), '127.0.0.1')
    await answer.text()
    return answer.status
  }
  const giving = ask(as.ada, 'PATCH')
  await eventually(() => (api.questions() === 1 ? true : undefined))
  assert.equal(await ask(as.ada), 200)
  api.owners.set('1', bob.id)
  give()
  assert.equal(await giving, 200)
  assert.equal(await ask(as.ada), 404)
  assert.equal(await ask(as.bob), 200)
})

test('AZ3: nobody is asked for the body of a request about what is not theirs', async (context) => {
  const api = await startDocuments(context)
  const { as, ada, port } = await startCrowd(context, configOf(api.url))
  api.owners.set('1', ada.id)
  const put = async (id: string): Promise<string> => {
    const head = `PUT /documents/${id} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n`
    const answer = await rawExchange(
      port,
      `${head}Connection: close\r\nAuthorization: ${as.bob['authorization']}\r\n\r\n`,
    )
    return answer.replace(/^Date: .*$/m, '').replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '…')
  }
  const [theirs, nothing] = [await put('1'), await put('2')]
  assert.match(theirs, /^HTTP\/1\.1 404 /)
  assert.equal(theirs, nothing)
})

test('AZ3: how long a no takes tells nothing of whether its owner is busy with it', async (context) => {
  const api = await startDocuments(context)
  const { as, ask, ada } = await startCrowd(context, configOf(api.url))
  api.owners.set('1', ada.id)
  const held: (() => void)[] = []
  let holding = true
  api.instead = ({ url = '' }, response) => {
    if (!holding || !url.startsWith('/internal/')) return false
    held.push(() => response.end(JSON.stringify({ owner_id: ada.id })))
    return true
  }
  const busy = [ask('/documents/1', as.ada), ask('/documents/1', as.ada, 'PATCH')]
  await eventually(() => (held.length === 1 ? true : undefined))
  holding = false
  assert.equal((await ask('/documents/1', as.bob)).status, 404, 'he waits for nobody')
  assert.equal((await ask('/documents/1', as.bob, 'DELETE')).status, 404)
  assert.equal((await ask('/documents/2', as.bob)).status, 404)
  assert.equal(api.questions(), 4, 'and nobody spares him a question')
  held[0]?.()
  assert.deepEqual(
    (await Promise.all(busy)).map(({ status }) => status),
    [200, 200],
  )
})
