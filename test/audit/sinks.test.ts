import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once as event } from 'node:events'
import { appendFileSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { genesis, link } from '../../src/audit/chain.ts'
import type { ChainedEvent } from '../../src/audit/follow/follower.ts'
import { sinkOptions } from '../../src/audit/sinks/options.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { canonical } from '../../src/kernel/json.ts'
import { testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { chain, follow, hasTaken, once, receive, rowOf, sealerOf, seqsOf, sinksOf, storeFor } from './following.ts'
import { numbers } from './sample.ts'

const linesOf = (path: string): { seq: number }[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

/** Events as a follower is given them. */
async function events(context: TestContext, count: number): Promise<ChainedEvent[]> {
  const store = await storeFor(context)
  await chain(store, count)
  const rows = await store.db.selectFrom('audit_events').select(['seq', 'hash', 'body']).orderBy('seq').execute()
  const read = await sealerOf(store).read(
    store.db,
    rows.map(({ body }) => body),
  )
  return rows.map((row, index) => ({ ...row, event: read[index] as ChainedEvent['event'] }))
}

const never = new AbortController().signal

suite('a file', { concurrency: true }, () => {
  test('AU4: a file has each event as a line that can be checked against the chain, for its owner alone', async (context) => {
    const path = join(throwAwayFolder(context), 'deep', 'audit.jsonl')
    const store = await storeFor(context)
    await chain(store, 600)
    follow(context, store, sinksOf([{ kind: 'file', path }]))
    await eventually(() => hasTaken(store, 'sink:file', 600))
    const lines = linesOf(path) as { seq: number; hash: string; stored?: string }[]
    assert.deepEqual(
      lines.map(({ seq }) => seq),
      numbers(600),
    )
    let last = genesis
    for (const { seq: _seq, hash, stored, ...event } of lines) {
      last = link(last, stored ?? canonical(event))
      assert.equal(hash, last)
    }
    assert.equal((lines[0] as unknown as { address: string }).address, '203.0.113.1', 'as it happened')
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('what lies under people’s own keys stays there where the operator wants it so', async (context) => {
    const path = join(throwAwayFolder(context), 'audit.jsonl')
    const [sink] = sinksOf([{ kind: 'file', path, personal: false }])
    await sink?.take(await events(context, 3), never)
    await sink?.close?.()
    const text = readFileSync(path, 'utf8')
    assert.doesNotMatch(text, /203\.0\.113|Mozilla/)
    let last = genesis
    for (const { seq: _seq, hash, ...event } of linesOf(path) as { seq: number; hash: string }[]) {
      last = link(last, canonical(event))
      assert.equal(hash, last)
    }
  })

  test('a line that a crash has torn is cut off, and its event comes again', async (context) => {
    const path = join(throwAwayFolder(context), 'audit.jsonl')
    const all = await events(context, 6)
    const [before] = sinksOf([{ kind: 'file', path }])
    await before?.take(all.slice(0, 3), never)
    await before?.close?.()
    appendFileSync(path, '{"seq":4,"hash":"12')
    const [after] = sinksOf([{ kind: 'file', path }])
    await after?.take(all.slice(3), never)
    await after?.close?.()
    assert.deepEqual(
      linesOf(path).map(({ seq }) => seq),
      numbers(6),
    )
  })

  test('a file that is somebody else’s is not cut, and a link is not followed', async (context) => {
    const folder = throwAwayFolder(context)
    const path = join(folder, 'audit.jsonl')
    const all = await events(context, 1)
    writeFileSync(path, 'a line\nwithout an end')
    await assert.rejects(
      async () => sinksOf([{ kind: 'file', path }])[0]?.take(all, never),
      /not an event|something else/,
    )
    assert.equal(readFileSync(path, 'utf8'), 'a line\nwithout an end')
    const linked = join(folder, 'link.jsonl')
    symlinkSync(path, linked)
    await assert.rejects(
      async () => sinksOf([{ kind: 'file', path: linked }])[0]?.take(all, never),
      /a link is in its place/,
    )
  })

  test('a file is put aside when it is full or old, also by the next process, and the oldest go', async (context) => {
    const folder = throwAwayFolder(context)
    const path = join(folder, 'audit.jsonl')
    const clock = testClock(Date.now())
    const all = await events(context, 600)
    const given = [{ kind: 'file', path, maxSize: '64kb', maxAge: '1d', keep: 3 }]
    let [sink] = sinksOf(given, {}, clock)
    for (let at = 0; at < 400; at += 50) {
      await sink?.take(all.slice(at, at + 50), never)
      clock.advance(1_000)
      if (at === 200) {
        await sink?.close?.()
        ;[sink] = sinksOf(given, {}, clock)
      }
    }
    const aside = (): string[] =>
      readdirSync(folder)
        .filter((name) => name.startsWith('audit.jsonl.'))
        .sort()
    const before = aside()
    assert.equal(before.length, 3)
    const kept = [...before.map((name) => join(folder, name)), path].flatMap(linesOf).map(({ seq }) => seq)
    assert.deepEqual(kept, numbers(kept.length, 401 - kept.length), 'what is kept has no gap')
    clock.advance(86_400_000)
    await sink?.take(all.slice(400, 401), never)
    assert.deepEqual(
      linesOf(path).map(({ seq }) => seq),
      [401],
    )
    assert.equal(aside().length, 3)
    await sink?.close?.()
  })

  test('a file that somebody moved away is begun anew', async (context) => {
    const path = join(throwAwayFolder(context), 'audit.jsonl')
    const all = await events(context, 4)
    const [sink] = sinksOf([{ kind: 'file', path }])
    await sink?.take(all.slice(0, 2), never)
    renameSync(path, `${path}.moved`)
    await sink?.take(all.slice(2), never)
    await sink?.close?.()
    assert.deepEqual(
      [linesOf(`${path}.moved`), linesOf(path)].map((lines) => lines.map(({ seq }) => seq)),
      [
        [1, 2],
        [3, 4],
      ],
    )
  })

  test('A61: a disk that is full is said, and nothing counts as written', async (context) => {
    const path = '/dev/full'
    const all = await events(context, 1)
    const [sink] = sinksOf([{ kind: 'file', path }])
    await assert.rejects(async () => sink?.take(all, never), /the file cannot be written/)
  })
})

suite('a webhook', { concurrency: true }, () => {
  const secret = 'a secret of at least thirty-two characters'

  test('AU4: every request is signed, names its events, and carries what the operator says', async (context) => {
    const store = await storeFor(context)
    await chain(store, 25)
    const { port, received } = await receive(context, () => 204)
    follow(
      context,
      store,
      sinksOf(
        [
          {
            kind: 'webhook',
            name: 'siem',
            url: `http://127.0.0.1:${port}/in?to=a`,
            secret: { env: 'HOOK' },
            headers: { Authorization: { env: 'TOKEN' }, 'X-Team': 'blue' },
            batch: 10,
          },
        ],
        { HOOK: secret, TOKEN: 'Splunk 123' },
      ),
    )
    await eventually(() => hasTaken(store, 'sink:siem', 25))
    assert.deepEqual(seqsOf(received.map(({ body }) => body)), numbers(25))
    for (const { headers, body, url } of received) {
      assert.equal(url, '/in?to=a')
      assert.deepEqual([headers.authorization, headers['x-team']], ['Splunk 123', 'blue'])
      const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-gatehouse-signature'])) ?? []
      assert.equal(v1, createHmac('sha256', secret).update(`${t}.${body}`).digest('hex'))
      const id = headers['webhook-id']
      assert.equal(headers['idempotency-key'], id)
      assert.equal(
        headers['webhook-signature'],
        `v1,${createHmac('sha256', secret).update(`${id}.${headers['webhook-timestamp']}.${body}`).digest('base64')}`,
      )
    }
    assert.match(String(received[0]?.headers['webhook-id']), /^sink:siem:1-10:[0-9a-f]{16}$/)
  })

  test('A61: a receiver that is down, answers 500, breaks off and comes back gets every event in order', async (context) => {
    const store = await storeFor(context)
    await chain(store, 30)
    let answers: (500 | 503 | 'cut' | 302 | 204)[] = [500, 'cut', 302, 204, 503, 204, 'cut']
    const first = await receive(context, () => answers.shift() ?? 204)
    follow(context, store, sinksOf([{ kind: 'webhook', url: `http://127.0.0.1:${first.port}/`, batch: 10 }]))
    await eventually(() => hasTaken(store, 'sink:webhook', 30))
    await first.close()
    await chain(store, 20, 31)
    await eventually(async () => ((await rowOf(store, 'sink:webhook')).failures > 1 ? true : undefined))
    assert.match((await rowOf(store, 'sink:webhook')).problem ?? '', /^`127\.0\.0\.1:\d+` cannot be reached: /)
    answers = [204]
    const second = await receive(context, () => 204, first.port)
    await eventually(() => hasTaken(store, 'sink:webhook', 50))
    assert.deepEqual(seqsOf(second.received.map(({ body }) => body)), numbers(20, 31))
    assert.deepEqual(once(seqsOf(first.received.map(({ body }) => body))), numbers(30))
  })

  test('a wrong password or a full receiver is waited for; only what speaks of the events refuses them', async (context) => {
    const all = await events(context, 2)
    let status = 200
    const { port } = await receive(context, () => status)
    const [sink] = sinksOf([{ kind: 'webhook', url: `http://127.0.0.1:${port}/` }])
    context.after(() => sink?.close?.())
    for (const rejected of [true, false])
      for (status of rejected ? [400, 413, 422] : [301, 401, 403, 404, 408, 425, 429, 500, 503])
        await assert.rejects(async () => sink?.take(all, never), { rejected, message: `it answered ${status}` })
  })

  test('a receiver that says nothing, is given up after its time', async (context) => {
    const all = await events(context, 1)
    const mute = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
    context.after(() => mute.close())
    await event(mute, 'listening')
    const [sink] = sinksOf([
      { kind: 'webhook', url: `http://127.0.0.1:${(mute.address() as AddressInfo).port}/`, timeout: '200ms' },
    ])
    await assert.rejects(async () => sink?.take(all, never), /did not answer within 200 ms/)
    await sink?.close?.()
  })

  test('the pause that a receiver asks for is heard', async (context) => {
    const all = await events(context, 1)
    const clock = testClock()
    let retryAfter = '17'
    const { port } = await receive(context, () => ({ status: 429, headers: { 'retry-after': retryAfter } }))
    const [sink] = sinksOf([{ kind: 'webhook', url: `http://127.0.0.1:${port}/` }], {}, clock)
    await assert.rejects(async () => sink?.take(all, never), { retryAfterMs: 17_000 })
    retryAfter = new Date(clock.now() + 42_000).toUTCString()
    await assert.rejects(async () => sink?.take(all, never), { retryAfterMs: 42_000 })
    await sink?.close?.()
  })

  test('events go as lines, and in the form of OCSF, where that is wanted', async (context) => {
    const all = await events(context, 2)
    const { port, received } = await receive(context, () => 200)
    const [sink] = sinksOf([{ kind: 'webhook', url: `http://127.0.0.1:${port}/`, encoding: 'lines', format: 'ocsf' }])
    await sink?.take(all, never)
    await sink?.close?.()
    assert.equal(received[0]?.headers['content-type'], 'application/x-ndjson')
    assert.deepEqual(
      received[0]?.body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).metadata.sequence),
      [1, 2],
    )
  })
})

suite('OTLP', { concurrency: true }, () => {
  test('AU4: a collector gets log records with time, severity, attributes and the whole event', async (context) => {
    const all = await events(context, 2)
    const { port, received } = await receive(context, () => ({ status: 200, body: '{"partialSuccess":{}}' }))
    const [sink] = sinksOf([{ kind: 'otlp', url: `http://127.0.0.1:${port}/v1/logs` }])
    await sink?.take(all, never)
    await sink?.close?.()
    const { resourceLogs } = JSON.parse(received[0]?.body ?? '')
    assert.deepEqual(resourceLogs[0].resource.attributes, [
      { key: 'service.name', value: { stringValue: 'gatehouse' } },
    ])
    const [record, second] = resourceLogs[0].scopeLogs[0].logRecords
    assert.equal(record.timeUnixNano, `${Date.UTC(2026, 0, 1) + 1}000000`)
    assert.deepEqual([record.severityNumber, record.eventName], [9, 'gatehouse.api_access.request'])
    assert.ok(
      record.attributes.some(
        ({ key, value }: { key: string; value: object }) => key === 'gatehouse.seq' && 'intValue' in value,
      ),
    )
    assert.equal(JSON.parse(second.body.stringValue).seq, 2)
  })

  test('A61: what a collector takes only in part is not lost: the rest comes again until one event stands alone', async (context) => {
    const store = await storeFor(context)
    await chain(store, 12)
    const accepted: number[] = []
    const { port } = await receive(context, ({ body }) => {
      const { logRecords } = JSON.parse(body).resourceLogs[0].scopeLogs[0]
      const seqs = logRecords.map(
        (record: { body: { stringValue: string } }) => JSON.parse(record.body.stringValue).seq,
      )
      accepted.push(...seqs.filter((seq: number) => seq !== 7))
      const rejectedLogRecords = seqs.includes(7) ? '1' : '0'
      return { status: 200, body: JSON.stringify({ partialSuccess: { rejectedLogRecords, errorMessage: 'too odd' } }) }
    })
    follow(context, store, sinksOf([{ kind: 'otlp', url: `http://127.0.0.1:${port}/v1/logs`, onRejected: 'park' }]))
    await eventually(() => hasTaken(store, 'sink:otlp', 12))
    assert.deepEqual(
      once(accepted).sort((a, b) => a - b),
      numbers(12).filter((seq) => seq !== 7),
    )
    const parked = await store.db.selectFrom('audit_parked').select(['seq', 'problem']).execute()
    assert.deepEqual(parked.map(Object.values), [[7, 'it rejected 1 of them: too odd']])
  })
})

suite('the configuration of sinks', () => {
  const wrong: Readonly<Record<string, readonly [object[], RegExp]>> = {
    'two of one name': [
      [
        { kind: 'file', path: 'a' },
        { kind: 'file', path: 'b' },
      ],
      /`sink:file` is there already/,
    ],
    'two for one file': [
      [
        { kind: 'file', path: 'a' },
        { kind: 'file', name: 'b', path: 'a' },
      ],
      /another sink’s already/,
    ],
    'http to another machine': [[{ kind: 'webhook', url: 'http://siem.example.com/' }], /expected `https:\/\/`/],
    'a password in the address': [
      [{ kind: 'webhook', url: 'https://a:b@siem.example.com/' }],
      /without user and password/,
    ],
    'syslog in clear to another machine': [
      [{ kind: 'syslog', host: 'siem.example.com', protocol: 'tcp' }],
      /expected `tls`/,
    ],
    'half an identity': [
      [{ kind: 'syslog', host: 'siem.example.com', cert: 'a.pem' }],
      /`cert` and `key` belong together/,
    ],
    'a header of our own': [
      [{ kind: 'otlp', url: 'https://a.example/', headers: { Host: 'b' } }],
      /set by the house itself/,
    ],
    'a header that would be two': [
      [{ kind: 'otlp', url: 'https://a.example/', headers: { a: 'b\r\nc: d' } }],
      /expected/,
    ],
    'an unknown kind': [[{ kind: 'pigeon' }], /`file`, `syslog`, `webhook` or `otlp`/],
  }
  for (const [name, [given, message]] of Object.entries(wrong))
    test(`${name} is refused`, () => {
      const parsed = sinkOptions.safeParse(given)
      assert.ok(!parsed.success)
      assert.match(parsed.error.message, message)
    })

  test('a secret that is not there, or short, stops the start', () => {
    const sinks = [
      {
        kind: 'webhook',
        url: 'https://a.example/',
        secret: { env: 'SHORT' },
        headers: { authorization: { env: 'GONE' } },
      },
    ]
    const parsed = parseConfig({ audit: { sinks } }, { SHORT: 'too short' })
    assert.deepEqual('mistakes' in parsed ? parsed.mistakes.map(({ path }) => path) : [], [
      'audit.sinks[0].headers.authorization',
      'audit.sinks[0].secret',
    ])
  })
})
