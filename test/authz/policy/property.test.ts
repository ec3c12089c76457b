import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePolicy } from '../../../src/authz/policy/compile.ts'
import type { AttributeRequest } from '../../../src/authz/policy/policy.ts'
import { anyDocument, anyIndexed, anyIndexedRequest, anyRequest, withoutExists } from './random.ts'
import { decideByDefinition } from './reference.ts'
import { asking, policyOf } from './support.ts'

test('AZ4: a policy decides as its definition says, whatever is missing, and the index changes no decision', () => {
  fc.assert(
    fc.property(anyDocument, fc.array(anyRequest, { minLength: 1, maxLength: 4 }), (document, requests) => {
      const policy = policyOf(document)
      for (const request of requests) {
        const { effect, rule } = policy.decide(request as AttributeRequest)
        assert.deepEqual({ effect, rule }, decideByDefinition(document, request))
      }
    }),
    { numRuns: 3_000 },
  )
})

test('AZ4: however a rule is found, by a prefix, a network, a number, a clock or what rules share, it is the one that decides', () => {
  fc.assert(
    fc.property(anyIndexed, fc.array(anyIndexedRequest, { minLength: 4, maxLength: 12 }), (document, requests) => {
      const policy = policyOf(document)
      for (const request of requests) {
        const { effect, rule } = policy.decide(request as AttributeRequest)
        assert.deepEqual({ effect, rule }, decideByDefinition(document, request))
      }
    }),
    { numRuns: 1_500 },
  )
})

test('AZ4: what is too much to be sorted is asked in turn, and decides as the definition says', () => {
  const rules = Array.from({ length: 10_000 }, (_, at) => ({
    condition: {
      all: [
        // Ranges within ranges stand in more places than a rule may, and so many conditions are more than are weighed.
        { operator: 'greater_than', attribute: 'resource.size', value: (at * 13) % 4_999 },
        { operator: 'less_than', attribute: 'resource.size', value: 10_007 - ((at * 7) % 4_999) },
        ...['a', 'b', 'c'].map((name, k) => ({
          operator: 'less_than',
          attribute: `resource.${name}`,
          value: (at * (k + 3)) % 997,
        })),
        { operator: 'equals', attribute: 'resource.type', value: `t${at % 1_000}` },
      ],
    },
    effect: at % 3 === 0 ? 'deny' : 'allow',
  }))
  const document = { version: '1.0', combining: 'deny-overrides', rules }
  const policy = policyOf(document)
  const outcomes = new Set<unknown>()
  for (let at = 0; at < 40; at++) {
    const resource = { type: `t${at * 7}`, size: at * 271, a: at * 9, b: at * 5, ...(at % 5 === 0 ? {} : { c: 400 }) }
    const { effect, rule } = policy.decide(asking({ resource }))
    assert.deepEqual({ effect, rule }, decideByDefinition(document, asking({ resource })))
    outcomes.add(rule === undefined ? 'nobody' : effect)
  }
  assert.deepEqual([...outcomes].sort(), ['deny', 'nobody', 'permit'])
})

test('AZ4: what explains a decision, without the index, comes to the same', () => {
  fc.assert(
    fc.property(anyDocument, anyRequest, (document, request) => {
      const policy = policyOf(document)
      const { decision, rules } = policy.explain(request as AttributeRequest)
      assert.deepEqual(decision, policy.decide(request as AttributeRequest))
      assert.ok(decision.rule === undefined || rules.at(-1)?.rule === decision.rule)
    }),
    { numRuns: 1_000 },
  )
})

test('AZ4: an attribute that is taken away never makes a permit of a deny', () => {
  let permits = 0
  fc.assert(
    fc.property(withoutExists, anyRequest, fc.nat(), (document, request, which) => {
      const policy = policyOf(document)
      const poorer = withoutOne(request, which)
      if (policy.decide(poorer as AttributeRequest).effect === 'permit') {
        permits++
        assert.equal(policy.decide(request as AttributeRequest).effect, 'permit')
      }
    }),
    { numRuns: 4_000 },
  )
  assert.ok(permits > 100, `only ${permits} of the requests were permitted at all`)
})

test('INVARIANTS A 56: under `deny-overrides` no rule that allows outweighs one that denies', () => {
  fc.assert(
    fc.property(anyDocument, anyRequest, (document, request) => {
      const rules = document['rules'] as { readonly effect: string }[]
      const overriding = { ...document, combining: 'deny-overrides' }
      const denies = { ...overriding, rules: rules.filter(({ effect }) => effect === 'deny') }
      const byDenies = policyOf(denies).decide(request as AttributeRequest)
      const { effect } = policyOf(overriding).decide(request as AttributeRequest)
      if (byDenies.rule !== undefined) assert.equal(effect, 'deny')
    }),
  )
})

test('AZ4: any value as a request is decided, and denied where no rule allows it', () => {
  const { policies } = {
    policies: [
      policyOf({
        version: '1.0',
        rules: [{ condition: { operator: 'equals', attribute: 'subject.id', value: 'x' }, effect: 'allow' }],
      }),
      policyOf({
        version: '1.0',
        rules: [{ condition: { operator: 'equals', attribute: 'subject.a.b', value: 'resource.c' }, effect: 'allow' }],
      }),
    ],
  }
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withNullPrototype: true }), (request) => {
      for (const policy of policies) {
        const decision = policy.decide(request as AttributeRequest)
        assert.equal(decision.effect, 'deny')
        assert.deepEqual(policy.explain(request as AttributeRequest).decision, decision)
      }
    }),
  )
})

test('AZ4: any value as a document is a policy or a list of mistakes, each with a sentence', () => {
  const likely = fc.constantFrom(
    'version',
    'rules',
    'condition',
    'operator',
    'attribute',
    'value',
    'effect',
    'all',
    'not',
    'any',
    'ref',
    'text',
    'zone',
    '__proto__',
  )
  const json = fc.object({ key: fc.oneof(likely, fc.string()), maxDepth: 6, withNullPrototype: true })
  const { half } = fc.letrec((tie) => ({
    half: fc.oneof(
      fc.anything(),
      fc.constantFrom(
        '1.0',
        'equals',
        'between',
        'in_network',
        'subject.id',
        'environment.time_of_day',
        'allow',
        'deny',
      ),
      fc.array(tie('half'), { maxLength: 4 }),
      fc.dictionary(likely, tie('half')),
      json,
    ),
  }))
  fc.assert(
    fc.property(half, half, (condition, document) => {
      for (const one of [
        document,
        { version: '1.0', rules: [{ condition, effect: 'allow' }] },
        { version: '1.0', rules: condition },
      ]) {
        const read = compilePolicy(one)
        if ('mistakes' in read) {
          assert.ok(read.mistakes.length > 0)
          for (const { message } of read.mistakes) assert.match(message, /^[^\n]{10,}$/)
        } else assert.match(read.policy.decide({} as AttributeRequest).effect, /^(?:permit|deny)$/)
      }
    }),
    { numRuns: 2_000 },
  )
})

/** The request with one attribute less, or one group. */
function withoutOne(request: unknown, which: number): unknown {
  const paths: (readonly [string, string?])[] = Object.entries(request as object).flatMap(([root, group]) => [
    [root] as const,
    ...(typeof group === 'object' && group !== null && !Array.isArray(group)
      ? Object.keys(group).map((name) => [root, name] as const)
      : []),
  ])
  const [root, name] = paths[which % Math.max(1, paths.length)] ?? ['']
  return Object.fromEntries(
    Object.entries(request as Record<string, object>).flatMap(([key, group]) => {
      if (key !== root) return [[key, group]]
      if (name === undefined) return []
      return [[key, Object.fromEntries(Object.entries(group).filter(([one]) => one !== name))]]
    }),
  )
}
