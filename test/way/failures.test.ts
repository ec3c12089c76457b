import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { inboundOfFetch } from '../../src/http/fetch.ts'
import { testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, person, rawExchange, startHouse, startUpstream } from '../support/house.ts'
import { post } from '../support/process.ts'

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code
}

test('TK6: an expired token is told so, to the second of its `exp`, cached or not', async (context) => {
  const clock = testClock()
  const upstream = await startUpstream(context, mirror)
  const { url, signIn } = await startHouse(
    context,
    {
      upstreams: { api: upstream.url },
      tokens: { accessTtl: '1m' },
      routes: [{ path: '/mine', access: 'authenticated', to: 'api' }],
    },
    { clock },
  )
  const authorization = `Bearer ${await signIn()}`
  const ask = (): Promise<Response> => fetch(`${url}/mine`, { headers: { authorization } })
  assert.equal((await ask()).status, 200)
  clock.advance(59_000)
  assert.equal((await ask()).status, 200)
  clock.advance(1_000)
  const late = await ask()
  assert.equal(late.status, 401)
  assert.equal(
    late.headers.get('www-authenticate'),
    'Bearer realm="gatehouse", error="invalid_token", error_description="Token has expired"',
  )
  assert.equal(await codeOf(late), 'token-expired')
})

test('C: an error inside a check is a refusal that says nothing, and the log says everything', async (context) => {
  const lines: string[] = []
  const note = (fields: unknown, message: string): void =>
    void lines.push(
      `${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.message : value))}`,
    )
  const upstream = await startUpstream(context, mirror)
  const { url, house, signIn } = await startHouse(
    context,
    { upstreams: { api: upstream.url }, routes: [] },
    { log: { debug: note, info: note, warn: note, error: note } },
  )
  const authorization = `Bearer ${await signIn()}`
  await house.audit.flush()
  await house.store.db.schema.dropTable('user_roles').execute()
  const response = await fetch(`${url}/api/auth/me`, { headers: { authorization } })
  assert.equal(response.status, 500)
  const text = await response.text()
  assert.match(text, /"code":"internal"/)
  assert.doesNotMatch(text, /user_roles|SQL|stack/i)
  assert.ok(
    lines.some((line) => line.startsWith('a stage failed') && line.includes('user_roles')),
    lines.join('\n'),
  )
})

test('A39: a flood of sign-ins is answered 503 before it takes the memory, and later ones get through', async (context) => {
  const { url, port } = await startHouse(context, { limits: false, routes: [] })
  // Written at once on a few connections: one that each of 600 clients has to open first comes no faster than it is answered.
  const body = JSON.stringify({ email: 'nobody@example.com', password: 'x' })
  const request = (last: boolean): string =>
    [
      'POST /api/auth/login HTTP/1.1',
      'Host: a',
      `Connection: ${last ? 'close' : 'keep-alive'}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n')
  const flood = Array.from({ length: 30 }, (_, at) => request(at === 29)).join('')
  const answers = (await Promise.all(Array.from({ length: 20 }, () => rawExchange(port, flood, 60_000)))).join('')
  const refused = answers.split('HTTP/1.1 503 ').slice(1)
  assert.ok(refused.length > 0)
  for (const one of refused) {
    assert.match(one, /^Retry-After: [1-9]\d*\r$/m)
    assert.match(one, /"code":"(?:unavailable|overloaded)"/) // by the hash, or by the loop that is busy with them
  }
  assert.ok(answers.split('HTTP/1.1 401 ').length - 1 > 200)
  assert.equal((await post(`${url}/api/auth/login`, { email: person.email, password: person.password })).status, 200)
})

test('C: a head or a body that does not arrive in time is 408, and its connection is closed', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { port } = await startHouse(context, {
    listen: { headersTimeout: '500ms', requestTimeout: '1s' },
    upstreams: { api: upstream.url },
    routes: [{ path: '/open', access: 'public', to: 'api' }],
  })
  for (const slow of [
    'GET /open HTTP/1.1\r\nHost: a\r\n',
    'POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc',
  ]) {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.write(slow)
    await once(socket, 'close')
    const answer = Buffer.concat(chunks).toString()
    assert.match(answer, /^HTTP\/1\.1 408 /)
    assert.match(answer, /"code":"request-timeout"/)
  }
})

test('a readiness probe says no, and not why, when the store is gone', async (context) => {
  const { url, house } = await startHouse(context, { routes: [] })
  assert.deepEqual(await (await fetch(`${url}/health/ready`)).json(), { status: 'ok' })
  await house.store.db.schema.dropTable('house').execute()
  const response = await fetch(`${url}/health/ready`)
  assert.equal(response.status, 503)
  assert.deepEqual(await response.json(), { status: 'unavailable' })
  assert.equal((await fetch(`${url}/health/live`)).status, 200, 'a restart would not mend it')
})

test('A62 DP4: passwords and tokens that pass through leave no trace in log, audit or answers', async (context) => {
  const lines: string[] = []
  const { openLogger } = await import('../../src/kernel/logger.ts')
  const log = openLogger('debug', { write: (line: string) => void lines.push(line) })
  const upstream = await startUpstream(context, mirror)
  const { url, house } = await startHouse(
    context,
    { upstreams: { api: upstream.url }, routes: [{ path: '/mine', access: 'authenticated', to: 'api' }] },
    { log },
  )
  const wrong = 'a-password-that-is-wrong-91'
  await post(`${url}/api/auth/login`, { email: person.email, password: wrong })
  const signedIn = await post(`${url}/api/auth/login`, { email: person.email, password: person.password })
  const { access_token, refresh_token } = (await signedIn.json()) as { access_token: string; refresh_token: string }
  await fetch(`${url}/mine?token=${access_token}`, { headers: { authorization: `Bearer ${access_token}` } })
  await fetch(`${url}/mine`, { headers: { authorization: `Bearer ${refresh_token}` } })
  await fetch(`${url}/mine/${access_token}`)
  await post(`${url}/api/auth/token/refresh`, { refresh_token })
  await house.audit.flush()
  const events = await house.store.db.selectFrom('audit_events').select('body').execute()
  const rows = JSON.stringify([
    events,
    await house.store.db.selectFrom('sessions').selectAll().execute(),
    await house.store.db.selectFrom('users').selectAll().execute(),
  ])
  for (const secret of [
    wrong,
    person.password,
    access_token,
    refresh_token,
    refresh_token.split('.')[2] ?? '',
    access_token.slice(0, 60),
  ]) {
    assert.ok(!lines.join('').includes(secret), 'in the log')
    assert.ok(!rows.includes(secret), 'in the store')
  }
})

test('C: an answer that cannot be delivered, not even as a refusal, ends the exchange and not the process', async (context) => {
  const { house } = await startHouse(context, {})
  let tried = 0
  house.gate.handle(inboundOfFetch(new Request('http://gate.example/nowhere'), '203.0.113.1'), () => {
    tried++
    throw new Error('nobody takes it')
  })
  await eventually(() => (house.gate.inFlight === 0 ? true : undefined))
  assert.equal(tried, 2)
})
