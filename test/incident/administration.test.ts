// Incidents through the front door: who may see to them, and what comes of it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { errorsOf, type RoleScene, roleScene, roles, type Somebody } from '../roles/scene.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, bearer } from '../support/people.ts'

let at: RoleScene
let officer: Somebody
const closing: (() => unknown)[] = []

before(async () => {
  at = await roleScene({ after: (close: () => unknown) => void closing.push(close) } as never, {
    roles: { ...roles, officer: { permissions: ['incidents:manage'] } },
    incidents: {
      alerts: {
        letters: {
          kind: 'email',
          to: ['soc@people.example'],
          language: 'de',
          minSeverity: 'low',
          resolved: true,
          perMinute: 600,
        },
        english: { kind: 'email', to: ['night@people.example'], types: ['data-breach'], perMinute: 600 },
      },
    },
  })
  officer = await at.somebody('officer')
})
after(async () => {
  for (const close of closing.reverse()) await close()
})

function ask(method: string, path = '', body?: object, who = officer): Promise<Answer> {
  return at.people.api(method, `/api/admin/incidents${path}`, body, bearer(who))
}

const draft = {
  type: 'data-breach',
  severity: 'critical',
  title: 'A laptop was stolen',
  description: 'From a train.\nIts disk was not encrypted.',
  targets: [{ type: 'user', id: 'ada' }],
}

async function opened(more: object = {}): Promise<Answer['body']> {
  const answer = await ask('POST', '', { ...draft, ...more })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body
}

test('IN1: a person opens an incident, and it goes from hand to hand until it is resolved', async () => {
  const made = await opened({ began_at: '2026-01-01T00:00:00+01:00' })
  const id = String(made['id'])
  assert.deepEqual(
    [made['status'], made['began_at'], made['version'], made['targets']],
    ['active', '2025-12-31T23:00:00.000Z', 1, draft.targets],
  )
  assert.equal(Date.parse(String(made['report_due'])) - Date.parse(String(made['detected_at'])), 72 * 3_600_000)
  const deeds: readonly (readonly [deed: string, body: object])[] = [
    ['acknowledge', { version: 1 }],
    ['assign', { version: 2, assignee: officer.id }],
    ['note', { text: 'It was locked.\nThe owner says so.' }],
    ['contain', { version: 3, text: 'wiped from afar' }],
    ['resolve', { version: 4, text: 'nothing was read' }],
    ['reopen', { version: 5 }],
    ['assign', { version: 6, assignee: null }],
  ]
  for (const [deed, body] of deeds) {
    const answer = await ask('POST', `/${id}/${deed}`, body)
    assert.equal(answer.status, 200, `${deed}: ${JSON.stringify(answer.body)}`)
  }
  const { body } = await ask('GET', `/${id}`)
  assert.deepEqual([body['status'], body['version'], body['assignee']], ['acknowledged', 7, undefined])
  const timeline = (body['timeline'] as Record<string, unknown>[]).filter(({ kind }) => kind !== 'playbook')
  assert.deepEqual(
    timeline.map(({ kind, text, actor }) => [kind, text, actor === officer.id]),
    [
      ['opened', draft.title, true],
      ['acknowledged', '', true],
      ['assigned', '', true],
      ['note', 'It was locked.\nThe owner says so.', true],
      ['contained', 'wiped from afar', true],
      ['resolved', 'nothing was read', true],
      ['reopened', '', true],
      ['assigned', '', true],
    ],
  )
  const events = (await at.people.events()).filter(({ resource }) => resource.id === id)
  assert.deepEqual(
    events.map(({ action, actor }) => [action, actor.id]),
    ['open', 'acknowledge', 'assign', 'note', 'contain', 'resolve', 'reopen', 'assign'].map((deed) => [
      `incident.${deed}`,
      officer.id,
    ]),
  )
  assert.ok(!JSON.stringify(events).includes('The owner says so'), 'what is said stands in the timeline alone')
})

test('IN1: of two who change it at one moment, one does, and the other is told so with 409', async () => {
  const { id } = await opened()
  const both = await Promise.all(
    [officer, at.root].map((who) => ask('POST', `/${id}/acknowledge`, { version: 1 }, who)),
  )
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 409])
  const late = both.find(({ status }) => status === 409)
  assert.ok(late)
  assert.match(String(late.body['detail']), /it has changed meanwhile: it is acknowledged, at version 2/)
})

test('IN1: whoever lacks the permission learns nothing, and what is not there is 404', async () => {
  const { id } = await opened()
  const stranger = await at.somebody('user')
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['GET', '/metrics', undefined],
    ['GET', `/${id}`, undefined],
    ['POST', '', draft],
    ['POST', `/${id}/resolve`, { version: 1, text: 'never mind' }],
  ] as const)
    assert.equal((await ask(method, path, body, stranger)).status, 403, `${method} ${path}`)
  for (const nobody of ['01900000-0000-7000-8000-000000000000', 'x', '%00', "'"]) {
    const answer = await ask('GET', `/${nobody}`)
    assert.ok(answer.status === 404 || answer.status === 400, `${nobody}: ${answer.status}`)
  }
})

test('IN1: incidents are listed by pages and filters, and what is no filter is 422', async () => {
  for (const title of ['One', 'Two', 'Three']) await opened({ type: 'listed', severity: 'low', title })
  const titles: unknown[] = []
  let next = ''
  for (let pages = 0; pages < 5; pages++) {
    const { body, status } = await ask('GET', `?type=listed&status=open&severity=low&limit=2${next}`)
    assert.equal(status, 200)
    titles.push(...(body['incidents'] as Record<string, unknown>[]).map(({ title }) => title))
    if (body['next'] === undefined) break
    next = `&after=${body['next']}`
  }
  assert.equal(titles.length, 3)
  assert.deepEqual(titles.toSorted(), ['One', 'Three', 'Two'])
  for (const wrong of ['status=closed', 'severity=worst', 'type=A%20B', 'after=1.x', 'limit=0', 'page=2'])
    assert.equal((await ask('GET', `?${wrong}`)).status, 422, wrong)
})

test('IN1: metrics count what was noticed within a period', async () => {
  const { body } = await ask('GET', '/metrics')
  assert.ok(Number(body['count']) > 0)
  assert.ok((body['by_type'] as Record<string, number>)['data-breach'])
  const none = await ask('GET', '/metrics?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z')
  assert.deepEqual(none.body, { count: 0, by_type: {}, by_severity: {}, by_status: {} })
  const turned = 'from=2020-02-01T00:00:00Z&to=2020-01-01T00:00:00Z'
  for (const wrong of ['from=yesterday', 'from=2020-13-01T00:00:00Z', 'since=1d', '__proto__=1', turned])
    assert.equal((await ask('GET', `/metrics?${wrong}`)).status, 422, wrong)
})

test('IN1: what cannot be shown on a line, or is too long, is refused with its field', async () => {
  const long = 'x'.repeat(4_001)
  for (const [more, field] of [
    [{ title: 'a\nb' }, 'title'],
    [{ title: 'a\u202eb' }, 'title'],
    [{ title: 'x'.repeat(201) }, 'title'],
    [{ description: long }, 'description'],
    [{ description: 'a\u001b[2J' }, 'description'],
    [{ type: 'Data Breach' }, 'type'],
    [{ severity: 'worst' }, 'severity'],
    [{ began_at: 'yesterday' }, 'began_at'],
    [{ targets: [{ type: 'planet', id: 'x' }] }, 'targets.0.type'],
    [{ status: 'resolved' }, 'status'],
  ] as const) {
    const answer = await ask('POST', '', { ...draft, ...more })
    assert.equal(answer.status, 422, JSON.stringify(more))
    assert.ok(Object.keys(errorsOf(answer)).includes(field), `${JSON.stringify(errorsOf(answer))} names ${field}`)
  }
  const { id } = await opened()
  assert.equal((await ask('POST', `/${id}/note`, { text: long })).status, 422)
  assert.equal((await ask('POST', `/${id}/acknowledge`, {})).status, 422, 'without a version')
  assert.equal((await ask('POST', `/${id}/assign`, { version: 1, assignee: 'nobody' })).status, 422)
})

test('IN3: those who read letters are told in their language, once, and that it is over', async () => {
  const about = async (to: string, incident: Answer['body']): Promise<readonly string[]> =>
    (await at.people.letters(`${to}@people.example`)).filter((letter) => letter.includes(String(incident['id'])))
  const made = await opened({ title: 'Visit http://evil.example or evil.example <b>now</b>' })
  const mild = await opened({ type: 'brute-force', title: 'Somebody guesses', severity: 'low' })
  const german = await eventually(async () => (await about('soc', made))[0])
  const english = await eventually(async () => (await about('night', made))[0])
  assert.match(german, /Aufsichtsbehörde/)
  assert.ok(german.includes(String(made['report_due'])))
  assert.match(english, /the authority has to be told until 20/)
  for (const letter of [german, english]) {
    assert.ok(!letter.includes('evil.example'))
    assert.ok(letter.includes('&lt;b&gt;now&lt;/b&gt;'))
  }
  assert.match(await eventually(async () => (await about('soc', mild))[0]), /Bitte ansehen und bestätigen/)
  await ask('POST', `/${mild['id']}/resolve`, { version: 1, text: 'it was a test' })
  assert.match(await eventually(async () => (await about('soc', mild))[1]), /ist erledigt: Somebody guesses/)
  assert.deepEqual([(await about('soc', mild)).length, (await about('night', mild)).length], [2, 0])
})
