import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { command as keyCommand } from '../../src/cli/key.ts'
import { command as userCommand } from '../../src/cli/user.ts'
import { openStore } from '../../src/store/database.ts'
import { run } from '../../test/cli/in-process.ts'
import { eventually } from '../../test/support/eventually.ts'
import { forger, forgeriesOfSecret, signingKeyOf, toldInFourSentences, validate } from '../../test/support/forgeries.ts'
import {
  administrator,
  command,
  post,
  postElsewhere,
  type Running,
  signIn,
  startProcess,
  type TokensAnswer,
} from '../../test/support/process.ts'
import { assertSecurityHeaders } from '../../test/support/security-headers.ts'

const config = ['--config', 'examples/crazy-gary/gatehouse.config.ts']
const garys = { email: 'gary@example.com', password: 'a passphrase of Gary himself' }
/** `tokens.refreshGrace` of the configuration. */
const graceMs = 3_000
const dayMs = 86_400_000
const task = {
  title: 'Sort the inbox',
  description: 'Sort the inbox by how soon each letter wants an answer.',
  priority: 'high',
  model: 'gpt-oss-20b',
}

test('Crazy-Gary', async (context) => {
  const keys = mkdtempSync(join(tmpdir(), 'keys-'))
  const environment = { GARY_KEYS: keys, GARY_SIEM: join(keys, 'siem.jsonl') }
  let house: Running = await startProcess(context, config, { environment })
  const created = await command(
    ['user', 'create', garys.email, '--name', 'Gary', '--role', 'user', '--data', house.dataDir, ...config],
    { ...environment, GATEHOUSE_USER_PASSWORD: garys.password },
  )
  assert.equal(created.code, 0, created.err)
  let admin: TokensAnswer
  let gary: TokensAnswer

  await context.test('ID1 ID6: a password signs in, and the answer says who', async () => {
    admin = await signIn(house.url)
    gary = await signIn(house.url, garys)
    assert.equal(gary.expires_in, 3600)
    assert.deepEqual(Object.keys(gary.user).sort(), ['email', 'id', 'name', 'roles'])
    const me = await fetch(`${house.url}/api/auth/me`, { headers: { authorization: `Bearer ${gary.access_token}` } })
    const profile = (await me.json()) as Record<string, unknown>
    for (const field of ['id', 'email', 'name', 'created_at']) assert.ok(profile[field], field)
    assert.ok(!Number.isNaN(Date.parse(String(profile['created_at']))))
  })

  await context.test('TK1: HS256, with its issuer, its audience and its claims, for an hour', () => {
    assert.equal(decodeProtectedHeader(gary.access_token).alg, 'HS256')
    const claims = decodeJwt(gary.access_token)
    assert.equal(claims['iss'], 'crazy-gary-api')
    assert.equal(claims['aud'], 'crazy-gary-clients')
    assert.equal(claims['type'], 'access')
    assert.equal(claims['email'], garys.email)
    assert.equal(claims['user_id'], claims['sub'])
    assert.ok((claims['permissions'] as string[]).includes('task:create'))
    assert.equal(Number(claims['exp']) - Number(claims['iat']), 3600)
    assert.ok(claims['jti'])
  })

  await context.test('TK7: validate answers whether the credential is good, and for whom', async () => {
    const good = await fetch(`${house.url}/api/auth/validate`, {
      headers: { authorization: `Bearer ${gary.access_token}` },
    })
    assert.equal(good.status, 200)
    const answer = (await good.json()) as { valid: boolean; user: { id: string } }
    assert.equal(answer.valid, true)
    assert.equal(answer.user.id, gary.user.id)
    const bad = await fetch(`${house.url}/api/auth/validate`, {
      headers: { authorization: `Bearer ${gary.access_token}x` },
    })
    assert.equal(bad.status, 401)
    assert.equal(((await bad.json()) as { error: string }).error, 'Invalid token')
  })

  let spent: TokensAnswer
  let successor = ''
  let spentAt = 0
  const signInFrom = (address: string): Promise<Answer> => tokensFrom(address, `${house.url}/api/auth/login`, garys)
  const refreshFrom = (address: string, refresh_token: string): Promise<Answer> =>
    tokensFrom(address, `${house.url}/api/auth/token/refresh`, { refresh_token })

  await context.test(
    'TK3: a refresh token is spent by its use, and a retry within the grace ends nothing',
    async () => {
      spent = (await signInFrom('127.0.0.2')).body
      const next = await refreshFrom('127.0.0.2', spent.refresh_token)
      spentAt = performance.now()
      assert.deepEqual([next.status, next.body.expires_in], [200, 3600])
      assert.notEqual(next.body.access_token, spent.access_token)
      successor = next.body.refresh_token
      assert.notEqual(successor, spent.refresh_token)
      const retried = await refreshFrom('127.0.0.2', spent.refresh_token)
      assert.deepEqual([retried.status, retried.body.refresh_token], [200, successor])
      assert.equal(await validate(house.url, spent.access_token), 200)
    },
  )

  await context.test('TK2: the key rotates while Gary works: no request is lost, and his old token holds', async () => {
    const answers: number[] = []
    let isOver = false
    const work = async (): Promise<void> => {
      const paths = ['tasks', 'monitoring/load', 'tasks', 'mcp/tools'] // each from the budget of its own category
      while (!isOver) {
        const answer = await fetch(`${house.url}/api/${paths[answers.length % paths.length]}`, {
          headers: { authorization: `Bearer ${gary.access_token}` },
        })
        await answer.arrayBuffer()
        answers.push(answer.status)
        await pause(100)
      }
    }
    const working = work()
    const rotated = await command(['secrets', 'rotate', 'signing-key', '--now', '--data', house.dataDir, ...config])
    const [, kid, from = ''] = /^HS256: `([\w-]+)` is published, and signs from (\S+)$/m.exec(rotated.out) ?? []
    assert.ok(kid, rotated.err)
    await pause(Math.max(0, Date.parse(from) - Date.now()) + 300)
    const later = (await signInFrom('127.0.0.3')).body
    isOver = true
    await working
    assert.ok(answers.length > 10, `${answers.length} requests`)
    assert.deepEqual(new Set(answers), new Set([200]))
    assert.equal(decodeProtectedHeader(later.access_token).kid, kid)
    assert.notEqual(decodeProtectedHeader(gary.access_token).kid, kid)
    for (const { access_token } of [gary, later]) assert.equal(await validate(house.url, access_token), 200)
  })

  await context.test('TK3: a spent one that comes back after the grace ends its family, and no other', async () => {
    await pause(Math.max(0, spentAt + graceMs - performance.now()))
    const reused = await refreshFrom('127.0.0.4', spent.refresh_token)
    assert.equal(reused.status, 401)
    assert.equal(await validate(house.url, spent.access_token), 401, 'its access tokens ended too')
    assert.equal((await refreshFrom('127.0.0.4', successor)).status, 401, 'and its living token')
    assert.equal(await validate(house.url, gary.access_token), 200)
  })

  await context.test('TK6: what is wrong with a token is told in four sentences, and nothing more', async () => {
    const good = (await signInFrom('127.0.0.5')).body
    const key = await signingKeyOf(house.dataDir, 'HS256')
    const forged = forger(good.access_token, key)
    const tokens = { good: good.access_token, refresh: good.refresh_token, over: spent.access_token }
    await toldInFourSentences(house.url, forged, tokens, 'jaf-system', forgeriesOfSecret(forged, key))
  })

  await context.test(
    'CT1: a task that fits its schema is let through; one that does not is answered field by field',
    async () => {
      const authorization = { authorization: `Bearer ${gary.access_token}` }
      const made = await post(`${house.url}/api/tasks`, task, authorization)
      assert.equal(made.status, 201)
      const answer = (await made.json()) as { user: string; received: unknown }
      assert.equal(answer.user, gary.user.id)
      assert.deepEqual(answer.received, task)
      const refused = await post(
        `${house.url}/api/tasks`,
        { title: 'ab', description: 'short', priority: 'soon', model: 'gpt-5', color: 'red' },
        authorization,
      )
      assert.equal(refused.status, 422)
      const { errors } = (await refused.json()) as { errors: Record<string, string[]> }
      assert.deepEqual(Object.keys(errors).sort(), ['color', 'description', 'model', 'priority', 'title'])
      for (const messages of Object.values(errors)) assert.ok(messages.length > 0)
    },
  )

  await context.test('AZ5: without a token 401, without the permission 403, without a route 404', async () => {
    assert.equal((await post(`${house.url}/api/tasks`, task)).status, 401)
    const forbidden = await post(`${house.url}/api/endpoints`, {}, { authorization: `Bearer ${gary.access_token}` })
    assert.equal(forbidden.status, 403)
    assert.equal(((await forbidden.json()) as { error: string }).error, "Permission 'endpoint:manage' required")
    assert.equal(
      (await post(`${house.url}/api/endpoints`, {}, { authorization: `Bearer ${admin.access_token}` })).status,
      201,
    )
    assert.equal(
      (await fetch(`${house.url}/api/secrets`, { headers: { authorization: `Bearer ${admin.access_token}` } })).status,
      404,
    )
  })

  const fileOf = (program: string): string => join(keys, `${program}.key`)
  const keyIn = (program: string): string => readFileSync(fileOf(program), 'utf8').trim()
  const byKey = (path: string, key: string, body?: object): Promise<KeyAnswer> =>
    ask(house.url + path, { 'x-api-key': key }, body)
  const byAdmin = (path: string, body?: object): Promise<KeyAnswer> =>
    ask(house.url + path, { authorization: `Bearer ${admin.access_token}` }, body)
  const shown = async (key: string): Promise<KeyAnswer['body']> => (await byAdmin(`/api/admin/keys/${idOf(key)}`)).body
  /** Uses a key for the first time, and waits until the one before has its end. */
  const taken = async (key: string, before: string, path: string): Promise<void> => {
    assert.equal((await shown(before)).retires_at, undefined, 'the clock of the one before does not run yet')
    assert.deepEqual([(await shown(before)).state, (await shown(key)).state], ['active', 'on-trial'])
    assert.equal((await byKey(path, before)).status, 200)
    const from = Date.now()
    assert.equal((await byKey(path, key)).status, 200)
    const { retires_at } = await eventually(async () => {
      const facts = await shown(before)
      return facts.state === 'retiring' ? facts : undefined
    })
    const overlapMs = Date.parse(retires_at ?? '') - from
    assert.ok(overlapMs >= 3 * dayMs && overlapMs < 3 * dayMs + 5_000, `good for ${overlapMs} ms`)
    assert.equal((await shown(key)).state, 'active')
  }

  await context.test('AZ3: a task is its owner’s: to others it is not there, and an administrator may', async () => {
    const email = 'mary@example.com'
    const place = ['--data', house.dataDir, ...config]
    const made = await run(userCommand, ['create', email, '--role', 'user', ...place], {
      ...environment,
      GATEHOUSE_USER_PASSWORD: garys.password,
    })
    assert.equal(made.code, 0, made.err)
    const may = ['task:read', 'task:change'].flatMap((permission) => ['--permission', permission])
    const marys = await run(keyCommand, ['create', 'Mary’s script', '--user', email, ...may, ...place])
    assert.equal(marys.code, 0, marys.err)
    const others = { 'x-api-key': marys.out.trim() }
    const own = { authorization: `Bearer ${gary.access_token}` }
    const chief = { authorization: `Bearer ${admin.access_token}` }

    const { id } = (await (await post(`${house.url}/api/tasks`, task, own)).json()) as { id: string }
    const ask = async (headers: Record<string, string>, of: string, method = 'GET'): Promise<unknown> => {
      const answer = await fetch(`${house.url}/api/tasks/${of}`, { method, headers })
      const { request_id, ...body } = (await answer.json()) as Record<string, unknown>
      if (method === 'GET')
        assert.equal(answer.headers.get('x-owner-id'), null, 'what the API tells the gate stays here')
      return answer.status === 200 ? 200 : { status: answer.status, ...body }
    }
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const theirs = await ask(others, id, method)
      assert.equal((theirs as { status: number }).status, 404)
      assert.deepEqual(theirs, await ask(others, 'no-such-task', method), 'as if there were none')
    }
    for (const method of ['GET', 'PUT']) {
      assert.equal(await ask(own, id, method), 200)
      assert.equal(await ask(chief, id, method), 200)
    }
    assert.equal(await ask(own, id, 'DELETE'), 200)
    assert.equal(((await ask(own, id)) as { status: number }).status, 404)
  })

  await context.test('AK2: the house makes the keys of two programs, each in a file for its owner alone', async () => {
    const runner = keyIn('task-runner')
    assert.equal(statSync(fileOf('task-runner')).mode & 0o777, 0o600)
    assert.match(runner, /^gary_[0-9A-Za-z]{15}_[0-9A-Za-z]{49}$/)
    const made = await byKey('/api/tasks', runner, task)
    assert.deepEqual([made.status, made.body.service, made.body.key], [201, 'organisation:task-runner', idOf(runner)])
    const beyond = await byKey('/api/endpoints', runner, {})
    assert.deepEqual([beyond.status, beyond.body.error], [403, "Permission 'endpoint:manage' required"])
    assert.equal((await byKey('/api/monitoring/load', keyIn('endpoint-monitor'))).status, 200)
  })

  await context.test('AK2: by hand: a key is tried before it takes over, and three before it stay good', async () => {
    const owner = { type: 'organisation', id: 'gary-cli' }
    const first = await byAdmin('/api/admin/keys', { name: 'Gary’s CLI', permissions: ['task:read'], owner })
    assert.equal(first.status, 201, JSON.stringify(first.body))
    const made = [first.body.key]
    const newest = (): string => made.at(-1) ?? ''
    const byApi = async (path: string, headers: Record<string, string>): Promise<string> => {
      const { status, body } = await ask(house.url + path, headers, {})
      assert.equal(status, 201, JSON.stringify(body))
      return body.key
    }
    const renewed = (): Promise<string> => byApi('/api/keys/current/rotate', { 'x-api-key': newest() })
    const ways: readonly (() => Promise<string>)[] = [
      async () => {
        const place = ['--data', house.dataDir, ...config]
        const rotated = await run(keyCommand, ['rotate', idOf(newest()), ...place])
        assert.equal(rotated.code, 0, rotated.err)
        return rotated.out.trim()
      },
      () => byApi(`/api/admin/keys/${idOf(newest())}/rotate`, { authorization: `Bearer ${admin.access_token}` }),
      renewed,
      renewed,
    ]
    for (const rotate of ways) {
      const next = await rotate()
      const again = await byKey('/api/keys/current/rotate', newest(), {})
      assert.deepEqual([again.status, again.body.successor], [409, idOf(next)], 'one is on trial already')
      await taken(next, newest(), '/api/tasks')
      made.push(next)
    }
    const statuses: number[] = []
    for (const key of made) statuses.push((await byKey('/api/tasks', key)).status)
    assert.deepEqual(statuses, [401, 200, 200, 200, 200])
  })

  await context.test('TR8: the security headers, on answers and on refusals', async () => {
    assertSecurityHeaders(await fetch(`${house.url}/api/tasks`))
    assertSecurityHeaders(
      await fetch(`${house.url}/api/tasks`, { headers: { authorization: `Bearer ${gary.access_token}` } }),
    )
  })

  await context.test('TR9: listed origins and no others, preflight 200', async () => {
    const from = (origin: string): Promise<Response> =>
      fetch(`${house.url}/api/tasks`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
      })
    const known = await from('http://localhost:3000')
    assert.equal(known.status, 200)
    assert.equal(known.headers.get('access-control-allow-origin'), 'http://localhost:3000')
    assert.equal(known.headers.get('access-control-allow-credentials'), 'true')
    assert.equal(known.headers.get('access-control-allow-methods'), 'GET, POST, PUT, DELETE, OPTIONS')
    assert.match(known.headers.get('access-control-allow-headers') ?? '', /Authorization/)
    const foreign = await from('https://evil.example')
    assert.equal(foreign.status, 200)
    assert.deepEqual(
      [...foreign.headers.keys()].filter((name) => name.startsWith('access-control-')),
      [],
    )
    const refused = await fetch(`${house.url}/api/tasks`, { headers: { origin: 'http://localhost:3000' } })
    assert.equal(refused.status, 401)
    assert.equal(
      refused.headers.get('access-control-allow-origin'),
      'http://localhost:3000',
      'a page has to be able to read why it was refused',
    )
  })

  await context.test('TR10: a sane request id is kept, another is made, and both go upstream', async () => {
    const authorization = `Bearer ${gary.access_token}`
    const kept = await fetch(`${house.url}/api/tasks`, { headers: { authorization, 'x-request-id': 'trace-42' } })
    assert.equal(kept.headers.get('x-request-id'), 'trace-42')
    assert.equal(((await kept.json()) as { request_id: string }).request_id, 'trace-42')
    const made = await fetch(`${house.url}/api/tasks`, {
      headers: { authorization, 'x-request-id': 'not sane at all' },
    })
    assert.match(made.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
    assert.equal(((await made.json()) as { request_id: string }).request_id, made.headers.get('x-request-id'))
  })

  await context.test(
    'TR1 TR5: task creation is limited to a burst of 10, and every answer says how much is left',
    async () => {
      const authorization = { authorization: `Bearer ${admin.access_token}` }
      let last: Response | undefined
      for (let sent = 0; sent < 10; sent++) {
        last = await post(`${house.url}/api/tasks`, task, authorization)
        assert.equal(last.status, 201, `task ${sent + 1}`)
      }
      assert.equal(last?.headers.get('x-ratelimit-limit'), '100')
      assert.equal(last?.headers.get('x-ratelimit-remaining'), '0')
      assert.equal(last?.headers.get('x-ratelimit-window'), '3600')
      assert.equal(last?.headers.get('x-ratelimit-type'), 'task-creation')
      const refused = await post(`${house.url}/api/tasks`, task, authorization)
      assert.equal(refused.status, 429)
      assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/)
      assert.equal(((await refused.json()) as { code: string }).code, 'rate-limited')
      assert.equal(
        (await fetch(`${house.url}/api/tasks`, { headers: authorization })).status,
        200,
        'another category has a budget of its own',
      )
    },
  )

  await context.test('TR1: authentication has a burst of 3 an address', async () => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const wrong = await post(`${house.url}/api/auth/login`, { email: administrator.email, password: 'wrong' })
      assert.equal(wrong.status, 401)
      assert.equal(wrong.headers.get('x-ratelimit-limit'), '10')
    }
    const fourth = await post(`${house.url}/api/auth/login`, {
      email: administrator.email,
      password: administrator.password,
    })
    assert.equal(fourth.status, 429)
    assert.equal(fourth.headers.get('x-ratelimit-type'), 'authentication')
  })

  await context.test('TR1: health has a burst of 5', async () => {
    for (let sent = 0; sent < 5; sent++) assert.equal((await fetch(`${house.url}/health`)).status, 200)
    assert.equal((await fetch(`${house.url}/health`)).status, 429)
  })

  await context.test('AK2: every 24 hours by itself; where that fails, the key that is there stays', async () => {
    const [runner, monitor] = [keyIn('task-runner'), keyIn('endpoint-monitor')]
    assert.equal(await house.stop(), 0)
    await dayAgo(house.dataDir)
    // As a container does it whose file to mount is not there: a folder stands in its place.
    rmSync(fileOf('endpoint-monitor'))
    mkdirSync(fileOf('endpoint-monitor'))
    house = await startProcess(context, config, { environment, dataDir: house.dataDir })

    assert.notEqual(keyIn('task-runner'), runner)
    await taken(keyIn('task-runner'), runner, '/api/tasks')
    assert.equal((await byKey('/api/monitoring/load', monitor)).status, 200)
    const { state, successor } = await shown(monitor)
    assert.deepEqual([state, successor], ['active', undefined], 'nothing took over, and nothing is to')
    assert.match(house.errors(), /endpoint-monitor.*could not be renewed; the one before stays good/)
    for (const key of [runner, monitor, keyIn('task-runner')])
      assert.ok(!(house.output() + house.errors()).includes(key), 'no log holds a key')
  })

  await context.test('TK3 AK2: the record of it all is whole, and has the spent token and the rotations', async () => {
    assert.equal(await house.stop(), 0)
    const verified = await command(['audit', 'verify', '--data', house.dataDir, ...config])
    assert.equal(verified.code, 0, verified.err)
    const { db, close } = await openStore(`sqlite:${house.dataDir}/gatehouse.db`)
    const rows = await db.selectFrom('audit_events').select('body').where('action', 'like', '%-reuse').execute()
    const rotations = await db
      .selectFrom('audit_events')
      .select('body')
      .where('action', '=', 'api-key.rotate')
      .execute()
    await close()
    const events = rows.map(({ body }) => JSON.parse(body) as Reuse)
    assert.deepEqual(
      events.map(({ type, result, address, details }) => [type, result, address, details.session]),
      [['security_incident', 'denied', '127.0.0.4', decodeJwt(spent.access_token)['sid']]],
    )
    assert.deepEqual(
      rotations
        .map(({ body }) => JSON.parse(body) as Rotated)
        .map(({ result, details }) => `${details.name}: ${result}`)
        .toSorted(),
      [...Array<string>(4).fill('Gary’s CLI: success'), 'endpoint-monitor: failure', 'task-runner: success'],
    )
  })
})

/** Of what is answered about a key, or by the API behind the gate. */
interface KeyAnswer {
  readonly status: number
  readonly body: {
    readonly key: string
    readonly state: string
    readonly retires_at?: string
    readonly successor?: string
    readonly service?: string
    readonly error?: string
  }
}

/** Of what is remembered of a rotation. */
interface Rotated {
  readonly result: string
  readonly details: { readonly name: string }
}

/** POST where there is a body, else GET. */
async function ask(url: string, headers: Readonly<Record<string, string>>, body?: object): Promise<KeyAnswer> {
  const answer = await (body === undefined ? fetch(url, { headers }) : post(url, body, headers))
  return { status: answer.status, body: (await answer.json()) as KeyAnswer['body'] }
}

/** The id that stands in a key. */
function idOf(key: string): string {
  return key.split('_').at(-2) ?? ''
}

/** Makes the keys that the house keeps a day older than they are. */
async function dayAgo(dataDir: string): Promise<void> {
  const { db, close } = await openStore(`sqlite:${dataDir}/gatehouse.db`)
  await db
    .updateTable('api_keys')
    .set(({ eb }) => ({ created_at: eb('created_at', '-', dayMs) }))
    .where('managed', 'is not', null)
    .execute()
  await close()
}

interface Answer {
  readonly status: number
  readonly body: TokensAnswer
}

/** Of what is remembered of a token that came twice. */
interface Reuse {
  readonly type: string
  readonly result: string
  readonly address: string
  readonly details: { readonly session: string }
}

/** As from another device: signing in and refreshing is counted by address, and three may come at once. */
async function tokensFrom(address: string, url: string, body: object): Promise<Answer> {
  const answer = await postElsewhere(url, body, {}, address)
  return { status: answer.status, body: (await answer.json()) as TokensAnswer }
}
