import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { sql } from 'kysely'
import { Fault } from '../../src/kernel/error.ts'
import { openStore } from '../../src/store/database.ts'
import { ask, throwAwaySchema } from '../support/postgres.ts'
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

  test('a search path that leads nowhere is refused', async (context) => {
    const url = (await throwAwaySchema(context)).replace(/gatehouse_\w+/, 'nowhere')
    await assert.rejects(openStore(url), /none of the `search_path` exists/)
  })

  test('connections that die are replaced, and do not take the process along', async (context) => {
    const store = await openStore(await throwAwaySchema(context), { connectionsMax: 2 })
    context.after(() => store.close())
    const pidOf = async (db: typeof store.db): Promise<number> =>
      (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid ?? 0
    await ask(`select pg_terminate_backend(${await pidOf(store.db)})`)
    const broken = store.transaction(async (trx) => {
      await addUser(trx, 'u')
      await ask(`select pg_terminate_backend(${await pidOf(trx)})`)
      await addUser(trx, 'v')
    })
    await assert.rejects(broken)
    const { rows } = await sql<{ n: number }>`select count(*) as n from users`.execute(store.db)
    assert.equal(rows[0]?.n, 0)
  })

  test('a statement has an end', async (context) => {
    const store = await openStore(await throwAwaySchema(context))
    context.after(() => store.close())
    const { rows } = await sql<{ statement_timeout: string }>`show statement_timeout`.execute(store.db)
    assert.equal(rows[0]?.statement_timeout, '30s')
  })
})
