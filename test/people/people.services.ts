// What two callers at the same moment must not get out of the door, over the locks of PostgreSQL.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { bearer, goodPassword, startPeople, totpCode } from '../support/people.ts'
import { throwAwaySchema } from '../support/postgres.ts'

const email = 'ada@people.example'

suite('people, on PostgreSQL', () => {
  test('ID8: a link is good once, by eight callers at the same moment', async (context) => {
    const house = await startPeople(context, { store: await throwAwaySchema() })
    await house.api('POST', '/api/auth/register', { email, name: 'Ada', password: goodPassword })
    const token = await house.token(email)
    const all = await Promise.all(
      Array.from({ length: 8 }, () => house.api('POST', '/api/auth/email/verify', { token })),
    )
    assert.deepEqual(all.map(({ status }) => status).toSorted(), [200, ...Array(7).fill(400)])
    await house.api('POST', '/api/auth/password/forgot', { email })
    const reset = await house.token(email)
    const passwords = Array.from({ length: 6 }, (_, index) => `another long password ${index}`)
    const resets = await Promise.all(
      passwords.map((password) => house.api('POST', '/api/auth/password/reset', { token: reset, password })),
    )
    assert.deepEqual(resets.map(({ status }) => status).toSorted(), [200, ...Array(5).fill(400)])
  })

  test('of eight that register one address at once without proof, one has it', async (context) => {
    const house = await startPeople(context, {
      store: await throwAwaySchema(),
      identity: { verification: 'none', username: 'optional' },
    })
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        house.api('POST', '/api/auth/register', {
          email: index < 4 ? email : `ada${index}@people.example`,
          name: 'Ada',
          username: 'ada_l',
          password: goodPassword,
        }),
      ),
    )
    assert.deepEqual(all.map(({ status }) => status).toSorted(), [201, ...Array(7).fill(409)])
  })

  test('ID3: guesses at the same moment are no more than guesses one after another', async (context) => {
    const house = await startPeople(context, {
      store: await throwAwaySchema(),
      identity: { lockout: [{ per: 'pair', failures: 5, within: '15m', for: '15m' }] },
    })
    await house.newcomer(email)
    await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        house.api('POST', '/api/auth/login', { email, password: `wrong ${index}` }),
      ),
    )
    const checked = (await house.events()).filter(
      ({ action, details }) => action === 'sign-in' && details['because'] === 'credentials-invalid',
    )
    assert.equal(checked.length, 5)
    assert.equal((await house.api('POST', '/api/auth/login', { email, password: goodPassword })).status, 401)
  })

  test('A43: a code and a recovery code are each good once', async (context) => {
    const house = await startPeople(context, { store: await throwAwaySchema() })
    const tokens = await house.newcomer(email)
    const begun = await house.api('POST', '/api/auth/mfa/totp', undefined, bearer(tokens))
    const secret = String(begun.body['secret'])
    const at = Date.now()
    const confirmed = await house.api(
      'POST',
      '/api/auth/mfa/totp/confirm',
      { code: totpCode(secret, at) },
      bearer(tokens),
    )
    const [recovery] = confirmed.body['recovery_codes'] as string[]
    const challenge = async (): Promise<unknown> =>
      (await house.api('POST', '/api/auth/login', { email, password: goodPassword })).body['challenge']
    const challenges = [await challenge(), await challenge(), await challenge()]
    const code = totpCode(secret, at + 30_000)
    const codes = await Promise.all(
      challenges.map((each) => house.api('POST', '/api/auth/login/totp', { challenge: each, code })),
    )
    assert.equal(codes.filter(({ status }) => status === 200).length, 1)
    const more = [await challenge(), await challenge(), await challenge()]
    const uses = await Promise.all(
      more.map((each) => house.api('POST', '/api/auth/login/recovery-code', { challenge: each, code: recovery })),
    )
    assert.equal(uses.filter(({ status }) => status === 200).length, 1)
  })

  test('A48: of step-ups of one session at the same moment, one goes on with it', async (context) => {
    const house = await startPeople(context, { store: await throwAwaySchema() })
    const tokens = await house.newcomer(email)
    const all = await Promise.all(
      [1, 2, 3].map(() => house.api('POST', '/api/auth/step-up', { password: goodPassword }, bearer(tokens))),
    )
    assert.deepEqual(all.map(({ status }) => status).toSorted(), [200, 401, 401])
  })

  test('A49: accounts are paged and found, sessions listed and ended', async (context) => {
    const house = await startPeople(context, { store: await throwAwaySchema() }, { roles: ['admin'] })
    const admin = { access_token: await house.signIn() }
    const ada = await house.newcomer(email)
    const found = await house.api('GET', '/api/admin/users?match=ADA%40people&limit=1', undefined, bearer(admin))
    assert.equal((found.body['users'] as unknown[]).length, 1)
    const shown = await house.api('GET', `/api/admin/users/${ada.user.id}`, undefined, bearer(admin))
    assert.equal((shown.body['sessions'] as unknown[]).length, 1)
    assert.equal((await house.api('DELETE', '/api/auth/sessions', undefined, bearer(ada))).body['ended'], 1)
    for (const odd of ['%00', 'a%00b'])
      assert.ok(
        [400, 404, 422].includes(
          (await house.api('GET', `/api/admin/users?match=${odd}`, undefined, bearer(admin))).status,
        ),
      )
    for (const odd of ['nul\u0000@people.example', '\ud800@people.example'])
      assert.ok([401, 422].includes((await house.api('POST', '/api/auth/login', { email: odd, password: 'x' })).status))
  })
})
