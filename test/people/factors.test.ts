import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TestClock, testClock } from '../support/clock.ts'
import { bearer, goodPassword, type PeopleHouse, startPeople, type Tokens, totpCode } from '../support/people.ts'

const email = 'ada@people.example'

interface Enrolled {
  readonly house: PeopleHouse
  readonly clock: TestClock
  readonly tokens: Tokens
  readonly secret: string
  readonly recoveryCodes: readonly string[]
  code(): string
}

/** Somebody with an authenticator app. */
async function enrolled(context: Parameters<typeof startPeople>[0]): Promise<Enrolled> {
  const clock = testClock(Date.UTC(2026, 5, 1))
  const house = await startPeople(context, {}, { clock })
  const tokens = await house.newcomer(email)
  const begun = await house.api('POST', '/api/auth/mfa/totp', undefined, bearer(tokens))
  assert.equal(begun.status, 201)
  const secret = String(begun.body['secret'])
  const code = (): string => totpCode(secret, clock.now())
  const confirmed = await house.api('POST', '/api/auth/mfa/totp/confirm', { code: code() }, bearer(tokens))
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body))
  clock.advance(60_000)
  return { house, clock, tokens, secret, code, recoveryCodes: confirmed.body['recovery_codes'] as string[] }
}

async function challenge(house: PeopleHouse): Promise<string> {
  const half = await house.api('POST', '/api/auth/login', { email, password: goodPassword })
  assert.deepEqual([half.status, half.body['code']], [401, 'second-factor-required'])
  assert.ok(!('access_token' in half.body))
  return String(half.body['challenge'])
}

test('ID7, A45: an enrolled app is asked for, and its code completes the sign-in as multi-factor', async (context) => {
  const { house, code } = await enrolled(context)
  const half = await house.api('POST', '/api/auth/login', { email, password: goodPassword })
  assert.deepEqual(half.body['methods'], ['totp', 'recovery-code'])
  assert.equal(half.body['expires_in'], 600)
  const done = await house.api('POST', '/api/auth/login/totp', { challenge: half.body['challenge'], code: code() })
  assert.equal(done.status, 200)
  const claims = JSON.parse(Buffer.from(String(done.body['access_token']).split('.')[1] ?? '', 'base64url').toString())
  assert.deepEqual([claims.acr, claims.amr], ['aal2', ['pwd', 'otp', 'mfa']])
})

test('A43: a code is good once, by two callers at the same moment too', async (context) => {
  const { house, code } = await enrolled(context)
  const [one, two] = [await challenge(house), await challenge(house)]
  const both = await Promise.all(
    [one, two].map((each) => house.api('POST', '/api/auth/login/totp', { challenge: each, code: code() })),
  )
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 401])
})

test('a challenge is good once, until a moment, and for its own account alone', async (context) => {
  const { house, clock, code, recoveryCodes } = await enrolled(context)
  const first = await challenge(house)
  assert.equal((await house.api('POST', '/api/auth/login/totp', { challenge: first, code: code() })).status, 200)
  clock.advance(60_000)
  assert.equal((await house.api('POST', '/api/auth/login/totp', { challenge: first, code: code() })).status, 401)
  const second = await challenge(house)
  clock.advance(600_000)
  assert.equal((await house.api('POST', '/api/auth/login/totp', { challenge: second, code: code() })).status, 401)
  const body = { challenge: 'x'.repeat(43), code: recoveryCodes[0] }
  assert.equal((await house.api('POST', '/api/auth/login/recovery-code', body)).status, 401)
})

test('ID7, A43: a recovery code stands in for the app, once', async (context) => {
  const { house, recoveryCodes } = await enrolled(context)
  assert.equal(recoveryCodes.length, 10)
  const use = async (): Promise<number> =>
    (
      await house.api('POST', '/api/auth/login/recovery-code', {
        challenge: await challenge(house),
        code: recoveryCodes[3],
      })
    ).status
  assert.equal(await use(), 200)
  assert.equal(await use(), 401)
})

test('A49: with a new factor the other sessions end; the app can be removed again, and the owner hears of both', async (context) => {
  const { house, tokens, code } = await enrolled(context)
  const other = (await house.api('POST', '/api/auth/login/totp', { challenge: await challenge(house), code: code() }))
    .body as unknown as Tokens
  const removed = await house.api('DELETE', '/api/auth/mfa/totp', undefined, bearer(tokens))
  assert.equal(removed.status, 200)
  assert.equal((await house.api('GET', '/api/auth/me', undefined, bearer(other))).status, 401)
  assert.equal((await house.api('POST', '/api/auth/login', { email, password: goodPassword })).status, 200)
  assert.deepEqual((await house.api('GET', '/api/auth/mfa', undefined, bearer(tokens))).body, {
    totp: false,
    passkeys: 0,
    recovery_codes_left: 0,
  })
  assert.equal((await house.letters(email)).length, 3)
})

test('ID7: a wrong first code enrols nothing, and the sign-in goes on without it', async (context) => {
  const house = await startPeople(context)
  const tokens = await house.newcomer(email)
  await house.api('POST', '/api/auth/mfa/totp', undefined, bearer(tokens))
  const wrong = await house.api('POST', '/api/auth/mfa/totp/confirm', { code: 'abcdef' }, bearer(tokens))
  assert.deepEqual([wrong.status, Object.keys(wrong.body['errors'] as object)], [422, ['code']])
  assert.equal((await house.api('POST', '/api/auth/login', { email, password: goodPassword })).status, 200)
})

test('A37: beside a second factor a shorter password will do, and then the factor cannot be removed', async (context) => {
  const { house, tokens } = await enrolled(context)
  const body = { current_password: goodPassword, password: 'nine-owls' }
  assert.equal((await house.api('POST', '/api/auth/password', body, bearer(tokens))).status, 200)
  const kept = await house.api('DELETE', '/api/auth/mfa/totp', undefined, bearer(tokens))
  assert.deepEqual([kept.status, kept.body['code']], [409, 'conflict'])
  const plain = await house.newcomer('bob@people.example')
  const refused = await house.api('POST', '/api/auth/password', body, bearer(plain))
  assert.equal(refused.status, 422)
})

test('ID7: a route demands a recent or a stronger sign-in, and says which', async (context) => {
  const clock = testClock(Date.UTC(2026, 5, 1))
  const { startUpstream, mirror } = await import('../support/house.ts')
  const upstream = await startUpstream(context, mirror)
  const house = await startPeople(
    context,
    {
      upstreams: { api: upstream.url },
      routes: [
        { path: '/pay', access: 'authenticated', recent: '5m', to: 'api' },
        { path: '/vault', access: 'authenticated', strength: 'multi-factor', to: 'api' },
      ],
    },
    { clock },
  )
  const tokens = await house.newcomer(email)
  const get = async (path: string, held: { readonly access_token: string }): Promise<unknown[]> => {
    const { status, body, headers } = await house.api('GET', path, undefined, bearer(held))
    return [
      status,
      body['max_age'],
      body['acr_values'],
      headers.get('www-authenticate')?.includes('insufficient_user_authentication'),
    ]
  }
  assert.equal((await get('/pay', tokens))[0], 200)
  clock.advance(5 * 60_000 + 1_000)
  assert.deepEqual(await get('/pay', tokens), [401, 300, undefined, true])
  const again = (await house.api('POST', '/api/auth/step-up', { password: goodPassword }, bearer(tokens)))
    .body as unknown as Tokens
  assert.equal((await get('/pay', again))[0], 200)
  assert.equal((await get('/pay', tokens))[0], 401, 'the old session has ended')
  assert.deepEqual(await get('/vault', again), [401, undefined, ['aal2'], true])
  const begun = await house.api('POST', '/api/auth/mfa/totp', undefined, bearer(again))
  const secret = String(begun.body['secret'])
  await house.api('POST', '/api/auth/mfa/totp/confirm', { code: totpCode(secret, clock.now()) }, bearer(again))
  clock.advance(30_000)
  const strong = await house.api('POST', '/api/auth/step-up', { code: totpCode(secret, clock.now()) }, bearer(again))
  assert.equal(strong.status, 200)
  assert.equal((await get('/vault', strong.body as unknown as Tokens))[0], 200)
})

test('A48: of two step-ups of one session at the same moment, one goes on with it', async (context) => {
  const house = await startPeople(context)
  const tokens = await house.newcomer(email)
  const both = await Promise.all(
    [1, 2].map(() => house.api('POST', '/api/auth/step-up', { password: goodPassword }, bearer(tokens))),
  )
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 401])
})

test('a step-up body says one proof, and names what is wrong with it', async (context) => {
  const house = await startPeople(context)
  const tokens = await house.newcomer(email)
  for (const body of [
    {},
    { password: 'a', code: '123456' },
    { challenge: 'x' },
    { credential: {} },
    { password: goodPassword, extra: 1 },
  ])
    assert.equal((await house.api('POST', '/api/auth/step-up', body, bearer(tokens))).status, 422, JSON.stringify(body))
})
