import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearer, goodPassword, publicUrl, startPeople } from '../support/people.ts'

const ada = { email: 'ada@people.example', name: 'Ada', password: goodPassword }

test('ID8: an account is there once its address has answered, and not before', async (context) => {
  const house = await startPeople(context)
  const asked = await house.api('POST', '/api/auth/register', ada)
  assert.equal(asked.status, 202)
  assert.equal((await house.api('POST', '/api/auth/login', { email: ada.email, password: ada.password })).status, 401)
  const verified = await house.api('POST', '/api/auth/email/verify', { token: await house.token(ada.email) })
  assert.equal(verified.status, 200)
  const signedIn = await house.api('POST', '/api/auth/login', { email: ada.email, password: ada.password })
  assert.equal(signedIn.status, 200)
  const me = await house.api('GET', '/api/auth/me', undefined, bearer(signedIn.body as { access_token: string }))
  assert.deepEqual([me.body['email'], me.body['email_verified'], me.body['roles']], [ada.email, true, ['user']])
})

test('ID8: a link is good once, by two callers at the same moment too', async (context) => {
  const house = await startPeople(context)
  await house.api('POST', '/api/auth/register', ada)
  const token = await house.token(ada.email)
  const both = await Promise.all([1, 2].map(() => house.api('POST', '/api/auth/email/verify', { token })))
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 400])
  const again = await house.api('POST', '/api/auth/email/verify', { token })
  assert.deepEqual([again.status, again.body['code']], [400, 'link-invalid'])
})

test('A40: registering a taken address reads like a new one, and its owner hears of it', async (context) => {
  const house = await startPeople(context)
  await house.newcomer(ada.email)
  const fresh = await house.api('POST', '/api/auth/register', { ...ada, email: 'bob@people.example' })
  const taken = await house.api('POST', '/api/auth/register', { ...ada, password: 'some other long password' })
  assert.deepEqual([taken.status, taken.body], [fresh.status, fresh.body])
  const letter = (await house.letters(ada.email)).at(-1) ?? ''
  assert.ok(!letter.includes('token='), 'a letter about a taken address carries no token')
  assert.equal(
    (await house.api('POST', '/api/auth/login', { email: ada.email, password: 'some other long password' })).status,
    401,
  )
})

test('A44: links are made of the configured address, whatever Host and X-Forwarded-Host say', async (context) => {
  const house = await startPeople(context)
  await house.api('POST', '/api/auth/register', ada, {
    'x-forwarded-host': 'evil.example',
    forwarded: 'host=evil.example',
  })
  const letter = (await house.letters(ada.email)).at(-1) ?? ''
  assert.match(letter, new RegExp(`${publicUrl}/auth/verify\\?token=`))
  assert.ok(!letter.includes('evil.example'))
})

test('A55: fields that only the server sets are an error, never ignored and never taken', async (context) => {
  const house = await startPeople(context)
  for (const extra of [
    { roles: ['admin'] },
    { id: 'x' },
    { verified: true },
    { email_verified: true },
    { status: 'active' },
  ]) {
    const refused = await house.api('POST', '/api/auth/register', { ...ada, ...extra })
    assert.equal(refused.status, 422)
    assert.deepEqual(refused.body['errors'], { [Object.keys(extra)[0] ?? '']: ['is not a known field'] })
  }
  assert.deepEqual(await house.letters(), [])
})

test('CT1: username and e-mail address are held to their limits, field by field', async (context) => {
  const house = await startPeople(context, { identity: { username: 'required' } })
  for (const [username, good] of [
    ['ab', false],
    ['abc', true],
    ['a_B-9'.padEnd(20, 'x'), true],
    ['x'.repeat(21), false],
    ['a b', false],
    ['ä-b-c', false],
    ["rob'; drop", false],
  ] as const) {
    const answer = await house.api('POST', '/api/auth/register', { ...ada, username })
    assert.equal(answer.status, good ? 202 : 422, username)
    if (!good) assert.deepEqual(Object.keys(answer.body['errors'] as object), ['username'])
  }
  assert.deepEqual(Object.keys((await house.api('POST', '/api/auth/register', ada)).body['errors'] as object), [
    'username',
  ])
  const both = await house.api('POST', '/api/auth/register', {
    email: 'nowhere',
    name: '',
    password: 'short',
    username: 'x',
  })
  assert.deepEqual(Object.keys(both.body['errors'] as object).toSorted(), ['name', 'username'])
  const deep = await house.api('POST', '/api/auth/register', {
    ...ada,
    email: 'no at sign',
    username: 'fine',
    password: 'short',
  })
  assert.deepEqual(Object.keys(deep.body['errors'] as object).toSorted(), ['email', 'password'])
})

test('a username signs in like the address does, in any letter case', async (context) => {
  const house = await startPeople(context, { identity: { username: 'optional' } })
  await house.api('POST', '/api/auth/register', { ...ada, username: 'Ada_L' })
  await house.api('POST', '/api/auth/email/verify', { token: await house.token(ada.email) })
  for (const username of ['ada_l', 'ADA_L'])
    assert.equal((await house.api('POST', '/api/auth/login', { username, password: ada.password })).status, 200)
  const taken = await house.api('POST', '/api/auth/register', {
    ...ada,
    email: 'eve@people.example',
    username: 'ADA_l',
  })
  assert.equal(taken.status, 202)
  const second = await house.api('POST', '/api/auth/email/verify', { token: await house.token('eve@people.example') })
  assert.deepEqual([second.status, second.body['code']], [409, 'conflict'])
})

test('A47: of several registrations of one address, the link that is opened decides, and the others are void', async (context) => {
  const house = await startPeople(context)
  await house.api('POST', '/api/auth/register', { ...ada, password: 'the attacker chose this one' })
  const planted = await house.token(ada.email)
  await house.api('POST', '/api/auth/register', ada)
  const own = await house.token(ada.email)
  assert.notEqual(own, planted)
  assert.equal((await house.api('POST', '/api/auth/email/verify', { token: own })).status, 200)
  assert.equal((await house.api('POST', '/api/auth/email/verify', { token: planted })).status, 400)
  assert.equal(
    (await house.api('POST', '/api/auth/login', { email: ada.email, password: 'the attacker chose this one' })).status,
    401,
  )
})

test('a closed house registers nobody, and says so', async (context) => {
  const house = await startPeople(context, { identity: { registration: 'closed' } })
  const refused = await house.api('POST', '/api/auth/register', ada)
  assert.deepEqual([refused.status, refused.body['code']], [403, 'registration-closed'])
})

test('without proof of addresses an account is there at once, and a taken address is a conflict', async (context) => {
  const house = await startPeople(context, { identity: { verification: 'none' } })
  assert.equal((await house.api('POST', '/api/auth/register', ada)).status, 201)
  assert.equal((await house.api('POST', '/api/auth/register', ada)).status, 409)
  const both = await Promise.all(
    [1, 2, 3].map(() => house.api('POST', '/api/auth/register', { ...ada, email: 'eve@people.example' })),
  )
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [201, 409, 409])
})

test('ID8: a link has an end', async (context) => {
  const { testClock } = await import('../support/clock.ts')
  const clock = testClock()
  const house = await startPeople(context, {}, { clock })
  await house.api('POST', '/api/auth/register', ada)
  const token = await house.token(ada.email)
  clock.advance(86_400_000)
  assert.equal((await house.api('POST', '/api/auth/email/verify', { token })).status, 400)
})
