// Programs of the kind that widgets and models write: the walls must not be in their way.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type PythonChild, snapshotFor, startChild } from './python-child.ts'

const orders = [
  { id: 1, customer: 'Ada', total: 120.5, day: '2026-01-05', tags: ['new', 'eu'] },
  { id: 2, customer: 'Bo', total: 80, day: '2026-01-06', tags: [] },
  { id: 3, customer: 'Ada', total: 19.5, day: '2026-02-01', tags: ['eu'] },
]

/** What it is, the code, what it comes to, and what it is given. */
const programs: readonly (readonly [string, string, unknown, unknown?])[] = [
  ['an expression', '1 + 2 * 3', 7],
  ['nothing', '', null],
  ['a comment', '# nothing\n', null],
  ['a statement at the end', 'x = 5', null],
  [
    'a division of integers so large that C asks Python for help',
    '10**20000 // 3**9000 % 1000',
    Number((10n ** 20000n / 3n ** 9000n) % 1000n),
  ],
  ['a result by name', 'result = {"a": 1}\n"not this"', { a: 1 }],
  ['a result that is none', 'result = None\n5', null],
  ['input as a value', 'input["a"] + 1', 2, { a: 1 }],
  ['input as a list', '[x * 2 for x in input]', [2, 4, 6], [1, 2, 3]],
  ['no input', 'input is None', true],
  [
    'sums by customer',
    'from collections import defaultdict\nsums = defaultdict(float)\nfor o in input:\n    sums[o["customer"]] += o["total"]\nresult = dict(sums)',
    { Ada: 140, Bo: 80 },
    orders,
  ],
  ['a filter and a sort', 'sorted((o["id"] for o in input if o["total"] > 50), reverse=True)', [2, 1], orders],
  ['sorting by two keys', 'sorted(input, key=lambda o: (o["customer"], -o["total"]))[0]["id"]', 1, orders],
  [
    'grouping',
    'from itertools import groupby\n{k: len(list(v)) for k, v in groupby(sorted(input, key=lambda o: o["day"][:7]), key=lambda o: o["day"][:7])}',
    { '2026-01': 2, '2026-02': 1 },
    orders,
  ],
  [
    'a counter',
    'from collections import Counter\nCounter(t for o in input for t in o["tags"]).most_common(1)',
    [['eu', 2]],
    orders,
  ],
  ['a counter as a dict', 'import collections\ncollections.Counter("hello")', { h: 1, e: 1, l: 2, o: 1 }],
  ['named tuples', 'from collections import namedtuple\nP = namedtuple("P", "x y")\nP(1, 2)._replace(y=5)', [1, 5]],
  ['a queue', 'from collections import deque\nd = deque([1, 2, 3], maxlen=2)\nd.append(4)\nlist(d)', [3, 4]],
  [
    'an ordered dict',
    'from collections import OrderedDict\nd = OrderedDict(a=1, b=2)\nd.move_to_end("a")\nlist(d)',
    ['b', 'a'],
  ],
  ['chained maps', 'from collections import ChainMap\ndict(ChainMap({"a": 1}, {"a": 2, "b": 3}))', { a: 1, b: 3 }],
  ['abstract classes', 'from collections.abc import Iterable\nisinstance([], Iterable)', true],
  ['the mean', 'import statistics\nstatistics.mean([1, 2, 3, 4])', 2.5],
  [
    'the median and deviation',
    'import statistics as s\n[s.median([3, 1, 2]), round(s.stdev([2, 4, 4, 4, 5, 5, 7, 9]), 4), s.mode("aab")]',
    [2, 2.1381, 'a'],
  ],
  ['quantiles', 'from statistics import quantiles\nquantiles(range(1, 12), n=4)', [3, 6, 9]],
  [
    'a regression',
    'from statistics import linear_regression\nr = linear_regression([1, 2, 3], [2, 4, 6])\n[r.slope, r.intercept]',
    [2, 0],
  ],
  ['a normal distribution', 'from statistics import NormalDist\nround(NormalDist(100, 15).cdf(115), 4)', 0.8413],
  [
    'square roots',
    'import math\n[math.sqrt(16), math.factorial(10), math.gcd(12, 18), math.floor(math.pi), math.isclose(0.1 + 0.2, 0.3)]',
    [4, 3628800, 6, 3, true],
  ],
  [
    'combinations',
    'import itertools, math\n[len(list(itertools.combinations(range(6), 3))), math.comb(6, 3)]',
    [20, 20],
  ],
  [
    'products and chains',
    'from itertools import product, chain, accumulate, islice, count\n[list(product([1, 2], "a")), list(chain([1], [2])), list(accumulate([1, 2, 3])), list(islice(count(5), 2))]',
    [
      [
        [1, 'a'],
        [2, 'a'],
      ],
      [1, 2],
      [1, 3, 6],
      [5, 6],
    ],
  ],
  [
    'batches',
    'from itertools import batched, pairwise\n[list(batched([1, 2, 3], 2)), list(pairwise([1, 2, 3]))]',
    [
      [[1, 2], [3]],
      [
        [1, 2],
        [2, 3],
      ],
    ],
  ],
  ['a pattern', 'import re\nre.findall(r"\\d+", "a1 b22 c333")', ['1', '22', '333']],
  [
    'groups of a pattern',
    'import re\nm = re.match(r"(?P<name>\\w+)@(?P<host>[\\w.]+)", "ada@example.org")\nm.groupdict()',
    { name: 'ada', host: 'example.org' },
  ],
  ['substitution by a function', 'import re\nre.sub(r"[a-z]", lambda m: m.group().upper(), "abc1")', 'ABC1'],
  ['splitting by a pattern', 'import re\nre.split(r"[,;]\\s*", "a, b;c")', ['a', 'b', 'c']],
  [
    'a verbose pattern',
    'import re\nbool(re.compile(r"""\n ^ \\d{4} # year\n - \\d{2} $ """, re.X).match("2026-01"))',
    true,
  ],
  [
    'reading a date',
    'from datetime import datetime\ndatetime.strptime("05.01.2026 14:30", "%d.%m.%Y %H:%M")',
    '2026-01-05T14:30:00',
  ],
  ['days between', 'from datetime import date\n(date(2026, 3, 1) - date(2026, 2, 1)).days', 28],
  ['a week from a day', 'from datetime import date, timedelta\ndate(2026, 12, 28) + timedelta(weeks=1)', '2027-01-04'],
  [
    'a zone',
    'from datetime import datetime, timezone, timedelta\ndatetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))).astimezone(timezone.utc).isoformat()',
    '2025-12-31T22:00:00+00:00',
  ],
  [
    'writing a date',
    'import datetime\ndatetime.date(2026, 1, 5).strftime("%A, %d %B %Y, week %V")',
    'Monday, 05 January 2026, week 02',
  ],
  [
    'ISO dates',
    'import datetime as dt\n[dt.datetime.fromisoformat("2026-01-05T10:00:00Z").hour, dt.date.fromisoformat("2026-01-05").isocalendar().week]',
    [10, 2],
  ],
  ['a time of day', 'import datetime\ndatetime.time(9, 30)', '09:30:00'],
  [
    'the clock is right',
    `import time, datetime\nabs(time.time() - input) < 3600 and datetime.datetime.now().year == datetime.datetime.fromtimestamp(input).year`,
    true,
    Date.now() / 1000,
  ],
  [
    'the calendar of seconds',
    'import time\n[time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(86400 * 365)), time.gmtime(0).tm_wday, time.localtime(0).tm_hour, time.mktime(time.localtime(1000)), time.tzname[0]]',
    ['1971-01-01 00:00:00', 3, 0, 1000, 'UTC'],
  ],
  ['measuring', 'import time\na = time.perf_counter()\ntime.sleep(0.01)\n0.009 < time.perf_counter() - a < 5', true],
  [
    'JSON out and in',
    'import json\njson.loads(json.dumps({"a": [1, 2.5, None, True, "é"]}, indent=2))',
    { a: [1, 2.5, null, true, 'é'] },
  ],
  [
    'an error of JSON',
    'import json\ntry:\n    json.loads("{")\nexcept json.JSONDecodeError as e:\n    result = e.pos',
    1,
  ],
  [
    'a class',
    'class Account:\n    def __init__(self, start=0):\n        self.balance = start\n    def add(self, n):\n        self.balance += n\n        return self\nAccount(5).add(3).balance',
    8,
  ],
  [
    'inheritance',
    'class A:\n    def who(self): return "a"\nclass B(A):\n    def who(self): return super().who() + "b"\nB().who()',
    'ab',
  ],
  [
    'operators',
    'class V:\n    def __init__(self, x): self.x = x\n    def __add__(self, o): return V(self.x + o.x)\n    def __eq__(self, o): return self.x == o.x\n    def __repr__(self): return f"V({self.x})"\n    def __hash__(self): return hash(self.x)\nrepr(V(1) + V(2))',
    'V(3)',
  ],
  [
    'properties and class methods',
    'class T:\n    made = 0\n    def __init__(self, c): self._c = c\n    @property\n    def f(self): return self._c * 9 / 5 + 32\n    @classmethod\n    def of(cls, f): return cls((f - 32) * 5 / 9)\n    @staticmethod\n    def zero(): return 0\n[T(100).f, round(T.of(212)._c), T.zero()]',
    [212, 100, 0],
  ],
  [
    'slots and a metaclass',
    'class M(type):\n    def __new__(m, n, b, d): return super().__new__(m, n, b, {**d, "tag": n.lower()})\nclass Thing(metaclass=M):\n    __slots__ = ("a",)\nThing.tag',
    'thing',
  ],
  [
    'a generator',
    'def fib():\n    a, b = 0, 1\n    while True:\n        yield a\n        a, b = b, a + b\ng = fib()\n[next(g) for _ in range(10)]',
    [0, 1, 1, 2, 3, 5, 8, 13, 21, 34],
  ],
  [
    'yield from and send',
    'def inner():\n    got = yield 1\n    return got\ndef outer():\n    x = yield from inner()\n    yield x * 2\ng = outer()\nnext(g)\ng.send(21)',
    42,
  ],
  [
    'a context manager',
    'class C:\n    def __enter__(self): return 5\n    def __exit__(self, *a): return True\nwith C() as c:\n    raise ValueError\nc',
    5,
  ],
  [
    'decorators',
    'def twice(f):\n    def g(*a, **k):\n        return f(*a, **k) * 2\n    return g\n@twice\ndef h(x, *, y=1): return x + y\nh(1, y=2)',
    6,
  ],
  [
    'closures',
    'def counter():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n        return n\n    return up\nc = counter()\nc()\nc()',
    2,
  ],
  [
    'matching',
    'def say(v):\n    match v:\n        case {"type": "circle", "r": r}: return r * 2\n        case [x, *rest]: return len(rest)\n        case str() as s if s: return s\n        case None | 0: return "nothing"\n        case _: return "other"\n[say({"type": "circle", "r": 2}), say([1, 2, 3]), say("a"), say(0), say(1.5)]',
    [4, 2, 'a', 'nothing', 'other'],
  ],
  [
    'f-strings',
    'x, name = 3.14159, "pi"\nf"{name!r:>6}={x:.2f} {x:08.3f} {10**6:,} {255:#x} {name=}"',
    "  'pi'=3.14 0003.142 1,000,000 0xff name='pi'",
  ],
  [
    'comprehensions',
    '[{k: v for k, v in zip("ab", [1, 2])}, sorted({x % 3 for x in range(9)}), sum(x for x in range(10) if x % 2)]',
    [{ a: 1, b: 2 }, [0, 1, 2], 25],
  ],
  ['the walrus', 'data = [1, 2, 3]\n[y for x in data if (y := x * 2) > 2]', [4, 6]],
  [
    'unpacking',
    'a, *b, c = range(5)\n[a, b, c, [*b, *b], {**{"x": 1}, "y": 2}]',
    [0, [1, 2, 3], 4, [1, 2, 3, 1, 2, 3], { x: 1, y: 2 }],
  ],
  [
    'try, else and finally',
    'log = []\ntry:\n    log.append(1)\nexcept ValueError:\n    log.append(2)\nelse:\n    log.append(3)\nfinally:\n    log.append(4)\nlog',
    [1, 3, 4],
  ],
  [
    'own exceptions',
    'class Bad(Exception):\n    pass\ntry:\n    raise Bad("no") from KeyError("k")\nexcept Bad as e:\n    result = [str(e), type(e.__cause__).__name__]',
    ['no', 'KeyError'],
  ],
  [
    'groups of exceptions',
    'try:\n    raise ExceptionGroup("g", [ValueError(1), TypeError(2)])\nexcept* ValueError as e:\n    result = len(e.exceptions)\nexcept* TypeError:\n    pass',
    1,
  ],
  [
    'sorting 100,000 things',
    'import math\nxs = [math.sin(i) for i in range(100_000)]\nxs.sort()\n[len(xs), xs[0] < xs[-1]]',
    [100_000, true],
  ],
  ['recursion', 'def hanoi(n): return 0 if n == 0 else 2 * hanoi(n - 1) + 1\nhanoi(16)', 65_535],
  ['recursion of some depth', 'def down(n): return 0 if n == 0 else 1 + down(n - 1)\ndown(900)', 900],
  [
    'primes',
    'def sieve(n):\n    s = bytearray([1]) * (n + 1)\n    s[0:2] = b"\\0\\0"\n    for i in range(2, int(n ** 0.5) + 1):\n        if s[i]: s[i*i::i] = bytes(len(s[i*i::i]))\n    return sum(s)\nsieve(100_000)',
    9592,
  ],
  [
    'integers that stay what they are',
    '[2 ** 53, -(2 ** 53 - 1), 2 ** 60, "a\\"9007199254740993"]',
    [2 ** 53, -(2 ** 53 - 1), 2 ** 60, 'a"9007199254740993'],
  ],
  ['large integers', 'str(2 ** 200)', '1606938044258990275541962092341162602522202993782792835301376'],
  [
    'Unicode',
    '[len("naïve 日本 😀"), "straße".upper(), "É".lower(), "\\N{SNOWMAN}", sorted("äaz")]',
    [10, 'STRASSE', 'é', '☃', ['a', 'z', 'ä']],
  ],
  [
    'encodings',
    '["é".encode("latin-1").hex(), "é".encode("cp1252").decode("cp1252"), "日".encode("utf-16-le").hex(), "é".encode("ascii", "xmlcharrefreplace").decode()]',
    ['e9', 'é', 'e565', '&#233;'],
  ],
  [
    'bytes',
    '[b"ab".hex(), int.from_bytes(b"\\x01\\x00", "big"), list(memoryview(b"ab")), bytes.fromhex("6162").decode()]',
    ['6162', 256, [97, 98], 'ab'],
  ],
  [
    'text',
    '["a,b".split(","), "-".join(["x", "y"]), " a ".strip(), "abc".find("c"), "a".zfill(3), "{:>4}|{name}".format(1, name="n"), "%05.1f %s" % (2.25, "z"), "tEsT".title(), "abc"[::-1]]',
    [['a', 'b'], 'x-y', 'a', 2, '00a', '   1|n', '002.2 z', 'Test', 'cba'],
  ],
  [
    'a table of text',
    'rows = [("a", 1), ("bb", 22)]\nprint("\\n".join(f"{n:<4}{v:>4}" for n, v in rows))\nlen(rows)',
    2,
  ],
  [
    'built-in functions',
    '[abs(-1), all([]), any([1]), bin(5), chr(97), divmod(7, 3), hex(255), max(3, 1), min([2, 1]), ord("a"), pow(2, 10, 1000), round(2.675, 2), list(zip("ab", [1, 2])), list(map(str, [1])), list(filter(None, [0, 1])), list(enumerate("a")), list(reversed([1, 2])), callable(len), isinstance(1, int)]',
    [
      1,
      true,
      true,
      '0b101',
      'a',
      [2, 1],
      '0xff',
      3,
      1,
      97,
      24,
      2.67,
      [
        ['a', 1],
        ['b', 2],
      ],
      ['1'],
      [1],
      [[0, 'a']],
      [2, 1],
      true,
      true,
    ],
  ],
  [
    'sets',
    'a, b = {1, 2, 3}, {2, 3, 4}\n[sorted(a & b), sorted(a | b), sorted(a - b), sorted(a ^ b), a <= {1, 2, 3, 4}]',
    [[2, 3], [1, 2, 3, 4], [1], [1, 4], true],
  ],
  ['exec and eval of own text', 'space = {}\nexec("y = 2 + 3", space)\neval("y * 2", space)', 10],
  [
    'attributes by name',
    'class A: x = 1\na = A()\nsetattr(a, "y", 2)\n[getattr(a, "x"), getattr(a, "z", 0), hasattr(a, "y"), vars(a), a.__class__.__name__, A.__mro__[0].__name__]',
    [1, 0, true, { y: 2 }, 'A', 'A'],
  ],
  [
    'type hints',
    'from __future__ import annotations\ndef f(x: int, y: list[str] | None = None) -> dict[str, int]:\n    return {"x": x}\nf(1)',
    { x: 1 },
  ],
  [
    'generics',
    'class Box[T]:\n    def __init__(self, v: T): self.v = v\ntype Pair = tuple[int, int]\nBox[int](3).v',
    3,
  ],
  [
    'a matrix',
    'a = [[1, 2], [3, 4]]\n[[sum(x * y for x, y in zip(r, c)) for c in zip(*a)] for r in a]',
    [
      [7, 10],
      [15, 22],
    ],
  ],
  [
    'a tree',
    'def depth(t): return 1 + max(map(depth, t.get("kids", [])), default=0)\ndepth({"kids": [{"kids": [{}]}, {}]})',
    3,
  ],
  [
    'dynamic programming',
    'memo = {}\ndef f(n):\n    if n < 2: return n\n    if n not in memo: memo[n] = f(n - 1) + f(n - 2)\n    return memo[n]\nf(78)',
    8944394323791464,
  ],
  [
    'an iterator',
    'class Up:\n    def __init__(self, n): self.n = n\n    def __iter__(self):\n        yield from range(self.n)\n    def __len__(self): return self.n\n    def __contains__(self, x): return x < self.n\n    def __getitem__(self, i): return i\n[list(Up(3)), len(Up(2)), 1 in Up(2), Up(1)[5]]',
    [[0, 1, 2], 2, true, 5],
  ],
  [
    'an awaitable run by hand',
    'async def f(): return 5\ntry:\n    f().send(None)\nexcept StopIteration as e:\n    result = e.value',
    5,
  ],
  ['a way out with nothing wrong', 'result = 3\nexit()', 3],
  [
    'rounding and formatting money',
    '[f"{x:,.2f} €" for x in (1234.5, 0.005, 1e6)]',
    ['1,234.50 €', '0.01 €', '1,000,000.00 €'],
  ],
  ['keys that are numbers, as JSON has them', '{1: "a", True: "b", None: "c"}', { 1: 'b', null: 'c' }],
  ['a tuple', '(1, ("a", None))', [1, ['a', null]]],
]

let child: PythonChild
before(async () => {
  const snapshot = await snapshotFor()
  child = await startChild(snapshot)
})
after(async () => {
  await child.end()
})

test('there are programs enough to notice a wall in the wrong place', () => assert.ok(programs.length >= 60))

for (const [what, code, value, input] of programs) {
  test(`CT6: ${what} comes to what Python says, finds nothing and leaves the child clean`, async () => {
    const outcome = await child.run(code, { input })
    assert.deepEqual(outcome.error, undefined)
    assert.deepEqual(outcome.value, value)
    assert.deepEqual(outcome.findings, [])
    assert.equal(outcome.clean, true)
  })
}
