import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AnswerFault, openAnswerCheck } from '../../../src/inspection/schema/answer.ts'
import { openSchemas } from '../../../src/inspection/schema/compile.ts'
import { SchemaMistake } from '../../../src/inspection/schema/walk.ts'

const task = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'], additionalProperties: false }
const problem = { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] }
const check = openAnswerCheck({ 200: task, '4XX': problem, 422: false, default: true }, openSchemas())

function judge(
  status: number,
  body: string,
  contentType: string | undefined = 'application/json',
): AnswerFault | undefined | 'unasked' {
  const by = check.of(status)
  return by === undefined ? 'unasked' : by(contentType, Buffer.from(body))
}

test('CT1: an answer is held against the schema of its status, else of its class, else the default', () => {
  assert.equal(judge(200, '{"id":1}'), undefined)
  assert.equal(judge(404, '{"title":"x"}', 'application/problem+json'), undefined)
  assert.equal(judge(500, '"whatever"'), undefined)
  assert.deepEqual(judge(200, '{"id":"1","internal":"secret"}'), {
    invalid: [
      { in: 'answer', pointer: '/internal', detail: 'is not a known field' },
      { in: 'answer', pointer: '/id', detail: 'must be an integer' },
    ],
    more: 0,
  })
  assert.deepEqual(judge(404, '{}'), { invalid: [{ in: 'answer', pointer: '/title', detail: 'is required' }], more: 0 })
  assert.deepEqual(judge(422, '{}'), {
    invalid: [{ in: 'answer', pointer: '', detail: 'is not allowed here' }],
    more: 0,
  })
})

test('an answer that is no JSON is a fault where JSON is described', () => {
  assert.deepEqual(judge(200, '<html>', 'text/html'), { malformed: 'expected JSON, got another type' })
  assert.ok('malformed' in (judge(200, '{"id":1') as object))
  assert.ok('malformed' in (judge(200, '') as object))
  assert.ok('malformed' in (judge(200, '{"id":1}', '') as object))
})

test('an answer without content, or of a status that nothing describes, is held against nothing', () => {
  for (const status of [101, 204, 205, 304]) assert.equal(judge(status, ''), 'unasked')
  assert.equal(openAnswerCheck({ 200: task }, openSchemas()).of(500), undefined)
})

test('a status that is none, and a schema that is none, are mistakes at load', () => {
  for (const [status, pointer] of [
    ['20', '/20'],
    ['ok', '/ok'],
    ['6XX', '/6XX'],
  ] as const)
    assert.throws(
      () => openAnswerCheck({ [status]: task }, openSchemas()),
      (error) => error instanceof SchemaMistake && error.pointer === pointer,
    )
  assert.throws(
    () => openAnswerCheck({ 200: { type: 'x' } }, openSchemas()),
    (error) => error instanceof SchemaMistake && error.pointer === '/200/type',
  )
})
