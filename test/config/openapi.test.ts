import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { command as check } from '../../src/cli/check.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { run } from '../cli/in-process.ts'
import { startHouse, startUpstream } from '../support/house.ts'

const document = `
openapi: 3.1.0
info: { title: Pets, version: '1' }
servers: [{ url: https://api.example.com/v1 }]
paths:
  /pets/{id}:
    get:
      operationId: getPet
      tags: [pets]
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: full, in: query, schema: { type: boolean } }
      responses: { '200': { description: it, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } } }
  /pets:
    post:
      operationId: addPet
      tags: [pets]
      security: []
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
      responses: { '201': { description: made } }
components:
  schemas:
    Pet: { type: object, required: [name], properties: { name: { type: string, minLength: 2 } } }
`

function written(text = document): string {
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'api.yaml')
  writeFileSync(file, text)
  return file
}

test('CT1: the operations of an OpenAPI document are routes, with the schemas of their requests and answers', async (context: TestContext) => {
  const upstream = await startUpstream(context, (request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url === '/v1/pets/1' ? { name: 'R' } : { name: 'Rex' }))
  })
  const house = await startHouse(context, {
    upstreams: { api: upstream.url },
    openapi: [{ file: written(), to: 'api', access: 'public', answers: 'refuse' }],
    routes: [{ path: '/v1/pets/:any', methods: ['DELETE'], access: 'public', to: 'api' }],
  })
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(house.url + path, init)
    return { status: response.status, body: (await response.json()) as { code?: string; invalid?: unknown } }
  }
  const post = (body: object) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.deepEqual(await ask('/v1/pets/2?full=true'), { status: 200, body: { name: 'Rex' } })
  assert.equal((await ask('/v1/pets/1')).body.code, 'answer-invalid')
  const wrongId = await ask('/v1/pets/two')
  assert.deepEqual(
    [wrongId.status, wrongId.body.invalid],
    [422, [{ in: 'path', name: 'id', detail: 'must be an integer' }]],
  )
  assert.equal((await ask('/v1/pets/2?full=perhaps')).status, 422)
  const short = await ask('/v1/pets', post({ name: 'R' }))
  assert.deepEqual(
    [short.status, short.body.invalid],
    [422, [{ in: 'body', pointer: '/name', detail: 'must have at least 2 characters, got 1' }]],
  )
  assert.equal((await ask('/v1/pets', post({ name: 'Rex' }))).status, 200)
  assert.equal((await ask('/v1/pets/2', { method: 'DELETE' })).status, 200, 'a route of one’s own stands beside them')
  assert.equal((await ask('/v1/elsewhere')).status, 404)
})

test('CT1 AZ5: a document opens nothing by itself, not even what it calls open', async (context: TestContext) => {
  const upstream = await startUpstream(context, (_request, response) => response.end('{}'))
  const house = await startHouse(context, {
    upstreams: { api: upstream.url },
    openapi: [{ file: written(), to: 'api' }],
  })
  const status = async (path: string, method = 'GET'): Promise<number> =>
    (await fetch(house.url + path, { method })).status
  assert.deepEqual([await status('/v1/pets/2'), await status('/v1/pets', 'POST')], [401, 401])
})

test('CT1: a route that is written stands in the place of the one that a document has', () => {
  const own = { path: '/v1/pets/:pet', methods: ['GET' as const], require: 'pet:read', to: 'api' }
  const parsed = parseConfig(
    {
      upstreams: { api: 'http://127.0.0.1:1' },
      openapi: [{ file: written(), to: 'api', require: '{tag}:{method}' }],
      routes: [own],
    },
    {},
  )
  assert.ok('settings' in parsed, JSON.stringify(parsed))
  assert.deepEqual(
    parsed.settings.routes.map(({ path, require }) => [path, require]),
    [
      ['/v1/pets/:pet', 'pet:read'],
      ['/v1/pets', 'pets:post'],
    ],
  )
})

test('CT1: what is wrong with a document is told with the key that names it', async () => {
  const rows: readonly (readonly [why: string, file: string, more: object, says: RegExp])[] = [
    ['none', '/nowhere/api.yaml', {}, /^openapi\[0\]\.file: `\/nowhere\/api\.yaml`: ENOENT/],
    ['no YAML', written('a: [b'), {}, /^openapi\[0\]\.file: .*api\.yaml`: /],
    [
      'anchors that unfold without end',
      written(
        `a: &a [x]\n${[...'bcdefgh'].map((name, at) => `${name}: &${name} [${Array(20).fill(`*${'abcdefg'[at]}`).join()}]`).join('\n')}`,
      ),
      {},
      /^openapi\[0\]\.file: .*expected JSON or YAML: Excessive alias count/,
    ],
    ['another version', written('swagger: "2.0"'), {}, /expected version 3\.0 or 3\.1 of OpenAPI at `#\/openapi`/],
    [
      'a reference to elsewhere',
      written(document.replaceAll("'#/components/schemas/Pet'", "'https://evil.example/pet'")),
      {},
      /expected a reference into the same document/,
    ],
    [
      'a schema that is none',
      written(document.replace('minLength: 2', 'minLength: two')),
      {},
      /^openapi\[0\]\.file: .*minLength/,
    ],
    ['an upstream that is not there', written(), { to: 'apo' }, /^openapi\[0\]\.to: no upstream is called `apo`/],
    [
      'no tag',
      written(document.replaceAll('tags: [pets]', 'tags: []')),
      { require: '{tag}:read' },
      /has no tag, which `require` asks for/,
    ],
  ]
  for (const [why, file, more, says] of rows) {
    const parsed = parseConfig(
      { upstreams: { api: 'http://127.0.0.1:1' }, openapi: [{ file, to: 'api', ...more }] },
      {},
    )
    assert.ok('mistakes' in parsed, why)
    const told = parsed.mistakes.map(({ path, message }) => `${path}: ${message}`)
    assert.ok(
      told.some((line) => says.test(line)),
      `${why}: ${told.join(' | ')}`,
    )
    assert.ok(
      told.every((line) => !line.includes('\n')),
      why,
    )
  }
})

test('CT1: `check` says how many operations a document has, and what of it is not checked', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const config = join(dir, 'gatehouse.config.json')
  const file = written(
    document.replace(
      'in: query, schema: { type: boolean }',
      'in: query, style: form, explode: true, schema: { type: object }',
    ),
  )
  writeFileSync(config, JSON.stringify({ upstreams: { api: 'http://127.0.0.1:1' }, openapi: [{ file, to: 'api' }] }))
  const { code, out, err } = await run(check, ['--config', config])
  assert.equal(code, 0, err)
  assert.match(out, /api\.yaml: 2 operations\n {2}\S/)
})
