import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type SecureContextOptions, setDefaultCACertificates } from 'node:tls'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { Agent, request } from 'undici'
import { signMethodUriBody } from '../../client/index.ts'
import { command as certsCommand } from '../../src/cli/certs.ts'
import { command as keyCommand } from '../../src/cli/key.ts'
import { loadConfig, settled } from '../../src/cli/load.ts'
import { command as userCommand } from '../../src/cli/user.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { openStore } from '../../src/store/database.ts'
import { run } from '../../test/cli/in-process.ts'
import { eventually } from '../../test/support/eventually.ts'
import { throwAwayFolder } from '../../test/support/folder.ts'
import { forger, forgeriesOfSecret, signingKeyOf, toldInFourSentences } from '../../test/support/forgeries.ts'
import { may } from '../../test/support/may.ts'
// More than ten requests in a second from one address would block it.
import {
  administrator,
  command,
  fetchElsewhere as fetch,
  postElsewhere as post,
  type Running,
  signIn,
  startProcess,
} from '../../test/support/process.ts'

const file = 'examples/jaf/gatehouse.config.ts'
const config = ['--config', file]
const dayMs = 86_400_000
const jo = { email: 'jo@example.com', password: 'a passphrase of Jo herself' }

test('JAF', async (context) => {
  const certs = throwAwayFolder(context)
  const certified = await run(certsCommand, ['dev', '--out', certs, '--client', 'agent-runner', '--client', 'stranger'])
  assert.equal(certified.code, 0, certified.err)
  const pem = (name: string): string => readFileSync(join(certs, name), 'utf8')
  setDefaultCACertificates([pem('ca.pem')])
  const house: Running = await startProcess(context, config, {
    environment: {
      JAF_CERTS: certs,
      JAF_HTTP_PORT: '0',
      JAF_URL: 'https://jaf.example',
      JAF_SIEM: join(certs, 'siem.jsonl'),
    },
  })
  const created = await command(['user', 'create', jo.email, '--role', 'user', '--data', house.dataDir, ...config], {
    GATEHOUSE_USER_PASSWORD: jo.password,
  })
  assert.equal(created.code, 0, created.err)

  await context.test('ID1: a password signs in; a weak one is not taken', async () => {
    assert.ok(await signIn(house.url, jo))
    const weak = await command(['user', 'create', 'weak@example.com', '--data', house.dataDir, ...config], {
      GATEHOUSE_USER_PASSWORD: 'password12345678',
    })
    assert.equal(weak.code, 2)
    assert.match(weak.err, /guessed first/)
  })

  await context.test('TK1: HS256, issued by jaf-system, for an hour', async () => {
    const { access_token, expires_in } = await signIn(house.url, jo)
    const { iss, iat = 0, exp = 0, ...claims } = decodeJwt(access_token)
    const { alg } = decodeProtectedHeader(access_token)
    assert.deepEqual([alg, iss, exp - iat, expires_in], ['HS256', 'jaf-system', 3600, 3600])
    for (const claim of ['sub', 'aud', 'jti', 'type', 'user_id', 'permissions']) assert.ok(claims[claim], claim)
  })

  await context.test('TK6: what is wrong with a token is told in four sentences, and nothing more', async () => {
    const { access_token: good, refresh_token } = await signIn(house.url, jo)
    const { access_token: over } = await signIn(house.url, jo)
    await post(`${house.url}/api/auth/logout`, '', { authorization: `Bearer ${over}` })
    const key = await signingKeyOf(house.dataDir, 'HS256')
    const forged = forger(good, key)
    const tokens = { good, refresh: refresh_token, over }
    await toldInFourSentences(house.url, forged, tokens, 'crazy-gary-api', forgeriesOfSecret(forged, key))
  })

  await context.test('AZ1: each role may what its row says, and what those below it may', async () => {
    const mayOf = async (...roles: readonly string[]): Promise<string> => {
      const who = { email: `${roles.join('.')}.only@example.com`, password: jo.password }
      const given = roles.flatMap((role) => ['--role', role])
      const made = await run(userCommand, ['create', who.email, ...given, '--data', house.dataDir, ...config], {
        GATEHOUSE_USER_PASSWORD: who.password,
      })
      assert.equal(made.code, 0, made.err)
      const { access_token } = await signIn(house.url, who)
      return may(
        house.url,
        { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
        {
          'chat:advanced': ['POST', '/api/chat/advanced'],
          'data:export': ['GET', '/api/export'],
          'analytics:view': ['GET', '/api/analytics'],
          'agent:manage': ['PUT', '/api/agents/scribe'],
          'system:admin': ['PUT', '/api/system'],
        },
      )
    }
    assert.equal(await mayOf('user'), '')
    assert.equal(await mayOf('premium_user'), 'chat:advanced data:export')
    assert.equal(await mayOf('admin'), 'chat:advanced data:export analytics:view agent:manage')
    assert.equal(await mayOf('system_admin'), 'chat:advanced data:export analytics:view agent:manage system:admin')
    const { access_token } = await signIn(house.url, { email: 'admin.only@example.com', password: jo.password })
    const users = await fetch(`${house.url}/api/admin/users`, { headers: { authorization: `Bearer ${access_token}` } })
    assert.equal(users.status, 403, 'the house is administered by the role that the configuration names')
  })

  await context.test('AZ2: a function demands a permission, and says which', async () => {
    const { access_token } = await signIn(house.url, jo)
    const refused = await post(`${house.url}/api/chat/advanced`, {}, { authorization: `Bearer ${access_token}` })
    assert.equal(refused.status, 403)
    assert.equal(((await refused.json()) as { error: string }).error, "Permission 'chat:advanced' required")
  })

  const byKey = async (headers: Record<string, string>): Promise<Answer> =>
    answerOf(`${house.url}/api/agents`, { headers })
  const newKey = async (bearer: Record<string, string>, more: object = {}): Promise<KeyFacts> => {
    const draft = { name: 'Jo’s script', permissions: ['chat:basic'], ...more }
    const { status, body } = await answerOf(`${house.url}/api/keys`, json('POST', draft, bearer))
    assert.equal(status, 201, JSON.stringify(body))
    return body as unknown as KeyFacts
  }
  const beganAt = Date.now()
  let used: KeyFacts

  await context.test(
    'AK1: `X-API-Key`; a missing one and a wrong one are told apart, and not why it is wrong',
    async () => {
      const bearer = await bearerOf(house.url, jo)
      used = await newKey(bearer)
      assert.match(used.key, /^jaf_[0-9A-Za-z]{15}_[0-9A-Za-z]{49}$/)
      assert.deepEqual([used.name, used.permissions, used.use_count], ['Jo’s script', ['chat:basic'], 0])
      assert.equal(Date.parse(used.expires_at) - Date.parse(used.created_at), 90 * dayMs)
      const good = await byKey({ 'x-api-key': used.key })
      assert.deepEqual([good.status, good.body['key']], [200, used.id])
      assert.equal((await byKey({ authorization: `Bearer ${used.key}` })).status, 200)
      for (const headers of [{}, bearer] as Record<string, string>[]) {
        const { status, body } = await byKey(headers)
        assert.deepEqual([status, body['error']], [401, 'API key required'])
      }
      const mistyped = used.key.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
      for (const key of [mistyped, `${used.key}x`, used.key.replace('jaf_', 'gh_live_'), 'nonsense']) {
        const { status, body } = await byKey({ 'x-api-key': key })
        assert.deepEqual([status, body['error']], [401, 'Invalid API key'], key)
      }
      const shown = await answerOf(`${house.url}/api/keys/${used.id}`, { headers: bearer })
      assert.equal(shown.status, 200)
      assert.ok(!JSON.stringify(shown.body).includes(used.key.slice(-49)), 'it is shown once')
    },
  )

  await context.test('AK1: revoked on the next request, and over when its time is', async () => {
    const bearer = await bearerOf(house.url, jo)
    const [gone, short] = [await newKey(bearer), await newKey(bearer, { expires_in: 3600 })]
    for (const { key } of [gone, short]) assert.equal((await byKey({ 'x-api-key': key })).status, 200)
    const revoked = await answerOf(`${house.url}/api/keys/${gone.id}`, { method: 'DELETE', headers: bearer })
    assert.equal(revoked.status, 200)
    const after = await byKey({ 'x-api-key': gone.key })
    assert.deepEqual([after.status, after.body['error']], [401, 'Invalid API key'])
    await anHourLater(house.dataDir, short.id)
    const expired = await eventually(async () => {
      const answer = await byKey({ 'x-api-key': short.key })
      return answer.status === 200 ? undefined : answer
    })
    assert.deepEqual([expired.status, expired.body['error']], [401, 'Invalid API key'])
  })

  // The same service by a secret and by a certificate.
  let secret = ''
  const address = (): string => `${house.url}/api/secure/agents?dry=1&name=caf%C3%A9`
  const agent = { name: 'librarian', tools: ['search'] }
  let made = 0
  const signed = (body: object, ageSeconds = 0, key = secret): Promise<Request> =>
    // No two alike: a signature over the same in the same second would be a replay.
    signMethodUriBody(new Request(address(), json('POST', { ...body, made: made++ })), {
      key,
      clock: { ...systemClock, now: () => Date.now() - ageSeconds * 1000 },
    })

  await context.test('AK3: a request is signed as JAF signs, by the client library and by hand', async () => {
    const admin = await bearerOf(house.url, administrator)
    const draft = { name: 'agent-runner', permissions: ['agent:manage'], certificates: [{ dns: 'agent-runner' }] }
    const made = await answerOf(`${house.url}/api/admin/services`, json('POST', draft, admin))
    assert.equal(made.status, 201, JSON.stringify(made.body))
    secret = String(made.body['secret'])

    const byClient = await answerOf(await signed(agent))
    assert.deepEqual([byClient.status, byClient.body['service']], [201, 'agent-runner'])
    const body = JSON.stringify({ ...agent, by: 'hand' })
    const timestamp = String(Math.floor(Date.now() / 1000))
    const { pathname, search } = new URL(address())
    const signature = createHmac('sha256', secret)
      .update(`POST\n${pathname}${search}\n${body}\n${timestamp}`)
      .digest('base64')
    const headers = { 'content-type': 'application/json', 'x-timestamp': timestamp, 'x-signature': signature }
    const byHand = await answerOf(address(), { method: 'POST', headers, body })
    assert.deepEqual([byHand.status, byHand.body['received']], [201, { ...agent, by: 'hand' }])
    const replayed = await answerOf(address(), { method: 'POST', headers, body })
    assert.deepEqual(
      [replayed.status, replayed.body['error']],
      [401, 'Invalid signature'],
      'no signature is good twice',
    )
  })

  await context.test('AK3: five minutes to either side, and nothing that was signed can be changed', async () => {
    assert.equal((await answerOf(await signed(agent, 297))).status, 201)
    assert.equal((await answerOf(await signed(agent, -297))).status, 201)
    const good = await signed(agent, 2)
    const [time, signature] = ['x-timestamp', 'x-signature'].map((name) => good.headers.get(name) ?? '')
    const moved = (url: string, init?: RequestInit): Request => new Request(url, new Request(good.clone(), init))
    const withField = (name: string, value = ''): Request => {
      const copy = good.clone()
      copy.headers.set(name, value)
      return copy
    }
    const wrong: Record<string, Request> = {
      'too old': await signed(agent, 303),
      'too far ahead': await signed(agent, -303),
      'another secret': await signed(agent, 3, `${secret}.`),
      'another method': moved(address(), { method: 'PUT' }),
      'another path': moved(address().replace('agents', 'tools')),
      'another query': moved(address().replace('dry=1', 'dry=0')),
      'the same address, spelled otherwise': moved(address().replace('caf%C3%A9', 'caf%c3%a9')),
      'another body': new Request(good.clone(), { body: JSON.stringify({ ...agent, name: 'burglar' }) }),
      'another time': withField('x-timestamp', String(Number(time) + 1)),
      'no padding': withField('x-signature', signature?.replace(/=+$/, '')),
      'hex, as Lazi writes it': withField('x-signature', Buffer.from(signature ?? '', 'base64').toString('hex')),
    }
    for (const [name, sent] of Object.entries(wrong)) {
      const { status, body } = await answerOf(sent)
      assert.deepEqual([status, body['code']], [401, 'signature-invalid'], name)
    }
    assert.equal((await answerOf(good)).status, 201, 'and none of them used it up')
  })

  await context.test(
    'AK3: under `/api/secure/` a token is not enough, and a signature not without the permission',
    async () => {
      const [admin, plain] = [await bearerOf(house.url, administrator), await bearerOf(house.url, jo)]
      const unsigned = await answerOf(address(), json('POST', agent, admin))
      assert.deepEqual([unsigned.status, unsigned.body['error']], [401, 'Signature required'])
      const sent = async (bearer: Record<string, string>, ageSeconds: number): Promise<Answer> => {
        const request = await signed(agent, ageSeconds)
        request.headers.set('authorization', bearer['authorization'] ?? '')
        return answerOf(request)
      }
      assert.equal((await sent(admin, 5)).status, 201)
      assert.deepEqual((await sent(plain, 6)).body['error'], "Permission 'agent:manage' required")
    },
  )

  await context.test('AK5: another service is known by its certificate, until it is taken back', async () => {
    const call = (context?: SecureContextOptions): Promise<Answer> =>
      callWith(`${house.url}/api/internal/agents`, { ca: pem('ca.pem'), ...context })
    const identity = (name: string): SecureContextOptions => ({
      cert: pem(`client-${name}.pem`),
      key: pem(`client-${name}.key`),
    })
    const known = await call(identity('agent-runner'))
    assert.deepEqual([known.status, known.body['service']], [200, 'agent-runner'])
    assert.equal((await call()).body['error'], 'Client certificate required')
    assert.equal((await call(identity('stranger'))).body['error'], 'Client certificate is not known')
    const elsewhere = throwAwayFolder(context)
    assert.equal((await run(certsCommand, ['dev', '--out', elsewhere, '--client', 'agent-runner'])).code, 0)
    const [cert, key] = ['pem', 'key'].map((kind) =>
      readFileSync(join(elsewhere, `client-agent-runner.${kind}`), 'utf8'),
    )
    const forged = await call({ cert, key })
    assert.equal(
      forged.body['error'],
      'Client certificate required',
      'the same name by an authority that is none of ours',
    )

    const admin = await bearerOf(house.url, administrator)
    const body = json('POST', {}, admin)
    const off = await answerOf(`${house.url}/api/admin/services/agent-runner/disable`, body)
    assert.equal(off.status, 200, JSON.stringify(off.body))
    assert.equal((await call(identity('agent-runner'))).status, 401)
    assert.equal((await answerOf(await signed({ ...agent, turn: 7 }))).status, 401, 'by whatever it shows')
    assert.equal((await answerOf(`${house.url}/api/admin/services/agent-runner/enable`, body)).status, 200)
    assert.equal((await call(identity('agent-runner'))).status, 200)
    assert.equal((await run(certsCommand, ['revoke', join(certs, 'client-agent-runner.pem'), '--out', certs])).code, 0)
    house.child.kill('SIGHUP')
    await eventually(async () => ((await call(identity('agent-runner'))).status === 401 ? true : undefined))
    assert.equal((await answerOf(await signed({ ...agent, turn: 8 }))).status, 201, 'its secret is another matter')
  })

  await context.test('TR11: without TLS there is nothing but the way to it', async () => {
    const [, port] = /^Whoever comes to port (\d+) is sent there$/m.exec(house.output()) ?? []
    const plain = (path: string, method = 'GET'): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}${path}`, { method, redirect: 'manual' })
    const told = async (answer: Response): Promise<unknown> => [answer.status, answer.headers.get('location')]
    assert.deepEqual(await told(await plain('/api/chat?a=1')), [301, 'https://jaf.example/api/chat?a=1'])
    assert.deepEqual(await told(await plain('/api/chat', 'POST')), [308, 'https://jaf.example/api/chat'])
    assert.deepEqual(await told(await plain('/health')), [301, 'https://jaf.example/health'])
  })

  await context.test('without certificates it speaks http, and nobody is known by one', async () => {
    const { listen, routes } = settled(await loadConfig(file, {}), file)
    assert.equal(listen.tls, undefined)
    const internal = routes.find(({ path }) => path === '/api/internal/*')
    assert.deepEqual(internal?.credentials, ['certificate'])
  })

  await context.test('CT1: a message is 1 to 10000 characters of a known type', async () => {
    const { access_token } = await signIn(house.url, jo)
    const say = async (body: object): Promise<number> =>
      (await post(`${house.url}/api/chat`, body, { authorization: `Bearer ${access_token}` })).status
    assert.equal(await say({ content: 'x'.repeat(10_000), type: 'text' }), 201)
    assert.equal(await say({ content: 'x'.repeat(10_001) }), 422)
    assert.equal(await say({ content: '', type: 'text' }), 422)
    assert.equal(await say({ content: 'hello', type: 'song' }), 422)
  })

  await context.test('ID2 ID3: unknown, wrong and locked read alike; repeated failures lock', async () => {
    const plain = async (email: string, password: string): Promise<unknown> => {
      const response = await post(`${house.url}/api/auth/login`, { email, password })
      return { status: response.status, ...((await response.json()) as object), request_id: '' }
    }
    const wrong = await plain(jo.email, 'wrong')
    assert.deepEqual(await plain('nobody@example.com', 'wrong'), wrong)
    for (let time = 0; time < 4; time++) await plain(jo.email, 'wrong')
    assert.deepEqual(await plain(jo.email, jo.password), wrong)
    assert.ok(await signIn(house.url, administrator))
  })

  await context.test('AK1: how often a key was used, and when last, is known when the house has closed', async () => {
    const endedAt = Date.now()
    assert.equal(await house.stop(), 0)
    const shown = await run(keyCommand, ['show', used.id, '--json', '--data', house.dataDir, ...config])
    const facts = JSON.parse(shown.out) as { useCount: number; lastUsedAt: string; lastUsedAddress: string }
    const at = Date.parse(facts.lastUsedAt)
    assert.equal(facts.useCount, 2)
    assert.match(facts.lastUsedAddress, /^127\.1\./)
    assert.ok(at >= beganAt && at <= endedAt)
  })
})

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** A key as it is shown when it is made. */
interface KeyFacts {
  readonly id: string
  readonly key: string
  readonly name: string
  readonly permissions: readonly string[]
  readonly created_at: string
  readonly expires_at: string
  readonly use_count: number
}

async function answerOf(request: string | Request, init?: RequestInit): Promise<Answer> {
  const answer = await fetch(request, init)
  return { status: answer.status, body: (await answer.json()) as Answer['body'] }
}

/** Over a connection of its own. */
async function callWith(url: string, connect: SecureContextOptions): Promise<Answer> {
  const dispatcher = new Agent({ connect })
  const answer = await request(url, { dispatcher })
  const body = (await answer.body.json()) as Answer['body']
  await dispatcher.close()
  return { status: answer.statusCode, body }
}

function json(method: string, body: object, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

async function bearerOf(url: string, who: typeof jo): Promise<Record<string, string>> {
  return { authorization: `Bearer ${(await signIn(url, who)).access_token}` }
}

/** Puts the end of a key an hour earlier. */
async function anHourLater(dataDir: string, id: string): Promise<void> {
  const { db, close } = await openStore(`sqlite:${dataDir}/gatehouse.db`)
  await db
    .updateTable('api_keys')
    .set(({ eb }) => ({ expires_at: eb('expires_at', '-', 3_600_000) }))
    .where('id', '=', id)
    .execute()
  await close()
}
