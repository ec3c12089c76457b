import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as client from 'openid-client'
import type { Config } from '../../src/config/settings.ts'
import { testClock } from '../support/clock.ts'
import { type OauthHouse, scopes, startOauth } from '../support/oauth.ts'
import type { Stop, Walker } from '../support/walker.ts'

const television: Config = {
  oauth: {
    scopes,
    clients: [
      {
        id: 'television',
        name: 'Television',
        grants: ['device_code', 'refresh_token'],
        scopes: ['widgets:read', 'widgets:write'],
      },
      { id: 'radio', name: 'Radio', grants: ['device_code'], scopes: ['widgets:read'] },
    ],
  },
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, string>>
}

async function post(house: OauthHouse, path: string, form: Readonly<Record<string, string>>): Promise<Answer> {
  const answer = await fetch(`${house.issuer}/oauth${path}`, {
    method: 'POST',
    headers: { 'user-agent': 'Television/1.0 (Linux)' },
    body: new URLSearchParams(form),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, string> }
}

const begin = (house: OauthHouse, scope = 'widgets:read'): Promise<Answer> =>
  post(house, '/device', { client_id: 'television', scope })

const poll = (house: OauthHouse, code: string | undefined, id = 'television'): Promise<Answer> =>
  post(house, '/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: id,
    device_code: code ?? '',
  })

async function bring(walker: Walker, code: string | undefined): Promise<Stop> {
  const page = await walker.go('/auth/device')
  assert.equal(page.status, 200, page.text)
  return walker.send(page, { user_code: code ?? '' }, '/auth/device')
}

test('OA4: openid-client connects a device: its person types the code, sees who asks, and it gets its tokens', async (context) => {
  const house = await startOauth(context, television)
  const config = await house.discover('television')
  const begun = await client.initiateDeviceAuthorization(config, { scope: 'widgets:read' })
  assert.match(
    begun.user_code,
    /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/,
    'A28: unambiguous, above 20 bits',
  )
  assert.equal(begun.verification_uri, `${house.issuer}/auth/device`)
  const walker = await house.person()
  const polling = client.pollDeviceAuthorizationGrant(config, begun, undefined, { signal: AbortSignal.timeout(30_000) })
  const asked = await bring(walker, begun.user_code.toLowerCase().replace('-', ' '))
  assert.match(asked.text, /Television/)
  assert.match(asked.text, /See your widgets/)
  assert.match(asked.text, /127\.0\.0\.1|::1/)
  const done = await walker.send(asked, { decision: 'allow' }, '/auth/device')
  assert.match(done.text, /The device is connected/)
  const tokens = await polling
  const called = await fetch(`${house.issuer}/widgets`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  assert.equal(called.status, 200)
  await called.body?.cancel()
  const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
  assert.equal(next.scope, 'widgets:read')
})

test('A28: a device that asks too often is told to slow down, and none before its person has answered gets anything', async (context) => {
  const clock = testClock(Date.now())
  const house = await startOauth(context, television, { clock })
  const { body } = await begin(house)
  assert.equal((await poll(house, body['device_code'])).body['error'], 'authorization_pending')
  assert.equal((await poll(house, body['device_code'])).body['error'], 'slow_down')
  clock.advance(5_000)
  assert.equal((await poll(house, body['device_code'])).body['error'], 'authorization_pending')
  clock.advance(5_000)
  assert.equal((await poll(house, body['device_code'], 'radio')).body['error'], 'invalid_grant', 'another client’s')
  clock.advance(600_000)
  assert.equal((await poll(house, body['device_code'])).body['error'], 'expired_token')
})

test('A28: an answer counts once, and a code that was answered is worth nothing', async (context) => {
  const clock = testClock(Date.now())
  const house = await startOauth(context, television, { clock })
  const walker = await house.person()
  const { body } = await begin(house)
  const asked = await bring(walker, body['user_code'])
  const denied = await walker.send(asked, { decision: 'deny' }, '/auth/device')
  assert.match(denied.text, /turned away/)
  const again = await walker.send(asked, { decision: 'allow' }, '/auth/device')
  assert.equal(again.status, 422)
  assert.equal((await poll(house, body['device_code'])).body['error'], 'access_denied')
  assert.equal((await bring(walker, body['user_code'])).status, 422)
  const events = await house.events()
  assert.ok(events.some(({ type, action }) => type === 'consent' && action === 'client-deny'))
})

test('A28: tokens are handed out once, also to a device that asks twice at one moment', async (context) => {
  const clock = testClock(Date.now())
  const house = await startOauth(context, television, { clock })
  const walker = await house.person()
  const { body } = await begin(house)
  await walker.send(await bring(walker, body['user_code']), { decision: 'allow' }, '/auth/device')
  const answers = await Promise.all(Array.from({ length: 8 }, () => poll(house, body['device_code'])))
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  clock.advance(5_000)
  assert.equal((await poll(house, body['device_code'])).body['error'], 'invalid_grant')
})

test('A42: codes of devices are not there to be guessed: after a few wrong ones no right one is taken', async (context) => {
  const house = await startOauth(context, television)
  const walker = await house.person()
  const { body } = await begin(house)
  for (let guess = 0; guess < 12; guess++) assert.equal((await bring(walker, `BCDF-GH${guess}J`)).status, 422)
  assert.equal((await bring(walker, body['user_code'])).status, 422)
})

test('a code in the address is only typed in: it is asked about, and by nobody who is not signed in', async (context) => {
  const house = await startOauth(context, television)
  const { body } = await begin(house)
  const walker = await house.person()
  const page = await walker.go(body['verification_uri_complete'] ?? '')
  assert.match(page.text, new RegExp(`value="${body['user_code']}"`))
  const sent = { user_code: body['user_code'] ?? '' }
  assert.match((await walker.send(page, sent, '/auth/device')).text, /only if the device is in front of you/)
  const { Walker: Stranger } = await import('../support/walker.ts')
  const door = await new Stranger(house.issuer).go(body['verification_uri_complete'] ?? '')
  assert.equal(door.url.pathname, '/auth/sign-in')
})
