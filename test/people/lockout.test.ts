import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { testClock } from '../support/clock.ts'
import { bearer, goodPassword, type PeopleHouse, startPeople, totpCode } from '../support/people.ts'

const email = 'ada@people.example'
const minute = 60_000
type Rules = NonNullable<NonNullable<Config['identity']>['lockout']>

/** Peers are believed about who they speak for, so that a test has as many addresses as it likes. */
const listen = { trustedProxies: ['127.0.0.1'] }

function from(address: string): Readonly<Record<string, string>> {
  return { 'x-forwarded-for': address }
}

function signIn(
  house: PeopleHouse,
  password: string,
  address = '192.0.2.1',
  more: object = {},
): ReturnType<PeopleHouse['api']> {
  return house.api('POST', '/api/auth/login', { email, password, ...more }, from(address))
}

async function fail(house: PeopleHouse, times: number, address = '192.0.2.1'): Promise<void> {
  for (let time = 0; time < times; time++) assert.equal((await signIn(house, `wrong ${time}`, address)).status, 401)
}

test('ID3 L: 5 failures in 15 minutes lock the pair of name and address, and no other', async (context) => {
  const clock = testClock()
  const lockout: Rules = [{ per: 'pair', failures: 5, within: '15m', for: '15m' }]
  const house = await startPeople(context, { listen, identity: { lockout } }, { clock })
  await house.newcomer(email)
  await fail(house, 5)
  assert.equal((await signIn(house, goodPassword)).status, 401, 'locked')
  assert.equal((await signIn(house, goodPassword, '192.0.2.2')).status, 200, 'from another address')
  clock.advance(15 * minute + 1_000)
  assert.equal((await signIn(house, goodPassword)).status, 200, 'time unlocks')
})

test('ID3 A: 5 failures in 5 minutes lock the account for 30, from everywhere', async (context) => {
  const clock = testClock()
  const lockout: Rules = [{ per: 'account', failures: 5, within: '5m', for: '30m' }]
  const house = await startPeople(context, { listen, identity: { lockout } }, { clock })
  await house.newcomer(email)
  for (let address = 1; address <= 5; address++) await fail(house, 1, `192.0.2.${address}`)
  assert.equal((await signIn(house, goodPassword, '192.0.2.99')).status, 401)
  clock.advance(29 * minute)
  assert.equal((await signIn(house, goodPassword, '192.0.2.99')).status, 401)
  clock.advance(2 * minute)
  assert.equal((await signIn(house, goodPassword, '192.0.2.99')).status, 200)
})

test('ID3 E: 5 failures in an hour of a user from an address block the address, and the owner is written to', async (context) => {
  const clock = testClock()
  const lockout: Rules = [{ per: 'pair', failures: 5, within: '1h', locks: 'address', for: '1h', notify: true }]
  const house = await startPeople(context, { listen, identity: { lockout } }, { clock })
  await house.newcomer(email)
  const before = (await house.letters(email)).length
  await fail(house, 5)
  assert.equal((await house.letters(email)).length, before + 1)
  await house.newcomer('bob@people.example')
  const bob = { email: 'bob@people.example', password: goodPassword }
  assert.equal(
    (await house.api('POST', '/api/auth/login', bob, from('192.0.2.1'))).status,
    401,
    'the address is blocked for all',
  )
  assert.equal((await house.api('POST', '/api/auth/login', bob, from('192.0.2.2'))).status, 200)
})

test('ID3 C: 5 failures in 5 minutes raise suspicious activity and lock nobody out', async (context) => {
  const lockout: Rules = [{ per: 'account', failures: 5, within: '5m' }]
  const house = await startPeople(context, { listen, identity: { lockout } })
  const { user } = await house.newcomer(email)
  await fail(house, 5)
  const raised = (await house.events()).filter(({ type }) => type === 'security_incident')
  assert.deepEqual(
    raised.map(({ action, resource }) => [action, resource.id]),
    [['brute-force', user.id]],
  )
  assert.equal((await signIn(house, goodPassword)).status, 200)
})

test('ID3: a success clears the counter', async (context) => {
  const lockout: Rules = [{ per: 'pair', failures: 5, within: '15m', for: '15m' }]
  const house = await startPeople(context, { listen, identity: { lockout } })
  await house.newcomer(email)
  for (let round = 0; round < 3; round++) {
    await fail(house, 4)
    assert.equal((await signIn(house, goodPassword)).status, 200)
  }
})

test('ID3: guesses at the same moment are no more than guesses one after another', async (context) => {
  const lockout: Rules = [{ per: 'pair', failures: 5, within: '15m', for: '15m' }]
  const house = await startPeople(context, { listen, identity: { lockout } })
  await house.newcomer(email)
  const guesses = Array.from({ length: 24 }, (_, index) => signIn(house, `wrong guess ${index}`))
  for (const { status } of await Promise.all(guesses)) assert.equal(status, 401)
  const checked = (await house.events()).filter(
    ({ action, result, details }) =>
      action === 'sign-in' && result === 'failure' && details['because'] === 'credentials-invalid',
  )
  assert.equal(checked.length, 5)
})

test('A41: strangers cannot lock the owner out of a device that is known', async (context) => {
  const lockout: Rules = [{ per: 'account', failures: 5, within: '5m', for: '30m' }]
  const house = await startPeople(context, { listen, identity: { lockout } })
  const { device_token } = await house.newcomer(email)
  for (let address = 1; address <= 8; address++) await fail(house, 1, `198.51.100.${address}`)
  assert.equal((await signIn(house, goodPassword)).status, 401, 'an unknown device is locked out')
  assert.equal((await signIn(house, goodPassword, '192.0.2.1', { device_token })).status, 200)
  for (let time = 0; time < 5; time++) await signIn(house, 'wrong', '192.0.2.1', { device_token })
  assert.equal(
    (await signIn(house, goodPassword, '192.0.2.1', { device_token })).status,
    401,
    'a known device may not guess for ever either',
  )
  const forged = `${device_token.slice(0, -2)}xx`
  assert.equal((await signIn(house, goodPassword, '192.0.2.77', { device_token: forged })).status, 401)
})

test('ID2, A40: unknown, wrong and locked read alike, byte for byte but for the request id', async (context) => {
  const lockout: Rules = [{ per: 'pair', failures: 5, within: '15m', for: '15m' }]
  const house = await startPeople(context, { listen, identity: { lockout } })
  await house.newcomer(email)
  const wrong = await signIn(house, 'wrong')
  await fail(house, 5)
  const locked = await signIn(house, goodPassword)
  const unknown = await house.api(
    'POST',
    '/api/auth/login',
    { email: 'nobody@people.example', password: 'wrong' },
    from('192.0.2.9'),
  )
  const plain = ({ status, body }: typeof wrong): unknown => ({ status, ...body, request_id: '' })
  assert.deepEqual(plain(locked), plain(wrong))
  assert.deepEqual(plain(unknown), plain(wrong))
})

test('ID3, A52: an address of IPv6 counts with its whole /64', async (context) => {
  const lockout: Rules = [{ per: 'pair', failures: 5, within: '15m', for: '15m' }]
  const house = await startPeople(context, { listen, identity: { lockout } })
  await house.newcomer(email)
  for (let host = 1; host <= 5; host++) await fail(house, 1, `2001:db8:1:2::${host}`)
  assert.equal((await signIn(house, goodPassword, '2001:db8:1:2::ffff')).status, 401)
  assert.equal((await signIn(house, goodPassword, '2001:db8:1:3::1')).status, 200)
})

test('A42: the codes of a second factor are guarded by the same counters', async (context) => {
  const clock = testClock(Date.now())
  const lockout: Rules = [{ per: 'account', failures: 5, within: '5m', for: '30m' }]
  const house = await startPeople(context, { listen, identity: { lockout } }, { clock })
  const tokens = await house.newcomer(email)
  const begun = await house.api('POST', '/api/auth/mfa/totp', undefined, bearer(tokens))
  const secret = String(begun.body['secret'])
  const confirm = { code: totpCode(secret, clock.now()) }
  assert.equal((await house.api('POST', '/api/auth/mfa/totp/confirm', confirm, bearer(tokens))).status, 200)
  clock.advance(60_000)
  for (let guess = 0; guess < 5; guess++) {
    // A new sign-in for each: a fresh challenge brings no fresh guesses.
    const { challenge } = (await signIn(house, goodPassword)).body
    const right = totpCode(secret, clock.now())
    const wrong = right === '000000' ? '000001' : '000000'
    assert.equal(
      (await house.api('POST', '/api/auth/login/totp', { challenge, code: wrong }, from('192.0.2.1'))).status,
      401,
    )
  }
  const { challenge } = (await signIn(house, goodPassword)).body
  const locked = await house.api(
    'POST',
    '/api/auth/login/totp',
    { challenge, code: totpCode(secret, clock.now()) },
    from('192.0.2.1'),
  )
  assert.deepEqual([locked.status, locked.body['code']], [401, 'factor-invalid'])
})

test('ID3: letters are no way to flood somebody', async (context) => {
  const clock = testClock()
  const house = await startPeople(context, { listen }, { clock })
  await house.newcomer(email)
  clock.advance(60 * minute)
  const ask = async (times: number): Promise<number> => {
    const before = (await house.letters(email)).length
    for (let time = 0; time < times; time++)
      assert.equal((await house.api('POST', '/api/auth/password/forgot', { email }, from('192.0.2.1'))).status, 202)
    return (await house.letters(email)).length - before
  }
  assert.equal(await ask(12), 5)
  assert.equal((await signIn(house, goodPassword)).status, 200, 'and nobody is locked out by them')
  clock.advance(60 * minute)
  assert.equal(await ask(1), 1, 'nor is an owner ever kept from one')
})

test('ID1: failures are recorded with the account that was aimed at, and never with what was typed', async (context) => {
  const house = await startPeople(context, { listen })
  const { user } = await house.newcomer(email)
  await signIn(house, 'a guess that nobody should read')
  const failure = (await house.events()).findLast(({ action, result }) => action === 'sign-in' && result === 'failure')
  assert.equal(failure?.resource.id, user.id)
  assert.equal(failure?.actor.id, 'anonymous')
  assert.ok(!JSON.stringify(await house.events()).includes('a guess that nobody'))
})
