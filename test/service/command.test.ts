// `gatehouse service`, as an operator calls it.
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { serviceToken } from '../../client/service-token.ts'
import { command as service } from '../../src/cli/service.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { startHouse } from '../support/house.ts'
import { keyPairs } from './scene.ts'

interface Place {
  readonly dir: string
  run(...args: readonly string[]): Promise<Outcome>
}

const environment = { REPORTS_SECRET: 'a secret of the reports that is long enough' }

function place(): Place {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const config = join(dir, 'gatehouse.config.json')
  const written = {
    roles: { worker: { permissions: ['invoice:*'] } },
    services: { reports: { permissions: ['invoice:read'], secrets: [{ env: 'REPORTS_SECRET' }] } },
  }
  writeFileSync(config, JSON.stringify(written))
  return { dir, run: (...args) => run(service, [...args, '--config', config, '--data', dir], environment) }
}

test('AK4: a service is made by command, its secret alone on the standard output, and lives until it is removed', async () => {
  const { run, dir } = place()
  const key = join(dir, 'billing.pub.pem')
  writeFileSync(key, keyPairs.EdDSA.publicKey.export({ type: 'spki', format: 'pem' }))
  const made = await run(
    ...[
      'create',
      'billing',
      '--permission',
      'invoice:read',
      '--role',
      'worker',
      '--certificate-dns',
      'billing.internal',
    ],
    ...['--certificate-subject', 'CN=billing,O=Example', '--certificate-uri', 'spiffe://example.com/billing'],
    ...['--address', '10.0.0.0/8', '--limit', '1000/1h', '--public-key', `2026-a=${key}`],
  )
  assert.equal(made.code, 0, made.err)
  assert.match(made.out, /^gh_ss_[A-Za-z0-9_-]{43}\n$/)
  assert.match(made.err, /shown this once/)
  assert.doesNotMatch(made.err, /gh_ss_/)

  const shown = await run('show', 'billing')
  assert.match(
    shown.out,
    /^name: billing\norigin: operator\nstatus: active\npermissions: invoice:read\nroles: worker\naddresses: 10\.0\.0\.0\/8\nlimit: 1000 in 3600 s\ncertificate: dns:billing\.internal\ncertificate: subject:CN=billing,O=Example\ncertificate: uri:spiffe:\/\/example\.com\/billing\npublic key: 2026-a, Ed25519\nsecret: \S+, since \S+\n$/,
  )
  const rotated = await run('rotate', 'billing', '--overlap', '2h')
  assert.equal(rotated.code, 0, rotated.err)
  assert.match(rotated.out, /^gh_ss_\S+\n$/)
  assert.match(rotated.err, /the one before is good until 20/)
  assert.notEqual(rotated.out, made.out)
  const third = await run('rotate', 'billing')
  assert.deepEqual([third.code, third.out], [1, ''])
  assert.match(third.err, /2 secrets/)
  const { secrets } = JSON.parse((await run('show', 'billing', '--json')).out) as { secrets: { id: string }[] }
  assert.equal((await run('remove-secret', 'billing', secrets[1]?.id ?? '')).code, 0)
  assert.equal((await run('remove-secret', 'billing', secrets[1]?.id ?? '')).code, 1)
  assert.equal((await run('rotate', 'billing', '--overlap', '0s')).code, 0)

  assert.equal((await run('change', 'billing', '--permission', 'invoice:write')).code, 0)
  assert.equal((await run('disable', 'billing')).code, 0)
  assert.equal((await run('disable', 'billing')).code, 1)
  assert.equal(
    (await run('list')).out,
    'reports\tconfiguration\tactive\tinvoice:read\nbilling\toperator\tdisabled\tinvoice:write\n',
  )
  const listed = JSON.parse((await run('list', '--json')).out) as { name: string; status: string }[]
  assert.deepEqual(
    listed.map(({ name, status }) => [name, status]),
    [
      ['reports', 'active'],
      ['billing', 'disabled'],
    ],
  )
  assert.equal((await run('token', 'billing', '--for', 'api')).code, 1)
  assert.equal((await run('enable', 'billing')).code, 0)
  assert.equal((await run('remove', 'billing')).code, 0)
  assert.equal((await run('show', 'billing')).code, 1)
})

test('AK4: a token is printed alone, for one target, and that is remembered', async () => {
  const { run } = place()
  const made = await run('token', 'reports', '--for', 'api', '--lifetime', '30s')
  assert.equal(made.code, 0, made.err)
  const [, payload = ''] = made.out.trim().split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, number | string>
  assert.deepEqual([claims['iss'], claims['sub'], claims['aud']], ['reports', 'reports', 'api'])
  assert.equal(Number(claims['exp']) - Number(claims['iat']), 30)
  assert.equal(made.out.trim().split('\n').length, 1)
  assert.equal((await run('create', 'keyed', '--no-secret')).out, '')
  const none = await run('token', 'keyed', '--for', 'api')
  assert.deepEqual([none.code, none.out], [1, ''])
  assert.match(none.err, /no secret/)
})

test('AK4: a house that serves hears within a second what was changed at the command line', async (context) => {
  const dir = throwAwayFolder(context)
  const written = { store: `sqlite:${join(dir, 'gatehouse.db')}` }
  const config = join(dir, 'gatehouse.config.json')
  writeFileSync(config, JSON.stringify(written))
  const call = (...args: readonly string[]): Promise<Outcome> =>
    run(service, [...args, '--config', config, '--data', dir])
  const house = await startHouse(context, written, { dataDir: dir })
  const ask = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` }
    return (await fetch(`${house.url}/api/auth/validate`, { headers })).status
  }
  const becomes = async (token: string, status: number): Promise<void> => {
    const deadline = performance.now() + 3_000
    while ((await ask(token)) !== status) {
      assert.ok(performance.now() < deadline, `it stayed ${await ask(token)}`)
      await pause(20)
    }
  }
  const secret = (await call('create', 'billing')).out.trim()
  const token = await serviceToken({ service: 'billing', target: 'gatehouse', secret })
  await becomes(token, 200)
  await call('disable', 'billing')
  await becomes(token, 401)
  await call('enable', 'billing')
  await becomes(token, 200)
  await call('rotate', 'billing', '--overlap', '0s')
  await becomes(token, 401)
})

test('AK4: what is wrong with a call is told with its reason and exits 2; what is not there exits 1', async () => {
  const { run } = place()
  for (const [args, code, message] of [
    [[], 2, /usage/],
    [['begin'], 2, /unknown `service begin`/],
    [['constructor'], 2, /unknown `service constructor`/],
    [['create'], 2, /usage/],
    [['create', 'Bad Name'], 2, /name expected/],
    [['create', 'a', '--permission', 'a b'], 2, /permissions\.0: expected a permission/],
    [['create', 'a', '--role', 'nobody'], 2, /roles no role is called `nobody`/],
    [['create', 'a', '--address', 'x'], 2, /addresses\.0 expected an address/],
    [['create', 'a', '--certificate-dns', '*.a'], 2, /certificates\.0\.dns expected a name without a pattern/],
    [['create', 'a', '--limit', '10'], 2, /--limit: expected/],
    [['create', 'a', '--public-key', 'a'], 2, /KID=FILE/],
    [['create', 'a', '--public-key', 'a=/nowhere'], 2, /ENOENT/],
    [['create', 'a', '--overlap', '1h'], 2, /has no `--overlap`/],
    [['create', 'reports'], 1, /stands in the configuration/],
    [['rotate', 'reports'], 1, /stands in the configuration/],
    [['rotate', 'a', '--overlap', '31d'], 2, /--overlap: expected a duration of 0s to 30d, got `31d`/],
    [['rotate', 'a', '--overlap', 'soon'], 2, /--overlap/],
    [['rotate', 'a'], 1, /no service/],
    [['show', 'a'], 1, /no service is called `a`/],
    [['show', 'a\0'], 1, /no service/],
    [['remove-secret', 'reports'], 2, /usage/],
    [['token', 'reports'], 2, /--for/],
    [['token', 'reports', '--for', 'api', '--lifetime', '6m'], 2, /--lifetime: expected a duration of 1s to 5m/],
    [['token', 'nobody', '--for', 'api'], 1, /no service/],
  ] as const) {
    const outcome = await run(...args)
    assert.equal(outcome.code, code, `${args.join(' ')}: ${outcome.err}`)
    assert.match(outcome.err, message, args.join(' '))
    assert.equal(outcome.out, '', args.join(' '))
  }
})
