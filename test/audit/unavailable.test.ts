import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, test } from 'node:test'
import { sql } from 'kysely'
import { throwAwayFolder } from '../support/folder.ts'
import { startOffice, unavailableCases } from './unavailable-cases.ts'

suite('a chain that takes nothing, on SQLite in memory', () => unavailableCases(async () => 'sqlite::memory:', {}))

suite('a chain that takes nothing, on SQLite in a file', () =>
  unavailableCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`, {}))

test('A61: a database file that another process holds for long: whoever changes something is told 503, and others go on', async (context) => {
  const path = join(throwAwayFolder(context), 'gatehouse.db')
  const office = await startOffice(context, { store: `sqlite:${path}` })
  const other = new DatabaseSync(path, { timeout: 5_000 })
  context.after(() => other.close())
  other.exec('begin immediate')
  const waiting = office.deed('lock', 0)
  assert.equal((await fetch(`${office.url}/anything`)).status, 200)
  assert.deepEqual(await waiting, [503, 'unavailable'])
  other.exec('rollback')
  assert.deepEqual(await office.states(), ['active', 'active'])
  assert.deepEqual(await office.deed('lock', 1), [200, undefined])
  assert.deepEqual(await office.locked(), [1])
})

test('A61: a full disk: what was acknowledged is there, what was not has left nothing, and with room it goes on', async (context) => {
  const office = await startOffice(context, { store: 'sqlite::memory:' })
  const { db } = office.house.store
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db)
  await sql`pragma max_page_count = ${sql.lit((rows[0]?.page_count ?? 0) + 2)}`.execute(db)
  let acknowledged = 0
  let refused: readonly [number, string | undefined] | undefined
  for (let tries = 0; refused === undefined && tries < 200; tries++) {
    const answer = await office.deed('lock', 0)
    if (answer[0] === 200) acknowledged++
    else refused = answer
    if (refused === undefined) {
      const undone = await office.deed('unlock', 0)
      if (undone[0] !== 200) refused = undone
    }
  }
  assert.deepEqual(refused, [503, 'unavailable'])
  assert.equal((await fetch(`${office.url}/anything`)).status, 200)
  await sql`pragma max_page_count = 1000000`.execute(db)
  assert.deepEqual(await office.deed('lock', 1), [200, undefined])
  assert.deepEqual(await office.locked(), [...Array.from({ length: acknowledged }, () => 0), 1])
})

test('whatever a caller calls itself, it is cut, chained and verified', async (context) => {
  const office = await startOffice(context, { store: 'sqlite::memory:' })
  const { house, url } = office
  const names = ['x'.repeat(8_000), 'a\u00e2\u0080\u00a8b', '"},{"seq":1', '=cmd|calc', "\u00ed\u00a0\u0080 '--"]
  for (const name of names) {
    const answer = await fetch(`${url}/anything`, { headers: { 'user-agent': name, 'x-request-id': 'hostile' } })
    assert.equal(answer.status, 200)
  }
  const tooMuch = await fetch(`${url}/anything`, { headers: { 'user-agent': 'x'.repeat(10_000_000) } }).then(
    ({ status }) => status,
    () => 431, // it hung up while we were still writing
  )
  assert.equal(tooMuch, 431)
  await office.locked()
  const rows = await house.store.db
    .selectFrom('audit_events')
    .select('body')
    .where('request_id', '=', 'hostile')
    .orderBy('seq')
    .execute()
  const read = await house.audit.sealer.read(
    house.store.db,
    rows.map(({ body }) => body),
  )
  assert.deepEqual(
    read.map(({ user_agent }) => user_agent),
    names.map((name) => name.slice(0, 256)),
  )
})
