import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asking, policyOf, ruleOf } from './support.ts'

type Row = readonly [
  operator: string,
  attribute: string,
  value: unknown,
  found: unknown,
  outcome: 'holds' | 'fails' | 'undefined',
]

// biome-ignore format: a table
const rows: readonly Row[] = [
  ['equals', 'subject.id', 'ann', 'ann', 'holds'],
  ['equals', 'subject.id', 'ann', 'Ann', 'fails'],
  ['equals', 'subject.id', 'ann', undefined, 'undefined'],
  ['equals', 'subject.id', 'ann', null, 'undefined'],
  ['equals', 'subject.id', '', '', 'holds'],
  ['equals', 'subject.id', '7', 7, 'undefined'],
  ['equals', 'resource.level', 7, 7, 'holds'],
  ['equals', 'resource.level', 7, 8, 'fails'],
  ['equals', 'resource.level', 0, -0, 'holds'],
  ['equals', 'resource.level', 7, '7', 'undefined'],
  ['equals', 'resource.level', 7, Number.NaN, 'undefined'],
  ['equals', 'resource.level', 1, true, 'undefined'],
  ['equals', 'resource.open', true, true, 'holds'],
  ['equals', 'resource.open', false, true, 'fails'],
  ['equals', 'resource.open', false, undefined, 'undefined'],
  ['equals', 'resource.open', false, '', 'undefined'],
  ['equals', 'resource.level', 'a', ['a'], 'undefined'],
  ['equals', 'resource.level', 'a', { a: 1 }, 'undefined'],
  ['equals', 'subject.roles', ['a', 'b'], ['b', 'a', 'b'], 'holds'],
  ['equals', 'subject.roles', ['a', 'b'], new Set(['b', 'a']), 'holds'],
  ['equals', 'subject.roles', ['a', 'b'], ['a'], 'fails'],
  ['equals', 'subject.roles', ['a'], ['a', 'b'], 'fails'],
  ['equals', 'subject.roles', ['a'], ['a', null], 'undefined'],
  ['equals', 'subject.roles', ['a'], 'a', 'undefined'],

  ['not_equals', 'subject.id', 'ann', 'bob', 'holds'],
  ['not_equals', 'subject.id', 'ann', 'ann', 'fails'],
  ['not_equals', 'subject.id', 'ann', undefined, 'undefined'],
  ['not_equals', 'resource.level', 7, '7', 'undefined'],
  ['not_equals', 'subject.roles', ['a'], ['b'], 'holds'],

  ['in', 'subject.id', ['ann', 'bob'], 'bob', 'holds'],
  ['in', 'subject.id', ['ann', 'bob'], 'cid', 'fails'],
  ['in', 'subject.id', ['ann', 'bob'], undefined, 'undefined'],
  ['in', 'resource.level', [1, 2], 2, 'holds'],
  ['in', 'resource.level', [1, 2], 3, 'fails'],
  ['in', 'resource.level', [1, 2], '2', 'undefined'],
  ['in', 'resource.level', [1, 2], Number.NaN, 'undefined'],
  ['in', 'resource.open', [true], true, 'holds'],
  ['in', 'resource.open', [true], ['true'], 'undefined'],

  ['contains', 'subject.roles', 'a', ['b', 'a'], 'holds'],
  ['contains', 'subject.roles', 'a', ['b'], 'fails'],
  ['contains', 'subject.roles', 'a', [], 'fails'],
  ['contains', 'subject.roles', 'a', ['b', 7], 'undefined'],
  ['contains', 'subject.roles', 'a', ['a', 7], 'holds'],
  ['contains', 'subject.roles', 'a', 'banana', 'undefined'],
  ['contains', 'subject.roles', 'a', undefined, 'undefined'],
  ['contains', 'subject.permissions', 'a', new Set(['a']), 'holds'],
  ['contains', 'subject.permissions', 'a', new Set(['b']), 'fails'],
  ['contains', 'subject.permissions', 'a', new Set(), 'fails'],
  ['contains', 'resource.path', 'ana', 'banana', 'holds'],
  ['contains', 'resource.path', 'anx', 'banana', 'fails'],
  ['contains', 'resource.tags', 'ana', 'banana', 'holds'],
  ['contains', 'resource.tags', 7, [7, 8], 'holds'],
  ['contains', 'resource.tags', 7, ['7'], 'undefined'],
  ['contains', 'resource.tags', 7, new Set(), 'fails'],
  ['contains', 'resource.tags', 7, '7', 'undefined'],
  ['contains', 'resource.tags', 'a', { a: 1 }, 'undefined'],

  ['greater_than', 'resource.size', 10, 11, 'holds'],
  ['greater_than', 'resource.size', 10, 10, 'fails'],
  ['greater_than', 'resource.size', 10, '11', 'undefined'],
  ['greater_than', 'resource.size', 10, Number.NaN, 'undefined'],
  ['greater_than', 'resource.size', 0, true, 'undefined'],
  ['greater_than', 'resource.size', 10, undefined, 'undefined'],
  ['greater_than', 'environment.time', 10, 1e308, 'holds'],
  ['less_than', 'resource.size', 10, 9.5, 'holds'],
  ['less_than', 'resource.size', 10, 10, 'fails'],
  ['less_than', 'resource.size', 10, undefined, 'undefined'],
  ['less_than', 'resource.size', 10, null, 'undefined'],

  ['starts_with', 'resource.path', '/admin', '/admin/users', 'holds'],
  ['starts_with', 'resource.path', '/admin', '/a/admin', 'fails'],
  ['starts_with', 'resource.path', '/admin', undefined, 'undefined'],
  ['starts_with', 'resource.name', 'x', ['x'], 'undefined'],

  ['exists', 'resource.note', true, 'x', 'holds'],
  ['exists', 'resource.note', undefined, '', 'holds'],
  ['exists', 'resource.note', undefined, false, 'holds'],
  ['exists', 'resource.note', true, undefined, 'fails'],
  ['exists', 'resource.note', true, null, 'fails'],
  ['exists', 'resource.note', false, undefined, 'holds'],
  ['exists', 'resource.note', false, 0, 'fails'],

  ['in_network', 'environment.ip', '10.0.0.0/8', '10.1.2.3', 'holds'],
  ['in_network', 'environment.ip', '10.0.0.0/8', '::ffff:10.1.2.3', 'holds'],
  ['in_network', 'environment.ip', '10.0.0.0/8', '11.1.2.3', 'fails'],
  ['in_network', 'environment.ip', ['10.0.0.0/8', '2001:db8::/32'], '2001:db8::1', 'holds'],
  ['in_network', 'environment.ip', '::/0', '10.1.2.3', 'fails'],
  ['in_network', 'environment.ip', 'fe80::/10', 'fe80::1%eth0', 'holds'],
  ['in_network', 'environment.ip', '10.0.0.0/8', '10.1.2.3:80', 'undefined'],
  ['in_network', 'environment.ip', '10.0.0.0/8', 'unknown', 'undefined'],
  ['in_network', 'environment.ip', '10.0.0.0/8', undefined, 'undefined'],
  ['in_network', 'environment.ip', '10.0.0.0/8', 7, 'undefined'],

  ['equals', 'subject.role', 'admin', 'admin', 'holds'],
  ['equals', 'subject.role', 'admin', ['user', 'admin'], 'holds'],
  ['equals', 'subject.role', 'admin', ['user'], 'fails'],
  ['equals', 'subject.role', 'admin', [], 'fails'],
  ['equals', 'subject.role', 'admin', undefined, 'undefined'],
  ['equals', 'subject.role', 'admin', ['user', 7], 'undefined'],
  ['not_equals', 'subject.role', 'admin', ['user', 'admin'], 'fails'],
  ['not_equals', 'subject.role', 'admin', ['user'], 'holds'],
  ['not_equals', 'subject.role', 'admin', undefined, 'undefined'],
  ['in', 'subject.role', ['a', 'b'], ['x', 'b'], 'holds'],
  ['in', 'subject.role', ['a', 'b'], ['x', 'y'], 'fails'],
  ['starts_with', 'subject.role', 'team-', ['x', 'team-1'], 'holds'],
]

test('AZ4: each operator, for each type, holds, fails or is undefined, and converts nothing', () => {
  for (const [operator, attribute, value, found, outcome] of rows) {
    const [root = '', name = ''] = attribute.split('.')
    const request = asking({ [root]: { [name]: found } })
    const condition = { operator, attribute, ...(value === undefined ? {} : { value }) }
    const said = `${JSON.stringify(condition)} of ${String(found)}`
    assert.equal(policyOf(ruleOf(condition)).explain(request).rules[0]?.outcome, outcome, said)
    // Allowing needs a condition that holds; not to deny, one that fails. `not` of what is undefined is undefined.
    assert.equal(policyOf(ruleOf(condition)).decide(request).effect, outcome === 'holds' ? 'permit' : 'deny', said)
    assert.equal(policyOf(ruleOf(condition, 'deny')).decide(request).rule, outcome === 'fails' ? undefined : 0, said)
    const negated = policyOf(ruleOf({ not: condition }))
    assert.equal(negated.decide(request).effect, outcome === 'fails' ? 'permit' : 'deny', `not ${said}`)
  }
})

test('AZ4: a value that is another attribute is compared with what the request says of it', () => {
  // biome-ignore format: a table
  const cases: readonly (readonly [operator: string, attribute: string, value: unknown, subject: unknown, resource: unknown, outcome: string])[] = [
    ['equals', 'subject.id', { ref: 'resource.owner_id' }, 'ann', 'ann', 'holds'],
    ['equals', 'subject.id', 'resource.owner_id', 'ann', 'ann', 'holds'],
    ['equals', 'subject.id', 'resource.owner_id', 'ann', 'bob', 'fails'],
    ['equals', 'subject.id', 'resource.owner_id', 'resource.owner_id', 'ann', 'fails'],
    ['equals', 'subject.id', 'resource.owner_id', 'resource.owner_id', undefined, 'undefined'],
    ['equals', 'subject.id', 'resource.owner_id', 'ann', undefined, 'undefined'],
    ['equals', 'subject.id', 'resource.owner_id', undefined, undefined, 'undefined'],
    ['equals', 'subject.id', 'resource.owner_id', Number.NaN, Number.NaN, 'undefined'],
    ['equals', 'subject.id', { text: 'resource.owner_id' }, 'resource.owner_id', 'ann', 'holds'],
    ['equals', 'subject.id', { text: 'resource.owner_id' }, 'ann', 'ann', 'fails'],
    ['in', 'subject.id', 'resource.editors', 'ann', ['ann'], 'holds'],
    ['in', 'subject.id', 'resource.editors', 'ann', 'ann', 'undefined'],
    ['contains', 'resource.editors', 'subject.id', 'ann', ['bob', 'ann'], 'holds'],
    ['contains', 'resource.editors', 'subject.id', '', 'anything', 'undefined'],
    ['starts_with', 'resource.owner_id', 'subject.id', '', 'anything', 'undefined'],
    ['starts_with', 'resource.owner_id', 'subject.id', 'an', 'anything', 'holds'],
    ['greater_than', 'subject.level', 'resource.level', 3, 2, 'holds'],
    ['greater_than', 'subject.level', 'resource.level', 2, 2, 'fails'],
    ['less_than', 'subject.level', 'resource.level', 2, '3', 'undefined'],
  ]
  for (const [operator, attribute, value, subject, resource, outcome] of cases) {
    const said = JSON.stringify([operator, attribute, value, subject, resource])
    const request = asking({
      subject: { id: subject, level: subject },
      resource: { owner_id: resource, editors: resource, level: resource },
    })
    assert.equal(policyOf(ruleOf({ operator, attribute, value })).explain(request).rules[0]?.outcome, outcome, said)
  }
})

test('AZ4: `between` is the time of day by the clocks of its zone, over midnight and over the change of the clocks', () => {
  // biome-ignore format: a table
  const cases: readonly (readonly [from: string, to: string, zone: string | undefined, at: string, holds: boolean])[] = [
    ['09:00', '17:00', undefined,       '2026-06-01T09:00:00Z', true],
    ['09:00', '17:00', 'UTC',           '2026-06-01T08:59:59.999Z', false],
    ['09:00', '17:00', 'UTC',           '2026-06-01T16:59:59.999Z', true],
    ['09:00', '17:00', 'UTC',           '2026-06-01T17:00:00Z', false],
    ['22:00', '06:00', 'UTC',           '2026-06-01T23:00:00Z', true],
    ['22:00', '06:00', 'UTC',           '2026-06-01T05:59:00Z', true],
    ['22:00', '06:00', 'UTC',           '2026-06-01T06:00:00Z', false],
    ['00:00', '24:00', 'UTC',           '2026-06-01T00:00:00Z', true],
    ['12:00', '24:00', 'UTC',           '2026-06-01T23:59:59Z', true],
    ['12:00', '24:00', 'UTC',           '2026-06-01T00:00:00Z', false],
    ['09:00', '17:00', 'Europe/Berlin', '2026-01-15T08:00:00Z', true],  // winter: an hour ahead
    ['09:00', '17:00', 'Europe/Berlin', '2026-01-15T07:59:00Z', false],
    ['09:00', '17:00', 'Europe/Berlin', '2026-07-15T07:00:00Z', true],  // summer: two hours
    ['09:00', '17:00', 'Europe/Berlin', '2026-07-15T15:00:00Z', false],
    ['02:00', '03:00', 'Europe/Berlin', '2026-03-29T01:00:00Z', false], // that hour does not exist
    ['02:00', '03:00', 'Europe/Berlin', '2026-10-25T00:30:00Z', true],  // that hour is there twice
    ['02:00', '03:00', 'Europe/Berlin', '2026-10-25T01:30:00Z', true],
    ['09:00', '17:00', 'Asia/Kolkata',  '2026-06-01T03:30:00Z', true],  // five and a half hours
    ['09:00', '17:00', 'Asia/Kolkata',  '2026-06-01T03:29:00Z', false],
    ['00:00', '01:00', 'UTC',           '1969-12-31T23:59:59.999Z', false],
  ]
  for (const [from, to, zone, at, holds] of cases) {
    const condition = {
      operator: 'between',
      attribute: 'environment.time_of_day',
      value: [from, to],
      ...(zone === undefined ? {} : { zone }),
    }
    const policy = policyOf(ruleOf(condition))
    for (const again of [1, 2]) {
      const { effect } = policy.decide(asking({ environment: { time: Date.parse(at) } }))
      assert.equal(effect, holds ? 'permit' : 'deny', `${from}–${to} ${zone} at ${at}, asked ${again} times`)
    }
  }
})

test('AZ4: a time that no calendar has is undefined', () => {
  const condition = { operator: 'between', attribute: 'environment.time_of_day', value: ['00:00', '24:00'] }
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY, 8.64e15 + 1, -8.64e15, '12:00', undefined]) {
    const [rule] = policyOf(ruleOf(condition)).explain(asking({ environment: { time } })).rules
    assert.equal(rule?.outcome, 'undefined', String(time))
  }
})

test('AZ4: what every object inherits is no attribute, and an attribute of that name no way to one', () => {
  const polluted: unknown = JSON.parse('{ "__proto__": { "level": 9 } }')
  const policy = policyOf(ruleOf({ operator: 'equals', attribute: 'resource.level', value: 9 }))
  assert.equal(policy.decide(asking({ resource: polluted as object as Record<string, unknown> })).effect, 'deny')
  assert.equal(policy.decide(asking({ resource: Object.create({ level: 9 }) })).effect, 'deny')
  assert.equal(policy.decide(asking({ resource: { level: 9 } })).effect, 'permit')
  const length = policyOf(ruleOf({ operator: 'greater_than', attribute: 'resource.tags.length', value: 0 }))
  assert.equal(length.decide(asking({ resource: { tags: ['a', 'b'] } })).effect, 'deny')
})

test('AZ4: a list longer than can be searched says nothing', () => {
  const policy = policyOf(ruleOf({ operator: 'contains', attribute: 'resource.tags', value: 'a' }))
  const long = Array.from({ length: 10_001 }, () => 'a')
  assert.equal(policy.decide(asking({ resource: { tags: long } })).effect, 'deny')
  assert.equal(policy.decide(asking({ resource: { tags: long.slice(1) } })).effect, 'permit')
  const role = policyOf(ruleOf({ operator: 'equals', attribute: 'subject.role', value: 'a' }))
  assert.equal(role.decide(asking({ subject: { role: long } })).effect, 'deny')
  assert.equal(role.decide(asking({ subject: { role: long.slice(1) } })).effect, 'permit')
})
