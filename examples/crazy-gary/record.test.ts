import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../../test/support/eventually.ts'
import { throwAwayFolder } from '../../test/support/folder.ts'
import { startHouse, type TestHouse } from '../../test/support/house.ts'
import { post, postElsewhere } from '../../test/support/process.ts'
import { eventsSoon, incidentsSoon, member } from '../../test/support/record.ts'
import config from './gatehouse.config.ts'

test('Crazy-Gary: what happened is remembered, sent on, and looked at', async (context) => {
  const path = join(throwAwayFolder(context), 'siem.jsonl')
  const audit = { sinks: [{ kind: 'file' as const, name: 'siem', path }] }
  const house: TestHouse = await startHouse(
    context,
    { ...config, audit, limits: false, store: 'sqlite::memory:' },
    { roles: ['admin'] },
  )
  const token = await house.signIn()
  const authorization = `Bearer ${token}`

  await context.test('AU1: an event says who did what to what, when, from where, and how it ended', async () => {
    const headers = { authorization, 'user-agent': 'gary-cli/2', 'x-request-id': 'not-ours' }
    const answer = await fetch(`${house.url}/api/tasks`, { headers })
    const [event] = await eventsSoon(house.url, token, `request_id=${answer.headers.get('x-request-id')}`)
    assert.ok(event)
    const { id, at, actor, resource, details, ...rest } = event
    assert.match(id, /^[0-9a-f-]{36}$/)
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000)
    assert.equal(actor.type, 'user')
    assert.deepEqual(resource, { id: 'GET /api/tasks', type: 'route' })
    assert.equal(details['status'], answer.status)
    assert.deepEqual(
      [rest.type, rest.action, rest.result, rest.address, rest.user_agent, rest.request_id],
      ['api_access', 'request', 'success', '127.0.0.1', 'gary-cli/2', answer.headers.get('x-request-id')],
    )
  })

  await context.test('AU4: every event goes to the SIEM as a line of JSON, in the order of the chain', async () => {
    const [signedIn] = await eventsSoon(house.url, token, 'type=authentication&action=sign-in&result=success')
    const lines = await eventually(() => {
      const read = readFileSync(path, 'utf8').split('\n').slice(0, -1)
      const events = read.map((line) => JSON.parse(line) as { seq: number; id: string })
      return events.some(({ id }) => id === signedIn?.id) ? events : undefined
    })
    assert.deepEqual(
      lines.map(({ seq }) => seq),
      lines.map((_, index) => index + 1),
    )
  })

  await context.test('AU5: a page reports what it noticed; address, time and account are the gate’s own', async () => {
    const report = { type: 'csp-violation', success: false, details: { blocked: 'https://evil.example', lines: 3 } }
    const reports = `${house.url}/api/monitoring/security-events`
    const taken = await post(reports, report, { authorization })
    assert.equal(taken.status, 202, await taken.text())
    const [event] = await eventsSoon(house.url, token, 'type=client_report')
    assert.deepEqual([event?.action, event?.actor.type, event?.address], ['reported', 'user', '127.0.0.1'])
    assert.deepEqual([event?.details['kind'], event?.private], ['csp-violation', report.details])
    const lie = await post(reports, { ...report, address: '198.51.100.1', time: 0 }, { authorization })
    assert.equal(lie.status, 422)
    assert.deepEqual(Object.keys(((await lie.json()) as { errors: object }).errors).toSorted(), [
      'events.0.address',
      'events.0.time',
    ])
  })

  await context.test(
    'AU6 C: a hundred requests of one user in a minute are looked at, ninety-nine are not',
    async () => {
      const one = await member(house, 'one@example.com', ['user'])
      const ninetyNine = await member(house, 'ninety-nine@example.com', ['user'])
      const asking = async (bearer: string, times: number): Promise<void> => {
        for (let asked = 0; asked < times; asked++)
          await (await fetch(`${house.url}/api/tasks`, { headers: { authorization: bearer } })).arrayBuffer()
      }
      await asking(ninetyNine.bearer, 99)
      await asking(one.bearer, 100)
      const found = await incidentsSoon(house.url, token, 'unusual-use')
      assert.deepEqual(
        found.map(({ targets }) => targets),
        [[{ type: 'user', id: one.id }]],
      )
    },
  )

  await context.test('AU6: five wrong passwords of one account in five minutes are looked at', async () => {
    const { id, email } = await member(house, 'guessed@example.com', ['user'])
    for (let tried = 0; tried < 5; tried++)
      await postElsewhere(`${house.url}/api/auth/login`, { email, password: 'wrong and wrong again' }, {}, '127.3.3.3')
    const [incident] = await incidentsSoon(house.url, token, 'brute-force')
    assert.deepEqual([incident?.severity, incident?.status], ['high', 'active'])
    assert.deepEqual(
      incident?.targets.toSorted((a, b) => (a.type < b.type ? -1 : 1)),
      [
        { type: 'address', id: '127.3.3.3' },
        { type: 'user', id },
      ],
    )
  })
})
