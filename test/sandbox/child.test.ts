import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { isAlive, openHostile, outcomeOf, refusalOf } from './hostile.ts'

const children = { pool: { warm: 0, children: 2 } }

test('an honest answer comes through: result, output, error, usage, findings', async (context) => {
  const { run } = await openHostile(context, children)
  const echoed = outcomeOf(await run('ada', 'echo', { input: { deep: [1, 'two', null], __proto__: 3 } }))
  assert.deepEqual(echoed.result, { deep: [1, 'two', null] })
  assert.equal(echoed.error, undefined)
  const told = {
    output: 'so far\n',
    error: { code: 'exception', message: 'no', type: 'ValueError', line: 3, trace: [{ line: 3, in: 'f' }] },
    findings: [{ what: 'forbidden-import', name: 'os', line: 1 }],
  }
  const failed = outcomeOf(await run('ada', `done ${JSON.stringify(told)}`))
  assert.deepEqual({ output: failed.output, error: failed.error, findings: failed.findings }, told)
  assert.equal(failed.result, null)
})

test('a child is told its limits, and nothing of the house', async (context) => {
  const { run } = await openHostile(context, { ...children, limits: { memory: '64mb', output: '2kb', result: '3kb' } })
  const { result } = outcomeOf(await run('ada', 'question', { input: [1], timeMs: 700 }))
  assert.deepEqual(result, {
    code: 'question',
    input: '[1]',
    timeMs: 700,
    memoryBytes: 64 * 1024 ** 2,
    outputBytes: 2048,
    resultBytes: 3072,
    live: false,
  })
})

/** What is no line of the protocol, and what no honest outcome has. */
const oddities: Readonly<Record<string, string>> = {
  'no JSON': 'say garbage',
  'an empty line': 'say ',
  'a member twice': 'say {"output":"a","output":"b"}',
  'a line of nobody': 'say {"hello":1}',
  'two kinds in one': 'say {"ready":true,"output":""}',
  '`ready` in a run': 'say {"ready":true}',
  'output that nobody asked for': 'say {"output":"x"}',
  'an outcome of nothing': 'say {"done":{}}',
  'an outcome that is an array': 'say {"done":[]}',
  'members that nobody knows': 'done {"trusted":true}',
  'a prototype for a member': 'done {"__proto__":{"trusted":true}}',
  'a number that is none': 'say {"output":1e999}',
  'something after its end': 'say {"output":"x"}\0',
  'a result that is no text': 'done {"result":5}',
  'output that is no text': 'done {"output":["x"]}',
  'negative time': 'done {"usage":{"timeMs":-1,"cpuMs":0,"memoryBytes":0}}',
  'time without end': 'done {"usage":{"timeMs":1e300,"cpuMs":0,"memoryBytes":0}}',
  'an error of no known code': 'done {"error":{"code":"fine","message":""}}',
  'a limit that is not named': 'done {"error":{"code":"limit","message":""}}',
  'a limit without a limit’s code': 'done {"error":{"code":"exception","message":"","limit":"time"}}',
  'line zero': 'done {"error":{"code":"exception","message":"","line":0}}',
  'a finding of no known kind': 'done {"findings":[{"what":"nothing","name":"x"}]}',
  'nesting without end': `say ${'['.repeat(5000)}`,
  'a line without an end': 'flood',
  'lines without end': 'flood-lines',
  'errors without end': 'flood-errors',
  'an output that is closed': 'mute',
  'an end, as if all were well': 'exit 0',
  'an end with a code': 'exit 7',
  'an end by a signal': 'kill',
}

for (const [what, code] of Object.entries(oddities))
  test(`a child that answers with ${what} ends, its run is \`crashed\`, and the next run has another`, async (context) => {
    const { run, logged } = await openHostile(context, children)
    const before = outcomeOf(await run('ada', 'keep a')).result as { pid: number }
    const { error, result } = outcomeOf(await run('ada', code))
    assert.deepEqual({ code: error?.code, result }, { code: 'crashed', result: null })
    assert.match(error?.message ?? '', /brought its interpreter down/)
    const after = outcomeOf(await run('ada', 'keep b')).result as { before: string; pid: number }
    assert.equal(after.before, 'nothing')
    assert.notEqual(after.pid, before.pid)
    assert.ok(!isAlive(before.pid))
    assert.equal(logged.length, 1)
  })

test('what an odd child says fills no log', async (context) => {
  const { run, logged } = await openHostile(context, children)
  for (const line of [`{"${'x'.repeat(100_000)}":1}`, `{"${'y'.repeat(100_000)}":1,"${'y'.repeat(100_000)}":2}`])
    assert.equal(outcomeOf(await run('ada', `say ${line}`)).error?.code, 'crashed')
  assert.equal(logged.length, 2)
  for (const line of logged) assert.ok(line.length < 1000, `${line.length}`)
})

test('an answer that comes twice is taken once, and its child is not used again', async (context) => {
  const { run } = await openHostile(context, children)
  await run('ada', 'keep a')
  assert.equal(outcomeOf(await run('ada', 'twice')).result, 1)
  assert.deepEqual((outcomeOf(await run('ada', 'keep b')).result as { before: string }).before, 'nothing')
})

test('what a child says too much of is cut: output, messages, names, findings, lone surrogates', async (context) => {
  const { run } = await openHostile(context, { ...children, limits: { output: '10b' } })
  const long = 'é'.repeat(5000)
  const told = {
    output: 'ééééééé',
    error: {
      code: 'exception',
      message: `\ud800${long}`,
      type: long,
      trace: Array(80).fill({ line: 1, in: long.slice(0, 500) }),
    },
    findings: Array(40).fill({ what: 'forbidden-import', name: long.slice(0, 500) }),
  }
  const { output, outputCut, error, findings } = outcomeOf(await run('ada', `done ${JSON.stringify(told)}`))
  assert.deepEqual({ output, outputCut }, { output: 'ééééé', outputCut: true })
  assert.ok(error?.message.startsWith('\ufffd'))
  assert.ok(Buffer.byteLength(error?.message ?? '') <= 2048)
  assert.ok(Buffer.byteLength(error?.type ?? '') <= 128)
  assert.equal(error?.trace?.length, 64)
  assert.ok(findings.length === 32 && findings.every(({ name }) => Buffer.byteLength(name) <= 64))
})

test('a result that is no JSON, too deep, or too large is an error of the run, and its child is not used again', async (context) => {
  const { run } = await openHostile(context, { ...children, limits: { result: '4kb' } })
  const cases = [
    ['{"a":1,"a":2}', 'result-invalid'],
    ['nonsense', 'result-invalid'],
    ['1e999', 'result-invalid'],
    [`${'['.repeat(600)}${']'.repeat(600)}`, 'result-invalid'],
    [JSON.stringify('x'.repeat(5000)), 'limit'],
  ] as const
  for (const [result, code] of cases) {
    await run('ada', 'keep a')
    const { error } = outcomeOf(await run('ada', `done ${JSON.stringify({ result })}`))
    assert.equal(error?.code, code, result.slice(0, 20))
    assert.equal((outcomeOf(await run('ada', 'keep b')).result as { before: string }).before, 'nothing')
  }
})

test('a member called `__proto__` in a result is a member, and changes nothing', async (context) => {
  const { run } = await openHostile(context, children)
  const told = `done ${JSON.stringify({ result: '{"__proto__":{"admin":true}}' })}`
  const { result } = outcomeOf(await run('ada', told))
  assert.equal((result as { admin?: boolean }).admin, undefined)
  assert.equal(({} as { admin?: boolean }).admin, undefined)
})

for (const code of ['hang', 'spin', 'deaf'])
  test(`CT6: a child that does not answer (${code}) is ended after its time, and says so`, async (context) => {
    const { run } = await openHostile(context, children)
    const { pid } = outcomeOf(await run('ada', 'keep a')).result as { pid: number }
    const { error, usage } = outcomeOf(await run('ada', code, { timeMs: 100 }))
    assert.deepEqual([error?.code, error?.limit], ['limit', 'time'])
    assert.match(error?.message ?? '', /more than 100 ms/)
    assert.ok(usage.timeMs >= 100)
    await eventually(() => (isAlive(pid) ? undefined : true))
  })

test('CT6: a child that takes more memory than its run may have is ended, and says so', {
  skip: process.platform !== 'linux' && 'what a process holds is read from /proc, which this system does not have',
}, async (context) => {
  const { run } = await openHostile(context, { ...children, limits: { memory: '64mb' } })
  const { error, usage } = outcomeOf(await run('ada', 'swell'))
  assert.deepEqual([error?.code, error?.limit], ['limit', 'memory'])
  assert.ok(usage.memoryBytes > 64 * 1024 ** 2)
})

test('what was heard live stays, when the run is ended from outside', async (context) => {
  const { sandbox } = await openHostile(context, children)
  const heard: string[] = []
  const asked = { language: 'javascript', code: 'print-and-hang so far', limits: { timeMs: 100 } } as const
  const { output, error } = outcomeOf(await sandbox.run('ada', asked, (text) => void heard.push(text)))
  assert.deepEqual([heard, output, error?.limit], [['so far'], 'so far', 'time'])
})

test('no more is heard live than the output may have, and one that counts byte by byte is no flood', async (context) => {
  const { sandbox } = await openHostile(context, { ...children, limits: { output: '1kb' } })
  const heard: string[] = []
  const run = (code: string) => sandbox.run('ada', { language: 'javascript', code }, (text) => void heard.push(text))
  assert.equal(outcomeOf(await run('print x 1024')).error, undefined)
  assert.equal(heard.join(''), 'x'.repeat(1024))
  heard.length = 0
  const { outputCut } = outcomeOf(await run('print éé 300'))
  assert.ok(outputCut)
  assert.equal(Buffer.byteLength(heard.join('')), 1024)
})

test('whoever listens and fails does not end the run, nor the house', async (context) => {
  const { sandbox, logged } = await openHostile(context, children)
  const asked = { language: 'javascript', code: 'print x 3' } as const
  const answer = await sandbox.run('ada', asked, () => {
    throw new Error('nobody listens')
  })
  assert.equal(outcomeOf(answer).output, 'xxx')
  assert.equal(logged.length, 1)
})

test('a child whose program leaves somebody behind is no hang: the run ends, and closing does', async (context) => {
  const { run, sandbox } = await openHostile(context, children)
  assert.equal(outcomeOf(await run('ada', 'fork')).error?.code, 'crashed')
  await sandbox.close()
})

for (const birth of ['stillborn', 'silent', 'babbling', 'early', 'shouting', 'absent'] as const)
  test(`children that are ${birth} at their start run nothing, and after three nobody is kept waiting`, async (context) => {
    let healed = false
    const { sandbox, run, logged } = await openHostile(
      context,
      { pool: { warm: 0, children: 1 } },
      { birth: () => (healed ? 'honest' : birth), ...(birth === 'silent' && { startMs: 1500 }) },
    )
    const refused = refusalOf(await run('ada', 'echo'))
    assert.equal(refused.code, 'sandbox-unavailable')
    assert.match(refused.detail, /`javascript` does not start/)
    assert.ok((refused.retryAfterMs ?? 0) > 0)
    assert.match(sandbox.closedBecause ?? '', /no interpreter starts/)
    assert.ok(logged.some((line) => line.includes('did not start')))
    if (birth === 'stillborn') assert.match(sandbox.closedBecause ?? '', /the interpreter is not there/)
    healed = true
    const { result } = await eventually(async () => {
      const answer = await run('ada', 'echo', { input: 1 })
      return 'usage' in answer ? answer : undefined
    })
    assert.deepEqual([result, sandbox.closedBecause], [1, undefined])
  })
