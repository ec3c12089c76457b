// CT1 through the front door: query, path, headers, cookies and bodies of each kind, with every mistake at its place.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { assertRefused, type Guarded, json, multipart, route, sent, startGuarded } from './guarded.ts'

const form = 'application/x-www-form-urlencoded'

suite('CT1: schemas of requests', () => {
  let house: Guarded
  const closing: (() => unknown)[] = []

  before(async () => {
    const context = { after: (close: () => unknown) => void closing.push(close) } as never
    const task = {
      type: 'object',
      properties: { title: { type: 'string', minLength: 3 }, tags: { $ref: 'Tags' }, count: { type: 'integer' } },
      required: ['title'],
    }
    house = await startGuarded(context, {
      schemas: { Tags: { type: 'array', items: { type: 'string', maxLength: 3 } } },
      routes: [
        route('/parts/:id', {
          requestSchemas: {
            path: { type: 'object', properties: { id: { type: 'integer' } } },
            query: {
              type: 'object',
              properties: { page: { type: 'integer', minimum: 1 } },
              additionalProperties: false,
            },
            headers: {
              type: 'object',
              properties: { 'X-Tenant': { type: 'string', pattern: '^[a-z]{2,9}$' } },
              required: ['X-Tenant'],
            },
            cookies: { type: 'object', properties: { theme: { enum: ['dark', 'light'] } } },
          },
        }),
        route('/task', { body: task, bodyTypes: ['json', 'form', 'multipart'] }),
        route('/json', { body: task }),
        route('/by-type', {
          bodyByType: {
            json: { type: 'object', properties: { a: { const: 1 } }, required: ['a'] },
            multipart: {
              type: 'object',
              properties: { file: { type: 'string', format: 'binary' } },
              required: ['file'],
            },
          },
        }),
        route('/optional', { body: task, bodyOptional: true }),
      ],
    })
  })
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  test('CT1: each part of a request is held against its schema, and every mistake told at its place', async () => {
    const right = await house.ask('/parts/7?page=2', { headers: { 'x-tenant': 'acme', cookie: 'theme=dark' } })
    assert.equal(right.status, 200, right.text)
    assert.equal(right.seen?.url, '/parts/7?page=2', 'what goes on stays as it was sent')
    const wrong = await house.ask('/parts/x?page=0&more=1', { headers: { 'x-tenant': 'A', cookie: 'theme=pink' } })
    assertRefused(wrong, 422, 'request-invalid')
    assert.deepEqual(wrong.problem.invalid?.map(({ in: part, name }) => `${part} ${name}`).toSorted(), [
      'cookie theme',
      'header x-tenant',
      'path id',
      'query more',
      'query page',
    ])
    assert.ok(!wrong.text.includes('pink'))
    const twice = await house.ask('/parts/7?page=1&page=2', { headers: { 'x-tenant': 'acme' } })
    assertRefused(twice, 422, 'request-invalid')
  })

  test('CT1: a body in JSON, a form and a form of parts is held against one schema, shared ones included', async () => {
    for (const init of [
      json({ title: 'write', tags: ['a', 'b'], count: 3 }),
      sent('title=write&tags=a&tags=b&count=3', form),
      multipart([
        { name: 'title', body: 'write' },
        { name: 'tags', body: 'a' },
        { name: 'count', body: '3' },
      ]),
    ]) {
      const { status, seen, text } = await house.ask('/task', init)
      assert.equal(status, 200, text)
      assert.deepEqual(seen?.body, init.body)
    }
    for (const init of [
      json({ title: 'a', tags: ['long one'], count: 1.5 }),
      sent('title=a&tags=long+one&count=1.5', form),
      multipart([
        { name: 'title', body: 'a' },
        { name: 'tags', body: 'long one' },
        { name: 'count', body: '1.5' },
      ]),
    ]) {
      const outcome = await house.ask('/task', init)
      assertRefused(outcome, 422, 'body-invalid')
      assert.deepEqual(Object.keys(outcome.problem.errors ?? {}).toSorted(), ['count', 'tags.0', 'title'], outcome.text)
      assert.deepEqual(outcome.problem.invalid?.map(({ in: part, pointer }) => `${part} ${pointer}`).toSorted(), [
        'body /count',
        'body /tags/0',
        'body /title',
      ])
    }
  })

  test('CT1: a body of another kind is 415; one that can be read in two ways is refused', async () => {
    assertRefused(await house.ask('/json', sent('title=write', form)), 415, 'media-type-unsupported')
    assertRefused(await house.ask('/task', sent('<a/>', 'application/xml')), 415, 'media-type-unsupported')
    assertRefused(await house.ask('/json', json('{"title":"write","title":"other"}')), 400, 'invalid-json')
    assertRefused(await house.ask('/task', sent('--x', 'multipart/form-data; boundary=x')), 422, 'not-inspectable')
    assertRefused(await house.ask('/task', sent('title=%ff', form)), 422, 'not-inspectable')
  })

  test('CT1: schemas by kind of body; a body that may be left out', async () => {
    assert.equal((await house.ask('/by-type', json({ a: 1 }))).status, 200)
    assertRefused(await house.ask('/by-type', json({ a: 2 })), 422, 'body-invalid')
    assert.equal((await house.ask('/by-type', multipart([{ name: 'file', filename: 'a.bin', body: 'x' }]))).status, 200)
    assertRefused(await house.ask('/by-type', multipart([{ name: 'file', body: 'x' }])), 422, 'body-invalid')
    assertRefused(await house.ask('/by-type', sent('a=1', form)), 415, 'media-type-unsupported')
    assert.equal((await house.ask('/optional', { method: 'POST' })).status, 200)
    assertRefused(await house.ask('/optional', json({ title: 'a' })), 422, 'body-invalid')
    assertRefused(
      await house.ask('/json', { method: 'POST', headers: { 'content-type': 'application/json' } }),
      400,
      'invalid-json',
    )
  })
})
