// A question of a function, or of another service: the permission, the owner, the policies; and whatever a host hands over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anonymous, type Principal } from '../../src/authn/principal.ts'
import { decisionPoint } from '../../src/authz/decide.ts'
import type { Decision } from '../../src/authz/decision.ts'
import { explainOn } from '../../src/authz/explanation.ts'
import { compilePolicy } from '../../src/authz/policy/compile.ts'
import type { NamedPolicy } from '../../src/authz/policy/named.ts'
import type { AttributeRequest } from '../../src/authz/policy/policy.ts'
import { type AskedResource, decideOn, type Question } from '../../src/authz/question.ts'
import type { ResourceType } from '../../src/authz/resource-type.ts'
import { compileRoles } from '../../src/authz/role/table.ts'

const decisions = decisionPoint(compileRoles({}))
const owned = { claim: 'id', override: '*', decidedBy: 'owner' } as const
const kept: AttributeRequest[] = []

const office = policy('office', [
  { effect: 'deny', condition: { operator: 'equals', attribute: 'resource.state', value: 'locked' } },
  { effect: 'allow', condition: { operator: 'equals', attribute: 'subject.department', value: 'sales' } },
  { effect: 'allow', condition: { operator: 'equals', attribute: 'subject.properties.role', value: 'guest' } },
  { effect: 'allow', condition: { operator: 'less_than', attribute: 'environment.time', value: 1_000 } },
])

const types = new Map<string, ResourceType>([
  ['document', { name: 'document', policies: [], ownership: owned }],
  ['record', { name: 'record', policies: [office], ownership: { ...owned, decidedBy: 'policy' } }],
  ['report', { name: 'report', policies: [], ownership: { ...owned, claim: 'organisation', override: 'report:any' } }],
  ['note', { name: 'note', policies: [], ownership: undefined }],
])

function policy(name: string, rules: readonly object[]): NamedPolicy {
  const compiled = compilePolicy({ version: '1.0', rules })
  if ('mistakes' in compiled) throw new Error(JSON.stringify(compiled.mistakes))
  return {
    name,
    policy: compiled.policy,
    trial: undefined,
    recording: { keep: (one) => void kept.push(one), lines: () => [].values() },
  }
}

function holding(...permissions: string[]): Principal {
  return { ...anonymous, type: 'user', id: 'ada', roles: ['author'], permissions: new Set(permissions) }
}

function asked(question: Partial<Question>): Decision {
  return decideOn(
    {
      principal: holding('document:write', 'record:write', 'report:read', 'note:read'),
      action: 'document:write',
      circumstances: { at: 5_000, requestId: 'r1', asker: 'a test' },
      ...question,
    },
    { decisions, types },
  )
}

function says(decision: Decision): string {
  return decision.effect === 'permit' ? 'permit' : decision.lacks.kind
}

test('AZ3: what is no thing at all is answered like what is not there, with types declared or without', () => {
  for (const resource of [false, 0, '', 'document', 7, () => undefined] as unknown as readonly AskedResource[]) {
    assert.equal(says(asked({ resource })), 'ownership', String(resource))
    const principal = holding('document:write')
    const circumstances = { at: 0, requestId: '', asker: 'a test' }
    const question = { principal, action: 'document:write', resource, circumstances }
    assert.equal(says(decideOn(question, { decisions, types: new Map() })), 'ownership', String(resource))
  }
})

test('AZ2: a function without a resource is decided by the permission alone', () => {
  assert.deepEqual(asked({}), { effect: 'permit', because: 'roles author hold `document:write`' })
  assert.deepEqual(asked({ action: 'document:delete' }), {
    effect: 'deny',
    because: 'roles author do not hold `document:delete`',
    lacks: { kind: 'permission', permission: 'document:delete' },
  })
  assert.equal(says(asked({ principal: anonymous })), 'identity')
})

test('AZ3: the owner may, another may not, whoever overrides may, and nobody owns what has no owner', () => {
  const document = (owner_id: unknown, principal = holding('document:write')): string =>
    says(asked({ principal, resource: { type: 'document', id: 7, owner_id } as never }))
  assert.equal(document('ada'), 'permit')
  for (const other of [
    'eve',
    'ADA',
    'ada ',
    '',
    undefined,
    null,
    {},
    ['ada'],
    true,
    Number.NaN,
    { toString: () => 'ada' },
  ])
    assert.equal(document(other), 'ownership', String(other))
  assert.equal(document('eve', holding('*')), 'permit')
  assert.equal(document(undefined, holding('*')), 'permit')
  assert.equal(document(42, { ...holding('document:write'), id: '42' }), 'permit', 'however a database spells an id')
  assert.equal(document(42n, { ...holding('document:write'), id: '42' }), 'permit')
  assert.equal(says(asked({ resource: null })), 'ownership', 'what was looked for and is not there')
  const acme = { ...holding('report:read'), attributes: { organisation: 'acme' } }
  const report = (owner_id: string): Partial<Question> => ({
    action: 'report:read',
    resource: { type: 'report', owner_id },
  })
  assert.equal(says(asked({ ...report('acme'), principal: acme })), 'permit')
  assert.equal(says(asked({ ...report('ada'), principal: acme })), 'ownership')
  assert.equal(says(asked({ ...report('other'), principal: holding('report:read', 'report:any') })), 'permit')
})

test('AZ3: the permission is asked first: whoever lacks it learns nothing of a thing', () => {
  for (const resource of [{ type: 'document', owner_id: 'ada' }, { type: 'document', owner_id: 'eve' }, null])
    assert.equal(says(asked({ action: 'document:delete', resource })), 'permission')
})

test('AZ4: each policy of the type has to permit as well, and is told what is known', () => {
  const record = (state: string, question: Partial<Question> = {}): string =>
    says(asked({ action: 'record:write', resource: { type: 'record', id: 'r', state, owner_id: 'eve' }, ...question }))
  const inSales = { ...holding('record:write'), attributes: { department: 'sales' } }
  assert.equal(record('open', { principal: inSales }), 'permit')
  assert.equal(record('locked', { principal: inSales }), 'decision')
  assert.equal(record('open'), 'decision', 'no rule matches')
  assert.equal(record('open', { said: { environment: { time: 999 } } }), 'permit')
  assert.equal(record('open', { said: { subject: { department: 'sales' } } }), 'permit')
  const denied = asked({ action: 'record:write', resource: { type: 'record', state: 'locked' } })
  assert.equal(denied.because, 'policy `office`: rules[0] denies it')
})

test('A55: what an asker says of a subject takes the place of nothing that the house says', () => {
  const record = (subject: Readonly<Record<string, unknown>>): AttributeRequest['subject'] => {
    asked({ action: 'record:write', resource: { type: 'record' }, said: { subject } })
    return kept.at(-1)?.subject ?? {}
  }
  const forged = { id: 'root', type: 'service', role: ['admin'], roles: ['admin'], permissions: ['*'], scopes: ['all'] }
  const subject = record({
    ...forged,
    client: 'app',
    actor: 'root',
    actors: ['root'],
    credential: 'access-token',
    role: 'guest',
  })
  assert.deepEqual(
    [subject['id'], subject['type'], subject['roles'], subject['role']],
    ['ada', 'user', ['author'], ['author']],
  )
  for (const name of ['client', 'actor']) assert.equal(subject[name], undefined, name)
  assert.deepEqual([subject['credential'], subject['actors']], ['none', []])
  assert.equal((subject['properties'] as { role: string }).role, 'guest', 'it may be asked for by what it is')
})

test('AZ5: a type that is not declared is nobody’s, where any is; and what cannot be an action is no permission', () => {
  assert.equal(says(asked({ resource: { type: 'documents', owner_id: 'ada' } })), 'decision')
  for (const type of [undefined, null, 7, {}, '__proto__', 'constructor'])
    assert.equal(says(asked({ principal: holding('*'), resource: { type, owner_id: 'ada' } as never })), 'decision')
  const undeclared = decideOn(
    { ...question('document:write'), resource: { type: 'document', owner_id: 'eve' } },
    { decisions, types: new Map() },
  )
  assert.equal(says(undeclared), 'permit')
  for (const action of [undefined, null, '', 7, {}, ['*'], ':'.repeat(60_000)])
    assert.equal(says(asked({ principal: holding('*'), action: action as never })), 'decision')
})

function question(action: string): Question {
  return { principal: holding(action), action, circumstances: { at: 0, requestId: '', asker: '' } }
}

test('A56: nothing that a host hands over makes a decision throw, or a permit', () => {
  const circle: Record<string, unknown> = { type: 'record', state: 'open' }
  circle['self'] = circle
  const trap = new Proxy({}, { get: thrower, ownKeys: thrower, getOwnPropertyDescriptor: thrower, has: thrower })
  const resources: readonly unknown[] = [
    circle,
    trap,
    {
      type: 'record',
      get state() {
        return thrower()
      },
    },
    { type: 'record', state: trap },
    { type: 'record', state: { toString: thrower, valueOf: thrower, [Symbol.toPrimitive]: thrower } },
    { type: 'record', state: Symbol('open') },
    {
      type: 'document',
      get owner_id() {
        return thrower()
      },
    },
    Object.create({ type: 'document', owner_id: 'ada' }),
    JSON.parse('{"type":"document","__proto__":{"owner_id":"ada"}}'),
    'document',
    7,
    [],
    () => 'document',
  ]
  for (const resource of resources)
    for (const action of ['document:write', 'record:write'])
      assert.notEqual(
        says(asked({ action, resource: resource as never })),
        'permit',
        `${resources.indexOf(resource)} ${asked({ action, resource: resource as never }).because}`,
      )
  const environment = {
    get time() {
      return thrower()
    },
  }
  assert.equal(says(asked({ action: 'record:write', resource: { type: 'record' }, said: { environment } })), 'decision')
})

function thrower(): never {
  throw new Error('a getter of the host failed')
}

test('A56: of a permit, an attribute less never makes more; and any JSON is decided', () => {
  const value = fc.jsonValue({ maxDepth: 3 })
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('type', 'id', 'owner_id', 'state', 'self', '__proto__'), value),
      fc.constantFrom('document', 'record', 'report', 'note', 'other'),
      (attributes, type) => {
        const decision = asked({ action: 'record:write', resource: { ...attributes, type } as never })
        assert.ok(decision.because.length > 0)
        if (type === 'document' && attributes['owner_id'] !== 'ada') assert.equal(says(decision), 'ownership')
      },
    ),
  )
})

test('AZ4: an explanation says the same as the decision, shows every step, and no recording learns of it', () => {
  const resources = [
    undefined,
    null,
    { type: 'document', owner_id: 'ada' },
    { type: 'document', owner_id: 'eve' },
    { type: 'record', state: 'locked' },
    { type: 'record', state: 'open' },
    { type: 'other' },
  ]
  for (const action of ['document:write', 'record:write', 'nothing:held', '']) {
    for (const resource of resources) {
      const asks = { ...question('x'), principal: holding('document:write', 'record:write'), action, resource }
      const decision = decideOn(asks, { decisions, types })
      const before = kept.length
      const explained = explainOn(asks, { decisions, types })
      assert.deepEqual(explained.decision, decision)
      assert.equal(kept.length, before)
    }
  }
  const { permission, policies } = explainOn(
    { ...question('x'), principal: holding(), action: 'record:write', resource: { type: 'record', state: 'locked' } },
    { decisions, types },
  )
  assert.deepEqual([permission.effect, policies[0]?.explanation.decision.rule], ['deny', 0])
})
