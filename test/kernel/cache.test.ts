import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GenerationCache } from '../../src/kernel/cache.ts'

test('the last `capacity` entries are there, never more than twice as many are held, and none is wrong', () => {
  // Few keys, so that the same one is met in the young generation, in the old one, and in both.
  const key = fc.integer({ min: 0, max: 6 })
  const step = fc.oneof(
    fc.record({ verb: fc.constant('set' as const), key, value: fc.nat() }),
    fc.record({ verb: fc.constant('get' as const), key }),
    fc.record({ verb: fc.constant('delete' as const), key }),
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { minLength: 20, maxLength: 200 }),
      (capacity, steps) => {
        const cache = new GenerationCache<number, number>(capacity)
        const truth = new Map<number, number>()
        /** Keys by when they were last touched. A deleted one keeps its place: nothing older moves up for it. */
        let recent: number[] = []
        for (const { verb, key, ...more } of steps) {
          const held = cache.get(key)
          assert.ok(held === undefined || held === truth.get(key), 'a value that was replaced or deleted came back')
          if (truth.has(key) && recent.slice(-capacity).includes(key))
            assert.notEqual(held, undefined, 'a recent entry was forgotten')
          if (held !== undefined || verb === 'set') recent = [...recent.filter((other) => other !== key), key]
          if (verb === 'set' && 'value' in more) {
            cache.set(key, more.value)
            truth.set(key, more.value)
          }
          if (verb === 'delete') {
            cache.delete(key)
            truth.delete(key)
          }
          assert.ok(cache.size <= 2 * capacity, `${cache.size} entries`)
        }
      },
    ),
    { numRuns: 1_000 },
  )
})

test('clearing forgets both generations', () => {
  const cache = new GenerationCache<number, string>(2)
  for (let key = 0; key < 4; key++) cache.set(key, 'value')
  assert.equal(cache.size, 4)
  cache.clear()
  assert.equal(cache.size, 0)
  assert.equal(cache.get(0), undefined)
  assert.equal(cache.get(3), undefined)
})
