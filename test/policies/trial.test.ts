// A trial and a recording, as what they may do to a decision: nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anonymous, type Principal } from '../../src/authn/principal.ts'
import { judge, type NamedPolicy } from '../../src/authz/policy/named.ts'
import type { AttributeRequest, Policy } from '../../src/authz/policy/policy.ts'
import { preparePolicy } from '../../src/authz/policy/prepared.ts'
import { openRecording, type Recording } from '../../src/authz/policy/recording.ts'
import { subjectOf } from '../../src/authz/policy/subject.ts'
import { differencesMax, openTrial, type Trial } from '../../src/authz/policy/trial.ts'
import { testClock } from '../support/clock.ts'
import { allowing, requestOf } from './scene.ts'

function prepared(document: object): Policy {
  const outcome = preparePolicy(document)
  return 'policy' in outcome ? outcome.policy : assert.fail(JSON.stringify(outcome.mistakes))
}

function named(policy: Policy, trial?: Trial, recording?: Recording): NamedPolicy {
  return { name: 'documents', policy, trial, recording }
}

const circumstances = { at: 1_000, requestId: 'r-1', asker: 'GET /documents' }
const key = `gh_ak_${'A'.repeat(40)}`

test('AZ4: a trial that fails is counted, and the decision stands, whatever goes wrong', () => {
  const broken: Policy = {
    decide: () => {
      throw new Error('a defect')
    },
    explain: () => assert.fail('nobody asks'),
    attributes: new Set(),
  }
  const counted: string[] = []
  const trial = openTrial(broken, testClock(0), (outcome) => void counted.push(outcome))
  const asked = named(prepared(allowing('ada')), trial)
  assert.equal(judge(asked, requestOf('ada'), circumstances).effect, 'permit')
  assert.equal(judge(asked, requestOf('bob'), circumstances).effect, 'deny')
  assert.deepEqual(counted, ['error', 'error'])
  assert.deepEqual(trial.report(), {
    since: 0,
    outcomes: { same: 0, would_permit: 0, would_deny: 0, error: 2 },
    differences: [],
  })
})

test('AZ4: a trial that takes long is asked less often, and holds nobody up for more than a twentieth of the time', () => {
  const clock = testClock(0)
  let askings = 0
  const slow: Policy = {
    decide(request) {
      askings++
      clock.advance(50)
      return prepared(allowing('bob')).decide(request)
    },
    explain: () => assert.fail('nobody asks'),
    attributes: new Set(),
  }
  const trial = openTrial(slow, clock, () => undefined)
  const asked = named(prepared(allowing('ada')), trial)
  for (let at = 0; at < 10_000; at++) {
    assert.equal(judge(asked, requestOf('ada'), circumstances).effect, 'permit')
    clock.advance(1)
  }
  assert.ok(askings >= 10 && askings <= 11, `${askings}`)
  const { outcomes, differences } = trial.report()
  assert.deepEqual([outcomes.would_deny, differences.length], [askings, askings], 'those that it was asked are told')
})

test('AZ4: differences are listed with both reasons and no secret, the newest first, and never more than a hundred', () => {
  const trial = openTrial(prepared(allowing('bob', key)), testClock(5), () => undefined)
  const asked = named(prepared(allowing('ada')), trial)
  const document = { type: 'document', id: key, owner_id: 'o'.repeat(5_000) }
  judge(asked, requestOf('ada', { resource: document, action: { name: 'document:read' } }), circumstances)
  judge(asked, requestOf(key, { environment: { ip: '192.0.2.1' } }), { ...circumstances, at: 2_000 })
  judge(asked, requestOf('eve'), circumstances)
  const { differences, outcomes, since } = trial.report()
  assert.deepEqual([since, outcomes], [5, { same: 1, would_permit: 1, would_deny: 1, error: 0 }])
  assert.equal(differences.length, 2)
  const [second, first] = differences
  assert.deepEqual(first?.decision, { effect: 'permit', because: 'rules[0] (ada may) allows it' })
  assert.deepEqual(first?.trial, { effect: 'deny', because: 'no rule matches' })
  assert.deepEqual([first?.at, first?.requestId, first?.asker], [1_000, 'r-1', 'GET /documents'])
  assert.deepEqual(first?.subject, { id: 'ada', type: 'user' })
  assert.equal(first?.action, 'document:read')
  assert.equal(first?.resource['type'], 'document')
  assert.ok(String(first?.resource['owner_id']).length < 300)
  assert.equal(second?.at, 2_000)
  const told = JSON.stringify(differences.map(({ subject, resource, action }) => [subject, resource, action]))
  assert.ok(!told.includes(key), told)

  for (let at = 0; at < 3 * differencesMax; at++) judge(asked, requestOf('bob'), { ...circumstances, at })
  const later = trial.report().differences
  assert.deepEqual([later.length, later[0]?.at], [differencesMax, 3 * differencesMax - 1])
})

test('A56: what is recorded decides on paper as it did, and holds no secret', () => {
  const principal: Principal = {
    ...anonymous,
    type: 'user',
    id: 'ada',
    credential: { kind: 'api-key', id: 'AAAAAAAAAAAAAAA' },
    roles: ['editor', 'user'],
    permissions: new Set(['document:read', 'task:*']),
    scopes: new Set(['openid']),
    attributes: { email: 'ada@example.com', api_token: 'abcdefgh' },
  }
  const recording = openRecording(10)
  const policy = prepared({
    version: '1.0',
    rules: [
      {
        condition: {
          all: [
            { operator: 'equals', attribute: 'subject.role', value: 'editor' },
            { operator: 'contains', attribute: 'subject.permissions', value: 'task:*' },
            { operator: 'equals', attribute: 'subject.credential', value: 'api-key' },
            { operator: 'between', attribute: 'environment.time_of_day', value: ['09:00', '17:00'] },
          ],
        },
        effect: 'allow',
      },
    ],
  })
  const request: AttributeRequest = {
    subject: subjectOf(principal),
    resource: { id: key, path: `/documents/${key}`, password: 'hidden', tags: ['a'] },
    action: { name: 'get', method: 'GET' },
    environment: { time: Date.UTC(2026, 10, 21, 12), ip: '192.0.2.1' },
  }
  const asked = named(policy, undefined, recording)
  assert.equal(judge(asked, request, circumstances).effect, 'permit')
  const [line = ''] = recording.lines()
  const again = JSON.parse(line) as AttributeRequest
  assert.equal(policy.decide(again).effect, 'permit')
  assert.deepEqual(again.subject['permissions'], ['document:read', 'task:*'])
  assert.deepEqual(again.resource['tags'], ['a'])
  for (const secret of [key.slice(8), 'hidden', 'abcdefgh']) assert.ok(!line.includes(secret), line)
})

test('A56: a recording keeps the last requests in their order, and fewer where they are long', () => {
  const recording = openRecording(3)
  const ids = (): unknown[] =>
    [...recording.lines()].map((line) => (JSON.parse(line) as AttributeRequest).subject['id'])
  for (let at = 0; at < 20; at++) {
    recording.keep(requestOf(`${at}`))
    assert.deepEqual(
      ids(),
      Array.from({ length: Math.min(at + 1, 3) }, (_, back) => `${Math.max(at - 2, 0) + back}`),
    )
  }
  const large = openRecording(10_000)
  const megabyte = 'x'.repeat(1_000_000)
  for (let at = 0; at < 40; at++) large.keep(requestOf(`${at}`, { resource: { text: megabyte } }))
  const kept = [...large.lines()]
  assert.ok(kept.length >= 10 && kept.length <= 16, `${kept.length}`)
  assert.equal((JSON.parse(kept.at(-1) ?? '') as AttributeRequest).subject['id'], '39')
})

test('A56: a request that JSON has no words for is decided, and not kept', () => {
  const recording = openRecording(3)
  const circle: Record<string, unknown> = {}
  circle['circle'] = circle
  const asked = named(prepared(allowing('ada')), undefined, recording)
  for (const resource of [circle, { big: 1n }, { toJSON: () => assert.fail('no') }])
    assert.equal(judge(asked, requestOf('ada', { resource }), circumstances).effect, 'permit')
  judge(asked, { subject: { id: 'ada' } } as unknown as AttributeRequest, circumstances)
  assert.deepEqual([...recording.lines()], ['{"subject":{"id":"ada"},"resource":{},"action":{},"environment":{}}'])
})
