import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { eventually } from '../../test/support/eventually.ts'
import { throwAwayFolder } from '../../test/support/folder.ts'
import { startHouse } from '../../test/support/house.ts'
import { lettersIn } from '../../test/support/letters.ts'
import { post, postElsewhere } from '../../test/support/process.ts'
import { asked, eventsSoon, incidentsSoon, member } from '../../test/support/record.ts'
import type config from './gatehouse.config.ts'

interface Run {
  readonly id: string
  readonly status: string
  readonly steps: readonly { readonly do: string; readonly status: string; readonly undo_at?: string }[]
}

test('E-commerce analytics: incidents, what is done about them, and the weekly review', async (context) => {
  const told: string[] = []
  const duty = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      told.push(text)
      response.end()
    })
  })
  await new Promise<void>((resolve) => duty.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    duty.closeAllConnections()
    duty.close()
  })
  process.env['ANALYTICS_ALERTS'] = `http://127.0.0.1:${(duty.address() as AddressInfo).port}/`
  context.after(() => delete process.env['ANALYTICS_ALERTS'])
  const shop = (await import(`${'./gatehouse.config.ts'}?with=alarm`)) as { readonly default: typeof config }
  const folder = throwAwayFolder(context)
  const mail = { from: 'x@analytics.example', folder }
  const house = await startHouse(
    context,
    { ...shop.default, mail, limits: false, listen: {}, shield: {}, store: 'sqlite::memory:' },
    { roles: ['admin'] },
  )
  const token = await house.signIn()
  const authorization = `Bearer ${token}`
  const admin = `${house.url}/api/admin`
  const runOf = (incident: string): Promise<Run> =>
    eventually(async () => {
      const { runs } = await asked<{ runs: Run[] }>(`${admin}/playbooks/runs?incident=${incident}`, token)
      const ended = runs.find(({ status }) => status === 'done' || status === 'waiting')
      return ended && asked<Run>(`${admin}/playbooks/runs/${ended.id}`, token)
    })
  const open = async (type: string, targets: object): Promise<string> => {
    const body = { type, severity: 'high', title: `somebody saw a ${type}`, targets }
    const opened = await post(`${admin}/incidents`, body, { authorization })
    const { id } = (await opened.json()) as { id: string }
    assert.equal(opened.status, 201, JSON.stringify(id))
    return id
  }
  const begin = async (playbook: string, more: object): Promise<Response> =>
    post(`${admin}/playbooks/${playbook}/run`, more, { authorization })

  await context.test(
    'AU6 IN1 IN2 IN3 E: guessing is an incident that locks for 30 minutes, signs out, blocks and tells',
    async () => {
      const sam = await member(house, 'sam@example.com', ['viewer'])
      for (let tried = 0; tried < 5; tried++)
        await postElsewhere(`${house.url}/api/auth/login`, { email: sam.email, password: 'wrong' }, {}, '127.5.5.5')
      const [incident] = await incidentsSoon(house.url, token, 'brute-force')
      const { steps } = await runOf(incident?.id ?? '')
      assert.deepEqual(
        steps.map((step) => `${step.do} ${step.status}`),
        ['account.lock done', 'sessions.end done', 'address.block done'],
      )
      const lockedMs = Date.parse(steps[0]?.undo_at ?? '') - Date.now()
      assert.ok(lockedMs > 28 * 60_000 && lockedMs <= 30 * 60_000, `${lockedMs} ms`)
      const headers = { authorization: sam.bearer }
      assert.equal((await fetch(`${house.url}/api/analytics/sales`, { headers })).status, 401)
      await eventually(() => told.find((text) => text.includes('brute-force')))
      await eventually(() => lettersIn(folder).find((letter) => letter.includes('To: security@analytics.example')))
      const [event] = await eventsSoon(house.url, token, 'type=admin_action&action=user.lock')
      assert.deepEqual([event?.resource.id, event?.actor.type], [sam.id, 'system'])
    },
  )

  await context.test('IN2 E: a leak ends the keys, first on paper', async () => {
    const kim = await member(house, 'kim@example.com', ['analyst'])
    const made = await post(
      `${house.url}/api/keys`,
      { name: 'dashboard', permissions: ['read'] },
      { authorization: kim.bearer },
    )
    const { id, key } = (await made.json()) as { id: string; key: string }
    const ask = (): Promise<Response> => fetch(`${house.url}/api/analytics/sales`, { headers: { 'x-api-key': key } })
    assert.notEqual((await ask()).status, 401)
    const targets = [{ type: 'api-key', id }]
    const incident = await open('data-leak', targets)
    const dry = await begin('data-leak', { incident, dry_run: true })
    assert.equal(dry.status, 200, await dry.text())
    const before = await asked<{ expires_at?: string }>(`${house.url}/api/keys/${id}`, kim.bearer.slice(7))
    await begin('data-leak', { incident })
    const { steps } = await runOf(incident)
    assert.deepEqual([steps[0]?.do, steps[0]?.status], ['keys.rotate', 'done'])
    const after = await asked<{ expires_at?: string }>(`${house.url}/api/keys/${id}`, kim.bearer.slice(7))
    assert.ok(Date.parse(after.expires_at ?? '') <= Date.now() + 86_400_000)
    assert.notEqual(after.expires_at, before.expires_at, 'on paper nothing had changed')
  })

  await context.test(
    'IN2 E: whoever got in without a right is locked, and let in again when it is undone',
    async () => {
      const uma = await member(house, 'uma@example.com', ['viewer'])
      const incident = await open('unauthorised-access', [{ type: 'user', id: uma.id }])
      await begin('unauthorised-access', { incident })
      const run = await runOf(incident)
      assert.deepEqual([run.steps[0]?.do, run.steps[0]?.status], ['account.lock', 'done'])
      assert.equal(
        (await postElsewhere(`${house.url}/api/auth/login`, { email: uma.email, password: uma.password })).status,
        401,
      )
      const undone = await post(`${admin}/playbooks/runs/${run.id}/steps/1/undo`, {}, { authorization })
      assert.equal(undone.status, 200, await undone.text())
      assert.equal(
        (await postElsewhere(`${house.url}/api/auth/login`, { email: uma.email, password: uma.password })).status,
        200,
      )
    },
  )

  await context.test(
    'AU6 IN2 E: asking once for what is an administrator’s is looked at; tokens are taken back when somebody says so',
    async () => {
      const vic = await member(house, 'vic@example.com', ['viewer'])
      const headers = { authorization: vic.bearer }
      assert.equal((await fetch(`${house.url}/api/admin/users`, { headers })).status, 403)
      const [incident] = await incidentsSoon(house.url, token, 'privilege-escalation')
      assert.deepEqual(incident?.targets, [{ type: 'user', id: vic.id }])
      await begin('privilege-escalation', { incident: incident?.id })
      assert.equal((await runOf(incident?.id ?? '')).steps[0]?.status, 'done')
      assert.equal((await fetch(`${house.url}/api/analytics/sales`, { headers })).status, 401)
    },
  )

  await context.test(
    'IN2 E: a breach starts the clock of 72 hours, tells, reports, and waits for a second person to freeze changes',
    async () => {
      const incident = await open('data-breach', [])
      const { steps } = await runOf(incident)
      assert.deepEqual(
        steps.map((step) => `${step.do} ${step.status}`),
        ['audit.snapshot done', 'alert skipped', 'incident.report done', 'changes.freeze waiting', 'notify pending'],
      )
      const shown = await asked<{ report_due: string; detected_at: string }>(`${admin}/incidents/${incident}`, token)
      assert.equal(Date.parse(shown.report_due) - Date.parse(shown.detected_at), 72 * 3_600_000)
    },
  )

  await context.test('IN4 E: the weekly review is made of what really happened', async () => {
    const answer = await fetch(
      `${admin}/reviews?period=weekly&end=${new Date().toISOString().slice(0, 10)}&format=md`,
      {
        headers: { authorization },
      },
    )
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    for (const word of ['brute-force', 'privilege-escalation', 'data-breach', 'Sign-ins'])
      assert.ok(text.includes(word), `${word} is not in\n${text}`)
  })
})
