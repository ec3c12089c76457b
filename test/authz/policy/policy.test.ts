import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttributeRequest } from '../../../src/authz/policy/policy.ts'
import { asking, policyOf, ruleOf } from './support.ts'

/** The policy of the AI Assistant: administrators may, owners may, and nobody else. */
const assistant = {
  version: '1.0',
  rules: [
    {
      description: 'Admin can do anything',
      condition: { operator: 'equals', attribute: 'subject.role', value: 'admin' },
      effect: 'allow',
    },
    {
      description: 'Users can access their own resources',
      condition: { operator: 'equals', attribute: 'subject.id', value: 'resource.owner_id' },
      effect: 'allow',
    },
  ],
}

const anns = { resource: { type: 'conversation', owner_id: 'ann' }, action: { name: 'read' } }

test('AZ4: the example of the source allows administrators and owners, and nobody else', () => {
  const { decide } = policyOf(assistant)
  assert.deepEqual(decide(asking({ ...anns, subject: { id: 'root', role: 'admin' } })), {
    effect: 'permit',
    rule: 0,
    description: 'Admin can do anything',
    because: 'rules[0] (Admin can do anything) allows it',
  })
  assert.equal(decide(asking({ ...anns, subject: { id: 'ann', role: ['user', 'admin'] } })).rule, 0)
  assert.deepEqual(decide(asking({ ...anns, subject: { id: 'ann', role: 'user' } })), {
    effect: 'permit',
    rule: 1,
    description: 'Users can access their own resources',
    because: 'rules[1] (Users can access their own resources) allows it',
  })
  const nobody = { effect: 'deny', rule: undefined, description: undefined, because: 'no rule matches' }
  assert.deepEqual(decide(asking({ ...anns, subject: { id: 'bob', role: 'user' } })), nobody)
  // Nor one whose name is the text of the rule.
  assert.deepEqual(decide(asking({ ...anns, subject: { id: 'resource.owner_id', role: 'user' } })), nobody)
  assert.deepEqual(decide(asking({ subject: { id: 'ann', role: 'user' } })), nobody)
  assert.deepEqual(decide(asking({})), nobody)
})

test('AZ5: a policy without rules denies everything', () => {
  const { decide } = policyOf({ version: '1.0', rules: [] })
  assert.equal(decide(asking({ ...anns, subject: { id: 'root', role: 'admin' } })).effect, 'deny')
})

const allow = { condition: { operator: 'equals', attribute: 'subject.role', value: 'admin' }, effect: 'allow' }
const deny = {
  description: 'Locked is locked',
  condition: { operator: 'equals', attribute: 'resource.state', value: 'locked' },
  effect: 'deny',
}
const locked = asking({ subject: { role: 'admin' }, resource: { state: 'locked' } })

test('AZ4: the first rule that matches decides; under `deny-overrides` one that denies does, wherever it stands', () => {
  const decide = (combining: string | undefined, ...rules: unknown[]) =>
    policyOf({ version: '1.0', ...(combining === undefined ? {} : { combining }), rules }).decide(locked)
  assert.deepEqual([decide(undefined, allow, deny).effect, decide(undefined, allow, deny).rule], ['permit', 0])
  assert.equal(decide(undefined, deny, allow).effect, 'deny')
  assert.equal(decide('first-match', allow, deny).effect, 'permit')
  assert.deepEqual(decide('deny-overrides', allow, deny), {
    effect: 'deny',
    rule: 1,
    description: 'Locked is locked',
    because: 'rules[1] (Locked is locked) denies it',
  })
  assert.equal(decide('deny-overrides', allow, allow).rule, 0)
})

test('AZ4: where it cannot be told whether a rule denies, it denies; `exists` says that what is missing is no matter', () => {
  const unknown = asking({ subject: { role: 'admin' } })
  for (const combining of ['first-match', 'deny-overrides']) {
    const strict = policyOf({ version: '1.0', combining, rules: [deny, allow] }).decide(unknown)
    assert.equal(strict.effect, 'deny')
    assert.equal(
      strict.because,
      'rules[0] (Locked is locked) denies it, since an attribute that it asks for is missing or of another type',
    )
    const exists = { operator: 'exists', attribute: 'resource.state' }
    const lenient = { ...deny, condition: { all: [exists, deny.condition] } }
    const { decide } = policyOf({ version: '1.0', combining, rules: [lenient, allow] })
    assert.equal(decide(unknown).effect, 'permit')
    assert.equal(decide(locked).effect, 'deny')
  }
})

test('AZ4: a rule that cannot match is not looked at, however many there are', () => {
  // biome-ignore format: a table
  const kinds: Readonly<Record<string, (at: number) => readonly unknown[]>> = {
    'by the action':          (at) => [is('action.name', `a${at}`)],
    'by the type':            (at) => [is('resource.type', `t${at}`)],
    'by the role':            (at) => [is('subject.role', `r${at}`)],
    'by one of the roles':    (at) => [{ operator: 'contains', attribute: 'subject.roles', value: `r${at}` }],
    'by an attribute of ours':(at) => [is('resource.level', at)],
    'by one of a list':       (at) => [{ operator: 'in', attribute: 'action.name', value: [`a${at}`, `b${at}`] }],
    'by any of two':          (at) => [{ any: [is('action.name', `a${at}`), is('action.name', `b${at}`)] }],
    'by two together':        (at) => [is('action.name', `a${at % 20}`), is('resource.type', `t${Math.floor(at / 20)}`)],
    'by what differs':        (at) => [is('action.name', 'a7'), is('resource.type', 't7'), is('subject.role', `r${at}`)],
    'by a prefix':            (at) => [{ operator: 'starts_with', attribute: 'resource.path', value: `/p${at}/` }],
    'by prefixes in another': (at) => [{ operator: 'starts_with', attribute: 'resource.path', value: `/p7/${'x'.repeat(at % 900)}${at}/` }],
    'by a prefix of a role':  (at) => [{ operator: 'starts_with', attribute: 'subject.role', value: `r${at}-` }],
    'by a network':           (at) => [{ operator: 'in_network', attribute: 'environment.ip', value: [`10.${at >> 8}.${at & 255}.0/24`, `2001:db8:${at.toString(16)}::/48`] }],
    'by numbers between':     (at) => [{ operator: 'greater_than', attribute: 'resource.level', value: at - 1 }, { operator: 'less_than', attribute: 'resource.level', value: at + 1 }],
    'by numbers above':       (at) => [{ operator: 'greater_than', attribute: 'resource.level', value: at + 6 }],
    'by numbers not below':   (at) => [{ not: { operator: 'less_than', attribute: 'resource.level', value: at + 7 } }],
    'by numbers below':       (at) => [{ operator: 'less_than', attribute: 'resource.level', value: 8 - at }],
    'by numbers of a table':  (at) => [is('resource.type', `t${at % 40}`), { operator: 'greater_than', attribute: 'resource.level', value: at - 3 }],
    'by the time of day':     (at) => [{ operator: 'between', attribute: 'environment.time_of_day', value: [clock(at % 1_400), clock((at % 1_400) + 1)] }, is('resource.type', `t${at % 1_000}`)],
    'by the owner':           () => [is('subject.id', { ref: 'resource.owner_id' })],
    'by not being the owner': () => [{ not: is('subject.id', 'resource.editor') }],
    'by what is there':       () => [{ operator: 'exists', attribute: 'resource.note' }],
    'by what is not there':   () => [{ operator: 'exists', attribute: 'resource.path', value: false }],
    'by a list elsewhere':    (at) => [{ operator: 'in', attribute: 'subject.id', value: { ref: 'resource.editors' } }, { operator: 'contains', attribute: 'resource.path', value: `${at}` }],
    'by one of many names':   (at) => [is(`resource.x${at % 20}`, `v${at}`)],
  }
  const none = [
    'by prefixes in another',
    'by numbers above',
    'by the owner',
    'by not being the owner',
    'by what is there',
    'by what is not there',
    'by a list elsewhere',
    'by one of many names',
  ]
  const names = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`x${at}`, 'none']))
  for (const [kind, guards] of Object.entries(kinds)) {
    for (const combining of ['first-match', 'deny-overrides']) {
      const rules = Array.from({ length: 500 }, (_, at) => ({
        condition: { all: [...guards(at), is('environment.seen', 'no')] },
        effect: at % 2 === 0 ? 'allow' : 'deny',
      }))
      let looks = 0
      const environment = new Proxy({ seen: 'yes', ip: '10.0.7.1', time: 7 * 60_000 } as Record<string, unknown>, {
        get(target, name) {
          if (name === 'seen') looks++
          return Reflect.get(target, name)
        },
      })
      const request: AttributeRequest = {
        subject: { id: 'ann', role: ['r8', 'r7', 'r7-x'], roles: ['r8', 'r7'] },
        resource: { ...names, type: 't7', level: 7, path: '/p7/x', owner_id: 'bob', editor: 'ann', editors: ['bob'] },
        action: { name: 'a7' },
        environment,
      }
      const { effect, rule } = policyOf({ version: '1.0', combining, rules }).decide(request)
      assert.deepEqual([effect, rule], ['deny', undefined], kind)
      assert.ok(looks <= 4, `${kind}: ${looks} rules were looked at`)
      assert.ok(looks > 0 || none.includes(kind), `${kind}: none was looked at`)
    }
  }
})

test('AZ4: a policy says which attributes it reads, so that no other is looked up', () => {
  const inner = { not: { operator: 'less_than', attribute: 'subject.level', value: { ref: 'resource.level' } } }
  const time = { operator: 'between', attribute: 'environment.time_of_day', value: ['09:00', '17:00'] }
  assert.deepEqual([...policyOf(ruleOf({ all: [{ any: [inner, time] }, is('subject.id', 'x')] })).attributes].sort(), [
    'environment.time',
    'resource.level',
    'subject.id',
    'subject.level',
  ])
})

test('AZ4: an explanation names each rule that was asked, each condition, what the request said and what came of it', () => {
  const policy = policyOf({
    version: '1.0',
    rules: [
      allow,
      {
        condition: { all: [is('action.name', 'read'), { not: is('subject.id', 'resource.owner_id') }] },
        effect: 'deny',
      },
      assistant.rules[1],
      deny,
    ],
  })
  const request = asking({ ...anns, subject: { id: 'ann', role: ['user'] } })
  assert.deepEqual(policy.explain(request), {
    decision: policy.decide(request),
    unlisted: 0,
    rules: [
      {
        rule: 0,
        description: undefined,
        effect: 'permit',
        outcome: 'fails',
        condition: {
          condition: 'subject.role equals "admin"',
          outcome: 'fails',
          values: { 'subject.role': ['user'] },
          conditions: [],
        },
      },
      {
        rule: 1,
        description: undefined,
        effect: 'deny',
        outcome: 'fails',
        condition: {
          condition: 'all',
          outcome: 'fails',
          values: {},
          conditions: [
            {
              condition: 'action.name equals "read"',
              outcome: 'holds',
              values: { 'action.name': 'read' },
              conditions: [],
            },
            {
              condition: 'not',
              outcome: 'fails',
              values: {},
              conditions: [
                {
                  condition: 'subject.id equals resource.owner_id',
                  outcome: 'holds',
                  values: { 'subject.id': 'ann', 'resource.owner_id': 'ann' },
                  conditions: [],
                },
              ],
            },
          ],
        },
      },
      {
        rule: 2,
        description: 'Users can access their own resources',
        effect: 'permit',
        outcome: 'holds',
        condition: {
          condition: 'subject.id equals resource.owner_id',
          outcome: 'holds',
          values: { 'subject.id': 'ann', 'resource.owner_id': 'ann' },
          conditions: [],
        },
      },
    ],
  })
})

test('AZ4: every kind of condition can be read in an explanation, and what is missing is left out', () => {
  // biome-ignore format: a table
  const cases: readonly (readonly [condition: unknown, line: string])[] = [
    [{ operator: 'exists', attribute: 'subject.id' }, 'subject.id exists true'],
    [{ operator: 'in', attribute: 'subject.id', value: ['a', { text: 'subject.id' }] }, 'subject.id in ["a","subject.id"]'],
    [{ operator: 'between', attribute: 'environment.time_of_day', value: ['09:05', '24:00'], zone: 'Asia/Tokyo' }, 'environment.time_of_day between 09:05 and 24:00 Asia/Tokyo'],
    [{ operator: 'in_network', attribute: 'environment.ip', value: '10.0.0.0/8' }, 'environment.ip in_network ["10.0.0.0/8"]'],
    [{ operator: 'less_than', attribute: 'resource.size', value: 7 }, 'resource.size less_than 7'],
  ]
  for (const [condition, line] of cases) {
    const [rule] = policyOf(ruleOf(condition)).explain(asking({})).rules
    assert.deepEqual([rule?.condition.condition, rule?.condition.values], [line, {}])
  }
})

test('DP4: an explanation shows no secret, neither of the request nor of the policy, and is bounded', () => {
  const long = Array.from({ length: 50 }, (_, at) => `item ${at}`)
  const conditions = [
    is('environment.api_token', 'hunter2'),
    { operator: 'in', attribute: 'environment.password', value: ['hunter2'] },
    is('environment.credentials.given', 'resource.given'),
    is('resource.note', 'x'),
    is('resource.text', 'x'),
    { operator: 'contains', attribute: 'resource.tags', value: 'x' },
  ]
  const { rules } = policyOf(ruleOf({ all: conditions })).explain(
    asking({
      environment: { api_token: 'hunter2', password: 'hunter2', credentials: { given: 'hunter2' } },
      resource: { given: 'hunter2', note: 'Bearer hunter2hunter2', text: 'y'.repeat(5_000), tags: long },
    }),
  )
  const said = JSON.stringify(rules)
  assert.doesNotMatch(said, /hunter2/)
  assert.match(said, /\[redacted\]/)
  assert.ok(said.length < 2_500, `${said.length} characters`)
  assert.deepEqual(rules[0]?.condition.conditions.at(-1)?.values, {
    'resource.tags': [...long.slice(0, 20), 'and 30 more'],
  })
})

test('AZ4: an explanation lists 200 rules at most, the one that decided among them', () => {
  const rules = Array.from({ length: 10_000 }, (_, at) => ({ condition: is('action.name', `a${at}`), effect: 'allow' }))
  const policy = policyOf({ version: '1.0', rules })
  const explained = policy.explain(asking({ action: { name: 'a9000' } }))
  assert.equal(explained.rules.length, 200)
  assert.equal(explained.rules.at(-1)?.rule, 9_000)
  assert.equal(explained.unlisted, 8_801)
  const wide = policyOf(ruleOf({ any: Array.from({ length: 50_000 }, (_, at) => is('action.name', `a${at}`)) }))
  assert.ok((wide.explain(asking({})).rules[0]?.condition.conditions.length ?? 0) <= 2_000)
})

function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

function is(attribute: string, value: unknown): unknown {
  return { operator: 'equals', attribute, value }
}
