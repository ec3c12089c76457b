import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  administrator,
  command,
  post,
  type Running,
  signIn,
  startProcess,
  type TokensAnswer,
} from '../../test/support/process.ts'

const config = ['--config', 'examples/crazy-gary/gatehouse.config.ts']
const task = {
  title: 'Sort the inbox',
  description: 'Sort the inbox by how soon each letter wants an answer.',
  priority: 'high',
  model: 'gpt-oss-20b',
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

test('Crazy-Gary', async (context) => {
  const house: Running = await startProcess(context, config)
  const created = await command(
    ['user', 'create', 'gary@example.com', '--name', 'Gary', '--role', 'user', '--data', house.dataDir, ...config],
    { GATEHOUSE_USER_PASSWORD: 'a passphrase of Gary himself' },
  )
  assert.equal(created.code, 0, created.err)
  let admin: TokensAnswer
  let gary: TokensAnswer

  await context.test('ID1 ID6: a password signs in, and the answer says who', async () => {
    admin = await signIn(house.url)
    gary = await signIn(house.url, { email: 'gary@example.com', password: 'a passphrase of Gary himself' })
    assert.equal(gary.expires_in, 3600)
    assert.deepEqual(Object.keys(gary.user).sort(), ['email', 'id', 'name', 'roles'])
    const me = await fetch(`${house.url}/api/auth/me`, { headers: { authorization: `Bearer ${gary.access_token}` } })
    const profile = (await me.json()) as Record<string, unknown>
    for (const field of ['id', 'email', 'name', 'created_at']) assert.ok(profile[field], field)
    assert.ok(!Number.isNaN(Date.parse(String(profile['created_at']))))
  })

  await context.test('TK1: HS256, with its issuer, its audience and its claims, for an hour', () => {
    const header = JSON.parse(Buffer.from(gary.access_token.split('.')[0] ?? '', 'base64url').toString())
    assert.equal(header.alg, 'HS256')
    const claims = claimsOf(gary.access_token)
    assert.equal(claims['iss'], 'crazy-gary-api')
    assert.equal(claims['aud'], 'crazy-gary-clients')
    assert.equal(claims['type'], 'access')
    assert.equal(claims['email'], 'gary@example.com')
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

  await context.test('TR8: the security headers, on answers and on refusals', async () => {
    for (const response of [
      await fetch(`${house.url}/api/tasks`),
      await fetch(`${house.url}/api/tasks`, { headers: { authorization: `Bearer ${gary.access_token}` } }),
    ]) {
      assert.ok(response.headers.get('content-security-policy'))
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
      assert.equal(response.headers.get('x-frame-options'), 'DENY')
      assert.equal(response.headers.get('x-xss-protection'), '1; mode=block')
      assert.equal(response.headers.get('strict-transport-security'), 'max-age=31536000; includeSubDomains; preload')
      assert.equal(response.headers.get('referrer-policy'), 'strict-origin-when-cross-origin')
      assert.equal(response.headers.get('permissions-policy'), 'camera=(), microphone=(), geolocation=()')
    }
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
    const third = await post(`${house.url}/api/auth/login`, { email: administrator.email, password: 'wrong' })
    assert.equal(third.status, 401)
    assert.equal(third.headers.get('x-ratelimit-limit'), '10')
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

  await context.test('the record of it all is whole', async () => {
    assert.equal(await house.stop(), 0)
    const verified = await command(['audit', 'verify', '--data', house.dataDir, ...config])
    assert.equal(verified.code, 0, verified.err)
  })
})
