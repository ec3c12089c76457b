// Taking tokens back, through the front door and over several nodes.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import { sql } from 'kysely'
import { systemRandom, uuidv7 } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { openStore } from '../../src/store/database.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { startHouse, type TestHouse } from '../support/house.ts'
import { type PeopleHouse, startPeople, type Tokens } from '../support/people.ts'

interface Scene {
  readonly house: PeopleHouse
  /** Of an administrator. */
  readonly admin: Readonly<Record<string, string>>
  revoke(body: unknown): ReturnType<PeopleHouse['api']>
  /** How a token fares. */
  status(token: string): Promise<number>
  refresh(refreshToken: string): Promise<number>
}

async function scene(context: TestContext): Promise<Scene> {
  const house = await startPeople(context, {}, { roles: ['admin'] })
  const admin = { authorization: `Bearer ${await house.signIn()}` }
  return {
    house,
    admin,
    revoke: (body) => house.api('POST', '/api/admin/revocations', body, admin),
    status: (token) => statusOf(house, token),
    async refresh(refreshToken) {
      return (await house.api('POST', '/api/auth/token/refresh', { refresh_token: refreshToken })).status
    },
  }
}

async function statusOf({ url }: { readonly url: string }, token: string): Promise<number> {
  const response = await fetch(`${url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } })
  const { code } = (await response.json()) as { code?: string }
  if (response.status === 401) assert.equal(code, 'token-revoked')
  return response.status
}

const claimsOf = (token: string): { jti: string; sid: string; sub: string } => decodeJwt(token)

test('TK4: an operator ends one token, by its text or its name, and the session goes on', async (context) => {
  const { house, revoke, status, refresh } = await scene(context)
  const first = await house.newcomer('bob@people.example')
  const { jti } = claimsOf(first.access_token)
  const answer = await revoke({ token: first.access_token })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  assert.deepEqual(answer.body, { revoked: { type: 'token', id: jti }, sessions: 0 })
  assert.equal(await status(first.access_token), 401)
  const renewed = await house.api('POST', '/api/auth/token/refresh', { refresh_token: first.refresh_token })
  const second = (renewed.body as unknown as Tokens).access_token
  assert.equal(await status(second), 200)
  assert.equal((await revoke({ token: claimsOf(second).jti })).status, 200)
  assert.equal(await status(second), 401)
  assert.equal((await revoke({ token: second })).status, 200, 'twice is no error')
  assert.equal(await refresh((renewed.body as unknown as Tokens).refresh_token), 200)
})

test('TK4: a refresh token ends with its family, be it spent or not', async (context) => {
  const { house, revoke, status, refresh } = await scene(context)
  const tokens = await house.newcomer('bob@people.example')
  const renewed = await house.api('POST', '/api/auth/token/refresh', { refresh_token: tokens.refresh_token })
  const { sid } = claimsOf(tokens.access_token)
  const answer = await revoke({ token: tokens.refresh_token })
  assert.deepEqual(answer.body, { revoked: { type: 'session', id: sid }, sessions: 1 })
  assert.equal(await status((renewed.body as unknown as Tokens).access_token), 401)
  assert.equal(await refresh((renewed.body as unknown as Tokens).refresh_token), 401)
  assert.equal((await revoke({ token: tokens.refresh_token })).body['sessions'], 0)
})

test('TK4: an expired token can be revoked without error, and one that was never ours cannot', async (context) => {
  const { house, revoke } = await scene(context)
  const { access_token } = await house.newcomer('bob@people.example')
  const past = house.house.tokens.issue({
    subject: uuidv7(0, systemRandom),
    session: uuidv7(0, systemRandom),
    roles: [],
    permissions: [],
    email: '',
    name: '',
    proof: { methods: [], at: 0 },
    impersonator: { id: 'x', untilMs: Date.now() - 5_000 },
  })
  const expired = await revoke({ token: past.token })
  assert.deepEqual([expired.status, expired.body['sessions']], [200, 0])
  for (const token of [`${access_token}x`, 'x', 'gh_rt_x', '../..', `${access_token.slice(0, -9)}AAAAAAAAA`]) {
    const refused = await revoke({ token })
    assert.equal(refused.status, 422, token)
    assert.deepEqual(refused.body['errors'], { token: ['is none of ours'] })
  }
})

test('TK4: a session, all of a person, and everything, at once', async (context) => {
  const { house, admin, revoke, status, refresh } = await scene(context)
  const bob = await house.newcomer('bob@people.example')
  const again = (
    await house.api('POST', '/api/auth/login', {
      email: 'bob@people.example',
      password: 'seven violet rivers run',
    })
  ).body as unknown as Tokens
  const eve = await house.newcomer('eve@people.example')

  const { sid, sub } = claimsOf(bob.access_token)
  assert.deepEqual((await revoke({ session: sid })).body, { revoked: { type: 'session', id: sid }, sessions: 1 })
  assert.deepEqual([await status(bob.access_token), await status(again.access_token)], [401, 200])
  assert.equal((await revoke({ session: sid })).body['sessions'], 0, 'it was over')

  assert.deepEqual((await revoke({ user: sub })).body, { revoked: { type: 'user', id: sub }, sessions: 1 })
  assert.deepEqual([await status(again.access_token), await status(eve.access_token)], [401, 200])
  assert.deepEqual([await refresh(again.refresh_token), await refresh(eve.refresh_token)], [401, 200])

  const everything = await revoke({ everything: true })
  assert.deepEqual(everything.body, { revoked: { type: 'house', id: 'house' }, sessions: 2 })
  assert.equal(await status(eve.access_token), 401)
  assert.equal(await status(admin['authorization']?.slice(7) ?? ''), 401, 'whoever said so is out as well')
  assert.equal(await status(await house.signIn()), 200, 'and comes in again')

  const events = (await house.events()).filter(({ action }) => action === 'token.revoke')
  assert.deepEqual(
    events.map(({ type, result, resource, details }) => ({ type, result, resource, details })),
    [
      { resource: { id: sid, type: 'session' }, details: { sessions: 1 } },
      { resource: { id: sid, type: 'session' }, details: { sessions: 0 } },
      { resource: { id: sub, type: 'user' }, details: { sessions: 1 } },
      { resource: { id: 'house', type: 'house' }, details: { sessions: 2 } },
    ].map((event) => ({ type: 'admin_action', result: 'success', ...event })),
  )
})

test('TK4: what is asked for is one thing that is there, by somebody who may', async (context) => {
  const { house, admin, revoke } = await scene(context)
  const nobody = uuidv7(0, systemRandom)
  assert.equal((await revoke({ session: nobody })).status, 404)
  assert.equal((await revoke({ user: nobody })).status, 404)
  const wrong: readonly unknown[] = [
    {},
    { everything: false },
    { token: '' },
    { session: 'x' },
    { user: 'bob@people.example' },
    { client: '' },
    { client: 'a\0b' },
    { client: 'x'.repeat(3_000) },
    { user: nobody, everything: true },
    { all: true },
  ]
  for (const body of wrong) assert.equal((await revoke(body)).status, 422, JSON.stringify(body))
  const bob = await house.newcomer('bob@people.example')
  const asBob = { authorization: `Bearer ${bob.access_token}` }
  assert.equal((await house.api('POST', '/api/admin/revocations', { everything: true }, asBob)).status, 403)
  assert.equal((await house.api('POST', '/api/admin/revocations', { everything: true })).status, 401)
  assert.equal((await house.api('GET', '/api/auth/me', undefined, admin)).status, 200, 'nothing ended')
  assert.deepEqual(await house.house.store.db.selectFrom('revocations').selectAll().execute(), [])
})

test('TK4: what one node ends, another refuses within a second, and one that starts later at once', async (context) => {
  const folder = throwAwayFolder(context)
  const start = (): Promise<TestHouse> =>
    startHouse(
      context,
      { store: `sqlite:${join(folder, 'gatehouse.db')}`, limits: false },
      { roles: ['admin'], dataDir: folder },
    )
  const [here, there] = [await start(), await start()]
  const ends: readonly ((token: string) => object)[] = [
    (token) => ({ token }),
    (token) => ({ session: claimsOf(token).sid }),
    (token) => ({ user: claimsOf(token).sub }),
    () => ({ everything: true }),
  ]
  const heard: number[] = []
  for (const end of ends) {
    const token = await here.signIn()
    const admin = await here.signIn()
    assert.deepEqual([await statusOf(here, token), await statusOf(there, token)], [200, 200])
    const answer = await fetch(`${here.url}/api/admin/revocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(end(token)),
    })
    assert.equal(answer.status, 200, await answer.text())
    assert.equal(await statusOf(here, token), 401, 'on the next request here')
    heard.push(await untilRefused(there, token))
    const later = await start()
    assert.equal(await statusOf(later, token), 401, 'after a restart')
    await later.close()
  }
  assert.ok(Math.min(...heard) < 1_000, `heard after ${heard.map(Math.round)} ms`)
})

test('A11: while the store is out of reach what was heard is believed, and what ended meanwhile is heard when it is back', async (context) => {
  const folder = throwAwayFolder(context)
  const url = `sqlite:${join(folder, 'gatehouse.db')}`
  const warned: string[] = []
  const log = { ...silent, warn: (facts: object) => void warned.push(String((facts as { task?: unknown }).task)) }
  const house = await startHouse(context, { store: url, limits: false }, { dataDir: folder, log })
  const [ended, alive] = [await house.signIn(), await house.signIn()]
  await fetch(`${house.url}/api/auth/logout`, { method: 'POST', headers: { authorization: `Bearer ${ended}` } })
  const store = await openStore(url)
  context.after(() => store.close())
  await sql`alter table sessions rename to away`.execute(store.db)
  const before = warned.length
  while (!warned.slice(before).includes('hear what other processes did')) await pause(20)
  assert.deepEqual([await statusOf(house, ended), await statusOf(house, alive)], [401, 200])
  await sql`update away set ended_at = ${Date.now()}, ended_reason = 'elsewhere' where ended_at is null`.execute(
    store.db,
  )
  assert.equal(await statusOf(house, alive), 200, 'nobody could tell')
  await sql`alter table away rename to sessions`.execute(store.db)
  await untilRefused(house, alive)
})

/** Waits until a token is refused; answers how long it took, in milliseconds. */
async function untilRefused(house: { readonly url: string }, token: string): Promise<number> {
  const from = performance.now()
  while ((await statusOf(house, token)) !== 401) {
    assert.ok(performance.now() - from < 20_000, 'nobody heard')
    await pause(10)
  }
  return performance.now() - from
}
