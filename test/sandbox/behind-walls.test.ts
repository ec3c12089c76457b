import assert from 'node:assert/strict'
import { type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/kernel/clock.ts'
import { processTree } from '../../src/sandbox/children/memory.ts'
import { sandboxOptions } from '../../src/sandbox/options.ts'
import { openSandbox } from '../../src/sandbox/sandbox.ts'
import { eventually } from '../support/eventually.ts'
import { hostileBehindWalls, isAlive, missingWalls, outcomeOf } from './hostile.ts'

const skip = await missingWalls()

test('CT6: a house that is killed leaves no child behind, busy or not', { skip }, async () => {
  const house = spawn(process.execPath, [fileURLToPath(new URL('./house-to-kill.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = (await Promise.race([once(house.stdout, 'data'), once(house, 'exit')])) as [unknown]
  assert.equal(String(said), 'busy\n')
  const [, ...children] = await processTree(house.pid ?? 0)
  assert.ok(children.length >= 2)
  house.kill('SIGKILL')
  await eventually(() => (children.some(isAlive) ? undefined : true))
})

test('CT6: files that somebody left open in the house are not open in its children', { skip }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'left-open-'))
  const path = join(folder, 'left-open')
  writeFileSync(path, 'secret')
  const file = openSync(path, 'r')
  // Node shuts the first of them by itself; this one it leaves to its children.
  const stdio: StdioOptions = ['ignore', 'pipe', 'inherit', ...Array(97).fill('ignore'), file]
  const house = spawn(process.execPath, [fileURLToPath(new URL('./house-to-kill.ts', import.meta.url))], { stdio })
  context.after(() => {
    house.kill('SIGKILL')
    closeSync(file)
    rmSync(folder, { recursive: true })
  })
  await Promise.race([once(house.stdout as Readable, 'data'), once(house, 'exit')])
  const [own = 0, ...children] = await processTree(house.pid ?? 0)
  assert.ok(children.length >= 2)
  const hasIt = (pid: number) =>
    readdirSync(`/proc/${pid}/fd`).some((name) => readlinkSync(`/proc/${pid}/fd/${name}`) === path)
  assert.ok(hasIt(own), 'the house has it')
  for (const pid of children) assert.ok(!hasIt(pid), `${pid} has it too`)
})

test('children behind the walls of the system are held to time and memory, and closing leaves none', {
  skip,
}, async (context) => {
  const options = sandboxOptions.parse({ languages: ['javascript'], limits: { memory: '64mb' }, pool: { warm: 0 } })
  const walls = await hostileBehindWalls()
  const sandbox = await openSandbox(options, { clock: systemClock, snapshots: undefined, walls })
  context.after(() => sandbox.close())
  const run = async (tenant: string, code: string, timeMs?: number) =>
    outcomeOf(await sandbox.run(tenant, { language: 'javascript', code, limits: { timeMs } }))
  // Behind a wall around processes it has a number of its own, which tells nobody anything.
  assert.ok(((await run('ada', 'keep a')).result as { pid: number }).pid < 10)
  assert.equal((await run('ada', 'spin', 100)).error?.limit, 'time')
  assert.equal((await run('bob', 'swell')).error?.limit, 'memory')
  assert.equal((await run('eve', 'kill')).error?.code, 'crashed')
  await run('joe', 'keep a')
  const [, ...children] = await processTree(process.pid)
  assert.ok(children.length >= 2)
  await sandbox.close()
  await eventually(() => (children.some(isAlive) ? undefined : true))
})
