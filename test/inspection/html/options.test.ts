import assert from 'node:assert/strict'
import { test } from 'node:test'
import { htmlOptions } from '../../../src/inspection/html/options.ts'

test('CT2: profiles and own lists are taken', () => {
  const options = {
    '/content': 'none',
    '/items/*/text': 'basic',
    'items[0].text': 'links',
    '/a~1b': { tags: ['p', 'a', 'img'], attributes: { a: ['href'], img: ['src', 'alt'] }, schemes: ['https'] },
  }
  assert.deepEqual(htmlOptions.parse(options), options)
})

test('CT2: what would let a page run anything is an error of the configuration', () => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    ...[
      'script',
      'style',
      'iframe',
      'svg',
      'math',
      'form',
      'template',
      'noscript',
      'textarea',
      'object',
      'x-own',
      'P',
    ].map((tag) => [{ tags: [tag] }, new RegExp(`expected an element that may be allowed, got \`${tag}\``)] as const),
    ...['onclick', 'style', 'srcdoc', 'id', 'name', 'target', 'xlink:href', 'formaction', 'rel', 'class*'].map(
      (name) =>
        [
          { tags: ['a'], attributes: { a: [name] } },
          new RegExp(`expected an attribute that may be allowed, got \`${name.replace('*', '\\*')}\``),
        ] as const,
    ),
    ...['javascript', 'data', 'vbscript', 'blob', 'HTTPS'].map(
      (scheme) =>
        [
          { tags: ['a'], schemes: [scheme] },
          new RegExp(`expected a scheme that may be allowed, got \`${scheme}\``),
        ] as const,
    ),
    [{ tags: ['p'], attributes: { a: ['href'] } }, /expected an element of `tags`, got `a`/],
    [{ tags: [] }, /./],
    [{ tags: ['p'], styles: {} }, /./],
    ['all', /./],
  ]
  for (const [profile, message] of refused) {
    const parsed = htmlOptions.safeParse({ '/content': profile })
    assert.ok(!parsed.success, JSON.stringify(profile))
    assert.match(JSON.stringify(parsed.error.issues), new RegExp(message.source.replaceAll('"', '\\\\"')))
  }
})

test('CT2: a place that cannot be meant is an error of the configuration', () => {
  for (const place of ['', '/a~2', '/a/**/b', 'a~'])
    assert.ok(!htmlOptions.safeParse({ [place]: 'none' }).success, place)
})
