import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { JsonStream } from '../../../src/inspection/stream/json-stream.ts'
import { Redactions } from '../../../src/inspection/stream/redactions.ts'
import { Unscreenable } from '../../../src/inspection/stream/transform.ts'
import { growsLinearly } from './growth.ts'
import { card, cuts, email, fed, marks, redactorOf } from './marks.ts'

const redactor = redactorOf(marks)

function redacted(pieces: readonly string[], options: { readonly lines?: boolean; readonly wholeMax?: number } = {}) {
  const redactions = new Redactions()
  return { out: fed(new JsonStream({ redactor, redactions, ...options }), pieces), redactions }
}

const documents: readonly (readonly [name: string, text: string, out: string])[] = [
  ['a value', `{"to": "${email}" }`, '{"to": "[EMAIL]" }'],
  ['an escaped value', '{"to":"jane\\u002eroe\\u0040mail.example"}', '{"to":"[EMAIL]"}'],
  ['a value between escapes', `["\\n\\"${email}\\"\\ud83d\\ude00\\/"]`, '["\\n\\"[EMAIL]\\"\\ud83d\\ude00\\/"]'],
  ['characters of several bytes', `["é→😀 ren\u00e9@mail.example 😀"]`, '["é→😀 [EMAIL] 😀"]'],
  ['a name', `{"${email}": {"n": 1}}`, '{"[EMAIL]": {"n": 1}}'],
  ['a number', '{"pan": 4111111111111111 , "n":12}', '{"pan": "[CARD]" , "n":12}'],
  ['numbers that are none', '[1.0, 1e2, -0, 12345678901234567890]', '[1.0, 1e2, -0, 12345678901234567890]'],
  ['several texts', `{"a":"${email}"}\n[1]"x"`, '{"a":"[EMAIL]"}\n[1]"x"'],
  ['a text sequence', `\u001e{"a":"${email}"}\n\u001e[]\n`, '\u001e{"a":"[EMAIL]"}\n\u001e[]\n'],
  ['a lone surrogate', `["\\ud83d ${email}"]`, '["\\ud83d [EMAIL]"]'],
  ['what is no JSON', `{"a": oops ${email} \\u0031`, '{"a": oops [EMAIL] \\u0031'],
  ['what begins as a number', `{"a":${card}}`, '{"a":[CARD]}'],
  ['a bracket too many', `[1]] "${email}"`, '[1]] "[EMAIL]"'],
  ['a string without an end', `["${email}`, '["[EMAIL]'],
  ['a prefix against inclusion', `)]}',\n{"a":"jane\\u002eroe@mail.example"}`, `)]}',\n{"a":"[EMAIL]"}`],
  ['numbers of others', `[NaN, -Infinity, "${email}"]`, '[NaN, -Infinity, "[EMAIL]"]'],
]

for (const [name, text, expected] of documents) {
  test(`CT4: ${name}, cut anywhere, is redacted as in the whole JSON`, () => {
    assert.equal(redacted([text]).out, expected)
    for (const pieces of cuts(text)) assert.equal(redacted(pieces).out, expected, JSON.stringify(pieces))
  })
}

test('CT4: a string too long to wait for, cut anywhere, is redacted as the whole', () => {
  const text = `{"a":"${'\\u00e9 ab \\\\ '.repeat(12)}${email} ${'0 '.repeat(40)}${card}","b":"${email}"}`
  const whole = redacted([text]).out
  assert.deepEqual(JSON.parse(whole), {
    a: redactor.redact((JSON.parse(text) as { a: string }).a).text,
    b: '[EMAIL]',
  })
  for (const pieces of cuts(text)) assert.equal(redacted(pieces, { wholeMax: 16 }).out, whole)
})

test('CT4: a value that lies over several strings is none', () => {
  const text = '["jane.roe@", "mail.example"]'
  assert.equal(redacted([text]).out, text)
})

test('CT4: findings say where by JSON Pointer, and never what', () => {
  const { redactions } = redacted([`{"a/b":[0,{"~":"${email}"}],"${email}":"${card}"}`])
  assert.deepEqual(redactions.first, [
    { kind: 'email', rule: 'mark/email', at: '/a~1b/1/~0' },
    { kind: 'email', rule: 'mark/email', at: '/a~1b' },
    { kind: 'card', rule: 'mark/card', at: '/[EMAIL]' },
  ])
})

test('CT4: of many findings the first hundred are named, and all are counted', () => {
  const { redactions } = redacted([JSON.stringify(Array(1000).fill(email))])
  assert.deepEqual([redactions.first.length, redactions.count], [100, 1000])
})

test('CT4: the scanner is told the member that a value belongs to', () => {
  const asked: (string | undefined)[] = []
  const listening = redactorOf({ reach: 8, scan: (_, name) => (asked.push(name) > 0 ? [] : []) })
  fed(new JsonStream({ redactor: listening, redactions: new Redactions() }), ['{"ssn":["1",{"b\\u0063":2}]}'])
  assert.deepEqual(asked, [undefined, 'ssn', undefined, 'bc'])
})

test('CT4: in lines a fault ends with its line, and so does a string', () => {
  const text = `{"a":"${email}"}\n{"a": oops ${email}\n{"b":"${email}\n"${email}"\n[`
  for (const pieces of [[text], [...text]])
    assert.equal(
      redacted(pieces, { lines: true }).out,
      '{"a":"[EMAIL]"}\n{"a": oops [EMAIL]\n{"b":"[EMAIL]\n"[EMAIL]"\n[',
    )
})

test('CT4: JSON deeper than 64 levels is refused', () => {
  assert.equal(redacted(['['.repeat(64)]).out, '['.repeat(64))
  assert.throws(() => redacted(['['.repeat(65)]), Unscreenable)
})

const cutAt = fc.array(fc.nat({ max: 2000 }), { maxLength: 12 })
const clean = fc.string({ unit: fc.constantFrom(...'ab1 é😀"\\/\n\u0000\ud800'.split(/(?!$)/u)), maxLength: 20 })
const value = fc.oneof(
  clean,
  fc.tuple(clean, fc.constantFrom(email, card), clean).map(([a, b, c]) => `${a} ${b} ${c}`),
)

test('CT4: JSON without matches comes out byte for byte, however it is written and cut', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, '\t', ' \r\n'), cutAt, (json, space, at) => {
      const text = JSON.stringify(json, null, space).replaceAll('@', 'at').replaceAll(/\d{4}/g, '12')
      assert.equal(redacted(piecesOf(text, at)).out, text)
    }),
  )
})

test('CT4: what JSON says afterwards is what it said, redacted string by string', () => {
  fc.assert(
    fc.property(fc.dictionary(clean, fc.array(value)), cutAt, fc.boolean(), (json, at, escaped) => {
      const text = escaped ? escapedJson(json) : JSON.stringify(json)
      const { out } = redacted(piecesOf(text, at))
      assert.deepEqual(JSON.parse(out), mapped(json))
      assert.ok(!out.includes('jane.roe') && !out.includes('4111'))
    }),
  )
})

/** Every character that can be is written as an escape. */
function escapedJson(json: unknown): string {
  return JSON.stringify(json).replaceAll(/(?<!\\)[a-z0-9@.](?=[^\\]*")/g, (character, at: number, all: string) =>
    all[at - 1] === '\\' || /\\u[0-9a-f]{0,3}$/.test(all.slice(Math.max(0, at - 5), at))
      ? character
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function mapped(json: unknown): unknown {
  if (typeof json === 'string') return redactor.redact(json).text
  if (Array.isArray(json)) return json.map(mapped)
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([name, member]) => [redactor.redact(name).text, mapped(member)]))
}

function piecesOf(text: string, at: readonly number[]): string[] {
  const bounds = [0, ...at.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length]
  return bounds.slice(1).map((end, which) => text.slice(bounds[which], end))
}

for (const [name, unit] of Object.entries({
  'at-signs': '@', digits: '1', backslashes: '\\', quotes: '"', 'empty lists': '[]', escapes: '\\u0040', commas: '1,', 'addresses': `${email} ` })) // biome-ignore format: a table
  test(`CT4: time in proportion to the input: ${name}, bare and in a string`, () => {
    for (const opening of ['', '"'])
      growsLinearly(
        unit,
        (text) => {
          const stream = new JsonStream({ redactor, redactions: new Redactions() })
          for (let at = 0; at < text.length; at += 16_384) stream.feed(text.slice(at, at + 16_384))
          stream.end()
        },
        opening,
      )
  })
