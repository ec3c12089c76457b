// Signing keys at the machine, while a process serves.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { decodeProtectedHeader } from 'jose'
import { command as secrets } from '../../src/cli/secrets.ts'
import { openStore } from '../../src/store/database.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { signIn, startProcess } from '../support/process.ts'
import { run } from './in-process.ts'

const kidOf = (token: string): string => String(decodeProtectedHeader(token).kid)

/** Waits for what a process that serves hears within a second, where the machine lets it. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const from = performance.now()
  while (!(await holds())) {
    assert.ok(performance.now() - from < 20_000, 'it did not come')
    await pause(50)
  }
}

/** The table that `secrets list` prints: kid, algorithm, state. */
async function listed(dataDir: string): Promise<readonly (readonly string[])[]> {
  const { out } = await run(secrets, ['list', '--data', dataDir])
  return out
    .trim()
    .split('\n')
    .map((line) => line.split('\t').slice(0, 3))
}

test('TK2: a command publishes the next key, and with --now it signs as soon as the process that serves knows it', async (context) => {
  const config = join(throwAwayFolder(context), 'gatehouse.config.json')
  writeFileSync(config, JSON.stringify({ limits: false }))
  const house = await startProcess(context, ['--config', config])
  const act = (...args: string[]) => run(secrets, [...args, '--data', house.dataDir])
  const before = (await signIn(house.url)).access_token
  const first = kidOf(before)
  assert.deepEqual(await listed(house.dataDir), [[first, 'EdDSA', 'active']])

  const rotated = await act('rotate', 'signing-key')
  assert.equal(rotated.code, 0, rotated.err)
  const [, second = '', from = ''] = /^EdDSA: `([\w-]+)` is published, and signs from (\S+)\n$/.exec(rotated.out) ?? []
  assert.ok(Math.abs(Date.parse(from) - Date.now() - 600_000) < 30_000, from)
  assert.deepEqual(await listed(house.dataDir), [
    [second, 'EdDSA', 'published'],
    [first, 'EdDSA', 'active'],
  ])
  const published = async (): Promise<string[]> => {
    const { keys } = (await (await fetch(`${house.url}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] }
    return keys.map(({ kid }) => kid)
  }
  await until(async () => (await published()).length === 2)
  assert.deepEqual(await published(), [first, second])
  assert.equal(kidOf((await signIn(house.url)).access_token), first)

  const hurried = await act('rotate', 'signing-key', '--now')
  assert.match(hurried.out, new RegExp(`^EdDSA: \`${second}\` was published already, and signs from `))
  await until(async () => kidOf((await signIn(house.url)).access_token) === second)
  const still = await fetch(`${house.url}/api/auth/me`, { headers: { authorization: `Bearer ${before}` } })
  assert.equal(still.status, 200, 'what the first key signed holds')
  assert.deepEqual(await listed(house.dataDir), [
    [second, 'EdDSA', 'active'],
    [first, 'EdDSA', 'verifying'],
  ])

  await house.stop()
  const store = await openStore(`sqlite:${house.dataDir}/gatehouse.db`)
  context.after(() => store.close())
  const rows = await store.db
    .selectFrom('audit_events')
    .select('body')
    .where('action', '=', 'signing-key.rotate')
    .execute()
  assert.deepEqual(
    rows.map(({ body }) => (JSON.parse(body) as { resource: object }).resource),
    [second, second].map((id) => ({ id, type: 'signing-key' })),
  )
})

test('A8: a key that a command removes is void on the process that serves, and another signs', async (context) => {
  const house = await startProcess(context, [])
  const { access_token: token } = await signIn(house.url)
  const status = async (): Promise<number> =>
    (await fetch(`${house.url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } })).status
  assert.equal(await status(), 200)
  const first = kidOf(token)
  const removed = await run(secrets, ['remove', 'signing-key', first, '--data', house.dataDir])
  const [, second] =
    /^done: every token that `[\w-]+` signed is void\n`([\w-]+)` signs in its place\n$/.exec(removed.out) ?? []
  assert.ok(second, removed.err)
  await until(async () => (await status()) === 401)
  assert.equal(kidOf((await signIn(house.url)).access_token), second)
  assert.deepEqual(
    (await listed(house.dataDir)).toSorted(),
    [
      [first, 'EdDSA', 'removed'],
      [second, 'EdDSA', 'active'],
    ].toSorted(),
  )
  const again = await run(secrets, ['remove', 'signing-key', first, '--data', house.dataDir])
  assert.deepEqual([again.code, again.err], [1, `no signing key in use is called \`${first}\`\n`])
})

test('TK2: a secret of the configuration rotates by configuration, and the command says how', async (context) => {
  const dir = throwAwayFolder(context)
  const config = join(dir, 'gatehouse.config.json')
  const environment = { NEW: 'a new secret of the configuration', OLD: 'an old secret of the configuration' }
  const write = (tokens: object): void =>
    writeFileSync(config, JSON.stringify({ tokens: { algorithm: 'HS256', ...tokens } }))
  write({ secret: { env: 'OLD' } })
  const old = await startProcess(context, ['--config', config], { dataDir: dir, environment })
  const { access_token: token } = await signIn(old.url)
  await old.stop()

  write({ secret: { env: 'NEW' }, previousSecrets: [{ env: 'OLD' }] })
  const house = await startProcess(context, ['--config', config], { dataDir: dir, environment })
  const me = (token: string) => fetch(`${house.url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal((await me(token)).status, 200, 'what the old one signed holds')
  const { access_token: next } = await signIn(house.url)
  assert.notEqual(kidOf(next), kidOf(token))

  const ask = (...args: string[]) => run(secrets, [...args, '--config', config, '--data', dir], environment)
  const inTheConfiguration = /stands in the configuration: put a new one into `tokens\.secret`/
  const removed = await ask('remove', 'signing-key', kidOf(next))
  assert.equal(removed.code, 1)
  assert.match(removed.err, inTheConfiguration)
  const rotated = await ask('rotate', 'signing-key')
  assert.match(rotated.err, inTheConfiguration)
  assert.match(rotated.out, /^EdDSA: `[^`]+` is published/, 'the key of what upstreams verify is the house’s own')
  const { out } = await ask('list')
  assert.deepEqual(
    out.split('\n').filter((line) => line.includes('HS256')),
    [`${kidOf(next)}\tHS256\tactive\tconfigured`, `${kidOf(token)}\tHS256\tverifying\tconfigured`],
  )
})

test('a wrong call of `secrets` is told how it is called', async () => {
  const calls = [
    [],
    ['list', 'x'],
    ['rotate'],
    ['rotate', 'pepper'],
    ['rotate', 'signing-key', 'x'],
    ['remove', 'signing-key'],
    ['remove', 'signing-key', 'x', '--now'],
    ['list', '--now'],
    ['remove', 'signing-key', 'x', 'y'],
  ]
  for (const args of calls) {
    const { code, err } = await run(secrets, args)
    assert.equal(code, 2, args.join(' '))
    assert.match(err, /^usage: gatehouse secrets list/)
  }
})
