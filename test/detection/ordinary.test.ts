// AU6: ordinary traffic that looks like an attack at first sight, and attacks that look like ordinary traffic.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '../../src/audit/event.ts'
import { failedSignIn, findingsIn, hour, minute, request, rulesIn, signIn } from './events.ts'

const people = (count: number): string[] => Array.from({ length: count }, (_, index) => `user-${index}`)

test('AU6: an office behind one address, where many mistype and then get in, is no spraying', () => {
  const morning = people(60).flatMap((name, index) => [
    failedSignIn(index * minute, name),
    signIn(index * minute + 20_000, name, { address: '203.0.113.9' }),
  ])
  assert.deepEqual(rulesIn({}, morning), [])
})

test('AU6: spraying from within that office is found all the same, also when some of its guesses are right', () => {
  const events = people(12).flatMap((name, index) => {
    const at = index * minute
    return index < 2
      ? [failedSignIn(at, name), signIn(at + 1, name, { address: '203.0.113.9' })]
      : [failedSignIn(at, name)]
  })
  assert.deepEqual(rulesIn({}, events), ['password-spraying'])
})

test('AU6: a large house, where hundreds of people mistype in a quarter of an hour, is not stuffed', () => {
  const events = people(300).flatMap((name, index) => {
    const address = `198.51.${index >> 8}.${index & 255}`
    return [failedSignIn(index * 1_000, name, address), signIn(index * 1_000 + 500, name, { address })]
  })
  assert.deepEqual(rulesIn({}, events), [])
})

test('AU6: people who cancel at their provider are no accounts that do not exist', () => {
  const cancelled = people(30).map(
    (_, index): AuditEvent => ({
      ...failedSignIn(index * 1_000, ''),
      details: { because: 'access_denied', provider: 'google' },
    }),
  )
  assert.deepEqual(rulesIn({}, cancelled), [])
})

test('AU6: an app, a browser and a system that are updated are no new device', () => {
  const updates = [
    [
      'Tasks/5.1.0 (iPhone14,2; iOS 17.5) CFNetwork/1490.0.4 Darwin/23.2.0',
      'Tasks/5.2.0-rc.1 (iPhone15,3; iOS 18.0) CFNetwork/1500 Darwin/24.0.0',
    ],
    ['tasks-cli/3f2a9c1', 'tasks-cli/b07e44d'],
    [
      'Mozilla/5.0 (Linux; Android 13; Pixel 7 Build/TQ3A.230805.001) Chrome/124.0.0.0 Mobile',
      'Mozilla/5.0 (Linux; Android 14; Pixel 7 Build/UP1A.231005.007) Chrome/125.0.6422.72 Mobile',
    ],
  ]
  for (const [before = '', after = ''] of updates)
    assert.deepEqual(
      rulesIn({}, [signIn(0, 'ada', { user_agent: before }), signIn(hour, 'ada', { user_agent: after })]),
      [],
      after,
    )
})

test('AU6: a new device is remembered and opens no incident; where an operator wants one, it does', () => {
  const events = [signIn(0, 'ada', { user_agent: 'Browser/1' }), signIn(hour, 'ada', { user_agent: 'curl/8' })]
  const opens = (config: object): unknown =>
    findingsIn(config, events).map(({ type, incident = true }) => [type, incident])
  assert.deepEqual(opens({}), [['new-device', false]])
  assert.deepEqual(opens({ rules: { 'new-device': { incident: true } } }), [['new-device', true]])
})

test('AU6: a key whose networks change from job to job is told of five times, and then known to roam', () => {
  const jobs = Array.from({ length: 40 }, (_, index) =>
    request(index * 2 * hour, 'robot', { credential: 'api-key key-1' }, `203.0.${index}.7`),
  )
  assert.deepEqual(rulesIn({}, jobs), Array(5).fill('key-from-new-network'))
})

test('AU6: dashboards that poll, with a session that is over or for what is gone, and probes are no finding', () => {
  const everyFiveSeconds = Array.from({ length: 720 }, (_, index) => index * 5_000)
  const polls = (details: AuditEvent['details']): AuditEvent[] => everyFiveSeconds.map((at) => request(at, '', details))
  const before = Array.from({ length: 12 * 60 }, (_, index) => request(index * minute - 12 * hour, 'ada'))
  for (const details of [
    { because: 'authentication-required', status: 401 },
    { because: 'not-found', status: 404, path: '/api/widgets/7' },
    { status: 200, path: '/health' },
  ])
    assert.deepEqual(rulesIn({}, [...before, ...polls(details)]), [], JSON.stringify(details))
})
