// What accounts have to do alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Account, Accounts } from '../../src/authn/account/accounts.ts'
import { passwordOptions } from '../../src/authn/password/options.ts'
import { openPasswords, type Passwords } from '../../src/authn/password/passwords.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { type Database, openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'

/** The address of a store that nobody has opened yet. */
export type FreshStore = (context: TestContext) => Promise<string>

interface Scene {
  readonly store: Store
  readonly clock: TestClock
  readonly passwords: Passwords
  readonly accounts: Accounts
  /** Makes an account that nothing speaks against. */
  add(email?: string, roles?: readonly string[]): Promise<Account>
}

const password = 'violet anchor 7 rivers'
/** Of the reference implementation, for `password`, with parameters of old. */
const weakHash = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'

export function accountCases(fresh: FreshStore): void {
  async function scene(context: TestContext): Promise<Scene> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    const clock = testClock()
    const passwords = openPasswords(passwordOptions.parse({}))
    const accounts = new Accounts({ clock, random: systemRandom, passwords })
    return {
      store,
      clock,
      passwords,
      accounts,
      async add(email = 'ada@example.com', roles = ['user']) {
        const created = await accounts.create(store.db, { email, name: 'Ada', password, roles })
        assert.ok('account' in created, JSON.stringify(created))
        return created.account
      },
    }
  }

  test('ID1, ID6: an account is made, found by both of its names, and listed, without anything that proves it', async (context) => {
    const { store, clock, accounts, add } = await scene(context)
    const account = await add('  Ada.Lovelace@EXAMPLE.com ', ['user', 'analyst', 'user'])
    assert.deepEqual(account, {
      id: account.id,
      email: 'ada.lovelace@example.com',
      emailVerifiedAt: clock.now(),
      username: undefined,
      name: 'Ada',
      password: 'full',
      status: 'active',
      roles: ['analyst', 'user'],
      epoch: 0,
      createdAt: clock.now(),
    })
    assert.deepEqual(await accounts.byEmail(store.db, 'ADA.lovelace@example.com\n'), account)
    assert.deepEqual(await accounts.byId(store.db, account.id), account)
    const bob = await add('bob@example.com', [])
    assert.deepEqual(await accounts.list(store.db), [account, bob])
    assert.equal(await accounts.byId(store.db, 'nobody'), undefined)
    for (const email of ['nobody@example.com', 'nul\u0000@example.com', ''])
      assert.equal(await accounts.byEmail(store.db, email), undefined)
  })

  test('a taken address is an answer, in any spelling, and the caller’s transaction goes on', async (context) => {
    const { store, accounts, add } = await scene(context)
    const first = await add('rené@example.com')
    for (const email of ['rené@example.com', 'RENE\u0301@Example.COM', ' rene\u0301@example.com']) {
      const outcome = await store.transaction(async (trx) => {
        const created = await accounts.create(trx, { email, name: 'Other', password, roles: ['admin'] })
        await accounts.grant(trx, first.id, 'asked-twice')
        return created
      })
      assert.deepEqual(outcome, { taken: true })
    }
    assert.deepEqual((await accounts.byEmail(store.db, 'rené@example.com'))?.roles, ['asked-twice', 'user'])
    assert.equal((await accounts.list(store.db)).length, 1)
  })

  test('of eight that register one address at once, one has it', async (context) => {
    const { store, accounts } = await scene(context)
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        accounts.create(store.db, { email: 'ada@example.com', name: `Ada ${index}`, password, roles: ['user'] }),
      ),
    )
    assert.equal(outcomes.filter((outcome) => 'account' in outcome).length, 1)
    assert.equal(outcomes.filter((outcome) => 'taken' in outcome).length, 7)
  })

  test('A40: a taken address costs the same hash as a new one', async (context) => {
    const { store, passwords, accounts, add } = await scene(context)
    await add()
    const before = passwords.computed
    await accounts.create(store.db, { email: 'ada@example.com', name: 'Ada', password, roles: [] })
    assert.equal(passwords.computed - before, 1)
  })

  test('what is wrong with a new account is told field by field, and nothing is hashed for it', async (context) => {
    const { store, passwords, accounts } = await scene(context)
    const refused = await accounts.create(store.db, { email: 'nowhere', name: ' ', password: 'short', roles: [] })
    assert.ok('code' in refused)
    assert.equal(refused.code, 'body-invalid')
    assert.deepEqual(Object.keys(refused.errors ?? {}), ['email', 'name', 'password'])
    assert.equal(passwords.computed, 0)

    const problemOf = async (field: { email?: string; name?: string }): Promise<string | undefined> => {
      const given = { email: 'ada@example.com', name: 'Ada', password: 'short', roles: [], ...field }
      const outcome = await accounts.create(store.db, given)
      return 'code' in outcome
        ? Object.keys(outcome.errors ?? {})
            .filter((name) => name !== 'password')
            .join()
        : ''
    }
    const long = `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.com`
    for (const email of ['a@b', 'o’hara+tag@sub.example.com', '用户@例子.公司', long]) {
      assert.equal(await problemOf({ email }), '', email)
    }
    for (const email of [
      '',
      '@b.c',
      'a@',
      'a@b@c',
      'a b@c.d',
      'a@b..c',
      'a@.b',
      'a@b.',
      'a\u0000@b.c',
      'a\u200b@b.c',
      'a\u202e@b.c',
      `${'a'.repeat(65)}@b.c`,
      `${long}x`,
    ]) {
      assert.equal(await problemOf({ email }), 'email', JSON.stringify(email))
    }
    assert.equal(await problemOf({ name: 'x'.repeat(200) }), '')
    for (const name of ['', '\t', 'x'.repeat(201), 'Ada\nadmin', 'Ada\u001b[2J', 'Ada\u0000', 'Ada\ud800']) {
      assert.equal(await problemOf({ name }), 'name', JSON.stringify(name))
    }
  })

  test('ID1: an account answers to its password and to no other', async (context) => {
    const { store, accounts, add } = await scene(context)
    const account = await add()
    assert.deepEqual(await accounts.authenticate(store.db, ' ADA@example.com', password), account)
    for (const wrong of [`${password} `, password.toUpperCase(), '']) {
      assert.equal(await accounts.authenticate(store.db, 'ada@example.com', wrong), undefined)
    }
  })

  test('ID2, A40: unknown, wrong, locked and without a password are one answer after one hash', async (context) => {
    const { store, passwords, accounts, add } = await scene(context)
    await add()
    const locked = await add('locked@example.com')
    await accounts.setStatus(store.db, locked.id, 'locked')
    const keyless = await add('keyless@example.com')
    await store.db.updateTable('users').set({ password_hash: null }).where('id', '=', keyless.id).execute()
    for (const [email, guess] of [
      ['nobody@example.com', password],
      ['not an address', password],
      ['nul\u0000@example.com', password],
      ['half\ud800@example.com', password],
      ['', ''],
      ['ada@example.com', 'wrong'],
      ['locked@example.com', password],
      ['locked@example.com', 'wrong'],
      ['keyless@example.com', password],
    ] as const) {
      const before = passwords.computed
      assert.equal(await accounts.authenticate(store.db, email, guess), undefined, email)
      assert.equal(passwords.computed - before, 1, `${email} costs one hash`)
    }
    await accounts.setStatus(store.db, locked.id, 'active')
    assert.ok(await accounts.authenticate(store.db, 'locked@example.com', password))
  })

  test('A39: a hash of old is made again at the next sign-in, and only by the right password', async (context) => {
    const { store, accounts, add } = await scene(context)
    const { id } = await add()
    const stored = async (): Promise<string> =>
      (await store.db.selectFrom('users').select('password_hash').where('id', '=', id).executeTakeFirstOrThrow())
        .password_hash ?? ''
    await store.db.updateTable('users').set({ password_hash: weakHash }).where('id', '=', id).execute()
    assert.equal(await accounts.authenticate(store.db, 'ada@example.com', 'wrong'), undefined)
    assert.equal(await stored(), weakHash)
    assert.ok(await accounts.authenticate(store.db, 'ada@example.com', 'password'))
    const renewed = await stored()
    assert.match(renewed, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    assert.ok(await accounts.authenticate(store.db, 'ada@example.com', 'password'))
    assert.equal(await stored(), renewed, 'once')
  })

  test('A39: a password that changes while its old hash is made again stays changed', async (context) => {
    const { store, passwords, accounts, add } = await scene(context)
    const { id } = await add()
    const setHash = (hash: string): Promise<unknown> =>
      store.db.updateTable('users').set({ password_hash: hash }).where('id', '=', id).execute()
    await setHash(weakHash)
    const before = passwords.computed
    const signingIn = accounts.authenticate(store.db, 'ada@example.com', 'password')
    while (passwords.computed < before + 2) await new Promise(setImmediate)
    await setHash('changed meanwhile')
    assert.ok(await signingIn)
    const { password_hash } = await store.db.selectFrom('users').select('password_hash').executeTakeFirstOrThrow()
    assert.equal(password_hash, 'changed meanwhile')
  })

  test('AZ1: roles are granted and withdrawn, twice without harm', async (context) => {
    const { store, accounts, add } = await scene(context)
    const { id } = await add()
    const roles = async (): Promise<readonly string[]> => (await accounts.byId(store.db, id))?.roles ?? []
    for (let twice = 0; twice < 2; twice++) await accounts.grant(store.db, id, 'analyst')
    assert.deepEqual(await roles(), ['analyst', 'user'])
    for (let twice = 0; twice < 2; twice++) await accounts.withdraw(store.db, id, 'user')
    assert.deepEqual(await roles(), ['analyst'])
  })

  test('ID1: a new password replaces the old one, and is held to the same rules', async (context) => {
    const { store, accounts, add } = await scene(context)
    const account = await add()
    const refusal = await accounts.preparePassword(account, 'short', false)
    assert.equal('code' in refusal && refusal.code, 'body-invalid')
    assert.ok(await accounts.authenticate(store.db, account.email, password))
    const prepared = await accounts.preparePassword(account, 'another 8 violet rivers', false)
    assert.ok('phc' in prepared)
    await accounts.setPassword(store.db, account.id, prepared)
    assert.equal(await accounts.authenticate(store.db, account.email, password), undefined)
    assert.ok(await accounts.authenticate(store.db, account.email, 'another 8 violet rivers'))
  })

  test('A61: every verb takes the caller’s transaction, and leaves with it', async (context) => {
    const { store, accounts, add } = await scene(context)
    const account = await add()
    const abandoned = (work: (trx: Database) => Promise<unknown>): Promise<void> =>
      assert.rejects(
        store.transaction(async (trx) => {
          await work(trx)
          throw new Error('no event, no change')
        }),
        /no event/,
      )
    await abandoned((trx) => accounts.create(trx, { email: 'bob@example.com', name: 'Bob', password, roles: ['user'] }))
    await abandoned((trx) => accounts.setStatus(trx, account.id, 'locked'))
    await abandoned((trx) => accounts.grant(trx, account.id, 'admin'))
    await abandoned((trx) => accounts.withdraw(trx, account.id, 'user'))
    const prepared = await accounts.preparePassword(account, 'another 8 violet rivers', false)
    assert.ok('phc' in prepared)
    await abandoned((trx) => accounts.setPassword(trx, account.id, prepared))
    assert.deepEqual(await accounts.list(store.db), [account])
    assert.ok(await accounts.authenticate(store.db, account.email, password))
  })
}
