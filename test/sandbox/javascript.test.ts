// JavaScript in a child that is started by hand, behind Node's permission model alone: the walls of the system stand in tests of their own.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nativePartOf } from '../../src/sandbox/children/native-part.ts'
import type { ChildLine, ChildOutcome, RunQuestion } from '../../src/sandbox/inside/protocol.ts'
import type { RunError } from '../../src/sandbox/run.ts'

type Asked = Partial<Omit<RunQuestion, 'input'>> & { readonly input?: unknown }
type Outcome = Omit<ChildOutcome, 'error' | 'result'> & { readonly error?: RunError; readonly result: unknown }

const supervisor = fileURLToPath(new URL('../../src/sandbox/inside/supervisor.ts', import.meta.url))
let child: ChildProcess
let lines: AsyncIterator<string>

async function start(): Promise<void> {
  const options = ['--permission', '--allow-fs-read=*', '--allow-addons', '--disallow-code-generation-from-strings']
  child = spawn(process.execPath, [...options, supervisor], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] })
  if (child.stdout === null) throw new Error('it has no output')
  lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  child.stdin?.write(`${JSON.stringify({ language: 'javascript', imports: [], interpreter: nativePartOf() })}\n`)
  assert.deepEqual(await heard(), { ready: true })
}

async function heard(): Promise<ChildLine> {
  const { value, done } = await lines.next()
  assert.ok(done !== true, 'the child ended')
  return JSON.parse(value)
}

async function run(
  code: string,
  { input = null, ...more }: Asked = {},
  print: (output: string) => void = () => {},
): Promise<Outcome> {
  const usual = { timeMs: 5_000, memoryBytes: 64 * 1024 ** 2, outputBytes: 65_536, resultBytes: 1024 ** 2, live: false }
  child.stdin?.write(`${JSON.stringify({ ...usual, ...more, code, input: JSON.stringify(input) })}\n`)
  for (;;) {
    const line = await heard()
    if ('output' in line) print(line.output)
    else if ('done' in line) {
      // The house throws such a child away; so does the test.
      if (!line.done.clean) {
        child.kill('SIGKILL')
        await start()
      }
      return { ...line.done, error: line.done.error as RunError, result: JSON.parse(line.done.result) }
    }
  }
}

describe('JavaScript in a child', () => {
  before(start)
  after(() => void child.kill('SIGKILL'))

  // biome-ignore format: a table of code and result
  const honest: readonly (readonly [code: string, result: unknown, input?: unknown])[] = [
    ['1 + 1', 2],
    ['input.map((n) => n * 2)', [2, 4], [1, 2]],
    ['const result = input.a; "not this"', 1, { a: 1 }],
    ['let result = 3', 3],
    ['result = "assigned"', 'assigned'],
    ['var result = { deep: { list: [1, "a", null, true] } }', { deep: { list: [1, 'a', null, true] } }],
    ['function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) }\nf(20)', 6765],
    ['class A { #x = 1; get x() { return this.#x } }\nnew A().x', 1],
    ['const { a, ...rest } = input; [a, rest]', [1, { b: 2 }], { a: 1, b: 2 }],
    ['[...new Set([1, 1, 2])]', [1, 2]],
    ['Object.fromEntries(new Map([["k", 1]]))', { k: 1 }],
    ['Object.groupBy(input, (n) => n % 2 ? "odd" : "even")', { odd: [1, 3], even: [2] }, [1, 2, 3]],
    ['"größer 😀".normalize().length', 9],
    ['"2026-11-22".replace(/(?<y>\\d+)-(\\d+)/, "$<y>/$2")', '2026/11-22'],
    ['new Date(0)', '1970-01-01T00:00:00.000Z'],
    ['new Date(0).getTimezoneOffset()', 0],
    ['new Intl.NumberFormat("en").format(1234.5)', '1,234.5'],
    ['await 1; const result = await Promise.all([1, Promise.resolve(2)])', [1, 2]],
    ['(async () => { await null; return "later" })()', 'later'],
    ['Promise.resolve({ then(done) { done(5) } })', 5],
    ['async function* g() { yield 1; yield 2 }\nlet sum = 0\nfor await (const n of g()) sum += n\nresult = sum', 3],
    ['undefined', null],
    ['(() => {})', null],
    ['null', null],
    ['"use strict"; (function () { return this })() === undefined', true],
    ['Array.from({ length: 100000 }, (_, i) => 99999 - i).sort((a, b) => a - b)[5]', 5],
    ['let text = ""; for (const c of "abc") text = c + text; text', 'cba'],
    ['try { null.x } catch (error) { error.constructor.name }', 'TypeError'],
    ['JSON.parse(JSON.stringify({ a: [1] }))', { a: [1] }],
    ['eval("1 + 2")', 3],
    ['structured = { ...input }; structured', { a: 1 }, { a: 1 }],
    ['label: for (const a of [1, 2]) for (const b of [1, 2]) { if (b === 2) continue label; result = [a, b] }', [2, 1]],
    ['new Uint8Array([1, 2]).length', 2],
    ['Math.max(...input)', 9, [3, 9, 4]],
    ['BigInt(10) ** 20n + ""', '100000000000000000000'],
    ['typeof fetch + typeof process + typeof setTimeout + typeof WebAssembly + typeof SharedArrayBuffer', 'undefinedundefinedundefinedundefinedundefined'],
  ]
  for (const [code, result, input] of honest)
    test(`honest: ${JSON.stringify(code)}`, async () => {
      const outcome = await run(code, { input })
      assert.deepEqual(outcome.error, undefined)
      assert.deepEqual(outcome.result, result)
      assert.equal(outcome.clean, true)
      assert.deepEqual(outcome.findings, [])
    })

  test('CT6: what is printed comes back in its order, and while it is printed where somebody listens', async () => {
    const pieces: string[] = []
    const code = 'console.log("a", 1, [1, { b: "c" }]); console.error(new TypeError("no")); console.log(); "done"'
    const { output, outputCut, result } = await run(code, { live: true }, (piece) => pieces.push(piece))
    assert.equal(output, 'a 1 [1, { b: "c" }]\nTypeError: no\n\n')
    assert.deepEqual([pieces.join(''), outputCut, result], [output, false, 'done'])
  })

  test('CT6: ten million lines cost neither memory nor the limit of time', async () => {
    const { output, outputCut, error } = await run('for (let i = 0; i < 1e7; i++) console.log(i)', {
      outputBytes: 100,
      timeMs: 1_000,
    })
    assert.equal(Buffer.byteLength(output), 100)
    assert.equal(outputCut, true)
    assert.ok(error === undefined || error.limit === 'time')
    const { output: signs, outputCut: cut } = await run('console.log("é".repeat(100))', { outputBytes: 101 })
    assert.deepEqual([signs, cut], ['é'.repeat(50), true])
  })

  // biome-ignore format: a table of code and error
  const errors: readonly (readonly [code: string, error: Partial<RunError>, asked?: Asked])[] = [
    ['let x = 1\nlet y = ;', { code: 'syntax', type: 'SyntaxError', line: 2, message: "Unexpected token ';'" }],
    ['await 1\nlet y = ;', { code: 'syntax', line: 2 }],
    ['import fs from "fs"', { code: 'import-forbidden', module: 'fs', line: 1 }],
    ['const a = 1\nconst fs = require("node:fs")', { code: 'import-forbidden', module: 'node:fs', line: 2 }],
    ['await import("os")', { code: 'import-forbidden', module: 'os', line: 1 }],
    ['throw new TypeError("bad")', { code: 'exception', type: 'TypeError', message: 'bad', line: 1 }],
    ['function f() {\n  throw new RangeError("x")\n}\n\nf()', { code: 'exception', type: 'RangeError', line: 2, trace: [{ line: 5, in: 'the code' }, { line: 2, in: 'f' }] }],
    ['class Own extends Error { constructor() { super("m"); this.name = "Own" } }\nthrow new Own()', { code: 'exception', type: 'Own', message: 'm' }],
    ['await null\nthrow new Error("later")', { code: 'exception', message: 'later', line: 2 }],
    ['throw 5', { code: 'exception', message: 'thrown: 5' }],
    ['throw null', { code: 'exception', message: 'thrown: an object' }],
    ['nowhere', { code: 'exception', type: 'ReferenceError', message: 'nowhere is not defined' }],
    ['result = [1, NaN]', { code: 'result-invalid', message: 'the result: NaN cannot be said in JSON' }],
    ['result = 10n', { code: 'result-invalid' }],
    ['result = new Map()', { code: 'result-invalid' }],
    ['result = { f() {} }', { code: 'result-invalid', message: 'the result: a function cannot be said in JSON' }],
    ['const a = {}; a.a = a; a', { code: 'result-invalid' }],
    ['"y".repeat(5000)', { code: 'limit', limit: 'result' }, { resultBytes: 1_000 }],
    ['for (;;) {}', { code: 'limit', limit: 'time', line: 1 }, { timeMs: 300 }],
    ['\n/(a+)+$/.test("a".repeat(40) + "b")', { code: 'limit', limit: 'time', line: 2 }, { timeMs: 300 }],
    ['new Promise(() => {})', { code: 'limit', limit: 'time' }, { timeMs: 300 }],
    ['Promise.resolve().then(function f() { return Promise.resolve().then(f) })', { code: 'limit', limit: 'time' }, { timeMs: 300 }],
    ['({ get a() { for (;;) {} } })', { code: 'limit', limit: 'time' }, { timeMs: 300 }],
    ['const e = new Error("x"); Object.defineProperty(e, "message", { get() { for (;;) {} } }); throw e', { code: 'limit', limit: 'time' }, { timeMs: 300 }],
    ['(function f() { f() })()', { code: 'limit', limit: 'stack' }],
    ['new ArrayBuffer(2 ** 31)', { code: 'limit', limit: 'memory' }],
    ['const all = []; for (;;) all.push(new Uint8Array(1e6))', { code: 'limit', limit: 'memory' }],
    ['const all = []; for (;;) all.push({ a: [1, 2, 3] })', { code: 'limit' }, { timeMs: 3_000, memoryBytes: 16 * 1024 ** 2 }],
    ['const all = []; for (;;) all.push(new Array(1000).fill(1))', { code: 'limit' }, { timeMs: 3_000, memoryBytes: 16 * 1024 ** 2 }],
    ['let s = "x"; for (;;) s += s', { code: 'exception', message: 'Invalid string length' }],
    ['new Array(2 ** 32)', { code: 'exception', message: 'Invalid array length' }],
    ['process.exit()', { code: 'exception', message: 'process is not defined' }],
    ['constructor.constructor("return process")()', { code: 'exception', message: 'process is not defined' }],
    ['console.log.constructor("return process")()', { code: 'exception', message: 'process is not defined' }],
    ['input.constructor.constructor("return require")()("fs")', { code: 'import-forbidden', module: 'fs' }, { input: {} }],
  ]
  for (const [code, error, asked] of errors)
    test(`CT6: ends in a clear error: ${JSON.stringify(code)}`, async () => {
      const outcome = await run(code, asked)
      assert.partialDeepStrictEqual(outcome.error, error)
      assert.equal(outcome.result, null)
      assert.deepEqual(
        (await run('[input, 6 * 7]', { input: 'next' })).result,
        ['next', 42],
        'and the next run is untouched',
      )
    })

  test('CT6: nothing of one run is there in the next', async () => {
    await run(
      'Array.prototype.canary = 1; Object.prototype.canary = 2; globalThis.canary = 3; JSON.stringify = () => "evil"; console.canary = 4',
    )
    const { result } = await run('[[].canary, {}.canary, typeof canary, JSON.stringify(1), console.canary].map(String)')
    assert.deepEqual(result, ['undefined', 'undefined', 'undefined', '1', 'undefined'])
  })

  test('code that changes what everything is built on fools nobody but itself', async () => {
    const { result, output } = await run(
      'String.prototype.slice = () => "evil"; Array.isArray = () => { throw 1 }; Reflect.apply = () => "evil"; Object.keys = () => { throw 2 }; WeakSet.prototype.has = () => true; console.log("said", [1]); result = { a: 1 }',
    )
    assert.deepEqual([result, output], [{ a: 1 }, 'said [1]\n'])
  })

  test('CT6: what reaches for a way out is told of, by name and line', async () => {
    const { findings } = await run('1\nthis.constructor.constructor("return process")')
    assert.deepEqual(findings, [{ what: 'escape-attempt', name: 'constructor', line: 2 }])
    assert.deepEqual((await run('require("child_process")')).findings, [
      { what: 'forbidden-import', name: 'child_process', line: 1 },
      { what: 'escape-attempt', name: 'child_process', line: 1 },
    ])
  })

  test('a prepared stack shows frames of the code, and none of the house’s functions', async () => {
    const { result } = await run(
      'Error.prepareStackTrace = (_, frames) => frames.map((frame) => String(frame.getFunction()) + typeof frame.getThis()); result = new Error("x").stack',
    )
    for (const frame of result as string[]) assert.doesNotMatch(frame, /guest|tell|outputMax/)
  })

  test('what it used is told', async () => {
    const { usage } = await run('let n = 0; for (let i = 0; i < 3e6; i++) n += i; n')
    assert.ok(usage.timeMs > 0 && usage.cpuMs > 0 && usage.memoryBytes > 0)
  })
})
