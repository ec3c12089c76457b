// CT1 through the front door: values that pass beside their schema, and documents that say one thing and get another.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { throwAwayFolder } from '../support/folder.ts'
import { assertRefused, type Guarded, json, route, startGuarded } from './guarded.ts'

const either = {
  type: 'object',
  anyOf: [
    { properties: { name: { type: 'string' } }, required: ['name'] },
    { properties: { id: { type: 'integer' } }, required: ['id'] },
  ],
  unevaluatedProperties: false,
}

test('CT1: what no form of a body knows is refused, also under the names that every object has', async (context) => {
  const house = await startGuarded(context, {
    inspection: { injection: 'off' },
    routes: [
      route('/closed', { body: either }),
      route('/typed', { body: { ...either, unevaluatedProperties: { type: 'integer' } } }),
    ],
  })
  assert.equal((await house.ask('/closed', json({ name: 'a', id: 1 }))).status, 200)
  assert.equal((await house.ask('/typed', json('{"name":"a","constructor":1,"__proto__":2}'))).status, 200)
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'other'])
    for (const path of ['/closed', '/typed'])
      assertRefused(await house.ask(path, json(`{"name":"a","${name}":{"a":1}}`)), 422, 'body-invalid')
})

test('CT1: a multiple is one to the last digit, and small numbers are no multiples of large ones', async (context) => {
  const house = await startGuarded(context, {
    routes: [
      route('/price', { body: { type: 'number', multipleOf: 0.01 } }),
      route('/batch', { body: { type: 'integer', multipleOf: 10_000_000 } }),
    ],
  })
  for (const price of ['4.35', '0.07', '1e3', '-19.99', '123456789012.34', '1e300'])
    assert.equal((await house.ask('/price', json(price))).status, 200, price)
  for (const price of ['19.9900000001', '0.000000001', '4.351'])
    assertRefused(await house.ask('/price', json(price)), 422, 'body-invalid')
  assert.equal((await house.ask('/batch', json('20000000'))).status, 200)
  for (const batch of ['1', '10000001', '-3'])
    assertRefused(await house.ask('/batch', json(batch)), 422, 'body-invalid')
})

test('CT1: of a body that breaks many forms in many places the first mistake is told, and no million of them made', async (context) => {
  const names = Array.from({ length: 10 }, (_, at) => `field${at}`)
  const form = (kind: string) => ({
    type: 'object',
    properties: { kind: { const: kind }, ...Object.fromEntries(names.map((name) => [name, true])) },
    required: ['kind', ...names],
  })
  const forms = Array.from({ length: 20 }, (_, at) => form(`k${at}`))
  const house = await startGuarded(context, {
    routes: [route('/forms', { body: { type: 'array', items: { oneOf: forms } } })],
  })
  const few = await house.ask('/forms', json([{}, {}]))
  assert.equal(few.problem.invalid?.length, 22)
  const many = await house.ask('/forms', json(Array.from({ length: 5000 }, () => ({}))))
  assertRefused(many, 422, 'body-invalid')
  assert.equal(many.problem.invalid?.length, 1)
})

test('CT1: lists in headers are read as HTTP writes them, and members that a schema names by pattern as what they are', async (context) => {
  const house = await startGuarded(context, {
    routes: [
      route('/parts', {
        requestSchemas: {
          headers: {
            type: 'object',
            properties: { 'X-Tags': { type: 'array', maxItems: 3, items: { enum: ['a', 'b'] } } },
          },
          query: {
            type: 'object',
            properties: { name: { type: 'string' } },
            patternProperties: { '^n_': { type: 'integer' } },
            additionalProperties: { type: 'boolean' },
          },
        },
      }),
    ],
  })
  for (const tags of ['a,b', 'a, b', 'a ,\tb,', ' a'])
    assert.equal((await house.ask('/parts', { headers: { 'x-tags': tags } })).status, 200, tags)
  for (const tags of ['a, c', 'a b', 'a, a, a, a'])
    assertRefused(await house.ask('/parts', { headers: { 'x-tags': tags } }), 422, 'request-invalid')
  assert.equal((await house.ask('/parts?name=1&n_a=12&on=true')).status, 200)
  for (const query of ['n_a=x', 'on=1', 'on=true&on=true'])
    assertRefused(await house.ask(`/parts?${query}`), 422, 'request-invalid')
})

async function documented(context: TestContext, document: object): Promise<Guarded> {
  const file = join(throwAwayFolder(context), 'api.json')
  writeFileSync(file, JSON.stringify(document))
  return startGuarded(context, { openapi: [{ file, to: 'api', access: 'public' }] })
}

test('CT1: each operation of a document is held against its own schema, however alike the places are where they stand', async (context) => {
  const path = '/organisations/projects/environments/configurations/of/a/rather/long/path'
  const at = `#/paths/${path.replaceAll('/', '~1')}`
  const body = (schema: object) => ({ content: { 'application/json': { schema } } })
  const own = (type: string) => ({
    requestBody: body({ type: 'object', properties: { value: { type } }, required: ['value'] }),
  })
  const place = (method: string) => `${at}/${method}/requestBody/content/application~1json/schema`
  const house = await documented(context, {
    openapi: '3.1.0',
    paths: {
      [path]: { post: own('string'), put: own('integer') },
      '/one': { post: { requestBody: body({ $ref: place('post') }) } },
      '/two': { post: { requestBody: body({ $ref: place('put') }) } },
    },
  })
  assert.equal((await house.ask('/one', json({ value: 'a' }))).status, 200)
  assert.equal((await house.ask('/two', json({ value: 1 }))).status, 200)
  assertRefused(await house.ask('/two', json({ value: 'a' })), 422, 'body-invalid')
})

test('CT1: what only answers hold is not asked of requests, also where it is described elsewhere', async (context) => {
  const house = await documented(context, {
    openapi: '3.0.3',
    components: {
      schemas: {
        Id: { type: 'string', readOnly: true },
        Task: {
          type: 'object',
          properties: { id: { $ref: '#/components/schemas/Id' }, title: { type: 'string' } },
          required: ['id', 'title'],
        },
      },
    },
    paths: {
      '/tasks': {
        post: { requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Task' } } } } },
      },
    },
  })
  assert.equal((await house.ask('/tasks', json({ title: 'a' }))).status, 200)
  assertRefused(await house.ask('/tasks', json({ id: 'a' })), 422, 'body-invalid')
})
