// The whole of it: real interpreters, behind the walls of this machine.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import type { Refusal } from '../../src/kernel/error.ts'
import { processTree } from '../../src/sandbox/children/memory.ts'
import { sandboxOptions } from '../../src/sandbox/options.ts'
import type { Language, RunOutcome } from '../../src/sandbox/run.ts'
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { eventually } from '../support/eventually.ts'
import { isAlive, missingWalls, outcomeOf, refusalOf } from './hostile.ts'
import { keptSnapshots } from './kept-snapshots.ts'

const skip = await missingWalls()
/** A machine with much else to do takes its time: none of this is about how long anything takes. */
const options = sandboxOptions.parse({
  limits: { time: '60s' },
  pool: { warm: 0, children: 3, patience: '10m', runsPerChild: 20 },
})
let opened: Promise<Sandbox> | undefined
after(async () => (await opened)?.close())

async function run(tenant: string, language: Language, code: string, input?: unknown): Promise<RunOutcome> {
  opened ??= openSandbox(options, { clock: systemClock, snapshots: keptSnapshots, startMs: 300_000 })
  return outcomeOf(await (await opened).run(tenant, { language, code, input }))
}

test('CT6: Python gets its input, prints, and gives its result', { skip }, async () => {
  const { result, output, error } = await run('ada', 'python', 'print(input["a"])\nresult = sum(input["b"])', {
    a: 'ünï',
    b: [1, 2, 3],
  })
  assert.deepEqual({ result, output, error }, { result: 6, output: 'ünï\n', error: undefined })
})

test('CT6: a forbidden module is found before the run, by name and line', { skip }, async () => {
  const { error, output, findings } = await run('ada', 'python', 'print("begun")\nimport socket')
  assert.deepEqual([error?.code, error?.module, error?.line, output], ['import-forbidden', 'socket', 2, ''])
  assert.deepEqual(findings, [{ what: 'forbidden-import', name: 'socket', line: 2 }])
})

test('CT6: JavaScript gets its input, prints, and gives its result; `require` is found by name', { skip }, async () => {
  const { result, output, error } = await run('ada', 'javascript', 'console.log(input.a); input.b.length', {
    a: 'ünï',
    b: [1, 2, 3],
  })
  assert.deepEqual({ result, output, error }, { result: 3, output: 'ünï\n', error: undefined })
  const forbidden = await run('ada', 'javascript', '1\nrequire("fs")')
  assert.deepEqual([forbidden.error?.code, forbidden.error?.module], ['import-forbidden', 'fs'])
})

test('CT6: memory ends a run of either language, and the next tenant’s run is well', { skip }, async () => {
  const greedy = {
    python: 'a = []\nwhile True:\n  a.append("x" * 1_000_000 + str(len(a)))',
    javascript: 'const a = []; for (;;) a.push(new Array(1e6).fill(a.length))',
  }
  const sandbox = await openSandbox(
    sandboxOptions.parse({ limits: { time: '5m', memory: '64mb' }, pool: { warm: 0, children: 3, patience: '10m' } }),
    { clock: systemClock, snapshots: keptSnapshots, startMs: 300_000 },
  )
  try {
    for (const language of ['python', 'javascript'] as const) {
      const { error } = outcomeOf(await sandbox.run('ada', { language, code: greedy[language] }))
      assert.deepEqual([error?.code, error?.limit], ['limit', 'memory'], language)
      assert.equal(outcomeOf(await sandbox.run('bob', { language, code: '1 + 1' })).result, 2)
    }
  } finally {
    await sandbox.close()
  }
})

test('CT6: the next tenant finds nothing of the one before, nor does the next run', { skip }, async () => {
  const plant = 'import json, math\njson.canary = math.canary = "planted"\nresult = json.canary'
  const look = 'import json, math\nresult = [hasattr(json, "canary"), hasattr(math, "canary")]'
  assert.equal((await run('ada', 'python', plant)).result, 'planted')
  assert.deepEqual((await run('ada', 'python', look)).result, [false, false])
  assert.deepEqual((await run('bob', 'python', look)).result, [false, false])
})

test('CT6: time ends a run with its line, and the tenant’s next run is well', { skip }, async () => {
  const sandbox = await openSandbox(
    sandboxOptions.parse({ languages: ['python'], pool: { warm: 0, patience: '10m' } }),
    { clock: systemClock, snapshots: keptSnapshots, startMs: 300_000 },
  )
  try {
    const asked = { language: 'python', code: 'while True:\n  pass', limits: { timeMs: 1000 } } as const
    const { error } = outcomeOf(await sandbox.run('ada', asked))
    assert.deepEqual([error?.code, error?.limit], ['limit', 'time'])
    assert.equal(outcomeOf(await sandbox.run('ada', { language: 'python', code: '1 + 1' })).result, 2)
  } finally {
    await sandbox.close()
  }
})

test('many runs of several tenants at once all end, each with its own answer', { skip }, async () => {
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, number) => run(`tenant-${number % 4}`, 'python', 'result = input * 2', number)),
  )
  assert.deepEqual(
    answers.map(({ result }) => result),
    Array.from({ length: 24 }, (_, number) => number * 2),
  )
})

test('closing in the middle of a run of Python leaves no process', { skip }, async () => {
  const sandbox = await openSandbox(
    sandboxOptions.parse({ languages: ['python'], limits: { time: '5m' }, pool: { warm: 0, patience: '10m' } }),
    { clock: systemClock, snapshots: keptSnapshots, startMs: 300_000 },
  )
  const before = new Set(await processTree(process.pid))
  let running: Promise<RunOutcome | Refusal> | undefined
  const printed = new Promise<void>((resolve) => {
    const asked = { language: 'python', code: 'print("begun")\nwhile True: pass' } as const
    running = sandbox.run('ada', asked, () => resolve())
  })
  await printed
  const children = (await processTree(process.pid)).filter((pid) => !before.has(pid))
  assert.ok(children.length > 0)
  await sandbox.close()
  assert.equal(running === undefined ? undefined : refusalOf(await running).code, 'draining')
  await eventually(() => (children.some(isAlive) ? undefined : true))
})
