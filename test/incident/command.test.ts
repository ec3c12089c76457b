// `gatehouse incident`, as an operator calls it.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { command as incident } from '../../src/cli/incident.ts'
import { openIncidents } from '../../src/incident/open.ts'
import { incidentOptions } from '../../src/incident/options.ts'
import { reporter } from '../../src/incident/report.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { openStore } from '../../src/store/database.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { finding } from './scene.ts'

interface Place {
  readonly store: string
  readonly call: (...args: readonly string[]) => Promise<Outcome>
}

function place(context: TestContext): Place {
  const dir = throwAwayFolder(context)
  const config = join(dir, 'gatehouse.config.json')
  const store = `sqlite:${join(dir, 'gatehouse.db')}`
  writeFileSync(config, JSON.stringify({ store }))
  return { store, call: (...args) => run(incident, [...args, '--config', config, '--data', dir]) }
}

test('IN1: an incident is opened, seen to and resolved by command, and that is remembered', async (context) => {
  const { call, store } = place(context)
  const words = ['--severity', 'high', '--title', 'A laptop was stolen']
  const made = await call('open', 'data-breach', ...words, '--user', 'ada', '--text', 'From a train')
  assert.deepEqual([made.code, made.err], [0, ''])
  const id = made.out.trim()
  assert.match(id, /^[0-9a-f-]{36}$/)
  const [line = ''] = (await call('list')).out.split('\n')
  assert.match(
    line,
    new RegExp(`^${id}\\t20[0-9TZ:.-]+\\thigh\\tactive\\tdata-breach\\t1×\\tA laptop was stolen \\(report due 20`),
  )
  assert.equal((await call('acknowledge', id)).err, `done: acknowledge ${id} (acknowledged)\n`)
  const late = await call('resolve', id, '--text', 'never mind', '--seen', '1')
  assert.deepEqual([late.code, late.err], [1, 'it has changed meanwhile: it is acknowledged, at version 2\n'])
  assert.equal((await call('note', id, '--text', 'its disk is encrypted')).code, 0)
  assert.equal((await call('contain', id)).code, 0)
  assert.equal((await call('resolve', id, '--text', 'nothing was read', '--seen', '3')).code, 0)
  const { out } = await call('show', id)
  for (const said of [/^title {9}A laptop was stolen$/m, /^status {8}resolved \(version 4\)$/m, /^user {10}ada$/m])
    assert.match(out, said)
  assert.match(out, / operator {2}note {2}its disk is encrypted$/m)
  const shown = JSON.parse((await call('show', id, '--json')).out)
  assert.deepEqual([shown.status, shown.description], ['resolved', 'From a train'])
  const deeds = shown.timeline.map(({ kind }: { kind: string }) => kind).filter((kind: string) => kind !== 'playbook')
  assert.deepEqual(deeds, ['opened', 'acknowledged', 'note', 'contained', 'resolved'])
  assert.equal((await call('list', '--status', 'open')).out, '')
  const metrics = JSON.parse((await call('metrics', '--since', '1d', '--json')).out)
  assert.deepEqual([metrics.count, metrics.by_status, metrics.to_resolve.count], [1, { resolved: 1 }, 1])
  assert.match((await call('metrics')).out, /^by type {9}data-breach 1$/m)

  const { db, close } = await openStore(store)
  const rows = [
    ...(await db.selectFrom('audit_events').select('body').orderBy('seq').execute()),
    ...(await db.selectFrom('audit_outbox').select('body').orderBy('position').execute()),
  ]
  await close()
  const events = rows.map(({ body }) => JSON.parse(body)).filter(({ resource }) => resource.id === id)
  assert.deepEqual(
    events.map(({ action, actor }) => [action, actor.id]),
    ['open', 'acknowledge', 'note', 'contain', 'resolve'].map((deed) => [`incident.${deed}`, 'operator']),
  )
})

test('IN1: what strangers wrote moves no cursor, and turns no text around', async (context) => {
  const { call, store: url } = place(context)
  const store = await openStore(url)
  const { incidentBook: book } = openIncidents({
    options: incidentOptions.parse({}),
    clock: systemClock,
    random: systemRandom,
    onOpened: [],
  })
  const report = reporter({ book, note: async () => {} })
  const hostile = 'red\u001b[31m \u009b2J \u202edlrow\r\nadmin\t0'
  await store.transaction((trx) =>
    report(trx, {
      ...finding,
      title: hostile,
      description: hostile,
      details: { [hostile]: hostile },
      targets: [{ type: 'user', id: hostile }],
    }),
  )
  await store.close()
  const list = await call('list')
  assert.equal(list.out.trim().split('\n').length, 1)
  assert.equal(list.out.trim().split('\t').length, 7)
  const [id = ''] = list.out.split('\t')
  for (const { out } of [list, await call('show', id), await call('show', id, '--json'), await call('list', '--json')])
    assert.doesNotMatch(out, /[^\P{Cc}\n\t]|\p{Bidi_Control}/u)
  assert.equal(JSON.parse((await call('show', id, '--json')).out).description, hostile, 'and is whole all the same')
})

test('IN1: what is wrong with a call is told with its reason', async (context) => {
  const { call } = place(context)
  for (const [args, code, message] of [
    [['list', '--status', 'closed'], 2, /--status: expected open, active, acknowledged, resolved, got `closed`/],
    [['open', 'Data Breach', '--severity', 'high', '--title', 'x'], 2, /TYPE: expected a type such as/],
    [['open', 'x', '--severity', 'worst', '--title', 'x'], 2, /--severity: /],
    [['open', 'x', '--severity', 'low'], 2, /--title: /],
    [['note', 'x'], 2, /--text: expected what there is to say/],
    [['acknowledge', 'x', '--seen', 'yes'], 2, /--seen: expected a version such as `3`/],
    [['assign', 'x'], 2, /usage/],
    [['metrics', '--since', 'long'], 2, /--since: expected a duration/],
    [['show', 'nothing'], 1, /no incident has this id/],
    [['acknowledge', 'nothing'], 1, /no incident has this id/],
  ] as const) {
    const outcome = await call(...args)
    assert.equal(outcome.code, code, args.join(' '))
    assert.match(outcome.err, message)
  }
})
