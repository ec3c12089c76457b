import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { command as audit } from '../../src/cli/audit.ts'
import { command as check } from '../../src/cli/check.ts'
import { command as start } from '../../src/cli/start.ts'
import { command as user } from '../../src/cli/user.ts'
import { startHouse } from '../support/house.ts'
import { administrator, command, signIn, startProcess } from '../support/process.ts'
import { run } from './in-process.ts'

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'gatehouse-'))
}

test('check lists every mistake and exits 2; it reads ts, js, json and yaml', async () => {
  const dir = folder()
  const good = { upstreams: { api: 'http://127.0.0.1:3000' }, routes: [{ path: '/a', access: 'public', to: 'api' }] }
  const files = {
    'a.json': JSON.stringify(good),
    'b.yaml': 'upstreams: { api: "http://127.0.0.1:3000" }\nroutes:\n  - { path: /a, access: public, to: api }\n',
    'c.ts':
      `import { defineConfig } from 'gatehouse'\nexport default defineConfig(${JSON.stringify(good)} as const)`.replace(
        ' as const',
        '',
      ),
    'd.js': `export default ${JSON.stringify(good)}`,
  }
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(dir, name), text)
    const { code, out, err } = await run(check, ['--config', join(dir, name)])
    assert.equal(code, 0, err)
    assert.match(out, /holds together: 1 routes/)
  }
  writeFileSync(join(dir, 'bad.json'), JSON.stringify({ ...good, routs: [], listen: { port: 'x' } }))
  const bad = await command(['check', '--config', join(dir, 'bad.json')])
  assert.equal(bad.code, 2)
  assert.match(bad.err, /2 mistakes:[\s\S]*listen\.port: [\s\S]*routs: unknown key/)
  writeFileSync(join(dir, 'broken.yaml'), 'a: 1\na: 2\n')
  const broken = await run(check, ['--config', join(dir, 'broken.yaml')])
  assert.equal(broken.code, 2)
  assert.match(broken.err, /cannot read/)
  assert.equal((await run(check, ['--config', join(dir, 'absent.json')])).code, 2)
})

test('a wrong call is told what is wrong and exits 2', async () => {
  const processes = [
    [['begin'], /unknown command `begin`/],
    [['start', '--prot', '1'], /--prot/],
  ] as const
  for (const [args, message] of processes) {
    const { code, err } = await command(args)
    assert.equal(code, 2, `${args.join(' ')}: ${err}`)
    assert.match(err, message)
  }
  for (const [act, args, message] of [
    [start, ['--port', 'x'], /--port: expected a number/],
    [start, ['--config', 'a', '--upstream', 'b'], /not both/],
    [start, ['--upstream', 'localhost:3000'], /upstreams\.api: /],
    [audit, [], /expected a deed of the record/],
    [user, ['create', 'x@example.com', '--role', 'king', '--data', folder()], /no role is called `king`/],
  ] as const) {
    const { code, err } = await run(act, args)
    assert.equal(code, 2, `${args.join(' ')}: ${err}`)
    assert.match(err, message)
  }
})

test('a route that leads nowhere is refused at start, and never an empty 200', async (context) => {
  const dir = folder()
  writeFileSync(join(dir, 'a.json'), JSON.stringify({ routes: [{ path: '/x', access: 'public' }] }))
  const { code, err } = await run(start, ['--config', join(dir, 'a.json'), '--data', dir])
  assert.equal(code, 2)
  assert.match(err, /routes\[0\]\.to: expected an upstream/)
  const { url } = await startHouse(context, { routes: [{ path: '/x', access: 'public' }] })
  const response = await fetch(`${url}/x`)
  assert.equal(response.status, 500)
  assert.equal(((await response.json()) as { code: string }).code, 'internal')
})

test('a first start makes its secrets with mode 0600, and its three lines do what they say', async (context) => {
  const house = await startProcess(context, [], {
    environment: { GATEHOUSE_ADMIN_EMAIL: '', GATEHOUSE_ADMIN_PASSWORD: '' },
  })
  for (const name of readdirSync(house.dataDir))
    assert.equal(statSync(join(house.dataDir, name)).mode & 0o077, 0, `${name} is open to others`)
  const [, email, password] = /kept\):\n +(\S+)\n +(\S+)/.exec(house.output()) ?? []
  assert.equal(email, 'admin@localhost')
  const lines = house
    .output()
    .split('\n')
    .filter((line) => /^ {2}(?:curl|TOKEN=)/.test(line))
  assert.equal(lines.length, 3)
  const { execFileSync } = await import('node:child_process')
  const shown = execFileSync('bash', ['-c', lines.join('\n')], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
  assert.deepEqual(shown.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 401', 'HTTP/1.1 200'])
  assert.equal(await house.stop(), 0)

  const again = await startProcess(context, [], { dataDir: house.dataDir })
  assert.doesNotMatch(again.output(), /shown this once/, 'the password is told once')
  await signIn(again.url, { email: email as string, password: password as string })
})

test('A59: a house has no default account: the administrator’s password is made up, or given', async (context) => {
  const house = await startProcess(context, [])
  await signIn(house.url, administrator)
  assert.doesNotMatch(house.output(), new RegExp(administrator.password))
})

test('a store made with another root secret is refused with a clear sentence, exit 3', async () => {
  const dataDir = folder()
  const made = await run(user, ['list', '--data', dataDir], { GATEHOUSE_SECRET: 'a'.repeat(40) })
  assert.equal(made.code, 0, made.err)
  const { code, err } = await command(['user', 'list', '--data', dataDir], { GATEHOUSE_SECRET: 'b'.repeat(40) })
  assert.equal(code, 3)
  assert.match(err, /root secret is not the one/)
})

test('a port that is taken is told, exit 3', async (context) => {
  const other = createServer()
  context.after(() => other.close())
  const port = await new Promise<number>((resolve) =>
    other.listen(0, '127.0.0.1', () => resolve((other.address() as AddressInfo).port)),
  )
  const { code, err } = await command(['start', '--port', String(port), '--data', folder()])
  assert.equal(code, 3)
  assert.match(err, /something else listens there/)
})
