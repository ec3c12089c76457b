// CT3: a `description` of prose is not an `id`, and a schema may say so.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { fieldBounds, requestFields } from '../../../src/inspection/fields/request.ts'
import { roleOf } from '../../../src/inspection/fields/role.ts'
import { withSchemaRoles } from '../../../src/inspection/fields/schema-role.ts'
import { assertLinear } from '../linear.ts'

const sentence = 'Please look at the report that I sent you, and tell me what you think.'

suite('CT3: a field is read for what it is', () => {
  // biome-ignore format: a table
  const table: readonly (readonly [name: string, text: string, role: string])[] = [
    ['id', '7', 'identifier'], ['user_id', '7', 'identifier'], ['productId', '7', 'identifier'], ['comment-id', '7', 'identifier'], ['sort', 'name', 'identifier'], ['pageSize', '7', 'identifier'],
    ['description', 'x', 'prose'], ['shortDescription', 'x', 'prose'], ['message_body', 'x', 'prose'], ['Prompt', 'x', 'prose'], ['title', 'x', 'prose'],
    ['q', 'x', 'unknown'], ['q', sentence, 'prose'], ['', sentence, 'prose'], ['q', '今天天气很好我们去公园散步吧你想不想一起去', 'prose'],
    ['q', "1' or 1=1 -- and more of it", 'unknown'], ['q', 'select a, b from c where d=e;', 'unknown'], ['q', 'a b c', 'unknown'], ['q', 'select name from users where name in (select name from owners)', 'unknown'], ['q', 'cat file; rm other files; ls all folders here', 'unknown'],
    ['q', 'Wie komme ich von hier zu dem neuen Bahnhof?', 'prose'], ['q', 'Где находится новый вокзал и как туда пройти?', 'prose'],
    ['id', sentence, 'identifier'], ['code', 'A-1', 'identifier'], ['zip_code', 'a\nb\nc', 'identifier'], ['code', 'a\nb\nc', 'unknown'], ['source_code', 'x', 'prose'], ['sourceCode', 'x', 'prose'],
  ]
  for (const [name, text, role] of table) {
    test(`${name || 'no name'}: ${text.slice(0, 30)} is ${role}`, () => assert.equal(roleOf(name, text), role))
  }

  for (const [name, pattern] of Object.entries({
    words: 'a ',
    quotes: '"',
    apostrophes: "a'",
    spaces: ' ',
    han: '今',
    dashes: '-a',
  })) {
    test(`a megabyte of ${name} takes time in proportion to its length`, () =>
      assertLinear(name, pattern, (text) => roleOf(text, text)))
  }
})

suite('CT3: a schema says what a field is', () => {
  const schema = {
    type: 'object',
    properties: {
      state: { enum: ['open', 'closed'] },
      q: { type: 'string', format: 'uuid' },
      remark: { type: 'string', pattern: '^[a-z]+$' },
      brief: { type: 'string', maxLength: 8 },
      essay: { type: 'string', maxLength: 4000 },
      free: { type: 'string' },
      told: { 'x-role': 'prose', maxLength: 3 },
      tags: { type: 'array', items: { $ref: '#/$defs/tag' } },
      pair: { prefixItems: [{ const: 'x' }] },
      tree: { $ref: '#/$defs/tree' },
    },
    additionalProperties: { type: 'string', format: 'date' },
    allOf: [{ properties: { free: { anyOf: [{ type: 'null' }, { maxLength: 900 }] } } }],
    $defs: {
      tag: { maxLength: 10 },
      tree: {
        properties: {
          label: { format: 'email' },
          children: { items: { $ref: '#/$defs/tree' } },
          self: { $ref: '#/$defs/loop' },
        },
      },
      loop: { $ref: '#/$defs/loop' },
    },
  }
  const at = (...tokens: readonly string[]): string | undefined =>
    tokens.reduce((node, token) => node.below(token), withSchemaRoles(schema)).role

  test('by x-role, enumeration, format, pattern and length, through references and unions', () => {
    assert.equal(at('state'), 'identifier')
    assert.equal(at('q'), 'identifier')
    assert.equal(at('remark'), 'identifier')
    assert.equal(at('brief'), 'identifier')
    assert.equal(at('essay'), 'prose')
    assert.equal(at('free'), 'prose')
    assert.equal(at('told'), 'prose')
    assert.equal(at('tags', '12'), 'identifier')
    assert.equal(at('pair', '0'), 'identifier')
    assert.equal(at('other'), 'identifier')
    assert.equal(at('tags', 'x', 'y'), undefined)
    assert.equal(at('tree', 'children', '0', 'children', '5', 'label'), 'identifier')
    assert.equal(at('tree', 'self'), undefined)
    assert.equal(at(), undefined)
  })

  test('what it says counts before the name', () => {
    const body = Buffer.from(JSON.stringify({ state: sentence, remark: 'x', tags: ['description'], essay: 'x' }))
    const parts = { path: '/', params: {}, query: '', headers: [], contentType: 'application/json', body }
    const read = requestFields(parts, fieldBounds(10_000), withSchemaRoles(schema))
    assert.ok('fields' in read)
    assert.deepEqual(
      read.fields.filter(({ role }) => role !== 'name').map(({ place, role }) => [place.at, role]),
      [
        ['/state', 'identifier'],
        ['/remark', 'identifier'],
        ['/tags/0', 'identifier'],
        ['/essay', 'prose'],
      ],
    )
  })
})
