import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Role } from '../../../src/inspection/field.ts'
import type { Hint } from '../../../src/inspection/injection/detector.ts'
import { FirstLook } from '../../../src/inspection/injection/first-look.ts'
import { xssDetector } from '../../../src/inspection/injection/markup/detector.ts'
import { attacks } from './xss.attacks.ts'
import { honest } from './xss.honest.ts'

for (const [family, texts] of Object.entries(attacks)) {
  test(`CT3: XSS is found: ${family}`, () => {
    const missed = texts.filter((text) => score(text) < 0.5)
    assert.deepEqual(missed, [])
  })
}

for (const [kind, texts] of Object.entries(honest)) {
  test(`CT3: harmless text is let through: ${kind}`, () => {
    const refused = texts.filter((text) => score(text) >= 0.5)
    assert.deepEqual(refused, [])
  })
}

test('CT3: in whatever context a value is put, a tag in it is found', () => {
  const before = [
    '',
    'x',
    '">',
    "'>",
    '`>',
    'x" y="',
    '<!-- ',
    '--> ',
    ']]>',
    '</title>',
    '</textarea>',
    'a=1&b=',
    '\\"',
    "x'",
    '<b title="',
    "<b title='",
    '{',
    '(',
  ]
  for (const start of before)
    for (const end of ['', '"', "'", ' -->', '//', '</b>'])
      assert.ok(score(`${start}<img src=q onerror=alert(7)>${end}`) >= 0.8, `${start} … ${end}`)
})

test('CT3: capitals, separators and quotes hide no handler', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('img', 'svg', 'x', 'body', 'my-own-element', 'a:b'),
      fc.constantFrom('onerror', 'onload', 'onmouseover', 'onanimationend', 'onfocusin', 'onpointerdown'),
      fc.array(fc.constantFrom(' ', '\n', '\t', '/', '\f', '\r'), { minLength: 1, maxLength: 4 }),
      fc.array(fc.constantFrom(' ', '\n', '\t', '\f'), { maxLength: 3 }),
      fc.constantFrom('"', "'", ''),
      fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
      (element, event, separators, spaces, quote, capitals) => {
        const name = [...`${element}`]
          .map((letter, index) => (capitals[index] === true ? letter.toUpperCase() : letter))
          .join('')
        const handler = [...event]
          .map((letter, index) => (capitals[index + 10] === true ? letter.toUpperCase() : letter))
          .join('')
        const text = `<${name}${separators.join('')}${handler}${spaces.join('')}=${spaces.join('')}${quote}alert(7)${quote}>`
        return score(text) >= 0.8
      },
    ),
  )
})

test('CT3: what a browser passes over within a scheme hides no address', () => {
  const letters = [...'javascript']
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('plain', 'upper', 'decimal', 'hex', 'hex;', 'tab', 'newline', 'named'), {
        minLength: 10,
        maxLength: 10,
      }),
      fc.constantFrom(':', '&colon;', '&#58;', '&#x3a;'),
      fc.constantFrom('', ' ', '\u0001', '\n', '&#32;'),
      (spellings, colon, before) => {
        const scheme = letters.map((letter, index) => spell(letter, spellings[index] ?? 'plain')).join('')
        return score(`<a href="${before}${scheme}${colon}alert(7)">x</a>`) >= 0.8
      },
    ),
  )
})

test('CT3: more tags within quotes than can be read are refused, and not passed over', () => {
  const knot = `<a b='"' c="`.repeat(20_000)
  assert.ok(score(knot) >= 0.5)
  assert.ok(score(`${knot}<img src=q onerror=alert(7)>`) >= 0.5)
})

test('CT3: a sign says by which rule, how sure and where, and never what', () => {
  const text = 'hello <img src=q onerror=alert(7)> bye'
  const signs = xssDetector.scan(text, hint('unknown'), new FirstLook(text))
  const handler = signs.find(({ rule }) => rule === 'xss/event-handler')
  assert.ok(handler !== undefined && handler.start >= 6 && handler.end <= 34)
  for (const sign of signs) {
    assert.deepEqual(Object.keys(sign).sort(), ['confidence', 'end', 'rule', 'start'])
    assert.ok(sign.confidence > 0 && sign.confidence <= 1)
    assert.match(sign.rule, /^xss\/[a-z-]+$/)
    assert.ok(sign.start >= 0 && sign.start < sign.end && sign.end <= text.length)
  }
})

test('CT3: any text gives signs that stand within it, one for each rule', () => {
  const pieces = [
    '<',
    '>',
    '"',
    "'",
    '`',
    '=',
    '/',
    ' ',
    'on',
    'load',
    'script',
    'svg',
    'javascript:',
    'alert(',
    ')',
    '&#',
    ';',
    '<!--',
    '\\u',
    '[]',
    '{{',
    '\n',
    'word ',
  ]
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 40 }),
      (parts) => {
        const text = parts.join('')
        const signs = xssDetector.scan(text, hint('unknown'), new FirstLook(text))
        assert.equal(new Set(signs.map(({ rule }) => rule)).size, signs.length)
        for (const { start, end, confidence } of signs)
          assert.ok(start >= 0 && start <= end && end <= text.length && confidence > 0 && confidence <= 1)
      },
    ),
  )
})

test('CT3: what is a tutorial in a text of prose is an attack in an identifier', () => {
  const text = 'use the <script> tag to load it'
  assert.ok(score(text, 'prose') < 0.5)
  assert.ok(score(text, 'identifier') >= 0.5)
})

function hint(role: Role): Hint {
  return { role, in: 'body', name: 'value', at: '/value' }
}

function score(text: string, role: Role = 'unknown'): number {
  return Math.max(0, ...xssDetector.scan(text, hint(role), new FirstLook(text)).map(({ confidence }) => confidence))
}

function spell(letter: string, how: string): string {
  const code = letter.charCodeAt(0)
  switch (how) {
    case 'upper':
      return letter.toUpperCase()
    case 'decimal':
      return `&#${code};`
    case 'hex':
      return `&#x00${code.toString(16)};`
    case 'hex;':
      return `&#X${code.toString(16).toUpperCase()};`
    case 'tab':
      return `${letter}\t`
    case 'newline':
      return `${letter}&NewLine;`
    case 'named':
      return `&Tab;${letter}`
    default:
      return letter
  }
}
