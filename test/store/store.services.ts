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

  test('A61: what the server could not do is told from what a statement did wrong', async (context) => {
    const url = await throwAwaySchema()
    const store = await openStore(url)
    context.after(() => store.close())
    const code = (error: unknown): unknown => (error instanceof Fault ? error.code : (error as { code: unknown }).code)
    const outcomeOf = (statements: readonly string[]): Promise<unknown> =>
      store
        .transaction(async (trx) => {
          for (const statement of statements) await sql.raw(statement).execute(trx)
        })
        .then(() => 'done', code)
    const raised = (state: string): readonly string[] => [`do $$ begin raise sqlstate '${state}'; end $$`]
    assert.equal(await outcomeOf(['set local statement_timeout = 20', 'select pg_sleep(10)']), 'unavailable')
    const insert = "insert into house (name, value) values ('x', '')"
    assert.equal(await outcomeOf(['set local transaction_read_only = on', insert]), 'unavailable')
    await store.transaction(async (trx) => {
      await sql.raw('lock table house in exclusive mode').execute(trx)
      assert.equal(await outcomeOf(['set local lock_timeout = 20', insert]), 'unavailable')
    })
    for (const state of ['53100', '53200', '57P01', '58030', '40P01'])
      assert.equal(await outcomeOf(raised(state)), 'unavailable', state)
    assert.equal(await outcomeOf(['select pg_terminate_backend(pg_backend_pid())']), 'unavailable')
    for (const state of ['23505', '22021', '42601']) assert.equal(await outcomeOf(raised(state)), state)
    assert.equal(await outcomeOf([insert]), 'done', 'and it goes on')
  })

  test('a statement has an end', async (context) => {
    const store = await openStore(await throwAwaySchema())
    context.after(() => store.close())
    const { rows } = await sql<{ statement_timeout: string }>`show statement_timeout`.execute(store.db)
    assert.equal(rows[0]?.statement_timeout, '30s')
  })
})
