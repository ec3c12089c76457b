// Keys on a real store, with the owners that they may have.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Holder } from '../../src/authn/holder.ts'
import { KeyBook } from '../../src/authn/key/key-book.ts'
import type { KeyOwner, MadeKey } from '../../src/authn/key/key-record.ts'
import { Keys, type NewKey } from '../../src/authn/key/keys.ts'
import { keyOptions } from '../../src/authn/key/options.ts'
import type { Refusal } from '../../src/kernel/error.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { rootKey } from '../../src/keys/root.ts'
import { type Database, openStore, type Store } from '../../src/store/database.ts'
import type { FreshStore } from '../authn/account-cases.ts'
import { type TestClock, testClock } from '../support/clock.ts'

export interface KeyScene {
  readonly store: Store
  readonly clock: TestClock
  readonly keys: Keys
  readonly book: KeyBook
  readonly services: Map<string, Pick<Holder, 'roles' | 'permissions'>>
  /** How many queries the books have made. */
  readonly asked: { count: number; failing: boolean }
  /** Another node on the same store. */
  another(): KeyBook
  make(more?: Partial<NewKey>): Promise<MadeKey>
  rotate(id: string, replace?: string): Promise<MadeKey | Refusal>
  revoke(id: string, only?: boolean): Promise<readonly string[]>
  /** A person in the store. */
  person(roles?: readonly string[]): Promise<string>
}

export const organisation: KeyOwner = { type: 'organisation', id: 'acme' }

export async function keyScene(context: TestContext, fresh: FreshStore, options: object = {}): Promise<KeyScene> {
  const store = await openStore(await fresh(context))
  context.after(() => store.close())
  const clock = testClock()
  const root = rootKey('a root secret for tests, long enough')
  const keys = new Keys({ clock, random: systemRandom, root, options: keyOptions.parse(options) })
  const services = new Map<string, Pick<Holder, 'roles' | 'permissions'>>()
  const asked = { count: 0, failing: false }
  // The real store; only that a question is made is noticed, and that the store is down can be said.
  const db: Database = new Proxy(store.db, {
    get(target, name) {
      if (name === 'selectFrom') {
        asked.count++
        if (asked.failing) throw new Error('the store is down')
      }
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const another = (): KeyBook => new KeyBook({ keys, db, clock, log: silent, serviceOf: (name) => services.get(name) })
  let people = 0
  return {
    store,
    clock,
    keys,
    book: another(),
    services,
    asked,
    another,
    async make(more = {}) {
      const made = await store.transaction((trx) =>
        keys.make(trx, {
          name: 'ci',
          owner: organisation,
          policy: { permissions: ['task:read'], scopes: undefined, addresses: undefined, limit: undefined },
          lifetimeMs: undefined,
          createdBy: 'operator',
          ...more,
        }),
      )
      if ('code' in made) assert.fail(made.detail)
      return made
    },
    rotate: (id, replace) => store.transaction((trx) => keys.rotation.rotate(trx, id, replace)),
    revoke: (id, only = false) => store.transaction((trx) => keys.revoke(trx, id, 'for a test', only)),
    async person(roles = ['user']) {
      const id = `0190f3a1-7b2c-7def-8123-${String(people++).padStart(12, '0')}`
      await store.db
        .insertInto('users')
        .values({
          id,
          email: `${id}@example.com`,
          name: 'Ada',
          password_hash: null,
          status: 'active',
          created_at: clock.now(),
          updated_at: clock.now(),
        })
        .execute()
      for (const role of roles) await store.db.insertInto('user_roles').values({ user_id: id, role }).execute()
      return id
    },
  }
}

/** What a verification must come to. */
export async function held(outcome: ReturnType<KeyBook['verify']>): Promise<Holder> {
  const found = await outcome
  if ('code' in found) assert.fail(`${found.code}: ${found.reason}`)
  return found
}

export async function refused(outcome: ReturnType<KeyBook['verify']>): Promise<string> {
  const found = await outcome
  assert.ok('code' in found, 'the key holds')
  return found.code
}

export function isMade(outcome: MadeKey | Refusal): asserts outcome is MadeKey {
  if ('code' in outcome) assert.fail(`${outcome.code}: ${outcome.detail}`)
}
