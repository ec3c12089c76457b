import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { common, covers } from '../../src/authz/permissions.ts'

test('AZ1: a permission is covered by itself, by `*`, and by a wildcard above it, and by nothing else', () => {
  const cases: readonly (readonly [held: string, wanted: string, covered: boolean])[] = [
    ['conversation:read', 'conversation:read', true],
    ['*', 'conversation:read', true],
    ['*', 'read', true],
    ['conversation:*', 'conversation:read', true],
    ['conversation:*', 'conversation:read:own', true],
    ['conversation:read:*', 'conversation:read:own', true],
    ['conversation:read:*', 'conversation:read', false],
    ['conversation:*', 'conversation', false],
    ['conversation:*', 'conversations:read', false],
    ['conversation:read', 'conversation:write', false],
    ['conversation:read', 'conversation:read:own', false],
    ['conversation:read', 'Conversation:read', false],
    ['conversation', 'conversation:read', false],
    ['read', '*', false],
    ['conversation:*', '*', false],
    ['conversation:*', ':*', false],
    ['conversation:read', 'conversation:*', false],
  ]
  for (const [held, wanted, covered] of cases) {
    assert.equal(covers(new Set([held]), wanted), covered, `${held} → ${wanted}`)
  }
})

test('AZ1: what is covered by a set is covered by one of its members, as the definition says', () => {
  const part = fc.constantFrom('a', 'b', 'aa')
  const plain = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(':'))
  const held = fc.oneof(
    plain,
    plain.map((name) => `${name}:*`),
    fc.constant('*'),
  )
  const byDefinition = (one: string, wanted: string): boolean =>
    one === wanted || one === '*' || (one.endsWith(':*') && wanted.startsWith(one.slice(0, -1)))
  fc.assert(
    fc.property(fc.array(held, { maxLength: 5 }), plain, (set, wanted) => {
      assert.equal(
        covers(new Set(set), wanted),
        set.some((one) => byDefinition(one, wanted)),
      )
    }),
    { numRuns: 500 },
  )
})

test('OA2: two sets have in common what both cover, and nothing else', () => {
  const part = fc.constantFrom('a', 'b', 'aa')
  const plain = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(':'))
  const held = fc.oneof(
    plain,
    plain.map((name) => `${name}:*`),
    fc.constant('*'),
  )
  const sets = fc.array(held, { maxLength: 6 }).map((patterns) => new Set(patterns))
  fc.assert(
    fc.property(sets, sets, fc.oneof(plain, held), (some, others, wanted) => {
      assert.equal(covers(common(some, others), wanted), covers(some, wanted) && covers(others, wanted))
      assert.deepEqual(common(some, others), common(others, some), 'whichever comes first')
      assert.deepEqual(common(some, some), some)
    }),
    { numRuns: 2_000 },
  )
})

test('OA2: of two patterns that meet, the narrower is what they share, in both directions', () => {
  for (const [some, others, shared] of [
    ['widgets:*', 'widgets:read', 'widgets:read'],
    ['*', 'widgets:read', 'widgets:read'],
    ['*', 'widgets:*', 'widgets:*'],
    ['a:*', 'a:b:*', 'a:b:*'],
    ['widgets:*', 'widget:read', undefined],
    ['widgets', 'widgets:*', undefined],
    ['*', '*', '*'],
  ] as const) {
    const expected = new Set(shared === undefined ? [] : [shared])
    assert.deepEqual(common(new Set([some]), new Set([others])), expected)
    assert.deepEqual(common(new Set([others]), new Set([some])), expected)
  }
})
