// What recovery codes have to do alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { RecoveryCodes } from '../../src/authn/factor/recovery-codes.ts'
import { rootKey } from '../../src/keys/root.ts'
import { type FreshStore, junkTexts, type Scene, sceneOf, truths } from './factor-people.ts'

export function recoveryCases(fresh: FreshStore): void {
  async function scene(context: TestContext): Promise<Scene & { readonly codes: RecoveryCodes }> {
    const parts = await sceneOf(context, fresh)
    return { ...parts, codes: new RecoveryCodes(parts) }
  }

  test('A43: there are ten codes of 120 bits, and the store holds none of them', async (context) => {
    const { store, codes } = await scene(context)
    const made = await codes.renew(store.db, 'ada')
    assert.equal(new Set(made).size, 10)
    for (const code of made) assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){5}$/)
    const stored = JSON.stringify(await store.db.selectFrom('recovery_codes').selectAll().execute())
    for (const code of made) assert(!stored.includes(code) && !stored.includes(code.replaceAll('-', '')))
    assert.equal(await codes.left(store.db, 'ada'), 10)
  })

  test('A43: a code is accepted once, by two callers at the same moment too', async (context) => {
    const { store, codes } = await scene(context)
    const [code = ''] = await codes.renew(store.db, 'ada')
    assert.equal(await truths(Array.from({ length: 8 }, () => codes.use(store.db, 'ada', code))), 1)
    assert.equal(await codes.use(store.db, 'ada', code), false)
    assert.equal(await codes.left(store.db, 'ada'), 9)
  })

  test('ID7: letter case, spaces, hyphens and look-alikes are free; anything else is a no', async (context) => {
    const { store, codes } = await scene(context)
    const [lower = '', spaced = '', bare = '', dashed = '', ...rest] = await codes.renew(store.db, 'ada')
    const alike = rest.find((code) => /[01]/.test(code)) ?? ''
    const near = bare.replaceAll('-', '')
    for (const junk of [...junkTexts, near.slice(1), `${near}0`, `${near}\0`, near.replace(/^./, 'U'), '0'.repeat(24)])
      assert.equal(await codes.use(store.db, 'ada', junk), false, JSON.stringify(junk).slice(0, 40))
    assert.equal(await codes.use(store.db, 'ada', lower.toLowerCase()), true)
    assert.equal(await codes.use(store.db, 'ada', ` ${spaced.replaceAll('-', ' ')}\n`), true)
    assert.equal(await codes.use(store.db, 'ada', near), true)
    assert.equal(await codes.use(store.db, 'ada', dashed.replaceAll('-', ' – ')), true)
    if (alike !== '')
      assert.equal(await codes.use(store.db, 'ada', alike.replaceAll('0', 'o').replaceAll('1', 'l')), true)
  })

  test('A43: a code is its owner’s alone, also where its row was moved, and belongs to one root', async (context) => {
    const { store, clock, random, codes } = await scene(context)
    const [code = '', moved = ''] = await codes.renew(store.db, 'ada')
    assert.equal(await codes.use(store.db, 'bob', code), false)
    const other = new RecoveryCodes({ clock, random, root: rootKey('another root secret, as long as the first') })
    assert.equal(await other.use(store.db, 'ada', code), false)
    assert.equal(await codes.use(store.db, 'ada', code), true)
    await store.db.updateTable('recovery_codes').set({ user_id: 'bob' }).execute()
    assert.equal(await codes.use(store.db, 'bob', moved), false)
  })

  test('ID7: renewing voids all earlier codes, and leaves those of others', async (context) => {
    const { store, codes } = await scene(context)
    const [old = ''] = await codes.renew(store.db, 'ada')
    const [others = ''] = await codes.renew(store.db, 'bob')
    const [fresh = ''] = await codes.renew(store.db, 'ada')
    assert.equal(await codes.use(store.db, 'ada', old), false)
    assert.equal(await codes.use(store.db, 'ada', fresh), true)
    assert.equal(await codes.use(store.db, 'bob', others), true)
    await codes.removeAll(store.db, 'ada')
    assert.equal(await codes.left(store.db, 'ada'), 0)
    assert.equal(await codes.left(store.db, 'bob'), 9)
  })

  test('ID7: of renewals at the same moment one set stays, in transactions and outside', async (context) => {
    const { store, codes } = await scene(context)
    await Promise.all(
      Array.from({ length: 6 }, (_, turn) =>
        turn % 2 === 0 ? codes.renew(store.db, 'ada') : store.transaction((trx) => codes.renew(trx, 'ada')),
      ),
    )
    assert.equal(await codes.left(store.db, 'ada'), 10)
  })
}
