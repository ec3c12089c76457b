import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openAuditLog } from '../../src/audit/log.ts'
import { verifyChain } from '../../src/audit/verify/verify.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { openStore } from '../../src/store/database.ts'
import { chainedNumbers } from './cases.ts'
import { wrappingKey } from './sample.ts'

/** What has to be true of a store that processes were killed on, two at a time, again and again. */
export function crashCases(fresh: (context: TestContext) => Promise<string>, rounds: number): void {
  test('A61: kill -9 at any moment loses no change that was acknowledged, and no event of one', async (context) => {
    const url = await fresh(context)
    const acknowledged: number[] = []
    for (let round = 0; round < rounds; round++) {
      const both = [0, 1].map((each) => changesUntilKilled(url, (2 * round + each) * 100_000))
      acknowledged.push(...(await Promise.all(both)).flat())
    }

    const store = await openStore(url)
    const audit = await openAuditLog({
      store,
      url,
      wrappingKey,
      clock: systemClock,
      random: systemRandom,
      log: silent,
      thread: false,
    })
    context.after(async () => {
      await audit.close()
      await store.close()
    })
    await audit.flush()

    const chained = new Set(await chainedNumbers(store.db))
    const changes = (await store.db.selectFrom('house').select('name').where('name', 'like', 'change %').execute()).map(
      ({ name }) => Number(name.slice(7)),
    )
    assert.ok(acknowledged.length >= 2 * rounds)
    assert.deepEqual(
      acknowledged.filter((number) => !chained.has(number)),
      [],
      'each acknowledged event is in the chain',
    )
    assert.deepEqual(
      changes.toSorted((a, b) => a - b),
      [...chained].toSorted((a, b) => a - b),
      'a change and its event are there together',
    )
    const bodies = await store.db.selectFrom('audit_events').select('body').execute()
    const events = await audit.sealer.read(
      store.db,
      bodies.map(({ body }) => body),
    )
    assert.ok(
      events.every(({ user_agent }) => user_agent.startsWith('Mozilla')),
      'a key is there for all that is sealed',
    )
    const outcome = await verifyChain(store.db, { sealer: audit.sealer })
    assert.ok(outcome.ok, JSON.stringify(outcome))
    context.diagnostic(`${2 * rounds} kills, ${acknowledged.length} changes acknowledged, ${chained.size} in the chain`)
  })
}

/** The numbers of the changes that a process has acknowledged when it is killed in the middle of its work. */
async function changesUntilKilled(url: string, from: number): Promise<number[]> {
  const child = spawn(
    process.execPath,
    [new URL('./enrolling-process.ts', import.meta.url).pathname, url, String(from)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child.stdout, 'data')
  await pause(randomInt(1, 120))
  child.kill('SIGKILL')
  await once(child, 'close')
  return output.slice(0, output.lastIndexOf('\n')).split('\n').map(Number) // the last line may be cut
}
