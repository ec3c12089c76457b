import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { command as audit } from '../../src/cli/audit.ts'
import { command as user } from '../../src/cli/user.ts'
import { startUpstream } from '../support/house.ts'
import { post, signIn, startProcess } from '../support/process.ts'
import { run } from './in-process.ts'

async function until(holds: () => boolean | Promise<boolean>, context?: () => string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  assert.fail(`it did not come to hold within 15 s${context === undefined ? '' : `: ${context()}`}`)
}

test('SIGTERM drains: what is on its way ends, what is new is refused, and the record is written out', async (context) => {
  const upstream = await startUpstream(context, (request, response) => {
    if (request.url === '/slow') setTimeout(() => response.end('whole'), 600)
    else response.end('quick')
  })
  const house = await startProcess(context, ['--upstream', upstream.url])
  const { access_token } = await signIn(house.url)
  const authorization = `Bearer ${access_token}`
  const kept = connect(house.port, '127.0.0.1')
  kept.write(`GET /quick HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`)
  await once(kept, 'data')
  const slow = fetch(`${house.url}/slow`, { headers: { authorization } })
  const late = connect(house.port, '127.0.0.1')
  await once(late, 'connect')
  late.write('GET /slow HTTP/1.1\r\nHost: a\r\n')
  await new Promise((resolve) => setTimeout(resolve, 150))
  const stopped = house.stop('SIGTERM')
  await new Promise((resolve) => setTimeout(resolve, 100))
  late.write(`Authorization: ${authorization}\r\n\r\n`)
  const [refused] = (await once(late, 'data')) as [Buffer]
  assert.match(refused.toString(), /^HTTP\/1\.1 503 [\s\S]*"code":"draining"/)
  assert.match(refused.toString(), /connection: close/i)
  assert.equal(await (await slow).text(), 'whole')
  assert.equal(await stopped, 0)
  await assert.rejects(fetch(`${house.url}/quick`))
  const verified = await run(audit, ['verify', '--data', house.dataDir])
  assert.equal(verified.code, 0, verified.err)
})

test('a configuration is taken over whole on a change; one that is wrong changes nothing', async (context) => {
  const upstream = await startUpstream(context, (_request, response) => response.end('ok'))
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'gatehouse.config.json')
  const write = (routes: unknown): void =>
    writeFileSync(file, JSON.stringify({ upstreams: { api: upstream.url }, limits: false, routes }))
  write([{ path: '/one', access: 'public', to: 'api' }])
  const house = await startProcess(context, ['--config', file])
  const status = async (path: string): Promise<number> => (await fetch(house.url + path)).status
  assert.deepEqual([await status('/one'), await status('/two')], [200, 404])
  write([{ path: '/two', access: 'public', to: 'api' }])
  await until(async () => (await status('/two')) === 200)
  assert.equal(await status('/one'), 404)
  write([{ path: '/three', access: 'public', to: 'nowhere' }])
  await until(() => /old configuration stays[\s\S]*no upstream is called `nowhere`/.test(house.errors()))
  assert.deepEqual([await status('/two'), await status('/three')], [200, 404])
  house.child.kill('SIGHUP')
  await until(() => (house.errors().match(/old configuration stays/g) ?? []).length === 2)
})

test('a reload loses no request', async (context) => {
  const upstream = await startUpstream(context, (_request, response) => setTimeout(() => response.end('ok'), 5))
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'gatehouse.config.json')
  const write = (limit: number): void =>
    writeFileSync(
      file,
      JSON.stringify({
        upstreams: { api: upstream.url },
        limits: { many: { limit, window: '1h' } },
        routes: [{ path: '/one', access: 'public', limit: 'many', to: 'api' }],
      }),
    )
  write(100_000)
  const house = await startProcess(context, ['--config', file])
  const statuses = new Map<number, number>()
  let going = true
  const callers = Array.from({ length: 8 }, async () => {
    while (going) {
      const { status } = await fetch(`${house.url}/one`)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  })
  for (let round = 1; round <= 4; round++) {
    write(100_000 + round)
    await until(() => (house.errors().match(/reloaded/g) ?? []).length >= round, house.errors)
  }
  going = false
  await Promise.all(callers)
  assert.deepEqual([...statuses.keys()], [200])
})

test('A60: kill -9 under load loses no sign-in that was answered, and the chain still verifies', async (context) => {
  const config = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'gatehouse.config.json')
  writeFileSync(config, JSON.stringify({ limits: false, routes: [] }))
  const first = await startProcess(context, ['--config', config])
  await signIn(first.url)
  await first.stop()
  const answered: string[] = []
  for (let round = 0; round < 3; round++) {
    const house = await startProcess(context, ['--config', config], { dataDir: first.dataDir })
    let going = true
    const callers = Array.from({ length: 4 }, async (_, caller) => {
      for (let sent = 0; going; sent++) {
        const id = `kill-${round}-${caller}-${sent}`
        const good = sent % 2 === 0
        try {
          const response = await post(
            `${house.url}/api/auth/login`,
            { email: 'admin@example.com', password: good ? 'correct horse battery staple' : 'wrong' },
            { 'x-request-id': id },
          )
          await response.arrayBuffer()
          answered.push(id)
        } catch {
          return // it was killed: nobody was answered
        }
      }
    })
    await until(() => answered.length >= (round + 1) * 5)
    await new Promise((resolve) => setTimeout(resolve, round * 37)) // at another moment of the work each time
    await house.stop('SIGKILL')
    going = false
    await Promise.all(callers)
  }
  assert.ok(answered.length > 10, `only ${answered.length} sign-ins were answered`)
  const last = await startProcess(context, ['--config', config], { dataDir: first.dataDir })
  await last.stop()
  const verified = await run(audit, ['verify', '--config', config, '--data', first.dataDir])
  assert.equal(verified.code, 0, verified.err)
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(join(first.dataDir, 'gatehouse.db'), { readOnly: true })
  const kept = new Set(
    db
      .prepare("select request_id from audit_events where type = 'authentication'")
      .all()
      .map((row) => row['request_id']),
  )
  db.close()
  assert.deepEqual(
    answered.filter((id) => !kept.has(id)),
    [],
  )
})

test('TK4: locking somebody at the command line ends their access in a gate that serves', async (context) => {
  const upstream = await startUpstream(context, (_request, response) => response.end('ok'))
  const house = await startProcess(context, ['--upstream', upstream.url])
  house.child.kill('SIGHUP') // there is nothing to read again, and nothing to die of
  const { access_token, refresh_token } = await signIn(house.url)
  const ask = async (): Promise<number> =>
    (await fetch(`${house.url}/x`, { headers: { authorization: `Bearer ${access_token}` } })).status
  assert.equal(await ask(), 200)
  const locked = await run(user, ['lock', 'admin@example.com', '--data', house.dataDir])
  assert.equal(locked.code, 0, locked.err)
  await until(async () => (await ask()) === 401)
  assert.equal((await post(`${house.url}/api/auth/token/refresh`, { refresh_token })).status, 401)
  assert.equal(
    (
      await post(`${house.url}/api/auth/login`, {
        email: 'admin@example.com',
        password: 'correct horse battery staple',
      })
    ).status,
    401,
  )
})
