import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { Fault } from '../../src/kernel/error.ts'
import { checkAsked } from '../../src/sandbox/limits.ts'
import { sandboxOptions } from '../../src/sandbox/options.ts'
import type { CodeToRun } from '../../src/sandbox/run.ts'
import { openSandbox } from '../../src/sandbox/sandbox.ts'
import { openHostile, refusalOf, wallsAroundHostile } from './hostile.ts'

const options = sandboxOptions.parse({})

function errorsOf(asked: unknown, from = options): Readonly<Record<string, readonly string[]>> {
  const checked = checkAsked(asked as CodeToRun, from)
  return 'errors' in checked ? checked.errors : {}
}

test('CT6: where nothing is said, a run has 5 s and 1024 MB', () => {
  const checked = checkAsked({ language: 'python', code: '1' }, options)
  assert.deepEqual(checked, {
    language: 'python',
    question: {
      code: '1',
      input: 'null',
      timeMs: 5000,
      memoryBytes: 1024 ** 3,
      outputBytes: 65_536,
      resultBytes: 1024 ** 2,
    },
  })
})

test('what a caller asks for holds within what the house allows, and beyond it is refused with the bound', () => {
  const most = sandboxOptions.parse({ most: { time: '10s', memory: '2gb' } })
  const within = checkAsked({ language: 'python', code: '1', limits: { timeMs: 9000, memoryMb: 2048 } }, most)
  assert.ok('question' in within && within.question.timeMs === 9000 && within.question.memoryBytes === 2 * 1024 ** 3)
  assert.deepEqual(errorsOf({ language: 'python', code: '1', limits: { timeMs: 5001, memoryMb: 1025 } }), {
    'limits.timeMs': ['must be at most 5000'],
    'limits.memoryMb': ['must be at most 1024'],
  })
  assert.deepEqual(errorsOf({ language: 'python', code: '1', limits: { timeMs: 9, memoryMb: 15 } }), {
    'limits.timeMs': ['must be at least 10'],
    'limits.memoryMb': ['must be at least 16'],
  })
  for (const wrong of [1.5, '5', Number.NaN, Number.POSITIVE_INFINITY, null, -0.1, 2 ** 60])
    assert.deepEqual(errorsOf({ language: 'python', code: '1', limits: { timeMs: wrong } }), {
      'limits.timeMs': ['must be a whole number'],
    })
})

test('all mistakes are said at once', () => {
  const circle: unknown[] = []
  circle.push(circle)
  assert.deepEqual(errorsOf({ language: 'ruby', code: ' ', input: circle, limits: { timeMs: 0, memoryMb: 'x' } }), {
    language: ['must be `python` or `javascript`'],
    code: ['must not be empty'],
    input: ['must be a JSON value'],
    'limits.timeMs': ['must be at least 10'],
    'limits.memoryMb': ['must be a whole number'],
  })
})

test('a language that the house does not run is said not to be run here', () => {
  const python = sandboxOptions.parse({ languages: ['python'] })
  assert.deepEqual(errorsOf({ language: 'javascript', code: '1' }, python), {
    language: ['is not run here: must be `python`'],
  })
  for (const wrong of [undefined, null, 'toString', '__proto__', ['python'], { toString: () => 'python' }])
    assert.ok(errorsOf({ language: wrong, code: '1' })['language'] !== undefined)
})

test('code that is no text, no Unicode, or larger than the bound is refused', () => {
  for (const [code, message] of [
    [undefined, 'must be text'],
    [Buffer.from('1'), 'must be text'],
    ['\n\t ', 'must not be empty'],
    ['a = "\ud800"', 'must be well-formed Unicode'],
    ['é'.repeat(options.codeMax / 2 + 1), `must be at most ${options.codeMax} bytes`],
  ] as const)
    assert.deepEqual(errorsOf({ language: 'python', code }), { code: [message] })
  assert.deepEqual(errorsOf({ language: 'python', code: 'é'.repeat(options.codeMax / 2) }), {})
})

test('input that is no JSON, too large, or too deep is refused', () => {
  let deep: unknown = 1
  for (let level = 0; level < 501; level++) deep = [deep]
  let bottomless: unknown = 1
  for (let level = 0; level < 100_000; level++) bottomless = [bottomless]
  const angry = {
    toJSON() {
      throw new Error('no')
    },
  }
  for (const [input, message] of [
    [1n, 'must be a JSON value'],
    [() => 1, 'must be a JSON value'],
    [Symbol('x'), 'must be a JSON value'],
    [angry, 'must be a JSON value'],
    [bottomless, 'must be a JSON value'],
    [deep, 'must not be nested deeper than 500 levels'],
    ['x'.repeat(options.inputMax), `must be at most ${options.inputMax} bytes as JSON`],
  ] as const)
    assert.deepEqual(errorsOf({ language: 'python', code: '1', input }), { input: [message] })
  assert.deepEqual(errorsOf({ language: 'python', code: '1', input: ['[[[', '"{{', (deep as [unknown])[0]] }), {
    input: ['must not be nested deeper than 500 levels'],
  })
  assert.deepEqual(errorsOf({ language: 'python', code: '1', input: '['.repeat(1000) }), {})
})

test('what is asked wrongly is refused as a body is, and no child is troubled', async (context) => {
  const { sandbox } = await openHostile(context, { pool: { warm: 0 } })
  const refused = refusalOf(await sandbox.run('ada', { language: 'python', code: '' }))
  assert.equal(refused.code, 'body-invalid')
  assert.deepEqual(Object.keys(refused.errors ?? {}), ['language', 'code'])
  assert.equal(sandbox.census().children, 0)
})

test('where a wall of the system is missing nothing is run, and every refusal says which and what to do', async () => {
  const walls = wallsAroundHostile(undefined, ['network', 'files', 'system-calls'])
  const premises = { clock: systemClock, snapshots: undefined, walls }
  const sandbox = await openSandbox(options, premises)
  const refused = refusalOf(await sandbox.run('ada', { language: 'javascript', code: 'echo' }))
  assert.equal(refused.code, 'sandbox-unavailable')
  assert.equal(refused.detail, sandbox.closedBecause)
  assert.equal(
    sandbox.closedBecause,
    "no code is run here, since walls are missing: `files`, `network` (install bubblewrap); or answer for it by `sandbox.without: ['files', 'network']`",
  )
  assert.equal(sandbox.census().children, 0)
  await sandbox.close()
  // Not all of them are named: it stays closed.
  const half = await openSandbox(sandboxOptions.parse({ without: ['files'] }), premises)
  assert.match(half.closedBecause ?? '', /`network` \(install bubblewrap\)/)
})

test('an operator who names what is missing has code run all the same', async (context) => {
  const walls = wallsAroundHostile(undefined, ['network'])
  const without = sandboxOptions.parse({ without: ['network'], languages: ['javascript'], pool: { warm: 0 } })
  const sandbox = await openSandbox(without, { clock: systemClock, snapshots: undefined, walls })
  context.after(() => sandbox.close())
  assert.equal(sandbox.closedBecause, undefined)
  assert.ok('usage' in (await sandbox.run('ada', { language: 'javascript', code: 'echo' })))
})

test('a wall that is required and missing is a fault of the configuration', async () => {
  const walls = wallsAroundHostile(undefined, ['system-calls', 'network'])
  const strict = sandboxOptions.parse({ require: ['network', 'system-calls', 'files'] })
  await assert.rejects(openSandbox(strict, { clock: systemClock, snapshots: undefined, walls }), (error) => {
    assert.ok(error instanceof Fault)
    assert.equal(
      error.message,
      'sandbox.require: expected walls that do not stand here: `network`, `system-calls` (install bubblewrap)',
    )
    return true
  })
})
