import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkBySchema, checkByType, type TypedBodyCheck } from '../../../src/inspection/schema/body.ts'
import { openSchemas } from '../../../src/inspection/schema/compile.ts'
import { SchemaMistake } from '../../../src/inspection/schema/walk.ts'
import { assertLinear } from './linear.ts'

const schemas = openSchemas()

const upload = {
  type: 'object',
  properties: {
    title: { type: 'string', minLength: 3 },
    count: { type: 'integer' },
    tags: { type: 'array', items: { type: 'string' } },
    meta: { type: 'object', properties: { a: { type: 'integer' } }, 'x-style': 'json' },
    file: { type: 'string', format: 'binary' },
    files: { type: 'array', items: { type: 'string', format: 'binary' }, maxItems: 2 },
  },
  required: ['title'],
  additionalProperties: false,
}
const plain = {
  ...upload,
  properties: { title: upload.properties.title, count: upload.properties.count, tags: upload.properties.tags },
}
const all = checkByType({ json: plain, form: plain, multipart: upload }, schemas)

/** Parts of a form: the rest of the disposition of each, and its content. */
type Sent = readonly (readonly [disposition: string, content: string])[]

function verdict(check: TypedBodyCheck, contentType: string, body: string): unknown {
  const judge = check.of(contentType)
  return judge === undefined ? 'unsupported' : judge(Buffer.from(body, 'latin1'))
}

const form = 'application/x-www-form-urlencoded'

test('CT1: a route takes the kinds of body that it has a schema for, by their content type', () => {
  const fits = '{"title":"abc"}'
  for (const type of [
    'application/json',
    'Application/JSON; charset=UTF-8',
    'application/merge-patch+json',
    'application/json;charset="utf-8"',
  ])
    assert.deepEqual(verdict(all, type, fits), { value: { title: 'abc' } }, type)
  for (const type of [
    'text/plain',
    'application/jsonx',
    'application/json; charset=utf-16',
    'application/json, text/plain',
    '',
    'application/json; charset=utf-8; charset=utf-16',
    'multipart/mixed; boundary=x',
    'text/json',
  ])
    assert.equal(verdict(all, type, fits), 'unsupported', type)
  assert.equal(all.of(undefined), undefined)
  assert.equal(verdict(checkByType({ json: plain }, schemas), form, 'title=abc'), 'unsupported')
  assert.equal(all.expected, 'application/json or application/x-www-form-urlencoded or multipart/form-data')
  assert.equal(checkByType({ json: plain }, schemas).expected, 'application/json')
})

test('a mistake in the schema of one kind of body is told with the kind', () => {
  const wrong = { type: 'object', properties: { a: { type: 'strin' } } }
  assert.throws(
    () => checkByType({ json: plain, form: wrong }, schemas),
    (error) => error instanceof SchemaMistake && error.pointer === '/form/properties/a/type',
  )
})

test('JSON stays strict: a member twice, a depth, a number or bytes that two parsers read differently are malformed', () => {
  for (const body of [
    '{"title":"abc","title":"xyz"}',
    '{"title":1e999}',
    `${'['.repeat(65)}${']'.repeat(65)}`,
    '{"title":"\xff"}',
    '',
    '{"title":"abc"} x',
    '{title:1}',
    'NaN',
    '\xef\xbb\xbf{}',
  ])
    assert.ok('malformed' in (verdict(all, 'application/json', body) as object), body)
})

test('CT1: a form is held against its schema, and comes out as the object that it stands for', () => {
  assert.deepEqual(verdict(all, form, 'title=O%27Brien+%26+Co&count=7&tags=a&tags=b'), {
    value: { title: "O'Brien & Co", count: 7, tags: ['a', 'b'] },
  })
  assert.deepEqual(verdict(all, form, 'title=ab&count=7x&extra=1'), {
    errors: {
      extra: ['is not a known field'],
      title: ['must have at least 3 characters, got 2'],
      count: ['must be an integer'],
    },
    invalid: [
      { in: 'body', pointer: '/extra', detail: 'is not a known field' },
      { in: 'body', pointer: '/title', detail: 'must have at least 3 characters, got 2' },
      { in: 'body', pointer: '/count', detail: 'must be an integer' },
    ],
    more: 0,
  })
  assert.match(JSON.stringify(verdict(all, form, 'title=abc&title=xyz')), /two readers/)
  assert.ok('malformed' in (verdict(all, form, 'title=%C0%AF%AF') as object))
  const open = checkByType({ form: { type: 'object' } }, schemas)
  const { value } = verdict(open, form, '__proto__=x&constructor=y') as { readonly value: object }
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor'])
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
})

test('CT1: a form of parts is held against its schema, its files only for being files', () => {
  const type = 'multipart/form-data; boundary=b'
  const body = (...parts: Sent): string =>
    `${parts.map(([disposition, content]) => `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`).join('')}--b--\r\n`
  const good = verdict(
    all,
    type,
    body(
      ['name="title"', 'abc'],
      ['name="count"', '7'],
      ['name="meta"', '{"a":1}'],
      ['name="file"; filename="a.bin"', '\x00\xff'],
      ['name="files"; filename="1"', 'x'],
    ),
  )
  assert.deepEqual(good, {
    value: {
      title: 'abc',
      count: 7,
      meta: { a: 1 },
      file: { filename: 'a.bin', contentType: undefined, bytes: Buffer.from([0, 255]) },
      files: [{ filename: '1', contentType: undefined, bytes: Buffer.from('x') }],
    },
  })
  const told = (...parts: Sent): unknown => {
    const result = verdict(all, type, body(...parts)) as { readonly errors?: unknown }
    return result.errors ?? result
  }
  assert.deepEqual(told(['name="title"; filename="x"', 'abc']), { title: ['must be a text, and is a file'] })
  assert.deepEqual(told(['name="title"', 'abc'], ['name="file"', 'abc']), { file: ['must be a file'] })
  assert.deepEqual(told(['name="title"', 'abc'], ['name="meta"', '{"a":"x"}']), { 'meta.a': ['must be an integer'] })
  assert.deepEqual(told(['name="title"', 'abc'], ['name="meta"', '{"a":1,"a":2}']), { meta: ['must be JSON'] })
  assert.deepEqual(
    told(
      ['name="title"', 'abc'],
      ...Array.from({ length: 3 }, (_, index) => [`name="files"; filename="${index}"`, 'x'] as const),
    ),
    { files: ['must have at most 2 items, got 3'] },
  )
  assert.deepEqual(told(['name="title"', 'abc'], ['name="other"; filename="x"', 'x']), {
    other: ['is not a known field'],
  })
  assert.ok('malformed' in (told(['name="title"', '\xff']) as object))
  assert.ok('malformed' in (verdict(all, type, 'title=abc') as object))
})

test('CT1: reading and checking a body takes time in proportion to it', () => {
  const text = {
    type: 'object',
    properties: { text: { type: 'string', pattern: '^(?:[a-z]+ ?)*$', maxLength: 10_000_000 } },
  }
  const json = checkBySchema(text, schemas)
  const typed = checkByType({ form: text, multipart: text }, schemas)
  const asForm = typed.of(form)
  const asParts = typed.of('multipart/form-data; boundary=b')
  assertLinear('a long text', (count) => {
    const bytes = Buffer.from(`{"text":"${'ab '.repeat(count / 3)}!"}`)
    return () => void json(bytes)
  })
  assertLinear('nested openings', (count) => {
    const bytes = Buffer.from('['.repeat(count))
    return () => void json(bytes)
  })
  for (const seed of ['a=1&', '&', '=', '%25', '%', 'a[', 'text=&'])
    assertLinear(`a form of ${seed}`, (count) => {
      const bytes = Buffer.from(seed.repeat(count / seed.length))
      return () => void asForm?.(bytes)
    })
  for (const seed of ['--b\r\n', '\r\n--b', '--', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'])
    assertLinear(`parts of ${seed}`, (count) => {
      const bytes = Buffer.from(seed.repeat(count / seed.length))
      return () => void asParts?.(bytes)
    })
})
