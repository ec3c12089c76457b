import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { type AuditLog, openAuditLog } from '../../src/audit/log.ts'
import { verifyChain } from '../../src/audit/verify/verify.ts'
import { Fault } from '../../src/kernel/error.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { type Log, silent } from '../../src/kernel/log.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { chainedNumbers } from './cases.ts'
import { logCases } from './log-cases.ts'
import { numbers, sampleEvent, wrappingKey } from './sample.ts'

const freshFile = async (context: TestContext): Promise<string> =>
  `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`

suite('the log in a thread, on SQLite', () => logCases(freshFile, true))
suite('the log without a thread, on SQLite', () => logCases(freshFile, false))
suite('the log in memory', () => logCases(async () => 'sqlite::memory:', true))

interface Opened {
  readonly audit: AuditLog
  readonly store: Store
  readonly clock: TestClock
  readonly path: string
  readonly worker: () => Worker
}

async function open(context: TestContext, log: Log = silent): Promise<Opened> {
  const url = await freshFile(context)
  const workers: Worker[] = []
  const seen = (worker: Worker): number => workers.push(worker)
  process.on('worker', seen)
  context.after(() => process.off('worker', seen))
  const store = await openStore(url)
  const clock = testClock()
  const audit = await openAuditLog({ store, url, wrappingKey, clock, random: systemRandom, log, thread: true })
  context.after(async () => {
    await audit.close()
    await store.close()
  })
  return { audit, store, clock, path: url.slice('sqlite:'.length), worker: () => workers.at(-1) as Worker }
}

/** Keeps everybody else from writing, for a while. */
function lock(context: TestContext, path: string): () => void {
  const other = new DatabaseSync(path, { timeout: 5_000 })
  context.after(() => other.close())
  other.exec('begin immediate')
  return () => other.exec('rollback')
}

test('a full backlog drops further accesses, counts them, and says so in the chain once there is room', async (context) => {
  const { audit, store, path } = await open(context)
  const unlock = lock(context, path)
  for (const number of numbers(65_536 + 1_000)) audit.note(sampleEvent(number))
  assert.deepEqual({ backlog: audit.backlog, dropped: audit.dropped }, { backlog: 65_536, dropped: 1_000 })
  unlock()
  await audit.flush()
  await audit.flush() // the first made room for the gap
  assert.equal(audit.backlog, 0)
  const gaps = await store.db
    .selectFrom('audit_events')
    .select(['seq', 'body'])
    .where('action', '=', 'audit-gap')
    .execute()
  assert.equal(gaps.length, 1)
  assert.equal(gaps[0]?.seq, 65_537)
  assert.deepEqual(JSON.parse(gaps[0]?.body ?? '').details, { dropped: 1_000 })
  const outcome = await verifyChain(store.db, { sealer: audit.sealer })
  assert.deepEqual({ ok: outcome.ok, events: outcome.ok && outcome.events }, { ok: true, events: 65_537 })
})

test('A61: a log whose chain takes nothing for five seconds is not healthy, until it does', async (context) => {
  const { audit, clock, path } = await open(context)
  await audit.flush()
  clock.advance(3_600_000)
  assert.equal(audit.healthy, true, 'an idle log is')
  const unlock = lock(context, path)
  audit.note(sampleEvent(1))
  await pause(1_200) // a leap of the clock alone says nothing
  clock.advance(4_999)
  assert.equal(audit.healthy, true)
  const flushing = assert.rejects(audit.flush(), (error) => error instanceof Fault && error.code === 'unavailable')
  clock.advance(1)
  assert.equal(audit.healthy, false)
  clock.advance(4_999)
  await flushing
  unlock()
  await audit.flush()
  assert.equal(audit.healthy, true)
})

test('a writer that dies is replaced, and what it had not acknowledged is chained once and in order', async (context) => {
  const lines: string[] = []
  const { audit, store, worker } = await open(context, { ...silent, error: (_fields, message) => lines.push(message) })
  for (const number of numbers(3_000)) {
    audit.note(sampleEvent(number))
    if (number % 1_000 === 700) {
      await pause(5)
      await worker().terminate()
    }
  }
  await audit.flush()
  assert.deepEqual(await chainedNumbers(store.db), numbers(3_000))
  assert.equal((await verifyChain(store.db, { sealer: audit.sealer })).ok, true)
  assert.ok(lines.includes('the audit writer ended; a new one takes over'))
})

test('a writer that never comes up is said at once', async (context) => {
  const store = await openStore(await freshFile(context))
  context.after(() => store.close())
  const opening = openAuditLog({
    store,
    url: `sqlite:${throwAwayFolder(context)}`,
    wrappingKey,
    clock: testClock(),
    random: systemRandom,
    log: silent,
    thread: true,
  })
  await assert.rejects(
    opening,
    (error) =>
      error instanceof Fault &&
      error.code === 'unavailable' &&
      /^the audit writer does not start: .*cannot open the store/.test(error.message),
  )
})

for (const [deed, ends] of Object.entries({ close: 'after close', leave: 'when all is durable' })) {
  test(`the writer does not keep the process alive ${ends}`, async (context) => {
    const url = await freshFile(context)
    const child = spawn(process.execPath, [new URL('./noting-process.ts', import.meta.url).pathname, url, deed], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    context.after(() => child.kill('SIGKILL'))
    assert.deepEqual(await once(child, 'close', { signal: AbortSignal.timeout(10_000) }), [0, null])
    const store = await openStore(url)
    context.after(() => store.close())
    assert.deepEqual(await chainedNumbers(store.db), numbers(600))
  })
}
