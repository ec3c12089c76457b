// Detection as it reads the chain: what it finds depends on the chain alone, on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { AuditEvent } from '../../src/audit/event.ts'
import type { ChainedEvent, Follower } from '../../src/audit/follow/follower.ts'
import { type AuditLog, openAuditLog } from '../../src/audit/log.ts'
import { detectionFollower } from '../../src/incident/detection/follower.ts'
import { type DetectionOptions, detectionOptions } from '../../src/incident/detection/options.ts'
import type { Finding } from '../../src/incident/finding.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { wrappingKey } from '../audit/sample.ts'
import { testClock } from '../support/clock.ts'
import { eventOf, failedSignIn, hashKey, hour, minute, request, signIn } from './events.ts'

const { rules } = detectionOptions.parse({
  presets: ['standard'],
  rules: {
    'brute-force': { threshold: 3, window: '10m', cooldown: '15m' },
    'password-spraying': { threshold: 3, window: '10m', cooldown: '20m' },
    enumeration: { threshold: 3, window: '10m', cooldown: '5m' },
    refusals: { windows: 4, least: 3, window: '5m', cooldown: '30m', factor: 1.5 },
    'new-device': { memory: '2h', cooldown: '0s' },
  },
})

/** How the chain is read: so many events at once, and what happens with them. */
interface Step {
  readonly count: number
  readonly end: 'commit' | 'roll back' | 'crash before' | 'crash after'
}

interface Asked extends Pick<DetectionOptions, 'rules'> {
  readonly lookBackMax?: number
}

interface Place {
  readonly store: Store
  readonly audit: AuditLog
  /** Reads the chain by these steps, and then to its end; answers what was committed. */
  read(steps: readonly Step[], options?: Asked): Promise<readonly Finding[]>
}

export function followerCases(fresh: (context: TestContext) => Promise<string>, runs: number): void {
  async function place(context: TestContext, events: readonly AuditEvent[]): Promise<Place> {
    const url = await fresh(context)
    const store = await openStore(url)
    const parts = { store, url, wrappingKey, clock: testClock(), random: systemRandom, log: silent, thread: false }
    const audit = await openAuditLog(parts)
    context.after(async () => {
      await audit.close()
      await store.close()
    })
    for (const event of events) audit.note(event)
    await audit.flush()
    return { store, audit, read: (steps, asked = { rules }) => read(store, audit, steps, asked) }
  }

  test('AU6: pages, crashes and transactions that are undone neither lose a finding nor make one twice', async (context) => {
    await fc.assert(
      fc.asyncProperty(events, fc.array(step, { maxLength: 40 }), async (events, steps) => {
        const { read } = await place(context, events)
        const found = await read([])
        assert.ok(found.length > 5)
        assert.deepEqual(await read(steps), found)
      }),
      { numRuns: runs },
    )
  })

  test('AU6: after a restart no more is read back than stated, the newest first: a finding may come late, and none is made up', async (context) => {
    const guesses = Array.from({ length: 6 }, (_, index) => failedSignIn(index))
    const { read } = await place(context, guesses)
    const crashed: readonly Step[] = [
      { count: 2, end: 'crash after' },
      { count: 1, end: 'commit' },
    ]
    const found = async (lookBackMax: number): Promise<readonly unknown[]> =>
      (await read(crashed, { rules, lookBackMax })).map(({ events }) => events)
    assert.deepEqual(await found(2), [[1, 2, 3]])
    assert.deepEqual(await found(1), [[2, 3, 4]])
  })

  test('AU6: what is remembered of people stands in the store as hashes, and goes when its time is over', async (context) => {
    const device = (user_agent: string, at: number): AuditEvent => signIn(at, 'ada', { user_agent })
    const at = [device('Browser', 0), device('Other', 1), device('Browser', 5 * hour)]
    const { store, read } = await place(context, at)
    const newDevices = { rules: rules.filter(({ name }) => name === 'new-device') }
    const remembered = async (): Promise<readonly object[]> =>
      store.db.selectFrom('detection_memory').selectAll().execute()
    assert.equal((await read([{ count: 2, end: 'commit' }], newDevices)).length, 1)
    const rows = await remembered()
    assert.equal(rows.length, 1) // of those of five hours ago nothing is left
    for (const row of rows) assert.doesNotMatch(JSON.stringify(row), /ada|Browser|Other|203\.0/)
  })

  test('AU6: programs of one person are remembered up to a hundred, and the oldest makes way', async (context) => {
    const names = Array.from(
      { length: 130 },
      (_, index) => `${'abcdefghij'[index % 10]}${'klmnopqrstuvw'[Math.floor(index / 10)]}`,
    )
    const { store, read } = await place(
      context,
      names.map((name, at) => signIn(at, 'ada', { user_agent: name })),
    )
    await read([])
    const rows = await store.db
      .selectFrom('detection_memory')
      .select('value')
      .where('rule', '=', 'new-device')
      .execute()
    assert.equal(rows.filter(({ value }) => value !== '').length, 100)
  })

  test('AU6: what detection itself found is no sign of anything', async (context) => {
    const detected = eventOf({
      type: 'security_incident',
      action: 'detected',
      at: 0,
      resource: { id: 'x', type: 'incident' },
    })
    const everything = detectionOptions.parse({
      presets: [],
      rules: {
        all: {
          kind: 'count',
          type: 'all',
          title: 'All',
          severity: 'low',
          when: { type: 'security_incident' },
          by: 'house',
          threshold: 1,
          window: '1m',
        },
      },
    })
    const { read } = await place(context, [detected])
    assert.deepEqual(await read([], everything), [])
  })
}

async function read(store: Store, audit: AuditLog, steps: readonly Step[], asked: Asked): Promise<readonly Finding[]> {
  await store.db.deleteFrom('detection_memory').execute()
  const { signal } = new AbortController()
  const committed: Finding[] = []
  let uncommitted: Finding[] = []
  const open = (): Follower =>
    detectionFollower({
      ...asked,
      geolocation: undefined,
      hashKey,
      store,
      sealer: audit.sealer,
      report: async (_trx, finding) => void uncommitted.push(finding),
    })
  let follower = open()
  let seq = 0
  const rest: Step = { count: 500, end: 'commit' }
  await follower.begin?.(seq, signal)
  for (let turn = 0; ; turn++) {
    const { count, end } = steps[turn] ?? rest
    const rows = await store.db
      .selectFrom('audit_events')
      .select(['seq', 'hash', 'body'])
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(count)
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return committed
    const opened = await audit.sealer.read(
      store.db,
      rows.map(({ body }) => body),
    )
    const page: ChainedEvent[] = rows.map((row, index) => ({ ...row, event: opened[index] as AuditEvent }))
    const work = await follower.take(page, signal)
    uncommitted = []
    const undone = new Error('undone')
    try {
      await store.transaction(async (trx) => {
        await work?.(trx)
        if (end === 'roll back' || end === 'crash before') throw undone
      })
      committed.push(...uncommitted)
      seq = last.seq
    } catch (error) {
      if (error !== undone) throw error
    }
    if (!end.startsWith('crash')) continue
    follower = open()
    await follower.begin?.(seq, signal)
  }
}

const step: fc.Arbitrary<Step> = fc.record({
  count: fc.integer({ min: 1, max: 60 }),
  end: fc.constantFrom('commit', 'commit', 'roll back', 'crash before', 'crash after'),
})

/** Hours of a small house, with events out of order by up to a minute. */
const events: fc.Arbitrary<readonly AuditEvent[]> = fc
  .array(
    fc.record({
      after: fc.integer({ min: 0, max: 2 * minute }),
      late: fc.integer({ min: 0, max: minute - 1 }),
      what: fc.integer({ min: 0, max: 5 }),
      who: fc.constantFrom('ada', 'bob', 'cyd', 'dan'),
      where: fc.constantFrom('203.0.113.1', '203.0.113.2'),
    }),
    { minLength: 150, maxLength: 250 },
  )
  .map((moves) => {
    let now = 2 * minute
    return moves.map(({ after, late, what, who, where }) => {
      now += after
      return happening(what, now - late, who, where)
    })
  })

function happening(what: number, at: number, who: string, where: string): AuditEvent {
  switch (what) {
    case 0:
    case 1:
      return failedSignIn(at, who, where)
    case 2:
      return signIn(at, who, { address: where, user_agent: `${where === '203.0.113.1' ? who : 'Browser'}` })
    case 3:
      return request(at, who, {
        because: 'permission-required',
        status: 403,
        path: `/${at % 9}`,
        lacks: 'users:manage',
      })
    case 4:
      return request(at, '', { because: 'not-found', status: 404, path: `/${at % 7}` }, where)
    default:
      return request(at, who)
  }
}
