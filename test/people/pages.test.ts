import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goodPassword, type PeopleHouse, startPeople } from '../support/people.ts'

const email = 'ada@people.example'

function send(
  house: PeopleHouse,
  path: string,
  fields: Readonly<Record<string, string>> | string,
  cookie = '',
): Promise<Response> {
  return fetch(`${house.url}/auth${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: house.url, cookie },
    body: typeof fields === 'string' ? fields : new URLSearchParams(fields),
  })
}

test('every page is a page also where it refuses, under a policy without anything inline', async (context) => {
  const house = await startPeople(context)
  for (const [path, status] of [
    ['/sign-in', 200],
    ['/register', 200],
    ['/forgot', 200],
    ['/reset?token=x', 200],
    ['/verify?token=x', 400],
    ['/invitation?token=x', 400],
    ['/login/nobody', 404],
    ['/callback/nobody', 401],
  ] as const) {
    const response = await fetch(`${house.url}/auth${path}`, { redirect: 'manual' })
    const text = await response.text()
    assert.equal(response.status, status, path)
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/, path)
    assert.match(text, /<h1>/)
    const policy = response.headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'.*form-action 'self'.*frame-ancestors 'none'/)
    assert.ok(!policy.includes('unsafe'))
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.equal(response.headers.get('x-frame-options'), 'DENY')
  }
})

test('the pages speak the language of whoever reads them', async (context) => {
  const house = await startPeople(context)
  const spoken = async (language: string): Promise<string> =>
    /<html lang="([\w-]+)"/.exec(
      await (await fetch(`${house.url}/auth/sign-in`, { headers: { 'accept-language': language } })).text(),
    )?.[1] ?? ''
  assert.deepEqual([await spoken('de-CH,en;q=0.5'), await spoken('fr'), await spoken('')], ['de', 'en', 'en'])
})

test('the stylesheet and the script have names of their own and are kept', async (context) => {
  const house = await startPeople(context)
  const page = await (await fetch(`${house.url}/auth/sign-in`)).text()
  for (const asset of page.match(/\/auth\/assets\/[\w.-]+/g) ?? []) {
    const response = await fetch(`${house.url}${asset}`)
    assert.equal(response.status, 200)
    assert.match(response.headers.get('cache-control') ?? '', /immutable/)
    await response.arrayBuffer()
  }
  assert.equal((page.match(/\/auth\/assets\/[\w.-]+/g) ?? []).length, 2)
})

test('A40: the page reads alike for an unknown account and a wrong password, and keeps what was typed but the password', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(email)
  const read = async (identifier: string): Promise<string> => {
    const response = await send(house, '/sign-in', { identifier, password: 'wrong', return_to: '/notes' })
    assert.equal(response.status, 401)
    return (await response.text()).replaceAll(identifier, 'WHO')
  }
  const known = await read(email)
  assert.equal(known, await read('nobody@people.example'))
  assert.ok(!known.includes('wrong'))
  assert.match(known, /name="return_to" value="\/notes"/)
})

test('nobody is sent elsewhere after signing in', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(email)
  for (const [to, where] of [
    ['/notes?a=1', '/notes?a=1'],
    ['//evil.example', '/auth/account'],
    ['https://evil.example/', '/auth/account'],
    ['/\\evil.example', '/auth/account'],
    ['/\n/evil.example', '/auth/account'],
    ['', '/auth/account'],
  ]) {
    const response = await send(house, '/sign-in', { identifier: email, password: goodPassword, return_to: to ?? '' })
    assert.deepEqual([response.status, response.headers.get('location')], [303, where], to)
  }
})

test('a form that is none, that says a field twice, or that is too large is refused whole', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(email)
  const twice = `identifier=${email}&password=${encodeURIComponent(goodPassword)}&identifier=nobody`
  assert.equal((await send(house, '/sign-in', twice)).status, 400)
  assert.equal((await send(house, '/sign-in', `identifier=${'x'.repeat(70_000)}`)).status, 413)
  const json = await fetch(`${house.url}/auth/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: house.url },
    body: '{}',
  })
  assert.equal(json.status, 415)
})

test('without https a page sets no cookie that no browser would keep, and says why', async (context) => {
  const house = await startPeople(context, { listen: { trustedProxies: ['127.0.0.1'] } })
  await house.newcomer(email)
  const { request } = await import('node:http')
  const signIn = (headers: Record<string, string>): Promise<{ status: number; cookies: number; text: string }> =>
    new Promise((resolve, reject) => {
      const sent = request(
        `${house.url}/auth/sign-in`,
        { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } },
        (response) => {
          let text = ''
          response.on('data', (chunk) => (text += chunk))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, cookies: response.headers['set-cookie']?.length ?? 0, text }),
          )
        },
      )
      sent.on('error', reject)
      sent.end(new URLSearchParams({ identifier: email, password: goodPassword }).toString())
    })
  const plain = await signIn({ host: 'gate.example.com', origin: 'http://gate.example.com' })
  assert.deepEqual([plain.status, plain.cookies], [403, 0])
  assert.match(plain.text, /https/i)
  const behind = await signIn({
    host: 'gate.example.com',
    origin: 'https://gate.example.com',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '192.0.2.1',
  })
  assert.deepEqual([behind.status, behind.cookies], [303, 2])
})

test('A47: the link alone confirms no registration: the password that was chosen does', async (context) => {
  const house = await startPeople(context)
  await house.api('POST', '/api/auth/register', { email, name: 'Ada', password: goodPassword })
  const token = await house.token(email)
  const page = await fetch(`${house.url}/auth/verify?token=${token}`)
  assert.match(await page.text(), /name="password"/)
  assert.equal((await send(house, '/verify', { token, password: 'somebody else reads this' })).status, 422)
  const entered = await send(house, '/verify', { token, password: goodPassword })
  assert.deepEqual([entered.status, entered.headers.get('location')], [303, '/auth/account'])
})

test('A51: no GET of a page changes anything', async (context) => {
  const house = await startPeople(context)
  await house.api('POST', '/api/auth/register', { email, name: 'Ada', password: goodPassword })
  const token = await house.token(email)
  for (let time = 0; time < 3; time++)
    assert.equal((await fetch(`${house.url}/auth/verify?token=${token}`)).status, 200)
  assert.equal((await send(house, '/verify', { token, password: goodPassword })).status, 303)
  const cookie = (await send(house, '/sign-in', { identifier: email, password: goodPassword })).headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  for (const path of ['/sign-out', '/account', '/account/totp', '/account/sessions/end-others', '/step-up'])
    await (await fetch(`${house.url}/auth${path}`, { headers: { cookie }, redirect: 'manual' })).arrayBuffer()
  assert.equal((await fetch(`${house.url}/api/auth/me`, { headers: { cookie } })).status, 200)
})

test('A50: what proves a person is changed after a recent sign-in only, and the page leads there and back', async (context) => {
  const { testClock } = await import('../support/clock.ts')
  const clock = testClock()
  const house = await startPeople(context, {}, { clock })
  await house.newcomer(email)
  const cookies = (response: Response): string =>
    response.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ')
  const cookie = cookies(await send(house, '/sign-in', { identifier: email, password: goodPassword }))
  clock.advance(11 * 60_000)
  const stale = await send(house, '/account/totp', {}, cookie)
  assert.deepEqual([stale.status, stale.headers.get('location')], [303, '/auth/step-up?return_to=%2Fauth%2Faccount'])
  const wrong = await send(house, '/step-up', { password: 'wrong' }, cookie)
  assert.equal(wrong.status, 401)
  const fresh = await send(house, '/step-up', { password: goodPassword }, cookie)
  assert.equal(fresh.status, 303)
  assert.notEqual(cookies(fresh), cookie, 'a new id at step-up (A48)')
  assert.equal(
    (await send(house, '/account/totp', {}, cookie)).headers.get('location'),
    '/auth/sign-in?return_to=%2Fauth%2Faccount',
  )
  assert.equal((await send(house, '/account/totp', {}, cookies(fresh))).status, 200)
})
