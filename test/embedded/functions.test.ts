// Functions and handlers behind the gate that ask for themselves: the same decisions, the same answers, the same record.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { serve } from '@hono/node-server'
import express from 'express'
import Fastify, { type FastifyRequest } from 'fastify'
import { type Context, Hono } from 'hono'
import type { Account } from '../../src/authn/account/accounts.ts'
import { parseConfig } from '../../src/config/parse.ts'
import type { Config } from '../../src/config/settings.ts'
import type { House } from '../../src/house.ts'
import { type AskedResource, NotAllowed } from '../../src/index.ts'
import { startHouse } from '../support/house.ts'

const password = 'a long enough passphrase'
const notes: Readonly<Record<string, string>> = {}
const config: Config = {
  limits: false,
  roles: { user: { permissions: ['chat:basic', 'note:write'] } },
  policies: [
    {
      name: 'drafts',
      version: '1.0',
      rules: [
        {
          description: 'Drafts are written by PUT',
          effect: 'allow',
          condition: { operator: 'equals', attribute: 'action.method', value: 'PUT' },
        },
      ],
    },
  ],
  resources: { note: { owner: { param: 'owner' } }, draft: { policy: 'drafts' } },
  routes: [{ path: '/*', access: 'public' }],
}

const releases: (() => unknown)[] = []
let house: House
const people: Record<string, Account> = {}
const tokens: Record<string, string> = {}

before(async () => {
  const file = { after: (release: () => unknown) => void releases.push(release) } as Parameters<typeof startHouse>[0]
  const started = await startHouse(file, config)
  house = started.house
  for (const [name, ...roles] of [['ada', 'user'], ['eve', 'user'], ['root', 'admin'], ['idle']] as const) {
    const email = `${name}@embedded.example`
    const created = await house.accounts.create(house.store.db, { email, name, password, roles: [...roles] })
    assert.ok('account' in created)
    people[name] = created.account
    const answer = await fetch(`${started.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    })
    tokens[name] = ((await answer.json()) as { access_token: string }).access_token
  }
  Object.assign(notes, { hers: people['ada']?.id, evil: people['eve']?.id })
})
after(async () => {
  for (const release of releases.toReversed()) await release()
})

/** What the database of the host says, as such a thing may: later, and not of everything. */
async function noteOf(id: string | undefined): Promise<AskedResource | undefined> {
  await new Promise((resolve) => setImmediate(resolve))
  if (id === 'broken') throw new Error('the database failed')
  const owner_id = notes[id ?? '']
  return owner_id === undefined ? undefined : { type: 'note', id, owner_id }
}

function erase(request: object, id: string | undefined): void {
  const owner_id = notes[id ?? '']
  house.authorize(
    house.visit(request)?.principal,
    'note:write',
    owner_id === undefined ? null : { type: 'note', owner_id },
  )
}

const draft = (): AskedResource => ({ type: 'draft' })

type Serve = (context: TestContext) => Promise<string>

const frameworks: Readonly<Record<string, Serve>> = {
  async express(context) {
    const app = express()
    app.use(house.express())
    app.get('/chat', house.require('chat:basic'), (_request, response) => void response.send('done'))
    app.get(
      '/notes/:id',
      house.require('note:write', (request: express.Request<{ id: string }>) => noteOf(request.params.id)),
      (_request, response) => void response.send('done'),
    )
    app.put('/drafts', house.require('note:write', draft), (_request, response) => void response.send('done'))
    app.get('/drafts', house.require('note:write', draft), (_request, response) => void response.send('done'))
    app.delete('/notes/:id', (request, response) => {
      erase(request, request.params.id)
      response.send('done')
    })
    app.use(house.refused)
    app.use((_error: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
      response.status(500).send('failed')
    })
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    context.after(() => {
      server.closeAllConnections()
      server.close()
    })
    return addressOf(server.address())
  },
  async fastify(context) {
    const app = Fastify()
    await app.register(house.fastify as never)
    app.get('/chat', { preHandler: house.fastify.require('chat:basic') }, () => 'done')
    app.get<{ Params: { id: string } }>(
      '/notes/:id',
      {
        preHandler: house.fastify.require('note:write', (request: FastifyRequest<{ Params: { id: string } }>) =>
          noteOf(request.params.id),
        ),
      },
      () => 'done',
    )
    app.put('/drafts', { preHandler: house.fastify.require('note:write', draft) }, () => 'done')
    app.get('/drafts', { preHandler: house.fastify.require('note:write', draft) }, () => 'done')
    app.delete<{ Params: { id: string } }>('/notes/:id', (request) => {
      erase(request, request.params.id)
      return 'done'
    })
    context.after(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  async hono(context) {
    const app = new Hono()
    app.use(house.hono() as never)
    app.get('/chat', house.hono.require('chat:basic'), (c) => c.text('done'))
    app.get(
      '/notes/:id',
      house.hono.require('note:write', (c: Context) => noteOf(c.req.param('id'))),
      (c) => c.text('done'),
    )
    app.put('/drafts', house.hono.require('note:write', draft), (c) => c.text('done'))
    app.get('/drafts', house.hono.require('note:write', draft), (c) => c.text('done'))
    app.delete('/notes/:id', (c) => {
      erase(c.req.raw, c.req.param('id'))
      return c.text('done')
    })
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
    context.after(() => void server.close())
    await once(server, 'listening')
    return addressOf(server.address())
  },
}

function addressOf(address: AddressInfo | string | null): string {
  return `http://127.0.0.1:${(address as AddressInfo).port}`
}

interface Told {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  readonly code: string | undefined
  readonly error: string | undefined
}

async function tell(url: string, path: string, who?: string, method = 'GET'): Promise<Told> {
  const authorization: Record<string, string> = who === undefined ? {} : { authorization: `Bearer ${tokens[who]}` }
  const answer = await fetch(url + path, {
    method,
    headers: { ...authorization, 'x-request-id': `${who}-${method}-1` },
  })
  const body = await answer.text()
  const { code, error } = body.startsWith('{') ? (JSON.parse(body) as { code?: string; error?: string }) : {}
  return { status: answer.status, headers: answer.headers, body, code, error }
}

/** The record of the newest request of a path. */
async function recorded(path: string, action: string): Promise<Record<string, unknown>> {
  for (let wait = 0; wait < 100 && house.gate.inFlight > 0; wait++)
    await new Promise((resolve) => setTimeout(resolve, 5))
  await house.audit.flush()
  const rows = await house.store.db.selectFrom('audit_events').select('body').orderBy('seq', 'desc').limit(20).execute()
  const events = rows.map(
    ({ body }) =>
      JSON.parse(body) as { type: string; action: string; details: Record<string, unknown>; result: string },
  )
  const found = events.find(({ action: its, details }) => its === action && (path === '' || details['path'] === path))
  return found === undefined ? {} : { type: found.type, result: found.result, ...found.details }
}

for (const [name, serveWith] of Object.entries(frameworks)) {
  test(`AZ2, ${name}: a handler that demands a permission refuses like the gate, and the record says why`, async (context) => {
    const url = await serveWith(context)
    assert.equal((await tell(url, '/chat', 'ada')).body, 'done')
    const refused = await tell(url, '/chat', 'idle')
    assert.deepEqual(
      [refused.status, refused.code, refused.error],
      [403, 'permission-required', "Permission 'chat:basic' required"],
    )
    assert.match(refused.headers.get('content-type') ?? '', /^application\/problem\+json/)
    assert.equal(refused.headers.get('x-request-id'), 'idle-GET-1')
    assert.equal(refused.headers.get('x-frame-options'), 'DENY')
    const { type, result, because, decided } = await recorded('/chat', 'refused')
    assert.deepEqual(
      [type, result, because, decided],
      ['authorization_failure', 'denied', 'permission-required', 'roles (none) do not hold `chat:basic`'],
    )
    const stranger = await tell(url, '/chat')
    assert.deepEqual([stranger.status, stranger.code], [401, 'credentials-required'])
    assert.match(stranger.headers.get('www-authenticate') ?? '', /^Bearer realm="gatehouse"/)
  })

  test(`AZ3, ${name}: what is somebody else’s is answered like what is not there, before the handler runs`, async (context) => {
    const url = await serveWith(context)
    assert.equal((await tell(url, '/notes/hers', 'ada')).body, 'done')
    assert.equal((await tell(url, '/notes/hers', 'root')).body, 'done')
    const [foreign, absent] = [await tell(url, '/notes/evil', 'ada'), await tell(url, '/notes/none', 'ada')]
    assert.deepEqual([foreign.status, foreign.code], [404, 'not-found'])
    assert.equal(foreign.body, absent.body)
    assert.equal((await tell(url, '/notes/hers', 'idle')).status, 403, 'the permission comes first')
    const { type, decided, result } = await recorded('/notes/none', 'refused')
    assert.deepEqual([type, result, decided], ['authorization_failure', 'denied', 'there is no such thing'])
    assert.equal((await tell(url, '/notes/broken', 'ada')).status, 500, 'a database that fails lets nobody in')
  })

  test(`AZ4, ${name}: policies of the resource’s type are told of the request`, async (context) => {
    const url = await serveWith(context)
    assert.equal((await tell(url, '/drafts', 'ada', 'PUT')).body, 'done')
    const refused = await tell(url, '/drafts', 'ada')
    assert.deepEqual([refused.status, refused.error], [403, 'Not allowed'])
    assert.match(String((await recorded('/drafts', 'refused'))['decided']), /policy `drafts`: no rule matches/)
  })

  test(`AZ2, ${name}: what a function refuses is answered as what it is, and recorded with the request`, async (context) => {
    const url = await serveWith(context)
    assert.equal((await tell(url, '/notes/hers', 'ada', 'DELETE')).body, 'done')
    for (const id of ['evil', 'none']) assert.equal((await tell(url, `/notes/${id}`, 'ada', 'DELETE')).status, 404)
    const refused = await tell(url, '/notes/hers', 'idle', 'DELETE')
    assert.deepEqual(
      [refused.status, (await recorded('/notes/hers', 'refused'))['decided']],
      [403, 'roles (none) do not hold `note:write`'],
    )
    assert.ok(refused.body.includes("Permission 'note:write' required"), refused.body)
    assert.ok(!refused.body.includes('do not hold'))
    assert.equal((await tell(url, '/notes/hers', undefined, 'DELETE')).status, 401)
    const { type, result, action, decided } = await recorded('', 'evaluated')
    assert.deepEqual(
      [type, result, action, decided],
      ['authorization_failure', 'denied', 'note:write', 'the caller is not known'],
    )
  })
}

test('AZ2, fetch: what the handler’s functions refuse is answered as the gate answers', async () => {
  const handler = house.fetch((request, visit) => {
    house.authorize(visit.principal, 'note:write', {
      type: 'note',
      owner_id: notes[new URL(request.url).pathname.slice(7)],
    })
    return new Response('done')
  })
  const ask = (path: string, who: string): Promise<Response> =>
    handler(
      new Request(`http://gate.example${path}`, { headers: { authorization: `Bearer ${tokens[who]}` } }),
      '192.0.2.1',
    )
  assert.equal(await (await ask('/notes/hers', 'ada')).text(), 'done')
  const foreign = await ask('/notes/evil', 'ada')
  assert.deepEqual([foreign.status, foreign.headers.get('content-type')], [404, 'application/problem+json'])
  assert.ok(((await foreign.json()) as { request_id: string }).request_id, 'it has the id of its request')
  assert.equal((await ask('/notes/hers', 'idle')).status, 403)
  assert.equal((await recorded('/notes/hers', 'refused'))['because'], 'permission-required')
})

test('AZ2: `can` and `decide` wait for nothing, and `authorize` throws what a host can answer with', () => {
  const [ada, idle] = ['ada', 'idle'].map((name) => {
    const { id, roles } = people[name] ?? assert.fail()
    return { ...nobody, type: 'user' as const, id, roles, permissions: new Set(name === 'ada' ? ['note:write'] : []) }
  }) as unknown as [Asker, Asker]
  assert.equal(house.can(ada, 'note:write'), true)
  assert.equal(house.can(idle, 'note:write'), false)
  assert.equal(house.can(undefined, 'note:write'), false)
  assert.equal(house.can(ada, 'note:write', { type: 'note', owner_id: ada.id }), true)
  assert.equal(house.can(ada, 'note:write', { type: 'note', owner_id: idle.id }), false)
  assert.equal(house.can(ada, 'note:write', null), false)
  assert.deepEqual(house.decide(idle, 'note:write'), {
    effect: 'deny',
    because: 'roles (none) do not hold `note:write`',
    lacks: { kind: 'permission', permission: 'note:write' },
  })
  const agent = { ...nobody, type: 'agent' as const, id: 'agent-7', permissions: new Set(['note:read', 'chat:*']) }
  const both = house.onBehalf(ada, agent)
  assert.equal(house.can(both, 'note:write'), false, 'A57: no more than both of them may')
  assert.equal(house.can(house.onBehalf({ ...ada, permissions: new Set(['*']) }, agent), 'chat:basic'), true)
  assert.doesNotThrow(() => house.authorize(ada, 'note:write'))
  assert.throws(
    () => house.authorize(idle, 'note:write'),
    (error: unknown) => {
      assert.ok(error instanceof NotAllowed)
      assert.deepEqual(
        [error.status, error.statusCode, error.code, error.message],
        [403, 403, 'permission-required', "Permission 'note:write' required"],
      )
      assert.deepEqual([error.problem.status, error.problem.error], [403, "Permission 'note:write' required"])
      assert.equal(error.getResponse().status, 403)
      assert.doesNotMatch(JSON.stringify(error), /do not hold/)
      return true
    },
  )
  assert.throws(() => house.authorize(undefined, 'note:write'), { code: 'credentials-required', status: 401 })
  // What no type allows and a host in JavaScript passes all the same.
  for (const nothing of [null, undefined] as unknown as readonly Asker[]) {
    assert.equal(house.can(nothing, 'note:write'), false)
    assert.throws(() => house.authorize(nothing, 'note:write'), { code: 'credentials-required' })
  }
  for (const action of [undefined, '', 7, Symbol('note:write'), Object.create(null)] as unknown as readonly string[])
    assert.throws(() => house.authorize(ada, action), { code: 'permission-required' })
})

test('AZ5: a guard that does not stand behind the gate lets nobody on', async () => {
  let passed = 0
  const request = new Request('http://gate.example/')
  await assert.rejects(house.fastify.require('chat:basic')({ raw: {} as never }, {} as never), /stands behind the gate/)
  await assert.rejects(
    house.hono.require('chat:basic')({ req: { raw: request } } as never, async () => void passed++),
    /behind the gate/,
  )
  house.require('chat:basic')({} as never, {} as never, (error) => {
    passed++
    assert.match(String(error), /behind the gate/)
  })
  assert.equal(passed, 1)
})

test('A56: a reload holds for the next question of a function', async () => {
  const ada = { ...nobody, type: 'user' as const, id: 'ada', roles: ['user'], permissions: new Set(['note:write']) }
  const note = { type: 'note', owner_id: 'somebody else' }
  assert.equal(house.can(ada, 'note:write', note), false)
  const next = parseConfig({ ...config, resources: { note: {} } }, {})
  assert.ok('settings' in next)
  const before = house.settings
  await house.reload({ ...before, resources: next.settings.resources })
  assert.equal(house.can(ada, 'note:write', note), true)
  await house.reload(before)
  assert.equal(house.can(ada, 'note:write', note), false)
})

const nobody = {
  credential: { kind: 'none' as const },
  roles: [] as readonly string[],
  scopes: new Set<string>(),
  attributes: {},
  actor: undefined,
  client: undefined,
  limit: undefined,
}
type Asker = Parameters<House['onBehalf']>[0]
