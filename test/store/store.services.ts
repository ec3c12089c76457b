import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { sql } from 'kysely'
import { Fault } from '../../src/kernel/error.ts'
import { openStore } from '../../src/store/database.ts'
import { cutConnections, throwAwaySchema } from '../support/postgres.ts'
import { addUser, sharedStoreCases, storeCases } from './cases.ts'

suite('PostgreSQL', () => {
  storeCases(throwAwaySchema)
  sharedStoreCases(throwAwaySchema)

  test('a server that does not answer is named without its password', async () => {
    await assert.rejects(openStore('postgres://gatehouse:hunter2@127.0.0.1:1/somewhere'), (error) => {
      assert.ok(error instanceof Fault)
      assert.equal(error.code, 'unavailable')
      assert.match(error.message, /^PostgreSQL at `127\.0\.0\.1:1\/somewhere` gives no connection \(.*ECONNREFUSED\)/)
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    })
  })

  test('a search path that leads nowhere is refused', async () => {
    const url = (await throwAwaySchema()).replace(/gatehouse_\w+/, 'nowhere')
    await assert.rejects(openStore(url), /none of the `search_path` exists/)
  })

  test('connections that die are replaced, and do not take the process along', async (context) => {
    const url = await throwAwaySchema()
    const store = await openStore(url)
    context.after(() => store.close())
    const broken = store.transaction(async (trx) => {
      await addUser(trx, 'u')
      assert.ok((await cutConnections(url)) > 0)
      await addUser(trx, 'v')
    })
    await assert.rejects(broken)
    await cutConnections(url) // and now one that is idle
    await addUser(store.db, 'w')
    assert.deepEqual(await store.db.selectFrom('users').select('id').execute(), [{ id: 'w' }])
  })

  test('a statement has an end', async (context) => {
    const store = await openStore(await throwAwaySchema())
    context.after(() => store.close())
    const { rows } = await sql<{ statement_timeout: string }>`show statement_timeout`.execute(store.db)
    assert.equal(rows[0]?.statement_timeout, '30s')
  })
})
