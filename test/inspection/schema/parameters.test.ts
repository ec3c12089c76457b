import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openSchemas } from '../../../src/inspection/schema/compile.ts'
import { openRequestCheck, type RequestFault, type RequestSchemas } from '../../../src/inspection/schema/parameters.ts'
import { SchemaMistake } from '../../../src/inspection/schema/walk.ts'

interface Sent {
  readonly query?: string
  readonly params?: Readonly<Record<string, string>>
  readonly headers?: readonly string[]
}

const usual = openSchemas()

function judge(schemas: RequestSchemas, { query = '', params = {}, headers = [] }: Sent): RequestFault | undefined {
  return openRequestCheck(schemas, usual)({ query, params, headers })
}

const list = {
  query: {
    type: 'object',
    properties: {
      page: { type: 'integer', minimum: 1, maximum: 100 },
      ratio: { type: 'number' },
      archived: { type: 'boolean' },
      sort: { type: 'string', enum: ['name', 'date'] },
      tag: { type: 'array', items: { type: 'string', minLength: 2 }, maxItems: 3 },
      ids: { type: 'array', items: { type: 'integer' }, 'x-style': 'comma' },
      filter: {
        type: 'object',
        properties: { min: { type: 'integer' } },
        additionalProperties: false,
        'x-style': 'deep',
      },
      where: { type: 'object', properties: { a: { type: 'integer' } }, 'x-style': 'json' },
      either: { type: ['string', 'integer'], pattern: '^\\d{8}$', maximum: 10 },
    },
    additionalProperties: false,
  },
} as const

test('CT1: a query is held against its schema, its texts taken for what they stand for', () => {
  const fits = [
    '',
    '?',
    '?page=1',
    '?page=100&archived=true&sort=name&ratio=-1.5e3',
    '?tag=ab&tag=cd',
    '?tag=ab',
    '?ids=1,2,-3',
    '?filter[min]=3',
    '?filter%5Bmin%5D=3',
    '?where=%7B%22a%22:1%7D',
    '?either=12345678',
    '?either=7',
    '?&&page=1&',
  ]
  for (const query of fits) assert.equal(judge(list, { query }), undefined, query)
})

test('CT1: what only some readers take for a number, or for true, is none', () => {
  for (const text of [
    '1e3',
    '0x10',
    '%201',
    '1%20',
    '',
    '+1',
    '01',
    '1.0',
    '1.',
    '.5',
    '１',
    'NaN',
    'Infinity',
    '-0',
    '1_000',
    '99999999999999999999',
    '1,2',
    '%00',
  ])
    assert.deepEqual(
      judge(list, { query: `?page=${text}` }),
      {
        errors: { 'query.page': ['must be an integer'] },
        invalid: [{ in: 'query', name: 'page', detail: 'must be an integer' }],
        more: 0,
      },
      text,
    )
  for (const text of ['1', 'True', 'yes', 'on', '', 'TRUE', 'true%20'])
    assert.match(JSON.stringify(judge(list, { query: `?archived=${text}` })), /must be a boolean/, text)
  for (const text of ['1e999', 'NaN', '0x1', '1e', '--1', '1'.repeat(100)])
    assert.match(JSON.stringify(judge(list, { query: `?ratio=${text}` })), /must be a number/, text)
})

test('a parameter that comes twice without being a list is refused: two readers take two values', () => {
  const fault = judge(list, { query: '?page=1&page=2' })
  assert.deepEqual(fault && 'invalid' in fault && fault.invalid, [
    { in: 'query', name: 'page', detail: 'is given 2 times, and is no list: two readers would take two values' },
  ])
  for (const query of ['?ids=1,2&ids=3', '?sort=name&sort=name', '?filter[min]=1&filter[min]=2'])
    assert.match(JSON.stringify(judge(list, { query })), /two readers/, query)
})

test('what is not known, not written as it should be, or out of bounds is told with its place', () => {
  const told = (query: string): unknown => {
    const fault = judge(list, { query })
    return fault && ('errors' in fault ? fault.errors : fault)
  }
  assert.deepEqual(told('?pages=1'), { 'query.pages': ['is not a known field'] })
  assert.deepEqual(told('?__proto__=1'), { 'query.__proto__': ['is not a known field'] })
  assert.deepEqual(told('?page[]=1'), { 'query.page[]': ['is not a known field'] })
  assert.deepEqual(told('?tag=ab&tag=c'), { 'query.tag.1': ['must have at least 2 characters, got 1'] })
  assert.deepEqual(told('?ids=1,x'), { 'query.ids.1': ['must be an integer'] })
  assert.deepEqual(told('?filter[min]=x'), { 'query.filter.min': ['must be an integer'] })
  assert.deepEqual(told('?filter[max]=1'), { 'query.filter.max': ['is not a known field'] })
  assert.deepEqual(told('?where=%7Ba'), { 'query.where': ['must be JSON'] })
  assert.deepEqual(told('?page=0'), { 'query.page': ['must be at least 1'] })
  assert.deepEqual(told('?sort=%C0%AF'), {
    malformed: 'expected a query in percent-encoded UTF-8, got escapes that are none',
  })
  assert.deepEqual(told(`?${'a&'.repeat(1001)}`), { malformed: 'expected at most 1000 parameters, got 1001' })
})

test('CT1: path parameters, headers and cookies are held against theirs', () => {
  const schemas: RequestSchemas = {
    path: { type: 'object', properties: { id: { type: 'string', format: 'uuid' }, version: { type: 'integer' } } },
    headers: {
      type: 'object',
      properties: {
        'X-Request-Id': { type: 'string', pattern: '^[a-z0-9-]{8,36}$' },
        'X-Tags': { type: 'array', items: { type: 'string' }, maxItems: 2 },
      },
      required: ['X-Request-Id'],
    },
    cookies: { type: 'object', properties: { theme: { type: 'string', enum: ['dark', 'light'] } } },
  }
  const params = { id: '0190f3a4-7b1c-7c3e-8a55-1f2e3d4c5b6a', version: '2' }
  const headers = [
    'Host',
    'a',
    'x-request-ID',
    'abcdef-12',
    'X-Tags',
    'a,b',
    'Accept',
    'a',
    'Accept',
    'b',
    'Cookie',
    'theme=dark; other=1',
  ]
  assert.equal(judge(schemas, { params, headers }), undefined)
  const fault = judge(schemas, {
    params: { id: 'x', version: '1.5' },
    headers: ['X-Tags', 'a,b,c', 'Cookie', 'theme=red'],
  })
  assert.deepEqual(fault && 'errors' in fault && fault.errors, {
    'path.id': ['must be a UUID'],
    'path.version': ['must be an integer'],
    'header.x-request-id': ['is required'],
    'header.x-tags': ['must have at most 2 items, got 3'],
    'cookie.theme': ['must be one of dark, light'],
  })
  assert.match(
    JSON.stringify(judge(schemas, { params, headers: [...headers, 'X-Request-Id', 'second-one'] })),
    /two readers/,
  )
  assert.match(
    JSON.stringify(judge(schemas, { params, headers: [...headers, 'Cookie', 'theme=light'] })),
    /two readers/,
  )
})

test('a schema of a part that would refuse everything, or that cannot be read, is a mistake at load', () => {
  const mistakes: readonly (readonly [RequestSchemas, string])[] = [
    [{ headers: { type: 'object', additionalProperties: false } }, '/headers/additionalProperties'],
    [{ query: { type: 'object', properties: { a: { type: 'object' } } } }, '/query/properties/a'],
    [{ query: { type: 'object', properties: { a: { type: 'strin' } } } }, '/query/properties/a/type'],
    [
      { cookies: { type: 'object', properties: { a: { type: 'string', 'x-style': 'coma' } } } },
      '/cookies/properties/a/x-style',
    ],
  ]
  for (const [schemas, pointer] of mistakes)
    assert.throws(
      () => openRequestCheck(schemas, openSchemas()),
      (error) => error instanceof SchemaMistake && error.pointer === pointer,
      pointer,
    )
})

test('a parameter fits as an integer exactly where it is the usual spelling of one', () => {
  const check = openRequestCheck({ query: { type: 'object', properties: { n: { type: 'integer' } } } }, openSchemas())
  const texts = fc.oneof(
    fc.integer().map(String),
    fc.double().map(String),
    fc.string({ maxLength: 6 }),
    fc.constantFrom('007', '-1', '--1', '1 ', '٣'),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const usual = /^-?\d{1,19}$/.test(text) && String(BigInt(text)) === text
      const fault = check({ query: `?n=${encodeURIComponent(text.toWellFormed())}`, params: {}, headers: [] })
      assert.equal(fault === undefined, usual, text)
    }),
  )
})

test('what a shared schema says of parameters holds', () => {
  const schemas = openSchemas({
    shared: {
      Page: { type: 'integer', minimum: 1 },
      Paging: { type: 'object', properties: { page: { $ref: 'Page' } } },
    },
  })
  const check = openRequestCheck(
    {
      query: {
        allOf: [{ $ref: 'Paging' }],
        type: 'object',
        properties: { q: { type: 'string' } },
        unevaluatedProperties: false,
      },
    },
    schemas,
  )
  assert.equal(check({ query: '?page=3&q=7', params: {}, headers: [] }), undefined)
  assert.match(JSON.stringify(check({ query: '?page=x', params: {}, headers: [] })), /must be an integer/)
  assert.match(JSON.stringify(check({ query: '?r=x', params: {}, headers: [] })), /not a known field/)
})
