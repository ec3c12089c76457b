import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openAnswerCheck } from '../../../src/inspection/schema/answer.ts'
import { checkByType } from '../../../src/inspection/schema/body.ts'
import { openSchemas } from '../../../src/inspection/schema/compile.ts'
import { OpenApiMistake, parseOpenApi } from '../../../src/inspection/schema/openapi/document.ts'
import { type OpenApiOptions, type RouteInput, routesOfOpenApi } from '../../../src/inspection/schema/openapi.ts'
import { openRequestCheck } from '../../../src/inspection/schema/parameters.ts'

const kennel = parseOpenApi(`
openapi: 3.1.0
info: { title: Kennel, version: 1.2.0 }
servers:
  - url: https://{region}.kennel.example/v2/
    variables: { region: { default: eu } }
security:
  - oauth: [dogs:read]
paths:
  /dogs:
    parameters:
      - $ref: '#/components/parameters/Tenant'
    get:
      operationId: listDogs
      tags: [dogs]
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100 } }
        - { name: breed, in: query, schema: { type: array, items: { $ref: '#/components/schemas/Breed' } } }
        - { name: ids, in: query, explode: false, schema: { type: array, items: { type: integer, format: int64 } } }
        - { name: filter, in: query, style: deepObject, schema: { type: object, properties: { age: { type: integer } }, additionalProperties: false } }
        - { name: where, in: query, content: { application/json: { schema: { $ref: '#/components/schemas/Where' } } } }
      responses:
        '200':
          description: some
          content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Dog' } } } }
        default: { $ref: '#/components/responses/Problem' }
    post:
      operationId: addDog
      tags: [dogs]
      security: [{ oauth: [dogs:write] }]
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: '#/components/schemas/Dog' } }
          multipart/form-data:
            schema:
              type: object
              properties:
                dog: { $ref: '#/components/schemas/Dog' }
                photo: { type: string, contentMediaType: image/png }
              required: [dog]
          text/csv: { schema: { type: string } }
      responses: { '201': { description: made } }
  /dogs/{dog-id}:
    parameters:
      - { name: dog-id, in: path, required: true, schema: { type: string, format: uuid } }
    get:
      security: []
      responses: { '200': { description: one, content: { application/json: { schema: { $ref: '#/components/schemas/Dog' } } } } }
    patch:
      security: [{ oauth: [dogs:write] }, { key: [] }]
      requestBody: { content: { application/merge-patch+json: { schema: { type: object, additionalProperties: false, properties: { name: { $ref: '#/components/schemas/Dog/properties/name' } } } } } }
      responses: { '204': { description: done } }
components:
  parameters:
    Tenant: { name: X-Tenant, in: header, required: true, schema: { type: string, pattern: '^[a-z]{2,20}$' } }
  responses:
    Problem: { description: no, content: { application/problem+json: { schema: { type: object, required: [title], properties: { title: { type: string } } } } } }
  securitySchemes:
    oauth: { type: oauth2, flows: {} }
    key: { type: apiKey, name: X-API-Key, in: header }
  schemas:
    Breed: { enum: [poodle, terrier, collie] }
    Dog:
      type: object
      required: [id, name]
      properties:
        id: { type: string, format: uuid, readOnly: true }
        name: { type: string, minLength: 1, maxLength: 40, examples: [Rex] }
        breed: { $ref: '#/components/schemas/Breed' }
        phone: { type: string, format: phone }
        pin: { type: string, writeOnly: true }
        puppies: { type: array, items: { $ref: '#/components/schemas/Dog' } }
      additionalProperties: false
      x-internal: yes
    Where:
      oneOf:
        - { type: object, properties: { and: { type: array, items: { $ref: '#/components/schemas/Where' } } }, required: [and], additionalProperties: false }
        - { type: object, properties: { age: { type: integer } }, required: [age], additionalProperties: false }
`)

/** The routes of a document, each with its checks, by method and path. */
function open(document: unknown, options: OpenApiOptions = {}) {
  const imported = routesOfOpenApi(document, options)
  const schemas = openSchemas({ shared: imported.schemas, typesOptional: true })
  const find = (method: string, path: string): RouteInput => {
    const route = imported.routes.find((one) => one.path === path && one.methods.includes(method))
    assert.ok(route, `${method} ${path} in ${imported.routes.map((one) => `${one.methods} ${one.path}`).join()}`)
    return route
  }
  return {
    ...imported,
    find,
    request: (
      method: string,
      path: string,
      query: string,
      { params = {}, headers = ['X-Tenant', 'acme'] } = {},
    ): unknown => {
      const fault = openRequestCheck(find(method, path).requestSchemas ?? {}, schemas)({ query, params, headers })
      return fault && 'errors' in fault ? fault.errors : fault
    },
    body: (method: string, path: string, contentType: string, body: unknown): unknown => {
      const check = checkByType(find(method, path).bodyByType ?? {}, schemas).of(contentType)
      if (check === undefined) return 'unsupported'
      const verdict = check(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
      return 'errors' in verdict ? verdict.errors : verdict
    },
    answer: (method: string, path: string, status: number, body: unknown): unknown =>
      openAnswerCheck(find(method, path).answers?.schemas ?? {}, schemas).of(status)?.(
        'application/json',
        Buffer.from(JSON.stringify(body)),
      ),
  }
}

test('CT1: a document of OpenAPI 3.1 makes the routes of an API', () => {
  const { routes, left } = routesOfOpenApi(kennel, { to: 'kennel' })
  assert.deepEqual(
    routes.map(({ path, methods, to, access, scope, bodyOptional }) => ({
      path,
      methods,
      to,
      access,
      scope,
      bodyOptional,
    })),
    [
      {
        path: '/v2/dogs',
        methods: ['GET'],
        to: 'kennel',
        access: 'authenticated',
        scope: ['dogs:read'],
        bodyOptional: undefined,
      },
      {
        path: '/v2/dogs',
        methods: ['POST'],
        to: 'kennel',
        access: 'authenticated',
        scope: ['dogs:write'],
        bodyOptional: false,
      },
      {
        path: '/v2/dogs/:dog_id',
        methods: ['GET'],
        to: 'kennel',
        access: 'authenticated',
        scope: undefined,
        bodyOptional: undefined,
      },
      {
        path: '/v2/dogs/:dog_id',
        methods: ['PATCH'],
        to: 'kennel',
        access: 'authenticated',
        scope: undefined,
        bodyOptional: true,
      },
    ],
  )
  assert.deepEqual(left, [
    '/components/schemas/Dog/properties/phone/format: the format `phone` is not checked',
    '/paths/~1dogs/post/requestBody: a body of `text/csv` is refused',
    '/paths/~1dogs~1{dog-id}/get: the document leaves it open, and it wants a sign-in here',
    '/paths/~1dogs~1{dog-id}/patch: scopes of one way in among several are not asked for',
  ])
})

test('CT1: its parameters are held against their schemas, in the style in which they are written', () => {
  const { request } = open(kennel)
  assert.equal(
    request(
      'GET',
      '/v2/dogs',
      '?limit=10&breed=poodle&breed=collie&ids=1,2&filter[age]=3&where=%7B%22and%22:%5B%7B%22age%22:1%7D%5D%7D&utm=x',
    ),
    undefined,
  )
  assert.deepEqual(request('GET', '/v2/dogs', '?limit=1e2'), { 'query.limit': ['must be an integer'] })
  assert.deepEqual(request('GET', '/v2/dogs', '?breed=poodle&breed=cat'), {
    'query.breed.1': ['must be one of poodle, terrier, collie'],
  })
  assert.deepEqual(request('GET', '/v2/dogs', '?ids=1,x'), { 'query.ids.1': ['must be an integer'] })
  assert.deepEqual(request('GET', '/v2/dogs', '?filter[age]=old'), { 'query.filter.age': ['must be an integer'] })
  assert.deepEqual(request('GET', '/v2/dogs', '?where=%7B%22and%22:%5B%7B%22age%22:%22x%22%7D%5D%7D'), {
    'query.where.and.0.age': ['must be an integer'],
  })
  assert.deepEqual(request('GET', '/v2/dogs', '', { headers: [] }), { 'header.x-tenant': ['is required'] })
  assert.deepEqual(request('GET', '/v2/dogs/:dog_id', '', { params: { dog_id: 'x' } }), {
    'path.dog_id': ['must be a UUID'],
  })
  assert.deepEqual(open(kennel, { unknownQuery: 'refuse' }).request('GET', '/v2/dogs', '?utm=x'), {
    'query.utm': ['is not a known field'],
  })
})

test('CT1: its bodies are held against their schemas, whatever leads back to itself', () => {
  const { body } = open(kennel)
  const json = 'application/json'
  assert.deepEqual(body('POST', '/v2/dogs', json, { name: 'Rex', puppies: [{ name: 'Bo', breed: 'cat' }] }), {
    'puppies.0.breed': ['must be one of poodle, terrier, collie'],
  })
  assert.deepEqual(
    body('POST', '/v2/dogs', json, {}),
    { name: ['is required'] },
    'what only answers hold is not asked of requests',
  )
  assert.ok('value' in (body('POST', '/v2/dogs', json, { name: 'Rex', pin: '1' }) as object))
  assert.equal(body('POST', '/v2/dogs', 'text/csv', 'a'), 'unsupported')
  const parts =
    '--b\r\nContent-Disposition: form-data; name="dog"\r\nContent-Type: application/json\r\n\r\n{"name":""}\r\n--b\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\nx\r\n--b--'
  assert.deepEqual(body('POST', '/v2/dogs', 'multipart/form-data; boundary=b', parts), {
    'dog.name': ['must have at least 1 character, got 0'],
  })
  assert.deepEqual(body('PATCH', '/v2/dogs/:dog_id', 'application/merge-patch+json', { name: '' }), {
    name: ['must have at least 1 character, got 0'],
  })
})

test('CT1: its answers are held against their schemas where that is asked for', () => {
  assert.equal(open(kennel).find('GET', '/v2/dogs').answers, undefined)
  const { answer, find } = open(kennel, { answers: 'refuse' })
  assert.equal(find('GET', '/v2/dogs').answers?.mode, 'refuse')
  const id = '0190f3a4-7b1c-7c3e-8a55-1f2e3d4c5b6a'
  assert.equal(answer('GET', '/v2/dogs', 200, [{ id, name: 'Rex' }]), undefined)
  assert.match(
    JSON.stringify(answer('GET', '/v2/dogs', 200, [{ name: 'Rex', hash: 'x' }])),
    /\/0\/id.*is required|\/0\/hash/,
  )
  assert.match(JSON.stringify(answer('GET', '/v2/dogs', 500, { error: 'x' })), /\/title/)
})

test('an operation that the document leaves open stays closed, unless the operator says otherwise', () => {
  assert.equal(open(kennel, { openOperations: true }).find('GET', '/v2/dogs/:dog_id').access, 'public')
  assert.equal(open(kennel, { openOperations: true }).find('GET', '/v2/dogs').access, 'authenticated')
  const required = open(kennel, { require: ({ tags, method }) => `${tags[0] ?? 'dogs'}:${method}` })
  assert.equal(required.find('GET', '/v2/dogs/:dog_id').require, 'dogs:get')
  assert.equal(required.find('GET', '/v2/dogs/:dog_id').access, undefined)
  assert.equal(open(kennel, { prefix: '' }).find('GET', '/dogs').access, 'authenticated')
})

test('CT1: a document of OpenAPI 3.0 says the same in older words', () => {
  const shop = {
    openapi: '3.0.3',
    info: { title: 'Shop', version: '1' },
    servers: [{ url: '/shop' }],
    paths: {
      '/orders': {
        post: {
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: { $ref: '#/components/schemas/Order', description: 'ignored' } },
              'application/x-www-form-urlencoded': { schema: { $ref: '#/components/schemas/Order' } },
            },
          },
          responses: {
            200: {
              description: 'ok',
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } },
            },
          },
        },
      },
    },
    components: {
      schemas: {
        Order: {
          type: 'object',
          properties: {
            price: {
              type: 'number',
              minimum: 0,
              exclusiveMinimum: true,
              maximum: 100,
              exclusiveMaximum: false,
              example: 9.99,
            },
            note: { type: 'string', nullable: true, maxLength: 5 },
            size: { type: 'string', enum: ['s', 'm'], nullable: true },
            parent: { nullable: true, allOf: [{ $ref: '#/components/schemas/Order' }] },
            payload: { type: 'string', format: 'byte' },
          },
          required: ['price'],
          discriminator: { propertyName: 'size' },
          xml: { name: 'order' },
        },
      },
    },
  }
  const { body, find, left } = open(shop, { answers: 'log' })
  assert.deepEqual(left, [])
  assert.equal(
    find('POST', '/shop/orders').access,
    'authenticated',
    'a document that says nothing of security opens nothing',
  )
  const json = 'application/json'
  for (const good of [
    { price: 100, note: null, size: null, parent: null },
    { price: 0.01, parent: { price: 1 }, payload: 'aGk=' },
  ])
    assert.ok('value' in (body('POST', '/shop/orders', json, good) as object), JSON.stringify(good))
  assert.deepEqual(body('POST', '/shop/orders', json, { price: 0, note: 'too long', size: 'x' }), {
    price: ['must be more than 0'],
    note: ['must have at most 5 characters, got 8'],
    size: ['must be one of s, m, null'],
  })
  assert.deepEqual(body('POST', '/shop/orders', json, { price: 1, payload: '!' }), { payload: ['must be base64'] })
  assert.deepEqual(body('POST', '/shop/orders', 'application/x-www-form-urlencoded', 'price=x'), {
    price: ['must be a number'],
  })
})

test('what a route cannot say, and what leads out of the document, is a mistake with its place', () => {
  const with31 = (paths: object, more: object = {}): object => ({ openapi: '3.1.0', info: {}, paths, ...more })
  const get = { get: { responses: {} } }
  const body = (schema: object): object => ({
    '/a': { post: { requestBody: { content: { 'application/json': { schema } } } } },
  })
  const mistakes: readonly (readonly [unknown, string, RegExp])[] = [
    [{ swagger: '2.0' }, '/openapi', /version 3.0 or 3.1/],
    [{ openapi: '3.2.0', paths: {} }, '/openapi', /version/],
    [[], '', /a document/],
    [with31({}), '/paths', /at least one operation/],
    [with31({ '/a/{b}.json': get }), '/paths/~1a~1{b}.json', /whole segment/],
    [with31({ '/a/{b}{c}': get }), '/paths/~1a~1{b}{c}', /whole segment/],
    [with31({ '/a/:b': get }), '/paths/~1a~1:b', /colon/],
    [with31({ '/a/*': get, '/a*b': get }), '/paths/~1a*b', /`\*`/],
    [with31({ '/a/{b}/{b}': get }), '/paths/~1a~1{b}~1{b}', /once in a path/],
    [with31({ '/a b': get }), '/paths/~1a b', /percent-encoded/],
    [with31({ '/a/{b}': get, '/a/{c}': get }), '/paths/~1a~1{c}/get', /differs from/],
    [
      with31(body({ $ref: 'https://evil.example/schema.json' })),
      '/paths/~1a/post/requestBody/content/application~1json/schema',
      /same document/,
    ],
    [
      with31(body({ $ref: 'other.yaml#/X' })),
      '/paths/~1a/post/requestBody/content/application~1json/schema',
      /same document/,
    ],
    [
      with31(body({ $ref: '#/components/schemas/X' })),
      '/paths/~1a/post/requestBody/content/application~1json/schema',
      /what is in the document/,
    ],
    [
      with31(body({ $id: 'https://a.example/' })),
      '/paths/~1a/post/requestBody/content/application~1json/schema/$id',
      /JSON Pointer alone/,
    ],
    [with31({ '/a': { $ref: '#/paths/~1a' } }), '/paths/~1a', /lead back/],
    [
      with31({ '/a': { get: { parameters: [{ in: 'path', name: 'b', schema: {} }] } } }),
      '/paths/~1a/get/parameters/0',
      /path with the parameter/,
    ],
    [
      with31({ '/a': { get: { parameters: [{ in: 'body', name: 'b' }] } } }),
      '/paths/~1a/get/parameters/0',
      /`name` and `in`/,
    ],
  ]
  for (const [document, pointer, message] of mistakes)
    assert.throws(
      () => routesOfOpenApi(document),
      (error) => {
        assert.ok(error instanceof OpenApiMistake, String(error))
        assert.equal(error.pointer, pointer)
        assert.match(error.message, message)
        return true
      },
      JSON.stringify(document),
    )
})

test('a document that is too large, too deep, or unfolds without end is refused', () => {
  let deep: unknown = {}
  for (let depth = 0; depth < 200; depth++) deep = { allOf: [deep] }
  const schema = (given: unknown): object => ({
    openapi: '3.1.0',
    paths: { '/a': { get: {} } },
    components: { schemas: { A: given } },
  })
  assert.throws(() => routesOfOpenApi(schema(deep)), /at most 100 levels/)
  let doubled: unknown = { type: 'string' }
  for (let depth = 0; depth < 40; depth++) doubled = { anyOf: [doubled, doubled] }
  assert.throws(() => routesOfOpenApi(schema(doubled)), /at most \d+ values/)
  const circle: Record<string, unknown> = { type: 'object' }
  circle['not'] = circle
  assert.throws(() => routesOfOpenApi(schema(circle)), /at most/)
  const laughs = [
    'a0: &a0 [1, 2]',
    ...Array.from({ length: 30 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`),
  ].join('\n')
  assert.throws(() => parseOpenApi(laughs), /alias/i)
  assert.throws(() => parseOpenApi(`a: ${'x'.repeat(16_000_001)}`), /at most 16000000 characters/)
})
