// What an outbox has to survive on every store that outlives a process.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { rootKey } from '../../src/keys/root.ts'
import { Outbox } from '../../src/mail/outbox.ts'
import { openStore } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import type { FreshStore } from './outbox-cases.ts'
import { optionsFor, rootSecret } from './posting-process.ts'
import { startRudeServer } from './rude-server.ts'

const minute = 60_000

export function mailCrashCases(fresh: FreshStore): void {
  test('A61: killed after the server has the letter and before the store knows, it is sent again under the same name', async (context) => {
    const url = await fresh(context)
    const server = await startRudeServer(context)
    const child = posting(url, server.port, 1)
    const closed = once(child, 'close')
    server.answers.letter = () => {
      child.kill('SIGKILL')
      return 'hang up'
    }
    await closed
    delete server.answers.letter
    assert.equal(server.arrived.length, 1)

    const { store, outbox, clock } = await survivor(context, url, server.port)
    assert.equal((await outbox.drain(store.db)).sent, 0, 'it may still be on its way')
    clock.advance(3 * minute)
    assert.equal((await outbox.drain(store.db)).sent, 1)
    const names = server.arrived.map(({ headers }) => `${headers.get('message-id')} ${headers.get('date')}`)
    assert.equal(names.length, 2)
    assert.equal(new Set(names).size, 1)
  })

  test('A61: kill -9 at any moment loses no letter that was posted', async (context) => {
    const url = await fresh(context)
    const server = await startRudeServer(context)
    const posted: number[] = []
    for (let round = 0; round < 3; round++) {
      const both = [0, 1].map((each) => postedUntilKilled(url, server.port, (2 * round + each) * 100_000))
      posted.push(...(await Promise.all(both)).flat())
    }
    const { store, outbox, clock } = await survivor(context, url, server.port)
    clock.advance(3 * minute)
    while ((await outbox.drain(store.db)).sent > 0) clock.advance(1)

    const recipients = new Map<string, Set<string | undefined>>()
    for (const { to, headers } of server.arrived) {
      const names = recipients.get(String(to)) ?? new Set()
      recipients.set(String(to), names.add(headers.get('message-id')))
    }
    assert.ok(posted.length >= 6)
    assert.deepEqual(
      posted.filter((number) => !recipients.has(`p${number}@people.example`)),
      [],
    )
    assert.ok(
      [...recipients.values()].every((names) => names.size === 1),
      'what came twice shows it',
    )
    context.diagnostic(
      `6 kills, ${posted.length} posted, ${server.arrived.length - recipients.size} arrived more than once`,
    )
  })
}

/** The node that comes after one that was killed. Its time is the machine's, and can be moved on. */
async function survivor(context: TestContext, url: string, port: number) {
  const store = await openStore(url)
  const clock = testClock(Date.now())
  const outbox = new Outbox({
    options: optionsFor(port),
    root: rootKey(rootSecret),
    clock,
    random: systemRandom,
    log: silent,
  })
  context.after(async () => {
    outbox.close()
    await store.close()
  })
  return { store, clock, outbox }
}

function posting(url: string, port: number, count: number, from = 0) {
  return spawn(
    process.execPath,
    [new URL('./posting-process.ts', import.meta.url).pathname, url, String(port), String(from), String(count)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
}

/** The numbers of the letters that a process has posted when it is killed in the middle of its work. */
async function postedUntilKilled(url: string, port: number, from: number): Promise<number[]> {
  const child = posting(url, port, Number.MAX_SAFE_INTEGER, from)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child.stdout, 'data')
  await pause(randomInt(1, 400))
  child.kill('SIGKILL')
  await once(child, 'close')
  return output.slice(0, output.lastIndexOf('\n')).split('\n').map(Number) // the last line may be cut
}
