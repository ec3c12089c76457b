// What has to be true of followers on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { appendBatch } from '../../src/audit/chain.ts'
import { type ChainedEvent, type Follower, NotTaken } from '../../src/audit/follow/follower.ts'
import { followerStates, removeFollower, resetFollower } from '../../src/audit/follow/states.ts'
import { troubleEvent } from '../../src/audit/follow/trouble.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { chain, follow, hasTaken, once, rowOf, sealerOf, storeFor } from './following.ts'
import { numbers } from './sample.ts'

interface Taking extends Follower {
  readonly taken: number[]
  readonly begun: number[]
}

/** Takes what it is given, unless `refuse` says why not. */
export function taking(
  name: string,
  refuse: (
    events: readonly ChainedEvent[],
    signal: AbortSignal,
  ) => Error | undefined | Promise<Error | undefined> = () => undefined,
  more: Partial<Follower> = {},
): Taking {
  const taken: number[] = []
  const begun: number[] = []
  return {
    name,
    pageMax: 100,
    from: 'beginning',
    taken,
    begun,
    async begin(seq) {
      begun.push(seq)
    },
    async take(events, signal) {
      const refusal = await refuse(events, signal)
      if (refusal !== undefined) throw refusal
      taken.push(...events.map(({ seq }) => seq))
      return undefined
    },
    ...more,
  }
}

export function followCases(fresh: (context: TestContext) => Promise<string>): void {
  const opened = async (context: TestContext): Promise<Store> => storeFor(context, await fresh(context))

  test('AU4: a follower gets every event once and in order, those of before it began and those that come', async (context) => {
    const store = await opened(context)
    await chain(store, 730)
    const follower = taking('siem')
    follow(context, store, [follower])
    await eventually(() => hasTaken(store, 'siem', 730))
    await chain(store, 5, 731)
    await eventually(() => hasTaken(store, 'siem', 735))
    assert.deepEqual(follower.taken, numbers(735))
  })

  test('one that begins at the end gets what comes after it was there', async (context) => {
    const store = await opened(context)
    await chain(store, 10)
    const follower = taking('new', undefined, { from: 'end' })
    follow(context, store, [follower])
    await eventually(() => hasTaken(store, 'new', 10))
    await chain(store, 3, 11)
    await eventually(() => hasTaken(store, 'new', 13))
    assert.deepEqual(follower.taken, [11, 12, 13])
  })

  test('A61: one that fails holds up no other, loses nothing, and its loss and return are said once', async (context) => {
    const store = await opened(context)
    await chain(store, 20)
    let isDown = true
    const down = taking('down', () => (isDown ? new Error('connect ECONNREFUSED\n127.0.0.1') : undefined))
    const well = taking('well')
    const { troubles } = follow(context, store, [down, well])
    await eventually(() => hasTaken(store, 'well', 20))
    await eventually(() => (troubles.length > 0 ? true : undefined))
    const row = await rowOf(store, 'down')
    assert.equal(row.seq, 0)
    assert.ok(row.failures >= 3 && row.failing_since !== null)
    assert.equal(row.problem, 'connect ECONNREFUSED 127.0.0.1', 'on one line')
    const [state] = (await followerStates(store.db)).filter(({ name }) => name === 'down')
    assert.equal(state?.lag, 20)
    isDown = false
    await eventually(() => hasTaken(store, 'down', 20))
    assert.deepEqual(down.taken, numbers(20))
    const after = await rowOf(store, 'down')
    assert.deepEqual([after.failures, after.failing_since, after.problem, after.lost_at], [0, null, null, null])
    assert.deepEqual(
      troubles.map(({ follower, what }) => [follower, what]),
      [
        ['down', 'sink-lost'],
        ['down', 'sink-found'],
      ],
    )
  })

  test('a sink that is down does not keep an idle house busy with its own trouble', async (context) => {
    const store = await opened(context)
    await chain(store, 1)
    const seen: string[] = []
    // It takes only what is no news of itself, so that every such news would make another.
    const moody = taking('moody', (events) => {
      seen.push(...events.map(({ event }) => event.action))
      return events.some(({ event }) => event.action !== 'request') || seen.length < 4 ? new Error('no') : undefined
    })
    const { troubles } = follow(context, store, [moody], {
      onTrouble: async (trx, trouble) => {
        const event = troubleEvent(trouble, { clock: systemClock, random: systemRandom })
        const [body = ''] = await sealerOf(store).store(trx, [event])
        await trx.insertInto('audit_outbox').values({ body }).execute()
      },
    })
    await eventually(() => (troubles.length === 2 ? true : undefined))
    await appendBatch(store, [])
    await eventually(() => (seen.filter((action) => action === 'sink-lost').length >= 4 ? true : undefined))
    assert.deepEqual(
      troubles.map(({ what }) => what),
      ['sink-lost', 'sink-found'],
    )
  })

  test('what a page answers is done with its progress or not at all', async (context) => {
    const store = await opened(context)
    await chain(store, 3)
    let tries = 0
    const follower = taking('memory', undefined, {
      async take(events) {
        tries += 1
        const last = String(events.at(-1)?.seq)
        return async (trx) => {
          await trx
            .insertInto('house')
            .values({ name: `taken ${last}`, value: '' })
            .execute()
          if (tries === 1) throw new Error('broken off')
        }
      },
    })
    follow(context, store, [follower])
    await eventually(() => hasTaken(store, 'memory', 3))
    const rows = await store.db.selectFrom('house').select('name').where('name', 'like', 'taken %').execute()
    assert.deepEqual([rows.length, tries], [1, 2])
    assert.deepEqual(follower.begun, [0, 0], 'and it forgets what it knew from the page that was undone')
  })

  test('of two houses one reads at a time; when it stops the other goes on where it was', async (context) => {
    const url = await fresh(context)
    const [one, other] = [await storeFor(context, url), url.includes(':memory:') ? undefined : await openStore(url)]
    if (other === undefined) return
    context.after(() => other.close())
    await chain(one, 300)
    const order: number[] = []
    let underWay = 0
    let most = 0
    const recording = async (events: readonly ChainedEvent[]): Promise<undefined> => {
      most = Math.max(most, ++underWay)
      await pause(5)
      order.push(...events.map(({ seq }) => seq))
      underWay -= 1
    }
    const first = follow(context, one, [taking('siem', recording, { pageMax: 10 })])
    follow(context, other, [taking('siem', recording, { pageMax: 10 })])
    await eventually(() => (order.length >= 100 ? true : undefined))
    await first.stop()
    await chain(other, 50, 301)
    await eventually(() => hasTaken(other, 'siem', 350))
    assert.deepEqual(once(order), numbers(350))
    assert.ok(order.length <= 360, 'a page comes twice at most')
    assert.equal(most, 1)
  })

  test('a reader that died is succeeded after ten seconds without a sign, whatever the wall clock says', async (context) => {
    const store = await opened(context)
    await chain(store, 4)
    const clock = testClock()
    const follower = taking('siem')
    await store.db
      .insertInto('audit_followers')
      .values({
        name: 'siem',
        seq: 2,
        holder: 'somebody who died',
        beat: 7,
        failures: 0,
        failing_since: null,
        problem: null,
        lost_at: null,
        updated_at: clock.now() + 86_400_000,
      })
      .execute()
    const { turn } = follow(context, store, [follower], { clock })
    turn()
    await pause(600)
    clock.advance(9_999)
    await pause(300)
    assert.equal((await rowOf(store, 'siem')).holder, 'somebody who died')
    clock.advance(2)
    await eventually(() => hasTaken(store, 'siem', 4))
    assert.deepEqual(follower.taken, [3, 4])
  })

  test('a reader that lost its place while it was held up commits nothing', async (context) => {
    const store = await opened(context)
    await chain(store, 4)
    let release: () => void = () => {}
    let held = 0
    const follower = taking('siem', async () => {
      if (held++ === 0) await new Promise<void>((resolve) => (release = resolve))
      return undefined
    })
    follow(context, store, [follower])
    await eventually(() => (held === 1 ? true : undefined))
    await store.db.updateTable('audit_followers').set({ holder: 'another', beat: 99, seq: 2 }).execute()
    release()
    await pause(400)
    const row = await rowOf(store, 'siem')
    assert.deepEqual([row.seq, row.holder], [2, 'another'])
  })

  test('a follower that is set back, or ahead, goes on from there at once', async (context) => {
    const store = await opened(context)
    await chain(store, 6)
    const follower = taking('siem')
    follow(context, store, [follower])
    await eventually(() => hasTaken(store, 'siem', 6))
    await store.transaction((trx) => resetFollower(trx, 'siem', 4, systemClock.now()))
    await eventually(() => (follower.taken.length === 8 ? true : undefined))
    assert.deepEqual(follower.taken, [...numbers(6), 5, 6])
  })

  test('a follower that is removed by mistake begins anew, without a restart', async (context) => {
    const store = await opened(context)
    await chain(store, 3)
    const follower = taking('siem')
    follow(context, store, [follower, taking('other')])
    await eventually(() => hasTaken(store, 'siem', 3))
    await store.transaction((trx) => removeFollower(trx, 'siem'))
    await eventually(() => (follower.taken.length === 6 ? true : undefined))
    assert.deepEqual(follower.taken, [1, 2, 3, 1, 2, 3])
  })

  test('an event that is refused for good stops its follower, or is set aside where that is wanted', async (context) => {
    const store = await opened(context)
    await chain(store, 40)
    const refusing = (events: readonly ChainedEvent[]): Error | undefined =>
      events.some(({ seq }) => seq === 17) ? new NotTaken('it answered 400', { rejected: true }) : undefined
    const stopping = taking('stopping', refusing)
    const parking = taking('parking', refusing, { onRejected: 'park' })
    const { troubles } = follow(context, store, [stopping, parking])
    await eventually(() => hasTaken(store, 'stopping', 16))
    await eventually(() => hasTaken(store, 'parking', 40))
    assert.deepEqual(
      parking.taken,
      numbers(40).filter((seq) => seq !== 17),
    )
    const parked = await store.db.selectFrom('audit_parked').select(['follower', 'seq', 'problem']).execute()
    assert.deepEqual(parked.map(Object.values), [['parking', 17, 'it answered 400']])
    assert.deepEqual(stopping.taken, numbers(16))
    assert.ok(
      troubles.some(({ follower, what, seq }) => follower === 'parking' && what === 'sink-parked' && seq === 17),
    )
    await eventually(() =>
      troubles.some(({ follower, what }) => follower === 'stopping' && what === 'sink-lost') ? true : undefined,
    )
  })

  test('AU4: an event that is missing in the chain is not passed over in silence', async (context) => {
    const store = await opened(context)
    await chain(store, 9)
    await store.db.deleteFrom('audit_events').where('seq', '=', 5).execute()
    const follower = taking('siem')
    const { troubles } = follow(context, store, [follower])
    await eventually(() => (troubles.length > 0 ? true : undefined))
    assert.deepEqual(follower.taken, numbers(4))
    assert.match(troubles[0]?.problem ?? '', /event 5 is not in the chain any more/)
  })

  test('the pause that a follower asks for is kept', async (context) => {
    const store = await opened(context)
    await chain(store, 1)
    const clock = testClock()
    let tries = 0
    const follower = taking('siem', () =>
      tries++ === 0 ? new NotTaken('it answered 429', { retryAfterMs: 30_000 }) : undefined,
    )
    follow(context, store, [follower], { clock })
    await eventually(async () =>
      (await rowOf(store, 'siem').catch(() => undefined))?.failures === 1 ? true : undefined,
    )
    for (let passed = 0; passed < 29; passed++) {
      clock.advance(1_000)
      await pause(10)
    }
    await pause(300)
    assert.equal(tries, 1)
    clock.advance(2_000)
    await eventually(() => hasTaken(store, 'siem', 1))
  })
}
