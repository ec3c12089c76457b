// Output as it comes: server-sent events.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { eventsSoon } from '../support/record.ts'
import { type Front, javascript, patient, python, startFront } from './front.ts'
import { missingWalls } from './hostile.ts'

const skip = await missingWalls()

interface Told {
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever was told
  readonly data: any
}

function ask(front: Front, asked: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`${front.url}/api/sandbox/run`, {
    method: 'POST',
    headers: { authorization: front.bearer, 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(asked),
    ...(signal && { signal }),
  })
}

function readEvents(text: string): readonly Told[] {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('event:'))
    .map((block) => {
      const [, event = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
      return { event, data: JSON.parse(data) }
    })
}

test('CT6: whoever asks for events hears output as it is printed, and last what is otherwise the whole answer', {
  skip,
}, async (context) => {
  const front = await startFront(context)
  for (const asked of [
    javascript('console.log("a\\n\\ndata: b"); console.log(input); ({ n: 1 })', { input: 'ü' }),
    python('print("a\\n\\ndata: b")\nprint(input)\nresult = {"n": 1}', { input: 'ü' }),
  ]) {
    const answer = await ask(front, asked)
    assert.deepEqual(
      [answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')],
      [200, 'text/event-stream', 'no-store'],
    )
    const events = readEvents(await answer.text())
    const last = events.at(-1)
    assert.equal(last?.event, 'done')
    const { usage, ...whole } = last?.data ?? {}
    assert.deepEqual([whole, typeof usage.timeMs], [{ result: { n: 1 }, output: 'a\n\ndata: b\nü\n' }, 'number'])
    const heard = events.slice(0, -1)
    assert.ok(heard.every(({ event }) => event === 'output'))
    assert.equal(heard.map(({ data }) => data).join(''), 'a\n\ndata: b\nü\n')
  }
})

test('CT6: output is there before the run has ended, and a caller who leaves ends it', { skip }, async (context) => {
  const front = await startFront(context, { sandbox: { ...patient, pool: { ...patient.pool, children: 1 } } })
  const left = new AbortController()
  const answer = await ask(front, python('print("begun")\nwhile True: pass'), left.signal)
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!text.includes('begun')) text += (await reader?.read())?.value ?? ''
  assert.deepEqual(readEvents(text), [{ event: 'output', data: 'begun\n' }])
  left.abort()
  await reader?.read().catch(() => undefined)
  // The only child there may be is free again, long before that run would have been late.
  const next = await front.run(javascript('1 + 1'))
  assert.equal(next.body.result, 2)
})

test('CT6: a caller who leaves without having asked for events ends the run too, and takes it out of no record', {
  skip,
}, async (context) => {
  const front = await startFront(context, { sandbox: { ...patient, pool: { ...patient.pool, children: 1 } } })
  const left = new AbortController()
  const answer = fetch(`${front.url}/api/sandbox/run`, {
    method: 'POST',
    headers: { authorization: front.bearer, 'content-type': 'application/json' },
    body: JSON.stringify(javascript('for (;;);')),
    signal: left.signal,
  })
  answer.catch(() => {})
  const busy = () => front.house.meters.exposition().then((text) => /^gatehouse_sandbox_busy 1$/m.test(text))
  await eventually(async () => ((await busy()) ? true : undefined))
  left.abort()
  await eventually(async () => ((await busy()) ? undefined : true))
  const { bearer: admin } = await front.somebody('root', 'admin')
  const [event] = await eventsSoon(front.url, admin.slice('Bearer '.length), 'type=api_access&action=run')
  const { outcome, time_limit_ms, memory_limit_mb } = event?.details ?? {}
  assert.deepEqual([outcome, time_limit_ms, memory_limit_mb], ['left', 60_000, 1_024])
})

test('CT6: what is refused before it begins is a problem as ever, whatever was asked for', {
  skip,
}, async (context) => {
  const front = await startFront(context)
  const answer = await ask(front, javascript(''))
  assert.deepEqual([answer.status, answer.headers.get('content-type')], [422, 'application/problem+json'])
})

test('CT6: where no child is free and nobody may wait, a run is 503 with `Retry-After`, and is none in the record', {
  skip,
}, async (context) => {
  const pool = { ...patient.pool, children: 1, waiting: 0 }
  const front = await startFront(context, { sandbox: { ...patient, pool } })
  const dora = await front.coder('dora')
  const left = new AbortController()
  const answer = await ask(front, javascript('console.log("begun"); for (;;);'), left.signal)
  const refused = await front.run(javascript('1'), dora)
  assert.deepEqual([refused.status, refused.body.code], [503, 'overloaded'])
  assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  left.abort()
  await answer.text().catch(() => undefined)
  await front.house.audit.flush()
  const metrics = await front.house.meters.exposition()
  assert.doesNotMatch(metrics, /gatehouse_sandbox_runs_total\{[^}]*outcome="ok"/)
})
