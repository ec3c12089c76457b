// AU5: what pages and apps report is remembered as their word, and proves nothing.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { AuditEvent } from '../../src/audit/event.ts'
import { sessionCookie } from '../../src/gate/cookie-names.ts'
import { detectionOptions } from '../../src/incident/detection/options.ts'
import { person, startHouse, type TestHouse } from '../support/house.ts'
import { eventOf, findingsIn } from './events.ts'
import { countsIn, recordOf } from './reading.ts'

async function report(
  { url }: TestHouse,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
  const response = await fetch(`${url}/api/monitoring/security-events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'App/1.0', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> }
}

async function reportsIn(house: TestHouse): Promise<readonly AuditEvent[]> {
  return (await recordOf(house)).flatMap(({ event }) => (event.type === 'client_report' ? [event] : []))
}

const open = (context: TestContext): Promise<TestHouse> => startHouse(context, {})

test('AU5: a report is remembered with the address, the time and the account, which are not for it to say', async (context) => {
  const house = await open(context)
  const before = Date.now()
  const said = { type: 'sign_in_failed', success: false, details: { screen: 'login', tries: 3 } }
  const answer = await report(house, said)
  assert.deepEqual([answer.status, answer.body], [202, { status: 'recorded', count: 1 }])
  const token = await house.signIn()
  await report(house, { type: 'biometric', success: true }, { authorization: `Bearer ${token}` })
  const [first, second] = await reportsIn(house)
  assert.deepEqual(
    [first?.actor, first?.address, first?.result, first?.user_agent, first?.details, first?.private],
    [
      { id: 'anonymous', type: 'anonymous' },
      '127.0.0.1',
      'failure',
      'App/1.0',
      { kind: 'sign_in_failed' },
      { screen: 'login', tries: 3 },
    ],
  )
  assert.ok((first?.at ?? 0) >= before && (first?.at ?? 0) <= Date.now())
  const account = await house.house.accounts.byIdentifier(house.house.store.db, person.email)
  assert.deepEqual([second?.actor, second?.result], [{ id: account?.id, type: 'user' }, 'success'])
  for (const more of [{ at: 0 }, { address: '192.0.2.1' }, { actor: { id: 'bob' } }, { user_id: 'bob' }])
    assert.equal((await report(house, { ...said, ...more })).status, 422)
})

test('AU5: up to fifty events come at once, all or none of them', async (context) => {
  const house = await open(context)
  const events = Array.from({ length: 50 }, (_, index) => ({ type: `event.${index}`, success: true }))
  assert.deepEqual((await report(house, { events })).body, { status: 'recorded', count: 50 })
  assert.equal((await reportsIn(house)).length, 50)
  for (const wrong of [[], [...events, ...events], [...events.slice(1), { type: 'Event', success: true }]])
    assert.equal((await report(house, { events: wrong })).status, 422)
  assert.equal((await reportsIn(house)).length, 50)
})

test('AU5: what is too large, too deep or of another form is refused with its place', async (context) => {
  const house = await open(context)
  const good = { type: 'x', success: true }
  for (const [body, at] of [
    [{ ...good, type: 'x'.repeat(65) }, 'events.0.type'],
    [{ ...good, type: 'a\nb' }, 'events.0.type'],
    [{ ...good, success: 'yes' }, 'events.0.success'],
    [{ ...good, details: { a: 'x'.repeat(257) } }, 'events.0.details.a'],
    [{ ...good, details: { a: { b: 1 } } }, 'events.0.details.a'],
    [{ ...good, details: { '1': 1 } }, 'events.0.details.1'],
    [
      { ...good, details: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`a${index}`, 1])) },
      'events.0.details',
    ],
    [
      {
        ...good,
        details: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`a${index}`, '€'.repeat(250)])),
      },
      'events.0.details',
    ],
  ] as const) {
    const answer = await report(house, body)
    assert.equal(answer.status, 422, at)
    assert.ok(
      Object.keys(answer.body['errors'] as object).includes(at),
      `${at}: ${JSON.stringify(answer.body['errors'])}`,
    )
  }
  assert.equal((await report(house, '[]')).status, 422)
  assert.deepEqual(await reportsIn(house), [])
  const odd = '{"type":"x","success":true,"details":{"__proto__":1,"constructor":2}}'
  assert.equal((await report(house, odd)).status, 202)
  assert.deepEqual((await reportsIn(house))[0]?.private, { constructor: 2 })
})

test('DP4: secrets in a report are struck out before they are remembered', async (context) => {
  const house = await open(context)
  const details = { password: 'hunter2 hunter2', access_token: 'abc', note: 'sent Bearer abcdefghijkl there' }
  assert.equal((await report(house, { type: 'leak', success: false, details })).status, 202)
  const [event] = await reportsIn(house)
  assert.deepEqual(event?.private, {
    access_token: '[redacted]',
    note: 'sent Bearer [redacted] there',
    password: '[redacted]',
  })
  const named = { type: 'gh_at_abcdefghijklmnop', success: false, details: { gh_at_abcdefghijklmnop: 1 } }
  assert.equal((await report(house, named)).status, 202)
  const other = (await reportsIn(house)).at(-1)
  assert.deepEqual([other?.details['kind'], other?.private], ['[redacted]', { '[redacted]': 1 }])
})

test('AU5: who reports more than the limit allows is told to wait, and other people are not', async (context) => {
  const house = await startHouse(context, { limits: { reports: { limit: 2, window: '1h', by: ['principal', 'ip'] } } })
  const event = { type: 'x', success: true }
  assert.deepEqual([(await report(house, event)).status, (await report(house, event)).status], [202, 202])
  assert.equal((await report(house, event)).status, 429)
  assert.equal((await report(house, event, { authorization: `Bearer ${await house.signIn()}` })).status, 202)
})

test('AU5: a page of another site cannot report in somebody’s name, and one of our own can', async (context) => {
  const house = await open(context)
  const { accounts, people, store } = house.house
  const account = await accounts.byIdentifier(store.db, person.email)
  const proof = { methods: ['password' as const], at: Date.now() }
  const { cookie } = await store.transaction((trx) =>
    people.browsers.open(trx, account?.id ?? '', { address: '', userAgent: '' }, proof),
  )
  const from = (origin: string): ReturnType<typeof report> =>
    report(house, { type: 'x', success: true }, { origin, cookie: `${sessionCookie}=${cookie}` })
  await from('https://evil.example')
  assert.equal((await from(house.url)).status, 202)
  assert.deepEqual(
    (await reportsIn(house)).map(({ actor }) => actor.id),
    ['anonymous', account?.id],
  )
})

test('AU6: a liar who reports failed sign-ins of somebody else finds no one guilty', async (context) => {
  const house = await open(context)
  const account = await house.house.accounts.byIdentifier(house.house.store.db, person.email)
  const lie = {
    type: 'brute-force',
    success: false,
    details: { user: account?.id, because: 'credentials-invalid', lacks: 'users:manage' },
  }
  for (let count = 0; count < 10; count++) await report(house, { events: [lie, lie, lie, lie, lie] })
  assert.equal((await reportsIn(house)).length, 50)
  assert.deepEqual(await countsIn(house), {})
})

test('AU6: a rule about reports acts on nobody, and cannot be about anything else', () => {
  const rule = {
    kind: 'count',
    type: 'reported',
    title: 'Pages report trouble',
    severity: 'low',
    when: { type: 'client_report' },
    by: 'address',
    threshold: 1,
    window: '1m',
  } as const
  const lie = eventOf({
    type: 'client_report',
    action: 'reported',
    at: 0,
    by: 'eve',
    details: { kind: 'x', session: 'session-1', credential: 'api-key key-1' },
  })
  const [finding] = findingsIn({ presets: [], rules: { x: rule } }, [lie])
  assert.deepEqual(finding?.targets, [])
  for (const [more, path] of [
    [{ targets: ['actor'] }, 'rules.x.targets'],
    [{ when: { type: ['client_report', 'authentication'] } }, 'rules.x.when'],
    [{ when: [{ type: 'client_report' }, { type: 'authentication' }] }, 'rules.x.when'],
  ] as const) {
    const parsed = detectionOptions.safeParse({ presets: [], rules: { x: { ...rule, ...more } as never } })
    assert.deepEqual(
      parsed.error?.issues.map(({ path }) => path.join('.')),
      [path],
    )
  }
})
