// Processes that are killed while they carry out an emergency.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { command as audit } from '../../src/cli/audit.ts'
import type { Run } from '../../src/incident/playbook/run.ts'
import { openStore } from '../../src/store/database.ts'
import { run as runCommand } from '../cli/in-process.ts'
import { testClock } from '../support/clock.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { startPeople } from '../support/people.ts'
import { signIn, startProcess } from '../support/process.ts'

const sessions = 40_000
const environment = { GATEHOUSE_SECRET: 'both processes of this house share the secret' }

/** What the row of its last step says when the process is killed, and how many steps are done by then at least. */
const moments = [
  ['between two steps', "select 1 from playbook_steps where number = 2 and status = 'done'"],
  [
    'in the middle of the rows',
    `select 1 from playbook_steps where number = 5 and outcome like '%"ended":_%' and outcome not like '%"ended":0%'`,
  ],
] as const

for (const [moment, question] of moments)
  test(`A68: an emergency that is killed ${moment} is gone on with where it stopped, and nothing is done twice`, async (context) => {
    const { store, folder, killed } = await houseToKill(context)
    await killed(question)
    const left = await leftOver(store)
    assert.notEqual(left.status, 'done', 'it was killed before the end')
    assert.ok(left.steps.some(({ status }) => status === 'done'))

    const clock = testClock(Date.now() + 31_000) // the lease of the one that was killed is over
    const { house } = await startPeople(context, { store, publicUrl: 'http://localhost' }, { environment, clock })
    for (let turns = 0; turns < 50 && (await leftOver(store)).status !== 'done'; turns++)
      await house.playbooks.runner.advance()
    const { steps, status } = await leftOver(store)
    assert.deepEqual([status, steps.map((step) => step.status)], ['done', Array(5).fill('done')])
    assert.equal(steps[4]?.outcome.told, `the rows of sessions end: ${sessions + 1}`)
    const living = await house.store.db.selectFrom('sessions').select('id').where('ended_at', 'is', null).execute()
    assert.deepEqual(living, [])
    const incidents = await house.store.db.selectFrom('incidents').select('id').execute()
    assert.equal(incidents.length, 1)
    await house.close()
    const found = await runCommand(
      audit,
      ['search', '--action', 'playbook.step', '--json', '--data', folder, '--config', join(folder, 'c.json')],
      environment,
    )
    const told = found.out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { details: { step: number } }).details.step)
    assert.deepEqual(told.toSorted(), [1, 2, 3, 4, 5], 'each step stands in the record once')
    const verified = await runCommand(
      audit,
      ['verify', '--data', folder, '--config', join(folder, 'c.json')],
      environment,
    )
    assert.equal(verified.code, 0, verified.err)
  })

async function houseToKill(context: TestContext) {
  const folder = throwAwayFolder(context)
  const path = join(folder, 'gatehouse.db')
  const store = `sqlite:${path}`
  writeFileSync(join(folder, 'c.json'), JSON.stringify({ store }))
  const house = await startProcess(context, ['--config', join(folder, 'c.json')], { environment, dataDir: folder })
  const { access_token, user } = (await signIn(house.url)) as { access_token: string; user: { id: string } }
  const db = new DatabaseSync(path, { timeout: 10_000 })
  context.after(() => db.close())
  db.prepare(
    `insert into sessions (id, user_id, kind, generation, refresh_hash, rotated_at, created_at, seen_at, expires_at, address, user_agent, methods, authenticated_at)
     with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${sessions})
     select printf('01970000-0000-7000-8001-%012x', n), ?, 'tokens', 0, printf('%064x', n), 1, 1, 1, 99999999999999, '', '', 'password', 1 from numbers`,
  ).run(user.id)
  return {
    store,
    folder,
    /** Begins an emergency, and kills the process as soon as the store answers a question. */
    async killed(question: string): Promise<void> {
      const answer = fetch(`${house.url}/api/admin/incidents/emergency`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ all: true, reason: 'for a test' }),
      }).catch(() => undefined) // nobody may be left to answer
      const asked = db.prepare(question)
      for (let tries = 0; tries < 20_000 && asked.get() === undefined; tries++) await pause(1)
      await house.stop('SIGKILL')
      await answer
    },
  }
}

async function leftOver(url: string): Promise<
  Pick<Run, 'status'> & {
    readonly steps: readonly { readonly status: string; readonly outcome: { readonly told?: string } }[]
  }
> {
  const store = await openStore(url)
  const [run] = await store.db.selectFrom('playbook_runs').select('status').execute()
  const steps = await store.db.selectFrom('playbook_steps').select(['status', 'outcome']).orderBy('number').execute()
  await store.close()
  assert.ok(run)
  return {
    status: run.status,
    steps: steps.map(({ status, outcome }) => ({ status, outcome: JSON.parse(outcome) as { told?: string } })),
  }
}
