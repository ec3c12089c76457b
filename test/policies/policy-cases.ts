// Policies that administrators write, alike on every store.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../../src/authz/policy/named.ts'
import { openStore } from '../../src/store/database.ts'
import { allowing, configured, decided, type FreshStore, managed, permitted, policyScene, requestOf } from './scene.ts'

const circumstances = { at: 0, requestId: 'r', asker: 'GET /documents' }

export function policyCases(fresh: FreshStore): void {
  test('A56: a managed policy denies everything until it is written, and what is written decides at once, here and there', async (context) => {
    const at = await policyScene(context, fresh)
    const [live, there] = [at.book.named('documents'), await at.another()]
    assert.equal(decided(at.book, 'ada').effect, 'deny')
    assert.match(decided(at.book, 'ada').because, /nobody has written/)
    await at.write('document', 'documents', allowing('ada'))
    assert.deepEqual(permitted(at.book), ['ada'])
    assert.deepEqual(permitted(there), [], 'before it has heard')
    await there.hear(at.store.db)
    assert.deepEqual(permitted(there), ['ada'])
    await at.write('document', 'documents', allowing('bob'))
    assert.deepEqual(permitted(at.book), ['bob'])
    await at.write('document', 'documents', null)
    assert.deepEqual(permitted(at.book), [])
    assert.equal(at.book.named('documents'), live, 'routes hold the name’s object, and never ask for it again')
    assert.deepEqual(await at.store.db.selectFrom('policies').selectAll().execute(), [], 'nothing is left behind')
  })

  test('A56: what was written is there after a restart, byte for byte', async (context) => {
    const at = await policyScene(context, fresh)
    const text = `{ "rules": [${JSON.stringify(allowing('ada')).slice(26, -2)}],\n "version": "1.0" }`
    await at.write('document', 'documents', text)
    const again = await at.another()
    assert.deepEqual(permitted(again), ['ada'])
    assert.equal(again.show('documents')?.document?.text, text)
    assert.equal(again.show('documents')?.document?.fingerprint, at.book.show('documents')?.document?.fingerprint)
    assert.equal(again.show('documents')?.document?.since, at.clock.now())
  })

  test('A56: a document of the store that was changed by hand, or that this version does not know, denies everything and is told', async (context) => {
    const at = await policyScene(context, fresh)
    await at.write('document', 'documents', allowing('ada'))
    await at.write('trial', 'documents', allowing('bob'))
    for (const broken of [
      '{"version":"1.0","rules":[',
      '{"version":"2.0","rules":[]}',
      '{"version":"1.0","rules":[{"condition":{"operator":"resembles","attribute":"subject.id","value":"ada"},"effect":"allow"}]}',
      '{"version":"1.0","version":"1.0","rules":[]}',
      'null',
      '',
    ]) {
      await at.store.db.updateTable('policies').set({ document: broken, trial: broken }).execute()
      const again = await at.another()
      assert.deepEqual(permitted(again), [], broken)
      assert.match(decided(again, 'ada').because, /cannot be read/)
      assert.equal(again.named('documents').trial, undefined)
      assert.equal(again.show('documents')?.document?.ruleCount, undefined)
      const told = at.lines.filter(({ level, message }) => level === 'error' && message.includes('cannot be read'))
      assert.equal(told.length, 2, broken)
      assert.equal(told[0]?.['policy'], 'documents')
      await again.hear(at.store.db)
      at.lines.length = 0
    }
    await at.write('document', 'documents', allowing('ada'))
    assert.deepEqual(permitted(at.book), ['ada'])
  })

  test('A11: a store that is silent for a minute is believed no longer; the configuration’s own policies go on', async (context) => {
    const own = configured(managed, { name: 'own', ...allowing('ada') })
    const at = await policyScene(context, fresh, own)
    await at.write('document', 'documents', allowing('ada'))
    at.clock.advance(60_000)
    assert.deepEqual(permitted(at.book), ['ada'])
    at.clock.advance(1)
    assert.deepEqual(permitted(at.book), [])
    assert.match(decided(at.book, 'ada').because, /has not answered/)
    assert.deepEqual(permitted(at.book, 'own'), ['ada'])
    await at.book.hear(at.store.db)
    assert.deepEqual(permitted(at.book), ['ada'])
  })

  test('A56: a change that could not be read back denies until it is', async (context) => {
    const at = await policyScene(context, fresh)
    await at.write('document', 'documents', allowing('ada'))
    at.book.doubt('documents')
    assert.deepEqual(permitted(at.book), [])
    await at.book.hear(at.store.db)
    assert.deepEqual(permitted(at.book), ['ada'])
    // Heard while it was being changed: what was read may be what was there before.
    const hearing = at.book.hear(at.store.db)
    await Promise.resolve()
    at.book.doubt('documents')
    await hearing
    assert.deepEqual(permitted(at.book), [], 'what was asked before the doubt does not end it')
    await at.book.hear(at.store.db)
    assert.deepEqual(permitted(at.book), ['ada'])
  })

  test('A56: of two who expect the same document, on two nodes, one changes it', async (context) => {
    const at = await policyScene(context, fresh)
    const stores = [at.store, await openStore(at.url)]
    context.after(() => stores[1]?.close())
    await at.write('document', 'documents', allowing('nobody'))
    const expected = JSON.stringify(allowing('nobody'))
    const outcomes = await Promise.all(
      ['ada', 'bob', 'ada', 'bob'].map((id, index) =>
        (stores[index % 2] as typeof at.store).transaction(async (trx) => {
          await at.policies.takeTurns(trx)
          const { document } = await at.policies.read(trx, 'documents')
          if (document?.text !== expected) return false
          await at.policies.setDocument(trx, 'documents', JSON.stringify(allowing(id)))
          return true
        }),
      ),
    )
    assert.equal(outcomes.filter((one) => one).length, 1)
    await at.book.hear(at.store.db)
    assert.equal(permitted(at.book).length, 1)
  })

  test('A56: a configured policy is the configuration’s: nothing in the store takes its place, and nobody is deceived about that', async (context) => {
    const at = await policyScene(context, fresh)
    await at.write('document', 'documents', allowing('bob'))
    at.book.follow(configured({ name: 'documents', ...allowing('ada') }))
    assert.deepEqual(permitted(at.book), ['ada'])
    assert.ok(at.lines.some(({ level, message }) => level === 'warn' && message.includes('is not used')))
    assert.equal(at.book.show('documents')?.origin, 'configuration')
    at.book.follow([])
    assert.equal(at.book.show('documents'), undefined)
    assert.match(decided(at.book, 'ada').because, /no configuration has/)
    at.book.follow(configured(managed))
    assert.deepEqual(permitted(at.book), ['bob'], 'managed again, what administrators wrote is in force again')
  })

  test('AZ4: a trial counts from its beginning, and begins anew when one of the two documents is another', async (context) => {
    const at = await policyScene(context, fresh)
    await at.write('document', 'documents', allowing('ada'))
    await at.write('trial', 'documents', allowing('ada', 'bob'))
    const named = at.book.named('documents')
    const ask = (id: string): string => judge(named, requestOf(id), circumstances).effect
    const counts = (): Record<string, number> | undefined => named.trial?.report().outcomes
    assert.deepEqual(['ada', 'bob', 'eve'].map(ask), ['permit', 'deny', 'deny'])
    assert.deepEqual(counts(), { same: 2, would_permit: 1, would_deny: 0, error: 0 })
    assert.deepEqual(
      at.counted.map(([policy, outcome]) => `${policy} ${outcome}`),
      ['documents same', 'documents would_permit', 'documents same'],
    )
    at.clock.advance(1_000)
    await at.write('document', 'documents', allowing('ada'))
    await at.book.hear(at.store.db)
    at.book.follow(configured(managed))
    assert.equal(counts()?.['would_permit'], 1, 'the same documents, heard again or loaded again, go on')
    await at.write('document', 'documents', allowing('eve'))
    assert.deepEqual(counts(), { same: 0, would_permit: 0, would_deny: 0, error: 0 })
    assert.equal(named.trial?.report().since, at.clock.now())
    assert.deepEqual(['ada', 'eve'].map(ask), ['deny', 'permit'])
    assert.deepEqual(counts(), { same: 0, would_permit: 1, would_deny: 1, error: 0 })
    await at.write('trial', 'documents', allowing())
    assert.deepEqual(counts(), { same: 0, would_permit: 0, would_deny: 0, error: 0 })
    await at.write('trial', 'documents', null)
    assert.equal(named.trial, undefined)
    assert.equal(ask('eve'), 'permit')
  })
}
