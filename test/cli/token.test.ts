// Taking back at the machine what a process serves.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import { verifyChain } from '../../src/audit/verify/verify.ts'
import { command as token } from '../../src/cli/token.ts'
import { systemRandom, uuidv7 } from '../../src/kernel/id.ts'
import { openStore } from '../../src/store/database.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { administrator, post, type Running, signIn, startProcess } from '../support/process.ts'
import { type Outcome, run } from './in-process.ts'

interface Scene {
  readonly house: Running
  /** `gatehouse token revoke …` on the data of the house. */
  revoke(...args: string[]): Promise<Outcome>
  /** How a token fares, at once. */
  status(token: string): Promise<number>
  /** How long it takes until a token is refused, in milliseconds. */
  ended(token: string): Promise<number>
}

async function scene(context: TestContext): Promise<Scene> {
  const house = await startProcess(context, [])
  const status = async (token: string): Promise<number> => {
    const response = await fetch(`${house.url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } })
    await response.arrayBuffer()
    return response.status
  }
  return {
    house,
    status,
    revoke: (...args) => run(token, ['revoke', ...args, '--data', house.dataDir]),
    async ended(token) {
      const from = performance.now()
      while ((await status(token)) !== 401) {
        assert.ok(performance.now() - from < 20_000, 'nobody heard')
        await pause(20)
      }
      return performance.now() - from
    },
  }
}

const sidOf = (token: string): string => String(decodeJwt(token)['sid'])

test('TK4: what a command takes back, a process that serves refuses within a second', async (context) => {
  const { house, revoke, status, ended } = await scene(context)
  const [one, two, three, four, five] = await Promise.all([1, 2, 3, 4, 5].map(() => signIn(house.url)))
  assert.ok(one !== undefined && two !== undefined && three !== undefined && four !== undefined && five !== undefined)

  const heard: number[] = []
  const end = async (token: string, args: readonly string[], told: string): Promise<void> => {
    assert.deepEqual(await revoke(...args), { code: 0, out: `done: ${told}\n`, err: '' })
    heard.push(await ended(token))
  }
  const { jti } = decodeJwt(one.access_token)
  await end(one.access_token, ['--token', one.access_token], `the token \`${jti}\` is void`)
  const refreshed = await post(`${house.url}/api/auth/token/refresh`, { refresh_token: one.refresh_token })
  assert.equal(refreshed.status, 200, 'its session goes on')
  await end(two.access_token, ['--token', two.refresh_token], '1 session ended')
  await end(three.access_token, ['--session', sidOf(three.access_token)], '1 session ended')
  await end(three.access_token, ['--session', sidOf(three.access_token)], 'it was over already')
  assert.equal(await status(four.access_token), 200)
  const { email } = administrator
  await end(four.access_token, ['--user', email], `every token of \`${email}\` is void, 3 sessions ended`)
  const later = await signIn(house.url)
  await revoke('--client', 'nobody')
  assert.equal(await status(later.access_token), 200)
  const everything = await revoke('--everything')
  assert.deepEqual([everything.code, everything.out], [0, 'done: every token is void, 1 session ended\n'])
  heard.push(await ended(later.access_token))
  assert.ok(Math.min(...heard.filter((ms) => ms > 0)) < 1_000, `heard after ${heard.map(Math.round)} ms`)

  await house.stop()
  const store = await openStore(`sqlite:${house.dataDir}/gatehouse.db`)
  context.after(() => store.close())
  const rows = await store.db.selectFrom('audit_events').select('body').where('action', '=', 'token.revoke').execute()
  const resources = rows.map(({ body }) => (JSON.parse(body) as { resource: { type: string } }).resource.type)
  assert.deepEqual(resources, ['token', 'session', 'session', 'session', 'user', 'client', 'house'])
  assert.equal((await verifyChain(store.db)).ok, true)
})

test('TK4: what cannot be taken back is told in one sentence', async (context) => {
  const dataDir = throwAwayFolder(context)
  const revoke = (...args: string[]): Promise<Outcome> => run(token, ['revoke', ...args, '--data', dataDir])
  for (const [args, code, message] of [
    [['--token', 'eyJhbGciOiJub25lIn0.e30.'], 1, /^token is none of ours\n$/],
    [['--session', uuidv7(0, systemRandom)], 1, /^no session is called `[0-9a-f-]{36}`\n$/],
    [['--user', 'nobody@example.com'], 1, /^nobody is called `nobody@example\.com`\n$/],
    [[], 2, /^expected one of --token, --session/],
    [['--everything', '--client', 'x'], 2, /^expected one of --token, --session/],
    [['--token', ''], 2, /^expected one of --token, --session/],
    [['--all'], 2, /--all/],
    [['more'], 2, /^expected `token revoke`, got `token revoke more`/],
  ] as const) {
    const outcome = await revoke(...args)
    assert.equal(outcome.code, code, `${args.join(' ')}: ${outcome.err}`)
    assert.match(outcome.err, message)
    assert.equal(outcome.out, '')
  }
  assert.match((await run(token, ['--help'])).out, /^usage: gatehouse token revoke/)
})
