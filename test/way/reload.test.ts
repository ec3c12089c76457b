// Configurations that come and go while requests are on their way, and a house that is closed in between.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import type { House } from '../../src/house.ts'
import { eventually } from '../support/eventually.ts'
import { startHouse, startUpstream } from '../support/house.ts'

/** A house before an API that answers when it is told to. */
async function openScene(context: TestContext) {
  const waiting: (() => void)[] = []
  const { url: api } = await startUpstream(context, (_, response) => waiting.push(() => response.end('late')))
  const scene = await startHouse(context, {
    upstreams: { api },
    limits: false,
    listen: { drain: '300ms' },
    routes: [
      { path: '/slow', access: 'public', to: 'api' },
      { path: '/closed', require: 'system:config', to: 'api' },
    ],
  })
  return { ...scene, waiting }
}

const without = ({ settings }: House) => ({ ...settings, routes: settings.routes.slice(0, 1) })

test('a storm of reloads cuts no request off, and the last one holds', async (context) => {
  const { house, url, waiting } = await openScene(context)
  const with2 = house.settings
  const answers: Promise<Response>[] = []
  for (let turn = 0; turn < 10; turn++) {
    answers.push(fetch(`${url}/slow`))
    await eventually(() => (waiting.length > turn ? true : undefined))
    await Promise.all([house.reload(with2), house.reload(without(house))])
  }
  for (const answer of waiting) answer()
  for (const answer of await Promise.all(answers)) assert.equal(await answer.text(), 'late')
  assert.equal((await fetch(`${url}/closed`)).status, 404)
  assert.equal(house.gate.inFlight, 0)
})

test('a reload that cannot be written down is none: the old configuration stays', async (context) => {
  const { house, url } = await openScene(context)
  const { db } = house.store
  await sql`alter table audit_outbox rename to elsewhere`.execute(db)
  const outcome = await house.reload(without(house)).then(
    () => 'taken over',
    () => 'refused',
  )
  await sql`alter table elsewhere rename to audit_outbox`.execute(db)
  const now = (await fetch(`${url}/closed`)).status
  assert.deepEqual([outcome, now, house.settings.routes.length], ['refused', 401, 2])
  await house.reload(without(house))
  assert.equal((await fetch(`${url}/closed`)).status, 404)
})

test('a house that is closed while requests of an old configuration are on their way closes once, and cleanly', async (context) => {
  const { house, url, waiting, listener } = await openScene(context)
  const slow = fetch(`${url}/slow`).then(
    ({ status }) => status,
    () => 'cut off',
  )
  await eventually(() => (waiting.length > 0 ? true : undefined))
  await house.reload(without(house))
  const both = [house.close(), house.close()]
  await listener.close(300)
  await Promise.all(both)
  await slow
  await house.close()
  await assert.rejects(house.reload(house.settings), /closed/)
})
