import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DefaultTreeAdapterTypes, parse, parseFragment, serialize } from 'parse5'
import {
  allowableAttributes,
  allowableTags,
  type Profile,
  type ProfileName,
  profiles,
} from '../../../src/inspection/html/profiles.ts'
import { openSanitiser } from '../../../src/inspection/html/sanitiser.ts'
import { mutations, pieces } from './mutation.cases.ts'

const names: readonly ProfileName[] = ['none', 'basic', 'links']

/** As much as a list of one's own may allow. */
const widest: Profile = {
  tags: [...allowableTags],
  attributes: Object.fromEntries([...allowableTags].map((tag) => [tag, [...allowableAttributes]])),
  schemes: ['http', 'https', 'mailto', 'tel'],
}

test('CT2: markup that a profile allows stays', () => {
  const basic = openSanitiser('basic')
  assert.equal(
    basic('<p>a <b>b</b> <i>c</i> <u>d</u> <em>e</em> <strong>f</strong></p>'),
    '<p>a <b>b</b> <i>c</i> <u>d</u> <em>e</em> <strong>f</strong></p>',
  )
  assert.equal(basic('a<br>b'), 'a<br />b')
  const links = openSanitiser('links')
  const rel = 'rel="noopener noreferrer nofollow"'
  for (const href of [
    'https://example.com/?a=1&amp;b=2',
    'http://example.com',
    'mailto:ann@example.com',
    '/page',
    '#part',
    'page?x=1',
  ])
    assert.equal(links(`<a href="${href}" title="t">x</a>`), `<a href="${href}" title="t" ${rel}>x</a>`)
  assert.equal(links('<a href="/" rel="opener" target="_top">x</a>'), `<a href="/" ${rel}>x</a>`)
})

test('CT2: markup that a profile does not allow goes, and its text stays', () => {
  const basic = openSanitiser('basic')
  assert.equal(
    basic('<div onclick=run()><h1>Title</h1> <b class=x style=y onclick=run()>b</b></div>'),
    'Title <b>b</b>',
  )
  assert.equal(basic('<a href="https://example.com">x</a>'), 'x')
  assert.equal(basic('x<script>run()</script><style>a{}</style>y'), 'xy')
  const links = openSanitiser('links')
  for (const href of [
    'javascript:run()',
    'java&Tab;script:run()',
    '&#1;javascript:run()',
    'vbscript:x',
    'data:text/html,x',
    '//evil.example',
    '/\\evil.example',
    'ftp://x',
    'tel:1',
  ])
    assert.equal(links(`<a href="${href}">x</a>`), '<a>x</a>', href)
})

test('CT2: text comes back as text: what HTML has to write otherwise is written otherwise, and nothing is lost', () => {
  for (const name of names.slice(1)) {
    const sanitise = openSanitiser(name)
    for (const text of [
      "O'Brien",
      'AT&T',
      'a < b && c > d',
      'if a <b and c',
      'I <3 you </3',
      '"quoted" `x` ${y}',
      'é\u00a0漢🙂',
    ])
      assert.equal(textOf(sanitise(text)), text)
  }
})

test('CT2: an own list is kept to', () => {
  const sanitise = openSanitiser({ tags: ['h1', 'img'], attributes: { img: ['src', 'alt'] }, schemes: ['https'] })
  assert.equal(
    sanitise('<h1 id=x>a</h1><img src="https://x/y" alt="z" onerror=run()><b>c</b>'),
    '<h1>a</h1><img src="https://x/y" alt="z" />c',
  )
  assert.equal(sanitise('<img src="http://x/y"><img src="javascript:run()">'), '<img /><img />')
})

test('CT2: an element ends where the one around it ends, also where that one goes, and what is left open is closed', () => {
  const basic = openSanitiser('basic')
  assert.equal(basic('<div><b>a</div>b'), '<b>a</b>b')
  assert.equal(basic('<p>a<p>b'), '<p>a</p><p>b</p>')
  assert.equal(basic('<b><i>a</b>b</i>'), '<b><i>a</i></b>b')
  assert.equal(basic('</p>a</b>'), 'a')
  assert.equal(basic('<p>a<div><p>b'), '<p>a</p><p>b</p>')
  assert.equal(basic(`${'<script>x</script><img><option>'.repeat(400)}<b>a</b>`), '<b>a</b>')
})

test('CT2: an attribute keeps its first value and what references in it mean, and no address is read otherwise than it was', () => {
  const links = openSanitiser('links')
  const rel = 'rel="noopener noreferrer nofollow"'
  assert.equal(
    links('<a title="&eacute; &amp; &quot;q&quot; <x> AT&T" TITLE=b href=\'/?a=1&copy=2&lt=3&amp;b="\'>x</a>'),
    `<a title="&eacute; &amp; &quot;q&quot; &lt;x&gt; AT&amp;T" href="/?a=1&amp;copy=2&amp;lt=3&amp;b=&quot;" ${rel}>x</a>`,
  )
  for (const href of [
    '&#x0000006a;avascript:run()',
    'java&#10;&#13;script:run()',
    'javascript&colon;run()',
    '/&#9;/evil.example',
    '&bsol;/evil.example',
    '&fjlig;:x',
  ])
    assert.equal(links(`<a href="${href}">x</a>`), '<a>x</a>', href)
})

test('CT2: deep nesting keeps its text and loses its elements', () => {
  const sanitised = openSanitiser('basic')(`${'<b>'.repeat(5_000)}x`)
  assert.ok(sanitised.split('<b>').length <= 65)
  assert.equal(textOf(sanitised), 'x')
})

for (const [name, profile] of [
  ...names.map((name) => [name, name] as const),
  ['the widest own list', widest] as const,
]) {
  const sanitise = openSanitiser(profile)
  const allowed = typeof profile === 'string' ? profiles[profile] : profile

  test(`CT2: of HTML that mutates nothing is left that the profile does not allow: ${name}`, () => {
    for (const html of Object.values(mutations).flat()) assertClean(html, sanitise(html), allowed)
  })

  test(`CT2: of generated HTML nothing is left that the profile does not allow: ${name}`, () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 24 }), (parts) => {
        const html = parts.join('')
        assertClean(html, sanitise(html), allowed)
      }),
      { numRuns: 1_000 },
    )
  })

  test(`CT2: to sanitise again changes nothing: ${name}`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 2 })), { maxLength: 24 }),
        (parts) => {
          const once = sanitise(parts.join(''))
          assert.equal(sanitise(once), once)
        },
      ),
      { numRuns: 1_000 },
    )
  })
}

test('CT2: the proof sees what is not clean', () => {
  for (const html of (mutations['plain ways to run'] ?? []).filter((html) => !html.startsWith('<body')))
    assert.throws(() => assertClean(html, html, profiles.links), html)
  for (const href of ['javascript:run()', '//evil.example', 'ftp://x/'])
    assert.throws(() => assertClean('', `<a href="${href}">x</a>`, profiles.links))
})

/** In the places a page may put it, with scripts and without, and after it was written and parsed again. */
function assertClean(html: string, sanitised: string, profile: Profile): void {
  for (const scriptingEnabled of [true, false]) {
    let now = sanitised
    for (let round = 0; round < 3; round++) {
      const fragment = parseFragment(now, { scriptingEnabled })
      assertWithin(fragment, profile, html)
      now = serialize(fragment)
    }
    const page = parse(`<!doctype html><html><head></head><body><div>${sanitised}</div></body></html>`, {
      scriptingEnabled,
    })
    const root = page.childNodes.find((node) => node.nodeName === 'html')
    const body =
      root !== undefined && 'childNodes' in root ? root.childNodes.find((node) => node.nodeName === 'body') : undefined
    const holder = body !== undefined && 'childNodes' in body ? body.childNodes[0] : undefined
    assert.ok(holder !== undefined && 'childNodes' in holder)
    for (const inner of body !== undefined && 'childNodes' in body ? body.childNodes : [])
      if (inner !== holder) assertNode(inner, profile, html)
    assertWithin(holder, profile, html)
  }
}

function assertWithin(parent: DefaultTreeAdapterTypes.ParentNode, profile: Profile, html: string): void {
  for (const node of parent.childNodes) assertNode(node, profile, html)
}

function assertNode(node: DefaultTreeAdapterTypes.ChildNode, profile: Profile, html: string): void {
  const from = `${node.nodeName} of ${JSON.stringify(html)}`
  if (node.nodeName === '#text') return
  assert.ok('tagName' in node, from)
  assert.ok(profile.tags.includes(node.tagName) || made.has(node.tagName), from)
  assert.equal(node.namespaceURI, 'http://www.w3.org/1999/xhtml', from)
  for (const { name, value } of node.attrs) {
    if (name === 'rel' && node.tagName === 'a') continue
    assert.ok(profile.attributes?.[node.tagName]?.includes(name), `${name} on ${from}`)
    if (name === 'href' || name === 'src') assertAddress(value, profile, from)
  }
  assertWithin(node, profile, html)
}

/** What a parser adds of its own to tables and columns that are allowed. */
const made: ReadonlySet<string> = new Set(['tbody', 'tr', 'colgroup'])

function assertAddress(value: string, { schemes = [] }: Profile, from: string): void {
  const { protocol, host } = new URL(value, 'https://here.example/')
  assert.ok(host === 'here.example' || schemes.includes(protocol.slice(0, -1)), `${JSON.stringify(value)} in ${from}`)
  if (host !== 'here.example' && protocol !== 'mailto:' && protocol !== 'tel:')
    assert.match(value, /^\s*https?:/i, `${JSON.stringify(value)} in ${from}`)
}

function textOf(html: string): string {
  const read = (node: DefaultTreeAdapterTypes.Node): string =>
    'value' in node ? node.value : 'childNodes' in node ? node.childNodes.map(read).join('') : ''
  return read(parseFragment(html))
}
