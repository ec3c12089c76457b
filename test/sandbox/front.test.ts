// What a caller of `POST /api/sandbox/run` gets, and who gets nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { javascript, patient, python, ran, startFront } from './front.ts'
import { missingWalls } from './hostile.ts'

const skip = await missingWalls()

test('CT6: a run answers its result, what it printed, its error with the line, and what it took', {
  skip,
}, async (context) => {
  const front = await startFront(context)

  await context.test('of Python', async () => {
    const { usage, ...answer } = ran(
      await front.run(python('print("héllo")\nresult = {"sum": sum(input)}', { input: [1, 2, 3] })),
    )
    assert.deepEqual(answer, { result: { sum: 6 }, output: 'héllo\n' })
    for (const name of ['timeMs', 'cpuMs', 'memoryMb']) assert.ok(Number.isSafeInteger(usage[name]), name)
    const failed = ran(await front.run(python('def half(x):\n  return x / 0\n\nhalf(1)')))
    assert.deepEqual([failed.result, failed.error.code, failed.error.type], [null, 'exception', 'ZeroDivisionError'])
    assert.equal(failed.error.line, 2)
    assert.deepEqual(
      failed.error.trace.map(({ line }: { line: number }) => line),
      [4, 2],
    )
    const forbidden = ran(await front.run(python('import os\nresult = os.environ')))
    assert.deepEqual(
      [forbidden.error.code, forbidden.error.module, forbidden.error.line, forbidden.output],
      ['import-forbidden', 'os', 1, ''],
    )
    const syntax = ran(await front.run(python('x = 1\nif x:')))
    assert.deepEqual([syntax.error.code, syntax.error.line], ['syntax', 2])
  })

  await context.test('of JavaScript', async () => {
    const { usage: _, ...answer } = ran(
      await front.run(javascript('console.log("héllo"); input.a * 2', { input: { a: 21 } })),
    )
    assert.deepEqual(answer, { result: 42, output: 'héllo\n' })
    const failed = ran(await front.run(javascript('function f() {\n  null.x\n}\nf()')))
    assert.deepEqual([failed.error.code, failed.error.type, failed.error.line], ['exception', 'TypeError', 2])
    const required = ran(await front.run(javascript('require("child_process").execSync("id")')))
    assert.deepEqual([required.error.code, required.error.module], ['import-forbidden', 'child_process'])
    assert.equal(ran(await front.run(javascript('10n ** 3n'))).error.code, 'result-invalid')
  })

  await context.test('of code that goes beyond a limit: which', async () => {
    const late = ran(await front.run(javascript('for (;;);', { limits: { timeMs: 200 } })))
    assert.deepEqual([late.error.code, late.error.limit], ['limit', 'time'])
    const loud = ran(await front.run(javascript('for (let i = 0; i < 1e5; i++) console.log("a line of output"); 1')))
    assert.deepEqual([loud.result, loud.outputCut, loud.output.length <= 65_536], [1, true, true])
  })

  await context.test('though code and input are as large as they may be, and full of what JSON escapes', async () => {
    const padding = '// "\\\n'.repeat(43_000)
    const code = `input.length\n${padding}`
    const input = '"'.repeat(500_000)
    assert.ok(Buffer.byteLength(code) < 256 * 1024 && Buffer.byteLength(JSON.stringify(input)) < 1024 ** 2)
    assert.equal(ran(await front.run(javascript(code, { input }))).result, 500_000)
  })
})

test('CT6: two people at once have each their own child, and neither finds what the other left', {
  skip,
}, async (context) => {
  const front = await startFront(context)
  const dora = await front.coder('dora')
  const plant = 'import math\nmath.canary = "planted"\nresult = input'
  const look = 'import math\nresult = [hasattr(math, "canary"), input]'
  const answers = await Promise.all(
    Array.from({ length: 12 }, async (_, number) => {
      const isPlant = number % 2 === 0
      const asked = python(isPlant ? plant : look, { input: number })
      return ran(await front.run(asked, isPlant ? front.bearer : dora)).result
    }),
  )
  assert.deepEqual(
    answers,
    Array.from({ length: 12 }, (_, number) => (number % 2 === 0 ? number : [false, number])),
  )
})

test('CT6: whoever lacks `sandbox:run` runs nothing, and nobody does where no sandbox is', async (context) => {
  const closed = await startFront(context, { sandbox: {} })
  const refused = await closed.run(javascript('1'))
  assert.deepEqual([refused.status, refused.body.code], [404, 'not-found'])

  const reader = await closed.somebody('rita', 'reader')
  const lacking = await closed.run(javascript('1'), reader.bearer)
  assert.deepEqual([lacking.status, lacking.body.code], [403, 'permission-required'])
  const nobody = await fetch(`${closed.url}/api/sandbox/run`, { method: 'POST', body: '{}' })
  assert.equal(nobody.status, 401)
})

test('CT6: what is asked wrongly is 422, field by field, and 413 or 415 where it is no such body at all', {
  skip,
}, async (context) => {
  const front = await startFront(context, { sandbox: { ...patient, languages: ['javascript'] } })
  const errors = async (asked: unknown): Promise<unknown> => {
    const { status, body } = await front.run(asked)
    assert.deepEqual([status, body.code], [422, 'body-invalid'], JSON.stringify(body))
    return body.errors
  }
  assert.deepEqual(await errors(python('1')), { language: ['is not run here: must be `javascript`'] })
  assert.deepEqual(await errors({ language: 'ruby', code: '1' }), { language: ['must be `javascript`'] })
  assert.deepEqual(Object.keys((await errors({})) as object).toSorted(), ['code', 'language'])
  assert.deepEqual(Object.keys((await errors(javascript('1', { as: 'root' }))) as object), ['as'])
  assert.deepEqual(await errors(javascript(' ')), { code: ['must not be empty'] })
  assert.deepEqual(await errors(javascript('x'.repeat(262_145))), { code: ['must be at most 262144 bytes'] })
  const deep = `${'['.repeat(600)}${']'.repeat(600)}`
  assert.deepEqual(Object.keys((await errors(javascript('1', { input: 'x'.repeat(1024 ** 2) }))) as object), ['input'])
  const tooDeep = await front.run(`{"language":"javascript","code":"1","input":${deep}}`)
  assert.ok([400, 422].includes(tooDeep.status), `${tooDeep.status}`)
  assert.deepEqual(await errors(javascript('1', { limits: { timeMs: 60_001, memoryMb: 1 } })), {
    'limits.timeMs': ['must be at most 60000'],
    'limits.memoryMb': ['must be at least 16'],
  })
  assert.deepEqual(Object.keys((await errors(javascript('1', { limits: { cores: 2 } }))) as object), ['limits.cores'])

  const post = (body: string, type: string) =>
    fetch(`${front.url}/api/sandbox/run`, {
      method: 'POST',
      headers: { authorization: front.bearer, 'content-type': type },
      body,
    })
  assert.equal((await post('language=javascript', 'application/x-www-form-urlencoded')).status, 415)
  assert.equal((await post(JSON.stringify(javascript('x'.repeat(3_000_000))), 'application/json')).status, 413)
})

test('CT6: runs have a limit of their own', { skip }, async (context) => {
  const front = await startFront(context, {
    limits: { sandbox: { limit: 2, window: '1h', burst: 2 } },
  })
  const codes: unknown[] = []
  for (let run = 0; run < 3; run++) codes.push((await front.run(javascript('1'))).body.code ?? 'ran')
  assert.deepEqual(codes, ['ran', 'ran', 'rate-limited'])
  const dora = await front.coder('dora')
  assert.equal((await front.run(javascript('1'), dora)).status, 200)
})

test('a configuration whose runs have no room in the memory of bodies is refused', async (context) => {
  await assert.rejects(
    startFront(context, { sandbox: { ...patient, inputMax: '60mb' }, bodyMemory: '64mb' }),
    /sandbox\.inputMax/,
  )
})
