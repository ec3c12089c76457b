// What every store has to do alike.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { type Database, openStore, type Store } from '../../src/store/database.ts'
import { isUniqueViolation } from '../../src/store/unique-violation.ts'

/** The address of a store that nobody has opened yet. */
export type FreshStore = (context: TestContext) => Promise<string>

export function storeCases(fresh: FreshStore): void {
  async function freshStore(context: TestContext): Promise<Store> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    return store
  }

  test('A61: a transaction is kept whole or not at all, also among twenty at once', async (context) => {
    const store = await freshStore(context)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        store.transaction(async (trx) => {
          await addUser(trx, `u${index}`)
          await trx
            .insertInto('user_roles')
            .values({ user_id: `u${index}`, role: 'user' })
            .execute()
          if (index % 2 === 1) throw new Error(`no ${index}`)
          return index
        }),
      ),
    )
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason))),
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? index : `Error: no ${index}`)),
    )
    const even = Array.from({ length: 10 }, (_, index) => `u${index * 2}`).toSorted()
    const users = await store.db.selectFrom('users').select('id').orderBy('id').execute()
    const roles = await store.db.selectFrom('user_roles').select('user_id').orderBy('user_id').execute()
    assert.deepEqual(
      users.map(({ id }) => id),
      even,
    )
    assert.deepEqual(
      roles.map(({ user_id }) => user_id),
      even,
    )
  })

  test('nobody sees half of a transaction', async (context) => {
    const store = await freshStore(context)
    const seen: Promise<number>[] = []
    await store.transaction(async (trx) => {
      for (let index = 0; index < 5; index++) {
        await addUser(trx, `u${index}`)
        seen.push(countUsers(store.db))
      }
      assert.equal(await countUsers(trx), 5, 'but it sees its own changes')
    })
    for (const count of await Promise.all(seen)) assert.ok(count === 0 || count === 5, `saw ${count} of 5`)
  })

  test('of twenty who take the same once-only thing at once, one gets it', async (context) => {
    const store = await freshStore(context)
    await addUser(store.db, 'u')
    await addSession(store.db, 'u', 's')
    const takers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        store.db
          .updateTable('sessions')
          .set({ ended_at: 1000 + index })
          .where('id', '=', 's')
          .where('ended_at', 'is', null)
          .returning('ended_at')
          .execute(),
      ),
    )
    const won = takers.flat()
    assert.equal(won.length, 1)
    const kept = await store.db.selectFrom('sessions').select('ended_at').executeTakeFirstOrThrow()
    assert.equal(kept.ended_at, won[0]?.ended_at)
  })

  test('what counts up in a transaction misses no step', async (context) => {
    const store = await freshStore(context)
    await addUser(store.db, 'u')
    await addSession(store.db, 'u', 's')
    await Promise.all(
      Array.from({ length: 20 }, () =>
        store.transaction((trx) =>
          trx
            .updateTable('sessions')
            .set((row) => ({ generation: row('generation', '+', 1) }))
            .where('id', '=', 's')
            .execute(),
        ),
      ),
    )
    assert.equal((await store.db.selectFrom('sessions').select('generation').executeTakeFirstOrThrow()).generation, 20)
  })

  test('a key that is taken is told from every other failure', async (context) => {
    const store = await freshStore(context)
    await addUser(store.db, 'u')
    await store.db.insertInto('user_roles').values({ user_id: 'u', role: 'user' }).execute()
    const failing: Readonly<Record<string, { readonly unique: boolean; readonly query: () => Promise<unknown> }>> = {
      'a primary key': { unique: true, query: () => addUser(store.db, 'u', 'other@example.com') },
      'a unique column': { unique: true, query: () => addUser(store.db, 'other', 'u@example.com') },
      'a primary key of two columns': {
        unique: true,
        query: () => store.db.insertInto('user_roles').values({ user_id: 'u', role: 'user' }).execute(),
      },
      'a foreign key': { unique: false, query: () => addSession(store.db, 'nobody', 's') },
      'a null': {
        unique: false,
        query: () =>
          store.db
            .updateTable('users')
            .set({ name: null as unknown as string })
            .execute(),
      },
      'a wrong type': {
        unique: false,
        query: () =>
          store.db
            .updateTable('users')
            .set({ created_at: 'today' as unknown as number })
            .execute(),
      },
    }
    for (const [name, { unique, query }] of Object.entries(failing)) {
      await assert.rejects(query, (error) => isUniqueViolation(error) === unique, name)
    }
    assert.equal(isUniqueViolation(new Error('UNIQUE constraint failed')), false)
    assert.equal(isUniqueViolation('23505'), false)
  })

  test('a failure inside a transaction leaves the store usable', async (context) => {
    const store = await freshStore(context)
    await addUser(store.db, 'u')
    await assert.rejects(
      store.transaction((trx) => addUser(trx, 'u')),
      isUniqueViolation,
    )
    await store.transaction((trx) => addUser(trx, 'v'))
    assert.equal(await countUsers(store.db), 2)
  })

  test('numbers, nulls and any text come back as they went in', async (context) => {
    const store = await freshStore(context)
    const name = 'Ä \u{1f600} \' " \\ \n 𝔘'
    await store.db
      .insertInto('users')
      .values({
        id: 'u',
        email: 'e',
        name,
        password_hash: null,
        status: 'active',
        created_at: Number.MAX_SAFE_INTEGER,
        updated_at: -1,
      })
      .execute()
    const row = await store.db.selectFrom('users').selectAll().executeTakeFirstOrThrow()
    assert.deepEqual(
      { ...row },
      {
        id: 'u',
        email: 'e',
        name,
        password_hash: null,
        status: 'active',
        created_at: Number.MAX_SAFE_INTEGER,
        updated_at: -1,
        lock_mark: null,
        username: null,
        email_verified_at: null,
        short_password: 0,
        last_sign_in_at: null,
        epoch: 0,
      },
    )
    const { count } = await store.db
      .selectFrom('users')
      .select((e) => e.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    assert.equal(count, 1)
  })

  test('who goes takes roles and sessions along', async (context) => {
    const store = await freshStore(context)
    await addUser(store.db, 'u')
    await addSession(store.db, 'u', 's')
    await store.db.insertInto('user_roles').values({ user_id: 'u', role: 'user' }).execute()
    const { numDeletedRows } = await store.db.deleteFrom('users').where('id', '=', 'u').executeTakeFirstOrThrow()
    assert.equal(numDeletedRows, 1n)
    assert.deepEqual(await store.db.selectFrom('sessions').select('id').execute(), [])
    assert.deepEqual(await store.db.selectFrom('user_roles').select('role').execute(), [])
  })
}

/** For stores that more than one process can open. */
export function sharedStoreCases(fresh: FreshStore): void {
  test('processes that start on an empty store at once, and write at once, lose nothing', async (context) => {
    const url = await fresh(context)
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, [new URL('./writing-process.ts', import.meta.url).pathname, url, '40', '3'], {
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    )
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0]))
    assert.deepEqual(codes, [0, 0, 0])
    const store = await openStore(url)
    context.after(() => store.close())
    const { value } = await store.db
      .selectFrom('house')
      .select('value')
      .where('name', '=', 'steps')
      .executeTakeFirstOrThrow()
    assert.equal(value, '120')
  })

  test('a store that is opened again has what was kept', async (context) => {
    const url = await fresh(context)
    const first = await openStore(url)
    await addUser(first.db, 'u')
    await first.close()
    const second = await openStore(url)
    context.after(() => second.close())
    assert.equal(await countUsers(second.db), 1)
    await assert.rejects(countUsers(first.db), 'and one that was closed answers no more')
  })
}

export async function addUser(db: Database, id: string, email = `${id}@example.com`): Promise<void> {
  await db
    .insertInto('users')
    .values({ id, email, name: id, password_hash: null, status: 'active', created_at: 1, updated_at: 1 })
    .execute()
}

async function addSession(db: Database, userId: string, id: string): Promise<void> {
  await db
    .insertInto('sessions')
    .values({
      id,
      user_id: userId,
      generation: 0,
      refresh_hash: '',
      previous_hash: null,
      rotated_at: 1,
      created_at: 1,
      expires_at: 2,
      ended_at: null,
      ended_reason: null,
      address: '',
      user_agent: '',
    })
    .execute()
}

async function countUsers(db: Database): Promise<number> {
  const { count } = await db
    .selectFrom('users')
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}
