import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FairQueue } from '../../src/sandbox/children/waiting.ts'
import { eventually } from '../support/eventually.ts'
import { type Birth, isAlive, type Opened, openHostile, outcomeOf, refusalOf } from './hostile.ts'

interface Kept {
  readonly before: string
  readonly pid: number
}

async function keep({ run }: Opened, tenant: string, what: string): Promise<Kept> {
  return outcomeOf(await run(tenant, `keep ${what}`)).result as Kept
}

/** A sandbox with a place of each kind, in which nothing starts unasked. */
function openPool(context: TestContext, pool: Readonly<Record<string, unknown>>, birth?: () => Birth): Promise<Opened> {
  return openHostile(context, { pool: { warm: 0, patience: '60s', ...pool } }, birth && { birth })
}

test('CT6: tenants never share a child: what one leaves behind, another never finds', async (context) => {
  const opened = await openPool(context, { children: 3 })
  const owners = new Map<number, string>()
  const turns = Array.from({ length: 40 }, (_, turn) => `tenant-${(turn * 7) % 5}`)
  await Promise.all(
    turns.map(async (tenant, turn) => {
      const { before, pid } = await keep(opened, tenant, `${tenant}/${turn}`)
      assert.ok(before === 'nothing' || before.startsWith(`${tenant}/`), `${tenant} found ${before}`)
      assert.equal(owners.get(pid) ?? tenant, tenant)
      owners.set(pid, tenant)
    }),
  )
})

test('a tenant comes back to its own child, and a child waits for its first run beforehand', async (context) => {
  const opened = await openPool(context, { warm: 1, children: 2 })
  await eventually(() => (opened.sandbox.census().warm === 1 ? true : undefined))
  const first = await keep(opened, 'ada', 'a')
  const second = await keep(opened, 'ada', 'b')
  assert.deepEqual([second.pid, second.before], [first.pid, 'a'])
  await eventually(() => (opened.sandbox.census().warm === 1 ? true : undefined)) // somebody else finds one too
})

test('two runs of one tenant at once have two children', async (context) => {
  const { run } = await openPool(context, { children: 4 })
  const [one, two] = await Promise.all([run('ada', 'sleep 300'), run('ada', 'sleep 300')])
  assert.notEqual(outcomeOf(one).result, outcomeOf(two).result)
})

test('a child is thrown away after so many runs', async (context) => {
  const opened = await openPool(context, { children: 2, runsPerChild: 2 })
  const runs = [await keep(opened, 'ada', 'a'), await keep(opened, 'ada', 'b'), await keep(opened, 'ada', 'c')]
  assert.deepEqual(
    runs.map(({ before }) => before),
    ['nothing', 'a', 'nothing'],
  )
  await eventually(() => (isAlive(runs[0]?.pid ?? 0) ? undefined : true))
})

for (const [what, told] of Object.entries({
  'is not clean': { clean: false },
  'saw an attempt to escape': { findings: [{ what: 'escape-attempt', name: 'process' }] },
}))
  test(`a child that ${what} is thrown away, and its outcome is told`, async (context) => {
    const opened = await openPool(context, { children: 2 })
    await keep(opened, 'ada', 'a')
    const { error, findings } = outcomeOf(await opened.run('ada', `done ${JSON.stringify(told)}`))
    assert.deepEqual([error, findings.length], [undefined, told.findings?.length ?? 0])
    assert.equal((await keep(opened, 'ada', 'b')).before, 'nothing')
  })

for (const word of ['x', '{"output":"x"}\n', '{"done":{}}\n'])
  test(`a child that speaks between two runs (${word.trim()}) is thrown away`, async (context) => {
    const { run, sandbox, logged } = await openPool(context, { children: 2 })
    const pid = outcomeOf(await run('ada', `later ${word}`)).result as number
    await eventually(() => (isAlive(pid) || sandbox.census().children > 0 ? undefined : true))
    assert.ok(logged.some((line) => line.includes('it said more than it may')))
  })

test('a child that saw a forbidden import only goes on', async (context) => {
  const opened = await openPool(context, { children: 2 })
  await keep(opened, 'ada', 'a')
  await opened.run('ada', 'done {"findings":[{"what":"forbidden-import","name":"os"}]}')
  assert.equal((await keep(opened, 'ada', 'b')).before, 'a')
})

test('a child that has nothing to do is thrown away after a while', async (context) => {
  const opened = await openPool(context, { children: 2, idle: '100ms' })
  const { pid } = await keep(opened, 'ada', 'a')
  await eventually(() => (isAlive(pid) || opened.sandbox.census().children > 0 ? undefined : true))
})

test('where every place is taken, the child that was idle for longest gives way', async (context) => {
  const opened = await openPool(context, { children: 2 })
  const [ada, bob] = [await keep(opened, 'ada', 'a'), await keep(opened, 'bob', 'b')]
  await keep(opened, 'eve', 'e')
  assert.ok(!isAlive(ada.pid))
  assert.equal((await keep(opened, 'bob', 'b')).pid, bob.pid)
})

test('CT6: one run too many is refused with 503 and when to come back, and so is one that waits too long', async (context) => {
  const { run, sandbox } = await openPool(context, { children: 1, waiting: 1, patience: '1s' })
  const working = run('ada', 'hang', { timeMs: 4000 })
  await eventually(() => (sandbox.census().busy === 1 ? true : undefined))
  const waiting = run('bob', 'echo')
  const refused = refusalOf(await run('eve', 'echo'))
  assert.equal(refused.code, 'overloaded')
  assert.ok((refused.retryAfterMs ?? 0) >= 1000)
  assert.equal(sandbox.census().waiting, 1)
  assert.equal(refusalOf(await waiting).code, 'overloaded')
  assert.equal(sandbox.census().waiting, 0)
  assert.equal(outcomeOf(await working).error?.limit, 'time')
})

test('whoever asks for a hundred runs at once neither fills the queue nor holds up anybody else', async (context) => {
  const { run, sandbox } = await openPool(context, { children: 2, waiting: 8 })
  const flood = Array.from({ length: 100 }, () => run('ada', 'sleep 20'))
  const others = ['bob', 'eve', 'joe'].map((tenant) => run(tenant, 'sleep 20'))
  for (const answer of await Promise.all(others)) assert.equal(outcomeOf(answer).error, undefined)
  const answers = await Promise.all(flood)
  const refused = answers.filter((answer) => 'detail' in answer)
  assert.ok(refused.every((answer) => refusalOf(answer).code === 'overloaded'))
  // 8 wait where no place is free, and two places are: the three others took three of the ten.
  assert.equal(answers.length - refused.length, 7)
  assert.equal(sandbox.census().waiting, 0)
})

test('one tenant never has all the children at work', async (context) => {
  const { run, sandbox } = await openPool(context, { children: 2, patience: '60s' })
  const long = [run('ada', 'hang', { timeMs: 3000 }), run('ada', 'hang', { timeMs: 3000 })]
  await eventually(() => (sandbox.census().busy === 1 ? true : undefined))
  assert.equal(outcomeOf(await run('bob', 'echo', { input: 5 })).result, 5)
  assert.deepEqual(sandbox.census().waiting, 1)
  for (const answer of await Promise.all(long)) assert.equal(outcomeOf(answer).error?.limit, 'time')
})

test('turns go round the tenants, however many runs each of them waits with', () => {
  const queue = new FairQueue<{ tenant: string; language: 'python'; number: number }>()
  const add = (tenant: string, number: number, most = 100) => queue.add({ tenant, language: 'python', number }, most)
  for (let number = 0; number < 5; number++) add('ada', number)
  for (const tenant of ['bob', 'eve']) for (let number = 0; number < 2; number++) add(tenant, number)
  const order = Array.from({ length: 9 }, () => queue.next(() => true)?.one).map(
    (one) => `${one?.tenant}${one?.number}`,
  )
  assert.deepEqual(order, ['ada0', 'bob0', 'eve0', 'ada1', 'bob1', 'eve1', 'ada2', 'ada3', 'ada4'])
  assert.equal(queue.size, 0)
})

test('a full queue makes room for whoever has fewer places in it, at the expense of whoever has most', () => {
  const queue = new FairQueue<{ tenant: string; language: 'python'; number: number }>()
  const add = (tenant: string, number: number) => {
    const out = queue.add({ tenant, language: 'python', number }, 4)
    return out === undefined ? undefined : `${out.tenant}${out.number}`
  }
  for (let number = 0; number < 4; number++) assert.equal(add('ada', number), undefined)
  assert.equal(add('ada', 4), 'ada4')
  assert.equal(add('bob', 0), 'ada3')
  assert.equal(add('bob', 1), 'ada2')
  assert.equal(add('bob', 2), 'bob2')
  assert.equal(add('eve', 0), 'ada1')
  assert.equal(queue.size, 4)
})

test('a child that somebody kills in the middle of a run ends that run alone', async (context) => {
  const opened = await openPool(context, { children: 3 })
  const { pid } = await keep(opened, 'ada', 'a')
  const killed = opened.run('ada', 'hang')
  const other = opened.run('bob', 'sleep 500')
  await eventually(() => (opened.sandbox.census().busy === 2 ? true : undefined))
  process.kill(pid, 'SIGKILL')
  assert.equal(outcomeOf(await killed).error?.code, 'crashed')
  assert.equal(outcomeOf(await other).error, undefined)
  assert.equal((await keep(opened, 'ada', 'b')).before, 'nothing')
})

test('a child that is killed while it waits is replaced, and nobody notices', async (context) => {
  const opened = await openPool(context, { children: 2 })
  const { pid } = await keep(opened, 'ada', 'a')
  process.kill(pid, 'SIGKILL')
  await eventually(() => (opened.sandbox.census().children === 0 ? true : undefined))
  assert.equal((await keep(opened, 'ada', 'b')).before, 'nothing')
})

test('children that end by themselves while they wait are begun again, ever more seldom', async (context) => {
  let births = 0
  const opened = await openPool(context, { warm: 1, children: 2 }, () => {
    births++
    return births <= 2 ? 'wandering' : 'honest'
  })
  await eventually(() => (births === 3 && opened.sandbox.census().warm === 1 ? true : undefined))
  // A busy machine may hear of the end of one before it hears that it had started.
  assert.equal(opened.logged.filter((line) => line.includes('a child of the sandbox was ended')).length, 2)
})

test('whoever leaves while they wait leaves the queue, and whoever leaves before is not begun', async (context) => {
  const { sandbox, run } = await openPool(context, { children: 1 })
  const working = run('ada', 'hang', { timeMs: 2000 })
  await eventually(() => (sandbox.census().busy === 1 ? true : undefined))
  const leaving = new AbortController()
  const asked = { language: 'javascript', code: 'echo' } as const
  const waiting = sandbox.run('bob', asked, undefined, leaving.signal)
  assert.equal(sandbox.census().waiting, 1)
  leaving.abort()
  assert.equal(refusalOf(await waiting).code, 'client-left')
  assert.equal(sandbox.census().waiting, 0)
  assert.equal(refusalOf(await sandbox.run('bob', asked, undefined, leaving.signal)).code, 'client-left')
  assert.equal(outcomeOf(await working).error?.limit, 'time')
})

test('whoever leaves while their child starts leaves it to somebody else', async (context) => {
  const { sandbox, run } = await openPool(context, { children: 1 }, () => 'slow')
  const leaving = new AbortController()
  const asked = { language: 'javascript', code: 'echo' } as const
  const waiting = sandbox.run('ada', asked, undefined, leaving.signal)
  leaving.abort()
  assert.equal(refusalOf(await waiting).code, 'client-left')
  assert.equal(outcomeOf(await run('bob', 'echo', { input: 1 })).result, 1)
})

test('whoever leaves in the middle of a run ends it, and its child', async (context) => {
  const opened = await openPool(context, { children: 1 })
  const { pid } = await keep(opened, 'ada', 'a')
  const leaving = new AbortController()
  const asked = { language: 'javascript', code: 'spin' } as const
  const running = opened.sandbox.run('ada', asked, undefined, leaving.signal)
  await eventually(() => (opened.sandbox.census().busy === 1 ? true : undefined))
  leaving.abort()
  assert.equal(refusalOf(await running).code, 'client-left')
  await eventually(() => (isAlive(pid) ? undefined : true))
  assert.equal((await keep(opened, 'ada', 'b')).before, 'nothing')
})

test('fifty runs at once all end, each with its own answer', async (context) => {
  const { run } = await openPool(context, { children: 4, waiting: 64 })
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, number) => run(`tenant-${number % 6}`, 'echo', { input: number })),
  )
  assert.deepEqual(
    answers.map((answer) => outcomeOf(answer).result),
    Array.from({ length: 50 }, (_, number) => number),
  )
})

test('a sandbox that closes ends what runs and what waits, takes nothing more, and leaves no process', async (context) => {
  const opened = await openPool(context, { children: 2 })
  const [ada, bob] = await Promise.all([keep(opened, 'ada', 'a'), keep(opened, 'bob', 'b')])
  const running = opened.run('ada', 'spin')
  const waiting = opened.run('ada', 'echo')
  await eventually(() => (opened.sandbox.census().busy === 1 ? true : undefined))
  await opened.sandbox.close()
  assert.deepEqual([isAlive(ada.pid), isAlive(bob.pid)], [false, false])
  for (const answer of [await running, await waiting, await opened.run('ada', 'echo')])
    assert.equal(refusalOf(answer).code, 'draining')
  assert.equal(opened.sandbox.census().children, 0)
  await opened.sandbox.close()
})

test('a sandbox that closes while its children start leaves none', async (context) => {
  const { sandbox, run } = await openPool(context, { warm: 1, children: 2 }, () => 'silent')
  const waiting = run('ada', 'echo')
  await sandbox.close()
  assert.equal(refusalOf(await waiting).code, 'draining')
  assert.equal(sandbox.census().children, 0)
})
