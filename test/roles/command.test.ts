// `gatehouse role`, as an operator calls it; and roles where `user` and `service` give them.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { command as role } from '../../src/cli/role.ts'
import { command as service } from '../../src/cli/service.ts'
import { command as user } from '../../src/cli/user.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { mirror, person, startHouse, startUpstream } from '../support/house.ts'
import { roles, routes, separationOfDuty } from './scene.ts'

type Call = (...args: readonly string[]) => Promise<Outcome>

function place(
  context: TestContext,
  more: object = {},
): { readonly dir: string; readonly written: object; of(command: Parameters<typeof run>[0]): Call } {
  const dir = throwAwayFolder(context)
  const config = join(dir, 'gatehouse.config.json')
  const written = { roles, separationOfDuty, store: `sqlite:${join(dir, 'gatehouse.db')}`, ...more }
  writeFileSync(config, JSON.stringify(written))
  return {
    dir,
    written,
    of:
      (command) =>
      (...args) =>
        run(command, [...args, '--config', config, '--data', dir]),
  }
}

test('AZ1: a role is made, shown, changed and removed by command, and that is remembered', async (context) => {
  const call = place(context).of(role)
  const made = await call(
    'create',
    'editor',
    '--permission',
    'notes:*',
    '--permission',
    'tags:read',
    '--inherits',
    'analyst',
  )
  assert.deepEqual([made.code, made.out, made.err], [0, '', 'done: create editor\n'])
  assert.equal(
    (await call('show', 'editor')).out,
    'name: editor\norigin: operator\nscope: global\npermissions: notes:* tags:read\ninherits: analyst\nholds: notes:* tags:read reports:read@analytics\naccounts: 0\n',
  )
  assert.equal((await call('change', 'editor', '--permission', 'notes:read', '--scope', 'analytics')).code, 0)
  const shown = JSON.parse((await call('show', 'editor', '--json')).out) as Record<string, unknown>
  assert.deepEqual(
    [shown['permissions'], shown['inherits'], shown['scope'], shown['held'], shown['areas']],
    [['notes:read'], [], 'analytics', [], { analytics: ['notes:read'] }],
  )
  const lines = (await call('list')).out.trim().split('\n')
  assert.equal(lines[0], 'admin\tconfiguration\tglobal\t0 accounts\t*')
  assert.equal(lines.at(-1), 'editor\toperator\tanalytics\t0 accounts\tnotes:read@analytics')
  const { roles: listed } = JSON.parse((await call('list', '--json')).out) as { roles: { name: string }[] }
  assert.equal(listed.length, lines.length)
  assert.equal((await call('remove', 'editor')).code, 0)
  assert.equal((await call('remove', 'editor')).code, 1)
})

test('AZ1: roles are given by command as they are, and not where they are kept apart', async (context) => {
  const at = place(context)
  const [roleCall, userCall, serviceCall] = [at.of(role), at.of(user), at.of(service)]
  assert.equal((await roleCall('create', 'clerk', '--inherits', 'requester')).code, 0)
  const both = ['--role', 'clerk', '--role', 'approver']
  const kept = /`requester` and `approver` are kept apart/
  for (const outcome of [
    await userCall('create', 'ada@example.com', ...both),
    await serviceCall('create', 'billing', ...both),
  ]) {
    assert.notEqual(outcome.code, 0)
    assert.match(outcome.err, kept)
  }
  assert.equal((await userCall('create', 'ada@example.com', '--role', 'clerk')).code, 0)
  const granted = await userCall('grant', 'ada@example.com', 'approver')
  assert.equal(granted.code, 2)
  assert.match(granted.err, kept)
  assert.match((await userCall('list')).out, /\tclerk\t/)
  assert.match((await roleCall('remove', 'clerk')).err, /1 accounts and 0 services/)
  assert.equal((await userCall('withdraw', 'ada@example.com', 'clerk')).code, 0)
  assert.match((await userCall('withdraw', 'ada@example.com', 'clark')).err, /no role is called `clark`/)
  assert.equal((await userCall('grant', 'ada@example.com', 'approver')).code, 0)
  assert.equal((await roleCall('remove', 'clerk')).code, 0)
  assert.match(
    (await userCall('grant', 'ada@example.com', 'clerk')).err,
    /no role is called `clerk`; there are admin, /,
  )
})

test('A56: a role that is withdrawn by command is in no token from before, within a second', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const at = place(context, { upstreams: { api: upstream.url }, routes })
  const call = at.of(user)
  const house = await startHouse(context, at.written, { dataDir: at.dir, roles: ['requester'] })
  const headers = { authorization: `Bearer ${await house.signIn()}` }
  const status = async (): Promise<number> => (await fetch(`${house.url}/request`, { headers })).status
  assert.equal(await status(), 200)
  assert.equal((await call('withdraw', person.email, 'requester')).code, 0)
  assert.equal(await eventually(async () => ((await status()) === 401 ? true : undefined)), true)
})

test('A56: a house that serves hears within a second what was changed at the command line', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const at = place(context, { upstreams: { api: upstream.url }, routes })
  const call = at.of(role)
  const house = await startHouse(context, at.written, { dataDir: at.dir, roles: ['editor'] })
  const headers = { authorization: `Bearer ${await house.signIn()}` }
  const becomes = (status: number): Promise<boolean> =>
    eventually(async () => ((await fetch(`${house.url}/notes`, { headers })).status === status ? true : undefined))
  await becomes(403)
  assert.equal((await call('create', 'editor', '--permission', 'notes:read')).code, 0)
  await becomes(200)
  assert.equal((await call('change', 'editor', '--permission', 'notes:write')).code, 0)
  await becomes(403)
})

test('AZ1: what is wrong with a call is told with its reason and exits 2; what cannot be done exits 1', async (context) => {
  const call = place(context).of(role)
  for (const [args, code, message] of [
    [[], 2, /usage/],
    [['begin'], 2, /unknown `role begin`/],
    [['constructor'], 2, /unknown `role constructor`/],
    [['create'], 2, /usage/],
    [['create', 'a b'], 2, /name: expected 1 to 64 letters/],
    [['create', 'a', '--permission', 'a b'], 2, /permissions\.0: expected a permission/],
    [['create', 'a', '--scope', 'a b'], 2, /scope: expected `global`/],
    [['create', 'a', '--inherits', 'nobody'], 2, /inherits\.0 no role is called `nobody`/],
    [['create', 'a', '--json'], 2, /has no `--json`/],
    [['create', 'a', '--inherits', 'requester', '--inherits', 'approver'], 1, /are kept apart/],
    [['create', 'user'], 1, /stands in the configuration/],
    [['change', 'admin'], 1, /stands in the configuration/],
    [['change', 'a'], 1, /no role has this name/],
    [['remove', 'analyst'], 1, /stands in the configuration/],
    [['show', 'a\0'], 1, /no role is called/],
  ] as const) {
    const outcome = await call(...args)
    assert.equal(outcome.code, code, `${args.join(' ')}: ${outcome.err}`)
    assert.match(outcome.err, message, args.join(' '))
    assert.equal(outcome.out, '', args.join(' '))
  }
})

test('AZ1: the commands of the documentation work as they stand there', async (context) => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/roles.md'), 'utf8')
  const block = /```sh\n([\s\S]*?)```/.exec(text)?.[1] ?? ''
  const calls = block
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +#.*/, '').replaceAll("'", '').split(' '))
  const call = place(context, { roles: { user: { permissions: [] } }, separationOfDuty: [] }).of(role)
  assert.ok(calls.length > 5)
  for (const [program, noun, ...args] of calls) {
    assert.deepEqual([program, noun], ['gatehouse', 'role'])
    const { code, err } = await call(...args)
    assert.equal(code, 0, `${args.join(' ')}: ${err}`)
  }
})
