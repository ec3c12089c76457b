// What linked identities have to do alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Identities } from '../../../src/authn/provider/identities.ts'
import { systemRandom } from '../../../src/kernel/id.ts'
import { rootKey } from '../../../src/keys/root.ts'
import { openStore } from '../../../src/store/database.ts'
import { testClock } from '../../support/clock.ts'

export function identityCases(fresh: (context: TestContext) => Promise<string>): void {
  async function scene(context: TestContext) {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    const clock = testClock()
    const root = rootKey('a root secret of more than thirty-two characters')
    for (const id of ['ada', 'bob']) {
      const email = `${id}@example.com`
      const times = { created_at: clock.now(), updated_at: clock.now() }
      const row = { id, email, name: id, status: 'active' as const, password_hash: null, ...times }
      await store.db
        .insertInto('users')
        .values({ ...row, short_password: 0, email_verified_at: null, username: null, last_sign_in_at: null })
        .execute()
    }
    return { store, clock, identities: new Identities({ clock, random: systemRandom, root }) }
  }
  const issuer = 'https://id.example'
  const acme = { issuer, subject: '17', provider: 'acme', email: 'ada@example.com', refreshToken: 'rt-of-acme' }

  test('A35: an account elsewhere is found by issuer and subject, both of them', async (context) => {
    const { store, clock, identities } = await scene(context)
    assert.equal(await identities.link(store.db, { ...acme, userId: 'ada' }), true)
    const linked = {
      issuer,
      subject: '17',
      provider: 'acme',
      userId: 'ada',
      email: 'ada@example.com',
      createdAt: clock.now(),
      lastUsedAt: clock.now(),
    }
    assert.deepEqual(await identities.find(store.db, issuer, '17'), linked)
    assert.equal(await identities.find(store.db, 'https://other.example', '17'), undefined)
    assert.equal(await identities.find(store.db, issuer, 'ada@example.com'), undefined)
    assert.deepEqual(await identities.of(store.db, 'ada'), [linked])
    assert.deepEqual(await identities.of(store.db, 'bob'), [])
  })

  test('A35: of two who link the same account elsewhere at the same moment, one has it', async (context) => {
    const { store, identities } = await scene(context)
    const outcomes = await Promise.all(
      ['ada', 'bob', 'ada', 'bob'].map((userId) => identities.link(store.db, { ...acme, userId })),
    )
    assert.deepEqual(outcomes.toSorted(), [false, false, false, true])
    const holder = (await identities.find(store.db, issuer, '17'))?.userId
    assert.equal(await identities.link(store.db, { ...acme, userId: holder === 'ada' ? 'bob' : 'ada' }), false)
    assert.equal((await identities.find(store.db, issuer, '17'))?.userId, holder)
  })

  test('A63: a refresh token is not readable at rest, and opens in its own row alone', async (context) => {
    const { store, clock, identities } = await scene(context)
    await identities.link(store.db, { ...acme, userId: 'ada' })
    await identities.link(store.db, { ...acme, subject: '18', refreshToken: 'rt-of-another', userId: 'bob' })
    assert.equal(await identities.refreshToken(store.db, issuer, '17'), 'rt-of-acme')
    const rows = await store.db.selectFrom('identities').selectAll().orderBy('subject').execute()
    assert.equal(JSON.stringify(rows).includes('rt-of'), false)
    assert.equal(JSON.stringify(rows).includes(Buffer.from('rt-of-acme').toString('base64url')), false)
    const sealed = rows[0]?.sealed_refresh_token ?? ''
    await store.db.updateTable('identities').set({ sealed_refresh_token: sealed }).where('subject', '=', '18').execute()
    assert.equal(await identities.refreshToken(store.db, issuer, '18'), undefined)
    const stranger = new Identities({
      clock,
      random: systemRandom,
      root: rootKey('another root secret of more than thirty-two characters'),
    })
    assert.equal(await stranger.refreshToken(store.db, issuer, '17'), undefined)
  })

  test('a sign-in is noted, and keeps the refresh token unless a new one came', async (context) => {
    const { store, clock, identities } = await scene(context)
    await identities.link(store.db, { ...acme, userId: 'ada' })
    clock.advance(1000)
    await identities.touch(store.db, issuer, '17', undefined)
    assert.equal(await identities.refreshToken(store.db, issuer, '17'), 'rt-of-acme')
    const seen = await identities.find(store.db, issuer, '17')
    assert.equal((seen?.lastUsedAt ?? 0) - (seen?.createdAt ?? 0), 1000)
    await identities.touch(store.db, issuer, '17', 'rt-2')
    assert.equal(await identities.refreshToken(store.db, issuer, '17'), 'rt-2')
    await identities.touch(store.db, issuer, 'nobody', 'rt-3')
    assert.equal(await identities.refreshToken(store.db, issuer, 'nobody'), undefined)
  })

  test('unlinking takes what is the person’s own with that provider, and an account takes its links along', async (context) => {
    const { store, identities } = await scene(context)
    await identities.link(store.db, { ...acme, userId: 'ada' })
    await identities.link(store.db, {
      ...acme,
      issuer: 'https://github.com',
      provider: 'github',
      email: undefined,
      userId: 'ada',
    })
    await identities.link(store.db, { ...acme, subject: '18', refreshToken: undefined, userId: 'bob' })
    assert.equal(await identities.unlink(store.db, 'ada', 'acme'), true)
    assert.equal(await identities.unlink(store.db, 'ada', 'acme'), false)
    assert.deepEqual(
      (await identities.of(store.db, 'ada')).map(({ provider, email }) => [provider, email]),
      [['github', undefined]],
    )
    assert.equal(await identities.refreshToken(store.db, issuer, '18'), undefined)
    await store.db.deleteFrom('users').where('id', '=', 'bob').execute()
    assert.equal(await identities.find(store.db, issuer, '18'), undefined)
  })

  test('a text that PostgreSQL would refuse is nobody’s', async (context) => {
    const { store, identities } = await scene(context)
    for (const subject of ['a\u0000b', '\ud800']) {
      assert.equal(await identities.link(store.db, { ...acme, subject, userId: 'ada' }), false)
      assert.equal(await identities.find(store.db, issuer, subject), undefined)
      assert.equal(await identities.refreshToken(store.db, subject, '17'), undefined)
      assert.equal(await identities.unlink(store.db, 'ada', subject), false)
      assert.deepEqual(await identities.of(store.db, subject), [])
      await identities.touch(store.db, issuer, subject, 'x')
    }
  })
}
