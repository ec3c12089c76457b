// What the log has to do with a thread and without one, on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { AuditEvent } from '../../src/audit/event.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { type AuditLog, type AuditLogParts, openAuditLog } from '../../src/audit/log.ts'
import { verifyChain } from '../../src/audit/verify/verify.ts'
import { Fault } from '../../src/kernel/error.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { type Database, openStore, type Store } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import { chainedNumbers } from './cases.ts'
import { numbers, sampleEvent, wrappingKey } from './sample.ts'

export function logCases(fresh: (context: TestContext) => Promise<string>, thread: boolean): void {
  async function openStoreFor(
    context: TestContext,
  ): Promise<{ readonly store: Store; readonly open: (more?: Partial<AuditLogParts>) => Promise<AuditLog> }> {
    const url = await fresh(context)
    const store = await openStore(url)
    const logs: AuditLog[] = []
    context.after(async () => {
      for (const log of logs) await log.close()
      await store.close()
    })
    const open = async (more: Partial<AuditLogParts> = {}): Promise<AuditLog> => {
      const parts = { store, url, wrappingKey, clock: testClock(), random: systemRandom, log: silent, thread }
      const log = await openAuditLog({ ...parts, ...more })
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
    assert.equal((await verifyChain(store.db, { sealer: audit.sealer })).ok, true)
  })

  test('a lone access is chained without being asked for', async (context) => {
    const { store, open } = await openStoreFor(context)
    const audit = await open()
    audit.note(sampleEvent(1))
    assert.deepEqual(await chainedSoon(store.db, 1), [1])
  })

  test('a clock that jumps back changes the times of events, and not their order', async (context) => {
    const { store, open } = await openStoreFor(context)
    const audit = await open()
    const times = [5_000, 9_000, 1_000, 2_000].map((passed) => Date.UTC(2026, 0, 1) + passed)
    for (const [index, at] of times.entries()) audit.note({ ...sampleEvent(index + 1), at })
    await audit.flush()
    const rows = await store.db.selectFrom('audit_events').select(['seq', 'at']).orderBy('seq').execute()
    assert.deepEqual(
      rows.map(({ at }) => at),
      times,
    )
    assert.equal((await verifyChain(store.db, { sealer: audit.sealer })).ok, true)
  })

  test('A61: while the chain takes nothing, what administrators, consents and erasures change is refused, and nothing else', async (context) => {
    const { store, open } = await openStoreFor(context)
    const clock = testClock()
    const audit = await open({ clock })
    await audit.flush()
    const head = await store.db.selectFrom('audit_head').selectAll().executeTakeFirstOrThrow()
    await store.db.deleteFrom('audit_head').execute()
    const change = (number: number, what: Pick<AuditEvent, 'type' | 'action'>): Promise<boolean> =>
      store
        .transaction(async (trx) => {
          await trx
            .insertInto('house')
            .values({ name: `change ${number}`, value: '' })
            .execute()
          await audit.enroll(trx, { ...sampleEvent(number), ...what } as AuditEvent)
        })
        .then(
          () => true,
          (error) => {
            assert.ok(error instanceof Fault && error.code === 'record-unavailable', String(error))
            return false
          },
        )
    const kinds = [
      { type: 'admin_action', action: 'user.lock' },
      { type: 'consent', action: 'client-allow' },
      { type: 'erasure', action: 'complete' },
      { type: 'authentication', action: 'sign-in' },
      { type: 'system', action: 'stop' },
    ] as const
    const all = async (from: number): Promise<readonly boolean[]> => {
      const made: boolean[] = []
      for (const [index, what] of kinds.entries()) made.push(await change(from + index, what))
      audit.wake()
      return made
    }
    assert.deepEqual(await all(1), [true, true, true, true, true], 'nobody knows yet')
    await pause(1_200) // a leap of the clock alone says nothing
    clock.advance(5_000)
    assert.deepEqual(await all(11), [false, false, false, true, true])
    await store.db.insertInto('audit_head').values(head).execute()
    assert.deepEqual(await chainedSoon(store.db, 7, 1_000), [1, 2, 3, 4, 5, 14, 15])
    await audit.flush() // the chain has it a moment before this thread hears of it
    assert.deepEqual(await all(21), [true, true, true, true, true])
    assert.deepEqual(await chainedSoon(store.db, 12), [1, 2, 3, 4, 5, 14, 15, 21, 22, 23, 24, 25])
    const changes = await store.db.selectFrom('house').select('name').where('name', 'like', 'change %').execute()
    assert.equal(changes.length, 12, 'what was refused changed nothing')
    assert.equal((await verifyChain(store.db, { sealer: audit.sealer })).ok, true)
  })

  test('a change is refused for a reason from outside too, which is told every event and says which', async (context) => {
    const { store, open } = await openStoreFor(context)
    const asked: string[] = []
    const audit = await open({
      refuses: async (_trx, { action }) => {
        asked.push(action)
        return action === 'user.lock' ? new Fault('conflict', 'changes are frozen') : undefined
      },
    })
    const locking = { ...sampleEvent(1), type: 'admin_action', action: 'user.lock' } as AuditEvent
    await assert.rejects(
      store.transaction((trx) => audit.enroll(trx, locking)),
      /changes are frozen/,
    )
    await store.transaction((trx) => audit.enroll(trx, sampleEvent(2)))
    await audit.flush()
    assert.deepEqual([asked, await chainedNumbers(store.db)], [['user.lock', 'request'], [2]])
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

/** The chain, once it has so many events: it has two seconds for it, unless more is said. */
export async function chainedSoon(db: Database, count: number, triesMax = 400): Promise<number[]> {
  for (let tries = 0; tries < triesMax; tries++) {
    const chained = await chainedNumbers(db)
    if (chained.length >= count) return chained
    await pause(5)
  }
  return chainedNumbers(db)
}
