import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { test } from 'node:test'
import { eventually } from '../../test/support/eventually.ts'
import { startHouse } from '../../test/support/house.ts'
import { post } from '../../test/support/process.ts'
import { asked, eventsSoon, incidentsSoon, member } from '../../test/support/record.ts'
import type config from './gatehouse.config.ts'

test('JAF: what happened goes to its SIEM by syslog and to its log service, and its three rules look at it', async (context) => {
  let heard = ''
  const siem = createTcpServer((socket) =>
    socket.on('data', (chunk) => (heard += chunk.toString())).on('error', () => {}),
  )
  await new Promise<void>((resolve) => siem.listen(0, '127.0.0.1', resolve))
  const logged: { readonly seq: number; readonly id: string }[] = []
  let answers = 500
  const logs = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (answers === 200) logged.push(...(JSON.parse(body) as typeof logged))
      response.writeHead(answers).end()
    })
  })
  await new Promise<void>((resolve) => logs.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    siem.close()
    logs.closeAllConnections()
    logs.close()
  })
  process.env['JAF_SYSLOG_PORT'] = String((siem.address() as AddressInfo).port)
  process.env['JAF_LOGS_URL'] = `http://127.0.0.1:${(logs.address() as AddressInfo).port}/`
  context.after(() => {
    delete process.env['JAF_SYSLOG_PORT']
    delete process.env['JAF_LOGS_URL']
  })
  const jaf = (await import(`${'./gatehouse.config.ts'}?with=siem`)) as { readonly default: typeof config }
  const { rate: _, ...shield } = jaf.default.shield ?? {} // which would block this address long before
  const quick = { ...jaf.default, shield, store: 'sqlite::memory:' }
  const house = await startHouse(context, quick, { roles: ['system_admin'] })
  const token = await house.signIn()
  const [signedIn] = await eventsSoon(house.url, token, 'type=authentication&result=success')
  assert.ok(signedIn)

  await context.test('AU4: the SIEM has it by syslog (RFC 5424), octet by octet as it was counted', async () => {
    const line = await eventually(() => heard.split('\n').find((one) => one.includes(signedIn.id)) ?? undefined)
    assert.match(line, /<1\d\d>1 \d{4}-\d\d-\d\dT[0-9:.]+Z \S+ jaf \S+ \S+ \[gatehouse@32473 /)
  })

  await context.test(
    'AU4: a log service that answers 500 loses nothing: it gets all of it, in order, when it is back',
    async () => {
      await eventually(async () => {
        const { events } = await asked<{ events: { action: string }[] }>(
          `${house.url}/api/admin/audit?type=system`,
          token,
        )
        return events.some(({ action }) => action === 'sink-lost') ? true : undefined
      })
      answers = 200
      await eventually(() => logged.find(({ id }) => id === signedIn.id))
      const first = [...new Set(logged.map(({ seq }) => seq))]
      assert.deepEqual(
        first,
        first.map((_, index) => index + 1),
      )
    },
  )

  await context.test('AU6 J: asking once for what is an administrator’s is looked at', async () => {
    const guest = await member(house, 'guest@example.com', ['guest'])
    const refused = await post(`${house.url}/api/admin/roles`, { name: 'x' }, { authorization: guest.bearer })
    assert.equal(refused.status, 403)
    const [incident] = await incidentsSoon(house.url, token, 'privilege-escalation')
    assert.deepEqual(incident?.targets, [{ type: 'user', id: guest.id }])
  })

  await context.test('AU6 J: ten violations of a limit are looked at, and nine are not', async () => {
    const chat = async (bearer: string, violations: number): Promise<void> => {
      for (let refused = 0; refused < violations; ) {
        const { status } = await post(`${house.url}/api/chat`, { content: 'hello' }, { authorization: bearer })
        if (status === 429) refused++
      }
    }
    await chat((await member(house, 'nine@example.com', ['user'])).bearer, 9)
    const ten = await member(house, 'ten@example.com', ['user'])
    await chat(ten.bearer, 10)
    const found = await incidentsSoon(house.url, token, 'rate-limit-violation')
    assert.deepEqual(
      found.map(({ targets }) => targets.filter(({ type }) => type === 'user')),
      [[{ type: 'user', id: ten.id }]],
    )
  })

  await context.test('AU6 J: three requests that no honest program sends are looked at', async () => {
    for (let sent = 0; sent < 3; sent++)
      assert.equal((await fetch(`${house.url}/api/analytics`, { headers: { 'user-agent': 'curl/8' } })).status, 429)
    const [incident] = await incidentsSoon(house.url, token, 'suspicious-pattern')
    assert.deepEqual(incident?.targets, [{ type: 'address', id: '127.0.0.1' }])
  })
})
