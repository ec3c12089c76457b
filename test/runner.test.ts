// What `npm test` promises: every file runs, what fails is told by the exit code, and files that share a process share no hooks.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { throwAwayFolder } from './support/folder.ts'

const head = "import assert from 'node:assert/strict'\nimport { before, test } from 'node:test'\n"
const printing = (name: string): string =>
  `${head}test('${name}', () => console.log('ran ${name} in process ' + process.pid))\n`

interface Outcome {
  readonly status: number | null
  readonly output: string
  readonly leftOver: readonly string[]
}

/** Runs the tests of a small project. */
function runTests(
  context: TestContext,
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Outcome {
  const folder = throwAwayFolder(context)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  mkdirSync(join(folder, 'scripts'))
  for (const name of ['test.mjs', 'compile-cache.mjs'])
    copyFileSync(new URL(`../scripts/${name}`, import.meta.url), join(folder, 'scripts', name))
  const { NODE_TEST_CONTEXT: _, ...env } = process.env // it is a run of its own, and not a part of this one
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/test.mjs', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env,
  })
  const at = join(folder, 'node_modules/.cache')
  const cache = existsSync(at) ? readdirSync(at) : []
  return { status, output: stdout + stderr, leftOver: cache.filter((name) => name.startsWith('tests-')) }
}

/** The process in which a test ran. */
function processOf({ output }: Outcome, name: string): string {
  const [, pid] =
    new RegExp(`ran ${name} in process (\\d+)`).exec(output) ?? assert.fail(`${name} did not run: ${output}`)
  return pid as string
}

test('every file of the tests and of the examples runs: those of a folder in one process, but for those that say otherwise', (context) => {
  const outcome = runTests(context, {
    'test/room/one.test.ts': printing('one'),
    'test/room/two.test.ts': printing('two'),
    'test/room/heavy.test.ts': `// In a process of its own: it weighs the heap.\n${printing('heavy')}`,
    'test/room/cases.ts': 'throw new Error("this is no test")',
    'test/top.test.ts': printing('top'),
    'examples/shop/acceptance.test.ts': printing('shop'),
  })
  assert.equal(outcome.status, 0, outcome.output)
  assert.match(outcome.output, /tests 5\n/)
  assert.equal(processOf(outcome, 'one'), processOf(outcome, 'two'))
  const processes = ['one', 'heavy', 'top', 'shop'].map((name) => processOf(outcome, name))
  assert.equal(new Set(processes).size, 4)
  assert.deepEqual(outcome.leftOver, [])
})

test('a test that fails, and a file that cannot be loaded, fail the whole, and the files beside them run', (context) => {
  for (const broken of [`${head}test('bad', () => assert.fail('so it is'))\n`, "import './nowhere.ts'\n"]) {
    const outcome = runTests(context, { 'test/a/broken.test.ts': broken, 'test/a/good.test.ts': printing('good') })
    assert.equal(outcome.status, 1, outcome.output)
    assert.match(outcome.output, /so it is|Cannot find module/)
    processOf(outcome, 'good')
  }
})

test('what a file does before its tests is done before those alone', (context) => {
  const outcome = runTests(context, {
    'test/a/one.test.ts': `${head}before(() => { globalThis.ready = true })\ntest('one', () => assert.equal(globalThis.ready, true))\n`,
    'test/a/earlier.test.ts': `${head}test('earlier', () => assert.equal(globalThis.ready, undefined))\n`,
  })
  assert.equal(outcome.status, 0, outcome.output)
})

test('files can be named, and options reach the runner; where no file fits, that is a failure', (context) => {
  const files = { 'test/a/one.test.ts': printing('one'), 'test/b/two.test.ts': printing('two') }
  const named = runTests(context, files, ['test/b/*.test.ts'])
  assert.match(named.output, /tests 1\n/)
  processOf(named, 'two')
  const patterned = runTests(context, files, ['--test-name-pattern=one'])
  assert.doesNotMatch(patterned.output, /ran two/)
  processOf(patterned, 'one')
  const nothing = runTests(context, files, ['test/b/*.test.ts', 'test/c/*.test.ts'])
  assert.equal(nothing.status, 1)
  assert.match(nothing.output, /no file is called `test\/c\/\*\.test\.ts`/)
})
