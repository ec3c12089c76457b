import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, test } from 'node:test'
import { sql } from 'kysely'
import { Fault } from '../../src/kernel/error.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { tuneForWriting } from '../../src/store/sqlite.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { addUser, type FreshStore, sharedStoreCases, storeCases } from './cases.ts'

const freshFile: FreshStore = async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`

suite('SQLite in memory', () => storeCases(async () => 'sqlite::memory:'))

suite('SQLite in a file', () => {
  storeCases(freshFile)
  sharedStoreCases(freshFile)

  test('the file, its log and its folder are for their owner alone', async (context) => {
    const folder = join(throwAwayFolder(context), 'new', 'data')
    const path = join(folder, 'gatehouse.db')
    const store = await openStore(`sqlite:${path}`)
    context.after(() => store.close())
    await addUser(store.db, 'u')
    for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(statSync(file).mode & 0o777, 0o600, file)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
  })

  test('every commit is synced to disk, and foreign keys hold', async (context) => {
    const store = await openStore(await freshFile(context))
    context.after(() => store.close())
    const pragma = async (name: string): Promise<unknown> =>
      Object.values(
        (await sql<Record<string, unknown>>`${sql.raw(`pragma ${name}`)}`.execute(store.db)).rows[0] ?? {},
      )[0]
    assert.equal(await pragma('journal_mode'), 'wal')
    assert.equal(await pragma('synchronous'), 2)
    assert.equal(await pragma('foreign_keys'), 1)
  })

  test('whoever serves leaves it to the writer of the record to copy the write-ahead log into the file', async (context) => {
    const path = join(throwAwayFolder(context), 'gatehouse.db')
    const store = await openStore(`sqlite:${path}`)
    context.after(() => store.close())
    const writer = await openStore(`sqlite:${path}`)
    context.after(() => writer.close())
    const pagesMax = async ({ db }: Store): Promise<number | undefined> =>
      (await sql<{ wal_autocheckpoint: number }>`pragma wal_autocheckpoint`.execute(db)).rows[0]?.wal_autocheckpoint
    await tuneForWriting(writer.db)
    assert.ok(((await pagesMax(writer)) ?? 0) < ((await pagesMax(store)) ?? 0))

    const before = statSync(path).size
    await sql`create table filled (bytes blob)`.execute(store.db)
    await sql`insert into filled values (zeroblob(${8 * 1024 * 1024}))`.execute(store.db) // 2,000 pages: more than SQLite by itself waits for
    assert.ok(statSync(`${path}-wal`).size > 8 * 1024 * 1024)
    assert.equal(statSync(path).size, before)
  })

  test('a query that meets a lock waits, and the thread does not', async (context) => {
    const url = await freshFile(context)
    const store = await openStore(url)
    context.after(() => store.close())
    const other = new DatabaseSync(url.slice('sqlite:'.length))
    context.after(() => other.close())
    other.exec('begin immediate')
    let released = false
    setTimeout(() => {
      released = true
      other.exec('commit')
    }, 60)
    await Promise.all([addUser(store.db, 'u'), store.transaction((trx) => addUser(trx, 'v'))])
    assert.equal(released, true)
  })

  test('a file that cannot be had is named, with what to do', async (context) => {
    const folder = throwAwayFolder(context)
    const text = join(folder, 'text')
    writeFileSync(text, 'this is no database, and long enough to be seen as none. '.repeat(20))
    for (const path of [folder, text, join(text, 'below.db')]) {
      await assert.rejects(openStore(`sqlite:${path}`), (error) => {
        assert.ok(error instanceof Fault)
        assert.equal(error.code, 'unavailable')
        assert.ok(error.message.startsWith(`cannot open the store \`${path}\` (`), error.message)
        assert.match(error.message, /writable for this user, or name another in `store`$/)
        return true
      })
    }
  })

  test('more different queries than are kept prepared still answer', async (context) => {
    const store = await openStore(await freshFile(context))
    context.after(() => store.close())
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 300; index++) {
        const { rows } = await sql<{ n: number }>`select ${sql.lit(index)} as n`.execute(store.db)
        assert.equal(rows[0]?.n, index)
      }
    }
  })

  test('a stream answers row by row', async (context) => {
    const store = await openStore(await freshFile(context))
    context.after(() => store.close())
    for (const id of ['a', 'b', 'c']) await addUser(store.db, id)
    const ids: string[] = []
    for await (const { id } of store.db.selectFrom('users').select('id').orderBy('id').stream()) ids.push(id)
    assert.deepEqual(ids, ['a', 'b', 'c'])
  })
})

test('an address that is no store is refused, and not repeated', async () => {
  for (const url of ['mysql://root:secret@localhost/x', 'sqlite:', '', 'postgres:secret']) {
    await assert.rejects(
      openStore(url),
      (error) => error instanceof Fault && error.code === 'unavailable' && !error.message.includes('secret'),
    )
  }
})
