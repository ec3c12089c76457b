import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testClock } from '../support/clock.ts'
import { bearer, goodPassword, startPeople, type Tokens, totpCode } from '../support/people.ts'

const email = 'ada@people.example'
const other = 'eleven green harbours sing'

test('A49: a reset ends a change of address that somebody else has begun', async (context) => {
  const house = await startPeople(context)
  const stolen = await house.newcomer(email)
  await house.api('POST', '/api/auth/email', { email: 'evil@people.example' }, bearer(stolen))
  const planted = await house.token('evil@people.example')
  await house.api('POST', '/api/auth/password/forgot', { email })
  await house.api('POST', '/api/auth/password/reset', { token: await house.token(email), password: other })
  const owner = (await house.api('POST', '/api/auth/login', { email, password: other })).body as unknown as Tokens
  assert.equal((await house.api('POST', '/api/auth/email/verify', { token: planted }, bearer(owner))).status, 400)
})

test('A49: a password that was checked before a reset opens no session after it', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(email)
  for (let round = 0; round < 3; round++) {
    const [old, next] = round % 2 === 0 ? [goodPassword, other] : [other, goodPassword]
    await house.api('POST', '/api/auth/password/forgot', { email })
    const token = await house.token(email)
    const reset = house.api('POST', '/api/auth/password/reset', { token, password: next })
    const signIns = Array.from({ length: 4 }, () => house.api('POST', '/api/auth/login', { email, password: old }))
    assert.equal((await reset).status, 200)
    for (const { status, body } of await Promise.all(signIns)) {
      if (status !== 200) continue
      const { refresh_token } = body
      assert.equal((await house.api('POST', '/api/auth/token/refresh', { refresh_token })).status, 401)
    }
  }
})

test('A41: a device that was known before a reset is a stranger after it', async (context) => {
  const lockout = [{ per: 'account' as const, failures: 5, within: '5m', for: '30m' }]
  const house = await startPeople(context, { identity: { lockout } })
  const { device_token } = await house.newcomer(email)
  await house.api('POST', '/api/auth/password/forgot', { email })
  await house.api('POST', '/api/auth/password/reset', { token: await house.token(email), password: other })
  for (let time = 0; time < 5; time++) await house.api('POST', '/api/auth/login', { email, password: 'wrong' })
  assert.equal((await house.api('POST', '/api/auth/login', { email, password: other, device_token })).status, 401)
})

test('A45: where there is a second factor, a password alone makes no sign-in fresh', async (context) => {
  const clock = testClock(Date.UTC(2026, 5, 1))
  const house = await startPeople(context, {}, { clock })
  const tokens = await house.newcomer(email)
  const begun = await house.api('POST', '/api/auth/mfa/totp', undefined, bearer(tokens))
  const secret = String(begun.body['secret'])
  await house.api('POST', '/api/auth/mfa/totp/confirm', { code: totpCode(secret, clock.now()) }, bearer(tokens))
  clock.advance(11 * 60_000)
  assert.equal(
    (await house.api('DELETE', '/api/auth/mfa/totp', undefined, bearer(tokens))).body['code'],
    'step-up-required',
  )
  assert.equal((await house.api('POST', '/api/auth/step-up', { password: goodPassword }, bearer(tokens))).status, 401)
  const code = totpCode(secret, clock.now())
  assert.equal((await house.api('POST', '/api/auth/step-up', { code }, bearer(tokens))).status, 200)
})

test('an invitation does not outlive the rights of whoever invited', async (context) => {
  const house = await startPeople(context, { roles: { user: { permissions: [] } } }, { roles: ['admin'] })
  const root = { access_token: await house.signIn() }
  const { user } = await house.newcomer('mallory@people.example')
  const { accounts, store } = house.house
  await accounts.setRoles(store.db, user.id, ['admin'])
  const mallory = (await house.api('POST', '/api/auth/login', { email: user.email, password: goodPassword }))
    .body as unknown as Tokens
  await house.api('POST', '/api/admin/users', { email, roles: ['admin'] }, bearer(mallory))
  const token = await house.token(email)
  assert.equal((await house.api('PUT', `/api/admin/users/${user.id}/roles`, { roles: [] }, bearer(root))).status, 200)
  const late = await house.api('POST', '/api/auth/invitation', { token, password: goodPassword })
  assert.deepEqual([late.status, late.body['code']], [400, 'link-invalid'])
})

test('CVE-2025-61928: nobody acts for somebody whom they name in a body', async (context) => {
  const house = await startPeople(context)
  const ada = await house.newcomer(email)
  const bob = await house.newcomer('bob@people.example')
  for (const extra of [{ userId: ada.user.id }, { user_id: ada.user.id }, { sub: ada.user.id }]) {
    const body = { current_password: goodPassword, password: other, ...extra }
    assert.equal((await house.api('POST', '/api/auth/password', body, bearer(bob))).status, 422)
  }
  assert.equal((await house.api('POST', '/api/auth/login', { email, password: goodPassword })).status, 200)
})

test('a username that was taken meanwhile leaves the link as it was', async (context) => {
  const house = await startPeople(context, { identity: { username: 'optional' } })
  for (const address of [email, 'bob@people.example'])
    await house.api('POST', '/api/auth/register', {
      email: address,
      name: 'A',
      username: 'same',
      password: goodPassword,
    })
  assert.equal((await house.api('POST', '/api/auth/email/verify', { token: await house.token(email) })).status, 200)
  const token = await house.token('bob@people.example')
  for (let twice = 0; twice < 2; twice++)
    assert.equal((await house.api('POST', '/api/auth/email/verify', { token })).status, 409)
})
