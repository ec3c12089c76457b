import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fieldBounds, requestFields } from '../../../src/inspection/fields/request.ts'
import { openInjection } from '../../../src/inspection/injection/injection.ts'
import { type Arrival, honestValues } from './honest-values.ts'

const injection = openInjection({ mode: 'block' })
const bounds = fieldBounds(1 << 20)

describe('CT3: honest values are let pass wherever they arrive', () => {
  for (const { what, places, texts } of honestValues)
    for (const place of places)
      it(`${what} (${texts.length}): ${place}`, () => {
        assert.deepEqual(
          texts.flatMap((text) => refusedAt(place, text)),
          [],
        )
      })

  it('several tokens in one header, one cookie or one path', () => {
    const token = (number: number): string =>
      [
        { alg: 'ES256', typ: 'JWT' },
        { sub: `user-${number}`, name: 'Ada', iat: 1_700_000_000 + number },
      ]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .concat('SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c')
        .join('.')
    const tokens = [1, 2, 3].map(token).join(',')
    assert.deepEqual([...refusedAt('header', tokens), ...refusedAt('cookie', tokens)], [])
  })
})

function refusedAt(place: Arrival, text: string): readonly string[] {
  const read = requestFields({ ...nothing, ...requests[place](text) }, bounds)
  assert.ok('fields' in read, JSON.stringify(read))
  return (injection?.judge(read.fields).refused ?? []).map(({ rule }) => `${rule}: ${text}`)
}

const nothing = { path: '/things', params: {}, query: '', headers: [], contentType: undefined, body: undefined }

const requests: Readonly<Record<Arrival, (text: string) => Partial<Parameters<typeof requestFields>[0]>>> = {
  query: (text) => ({ query: `q=${encodeURIComponent(text)}` }),
  header: (text) => ({ headers: ['x-thing', text] }),
  cookie: (text) => ({ headers: ['cookie', `c=${encodeURIComponent(text)}`] }),
  form: (text) => ({
    contentType: 'application/x-www-form-urlencoded',
    body: Buffer.from(`q=${encodeURIComponent(text)}`),
  }),
  value: (value) => member({ value }),
  comment: (comment) => member({ comment }),
  code: (code) => member({ code }),
}

function member(body: unknown): { contentType: string; body: Uint8Array } {
  return { contentType: 'application/json', body: Buffer.from(JSON.stringify(body)) }
}
