import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fieldBounds, requestFields } from '../../../src/inspection/fields/request.ts'
import { openInjection } from '../../../src/inspection/injection/injection.ts'
import { honestMessages } from './honest-messages.ts'

const injection = openInjection({ mode: 'block' })
const bounds = fieldBounds(1 << 20)

describe('CT3: what clients, builders, agents and machines send each other is let pass', () => {
  const ways: Readonly<Record<string, (message: unknown) => unknown>> = {
    'as a body': (message) => message,
    'as the text of a member': (message) => ({ text: JSON.stringify(message) }),
    'as an indented text': (message) => ({ value: JSON.stringify(message, null, 2) }),
    'as JSON within JSON within JSON': (message) => ({ payload: JSON.stringify({ data: JSON.stringify(message) }) }),
    'in a list of others': (message) => ({ items: [{ kind: 'before' }, message, { kind: 'after' }] }),
  }
  for (const [way, put] of Object.entries(ways))
    it(`${honestMessages.length} messages ${way}`, () => {
      assert.deepEqual(
        honestMessages.flatMap((message) => refusedIn(put(message))),
        [],
      )
    })

  it('and the same with an attack in any one of their texts is refused', () => {
    const missed = honestMessages.filter(
      (message) => refusedIn({ ...Object(message), id: `1' or 1=1 -- ` }).length === 0,
    )
    assert.deepEqual(missed, [])
  })
})

function refusedIn(body: unknown): readonly string[] {
  const read = requestFields(
    {
      path: '/api/things',
      params: {},
      query: '',
      headers: [],
      contentType: 'application/json',
      body: Buffer.from(JSON.stringify(body)),
    },
    bounds,
  )
  assert.ok('fields' in read, JSON.stringify(read))
  return (injection?.judge(read.fields).refused ?? []).map(({ rule, place }) => `${rule} ${place.at}`)
}
