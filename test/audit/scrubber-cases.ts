// What a house finds by itself of what was done to its record, on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { appendBatch } from '../../src/audit/chain.ts'
import { openEventSealer } from '../../src/audit/sealer.ts'
import { lastScrub, openScrubber, type Scrubber } from '../../src/audit/verify/scrubber.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { checkpointing } from './checkpoint-support.ts'
import { numbers, sampleEvent, wrappingKey } from './sample.ts'

export function scrubberCases(fresh: (context: TestContext) => Promise<string>): void {
  test('A60: a change to an event that was signed long ago is found by the house itself, which the checkpointer does not see', async (context) => {
    const { store, scrubber, clock, told } = await signedRecord(context)
    await scrubber.turn()
    assert.deepEqual(await lastScrub(store.db), { at: clock.now(), events: 600, found: null })

    await store.db.updateTable('audit_events').set({ result: 'denied' }).where('seq', '=', 7).execute()
    await scrubber.turn()
    assert.deepEqual(told, [], 'a round ended a moment ago')
    await chain(store, 1, 601)
    const { checkpointer, told: toldOfCheckpoints } = await checkpointing(store)
    assert.equal((await checkpointer.make())?.size, 601)
    assert.deepEqual(toldOfCheckpoints, [])

    const found = 'altered at event 7'
    for (const _ of numbers(2)) {
      clock.advance(600_000)
      await scrubber.turn()
    }
    assert.deepEqual(told, [found], 'once')
    assert.equal((await lastScrub(store.db))?.found, found)

    await store.db.updateTable('audit_events').set({ result: 'success' }).where('seq', '=', 7).execute()
    clock.advance(600_000)
    await scrubber.turn()
    assert.deepEqual(await lastScrub(store.db), { at: clock.now(), events: 601, found: null })
  })

  test('A60: whoever computes all later hashes anew, is found by the house itself', async (context) => {
    const { store, scrubber, told } = await signedRecord(context)
    await store.db.deleteFrom('audit_events').execute()
    await store.db
      .updateTable('audit_head')
      .set({ seq: 0, hash: '0'.repeat(64) })
      .execute()
    await chain(store, 600, 1_000)
    await scrubber.turn()
    assert.match(told.join(), /^(altered|tree) at event \d+$/)
  })

  test('a round that is given up leaves nothing', async (context) => {
    const { store, scrubber, told } = await signedRecord(context)
    const turn = scrubber.turn()
    scrubber.close()
    await turn
    assert.deepEqual([await lastScrub(store.db), told], [undefined, []])
  })

  async function signedRecord(context: TestContext): Promise<{
    readonly store: Store
    readonly scrubber: Scrubber
    readonly clock: TestClock
    readonly told: readonly string[]
  }> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    await chain(store, 600, 1)
    const { checkpointer, key } = await checkpointing(store)
    await checkpointer.make()
    const clock = testClock()
    const told: string[] = []
    const sealer = openEventSealer({ wrappingKey, clock, random: systemRandom })
    const onBroken = async (reason: string): Promise<void> => void told.push(reason)
    return {
      store,
      scrubber: openScrubber({ store, sealer, key, clock, log: silent, pageMs: 1, onBroken }),
      clock,
      told,
    }
  }
}

async function chain(store: Store, count: number, from: number): Promise<void> {
  const sealer = openEventSealer({ wrappingKey, clock: testClock(), random: systemRandom })
  await appendBatch(store, await sealer.store(store.db, numbers(count, from).map(sampleEvent)), sealer)
}
