// Policies through the front door: who may write them, what holds when, and what a trial tells of live traffic.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PolicyAdministration } from '../../src/endpoints/desk/policies.ts'
import { mirror, startUpstream } from '../support/house.ts'
import { type Answer, bearer, goodPassword, type PeopleHouse, startPeople, type Tokens } from '../support/people.ts'
import { allowing } from './scene.ts'

let house: PeopleHouse
let admin: Tokens
let keeper: Tokens
let ada: Tokens
let bob: Tokens
const closing: (() => unknown)[] = []

before(async () => {
  const context = { after: (close: () => unknown) => void closing.push(close) } as never
  const upstream = await startUpstream(context, mirror)
  const managed = ['life', 'live', 'raced', 'removed', 'explained', 'recorded', 'told', 'asked']
  house = await startPeople(context, {
    upstreams: { api: upstream.url },
    roles: { user: { permissions: ['document:read'] }, keeper: { permissions: ['policies:manage'] } },
    policies: [
      ...managed.map((name) => ({ name, managed: true as const, record: name === 'recorded' ? 3 : 0 })),
      { name: 'own', ...allowing('nobody'), record: 5 },
      { name: 'fixed', ...allowing('nobody'), trial: allowing('somebody') },
      { name: 'both', managed: true, trial: allowing('somebody') },
    ],
    routes: [
      ...[...managed, 'own', 'fixed', 'both'].map((policy) => ({
        path: `/${policy}/:id`,
        access: 'authenticated' as const,
        policy,
        resource: 'document',
        to: 'api',
      })),
      { path: '/read', require: 'document:read', policy: ['life', 'told'], to: 'api' },
      { path: '/reset/:token/:who', access: 'authenticated', policy: 'recorded', to: 'api' },
    ],
  })
  admin = await somebody('root@people.example', 'admin')
  keeper = await somebody('keeper@people.example', 'keeper')
  ada = await somebody('ada@people.example', 'user')
  bob = await somebody('bob@people.example', 'user')
})
after(async () => {
  for (const close of closing.reverse()) await close()
})

async function somebody(email: string, ...held: string[]): Promise<Tokens> {
  const { user } = await house.newcomer(email)
  const { accounts, store } = house.house
  await accounts.setRoles(store.db, user.id, held)
  return (await house.api('POST', '/api/auth/login', { email, password: goodPassword })).body as unknown as Tokens
}

const ask = (method: string, path = '', body?: unknown, who: Tokens = admin): Promise<Answer> =>
  house.api(method, `/api/admin/policies${path}`, body, bearer(who))

/** What the route of a policy says to somebody. */
async function visit(policy: string, who: Tokens, more = '1'): Promise<number> {
  return (await house.api('GET', `/${policy}/${more}`, undefined, bearer(who))).status
}

async function good(answer: Promise<Answer>): Promise<Answer['body']> {
  const { status, body } = await answer
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

test('A56: a managed policy denies until it is written, decides on the next request, and denies again when it is removed', async () => {
  assert.equal(await visit('life', ada), 403)
  const unwritten = await good(ask('GET', '/life'))
  assert.deepEqual(unwritten, {
    name: 'life',
    origin: 'managed',
    status: 'unwritten',
    record: 0,
    asked_by: ['* /life/:id', '* /read'],
  })
  const written = await good(ask('PUT', '/life', { document: allowing(ada.user.id), expect: null }))
  assert.deepEqual([written['status'], written['rules']], ['active', 1])
  assert.deepEqual([await visit('life', ada), await visit('life', bob)], [200, 403])

  const shown = await good(ask('GET', '/life'))
  assert.deepEqual(shown['document'], allowing(ada.user.id))
  assert.equal(shown['fingerprint'], written['fingerprint'])
  const changed = await good(ask('PUT', '/life', { document: allowing(bob.user.id), expect: shown['fingerprint'] }))
  assert.notEqual(changed['fingerprint'], shown['fingerprint'])
  assert.deepEqual([await visit('life', ada), await visit('life', bob)], [403, 200])

  assert.equal((await good(ask('DELETE', '/life')))['status'], 'unwritten')
  assert.deepEqual([await visit('life', ada), await visit('life', bob)], [403, 403])
  assert.equal((await ask('DELETE', '/life')).status, 409)
  const { policies } = (await good(ask('GET'))) as unknown as { policies: { name: string; origin: string }[] }
  assert.deepEqual(policies.at(-3), {
    ...policies.at(-3),
    name: 'own',
    origin: 'configuration',
    rules: 1,
    record: 5,
    asked_by: ['* /own/:id'],
  })
})

test('AZ4: a dry run on live traffic counts and lists what it would change, changes nothing, and decides when it is adopted', async () => {
  await good(ask('PUT', '/live', { document: allowing(ada.user.id) }))
  assert.equal((await ask('GET', '/live/trial')).status, 404)
  const begun = await good(ask('PUT', '/live/trial', { document: allowing(bob.user.id, 'eve') }))
  const { fingerprint } = begun['trial'] as { fingerprint: string }
  assert.deepEqual(
    [await visit('live', ada), await visit('live', bob), await visit('live', keeper), await visit('live', ada, '2')],
    [200, 403, 403, 200],
  )
  const report = await good(ask('GET', '/live/trial'))
  const { differences, since, ...counts } = report as unknown as {
    differences: Record<string, unknown>[]
    since: string
  }
  assert.deepEqual(counts, { decisions: 4, same: 1, would_permit: 1, would_deny: 2, errors: 0 })
  assert.ok(Math.abs(Date.parse(since) - Date.now()) < 60_000)
  const [last, , first] = differences
  assert.equal(differences.length, 3)
  assert.deepEqual(
    { ...last, at: '', request_id: '' },
    {
      at: '',
      request_id: '',
      asked_by: '* /live/:id',
      subject: { id: ada.user.id, type: 'user' },
      action: 'get',
      resource: { type: 'document', id: '2' },
      decision: { effect: 'permit', because: `rules[0] (${ada.user.id} may) allows it` },
      trial: { effect: 'deny', because: 'no rule matches' },
    },
  )
  assert.deepEqual(first?.['resource'], { type: 'document', id: '1' })
  const metrics = await (await fetch(`${house.url}/metrics`)).text()
  assert.match(metrics, /gatehouse_policy_trial_total\{policy="live",outcome="would_deny"\} 2/)
  assert.match(metrics, /gatehouse_policy_trial_total\{policy="live",outcome="would_permit"\} 1/)
  assert.match(metrics, /gatehouse_policy_trial_total\{policy="live",outcome="same"\} 1/)

  assert.equal((await ask('POST', '/live/trial/adopt', { expect: 'a'.repeat(64) })).status, 409)
  const adopted = await good(ask('POST', '/live/trial/adopt', { expect: fingerprint }))
  assert.equal(adopted['fingerprint'], fingerprint)
  assert.equal('trial' in adopted, false)
  assert.deepEqual([await visit('live', ada), await visit('live', bob)], [403, 200])
  assert.equal((await ask('POST', '/live/trial/adopt', {})).status, 404)
})

test('AZ4: trying out harms nobody: beside a configured policy too, and a trial that denies everything refuses no one', async () => {
  assert.equal((await ask('DELETE', '/own/trial')).status, 404)
  await good(ask('PUT', '/own/trial', { document: allowing(ada.user.id) }))
  assert.equal(await visit('own', ada), 403)
  const { would_permit } = await good(ask('GET', '/own/trial'))
  assert.equal(would_permit, 1)
  assert.equal((await ask('POST', '/own/trial/adopt', {})).status, 409, 'the configuration says what decides')
  await good(ask('DELETE', '/own/trial'))
  assert.equal((await ask('GET', '/own/trial')).status, 404)

  await good(ask('PUT', '/asked', { document: allowing(ada.user.id) }))
  await good(ask('PUT', '/asked/trial', { document: { version: '1.0', rules: [] } }))
  assert.equal(await visit('asked', ada), 200)
})

test('AZ4: what stands in the configuration is changed there alone, and a configured trial can be adopted where the document is managed', async () => {
  for (const [method, path, body] of [
    ['PUT', '/own', { document: allowing('ada') }],
    ['DELETE', '/own', undefined],
    ['PUT', '/fixed/trial', { document: allowing('ada') }],
    ['DELETE', '/fixed/trial', undefined],
    ['PUT', '/both/trial', { document: allowing('ada') }],
  ] as const) {
    const answer = await ask(method, path, body)
    assert.equal(answer.status, 409, `${method} ${path}`)
    assert.match(String(answer.body['error']), /stands in the configuration/)
  }
  assert.equal((await good(ask('GET', '/fixed')))['document'] !== undefined, true)
  const adopted = await good(ask('POST', '/both/trial/adopt', {}))
  assert.deepEqual([adopted['status'], (adopted['trial'] as { origin: string }).origin], ['active', 'configuration'])
  await visit('both', ada)
  const { same, decisions } = await good(ask('GET', '/both/trial'))
  assert.deepEqual([same, decisions], [1, 1])
})

test('AZ4: every mistake of a document is told at its path, and nothing of it is taken over', async () => {
  await good(ask('PUT', '/told', { document: allowing(ada.user.id) }))
  const rule = { condition: { operator: 'equals', attribute: 'subject.id', value: 'x' }, effect: 'allow' }
  const wrong = {
    version: '1.0',
    rules: [
      rule,
      { ...rule, effect: 'maybe' },
      { ...rule, condition: { all: [rule.condition, { operator: 'resembles', attribute: 'subject.id', value: 'x' }] } },
    ],
    owner: 'me',
  }
  for (const path of ['/told', '/told/trial']) {
    const answer = await ask('PUT', path, { document: wrong })
    assert.equal(answer.status, 422)
    assert.deepEqual(Object.keys(answer.body['errors'] as object).toSorted(), [
      'document.owner',
      'document.rules[1].effect',
      'document.rules[2].condition.all[1].operator',
    ])
  }
  assert.equal(await visit('told', ada), 200)
  for (const [body, field] of [
    [{}, 'document'],
    [{ document: [] }, 'document'],
    [{ document: null }, 'document'],
    [{ document: {}, managed: true }, 'managed'],
    [{ document: allowing('a'), expect: 'latest' }, 'expect'],
    [{ document: {} }, 'document.version'],
    [{ document: { version: '1.0', rules: {} } }, 'document.rules'],
  ] as const) {
    const answer = await ask('PUT', '/told', body)
    assert.equal(answer.status, 422, JSON.stringify(body))
    assert.ok(field in (answer.body['errors'] as object), JSON.stringify(answer.body))
  }
  const surrogate = JSON.stringify({ document: allowing('ada') }).replace('ada may', '\\ud800')
  const headers = { 'content-type': 'application/json', ...bearer(admin) }
  const torn = await fetch(`${house.url}/api/admin/policies/told`, { method: 'PUT', headers, body: surrogate })
  assert.equal(torn.status, 422)
  const many = allowing(...Array.from({ length: 12_000 }, (_, index) => `person-${index}`))
  assert.equal((await ask('PUT', '/told', { document: many })).status, 413, 'larger than a document may be')
  assert.equal(await visit('told', ada), 200)
})

test('A56: of two administrators at once one wins where both say what they expect, and nothing is lost unseen', async () => {
  const first = await good(ask('PUT', '/raced', { document: allowing('first') }))
  const expect = first['fingerprint']
  const answers = await Promise.all(
    ['a', 'b', 'c', 'd'].map((id, index) =>
      ask('PUT', '/raced', { document: allowing(id), expect }, index % 2 === 0 ? admin : keeper),
    ),
  )
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 409, 409, 409])
  const winner = answers.find(({ status }) => status === 200)
  assert.equal((await good(ask('GET', '/raced')))['fingerprint'], winner?.body['fingerprint'])

  // What is adopted is what was looked at, not what was put in its place meanwhile.
  const tried = await good(ask('PUT', '/raced/trial', { document: allowing('looked-at'), expect: null }))
  const { fingerprint } = tried['trial'] as { fingerprint: string }
  await good(ask('PUT', '/raced/trial', { document: allowing('swapped') }, keeper))
  assert.equal((await ask('POST', '/raced/trial/adopt', { expect: fingerprint })).status, 409)
  assert.equal((await ask('PUT', '/raced/trial', { document: allowing('mine'), expect: null })).status, 409)
  const adopts = await Promise.all([1, 2, 3].map(() => ask('POST', '/raced/trial/adopt', {})))
  assert.deepEqual(
    adopts
      .map(({ status }) => status)
      .toSorted()
      .slice(0, 1),
    [200],
  )
  assert.equal(adopts.filter(({ status }) => status === 200).length, 1, JSON.stringify(adopts.map(({ body }) => body)))

  // Between the look and the turn somebody puts another in its place: it was neither seen nor compiled here.
  const { store, audit, policyStore, policyBook } = house.house
  await good(ask('PUT', '/raced/trial', { document: allowing('looked-at') }))
  const slow = new PolicyAdministration({
    audit,
    policyStore,
    policyBook,
    store: {
      ...store,
      async transaction(work) {
        await good(ask('PUT', '/raced/trial', { document: allowing('swapped') }, keeper))
        return store.transaction(work)
      },
    },
  })
  const late = await slow.adopt({ note: () => assert.fail('nothing was adopted') }, 'raced', undefined)
  assert.equal('code' in late && late.code, 'conflict')
  await good(ask('POST', '/raced/trial/adopt', {}))

  // Said once more, it is no change.
  const again = await good(ask('PUT', '/raced', { document: allowing('swapped') }))
  const events = await eventsOf('raced')
  await good(ask('PUT', '/raced', { document: allowing('swapped'), expect: again['fingerprint'] }))
  assert.equal((await eventsOf('raced')).length, events.length)
})

test('AZ2: policies are for whoever may manage them, in person and lately; and nothing is said of them to others', async () => {
  for (const [method, path, body] of [
    ['GET', ''],
    ['GET', '/life'],
    ['PUT', '/life', { document: allowing('ada') }],
    ['GET', '/life/recorded'],
    ['POST', '/life/explain', { request: {} }],
    ['GET', '/nothing'],
  ] as const) {
    assert.equal((await ask(method, path, body, ada)).status, 403, `${method} ${path}`)
    assert.equal((await house.api(method, `/api/admin/policies${path}`, body)).status, 401)
  }
  await good(ask('PUT', '/asked/trial', { document: allowing('nobody') }, keeper))
  for (const [method, path, body] of [
    ['GET', '/nothing'],
    ['PUT', '/nothing', { document: allowing('ada') }],
    ['PUT', '/nothing/trial', { document: allowing('ada') }],
    ['GET', '/nothing/trial'],
    ['POST', '/nothing/trial/adopt', {}],
    ['POST', '/nothing/explain', { request: {} }],
    ['GET', '/nothing/recorded'],
    ['DELETE', '/__proto__'],
    ['PUT', '/constructor', { document: allowing('ada') }],
  ] as const)
    assert.equal((await ask(method, path, body)).status, 404, `${method} ${path}`)
})

test('A56: an administrator is told why, rule by rule, for the document of the day and for its trial', async () => {
  const request = { subject: { id: 'ada', password: 'tr0ub4dor' }, resource: { secret_token: 'hidden' } }
  const unwritten = await good(ask('POST', '/explained/explain', { request }))
  assert.match(JSON.stringify(unwritten), /nobody has written/)
  assert.equal((await ask('POST', '/explained/explain', { request, which: 'trial' })).status, 404)
  await good(ask('PUT', '/explained', { document: allowing('bob') }))
  await good(ask('PUT', '/explained/trial', { document: allowing('ada') }))
  const denied = await good(ask('POST', '/explained/explain', { request }))
  assert.deepEqual(denied['decision'], { effect: 'deny', rule: null, because: 'no rule matches' })
  const [rule] = denied['rules'] as { outcome: string; condition: object }[]
  assert.equal(rule?.outcome, 'fails')
  assert.match(JSON.stringify(rule?.condition), /subject\.id equals .*"values":\{"subject\.id":"ada"\}/)
  const permitted = await good(ask('POST', '/explained/explain', { request, which: 'trial' }))
  assert.deepEqual(permitted['decision'], {
    effect: 'permit',
    rule: 0,
    description: 'ada may',
    because: 'rules[0] (ada may) allows it',
  })
  for (const body of [{ request: { who: {} } }, { request: { subject: 'ada' } }, { request, which: 'both' }, {}])
    assert.equal((await ask('POST', '/explained/explain', body)).status, 422, JSON.stringify(body))
})

test('AZ4: the last requests are there as lines, decide again as they did, and hold no credential', async () => {
  assert.equal((await ask('GET', '/life/recorded')).status, 404, 'nothing is kept where nobody said so')
  await good(ask('PUT', '/recorded', { document: allowing(ada.user.id) }))
  const key = `gh_rt_${'A'.repeat(43)}`
  for (const path of ['1', '2', '3', key]) assert.equal(await visit('recorded', ada, path), 200)
  const answer = await fetch(`${house.url}/api/admin/policies/recorded/recorded`, { headers: bearer(admin) })
  assert.deepEqual(
    [answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')],
    [200, 'application/x-ndjson', 'no-store'],
  )
  const text = await answer.text()
  assert.ok(text.endsWith('\n'))
  const lines = text.trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { resource: { id: string } }).resource.id),
    ['2', '3', '[redacted]'],
  )
  assert.ok(!text.includes('A'.repeat(43)))
  // A secret by its name alone, and in the path where it came from as well.
  for (const secret of ['correct-horse', 'battery staple']) {
    assert.equal(
      (await house.api('GET', `/reset/${encodeURIComponent(secret)}/ada`, undefined, bearer(ada))).status,
      200,
    )
    const kept = await fetch(`${house.url}/api/admin/policies/recorded/recorded`, { headers: bearer(admin) })
    const last = JSON.parse((await kept.text()).trimEnd().split('\n').at(-1) ?? '') as { resource: object }
    assert.deepEqual(last.resource, { path: '/reset/[redacted]/ada', token: '[redacted]', who: 'ada' })
  }
  for (const request of lines.map((line) => JSON.parse(line) as object)) {
    const { decision } = await good(ask('POST', '/recorded/explain', { request }))
    assert.equal((decision as { effect: string }).effect, 'permit')
  }
})

test('A60 A61: each change is in the record with who made it, by fingerprints, and no document is', async () => {
  const name = 'removed'
  const first = await good(ask('PUT', `/${name}`, { document: allowing('the-first') }))
  const second = await good(ask('PUT', `/${name}`, { document: allowing('the-second', 'more') }, keeper))
  await good(ask('PUT', `/${name}/trial`, { document: allowing('tried') }))
  await good(ask('DELETE', `/${name}/trial`))
  await good(ask('PUT', `/${name}/trial`, { document: allowing('tried') }))
  const adopted = await good(ask('POST', `/${name}/trial/adopt`, {}))
  await good(ask('DELETE', `/${name}`))
  const events = await eventsOf(name)
  const [one, two, three] = [first, second, adopted].map((body) => body['fingerprint'])
  assert.deepEqual(
    events.map(({ action, actor, details }) => [
      action,
      actor.id === keeper.user.id ? 'keeper' : 'admin',
      details['before'],
      details['after'],
      details['rules'],
    ]),
    [
      ['policy.create', 'admin', '', one, 1],
      ['policy.change', 'keeper', one, two, 2],
      ['policy.trial-begin', 'admin', '', three, 1],
      ['policy.trial-end', 'admin', three, '', 0],
      ['policy.trial-begin', 'admin', '', three, 1],
      ['policy.trial-adopt', 'admin', two, three, 1],
      ['policy.remove', 'admin', three, '', 0],
    ],
  )
  assert.doesNotMatch(JSON.stringify(events), /the-first|the-second|tried/)
})

async function eventsOf(name: string): Promise<Awaited<ReturnType<PeopleHouse['events']>>> {
  return (await house.events()).filter(({ resource, action }) => resource.id === name && action.startsWith('policy.'))
}
