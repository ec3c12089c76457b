import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { appendBatch } from '../../src/audit/chain.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { searchRecord } from '../../src/audit/reading/search.ts'
import { keylessReader } from '../../src/audit/sealer.ts'
import { Fault } from '../../src/kernel/error.ts'
import { openStore } from '../../src/store/database.ts'
import { openReading, type Reading, type ReadingOptions } from '../../src/store/reading.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { filterOf, readingCases } from './reading-cases.ts'
import { numbers, sampleEvent } from './sample.ts'

suite('reading the record in memory', () => readingCases(async () => 'sqlite::memory:'))

suite('reading the record in a file', () =>
  readingCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))

async function readingOf(context: TestContext, options?: ReadingOptions): Promise<Reading> {
  const url = `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`
  const store = await openStore(url)
  const reading = await openReading(url, store, options)
  context.after(async () => {
    await reading.close()
    await store.close()
  })
  return reading
}

/** Counts to a number: seconds, where it is large. */
function counting({ db }: Reading, to: number): Promise<unknown> {
  return sql`with recursive c(x) as (select 1 union all select x + 1 from c where x < ${to}) select count(*) as n from c`.execute(
    db,
  )
}

test('AU3: a long question does not hold up the thread that serves', async (context) => {
  const reading = await readingOf(context)
  let turns = 0
  const turn = setInterval(() => turns++, 1)
  await counting(reading, 3_000_000)
  clearInterval(turn)
  assert.ok(turns > 20, `it had ${turns} turns meanwhile`)
})

test('AU3: a question that takes too long is given up with what waits behind it, and the next one is answered', async (context) => {
  const reading = await readingOf(context, { deadlineMs: 2_000 }) // a thread that begins anew on a busy machine needs some of it
  await counting(reading, 1)
  const late = counting(reading, 200_000_000)
  const behind = counting(reading, 1)
  for (const given of [late, behind])
    await assert.rejects(
      given,
      (error) => error instanceof Fault && error.code === 'unavailable' && /2000 ms/.test(error.message),
    )
  await counting(reading, 1)
})

test('no more than 256 questions wait; one more is told so', async (context) => {
  const reading = await readingOf(context)
  const asked = await Promise.allSettled(numbers(300).map(() => counting(reading, 10)))
  const refused = asked.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  assert.equal(refused.length, 300 - 256)
  assert.ok(refused.every((error) => error instanceof Fault && error.code === 'unavailable'))
})

test('what is asked of a closed reading database meets a fault, also what waited', async (context) => {
  const reading = await readingOf(context)
  const waiting = assert.rejects(counting(reading, 2_000_000), /closed/)
  await new Promise(setImmediate)
  await reading.close()
  await waiting
})

test('AU3: a page that would look at too much is answered short, and says so', async (context) => {
  const store = await openStore('sqlite::memory:')
  context.after(() => store.close())
  for (const page of numbers(21))
    await appendBatch(
      store,
      numbers(1_000, page * 1_000).map((n) => eventText(sampleEvent(n))),
    )
  const filter = filterOf({ action: 'sign-in' })
  const first = await searchRecord(store.db, keylessReader, filter, { order: 'newest', limit: 10, after: undefined })
  assert.deepEqual([first.events.length, first.complete, first.next?.seq], [0, false, 1_001])
  const second = await searchRecord(store.db, keylessReader, filter, { order: 'newest', limit: 10, after: first.next })
  assert.deepEqual(second, { events: [], complete: true, next: undefined })
})
