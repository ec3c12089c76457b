import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Agent, request } from 'undici'
import { signTimestampPayload } from '../../client/index.ts'
import { command as serviceCommand } from '../../src/cli/service.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { run } from '../../test/cli/in-process.ts'
import { eventually } from '../../test/support/eventually.ts'
import { allow } from '../../test/support/oauth.ts'
import { freePort } from '../../test/support/port.ts'
import { administrator, command, post, type Running, signIn, startProcess } from '../../test/support/process.ts'
import { Walker } from '../../test/support/walker.ts'

const config = ['--config', 'examples/lazi/gatehouse.config.ts']
const lara = { email: 'lara@example.com', password: 'a passphrase of Lara herself' }

test('Lazi', async (context) => {
  // Its tokens are issued in the name of its address, which has to be known beforehand.
  const port = await freePort()
  const house: Running = await startProcess(context, [...config, '--port', String(port)])
  const created = await command(['user', 'create', lara.email, '--role', 'user', '--data', house.dataDir, ...config], {
    GATEHOUSE_USER_PASSWORD: lara.password,
  })
  assert.equal(created.code, 0, created.err)

  await context.test(
    'ID5: a browser’s session is kept at the server, for an hour, behind a cookie of this host',
    async () => {
      const form = await fetch(`${house.url}/auth/sign-in`, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: house.url },
        body: new URLSearchParams({ identifier: lara.email, password: lara.password }),
      })
      assert.equal(form.status, 303)
      const cookie = form.headers.getSetCookie().find((each) => each.startsWith('__Host-gatehouse='))
      const [pair = '', ...flags] = (cookie ?? '').split('; ')
      assert.deepEqual(flags.toSorted(), ['HttpOnly', 'Max-Age=3600', 'Path=/', 'SameSite=Strict', 'Secure'])
      const list = await fetch(`${house.url}/api/auth/sessions`, { headers: { cookie: pair } })
      const { sessions } = (await list.json()) as { sessions: { id: string; current: boolean }[] }
      const [mine] = sessions.filter(({ current }) => current)
      const foreign = await fetch(`${house.url}/api/auth/sessions/${mine?.id}`, {
        method: 'DELETE',
        headers: { cookie: pair, origin: 'https://evil.example' },
      })
      assert.equal(foreign.status, 403)
      const ended = await fetch(`${house.url}/api/auth/sessions/${mine?.id}`, {
        method: 'DELETE',
        headers: { cookie: pair, origin: house.url },
      })
      assert.equal(ended.status, 200)
      assert.equal((await fetch(`${house.url}/api/auth/sessions`, { headers: { cookie: pair } })).status, 401)
    },
  )

  await context.test('TK3: tokens are refreshed where Lazi has always had it', async () => {
    const tokens = await signIn(house.url, lara)
    const refreshed = await post(`${house.url}/public/oauth/token/refresh`, { refresh_token: tokens.refresh_token })
    assert.equal(refreshed.status, 200)
    const answer = (await refreshed.json()) as Record<string, unknown>
    for (const field of ['access_token', 'refresh_token', 'expires_in']) assert.ok(answer[field], field)
  })

  const issuer = house.url.replace('127.0.0.1', 'localhost')
  const verifier = 'a-verifier-that-nobody-guesses-and-that-is-long-enough'
  const redirectUri = 'https://studio.lazi.example/callback'
  const form = async (path: string, fields: Record<string, string>): Promise<{ status: number; body: Tokens }> => {
    const answer = await fetch(`${issuer}/public/oauth${path}`, { method: 'POST', body: new URLSearchParams(fields) })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? {} : JSON.parse(text) }
  }
  /** The whole way of Lazi Studio: it asks, Lara allows, it gets its tokens. */
  const granted = async (walker: Walker, scope: string): Promise<Tokens> => {
    const request = new URL('/public/oauth/authorize', issuer)
    request.search = new URLSearchParams({
      client_id: 'lazi-studio',
      redirect_uri: redirectUri,
      response_type: 'code',
      scope,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }).toString()
    const back = await allow(walker, request)
    const { status, body } = await form('/token', {
      grant_type: 'authorization_code',
      client_id: 'lazi-studio',
      code: back.searchParams.get('code') ?? assert.fail(back.href),
      redirect_uri: redirectUri,
      code_verifier: verifier,
    })
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }
  const lets = async (tokens: Tokens, method: string, path: string, body?: object): Promise<number> => {
    const answer = await fetch(`${house.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${tokens.access_token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    await answer.body?.cancel()
    return answer.status
  }
  const walker = new Walker(issuer)
  const door = await walker.go('/auth/sign-in')
  await walker.send(door, { identifier: lara.email, password: lara.password }, '/auth/sign-in')

  await context.test('OA1, OA3: Lazi Studio is allowed what Lara agrees to, at Lazi’s own paths', async () => {
    const metadata = (await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()) as Record<
      string,
      unknown
    >
    assert.equal(metadata['authorization_endpoint'], `${issuer}/public/oauth/authorize`)
    assert.equal(metadata['token_endpoint'], `${issuer}/public/oauth/token`)
    assert.ok((metadata['scopes_supported'] as string[]).includes('projects:read'))
    const tokens = await granted(walker, 'widgets:read projects:read')
    assert.equal(tokens.scope, 'widgets:read projects:read')
    assert.equal(await lets(tokens, 'GET', '/api/widgets'), 200)
    const next = await form('/token/refresh', {
      client_id: 'lazi-studio',
      refresh_token: tokens.refresh_token ?? '',
    })
    assert.equal(next.status, 200)
    for (const field of ['access_token', 'refresh_token', 'expires_in'] as const) assert.ok(next.body[field], field)
  })

  await context.test('OA2: narrower tokens live side by side, and a route says which scope is missing', async () => {
    const reads = await granted(walker, 'widgets:read')
    const writes = await granted(walker, 'files:write')
    assert.equal(await lets(reads, 'GET', '/api/widgets'), 200)
    assert.equal(await lets(reads, 'PUT', '/api/files/x', {}), 403)
    assert.equal(await lets(writes, 'PUT', '/api/files/x', {}), 200)
    assert.equal(await lets(writes, 'GET', '/api/widgets'), 403)
    const refused = await post(`${house.url}/api/widgets`, { name: 'Clock' }, bearer(reads))
    assert.equal(refused.status, 403)
    assert.match(refused.headers.get('www-authenticate') ?? '', /insufficient_scope.*widgets:write/)
    const problem = (await refused.json()) as { code: string; scope: string }
    assert.deepEqual([problem.code, problem.scope], ['insufficient-scope', 'widgets:write'])
  })

  await context.test('OA2: what Lara may not do herself, no client does for her', async () => {
    const { access_token } = await signIn(house.url, lara)
    assert.equal(await lets({ access_token }, 'DELETE', '/api/widgets/1'), 403)
    const asked = await walker.go(
      `/public/oauth/authorize?${new URLSearchParams({ client_id: 'lazi-studio', redirect_uri: redirectUri, response_type: 'code', scope: 'widgets:admin', code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' })}`,
    )
    assert.equal(asked.url.searchParams.get('error'), 'invalid_scope')
  })

  await context.test('TK5: a client takes its token back, by form and by JSON, with a hint or without', async () => {
    const tokens = await granted(walker, 'widgets:read')
    const revoked = await form('/revoke', {
      client_id: 'lazi-studio',
      token: tokens.access_token ?? '',
      token_type_hint: 'access_token',
    })
    assert.equal(revoked.status, 200)
    assert.equal(await lets(tokens, 'GET', '/api/widgets'), 401)
    const again = await post(`${house.url}/public/oauth/revoke`, {
      client_id: 'lazi-studio',
      token: tokens.refresh_token ?? '',
      token_type_hint: 'refresh_token',
    })
    assert.equal(again.status, 200)
    const dead = await form('/token/refresh', { client_id: 'lazi-studio', refresh_token: tokens.refresh_token ?? '' })
    assert.equal(dead.status, 400)
    const mine = await signIn(house.url, lara)
    const own = await post(`${house.url}/public/oauth/revoke`, { token: mine.refresh_token })
    assert.equal(own.status, 200)
    assert.equal(
      await lets(mine, 'GET', '/api/widgets'),
      401,
      'the tokens of a sign-in are taken back by whoever holds them',
    )
  })

  await context.test('OA1: client credentials and introspection, for a client that keeps a secret', async () => {
    const made = await command([
      'client',
      'create',
      'Reports',
      '--id',
      'lazi-reports',
      '--grant',
      'client_credentials',
      '--scope',
      'projects:read',
      '--data',
      house.dataDir,
      ...config,
    ])
    assert.equal(made.code, 0, made.err)
    const secret = /gh_cs_[\w-]+/.exec(made.out)?.[0] ?? assert.fail(made.out)
    const basic = { authorization: `Basic ${Buffer.from(`lazi-reports:${secret}`).toString('base64')}` }
    const answer = await fetch(`${issuer}/public/oauth/token`, {
      method: 'POST',
      headers: basic,
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const tokens = (await answer.json()) as Tokens
    assert.equal(answer.status, 200, JSON.stringify(tokens))
    assert.equal(await lets(tokens, 'GET', '/api/projects'), 200)
    assert.equal(await lets(tokens, 'GET', '/api/widgets'), 403)
    const asked = await fetch(`${issuer}/public/oauth/introspect`, {
      method: 'POST',
      headers: basic,
      body: new URLSearchParams({ token: tokens.access_token ?? '' }),
    })
    const facts = (await asked.json()) as Record<string, unknown>
    assert.deepEqual([facts['active'], facts['client_id'], facts['scope']], [true, 'lazi-reports', 'projects:read'])
  })

  /** What the runner reports, signed as Lazi signs: `timestamp.hex` over `timestamp.payload`. */
  const report = { run: 'run-7', result: 42, printed: ['hello'] }
  const signedAt = (key: string, ageSeconds = 0): Promise<Request> => {
    const body = JSON.stringify({ ...report, note: `${ageSeconds} s old` })
    const headers = { 'content-type': 'application/json' }
    return signTimestampPayload(new Request(`${house.url}/api/runs/results`, { method: 'POST', headers, body }), {
      key,
      clock: { ...systemClock, now: () => Date.now() - ageSeconds * 1000 },
    })
  }
  const answerOf = async (sent: Request): Promise<readonly [number, string | undefined]> => {
    const answer = await fetch(sent)
    return [answer.status, ((await answer.json()) as { code?: string }).code]
  }
  const made = await run(serviceCommand, [
    ...['create', 'runner', '--permission', 'runs:report', '--data', house.dataDir],
    ...config,
  ])
  const secret = made.out.trim()

  await context.test('AK3: the runner signs its report by `timestamp.hex`, and no report is taken twice', async () => {
    assert.equal(made.code, 0, made.err)
    const known = await eventually(async () => {
      const answer = await fetch(await signedAt(secret))
      return answer.status === 201 ? ((await answer.json()) as { service: string; received: object }) : undefined
    })
    assert.deepEqual([known.service, known.received], ['runner', { ...report, note: '0 s old' }])
    const once = await signedAt(secret, 1)
    const copies = [once, once.clone(), once.clone(), once.clone()]
    assert.match(once.headers.get('x-signature') ?? '', /^\d{10}\.[0-9a-f]{64}$/)
    const statuses = (await Promise.all(copies.map(answerOf))).map(([status]) => status)
    assert.deepEqual(statuses.toSorted(), [201, 401, 401, 401], 'of several at one moment one holds')
  })

  await context.test(
    'AK3: five minutes to either side, the body as it was signed, and the secret of nobody else',
    async () => {
      assert.equal((await answerOf(await signedAt(secret, 297)))[0], 201)
      assert.equal((await answerOf(await signedAt(secret, -297)))[0], 201)
      const changed = await signedAt(secret, 2)
      const signature = changed.headers.get('x-signature') ?? ''
      const withField = async (value: string): Promise<Request> => {
        const copy = await signedAt(secret, 2)
        copy.headers.set('x-signature', value)
        return copy
      }
      const wrong: Record<string, Request> = {
        'too old': await signedAt(secret, 303),
        'too far ahead': await signedAt(secret, -303),
        'another secret': await signedAt(`${secret}.`, 3),
        'another body': new Request(changed, { body: JSON.stringify({ ...report, result: 43 }) }),
        'another time': await withField(signature.replace(/^\d+/, (time) => String(Number(time) + 1))),
        'in capitals': await withField(signature.toUpperCase()),
        'the hex alone': await withField(signature.replace(/^\d+\./, '')),
      }
      for (const [name, sent] of Object.entries(wrong))
        assert.deepEqual(await answerOf(sent), [401, 'signature-invalid'], name)
      assert.equal((await answerOf(await withField(signature)))[0], 201, 'and none of them used it up')
      const { access_token } = await signIn(house.url, administrator)
      const unsigned = await post(`${house.url}/api/runs/results`, report, bearer({ access_token }))
      assert.deepEqual(
        [unsigned.status, ((await unsigned.json()) as { error: string }).error],
        [401, 'Signature required'],
        'an administrator is no runner',
      )
    },
  )

  await context.test('AK6: by CIDR, on the routes that name it; the address is what a trusted proxy says', async () => {
    const { access_token } = await signIn(house.url, administrator)
    const from = async (peer: string, forwardedFor?: string, path = '/api/maintenance/reindex'): Promise<unknown> => {
      const dispatcher = new Agent({ localAddress: peer })
      const headers = {
        ...bearer({ access_token }),
        ...(forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }),
      }
      const answer = await request(house.url + path, { headers, dispatcher })
      const { error } = (await answer.body.json()) as { error?: string }
      await dispatcher.close()
      return error === undefined ? answer.statusCode : `${answer.statusCode} ${error}`
    }
    const refused = '403 IP address not allowed'
    for (const client of ['192.0.2.7', '::ffff:192.0.2.7', '2001:db8:1a21::7', '2001:DB8:1A21:0::7'])
      assert.equal(await from('127.0.0.1', client), 200, client)
    for (const client of ['192.0.3.7', '::ffff:192.0.3.7', '2001:db8:1a22::7', '192.0.2.66', 'unknown'])
      assert.equal(await from('127.0.0.1', client), refused, client)
    assert.equal(await from('127.0.0.1', '198.51.100.1, 192.0.2.7'), 200, 'the rightmost hop is the client')
    assert.equal(
      await from('127.0.0.1', '192.0.2.7, 198.51.100.1'),
      refused,
      'what it says of itself counts for nothing',
    )
    assert.equal(await from('127.0.0.2', '192.0.2.7'), refused, 'nor does the word of a peer that is no proxy of ours')
    assert.equal(await from('127.0.0.1'), refused, 'the proxy itself is not the office')
    assert.equal(await from('127.0.0.1', '198.51.100.1', '/api/widgets'), 200, 'other routes ask nobody where from')
  })

  await context.test(
    'CT1: a widget that fits its schema is let through; one that does not is answered field by field',
    async () => {
      const { access_token } = await signIn(house.url, lara)
      const authorization = { authorization: `Bearer ${access_token}` }
      assert.equal(
        (await post(`${house.url}/api/widgets`, { name: 'Clock - large', size: 'extra_large' }, authorization)).status,
        201,
      )
      const refused = await post(
        `${house.url}/api/widgets`,
        { name: 'Clock!', description: 'x'.repeat(501), size: 'huge' },
        authorization,
      )
      assert.equal(refused.status, 422)
      assert.deepEqual(Object.keys(((await refused.json()) as { errors: object }).errors).toSorted(), [
        'description',
        'name',
        'size',
      ])
    },
  )

  await context.test('ID3 L: 5 failures in 15 minutes of a name from an address lock the pair', async () => {
    for (let time = 0; time < 5; time++)
      assert.equal(
        (await post(`${house.url}/api/auth/login`, { email: lara.email, password: `wrong ${time}` })).status,
        401,
      )
    assert.equal((await post(`${house.url}/api/auth/login`, lara)).status, 401)
    assert.ok(await signIn(house.url, administrator), 'another name from the same address is another pair')
    const unlocked = await command(['user', 'unlock', lara.email, '--data', house.dataDir, ...config])
    assert.equal(unlocked.code, 0, unlocked.err)
    assert.ok(await signIn(house.url, lara))
  })
})

interface Tokens {
  readonly access_token?: string
  readonly refresh_token?: string
  readonly expires_in?: number
  readonly scope?: string
}

function bearer({ access_token }: Tokens): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${access_token}` }
}
