import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearer, goodPassword, startPeople, totpCode } from '../support/people.ts'

const email = 'ada@people.example'
const other = 'eleven green harbours sing'

test('ID8, A49: a reset takes the new password, ends every session, and signs nobody in', async (context) => {
  const house = await startPeople(context)
  const tokens = await house.newcomer(email)
  assert.equal((await house.api('POST', '/api/auth/password/forgot', { email })).status, 202)
  const token = await house.token(email)
  const reset = await house.api('POST', '/api/auth/password/reset', { token, password: other })
  assert.deepEqual([reset.status, 'access_token' in reset.body], [200, false])
  assert.equal((await house.api('GET', '/api/auth/me', undefined, bearer(tokens))).status, 401)
  const { refresh_token } = tokens
  assert.equal((await house.api('POST', '/api/auth/token/refresh', { refresh_token })).status, 401)
  assert.equal((await house.api('POST', '/api/auth/login', { email, password: goodPassword })).status, 401)
  assert.equal((await house.api('POST', '/api/auth/login', { email, password: other })).status, 200)
  assert.equal((await house.api('POST', '/api/auth/password/reset', { token, password: goodPassword })).status, 400)
})

test('A40: asking for a reset reads alike for known and unknown addresses', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(email)
  const known = await house.api('POST', '/api/auth/password/forgot', { email })
  const unknown = await house.api('POST', '/api/auth/password/forgot', { email: 'nobody@people.example' })
  assert.deepEqual([unknown.status, unknown.body], [known.status, known.body])
  assert.equal((await house.letters('nobody@people.example')).length, 0)
})

test('ID8: of two resets with one link at the same moment one happens; a newer link voids the older', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(email)
  await house.api('POST', '/api/auth/password/forgot', { email })
  const first = await house.token(email)
  await house.api('POST', '/api/auth/password/forgot', { email })
  const second = await house.token(email)
  assert.equal((await house.api('POST', '/api/auth/password/reset', { token: first, password: other })).status, 400)
  const both = await Promise.all(
    [other, `${other} too`].map((password) =>
      house.api('POST', '/api/auth/password/reset', { token: second, password }),
    ),
  )
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 400])
})

test('ID8: a refused password leaves the link as it was', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(email)
  await house.api('POST', '/api/auth/password/forgot', { email })
  const token = await house.token(email)
  const refused = await house.api('POST', '/api/auth/password/reset', { token, password: 'short' })
  assert.deepEqual([refused.status, Object.keys(refused.body['errors'] as object)], [422, ['password']])
  assert.equal((await house.api('POST', '/api/auth/password/reset', { token, password: other })).status, 200)
})

test('ID8: what the store keeps of a link opens nothing', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(email)
  await house.api('POST', '/api/auth/password/forgot', { email })
  const token = await house.token(email)
  const rows = await house.house.store.db.selectFrom('tickets').selectAll().execute()
  assert.ok(!JSON.stringify(rows).includes(token))
  for (const { hash } of rows)
    assert.notEqual((await house.api('POST', '/api/auth/password/reset', { token: hash, password: other })).status, 200)
})

test('A45: a reset does not go round the second factor', async (context) => {
  const house = await startPeople(context)
  const tokens = await house.newcomer(email)
  const begun = await house.api('POST', '/api/auth/mfa/totp', undefined, bearer(tokens))
  const code = totpCode(String(begun.body['secret']), Date.now())
  assert.equal((await house.api('POST', '/api/auth/mfa/totp/confirm', { code }, bearer(tokens))).status, 200)
  await house.api('POST', '/api/auth/password/forgot', { email })
  await house.api('POST', '/api/auth/password/reset', { token: await house.token(email), password: other })
  const half = await house.api('POST', '/api/auth/login', { email, password: other })
  assert.deepEqual([half.status, half.body['code']], [401, 'second-factor-required'])
})

test('A49: changing the password wants the old one, ends the other sessions, and writes to the owner', async (context) => {
  const house = await startPeople(context)
  const elsewhere = await house.newcomer(email)
  const here = (await house.api('POST', '/api/auth/login', { email, password: goodPassword })).body as {
    access_token: string
  }
  const wrong = await house.api(
    'POST',
    '/api/auth/password',
    { current_password: other, password: other },
    bearer(here),
  )
  assert.deepEqual([wrong.status, Object.keys(wrong.body['errors'] as object)], [422, ['current_password']])
  const body = { current_password: goodPassword, password: other }
  assert.equal((await house.api('POST', '/api/auth/password', body, bearer(here))).status, 200)
  assert.equal((await house.api('GET', '/api/auth/me', undefined, bearer(here))).status, 200)
  assert.equal((await house.api('GET', '/api/auth/me', undefined, bearer(elsewhere))).status, 401)
  assert.match((await house.letters(email)).at(-1) ?? '', /password/i)
})

test('A50: a new address answers before it counts, and the old one is told', async (context) => {
  const house = await startPeople(context)
  const tokens = await house.newcomer(email)
  const moved = 'ada@elsewhere.example'
  assert.equal((await house.api('POST', '/api/auth/email', { email: moved }, bearer(tokens))).status, 202)
  const emailNow = async (): Promise<unknown> =>
    (await house.api('GET', '/api/auth/me', undefined, bearer(tokens))).body['email']
  assert.equal(await emailNow(), email)
  const token = await house.token(moved)
  assert.equal(
    (await house.api('POST', '/api/auth/email/verify', { token })).status,
    401,
    'whoever reads the letter need not be who asked',
  )
  const other = await house.newcomer('bob@people.example')
  assert.equal((await house.api('POST', '/api/auth/email/verify', { token }, bearer(other))).status, 401)
  assert.equal((await house.api('POST', '/api/auth/email/verify', { token }, bearer(tokens))).status, 200)
  assert.equal(await emailNow(), moved)
  assert.match((await house.letters(email)).at(-1) ?? '', /address/i)
})

test('A50: an old sign-in changes no address: the challenge says how recent it must be', async (context) => {
  const { testClock } = await import('../support/clock.ts')
  const clock = testClock()
  const house = await startPeople(context, {}, { clock })
  const tokens = await house.newcomer(email)
  clock.advance(11 * 60_000)
  const refused = await house.api('POST', '/api/auth/email', { email: 'x@people.example' }, bearer(tokens))
  assert.deepEqual([refused.status, refused.body['code'], refused.body['max_age']], [401, 'step-up-required', 600])
  assert.match(refused.headers.get('www-authenticate') ?? '', /error="insufficient_user_authentication".*max_age="600"/)
  const again = await house.api('POST', '/api/auth/step-up', { password: goodPassword }, bearer(tokens))
  assert.equal(again.status, 200)
  assert.equal((await house.api('POST', '/api/auth/email', { email: 'x@people.example' }, bearer(tokens))).status, 401)
  const fresh = again.body as { access_token: string }
  assert.equal((await house.api('POST', '/api/auth/email', { email: 'x@people.example' }, bearer(fresh))).status, 202)
})

test('a house without mail says that it sends no letters, to everybody alike', async (context) => {
  const house = await startPeople(context, { identity: { registration: 'closed' }, mail: undefined } as never)
  for (const address of ['ada@example.com', 'nobody@people.example']) {
    const answer = await house.api('POST', '/api/auth/password/forgot', { email: address })
    assert.deepEqual([answer.status, answer.body['code']], [503, 'unavailable'])
  }
})
