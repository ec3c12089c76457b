// `--threads N`: several threads on one port are one house, through the sockets of a process.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { command as audit } from '../../src/cli/audit.ts'
import { command as start } from '../../src/cli/start.ts'
import { threadsOf } from '../../src/cli/threads.ts'
import { command as user } from '../../src/cli/user.ts'
import type { Config } from '../../src/config/settings.ts'
import { run } from '../cli/in-process.ts'
import { allowing } from '../policies/scene.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { type Answer, type Line, type SignedIn, signedIn, threadScene, unhurried } from './scene.ts'

const ada = { email: 'ada@example.com', password: 'seven violet rivers run' }

const configOf = (upstream: string, more: Partial<Config> = {}): Config => ({
  limits: { ...unhurried, counted: { limit: 20, window: '1h' } },
  upstreams: { api: upstream },
  roles: { user: { permissions: ['notes:read'] }, writer: { permissions: ['notes:write'] } },
  policies: [{ name: 'managed', managed: true }],
  routes: [
    { path: '/open', access: 'public', to: 'api' },
    { path: '/notes', methods: ['GET'], require: 'notes:read', to: 'api' },
    { path: '/drafts', methods: ['GET'], require: 'drafts:read', to: 'api' },
    { path: '/judged', access: 'authenticated', policy: 'managed', to: 'api' },
    { path: '/counted', access: 'authenticated', limit: 'counted', to: 'api' },
  ],
  ...more,
})

test('A10: three threads on one port are one house', async (context) => {
  let upstream = ''
  const scene = await threadScene(context, 3, (url) => configOf((upstream = url)))
  const { running, lines } = scene
  const [first] = lines as [Line]
  const root = await signedIn(first)
  /** What each thread says to the same request, asked at one moment. */
  const statuses = async (path: string, headers: SignedIn['headers']): Promise<number[]> =>
    Promise.all(lines.map(async (line) => (await line.ask('GET', path, headers)).status))
  /** Changes something by one thread after the other; what is said right after is the same everywhere. */
  const eachThreadInTurn = async (change: (line: Line) => Promise<void>): Promise<void> => {
    for (let round = 0; round < 2; round++) for (const line of lines) await change(line)
  }
  const done = ({ status, text }: Answer, expected = 200): void => assert.equal(status, expected, text)
  const created = await run(
    user,
    ['create', ada.email, '--name', 'Ada', '--role', 'user', '--data', running.dataDir, '--config', scene.file],
    {
      GATEHOUSE_USER_PASSWORD: ada.password,
    },
  )
  assert.equal(created.code, 0, created.err)

  await context.test('TK4: whoever signs out is signed out at the next request on every thread', () =>
    eachThreadInTurn(async (line) => {
      const { headers } = await signedIn(line)
      assert.deepEqual(await statuses('/api/auth/me', headers), [200, 200, 200])
      done(await line.ask('POST', '/api/auth/logout', headers))
      assert.deepEqual(await statuses('/api/auth/me', headers), [401, 401, 401])
    }),
  )

  await context.test(
    'TK4: a token that is taken back, alone or with all of its person, is refused at the next request',
    () =>
      eachThreadInTurn(async (line) => {
        const [one, two] = [await signedIn(line, ada), await signedIn(line, ada)]
        assert.deepEqual(await statuses('/notes', one.headers), [200, 200, 200])
        const token = one.headers['authorization']?.slice('Bearer '.length)
        done(await line.ask('POST', '/api/admin/revocations', root.headers, { token }))
        assert.deepEqual(await statuses('/notes', one.headers), [401, 401, 401])
        assert.deepEqual(await statuses('/notes', two.headers), [200, 200, 200])
        done(await line.ask('POST', '/api/admin/revocations', root.headers, { user: two.id }))
        assert.deepEqual(await statuses('/notes', two.headers), [401, 401, 401])
      }),
  )

  await context.test(
    'A10: other roles for a person, and another meaning of a role, hold at the next request',
    async () => {
      const { id } = await signedIn(first, ada)
      done(await first.ask('POST', '/api/admin/roles', root.headers, { name: 'drafter', permissions: [] }), 201)
      await eachThreadInTurn(async (line) => {
        done(await line.ask('PUT', `/api/admin/users/${id}/roles`, root.headers, { roles: ['user', 'drafter'] }))
        const { headers } = await signedIn(line, ada)
        done(await line.ask('PUT', '/api/admin/roles/drafter', root.headers, { permissions: ['drafts:read'] }))
        assert.deepEqual(await statuses('/drafts', headers), [200, 200, 200])
        done(await line.ask('PUT', '/api/admin/roles/drafter', root.headers, { permissions: [] }))
        assert.deepEqual(await statuses('/drafts', headers), [403, 403, 403])
        done(await line.ask('PUT', `/api/admin/users/${id}/roles`, root.headers, { roles: ['user'] }))
        assert.deepEqual(await statuses('/drafts', headers), [401, 401, 401])
      })
    },
  )

  await context.test(
    'AK: a revoked key, and a key whose owner is locked, are refused at the next request',
    async () => {
      const { id } = await signedIn(first, ada)
      await eachThreadInTurn(async (line) => {
        const { headers } = await signedIn(line, ada)
        const lent = { name: 'job', permissions: ['notes:read'] }
        const [one, two] = [
          await line.ask('POST', '/api/keys', headers, lent),
          await line.ask('POST', '/api/keys', headers, lent),
        ]
        const keyed = ({ body }: Answer): SignedIn['headers'] => ({ 'x-api-key': String(body['key']) })
        assert.deepEqual(await statuses('/notes', keyed(one)), [200, 200, 200])
        assert.deepEqual(await statuses('/notes', keyed(two)), [200, 200, 200])
        done(await line.ask('DELETE', `/api/keys/${one.body['id']}`, headers))
        assert.deepEqual(await statuses('/notes', keyed(one)), [401, 401, 401])
        done(await line.ask('POST', `/api/admin/users/${id}/lock`, root.headers, { reason: 'a test' }))
        assert.deepEqual(await statuses('/notes', keyed(two)), [401, 401, 401])
        done(await line.ask('POST', `/api/admin/users/${id}/unlock`, root.headers))
        assert.deepEqual(await statuses('/notes', keyed(two)), [200, 200, 200])
        done(await line.ask('DELETE', `/api/admin/keys/${two.body['id']}`, root.headers))
      })
    },
  )

  await context.test('A56: a policy decides on every thread from the next request on', () =>
    eachThreadInTurn(async (line) => {
      done(await line.ask('PUT', '/api/admin/policies/managed', root.headers, { document: allowing(root.id) }))
      assert.deepEqual(await statuses('/judged', root.headers), [200, 200, 200])
      done(await line.ask('PUT', '/api/admin/policies/managed', root.headers, { document: allowing('nobody') }))
      assert.deepEqual(await statuses('/judged', root.headers), [403, 403, 403])
    }),
  )

  await context.test('TR3: a limit is counted once, whichever threads are asked', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, at) => {
        const line = lines[at % lines.length] as Line
        return (await line.ask('GET', '/counted', root.headers)).status
      }),
    )
    assert.equal(answers.filter((status) => status === 200).length, 20)
    assert.equal(answers.filter((status) => status === 429).length, 10)
  })

  await context.test('metrics are those of all threads, whichever is asked', async () => {
    const countOf = (text: string): number =>
      Number(/^gatehouse_requests_total\{route="[^"]*\/open[^"]*",status="200"\} (\d+)$/m.exec(text)?.[1] ?? 0)
    const before = countOf((await first.ask('GET', '/metrics')).text)
    for (const [at, line] of lines.entries()) {
      for (let sent = 0; sent <= at; sent++) done(await line.ask('GET', '/open'))
    }
    for (const line of lines) {
      const text = await eventually(async () => {
        const answer = await line.ask('GET', '/metrics')
        return countOf(answer.text) === before + 6 ? answer.text : undefined
      })
      for (let number = 1; number <= 3; number++)
        assert.match(text, new RegExp(`^gatehouse_thread_answered\\{thread="${number}"\\} 1$`, 'm'))
      assert.match(text, /^gatehouse_requests_in_flight 1$/m, 'the one that asks')
      const seconds = [...text.matchAll(/^process_cpu_seconds_total (\S+)$/gm)]
      assert.equal(seconds.length, 1)
      assert.ok(Number(seconds[0]?.[1]) < process.uptime() * 16, 'it is of the process, and not of each thread')
    }
  })

  await context.test('a configuration is taken over by all threads, or by none', async () => {
    const hear = async (path: string): Promise<string> => (await statuses(path, {})).join()
    scene.configure(configOf(upstream, { routes: [{ path: '/two', access: 'public', to: 'api' }] }))
    await eventually(async () => ((await hear('/two')) === '200,200,200' ? true : undefined))
    assert.equal(await hear('/open'), '404,404,404')
    scene.configure(configOf('http://127.0.0.1:1', { routes: [{ path: '/three', access: 'public', to: 'nowhere' }] }))
    await eventually(() => (/old configuration stays[\s\S]*`nowhere`/.test(running.errors()) ? true : undefined))
    assert.deepEqual([await hear('/two'), await hear('/three')], ['200,200,200', '404,404,404'])
    scene.configure(configOf(upstream))
    await eventually(async () => ((await hear('/open')) === '200,200,200' ? true : undefined))
  })

  await context.test('a port where somebody listens is not shared with them unawares', async () => {
    for (const more of [['--threads', '2'], []]) {
      const args = ['--port', String(running.port), '--config', scene.file, '--data', throwAwayFolder(context), ...more]
      const { code, err } = await run(start, args)
      assert.equal(code, 3)
      assert.match(err, /something else listens there; choose another with --port/)
    }
  })

  await context.test('SIGTERM: what is on its way ends on every thread, and all of it is in the chain', async () => {
    assert.equal(await running.stop('SIGTERM'), 0)
    const verified = await run(audit, ['verify', '--data', running.dataDir, '--config', scene.file])
    assert.equal(verified.code, 0, verified.err)
    const { DatabaseSync } = await import('node:sqlite')
    const db = new DatabaseSync(`${running.dataDir}/gatehouse.db`, { readOnly: true })
    const counted = db
      .prepare('select count(*) as n from audit_events where body like \'%"path":"/counted"%\'')
      .get() as { readonly n: number }
    const starts = db.prepare('select count(*) as n from audit_events where body like \'%"action":"start"%\'').get()
    db.close()
    assert.equal(counted.n, 30)
    assert.equal((starts as { readonly n: number }).n, 1, 'one house has started, and not three')
  })
})

test('`--threads` says what it cannot do', async (context) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['0', /expected a number from 1 to 64, or `auto`, got `0`/],
    ['many', /expected a number from 1 to 64, or `auto`, got `many`/],
    ['65', /expected a number from 1 to 64/],
    ['-1', /--threads/],
  ]
  for (const [text, told] of cases) {
    const { code, err } = await run(start, ['--upstream', 'http://127.0.0.1:1', `--threads=${text}`, '--port', '0'])
    assert.equal(code, 2, text)
    assert.match(err, told)
  }
  const config = join(throwAwayFolder(context), 'gatehouse.config.json')
  writeFileSync(config, JSON.stringify({ store: 'sqlite::memory:' }))
  const { code, err } = await run(start, ['--config', config, '--threads', '2', '--port', '0'])
  assert.equal(code, 2)
  assert.match(err, /`sqlite::memory:` lies in the memory of one thread/)
  assert.equal(threadsOf('auto', { store: 'sqlite::memory:' }), 1)
  assert.equal(threadsOf('auto', { store: undefined }), process.platform === 'linux' ? availableParallelism() : 1)
})

test('a port that is taken is said to be taken before a house is opened', async (context) => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  context.after(() => other.close())
  const { port } = other.address() as { readonly port: number }
  const { code, err } = await run(start, ['--upstream', 'http://127.0.0.1:1', '--threads', '2', '--port', String(port)])
  assert.equal(code, 3)
  assert.match(err, new RegExp(`cannot listen on 127.0.0.1:${port}: something else listens there`))
})
