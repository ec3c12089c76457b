// Code that wants out. Every case ends in a clear word, and the run after it is untouched. The walls of the system stand aside here:
// what is tested is Python's own wall, with Node's permission model behind it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pythonEscapes, saidOf } from './escapes.ts'
import { type PythonChild, snapshotFor, startChild } from './python-child.ts'

/** What is not allowed, by every way there is to ask for it; what is told; and the line. */
const imports: readonly (readonly [string, string, number])[] = [
  ['import os', 'os', 1],
  ['x = 1\nimport os.path as p', 'os.path', 2],
  ['from subprocess import run', 'subprocess', 1],
  ['import math, socket', 'socket', 1],
  ['from . import a', '.', 1],
  ['from .. import a', '..', 1],
  ['def f():\n    import ctypes', 'ctypes', 2],
  ['if False:\n    import js', 'js', 2],
  ['import pyodide_js', 'pyodide_js', 1],
  ['from pyodide.code import run_js', 'pyodide.code', 1],
  ['import _pyodide_core', '_pyodide_core', 1],
  ['import _strptime', '_strptime', 1],
  ['import numpy', 'numpy', 1],
  ['try:\n    import sys\nexcept ImportError:\n    pass', 'sys', 2],
  ['__import__("os")', 'os', 1],
  ['__import__(name="os")', 'os', 1],
  ['__import__("o" + "s")', 'os', 1],
  ['__import__("so"[::-1])', 'os', 1],
  ['__import__("".join(["o", "s"]))', 'os', 1],
  ['__import__("".join(reversed("so")))', 'os', 1],
  ['__import__("%s%s" % ("o", "s"))', 'os', 1],
  ['__import__("{}{}".format("o", "s"))', 'os', 1],
  ['__import__(f"{\'o\'}s")', 'os', 1],
  ['__import__(chr(111) + chr(115))', 'os', 1],
  ['__import__("".join(map(chr, [111, 115])))', 'os', 1],
  ['__import__("".join(chr(c - 1) for c in (112, 116)))', 'os', 1],
  ['__import__(bytes([111, 115]).decode())', 'os', 1],
  ['__import__(bytes.fromhex("6f73").decode())', 'os', 1],
  ['__import__("OS".lower())', 'os', 1],
  ['__import__("o_s".replace("_", ""))', 'os', 1],
  ['m = "o" + "s"\n__import__(m)', 'os', 2],
  ['load = __import__\nload("os")', 'os', 2],
  ['getattr(__builtins__, "__imp" + "ort__")("os")', 'os', 1],
  ['__builtins__["__import__"]("os")', 'os', 1],
  ['import importlib', 'importlib', 1],
  ['x.import_module("os")', 'os', 1],
  ['import statistics\nstatistics.sys.modules["os"]', 'os', 2],
  ['import statistics\nstatistics.sys.modules.get("o" "s")', 'os', 2],
  ['exec("import os")', 'os', 1],
  ['exec("exec(\'import os\')")', 'os', 1],
  ['eval("__import__(\'os\')")', 'os', 1],
  ['exec(compile("import os", "a", "exec"))', 'os', 1],
]

/** What cannot be seen beforehand is refused at run time, in the same words. */
const atRunTime: readonly (readonly [string, string])[] = [
  ['__import__(input)', 'os'],
  ['n = input\nexec("import " + n)', 'os'],
  ['class A:\n    x = input\n__import__(A.x)', 'os'],
  ['[__import__][0](input + "")', 'os'],
  ['globals()["__builtins__"]["__imp" + "ort__"](input)', 'os'],
  ['exec("import " + input, {})', 'os'],
  ['eval("__imp" + "ort__(input)")', 'os'],
]

let snapshot: string
let child: PythonChild | undefined
before(async () => {
  snapshot = await snapshotFor()
})
after(async () => {
  await child?.end()
})
async function running(): Promise<PythonChild> {
  return (child ??= await startChild(snapshot))
}

for (const [code, module, line] of imports) {
  test(`CT6: \`${code.replaceAll('\n', '; ')}\` is refused by the name of the module, and nothing runs`, async () => {
    const { error, findings, output, clean } = await (await running()).run(`${code}\nprint("ran")`)
    assert.deepEqual(
      [error?.code, error?.module, error?.line, output, clean],
      ['import-forbidden', module, line, '', true],
    )
    assert.match(error?.message ?? '', new RegExp(`^\`${module.replaceAll('.', '\\.')}\` cannot be imported here: `))
    assert.ok(findings.some(({ what, name }) => what === 'forbidden-import' && name === module))
  })
}

for (const [code, module] of atRunTime) {
  test(`CT6: \`${code.replaceAll('\n', '; ')}\` is refused at run time in the same words`, async () => {
    const { error, findings, clean } = await (await running()).run(code, { input: 'os' })
    assert.deepEqual([error?.code, error?.module, clean], ['import-forbidden', module, true])
    assert.match(error?.message ?? '', /^`os` cannot be imported here: /)
    assert.ok(findings.some(({ what, name }) => what === 'forbidden-import' && name === module))
  })
}

test('CT6: what is refused at run time is remembered even where the code swallows it', async () => {
  const { value, findings } = await (await running()).run(
    'try:\n    __import__(input)\nexcept ImportError:\n    result = 1',
    { input: 'os' },
  )
  assert.equal(value, 1)
  assert.deepEqual(findings, [{ what: 'forbidden-import', name: 'os', line: 2 }])
})

for (const [what, code, ends, asked = {}] of pythonEscapes) {
  test(`CT6: ${what}: leads nowhere, and the next run is untouched`, async () => {
    const { input, timeMs = 20_000, memoryMb = 128 } = asked
    const outcome = await (await running()).run(code, { input, timeMs, memoryBytes: memoryMb * 1024 ** 2 })
    assert.match(saidOf(outcome, outcome.value), ends)
    assert.doesNotMatch(JSON.stringify(outcome), /root:|daemon:/)
    if (!outcome.clean) {
      await child?.end()
      child = undefined
    }
    assert.equal((await (await running()).run('1 + 1')).value, 2)
  })
}

/** What no honest code reaches for, and the name that it is told by. */
const told: readonly (readonly [string, string, number | undefined])[] = [
  ['().__class__.__base__.__subclasses__()\n1', '__subclasses__', 1],
  ['def f(): pass\nf.__globals__\n1', '__globals__', 2],
  ['getattr(int, "__sub" + "classes__")\n1', '__subclasses__', 1],
  ['def f(): yield\nf().gi_frame\n1', 'gi_frame', 2],
  ['__builtins__\n1', '__builtins__', 1],
  ['try:\n    open("x")\nexcept OSError:\n    result = 1', 'open', 2],
  [
    'import statistics\ntry:\n    statistics.sys.modules[input].open("x")\nexcept OSError:\n    result = 1',
    'open',
    undefined,
  ],
  [
    'import statistics\ntry:\n    statistics.sys.modules[input[1:] + "s"].mkdir("x")\nexcept OSError:\n    result = 1',
    'files',
    undefined,
  ],
]
for (const [code, name, line] of told) {
  test(`CT6: a reach for \`${name}\` is told${line === undefined ? ' by the gate' : ` with line ${line}`}`, async () => {
    const { findings, value } = await (await running()).run(code, { input: 'io' })
    assert.deepEqual(
      findings.map(({ what, name, line }) => [what, name, line]),
      [['escape-attempt', name, line]],
    )
    assert.equal(value, 1)
  })
}

test('CT6: findings are bounded, however many there are', async () => {
  const code = Array.from({ length: 500 }, (_, index) => `x.__globals__.f_back${index === 0 ? '' : '.f_globals'}`).join(
    '\n',
  )
  const { findings } = await (await running()).run(code)
  assert.ok(findings.length > 0 && findings.length <= 32)
})
