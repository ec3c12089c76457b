import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anonymous, type Principal } from '../../../src/authn/principal.ts'
import { knownAttributes } from '../../../src/authz/policy/attribute.ts'
import { subjectOf } from '../../../src/authz/policy/subject.ts'
import { asking, policyOf, ruleOf } from './support.ts'

const ann: Principal = {
  ...anonymous,
  type: 'user',
  id: 'ann',
  roles: ['user', 'editor'],
  permissions: new Set(['text:write']),
}

function allows(condition: unknown, principal: Principal, resource = {}): boolean {
  return policyOf(ruleOf(condition)).decide(asking({ subject: subjectOf(principal), resource })).effect === 'permit'
}

test('AZ4: a policy is asked of who is there: their id, type, roles, permissions and what is known beyond', () => {
  const principal = { ...ann, attributes: { department: 'news', level: 3 }, actor: { id: 'root' }, client: 'app' }
  // biome-ignore format: a table
  const conditions: readonly (readonly [attribute: string, operator: string, value: unknown])[] = [
    ['subject.id', 'equals', 'ann'],
    ['subject.type', 'equals', 'user'],
    ['subject.role', 'equals', 'editor'],
    ['subject.roles', 'contains', 'user'],
    ['subject.permissions', 'contains', 'text:write'],
    ['subject.credential', 'equals', 'none'],
    ['subject.actor', 'equals', 'root'],
    ['subject.client', 'equals', 'app'],
    ['subject.department', 'equals', 'news'],
    ['subject.level', 'greater_than', 2],
  ]
  for (const [attribute, operator, value] of conditions)
    assert.ok(allows({ operator, attribute, value }, principal), attribute)
})

test('AZ4: no claim of a token takes the place of what the house says, even where it says nothing', () => {
  const names = [...knownAttributes.keys()].filter((path) => path.startsWith('subject.')).map((path) => path.slice(8))
  const claims = Object.fromEntries(names.map((name) => [name, 'admin']))
  const subject = subjectOf({ ...ann, attributes: claims })
  for (const name of names) assert.notEqual(subject[name], 'admin', name)
  assert.ok(!allows({ operator: 'exists', attribute: 'subject.client' }, { ...ann, attributes: claims }))
})

test('AZ4: somebody who is not known owns nothing, whatever the owner is called', () => {
  const owns = { operator: 'equals', attribute: 'subject.id', value: 'resource.owner_id' }
  assert.ok(!allows(owns, anonymous, { owner_id: anonymous.id }))
  assert.ok(allows(owns, ann, { owner_id: 'ann' }))
})
