import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSchemas, type Schema } from '../../../src/inspection/schema/compile.ts'
import type { Broken } from '../../../src/inspection/schema/violation.ts'
import { SchemaMistake } from '../../../src/inspection/schema/walk.ts'
import { assertLinear } from './linear.ts'

function judge(schema: Schema, value: unknown, shared: Readonly<Record<string, Schema>> = {}): Broken | undefined {
  return openSchemas({ shared }).compile(schema)(value, JSON.stringify(value).length)
}

test('CT1: what a schema says and nobody knows is a mistake at load, with its place', () => {
  const mistakes: readonly (readonly [Schema, string, RegExp])[] = [
    [
      { type: 'object', properties: { title: { type: 'string', minLenght: 3 } } },
      '/properties/title/minLenght',
      /keyword/,
    ],
    [
      { type: 'array', items: { type: 'string', format: 'phone' } },
      '/items/format',
      /format that is known here, got `phone`/,
    ],
    [{ allOf: [{ type: 'strin' }] }, '/allOf/0/type', /must be one of array/],
    [{ type: 'object', properties: { a: { $ref: 'Nobody' } } }, '/properties/a/$ref', /shared one, got `Nobody`/],
    [{ type: 'object', properties: { a: { $ref: '#/$defs/b' } } }, '/properties/a/$ref', /into this schema/],
    [{ $ref: 'https://example.com/schema.json' }, '/$ref', /into this schema or to a shared one/],
    [
      { type: 'object', properties: { 'a/b': { type: 'string', pattern: '(a)\\1' } } },
      '/properties/a~1b/pattern',
      /linear time/,
    ],
    [{ type: 'object', patternProperties: { '(a)\\1': true } }, '/patternProperties/(a)\\1', /linear time/],
    [{ type: 'string', pattern: { $data: '1/other' } }, '/pattern', /nobody but the schema/],
    [{ type: 'string', format: { $data: '1/other' } }, '/format', /known here/],
    [{ $async: true, type: 'string' }, '/$async', /answers at once/],
    [{ $schema: 'http://json-schema.org/draft-07/schema#' }, '/$schema', /2020-12/],
    [
      { type: 'object', properties: JSON.parse('{"__proto__":{"type":"string"}}') },
      '/properties/__proto__',
      /another name/,
    ],
    [{ 'x-role': 'poem' }, '/x-role', /`prose` or `identifier`/],
    [{ 'x-effort': true }, '/x-effort', /keyword/],
    [{ properties: { a: { minLength: 1 } } }, '', /missing type/],
  ]
  for (const [schema, pointer, message] of mistakes)
    assert.throws(
      () => openSchemas().compile(schema),
      (error) => error instanceof SchemaMistake && error.pointer === pointer && message.test(error.message),
      JSON.stringify(schema),
    )
})

test('what other parts of the house read in a schema is no mistake', () => {
  const schema = { type: 'string', 'x-role': 'prose', 'x-sanitise': 'basic', title: 'A text', examples: ['x'] }
  assert.equal(judge(schema, 'select a plan or update it'), undefined)
})

test('a shared schema is referred to by name, and a mistake in one is told with it', () => {
  const shared = {
    Task: {
      type: 'object',
      properties: { title: { $ref: '#/$defs/title' }, next: { $ref: 'Task' } },
      $defs: { title: { type: 'string', minLength: 3 } },
    },
  }
  assert.equal(
    judge({ type: 'array', items: { $ref: 'Task' } }, [{ title: 'abc', next: { title: 'abc' } }], shared),
    undefined,
  )
  assert.deepEqual(judge({ $ref: 'Task' }, { next: { next: { title: 'a' } } }, shared)?.violations, [
    { path: ['next', 'next', 'title'], message: 'must have at least 3 characters, got 1' },
  ])
  assert.deepEqual(judge({ $ref: 'Task#/properties/title' }, 'a', shared)?.violations.length, 1)
  assert.throws(
    () => openSchemas({ shared: { Task: { type: 'object', properties: { owner: { $ref: 'Person' } } } } }),
    (error) => error instanceof SchemaMistake && error.pointer === '/Task/properties/owner/$ref',
  )
})

test('names that every object has are fields like any others', () => {
  const required = { type: 'object', required: ['constructor', 'toString'] }
  assert.deepEqual(
    judge(required, {})?.violations.map(({ path }) => path),
    [['constructor'], ['toString']],
  )
  assert.equal(judge(required, JSON.parse('{"constructor":1,"toString":2}')), undefined)
  const closed = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false }
  for (const name of ['__proto__', 'constructor', 'hasOwnProperty'])
    assert.deepEqual(judge(closed, JSON.parse(`{"${name}":{"a":1}}`))?.violations, [
      { path: [name], message: 'is not a known field' },
    ])
  assert.equal(judge({ type: 'object', properties: { constructor: { type: 'string' } } }, {}), undefined)
})

test('lone surrogates, the largest numbers and the smallest are values like any others', () => {
  assert.equal(judge({ type: 'string', maxLength: 1 }, '\ud800'), undefined)
  assert.equal(judge({ type: 'string', maxLength: 1 }, '😀'), undefined)
  assert.equal(judge({ type: 'string', pattern: '^.$' }, '\ud800'), undefined)
  assert.equal(judge({ type: 'integer' }, 1e308), undefined)
  assert.equal(judge({ type: 'number', multipleOf: 0.01 }, 4.35)?.violations[0]?.message, undefined)
  assert.equal(judge({ type: 'integer', maximum: 10 }, 1e308)?.violations[0]?.message, 'must be at most 10')
  assert.equal(
    openSchemas().compile({ type: 'number' })(Number.NaN, 3)?.violations.length,
    1,
    'NaN is no JSON, and no number',
  )
  assert.equal(openSchemas().compile({ type: 'number' })(Number.POSITIVE_INFINITY, 3)?.violations.length, 1)
  const unique = { type: 'array', uniqueItems: true }
  assert.equal(
    judge(unique, ['\ud800', '\\ud800', 1, '1', true, 'true', null, 'null', [1], { a: 1 }, {}, []]),
    undefined,
  )
  assert.equal(
    judge(unique, [
      { a: [1, { c: -0 }], b: 2 },
      { b: 2, a: [1, { c: 0 }] },
    ])?.violations.length,
    1,
  )
})

test('of 100,000 wrong items not one message each is made, and the first is told', () => {
  const schema = {
    type: 'array',
    items: { type: 'object', properties: { a: { type: 'string', minLength: 3 } }, required: ['a', 'b', 'c'] },
  }
  const check = openSchemas().compile(schema)
  const broken = check(
    Array.from({ length: 100_000 }, () => ({ a: 1 })),
    900_000,
  )
  assert.equal(broken?.violations.length, 1)
  assert.deepEqual(broken?.violations[0]?.path, ['0', 'b'])
  const fewer = check(
    Array.from({ length: 1000 }, () => ({ a: 1 })),
    9000,
  )
  assert.equal(fewer?.violations.length, 100)
  assert.equal(fewer?.more, 2900)
})

test('CT1: a check takes time in proportion to the value', () => {
  const check = openSchemas({
    shared: {
      Tree: {
        type: 'object',
        properties: { children: { type: 'array', items: { $ref: 'Tree' } }, name: { type: 'string', maxLength: 9 } },
      },
    },
  })
  const cases: Readonly<Record<string, readonly [Schema, (count: number) => unknown]>> = {
    'unique objects': [
      { type: 'array', uniqueItems: true },
      (count) => Array.from({ length: count / 10 }, (_, a) => ({ a })),
    ],
    'unknown fields': [
      { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false },
      (count) => Object.fromEntries(Array.from({ length: count / 10 }, (_, index) => [`field${index}`, 1])),
    ],
    'a pattern on a long text': [{ type: 'string', pattern: '^(a+)+$' }, (count) => `${'a'.repeat(count)}!`],
    'a wide tree': [
      { $ref: 'Tree' },
      (count) => ({ children: Array.from({ length: count / 10 }, () => ({ name: 'x' })) }),
    ],
    'patterns of names': [
      { type: 'object', patternProperties: { '^(?:a|b)+$': true, '\\d+$': { type: 'integer' } } },
      (count) => Object.fromEntries(Array.from({ length: count / 10 }, (_, index) => [`ab${index}`, 1])),
    ],
  }
  for (const [what, [schema, make]] of Object.entries(cases)) {
    const compiled = check.compile(schema)
    assertLinear(what, (count) => {
      const value = make(count)
      return () => void compiled(value, count)
    })
  }
})

test('a schema that leads back to itself twice a level is given up in time, and the value refused', () => {
  const either = { anyOf: [{ $ref: '#/$defs/one' }, { $ref: '#/$defs/other' }] }
  const schema = {
    ...either,
    $defs: {
      one: { type: 'object', properties: { of: either, one: { const: 1 } }, required: ['one'] },
      other: { type: 'object', properties: { of: either, two: { const: 2 } }, required: ['two'] },
    },
  }
  let value: object = { neither: true }
  for (let depth = 0; depth < 60; depth++) value = { of: value }
  assert.deepEqual(judge(schema, value)?.violations, [{ path: [], message: 'must fit one of 2 forms' }])
  const late = {
    ...schema,
    $defs: {
      one: {
        allOf: [
          { properties: { of: either }, type: 'object' },
          { type: 'object', required: ['one'] },
        ],
      },
      other: {
        allOf: [
          { properties: { of: either }, type: 'object' },
          { type: 'object', required: ['two'] },
        ],
      },
    },
  }
  assert.match(judge(late, value)?.violations[0]?.message ?? '', /takes too long to check/)
})

test('what one value broke is not told of the next', () => {
  const schema = {
    type: 'object',
    properties: { a: { $ref: '#/$defs/b' }, t: { type: 'string', pattern: '^[ab]*a[ab]{900}c$' } },
    $defs: { b: { type: 'integer' } },
  }
  const check = openSchemas().compile(schema)
  assert.deepEqual(check({ a: 'x' }, 9)?.violations, [{ path: ['a'], message: 'must be an integer' }])
  assert.match(check({ t: 'ab'.repeat(500_000) }, 1_000_000)?.violations[0]?.message ?? '', /takes too long/)
  assert.equal(check({ a: 1 }, 9), undefined)
})

test('a schema may say who it is, and where in it to begin', () => {
  const schema = {
    $id: 'https://example.com/a.json',
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $ref: '#start',
    $defs: { b: { $anchor: 'start', type: 'integer' } },
  }
  for (let round = 0; round < 2; round++) assert.equal(judge(schema, 'x')?.violations.length, 1)
})

test('a pattern of many states on a long text is given up in time, and the value refused', () => {
  const schema = { type: 'string', pattern: '^[ab]*a[ab]{900}c$' }
  assert.match(judge(schema, 'ab'.repeat(500_000))?.violations[0]?.message ?? '', /takes too long to check/)
  assert.equal(judge(schema, `${'a'.repeat(920)}c`), undefined, 'an honest one is checked')
  const steady = { type: 'array', items: { type: 'string', pattern: '^[a-z]{2}-[\\w\\s]{0,900}$' } }
  const many = Array.from({ length: 1000 }, () => `ab-${'c d'.repeat(300)}`)
  assert.equal(judge(steady, many), undefined, 'and so are many, where the pattern is in one state at a time')
})
