// Functions of the host's: `house.sandbox`.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { CodeRuns } from '../../src/endpoints/code-runs.ts'
import { SandboxRefused, sandboxFunctionsOf } from '../../src/endpoints/embedded/sandbox-functions.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { sandboxOptions } from '../../src/sandbox/options.ts'
import { openSandbox } from '../../src/sandbox/sandbox.ts'
import { essentialWalls, walls } from '../../src/sandbox/walls/wall.ts'
import { eventually } from '../support/eventually.ts'
import { javascript, startFront } from './front.ts'
import { missingWalls, wallsAroundHostile } from './hostile.ts'

const skip = await missingWalls()

test('CT6: a host runs code for somebody, hears its output, and ends it', { skip }, async (context) => {
  const front = await startFront(context)
  const { sandbox } = front.house
  assert.deepEqual(
    sandbox.walls.map(({ wall }) => wall),
    [...walls],
  )

  const sum = await sandbox.run({ language: 'python', code: 'result = sum(input)', input: [1, 2] })
  assert.deepEqual([sum.result, sum.error, sum.findings], [3, undefined, []])

  const ada = { id: 'ada', type: 'user' } as never
  const heard: string[] = []
  await sandbox.run(
    { language: 'javascript', code: 'console.log("one"); console.log("two")' },
    { for: ada, onOutput: (output) => heard.push(output) },
  )
  assert.equal(heard.join(''), 'one\ntwo\n')

  const failed = await sandbox.run({ language: 'python', code: 'import socket' }, { for: ada })
  assert.deepEqual([failed.error?.code, failed.error?.module], ['import-forbidden', 'socket'])

  const left = new AbortController()
  const running = sandbox.run(
    { language: 'javascript', code: 'console.log(1); for (;;);' },
    { onOutput: () => left.abort(), signal: left.signal },
  )
  await assert.rejects(running, { name: 'SandboxRefused', code: 'client-left' })

  await front.house.audit.flush()
  const rows = await front.house.store.db.selectFrom('audit_events').select('body').orderBy('seq').execute()
  const events = await front.house.audit.sealer.read(
    front.house.store.db,
    rows.map(({ body }) => body),
  )
  const runs = events.filter(({ action }) => action === 'run')
  assert.deepEqual(
    runs.map(({ actor, details }) => [actor.type, actor.id, details['outcome']]),
    [
      ['system', 'host', 'ok'],
      ['user', 'ada', 'ok'],
      ['user', 'ada', 'import-forbidden'],
      ['system', 'host', 'left'],
    ],
  )
})

test('CT6: what is asked wrongly is thrown, field by field', { skip }, async (context) => {
  const { house } = await startFront(context)
  for (const [asked, fields] of [
    [{ language: 'cobol', code: '1' }, ['language']],
    [{ language: 'python', code: 7 }, ['code']],
    [{ language: 'python', code: '1', input: 1n }, ['input']],
    [{ language: 'python', code: '1', limits: { timeMs: 0.5 } }, ['limits.timeMs']],
  ] as const)
    await assert.rejects(house.sandbox.run(asked as never), (error: unknown) => {
      assert.ok(error instanceof SandboxRefused)
      assert.deepEqual([error.code, Object.keys(error.errors ?? {})], ['body-invalid', fields])
      return true
    })
})

test('CT6: a house without a sandbox says that, and has no walls', async (context) => {
  const { house } = await startFront(context, { sandbox: {} })
  assert.deepEqual(house.sandbox.walls, [])
  await assert.rejects(house.sandbox.run({ language: 'python', code: '1' }), {
    name: 'SandboxRefused',
    code: 'sandbox-unavailable',
    message: /`sandbox: \{ enabled: true \}`/,
  })
})

test('CT6: where a wall of the system is missing nobody runs anything, nothing is recorded, and the sentence says what to do', async () => {
  const sandbox = await openSandbox(sandboxOptions.parse({ enabled: true }), {
    clock: systemClock,
    snapshots: undefined,
    walls: wallsAroundHostile(undefined, essentialWalls),
  })
  const runs = new CodeRuns({
    sandbox,
    audit: { note: () => assert.fail('a run that was none') },
    meters: { codeRun: () => assert.fail('a run that was none') },
    clock: systemClock,
    random: systemRandom,
  })
  await assert.rejects(sandboxFunctionsOf(runs).run({ language: 'javascript', code: '1' }), {
    code: 'sandbox-unavailable',
    message:
      /`files`, `network`, `processes`, `user` \(install bubblewrap\); or answer for it by `sandbox\.without: \['files'/,
  })
  await sandbox.close()
})

test('CT6: behind a host’s server too a caller who leaves ends the run', { skip }, async (context) => {
  const front = await startFront(context)
  const pass = front.house.express()
  const server = createServer((request, response) => pass(request as never, response, () => response.end()))
  context.after(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const hosts = {
    node: (signal: AbortSignal, init: RequestInit) =>
      fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/sandbox/run`, { ...init, signal }),
    fetch: (signal: AbortSignal, init: RequestInit) =>
      front.house.fetch(() => Response.json({}))(
        new Request('http://localhost/api/sandbox/run', { ...init, signal }),
        '127.0.0.1',
      ),
  }
  const isBusy = async (): Promise<boolean> => /^gatehouse_sandbox_busy 1$/m.test(await front.house.meters.exposition())
  for (const ask of Object.values(hosts)) {
    const left = new AbortController()
    const headers = { authorization: front.bearer, 'content-type': 'application/json' }
    const body = JSON.stringify(javascript('for (;;);'))
    ask(left.signal, { method: 'POST', headers, body }).catch(() => {})
    await eventually(async () => ((await isBusy()) ? true : undefined))
    left.abort()
    await eventually(async () => ((await isBusy()) ? undefined : true))
  }
})
