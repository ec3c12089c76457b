// People and a store for the tests of second factors.
import type { TestContext } from 'node:test'
import type { Random } from '../../src/kernel/id.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { type RootKey, rootKey } from '../../src/keys/root.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'

/** The address of a store that nobody has opened yet. */
export type FreshStore = (context: TestContext) => Promise<string>

export interface Scene {
  readonly store: Store
  readonly clock: TestClock
  readonly random: Random
  readonly root: RootKey
}

/** A store with the accounts `ada` and `bob`. */
export async function sceneOf(context: TestContext, fresh: FreshStore, startMs?: number): Promise<Scene> {
  const store = await openStore(await fresh(context))
  context.after(() => store.close())
  for (const id of ['ada', 'bob']) {
    await store.db
      .insertInto('users')
      .values({
        id,
        email: `${id}@example.com`,
        name: id,
        password_hash: null,
        status: 'active',
        created_at: 0,
        updated_at: 0,
      })
      .execute()
  }
  return {
    store,
    clock: testClock(startMs),
    random: systemRandom,
    root: rootKey('a root secret for the tests, long enough'),
  }
}

/** What no code, name or id is, and nothing may fail over. */
export const junkTexts = [
  '',
  ' ',
  '\0',
  'abc\0def',
  '\ud800',
  '１２３４５６',
  '-1',
  "'; drop table totp; --",
  'x'.repeat(100_000),
]

/** How many of the promises came out true. */
export async function truths(asked: readonly Promise<boolean>[]): Promise<number> {
  return (await Promise.all(asked)).filter(Boolean).length
}
