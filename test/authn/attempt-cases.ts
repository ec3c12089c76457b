// How failed proofs are counted, and what they lock, alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { z } from 'zod'
import { type Admitted, Attempts, type Claimant, type Locked, type Trip } from '../../src/authn/attempts/attempts.ts'
import { type LockoutRule, lockoutOptions } from '../../src/authn/attempts/options.ts'
import { limitKey } from '../../src/kernel/ip.ts'
import { rootKey } from '../../src/keys/root.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import type { FreshStore } from './account-cases.ts'

type Rules = NonNullable<z.input<typeof lockoutOptions>>

const minute = 60_000
const hour = 60 * minute
const root = rootKey('a root secret for tests, long enough')

const ada = { subject: 'password:ada@example.com', address: '192.0.2.1' }
const adaElsewhere = { ...ada, address: '198.51.100.7' }
const bob = { subject: 'password:bob@example.com', address: '192.0.2.1' }

// What the four systems that are replaced do, in their own numbers.
const L: Rules = [{ per: 'pair', failures: 5, within: '15m', for: '15m' }]
const A: Rules = [{ per: 'account', failures: 5, within: '5m', for: '30m' }]
const E: Rules = [{ per: 'pair', failures: 5, within: '1h', locks: 'address', for: '1h', notify: true }]
const C: Rules = [{ per: 'account', failures: 5, within: '5m' }]

class Scene {
  readonly store: Store
  readonly clock: TestClock
  readonly attempts: Attempts

  constructor(store: Store, clock: TestClock, rules: readonly LockoutRule[]) {
    this.store = store
    this.clock = clock
    this.attempts = new Attempts({ clock, root, rules })
  }

  begin(who: Claimant): Promise<Admitted | Locked> {
    return this.store.transaction((trx) => this.attempts.begin(trx, who))
  }

  async admitted(who: Claimant): Promise<Admitted['attempt']> {
    const begun = await this.begin(who)
    if ('locked' in begun) assert.fail(`locked: ${JSON.stringify(begun)}`)
    return begun.attempt
  }

  async fail(who: Claimant, times = 1, everyMs = 0): Promise<readonly Trip[]> {
    const trips: Trip[] = []
    for (let time = 0; time < times; time++) {
      if (time > 0) this.clock.advance(everyMs)
      trips.push(...(await this.attempts.failed(this.store.db, await this.admitted(who))))
    }
    return trips
  }

  async succeed(who: Claimant): Promise<void> {
    const attempt = await this.admitted(who)
    await this.store.transaction((trx) => this.attempts.succeeded(trx, attempt))
  }

  /** Whether it is locked, without leaving a count behind. */
  async isLocked(who: Claimant): Promise<boolean> {
    const begun = await this.begin(who)
    if ('locked' in begun) return true
    await this.attempts.forgive(this.store.db, begun.attempt)
    return false
  }
}

export function attemptCases(fresh: FreshStore): void {
  async function scene(context: TestContext, rules?: Rules): Promise<Scene> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    return new Scene(store, testClock(), lockoutOptions.parse(rules))
  }

  test('ID3 L: five failures in fifteen minutes lock this name from this address, to the millisecond', async (context) => {
    const at = await scene(context, L)
    const trips = await at.fail(ada, 5, minute)
    const untilMs = at.clock.now() + 15 * minute
    assert.deepEqual(
      trips.map(({ rule, lock }) => ({ per: rule.per, failures: rule.failures, lock })),
      [{ per: 'pair', failures: 5, lock: { by: 'pair', untilMs } }],
    )
    assert.deepEqual(await at.begin(ada), { locked: true, by: 'pair', untilMs })
    assert.equal(await at.isLocked(adaElsewhere), false)
    assert.equal(await at.isLocked(bob), false)
    assert.equal(await at.isLocked({ ...ada, subject: 'totp:ada@example.com' }), false, 'another kind of proof')
    at.clock.advance(15 * minute - 1)
    assert.equal(await at.isLocked(ada), true)
    at.clock.advance(1)
    assert.equal(await at.isLocked(ada), false)
    assert.equal((await at.fail(ada, 5)).length, 1, 'and the next five lock again')
  })

  test('ID3 A: five failures in five minutes from anywhere lock the account for half an hour', async (context) => {
    const at = await scene(context, A)
    await at.fail(ada, 3)
    const [trip] = await at.fail(adaElsewhere, 2, minute)
    assert.deepEqual(trip?.lock, { by: 'account', untilMs: at.clock.now() + 30 * minute })
    for (const who of [ada, adaElsewhere, { ...ada, address: '203.0.113.9' }])
      assert.equal(await at.isLocked(who), true)
    assert.equal(await at.isLocked(bob), false)
    at.clock.advance(30 * minute - 1)
    assert.equal(await at.isLocked(ada), true)
    at.clock.advance(1)
    assert.equal(await at.isLocked(ada), false)
  })

  test('ID3 E: five failures of one name in an hour block the address for every name, and the owner is told', async (context) => {
    const at = await scene(context, E)
    const trips = await at.fail(ada, 5, 10 * minute)
    assert.equal(trips.length, 1)
    assert.equal(trips[0]?.rule.notify, true)
    assert.deepEqual(trips[0]?.lock, { by: 'address', untilMs: at.clock.now() + hour })
    assert.equal(await at.isLocked(bob), true)
    assert.equal(await at.isLocked(adaElsewhere), false)
    at.clock.advance(hour - 1)
    assert.equal(await at.isLocked(bob), true)
    at.clock.advance(1)
    assert.equal(await at.isLocked(bob), false)
  })

  test('ID3 C: five failures in five minutes raise suspicion once, and lock nobody', async (context) => {
    const at = await scene(context, C)
    assert.deepEqual(await at.fail(ada, 4, minute), [])
    const [trip, ...more] = await at.fail(ada, 3)
    assert.equal(trip?.rule.failures, 5)
    assert.equal(trip?.lock, undefined)
    assert.deepEqual(more, [])
    assert.equal(await at.isLocked(ada), false)
    at.clock.advance(5 * minute)
    assert.equal((await at.fail(ada, 5)).length, 1, 'a second burst is raised again')
  })

  test('ID3: failures that no span of five minutes holds together trip nothing', async (context) => {
    const at = await scene(context, A)
    assert.deepEqual(await at.fail(ada, 5, 75_000), [], 'the first is five minutes old when the fifth comes')
    at.clock.advance(74_999)
    assert.equal((await at.fail(ada)).length, 1)
  })

  test('ID3: the span slides: nowhere in time do more than its failures fit into it', async (context) => {
    const at = await scene(context, [{ per: 'account', failures: 5, within: '10m', for: '1s' }])
    const checked: number[] = []
    for (let step = 0; step < 240; step++) {
      const begun = await at.begin({ ...ada, address: `192.0.2.${step}` })
      if (!('locked' in begun)) {
        checked.push(at.clock.now())
        await at.attempts.failed(at.store.db, begun.attempt)
      } else assert.ok(begun.untilMs !== undefined && begun.untilMs > at.clock.now())
      at.clock.advance(15_000 + (step % 7) * 1_000)
    }
    assert.ok(checked.length > 20)
    for (const [index, first] of checked.entries()) {
      const sixth = checked[index + 5]
      assert.ok(sixth === undefined || sixth - first >= 10 * minute, `six from ${first} to ${sixth}`)
    }
  })

  test('ID3: of fifty guesses at one moment no more are checked than a rule lets fail', async (context) => {
    const at = await scene(context, L)
    const begun = await Promise.all(Array.from({ length: 50 }, () => at.begin(ada)))
    const admitted = begun.flatMap((one) => ('locked' in one ? [] : [one.attempt]))
    assert.equal(admitted.length, 5)
    const trips = await Promise.all(admitted.map((attempt) => at.attempts.failed(at.store.db, attempt)))
    assert.equal(trips.flat().length, 1, 'one of them trips the rule')
    assert.equal(await at.isLocked(ada), true)
  })

  test('ID3: two nodes on one store count together', async (context) => {
    const at = await scene(context, L)
    const other = new Scene(at.store, at.clock, lockoutOptions.parse(L))
    await at.fail(ada, 2)
    await other.fail(ada, 2)
    await at.fail(ada)
    assert.equal(await other.isLocked(ada), true)
  })

  test('ID3: a success clears the counters of the account and the pair, and ends their locks', async (context) => {
    const at = await scene(context, [...L, { per: 'account', failures: 7, within: '1h', for: '1h' }])
    await at.fail(ada, 4)
    await at.succeed(ada)
    await at.fail(ada, 4)
    assert.equal(await at.isLocked(ada), false)
    const late = await at.admitted(ada) // the fifth of this pair
    await at.fail(adaElsewhere, 2) // the seventh of the account
    assert.equal(await at.isLocked(adaElsewhere), true)
    await at.attempts.succeeded(at.store.db, late)
    assert.equal(await at.isLocked(ada), false)
    assert.equal(await at.isLocked(adaElsewhere), false)
  })

  test('ID3: successes of one’s own do not pay for guesses at others from the same address', async (context) => {
    const at = await scene(context, [{ per: 'address', failures: 5, within: '1h', for: '1h' }])
    for (let guess = 1; guess <= 4; guess++) {
      await at.fail({ ...ada, subject: `password:victim-${guess}` })
      await at.succeed(bob)
    }
    const [trip] = await at.fail({ ...ada, subject: 'password:victim-5' })
    assert.equal(trip?.rule.per, 'address')
    assert.equal(await at.isLocked(bob), true)
    assert.equal(await at.isLocked(adaElsewhere), false)
  })

  test('ID3: many who sign in from one address do not lock it', async (context) => {
    const at = await scene(context, [{ per: 'address', failures: 5, within: '1h', for: '1h' }])
    for (let person = 0; person < 20; person++) await at.succeed({ ...ada, subject: `password:${person}` })
    assert.equal(await at.isLocked(ada), false)
  })

  test('INVARIANTS 41: strangers lock nobody out of a known device, nor do its neighbours', async (context) => {
    const at = await scene(context, [...A, ...E])
    const known = { ...ada, device: 'device-1' }
    await at.fail(ada, 5)
    assert.equal(await at.isLocked(ada), true)
    assert.equal(await at.isLocked(bob), true, 'the address')
    assert.equal(await at.isLocked(known), false)
    await at.succeed(known)
    assert.equal(await at.isLocked(ada), true, 'whom they locked out are themselves')
  })

  test('INVARIANTS 41: a known device has its own bounds, and its failures lock nobody else', async (context) => {
    const at = await scene(context, E)
    const known = { ...ada, device: 'device-1' }
    const [trip] = await at.fail(known, 5)
    assert.deepEqual(trip?.lock, { by: 'device', untilMs: at.clock.now() + hour })
    assert.equal(await at.isLocked(known), true)
    assert.equal(await at.isLocked({ ...adaElsewhere, device: 'device-1' }), true, 'wherever it goes')
    for (const who of [ada, bob, { ...ada, device: 'device-2' }, { ...bob, device: 'device-1' }])
      assert.equal(await at.isLocked(who), false)
    at.clock.advance(hour)
    await at.fail(known, 4)
    await at.succeed(known)
    await at.fail(known, 4)
    assert.equal(await at.isLocked(known), false)
  })

  test('INVARIANTS 41: after a hundred failures in a row an account stays locked until it is cleared, without any rule', async (context) => {
    const at = await scene(context, [])
    for (let failure = 1; failure <= 99; failure++) {
      assert.deepEqual(await at.fail({ ...ada, address: `192.0.2.${failure}` }), [])
      at.clock.advance(hour)
    }
    const [trip] = await at.fail(ada)
    assert.equal(trip?.rule.failures, 100)
    assert.equal(trip?.rule.notify, true)
    at.clock.advance(10 * 365 * 24 * hour)
    await at.attempts.sweep(at.store.db, at.clock.now())
    assert.deepEqual(await at.begin(adaElsewhere), { locked: true, by: 'account', untilMs: undefined })
    assert.deepEqual(await at.attempts.locksOf(at.store.db, ada.subject), [{ by: 'account', untilMs: undefined }])
    assert.equal(await at.isLocked(bob), false)
    await at.attempts.clear(at.store.db, ada.subject)
    assert.equal(await at.isLocked(ada), false)
  })

  test('INVARIANTS 41: the ceiling holds against a hundred and twenty guesses at one moment, and for a known device', async (context) => {
    const at = await scene(context, [])
    for (const who of [ada, { ...ada, device: 'device-1' }]) {
      const begun = await Promise.all(Array.from({ length: 120 }, () => at.begin(who)))
      assert.equal(begun.filter((one) => !('locked' in one)).length, 100)
    }
  })

  test('INVARIANTS 41: a success in between begins the hundred anew, from a known device too', async (context) => {
    const at = await scene(context, [])
    await at.fail(ada, 99)
    await at.succeed(ada)
    await at.fail(ada, 99)
    await at.succeed({ ...ada, device: 'device-1' })
    await at.fail(ada, 99)
    assert.equal(await at.isLocked(ada), false)
  })

  test('ID2: a name that nobody has is counted, tripped and locked like any other', async (context) => {
    const at = await scene(context)
    const answers: unknown[] = []
    for (const subject of ['password:8c5f5b0e', 'password:no-such-person@example.com']) {
      const who = { subject, address: subject }
      const trips = await at.fail(who, 5)
      answers.push([trips, await at.begin(who), await at.attempts.locksOf(at.store.db, subject)])
    }
    assert.deepEqual(answers[0], answers[1])
  })

  test('an attempt that was not checked is given back, on every counter', async (context) => {
    const at = await scene(context, [
      { per: 'pair', failures: 2, within: '1h', for: '1h' },
      { per: 'account', failures: 2, within: '1h', for: '1h' },
      { per: 'address', failures: 2, within: '1h', for: '1h' },
    ])
    for (let time = 0; time < 120; time++) assert.equal(await at.isLocked(ada), false)
    await at.fail(ada)
    assert.equal(await at.isLocked(ada), false)
    assert.equal((await at.fail(ada)).length, 3)
    assert.equal(await at.isLocked(ada), true)
  })

  test('an attempt whose outcome nobody ever told counts as a failure', async (context) => {
    const at = await scene(context, L)
    const { at: first } = await at.admitted(ada)
    for (let time = 2; time <= 5; time++) await at.admitted(ada)
    assert.deepEqual(await at.begin(ada), { locked: true, by: 'pair', untilMs: first + 15 * minute })
  })

  test('clear unlocks an account, its pairs and its devices, and nobody else', async (context) => {
    const at = await scene(context, [...L, { per: 'account', failures: 6, within: '1h', for: '2h' }])
    const known = { ...ada, device: 'device-1' }
    await at.fail(ada, 5)
    await at.fail(adaElsewhere)
    await at.fail(known, 5)
    await at.fail(bob, 5)
    const quarter = at.clock.now() + 15 * minute
    assert.deepEqual(
      (await at.attempts.locksOf(at.store.db, ada.subject)).toSorted((a, b) => (a.by < b.by ? -1 : 1)),
      [
        { by: 'account', untilMs: at.clock.now() + 2 * hour },
        { by: 'device', untilMs: quarter },
        { by: 'pair', untilMs: quarter },
      ],
    )
    await at.store.transaction((trx) => at.attempts.clear(trx, ada.subject))
    assert.deepEqual(await at.attempts.locksOf(at.store.db, ada.subject), [])
    for (const who of [ada, adaElsewhere, known]) assert.equal(await at.isLocked(who), false)
    assert.equal(await at.isLocked(bob), true)
    for (let name = 0; name < 20; name++)
      assert.deepEqual(await at.attempts.locksOf(at.store.db, `password:${name}`), [], 'locks of others')
  })

  test('INVARIANTS 41: whoever has an IPv6 network has one address', async (context) => {
    const at = await scene(context, L)
    for (let host = 1; host <= 5; host++) await at.fail({ ...ada, address: limitKey(`2001:db8:1:2::${host}`) })
    assert.equal(await at.isLocked({ ...ada, address: limitKey('2001:db8:1:2:ffff::') }), true)
    assert.equal(await at.isLocked({ ...ada, address: limitKey('2001:db8:1:3::1') }), false)
  })

  test('INVARIANTS 52: those whose address nobody knows do not share one', async (context) => {
    const at = await scene(context, [...E, { per: 'address', failures: 5, within: '1h', for: '1h' }])
    const [trip] = await at.fail({ ...ada, address: '' }, 5)
    assert.equal(trip?.lock?.by, 'pair')
    assert.equal(await at.isLocked({ ...ada, address: '' }), true)
    assert.equal(await at.isLocked({ ...bob, address: '' }), false)
  })

  test('the table tells neither names nor addresses, and its keys mean nothing under another root', async (context) => {
    const at = await scene(context)
    await at.fail({ ...ada, device: 'device-1' }, 2)
    await at.fail(ada, 2)
    const rows = await at.store.db.selectFrom('attempts').selectAll().execute()
    assert.equal(rows.length, 4)
    for (const { key } of rows) assert.match(key, /^\d{79}$/)
    assert.doesNotMatch(JSON.stringify(rows), /ada|example|192\.0|device/)
    const stranger = new Attempts({ clock: at.clock, root: rootKey('another root secret, as long'), rules: [] })
    await stranger.clear(at.store.db, ada.subject)
    assert.equal((await at.store.db.selectFrom('attempts').select('key').execute()).length, 4)
  })

  test('whatever text a caller sends is counted: long, empty, torn or with a NUL', async (context) => {
    const at = await scene(context, L)
    for (const text of ['', '\0', '\ud800', 'x'.repeat(1_000_000), "'; drop table attempts --", '%', '_']) {
      await at.fail({ subject: text, address: text, device: text }, 5)
      await at.fail({ subject: text, address: text }, 5)
      assert.equal(await at.isLocked({ subject: text, address: text }), true)
      assert.equal((await at.attempts.locksOf(at.store.db, text)).length, 2)
      await at.attempts.clear(at.store.db, text)
      assert.equal(await at.isLocked({ subject: text, address: text }), false)
    }
  })

  test('a row stays small, however many fail', async (context) => {
    const at = await scene(context, C)
    await at.fail(ada, 90, 10)
    const [row] = await at.store.db.selectFrom('attempts').selectAll().execute()
    assert.equal((JSON.parse(row?.times ?? '') as unknown[]).length, 6)
    assert.equal(row?.total, 90)
  })

  test('what was quiet is forgotten, and nothing that still counts', async (context) => {
    const at = await scene(context, [
      { per: 'account', failures: 100, within: '7d' },
      { per: 'address', failures: 3, within: '1h', for: '30d' },
    ])
    const sweep = () => at.attempts.sweep(at.store.db, at.clock.now())
    const patient = { subject: 'password:patient', address: '' }
    await at.fail({ ...ada, address: '' }, 9)
    await at.fail(patient, 10)
    await at.fail(bob, 3)
    at.clock.advance(7 * 24 * hour)
    assert.equal(await sweep(), 0, 'the span is over only now')
    at.clock.advance(1)
    assert.equal(await sweep(), 2, 'ada and bob, but not the lock on his address')
    assert.equal(await at.isLocked({ ...ada, address: bob.address }), true)
    await at.succeed(patient)
    at.clock.advance(30 * 24 * hour)
    assert.equal(await sweep(), 3, 'who succeeded in the end, and who knocked in vain')
    assert.deepEqual(await at.store.db.selectFrom('attempts').selectAll().execute(), [])
  })

  test('of two locks on one thing the longer holds', async (context) => {
    const at = await scene(context, [
      { per: 'account', failures: 2, within: '1m', for: '2h' },
      { per: 'pair', failures: 2, within: '1m', locks: 'account', for: '10m' },
    ])
    assert.equal((await at.fail(ada, 2)).length, 2)
    at.clock.advance(2 * hour - 1)
    assert.equal(await at.isLocked(ada), true)
    at.clock.advance(1)
    assert.equal(await at.isLocked(ada), false)
  })

  test('many who come and go at one moment neither wait for each other for good nor lose a count', async (context) => {
    const at = await scene(context, [
      { per: 'pair', failures: 100, within: '1h', for: '1h' },
      { per: 'account', failures: 100, within: '1h', for: '1h' },
      { per: 'address', failures: 100, within: '1h', for: '1h' },
    ])
    const people = [ada, bob, adaElsewhere, { ...bob, address: adaElsewhere.address }]
    await Promise.all(
      Array.from({ length: 120 }, async (_, index) => {
        const who = people[index % people.length] as Claimant
        const attempt = await at.admitted(who)
        if (index % 3 === 0) await at.attempts.failed(at.store.db, attempt)
        else await at.attempts.forgive(at.store.db, attempt)
      }),
    )
    const rows = await at.store.db.selectFrom('attempts').selectAll().execute()
    const counts = rows.map(({ times }) => (JSON.parse(times) as unknown[]).length)
    assert.deepEqual(
      counts.toSorted((a, b) => a - b),
      [10, 10, 10, 10, 20, 20, 20, 20],
    )
    assert.equal(
      rows.reduce((sum, { total }) => sum + total, 0),
      40,
    )
    await Promise.all(
      people.flatMap((who) => [
        at.succeed(who),
        at.attempts.clear(at.store.db, who.subject),
        at.succeed({ ...who, device: 'device-1' }),
      ]),
    )
  })
}
