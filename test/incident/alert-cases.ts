// Who is told of incidents, by real servers, on every store.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { receiver } from './receiver.ts'
import { type FreshStore, finding, nodes } from './scene.ts'

const minute = 60_000
const hour = 60 * minute

export function alertCases(fresh: FreshStore): void {
  test('IN3: one alert for an incident and a channel, however often it is found and whichever node sends', async (context) => {
    const to = await receiver(context)
    const alerts = {
      hook: { kind: 'webhook', url: `${to.url}/in`, secret: { env: 'HOOK' } },
      here: { kind: 'console' },
    }
    const { nodes: two, clock } = await nodes(
      context,
      await fresh(context),
      2,
      { alerts },
      { environment: { HOOK: `whsec_${Buffer.from('s3cret').toString('base64')}` } },
    )
    await two[0].found()
    for (let n = 0; n < 5; n++) await two[1].found()
    await Promise.all(two.map((node) => node.alerts.drain()))
    clock.advance(5 * minute)
    await Promise.all(two.map((node) => node.alerts.drain()))
    assert.equal(to.got.length, 1)
    const [message] = to.got
    assert.ok(message)
    const [incident] = await two[0].all()
    const { event, site, summary, count, incidents } = message.body
    assert.deepEqual([message.path, event, site, count], ['/in', 'incident.opened', 'Example', 1])
    assert.equal(summary, '[high] Somebody guesses passwords')
    assert.equal((incidents as { id: string }[])[0]?.id, incident?.id)
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(message.headers['x-gatehouse-signature'])) ?? []
    assert.equal(v1, createHmac('sha256', 's3cret').update(`${t}.${message.text}`).digest('hex'))
    const standard = createHmac('sha256', 's3cret').update(`${message.headers['webhook-id']}.${t}.${message.text}`)
    assert.equal(message.headers['webhook-signature'], `v1,${standard.digest('base64')}`)
    assert.deepEqual(two.flatMap(({ printed }) => printed).length, 1, 'printed by one of the two')
  })

  test('IN3: only what a channel wants to hear of: how bad, and what; and again when it becomes worse', async (context) => {
    const alerts = {
      bad: { kind: 'console', minSeverity: 'high', format: 'json' },
      reuse: { kind: 'console', minSeverity: 'low', types: ['token-reuse'], format: 'json' },
      never: { kind: 'console', minSeverity: 'low', onlyEscalated: true, format: 'json' },
    }
    const {
      nodes: [node],
    } = await nodes(context, await fresh(context), 1, { alerts })
    const summaries = async (): Promise<unknown[]> => {
      await node.alerts.drain()
      return node.printed.splice(0).map((line) => JSON.parse(line).summary)
    }
    await node.found({ severity: 'medium' })
    assert.deepEqual(await summaries(), [])
    await node.found({ severity: 'high' })
    await node.found({ severity: 'high' })
    assert.deepEqual(await summaries(), ['[high] Somebody guesses passwords (it is worse than it was)'])
    await node.found({ severity: 'critical' })
    assert.deepEqual(await summaries(), ['[critical] Somebody guesses passwords (it is worse than it was)'])
    await node.found({ type: 'token-reuse', cause: 'other', severity: 'low', title: 'A token came twice' })
    assert.deepEqual(await summaries(), ['[low] A token came twice'])
  })

  test('IN3: a receiver that answers 500 is asked again, ever later, with the same id, until it takes the alert', async (context) => {
    const to = await receiver(context)
    to.answer = (response) => void response.writeHead(500).end('secret stack')
    const {
      nodes: [node],
      clock,
    } = await nodes(context, await fresh(context), 1, { alerts: { hook: { kind: 'webhook', url: to.url } } })
    await node.found()
    await node.alerts.drain()
    await node.alerts.drain()
    assert.equal(to.got.length, 1, 'not at once')
    for (let tries = 2; tries < 6; tries++) {
      clock.advance(2 ** tries * 1_000)
      await node.alerts.drain()
      assert.equal(to.got.length, tries)
    }
    const { problem } = await node.store.db.selectFrom('alerts').select('problem').executeTakeFirstOrThrow()
    assert.equal(problem, 'it answered 500')
    to.answer = (response) => void response.writeHead(204).end()
    clock.advance(10 * minute)
    await node.alerts.drain()
    clock.advance(hour)
    await node.alerts.drain()
    assert.equal(to.got.length, 6)
    assert.equal(new Set(to.got.map(({ headers }) => headers['idempotency-key'])).size, 1)
    assert.deepEqual(
      node.noted.map(({ action }) => action),
      ['detected'],
    )
  })

  test('IN3: an alert that nobody takes for a day is given up: the timeline and the record say so', async (context) => {
    const to = await receiver(context)
    to.answer = (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/elsewhere' }).end()
    const {
      nodes: [node],
      clock,
    } = await nodes(context, await fresh(context), 1, { alerts: { hook: { kind: 'webhook', url: to.url } } })
    await node.found()
    for (let tries = 0; tries < 200; tries++) {
      await node.alerts.drain()
      clock.advance(10 * minute)
    }
    assert.ok(to.got.length > 100 && to.got.length < 170, `${to.got.length} tries in a day`)
    const problem = 'it answered 302, which leads elsewhere: no redirect is followed'
    const lost = node.noted.find(({ action }) => action === 'alert-lost')
    assert.deepEqual(lost?.details, { channel: 'hook', occasion: 'opened', problem })
    const [incident] = await node.all()
    const timeline = await node.book.timeline.page(node.store.db, incident?.id ?? '', 0, 10)
    assert.deepEqual(timeline.map(({ kind, text }) => [kind, text]).slice(1), [
      ['alert', `\`hook\` could not be told for a day: ${problem}`],
    ])
  })

  test('IN3: what waited while the house was closed for two days, or its clock jumped, is not given up at its first try', async (context) => {
    const to = await receiver(context)
    to.answer = (response) => void response.writeHead(503).end()
    const {
      nodes: [node],
      clock,
    } = await nodes(context, await fresh(context), 1, { alerts: { hook: { kind: 'webhook', url: to.url } } })
    await node.found()
    clock.advance(2 * 24 * 60 * minute)
    await node.alerts.drain()
    assert.deepEqual([to.got.length, node.noted.filter(({ action }) => action === 'alert-lost')], [1, []])
    to.answer = (response) => void response.writeHead(204).end()
    clock.advance(minute)
    await node.alerts.drain()
    assert.equal(to.got.length, 2)
  })

  test('IN3: a receiver that hangs, or that is not there, keeps nobody else from being told', async (context) => {
    const slow = await receiver(context)
    const quick = await receiver(context)
    let [open, most] = [0, 0]
    slow.answer = (response) => {
      most = Math.max(most, ++open)
      response.on('close', () => open--)
    }
    const alerts = {
      slow: { kind: 'webhook', url: slow.url, timeout: '300ms' },
      gone: { kind: 'webhook', url: 'http://127.0.0.1:1/' },
      quick: { kind: 'webhook', url: quick.url },
    }
    const {
      nodes: [node],
    } = await nodes(context, await fresh(context), 1, { alerts })
    await node.found()
    await node.found({ cause: 'another' })
    for (let turns = 0; turns < 3; turns++) node.alerts.begin()
    await node.alerts.drain()
    await node.alerts.drain()
    assert.equal(quick.got.length, 2)
    assert.deepEqual([slow.got.length, most], [2, 1], 'one after the other')
    const rows = await node.store.db
      .selectFrom('alerts')
      .select(['channel', 'problem', 'sent_at'])
      .orderBy('channel')
      .execute()
    assert.deepEqual(
      rows.filter((_, at) => at % 2 === 0).map(({ channel, problem }) => [channel, problem]),
      [
        ['gone', 'it could not be reached (ECONNREFUSED)'],
        ['quick', null],
        ['slow', 'no answer within 300 ms'],
      ],
    )
    assert.ok(rows.every(({ channel, sent_at }) => (sent_at !== null) === (channel === 'quick')))
  })

  test('IN3: what a node was at when it died is told by another, once its time is over', async (context) => {
    const to = await receiver(context)
    to.answer = () => {}
    const { nodes: two, clock } = await nodes(context, await fresh(context), 2, {
      alerts: { hook: { kind: 'webhook', url: to.url, timeout: '30s' } },
    })
    await two[0].found()
    two[0].alerts.begin()
    await eventually(() => to.got[0])
    to.answer = (response) => void response.writeHead(200).end()
    await two[1].alerts.drain()
    assert.equal(to.got.length, 1, 'as long as it may be under way')
    clock.advance(minute)
    await two[1].alerts.drain()
    assert.equal(to.got.length, 2)
    await two[0].alerts.close()
    const { sent_at, tries } = await two[0].store.db.selectFrom('alerts').selectAll().executeTakeFirstOrThrow()
    assert.deepEqual([sent_at, tries], [clock.now(), 2], 'the end of the first has no say any more')
  })

  test('IN3: nobody acknowledged it: others are told, once; acknowledged in time, they are not', async (context) => {
    const alerts = { team: { kind: 'console', types: ['none'] }, pager: { kind: 'console', onlyEscalated: true } }
    const escalate = [
      { after: '15m', to: ['pager'] },
      { after: '1h', to: ['pager', 'team'], minSeverity: 'critical' },
    ]
    const {
      nodes: [node],
      clock,
    } = await nodes(context, await fresh(context), 1, { alerts, escalate })
    await node.found({ severity: 'medium' })
    await node.found()
    await node.found({ severity: 'critical' })
    await node.found({ cause: 'seen', title: 'Seen in time' })
    await node.found({ cause: 'mild', severity: 'medium' })
    const seen = (await node.all()).find(({ cause }) => cause === 'seen')
    clock.advance(14 * minute)
    await node.alerts.drain()
    assert.deepEqual(node.printed, [])
    await node.change(seen?.id ?? '', { deed: 'acknowledge' })
    clock.advance(minute)
    await node.alerts.drain()
    clock.advance(hour)
    await node.alerts.drain()
    assert.equal(node.printed.length, 3, 'after a quarter of an hour; and after an hour two, because it is critical')
    assert.match(node.printed[0] ?? '', /^ALERT \[high\] Somebody guesses passwords \(nobody has acknowledged it\) \| /)
    const told = (await node.all()).find(({ cause }) => cause === finding.cause)
    const timeline = await node.book.timeline.page(node.store.db, told?.id ?? '', 0, 10)
    assert.ok(timeline.some(({ text }) => text === 'nobody has acknowledged it: `pager` was told'))
  })

  test('IN3: a storm is told in as many messages as are allowed, the last of which tells the rest', async (context) => {
    const to = await receiver(context)
    const { nodes: two, clock } = await nodes(context, await fresh(context), 2, {
      alerts: { hook: { kind: 'webhook', url: to.url, perMinute: 4 } },
    })
    for (let n = 0; n < 30; n++) {
      clock.advance(1)
      await two[n % 2 === 0 ? 0 : 1].found({ cause: `cause ${n}`, severity: n === 17 ? 'critical' : 'high' })
    }
    for (let turns = 0; turns < 3; turns++) await Promise.all(two.map((node) => node.alerts.drain()))
    assert.deepEqual(to.got.map(({ body }) => body['count']).toSorted(), [1, 1, 1, 27])
    const summary = to.got.find(({ body }) => body['count'] === 27)?.body
    assert.deepEqual(
      [summary?.['event'], summary?.['summary']],
      ['incident.many', '[critical] 27 incidents within a short time'],
    )
    await two[0].found({ cause: 'later' })
    await two[0].alerts.drain()
    assert.equal(to.got.length, 4)
    clock.advance(minute)
    await two[0].alerts.drain()
    assert.deepEqual(
      to.got.slice(4).map(({ body }) => body['count']),
      [1],
    )
  })

  test('IN3: PagerDuty has one alert for an incident, which ends with it, in this order', async (context) => {
    const to = await receiver(context)
    const alerts = { pager: { kind: 'webhook', body: 'pagerduty', url: to.url, routingKey: { env: 'KEY' } } }
    const {
      nodes: [node],
      clock,
    } = await nodes(context, await fresh(context), 1, { alerts }, { environment: { KEY: 'routing' } })
    await node.found({ severity: 'critical' })
    to.answer = (response) => void response.writeHead(503).end()
    await node.alerts.drain()
    const [incident] = await node.all()
    const id = incident?.id ?? ''
    await node.change(id, { deed: 'acknowledge' })
    await node.change(id, { deed: 'resolve', text: 'over' })
    to.answer = (response) => void response.writeHead(202).end()
    for (let turns = 0; turns < 4; turns++) {
      await node.alerts.drain()
      clock.advance(minute)
    }
    assert.deepEqual(
      to.got.map(({ body }) => [body['event_action'], body['dedup_key'], body['routing_key']]),
      ['trigger', 'trigger', 'resolve'].map((action) => [action, id, 'routing']),
    )
    const payload = to.got[0]?.body['payload'] as Record<string, unknown>
    assert.deepEqual(
      [payload['summary'], payload['severity'], payload['class'], payload['source']],
      ['[critical] Somebody guesses passwords', 'critical', 'brute-force', 'Example'],
    )
    await node.change(id, { deed: 'reopen' })
    await node.alerts.drain()
    assert.deepEqual(
      to.got.slice(3).map(({ body }) => body['event_action']),
      ['trigger'],
    )
  })

  test('IN3: nobody is told of what was over before anybody was told', async (context) => {
    const {
      nodes: [node],
      clock,
    } = await nodes(context, await fresh(context), 1, {
      alerts: { here: { kind: 'console', resolved: true } },
      escalate: [{ after: '1m', to: ['here'] }],
    })
    await node.found()
    const [incident] = await node.all()
    await node.change(incident?.id ?? '', { deed: 'resolve', text: 'a false alarm' })
    clock.advance(hour)
    await node.alerts.drain()
    assert.deepEqual(node.printed, [])
  })

  test('IN3: what strangers wrote is no markup, no link and no call of a channel in Slack, and one line on a terminal', async (context) => {
    const to = await receiver(context)
    const alerts = { slack: { kind: 'webhook', body: 'slack', url: { env: 'URL' } }, here: { kind: 'console' } }
    const {
      nodes: [node],
    } = await nodes(context, await fresh(context), 1, { alerts }, { environment: { URL: `${to.url}/T0/B0/secret` } })
    const hostile = '<!channel> <https://evil.example|click> & \u001b[2J\r\nALERT all is well'
    await node.found({ title: hostile, description: hostile, targets: [{ type: 'user', id: hostile }] })
    await node.alerts.drain()
    const { text, blocks, unfurl_links } = to.got[0]?.body ?? {}
    assert.ok(!String(text).includes('<') && !String(text).includes('>'), String(text))
    assert.ok(String(text).includes('&lt;!channel&gt;'))
    assert.equal(unfurl_links, false)
    const types = JSON.stringify(blocks).match(/"type":"[a-z_]+"/g)
    assert.deepEqual(types, ['"type":"header"', '"type":"plain_text"', '"type":"section"', '"type":"plain_text"'])
    assert.equal(node.printed.length, 1)
    assert.match(node.printed[0] ?? '', /^[^\p{Cc}]*$/u)
  })

  test('IN3: a clock that jumps back puts no alert off', async (context) => {
    const to = await receiver(context)
    to.answer = (response) => void response.writeHead(500).end()
    const {
      nodes: [node],
      clock,
    } = await nodes(context, await fresh(context), 1, { alerts: { hook: { kind: 'webhook', url: to.url } } })
    await node.found()
    clock.advance(-24 * hour)
    await node.alerts.drain()
    assert.equal(to.got.length, 1)
    clock.advance(-24 * hour)
    to.answer = (response) => void response.writeHead(200).end()
    await node.alerts.drain()
    assert.equal(to.got.length, 2)
  })

  test('IN3: alerts for a channel that there is no more are given up; those of what is over are forgotten', async (context) => {
    const url = await fresh(context)
    const {
      clock,
      nodes: [old],
    } = await nodes(context, url, 1, { alerts: { old: { kind: 'console' }, here: { kind: 'console' } } })
    await old.found()
    const {
      nodes: [node],
    } = await nodes(context, url, 1, { alerts: { here: { kind: 'console' } } }, { clock })
    await node.alerts.drain()
    clock.advance(25 * hour)
    await node.alerts.sweep(node.store.db, clock.now() - 30 * 24 * hour)
    const rows = await node.store.db.selectFrom('alerts').selectAll().orderBy('channel').execute()
    assert.deepEqual(
      rows.map(({ channel, problem, given_up_at }) => [channel, problem, given_up_at]),
      [
        ['here', null, null],
        ['old', 'there is no channel of this name any more', clock.now()],
      ],
    )
    const [incident] = await node.all()
    await node.change(incident?.id ?? '', { deed: 'resolve', text: 'over' })
    clock.advance(31 * 24 * hour)
    await node.alerts.sweep(node.store.db, clock.now() - 30 * 24 * hour)
    assert.equal((await node.store.db.selectFrom('alerts').selectAll().execute()).length, 0)
  })
}
