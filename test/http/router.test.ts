import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileRouter, patternProblem } from '../../src/http/router.ts'
import { parseTarget } from '../../src/http/target.ts'

const router = compileRouter(
  ['/', '/a', '/a/:id', '/a/b', '/a/:id/c', '/files/*', '/:any/last'].map((pattern) => ({
    pattern,
    methods: pattern === '/a' ? ['GET', 'POST'] : undefined,
    value: pattern,
  })),
)

test('a literal segment wins over a parameter, a parameter over the rest', () => {
  const cases: readonly (readonly [path: string, value: string | undefined, params?: Record<string, string>])[] = [
    ['/', '/'],
    ['/a', '/a'],
    ['/a/b', '/a/b'],
    ['/a/x', '/a/:id', { id: 'x' }],
    ['/a/b/c', '/a/:id/c', { id: 'b' }],
    ['/a/%C3%A9', '/a/:id', { id: 'é' }],
    ['/a/%ff', '/a/:id', { id: '%ff' }],
    ['/files/x/y', '/files/*', { '*': 'x/y' }],
    ['/files/', '/files/*', { '*': '' }],
    ['/files', undefined],
    ['/a/', undefined],
    ['/b/last', '/:any/last', { any: 'b' }],
    ['/A', undefined],
    ['/__proto__', undefined],
  ]
  for (const [path, value, params = {}] of cases) {
    const found = router.find('GET', path)
    if (value === undefined) assert.equal(found, undefined, path)
    else assert.deepEqual(found, { value, params }, path)
  }
})

test('read loosely, letters have no case and a slash at the end is none, and parameters stay as they were written', () => {
  const loose = compileRouter(
    ['/', '/a', '/a/*', '/Users/:id', '/b/', '/c/*', '/*'].map((pattern) => ({
      pattern,
      methods: undefined,
      value: pattern,
    })),
    'loose',
  )
  for (const [path, value, params = {}] of [
    ['/', '/'],
    ['/A', '/a'],
    ['/a/', '/a'],
    ['/A/x', '/a/*', { '*': 'x' }],
    ['/uSERS/Ada/', '/Users/:id', { id: 'Ada' }],
    ['/B', '/b/'],
    ['/b/', '/b/'],
    ['/c', '/*', { '*': 'c' }],
    ['/C/', '/c/*', { '*': '' }],
  ] as const)
    assert.deepEqual(loose.find('GET', path), { value, params }, path)
})

test('a path without the method names those it has; HEAD comes with GET', () => {
  assert.deepEqual(router.find('DELETE', '/a'), { allow: ['GET', 'POST'] })
  assert.deepEqual(router.find('HEAD', '/a'), { value: '/a', params: {} })
})

test('patterns that cannot match what they seem to are a mistake', () => {
  for (const pattern of ['a', '//', '/a/*/b', '/a*', '/:', '/:9', '/..', '/a b', '/é'])
    assert.ok(patternProblem(pattern), pattern)
  for (const pattern of ['/', '/a', '/:id', '/*', '/a/:id/*', '/a%20b'])
    assert.equal(patternProblem(pattern), undefined, pattern)
})

test('C: a canonical path is canonical: parsing it again changes nothing, and it never holds what climbs or splits', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('/', '.', '%', '2', 'e', 'f', 'F', '5', 'c', '0', 'a', '\\', '?', '#', ';', 'é'),
      }),
      (text) => {
        const { path, query, problem } = parseTarget(`/${text}`)
        if (problem !== undefined) return
        assert.deepEqual(parseTarget(path + query), {
          path,
          written: path,
          query,
          authority: undefined,
          problem: undefined,
        })
        assert.doesNotMatch(path, /\/\/|\\|\/\.{1,2}(\/|$)|%(2f|5c|00)/i)
      },
    ),
    { numRuns: 2000 },
  )
})
