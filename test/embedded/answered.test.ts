// A host that has answered before its gate, or its guard, came to an end: a timeout of its own in front of them, for one.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import express from 'express'
import type { House } from '../../src/house.ts'
import { person, startHouse } from '../support/house.ts'

const releases: (() => unknown)[] = []
let house: House
let token: string
/** What nobody caught: it would have ended the process of the host. */
const uncaught: unknown[] = []
const onUncaught = (error: unknown): void => void uncaught.push(error)

before(async () => {
  const file = { after: (release: () => unknown) => void releases.push(release) } as Parameters<typeof startHouse>[0]
  const started = await startHouse(
    file,
    {
      limits: false,
      roles: { user: { permissions: ['note:write'] } },
      resources: { note: { owner: { param: 'owner' } } },
      services: { billing: { secrets: [{ env: 'SECRET' }] } },
      routes: [
        { path: '/*', access: 'authenticated' },
        { path: '/closed', require: 'system:config' },
      ],
    },
    { environment: { SECRET: 'a secret of billing that is long enough' } },
  )
  house = started.house
  token = await started.signIn()
  process.on('unhandledRejection', onUncaught)
})
after(async () => {
  process.off('unhandledRejection', onUncaught)
  for (const release of releases.toReversed()) await release()
})

/** An API key that this node has never seen: the gate asks the store about it, and waits. */
async function freshKey(): Promise<string> {
  const policy = { permissions: [], scopes: undefined, addresses: undefined, limit: undefined }
  const owner = { type: 'service', id: 'billing' } as const
  const draft = { name: 'fresh', lifetimeMs: undefined, owner, policy, createdBy: 'operator' }
  const made = await house.store.transaction((trx) => house.machines.keys.make(trx, draft))
  return 'text' in made ? made.text : assert.fail(made.detail)
}

/** An Express app with something in front of the gate that answers 503 by itself: at once, or when it is told. */
async function hostOf(context: TestContext, build: (app: express.Express) => void, isEarly: boolean) {
  const app = express()
  let answer = (): void => {}
  app.use((_request, response, next) => {
    answer = () => {
      response.status(503).write('too ')
      setTimeout(() => response.end('late'), 50)
    }
    next()
    if (isEarly) answer()
  })
  app.use(house.express())
  build(app)
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, answer: () => answer() }
}

async function settled(): Promise<void> {
  for (let turns = 0; turns < 100 && house.gate.inFlight > 0; turns++) await pause(10)
  await pause(20)
}

test('C: a gate that comes to an end after its host has answered harms neither of them', async (context) => {
  let handled = 0
  const { url } = await hostOf(
    context,
    (app) => {
      app.get(['/open', '/closed'], (_request, response) => {
        handled++
        response.send('done')
      })
    },
    true,
  )
  for (const path of ['/open', '/closed']) {
    uncaught.length = 0
    const answer = await fetch(url + path, { headers: { 'x-api-key': await freshKey() } })
    assert.deepEqual([answer.status, await answer.text()], [503, 'too late'], path)
    await settled()
    assert.deepEqual(uncaught, [], path)
    assert.equal(house.gate.inFlight, 0, 'nothing waits for an answer that there will not be')
    assert.equal(handled, 0, 'nor does a handler run for nobody')
  }
})

test('AZ3: a guard that comes to an end after its host has answered harms nobody, whatever it says', async (context) => {
  let handled = 0
  let found: (owner: string) => void = () => {}
  const { url, answer } = await hostOf(
    context,
    (app) => {
      const noteOf = async () => ({ type: 'note', owner_id: await new Promise<string>((done) => (found = done)) })
      app.get('/notes', house.require('note:write', noteOf), () => void handled++)
    },
    false,
  )
  const ada = await house.accounts.byEmail(house.store.db, person.email)
  for (const owner of ['somebody else', ada?.id ?? assert.fail()]) {
    uncaught.length = 0
    const asked = fetch(`${url}/notes`, { headers: { authorization: `Bearer ${token}` } })
    for (let turns = 0; turns < 100 && house.gate.inFlight === 0; turns++) await pause(5)
    await pause(20)
    answer()
    const answered = await asked
    assert.equal(answered.status, 503)
    found(owner)
    assert.equal(await answered.text(), 'too late')
    await settled()
    assert.deepEqual(uncaught, [])
    assert.equal(handled, 0)
  }
})
