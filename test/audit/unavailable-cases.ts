// What people meet while the chain takes nothing: a house on a real socket, on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { AuditEvent } from '../../src/audit/event.ts'
import { verifyChain } from '../../src/audit/verify/verify.ts'
import type { Config } from '../../src/config/settings.ts'
import type { Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, startHouse, startUpstream, type TestHouse } from '../support/house.ts'

/** Makes the chain take nothing, and answers how to mend that. */
export type Breaking = (store: Store, url: string, context: TestContext) => Promise<() => Promise<unknown>>

export function unavailableCases(
  fresh: (context: TestContext) => Promise<string>,
  breakings: Readonly<Record<string, Breaking>>,
): void {
  const all: Readonly<Record<string, Breaking>> = { 'the head of the chain is gone': withoutHead, ...breakings }
  for (const [name, breaks] of Object.entries(all)) {
    test(`A61: while ${name}, an administrator is told so and changes nothing, and everybody else goes on`, async (context) => {
      const store = await fresh(context)
      const office = await startOffice(context, { store })
      const mend = await breaks(office.house.store, store, context)
      assert.deepEqual(
        await office.deed('lock', 0),
        [200, undefined],
        'written down with its event, which waits to be chained',
      )
      await office.stall()

      assert.deepEqual(await office.deed('lock', 1), [503, 'record-unavailable'])
      assert.deepEqual(await office.states(), ['locked', 'active'])
      assert.equal((await fetch(`${office.url}/anything`)).status, 200)
      assert.equal((await fetch(`${office.url}/health/ready`)).status, 503)
      await office.signIn()

      await mend()
      await eventually(async () => ((await office.deed('lock', 1))[0] === 200 ? true : undefined))
      assert.deepEqual(await office.states(), ['locked', 'locked'])
      assert.deepEqual(await office.locked(), [0, 1])
    })
  }

  test('A61: where `audit.whenDown` is `refuse`, nobody is let on while nothing can be remembered', async (context) => {
    const store = await fresh(context)
    const office = await startOffice(context, { store, audit: { whenDown: 'refuse' } })
    const ask = async (path: string): Promise<readonly [number, string | null]> => {
      const answer = await fetch(office.url + path)
      await answer.body?.cancel()
      return [answer.status, answer.headers.get('retry-after')]
    }
    assert.deepEqual(await ask('/anything'), [200, null])
    const mend = await withoutHead(office.house.store)
    assert.deepEqual(await ask('/anything'), [200, null])
    await office.stall()
    const before = office.reached()
    assert.deepEqual(await ask('/anything'), [503, '5'])
    assert.deepEqual(await ask('/nowhere'), [503, '5'])
    assert.equal(office.reached(), before, 'the API was not asked')
    assert.equal((await ask('/metrics'))[0], 200)
    assert.equal((await ask('/health/live'))[0], 200)
    await mend()
    await eventually(async () => ((await ask('/anything'))[0] === 200 ? true : undefined))
    await office.house.audit.flush()
    assert.equal(office.house.audit.dropped, 0)
    assert.ok((await verifyChain(office.house.store.db, { sealer: office.house.audit.sealer })).ok)
  })
}

export interface Office extends TestHouse {
  readonly clock: TestClock
  /** Answers the status and the code. `who` counts the two accounts that it is done to. */
  deed(deed: 'lock' | 'unlock', who: number): Promise<readonly [number, string | undefined]>
  states(): Promise<readonly (string | undefined)[]>
  /** Whom the chain says was locked, once all is in it; it has to be whole. */
  locked(): Promise<readonly number[]>
  /** Lets time pass in which the chain takes nothing. */
  stall(): Promise<void>
  /** How often the API behind was asked. */
  reached(): number
}

/** A house with an administrator, two more accounts, and an API that is open to all. */
export async function startOffice(context: TestContext, config: Config): Promise<Office> {
  let reached = 0
  const api = await startUpstream(context, (request, response) => {
    reached++
    mirror(request, response)
  })
  const clock = testClock()
  const running = await startHouse(
    context,
    {
      ...config,
      limits: false,
      upstreams: { api: api.url },
      routes: [{ path: '/anything', access: 'public', to: 'api' }],
    },
    { roles: ['admin'], clock },
  )
  const { house, url } = running
  const { db } = house.store
  const ids = await Promise.all(
    ['bob', 'cid'].map(async (name) => {
      const made = await house.accounts.create(db, {
        email: `${name}@example.com`,
        name,
        password: 'a long enough passphrase',
        roles: ['user'],
      })
      return 'account' in made ? made.account.id : assert.fail(JSON.stringify(made))
    }),
  )
  const authorization = `Bearer ${await running.signIn()}`
  await house.audit.flush()
  return {
    ...running,
    clock,
    reached: () => reached,
    async deed(deed, who) {
      const answer = await fetch(`${url}/api/admin/users/${ids[who]}/${deed}`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: deed === 'lock' ? JSON.stringify({ reason: 'a test' }) : null,
      })
      const text = await answer.text()
      return [answer.status, text === '' ? undefined : (JSON.parse(text) as { code?: string }).code]
    },
    states: () => Promise.all(ids.map(async (id) => (await house.accounts.byId(db, id))?.status)),
    async locked() {
      await house.audit.flush()
      const rows = await db
        .selectFrom('audit_events')
        .select('body')
        .where('action', '=', 'user.lock')
        .orderBy('seq')
        .execute()
      const outcome = await verifyChain(db, { sealer: house.audit.sealer })
      assert.ok(outcome.ok, JSON.stringify(outcome))
      return rows.map(({ body }) => ids.indexOf((JSON.parse(body) as AuditEvent).resource.id))
    },
    async stall() {
      await eventually(() => {
        if (!house.audit.healthy) return true
        clock.advance(5_000)
        return undefined
      })
    },
  }
}

async function withoutHead({ db, transaction }: Store): Promise<() => Promise<unknown>> {
  const head = await transaction(async (trx) => {
    const row = await trx.selectFrom('audit_head').selectAll().executeTakeFirstOrThrow()
    await trx.deleteFrom('audit_head').execute()
    return row
  })
  return () => db.insertInto('audit_head').values(head).execute()
}
