import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseFragment } from 'parse5'
import { stripMarkup } from '../../../src/inspection/html/text.ts'
import { mutations, pieces } from './mutation.cases.ts'

test('CT2: text without markup comes back as it was', () => {
  const texts = [
    'O\'Brien said "hi"; AT&T & Sons',
    'a < b && c > d',
    '1 <2, 3<4, <- left, right ->, <>',
    '&lt;b&gt; &amp; &copy; &#60; &nbsp;',
    'I <3 you',
    '\u00a0é漢字🙂\t\r\n',
    '`x` ${y} {{z}} <%',
    '',
  ]
  for (const text of texts) assert.equal(stripMarkup(text), text)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const plain = text.replaceAll('<', '')
      assert.equal(stripMarkup(plain), plain)
    }),
  )
})

test('CT2: tags, comments and declarations go, their text stays, and scripts and styles go with what they hold', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['<p>Hello <b>you</b></p>', 'Hello you'],
    ['a<br>b<br/>c', 'abc'],
    ['x<!-- y -->z', 'xz'],
    ['x<!--> y -->z', 'x y -->z'],
    ['x<!---> y', 'x y'],
    ['x<!-- y --!>z', 'xz'],
    ['<!doctype html>x<?y?>z', 'xz'],
    ['x</ 3>y', 'xy'],
    ['<script>run()</script>x<style>b{}</style>y', 'xy'],
    ['<SCRIPT\n>a</scriptx>b</script >c', 'c'],
    ['<scripts>a</scripts>', 'a'],
    ['<a title=">">x</a>', 'x'],
    ["<a title='\">'>x</a>", 'x'],
    ['<a =">x', 'x'],
    ['<a title=`">`>x', '`>x'],
    ['<textarea><b>x</b></textarea>', 'x'],
    ['<<b>b>x', 'x'],
    ['<<i><b>script>run()</script>', ''],
    ['<<<b>b>b>x', 'x'],
  ]
  for (const [html, text] of cases) assert.equal(stripMarkup(html), text, html)
})

test('CT2: a tag that ends nowhere destroys nothing, and is none any more', () => {
  assert.equal(stripMarkup('if a <b and c'), 'if a &lt;b and c')
  assert.equal(stripMarkup('<a title="x>y <b>z</b>'), '&lt;a title="x>y &lt;b>z&lt;/b>')
  assert.equal(stripMarkup('x <!-- y'), 'x &lt;!-- y')
  assert.equal(stripMarkup('<script>x'), '&lt;script>x')
  assert.equal(stripMarkup('<<b>script>x'), '&lt;script>x')
})

test('CT2: two texts that a page puts side by side make no tag together', () => {
  for (const [one, other] of [
    ['<', 'img src onerror=run()>'],
    ['a <<b>', 'script>run()'],
    ['<', '/p><!-- x'],
  ] as const) {
    const nodes = parseFragment(stripMarkup(one) + stripMarkup(other)).childNodes.map(({ nodeName }) => nodeName)
    assert.deepEqual(nodes, ['#text'], one + other)
  }
})

test('CT2: what was stripped holds no markup as a browser reads it, and to strip it again changes nothing', () => {
  for (const html of Object.values(mutations).flat()) assertBare(html)
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (parts) => assertBare(parts.join(''))),
    { numRuns: 2_000 },
  )
})

function assertBare(html: string): void {
  const text = stripMarkup(html)
  assert.equal(stripMarkup(text), text)
  for (const scriptingEnabled of [true, false]) {
    const nodes = parseFragment(text, { scriptingEnabled }).childNodes.map(({ nodeName }) => nodeName)
    assert.ok(
      nodes.every((name) => name === '#text'),
      `${JSON.stringify(html)} gave ${JSON.stringify(text)}`,
    )
  }
}
