// API keys through the front door: one house for all.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readKeyText } from '../../src/kernel/key-text.ts'
import { testClock } from '../support/clock.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { mirror, startUpstream } from '../support/house.ts'
import { type Answer, bearer, goodPassword, startPeople, type Tokens } from '../support/people.ts'

test('API keys at the door', async (context) => {
  const clock = testClock(Date.now())
  const file = join(throwAwayFolder(context), 'nightly.key')
  const upstream = await startUpstream(context, mirror)
  const house = await startPeople(
    context,
    {
      limits: {
        authentication: { limit: 10_000, window: '1m', by: ['ip'] },
        general: { limit: 100_000, window: '1m' },
        strangers: { limit: 100_000, window: '1m', by: ['ip'] },
      },
      roles: {
        user: { permissions: ['notes:read', 'notes:write'] },
        keeper: { permissions: ['keys:manage', 'notes:*'] },
      },
      oauth: { scopes: { 'notes:read': { description: 'Read your notes' }, 'files:read': { description: 'Files' } } },
      services: { billing: { permissions: ['notes:read'] } },
      keys: {
        perOwner: 6,
        expiryMax: '365d',
        managed: { nightly: { owner: { service: 'billing' }, permissions: ['notes:*'], file } },
      },
      upstreams: { api: upstream.url },
      routes: [
        { path: '/notes', methods: ['GET'], require: 'notes:read', to: 'api' },
        { path: '/notes', methods: ['POST'], require: 'notes:write', to: 'api' },
        { path: '/files', require: 'files:read', to: 'api' },
        { path: '/known', access: 'authenticated', to: 'api' },
      ],
    },
    { clock },
  )
  let ada = await house.newcomer('ada@people.example')
  let root = await somebody('root@people.example', 'admin')
  let keeper = await somebody('keeper@people.example', 'user', 'keeper')

  async function somebody(address: string, ...held: string[]): Promise<Tokens> {
    const { user } = await house.newcomer(address)
    await house.house.accounts.setRoles(house.house.store.db, user.id, held)
    const signedIn = await house.api('POST', '/api/auth/login', { email: address, password: goodPassword })
    return signedIn.body as unknown as Tokens
  }

  const call = (key: unknown, path = '/notes', method = 'GET'): Promise<Answer> =>
    house.api(method, path, undefined, { 'x-api-key': String(key) })

  async function made(body: object = { name: 'ci', permissions: ['notes:read'] }, by = ada): Promise<Answer['body']> {
    const answer = await house.api('POST', '/api/keys', body, bearer(by))
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body
  }

  const end = async (id: unknown, by = ada): Promise<Answer> =>
    house.api('DELETE', `/api/keys/${id}`, undefined, bearer(by))

  /** What other processes did is heard twice a second: here when a test says so. */
  async function heard(): Promise<void> {
    clock.advance(10)
    await house.house.machines.hear(house.house.store.db)
  }

  await context.test(
    'AK1: a key is shown once, is taken in both fields, and lends what it says of what its owner may',
    async () => {
      const { key, id, ...rest } = await made()
      assert.deepEqual(readKeyText(String(key)), { prefix: 'gh_live', id })
      assert.deepEqual(
        [rest['name'], rest['owner'], rest['state'], rest['permissions'], rest['created_by']],
        ['ci', { type: 'user', id: ada.user.id }, 'active', ['notes:read'], ada.user.id],
      )
      for (const headers of [{ 'x-api-key': String(key) }, { authorization: `Bearer ${key}` }]) {
        const answer = await house.api('GET', '/notes', undefined, headers)
        assert.equal(answer.status, 200, JSON.stringify(answer.body))
        const passed = answer.body['headers'] as Record<string, string>
        assert.equal(passed['x-gatehouse-user'], ada.user.id)
        assert.ok(!JSON.stringify(answer.body).includes(String(key)))
      }
      const denied = await call(key, '/notes', 'POST')
      assert.deepEqual([denied.status, denied.body['code']], [403, 'permission-required'])
      assert.equal((await call(key, '/known')).status, 200)
      const shown = await house.api('GET', `/api/keys/${id}`, undefined, bearer(ada))
      const listed = await house.api('GET', '/api/keys', undefined, bearer(ada))
      for (const answer of [shown, listed]) {
        assert.equal(answer.status, 200)
        assert.ok(!JSON.stringify(answer.body).includes(String(key).slice(-49)))
      }
      await end(id)
    },
  )

  await context.test('AK1: a wrong key is `Invalid API key` with 401, whatever is wrong with it', async () => {
    const { key, id } = await made()
    const one = await call(key)
    assert.equal(one.status, 200)
    assert.equal((await end(id)).status, 200)
    for (const wrong of [key, String(key).replace(/.$/, '!'), 'gh_live_x', 'nonsense']) {
      const answer = await call(wrong)
      assert.deepEqual(
        [answer.status, answer.body['detail'], answer.body['code']],
        [401, 'Invalid API key', 'api-key-invalid'],
        String(wrong),
      )
      assert.match(answer.headers.get('www-authenticate') ?? '', /Bearer/)
    }
  })

  await context.test('A53: a revocation is effective with the very next request', async () => {
    const { key, id } = await made()
    for (let n = 0; n < 3; n++) assert.equal((await call(key)).status, 200)
    const gone = await end(id)
    assert.deepEqual(gone.body['ended'], [id])
    assert.equal((await call(key)).status, 401)
    assert.equal((await end(id)).status, 404)
  })

  await context.test(
    'A55 CVE-2025-61928: who asks is who signed in; what only the house may say is refused in a body',
    async () => {
      for (const extra of [
        { userId: root.user.id },
        { owner: { type: 'user', id: root.user.id } },
        { owner_id: root.user.id },
        { created_by: 'operator' },
        { hash: '00' },
        { use_count: 0 },
        { roles: ['admin'] },
        { managed: 'x' },
        { id: 'x' },
      ]) {
        const body = { name: 'ci', permissions: ['notes:read'], ...extra }
        assert.equal((await house.api('POST', '/api/keys', body)).status, 401)
        const answer = await house.api('POST', '/api/keys', body, bearer(ada))
        assert.equal(answer.status, 422, JSON.stringify(extra))
        assert.deepEqual(answer.body['errors'], { [Object.keys(extra)[0] ?? '']: ['is not a known field'] })
      }
    },
  )

  await context.test('A55: nobody lends what they do not hold, and a key is never more than its owner is', async () => {
    for (const permissions of [['*'], ['notes:*'], ['keys:manage'], ['notes:read', 'users:manage']]) {
      const answer = await house.api('POST', '/api/keys', { name: 'x', permissions }, bearer(ada))
      assert.deepEqual([answer.status, answer.body['code']], [403, 'permission-required'], String(permissions))
    }
    const bob = await somebody('bob@people.example', 'user', 'keeper')
    const { key } = await made({ name: 'wide', permissions: ['notes:*', 'keys:manage'] }, bob)
    assert.equal((await call(key, '/notes', 'POST')).status, 200)
    const { accounts, store, machines } = house.house
    await accounts.setRoles(store.db, bob.user.id, [])
    await heard()
    assert.equal((await call(key, '/notes')).status, 403)
    assert.equal((await call(key, '/known')).status, 200)
    assert.ok(machines.keyBook.isKey(String(key)))
  })

  await context.test('A55: a locked account’s keys are refused at once', async () => {
    const eve = await somebody('eve@people.example', 'user')
    const { key } = await made({ name: 'ci', permissions: ['notes:read'] }, eve)
    assert.equal((await call(key)).status, 200)
    const locked = await house.api('POST', `/api/admin/users/${eve.user.id}/lock`, { reason: 'test' }, bearer(root))
    assert.equal(locked.status, 200, JSON.stringify(locked.body))
    assert.equal((await call(key)).status, 401)
  })

  await context.test('AK1: what a key cannot be is told field by field', async () => {
    for (const [said, field] of [
      [{ name: '' }, 'name'],
      [{ name: 'x'.repeat(101) }, 'name'],
      [{ name: ' \u200b ' }, 'name'],
      [{ name: 'a\nb' }, 'name'],
      [{ permissions: ['a b'] }, 'permissions.0'],
      [{ permissions: 'notes:read' }, 'permissions'],
      [{ permissions: Array.from({ length: 65 }, (_, n) => `p${n}`) }, 'permissions'],
      [{ scopes: [] }, 'scopes'],
      [{ scopes: ['notes:fly'] }, 'scopes.0'],
      [{ addresses: ['10.0.0.1/8'] }, 'addresses.0'],
      [{ addresses: ['somewhere'] }, 'addresses.0'],
      [{ expires_in: 59 }, 'expires_in'],
      [{ expires_in: 366 * 86_400 }, 'expires_in'],
      [{ expires_in: '1d' }, 'expires_in'],
      [{ limit: { limit: 0, window: 60 } }, 'limit.limit'],
      [{ limit: { limit: 10 } }, 'limit.window'],
    ] as const) {
      const answer = await house.api('POST', '/api/keys', { name: 'ci', ...said }, bearer(ada))
      assert.equal(answer.status, 422, JSON.stringify(said))
      assert.deepEqual(Object.keys(answer.body['errors'] as object), [field], JSON.stringify(said))
    }
  })

  await context.test('AK1: addresses and the key’s own limit hold', async () => {
    const far = await made({ name: 'far', permissions: ['notes:read'], addresses: ['192.0.2.0/24'] })
    const answer = await call(far['key'])
    assert.deepEqual([answer.status, answer.body['code']], [403, 'address-not-allowed'])
    const near = await made({
      name: 'near',
      permissions: ['notes:read'],
      addresses: ['127.0.0.0/8'],
      limit: { limit: 3, window: 3_600 },
    })
    const statuses = await Promise.all(Array.from({ length: 5 }, () => call(near['key'])))
    assert.deepEqual(statuses.map(({ status }) => status).toSorted(), [200, 200, 200, 429, 429])
    assert.ok(Number(statuses.find(({ status }) => status === 429)?.headers.get('retry-after')) > 0)
    for (const { id } of [far, near]) await end(id)
  })

  await context.test('AK1: a key with scopes is measured by them, and by what its owner may', async () => {
    const { key, id } = await made({ name: 'scoped', scopes: ['notes:read', 'files:read'] })
    assert.equal((await call(key)).status, 200)
    assert.equal((await call(key, '/notes', 'POST')).status, 403)
    assert.equal((await call(key, '/files')).status, 403) // the scope lends it, and Ada does not hold it
    await end(id)
  })

  await context.test(
    'A50: keys are made, rotated and revoked by people in person, by a recent sign-in, and never by keys',
    async () => {
      const { key, id } = await made({ name: 'ci', permissions: ['notes:read'] })
      for (const [method, path, body] of [
        ['GET', '/api/keys', undefined],
        ['POST', '/api/keys', { name: 'another' }],
        ['GET', `/api/keys/${id}`, undefined],
        ['DELETE', `/api/keys/${id}`, undefined],
        ['POST', `/api/keys/${id}/rotate`, {}],
        ['GET', '/api/auth/sessions', undefined],
        ['GET', '/api/admin/keys', undefined],
      ] as const)
        assert.equal(
          (await house.api(method, path, body, { 'x-api-key': String(key) })).status,
          403,
          `${method} ${path}`,
        )
      const old = await somebody('old@people.example', 'user')
      const theirs = await made({ name: 'ci' }, old)
      clock.advance(601_000)
      for (const [method, path, body] of [
        ['POST', '/api/keys', { name: 'x' }],
        ['POST', `/api/keys/${theirs['id']}/rotate`, {}],
      ] as const) {
        const answer = await house.api(method, path, body, bearer(old))
        assert.deepEqual([answer.status, answer.body['code']], [401, 'step-up-required'])
      }
      assert.equal((await house.api('GET', '/api/keys', undefined, bearer(old))).status, 200)
      assert.equal((await end(theirs['id'], old)).status, 200)
      await end(id)
      for (const who of ['ada', 'root', 'keeper'] as const) {
        const email = `${who}@people.example`
        const again = await house.api('POST', '/api/auth/login', { email, password: goodPassword })
        const tokens = again.body as unknown as Tokens
        if (who === 'ada') ada = tokens
        else if (who === 'root') root = tokens
        else keeper = tokens
      }
    },
  )

  await context.test('A55: another’s key is not there: neither to see, nor to rotate, nor to revoke', async () => {
    const { key, id } = await made()
    for (const [method, path, body] of [
      ['GET', `/api/keys/${id}`, undefined],
      ['DELETE', `/api/keys/${id}`, undefined],
      ['POST', `/api/keys/${id}/rotate`, {}],
      ['GET', '/api/keys/%00', undefined],
      ['GET', '/api/keys/x', undefined],
      ['GET', `/api/keys/${'a'.repeat(15)}`, undefined],
    ] as const) {
      const answer = await house.api(method, path, body, bearer(keeper))
      assert.ok([400, 404].includes(answer.status), `${path} ${answer.status}`)
      if (!path.includes('%')) assert.equal(answer.status, 404, path)
    }
    assert.equal((await call(key)).status, 200)
    await end(id)
  })

  await context.test(
    'A54 AK2: an owner rotates; both are good until the successor is used, and its state is told',
    async () => {
      const first = await made({ name: 'ci', permissions: ['notes:read'] })
      const answer = await house.api('POST', `/api/keys/${first['id']}/rotate`, {}, bearer(ada))
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      const { key, id } = answer.body
      assert.deepEqual([answer.body['state'], answer.body['generation']], ['on-trial', 2])
      const again = await house.api('POST', `/api/keys/${first['id']}/rotate`, {}, bearer(ada))
      assert.deepEqual([again.status, again.body['code'], again.body['successor']], [409, 'conflict', id])
      const replaced = await house.api('POST', `/api/keys/${first['id']}/rotate`, { replace: id }, bearer(ada))
      assert.equal(replaced.status, 201)
      assert.equal((await call(key)).status, 401)
      assert.equal((await call(first['key'])).status, 200)
      assert.equal((await call(replaced.body['key'])).status, 200)
      await heard()
      const shown = await house.api('GET', `/api/keys/${first['id']}`, undefined, bearer(ada))
      assert.equal(shown.body['state'], 'retiring')
      assert.equal((await call(first['key'])).status, 200)
      const ended = await end(replaced.body['id'])
      assert.deepEqual((ended.body['ended'] as string[]).toSorted(), [first['id'], replaced.body['id']].toSorted())
      assert.equal((await call(first['key'])).status, 401)
    },
  )

  await context.test(
    'A54: a key renews itself and never another, widens nothing, and a used one that was rotated away does not',
    async () => {
      const first = await made({ name: 'ci', permissions: ['notes:read'] })
      const by = (key: unknown, body: object = {}): Promise<Answer> =>
        house.api('POST', '/api/keys/current/rotate', body, { 'x-api-key': String(key) })
      assert.equal((await house.api('POST', '/api/keys/current/rotate', {})).status, 401)
      assert.equal((await house.api('POST', '/api/keys/current/rotate', {}, bearer(ada))).status, 401)
      assert.equal((await by(first['key'], { permissions: ['*'] })).status, 422)
      const second = await by(first['key'])
      assert.equal(second.status, 201, JSON.stringify(second.body))
      assert.deepEqual(second.body['permissions'], ['notes:read'])
      assert.equal((await by(first['key'])).status, 409)
      const third = await by(second.body['key']) // it is used by asking
      assert.equal(third.status, 201, JSON.stringify(third.body))
      const stale = await by(first['key'])
      assert.deepEqual([stale.status, stale.body['successor']], [409, second.body['id']])
      const scoped = await made({ name: 'scoped', scopes: ['notes:read'] })
      assert.equal((await by(scoped['key'])).status, 201)
      for (const { id } of [first, scoped]) await end(id)
    },
  )

  await context.test(
    'AK1: administrators make keys for services and organisations, see and end all, and reach no higher than they are',
    async () => {
      const post = (body: object, as: Tokens): Promise<Answer> => house.api('POST', '/api/admin/keys', body, bearer(as))
      const ask = { name: 'job', permissions: ['notes:read'] }
      const organisation = { ...ask, owner: { type: 'organisation', id: 'acme' } }
      assert.equal((await post(organisation, ada)).status, 403)
      const org = await post(organisation, keeper)
      assert.equal(org.status, 201, JSON.stringify(org.body))
      assert.equal((await call(org.body['key'])).status, 200)
      const service = await post({ ...ask, owner: { type: 'service', id: 'billing' } }, keeper)
      assert.equal(service.status, 201)
      assert.equal((await call(service.body['key'])).status, 200)
      assert.equal((await call(service.body['key'], '/notes', 'POST')).status, 403)
      for (const [body, status] of [
        [{ ...ask, owner: { type: 'service', id: 'nobody' } }, 422],
        [{ ...ask, owner: { type: 'organisation', id: 'billing' } }, 422],
        [{ ...ask, owner: { type: 'organisation', id: 'Ac me' } }, 422],
        [{ ...ask, owner: { type: 'user', id: 'x' } }, 422],
        [{ ...ask, owner: { type: 'robot', id: 'x' } }, 422],
        [{ ...ask, permissions: ['*'], owner: { type: 'organisation', id: 'acme' } }, 403],
        [{ ...ask, permissions: [], scopes: ['files:read'], owner: { type: 'organisation', id: 'acme' } }, 403],
        // A key of a person acts as that person.
        [{ ...ask, owner: { type: 'user', id: ada.user.id } }, 403],
        [{ ...ask, owner: { type: 'user', id: root.user.id } }, 403],
      ] as const)
        assert.equal((await post(body, keeper)).status, status, JSON.stringify(body))
      const forAda = await post({ ...ask, owner: { type: 'user', id: ada.user.id } }, root)
      assert.equal(forAda.status, 201)
      assert.equal(forAda.body['created_by'], root.user.id)
      assert.equal(
        (await house.api('POST', `/api/admin/keys/${forAda.body['id']}/rotate`, {}, bearer(keeper))).status,
        403,
      )
      assert.equal(
        (await house.api('POST', `/api/admin/keys/${org.body['id']}/rotate`, {}, bearer(keeper))).status,
        201,
      )
      const listed = await house.api(
        'GET',
        '/api/admin/keys?owner_type=organisation&owner_id=acme',
        undefined,
        bearer(keeper),
      )
      assert.equal((listed.body['keys'] as object[]).length, 2)
      for (const query of ['owner_type=x', 'owner_type=user', 'owner_id=x', 'limit=0', 'after=x', 'colour=red'])
        assert.equal((await house.api('GET', `/api/admin/keys?${query}`, undefined, bearer(keeper))).status, 422, query)
      assert.ok((await house.letters('ada@people.example')).some((letter) => letter.includes('"job"')))
      for (const { id } of [org.body, service.body, forAda.body])
        assert.equal((await house.api('DELETE', `/api/admin/keys/${id}`, undefined, bearer(keeper))).status, 200)
      assert.equal((await call(service.body['key'])).status, 401)
    },
  )

  await context.test(
    'AK1: a person has so many living keys and no more, however many are asked for at once',
    async () => {
      const many = await somebody('many@people.example', 'user')
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) => house.api('POST', '/api/keys', { name: `k${n}` }, bearer(many))),
      )
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [...Array(6).fill(201), ...Array(4).fill(409)])
    },
  )

  await context.test(
    'A50: the owner gets a letter for a new key; the record has each change, and never a key',
    async () => {
      const cleo = await somebody('cleo@people.example', 'user')
      const first = await made({ name: 'my laptop', permissions: ['notes:read'] }, cleo)
      const second = await house.api('POST', `/api/keys/${first['id']}/rotate`, {}, bearer(cleo))
      await end(first['id'], cleo)
      const letters = (await house.letters('cleo@people.example')).filter((letter) => letter.includes('my laptop'))
      assert.equal(letters.length, 1)
      const events = (await house.events()).filter(
        ({ actor, action }) => actor.id === cleo.user.id && action.startsWith('api-key.'),
      )
      assert.deepEqual(
        events.map(({ type, action, result, resource }) => [type, action, result, resource]),
        [
          ['admin_action', 'api-key.create', 'success', { id: first['id'], type: 'api-key' }],
          ['admin_action', 'api-key.rotate', 'success', { id: first['id'], type: 'api-key' }],
          ['admin_action', 'api-key.revoke', 'success', { id: first['id'], type: 'api-key' }],
        ],
      )
      const desk = await made({ name: 'my desk', permissions: ['notes:read'] }, cleo)
      const taken = await house.api('POST', `/api/admin/keys/${desk['id']}/rotate`, {}, bearer(root))
      assert.equal(taken.status, 201)
      const told = (await house.letters('cleo@people.example')).filter((letter) => letter.includes('my desk'))
      assert.equal(told.length, 2, 'an administrator who was shown it is news')
      const all = JSON.stringify([await house.events(), letters, told])
      for (const { key } of [first, second.body, desk, taken.body]) assert.ok(!all.includes(String(key).slice(-49)))
    },
  )

  await context.test(
    'A54: a rotation whose test fails leaves the key that works, and is in the record as a failure',
    async () => {
      const first = await made({ name: 'ci', permissions: ['notes:read'] })
      const { texts } = house.house.machines.keys
      // The hash of a successor comes out wrong: the row is written, and the key that is shown would not hold.
      const { hashOf } = texts
      let calls = 0
      texts.hashOf = (text) => (calls++ === 0 ? Buffer.alloc(32) : hashOf.call(texts, text))
      const answer = await house.api('POST', `/api/keys/${first['id']}/rotate`, {}, bearer(ada))
      texts.hashOf = hashOf
      assert.equal(answer.status, 503)
      assert.ok(!JSON.stringify(answer.body).includes('gh_live'))
      assert.equal((await call(first['key'])).status, 200)
      const shown = await house.api('GET', `/api/keys/${first['id']}`, undefined, bearer(ada))
      assert.deepEqual([shown.body['state'], shown.body['successor']], ['active', undefined])
      const failures = (await house.events()).filter(
        ({ action, result }) => action === 'api-key.rotate' && result === 'failure',
      )
      assert.deepEqual(
        failures.map(({ resource }) => resource.id),
        [first['id']],
      )
      await end(first['id'])
    },
  )

  await context.test(
    'AK2: the key that the house keeps is in its file from the start, and the record says who made it',
    async () => {
      const key = readFileSync(file, 'utf8').trim()
      assert.equal((await call(key)).status, 200)
      assert.equal((await call(key, '/notes', 'POST')).status, 403) // the service holds no more, whatever the key says
      const made = (await house.events()).find(
        ({ action, actor }) => action === 'api-key.create' && actor.id === 'gatehouse',
      )
      assert.deepEqual([made?.result, made?.resource.id], ['success', readKeyText(key)?.id])
    },
  )

  await context.test('TR6: keys that took over from each other share one limit', async () => {
    const limit = { limit: 4, window: 3_600 }
    const first = await made({ name: 'ci', permissions: ['notes:read'], limit })
    for (let n = 0; n < 3; n++) assert.equal((await call(first['key'])).status, 200)
    const { body } = await house.api('POST', `/api/keys/${first['id']}/rotate`, {}, bearer(ada))
    assert.equal((await call(body['key'])).status, 200)
    assert.equal((await call(body['key'])).status, 429)
    await end(first['id'])
  })
})
