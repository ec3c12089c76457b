// A child serves more than one run. What one leaves behind, in any corner of Python, the next must not find.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type PythonChild, snapshotFor, startChild } from './python-child.ts'

/** How code gets at the real modules: no wall is meant to hinder that, as they lead nowhere. */
const reach = `import statistics
sys = statistics.sys
def mod(name): return sys.modules[name + ""]
`

/** What a run changes, and what another asks: true where it finds the change. */
const canaries: readonly (readonly [string, string, string])[] = [
  ['a global', 'canary = 1', '"canary" in globals()'],
  ['the house of the code', 'mod("__main__").canary = 1', 'hasattr(mod("__main__"), "canary")'],
  ['a builtin', 'mod("builtins").canary = 1', 'hasattr(mod("builtins"), "canary")'],
  ['a builtin of its own copy', '__builtins__["len"] = lambda x: 99', 'len([]) == 99'],
  ['an attribute of a module', 'import json\njson.dumps = lambda *a, **k: "x"', 'import json\njson.dumps(1) == "x"'],
  [
    'an attribute of a class of a module',
    'import datetime, json\njson.JSONEncoder.encode = None',
    'import json\njson.JSONEncoder.encode is None',
  ],
  ['sys.modules', 'sys.modules["json"] = 5', 'type(sys.modules["json"]) is int'],
  ['a module taken out', 'del sys.modules["math"]', '"math" not in sys.modules'],
  ['sys.path', 'sys.path.append("canary")', '"canary" in sys.path'],
  ['a finder', 'sys.meta_path.append(5)', '5 in sys.meta_path'],
  ['filters of warnings', 'mod("warnings").simplefilter("error")', 'mod("warnings").filters[0][0] == "error"'],
  ['the locale', 'mod("locale")._override_localeconv = {"canary": 1}', 'bool(mod("locale")._override_localeconv)'],
  ['the environment', 'mod("os").environ["CANARY"] = "1"', '"CANARY" in mod("os").environ'],
  ['a signal handler', 'mod("signal").signal(2, lambda *a: None)', 'mod("signal").getsignal(2).__name__ == "<lambda>"'],
  ['the limit of recursion', 'sys.setrecursionlimit(12345)', 'sys.getrecursionlimit() == 12345'],
  ['the limit of integers', 'sys.set_int_max_str_digits(0)', 'sys.get_int_max_str_digits() == 0'],
  ['a function that follows each line', 'sys.settrace(lambda *a: None)', 'sys.gettrace() is not None'],
  ['a profiler', 'sys.setprofile(lambda *a: None)', 'sys.getprofile() is not None'],
  ['a tool that monitors', 'sys.monitoring.use_tool_id(3, "canary")', 'sys.monitoring.get_tool(3) == "canary"'],
  [
    'an audit hook',
    'sys.addaudithook(lambda *a: (_ for _ in ()).throw(ValueError("audited")))',
    'compile("1", "x", "eval") is None',
  ],
  [
    'a codec',
    'mod("codecs").register(lambda n: mod("codecs").lookup("utf-8") if n == "canary" else None)',
    'b"a".decode("canary") == "a"',
  ],
  [
    'a handler of errors',
    'mod("codecs").register_error("canary", lambda e: ("", e.end))',
    'mod("codecs").lookup_error("canary") is not None',
  ],
  ['the context of decimals', 'mod("decimal").getcontext().prec = 3', 'mod("decimal").getcontext().prec == 3'],
  [
    'what patterns are kept',
    'import re\nre._cache[("canary", "canary", 0)] = 1\nre._cache2["canary"] = 1',
    'import re\n"canary" in re._cache2',
  ],
  ['an interned name', 'mod("sys").canary = sys.intern("canary" * 3)', 'hasattr(sys, "canary")'],
  [
    'a hook for uncaught errors',
    'sys.excepthook = sys.unraisablehook = print',
    'sys.excepthook is print or sys.unraisablehook is print',
  ],
  ['the standard output', 'sys.stdout = sys.stderr = None', 'sys.stdout is None'],
  ['the standard output, closed', 'sys.stdout.close()', 'sys.stdout.closed'],
  [
    'what stands behind a word of the compiler',
    'class A: pass\nA.__class__\nmod("types").SimpleNamespace = 5\nmod("copyreg").dispatch_table[int] = 5',
    'int in mod("copyreg").dispatch_table',
  ],
  [
    'an abstract class that knows one more',
    'import collections.abc\nclass A: pass\ncollections.abc.Sized.register(int)',
    'import collections.abc\nisinstance(5, collections.abc.Sized)',
  ],
  [
    'the trusted runner',
    'f = sys._getframe()\nwhile f.f_back is not None: f = f.f_back\nf.f_globals["text_of"] = lambda v, s: (b"7", None)',
    'False',
  ],
  ['a file', 'mod("io").open("/tmp/canary", "w").write("x")', 'mod("os").path.exists("/tmp/canary")'],
  ['a folder', 'mod("os").mkdir("canary")', 'mod("os").path.exists("canary")'],
  ['the folder it is in', 'mod("os").chdir("/tmp")', 'False'],
  [
    'a thing that never goes',
    'class Stay:\n    def __del__(self): sys.modules["canary"] = self\nx = Stay()\nx.me = x',
    '"canary" in sys.modules',
  ],
  [
    'a switch of types',
    'import collections\nclass A(collections.UserDict): pass\ncollections.UserDict.canary = 1',
    'import collections\nhasattr(collections.UserDict, "canary")',
  ],
]

let child: PythonChild
let pid: number | undefined
before(async () => {
  const snapshot = await snapshotFor()
  child = await startChild(snapshot)
  pid = child.process.pid
})
after(async () => {
  await child.end()
})

for (const [what, change, question] of canaries) {
  test(`CT6: the next run does not find ${what}`, async () => {
    await child.run(`${reach}${change}`)
    const ask = await child.run(
      `${reach}try:\n    result = eval(compile(${JSON.stringify(question.split('\n').at(-1))}, "q", "eval"))\nexcept (LookupError, ValueError):\n    result = False\n`.replace(
        reach,
        `${reach}${question.split('\n').slice(0, -1).join('\n')}\n`,
      ),
    )
    assert.deepEqual([ask.error, ask.value], [undefined, false])
    assert.equal(ask.clean, true)
    assert.equal(child.process.pid, pid)
  })
}

test('a question of these finds what the same run has changed', async () => {
  const sees: string[] = []
  for (const [what, change, question] of canaries) {
    if (question === 'False' || /^a file|^a folder|^the standard output|audit|house of|recursion|a thing/.test(what))
      continue
    const lines = question.split('\n')
    const { value, error } = await child.run(
      `${reach}${change}\n${lines.slice(0, -1).join('\n')}\nresult = ${lines.at(-1)}`,
    )
    if (value !== true) sees.push(`${what}: ${JSON.stringify(error ?? value)}`)
  }
  assert.deepEqual(sees, [])
})

test('CT6: after three hundred runs, each of which leaves what it can, the child is as it was', async () => {
  const dirty = `${reach}mod("builtins").canary = 1\nsys.modules["canary"] = sys\nx = [list(range(1000)) for _ in range(50)]\nlen(x)`
  const clean = `${reach}[hasattr(mod("builtins"), "canary"), "canary" in sys.modules]`
  for (let turn = 0; turn < 150; turn++) {
    assert.equal((await child.run(dirty)).value, 50)
    assert.deepEqual((await child.run(clean)).value, [false, false])
  }
})

test('CT6: chance is fresh in each run, though each begins with the same memory', async () => {
  const code = `${reach}[mod("random").random(), mod("os").urandom(8).hex()]`
  const drawn = [await child.run(code), await child.run(code), await child.run(code)].map(
    ({ value }) => value as [number, string],
  )
  assert.equal(new Set(drawn.map(([number]) => number)).size, 3)
  assert.equal(new Set(drawn.map(([, bytes]) => bytes)).size, 3)
})

test('CT6: a child that grew by more than it can wipe says that it is not clean', async () => {
  const snapshot = await snapshotFor()
  const own = await startChild(snapshot)
  try {
    assert.equal((await own.run('len(bytearray(20_000_000))')).clean, true)
    const large = await own.run('len(bytearray(200_000_000))')
    assert.deepEqual([large.value, large.clean], [200_000_000, false])
    assert.ok(large.usage.memoryBytes >= 200_000_000)
  } finally {
    await own.end()
  }
})
