// `gatehouse sandbox`.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command as check } from '../../src/cli/check.ts'
import { command as sandbox } from '../../src/cli/sandbox.ts'
import { surveyWalls } from '../../src/sandbox/walls/walls.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { missingWalls } from './hostile.ts'

const skip = await missingWalls()
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
/** One snapshot for all of them. */
const data = mkdtempSync(join(tmpdir(), 'gatehouse-'))

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const config = file('gatehouse.config.json', JSON.stringify({ sandbox: { enabled: true, limits: { time: '60s' } } }))
const at = ['--config', config, '--data', data]
const runFile = (path: string, ...more: readonly string[]): Promise<Outcome> =>
  run(sandbox, ['run', path, ...more, ...at])

test('CT6: a file is run by command: what it prints, then its result as JSON', { skip }, async () => {
  const py = file('sum.py', 'print("one")\nprint("two", end="")\nresult = {"sum": sum(input)}')
  assert.deepEqual(await runFile(py, '--input', '[1, 2]'), { code: 0, out: 'one\ntwo\n{"sum":3}\n', err: '' })
  const numbers = file('numbers.json', '[3, 4]')
  assert.deepEqual(await runFile(py, '--input-file', numbers), { code: 0, out: 'one\ntwo\n{"sum":7}\n', err: '' })
  const js = file('sum.mjs', 'console.log("one"); input.a + 1')
  const json = await runFile(js, '--input', '{"a":1}', '--json')
  const { usage, ...answer } = JSON.parse(json.out)
  assert.deepEqual([json.code, answer, json.err], [0, { result: 2, output: 'one\n' }, ''])
  assert.ok(Number.isSafeInteger(usage.timeMs))
})

test('CT6: code that fails is exit 1, with its line, and code that goes beyond what it may says so', {
  skip,
}, async () => {
  const broken = file('broken.py', 'def f():\n  raise ValueError("no\\x1b[2J")\nf()')
  const failed = await runFile(broken)
  assert.deepEqual([failed.code, failed.out], [1, ''])
  assert.match(failed.err, /^ValueError: no.*\(line 2\)\n {2}line 3, in .*\n {2}line 2, in f\n$/)
  assert.ok(!failed.err.includes('\x1b'), 'a terminal is written to')
  const forbidden = await runFile(file('os.py', '\nimport os'))
  assert.deepEqual([forbidden.code, /`os`.*\(line 2\)/.test(forbidden.err)], [1, true], forbidden.err)
  const late = await runFile(file('late.js', 'for (;;);'), '--time', '100ms')
  assert.deepEqual([late.code, /time/.test(late.err)], [1, true], late.err)
})

test('CT6: a call that cannot be meant is exit 2, and says what was expected', async () => {
  const js = file('one.js', '1')
  const text = file('one.txt', '1')
  for (const [args, expected] of [
    [[text], /the language of `.*one\.txt` cannot be told; say --language python or javascript/],
    [[js, '--language', 'ruby'], /--language: expected python or javascript, got `ruby`/],
    [[js, '--time', 'soon'], /--time: expected a duration such as `5s`, got `soon`/],
    [[js, '--memory', '0x10'], /--memory: expected a size such as `512mb`, got `0x10`/],
    [[js, '--input', '{a:1}'], /--input: expected JSON/],
    [[js, '--input', '1', '--input-file', text], /expected one of them/],
    [[join(folder, 'nowhere.js')], /cannot read `.*nowhere\.js`/],
    [[], /^usage: /],
    [[js, '--walls'], /Unknown option '--walls'/],
  ] as const) {
    const { code, err } = await run(sandbox, ['run', ...args, ...at])
    assert.deepEqual([code, expected.test(err)], [2, true], err)
  }
})

test('CT6: limits beyond the configuration’s are exit 2 as well', { skip }, async () => {
  const { code, err } = await runFile(file('one.js', '1'), '--time', '2m')
  assert.deepEqual([code, err], [2, 'limits.timeMs must be at most 60000\n'])
})

test('CT6: code comes by standard input too, and without a house nothing is left behind', { skip }, async () => {
  const empty = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, 'sandbox', 'run', '-', '--language', 'javascript'], {
    cwd: empty,
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.end('console.log("hello"); [input]')
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  assert.deepEqual([child.exitCode, out, err], [0, 'hello\n[null]\n', ''])
  assert.deepEqual(readdirSync(empty), [])
})

test('CT6: `sandbox walls` says of each wall whether it stands and by what; exit 1 where an essential one does not', async () => {
  const { states } = await surveyWalls()
  const json = await run(sandbox, ['walls', '--json'])
  assert.deepEqual([json.code, JSON.parse(json.out)], [skip === false ? 0 : 1, states])
  const plain = await run(sandbox, ['walls'])
  assert.equal(plain.code, json.code)
  const rows = plain.out.trimEnd().split('\n')
  assert.deepEqual(
    rows.map((row) => row.split(/ +/).slice(0, 2)),
    states.map(({ wall, stands }) => [stands ? 'stands' : 'missing', wall]),
  )
  assert.equal((await run(sandbox, ['walls', '--time', '5s'])).code, 2)
})

test('CT6: `check` looks whether the walls stand where a sandbox is configured', async () => {
  const { states } = await surveyWalls()
  const { code, out } = await run(check, ['--config', config])
  assert.equal(code, 0)
  assert.equal(/^warning: .*wall/m.test(out), !states.every(({ stands }) => stands), out)
})
