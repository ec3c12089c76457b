// What a refresh has to survive on every store that outlives a process.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../src/kernel/clock.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import { graceMs, sessionsBy } from './refreshing-process.ts'

interface Scene {
  readonly url: string
  readonly store: Store
  /** The first refresh token of a new family. */
  open(): Promise<string>
}

const device = { address: '203.0.113.7', userAgent: 'test' }

export function refreshCrashCases(fresh: (context: TestContext) => Promise<string>): void {
  async function scene(context: TestContext): Promise<Scene> {
    const url = await fresh(context)
    const store = await openStore(url)
    context.after(() => store.close())
    await store.db
      .insertInto('users')
      .values({
        id: 'u1',
        email: 'u1@example.com',
        name: 'u1',
        password_hash: null,
        status: 'active',
        created_at: 0,
        updated_at: 0,
      })
      .execute()
    return {
      url,
      store,
      async open() {
        const sessions = sessionsBy(systemClock)
        return (await sessions.open(store.db, 'u1', device, { methods: ['password'], at: 0 })).refreshToken
      },
    }
  }

  for (const point of ['moved', 'told', 'committed'] as const) {
    const moved = point === 'committed'
    test(`A18: killed when the refresh was ${point}, the client’s retry gets ${moved ? 'what it had lost' : 'its successor'}, and one branch lives`, async (context) => {
      const { url, store, open } = await scene(context)
      const { held, count } = await refreshed(url, await open(), point)
      assert.equal(count, 21)
      assert.equal(await retried(store, held, count), moved ? 'repeated' : 'rotated')
    })
  }

  test('A18: kill -9 at any moment signs nobody out, and never leaves two branches', async (context) => {
    const { url, store, open } = await scene(context)
    const kinds = { rotated: 0, repeated: 0 }
    for (let round = 0; round < 8; round++) {
      const { held, count } = await refreshed(url, await open())
      kinds[await retried(store, held, count)]++
    }
    context.diagnostic(`8 kills: ${kinds.rotated} before the commit, ${kinds.repeated} after it`)
  })
}

/** What the client does whose answer never came, a moment later. Answers how it was taken. */
async function retried(store: Store, held: string, count: number): Promise<'rotated' | 'repeated'> {
  const clock = testClock(Date.now())
  const sessions = sessionsBy(clock)
  const id = held.slice('gh_rt_'.length, 'gh_rt_'.length + 36)
  const row = () =>
    store.db.selectFrom('sessions').select(['generation', 'ended_at']).where('id', '=', id).executeTakeFirstOrThrow()
  const { generation } = await row()
  assert.ok(generation === count || generation === count - 1, `${generation} of ${count} refreshes`)
  assert.equal(await takeEvents(store), generation, 'an event for each refresh that there was, and for no other')

  const retry = await sessions.rotate(store.db, held)
  assert.ok(retry.kind === 'rotated' || retry.kind === 'repeated', retry.kind)
  assert.equal(retry.kind, generation === count ? 'repeated' : 'rotated')
  const again = await sessions.rotate(store.db, held)
  assert.ok(again.kind === 'repeated')
  assert.equal(again.refreshToken, retry.refreshToken, 'whoever asks again is on the same branch')
  assert.equal((await sessions.rotate(store.db, retry.refreshToken)).kind, 'rotated', 'which lives')
  assert.equal((await row()).generation, count + 1)

  clock.advance(graceMs)
  assert.equal((await sessions.rotate(store.db, held)).kind, 'reused')
  assert.notEqual((await row()).ended_at, null)
  return retry.kind
}

/** How many events of refreshes there were since it was last asked, be they chained yet or not. */
async function takeEvents({ db }: Store): Promise<number> {
  const { waiting } = await db
    .selectFrom('audit_outbox')
    .select((is) => is.fn.countAll<number>().as('waiting'))
    .executeTakeFirstOrThrow()
  const { chained } = await db
    .selectFrom('audit_events')
    .select((is) => is.fn.countAll<number>().as('chained'))
    .where('action', '=', 'refresh')
    .executeTakeFirstOrThrow()
  for (const table of ['audit_outbox', 'audit_events', 'audit_head'] as const) await db.deleteFrom(table).execute()
  return Number(waiting) + Number(chained)
}

/** The token that a process held when it was killed, and how many refreshes it had begun. */
async function refreshed(
  url: string,
  token: string,
  point?: string,
): Promise<{ readonly held: string; readonly count: number }> {
  const program = new URL('./refreshing-process.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [program, url, token, ...(point === undefined ? [] : [point])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  if (point === undefined) {
    await once(child.stdout, 'data')
    await pause(randomInt(1, 250))
    child.kill('SIGKILL')
  }
  await closed
  await pause(50) // a server may be at the commit still
  const tokens = output.slice(0, output.lastIndexOf('\n')).split('\n') // the last line may be cut
  return { held: tokens.at(-1) ?? '', count: tokens.length }
}
