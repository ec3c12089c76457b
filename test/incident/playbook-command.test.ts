// `gatehouse incident run …`, as an operator calls it.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { command as incident } from '../../src/cli/incident-run.ts'
import { command as user } from '../../src/cli/user.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { throwAwayFolder } from '../support/folder.ts'

interface Place {
  readonly call: (...args: readonly string[]) => Promise<Outcome>
  readonly user: (...args: readonly string[]) => Promise<Outcome>
}

function place(context: TestContext): Place {
  const dir = throwAwayFolder(context)
  const config = join(dir, 'gatehouse.config.json')
  writeFileSync(config, JSON.stringify({ store: `sqlite:${join(dir, 'gatehouse.db')}` }))
  const house = ['--config', config, '--data', dir]
  return {
    call: (...args) => run(incident, [...args, ...house]),
    user: (...args) => run(user, [...args, ...house], { GATEHOUSE_USER_PASSWORD: 'seven violet rivers run' }),
  }
}

test('IN2: a playbook is run dry, run, listed and undone by command', async (context) => {
  const { call } = place(context)
  const dry = await call('run', 'brute-force', '--address', '203.0.113.9', '--dry-run')
  assert.equal(dry.code, 0, dry.err)
  assert.match(dry.out, / {2}3\taddress\.block\twould\t1 network blocked for 3600 s/)
  assert.equal((await call('runs')).out, '')
  const done = await call('run', 'brute-force', '--address', '203.0.113.9', '--json')
  assert.equal(done.code, 0, done.err)
  const { id, steps } = JSON.parse(done.out) as { id: string; steps: { status: string }[] }
  assert.deepEqual(
    steps.map(({ status }) => status),
    ['skipped', 'skipped', 'done'],
  )
  assert.match((await call('runs')).out, new RegExp(`^${id}\t.*\tbrute-force\tdone\toperator\t$`, 'm'))
  assert.match((await call('undo', id)).out, /3\taddress\.block\tundone\t1 block lifted/)
  assert.equal((await call('undo', id, '3')).code, 1)
  const breach = await call('run', 'data-breach')
  assert.match(breach.out, /4\tchanges\.freeze\twaiting/)
  const [waiting = ''] = breach.out.split('\t')
  const own = await call('approve', waiting, '4')
  assert.deepEqual([own.code, /somebody else has to/.test(own.err)], [1, true])
  assert.match((await call('playbooks')).out, /^data-breach\tautomatic\tdata-breach\t/m)
})

test('A68: changes are frozen and thawed by command, and a command that would change something is refused', async (context) => {
  const { call, user } = place(context)
  assert.equal((await user('create', 'ada@example.com')).code, 0)
  assert.equal((await call('freeze', '--reason', 'we look into it')).code, 0)
  const refused = await user('create', 'eve@example.com')
  assert.equal(refused.code, 3)
  assert.match(
    refused.err,
    /^changes are frozen since .* by operator: we look into it; what takes access away goes on$/m,
  )
  assert.equal((await user('lock', 'ada@example.com')).code, 0)
  assert.equal((await call('freeze', '--reason', 'again')).code, 1)
  assert.equal((await call('thaw')).code, 0)
  assert.equal((await call('thaw')).code, 1)
  assert.equal((await user('create', 'eve@example.com')).code, 0)
})

test('A68: an emergency by command opens an incident, and does all of it before it ends', async (context) => {
  const { call } = place(context)
  const dry = await call('emergency', '--reason', 'a drill', '--all', '--dry-run')
  assert.match(dry.out, /1\tcut-off\twould\tvoid is what was issued to everybody/)
  assert.equal((await call('thaw')).code, 1, 'a dry run freezes nothing')
  const done = await call('emergency', '--reason', 'a drill', '--all', '--keys')
  assert.equal(done.code, 0, done.err)
  assert.match(done.out, /EMERGENCY\tdone/)
  assert.match(done.out, /2\tsigning-keys\.rotate\tdone\t1 signing key made, those before are void/)
  assert.match(done.out, /6\tsessions\.sweep\tdone/)
  assert.equal((await call('thaw')).code, 0)
})

test('A68: what is wrong with a call is told before anything is done', async (context) => {
  const { call } = place(context)
  const wrong = async (says: RegExp, ...args: readonly string[]): Promise<void> => {
    const { code, err } = await call(...args)
    assert.deepEqual([code, says.test(err)], [2, true], err)
  }
  await wrong(/expected one of `--all`/, 'emergency', '--reason', 'x')
  await wrong(/expected one of/, 'emergency', '--reason', 'x', '--all', '--role', 'user')
  await wrong(/--reason/, 'emergency', '--all')
  await wrong(/expected the number of a step/, 'approve', 'x', 'one')
  await wrong(/has no `--keys`/, 'run', 'brute-force', '--keys')
  await wrong(/no incident has this id/, 'run', 'brute-force', '--incident', '01900000-0000-7000-8000-000000000000')
})
