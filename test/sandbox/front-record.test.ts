// What stays of a run: an event, numbers, and nothing of what was run.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { recorded } from '../../src/cli/recorded-events.ts'
import { eventsSoon, incidentsSoon } from '../support/record.ts'
import { type Front, javascript, patient, python, ran, startFront } from './front.ts'
import { missingWalls } from './hostile.ts'

const skip = await missingWalls()

const hash = (code: unknown): string => `sha256:${createHash('sha256').update(String(code)).digest('hex')}`

async function everyEvent({ house }: Front): Promise<string> {
  await house.audit.flush()
  const all: unknown[] = []
  for await (const { event } of recorded(house, 0)) all.push(event)
  return JSON.stringify(all)
}

test('CT6: each run is an event with the hash of its code, its outcome, its limit and its findings, and neither code, input nor output are anywhere', {
  skip,
}, async (context) => {
  const front = await startFront(context)
  const { bearer: admin } = await front.somebody('root', 'admin')
  const token = admin.slice('Bearer '.length)

  const asked = [
    python('print("CANARY-output")\nresult = "CANARY-result"', { input: 'CANARY-input' }),
    python('import subprocess\nsubprocess.run("CANARY-code")'),
    javascript('throw new Error("CANARY-thrown")'),
    javascript('for (;;);', { limits: { timeMs: 100 } }),
    javascript('this.constructor.constructor("return process")(); "CANARY-escape"'),
  ] as readonly { readonly language: string; readonly code: string }[]
  const escaped = asked.at(-1)
  for (const one of asked) ran(await front.run(one))
  await front.house.audit.flush()
  const events = await eventsSoon(front.url, token, 'type=api_access&action=run')
  const told = asked.map(({ code }) => events.find(({ resource }) => resource.id === hash(code)))
  for (const event of told) {
    assert.deepEqual([event?.actor, event?.resource.type], [{ type: 'user', id: front.id }, 'code'])
    assert.match(String(event?.request_id), /./)
    const { time_ms, cpu_ms, memory_mb } = event?.details ?? {}
    for (const number of [time_ms, cpu_ms, memory_mb]) assert.ok(Number.isSafeInteger(number))
  }
  assert.deepEqual(
    told
      .slice(0, 4)
      .map((event) => [
        event?.result,
        event?.details['language'],
        event?.details['outcome'],
        event?.details['limit'],
        event?.details['module'],
        event?.details['findings'],
      ]),
    [
      ['success', 'python', 'ok', undefined, undefined, undefined],
      ['denied', 'python', 'import-forbidden', undefined, 'subprocess', 'forbidden-import:subprocess'],
      ['failure', 'javascript', 'exception', undefined, undefined, undefined],
      ['failure', 'javascript', 'limit', 'time', undefined, undefined],
    ],
  )
  const last = told.at(-1)?.details ?? {}
  assert.deepEqual(
    [last['escape_attempt'], /escape-attempt:/.test(String(last['findings']))],
    [true, true],
    escaped?.code,
  )

  const everything = `${await everyEvent(front)}${front.logged()}${await front.house.meters.exposition()}`
  assert.ok(everything.includes(hash(asked[0]?.code)), 'the record was read')
  assert.doesNotMatch(everything, /CANARY/)
})

test('CT6: a run that is refused before it begins is a request in the record, and no run', {
  skip,
}, async (context) => {
  const front = await startFront(context)
  assert.equal((await front.run(javascript(''))).status, 422)
  assert.equal((await front.run(javascript('1'))).status, 200)
  const events = JSON.parse(await everyEvent(front)) as { action: string; resource: { id: string } }[]
  assert.deepEqual(
    events.filter(({ action }) => action === 'run').map(({ resource }) => resource.id),
    [hash('1')],
  )
})

test('CT6: what became of runs is counted by language and outcome, and children by what they do', {
  skip,
}, async (context) => {
  const front = await startFront(context)
  ran(await front.run(javascript('1')))
  ran(await front.run(javascript('2')))
  ran(await front.run(javascript('null.x')))
  const metrics = await front.house.meters.exposition()
  for (const line of [
    'gatehouse_sandbox_runs_total{language="javascript",outcome="ok"} 2',
    'gatehouse_sandbox_runs_total{language="javascript",outcome="exception"} 1',
    'gatehouse_sandbox_run_seconds_count{language="javascript"} 3',
    'gatehouse_sandbox_children 1',
    'gatehouse_sandbox_busy 0',
    'gatehouse_sandbox_waiting 0',
  ])
    assert.ok(metrics.includes(`${line}\n`), line)
})

test('CT6: who tries to get out three times is an incident, whom it is about, and nobody else', {
  skip,
}, async (context) => {
  const front = await startFront(context, { sandbox: { ...patient, languages: ['javascript'] } })
  const { bearer: admin } = await front.somebody('root', 'admin')
  const eve = await front.somebody('eve', 'coder')
  const attempt = javascript('this.constructor.constructor("return process")()')
  for (let tries = 0; tries < 3; tries++) ran(await front.run(attempt, eve.bearer))
  ran(await front.run(attempt))
  const [incident, ...others] = await incidentsSoon(front.url, admin.slice('Bearer '.length), 'sandbox-escape')
  assert.deepEqual([incident?.severity, incident?.targets, others], ['high', [{ type: 'user', id: eve.id }], []])
})
