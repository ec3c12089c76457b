// What the log has to do with a thread and without one, on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { eventText } from '../../src/audit/event-text.ts'
import { type AuditLog, openAuditLog } from '../../src/audit/log.ts'
import { verifyChain } from '../../src/audit/verify.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { type Database, openStore, type Store } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import { chainedNumbers } from './cases.ts'
import { numbers, sampleEvent } from './sample.ts'

export function logCases(fresh: (context: TestContext) => Promise<string>, thread: boolean): void {
  async function openStoreFor(
    context: TestContext,
  ): Promise<{ readonly store: Store; readonly open: () => Promise<AuditLog> }> {
    const url = await fresh(context)
    const store = await openStore(url)
    const logs: AuditLog[] = []
    context.after(async () => {
      for (const log of logs) await log.close()
      await store.close()
    })
    const open = async (): Promise<AuditLog> => {
      const log = await openAuditLog({ store, url, clock: testClock(), random: systemRandom, log: silent, thread })
      logs.push(log)
      return log
    }
    return { store, open }
  }

  test('accesses are chained in the order in which they were noted, and flush waits for all of them', async (context) => {
    const { store, open } = await openStoreFor(context)
    const audit = await open()
    for (const number of numbers(1_000)) audit.note(sampleEvent(number))
    assert.equal(audit.backlog, 1_000)
    await audit.flush()
    assert.equal(audit.backlog, 0)
    assert.deepEqual(await chainedNumbers(store.db), numbers(1_000))
    assert.equal((await verifyChain(store.db)).ok, true)
  })

  test('a lone access is chained without being asked for', async (context) => {
    const { store, open } = await openStoreFor(context)
    const audit = await open()
    audit.note(sampleEvent(1))
    assert.deepEqual(await chainedSoon(store.db, 1), [1])
  })

  test('A61: what was enrolled with a change is chained after wake, and what was undone is not', async (context) => {
    const { store, open } = await openStoreFor(context)
    const audit = await open()
    for (const number of numbers(30)) {
      const change = store.transaction(async (trx) => {
        await audit.enroll(trx, sampleEvent(number))
        if (number % 3 === 0) throw new Error('undone')
      })
      await change.catch(() => {})
      audit.wake()
    }
    const kept = numbers(30).filter((number) => number % 3 !== 0)
    assert.deepEqual(await chainedSoon(store.db, kept.length), kept)
  })

  test('A61: what a process enrolled and had no time to chain is chained by the next', async (context) => {
    const { store, open } = await openStoreFor(context)
    for (const number of numbers(300))
      await store.db
        .insertInto('audit_outbox')
        .values({ body: eventText(sampleEvent(number)) })
        .execute()
    await open()
    assert.deepEqual(await chainedSoon(store.db, 300), numbers(300))
  })

  test('close writes out what waits, and what comes later is counted as dropped', async (context) => {
    const { store, open } = await openStoreFor(context)
    const audit = await open()
    for (const number of numbers(300)) audit.note(sampleEvent(number))
    await audit.enroll(store.db, sampleEvent(301))
    await audit.close()
    await audit.close()
    audit.note(sampleEvent(302))
    audit.wake()
    assert.deepEqual({ backlog: audit.backlog, dropped: audit.dropped }, { backlog: 0, dropped: 1 })
    assert.deepEqual(
      (await chainedNumbers(store.db)).toSorted((a, b) => a - b),
      numbers(301),
    )
  })
}

/** The chain, once it has so many events: it has two seconds for it. */
export async function chainedSoon(db: Database, count: number): Promise<number[]> {
  for (let tries = 0; tries < 400; tries++) {
    const chained = await chainedNumbers(db)
    if (chained.length >= count) return chained
    await pause(5)
  }
  return chainedNumbers(db)
}
