import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyChain } from '../../src/audit/verify/verify.ts'
import { mirror, person, startHouse, startUpstream } from '../support/house.ts'
import { throwAwaySchema } from '../support/postgres.ts'
import { post } from '../support/process.ts'

test('a whole house on PostgreSQL: sign in, through, refused, refresh, out; and the record is whole', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const store = await throwAwaySchema()
  const config = {
    store,
    upstreams: { api: upstream.url },
    roles: { user: { permissions: ['thing:read'] } },
    routes: [
      { path: '/things', methods: ['GET' as const], require: 'thing:read', to: 'api' },
      { path: '/admin', require: 'system:config', to: 'api' },
    ],
  }
  const environment = { GATEHOUSE_SECRET: 'the nodes of one house share this secret' }
  const [first, second] = await Promise.all([
    startHouse(context, config, { environment }),
    startHouse(context, config, { environment }),
  ])
  const signedIn = await post(`${first.url}/api/auth/login`, { email: person.email, password: person.password })
  assert.equal(signedIn.status, 200)
  const tokens = (await signedIn.json()) as { access_token: string; refresh_token: string }
  const authorization = `Bearer ${tokens.access_token}`
  for (const { url } of [first, second]) {
    assert.equal(
      (await fetch(`${url}/things`, { headers: { authorization } })).status,
      200,
      'a token of one node holds at the other',
    )
    assert.equal((await fetch(`${url}/admin`, { headers: { authorization } })).status, 403)
    assert.equal((await fetch(`${url}/health`)).status, 200)
  }
  const refreshed = await Promise.all(
    [first, second, first, second].map(
      async ({ url }) =>
        (await (await post(`${url}/api/auth/token/refresh`, { refresh_token: tokens.refresh_token })).json()) as {
          refresh_token: string
        },
    ),
  )
  assert.equal(
    new Set(refreshed.map(({ refresh_token }) => refresh_token)).size,
    1,
    'refreshes that race over two nodes have one successor',
  )
  assert.equal((await post(`${second.url}/api/auth/logout`, '', { authorization })).status, 200)
  assert.equal((await fetch(`${second.url}/things`, { headers: { authorization } })).status, 401)
  let elsewhere = 200
  for (let tries = 0; tries < 100 && elsewhere === 200; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    elsewhere = (await fetch(`${first.url}/things`, { headers: { authorization } })).status
  }
  assert.equal(elsewhere, 401, 'TK4: the other node hears of it')
  await Promise.all([first.house.audit.flush(), second.house.audit.flush()])
  const verified = await verifyChain(first.house.store.db)
  assert.ok(verified.ok, JSON.stringify(verified))
  assert.ok(verified.events >= 15)
})
