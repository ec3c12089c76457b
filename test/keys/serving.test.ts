// Keys take turns while nodes serve: through real sockets, with real time.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import type { Config } from '../../src/config/settings.ts'
import { testClock } from '../support/clock.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { person, startHouse, type TestHouse } from '../support/house.ts'

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

function starter(context: TestContext, config: Config = {}): () => Promise<TestHouse> {
  const folder = throwAwayFolder(context)
  return () =>
    startHouse(
      context,
      { store: `sqlite:${join(folder, 'gatehouse.db')}`, limits: false, ...config },
      { dataDir: folder },
    )
}

async function post(
  url: string,
  path: string,
  body: object,
): Promise<{ readonly status: number; readonly body: Tokens }> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Tokens }
}

async function call(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } })
  await response.arrayBuffer()
  return response.status
}

async function hearAll(houses: readonly TestHouse[]): Promise<void> {
  for (const { house } of houses) for (const ring of house.keyrings) await ring.hear(house.store.db)
}

for (const [algorithm, turns] of [
  ['EdDSA', 2],
  ['HS256', 1],
] as const) {
  test(`TK2 A8: while ${algorithm} keys take turns, whoever signs in, refreshes and calls, on any node, is never refused`, async (context) => {
    const start = starter(context, { tokens: { algorithm } })
    const nodes = [await start(), await start()]
    const [first = '', second = ''] = nodes.map(({ url }) => url)
    const kids = new Set<string>()
    const refused: string[] = []
    let calls = 0
    let over = false

    /** A client that speaks to one node and then to the other, with what it was given last. */
    async function client(): Promise<void> {
      let { body } = await post(first, '/api/auth/login', { email: person.email, password: person.password })
      while (!over) {
        kids.add(decodeProtectedHeader(body.access_token).kid ?? '')
        for (const url of [second, first]) {
          const status = await call(url, body.access_token)
          calls++
          if (status !== 200) refused.push(`call ${status}`)
        }
        const next = await post(second, '/api/auth/token/refresh', { refresh_token: body.refresh_token })
        if (next.status !== 200) refused.push(`refresh ${next.status}`)
        else body = next.body
        await pause(20) // often enough to be there at every turn of a key
      }
    }

    const clients = [client(), client(), client()]
    await until(() => kids.size === 1)
    for (let turn = 0; turn < turns; turn++) {
      const { store, keyrings } = (nodes[turn % 2] as TestHouse).house
      await store.transaction(async (trx) => keyrings[0]?.table?.rotate(trx, 'soon'))
      await until(() => kids.size === turn + 2)
    }
    const before = calls
    await until(() => calls > before + 20)
    over = true
    await Promise.all(clients)
    assert.deepEqual(refused, [])
  })
}

/** Waits for something that real time brings; on a machine that is busy it may take longer. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const from = performance.now()
  while (!(await holds())) {
    assert.ok(performance.now() - from < 30_000, 'it did not come')
    await pause(10)
  }
}

test('A8: others who verify by the published keys know the next one before it signs', async (context) => {
  const start = starter(context)
  const [node, other] = [await start(), await start()]
  const published = createRemoteJWKSet(new URL(`${other.url}/.well-known/jwks.json`), { cooldownDuration: 0 })
  const check = async (token: string): Promise<string | undefined> =>
    (await jwtVerify(token, published, { issuer: 'gatehouse', audience: 'gatehouse' })).protectedHeader.kid
  const before = await check(await node.signIn())
  const { store, keyrings } = node.house
  const made = await store.transaction(async (trx) => keyrings[0]?.table?.rotate(trx, 'after-lead'))
  await hearAll([node, other])
  const set = (await (await fetch(`${other.url}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] }
  assert.deepEqual(
    set.keys.map(({ kid }) => kid),
    [before, made?.kid],
  )
  assert.equal(await check(await node.signIn()), before)
})

test('A8: tokens of a key that was removed are refused on every node that has heard, cached or not', async (context) => {
  const start = starter(context)
  const nodes = [await start(), await start()]
  const [here] = nodes as [TestHouse, TestHouse]
  const token = await here.signIn()
  for (const { url } of nodes) assert.equal(await call(url, token), 200)
  const { store, keyrings } = here.house
  const kid = decodeProtectedHeader(token).kid ?? ''
  await store.transaction(async (trx) => keyrings[0]?.table?.remove(trx, kid))
  for (const { url } of nodes) await until(async () => (await call(url, token)) === 401)
  const next = await here.signIn()
  for (const { url } of nodes) assert.equal(await call(url, next), 200)
})

test('TK2: by schedule the house itself rotates, says so in the record, and of many nodes one does it', async (context) => {
  const clock = testClock()
  const folder = throwAwayFolder(context)
  const start = (): Promise<TestHouse> =>
    startHouse(
      context,
      {
        store: `sqlite:${join(folder, 'gatehouse.db')}`,
        tokens: { rotation: { every: '1h', lead: '10m' } },
      },
      { clock, dataDir: folder },
    )
  const { house } = await start()
  const [ring] = house.keyrings
  const first = ring?.signing().kid
  clock.advance(50 * 60_000 - 1)
  await start()
  assert.equal((await ring?.table?.list(house.store.db))?.length, 1, 'it is not time')
  clock.advance(1)
  await Promise.all([start(), start(), start()])
  await house.audit.flush()
  const events = await house.store.db
    .selectFrom('audit_events')
    .select('body')
    .where('action', '=', 'signing-key.rotate')
    .execute()
  assert.equal(events.length, 1)
  const { resource, details, actor } = JSON.parse(events[0]?.body ?? '{}')
  assert.deepEqual(actor, { id: 'gatehouse', type: 'system' })
  assert.deepEqual(details, { 'active-from': clock.now() + 600_000, algorithm: 'EdDSA', because: 'schedule' })
  await ring?.hear(house.store.db)
  clock.advance(600_000)
  assert.notEqual(ring?.signing().kid, first)
  assert.deepEqual(resource, { id: ring?.signing().kid, type: 'signing-key' })
})
