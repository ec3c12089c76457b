// The registry of services, alike on every store.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceBook } from '../../src/authn/service/service-book.ts'
import { Services } from '../../src/authn/service/services.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { rootKey } from '../../src/keys/root.ts'
import { openStore } from '../../src/store/database.ts'
import {
  certificate,
  claimsAt,
  configured,
  defined,
  type FreshStore,
  forge,
  reportsSecret,
  root,
  serviceScene,
  target,
} from './scene.ts'

const dayMs = 86_400_000

export function serviceCases(fresh: FreshStore): void {
  test('AK4: a service that was made is known at once, on another node too, with all that was said of it', async (context) => {
    const at = await serviceScene(context, fresh)
    const secret = await at.make('billing', {
      permissions: ['invoice:*'],
      roles: ['worker'],
      addresses: ['10.0.0.0/8'],
      limit: { limit: 100, windowMs: 60_000 },
    })
    assert.match(secret, /^gh_ss_[A-Za-z0-9_-]{43}$/)
    const there = at.another()
    await there.hear(at.store.db)
    for (const book of [at.book, there]) {
      const signer = book.find('billing')
      assert.ok(signer)
      assert.deepEqual(
        signer.secrets.map((key) => key.export().toString()),
        [secret],
      )
      const { from, ...holder } = signer.holder
      assert.deepEqual(holder, {
        type: 'service',
        id: 'billing',
        credential: { kind: 'signature', id: 'billing' },
        roles: ['worker'],
        permissions: ['invoice:*'],
        lent: undefined,
        scopes: undefined,
        organisation: undefined,
        limit: { limit: 100, windowMs: 60_000 },
      })
      assert.deepEqual([from?.('10.1.2.3'), from?.('192.0.2.1')], [true, false])
      assert.deepEqual(book.holdingsOf('billing')?.permissions, ['invoice:*'])
      const held = book.verify(forge(claimsAt(at.clock, 'billing'), secret), [target])
      assert.ok(!('code' in held), JSON.stringify(held))
      assert.deepEqual(held.credential, { kind: 'service-token', id: 'billing' })
    }
    assert.equal(at.book.find('nobody'), undefined)
    assert.equal(at.book.holdingsOf('nobody'), undefined)
  })

  test('AK4: a secret lies sealed for its own row and service: none that was moved, or put in, opens', async (context) => {
    const at = await serviceScene(context, fresh)
    const [secret, other] = [await at.make('billing'), await at.make('reporting')]
    const rows = await at.store.db.selectFrom('service_secrets').selectAll().execute()
    assert.doesNotMatch(JSON.stringify(rows), new RegExp(`${secret.slice(6)}|${other.slice(6)}`))
    const [first, second] = rows
    assert.ok(first && second)
    const set = (id: string, to: { sealed?: string; service?: string }): Promise<unknown> =>
      at.change((trx) => trx.updateTable('service_secrets').set(to).where('id', '=', id).execute())

    await set(first.id, { sealed: second.sealed })
    await set(second.id, { sealed: first.sealed })
    for (const name of ['billing', 'reporting']) assert.deepEqual(at.book.find(name)?.secrets, [])
    assert.ok(at.lines.some(({ level, message }) => level === 'error' && message.includes('does not open')))

    await set(first.id, { sealed: first.sealed, service: second.service })
    await set(second.id, { sealed: second.sealed })
    assert.deepEqual(
      at.book.find(second.service)?.secrets.map((key) => key.export().toString()),
      [second.service === 'billing' ? secret : other],
    )
    const elsewhere = new ServiceBook({
      services: new Services({ clock: at.clock, random: systemRandom, root: rootKey('x'.repeat(32)) }),
      configured: new Map(),
      clock: at.clock,
      log: silent,
    })
    await elsewhere.hear(at.store.db)
    assert.deepEqual(elsewhere.find(second.service)?.secrets, [])
  })

  test('AK4: of two secrets both are good while one takes the other’s place, and the old one ends by itself', async (context) => {
    const at = await serviceScene(context, fresh)
    const first = await at.make('billing')
    const token = forge(claimsAt(at.clock, 'billing'), first)
    assert.ok(!('code' in at.book.verify(token, [target])))
    at.clock.advance(1)
    const made = await at.change((trx) => at.services.rotate(trx, 'billing', dayMs))
    assert.ok(made)
    assert.equal(made.previousUntil, at.clock.now() + dayMs)
    const signer = at.book.find('billing')
    assert.deepEqual(
      signer?.secrets.map((key) => key.export().toString()),
      [made.secret, first],
    )
    for (const secret of [first, made.secret])
      assert.ok(!('code' in at.book.verify(forge(claimsAt(at.clock, 'billing'), secret), [target])))
    assert.equal(await at.change((trx) => at.services.rotate(trx, 'billing', dayMs)), undefined, 'a third')

    at.clock.advance(dayMs - 1)
    const late = forge(claimsAt(at.clock, 'billing'), first)
    await at.book.hear(at.store.db)
    assert.ok(!('code' in at.book.verify(late, [target])))
    assert.equal(at.book.find('billing'), signer)
    at.clock.advance(1)
    assert.ok('code' in at.book.verify(late, [target]), 'remembered no longer than the secret is good')
    assert.deepEqual(
      at.book.find('billing')?.secrets.map((key) => key.export().toString()),
      [made.secret],
    )
    assert.equal(at.book.find('billing'), at.book.find('billing'))
    assert.ok(!('code' in at.book.verify(forge(claimsAt(at.clock, 'billing'), made.secret), [target])))

    // What is in the wrong hands ends now, whatever there was.
    const third = await at.change((trx) => at.services.rotate(trx, 'billing', dayMs))
    const fourth = await at.change((trx) => at.services.rotate(trx, 'billing', 0))
    assert.ok(third && fourth)
    assert.deepEqual(
      at.book.find('billing')?.secrets.map((key) => key.export().toString()),
      [fourth.secret],
    )
    assert.equal(fourth.previousUntil, undefined)
  })

  test('AK4: a rotation never makes the secret before last longer than it would have', async (context) => {
    const at = await serviceScene(context, fresh)
    await at.make('billing')
    at.clock.advance(1)
    const second = await at.change((trx) => at.services.rotate(trx, 'billing', 1_000))
    assert.ok(second)
    await at.change((trx) => at.services.removeSecret(trx, 'billing', second.id))
    const [old] = await at.services.secretsOf(at.store.db, 'billing')
    at.clock.advance(1)
    await at.change((trx) => at.services.rotate(trx, 'billing', dayMs))
    assert.equal((await at.services.secretsOf(at.store.db, 'billing')).at(-1)?.expiresAt, old?.expiresAt)
  })

  test('A54: of two rotations at one moment, on two nodes, one makes a secret', async (context) => {
    const at = await serviceScene(context, fresh)
    await at.make('billing')
    const stores = [at.store, at.url === 'sqlite::memory:' ? at.store : await openStore(at.url)]
    if (stores[1] !== at.store) context.after(() => stores[1]?.close())
    at.clock.advance(1)
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        (stores[index % 2] as typeof at.store).transaction(async (trx) => {
          await at.services.takeTurns(trx)
          return at.services.rotate(trx, 'billing', dayMs)
        }),
      ),
    )
    assert.equal(outcomes.filter((one) => one !== undefined).length, 1)
    assert.equal((await at.services.secretsOf(at.store.db, 'billing')).length, 2)
  })

  test('AK5: of two services that claim one certificate at one moment, on two nodes, one gets it', async (context) => {
    const at = await serviceScene(context, fresh)
    const stores = [at.store, at.url === 'sqlite::memory:' ? at.store : await openStore(at.url)]
    if (stores[1] !== at.store) context.after(() => stores[1]?.close())
    const definition = defined({ certificates: [{ dns: 'billing.internal' }], publicKeys: [] })
    const outcomes = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name, index) =>
        (stores[index % 2] as typeof at.store).transaction(async (trx) => {
          await at.services.takeTurns(trx)
          const claimed = await at.services.claimed(trx, name, definition)
          return claimed ?? (await at.services.insert(trx, name, definition))
        }),
      ),
    )
    const [winner] = ['a', 'b', 'c', 'd'].filter((_, index) => outcomes[index] === true)
    assert.equal(outcomes.filter((one) => one === true).length, 1)
    for (const outcome of outcomes)
      if (outcome !== true) assert.deepEqual(outcome, { field: 'certificates.0', owner: winner })
  })

  test('AK4: while nothing changes the same service is the same object, and hearing reads no service', async (context) => {
    const at = await serviceScene(context, fresh)
    const secret = await at.make('billing', { certificates: [{ dns: 'billing.internal' }] })
    const token = forge(claimsAt(at.clock, 'billing'), secret)
    const seen = (): readonly unknown[] => [
      at.book.find('billing'),
      at.book.find('reports'),
      at.book.verify(token, [target]),
      at.book.byCertificate(certificate({ dns: ['billing.internal'] })),
    ]
    const before = seen()
    assert.ok(before.every((one) => one !== undefined))
    for (let turn = 0; turn < 3; turn++) {
      await at.book.hear(at.store.db)
      for (const [index, one] of seen().entries()) assert.equal(one, before[index])
    }
    // Another service is made: this one is still the same.
    await at.make('other')
    assert.equal(at.book.find('billing'), before[0])
    assert.equal(at.book.verify(token, [target]), before[2])
    // A row that was changed past every change is not read: what is told of is a version.
    await at.store.db.updateTable('services').set({ definition: 'nonsense' }).execute()
    await at.book.hear(at.store.db)
    assert.equal(at.book.find('billing'), before[0])
  })

  test('A10: what a service loses it loses with the next request, cached tokens and certificates included', async (context) => {
    const at = await serviceScene(context, fresh)
    const secret = await at.make('billing', { permissions: ['a', 'b'], certificates: [{ dns: 'billing.internal' }] })
    const token = forge(claimsAt(at.clock, 'billing'), secret)
    const shown = certificate({ dns: ['billing.internal'] })
    const holds = (): boolean => !('code' in at.book.verify(token, [target]))
    const permissions = (): readonly string[] | undefined => at.book.byCertificate(shown)?.permissions
    assert.deepEqual([holds(), permissions()], [true, ['a', 'b']])

    await at.change((trx) =>
      at.services.change(trx, 'billing', defined({ permissions: ['a'], certificates: [{ dns: 'billing.internal' }] })),
    )
    const verdict = at.book.verify(token, [target])
    assert.deepEqual('code' in verdict ? verdict : verdict.permissions, ['a'])
    assert.deepEqual(permissions(), ['a'])

    assert.equal(await at.change((trx) => at.services.setDisabled(trx, 'billing', true)), true)
    assert.deepEqual(
      [holds(), permissions(), at.book.find('billing'), at.book.holdingsOf('billing')],
      [false, undefined, undefined, undefined],
    )
    assert.equal(await at.change((trx) => at.services.setDisabled(trx, 'billing', true)), false)
    assert.equal(await at.change((trx) => at.services.setDisabled(trx, 'billing', false)), true)
    assert.deepEqual([holds(), permissions()], [true, ['a']])

    const [one] = await at.services.secretsOf(at.store.db, 'billing')
    await at.change((trx) => at.services.removeSecret(trx, 'billing', one?.id ?? ''))
    assert.deepEqual([holds(), permissions()], [false, ['a']])
    await at.change((trx) => at.services.remove(trx, 'billing'))
    assert.deepEqual([permissions(), at.book.find('billing')], [undefined, undefined])
    assert.deepEqual(await at.store.db.selectFrom('service_secrets').selectAll().execute(), [])
  })

  test('A11: without a word from the store a service of it is believed for a minute, and one of the configuration always', async (context) => {
    const at = await serviceScene(context, fresh)
    const secret = await at.make('billing', { certificates: [{ dns: 'billing.internal' }] })
    const { book, clock } = at
    const token = (name: string, key: string): string => forge(claimsAt(clock, name), key)
    clock.advance(60_000)
    assert.ok(book.find('billing'))
    const warm = token('billing', secret)
    assert.ok(!('code' in book.verify(warm, [target])))
    clock.advance(1)
    for (const asked of [warm, token('billing', secret)]) {
      const verdict = book.verify(asked, [target])
      assert.equal('code' in verdict && verdict.code, 'unavailable')
    }
    const unavailable = { name: 'Fault', code: 'unavailable' }
    assert.throws(() => book.find('billing'), unavailable)
    assert.throws(() => book.holdingsOf('billing'), unavailable)
    assert.throws(() => book.byCertificate(certificate({ dns: ['billing.internal'] })), unavailable)
    // What does not hold anyway is told so, and does not learn that a store is down.
    const forged = book.verify(token('billing', reportsSecret), [target])
    assert.equal('code' in forged && forged.code, 'service-token-invalid')
    assert.equal(book.find('nobody'), undefined)
    assert.ok(book.find('reports'))
    assert.ok(book.byCertificate(certificate({ dns: ['reports.internal'] })))
    assert.ok(!('code' in book.verify(token('reports', reportsSecret), [target])))
    await book.hear(at.store.db)
    assert.ok(book.find('billing'))
  })

  test('AK4: nothing in the store takes the name of a service of the configuration', async (context) => {
    const at = await serviceScene(context, fresh)
    const secret = await at.make('reports', { permissions: ['*'] })
    assert.deepEqual(at.book.find('reports')?.holder.permissions, ['reports:read'])
    assert.ok('code' in at.book.verify(forge(claimsAt(at.clock, 'reports'), secret), [target]))
    assert.ok(at.lines.some(({ level, service }) => level === 'warn' && service === 'reports'))
  })

  test('AK4: a change that cannot be read back leaves nobody in', async (context) => {
    const at = await serviceScene(context, fresh)
    const secret = await at.make('billing', { certificates: [{ dns: 'billing.internal' }] })
    const token = forge(claimsAt(at.clock, 'billing'), secret)
    assert.ok(!('code' in at.book.verify(token, [target])))
    at.book.forget('billing')
    assert.ok('code' in at.book.verify(token, [target]))
    assert.equal(at.book.byCertificate(certificate({ dns: ['billing.internal'] })), undefined)
    await at.book.hear(at.store.db)
    assert.ok(!('code' in at.book.verify(token, [target])))
  })

  test('AK4: services are listed by pages, and no secret is among what is listed', async (context) => {
    const at = await serviceScene(context, fresh)
    for (const name of ['c', 'a', 'e', 'b', 'd']) await at.make(name)
    const names: string[] = []
    let after: string | undefined
    do {
      const page = await at.services.page(at.store.db, { limit: 2, after })
      names.push(...page.services.map(({ name }) => name))
      after = page.next
    } while (after !== undefined)
    assert.deepEqual(names, ['a', 'b', 'c', 'd', 'e'])
    assert.equal(await at.services.count(at.store.db), 5)
    assert.equal(await at.services.isClient(at.store.db, 'a'), false)
    assert.deepEqual(await at.change((trx) => at.services.endKeys(trx, 'a', 'the service was removed')), [])
  })

  test('AK4: two services of the configuration do not share a secret', async () => {
    const own = configured({ a: {}, b: {} }, { a: [reportsSecret], b: [reportsSecret] })
    const parts = { services: new Services({ clock, random: systemRandom, root }), configured: own, clock, log: silent }
    assert.throws(() => new ServiceBook(parts), { name: 'Fault', message: /services\.b\.secrets: .*`a`/ })
  })
}

const clock = { now: () => 0, monotonic: () => 0 }
