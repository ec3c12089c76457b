// The ends that a run has, and what is said at each.
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { type Asked, type PythonChild, type PythonOutcome, snapshotFor, startChild } from './python-child.ts'

let snapshot: string
let child: PythonChild | undefined
before(async () => {
  snapshot = await snapshotFor()
})
after(async () => {
  await child?.end()
})

/** One child for all, but for those after whom there is none. */
async function run(code: string, asked?: Asked): Promise<PythonOutcome> {
  child ??= await startChild(snapshot)
  return child.run(code, asked)
}
let last: PythonOutcome | undefined
async function ran(code: string, asked?: Asked): Promise<PythonOutcome> {
  last = await run(code, asked)
  return last
}
afterEach(async () => {
  if (last?.clean !== false) return
  await child?.end()
  child = undefined
  last = undefined
})

test('CT6: code that never ends is told its time, and the line it was at', async () => {
  const { error, clean } = await ran('x = 1\n\nwhile True:\n    x += 1', { timeMs: 200 })
  assert.deepEqual([error?.code, error?.limit, clean], ['limit', 'time', true])
  assert.match(error?.message ?? '', /^time limit of 200 ms reached, at line [34]$/)
})

test('CT6: code that sleeps is woken at its time', async () => {
  const { error, clean } = await ran('import time\ntime.sleep(60)', { timeMs: 150 })
  assert.deepEqual([error?.limit, error?.line, clean], ['time', 2, true])
})

test('CT6: code that swallows the end of its time is ended', async () => {
  const swallows = 'while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass'
  const { error, clean } = await ran(swallows, { timeMs: 150 })
  assert.deepEqual([error?.limit, clean], ['time', false])
})

test('CT6: code that swallows it and then comes to an end has still used up its time', async () => {
  const { error } = await ran('try:\n    while True: pass\nexcept BaseException:\n    result = 5', { timeMs: 150 })
  assert.equal(error?.limit, 'time')
})

test('CT6: what does not listen, because it is written in C, is ended', async () => {
  for (const code of [
    'sum(range(10**15))',
    '"a" * 10 in iter(int, 1)',
    'import itertools\nlist(zip(itertools.repeat(0), itertools.repeat(0), [])) ; max(itertools.count())',
  ]) {
    const { error } = await ran(code, { timeMs: 150 })
    assert.equal(error?.limit, 'time', code)
    if (last?.clean === false) {
      await child?.end()
      child = undefined
    }
  }
})

test('CT6: a pattern that never comes to an end is ended', async () => {
  const { error } = await ran('import re\nre.match(r"(a+)+$", "a" * 60 + "b")', { timeMs: 150 })
  assert.equal(error?.limit, 'time')
})

test('CT6: what was printed before the end is there', async () => {
  const { output, error } = await ran('print("before")\nwhile True: pass', { timeMs: 150 })
  assert.deepEqual([output, error?.limit], ['before\n', 'time'])
})

test('CT6: one piece of memory beyond the limit is refused at once', async () => {
  const { error, clean } = await ran('a = 1\nx = bytearray(2_000_000_000)', { memoryBytes: 64 * 1024 ** 2 })
  assert.deepEqual([error?.code, error?.limit, error?.line, clean], ['limit', 'memory', 2, true])
  assert.equal(error?.message, 'memory limit of 64 MB reached, at line 2')
})

test('CT6: memory taken bit by bit ends at the limit', async () => {
  const { error, usage } = await ran('x = []\nwhile True:\n    x.append("a" * 1000 + str(len(x)))', {
    memoryBytes: 48 * 1024 ** 2,
  })
  assert.deepEqual([error?.limit, error?.line], ['memory', 3])
  assert.ok(usage.memoryBytes > 30 * 1024 ** 2 && usage.memoryBytes < 70 * 1024 ** 2, `${usage.memoryBytes}`)
})

test('CT6: memory that an earlier run grew is no present for the next', async () => {
  await ran('len(bytearray(50_000_000))')
  const { error } = await ran('len(bytearray(50_000_000))', { memoryBytes: 16 * 1024 ** 2 })
  assert.equal(error?.limit, 'memory')
})

test('CT6: code that catches the end of its memory goes on within it', async () => {
  const { value } = await ran(
    'try:\n    x = bytearray(2_000_000_000)\nexcept MemoryError:\n    result = "less, then"',
    { memoryBytes: 64 * 1024 ** 2 },
  )
  assert.equal(value, 'less, then')
})

test('CT6: output is cut where it is full, in the middle of no character, and says so', async () => {
  const { output, outputCut, value, clean } = await ran('print("é" * 100)\n5', { outputBytes: 51 })
  assert.deepEqual([output, outputCut, value, clean], ['é'.repeat(25), true, 5, true])
})

test('CT6: output that fits to the byte is not cut', async () => {
  const { output, outputCut } = await ran('print("abc")', { outputBytes: 4 })
  assert.deepEqual([output, outputCut], ['abc\n', false])
})

test('CT6: a flood of output costs no memory', async () => {
  const { output, outputCut, usage } = await ran('for i in range(200_000): print("x" * 100)\n', { outputBytes: 1000 })
  assert.deepEqual([output.length, outputCut], [1000, true])
  assert.ok(usage.memoryBytes < 8 * 1024 ** 2, `${usage.memoryBytes}`)
})

test('CT6: bytes that are no text are no longer than the limit once they are signs for it', async () => {
  const code = 'import statistics\nfor i in range(100): statistics.sys.stdout.buffer.write(b"\\xff" * 10)'
  const { output } = await ran(code, { outputBytes: 100 })
  assert.ok(Buffer.byteLength(output) <= 100)
})

test('CT6: both outputs stand in their order', async () => {
  const code = 'import statistics\nsys = statistics.sys\nprint("a")\nprint("b", file=sys.stderr)\nprint("c")'
  assert.equal((await ran(code)).output, 'a\nb\nc\n')
})

test('CT6: output is told while the run goes on, and all of it once', async () => {
  const { heard, output } = await ran('import time\nfor i in range(3):\n    print(i, "é")\n    time.sleep(0.2)', {
    live: true,
  })
  assert.ok(heard.length > 1, `${heard.length}`)
  assert.equal(heard.join(''), output)
})

test('CT6: a result that is too large is refused with its size', async () => {
  const { error, value } = await ran('"a" * 2000', { resultBytes: 1000 })
  assert.deepEqual([error?.code, error?.limit, value], ['limit', 'result', null])
  assert.equal(error?.message, 'the result is larger than 1000 bytes: it has 2002')
})

/** What cannot be said in JSON, and how it is put. */
const unsayable: readonly (readonly [string, string])[] = [
  ['float("nan")', 'result is nan, which JSON does not have'],
  ['{"a": [1, float("inf")]}', 'result.a[1] is inf, which JSON does not have'],
  ['{"a b": {1, 2}}', "result['a b'] is a set, which JSON does not have: make a list of it"],
  ['[b"x"]', 'result[0] is a bytes, which JSON does not have: decode it'],
  ['lambda: 1', 'result is a function, which JSON does not have'],
  ['{(1, 2): 3}', 'result has a key of type tuple: keys are strings'],
  ['x = []\nx.append(x)\nx', 'result[0] contains itself'],
  ['class A: pass\n[A()]', 'result[0] is a A, which JSON does not have'],
  ['[1, 2 ** 53 + 1]', 'result[1] is an integer that readers of JSON do not keep to the last digit: make a text of it'],
  ['{"n": 10 ** 400}', 'result.n is an integer that readers of JSON do not keep to the last digit: make a text of it'],
  ['10 ** 5000', 'result is an integer of more than 4300 digits'],
]
for (const [code, message] of unsayable) {
  test(`CT6: a result of \`${code.split('\n').at(-1)}\` is refused with the place`, async () => {
    const { error, value } = await ran(code)
    assert.deepEqual([error?.code, error?.message, value], ['result-invalid', message, null])
  })
}

test('CT6: a result that is nested without end is refused', async () => {
  const { error } = await ran('x = []\nfor i in range(600): x = [x]\nx')
  assert.equal(error?.code, 'result-invalid')
  assert.match(error?.message ?? '', /is nested deeper than 500$/)
  assert.equal((await ran('x = []\nfor i in range(400): x = [x]\nx')).error, undefined)
})

test('CT6: a result that does harm while it is read does it within the limits', async () => {
  const code = 'class D(dict):\n    def items(self):\n        while True: pass\nD(a=1)'
  const { error } = await ran(code, { timeMs: 200 })
  assert.deepEqual([error?.limit, error?.line], ['time', 3])
})

test('CT6: half a character in a result is kept as JSON has it', async () => {
  assert.equal((await ran('"\\ud800" + "é"')).value, '\ud800é')
})

test('CT6: recursion without end is a limit of its own, with lines', async () => {
  const { error, clean } = await ran('def f(n):\n    return f(n + 1)\nf(0)')
  assert.deepEqual([error?.limit, error?.type, error?.line, clean], ['stack', 'RecursionError', 2, true])
  assert.ok((error?.trace?.length ?? 0) <= 32)
})

test('CT6: recursion in C is an end like others', async () => {
  for (const code of [
    'x = []\nfor i in range(200_000): x = [x]\nrepr(x) and 1',
    'class A:\n    def __getattr__(self, n): return getattr(self, n + "x")\nA().a',
    'f = lambda: 0\nfor i in range(100_000): f = (lambda g: lambda: g())(f)\nf()',
    'import statistics\nstatistics.sys.setrecursionlimit(10**9)\ndef f(): return max(map(lambda x: f(), [1]))\nf()',
  ]) {
    const { error } = await ran(code, { memoryBytes: 256 * 1024 ** 2 })
    if (error !== undefined) assert.match(`${error.code} ${error.limit}`, /^limit (stack|memory|time)$/, code)
    if (last?.clean === false) {
      await child?.end()
      child = undefined
    }
  }
})

/** Code that cannot be read: the message, and the line. */
const unreadable: readonly (readonly [string, RegExp, number | undefined])[] = [
  ['a = 1\nb = = 2', /^invalid syntax/, 2],
  ['if True:\nx = 1', /^expected an indented block/, 2],
  ['a = 1\0', /null bytes/, undefined],
  ['('.repeat(5000), /^too many nested parentheses/, 1],
  ['return 5', /^'return' outside function/, 1],
  [`x = ${'9'.repeat(10_000)}`, /limit \(4300 digits\)/, 1],
  ['x = "abc', /^unterminated string/, 1],
  ['\ud800', /surrogate/, undefined],
]
for (const [index, [code, message, line]] of unreadable.entries()) {
  test(`CT6: code that cannot be read is told so, and where (${index + 1})`, async () => {
    const { error, clean } = await ran(code)
    assert.deepEqual([error?.code, error?.line, clean], ['syntax', line, true])
    assert.match(error?.message ?? '', message)
  })
}

test('CT6: code that is nested beyond all measure is refused or run, and never more than that', async () => {
  for (const code of [
    `${'-'.repeat(50_000)}1`,
    `${'a.'.repeat(20_000)}a`,
    `${'1+'.repeat(50_000)}1`,
    `x = ${'not '.repeat(20_000)}1`,
  ]) {
    const { error } = await ran(code, { timeMs: 10_000 })
    if (error !== undefined) assert.match(error.code, /^(syntax|limit|exception)$/)
    if (last?.clean === false) {
      await child?.end()
      child = undefined
    }
  }
})

test('CT6: an exception is told with its type, its message, its line and its way there', async () => {
  const { error, output } = await ran(
    'def inner(x):\n    return 1 / x\n\ndef outer():\n    return inner(0)\n\nprint("a")\nouter()',
  )
  assert.deepEqual(error, {
    code: 'exception',
    type: 'ZeroDivisionError',
    message: 'division by zero',
    line: 2,
    trace: [
      { line: 8, in: '<module>' },
      { line: 5, in: 'outer' },
      { line: 2, in: 'inner' },
    ],
  })
  assert.equal(output, 'a\n')
})

test('CT6: what an exception came from is told with it', async () => {
  const { error } = await ran('try:\n    {}["k"]\nexcept KeyError as e:\n    raise ValueError("bad") from e')
  assert.equal(error?.message, "bad (caused by KeyError: 'k')")
})

test('CT6: a message without end is cut', async () => {
  const { error } = await ran('raise ValueError("é" * 100_000)')
  assert.ok(Buffer.byteLength(error?.message ?? '') <= 2048)
})

test('CT6: an exception that does harm when it is asked for its message does it to itself', async () => {
  const { error } = await ran(
    'class E(Exception):\n    def __str__(self): raise E()\n    __traceback__ = property(lambda s: 1 / 0)\nraise E()',
  )
  assert.deepEqual([error?.code, error?.type, error?.line], ['exception', 'E', 4])
})

test('CT6: a way out with a number is told; Ctrl-C by the code itself is not the end of its time', async () => {
  assert.equal((await ran('exit(3)')).error?.message, 'exit code 3')
  const { error } = await ran('raise KeyboardInterrupt')
  assert.deepEqual([error?.code, error?.type], ['exception', 'KeyboardInterrupt'])
})

test('CT6: the use of time and memory is told', async () => {
  const { usage } = await ran('x = bytearray(30_000_000)\ns = 0\nfor i in range(200_000): s += i\ns')
  assert.ok(usage.timeMs > 0 && usage.cpuMs >= 0)
  assert.ok(usage.memoryBytes >= 25_000_000, `${usage.memoryBytes}`)
})
