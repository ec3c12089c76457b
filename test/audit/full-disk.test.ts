// A house as an operator starts it, on a disk that has no room: a limit to the size of its files, which `prlimit` sets and lifts.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { command as audit } from '../../src/cli/audit.ts'
import { openStore } from '../../src/store/database.ts'
import { run } from '../cli/in-process.ts'
import { post, type Running, signIn, startProcess } from '../support/process.ts'

const skip = spawnSync('prlimit', ['--version']).status === 0 ? false : 'there is no `prlimit` here'

test('A61: on a full disk what was acknowledged is there with its event, what was refused is not, nobody is let on unseen, and with room it goes on', {
  skip,
  timeout: 60_000,
}, async (context) => {
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'gatehouse.config.json')
  writeFileSync(file, JSON.stringify({ limits: false, audit: { whenDown: 'refuse' } }))
  const house = await startProcess(context, ['--config', file])
  const authorization = `Bearer ${(await signIn(house.url)).access_token}`
  const make = async (name: string): Promise<readonly [number, string | undefined]> => {
    const answer = await post(`${house.url}/api/admin/roles`, { name, permissions: [] }, { authorization })
    return [answer.status, ((await answer.json()) as { code?: string }).code]
  }
  const statusOf = async (path: string): Promise<number> => (await fetch(house.url + path)).status
  assert.deepEqual(await make('first'), [201, undefined])

  const acknowledged = ['first']
  limitFiles(house, largestFile(house.dataDir) + 64 * 1024)
  let refused: readonly [number, string | undefined] | undefined
  for (let number = 0; refused === undefined && number < 500; number++) {
    const made = await make(`role-${number}`)
    if (made[0] === 201) acknowledged.push(`role-${number}`)
    else refused = made
  }
  assert.ok(refused?.[0] === 503 && ['unavailable', 'record-unavailable'].includes(refused[1] ?? ''), String(refused))
  while ((await statusOf('/nowhere')) !== 503) await pause(100)
  assert.deepEqual(await make('unseen'), [503, 'record-unavailable'])
  assert.deepEqual([await statusOf('/health/ready'), await statusOf('/health/live')], [503, 200])

  limitFiles(house, 'unlimited')
  while ((await make('last'))[0] !== 201) await pause(100)
  assert.equal(await statusOf('/nowhere'), 404)
  assert.equal(await house.stop(), 0)
  const verified = await run(audit, ['verify', '--data', house.dataDir])
  assert.equal(verified.code, 0, verified.err)

  const store = await openStore(`sqlite:${join(house.dataDir, 'gatehouse.db')}`)
  context.after(() => store.close())
  const wanted = [...acknowledged, 'last'].toSorted()
  const roles = await store.db
    .selectFrom('roles')
    .select('name')
    .where('name', 'in', [...wanted, 'unseen'])
    .execute()
  const events = await store.db
    .selectFrom('audit_events')
    .select('resource')
    .where('action', '=', 'role.create')
    .execute()
  assert.deepEqual(roles.map(({ name }) => name).toSorted(), wanted)
  assert.deepEqual(events.map(({ resource }) => resource).toSorted(), wanted)
})

function limitFiles({ child }: Running, bytes: number | 'unlimited'): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:unlimited`])
  assert.equal(status, 0, String(stderr))
}

function largestFile(folder: string): number {
  return Math.max(...readdirSync(folder).map((name) => statSync(join(folder, name)).size))
}
