import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openAuditLog } from '../../src/audit/log.ts'
import { openEventSealer } from '../../src/audit/sealer.ts'
import { verifyChain } from '../../src/audit/verify/verify.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { openStore } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import { cutConnections, throwAwaySchema } from '../support/postgres.ts'
import { chainedNumbers } from './cases.ts'
import { crashCases } from './crash-cases.ts'
import { logCases } from './log-cases.ts'
import { numbers, sampleEvent, wrappingKey } from './sample.ts'

suite('the log in a thread, on PostgreSQL', () => logCases(throwAwaySchema, true))
suite('the log without a thread, on PostgreSQL', () => logCases(throwAwaySchema, false))
suite('a crash, on PostgreSQL', () => crashCases(throwAwaySchema, 2))

test('A60: nodes that share a database share one chain', async () => {
  const url = await throwAwaySchema()
  const store = await openStore(url)
  const nodes = await Promise.all(
    numbers(3, 0).map(() =>
      openAuditLog({ store, url, wrappingKey, clock: testClock(), random: systemRandom, log: silent, thread: true }),
    ),
  )
  for (const number of numbers(600, 0)) nodes[number % 3]?.note(sampleEvent(number))
  for (const number of numbers(60, 600)) {
    await store.transaction((trx) => nodes[number % 3]?.enroll(trx, sampleEvent(number)) ?? Promise.resolve())
    nodes[number % 3]?.wake()
  }
  await Promise.all(nodes.map((node) => node.close()))
  assert.deepEqual(
    (await chainedNumbers(store.db)).toSorted((a, b) => a - b),
    numbers(660, 0),
  )
  assert.equal(
    (
      await verifyChain(store.db, {
        sealer: openEventSealer({ wrappingKey, clock: testClock(), random: systemRandom }),
      })
    ).ok,
    true,
  )
  await store.close()
})

test('a database that throws the writer out loses nothing', async (context) => {
  const url = await throwAwaySchema()
  const store = await openStore(url)
  const reasons: string[] = []
  const audit = await openAuditLog({
    store,
    url,
    wrappingKey,
    clock: testClock(),
    random: systemRandom,
    log: { ...silent, warn: (fields) => reasons.push(String(fields['reason'])) },
    thread: true,
  })
  context.after(async () => {
    await audit.close()
    await store.close()
  })
  for (const number of numbers(4_000)) {
    audit.note(sampleEvent(number))
    if (number % 500 === 0) {
      await pause(3)
      await cutConnections(url)
    }
  }
  await audit.flush()
  assert.deepEqual(await chainedNumbers(store.db), numbers(4_000))
  assert.equal(
    (
      await verifyChain(store.db, {
        sealer: openEventSealer({ wrappingKey, clock: testClock(), random: systemRandom }),
      })
    ).ok,
    true,
  )
  assert.ok(reasons.length > 0, 'and it was said')
})
