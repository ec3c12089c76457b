// What somebody's factors are, on every store.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Factors, hasSecond } from '../../src/authn/factor/factors.ts'
import { RecoveryCodes } from '../../src/authn/factor/recovery-codes.ts'
import { Totp } from '../../src/authn/factor/totp.ts'
import { type FreshStore, sceneOf } from './factor-people.ts'

export function factorsCases(fresh: FreshStore): void {
  test('A45: what is enrolled counts, in a house that lost its passkeys too; recovery codes alone do not', async (context) => {
    const parts = await sceneOf(context, fresh)
    const { db } = parts.store
    const totp = new Totp({ ...parts, issuerName: 'Gate' })
    const recoveryCodes = new RecoveryCodes(parts)
    const factors = new Factors({ totp, recoveryCodes })

    assert.deepEqual(await factors.enrolled(db, 'ada'), { totp: false, passkeys: 0, recoveryCodesLeft: 0 })
    await recoveryCodes.renew(db, 'ada')
    await totp.begin(db, 'ada', 'ada@example.com')
    assert.deepEqual(await factors.enrolled(db, 'ada'), { totp: false, passkeys: 0, recoveryCodesLeft: 10 })
    assert.equal(hasSecond(await factors.enrolled(db, 'ada')), false)

    await db.updateTable('totp').set({ confirmed_at: 1 }).execute()
    assert.equal(hasSecond(await factors.enrolled(db, 'ada')), true)
    await totp.remove(db, 'ada')

    const row = {
      public_key: '',
      sign_count: 0,
      transports: '[]',
      name: '',
      backed_up: 0,
      created_at: 0,
      last_used_at: null,
    }
    await db
      .insertInto('passkeys')
      .values({ ...row, id: 'a', user_id: 'ada' })
      .execute()
    const inside = await parts.store.transaction((trx) => factors.enrolled(trx, 'ada'))
    assert.deepEqual(inside, { totp: false, passkeys: 1, recoveryCodesLeft: 10 })
    assert.equal(hasSecond(inside), true)
    assert.equal(hasSecond(await factors.enrolled(db, 'bob')), false)
  })
}
