import assert from 'node:assert/strict'
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { Log } from '../../src/kernel/log.ts'
import { testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, startHouse, startUpstream } from '../support/house.ts'
import { configOf, type DocumentsApi, found, startCrowd, startDocuments } from './owners.ts'

/** What the log is told, as text. */
function listening(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = []
  const note = (...all: unknown[]): void => void lines.push(JSON.stringify(all))
  return { log: { debug() {}, info() {}, warn: note, error: note } as unknown as Log, lines }
}

const isQuestion = ({ url = '' }: IncomingMessage): boolean => url.startsWith('/internal/')

/** Lets the API answer questions about owners by this, and everything else as ever. */
function answering(api: DocumentsApi, by: (response: ServerResponse, request: IncomingMessage) => void): void {
  api.instead = (request, response) => {
    if (!isQuestion(request)) return false
    by(response, request)
    return true
  }
}

test('AZ3: a question that is not answered well permits nobody, is told apart from “not there”, and is not kept', async (context) => {
  const api = await startDocuments(context)
  const { log, lines } = listening()
  const crowd = await startCrowd(
    context,
    configOf(api.url, { resources: { document: { owner: { ...found, deadline: '250ms' } } } }),
    { log },
  )
  const { as, ask, ada } = crowd
  api.owners.set('1', ada.id)
  const json = (text: string | Buffer) => (response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(text)
  const good = JSON.stringify({ owner_id: ada.id })
  // biome-ignore format: a table, one line to an answer
  const bad: Readonly<Record<string, (response: ServerResponse, request: IncomingMessage) => void>> = {
    'none at all':                      () => {},
    'a head, and then nothing':         (response) => void response.writeHead(200).write('{'),
    'one byte after the other':         (response) => { response.writeHead(200); const drip = setInterval(() => response.write(' '), 20); response.on('close', () => clearInterval(drip)) },
    'broken off before the head':       (response) => void response.socket?.destroy(),
    'broken off in the middle':         (response) => { response.writeHead(200, { 'content-length': 100 }).write(good); setTimeout(() => response.socket?.destroy(), 20) },
    'a redirect to a good answer':      (response, { url }) => void (url?.endsWith('again') === true ? json(good)(response) : response.writeHead(302, { location: `${url}/again` }).end(good)),
    'an error with a good body':        (response) => void response.writeHead(500).end(good),
    '401':                              (response) => void response.writeHead(401).end(good),
    '204':                              (response) => void response.writeHead(204).end(),
    '206':                              (response) => void response.writeHead(206).end(good),
    'too much':                         json(JSON.stringify({ owner_id: ada.id, more: 'x'.repeat(70_000) })),
    'too much, and more':               (response) => { response.writeHead(200); const pour = (): void => { while (response.write('x'.repeat(16_384))); }; response.on('drain', pour); pour() },
    'HTML':                             json('<html>please sign in</html>'),
    'nothing':                          json(''),
    'a text':                           json(JSON.stringify(ada.id)),
    'no such field':                    json('{"owner":"x"}'),
    'a field of another name, by case': json(JSON.stringify({ Owner_Id: ada.id })),
    'two owners':                       json(`{"owner_id":"x","owner_id":"${ada.id}"}`),
    'an owner that every object has':   json('{"__proto__":{"owner_id":"x"}}'),
    'a list':                           json(JSON.stringify({ owner_id: [ada.id] })),
    'true':                             json('{"owner_id":true}'),
    'no name':                          json('{"owner_id":""}'),
    'a long one':                       json(JSON.stringify({ owner_id: 'x'.repeat(257) })),
    'a number that is not exact':       json('{"owner_id":9007199254740993}'),
    'a fraction':                       json('{"owner_id":1.5}'),
    'no UTF-8':                         json(Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from(`","owner_id":"${ada.id}"}`)])),
  }
  for (const [name, by] of Object.entries(bad)) {
    answering(api, by)
    const began = performance.now()
    const answer = await ask('/documents/1', as.ada)
    assert.equal(answer.status, 503, name)
    assert.ok(performance.now() - began < 1_500, `${name} took too long`)
    assert.match(answer.body, /"code":"unavailable"/)
    assert.doesNotMatch(answer.body, /internal|owner|127\.0\.0\.1/, 'the caller is not told why')
    assert.equal(answer.headers['retry-after'], '1')
    assert.match(lines.at(-1) ?? '', /upstream `api`/, `the log says why: ${name}`)
  }
  assert.ok(!api.reached.some((one) => one.startsWith('GET /documents') || one.endsWith('/again')))
  api.instead = undefined
  assert.equal((await ask('/documents/1', as.ada)).status, 200, 'nothing of it is remembered')
  assert.equal((await ask('/documents/1', as.root)).status, 200)
  answering(api, () => {})
  assert.equal((await ask('/documents/2', as.root)).status, 404, 'who overrules needs no answer')
  const last = (await crowd.events()).filter(({ result }) => result === 'error').at(-1)
  assert.match(String(last?.details['decided']), /its owner could not be found out/)
})

test('AZ3: an owner may be a number, and nobody where there is none; 410 is gone', async (context) => {
  const api = await startDocuments(context)
  const { as, ask } = await startCrowd(context, configOf(api.url))
  api.owners.set('1', null)
  answering(api, (response) => void response.end('{"owner_id":17}'))
  assert.equal((await ask('/documents/1', as.ada)).status, 404)
  answering(api, (response) => void response.end('{"owner_id":null}'))
  assert.equal((await ask('/documents/1', as.ada)).status, 404)
  answering(api, (response) => void response.writeHead(410).end('{"owner_id":null}'))
  assert.equal((await ask('/documents/1', as.ada)).status, 404)
})

test('AZ3: the house asks in its own name, and tells nothing of the caller', async (context) => {
  const asked: IncomingMessage[] = []
  const second = await startUpstream(context, (request, response) => {
    asked.push(request)
    response.end('{"owner_id":"x"}')
  })
  const api = await startUpstream(context, mirror)
  const { url, ask, as } = await startCrowd(context, {
    ...configOf(api.url),
    upstreams: {
      api: api.url,
      signed: { url: `${second.url}/base`, signature: true },
      plain: { url: second.url, assertion: false },
    },
    resources: { document: { owner: { ...found, to: 'signed' } }, other: { owner: { ...found, to: 'plain' } } },
    routes: [
      { path: '/documents/:id', require: 'document:read', resource: 'document', to: 'api' },
      { path: '/others/:id', require: 'document:read', resource: 'other', to: 'api' },
    ],
  })
  const own = {
    ...as.ada,
    'x-request-id': 'trace-1',
    cookie: 'a=b',
    'x-other': '1',
    'x-gatehouse-user': 'root',
    forwarded: 'for=1.1.1.1',
  }
  await ask('/documents/a%20b?c=d', own)
  await ask('/others/1', own)
  const [signed, plain] = asked.map(({ headers, url: path, method }) => ({ headers, path, method }))
  assert.ok(signed !== undefined && plain !== undefined)
  assert.deepEqual([signed.method, signed.path], ['GET', '/base/internal/documents/a%20b'])
  const { payload } = await jwtVerify(
    String(signed.headers['x-gatehouse-assertion']),
    createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`)),
    { issuer: 'https://gate.example.com', audience: 'signed', typ: 'gatehouse-assertion+jwt' },
  )
  assert.deepEqual([payload.sub, payload['sub_type'], payload['permissions']], ['gatehouse', 'service', []])
  assert.equal(plain.headers['x-gatehouse-assertion'], undefined)
  assert.equal(plain.headers['signature'], undefined)
  for (const { headers } of [signed, plain]) {
    assert.equal(headers['x-request-id'], 'trace-1')
    assert.equal(headers['x-gatehouse-request-id'], 'trace-1')
    assert.match(String(headers.via), /^1\.1 gatehouse-/, 'so that no house asks itself')
    for (const name of ['authorization', 'cookie', 'x-other', 'x-gatehouse-user', 'forwarded', 'x-forwarded-for'])
      assert.equal(headers[name], undefined, name)
  }
  const input = String(signed.headers['signature-input']).replace(/^gatehouse=/, '')
  const covered = [...(/^\(([^)]*)\)/.exec(input)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(([, name]) => String(name))
  const values: Readonly<Record<string, string>> = {
    '@method': 'GET',
    '@authority': String(signed.headers.host),
    '@path': String(signed.path),
    '@query': '?',
  }
  const base = [
    ...covered.map((name) => `"${name}": ${values[name] ?? String(signed.headers[name])}`),
    `"@signature-params": ${input}`,
  ].join('\n')
  const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as {
    readonly keys: readonly JsonWebKey[]
  }
  const signature = /:(.*):/.exec(String(signed.headers['signature']))?.[1] ?? ''
  assert.ok(
    keys.some((key) =>
      verify(null, Buffer.from(base), createPublicKey({ key, format: 'jwk' }), Buffer.from(signature, 'base64')),
    ),
    'the question is signed like every other request',
  )
})

test('AZ3: what is known for a while lets the owner in, keeps nobody out, and is asked anew before anything changes', async (context) => {
  const api = await startDocuments(context)
  const clock = testClock(Date.now())
  const crowd = await startCrowd(context, configOf(api.url), { clock })
  const { as, ask, ada, bob } = crowd
  api.owners.set('1', ada.id)
  const count = async (...asked: Parameters<typeof ask>): Promise<readonly [number, number]> => {
    const { status } = await ask(...asked)
    return [status, api.questions()]
  }
  assert.deepEqual(await count('/documents/1', as.ada), [200, 1])
  assert.deepEqual(await count('/documents/1', as.ada), [200, 0], 'known')
  assert.deepEqual(await count('/documents/1', as.ada, 'HEAD'), [200, 0])
  assert.deepEqual(await count('/documents/1', as.bob), [404, 1], 'a quick no would say that it is there')
  assert.deepEqual(await count('/documents/1', as.bob), [404, 1])
  assert.deepEqual(await count('/documents/2', as.ada), [404, 1])
  assert.deepEqual(await count('/documents/2', as.ada), [404, 1], 'that nothing is there is not kept')
  assert.deepEqual(await count('/documents/1', as.root), [200, 0])
  clock.advance(4_999)
  assert.deepEqual(await count('/documents/1', as.bob), [404, 1], 'a question of somebody else’s renews it')
  clock.advance(4_999)
  assert.deepEqual(await count('/documents/1', as.ada), [200, 0])
  clock.advance(1)
  assert.deepEqual(await count('/documents/1', as.ada), [200, 1], 'as old as its question')

  api.owners.set('1', bob.id) // by another way than this gate
  assert.deepEqual(await count('/documents/1', as.ada), [200, 0], 'for five seconds she may still read')
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
    assert.deepEqual(await count('/documents/1', as.ada, method), [404, 1], method)
  assert.deepEqual(await count('/documents/1', as.ada), [404, 1], 'and not once it is known otherwise')
  assert.deepEqual(await count('/documents/1', as.bob), [200, 0], 'nor does he wait')
  assert.deepEqual(await count('/documents/1', as.bob, 'PATCH'), [200, 1])
  api.owners.set('1', ada.id)
  assert.deepEqual(await count('/documents/1', as.bob), [404, 1], 'what went through this gate may have changed hands')
})

test('AZ3: what is asked while something changes hands is not kept', async (context) => {
  const api = await startDocuments(context)
  const { as, ask, ada, bob } = await startCrowd(context, configOf(api.url))
  api.owners.set('1', ada.id)
  const held: (() => void)[] = []
  answering(api, (response) => {
    const owner = api.owners.get('1') // as it was when it was asked
    held.push(() => response.end(JSON.stringify({ owner_id: owner })))
  })
  const asked = (): Promise<() => void> => eventually(() => held.shift())
  const reading = ask('/documents/1', as.ada)
  const answerRead = await asked()
  api.owners.set('1', bob.id)
  const deleting = ask('/documents/1', as.ada, 'DELETE')
  await pause(20)
  answerRead()
  assert.equal((await reading).status, 200, 'it was hers when she asked')
  const answerDelete = await asked()
  answerDelete()
  assert.equal((await deleting).status, 404, 'a change waits for a question of its own')
  const again = ask('/documents/1', as.ada)
  const answerAgain = await asked()
  answerAgain()
  assert.equal((await again).status, 404, 'what she read by is not kept')
})

test('AZ3: what is known from before a change was answered does not outlast it', async (context) => {
  const api = await startDocuments(context)
  const { as, ask, ada, bob } = await startCrowd(context, configOf(api.url))
  api.owners.set('1', ada.id)
  let giveAway = (): void => {}
  api.instead = ({ method }, response) => {
    if (method !== 'PATCH') return false
    giveAway = () => {
      api.owners.set('1', bob.id)
      response.end('it is his')
    }
    return true
  }
  const giving = ask('/documents/1', as.ada, 'PATCH')
  await eventually(() => (api.reached.includes('PATCH /documents/1') ? true : undefined))
  assert.equal((await ask('/documents/1', as.ada)).status, 200)
  giveAway()
  assert.equal((await giving).body, 'it is his')
  assert.equal((await ask('/documents/1', as.ada)).status, 404)
})

test('AZ3: many requests of one caller are one question, one after the other where they are about to change it', async (context) => {
  const api = await startDocuments(context)
  const { as, ask, ada } = await startCrowd(context, configOf(api.url))
  api.owners.set('1', ada.id)
  let underWay = 0
  let atOnce = 0
  answering(api, (response) => {
    atOnce = Math.max(atOnce, ++underWay)
    setTimeout(() => {
      underWay--
      response.end(JSON.stringify({ owner_id: ada.id }))
    }, 60)
  })
  const many = (method: string, fields = as.ada): Promise<number>[] =>
    Array.from({ length: 40 }, async () => (await ask('/documents/1', fields, method)).status)
  assert.deepEqual(new Set(await Promise.all(many('GET'))), new Set([200]))
  assert.equal(api.questions(), 1)
  const [readers, writers, others] = [many('GET'), many('DELETE'), many('GET', as.bob)]
  assert.deepEqual(new Set(await Promise.all([...readers, ...writers])), new Set([200]))
  assert.deepEqual(new Set(await Promise.all(others)), new Set([404]))
  assert.ok(api.questions() <= 6, 'a few, and not one for each of 80')
  assert.equal(atOnce, 2, 'one for each of two callers')
})

test('AZ3: an upstream that is slow is not asked by everybody at once', async (context) => {
  const api = await startDocuments(context)
  const { log, lines } = listening()
  const { as, ask, ada } = await startCrowd(
    context,
    configOf(api.url, { resources: { document: { owner: { ...found, deadline: '5s' } } } }),
    { log },
  )
  const held: ServerResponse[] = []
  answering(api, (response) => void held.push(response))
  const waiting = Array.from({ length: 80 }, (_, at) => ask(`/documents/${at}`, as.ada))
  await eventually(() => (held.length === 64 ? true : undefined))
  const refused = await Promise.race(waiting)
  assert.equal(refused.status, 503)
  assert.match(lines.at(-1) ?? '', /64 questions/)
  await pause(100)
  assert.equal(held.length, 64)
  for (const response of held) response.end(JSON.stringify({ owner_id: ada.id }))
  const statuses = (await Promise.all(waiting)).map(({ status }) => status)
  assert.deepEqual(
    [statuses.filter((one) => one === 404).length, statuses.filter((one) => one === 503).length],
    [64, 16],
  )
  api.instead = undefined
  api.owners.set('1', ada.id)
  assert.equal((await ask('/documents/1', as.ada)).status, 200, 'and is asked again when it is done')
})

test('AZ3: a question that waits for a connection counts as asked until it has had one', async (context) => {
  const api = await startDocuments(context)
  const { as, ask, ada } = await startCrowd(context, {
    ...configOf(api.url),
    upstreams: { api: { url: api.url, connections: 1 } },
    resources: { document: { owner: { ...found, deadline: '100ms' } } },
  })
  api.owners.set('1', ada.id)
  const held: ServerResponse[] = []
  api.instead = (request, response) => request.url?.startsWith('/files') === true && held.push(response) > 0
  const slow = ask('/files/1', as.ada)
  await eventually(() => (held.length === 1 ? true : undefined))
  for (let turn = 0; turn < 3; turn++)
    assert.deepEqual(
      new Set(
        (await Promise.all(Array.from({ length: 30 }, (_, at) => ask(`/documents/${turn}-${at}`, as.ada)))).map(
          ({ status }) => status,
        ),
      ),
      new Set([503]),
    )
  held[0]?.writeHead(200, { 'x-owner-id': ada.id }).end('slow')
  assert.equal((await slow).status, 200)
  await eventually(async () => ((await ask('/documents/1', as.ada)).status === 200 ? true : undefined))
  assert.ok(api.reached.length < 10, `nobody asks for those who went long ago: ${api.reached.join(', ')}`)
})

test('AZ3: a changed configuration knows nothing of the one before', async (context) => {
  const api = await startDocuments(context)
  const crowd = await startCrowd(context, configOf(api.url))
  const { as, ask, ada, house } = crowd
  api.owners.set('1', ada.id)
  assert.equal((await ask('/documents/1', as.ada)).status, 200)
  api.owners.set('1', crowd.bob.id)
  await house.reload(house.settings)
  assert.equal((await ask('/documents/1', as.ada)).status, 404)
})

test('AZ3: embedded in a server of somebody else’s, the host’s handlers are asked by owners alone', async (context) => {
  const api = await startDocuments(context)
  const config = configOf(api.url)
  const { house, ada, as } = await startCrowd(context, {
    ...config,
    resources: { document: { owner: { ...found, to: 'api' } } },
    routes: [
      { path: '/users/:user_id/tasks', require: 'document:read', owner: { param: 'user_id' } },
      { path: '/documents/:id', require: 'document:read', resource: 'document' },
    ],
  })
  api.owners.set('Doc', ada.id)
  const handled: string[] = []
  const handle = house.fetch((request) => {
    handled.push(new URL(request.url).pathname)
    return new Response('from the host', { headers: { 'cache-control': 'no-store' } })
  })
  const ask = async (path: string, headers: Readonly<Record<string, string>>, method = 'GET'): Promise<number> =>
    (await handle(new Request(`http://host.example${path}`, { headers, method }), '127.0.0.1')).status
  assert.equal(await ask('/documents/Doc', as.ada), 200)
  assert.equal(await ask('/documents/Doc', as.ada, 'DELETE'), 200)
  assert.equal(await ask('/documents/Doc', as.bob), 404)
  assert.equal(await ask('/documents/nothing', as.ada), 404)
  assert.equal(await ask('/documents/doc', as.ada), 404)
  assert.equal(await ask(`/users/${ada.id}/tasks`, as.ada), 200)
  assert.equal(await ask(`/users/${ada.id}/tasks`, as.bob), 404)
  assert.deepEqual(handled, ['/documents/Doc', '/documents/Doc', `/users/${ada.id}/tasks`])
  assert.ok(api.reached.every((one) => one.startsWith('GET /internal/')))
})

test('AZ3: the bound of what is known holds for paths of any length', async (context) => {
  const upstream = await startUpstream(
    context,
    (_request, response) => void response.end(JSON.stringify({ owner_id: owner })),
  )
  let owner = ''
  const { ask, as, ada } = await startCrowd(context, configOf(upstream.url))
  owner = ada.id
  assert.equal((await ask(`/documents/${'1'.repeat(4_000)}`, as.ada)).status, 200)
  owner = 'somebody else'
  assert.equal((await ask(`/documents/${'1'.repeat(4_000)}`, as.ada)).status, 404, 'it is asked for, and not kept')
})

test('AZ3: an upstream behind a name that is not there is 503 too', async (context) => {
  const { url, signIn } = await startHouse(context, {
    ...configOf('http://127.0.0.1:1'),
    services: {},
  })
  const answer = await fetch(`${url}/documents/1`, { headers: { authorization: `Bearer ${await signIn()}` } })
  assert.equal(answer.status, 503)
})
