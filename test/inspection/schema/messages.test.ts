import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkBySchema } from '../../../src/inspection/schema/body.ts'
import { openSchemas, type Schema } from '../../../src/inspection/schema/compile.ts'

/** What is told of a value: by field, as the caller reads it. */
function told(schema: Schema, value: unknown): Readonly<Record<string, readonly string[]>> {
  const verdict = checkBySchema(schema)(Buffer.from(JSON.stringify(value)))
  assert.ok('errors' in verdict, JSON.stringify(verdict))
  return verdict.errors
}

test('CT1: errors list field → messages, in plain words', () => {
  const cases: readonly (readonly [Schema, unknown, string])[] = [
    [{ type: 'string', minLength: 3 }, 'a😀', 'must have at least 3 characters, got 2'],
    [{ type: 'string', maxLength: 1 }, 'ab', 'must have at most 1 character, got 2'],
    [{ type: 'string', pattern: '^[a-z]+$' }, 'A', 'must match `^[a-z]+$`'],
    [{ type: 'string', format: 'email' }, 'x', 'must be an e-mail address'],
    [{ type: 'string', format: 'date' }, 'x', 'must be a date such as `2026-12-31`'],
    [{ type: 'number', minimum: 1 }, 0, 'must be at least 1'],
    [{ type: 'number', exclusiveMaximum: 1 }, 1, 'must be less than 1'],
    [{ type: 'number', multipleOf: 0.01 }, 1.005, 'must be a multiple of 0.01'],
    [{ type: 'integer' }, 1.5, 'must be an integer'],
    [{ type: ['string', 'null'] }, 1, 'must be a string or null'],
    [{ type: 'string', enum: ['low', 'high'] }, 'x', 'must be one of low, high'],
    [{ const: { a: 1 } }, 'x', 'must be {"a":1}'],
    [{ type: 'array', minItems: 1 }, [], 'must have at least 1 item, got 0'],
    [{ type: 'array', maxItems: 1 }, [1, 2], 'must have at most 1 item, got 2'],
    [{ type: 'array', prefixItems: [true], items: false, minItems: 1 }, [1, 2], 'must have at most 1 item, got 2'],
    [{ type: 'array', uniqueItems: true }, [1, 2, 1], 'must not hold the same item twice (0 and 2)'],
    [
      { type: 'array', contains: { type: 'string' } },
      [1, 2],
      'must have at least 1 item of the form that is asked for',
    ],
    [{ type: 'object', minProperties: 1 }, {}, 'must have at least 1 field, got 0'],
    [{ not: { type: 'string' } }, 'x', 'must not be of the form that is excluded'],
    [false, 'x', 'is not allowed here'],
  ]
  for (const [schema, value, message] of cases)
    assert.deepEqual(told(schema, value), { body: [message] }, JSON.stringify(schema))
})

test('what is missing, and what is not known, is told under its own name', () => {
  const schema = {
    type: 'object',
    properties: {
      tags: { type: 'array', items: { type: 'string' } },
      card: { type: 'string' },
      cvc: { type: 'string' },
    },
    required: ['title'],
    dependentRequired: { card: ['cvc'] },
    additionalProperties: false,
  }
  assert.deepEqual(told(schema, { tags: ['a', 'b', 3], card: 'x', extra: 1 }), {
    title: ['is required'],
    extra: ['is not a known field'],
    cvc: ['is required where `card` is given'],
    'tags.2': ['must be a string'],
  })
})

test('CT1: each error has a JSON Pointer (RFC 6901)', () => {
  const schema = {
    type: 'object',
    properties: { 'a/b': { type: 'object', properties: { 'c~d': { type: 'string' } } } },
  }
  const verdict = checkBySchema(schema)(Buffer.from('{"a/b":{"c~d":1}}'))
  assert.deepEqual('invalid' in verdict && verdict.invalid, [
    { in: 'body', pointer: '/a~1b/c~0d', detail: 'must be a string' },
  ])
})

test('of several forms the one speaks that the value comes closest to', () => {
  const card = {
    type: 'object',
    properties: { kind: { const: 'card' }, number: { type: 'string', minLength: 12 } },
    required: ['kind', 'number'],
    additionalProperties: false,
  }
  const iban = {
    type: 'object',
    properties: { kind: { const: 'iban' }, iban: { type: 'string' } },
    required: ['kind', 'iban'],
    additionalProperties: false,
  }
  for (const keyword of ['oneOf', 'anyOf']) {
    const schema = {
      type: 'object',
      properties: { pay: { [keyword]: [{ $ref: '#/$defs/card' }, { $ref: '#/$defs/iban' }] } },
      $defs: { card, iban },
    }
    assert.deepEqual(told(schema, { pay: { kind: 'iban', ibann: 'x' } }), {
      'pay.iban': ['is required'],
      'pay.ibann': ['is not a known field'],
    })
    assert.deepEqual(told(schema, { pay: { kind: 'card', number: '4' } }), {
      'pay.number': ['must have at least 12 characters, got 1'],
    })
    assert.deepEqual(told(schema, { pay: { kind: 'cash' } }), { 'pay.kind': ['must be one of card, iban'] })
    assert.deepEqual(told(schema, { pay: 7 }), { pay: ['must be an object'] })
  }
  assert.deepEqual(told({ anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] }, 7), {
    body: ['must be a string or an array'],
  })
  assert.deepEqual(told({ anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] }, [7]), {
    '0': ['must be a string'],
  })
  assert.deepEqual(told({ oneOf: [{ type: 'integer' }, { type: 'number', minimum: 2 }] }, 3), {
    body: ['must fit one form only, and fits 1 and 2'],
  })
})

test('a bound that another field says is told by the name of the field, not by its value', () => {
  const schema = {
    type: 'object',
    properties: {
      from: { type: 'string', format: 'date' },
      to: { type: 'string', format: 'date', formatExclusiveMinimum: { $data: '1/from' } },
      least: { type: 'integer' },
      most: { type: 'integer', minimum: { $data: '1/least' } },
      again: { const: { $data: '1/from' } },
    },
  }
  assert.deepEqual(told(schema, { from: '2026-02-02', to: '2026-02-02', least: 4711, most: 3, again: 'x' }), {
    to: ['must be later than `from`'],
    most: ['must be at least `least`'],
    again: ['must be the same as `from`'],
  })
})

test('no value of the caller is repeated, and no name longer or stranger than can be shown', () => {
  const secret = 'hunter2-hunter2'
  const schemas: readonly Schema[] = [
    { type: 'integer' },
    { enum: [1] },
    { const: 1 },
    { type: 'string', pattern: '^[0-9]+$' },
    { type: 'string', format: 'email' },
    { type: 'string', maxLength: 2 },
    { anyOf: [{ type: 'integer' }, { type: 'string', maxLength: 2 }] },
    { not: { type: 'string' } },
  ]
  for (const schema of schemas)
    assert.doesNotMatch(JSON.stringify(told(schema, secret)), /hunter/, JSON.stringify(schema))
  const [name = ''] = Object.keys(
    told({ type: 'object', additionalProperties: false }, { [`\u0007\u202e${'x'.repeat(100_000)}`]: 1 }),
  )
  assert.equal(name, `��${'x'.repeat(62)}…`)
})

test('100 messages are told, and how many there are beyond them', () => {
  const check = checkBySchema({ type: 'array', items: { type: 'string' } }, openSchemas())
  const verdict = check(Buffer.from(JSON.stringify(Array.from({ length: 1000 }, () => 1))))
  assert.ok('errors' in verdict)
  assert.equal(Object.keys(verdict.errors).length, 100)
  assert.equal(verdict.invalid.length, 100)
  assert.equal(verdict.more, 900)
})
