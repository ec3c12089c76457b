import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startHouse } from '../../test/support/house.ts'
import { post } from '../../test/support/process.ts'
import config from './gatehouse.config.ts'

test('Lazi: a widget is what its schema says, field by field', async (context) => {
  const house = await startHouse(
    context,
    { ...config, publicUrl: 'http://localhost:8080', store: 'sqlite::memory:' },
    { roles: ['user'] },
  )
  const authorization = `Bearer ${await house.signIn()}`
  const make = async (widget: unknown): Promise<unknown> => {
    const answer = await post(`${house.url}/api/widgets`, widget, { authorization })
    const told = (await answer.json()) as { errors?: unknown; received?: unknown }
    return answer.status === 201 ? told.received : { status: answer.status, errors: told.errors }
  }

  await context.test(
    'CT1 L: a name of 1 to 100 letters, digits, spaces, hyphens and underscores reaches the API as it was sent',
    async () => {
      for (const name of ['a', 'Wall clock_2 - large', 'tab\tand\nline', 'x'.repeat(100)])
        assert.deepEqual(await make({ name }), { name })
      const long = 'd'.repeat(500)
      for (const size of ['small', 'medium', 'large', 'extra_large'])
        assert.deepEqual(await make({ name: 'Clock', description: long, size }), {
          name: 'Clock',
          description: long,
          size,
        })
    },
  )

  await context.test(
    'CT1 L: any other name, a longer description and another size are 422, each with its field',
    async () => {
      const pattern = 'must match `^[a-zA-Z0-9\\s\\-_]+$`'
      for (const [widget, errors] of [
        [{}, { name: ['is required'] }],
        [{ name: 'x'.repeat(101) }, { name: ['must have at most 100 characters, got 101'] }],
        [{ name: 'Clock!' }, { name: [pattern] }],
        [{ name: 'Größe' }, { name: [pattern] }],
        [{ name: 'a', description: 'd'.repeat(501) }, { description: ['must have at most 500 characters, got 501'] }],
        [{ name: 'a', size: 'huge' }, { size: ['must be one of small, medium, large, extra_large'] }],
        [{ name: 'a', colour: 'red' }, { colour: ['is not a known field'] }],
      ])
        assert.deepEqual(await make(widget), { status: 422, errors })
    },
  )

  await context.test('CT1 L: what is said twice, is no JSON, or is something else is no widget', async () => {
    const twice = await post(`${house.url}/api/widgets`, '{"name":"a","name":"b"}', { authorization })
    assert.equal(twice.status, 400)
    const form = await fetch(`${house.url}/api/widgets`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'name=Clock',
    })
    assert.equal(form.status, 415)
  })
})
