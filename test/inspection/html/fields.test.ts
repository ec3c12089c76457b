import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planSanitising, sanitiseFields, sanitisePairs } from '../../../src/inspection/html/fields.ts'
import { parseStrict } from '../../../src/kernel/json.ts'

test('CT2: the texts that are named are sanitised, by their profiles, and others stay as they are', () => {
  const plan = planSanitising({
    '/title': 'none',
    '/items/*/text': 'basic',
    '/a~1b': 'none',
    '/about/*': 'none',
    '/about/me': 'basic',
  })
  const before = {
    title: '<b>x</b>',
    text: '<b>x</b>',
    items: [{ text: '<b>x</b><i onclick=run()>y</i>', other: '<b>z</b>' }, { text: 'plain' }],
    'a/b': '<i>x</i>',
    about: { me: '<b>x</b>', you: '<b>y</b>' },
    count: 5,
    none: null,
  }
  const { value, changed } = sanitiseFields(before, plan)
  assert.deepEqual(value, {
    title: 'x',
    text: '<b>x</b>',
    items: [{ text: '<b>x</b><i>y</i>', other: '<b>z</b>' }, { text: 'plain' }],
    'a/b': 'x',
    about: { me: '<b>x</b>', you: 'y' },
    count: 5,
    none: null,
  })
  assert.deepEqual(changed, ['/title', '/items/0/text', '/a~1b', '/about/you'])
})

test('CT2: a list or an object in the place of a text is no way around', () => {
  const plan = planSanitising({ '/content': 'none' })
  assert.deepEqual(sanitiseFields({ content: ['<b>x</b>', { deep: ['<i>y</i>'] }] }, plan), {
    value: { content: ['x', { deep: ['y'] }] },
    changed: ['/content/0', '/content/1/deep/0'],
  })
})

test('CT2: a deeper profile holds below a wider one', () => {
  const plan = planSanitising({ '/a': 'none', '/a/b': 'basic' })
  assert.deepEqual(sanitiseFields({ a: { b: '<b>x</b>', c: '<b>x</b>' } }, plan).value, {
    a: { b: '<b>x</b>', c: 'x' },
  })
})

test('CT2: names of members stay, and `__proto__` is a member like any other', () => {
  const parsed = parseStrict('{"__proto__": {"<b>": "<b>x</b>"}, "constructor": "<b>x</b>"}')
  assert.ok('value' in parsed)
  const { value } = sanitiseFields(parsed.value, planSanitising({ '/*': 'none' }))
  assert.equal(JSON.stringify(value), '{"__proto__":{"<b>":"x"},"constructor":"x"}')
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
})

test('CT2: what has not changed is the same object', () => {
  const before = { a: { text: 'plain' }, list: [1, 2] }
  const { value, changed } = sanitiseFields(before, planSanitising({ '/a/text': 'none', '/list/*': 'none' }))
  assert.equal(value, before)
  assert.deepEqual(changed, [])
})

test('CT2: texts that are no object are left alone, whatever the plan names', () => {
  const plan = planSanitising({ '/a': 'none', form: 'none' })
  for (const value of ['<b>x</b>', 5, null, true, [], {}])
    assert.deepEqual(sanitiseFields(value, plan), { value, changed: [] })
})

test('CT2: fields of a form are sanitised by name, each time they come', () => {
  const plan = planSanitising({ '/text': 'basic', 'items[0][note]': 'none' })
  const pairs = [
    ['text', '<b onclick=run()>x</b>'],
    ['other', '<b>y</b>'],
    ['text', '<script>run()</script>z'],
    ['items[0][note]', '<b>n</b>'],
  ] as const
  assert.deepEqual(sanitisePairs(pairs, plan), {
    pairs: [
      ['text', '<b>x</b>'],
      ['other', '<b>y</b>'],
      ['text', 'z'],
      ['items[0][note]', 'n'],
    ],
    changed: ['text', 'items[0][note]'],
  })
})
