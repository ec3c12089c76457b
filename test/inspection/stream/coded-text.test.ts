import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Codec, plain } from '../../../src/inspection/stream/codec.ts'
import type { CodedText } from '../../../src/inspection/stream/coded-text.ts'
import { formText } from '../../../src/inspection/stream/form-codec.ts'
import { FormStream } from '../../../src/inspection/stream/form-stream.ts'
import { jsonText } from '../../../src/inspection/stream/json-codec.ts'
import { markupText } from '../../../src/inspection/stream/markup-codec.ts'
import { Redactions } from '../../../src/inspection/stream/redactions.ts'
import { openTextStream } from '../../../src/inspection/stream/text-stream.ts'
import { growsLinearly } from './growth.ts'
import { card, cuts, email, fed, marks, promptMarks, redactorOf } from './marks.ts'

const [slow, prompt] = [redactorOf(marks), redactorOf(promptMarks)]

function textOf(codec: Codec, redactor = prompt) {
  return openTextStream(redactor, new Redactions(), codec)
}

const texts: readonly (readonly [name: string, codec: Codec, text: string, out: string])[] = [
  ['text', plain, `é😀 write to ${email}, pay with ${card}. Bye`, 'é😀 write to [EMAIL], pay with [CARD]. Bye'],
  ['text, values at both ends', plain, `${card} ${email}`, '[CARD] [EMAIL]'],
  ['two values next to each other', plain, `${email} ${email},${card}`, '[EMAIL] [EMAIL],[CARD]'],
  ['HTML', markupText, `<a href="mailto:jane&#46;roe&#x40;mail.example">R&amp;D &notin; &</a>`, '<a href="mailto:[EMAIL]">R&amp;D &notin; &</a>'],
  ['HTML without semicolons', markupText, 'jane&#46roe&commat;mail.example &#xZ; &;', '[EMAIL] &#xZ; &;'],
  ['JSON inside a string', jsonText, '\\"jane\\u002eroe\\u0040mail.example\\"\\', '\\"[EMAIL]\\"\\'],
  ['a form value', formText, 'to+jane.roe%40mail.example+%F0%9F%98%80%ff%', 'to+%5BEMAIL%5D+%F0%9F%98%80%ff%'],
] // biome-ignore format: a table

for (const [name, codec, text, expected] of texts)
  test(`CT4: ${name}, cut anywhere, is redacted as the whole`, () => {
    for (const redactor of [slow, prompt])
      for (const pieces of cuts(text))
        assert.equal(fed(textOf(codec, redactor), pieces), expected, JSON.stringify(pieces))
  })

test('CT4: forms are redacted name by name and value by value, cut anywhere, and the rest stays', () => {
  const text = `a=jane.roe%40mail.example&b&=+&&c%20d=${card.replaceAll(' ', '+')}=1&jane.roe%40mail.example=%zz`
  const expected = 'a=%5BEMAIL%5D&b&=+&&c%20d=%5BCARD%5D=1&%5BEMAIL%5D=%zz'
  for (const pieces of cuts(text)) assert.equal(fed(new FormStream(slow, new Redactions()), pieces), expected)
  const redactions = new Redactions()
  fed(new FormStream(slow, redactions), [text])
  assert.deepEqual(
    redactions.first.map(({ at }) => at),
    ['a', 'c d', ''],
  )
})

test('CT4: no text without a match changes, whatever it holds and however it is cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.nat()), (text, at) => {
      fc.pre(slow.redact(text).matches.length === 0)
      const bounds = [0, ...at.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length]
      const pieces = bounds.slice(1).map((end, which) => text.slice(bounds[which], end))
      for (const codec of [plain, jsonText, markupText, formText]) assert.equal(fed(textOf(codec), pieces), text)
    }),
  )
})

test('CT4: no more waits than the longest match, and of ordinary words no more than the last', () => {
  const text = textOf(plain) as CodedText
  const unhurried = textOf(plain, slow) as CodedText
  const prose = 'the quick brown fox jumps over the lazy dog '.repeat(40)
  for (const character of prose + '7'.repeat(500)) {
    text.feed(character)
    unhurried.feed(character)
    assert.ok(unhurried.waiting <= marks.reach * 1.125 + 256, `${unhurried.waiting} wait`)
  }
  const prompted = textOf(plain) as CodedText
  for (const character of prose) {
    prompted.feed(character)
    assert.ok(prompted.waiting <= 6, `${prompted.waiting} wait`)
  }
})

test('CT4: text that has waited long enough goes, and what was still to come of a match is struck out', () => {
  const text = textOf(plain)
  let out = text.feed('from jane.roe@mail.exam')
  assert.equal(out, 'from ')
  assert.notEqual(text.held, undefined)
  out += text.stall()
  assert.equal(text.held, undefined)
  out += text.feed('ple, and so on ') + text.end()
  assert.equal(out, 'from [EMAIL][EMAIL], and so on ')
  const other = textOf(plain)
  assert.equal(other.feed('jane.roe@') + other.stall() + other.feed('mail.example ') + other.end(), 'jane.roe@[EMAIL] ')
})

for (const [name, unit] of Object.entries({
  'at-signs': '@', digits: '1', backslashes: '\\', ampersands: '&', references: '&#', percents: '%25', pluses: '+', 'half characters': '%F0', addresses: `${email} ` })) // biome-ignore format: a table
  test(`CT4: time in proportion to the input: ${name}`, () => {
    for (const codec of [plain, jsonText, markupText, formText])
      growsLinearly(unit, (all) => {
        const text = textOf(codec)
        for (let at = 0; at < all.length; at += 16_384) text.feed(all.slice(at, at + 16_384))
        text.end()
      })
  })

test('CT4: no piece ends within a character', () => {
  const text = textOf(plain, redactorOf({ ...marks, reach: 95 }))
  for (let turn = 0; turn < 400; turn++) assert.ok(text.feed('😀').isWellFormed())
})
