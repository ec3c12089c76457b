// Every endpoint of the house, asked by every kind of principal through a socket (AZ3, A55, A57).
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { covers } from '../../src/authz/permissions.ts'
import type { Plan } from '../../src/gate/plan.ts'
import { inboundOf } from '../../src/http/node.ts'
import { type Code, catalogue } from '../../src/kernel/error.ts'
import { contract, type EndpointName } from '../../src/wire/contract.ts'
import type { Endpoint } from '../../src/wire/shapes.ts'
import { publicUrl } from '../support/people.ts'
import { type Answer, type Caller, lendingScope, openScene, type Scene } from './callers.ts'
import { type Asked, machine, open, type PageRow, pages, type Row, table } from './endpoint-table.ts'
import { rootOf } from './root.ts'

/** What nobody may say in a body: who they are, whose it is, and what they may. */
const forged = {
  user_id: 'bob',
  sub: 'bob',
  id: 'bob',
  owner: { type: 'user', id: 'bob' },
  owner_id: 'bob',
  created_by: 'bob',
  act: { sub: 'bob' },
  roles: ['admin'],
  permissions: ['*'],
  is_admin: true,
}

const endpoints = Object.entries(contract) as readonly (readonly [EndpointName, Endpoint])[]
const userinfo = (['GET', 'POST'] as const).map(
  (method) =>
    ({
      method,
      path: '/oauth/userinfo',
      summary: '',
      access: 'authenticated',
      limit: 'general',
      delegable: true,
      scope: ['openid'],
    }) satisfies Endpoint,
)

/**
 * What the gate says to somebody at an endpoint, from what the endpoint declares of itself: a code, or that it lets them in.
 * It is said here once more, in other words than the house's own.
 */
function gate(endpoint: Endpoint, caller: Caller): Code | 'in' {
  const { access, method, delegable = false, scope = [], inPerson = false, recent = false } = endpoint
  const { is, wrong, page, holds, lends = ['*'], scopes, alone = false, acting = false, stale = false } = caller
  if (access === 'public') return 'in'
  if (wrong !== undefined) return wrong
  if (is === 'nobody') return 'credentials-required'
  if (page === 'foreign' && method !== 'GET') return 'cross-site'
  const permission = typeof access === 'string' ? undefined : access.permission
  const may = (held: readonly string[]): boolean => permission === undefined || covers(new Set(held), permission)
  if (!alone && !may(holds)) return 'permission-required'
  if (scopes === undefined && !may(lends)) return 'permission-required'
  if (scopes !== undefined) {
    const lender = permission === lendingScope.permission ? [lendingScope.name] : []
    const needed = [...scope, ...lender]
    if (permission !== undefined && lender.length === 0) return alone ? 'permission-required' : 'first-party-only'
    if (needed.length === 0 && !delegable) return 'first-party-only'
    if (needed.some((one) => !scopes.includes(one))) return 'insufficient-scope'
  }
  if (is === 'machine' && permission === undefined && !delegable) return 'first-party-only'
  if (inPerson && (acting || scopes !== undefined || is === 'machine')) return 'in-person-only'
  return recent && (stale || is === 'machine') ? 'step-up-required' : 'in'
}

describe('every endpoint, as every kind of principal', () => {
  const cleanups: (() => Promise<void> | void)[] = []
  let scene: Scene
  let plan: Plan

  before(async () => {
    scene = await openScene({ after: (fn: () => void) => cleanups.push(fn) } as never)
    plan = planOf(scene)
  })
  after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup()
  })

  test('AZ3: no endpoint, page or document of the house is missing from the table, and no row is about nothing', () => {
    const routes = plan.routes.flatMap(({ pattern, methods = [] }) => methods.map((method) => `${method} ${pattern}`))
    const known = [
      ...[...endpoints.map(([, endpoint]) => endpoint), ...userinfo].map(({ method, path }) => `${method} ${path}`),
      ...Object.keys(pages),
      ...Object.keys(machine),
    ]
    assert.deepEqual(routes.filter((route) => !isAsset(route)).toSorted(), known.toSorted())
    assert.deepEqual(Object.keys(table).toSorted(), Object.keys(contract).toSorted())
  })

  test('AZ5: what an endpoint leaves open is written down by hand, and administration demands a permission', () => {
    const which = (is: (endpoint: Endpoint) => boolean): string =>
      endpoints
        .flatMap(([name, endpoint]) => (is(endpoint) ? [name] : []))
        .toSorted()
        .join(' ')
    const changes = ({ method, access }: Endpoint): boolean => method !== 'GET' && access !== 'public'
    assert.equal(
      which(({ access }) => access === 'public'),
      open.public,
    )
    assert.equal(
      which(({ delegable }) => delegable === true),
      open.delegable,
    )
    assert.equal(
      which((one) => changes(one) && one.inPerson !== true),
      open.acting,
    )
    assert.equal(
      which((one) => changes(one) && one.recent !== true),
      open.old,
    )
    assert.equal(
      which(({ access }) => typeof access === 'object'),
      which(
        ({ path }) => path.startsWith('/api/admin/') || path.startsWith('/access/') || path.startsWith('/api/sandbox/'),
      ),
    )
  })

  for (const [name, endpoint] of endpoints) {
    const { method, path, body } = endpoint
    const row = table[name]
    test(`AZ3: ${method} ${path} lets in whom it says, and to everybody else changes nothing`, async () => {
      const outside = scene.callers.filter((caller) => gate(endpoint, caller) !== 'in')
      const inside = scene.callers.filter((caller) => gate(endpoint, caller) === 'in')
      assert.ok(inside.length > 0, 'nobody is let in')
      const before = await scene.rows()

      await each(outside, async (caller) => {
        const of = bobsOf(name)
        const [answer, ofBob] = await Promise.all([
          send(caller, endpoint, { ...row, params: row.absent }),
          of && send(caller, endpoint, { ...row, params: of }),
        ])
        const code = gate(endpoint, caller) as Code
        says(answer, catalogue[code].status, `${caller.name} (${code})`)
        assert.equal(answer.body['code'], code, caller.name)
        if (ofBob !== undefined) assert.deepEqual(told(ofBob), told(answer), `${caller.name}: bob’s is another answer`)
      })
      unchanged(before, await scene.rows())

      await each(
        inside,
        async (caller) => {
          if (row.ends) await caller.renew?.()
          const asked = { ...(body && { body: { ...row.body, ...forgeriesFor(row) } }), params: row.absent }
          const answer = await send(caller, endpoint, asked)
          const { letIn = path.includes(':') ? 404 : 200 } = row
          says(answer, body ? 422 : typeof letIn === 'number' ? letIn : letIn(caller), caller.name)
          if (body === undefined) return
          const errors = Object.entries((answer.body['errors'] ?? {}) as Record<string, string[]>)
          const expected = Object.keys(forgeriesFor(row)).map((field) => [field, ['is not a known field']])
          assert.deepEqual(errors.toSorted(), expected.toSorted(), `A55: ${caller.name}`)
        },
        row.ends ? 1 : 8,
      )
      if (method === 'GET' || body !== undefined) unchanged(before, await scene.rows())
      else bystanderIs(before, await scene.rows())
      if (row.ends) await renewAll()
    })
  }

  for (const { method, ...endpoint } of userinfo) {
    test(`AZ3: ${method} ${endpoint.path} speaks of whoever asks, as far as their scopes go`, async () => {
      const before = await scene.rows()
      await each(scene.callers, async (caller) => {
        const verdict = gate({ method, ...endpoint }, caller)
        const sent = method === 'GET' ? {} : { form: { sub: scene.bob.account.id } }
        const answer = await scene.ask(caller, method, endpoint.path, sent)
        const status = verdict !== 'in' ? catalogue[verdict].status : caller.account === undefined ? 404 : 200
        says(answer, status, caller.name)
        if (status === 200) assert.equal(answer.body['sub'], caller.account?.id)
      })
      unchanged(before, await scene.rows())
    })
  }

  test('A57: what belongs to somebody else is answered like what does not exist, and stays as it is', async () => {
    const before = await scene.rows()
    let probes = 0
    for (const [name, endpoint] of endpoints) {
      if (endpoint.access !== 'authenticated' || !endpoint.path.includes(':')) continue
      const { absent, body } = table[name]
      const foreign = ownedBy(scene)[name] ?? assert.fail(`whose \`${name}\` is it?`)
      for (const caller of scene.callers.filter((one) => gate(endpoint, one) === 'in')) {
        const nothing = await send(caller, endpoint, { params: absent, body })
        assert.equal(nothing.status, 404, `${name}, ${caller.name}`)
        for (const id of foreign) {
          const answer = await send(caller, endpoint, { params: [id], body })
          assert.deepEqual(told(answer), told(nothing), `${name} ${id}, ${caller.name}`)
          probes++
        }
      }
    }
    assert.ok(probes > 50, `${probes}`)
    unchanged(before, await scene.rows())
  })

  test('A57: a secret goes by its client or its service, and not by those of another', async () => {
    const root = rootOf(scene)
    const rows = [
      ['removeClientSecret', await root.client(), await root.client()],
      ['removeServiceSecret', await root.service(), await root.service()],
    ] as const
    const before = await scene.rows()
    for (const [name, [one], [, secret]] of rows) {
      const ask = (id: string): Promise<Answer> => send(scene.caller('root'), contract[name], { params: [one, id] })
      const answers = [await ask(secret), await ask(table[name].absent?.[1] ?? '')]
      assert.deepEqual(
        answers.map(({ status }) => status),
        [404, 404],
        name,
      )
      assert.deepEqual(told(answers[0]), told(answers[1]), name)
    }
    unchanged(before, await scene.rows())
  })

  test('A57: what a body names of somebody else is taken for nothing as well', async () => {
    const { id } = scene.bob.account
    const made = await rootOf(scene).key()
    const bobs = await scene.people.house.people.tickets.issue(scene.people.house.store.db, {
      purpose: 'passkey',
      subject: id,
      holds: { challenge: 'AAAA', userId: id, signIn: undefined },
      ttlMs: 600_000,
    })
    const credential = { id: scene.bob.passkey, rawId: scene.bob.passkey, type: 'public-key', response: {} }
    const showing = (challenge: string): Asked => ({ body: { challenge, credential } })
    const replacing = (replace: string): Asked => ({ params: [made], body: { replace } })
    const both = async (name: EndpointName, by: string, status: number, asked: readonly Asked[]): Promise<void> => {
      const answers = await Promise.all(asked.map((one) => send(scene.caller(by), contract[name], one)))
      for (const answer of answers) says(answer, status, name)
      assert.deepEqual(told(answers[0]), told(answers[1]), name)
    }
    await both('rotateKey', 'root', 409, [scene.bob.keys[0] ?? '', 'A'.repeat(15)].map(replacing))
    await both('stepUp', 'eve, another person', 401, [bobs, 'none'].map(showing))
    await both('addPasskey', 'eve, another person', 401, [bobs, 'none'].map(showing))
  })

  test('A57: the forms of the account page reach nothing of somebody else', async () => {
    const { sessions, passkey, grant, provider } = scene.bob
    const before = await scene.rows()
    const foreign: Readonly<Record<string, readonly [field: string, ids: readonly string[]]>> = {
      'sessions/end': ['session', sessions],
      'passkeys/remove': ['passkey', [passkey]],
      'applications/withdraw': ['application', [grant]],
      'identities/unlink': ['provider', [provider]],
    }
    for (const [form, [field, ids]] of Object.entries(foreign)) {
      const ask = (id: string): Promise<Answer> =>
        scene.ask(scene.caller('ada at her browser'), 'POST', `/auth/account/${form}`, { form: { [field]: id } })
      const nothing = await ask('none')
      for (const id of ids) assert.deepEqual(told(await ask(id)), told(nothing), `${form} ${id}`)
    }
    unchanged(before, await scene.rows())
  })

  test('A55: nobody is somebody else by a field, a parameter or a header', async () => {
    const { id } = scene.bob.account
    const headers = { 'x-gatehouse-user': id, 'x-gatehouse-roles': 'admin', 'x-user-id': id, 'x-original-url': '/x' }
    for (const name of ['ada', 'ada at her browser', 'a key of ada’s that lends all']) {
      const caller = scene.caller(name)
      const answer = await scene.ask(caller, 'GET', `/api/auth/me?user_id=${id}&sub=${id}`, { fields: headers })
      assert.deepEqual([answer.status, answer.body['id']], [200, caller.account?.id], name)
    }
    for (const [, { method, path, access }] of endpoints) {
      if (method !== 'GET' || access !== 'authenticated' || path.includes(':')) continue
      const { text } = await scene.ask(scene.caller('ada'), method, `${path}?user_id=${id}`, { fields: headers })
      for (const his of [id, scene.bob.account.email, ...scene.bob.sessions, ...scene.bob.keys])
        assert.ok(!text.includes(his), `${path} tells of ${his}`)
    }
    const stranger = await scene.ask(scene.caller('nobody'), 'GET', '/api/auth/me', { fields: headers })
    assert.equal(stranger.status, 401)
  })

  for (const [route, row] of Object.entries(pages)) {
    const [method = '', pattern = ''] = route.split(' ')
    const path = pattern.replace(/:\w+/, 'none-at-all')
    test(`AZ3: ${route} knows people alone, and takes a form from our own pages alone`, async () => {
      const before = await scene.rows()
      if (method === 'POST') {
        await each(scene.callers, async (caller) => {
          if (caller.page === 'own') return
          const fields: Record<string, string> = caller.page === 'foreign' ? {} : { origin: 'https://evil.example' }
          const answer = await scene.ask(caller, method, path, { form: row.form ?? {}, fields })
          says(answer, 403, `${caller.name}, from elsewhere`)
        })
        unchanged(before, await scene.rows())
      }
      const origin: Record<string, string> = method === 'POST' ? { origin: publicUrl } : {}
      await each(
        scene.callers,
        async (caller) => {
          if (row.ends) await caller.renew?.()
          const sent = { ...(row.form && { form: row.form }), fields: origin }
          says(await scene.ask(caller, method, path, sent), ofPage(row, caller), caller.name)
        },
        row.ends ? 1 : 8,
      )
      if (method === 'GET') unchanged(before, await scene.rows())
      else bystanderIs(before, await scene.rows())
      if (row.ends) await renewAll()
    })
  }

  for (const [route, { unnamed, named, form, json }] of Object.entries(machine)) {
    const [method = '', path = ''] = route.split(' ')
    test(`AZ3: ${route} takes no principal’s word for a client’s`, async () => {
      const before = await scene.rows()
      await each(scene.callers, async (caller) => {
        const answer = await scene.ask(caller, method, path, { ...(form && { form }), ...(json && { json }) })
        says(answer, caller.fields()['authorization'] === undefined ? unnamed : named, caller.name)
      })
      unchanged(before, await scene.rows())
    })
  }

  test('AZ5: a method that a path lacks is refused, and the answer says which it has', async () => {
    const before = await scene.rows()
    const patterns = [...new Set(plan.routes.map(({ pattern }) => pattern))]
    for (const pattern of patterns) {
      const path = pattern.replaceAll(/:\w+/g, 'none-at-all')
      const has = plan.routes.filter((route) => fits(route.pattern, path)).flatMap(({ methods = [] }) => methods)
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
        if (has.includes(method) || (method === 'HEAD' && has.includes('GET'))) continue
        for (const name of ['nobody', 'root']) {
          const answer = await scene.ask(scene.caller(name), method, path)
          says(answer, 405, `${method} ${path}`)
          assert.equal(answer.headers['allow'], [...new Set(has)].toSorted().join(', '), `${method} ${path}`)
        }
      }
    }
    unchanged(before, await scene.rows())
  })

  test('AZ5: a path without a route is closed, to everybody alike', async () => {
    for (const path of [
      '/',
      '/api',
      '/api/admin',
      '/api/auth/nothing',
      '/auth/nothing',
      '/oauth',
      '/API/keys',
      '/api/keys/',
    ])
      for (const name of ['nobody', 'ada', 'root', 'a key of root’s that lends all'])
        says(await scene.ask(scene.caller(name), 'GET', path), 404, `${name} at ${path}`)
  })

  for (const [name, endpoint] of endpoints) {
    const [by, status, ask = () => ({})] = table[name].done
    const { method, path } = endpoint
    test(`AZ3: ${method} ${path} does what it says for ${by}: ${status}`, async () => {
      const caller = scene.caller(by)
      await caller.renew?.()
      const asked: Asked = { ...table[name], params: table[name].absent, ...(await ask(scene, rootOf(scene))) }
      const before = await scene.rows()
      const answer = await send(caller, endpoint, asked)
      says(answer, status, by)
      if (method === 'GET') unchanged(before, await scene.rows())
      else bystanderIs(before, await scene.rows())
    })
  }

  /** Asks an endpoint. What is no name of anything stands where no other is given. */
  function send(caller: Caller, { method, path, body }: Endpoint, asked: Asked): Promise<Answer> {
    const params = [...(asked.params ?? [])]
    const target = path.replaceAll(/:\w+/g, () => encodeURIComponent(params.shift() ?? 'none'))
    return scene.ask(caller, method, target, body === undefined ? {} : { json: asked.body ?? {} })
  }

  /** Something that exists, and is none of the caller's business. */
  function bobsOf(name: EndpointName): readonly string[] | undefined {
    const owned = ownedBy(scene)[name]
    if (owned !== undefined) return owned.slice(0, 1)
    const { path } = contract[name]
    if (path.startsWith('/api/admin/users/:id')) return [scene.bob.account.id]
    if (path.startsWith('/api/admin/keys/:id')) return scene.bob.keys.slice(0, 1)
    if (path.startsWith('/api/admin/clients/:id')) return ['app', 'none']
    if (path.startsWith('/api/admin/policies/:name')) return ['managed']
    if (path.startsWith('/api/admin/roles/:name')) return ['user', 'none']
    return path.startsWith('/api/admin/services/:name') ? ['billing', 'none'] : undefined
  }

  async function renewAll(): Promise<void> {
    for (const caller of scene.callers) await caller.renew?.()
  }

  function bystanderIs(before: Rows, now: Rows): void {
    const { account, keys } = scene.bob
    const his = (rows: Rows): readonly string[] =>
      [...rows].flatMap(([table, texts]) =>
        texts.filter((text) => [account.id, ...keys].some((id) => text.includes(id))).map((text) => `${table} ${text}`),
      )
    assert.ok(his(now).length > 10)
    assert.deepEqual(his(now), his(before))
  }
})

type Rows = Awaited<ReturnType<Scene['rows']>>

/** The plan that the house follows now: any request is admitted by it. */
function planOf({ people }: Scene): Plan {
  let plan: Plan | undefined
  const request = { method: 'GET', url: '/health/live', rawHeaders: ['Host', 'x'], headers: { host: 'x' }, socket: {} }
  people.house.gate.handle(inboundOf(request as never), (passage) => {
    plan = passage.plan
  })
  return plan ?? assert.fail('no plan')
}

function ownedBy({ bob }: Scene): Partial<Record<EndpointName, readonly string[]>> {
  const { sessions, keys, passkey, grant, provider } = bob
  return {
    endSession: sessions,
    showKey: keys,
    revokeKey: keys,
    rotateKey: keys,
    removePasskey: [passkey],
    withdrawGrant: [grant],
    unlinkIdentity: [provider],
  }
}

function forgeriesFor({ takes = [] }: Row): Record<string, unknown> {
  return Object.fromEntries(Object.entries(forged).filter(([field]) => !takes.includes(field)))
}

/** Style and script of the pages: kept by everybody, and told apart by nothing. */
function isAsset(route: string): boolean {
  return /^GET \/auth\/.*\.(?:css|js|svg)$/.test(route)
}

function fits(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  return wanted.length === given.length && wanted.every((one, at) => one.startsWith(':') || one === given[at])
}

function ofPage({ stranger, known, acting = known, stale = known, byToken }: PageRow, caller: Caller): number {
  if (caller.is !== 'sign-in' || caller.scopes !== undefined) return stranger
  if (byToken !== undefined && caller.page === undefined) return byToken
  if (caller.acting === true) return acting
  return caller.stale === true ? stale : known
}

/** An answer, but for what differs from request to request. */
function told(answer: Answer | undefined): unknown {
  assert.ok(answer)
  const { status, text } = answer
  // a connection that has carried so many requests is closed, whatever they ask
  const {
    date: _,
    'x-request-id': id,
    'dpop-nonce': __,
    connection: ___,
    'keep-alive': ____,
    ...headers
  } = answer.headers
  return { status, headers, text: text.replaceAll(String(id), '') }
}

function says(answer: Answer | undefined, status: number, who: string): void {
  assert.equal(answer?.status, status, `${who}: ${answer?.text.slice(0, 600)}`)
}

/** No row came, went or changed; of letters some may have left, and the house does some work of its own accord. */
function unchanged(before: Rows, now: Rows): void {
  for (const [table, rows] of before) {
    const after = now.get(table) ?? []
    if (table === 'mail_outbox') assert.ok(after.length <= rows.length, 'a letter was written')
    else assert.deepEqual(after.filter(isAsked), rows.filter(isAsked), table)
  }
}

/** How far the record has been read again is noted whenever that has been done. */
function isAsked(row: string): boolean {
  return !row.startsWith('{"name":"audit-scrub"')
}

/** So many at a time. */
async function each<T>(all: readonly T[], work: (one: T) => Promise<void>, atOnce = 8): Promise<void> {
  for (let at = 0; at < all.length; at += atOnce) await Promise.all(all.slice(at, at + atOnce).map(work))
}
