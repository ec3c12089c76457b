// AU6, through the front door: real requests, the events that they leave, and what is found in those.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { mirror, person, startHouse, startUpstream, type TestHouse } from '../support/house.ts'
import { countsIn, foundIn } from './reading.ts'

async function open(
  context: TestContext,
  config: Config = {},
  roles: readonly string[] = ['user'],
): Promise<TestHouse> {
  const { url } = await startUpstream(context, mirror)
  return startHouse(
    context,
    {
      limits: { authentication: false, strangers: false },
      upstreams: { api: { url } },
      roles: { user: { permissions: ['task:read'] } },
      routes: [{ path: '/api/tasks', to: 'api', require: 'task:read', limit: 'few' }],
      ...config,
      ...(config.limits === undefined
        ? { limits: { authentication: false, strangers: false, few: { limit: 2, window: '1h' } } }
        : {}),
    },
    { roles },
  )
}

async function signInAs({ url }: TestHouse, email: string, password: string): Promise<number> {
  const response = await fetch(`${url}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  await response.arrayBuffer()
  return response.status
}

async function get({ url }: TestHouse, path: string, token?: string): Promise<number> {
  const response = await fetch(`${url}${path}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  })
  await response.arrayBuffer()
  return response.status
}

test('AU6: guessing the password of one account is found at the fifth try, with the account and the address', async (context) => {
  const house = await open(context)
  for (let tries = 0; tries < 4; tries++) assert.equal(await signInAs(house, person.email, 'wrong wrong wrong'), 401)
  assert.deepEqual(await countsIn(house), {})
  assert.equal(await signInAs(house, person.email, 'wrong wrong wrong'), 401)
  const [finding, ...others] = await foundIn(house)
  assert.deepEqual(others, [])
  assert.equal(finding?.type, 'brute-force')
  const account = await house.house.accounts.byIdentifier(house.house.store.db, person.email)
  assert.deepEqual(finding?.targets, [
    { type: 'user', id: account?.id },
    { type: 'address', id: '127.0.0.1' },
  ])
  assert.equal(finding?.events.length, 5)
})

test('AU6: one address that tries many accounts is found, and so is one that tries accounts that do not exist', async (context) => {
  const house = await open(context, {
    incidents: {
      detection: { rules: { 'unknown-accounts': { threshold: 5 }, 'password-spraying': { threshold: 3 } } },
    },
  })
  const { accounts, store } = house.house
  for (const name of ['bob', 'cyd'])
    await accounts.create(store.db, {
      email: `${name}@example.com`,
      name,
      password: 'a long enough passphrase',
      roles: [],
    })
  for (const email of ['bob@example.com', 'cyd@example.com']) await signInAs(house, email, 'Spring2026 Spring2026')
  assert.deepEqual(await countsIn(house), {})
  await signInAs(house, person.email, 'Spring2026 Spring2026')
  assert.deepEqual(await countsIn(house), { 'password-spraying': 1 })
  for (let nobody = 0; nobody < 5; nobody++)
    await signInAs(house, `nobody-${nobody}@example.com`, 'Spring2026 Spring2026')
  assert.deepEqual(await countsIn(house), { 'password-spraying': 1, 'unknown-accounts': 1 })
})

test('AU6: asking once for what only administrators may is privilege escalation, and names who asked', async (context) => {
  const house = await open(context)
  const token = await house.signIn()
  assert.equal(await get(house, '/api/tasks', token), 200)
  assert.deepEqual(await countsIn(house), {})
  assert.equal(await get(house, '/api/admin/users', token), 403)
  const [finding] = await foundIn(house)
  const account = await house.house.accounts.byIdentifier(house.house.store.db, person.email)
  assert.deepEqual([finding?.type, finding?.targets], ['privilege-escalation', [{ type: 'user', id: account?.id }]])
})

test('AU6: an administrator who uses what is theirs is no finding', async (context) => {
  const house = await open(context, {}, ['admin'])
  assert.equal(await get(house, '/api/admin/users', await house.signIn()), 200)
  assert.deepEqual(await countsIn(house), {})
})

test('AU6: the tenth request behind a limit that is used up is a finding', async (context) => {
  const house = await open(context)
  const token = await house.signIn()
  for (let count = 0; count < 2; count++) assert.equal(await get(house, '/api/tasks', token), 200)
  for (let count = 0; count < 9; count++) assert.equal(await get(house, '/api/tasks', token), 429)
  assert.deepEqual(await countsIn(house), {})
  assert.equal(await get(house, '/api/tasks', token), 429)
  assert.deepEqual(await countsIn(house), { 'rate-limit-violations': 1 })
})

test('AU6: who goes through ids that are not there is found at the fiftieth', async (context) => {
  const house = await open(context)
  const token = await house.signIn()
  for (let id = 0; id < 49; id++) assert.equal(await get(house, `/api/orders/${id}`, token), 404)
  assert.equal(await get(house, '/api/orders/0', token), 404) // the same once more is nothing new
  assert.deepEqual(await countsIn(house), {})
  assert.equal(await get(house, '/api/orders/49', token), 404)
  assert.deepEqual(await countsIn(house), { enumeration: 1 })
})

test('AU6: requests of programs that are unwelcome, and malformed ones, are found at the third', async (context) => {
  const house = await open(context)
  const ask = (path: string): Promise<number> => get(house, path)
  for (const path of ['/a%2fb', '/a%2fc']) assert.equal(await ask(path), 400)
  assert.deepEqual(await countsIn(house), {})
  assert.equal(await ask('/a%2fd'), 400)
  assert.deepEqual(await countsIn(house), { 'suspicious-patterns': 1 })
})

test('TK3, AU6: a refresh token that was spent and comes again is found the first time', async (context) => {
  const house = await open(context)
  const login = await fetch(`${house.url}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: person.email, password: person.password }),
  })
  const { refresh_token: first } = (await login.json()) as { refresh_token: string }
  const refresh = async (token: string): Promise<{ readonly status: number; readonly next: string }> => {
    const response = await fetch(`${house.url}/api/auth/token/refresh`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh_token: token }),
    })
    const { refresh_token: next = '' } = (await response.json()) as { refresh_token?: string }
    return { status: response.status, next }
  }
  const second = await refresh(first)
  const third = await refresh(second.next)
  assert.deepEqual([second.status, third.status], [200, 200])
  assert.deepEqual(await countsIn(house), {})
  assert.equal((await refresh(first)).status, 401)
  assert.deepEqual(await countsIn(house), { 'token-reuse': 1 })
})
