import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { z } from 'zod'
import { duration, secretRef, size } from '../../src/kernel/shape.ts'

function said(shape: z.ZodType, value: unknown): unknown {
  const outcome = shape.safeParse(value)
  return outcome.success ? outcome.data : outcome.error.issues.map(({ message }) => message).join('; ')
}

test('a duration, a size and a secret are parsed into what the code counts in, or say what was expected', () => {
  assert.equal(said(duration, '15m'), 900_000)
  assert.equal(said(duration, '15 m'), 'expected a duration such as `15m`, got `15 m`')
  assert.equal(said(duration, 900), 'expected a duration such as `15m`')
  assert.equal(said(size, '1mb'), 1_048_576)
  assert.equal(said(size, 'big'), 'expected a size such as `1mb`, got `big`')
  assert.deepEqual(said(secretRef, { env: 'NAME' }), { env: 'NAME' })
  assert.deepEqual(said(secretRef, { file: '/run/secret' }), { file: '/run/secret' })
  assert.equal(said(secretRef, { env: '' }), 'expected the name of an environment variable, got nothing')
  assert.equal(said(secretRef, { file: '' }), 'expected the path of a file, got nothing')
  for (const inline of ['the secret itself', { env: 'A', file: 'B' }, {}, null]) {
    const message = said(secretRef, inline)
    assert.match(String(message), /expected `env\('NAME'\)` or `file\('\/path'\)`/)
    assert.doesNotMatch(String(message), /itself/, 'what may be a secret is not repeated')
  }
})
