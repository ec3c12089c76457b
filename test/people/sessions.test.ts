import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testClock } from '../support/clock.ts'
import { mirror, startUpstream } from '../support/house.ts'
import { bearer, goodPassword, type PeopleHouse, startPeople, type Tokens } from '../support/people.ts'

const email = 'ada@people.example'

/** Signs in by the hosted form, as a browser without scripts does, and answers its cookies. */
async function byForm(house: PeopleHouse, password = goodPassword): Promise<string> {
  const response = await fetch(`${house.url}/auth/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: house.url },
    body: new URLSearchParams({ identifier: email, password }),
  })
  assert.equal(response.status, 303, await response.text())
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')
}

test('ID5: the cookie is for this host alone, out of the reach of scripts, and for a while', async (context) => {
  const house = await startPeople(context, { identity: { session: { idle: '1h', absolute: '1h' } } })
  await house.newcomer(email)
  const response = await fetch(`${house.url}/auth/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: house.url },
    body: new URLSearchParams({ identifier: email, password: goodPassword }),
  })
  const cookie = response.headers.getSetCookie().find((each) => each.startsWith('__Host-gatehouse='))
  const [, ...flags] = (cookie ?? '').split('; ')
  assert.deepEqual(flags.toSorted(), ['HttpOnly', 'Max-Age=3600', 'Path=/', 'SameSite=Strict', 'Secure'])
})

test('ID5: a person sees where they are signed in, and ends one, the others, or all; on the next request', async (context) => {
  const house = await startPeople(context)
  const first = await house.newcomer(email)
  const login = async (agent: string): Promise<Tokens> =>
    (await house.api('POST', '/api/auth/login', { email, password: goodPassword }, { 'user-agent': agent }))
      .body as unknown as Tokens
  const second = await login('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')
  const third = await login('curl/8.0')
  const list = async (tokens: Tokens): Promise<{ id: string; device: string; address: string; current: boolean }[]> =>
    (await house.api('GET', '/api/auth/sessions', undefined, bearer(tokens))).body['sessions'] as never
  const seen = await list(first)
  assert.equal(seen.length, 3)
  assert.deepEqual(seen.filter(({ current }) => current).length, 1)
  const firefox = seen.find(({ device }) => device === 'Firefox on Linux')
  assert.equal(firefox?.address, '127.0.0.1')
  const alive = async (tokens: Tokens): Promise<boolean> =>
    (await house.api('GET', '/api/auth/me', undefined, bearer(tokens))).status === 200
  assert.equal((await house.api('DELETE', `/api/auth/sessions/${firefox?.id}`, undefined, bearer(first))).status, 200)
  assert.deepEqual([await alive(first), await alive(second), await alive(third)], [true, false, true])
  assert.equal((await house.api('DELETE', '/api/auth/sessions/others', undefined, bearer(first))).body['ended'], 1)
  assert.deepEqual([await alive(first), await alive(third)], [true, false])
  assert.equal((await house.api('DELETE', '/api/auth/sessions', undefined, bearer(first))).body['ended'], 1)
  assert.equal(await alive(first), false)
})

test('A57: another person’s session is not there to be ended', async (context) => {
  const house = await startPeople(context)
  const ada = await house.newcomer(email)
  const bob = await house.newcomer('bob@people.example')
  const { sessions } = (await house.api('GET', '/api/auth/sessions', undefined, bearer(ada))).body as {
    sessions: { id: string }[]
  }
  const refused = await house.api('DELETE', `/api/auth/sessions/${sessions[0]?.id}`, undefined, bearer(bob))
  assert.equal(refused.status, 404)
  assert.equal((await house.api('GET', '/api/auth/me', undefined, bearer(ada))).status, 200)
})

test('ID5, A51: with a cookie, what changes something comes from a page of our own', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const house = await startPeople(context, {
    upstreams: { api: upstream.url },
    cors: { origins: ['https://app.example.com'], credentials: true },
    routes: [{ path: '/notes', access: 'authenticated', to: 'api' }],
  })
  await house.newcomer(email)
  const cookie = await byForm(house)
  const send = async (method: string, headers: Record<string, string>): Promise<number> =>
    (await fetch(`${house.url}/notes`, { method, headers: { cookie, ...headers } })).status
  assert.equal(await send('GET', {}), 200, 'reading changes nothing')
  for (const [why, headers, status] of [
    ['own origin', { origin: house.url }, 200],
    ['own page, by Fetch Metadata', { 'sec-fetch-site': 'same-origin' }, 200],
    ['an origin that CORS trusts', { origin: 'https://app.example.com', 'sec-fetch-site': 'cross-site' }, 200],
    ['another origin', { origin: 'https://evil.example' }, 403],
    ['another origin that ends like ours', { origin: `${house.url}.evil.example` }, 403],
    ['an opaque origin', { origin: 'null' }, 403],
    ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a sibling host', { 'sec-fetch-site': 'same-site' }, 403],
    ['nothing said', {}, 403],
  ] as const)
    assert.equal(await send('POST', headers), status, why)
  const refused = await fetch(`${house.url}/notes`, { method: 'DELETE', headers: { cookie } })
  assert.equal(((await refused.json()) as { code: string }).code, 'cross-site')
})

test('A51: forms of the hosted pages take nothing from another site, signed in or not', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(email)
  const response = await fetch(`${house.url}/auth/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example' },
    body: new URLSearchParams({ identifier: email, password: goodPassword }),
  })
  assert.equal(response.status, 403)
  assert.deepEqual(response.headers.getSetCookie(), [])
  assert.match(response.headers.get('content-type') ?? '', /text\/html/)
})

test('our cookies stay with us: the upstream sees the others only', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const house = await startPeople(context, {
    upstreams: { api: upstream.url },
    routes: [{ path: '/notes', access: 'authenticated', to: 'api' }],
  })
  await house.newcomer(email)
  const cookie = await byForm(house)
  const seen = (await (
    await fetch(`${house.url}/notes`, { headers: { cookie: `a=1; ${cookie}; theme=dark` } })
  ).json()) as {
    headers: Record<string, string>
  }
  assert.equal(seen.headers['cookie'], 'a=1; theme=dark')
  assert.ok(seen.headers['x-gatehouse-user'])
  const alone = (await (await fetch(`${house.url}/notes`, { headers: { cookie } })).json()) as {
    headers: Record<string, string>
  }
  assert.equal(alone.headers['cookie'], undefined)
})

test('ID5, A48: a session ends idle, and it ends in any case', async (context) => {
  const clock = testClock()
  const house = await startPeople(context, { identity: { session: { idle: '30m', absolute: '2h' } } }, { clock })
  await house.newcomer(email)
  const alive = async (cookie: string): Promise<boolean> =>
    (await fetch(`${house.url}/api/auth/me`, { headers: { cookie } })).status === 200
  const idle = await byForm(house)
  clock.advance(29 * 60_000)
  assert.ok(await alive(idle))
  clock.advance(30 * 60_000)
  assert.ok(!(await alive(idle)))
  const busy = await byForm(house)
  for (let passed = 0; passed < 110; passed += 10) {
    assert.ok(await alive(busy), `after ${passed} minutes`)
    clock.advance(10 * 60_000)
  }
  clock.advance(10 * 60_000)
  assert.ok(!(await alive(busy)))
})

test('ID5: signing out takes the cookie back and ends the session at the server', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(email)
  const cookie = await byForm(house)
  const out = await fetch(`${house.url}/api/auth/logout`, { method: 'POST', headers: { cookie, origin: house.url } })
  assert.equal(out.status, 200)
  assert.match(out.headers.getSetCookie().join(), /__Host-gatehouse=;.*Max-Age=0/)
  assert.equal((await fetch(`${house.url}/api/auth/me`, { headers: { cookie } })).status, 401)
})

test('ID5: the store keeps no cookie, and a changed one is nobody’s', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(email)
  const cookie = await byForm(house)
  const value = /__Host-gatehouse=([^;]+)/.exec(cookie)?.[1] ?? ''
  assert.match(value, /^gh_se_/)
  const rows = JSON.stringify(await house.house.store.db.selectFrom('sessions').selectAll().execute())
  assert.ok(!rows.includes(value.split('.')[1] ?? ''))
  for (const forged of [
    `${value}x`,
    value.slice(0, -1),
    value.replace('gh_se_', 'gh_rt_'),
    `${value}; __Host-gatehouse=${value}`,
    '',
  ])
    assert.equal(
      (await fetch(`${house.url}/api/auth/me`, { headers: { cookie: `__Host-gatehouse=${forged}` } })).status,
      401,
    )
})
