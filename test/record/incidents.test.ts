// AU6, IN1, from end to end: real requests, the record, its thread's reading of it, and the incident that an administrator sees.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { mirror, startHouse, startUpstream, type TestHouse } from '../support/house.ts'
import { fetchElsewhere, postElsewhere, type TokensAnswer } from '../support/process.ts'
import { asked, eventsSoon, incidentsSoon, member } from '../support/record.ts'

suite('attacks through the front door', () => {
  let house: TestHouse
  let admin: string
  const closing: (() => unknown)[] = []
  const context = { after: (close: () => unknown) => void closing.push(close) } as never

  before(async () => {
    const { url } = await startUpstream(context, mirror)
    house = await startHouse(
      context,
      {
        limits: { authentication: false, strangers: false, few: { limit: 2, window: '1h' } },
        shield: { userAgents: { refuse: ['evil'] } },
        upstreams: { api: { url } },
        roles: { user: { permissions: ['task:read'] } },
        routes: [
          { path: '/api/tasks', to: 'api', require: 'task:read', limit: 'few' },
          { path: '/api/notes', to: 'api', require: 'task:read' },
        ],
      },
      { roles: ['admin'] },
    )
    admin = await house.signIn()
  })
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  async function status(path: string, init: RequestInit, address?: string): Promise<number> {
    const answer = await fetchElsewhere(`${house.url}${path}`, init, address)
    await answer.arrayBuffer()
    return answer.status
  }

  async function get(path: string, bearer: string): Promise<number> {
    return status(path, { headers: { authorization: bearer } })
  }

  async function signInAs(email: string, password: string, address: string): Promise<number> {
    return (await postElsewhere(`${house.url}/api/auth/login`, { email, password }, {}, address)).status
  }

  /** The one incident of a type, and that there is no other. */
  async function incident(type: string) {
    const [only, ...others] = await incidentsSoon(house.url, admin, type)
    assert.deepEqual(others, [])
    assert.ok(only !== undefined)
    return only
  }

  test('AU6: five wrong passwords for one account are an incident about it and the address', async () => {
    const { id, email } = await member(house, 'bob@example.com', ['user'])
    for (let tries = 0; tries < 5; tries++) assert.equal(await signInAs(email, 'wrong wrong wrong', '127.3.0.1'), 401)
    const { targets, severity, status } = await incident('brute-force')
    assert.deepEqual(targets, [
      { type: 'user', id },
      { type: 'address', id: '127.3.0.1' },
    ])
    assert.deepEqual([severity, status], ['high', 'active'])
  })

  test('AU6: one password for ten accounts is an incident about the address', async () => {
    const { accounts, store } = house.house
    for (let person = 0; person < 10; person++) {
      const email = `person-${person}@example.com`
      await accounts.create(store.db, { email, name: 'P', password: 'a long enough passphrase', roles: [] })
      assert.equal(await signInAs(email, 'Spring2026 Spring2026', '127.3.0.2'), 401)
    }
    assert.deepEqual((await incident('password-spraying')).targets, [{ type: 'address', id: '127.3.0.2' }])
  })

  test('AU6: asking once for an administrative permission that one lacks is an incident about who asked', async () => {
    const { id, bearer } = await member(house, 'cyd@example.com', ['user'])
    assert.equal(await get('/api/admin/users', bearer), 403)
    assert.deepEqual((await incident('privilege-escalation')).targets, [{ type: 'user', id }])
  })

  test('AU6: ten requests behind a limit that is used up are an incident', async () => {
    const { id, bearer } = await member(house, 'dan@example.com', ['user'])
    const answers: number[] = []
    for (let count = 0; count < 12; count++) answers.push(await get('/api/tasks', bearer))
    assert.deepEqual(answers, [200, 200, ...Array(10).fill(429)])
    assert.ok((await incident('rate-limit-violation')).targets.some((target) => target.id === id))
  })

  test('AU6: going through fifty ids that are not there is an incident', async () => {
    const { id, bearer } = await member(house, 'eve@example.com', ['user'])
    for (let order = 0; order < 50; order++) assert.equal(await get(`/api/orders/${order}`, bearer), 404)
    assert.ok((await incident('enumeration')).targets.some((target) => target.id === id))
  })

  test('AU6: three requests of a program that is unwelcome are an incident about the address', async () => {
    for (let count = 0; count < 3; count++)
      assert.equal(await status('/api/tasks', { headers: { 'user-agent': 'evil/1.0' } }, '127.3.0.3'), 429)
    assert.deepEqual((await incident('suspicious-pattern')).targets, [{ type: 'address', id: '127.3.0.3' }])
  })

  test('TK3, AU6: a refresh token that was spent and comes again is an incident about whose it was', async () => {
    const { id, email, password } = await member(house, 'fay@example.com', ['user'])
    const signedIn = await postElsewhere(`${house.url}/api/auth/login`, { email, password })
    const { refresh_token: first } = (await signedIn.json()) as TokensAnswer
    const refresh = (token: string): Promise<Response> =>
      postElsewhere(`${house.url}/api/auth/token/refresh`, { refresh_token: token })
    const second = (await (await refresh(first)).json()) as TokensAnswer
    assert.equal((await refresh(second.refresh_token)).status, 200)
    assert.equal((await refresh(first)).status, 401)
    assert.ok((await incident('token-reuse')).targets.some((target) => target.id === id))
  })

  test('AU6: an API key that comes from another network is an incident about the key', async () => {
    const { bearer } = await member(house, 'gus@example.com', ['user'])
    const made = await fetch(`${house.url}/api/keys`, {
      method: 'POST',
      headers: { authorization: bearer, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'robot', permissions: ['task:read'] }),
    })
    const { id, key } = (await made.json()) as { id: string; key: string }
    assert.equal(made.status, 201, JSON.stringify({ id, key }))
    for (const address of ['127.4.0.1', '127.4.0.9', '127.5.0.1'])
      assert.equal(await status('/api/notes', { headers: { 'x-api-key': key } }, address), 200)
    assert.deepEqual((await incident('key-from-new-network')).targets, [{ type: 'api-key', id }])
  })

  test('AU6: a new device is remembered, with whose it is, and is no incident', async () => {
    const { id, email, password } = await member(house, 'hal@example.com', ['user'])
    const headers = { 'user-agent': 'curl/8.0' }
    assert.equal((await postElsewhere(`${house.url}/api/auth/login`, { email, password }, headers)).status, 200)
    const [event] = await eventsSoon(house.url, admin, `type=security_incident&action=detected&resource=${id}`)
    assert.deepEqual([event?.details['incident_type'], event?.details['outcome']], ['new-device', 'remembered'])
    const { incidents } = await asked<{ incidents: unknown[] }>(
      `${house.url}/api/admin/incidents?type=new-device`,
      admin,
    )
    assert.deepEqual(incidents, [])
  })
})
