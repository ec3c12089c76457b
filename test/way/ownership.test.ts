import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import { eventually } from '../support/eventually.ts'
import { rawExchange, startUpstream } from '../support/house.ts'
import { configOf, type Fields, found, startCrowd, startDocuments } from './owners.ts'

test('AZ3 AZ2 A55: the owner may, nobody else may, an administrator may; whatever proves them, and however the owner is found', async (context) => {
  const api = await startDocuments(context)
  const crowd = await startCrowd(context, configOf(api.url))
  const { ada, as, ask, keyBy, clientOf, tokenOf } = crowd
  api.owners.set('adas', ada.id).set('bobs', crowd.bob.id).set('billings', 'billing').set('nobodys', null)
  api.owners.set('documents', null) // all of them
  api.owners.set('apps', 'app').set('acmes', 'organisation:acme').set('tasks', null)
  const keyOf = (type: string, id: string, more: object = {}): Promise<Fields> =>
    keyBy(as.root, '/api/admin/keys', { permissions: ['*'], owner: { type, id }, ...more })

  const [mine, theirs] = [200, 404]
  const paths = ['/documents/adas', '/files/adas', `/users/${ada.id}/tasks`]
  api.owners.set('tasks', ada.id)
  // biome-ignore format: a table, one line to a caller
  const callers: readonly (readonly [name: string, fields: Fields, status: number])[] = [
    ['nobody',                                        as.nobody, 401],
    ['somebody without the permission',               as.guest, 403],
    ['ada',                                           as.ada, mine],
    ['bob',                                           as.bob, theirs],
    ['root',                                          as.root, mine],
    ['a key of ada’s',                                await keyBy(as.ada, '/api/keys', { permissions: ['document:read'] }), mine],
    ['a key of ada’s that lends nothing',             await keyBy(as.ada, '/api/keys', {}), 403],
    ['a key of bob’s',                                await keyBy(as.bob, '/api/keys', { permissions: ['document:read'] }), theirs],
    ['a key of root’s that lends all',                await keyBy(as.root, '/api/keys', { permissions: ['*'] }), mine],
    ['a key of root’s that lends but the permission', await keyBy(as.root, '/api/keys', { permissions: ['document:read'] }), theirs],
    ['a key that root made for ada',                  await keyOf('user', ada.id), mine],
    ['a key of a service',                            await keyOf('service', 'billing'), theirs],
    ['a key of an organisation',                      await keyOf('organisation', 'acme', { permissions: ['document:read'] }), theirs],
    ['a client of ada’s with the scope',              clientOf(ada, ['document:read']), mine],
    ['a client of ada’s with another scope',          clientOf(ada, ['other']), 403],
    ['a client of bob’s with the scope',              clientOf(crowd.bob, ['document:read']), theirs],
    ['a client of root’s with the scope',             clientOf(crowd.root, ['document:read']), theirs],
    ['a client by itself',                            clientOf(undefined, ['document:read']), theirs],
    ['root, acting as ada',                           await tokenOf(ada, { impersonator: { id: crowd.root.id, untilMs: Date.now() + 60_000 } }), mine],
    ['root, acting as bob',                           await tokenOf(crowd.bob, { impersonator: { id: crowd.root.id, untilMs: Date.now() + 60_000 } }), theirs],
  ]
  for (const [name, fields, status] of callers)
    for (const path of paths) assert.equal((await ask(path, fields)).status, status, `${name}: ${path}`)

  const service = await keyOf('service', 'billing')
  const organisation = await keyOf('organisation', 'acme', { permissions: ['document:read'] })
  for (const [path, fields] of [
    ['/documents/billings', service],
    ['/files/billings', service],
    ['/documents/apps', clientOf(undefined, ['document:read'])],
    ['/documents/acmes', organisation],
    ['/documents', as.bob], // about no one thing
  ] as const)
    assert.equal((await ask(path, fields)).status, 200, path)

  api.owners.set('reports', null)
  for (const [fields, status] of [
    [organisation, 200],
    [as.ada, 404],
    [as.root, 200],
  ] as const)
    assert.equal((await ask('/orgs/acme/reports', fields)).status, status)
  assert.equal((await ask('/orgs/other/reports', organisation)).status, 404)
  for (const [fields, status] of [
    [as.ada, 404],
    [as.root, 200],
  ] as const)
    for (const path of ['/documents/nobodys', '/files/nobodys'])
      assert.equal((await ask(path, fields)).status, status, path)
})

test('AZ3: what is not theirs and what is not there are one answer, byte for byte', async (context) => {
  const api = await startDocuments(context)
  const limits = { slow: { limit: 1000, window: '1h', by: ['principal', 'ip'] as ['principal', 'ip'] } }
  const config = configOf(api.url, { limits })
  const crowd = await startCrowd(context, {
    ...config,
    routes: (config.routes ?? []).map((route) => ({ ...route, limit: 'slow' })),
  })
  const { as, ask, ada } = crowd
  api.owners.set('adas', ada.id).set('nobodys', null).set('tasks', null)
  const counted = /^(?:x-ratelimit-(?:remaining|reset)|ratelimit)$/i
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS']) {
    const paths = [
      '/documents/adas',
      '/documents/nothing',
      '/documents/nobodys',
      '/documents/%61das',
      `/users/${ada.id}/tasks`,
      '/users/nobody/tasks',
    ]
    if (method === 'GET' || method === 'HEAD') paths.push('/files/adas', '/files/nothing', '/files/nobodys')
    const answers = []
    for (const path of paths) {
      const { status, fields, body } = await ask(path, as.bob, method)
      answers.push({ status, body, fields: fields.map((one, at) => (counted.test(fields[at - 1] ?? '') ? '…' : one)) })
    }
    assert.equal(answers[0]?.status, 404)
    if (method !== 'HEAD')
      assert.match(
        answers[0]?.body ?? '',
        /"code":"not-found".*"detail":"Not found"|"detail":"Not found".*"code":"not-found"/,
      )
    for (const [index, answer] of answers.entries()) assert.deepEqual(answer, answers[0], `${method} ${paths[index]}`)
  }
  assert.deepEqual(
    api.reached.filter((one) => !/^GET \/internal|^(GET|HEAD) \/files/.test(one)),
    [],
    'nothing of it reached the API',
  )
})

test('AZ3: a refusal for not owning is written down as one, and why; so is what let somebody in', async (context) => {
  const api = await startDocuments(context)
  const crowd = await startCrowd(context, configOf(api.url))
  const { as, ask, ada, bob, root } = crowd
  api.owners.set('adas', ada.id)
  for (const path of ['/documents/adas', '/files/adas', '/documents/nothing', '/files/nothing']) await ask(path, as.bob)
  await ask('/documents/adas', as.ada)
  await ask('/documents/adas', as.root)
  const events = (await crowd.events()).filter(({ details }) => /^\/(documents|files)/.test(String(details['path'])))
  const of = (id: string): unknown[] =>
    events
      .filter(({ actor }) => actor.id === id)
      .map(({ type, action, result, details }) => [type, action, result, details['status'], details['decided']])
  const held = 'roles user hold `document:read`; '
  const refused = (why: string): unknown[] => ['authorization_failure', 'refused', 'denied', 404, held + why]
  assert.deepEqual(of(bob.id), [
    refused('it is somebody else’s'),
    refused('it is somebody else’s'),
    refused('there is no such thing'),
    refused('there is no such thing'),
  ])
  assert.deepEqual(of(ada.id), [['api_access', 'request', 'success', 200, `${held}it is theirs`]])
  assert.deepEqual(of(root.id), [
    ['api_access', 'request', 'success', 200, 'roles admin hold `document:read`; they hold `*` over any owner'],
  ])
})

test('AZ3: a permission may stand over any owner, and only that one', async (context) => {
  const api = await startDocuments(context)
  const config = configOf(api.url)
  const { ada, ask, as, tokenOf, newPerson } = await startCrowd(context, {
    ...config,
    roles: {
      user: { permissions: ['document:read'] },
      auditor: { permissions: ['document:read', 'document:any'] },
    },
    resources: {
      document: { owner: { lookup: '/internal/documents/:id', field: 'data.owner.id', override: 'document:any' } },
    },
    routes: [{ path: '/documents/:id', require: 'document:read', resource: 'document', to: 'api' }],
  })
  api.owners.set('adas', ada.id)
  const auditor = await tokenOf(await newPerson('carol', 'auditor'))
  assert.equal((await ask('/documents/adas', as.ada)).status, 200)
  assert.equal((await ask('/documents/adas', as.bob)).status, 404)
  assert.equal((await ask('/documents/adas', as.root)).status, 200, '`*` covers it')
  assert.equal((await ask('/documents/adas', auditor)).status, 200)
  assert.equal((await ask('/documents/nothing', as.root)).body, 'no nothing here', 'who overrules hears the API itself')
})

test('AZ3 A56: policies are told whose it is, and no part of the path can say otherwise', async (context) => {
  const api = await startDocuments(context)
  const mine = { operator: 'equals', attribute: 'subject.id', value: { ref: 'resource.owner_id' } }
  const editor = { operator: 'equals', attribute: 'subject.role', value: 'admin' }
  const crowd = await startCrowd(context, {
    ...configOf(api.url),
    policies: [
      { name: 'mine', version: '1.0', rules: [{ condition: mine, effect: 'allow' }] },
      {
        name: 'known',
        version: '1.0',
        rules: [{ condition: { operator: 'exists', attribute: 'resource.owner_id' }, effect: 'allow' }],
      },
      { name: 'theirs', version: '1.0', rules: [{ condition: { any: [mine, editor] }, effect: 'allow' }] },
    ],
    resources: {
      told: {
        owner: { lookup: '/internal/documents/:id', header: 'X-Owner-Id', decidedBy: 'policy' },
        policy: 'theirs',
      },
      known: { owner: { lookup: '/internal/documents/:id', field: 'owner_id' }, policy: 'known' },
      both: { owner: { lookup: '/internal/documents/:id', field: 'owner_id' }, policy: 'mine' },
    },
    routes: [
      { path: '/told/:owner_id/:id', require: 'document:read', resource: 'told', to: 'api' },
      { path: '/known/:owner_id/:id', require: 'document:read', resource: 'known', to: 'api' },
      { path: '/both/:owner_id/:id', require: 'document:read', resource: 'both', to: 'api' },
      {
        path: '/param/:owner_id/:id',
        require: 'document:read',
        owner: { param: 'id', decidedBy: 'policy' },
        policy: 'mine',
        to: 'api',
      },
      {
        path: '/answer/:owner_id/:id',
        methods: ['GET'],
        require: 'document:read',
        owner: { answer: 'X-Owner-Id' },
        policy: 'mine',
        to: 'api',
      },
    ],
  })
  const { ada, bob, as, ask } = crowd
  api.owners.set('adas', ada.id).set(ada.id, null)
  const statuses = async (path: string): Promise<number[]> => [
    (await ask(path, as.ada)).status,
    (await ask(path, as.bob)).status,
    (await ask(path, as.root)).status,
  ]
  assert.deepEqual(await statuses(`/told/${bob.id}/adas`), [200, 403, 200])
  assert.deepEqual(
    await statuses(`/told/${bob.id}/nothing`),
    [403, 403, 404],
    'nobody’s to the policy, and then the API’s own answer',
  )
  assert.deepEqual(await statuses(`/both/${bob.id}/adas`), [200, 404, 403], 'both have to permit')
  assert.deepEqual(await statuses(`/both/${bob.id}/nothing`), [404, 404, 403])
  assert.deepEqual(await statuses(`/known/${bob.id}/adas`), [200, 404, 200], 'also of who overrules the owner')
  assert.deepEqual(await statuses(`/known/${bob.id}/nothing`), [404, 404, 403])
  assert.deepEqual(await statuses(`/param/${bob.id}/${ada.id}`), [200, 403, 403])
  assert.deepEqual(await statuses(`/answer/${bob.id}/adas`), [403, 403, 403], 'no owner is known before the answer')
})

test('AZ3: a path that is spelled in another way is about the same thing, or about nothing', async (context) => {
  const api = await startDocuments(context)
  const { as, ask, ada } = await startCrowd(
    context,
    configOf(api.url, { resources: { document: { owner: { ...found, cache: '0s' } } } }),
  )
  api.owners
    .set('a b', ada.id)
    .set('ä', ada.id)
    .set('..', ada.id)
    .set('a%2Fb', ada.id)
    .set('%FF', ada.id)
    .set('a;b?c#d', ada.id)
  const first = ada.id.slice(0, 1)
  api.owners.set('tasks', null)
  // biome-ignore format: a table
  const spelled: readonly (readonly [path: string, status: number, question: string | undefined])[] = [
    ['/documents/a%20b',       200, 'GET /internal/documents/a%20b'],
    ['/documents/%61%20%62',   200, 'GET /internal/documents/a%20b'],
    ['/documents/%c3%a4',      200, 'GET /internal/documents/%C3%A4'],
    ['/documents/a%3bb%3fc%23d', 200, 'GET /internal/documents/a%3Bb%3Fc%23d'],
    ['/documents/a%252Fb',     200, 'GET /internal/documents/a%252Fb'],
    ['/documents/a%2Fb',       400, undefined],
    ['/documents/%2E%2E',      400, undefined],
    ['/documents/..',          400, undefined],
    ['/documents/%FF',         404, undefined],
    ['/documents/%00',         400, undefined],
    ['/documents/a%0d%0ab',    404, 'GET /internal/documents/a%0D%0Ab'],
    ['/documents/',            404, undefined],
    [`/users/%3${first}${ada.id.slice(1)}/tasks`, 200, undefined],
    [`/users/${ada.id.toUpperCase()}/tasks`, 404, undefined],
    [`/users/${ada.id}%20/tasks`, 404, undefined],
    [`/users/${ada.id};a=b/tasks`, 404, undefined],
    [`/users/%FF${ada.id}/tasks`, 404, undefined],
    [`/users/${ada.id}/tasks/`, 404, undefined],
  ]
  for (const [path, status, question] of spelled) {
    const before = api.reached.length
    assert.equal((await ask(path, as.ada)).status, status, path)
    assert.equal(
      api.reached.slice(before).find((one) => one.startsWith('GET /internal')),
      question,
      path,
    )
  }
})

test('AZ3: a WebSocket opens for the owner alone', async (context) => {
  const sockets = new WebSocketServer({ noServer: true })
  let owner = ''
  const upstream = await startUpstream(context, (_request, response) => void response.end(JSON.stringify({ owner })))
  upstream.server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (opened) => opened.send('hello')),
  )
  const crowd = await startCrowd(context, {
    ...configOf(upstream.url),
    routes: [
      {
        path: '/rooms/:id',
        require: 'document:read',
        owner: { lookup: '/internal/rooms/:id', field: 'owner' },
        resource: 'room',
        websocket: true,
        to: 'api',
      },
    ],
  })
  owner = crowd.ada.id
  const open = (fields: Fields): Promise<string> => {
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
    const key = 'dGhlIHNhbXBsZSBub25jZQ=='
    return rawExchange(
      crowd.port,
      `GET /rooms/1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${lines.join('')}\r\n`,
    )
  }
  assert.match(await open(crowd.as.ada), /^HTTP\/1\.1 101 [\s\S]*hello/)
  assert.match(await open(crowd.as.bob), /^HTTP\/1\.1 404 /)
  assert.match(await open(crowd.as.root), /^HTTP\/1\.1 101 /)
  for (const socket of sockets.clients) socket.terminate()
})

test('AZ3: a caller who leaves while the owner is asked for takes nobody’s answer along, and nothing goes on for them', async (context) => {
  const api = await startDocuments(context)
  const crowd = await startCrowd(context, configOf(api.url))
  const { as, ada, port, ask } = crowd
  api.owners.set('adas', ada.id)
  let release = (): void => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const asked = new Promise<void>((resolve) => {
    api.instead = (request, response) => {
      if (!(request.url ?? '').startsWith('/internal')) return false
      resolve()
      void held.then(() => response.end(JSON.stringify({ owner_id: ada.id })))
      return true
    }
  })
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /documents/adas HTTP/1.1\r\nHost: a\r\nAuthorization: ${as.ada['authorization']}\r\n\r\n`)
  await asked
  const waiting = ask('/documents/adas', as.ada)
  await eventually(() => (crowd.house.gate.inFlight === 2 ? true : undefined))
  socket.destroy()
  await once(socket, 'close')
  await pause(50) // the gate hears of it too
  release()
  assert.equal((await waiting).status, 200)
  assert.deepEqual(api.reached, ['GET /internal/documents/adas', 'GET /documents/adas'])
})
