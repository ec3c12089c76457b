import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bodyByTypeOptions,
  bodyTypeOptions,
  openapiOptions,
  requestSchemaOptions,
  sharedSchemas,
} from '../../../src/inspection/schema/options.ts'

test('what a configuration may not say of schemas is refused', () => {
  assert.equal(requestSchemaOptions.safeParse({ query: { type: 'object' }, body: {} }).success, false)
  assert.equal(sharedSchemas.safeParse({ 'a b': {} }).success, false)
  assert.equal(sharedSchemas.safeParse({ Task: { type: 'object' } }).success, true)
  assert.equal(bodyTypeOptions.safeParse(['xml']).success, false)
  assert.equal(bodyTypeOptions.safeParse([]).success, false)
  assert.equal(bodyByTypeOptions.safeParse({ json: {}, form: true }).success, true)
  assert.equal(openapiOptions.safeParse([{ file: 'a.yaml', access: 'public', require: 'a:b' }]).success, false)
  assert.deepEqual(openapiOptions.parse([{ file: 'a.yaml', prefix: '/v1' }]), [
    { file: 'a.yaml', prefix: '/v1', openOperations: false, unknownQuery: 'allow', answers: 'off' },
  ])
})
