// What is looked into waits only where something may be done about it, and nothing of it stays behind.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { startHouse, startUpstream } from '../support/house.ts'
import { assertRefused, json, route, sent, startGuarded } from './guarded.ts'

const sql = "1' OR '1'='1' -- "

test('CT3: in log mode the body streams on while it is looked into, and the finding stands in the record', async (context) => {
  let first = (): void => {}
  const firstArrived = new Promise<void>((resolve) => (first = resolve))
  const upstream = await startUpstream(context, (request, response) => {
    request.once('data', () => first())
    request.on('end', () => response.end('ok'))
  })
  const house = await startHouse(context, { upstreams: { api: upstream.url }, routes: [route('/in')] })
  const socket = connect(house.port, '127.0.0.1')
  let answered = ''
  socket.on('data', (chunk) => (answered += chunk.toString()))
  const begin = `{"name":"${sql}",`
  const rest = `"more":"${'x'.repeat(20_000)}"}`
  socket.write(
    `POST /in HTTP/1.1\r\nHost: a\r\nX-Request-ID: slow-one\r\nContent-Type: application/json\r\nContent-Length: ${begin.length + rest.length}\r\n\r\n${begin}`,
  )
  await firstArrived
  assert.equal(answered, '', 'the first bytes are upstream, and the last are not sent')
  socket.write(rest)
  await eventually(() => answered.includes('200 OK') || undefined)
  socket.destroy()
  const { recorded } = await import('../../src/cli/recorded-events.ts')
  const details = await eventually(async () => {
    await house.house.audit.flush()
    for await (const { event } of recorded(house.house, 0)) if (event.request_id === 'slow-one') return event.details
    return undefined
  })
  assert.match(String(details['findings']), /^sql .* at body \/name/)
  assert.equal(house.house.gate.inFlight, 0)
})

test('CT3: a large body is looked into beside the requests: others are answered meanwhile', async (context) => {
  const house = await startGuarded(context, {
    inspection: { injection: 'block', bodyMax: '8mb', deadline: '20s' },
    routes: [route('/in'), route('/quick')],
  })
  const text = "Please select a plan from the list; it is 3 < 4 & more, says O'Brien. "
  await house.ask('/in', json({ text: text.repeat(2_000) })) // the thread is there from now on
  const order: string[] = []
  const large = house.ask('/in', json({ text: text.repeat(60_000) })).then((outcome) => {
    order.push('large')
    return outcome
  })
  await eventually(() => (house.house.gate.inFlight > 0 ? true : undefined))
  for (let asked = 0; asked < 3; asked++) {
    await fetch(`${house.url}/quick`)
    order.push('quick')
  }
  assert.equal((await large).status, 200)
  assert.equal(order[0], 'quick', order.join())
  const attack = await house.ask('/in', json({ text: text.repeat(3_000), id: sql }))
  assertRefused(attack, 403, 'injection-detected')
})

test('CT3: at the deadline the body is refused, and the next one is looked into by a new thread', async (context) => {
  const house = await startGuarded(context, {
    routes: [
      route('/hasty', { inspection: { injection: 'block', deadline: '1ms', bodyMax: '2mb' } }),
      route('/patient', { inspection: { injection: 'block', deadline: '30s', bodyMax: '2mb' } }),
      route('/noted', { inspection: { injection: 'log', deadline: '1ms', bodyMax: '2mb' } }),
    ],
  })
  const init = json({ text: 'an honest sentence of no account. '.repeat(20_000) })
  const late = await house.ask('/hasty', init)
  assertRefused(late, 422, 'not-inspectable')
  assert.match(late.problem.detail ?? '', /within 1 ms/)
  assert.equal((await house.ask('/patient', init)).status, 200)
  assert.equal((await house.ask('/noted', init)).status, 200, 'nobody is refused where nothing is')
  assert.equal((await house.ask('/patient', init)).status, 200)
})

test('CT3: 64 bodies wait, one more is refused, and who waits longer than the deadline is too', async (context) => {
  const house = await startGuarded(context, {
    bodyMemory: '1gb',
    routes: [route('/in', { inspection: { injection: 'block', deadline: '2s', bodyMax: '2mb' } })],
  })
  const init = json({ text: "an honest sentence, says O'Brien; select a plan. ".repeat(1_000) })
  await house.ask('/in', init)
  const outcomes = await Promise.all(
    Array.from({ length: 90 }, async () => {
      const response = await fetch(`${house.url}/in`, init)
      const body = await response.text()
      return { status: response.status, body, retry: response.headers.get('retry-after') }
    }),
  )
  const refused = outcomes.filter(({ status }) => status !== 200)
  assert.ok(outcomes.some(({ status }) => status === 200))
  for (const { status, body, retry } of refused) {
    assert.deepEqual([status, retry], [503, '1'], body)
    assert.match(body, /"code":"overloaded"/)
  }
  assert.equal((await house.ask('/in', init)).status, 200)
})

test('CT3: whoever leaves in mid-body, and an upstream that breaks off, leave nothing behind', async (context) => {
  const upstream = await startUpstream(context, (request, response) => {
    request.resume()
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      response.write('{"mail":"ada@mail.exam')
      setTimeout(() => response.destroy(), 20)
    })
  })
  const house = await startHouse(context, {
    upstreams: { api: upstream.url },
    limits: false,
    routes: [
      route('/block', { inspection: { injection: 'block' } }),
      route('/redact', { inspection: { pii: { answers: 'redact' } } }),
      route('/guard', { inspection: { pii: { answers: 'block' } } }),
      route('/noted', { inspection: { pii: { answers: 'log' }, prompts: { answers: 'log' } } }),
    ],
  })
  const bytesHeld = async (): Promise<string | undefined> =>
    /^gatehouse_body_bytes (\d+)$/m.exec(await house.house.meters.exposition())?.[1]
  const sockets = Array.from({ length: 20 }, (_, at) => {
    const socket = connect(house.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(
      `POST /${at % 2 ? 'block' : 'noted'} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"a":"${'x'.repeat(3000)}`,
    )
    return socket
  })
  await eventually(async () => ((await bytesHeld()) !== '0' ? true : undefined))
  for (const socket of sockets) socket.destroy()
  for (const path of ['/redact', '/guard', '/noted']) {
    const outcome = await fetch(`${house.url}${path}`).then(
      async (response) => `${response.status} ${await response.text().catch(() => 'broke off')}`,
      () => 'broke off',
    )
    assert.ok(!outcome.includes('ada@') || path === '/noted', outcome)
    if (path === '/guard') assert.match(outcome, /^502 .*upstream-broke-off/)
  }
  await eventually(() => (house.house.gate.inFlight === 0 ? true : undefined))
  assert.equal(await bytesHeld(), '0', 'no memory of bodies is held')
})

test('CT3: where nothing is refused nobody waits for a look at a large body, though a schema has it read', async (context) => {
  const inspection = { deadline: '60s', bodyMax: '8mb' }
  const house = await startGuarded(context, {
    routes: [
      route('/block', { inspection: { injection: 'block', ...inspection } }),
      route('/schema', { body: { type: 'object' }, inspection }),
    ],
  })
  const large = json({ text: "Please select a plan from the list, says O'Brien. ".repeat(60_000) })
  const order: string[] = []
  const looked = house.ask('/block', large).then(({ status }) => order.push(`block ${status}`))
  await eventually(() => (house.house.gate.inFlight > 0 ? true : undefined))
  const { status } = await house.ask('/schema', json({ text: 'words '.repeat(10_000), id: sql }))
  order.push(`schema ${status}`)
  await looked
  assert.deepEqual(order, ['schema 200', 'block 200'], 'the thread looks at one body at a time')
})

test('CT3: a copy that is given up holds no memory while its body flows on', async (context) => {
  const upstream = await startUpstream(context, (request, response) => {
    request.resume()
    request.on('end', () => response.end('ok'))
  })
  const house = await startHouse(context, {
    upstreams: { api: upstream.url },
    routes: [route('/in', { inspection: { bodyMax: '10kb' } })],
  })
  const held = async (): Promise<string | undefined> =>
    /^gatehouse_body_bytes (\d+)$/m.exec(await house.house.meters.exposition())?.[1]
  const socket = connect(house.port, '127.0.0.1')
  context.after(() => socket.destroy())
  const length = 20_000
  socket.write(`POST /in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1f40\r\n${'x'.repeat(8_000)}\r\n`)
  await eventually(async () => ((await held()) === '8000' ? true : undefined))
  socket.write(`${length.toString(16)}\r\n${'x'.repeat(length)}\r\n`)
  await eventually(async () => ((await held()) === '0' ? true : undefined))
  assert.equal(house.house.gate.inFlight, 1, 'it is on its way still')
})

test('CT3: whoever is refused for how a body begins asks again on the same connection', async (context) => {
  const house = await startGuarded(context, { inspection: { injection: 'block' }, routes: [route('/in')] })
  const socket = connect(house.port, '127.0.0.1')
  context.after(() => socket.destroy())
  let answered = ''
  let isClosed = false
  socket.on('data', (chunk) => (answered += chunk.toString()))
  socket.on('close', () => (isClosed = true))
  const head = (length: number): string =>
    `POST /in HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: ${length}\r\n\r\n`
  const text = `{"a":"${'x'.repeat(60)}"}`
  socket.write(head(text.length) + text)
  await eventually(() => answered.includes('not-inspectable') || undefined)
  await pause(2_500) // longer than a connection is kept whose body is left on the wire
  assert.equal(isClosed, false)
  answered = ''
  socket.write(`${head(2)}\x01\x02`)
  await eventually(() => answered.includes('200 OK') || undefined)
})

test('A49 CT3: whoever is let in no more when the body has come that was looked into is refused', async (context) => {
  const house = await startGuarded(context, {
    inspection: { injection: 'block' },
    routes: [{ path: '/in', access: 'authenticated', to: 'api' }],
  })
  for (const [type, begin, rest] of [
    ['application/json', '{"a":', '1}'],
    ['image/png', '', '\x01\x02\x03\x04\x05\x06\x07'],
  ] as const) {
    const token = await house.signIn()
    const ask = async (leaves: boolean): Promise<string> => {
      const socket = connect(house.port, '127.0.0.1')
      let answered = ''
      socket.on('data', (chunk) => (answered += chunk.toString()))
      socket.write(
        `POST /in HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: ${type}\r\nContent-Length: ${begin.length + rest.length}\r\n\r\n${begin}`,
      )
      await eventually(() => (house.house.gate.inFlight > 0 ? true : undefined))
      if (leaves) {
        const left = await fetch(`${house.url}/api/auth/logout`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
        })
        assert.equal(left.status, 200, await left.text())
      }
      socket.write(rest, 'latin1')
      await eventually(() => answered.includes('\r\n\r\n') || undefined)
      socket.destroy()
      return answered.slice(9, 12)
    }
    assert.equal(await ask(false), '200', type)
    assert.equal(await ask(true), '401', type)
  }
})

test('two callers at once get each their own verdict and their own answer', async (context) => {
  const house = await startGuarded(
    context,
    {
      inspection: { injection: 'block', pii: { requests: 'redact', answers: 'redact' }, deadline: '30s' },
      bodyMemory: '1gb',
      routes: [route('/in')],
    },
    {
      answer: (request, response) =>
        response.setHeader('content-type', 'text/plain').end(`for ${request.headers['x-of']} to ada@mail.example`),
    },
  )
  await Promise.all(
    Array.from({ length: 40 }, async (_, at) => {
      const size = at % 4 === 0 ? 60_000 : 100
      const isAttack = at % 3 === 0
      const text = isAttack ? sql : randomBytes(4).toString('hex')
      const response = await fetch(
        `${house.url}/in`,
        json({ id: text, pad: 'words '.repeat(size / 6) }, { 'x-of': String(at) }),
      )
      const body = await response.text()
      if (isAttack) assert.deepEqual([response.status, body.includes('injection-detected')], [403, true], body)
      else assert.deepEqual([response.status, body], [200, `for ${at} to [EMAIL]`])
    }),
  )
})

test('CT3: a body of unknown length is looked into up to the bound, and refused beyond it', async (context) => {
  const house = await startGuarded(context, {
    routes: [
      route('/block', { inspection: { injection: 'block', bodyMax: '10kb' } }),
      route('/log', { inspection: { bodyMax: '10kb' } }),
    ],
  })
  const chunked = (size: number): RequestInit & { duplex: 'half' } => ({
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    duplex: 'half',
    body: new ReadableStream({
      start(controller) {
        for (let at = 0; at < size; at += 1_000) controller.enqueue(Buffer.alloc(1_000, 'a'))
        controller.close()
      },
    }),
  })
  assert.equal((await house.ask('/block', chunked(5_000))).status, 200)
  assertRefused(await house.ask('/block', chunked(50_000)), 413, 'content-too-large')
  const through = await house.ask('/log', chunked(50_000))
  assert.deepEqual([through.status, through.seen?.body.byteLength], [200, 50_000])
  assertRefused(await house.ask('/block', sent('x'.repeat(20_000), 'text/plain')), 413, 'content-too-large')
})
