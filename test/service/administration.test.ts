// Services through the front door: who may make them, what they may, and what becomes of their tokens.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SignJWT } from 'jose'
import { mirror, startUpstream } from '../support/house.ts'
import { type Answer, bearer, goodPassword, type PeopleHouse, startPeople, type Tokens } from '../support/people.ts'
import { jwkOf, keyPairs } from './scene.ts'

const configuredSecret = 'a secret of the reports that is long enough'

let house: PeopleHouse
let admin: Tokens
let keeper: Tokens
const closing: (() => unknown)[] = []

before(async () => {
  const context = { after: (close: () => unknown) => void closing.push(close) } as never
  const upstream = await startUpstream(context, mirror)
  house = await startPeople(
    context,
    {
      upstreams: { api: upstream.url, other: upstream.url },
      roles: {
        user: { permissions: ['widgets:read'] },
        keeper: { permissions: ['services:manage', 'invoice:read'] },
        worker: { permissions: ['invoice:read', 'invoice:write'] },
        reader: { permissions: ['invoice:read'] },
      },
      services: {
        reports: {
          permissions: ['invoice:read'],
          secrets: [{ env: 'REPORTS_SECRET' }],
          certificates: [{ dns: 'reports.internal' }],
        },
      },
      oauth: {
        scopes: { 'invoice:read': { description: 'See invoices' } },
        clients: [{ id: 'partner', name: 'Partner', redirectUris: ['https://app.example.com/callback'] }],
      },
      routes: [
        { path: '/invoices', require: 'invoice:read', to: 'api' },
        { path: '/other', require: 'invoice:read', to: 'other' },
      ],
    },
    { environment: { REPORTS_SECRET: configuredSecret } },
  )
  admin = await somebody('root@people.example', 'admin')
  keeper = await somebody('keeper@people.example', 'keeper')
})
after(async () => {
  for (const close of closing.reverse()) await close()
})

async function somebody(email: string, ...held: string[]): Promise<Tokens> {
  const { user } = await house.newcomer(email)
  const { accounts, store } = house.house
  await accounts.setRoles(store.db, user.id, held)
  return (await house.api('POST', '/api/auth/login', { email, password: goodPassword })).body as unknown as Tokens
}

const ask = (method: string, path = '', body?: unknown, who: Tokens = admin): Promise<Answer> =>
  house.api(method, `/api/admin/services${path}`, body, bearer(who))

async function create(name: string, said: object = {}): Promise<string> {
  const { status, body } = await ask('POST', '', { name, permissions: ['invoice:read'], ...said })
  assert.equal(status, 201, JSON.stringify(body))
  return String(body['secret'])
}

function tokenOf(service: string, secret: string, target = 'api'): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  return new SignJWT({ iss: service, sub: service, aud: target, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'HS256', typ: 'service+jwt' })
    .setIssuedAt(iat)
    .setExpirationTime(iat + 300)
    .sign(Buffer.from(secret))
}

async function call(token: string, path = '/invoices'): Promise<string> {
  const { status, body } = await house.api('GET', path, undefined, { authorization: `Bearer ${token}` })
  return status === 200 ? 'goes on' : `${status} ${body['code']} ${body['error']}`
}

const refusedToken = '401 service-token-invalid Invalid service token'

test('AK4: a service is made, its secret shown once, and its token is good at once, for one target', async () => {
  const { status, body } = await ask('POST', '', {
    name: 'billing',
    permissions: ['invoice:read'],
    certificates: [{ dns: 'Billing.internal' }],
    public_keys: [{ kid: 'a', jwk: { ...jwkOf(keyPairs.EdDSA.publicKey), x5u: 'https://evil.example/' } }],
    addresses: ['127.0.0.0/8', '::1'],
    limit: { limit: 1000, window: 60 },
  })
  assert.equal(status, 201, JSON.stringify(body))
  const { secret, secret_id, created_at, ...rest } = body
  assert.match(String(secret), /^gh_ss_/)
  assert.ok(Date.parse(String(created_at)) > 0)
  const described = {
    name: 'billing',
    origin: 'operator',
    status: 'active',
    permissions: ['invoice:read'],
    roles: [],
    public_keys: [{ kid: 'a', jwk: jwkOf(keyPairs.EdDSA.publicKey) }],
    certificates: [{ dns: 'billing.internal' }],
    addresses: ['127.0.0.0/8', '::1'],
    limit: { limit: 1000, window: 60 },
  }
  assert.deepEqual(rest, described)
  assert.equal(await call(await tokenOf('billing', String(secret))), 'goes on')
  assert.equal(await call(await tokenOf('billing', String(secret)), '/other'), refusedToken)
  assert.equal(await call(await tokenOf('billing', String(secret), 'other'), '/other'), 'goes on')
  assert.equal(await call(await tokenOf('billing', configuredSecret)), refusedToken)
  assert.equal(await call(await tokenOf('reports', configuredSecret)), 'goes on')

  const shown = await ask('GET', '/billing')
  assert.deepEqual({ ...shown.body, secrets: [], created_at: 0 }, { ...described, secrets: [], created_at: 0 })
  assert.deepEqual(
    (shown.body['secrets'] as { id: string }[]).map(({ id }) => id),
    [secret_id],
  )
  assert.doesNotMatch(JSON.stringify([shown.body, (await ask('GET')).body]), /gh_ss_/)
})

test('AK4: a rotation leaves the old secret good for a while, and a removed one is void with the next request', async () => {
  const first = await create('rotating')
  const { status, body } = await ask('POST', '/rotating/rotate', {})
  assert.equal(status, 201, JSON.stringify(body))
  const second = String(body['secret'])
  assert.ok(Math.abs(Date.parse(String(body['previous_expires_at'])) - Date.now() - 86_400_000) < 60_000)
  for (const secret of [first, second]) assert.equal(await call(await tokenOf('rotating', secret)), 'goes on')
  const third = await ask('POST', '/rotating/rotate', {})
  assert.equal(third.status, 409)
  assert.match(String(third.body['error']), /2 secrets/)
  const token = await tokenOf('rotating', first)
  assert.equal(await call(token), 'goes on')
  const secrets = (await ask('GET', '/rotating')).body['secrets'] as { id: string; expires_at?: string }[]
  assert.deepEqual(
    secrets.map(({ id, expires_at }) => [id === body['secret_id'], expires_at !== undefined]),
    [
      [true, false],
      [false, true],
    ],
  )
  assert.equal((await ask('DELETE', `/rotating/secrets/${secrets[1]?.id}`)).status, 200)
  assert.equal(await call(token), refusedToken)
  assert.equal((await ask('DELETE', `/rotating/secrets/${secrets[1]?.id}`)).status, 404)
  const now = await ask('POST', '/rotating/rotate', { overlap: 0 })
  assert.equal(await call(await tokenOf('rotating', second)), refusedToken)
  assert.equal(await call(await tokenOf('rotating', String(now.body['secret']))), 'goes on')
})

test('AK4: of rotations at one moment one makes a secret', async () => {
  await create('racing')
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask('POST', '/racing/rotate', {})))
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 409, 409, 409, 409])
})

test('AK4: a service that is changed, disabled or removed loses with the next request what it lost', async () => {
  const secret = await create('losing')
  const token = await tokenOf('losing', secret)
  assert.equal(await call(token), 'goes on')
  assert.equal((await ask('PUT', '/losing', { permissions: ['widgets:read'] })).status, 200)
  assert.match(await call(token), /^403 permission-required/)
  assert.equal((await ask('PUT', '/losing', { roles: ['reader'] })).status, 200)
  assert.equal(await call(token), 'goes on')
  assert.equal((await ask('PUT', '/losing', { roles: ['reader'], addresses: ['192.0.2.0/24'] })).status, 200)
  assert.equal(await call(token), '403 address-not-allowed IP address not allowed')
  assert.equal((await ask('PUT', '/losing', { roles: ['reader'] })).status, 200)
  assert.equal((await ask('POST', '/losing/disable')).status, 200)
  assert.equal((await ask('POST', '/losing/disable')).status, 409)
  assert.equal(await call(token), refusedToken)
  assert.equal((await ask('POST', '/losing/enable')).status, 200)
  assert.equal(await call(token), 'goes on')
  assert.equal((await ask('DELETE', '/losing')).status, 200)
  assert.equal(await call(token), refusedToken)
  for (const [method, path, body] of [
    ['GET', '/losing'],
    ['PUT', '/losing', {}],
    ['DELETE', '/losing'],
    ['POST', '/losing/rotate', {}],
    ['POST', '/losing/enable'],
    ['GET', '/%00'],
    ['DELETE', '/Not-A-Name'],
  ] as const)
    assert.equal((await ask(method, path, body)).status, path === '/%00' ? 400 : 404, `${method} ${path}`)
})

test('AK4: nobody gives a service what they do not hold, nor takes one over that holds more', async () => {
  const refused = async (method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await ask(method, path, body, keeper)
    assert.equal(answer.status, 403, `${method} ${path} ${JSON.stringify(answer.body)}`)
    assert.equal(answer.body['code'], 'permission-required')
  }
  for (const said of [
    { permissions: ['*'] },
    { permissions: ['invoice:*'] },
    { roles: ['worker'] },
    { roles: ['admin'] },
  ])
    await refused('POST', '', { name: 'rising', ...said })
  assert.equal((await ask('POST', '', { name: 'level', roles: ['reader'] }, keeper)).status, 201)
  await refused('PUT', '/level', { roles: ['worker'] })

  await create('higher', { roles: ['worker'] })
  await refused('POST', '/higher/rotate', { overlap: 0 })
  await refused('PUT', '/higher', { certificates: [{ dns: 'mine.internal' }] })
  assert.equal((await ask('POST', '/higher/disable', undefined, keeper)).status, 200)
  await refused('POST', '/higher/enable')

  const nobody = await somebody('nobody@people.example', 'user')
  for (const [method, path, body] of [
    ['GET', ''],
    ['GET', '/level'],
    ['POST', '', { name: 'mine' }],
    ['POST', '/level/rotate', {}],
  ] as const)
    assert.equal((await ask(method, path, body, nobody)).status, 403)
  assert.equal((await house.api('GET', '/api/admin/services')).status, 401)
})

test('A50: a service changes no service, whatever it holds: that wants a person who signed in a moment ago', async () => {
  const secret = await create('machine', { permissions: ['*'] })
  const headers = { authorization: `Bearer ${await tokenOf('machine', secret, 'gatehouse')}` }
  assert.equal((await house.api('GET', '/api/admin/services', undefined, headers)).status, 200)
  for (const [method, path, body] of [
    ['POST', '', { name: 'child' }],
    ['POST', '/machine/rotate', {}],
    ['DELETE', '/machine', undefined],
  ] as const) {
    const answer = await house.api(method, `/api/admin/services${path}`, body, headers)
    assert.ok(answer.status === 401 || answer.status === 403, `${method} ${path} ${answer.status}`)
  }
  assert.equal((await ask('GET', '/child')).status, 404)
  assert.equal((await ask('GET', '/machine')).status, 200)
})

test('AK4: a name, a certificate or a key that is somebody’s is refused, and so is a change to the configuration’s', async () => {
  await create('first', {
    certificates: [{ subject: 'CN=first,O=X' }],
    public_keys: [{ kid: 'k', jwk: jwkOf(keyPairs.ES256.publicKey) }],
  })
  const refused = async (body: object, field: string, message: RegExp): Promise<void> => {
    const answer = await ask('POST', '', { name: 'second', ...body })
    assert.equal(answer.status, 409, JSON.stringify(answer.body))
    assert.match(String((answer.body['errors'] as Record<string, string[]>)[field]), message)
  }
  await refused({ name: 'first' }, 'name', /taken/)
  await refused({ certificates: [{ dns: 'x' }, { subject: 'cn=first, o=X' }] }, 'certificates.1', /`first`/)
  await refused({ certificates: [{ dns: 'reports.internal' }] }, 'certificates.0', /`reports`/)
  await refused({ public_keys: [{ kid: 'k', jwk: jwkOf(keyPairs.EdDSA.publicKey) }] }, 'public_keys.0.kid', /`first`/)
  // Saying again what is its own already is no conflict.
  assert.equal((await ask('PUT', '/first', { certificates: [{ subject: 'CN=first,O=X' }] })).status, 200)
  for (const [method, path, body] of [
    ['POST', '', { name: 'reports' }],
    ['PUT', '/reports', {}],
    ['DELETE', '/reports'],
    ['POST', '/reports/rotate', {}],
    ['POST', '/reports/disable'],
    ['DELETE', '/reports/secrets/0190f3a1-7b2c-7def-8123-456789abcdef'],
  ] as const) {
    const answer = await ask(method, path, body)
    assert.equal(answer.status, 409, `${method} ${path}`)
    assert.match(String(answer.body['error']), /stands in the configuration/)
  }
})

test('A34: no client of other people’s is called like a service, nor a service like a client', async () => {
  await create('named')
  const client = (id: string): Promise<Answer> =>
    house.api(
      'POST',
      '/api/admin/clients',
      { client_id: id, client_name: 'Posing', grant_types: ['client_credentials'], scope: 'invoice:read' },
      bearer(admin),
    )
  for (const id of ['named', 'reports']) assert.equal((await client(id)).status, 409, id)
  assert.equal((await client('a-client')).status, 201)
  for (const name of ['a-client', 'partner']) assert.equal((await ask('POST', '', { name })).status, 409, name)
  // At one moment: one of the two.
  for (let turn = 0; turn < 3; turn++) {
    const name = `same-${turn}`
    const answers = await Promise.all([client(name), ask('POST', '', { name })])
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 409])
  }
})

test('AK1: what a service loses its keys lose, and under its name again nothing of them goes on', async () => {
  await create('keyed', { permissions: ['invoice:read'] })
  const made = await house.api(
    'POST',
    '/api/admin/keys',
    { name: 'job', owner: { type: 'service', id: 'keyed' }, permissions: ['invoice:read'] },
    bearer(admin),
  )
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const key = String(made.body['key'])
  assert.equal(await call(key), 'goes on')
  await ask('PUT', '/keyed', { permissions: ['widgets:read'] })
  assert.match(await call(key), /^403 permission-required/)
  await ask('PUT', '/keyed', { permissions: ['invoice:read'] })
  assert.equal(await call(key), 'goes on')
  await ask('POST', '/keyed/disable')
  assert.match(await call(key), /^401 api-key-invalid/)
  await ask('POST', '/keyed/enable')
  assert.equal(await call(key), 'goes on')
  assert.equal((await ask('DELETE', '/keyed')).status, 200)
  assert.match(await call(key), /^401 api-key-invalid/)
  await create('keyed', { permissions: ['invoice:read'] })
  assert.match(await call(key), /^401 api-key-invalid/)
  const removed = (await house.events()).find(
    ({ action, resource }) => action === 'service.remove' && resource.id === 'keyed',
  )
  assert.equal(removed?.details['keys_ended'], 1)
})

test('AK4: what is wrong with a service is told field by field, and what is not known is refused', async () => {
  for (const [body, field] of [
    [{}, 'name'],
    [{ name: 'Bad Name' }, 'name'],
    [{ name: 'operator' }, 'name'],
    [{ name: 'bad', secrets: ['mine'] }, 'secrets'],
    [{ name: 'bad', origin: 'configuration' }, 'origin'],
    [{ name: 'bad', roles: ['nobody'] }, 'roles'],
    [{ name: 'bad', permissions: ['a b'] }, 'permissions.0'],
    [{ name: 'bad', addresses: ['10.0.0.1/8'] }, 'addresses.0'],
    [{ name: 'bad', certificates: [{ dns: '*' }] }, 'certificates.0.dns'],
    [{ name: 'bad', certificates: [{ san: 'x' }] }, 'certificates.0.san'],
    [{ name: 'bad', public_keys: [{ kid: 'a', jwk: jwkOf(keyPairs.ES256.privateKey) }] }, 'public_keys.0.jwk'],
    [{ name: 'bad', limit: { limit: 0, window: 1 } }, 'limit.limit'],
  ] as const) {
    const answer = await ask('POST', '', body)
    assert.equal(answer.status, 422, JSON.stringify(answer.body))
    const errors = answer.body['errors'] as Record<string, unknown>
    assert.ok(field in errors, `${field}: ${JSON.stringify(errors)}`)
  }
  for (const query of ['?limit=0', '?limit=201', '?after=%00', '?after=Z', '?page=2'])
    assert.equal((await ask('GET', query)).status, 422, query)
})

test('AK4: services are listed by pages, those of the configuration first', async () => {
  const names: string[] = []
  let query = '?limit=2'
  for (let page = 0; page < 20 && query !== ''; page++) {
    const { status, body } = await ask('GET', query)
    assert.equal(status, 200)
    names.push(...(body['services'] as { name: string }[]).map(({ name }) => name))
    query = body['next'] === undefined ? '' : `?limit=2&after=${body['next']}`
  }
  assert.equal(names[0], 'reports')
  assert.deepEqual(names.slice(1), names.slice(1).toSorted())
  assert.equal(new Set(names).size, names.length)
  assert.ok(names.includes('billing') && names.includes('racing'))
})

test('A4: the tokens of people and of services do not pass for each other', async () => {
  const { house: rooms, signIn } = house
  const person = await signIn()
  assert.equal(rooms.machines.serviceBook.isToken(person), false)
  assert.ok('code' in rooms.machines.serviceBook.verify(person, ['gatehouse', 'api']))
  const service = await tokenOf('reports', configuredSecret, 'gatehouse')
  assert.ok('code' in rooms.tokens.verify(service))
  // A token of a person’s, by its claims, signed by a service: neither.
  const posing = await new SignJWT({
    iss: 'gatehouse',
    sub: admin.user.id,
    aud: 'gatehouse',
    roles: ['admin'],
    jti: 'a',
    type: 'access',
    sid: 'a',
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'service+jwt' })
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(Buffer.from(configuredSecret))
  assert.equal(await call(posing), refusedToken)
  for (const path of ['/api/auth/sessions', '/api/keys']) {
    const own = await house.api('GET', path, undefined, { authorization: `Bearer ${service}` })
    assert.deepEqual([own.status, own.body['code']], [403, 'first-party-only'], path)
  }
})

test('A60 A62: each change is in the record with who made it, and no secret is', async () => {
  const secret = await create('recorded', { certificates: [{ dns: 'recorded.internal' }] })
  await ask('PUT', '/recorded', { permissions: ['invoice:read'], roles: ['reader'] })
  const rotated = await ask('POST', '/recorded/rotate', { overlap: 60 })
  await ask('DELETE', `/recorded/secrets/${rotated.body['secret_id']}`)
  await ask('POST', '/recorded/disable')
  await ask('DELETE', '/recorded')
  const events = (await house.events()).filter(({ resource }) => resource.id === 'recorded')
  assert.deepEqual(
    events.map(({ action, actor, details }) => [
      action,
      actor.id === admin.user.id,
      details['changed'] ?? details['disabled'],
    ]),
    [
      ['service.create', true, undefined],
      ['service.secret-add', true, undefined],
      ['service.change', true, 'certificates roles'],
      ['service.secret-add', true, undefined],
      ['service.secret-remove', true, undefined],
      ['service.change', true, true],
      ['service.remove', true, undefined],
    ],
  )
  assert.equal(events[0]?.details['certificates'], 'dns:recorded.internal')
  const told = JSON.stringify(events)
  for (const one of [secret, String(rotated.body['secret'])]) assert.ok(!told.includes(one.slice(6)))
})
