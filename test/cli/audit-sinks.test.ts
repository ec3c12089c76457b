import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { command } from '../../src/cli/audit.ts'
import { openStore } from '../../src/store/database.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { run } from './in-process.ts'

test('AU4: an operator sees how far each sink is and what keeps it, and sets one back, which is remembered', async (context) => {
  const data = throwAwayFolder(context)
  const config = join(data, 'gatehouse.config.json')
  writeFileSync(config, JSON.stringify({ routes: [] }))
  const at = ['--config', config, '--data', data]
  const first = await run(command, ['sinks', ...at])
  assert.equal(first.code, 0, first.err)
  const store = await openStore(`sqlite:${join(data, 'gatehouse.db')}`)
  context.after(() => store.close())
  await store.db
    .insertInto('audit_followers')
    .values({
      name: 'sink:siem',
      seq: 0,
      holder: 'a node',
      beat: 1,
      failures: 4,
      failing_since: Date.UTC(2026, 0, 1),
      problem: 'it answered 500',
      lost_at: null,
      updated_at: 0,
    })
    .execute()
  const listed = await run(command, ['sinks', ...at])
  assert.match(
    listed.out,
    /sink:siem\tat 0\t.*\tnot in the configuration\tfails since 2026-01-01T00:00:00\.000Z: it answered 500/,
  )
  const reset = await run(command, ['sinks', 'reset', 'siem', '--from', 'end', ...at])
  assert.equal(reset.code, 0, reset.err)
  const json = JSON.parse((await run(command, ['sinks', '--json', ...at])).out)
  const siem = json.sinks.find(({ name }: { name: string }) => name === 'sink:siem')
  assert.deepEqual([siem.failures, siem.problem, siem.failing_since], [0, null, null])
  const said = await store.db
    .selectFrom('audit_events')
    .select(['actor', 'resource'])
    .where('action', '=', 'sink.reset')
    .execute()
  assert.deepEqual(said.map(Object.values), [['operator', 'sink:siem']])
  for (const [args, code] of [
    [['sinks', 'reset', 'siem', '--from', 'now', ...at], 2],
    [['sinks', 'reset', 'siem', '--from', '9999', ...at], 2],
    [['sinks', 'reset', 'nobody', '--from', 'end', ...at], 1],
  ] as const)
    assert.equal((await run(command, args)).code, code)
})

test('AU4: a sink that is not in the configuration any more can be forgotten, which is remembered; one that is cannot', async (context) => {
  const data = throwAwayFolder(context)
  const config = join(data, 'gatehouse.config.json')
  const sinks = [{ kind: 'file', path: join(data, 'audit.jsonl') }]
  writeFileSync(config, JSON.stringify({ routes: [], audit: { sinks } }))
  const at = ['--config', config, '--data', data]
  assert.equal((await run(command, ['sinks', ...at])).code, 0)
  const store = await openStore(`sqlite:${join(data, 'gatehouse.db')}`)
  context.after(() => store.close())
  const row = {
    seq: 0,
    holder: '',
    beat: 1,
    failures: 0,
    failing_since: null,
    problem: null,
    lost_at: null,
    updated_at: 0,
  }
  for (const name of ['sink:file', 'sink:siem'])
    await store.db
      .insertInto('audit_followers')
      .values({ ...row, name })
      .execute()
  await store.db.insertInto('audit_parked').values({ follower: 'sink:siem', seq: 1, at: 0, problem: 'no' }).execute()
  const kept = await run(command, ['sinks', 'remove', 'file', ...at])
  assert.deepEqual([kept.code, /is in the configuration/.test(kept.err)], [1, true], kept.err)
  const gone = await run(command, ['sinks', 'remove', 'siem', ...at])
  assert.equal(gone.code, 0, gone.err)
  const left = await store.db.selectFrom('audit_followers').select('name').execute()
  assert.deepEqual(
    left.map(({ name }) => name),
    ['sink:file'],
  )
  assert.deepEqual(await store.db.selectFrom('audit_parked').selectAll().execute(), [])
  const said = await store.db
    .selectFrom('audit_events')
    .select('resource')
    .where('action', '=', 'sink.remove')
    .execute()
  assert.deepEqual(
    said.map(({ resource }) => resource),
    ['sink:siem'],
  )
  assert.equal((await run(command, ['sinks', 'remove', 'siem', ...at])).code, 1)
  assert.equal((await run(command, ['sinks', 'remove', 'siem', '--from', 'end', ...at])).code, 2)
})
