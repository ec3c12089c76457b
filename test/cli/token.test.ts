// Taking back at the machine what a process serves.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import { systemRandom, uuidv7 } from '../../src/kernel/id.ts'
import { openStore } from '../../src/store/database.ts'
import { administrator, command, post, type Running, signIn, startProcess } from '../support/process.ts'

interface Scene {
  readonly house: Running
  /** `gatehouse token revoke …` on the data of the house. */
  revoke(...args: string[]): ReturnType<typeof command>
  /** How a token fares, at once. */
  status(token: string): Promise<number>
  /** Whether a token is refused within a second. */
  ends(token: string): Promise<boolean>
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
    revoke: (...args) => command(['token', 'revoke', ...args, '--data', house.dataDir]),
    async ends(token) {
      const from = performance.now()
      while (performance.now() - from < 1_000) {
        if ((await status(token)) === 401) return true
        await pause(20)
      }
      return false
    },
  }
}

const sidOf = (token: string): string => String(decodeJwt(token)['sid'])

test('TK4: what a command takes back, a process that serves refuses within a second', async (context) => {
  const { house, revoke, status, ends } = await scene(context)
  const [one, two, three, four, five] = await Promise.all([1, 2, 3, 4, 5].map(() => signIn(house.url)))
  assert.ok(one !== undefined && two !== undefined && three !== undefined && four !== undefined && five !== undefined)

  const token = await revoke('--token', one.access_token)
  assert.deepEqual([token.code, token.out], [0, `done: the token \`${decodeJwt(one.access_token).jti}\` is void\n`])
  assert.equal(await ends(one.access_token), true)
  const refreshed = await post(`${house.url}/api/auth/token/refresh`, { refresh_token: one.refresh_token })
  assert.equal(refreshed.status, 200, 'its session goes on')

  const family = await revoke('--token', two.refresh_token)
  assert.deepEqual([family.code, family.out], [0, 'done: 1 session ended\n'])
  assert.equal(await ends(two.access_token), true)

  const session = await revoke('--session', sidOf(three.access_token))
  assert.deepEqual([session.code, session.out], [0, 'done: 1 session ended\n'])
  assert.equal(await ends(three.access_token), true)
  const again = await revoke('--session', sidOf(three.access_token))
  assert.deepEqual([again.code, again.out], [0, 'done: it was over already\n'])
  assert.equal(await status(four.access_token), 200)

  const user = await revoke('--user', administrator.email)
  assert.deepEqual(
    [user.code, user.out],
    [0, `done: every token of \`${administrator.email}\` is void, 3 sessions ended\n`],
  )
  assert.equal(await ends(four.access_token), true)

  const later = await signIn(house.url)
  assert.equal(await status(later.access_token), 200)
  const client = await revoke('--client', 'nobody')
  assert.deepEqual([client.code, client.out], [0, 'done: every token of `nobody` is void, 0 sessions ended\n'])
  const everything = await revoke('--everything')
  assert.deepEqual([everything.code, everything.out], [0, 'done: every token is void, 1 session ended\n'])
  assert.equal(await ends(later.access_token), true)

  await house.stop()
  const store = await openStore(`sqlite:${house.dataDir}/gatehouse.db`)
  context.after(() => store.close())
  const rows = await store.db.selectFrom('audit_events').select('body').where('action', '=', 'token.revoke').execute()
  const resources = rows.map(({ body }) => (JSON.parse(body) as { resource: { type: string } }).resource.type)
  assert.deepEqual(resources, ['token', 'session', 'session', 'session', 'user', 'client', 'house'])
  const { code } = await command(['audit', 'verify', '--data', house.dataDir])
  assert.equal(code, 0)
})

test('TK4: what cannot be taken back is told in one sentence', async (context) => {
  const { house, revoke } = await scene(context)
  const { access_token } = await signIn(house.url)
  for (const [args, code, message] of [
    [['--token', `${access_token}x`], 1, /^token is none of ours\n$/],
    [['--session', uuidv7(0, systemRandom)], 1, /^no session is called `[0-9a-f-]{36}`\n$/],
    [['--user', 'nobody@example.com'], 1, /^nobody is called `nobody@example\.com`\n$/],
    [[], 2, /^expected one of --token, --session/],
    [['--everything', '--client', 'x'], 2, /^expected one of --token, --session/],
    [['--token', ''], 2, /^expected one of --token, --session/],
    [['--all'], 2, /--all/],
  ] as const) {
    const outcome = await revoke(...args)
    assert.equal(outcome.code, code, `${args.join(' ')}: ${outcome.err}`)
    assert.match(outcome.err, message)
    assert.equal(outcome.out, '')
  }
  assert.equal((await command(['token', '--data', house.dataDir])).code, 2)
  assert.match((await command(['token', '--help'])).out, /^usage: gatehouse token revoke/)
})
