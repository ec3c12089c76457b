import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { command as key } from '../../src/cli/key.ts'
import { command as user } from '../../src/cli/user.ts'
import { readKeyText } from '../../src/kernel/key-text.ts'
import { type Outcome, run } from './in-process.ts'

const environment = { GATEHOUSE_USER_PASSWORD: 'a long enough passphrase' }

function place(): (...args: readonly string[]) => Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const path = join(dir, 'gatehouse.config.json')
  const config = {
    publicUrl: 'http://localhost:8080',
    oauth: { scopes: { 'widgets:read': { description: 'See your widgets' } } },
    services: { billing: { permissions: ['invoice:read'] } },
    keys: { prefix: 'acme_test' },
  }
  writeFileSync(path, JSON.stringify(config))
  const house = ['--config', path, '--data', dir]
  return (first = '', ...rest) =>
    first === 'user'
      ? run(user, [...rest, ...house], environment)
      : run(key, [...(first === '' ? [] : [first]), ...rest, ...house])
}

test('AK1 AK2: a key is made by command, alone on the standard output, rotated, listed and revoked', async () => {
  const call = place()
  await call('user', 'create', 'ada@example.com')
  const made = await call(
    'create',
    'my laptop',
    '--user',
    'Ada@example.com',
    '--permission',
    'notes:read',
    '--expires',
    '90d',
  )
  assert.equal(made.code, 0, made.err)
  const text = made.out.trimEnd()
  const { id, prefix } = readKeyText(text) ?? assert.fail(made.out)
  assert.equal(prefix, 'acme_test')
  assert.match(made.err, /shown this once, until \d{4}-/)
  assert.ok(!made.err.includes(text))

  const shown = await call('show', id)
  assert.match(shown.out, /name: my laptop\n/)
  assert.match(shown.out, /permissions: \["notes:read"\]/)
  assert.ok(!shown.out.includes(text.slice(-49)))

  const rotated = await call('rotate', id)
  assert.equal(rotated.code, 0, rotated.err)
  const successor = readKeyText(rotated.out.trimEnd())?.id ?? ''
  assert.match(rotated.err, /takes over with its first use/)
  const again = await call('rotate', id)
  assert.deepEqual([again.code, again.out], [1, ''])
  assert.match(again.err, new RegExp(successor))
  const replaced = await call('rotate', id, '--replace', successor)
  assert.equal(replaced.code, 0, replaced.err)

  const listed = await call('list', '--user', 'ada@example.com', '--json')
  const lines = listed.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(lines.map(({ state }) => state).toSorted(), ['active', 'on-trial', 'revoked'])
  assert.match((await call('list')).out, new RegExp(`${id}\tmy laptop\tuser:[0-9a-f-]{36}\tactive\tnever used`))

  const revoked = await call('revoke', id)
  assert.equal(revoked.code, 0, revoked.err)
  assert.match(revoked.out, new RegExp(id))
  assert.equal((await call('revoke', id)).code, 1)
  assert.equal((await call('rotate', id)).code, 1)
})

test('AK1: a key for a service or an organisation, with addresses, scopes and a limit', async () => {
  const call = place()
  const made = await call(
    ...['create', 'job', '--service', 'billing', '--permission', 'invoice:read', '--address', '10.0.0.0/8'],
    ...['--limit', '1000/1h'],
  )
  assert.equal(made.code, 0, made.err)
  const shown = await call('show', readKeyText(made.out.trimEnd())?.id ?? '', '--json')
  const facts = JSON.parse(shown.out) as Record<string, unknown>
  assert.deepEqual(
    [facts['owner'], facts['addresses'], facts['limit'], facts['createdBy']],
    [{ type: 'service', id: 'billing' }, ['10.0.0.0/8'], { limit: 1_000, windowMs: 3_600_000 }, 'operator'],
  )
  assert.equal((await call('create', 'job', '--organisation', 'acme', '--scope', 'widgets:read')).code, 0)
})

test('AK1: what is wrong with a call is said before anything is opened, and nothing stands on the standard output', async () => {
  const call = place()
  for (const [args, code, said] of [
    [[], 2, /usage/],
    [['fly'], 2, /unknown `key fly`/],
    [['create'], 2, /usage/],
    [['create', 'x'], 2, /--user, --service or --organisation/],
    [['create', 'x', '--user', 'a', '--service', 'b'], 2, /expected one of/],
    [['create', 'x', '--service', 'nobody'], 2, /owner\.id no service/],
    [['create', 'x', '--service', 'billing', '--permission', 'a b'], 2, /permissions\.0/],
    [['create', 'x', '--service', 'billing', '--scope', 'nothing'], 2, /scopes\.0 no scope/],
    [['create', 'x', '--service', 'billing', '--address', 'here'], 2, /addresses\.0/],
    [['create', 'x', '--service', 'billing', '--expires', 'soon'], 2, /--expires/],
    [['create', 'x', '--service', 'billing', '--limit', '0/1h'], 2, /--limit/],
    [['create', 'x', '--service', 'billing', '--json'], 2, /takes no --json/],
    [['create', 'x', '--user', 'nobody@example.com'], 1, /nobody is called/],
    [['show', 'x'], 1, /no key has the id `x`/],
    [['show', 'a'.repeat(15)], 1, /no key/],
    [['rotate'], 2, /usage/],
  ] as const) {
    const outcome = await call(...args)
    assert.deepEqual([outcome.code, outcome.out], [code, ''], `${args.join(' ')}: ${outcome.err}`)
    assert.match(outcome.err, said)
  }
})
